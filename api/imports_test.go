package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/importer"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/queue"
	"github.com/spotterhq/spotter/internal/view"
)

const trainingLog = `date,time,exercise,set,reps,load_kg
2026-11-02,17:00,Kreuzheben,1,5,100
2026-11-02,17:00,Kreuzheben,2,5,110
2026-11-02,17:00,Kreuzheben,3,many,110
2026-11-03,17:00,Sandbag Throw,1,8,40
`

// importBody asks for the import of a file, with further fields.
func importBody(file, more string) string {
	return fmt.Sprintf(`{"athlete":"ana","files":[{"bytes":%q}]%s}`, base64.StdEncoding.EncodeToString([]byte(file)), more)
}

// imported waits for an import's end.
func imported(g *gym, body string) importJob {
	g.t.Helper()
	job := want[importJob](g, http.StatusCreated, "POST", "/api/v1/imports", body)
	need.Eventually(g.t, 20*time.Second, "the import to end", func() bool {
		job = want[importJob](g, 200, "GET", "/api/v1/imports/"+job.ID, "")
		return job.State.Over()
	})
	return job
}

func TestAHistoryIsImported(t *testing.T) {
	g := open(t)
	meant := `,"zone":"Europe/Berlin","exercises":{"Kreuzheben":"conventional-deadlift"}`
	dry := imported(g, importBody(trainingLog, meant+`,"dry_run":true`))
	if d := cmp.Diff(&importOutcome{Added: 3, NotTaken: 1}, dry.Outcome); d != "" || !dry.DryRun || dry.Rows != 4 {
		t.Errorf("dry: %+v\n%s", dry, d)
	}
	if sets := want[list[lift.Set]](g, 200, "GET", "/api/v1/athletes/ana/sets", ""); len(sets.Items) != 0 {
		t.Errorf("a dry run brings %+v", sets.Items)
	}
	job := imported(g, importBody(trainingLog, meant))
	if d := cmp.Diff(&importOutcome{Added: 3, NotTaken: 1}, job.Outcome); d != "" || job.Done != 3 || job.Total != 3 || job.Format != "plain" || job.By != "admin" {
		t.Errorf("%+v\n%s", job, d)
	}
	if d := cmp.Diff([]importer.Matched{
		{Name: "Kreuzheben", Exercise: "deadlift", Known: true, Rows: 2}, {Name: "Sandbag Throw", Exercise: "sandbag_throw", Rows: 1},
	}, job.Exercises); d != "" {
		t.Error(d)
	}
	rows := want[list[importer.NotTaken]](g, 200, "GET", "/api/v1/imports/"+job.ID+"/not-taken", "")
	if len(rows.Items) != 1 || rows.Items[0].Line != 4 || rows.Items[0].Column != "reps" {
		t.Errorf("%+v", rows.Items)
	}
	sets := want[list[lift.Set]](g, 200, "GET", "/api/v1/athletes/ana/sets?from=2026-01-01T00:00:00Z", "")
	if len(sets.Items) != 3 || sets.Items[0].Source != lift.SourceLogged || sets.Items[0].Reps != 5 {
		t.Errorf("%+v", sets.Items)
	}
	if again := imported(g, importBody(trainingLog, meant)); again.Outcome.Same != 3 || again.Outcome.Added != 0 {
		t.Errorf("again: %+v", again.Outcome)
	}
	if back := imported(g, importBody(trainingLog, meant+`,"take_back":true`)); back.Outcome.TakenBack != 3 {
		t.Errorf("taken back: %+v", back.Outcome)
	}
	if sets := want[list[lift.Set]](g, 200, "GET", "/api/v1/athletes/ana/sets?from=2026-01-01T00:00:00Z", ""); len(sets.Items) != 0 {
		t.Errorf("taken back, and still there: %+v", sets.Items)
	}
	if all := walk[importJob](g, "/api/v1/imports?", 2); len(all) != 4 || all[0].TakeBack != true {
		t.Errorf("%d imports, %+v", len(all), all[0])
	}
	trail := want[list[view.AuditEntry]](g, 200, "GET", "/api/v1/athletes/ana/audit", "")
	brought := 0
	for _, e := range trail.Items {
		if e.Operation == "change:imported" {
			brought++
		} else if strings.HasPrefix(e.Operation, "change:") {
			t.Errorf("the audit trail has %s", e.Operation)
		}
	}
	if brought != 2 { // the import and the taking back; the one that changed nothing did nothing
		t.Errorf("the audit trail tells of %d imports", brought)
	}
}

