package lift

import (
	"errors"
	"testing"
)

func TestPlanStepsNameTheFieldAtFault(t *testing.T) {
	for field, step := range map[string]PlanStep{
		"":                   {Verb: PlanStart, PreInjuryKg: new(180.0), PreInjuryWeekKg: new(9000.0), Reason: "cleared"},
		"verb":               {Verb: "jump"},
		"reason":             {Verb: PlanHold, Reason: "a\x00b"},
		"pre_injury_kg":      {Verb: PlanStart, PreInjuryKg: new(-1.0)},
		"pre_injury_week_kg": {Verb: PlanStart, PreInjuryWeekKg: new(0.0)},
	} {
		err := step.Validate()
		if field == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if f, ok := errors.AsType[*FieldError](err); !ok || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
