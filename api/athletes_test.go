package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

func TestAnAthleteIsEnrolledOnce(t *testing.T) {
	g := open(t)
	want[site](g, 201, "POST", "/api/v1/sites", `{"id":"main","name":"Halle","zone":"Europe/Berlin"}`)
	want[team](g, 201, "POST", "/api/v1/teams", `{"site":"main","id":"squad","name":"Squad"}`)
	body := `{"id":"a17","name":"Ana Ortiz","site":"main","teams":["squad"],"goal":"speed","born":1998,"maximum_kg":{"deadlift":180},
		"limits":{"velocity-loss":{"deadlift_advice_pct":12}},"reason":"new in the squad"}`
	a := want[athlete](g, 201, "POST", "/api/v1/athletes", body)
	if a.Name != "Ana Ortiz" || a.Revision != 1 || a.By != "admin" || a.Reason != "new in the squad" || a.MaximumKg["deadlift"] != 180 {
		t.Errorf("%+v", a)
	}
	if diff := cmp.Diff(a, want[athlete](g, 200, "POST", "/api/v1/athletes", body)); diff != "" {
		t.Errorf("repeated: %s", diff)
	}
	want[problem](g, 409, "POST", "/api/v1/athletes", `{"id":"a17","name":"Somebody else","site":"main"}`)
	if diff := cmp.Diff(a, want[athlete](g, 200, "GET", "/api/v1/athletes/a17", "")); diff != "" {
		t.Error(diff)
	}
	made := want[athlete](g, 201, "POST", "/api/v1/athletes", `{"site":"main","name":"Zoe"}`)
	if !strings.HasPrefix(string(made.ID), "a-") || strings.Contains(string(made.ID), "zoe") {
		t.Errorf("made up %q", made.ID)
	}
	if all := walk[athlete](g, "/api/v1/athletes?site=main&team=squad", 10); len(all) != 1 || all[0].ID != "a17" {
		t.Errorf("team: %+v", all)
	}
	if all := walk[athlete](g, "/api/v1/athletes?name=ZO", 10); len(all) != 1 || all[0].ID != made.ID {
		t.Errorf("name: %+v", all)
	}
}

func TestWhoWasSeenInMessagesCanBeEnrolledLater(t *testing.T) {
	g := open(t)
	g.append(rep("ana", 1, trained))
	if a := want[athlete](g, 200, "GET", "/api/v1/athletes/ana", ""); a.Revision != 0 || a.Site != "main" {
		t.Errorf("%+v", a)
	}
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","name":"Ana"}`)
	if a := want[athlete](g, 200, "GET", "/api/v1/athletes/ana", ""); a.Name != "Ana" || a.Site != "main" || a.Revision != 1 {
		t.Errorf("%+v", a)
	}
	if reps := walk[lift.RepRecord](g, "/api/v1/athletes/ana/reps?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z", 10); len(reps) != 1 {
		t.Errorf("%d reps", len(reps))
	}
	want[problem](g, 404, "GET", "/api/v1/athletes/nobody", "")
	want[problem](g, 404, "PATCH", "/api/v1/athletes/nobody", `{"name":"x"}`)
}

func TestAPatchChangesWhatItNames(t *testing.T) {
	g := open(t)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main","name":"Ana","zone":"Europe/Berlin","born":1998,
		"maximum_kg":{"deadlift":180,"squat":140},"deloads":["2026-W50"],"limits":{"tempo":{"share":0.7},"velocity-loss":{"deadlift_advice_pct":12}}}`)
	a := want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"zone":null,"maximum_kg":{"deadlift":185},"limits":{"tempo":{}},"reason":"test day"}`)
	wanted := athlete{
		ID: "ana", AthleteProfile: lift.AthleteProfile{Name: "Ana", Site: "main", Born: 1998, MaximumKg: map[lift.ExerciseID]float64{"deadlift": 185}, Deloads: []string{"2026-W50"}},
		Limits: limitValues{"velocity-loss": {"deadlift_advice_pct": 12.}}, Revision: 2, By: "admin", Updated: a.Updated, Reason: "test day",
	}
	if diff := cmp.Diff(wanted, a); diff != "" {
		t.Error(diff)
	}
	if same := want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"born":1998}`); same.Revision != 2 {
		t.Errorf("a patch that changes nothing made revision %d", same.Revision)
	}
	a = want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"limits":null,"deloads":[]}`)
	if len(a.Limits) != 0 || len(a.Deloads) != 0 {
		t.Errorf("%+v", a)
	}
	if all := walk[athlete](g, "/api/v1/athletes/ana/revisions?", 2); len(all) != 3 || all[1].Reason != "test day" {
		t.Errorf("%+v", all)
	}
}