func TestAnImportLeavesRoomForWhoIsLifting(t *testing.T) {
	g := open(t, func(o *Options) { o.NearlyFull = func() bool { return true } })
	job := imported(g, importBody(trainingLog, `,"zone":"UTC"`))
	if job.State != queue.Failed || !strings.Contains(job.Failure, "disk is nearly full") {
		t.Errorf("%+v", job)
	}
}

func TestAnImportNamesTheFieldThatHelps(t *testing.T) {
	g := open(t)
	strong := "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,RPE\n2024-11-28 17:36:08,\"B\",35m,\"Deadlift (Barbell)\",1,100.0,5.0,0,0.0,\n"
	for _, c := range []struct{ field, body string }{
		{"unit", importBody(strong, `,"zone":"UTC"`)},
		{"unit", importBody(strong, `,"zone":"UTC","unit":"stone"`)},
		{"zone", importBody(trainingLog, ``)},
		{"zone", importBody(trainingLog, `,"zone":"Here"`)},
		{"format", importBody("a,b\n1,2\n", ``)},
		{"format", importBody(trainingLog, `,"format":"excel"`)},
		{"exercises", importBody(trainingLog, `,"zone":"UTC","exercises":{"Kreuzheben":"A B"}`)},
		{"athlete", strings.Replace(importBody(trainingLog, `,"zone":"UTC"`), "ana", "Ana!", 1)},
		{"files", `{"athlete":"ana","files":[]}`},
		{"files", `{"athlete":"ana"}`},
	} {
		if p := want[problem](g, 422, "POST", "/api/v1/imports", c.body); p.Field != c.field {
			t.Errorf("%.80s: %+v, want field %q", c.body, p, c.field)
		}
	}
	want[problem](g, 404, "GET", "/api/v1/imports/im_unknown", "")
	want[problem](g, 404, "GET", "/api/v1/imports/im_unknown/not-taken", "")
}

func TestACoachImportsForTheirOwnSiteAlone(t *testing.T) {
	h := openHouse(t)
	bearer := map[string]string{}
	for _, c := range h.callers {
		bearer[c.name] = "Bearer " + c.token
	}
	want[problem](h.gym, 403, "POST", "/api/v1/imports", importBody(trainingLog, `,"zone":"UTC"`), "Authorization", bearer["coach of beta"])
	want[problem](h.gym, 403, "POST", "/api/v1/imports", strings.Replace(importBody(trainingLog, `,"zone":"UTC","site":"alfa"`), "ana", "carl", 1), "Authorization", bearer["coach of beta"])
	job := want[importJob](h.gym, 201, "POST", "/api/v1/imports", importBody(trainingLog, `,"zone":"UTC"`), "Authorization", bearer["coach of alfa"])
	want[importJob](h.gym, 200, "GET", "/api/v1/imports/"+job.ID, "", "Authorization", bearer["coach of all"])
	want[problem](h.gym, 404, "GET", "/api/v1/imports/"+job.ID, "", "Authorization", bearer["coach of beta"])
	want[problem](h.gym, 403, "GET", "/api/v1/imports/"+job.ID, "", "Authorization", bearer["ana"])
	if all := want[list[importJob]](h.gym, 200, "GET", "/api/v1/imports", "", "Authorization", bearer["coach of beta"]); len(all.Items) != 0 {
		t.Errorf("%+v", all.Items)
	}
}
