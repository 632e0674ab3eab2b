package analysis

import (
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Names of the rules judged here.
const (
	VelocityLoss lift.Rule = "velocity-loss"
	WeeklyVolume lift.Rule = "weekly-volume"
	PainZone     lift.Rule = "pain-zone"
	RedFlag      lift.Rule = "red-flag"
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
// strength and DefaultLimits.
type Settings struct {
	Zone   *time.Location // the athlete's time zone: days and weeks begin at its midnight
	Goal   Goal
	Limits Limits
}

func (s Settings) filled() Settings {
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	if s.Goal == "" {
		s.Goal = GoalStrength
	}
	if s.Limits == (Limits{}) {
		s.Limits = DefaultLimits()
	}
	return s
}

// Limits holds the numbers of the rules that a coach can change.
type Limits struct {
	VelocityLoss VelocityLossLimits
	WeeklyVolume WeeklyVolumeLimits
	PainZone     PainZoneLimits
}

// VelocityLossLimits are losses against the fastest rep of a set, in percent.
type VelocityLossLimits struct {
	DeadliftAdvicePct  float64 // deadlift family, whatever the goal
	DeadliftWarningPct float64
	SpeedPct           float64 // other lifts, by goal: advice
	StrengthPct        float64
	HypertrophyPct     float64
	WarningFactor      float64 // other lifts: warning at this multiple of advice
	MinDropMps         float64 // m/s that must be lost as well
	FirstRep           int     // the first rep of a set that is judged
}

// WeeklyVolumeLimits are increases over the baseline, in percent, and what
// makes a baseline.
type WeeklyVolumeLimits struct {
	AdvicePct    float64
	WarningPct   float64
	CriticalPct  float64
	DeloadShare  float64 // a week of at most this share of its predecessors is a deload
	BreakShare   float64 // the baseline's share that counts after a break of 1 to 3 weeks
	ProvisionalN int     // usable weeks needed to judge at all
	FullN        int     // usable weeks needed to go beyond advice
}

// PainZoneLimits are scores from 0 to 10.
type PainZoneLimits struct {
	Amber         int // from here on pain is watched
	Red           int // from here on the exercise stops
	Critical      int
	MorningMargin int     // next morning may be this much above the level before the session
	WeeklyRise    float64 // rise of the weekly median that counts
}

// DefaultLimits returns the limits that hold until a coach changes them.
func DefaultLimits() Limits {
	return Limits{
		VelocityLoss: VelocityLossLimits{
			DeadliftAdvicePct: 15, DeadliftWarningPct: 20,
			SpeedPct: 10, StrengthPct: 20, HypertrophyPct: 30, WarningFactor: 1.5,
			MinDropMps: 0.05, FirstRep: 3,
		},
		WeeklyVolume: WeeklyVolumeLimits{
			AdvicePct: 10, WarningPct: 30, CriticalPct: 100,
			DeloadShare: 0.70, BreakShare: 0.75, ProvisionalN: 2, FullN: 4,
		},
		PainZone: PainZoneLimits{Amber: 3, Red: 6, Critical: 8, MorningMargin: 1, WeeklyRise: 1},
	}
}

// History is what is known of one athlete, in any order, one record for each
// id. Reps that are not valid, or are another athlete's by now, do not count.
type History struct {
	Site     lift.SiteID
	Athlete  lift.AthleteID
	Reps     []lift.RepRecord
	CheckIns []lift.CheckInRecord
}

// tolerance absorbs the rounding of binary fractions: it is far below anything
// a sensor or a plate can show.
const tolerance = 1e-9

func atLeast(value, limit float64) bool { return value >= limit-tolerance }

func above(value, limit float64) bool { return value > limit+tolerance }