// A change is a revision of its own whatever it changes, and leaves those before as
// they were.
func TestAPatchOfAnyFieldIsARevision(t *testing.T) {
	g := open(t)
	want[team](g, 201, "POST", "/api/v1/teams", `{"site":"main","id":"squad"}`)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main","name":"Ana","teams":["squad"],"zone":"Europe/Berlin","goal":"speed",
		"language":"de","unit":"kg","born":1998,"maximum_kg":{"squat":140},"min_velocity_mps":{"squat":0.3},"pre_injury_kg":150,"pre_injury_week_kg":9000,
		"deloads":["2026-W50"],"tests":["2026-W51"],"reminders":true,"limits":{"tempo":{"share":0.7}}}`)
	before := walk[athlete](g, "/api/v1/athletes/ana/revisions?", 100)
	for i, patch := range []string{
		`{"name":"Ben"}`, `{"teams":[]}`, `{"zone":"Europe/Rome"}`, `{"goal":"strength"}`, `{"language":"it"}`, `{"unit":"lb"}`, `{"born":1999}`,
		`{"maximum_kg":{"squat":150}}`, `{"min_velocity_mps":{"squat":0.2}}`, `{"pre_injury_kg":160}`, `{"pre_injury_week_kg":8000}`,
		`{"deloads":["2026-W49"]}`, `{"tests":["2026-W48"]}`, `{"reminders":false}`, `{"limits":{"tempo":{"share":0.8}}}`, `{"site":"second"}`,
	} {
		a := want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", patch)
		if a.Revision != int64(i)+2 {
			t.Errorf("%s: revision %d", patch, a.Revision)
		}
		all := walk[athlete](g, "/api/v1/athletes/ana/revisions?", 100)
		if diff := cmp.Diff(append(before, a), all); diff != "" {
			t.Errorf("%s: %s", patch, diff)
		}
		before = all
	}
}

func TestAnUnknownFieldIsToldAsSuch(t *testing.T) {
	g := open(t)
	if p := want[problem](g, 422, "POST", "/api/v1/athletes", `{"site":"main","nmae":"Ana"}`); p.Field != "nmae" || !strings.Contains(p.Detail, "no field") {
		t.Errorf("%+v", p)
	}
}

func TestATeamThatWasRemovedStopsNoOtherChange(t *testing.T) {
	g := open(t)
	want[team](g, 201, "POST", "/api/v1/teams", `{"site":"main","id":"squad"}`)
	want[team](g, 201, "POST", "/api/v1/teams", `{"site":"main","id":"other"}`)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main","teams":["squad"]}`)
	want[team](g, 200, "DELETE", "/api/v1/teams/squad?site=main", "")
	if a := want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"name":"Ana"}`); a.Name != "Ana" {
		t.Errorf("%+v", a)
	}
	want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"teams":["other"]}`)
	want[problem](g, 422, "PATCH", "/api/v1/athletes/ana", `{"teams":["squad"]}`)
	want[problem](g, 422, "PATCH", "/api/v1/athletes/ana", `{"site":"second"}`)
	want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"site":"second","teams":[]}`)
}

func TestABadProfileIsRefusedByItsField(t *testing.T) {
	g := open(t)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main"}`)
	for body, field := range map[string]string{
		`{"zone":"Mars/Olympus"}`:        "zone",
		`{"zone":"Local"}`:               "zone",
		`{"goal":"win"}`:                 "goal",
		`{"born":98}`:                    "born",
		`{"born":"1998"}`:                "born",
		`{"unit":"stone"}`:               "unit",
		`{"language":"<b>"}`:             "language",
		`{"teams":["none"]}`:             "teams",
		`{"teams":["a b"]}`:              "teams[0]",
		`{"maximum_kg":{"deadlift":-1}}`: "maximum_kg.deadlift",
		`{"deloads":["next"]}`:           "deloads[0]",
		`{"limits":{"velocity-loss":{"deadlift_advice_pct":-5}}}`:    "limits.velocity-loss.deadlift_advice_pct",
		`{"limits":{"velocity-loss":{"deadlift_advice_pct":"12"}}}`:  "limits.velocity-loss.deadlift_advice_pct",
		`{"limits":{"velocity-los":{"deadlift_advice_pct":12}}}`:     "limits.velocity-los",
		`{"limits":{"velocity-loss":{"deadlift_advice":12}}}`:        "limits.velocity-loss.deadlift_advice",
		`{"limits":{"velocity-loss":12}}`:                            "limits.velocity-loss",
		`{"shoe_size":43}`:                                           "shoe_size",
		`{"id":"bo"}`:                                                "id",
		`{"site":""}`:                                                "site",
		`{"name":"` + strings.Repeat("x", 201) + `"}`:                "name",
		`{"name":"a` + "\\u0000" + `b"}`:                             "name",
		`{"reason":"` + strings.Repeat("x", 2001) + `","born":1990}`: "note",
		`[]`: "",
		`{`:  "",
	} {
		if p := want[problem](g, 422, "PATCH", "/api/v1/athletes/ana", body); p.Field != field {
			t.Errorf("%s: field %q, want %q: %s", body, p.Field, field, p.Detail)
		}
	}
	if a := want[athlete](g, 200, "GET", "/api/v1/athletes/ana", ""); a.Revision != 1 {
		t.Errorf("something of it was stored: %+v", a)
	}
}

