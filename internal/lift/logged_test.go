package lift

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestALoggedSetIsPlausible(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		field  string
		change func(*LoggedSet)
		why    string
	}{
		{"", func(*LoggedSet) {}, "as it should be"},
		{"", func(s *LoggedSet) { s.LoadKg, s.Number, s.Best = nil, nil, nil }, "all that may be left out"},
		{"", func(s *LoggedSet) { s.Reps, s.LoadKg, s.Best = 0, new(0.0), new(4.0) }, "the least and the most"},
		{"id", func(s *LoggedSet) { s.ID = "" }, "no id"},
		{"id", func(s *LoggedSet) { s.ID = "lg 1" }, "a space in the id"},
		{"log", func(s *LoggedSet) { s.Log = "" }, "of no log"},
		{"log", func(s *LoggedSet) { s.Log = strings.Repeat("s", 65) }, "a log with a long name"},
		{"exercise", func(s *LoggedSet) { s.Exercise = "" }, "of no exercise"},
		{"exercise", func(s *LoggedSet) { s.Exercise = "Deadlift" }, "an exercise that is no id"},
		{"revision", func(s *LoggedSet) { s.Revision = -1 }, "below the first revision"},
		{"time", func(s *LoggedSet) { s.Time = time.Time{} }, "no time"},
		{"time", func(s *LoggedSet) { s.Time = Earliest.Add(-time.Second) }, "too long ago"},
		{"time", func(s *LoggedSet) { s.Time = now.Add(MaxFuture + time.Second) }, "in the future"},
		{"set", func(s *LoggedSet) { s.Number = new(-1) }, "below set 0"},
		{"reps", func(s *LoggedSet) { s.Reps = -1 }, "less than no rep"},
		{"reps", func(s *LoggedSet) { s.Reps = 1001 }, "more than anybody does"},
		{"load_kg", func(s *LoggedSet) { s.LoadKg = new(-0.5) }, "less than nothing"},
		{"load_kg", func(s *LoggedSet) { s.LoadKg = new(1000.5) }, "more than anybody lifts"},
		{"load_kg", func(s *LoggedSet) { s.LoadKg = new(math.NaN()) }, "not a number"},
		{"best_mps", func(s *LoggedSet) { s.Best = new(0.0) }, "a bar that stands still"},
		{"best_mps", func(s *LoggedSet) { s.Best = new(4.1) }, "a bar that flies"},
	} {
		s := LoggedSet{ID: LoggedSetID("ana", "strong", "1"), Log: "strong", Exercise: "deadlift", Time: now, Number: new(3), Reps: 5, LoadKg: new(120.0), Best: new(0.5)}
		c.change(&s)
		err := s.Validate(now)
		wrong, ok := errors.AsType[*FieldError](err)
		if ok && wrong.Field != c.field || ok == (c.field == "") {
			t.Errorf("%s: %v, not %q", c.why, err, c.field)
		}
	}
}
