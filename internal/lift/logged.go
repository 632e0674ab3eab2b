package lift

import "time"

// MaxLoggedReps is how many reps a set of a training log can have.
const MaxLoggedReps = 1000

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

// Validate checks the set, with now as the receiver's clock. The error is a
// *FieldError.
func (s *LoggedSet) Validate(now time.Time) error {
	for _, id := range []struct{ field, value string }{{"id", s.ID}, {"log", s.Log}, {"exercise", string(s.Exercise)}} {
		if id.value == "" {
			return fieldErrorf(id.field, "is missing")
		}
		if err := CheckID(id.field, id.value); err != nil {
			return err
		}
	}
	if s.Revision < 0 {
		return fieldErrorf("revision", "%d is below 0", s.Revision)
	}
	if err := checkTime("time", s.Time, now); err != nil {
		return err
	}
	if err := checkScale("set", s.Number, 0, maxCount); err != nil {
		return err
	}
	if err := checkScale("reps", &s.Reps, 0, MaxLoggedReps); err != nil {
		return err
	}
	if err := checkRange("load_kg", s.LoadKg, 0, MaxLoad); err != nil {
		return err
	}
	if s.Best != nil && !(*s.Best > 0 && *s.Best <= MaxMeanVelocity) {
		return fieldErrorf("best_mps", "%g is outside (0, %g] m/s", *s.Best, MaxMeanVelocity)
	}
	return nil
}
