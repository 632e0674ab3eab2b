package influx

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

func (r *rig) logged(athlete lift.AthleteID, row string, at time.Time, change ...func(*lift.LoggedSet)) journal.Event {
	s := &lift.LoggedSet{ID: lift.LoggedSetID(athlete, "strong", row), Log: "strong", Exercise: "deadlift", Time: at, Reps: 5, LoadKg: new(100.0)}
	for _, c := range change {
		c(s)
	}
	return journal.Event{Kind: journal.KindSetLogged, Received: at.Add(time.Hour), Site: r.site, Athlete: athlete, Logged: s}
}

// Sets of a training log are sets without the velocities, also those that all stand at
// one time, and they go where a later import has them.
func TestSetsOfATrainingLogAreWritten(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana := r.athlete("ana")
	f, _ := r.follower()
	r.append(r.logged(ana, "1", at(0)), r.logged(ana, "2", at(0)), r.logged(ana, "3", at(0), func(s *lift.LoggedSet) { s.LoadKg, s.Best = nil, new(0.5) }),
		r.logged(ana, "4", at(0).AddDate(0, 0, 1), func(s *lift.LoggedSet) { s.Exercise = "squat" }), r.rep(1, ana, at(60), 0.6), r.tick(at(120)))
	r.settled(f)
	type point struct {
		after    float64 // ms
		exercise any
		reps     any
		volume   any
		best     any
	}
	sets := func() map[point]int {
		all := map[point]int{}
		for _, one := range r.valid("set") {
			all[point{one["time"].(float64) - ms(at(0)), one["exercise"], one["reps"], one["volume_kg"], one["best_mps"]}]++
			if one["last_mps"] != nil && one["best_mps"] != 0.6 {
				t.Errorf("a logged set has a velocity: %v", one)
			}
		}
		return all
	}
	weeks := func() map[any]any {
		all := map[any]any{}
		for _, one := range r.valid("week") {
			all[one["group"]] = one["reps"]
		}
		return all
	}
	got, three := sets(), 0
	for p, n := range got {
		if p.exercise == "deadlift" && p.after < 3 && p.after >= 0 && n == 1 && p.reps == 5.0 {
			three++
		}
	}
	if len(got) != 5 || three != 3 {
		t.Fatalf("sets %v", got)
	}
	if diff := cmp.Diff(map[any]any{"deadlift_family": 16.0, "squat_family": 5.0}, weeks()); diff != "" {
		t.Errorf("reps of weeks: -want +got\n%s", diff)
	}

	revised := func(e journal.Event, change func(*lift.LoggedSet)) journal.Event {
		s := *e.Logged
		s.Revision++
		change(&s)
		e.Logged, e.Hash = &s, ""
		return e
	}
	gone := func(s *lift.LoggedSet) { s.Removed = true }
	r.append(revised(r.logged(ana, "1", at(0)), gone), revised(r.logged(ana, "2", at(0)), gone), revised(r.logged(ana, "3", at(0)), gone),
		revised(r.logged(ana, "4", at(0)), func(s *lift.LoggedSet) { s.Time, s.Reps = at(600), 8 }), r.tick(at(180)))
	r.settled(f)
	want := map[point]int{{60_000, "deadlift", 1.0, 120.0, 0.6}: 1, {600_000, "deadlift", 8.0, 800.0, nil}: 1}
	if diff := cmp.Diff(want, sets(), cmp.AllowUnexported(point{})); diff != "" {
		t.Errorf("sets after a later import: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[any]any{"deadlift_family": 9.0}, weeks()); diff != "" {
		t.Errorf("reps of weeks after a later import: -want +got\n%s", diff)
	}
}