func TestOfTwoCoachesTheSecondLooksAgain(t *testing.T) {
	g := open(t)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main"}`)
	seen := g.send("GET", "/api/v1/athletes/ana", "")
	_ = seen.Body.Close()
	tag := seen.Header.Get("ETag")
	first := g.send("PATCH", "/api/v1/athletes/ana", `{"goal":"speed"}`, "If-Match", tag)
	_ = first.Body.Close()
	if first.StatusCode != 200 || first.Header.Get("ETag") != `"2"` {
		t.Fatalf("%d %s", first.StatusCode, first.Header.Get("ETag"))
	}
	if p := want[problem](g, 412, "PATCH", "/api/v1/athletes/ana", `{"goal":"hypertrophy"}`, "If-Match", tag); p.Field != "If-Match" {
		t.Errorf("%+v", p)
	}
	want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"goal":"hypertrophy"}`, "If-Match", `"7", "2"`)

	// Without If-Match changes of different fields at once all stand.
	fields := []string{`{"name":"Ana"}`, `{"born":1998}`, `{"unit":"lb"}`, `{"language":"de"}`, `{"zone":"Europe/Berlin"}`}
	var writing sync.WaitGroup
	for _, body := range fields {
		writing.Go(func() {
			answer := g.send("PATCH", "/api/v1/athletes/ana", body)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", body, answer.StatusCode)
			}
		})
	}
	writing.Wait()
	a := want[athlete](g, 200, "GET", "/api/v1/athletes/ana", "")
	if a.Name != "Ana" || a.Born != 1998 || a.Unit != "lb" || a.Language != "de" || a.Zone != "Europe/Berlin" || a.Revision != 8 {
		t.Errorf("%+v", a)
	}
}

func TestLimitsComeFromTheNearestScope(t *testing.T) {
	g := open(t)
	want[site](g, 201, "POST", "/api/v1/sites", `{"id":"main"}`)
	want[team](g, 201, "POST", "/api/v1/teams", `{"site":"main","id":"squad"}`)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main","teams":["squad"]}`)
	put := func(query, body string) {
		t.Helper()
		want[rule](g, 200, "PUT", "/api/v1/rules/velocity-loss"+query, body)
	}
	of := func(query string) (map[string]any, string) {
		t.Helper()
		r := want[rule](g, 200, "GET", "/api/v1/rules/velocity-loss"+query, "")
		if r.Set == nil {
			return r.Limits, "defaults"
		}
		return r.Limits, string(r.Set.Kind) + " " + r.Set.Reason
	}
	put("", `{"limits":{"deadlift_advice_pct":14,"deadlift_warning_pct":24},"reason":"house"}`)
	put("?site=main", `{"limits":{"deadlift_advice_pct":13},"reason":"site"}`)
	put("?site=main&team=squad", `{"limits":{"deadlift_advice_pct":12},"reason":"team"}`)
	put("?athlete=ana", `{"limits":{"deadlift_advice_pct":11},"reason":"her back"}`)
	for query, expected := range map[string]struct {
		advice float64
		by     string
	}{
		"":                      {14, "house house"},
		"?site=main":            {13, "site site"},
		"?site=main&team=squad": {12, "team team"},
		"?athlete=ana":          {11, "athlete her back"},
		"?site=other":           {14, "house house"},
	} {
		limits, by := of(query)
		if limits["deadlift_advice_pct"] != expected.advice || limits["deadlift_warning_pct"] != 24. || by != expected.by {
			t.Errorf("%s: %v by %s", query, limits, by)
		}
	}
	own := want[rule](g, 200, "GET", "/api/v1/rules/velocity-loss?site=main", "").Own
	if diff := cmp.Diff(map[string]any{"deadlift_advice_pct": 13.}, own); diff != "" {
		t.Errorf("the site's own: %s", diff)
	}
	put("?athlete=ana", `{"limits":{}}`)
	if own := want[rule](g, 200, "GET", "/api/v1/rules/velocity-loss?athlete=ana", "").Own; own != nil {
		t.Errorf("her own after they were given back: %v", own)
	}
	if limits, by := of("?athlete=ana"); limits["deadlift_advice_pct"] != 12. || by != "team team" {
		t.Errorf("given back: %v by %s", limits, by)
	}
	want[team](g, 200, "DELETE", "/api/v1/teams/squad?site=main", "")
	if limits, by := of("?athlete=ana"); limits["deadlift_advice_pct"] != 13. || by != "site site" {
		t.Errorf("without the team: %v by %s", limits, by)
	}
	if p := want[problem](g, 422, "PUT", "/api/v1/rules/velocity-loss", `{"limits":{"deadlift_advice_pct":30}}`); p.Field == "" {
		t.Errorf("advice above warning: %+v", p)
	}
	want[problem](g, 404, "PUT", "/api/v1/rules/velocity-loss?athlete=nobody", `{"limits":{}}`)
	want[problem](g, 404, "PUT", "/api/v1/rules/velocity-loss?site=main&team=none", `{"limits":{}}`)
	want[problem](g, 404, "PUT", "/api/v1/rules/velocity?site=main", `{"limits":{}}`)
}

