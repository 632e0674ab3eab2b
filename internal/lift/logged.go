package lift

import "time"

// LoggedSet is a set of a training log: sets × reps × load, without velocity.
// It counts for volume, load and frequency, and for nothing that needs a
// velocity.
type LoggedSet struct {
	ID       string     `json:"id"` // of the source and the row: a second import repeats it
	Site     SiteID     `json:"site"`
	Athlete  AthleteID  `json:"athlete"`
	Exercise ExerciseID `json:"exercise"`
	Time     time.Time  `json:"time"`
	Number   *int       `json:"set,omitzero"`
	Reps     int        `json:"reps"`             // completed, ≥ 0
	LoadKg   *float64   `json:"load_kg,omitzero"` // nil: not noted
	Warmup   bool       `json:"warmup,omitzero"`
}
