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
// which it began. Core and cardio work without a load adds none; any other work
// set without one makes its date incomplete.
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
	if s.Exercise != "" && !slices.Contains(d.Exercises, s.Exercise) {
		d.Exercises = append(d.Exercises, s.Exercise)
	}
	if s.Warmup || s.Reps == 0 {
		return
	}
	d.Sets++
	d.Reps += s.Reps
	if s.LoadKg == nil {
		known, _ := o.Exercise(s.Exercise)
		d.Incomplete = d.Incomplete || known.Pattern != "core" && known.Pattern != "cardio"
		return
	}
	d.VolumeKg += *s.LoadKg * float64(s.Reps)
	if d.TopLoadKg == nil || *s.LoadKg > *d.TopLoadKg {
		d.TopLoadKg = s.LoadKg
	}
}
