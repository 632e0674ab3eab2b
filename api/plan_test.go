package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

const anasPlan = "/api/v1/athletes/ana/plan"

// A plan goes from phase to phase by decisions, each with an author and a reason;
// what is allowed today follows.
func TestAReturnPlanFromStartToEnd(t *testing.T) {
	g := open(t)
	if p := want[plan](g, 200, "GET", anasPlan, ""); p.Phase != nil || p.Hold != nil || p.Today.Deadlifts != "all" || p.Steps == nil || len(p.Steps) != 0 {
		t.Errorf("before: %+v", p)
	}
	started := want[plan](g, 201, "POST", anasPlan, `{"pre_injury_kg":200,"pre_injury_week_kg":10000,"reason":"cleared"}`)
	if started.Phase == nil || started.Phase.Number != 1 || *started.Today.MaxLoadKg != 80 || started.Today.MinReps != 8 || started.Today.EccentricS != 3 {
		t.Errorf("first phase: %+v", started)
	}
	if s := started.Steps[0]; s.By == "" || s.Reason != "cleared" || s.At.IsZero() {
		t.Errorf("the decision: %+v", s)
	}
	again := want[plan](g, 200, "POST", anasPlan, `{"pre_injury_kg":300}`)
	if d := cmp.Diff(started.Phase, again.Phase); d != "" || len(again.Steps) != 1 {
		t.Errorf("started twice: %s %+v", d, again.Steps)
	}
	for i, maximum := range []float64{120, 150} {
		p := want[plan](g, 200, "POST", anasPlan+"/advance", `{"reason":"ready"}`)
		if p.Phase.Number != i+2 || *p.Today.MaxLoadKg != maximum {
			t.Errorf("after %d steps: %+v", i+1, p)
		}
	}
	want[map[string]any](g, 409, "POST", anasPlan+"/advance", "")
	if p := want[plan](g, 200, "POST", anasPlan+"/repeat", ""); p.Phase.Repeats != 1 || *p.Today.WeekVolumeKg != 7000 {
		t.Errorf("repeated: %+v", p)
	}
	if p := want[plan](g, 200, "POST", anasPlan+"/end", ""); p.Phase != nil || p.Today.Deadlifts != "all" || len(p.Steps) != 5 {
		t.Errorf("ended: %+v", p)
	}
	for _, verb := range []string{"advance", "repeat", "end", "release"} {
		want[map[string]any](g, 409, "POST", anasPlan+"/"+verb, "")
	}
}

// Pain in the red zone puts heavy deadlifts on hold, a red flag all of them; a
// coach may too, and releases it.
func TestAHoldTellsItsCause(t *testing.T) {
	g := open(t)
	now := time.Now().UTC().Truncate(time.Second)
	report := func(at time.Time, body string) {
		want[map[string]any](g, 201, "POST", "/api/v1/athletes/ana/checkins", `{"time":"`+at.Format(time.RFC3339)+`",`+body+`}`)
	}
	hold := func(p plan) string {
		if p.Hold == nil {
			return ""
		}
		return p.Hold.Cause
	}
	report(now.Add(-time.Hour), `"phase":"after","pain":7`)
	p := want[plan](g, 200, "GET", anasPlan, "")
	if hold(p) != "pain" || p.Today.Deadlifts != "none" || p.Today.Reason == "" {
		t.Errorf("after pain: %+v", p)
	}
	if p := want[plan](g, 200, "POST", anasPlan+"/release", `{"reason":"looked at"}`); hold(p) != "" {
		t.Errorf("released: %+v", p.Hold)
	}
	if p := want[plan](g, 200, "POST", anasPlan+"/hold", `{"reason":"a hunch"}`); hold(p) != "coach" || len(p.Steps) != 2 {
		t.Errorf("by a coach: %+v", p)
	}
	if p := want[plan](g, 200, "POST", anasPlan+"/hold", ""); len(p.Steps) != 2 {
		t.Errorf("twice: %+v", p.Steps)
	}
	if got := want[map[string]any](g, 422, "POST", anasPlan+"/hold", `{"reason":7}`); got["field"] != "reason" {
		t.Errorf("a bad reason: %v", got)
	}
	if got := want[map[string]any](g, 422, "POST", "/api/v1/athletes/bo/plan", `{"pre_injury_kg":-1}`); got["field"] != "pre_injury_kg" {
		t.Errorf("a bad maximum: %v", got)
	}
	// In a plan the stricter of both holds; with symptoms of a nerve nothing does.
	want[plan](g, 201, "POST", "/api/v1/athletes/bo/plan", `{"pre_injury_kg":200}`)
	if p := want[plan](g, 200, "POST", "/api/v1/athletes/bo/plan/hold", ""); p.Today.Deadlifts != "light" || *p.Today.MaxLoadKg != 80 || p.Today.MinReps != 8 {
		t.Errorf("a hold in a plan: %+v", p.Today)
	}
	want[map[string]any](g, 201, "POST", "/api/v1/athletes/bo/checkins", `{"time":"`+now.Format(time.RFC3339)+`","phase":"daily","symptoms":["tingling"]}`)
	if p := want[plan](g, 200, "GET", "/api/v1/athletes/bo/plan", ""); p.Today.Deadlifts != "none" || p.Today.MaxLoadKg != nil {
		t.Errorf("a hold in a plan, with symptoms: %+v", p.Today)
	}
	var none lift.PlanStep
	if none.Validate() == nil {
		t.Error("a step without a verb is one")
	}
}
