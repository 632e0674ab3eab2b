package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

func ids(alerts []lift.Alert) []string {
	var all []string
	for _, a := range alerts {
		all = append(all, a.ID)
	}
	return all
}

func TestAlertsAreNarrowedByEachFilter(t *testing.T) {
	g := open(t)
	first := found("ana", 1, lift.Advice, trained)
	second := found("ana", 2, lift.Warning, trained.Add(time.Hour))
	third := found("bo", 3, lift.Critical, trained.Add(2*time.Hour))
	third.Site, third.Alert.Finding.Site = "north", "north"
	third.Alert.Finding.Rule = "pain-zone"
	one, two, three := first.Alert.AlertID, second.Alert.AlertID, third.Alert.AlertID
	if got := want[list[lift.Alert]](g, 200, "GET", "/api/v1/alerts", ""); got.Items == nil || len(got.Items) != 0 {
		t.Fatalf("an empty list is %v", got)
	}
	g.append(first, second, third, retracted(first, trained.Add(3*time.Hour)))
	for query, wanted := range map[string][]string{
		"":                           {three, two, one},
		"athlete=ana":                {two, one},
		"site=north":                 {three},
		"rule=pain-zone":             {three},
		"severity=warning":           {three, two},
		"state=retracted":            {one},
		"since=2026-11-10T19:00:00Z": {three, two},
		"until=2026-11-10T19:00:00Z": {one},
		"since=2026-11-10T20:00:00.000%2B01:00&athlete=ana": {two},
		"athlete=nobody": nil,
	} {
		got := want[list[lift.Alert]](g, 200, "GET", "/api/v1/alerts?"+query, "")
		if diff := cmp.Diff(wanted, ids(got.Items)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestARequestThatCannotBeUsedNamesTheField(t *testing.T) {
	g := open(t)
	alert := found("ana", 1, lift.Warning, trained)
	lifted := rep("ana", 1, trained)
	g.append(alert, lifted)
	acknowledge := "/api/v1/alerts/" + alert.Alert.AlertID + "/acknowledge"
	patch := "/api/v1/reps/" + repID(lifted)
	for _, c := range []struct {
		status             int
		method, path, body string
		field              string
	}{
		{422, "GET", "/api/v1/alerts?severity=bad", "", "severity"},
		{422, "GET", "/api/v1/alerts?state=gone", "", "state"},
		{422, "GET", "/api/v1/alerts?athlete=A%20B", "", "athlete"},
		{422, "GET", "/api/v1/alerts?since=yesterday", "", "since"},
		{422, "GET", "/api/v1/alerts?since=2026-11-22T17:00:00", "", "since"},
		{422, "GET", "/api/v1/alerts?limit=501", "", "limit"},
		{422, "GET", "/api/v1/alerts?limit=0", "", "limit"},
		{422, "GET", "/api/v1/alerts?limit=x", "", "limit"},
		{422, "GET", "/api/v1/alerts?cursor=zzz", "", "cursor"},
		{422, "GET", "/api/v1/athletes/ana/sets?cursor=zzz", "", "cursor"},
		{422, "GET", "/api/v1/athletes/ana/reps?from=2026-11-22T17:00:00Z&to=2026-11-21T17:00:00Z", "", "from"},
		{422, "GET", "/api/v1/athletes/%2e%2e%2fetc/reps", "", "id"},
		{422, "GET", "/api/v1/athletes/ANA/weeks", "", "id"},
		{422, "GET", "/api/v1/alerts/" + strings.Repeat("a", 65), "", "id"},
		{422, "GET", "/api/v1/quarantine/%00", "", "id"},
		{404, "GET", "/api/v1/alerts/al_unknown", "", ""},
		{404, "POST", "/api/v1/alerts/al_unknown/resolve", "", ""},
		{404, "GET", "/api/v1/nothing", "", ""},
		{404, "GET", "/nothing", "", ""},
		{405, "PUT", "/api/v1/alerts", "", ""},
		{422, "POST", acknowledge, `{"note":"` + strings.Repeat("x", 2001) + `"}`, "note"},
		{422, "POST", acknowledge, `{"note":"` + strings.Repeat("ü", 1001) + `"}`, "note"},
		{422, "POST", acknowledge, `{"note":"\u0000"}`, "note"},
		{422, "POST", acknowledge, `{"note":7}`, "note"},
		{422, "POST", acknowledge, `{"nota":"x"}`, "nota"},
		{400, "POST", acknowledge, `{"note":"x"`, ""},
		{400, "POST", acknowledge, `{"note":"x","note":"y"}`, ""},
		{422, "PATCH", patch, `{"load_kg":-1}`, "load_kg"},
		{422, "PATCH", patch, `{"load_kg":null}`, "load_kg"},
		{422, "PATCH", patch, `{"load_kg":"120"}`, "load_kg"},
		{422, "PATCH", patch, `{"velocity":1}`, "velocity"},
		{422, "PATCH", patch, `{"athlete":"A/B"}`, "athlete"},
		{422, "PATCH", patch, `{"set":10001}`, "set"},
		{422, "PATCH", patch, `{"withdraw":["mean_velocity_mps"]}`, "withdraw[0]"},
		{422, "PATCH", patch, `{"withdraw":["valid","set"],"set":2}`, "withdraw[1]"},
		{422, "PATCH", patch, `{"withdraw":[]}`, ""},
		{422, "PATCH", patch, `{}`, ""},
		{400, "PATCH", patch, ``, ""},
		{404, "PATCH", "/api/v1/reps/rp_unknown", `{"valid":false}`, ""},
		{422, "POST", "/api/v1/athletes/ana/checkins", `{"time":"2026-11-10T18:00:00Z","phase":"after","pain":11}`, "pain"},
		{422, "POST", "/api/v1/athletes/ana/checkins", `{"phase":"after","pain":1}`, "time"},
		{422, "POST", "/api/v1/athletes/ana/checkins", `{"time":"2026-11-10T18:00:00Z","phase":"after","symptoms":["itch"]}`, "symptoms[0]"},
		{422, "POST", "/api/v1/athletes/ana/checkins", `not json`, ""},
		{400, "POST", "/api/v1/athletes/ana/checkins", ``, ""},
		{404, "POST", "/api/v1/quarantine/qu_unknown/replay", ``, ""},
		{404, "DELETE", "/api/v1/quarantine/qu_unknown", ``, ""},
		{413, "PATCH", patch, `{"exercise":"` + strings.Repeat("x", 1<<20) + `"}`, ""},
	} {
		name := c.method + " " + c.path + " " + c.body[:min(len(c.body), 60)]
		t.Run(name, func(t *testing.T) {
			g := *g
			g.t = t
			p := want[problem](&g, c.status, c.method, c.path, c.body)
			if p.Status != c.status || p.Title == "" || p.Detail == "" || p.Field != c.field {
				t.Errorf("got %+v, want the field %q", p, c.field)
			}
		})
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "nonsense;;", ""} {
		want[problem](g, 415, "PATCH", patch, `{"valid":false}`, "Content-Type", kind)
	}
}

func TestAnsweringAnAlertIsRecordedOnce(t *testing.T) {
	g := open(t)
	e := found("ana", 1, lift.Warning, trained)
	g.append(e)
	path := "/api/v1/alerts/" + e.Alert.AlertID
	first := want[lift.Alert](g, 200, "POST", path+"/acknowledge", `{"note":" seen it "}`)
	if first.State != lift.AlertAcknowledged || first.Acknowledged.By != "admin" || first.Acknowledged.Note != "seen it" || first.Revision != 2 {
		t.Fatalf("acknowledged as %+v", first)
	}
	if d := time.Since(first.Acknowledged.At); d < 0 || d > time.Minute {
		t.Errorf("acknowledged %v ago", d)
	}
	again := want[lift.Alert](g, 200, "POST", path+"/acknowledge", `{"note":"me too"}`)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("repeating changed the alert: %s", diff)
	}
	resolved := want[lift.Alert](g, 200, "POST", path+"/resolve", "")
	if resolved.State != lift.AlertResolved || resolved.Resolved.Note != "" || resolved.Acknowledged == nil {
		t.Fatalf("resolved as %+v", resolved)
	}
	if diff := cmp.Diff(resolved, want[lift.Alert](g, 200, "POST", path+"/acknowledge", "")); diff != "" {
		t.Errorf("acknowledging what is resolved changed it: %s", diff)
	}
	detail := want[alertDetail](g, 200, "GET", path, "")
	var verbs []lift.AlertVerb
	for _, step := range detail.History {
		verbs = append(verbs, step.Verb)
	}
	if diff := cmp.Diff([]lift.AlertVerb{lift.AlertFound, lift.AlertAcknowledge, lift.AlertResolve}, verbs); diff != "" {
		t.Errorf("history: %s", diff)
	}
	if diff := cmp.Diff(resolved, detail.Alert); diff != "" {
		t.Error(diff)
	}
}

func TestAClosedAlertCannotBeAnswered(t *testing.T) {
	g := open(t)
	gone, old := found("ana", 1, lift.Warning, trained), found("ana", 2, lift.Warning, trained)
	expired := retracted(old, trained.Add(time.Hour))
	expired.Alert.Verb = lift.AlertExpire
	g.append(gone, retracted(gone, trained.Add(time.Hour)), old, expired)
	for _, e := range []journal.Event{gone, old} {
		for _, verb := range []string{"/acknowledge", "/resolve"} {
			want[problem](g, http.StatusConflict, "POST", "/api/v1/alerts/"+e.Alert.AlertID+verb, "")
		}
	}
}

func TestPagingReturnsEveryAlertOnce(t *testing.T) {
	g := open(t)
	const n = 37
	var events []journal.Event
	wanted := map[string]bool{}
	for i := range n {
		// Several alerts share an opening time.
		e := found("ana", i, lift.Warning, trained.Add(time.Duration(i/4)*time.Minute))
		events = append(events, e)
		wanted[e.Alert.AlertID] = true
	}
	g.append(events...)
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 60).Draw(rt, "limit")
		seen := map[string]bool{}
		cursor, before := "", time.Time{}
		for pages := 0; ; pages++ {
			page := want[list[lift.Alert]](g, 200, "GET", fmt.Sprintf("/api/v1/alerts?limit=%d&cursor=%s", limit, url.QueryEscape(cursor)), "")
			if len(page.Items) > limit {
				rt.Fatalf("%d items on a page of %d", len(page.Items), limit)
			}
			for _, a := range page.Items {
				if seen[a.ID] || !wanted[a.ID] {
					rt.Fatalf("alert %s is repeated or unknown", a.ID)
				}
				if !before.IsZero() && a.Opened.After(before) {
					rt.Fatal("the order is not newest first")
				}
				seen[a.ID], before = true, a.Opened
			}
			if cursor = page.Next; cursor == "" {
				break
			}
			if pages > n {
				rt.Fatal("Paging does not end")
			}
		}
		if len(seen) != n {
			rt.Fatalf("%d alerts of %d", len(seen), n)
		}
	})
}
