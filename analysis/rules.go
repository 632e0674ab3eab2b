package analysis

import "github.com/spotterhq/spotter/internal/lift"

// Names of the rules.
const (
	WeeklyVolume    lift.Rule = "weekly-volume"
	WeeklyLoad      lift.Rule = "weekly-load"
	SessionSpike    lift.Rule = "session-spike"
	HeavyFrequency  lift.Rule = "heavy-frequency"
	VelocityLoss    lift.Rule = "velocity-loss"
	Grind           lift.Rule = "grind"
	SetDrop         lift.Rule = "set-drop"
	DaySlowdown     lift.Rule = "day-slowdown"
	RedFlag         lift.Rule = "red-flag"
	Radicular       lift.Rule = "radicular"
	Inflammatory    lift.Rule = "inflammatory"
	PainZone        lift.Rule = "pain-zone"
	Hold            lift.Rule = "hold"
	PainPersistence lift.Rule = "pain-persistence"
	ReturnPlan      lift.Rule = "return-plan"
	Tempo           lift.Rule = "tempo"
	WarmUp          lift.Rule = "warm-up"
	Accessory       lift.Rule = "accessory"
	Technique       lift.Rule = "technique"
	Device          lift.Rule = "device"
)

// Rules lists all rules, in the order of load, velocity, pain, plan and habits.
func Rules() []lift.Rule {
	return []lift.Rule{
		WeeklyVolume, WeeklyLoad, SessionSpike, HeavyFrequency, VelocityLoss, Grind, SetDrop, DaySlowdown,
		RedFlag, Radicular, Inflammatory, PainZone, Hold, PainPersistence, ReturnPlan, Tempo,
		WarmUp, Accessory, Technique, Device,
	}
}
