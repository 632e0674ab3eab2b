package api

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// lives fills the gym with the same of two people.
func (g *gym) lives() {
	g.t.Helper()
	for _, who := range []string{"ana", "bo"} {
		for n := range 5 {
			g.append(rep(who, n, trained))
		}
		g.append(found(who, 1, lift.Warning, trained.Add(time.Minute)), logged(who, 1, trained))
	}
	for _, who := range []string{"ana", "bo"} {
		want[any](g, 201, "POST", "/api/v1/athletes/"+who+"/checkins", `{"time":"2026-11-10T18:10:00Z","phase":"after","pain":3,"note":"=1+1"}`)
		want[any](g, 201, "POST", "/api/v1/athletes", `{"id":"`+who+`","site":"main","name":"<b>`+who+` the Hostile</b>"}`)
		want[any](g, 200, "POST", "/api/v1/athletes/"+who+"/plan/hold", `{"reason":"back pain"}`)
	}
}

func (g *gym) erased(id string) erasure {
	g.t.Helper()
	var e erasure
	need.Eventually(g.t, 20*time.Second, "the erase to be done", func() bool {
		e = want[erasure](g, 200, "GET", "/api/v1/erasures/"+id, "")
		return e.State == "done"
	})
	return e
}

func TestAnErasedAthleteIsForgottenAndRefusedUntilItIsLifted(t *testing.T) {
	g := open(t)
	g.lives()
	bo := want[list[lift.RepRecord]](g, 200, "GET", "/api/v1/athletes/bo/reps?from=2026-11-01T00:00:00Z", "")
	alerts := want[list[lift.Alert]](g, 200, "GET", "/api/v1/alerts?athlete=bo", "")
	if len(bo.Items) != 5 || len(alerts.Items) == 0 {
		t.Fatalf("%d reps and %d alerts of bo", len(bo.Items), len(alerts.Items))
	}
	first := want[receipt](g, 202, "DELETE", "/api/v1/athletes/ana?reason=has+left", "")
	if again := want[receipt](g, 202, "DELETE", "/api/v1/athletes/ana", `{"reason":"once more"}`); again != first {
		t.Errorf("asking again gives %v, not %v", again, first)
	}
	done := g.erased(first.Receipt)
	if done.By != "admin" || len(done.Stores) < 4 || done.Done.IsZero() {
		t.Errorf("receipt %+v", done)
	}
	if again := want[receipt](g, 202, "DELETE", "/api/v1/athletes/ana", ""); again != first {
		t.Errorf("asking afterwards gives %v, not %v", again, first)
	}
	if all := want[list[erasure]](g, 200, "GET", "/api/v1/erasures", ""); len(all.Items) != 1 || all.Items[0].ID != first.Receipt {
		t.Errorf("receipts %+v", all.Items)
	}
	for path, status := range map[string]int{
		"/api/v1/athletes/ana": 404, "/api/v1/athletes/ana/export": 404, "/api/v1/athletes/ana/reps": 200, "/api/v1/alerts?athlete=ana": 200,
		"/api/v1/alerts/" + found("ana", 1, lift.Warning, trained).Alert.AlertID: 404,
	} {
		answer := g.send("GET", path, "")
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != status || bytes.Contains(text, []byte("Hostile")) || bytes.Contains(text, []byte("rp_")) {
			t.Errorf("GET %s answers %d: %s", path, answer.StatusCode, text)
		}
	}
	// Nothing new of them is taken, whoever says it.
	const checkIn = `{"time":"2026-11-11T18:10:00Z","phase":"daily","pain":3}`
	writes := [][3]string{
		{"POST", "/api/v1/athletes/ana/checkins", checkIn}, {"POST", "/api/v1/athletes", `{"id":"ana","site":"main"}`},
		{"POST", "/api/v1/athletes/ana/plan/hold", `{"reason":"x"}`}, {"PATCH", "/api/v1/reps/" + bo.Items[0].ID, `{"athlete":"ana"}`},
	}
	for _, w := range writes {
		if p := want[problem](g, 410, w[0], w[1], w[2]); !strings.Contains(p.Detail, "erased") {
			t.Errorf("%s %s: %+v", w[0], w[1], p)
		}
	}
	n := 0
	if err := g.log.Scan(t.Context(), g.log.LastSeq(), func(e *journal.Entry) error {
		if e.Athlete == "ana" {
			n++
		}
		return nil
	}); err != nil || n > 0 {
		t.Errorf("%d events of the athlete are in the log, %v", n, err)
	}
	if got := want[list[lift.RepRecord]](g, 200, "GET", "/api/v1/athletes/bo/reps?from=2026-11-01T00:00:00Z", ""); !cmp.Equal(got, bo) {
		t.Errorf("bo's reps have changed:\n%s", cmp.Diff(bo, got))
	}
	if got := want[list[lift.Alert]](g, 200, "GET", "/api/v1/alerts?athlete=bo", ""); !cmp.Equal(got, alerts) {
		t.Errorf("bo's alerts have changed:\n%s", cmp.Diff(alerts, got))
	}

	lifted := want[erasure](g, 200, "POST", "/api/v1/erasures/"+first.Receipt+"/lift", `{"note":"is back"}`)
	if lifted.Lifted == nil || lifted.Lifted.Note != "is back" || lifted.Lifted.By != "admin" {
		t.Errorf("lifted %+v", lifted)
	}
	want[any](g, 200, "POST", "/api/v1/erasures/"+first.Receipt+"/lift", "")
	want[any](g, 201, "POST", "/api/v1/athletes/ana/checkins", checkIn)
}

