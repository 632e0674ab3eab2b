package sim

import (
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Kind is a kind of injected truth.
type Kind string

// The kinds. The first five are a lifter's, the last three a gateway's.
const (
	// VolumeSpike is a week whose deadlift volume is more than 30 % above its baseline.
	VolumeSpike Kind = "volume-spike"
	// VolumeEdge is a week between +20 and +30 %, which one more set takes above 30 %.
	VolumeEdge Kind = "volume-edge"
	// Slowdown is a deadlift set whose last two reps are more than 20 % slower than its fastest.
	Slowdown Kind = "slowdown"
	// Pain is a score of 6 or 7 after a session.
	Pain Kind = "pain"
	// RedFlag is a report of saddle numbness.
	RedFlag Kind = "red-flag"

	// Duplicate is a message that was sent twice, byte for byte.
	Duplicate Kind = "duplicate"
	// Late is a message published after messages that are minutes younger.
	Late Kind = "late"
	// Malformed is a message that must end in quarantine.
	Malformed Kind = "malformed"
)

// The load rules that the injected truths are made for.
const (
	ruleVolume   lift.Rule = "weekly-volume"
	ruleVelocity lift.Rule = "velocity-loss"
	rulePain     lift.Rule = "pain-zone"
	ruleRedFlag  lift.Rule = "red-flag"
)

// Truth is something that was put into the data on purpose.
type Truth struct {
	Kind Kind
	// Rule is the load rule with cause to fire, empty for a gateway's fault.
	Rule    lift.Rule
	Athlete lift.AthleteID // empty for a gateway's fault
	Device  lift.DeviceID  // set for a gateway's fault
	// From and To enclose what it is about: the week (to the next Monday), the
	// reps of the set, the instant of the report or message.
	From, To time.Time
}

func instant(k Kind, rule lift.Rule, athlete lift.AthleteID, at time.Time) Truth {
	return Truth{Kind: k, Rule: rule, Athlete: athlete, From: at, To: at}
}

func fault(k Kind, device lift.DeviceID, at time.Time) Truth {
	return Truth{Kind: k, Device: device, From: at, To: at}
}