func TestRepsOfNobodyAreGivenToAnAthleteAfterwards(t *testing.T) {
	retained := map[string]string{}
	g := open(t, func(o *Options) { o.Retain = keep(retained) })
	lost := rep("", 1, trained)
	lost.Rep.Exercise, lost.Rep.LoadKg = "", nil
	g.append(lost)
	if nobody := walk[lift.RepRecord](g, "/api/v1/reps/unassigned?device=bar-1&from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z", 1); len(nobody) != 1 {
		t.Errorf("%d reps of nobody", len(nobody))
	}
	path := "/api/v1/devices/bar-1/assignment"
	if a := want[onBar](g, 200, "GET", path, ""); a.Athlete != "" {
		t.Errorf("%+v", a)
	}
	since := trained.Add(-time.Minute).Format(time.RFC3339)
	want[onBar](g, 200, "PUT", path, `{"athlete":"ana","exercise":"deadlift","load_kg":120,"since":"`+since+`"}`)
	reps := walk[lift.RepRecord](g, "/api/v1/athletes/ana/reps?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z", 10)
	if len(reps) != 1 || reps[0].Exercise != "deadlift" || *reps[0].LoadKg != 120 {
		t.Fatalf("%+v", reps)
	}
	if a := want[onBar](g, 200, "GET", path, ""); a.Athlete != "ana" || a.Site != "main" {
		t.Errorf("%+v", a)
	}
	topic := "spotter/v1/main/device/bar-1/assign"
	if !strings.Contains(retained[topic], `"athlete":"ana"`) || !strings.Contains(retained[topic], since) {
		t.Errorf("the broker keeps %q", retained[topic])
	}
	want[onBar](g, 200, "DELETE", path, "")
	if a := want[onBar](g, 200, "GET", path, ""); a.Athlete != "" {
		t.Errorf("%+v", a)
	}
	if !strings.Contains(retained[topic], `"athlete":null`) {
		t.Errorf("the broker keeps %q", retained[topic])
	}
	if p := want[problem](g, 422, "PUT", path, `{"exercise":"deadlift"}`); p.Field != "athlete" {
		t.Errorf("%+v", p)
	}
	want[problem](g, 404, "PUT", "/api/v1/devices/bar-9/assignment", `{"athlete":"ana"}`)
	want[onBar](g, 200, "PUT", "/api/v1/devices/bar-9/assignment?site=main", `{"athlete":"ana"}`)
}

