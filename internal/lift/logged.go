package lift

import "time"

// LoggedSet is a set of a training log: sets × reps × load, without the velocity of
// its reps. It counts for volume, load and frequency, and for nothing that needs a
// velocity. Of several revisions of one ID the highest counts.
type LoggedSet struct {
	ID       string     `json:"id"`                // of the athlete, the log and its row: a second import repeats it
	Revision int64      `json:"revision,omitzero"` // ≥ 0
	Log      string     `json:"log"`               // what it was read from, such as strong
	Exercise ExerciseID `json:"exercise"`
	Time     time.Time  `json:"time"`
	Number   *int       `json:"set,omitzero"`
	Reps     int        `json:"reps"`              // completed, 0 to 1 000
	LoadKg   *float64   `json:"load_kg,omitzero"`  // 0 to 1 000; nil: not noted
	Best     *float64   `json:"best_mps,omitzero"` // mean velocity of the fastest rep, where the log tells it
	Warmup   bool       `json:"warmup,omitzero"`
	Removed  bool       `json:"removed,omitzero"` // taken back: counts for nothing

	Site    SiteID    `json:"-"` // of the event
	Athlete AthleteID `json:"-"` // the same
}

// LoggedSetID derives the id of an athlete's set from the log and its row there.
func LoggedSetID(athlete AthleteID, log, row string) string {
	return "lg_" + Digest("logged", string(athlete), log, row)[:32]
}
