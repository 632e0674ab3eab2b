package lift

import (
	"cmp"
	"time"
)

// Set is the reps of one athlete that belong together, as the analysis cuts
// them. Failed reps are in RepIDs but count for nothing else.
type Set struct {
	ID       string     `json:"id"`
	Exercise ExerciseID `json:"exercise,omitzero"`
	Group    string     `json:"group,omitzero"`
	LoadKg   *float64   `json:"load_kg,omitzero"`
	Number   *int       `json:"set,omitzero"` // as the device or assignment counted
	// Warmup: every rep was marked so, or the set came before the first work
	// set of that exercise and day with less than 60 % of the day's top load.
	Warmup          bool      `json:"warmup"`
	From            time.Time `json:"from"`              // end of the first rep
	To              time.Time `json:"to"`                // end of the last rep
	Reps            int       `json:"reps"`              // completed
	Best            *float64  `json:"best_mps,omitzero"` // fastest mean velocity
	Last            *float64  `json:"last_mps,omitzero"` // mean velocity of the last completed rep
	VelocityLossPct *float64  `json:"velocity_loss_pct,omitzero"`
	VolumeKg        *float64  `json:"volume_kg,omitzero"` // completed reps × load
	E1RMKg          *float64  `json:"e1rm_kg,omitzero"`   // estimated one repetition maximum
	Source          Source    `json:"source,omitzero"`

	Site    SiteID    `json:"-"`
	Athlete AthleteID `json:"-"`
	RepIDs  []string  `json:"-"` // in the order of time
}

// Compare orders sets by their begin. A training log often has all sets of a workout
// at one time: those are ordered by exercise and number.
func (s Set) Compare(o Set) int {
	return cmp.Or(s.From.Compare(o.From), cmp.Compare(s.Exercise, o.Exercise), cmp.Compare(s.counted(), o.counted()), cmp.Compare(s.ID, o.ID))
}

// counted is the number, -1 without one.
func (s *Set) counted() int {
	if s.Number == nil {
		return -1
	}
	return *s.Number
}

// WeekState tells how far a week can be compared with those before it.
type WeekState string

// The states of a week.
const (
	WeekLearning    WeekState = "learning"    // fewer than two usable weeks before it
	WeekProvisional WeekState = "provisional" // two or three
	WeekFull        WeekState = "full"        // four or more
	WeekDeload      WeekState = "deload"      // lighter on purpose: never part of a baseline
	WeekIncomplete  WeekState = "incomplete"  // a load is missing, so volume is a lower bound
)

// Week is an athlete's training of one exercise group in one ISO week of local
// time: completed work reps, without warm-ups.
type Week struct {
	Week       string    `json:"week"` // such as 2026-W47
	Group      string    `json:"group"`
	VolumeKg   float64   `json:"volume_kg"`
	Reps       int       `json:"reps"`
	Sets       int       `json:"sets"`
	TopLoadKg  *float64  `json:"top_load_kg,omitzero"`
	BaselineKg *float64  `json:"baseline_kg,omitzero"` // absent while learning
	ChangePct  *float64  `json:"change_pct,omitzero"`  // of the volume against the baseline
	State      WeekState `json:"state"`

	From time.Time `json:"-"` // Monday 00:00 local
	To   time.Time `json:"-"` // the next Monday 00:00 local
}
