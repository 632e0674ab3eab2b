package lift

import (
	"slices"
	"time"
)

// Phase tells when in the day or session a check-in speaks of.
type Phase string

// The phases of a check-in.
const (
	PhaseBefore      Phase = "before"
	PhaseDuring      Phase = "during"
	PhaseAfter       Phase = "after"
	PhaseNextMorning Phase = "next_morning"
	PhaseDaily       Phase = "daily"
)

// Symptom is one ticked box of a check-in.
type Symptom string

// The symptoms that a check-in can name.
const (
	Radiating           Symptom = "radiating"
	Numbness            Symptom = "numbness"
	Tingling            Symptom = "tingling"
	SaddleNumbness      Symptom = "saddle_numbness"
	BladderBowel        Symptom = "bladder_bowel"
	ProgressiveWeakness Symptom = "progressive_weakness"
	BilateralLeg        Symptom = "bilateral_leg"
	Trauma              Symptom = "trauma"
	Fever               Symptom = "fever"
	WeightLoss          Symptom = "weight_loss"
	NightPain           Symptom = "night_pain"
	SuddenSevere        Symptom = "sudden_severe"
	EasesWithMovement   Symptom = "eases_with_movement"
	EasesWithRest       Symptom = "eases_with_rest"
)

var symptoms = []Symptom{
	Radiating, Numbness, Tingling, SaddleNumbness, BladderBowel, ProgressiveWeakness, BilateralLeg,
	Trauma, Fever, WeightLoss, NightPain, SuddenSevere, EasesWithMovement, EasesWithRest,
}

// CheckIn is what an athlete reports of pain, symptoms, sleep and nutrition.
// (athlete, Time, Phase) is its identity; of several revisions the highest counts.
type CheckIn struct {
	Revision        int64     `json:"revision,omitzero"`
	Time            time.Time `json:"time"`
	Phase           Phase     `json:"phase"`
	Pain            *int      `json:"pain,omitzero"` // 0 to 10
	Region          string    `json:"region,omitzero"`
	Symptoms        []Symptom `json:"symptoms,omitempty"`
	StiffMorningMin *float64  `json:"stiff_morning_min,omitzero"` // minutes
	SleepH          *float64  `json:"sleep_h,omitzero"`           // hours
	Nutrition       *int      `json:"nutrition,omitzero"`         // 1 to 5
	Soreness        *int      `json:"soreness,omitzero"`          // 1 to 5
	Stress          *int      `json:"stress,omitzero"`            // 1 to 5
	Note            string    `json:"note,omitzero"`
}

// CheckInRecord is a check-in as the log's readers know it.
type CheckInRecord struct {
	ID      string    `json:"id"`
	Site    SiteID    `json:"site"`
	Athlete AthleteID `json:"athlete"`
	CheckIn
	Received time.Time `json:"received"`
}

// CheckInID derives the id of the check-in with the given identity.
func CheckInID(athlete AthleteID, t time.Time, phase Phase) string {
	return "ci_" + Digest("checkin", string(athlete), t.UTC().Format(time.RFC3339Nano), string(phase))
}

// Validate checks the check-in, with now as the receiver's clock.
func (c *CheckIn) Validate(now time.Time) error {
	if err := checkTime("time", c.Time, now); err != nil {
		return err
	}
	switch c.Phase {
	case PhaseBefore, PhaseDuring, PhaseAfter, PhaseNextMorning, PhaseDaily:
	case "":
		return fieldErrorf("phase", "is missing")
	default:
		return fieldErrorf("phase", "is not before, during, after, next_morning or daily")
	}
	if c.Revision < 0 {
		return fieldErrorf("revision", "%d is below 0", c.Revision)
	}
	for _, s := range []struct {
		field    string
		value    *int
		min, max int
	}{
		{"pain", c.Pain, 0, 10}, {"nutrition", c.Nutrition, 1, 5},
		{"soreness", c.Soreness, 1, 5}, {"stress", c.Stress, 1, 5},
	} {
		if err := checkScale(s.field, s.value, s.min, s.max); err != nil {
			return err
		}
	}
	for i, s := range c.Symptoms {
		field := "symptoms[" + formatInt(int64(i)) + "]"
		if !slices.Contains(symptoms, s) {
			return fieldErrorf(field, "is not a known symptom")
		}
		if slices.Contains(c.Symptoms[:i], s) {
			return fieldErrorf(field, "is named twice")
		}
	}
	if err := checkRange("stiff_morning_min", c.StiffMorningMin, 0, 1440); err != nil {
		return err
	}
	if err := checkRange("sleep_h", c.SleepH, 0, 24); err != nil {
		return err
	}
	if err := checkText("region", c.Region, 64); err != nil {
		return err
	}
	if err := checkText("note", c.Note, MaxTextLength); err != nil {
		return err
	}
	if c.Pain == nil && len(c.Symptoms) == 0 && c.StiffMorningMin == nil && c.SleepH == nil &&
		c.Nutrition == nil && c.Soreness == nil && c.Stress == nil && c.Region == "" && c.Note == "" {
		return fieldErrorf("", "holds no value: give pain, symptoms, sleep_h or another")
	}
	return nil
}
