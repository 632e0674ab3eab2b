package profile

import (
	"maps"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Session is what an athlete did on one local date: completed work reps, without
// warm-ups.
type Session struct {
	Date       Date              `json:"date"`
	Exercises  []lift.ExerciseID `json:"exercises" doc:"in the order in which they began"`
	Sets       int               `json:"sets"`
	Reps       int               `json:"reps"`
	VolumeKg   float64           `json:"volume_kg" doc:"reps × load"`
	TopLoadKg  *float64          `json:"top_load_kg,omitzero"`
	Incomplete bool              `json:"incomplete,omitzero" doc:"a work set has no load: the volume is a lower bound"`
	From       time.Time         `json:"from"`
	To         time.Time         `json:"to"`
}

// Sessions adds sets up by local date, oldest first. A set belongs to the date on
// which it began. A work set without a load makes its date incomplete, unless
// the exercise is one that is usually done without.
func Sessions(sets []lift.Set, o Options) []Session {
	o = o.filled()
	byDate := map[Date]*Session{}
	for _, s := range slices.SortedStableFunc(slices.Values(sets), func(a, b lift.Set) int { return a.From.Compare(b.From) }) {
		date := DateOf(s.From, o.Zone)
		d := byDate[date]
		if d == nil {
			d = &Session{Date: date, Exercises: []lift.ExerciseID{}, From: s.From, To: s.To}
			byDate[date] = d
		}
		d.add(&s, o)
	}
	all := make([]Session, 0, len(byDate))
	for _, date := range slices.Sorted(maps.Keys(byDate)) {
		all = append(all, *byDate[date])
	}
	return all
}

func (d *Session) add(s *lift.Set, o Options) {
	if s.To.After(d.To) {
		d.To = s.To
	}
	exercise := o.lookUp(s)
	if exercise.ID != "" && !slices.Contains(d.Exercises, exercise.ID) {
		d.Exercises = append(d.Exercises, exercise.ID)
	}
	if s.Warmup || s.Reps == 0 {
		return
	}
	d.Sets++
	d.Reps += s.Reps
	if s.LoadKg == nil {
		d.Incomplete = d.Incomplete || !unloaded(&exercise)
		return
	}
	d.VolumeKg += *s.LoadKg * float64(s.Reps)
	if d.TopLoadKg == nil || *s.LoadKg > *d.TopLoadKg {
		d.TopLoadKg = s.LoadKg
	}
}

// unloaded reports whether an exercise is usually done without a load, or carries
// none through the back: sets of it need none to be whole.
func unloaded(e *lift.Exercise) bool {
	return e.SpinalLoad == "none" || slices.Contains([]string{"core", "cardio", "mobility", "jump"}, e.Pattern)
}