func TestWhoIsNotKnownCannotBeErased(t *testing.T) {
	g := open(t)
	want[problem](g, 404, "DELETE", "/api/v1/athletes/nobody", "")
	want[problem](g, 404, "POST", "/api/v1/erasures/er_unknown/lift", `{}`)
	if p := want[problem](g, 422, "DELETE", "/api/v1/athletes/ana", `{"reason":"\u0000"}`); p.Field != "reason" {
		t.Errorf("%+v", p)
	}
}

func TestAnExportHoldsEverythingOfOnePersonOnly(t *testing.T) {
	g := open(t)
	g.lives()
	want[any](g, 200, "PATCH", "/api/v1/reps/"+repID(rep("ana", 2, trained)), `{"load_kg":121}`)
	answer := g.send("GET", "/api/v1/athletes/ana/export", "")
	data, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Disposition") != `attachment; filename="ana.zip"` {
		t.Fatalf("%d %v, %v", answer.StatusCode, answer.Header, err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
		if name, ok := strings.CutSuffix(f.Name, ".jsonl"); ok {
			lines[name] = strings.Count(string(text), "\n")
		}
		if bytes.Contains(text, []byte(`"bo"`)) || bytes.Contains(text, []byte("bo the")) {
			t.Errorf("%s speaks of somebody else", f.Name)
		}
	}
	for name, least := range map[string]int{"profile": 1, "reps": 5, "logged": 1, "sets": 2, "sessions": 1, "weeks": 1, "checkins": 1, "plan": 1, "alerts": 1, "corrections": 1, "audit": 3} {
		if lines[name] < least {
			t.Errorf("%d %s, want at least %d", lines[name], name, least)
		}
		if files[name+".csv"] == "" {
			t.Errorf("%s has no table", name)
		}
	}
	for _, name := range []string{"assignments", "quarantine"} {
		if _, there := files[name+".jsonl"]; !there {
			t.Errorf("%s is not there", name)
		}
	}
	if !strings.Contains(files["checkins.csv"], "'=1+1") {
		t.Errorf("a note can be taken for a formula:\n%s", files["checkins.csv"])
	}
	if page := files["index.html"]; strings.Contains(page, "<b>ana") || !strings.Contains(page, "&lt;b&gt;ana the Hostile") {
		t.Error("the page does not show the name as it is")
	}
	if !slices.Contains(strings.Fields(files["README.txt"]), "corrections") {
		t.Errorf("README:\n%s", files["README.txt"])
	}
}

func TestAStreamDoesNotReplayWhoWasErased(t *testing.T) {
	g := open(t)
	begin := g.append(rep("ana", 0, trained))
	g.append(found("ana", 1, lift.Warning, trained), found("bo", 1, lift.Warning, trained), found("ana", 2, lift.Warning, trained))
	l := g.listen(alertStream, "Last-Event-ID", strconv.FormatUint(begin, 10))
	for range 3 {
		l.alert() // the frames are held now
	}
	l.close()
	g.erased(want[receipt](g, 202, "DELETE", "/api/v1/athletes/ana", "").Receipt)
	g.append(found("bo", 2, lift.Warning, trained))
	l = g.listen(alertStream, "Last-Event-ID", strconv.FormatUint(begin, 10))
	defer l.close()
	for range 2 {
		if a := l.alert(); a.Athlete != "bo" {
			t.Errorf("the stream replays an alert of %s", a.Athlete)
		}
	}
}
