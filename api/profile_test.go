package api

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/roster"
)

// lifted is the nth rep of ana: a deadlift of so many kilograms at a velocity.
func lifted(n int, at time.Time, kg, velocity float64) journal.Event {
	e := rep("ana", n, at)
	e.Rep.Seq, e.Rep.Time = int64(n), at.Add(time.Duration(n%10)*3*time.Second)
	e.Rep.LoadKg, e.Rep.MeanVelocity, e.Rep.Set = &kg, velocity, nil
	return e
}

// trainWeeks lets ana lift 80, 120 and 160 kg once a week along v = 1.5 − 0.007·L,
// the last time on the evening given.
func trainWeeks(g *gym, weeks int, last time.Time) {
	var events []journal.Event
	for week := range weeks {
		for i, kg := range []float64{80, 120, 160} {
			at := last.AddDate(0, 0, -7*(weeks-1-week)).Add(time.Duration(i) * 5 * time.Minute)
			events = append(events, lifted(10*len(events), at, kg, 1.5-0.007*kg))
		}
	}
	g.append(events...)
}

const untilThatDay = "?to=2026-11-11T00:00:00Z"

func TestAProfileShowsLinePointsAndMaximum(t *testing.T) {
	g := open(t)
	trainWeeks(g, 8, trained)
	got := want[profiles](g, 200, "GET", "/api/v1/athletes/ana/profile"+untilThatDay, "")
	if got.Athlete != "ana" || !got.At.Equal(time.Date(2026, 11, 10, 23, 59, 59, 999999000, time.UTC)) || len(got.Items) != 1 {
		t.Fatalf("%+v", got)
	}
	p := got.Items[0]
	if p.Exercise != "deadlift" || p.Device != "bar-1" || p.Site != "main" || len(p.Points) != 18 || p.Line == nil || p.WhyNot != "" || p.Name == "" {
		t.Fatalf("%+v", p)
	}
	if math.Abs(p.Line.A-1.5) > 1e-9 || math.Abs(p.Line.B+0.007) > 1e-9 || p.Line.N != 18 || p.Line.Loads != 3 {
		t.Errorf("line %+v", p.Line)
	}
	if v := p.MinVelocity; v == nil || v.Mps != 0.15 || v.Source != "published" || v.Citation == "" {
		t.Errorf("threshold %+v", v)
	}
	if m := p.Maximum; m.Kg == nil || math.Abs(*m.Kg-1.35/0.007) > 1e-6 || !m.TrendOnly || len(m.Sessions) != 8 || m.Sessions[0].Date != "2026-09-22" {
		t.Errorf("maximum %+v", m)
	}
	short := want[profiles](g, 200, "GET", "/api/v1/athletes/ana/profile"+untilThatDay+"&from=2026-11-01T00:00:00Z", "")
	if p := short.Items[0]; len(p.Points) != 18 || len(p.Maximum.Sessions) != 2 || p.Maximum.Trend.WhyNot == "" {
		t.Errorf("of ten days: %+v", p)
	}
	if problem := want[map[string]any](g, 422, "GET", "/api/v1/athletes/ana/profile?from=2024-01-01T00:00:00Z", ""); problem["field"] != "from" {
		t.Errorf("more than a year: %v", problem)
	}
	if got := want[profiles](g, 200, "GET", "/api/v1/athletes/nobody/profile", ""); got.Items == nil || len(got.Items) != 0 {
		t.Errorf("of nobody: %+v", got)
	}
}

func TestACorrectedRepLeavesTheProfile(t *testing.T) {
	g := open(t)
	trainWeeks(g, 1, trained)
	wrong := lifted(900, trained.Add(time.Hour), 160, 1.9)
	g.append(wrong)
	want[lift.RepRecord](g, 200, "PATCH", "/api/v1/reps/"+repID(wrong), `{"valid":false}`)
	p := want[profiles](g, 200, "GET", "/api/v1/athletes/ana/profile"+untilThatDay, "").Items[0]
	if len(p.Points) != 3 || math.Abs(p.Line.B+0.007) > 1e-9 {
		t.Errorf("%+v", p)
	}
}

