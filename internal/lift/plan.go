package lift

import "time"

// PlanVerb is what somebody decided about an athlete's hold or return plan.
type PlanVerb string

// The decisions about holds and return plans.
const (
	PlanHold    PlanVerb = "hold"    // no heavy deadlifts from now on
	PlanRelease PlanVerb = "release" // the hold ends; after a red flag: a clinician has cleared it
	PlanStart   PlanVerb = "start"   // the six-week return plan begins with its first phase
	PlanAdvance PlanVerb = "advance" // the next phase begins
	PlanRepeat  PlanVerb = "repeat"  // the phase begins again
	PlanEnd     PlanVerb = "end"     // the return plan is over
)

// PlanStep is one decision about an athlete's hold or return plan. What is in
// force at a time follows from the steps up to it.
type PlanStep struct {
	Verb   PlanVerb  `json:"verb"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitzero"`
	// PreInjuryKg, with start, is the deadlift's one repetition maximum before
	// the injury; PreInjuryWeekKg the weekly volume of the deadlift family.
	PreInjuryKg     *float64 `json:"pre_injury_kg,omitzero"`
	PreInjuryWeekKg *float64 `json:"pre_injury_week_kg,omitzero"`
}

// Validate returns a *FieldError for the first field that cannot be used.
func (p *PlanStep) Validate() error {
	switch p.Verb {
	case PlanHold, PlanRelease, PlanStart, PlanAdvance, PlanRepeat, PlanEnd:
	default:
		return fieldErrorf("verb", "is not hold, release, start, advance, repeat or end")
	}
	if err := checkText("reason", p.Reason, MaxTextLength); err != nil {
		return err
	}
	if err := checkRange("pre_injury_kg", p.PreInjuryKg, 1, MaxLoad); err != nil {
		return err
	}
	return checkRange("pre_injury_week_kg", p.PreInjuryWeekKg, 1, 1e6)
}
