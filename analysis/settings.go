package analysis

import (
	"time"

	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/lift"
)

// Goal is what an athlete trains for; it sets how much a set may slow down.
type Goal string

// The goals. The zero Goal means strength.
const (
	GoalSpeed       Goal = "speed" // also power, peaking and return to lifting
	GoalStrength    Goal = "strength"
	GoalHypertrophy Goal = "hypertrophy"
)

// Settings is what a coach decides for an athlete. The zero value means UTC,
// strength, DefaultLimits and the standard catalogue. All but the goal and the
// limits are facts of the athlete: they have no date, and count for all time.
type Settings struct {
	Zone      *time.Location // the athlete's time zone: days and weeks begin at its midnight
	Exercises *exercise.Catalogue

	// Goal and Limits held from the beginning, Later are the changes to them in the
	// order of From.
	Goal   Goal
	Limits Limits
	Later  []Terms

	// Born is the year of birth, 0 if unknown: who is under 18 needs more sleep.
	Born int
	// Maximum holds known one repetition maxima in kg, and MinVelocity the
	// athlete's own mean velocities at the maximum in m/s.
	Maximum     map[lift.ExerciseID]float64
	MinVelocity map[lift.ExerciseID]float64
	// Deloads names the ISO weeks planned to be light, such as 2026-W47; Tests
	// those with a meet or a planned test of the maximum.
	Deloads []string
	Tests   []string
}

var standard = exercise.Standard()

// Filled returns the settings with what the zero values stand for, and Later in the
// order in which it counts.
func (s Settings) Filled() Settings {
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	if s.Goal == "" {
		s.Goal = GoalStrength
	}
	if s.Limits == (Limits{}) {
		s.Limits = DefaultLimits()
	}
	if len(s.Later) > 0 {
		s.Later = filledTerms(s.Later)
	}
	if s.Exercises == nil {
		s.Exercises = standard
	}
	return s
}

// History is what is known of one athlete, in any order, one record for each
// id. Reps that are not valid, or are another athlete's by now, do not count.
type History struct {
	Site     lift.SiteID
	Athlete  lift.AthleteID
	Reps     []lift.RepRecord
	Logged   []lift.LoggedSet
	CheckIns []lift.CheckInRecord
	Plan     []lift.PlanStep
}

// tolerance absorbs the rounding of binary fractions: it is far below anything
// a sensor or a plate can show.
const tolerance = 1e-9

func atLeast(value, limit float64) bool { return value >= limit-tolerance }

func above(value, limit float64) bool { return value > limit+tolerance }