func TestADeviceIsDescribed(t *testing.T) {
	g := open(t)
	g.append(rep("ana", 1, trained))
	d := want[device](g, 200, "PATCH", "/api/v1/devices/bar-1", `{"name":"Blue bar","rack":"3"}`)
	if d.Name != "Blue bar" || d.Rack != "3" || d.Seen.IsZero() {
		t.Errorf("%+v", d)
	}
	want[device](g, 200, "PATCH", "/api/v1/devices/bar-1?site=other", `{"rack":"1"}`)
	if p := want[problem](g, 400, "GET", "/api/v1/devices/bar-1", ""); p.Field != "site" {
		t.Errorf("%+v", p)
	}
	if all := walk[device](g, "/api/v1/devices?", 1); len(all) != 2 || all[0].Rack != "3" || all[1].Rack != "1" {
		t.Errorf("%+v", all)
	}
}

func TestWhoReadAndChangedWhatIsKept(t *testing.T) {
	g := open(t)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main"}`)
	for range 3 {
		want[athlete](g, 200, "GET", "/api/v1/athletes/ana", "")
	}
	_ = g.send("GET", "/api/v1/athletes/ana/export", "").Body.Close()
	if err := g.stop(); err != nil { // what is not written yet is written at the end
		t.Fatal(err)
	}
	g.serve()
	wanted := map[string]int{"change:record": 1, "get-athlete": 3, "export-athlete": 1}
	var found map[string]int
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && !cmp.Equal(found, wanted); <-poll.C { // the view may be behind
		found = map[string]int{}
		for _, e := range walk[view.AuditEntry](g, "/api/v1/athletes/ana/audit?", 1) {
			if e.By != "admin" || e.Athlete != "ana" {
				t.Errorf("%+v", e)
			}
			if e.Operation != "list-athlete-audit" {
				found[e.Operation] += e.Count
			}
		}
	}
	if diff := cmp.Diff(wanted, found); diff != "" {
		t.Error(diff)
	}
	if all := walk[view.AuditEntry](g, "/api/v1/audit?by=somebody", 1); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// A new operation that tells of people cannot be forgotten in the audit trail: whoever
// adds one that does not says so here.
func TestWhoeverReadsOfPeopleIsNoted(t *testing.T) {
	toldToNobody := []string{
		"begin-login", "end-login", "get-session", "get-checkin-link", "get-health", "get-readiness", "get-metrics",
		"list-tokens", "list-credentials", "list-channels", "get-channel",
		"list-rules", "get-rule", "list-exercises", "get-backtest", "list-sites", "get-site", "list-teams", "get-team",
		"list-devices", "get-device", "get-assignment", "list-unassigned-reps", // bars, and who is on them now
		"list-erasures", "get-erasure", // which name nobody
		"list-audit", "list-athlete-audit",
	}
	g := open(t)
	for path, item := range g.server.api.OpenAPI().Paths {
		if op := item.Get; op != nil && tellsOfPeople(op) == slices.Contains(toldToNobody, op.OperationID) {
			t.Errorf("%s (%s): it is noted: %v", op.OperationID, path, tellsOfPeople(op))
		}
	}
}

// keep is a broker's memory of retained messages.
func keep(retained map[string]string) func(context.Context, string, []byte) error {
	return func(_ context.Context, topic string, payload []byte) error {
		retained[topic] = string(payload)
		return nil
	}
}

func TestWhatACoachEnteredGoesBeforeWhatIsEstimated(t *testing.T) {
	g := open(t)
	trainWeeks(g, 2, trained)
	want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"maximum_kg":{"deadlift":195},"min_velocity_mps":{"deadlift":0.17}}`)
	p := want[profiles](g, 200, "GET", "/api/v1/athletes/ana/profile?to="+trained.AddDate(0, 0, 2).Format("2006-01-02T15:04:05Z"), "")
	if len(p.Items) != 1 || p.Items[0].MinVelocity == nil || p.Items[0].MinVelocity.Mps != 0.17 || p.Items[0].MinVelocity.Source != "entered" ||
		p.Items[0].Maximum.EnteredKg == nil || *p.Items[0].Maximum.EnteredKg != 195 {
		t.Errorf("%+v", p.Items)
	}
}