func TestTheContextTellsEachFigureOrWhyNot(t *testing.T) {
	g := open(t)
	path := "/api/v1/athletes/ana/context" + untilThatDay
	empty := want[athleteContext](g, 200, "GET", path, "")
	if empty.Loads == nil || empty.Readiness == nil || empty.Date != "2026-11-10" || empty.Ratios.Coupled.WhyNot == "" || empty.Monotony.WhyNot == "" {
		t.Errorf("of an athlete of whom nothing is known: %+v", empty)
	}
	trainWeeks(g, 4, trained)
	c := want[athleteContext](g, 200, "GET", path, "")
	if c.Begin != "2026-10-20" || c.Days != 22 || len(c.Loads) != 22 || *c.Loads[0].LoadKg != 280 || *c.Loads[1].LoadKg != 0 {
		t.Errorf("%+v", c.Context)
	}
	if c.Ratios.Coupled.WhyNot != profile.ShortHistory || c.Ratios.EWMA.WhyNot != profile.ShortHistory || *c.Ratios.AcuteKg.Value != 40 {
		t.Errorf("ratios after three weeks: %+v", c.Ratios)
	}
	if c.Monotony.Value == nil || c.Strain.Value == nil {
		t.Errorf("monotony %+v, strain %+v", c.Monotony, c.Strain)
	}
	if len(c.Readiness) != 3 || c.Readiness[2].LoadKg != 160 || c.Readiness[2].Sessions != 3 || c.Readiness[2].Place != profile.Inside {
		t.Errorf("readiness %+v", c.Readiness)
	}
	if problem := want[map[string]any](g, 422, "GET", "/api/v1/athletes/ana/context?to=yesterday", ""); problem["field"] != "to" {
		t.Errorf("%v", problem)
	}
}

func TestTheDayIsThatOfTheGymsZone(t *testing.T) {
	tokyo := time.FixedZone("Tokyo", 9*60*60)
	now := clockAt(time.Date(2026, 11, 10, 18, 30, 0, 0, time.UTC)) // 03:30 on the 11th
	g := open(t, func(o *Options) {
		o.Roster, o.Clock = roster.New(o.View, analysis.Settings{Zone: tokyo}), now.time
	})
	trainWeeks(g, 1, trained)
	c := want[athleteContext](g, 200, "GET", "/api/v1/athletes/ana/context", "")
	if c.Date != "2026-11-11" || len(c.Readiness) != 3 || c.Days != 1 {
		t.Errorf("%+v", c)
	}
}

func TestSessionsAddUpADate(t *testing.T) {
	g := open(t)
	trainWeeks(g, 20, trained)
	bare := rep("ana", 777, trained.Add(2*time.Hour))
	bare.Rep.LoadKg, bare.Rep.Exercise = nil, "squat"
	g.append(bare)
	const all = "?from=2026-01-01T00:00:00Z&to=2026-11-11T00:00:00Z"
	sessions := walk[profile.Session](g, "/api/v1/athletes/ana/sessions"+all, 500)
	if len(sessions) != 20 {
		t.Fatalf("%d sessions", len(sessions))
	}
	at := trained.AddDate(0, 0, -7)
	wanted := profile.Session{
		Date: "2026-11-03", Exercises: []lift.ExerciseID{"deadlift"}, Sets: 2, Reps: 2, VolumeKg: 280, TopLoadKg: new(160.0),
		From: at, To: at.Add(10 * time.Minute),
	}
	if diff := cmp.Diff(wanted, sessions[18]); diff != "" {
		t.Errorf("a session, of which 80 kg were to warm up: %s", diff)
	}
	if last := sessions[19]; !last.Incomplete || cmp.Diff([]lift.ExerciseID{"deadlift", "squat"}, last.Exercises) != "" || last.VolumeKg != 280 {
		t.Errorf("a session with a set of unknown load: %+v", last)
	}
	for _, limit := range []int{1, 7} {
		if diff := cmp.Diff(sessions, walk[profile.Session](g, "/api/v1/athletes/ana/sessions"+all, limit)); diff != "" {
			t.Errorf("in pages of %d: %s", limit, diff)
		}
	}
	if got := want[list[profile.Session]](g, 200, "GET", "/api/v1/athletes/nobody/sessions", ""); got.Items == nil || len(got.Items) != 0 {
		t.Errorf("of nobody: %+v", got)
	}
}
