package segment

import (
	"testing"

	"github.com/spotterhq/spotter/internal/lift"
)

func TestAGateIsThatOfTheExerciseAndTheLifter(t *testing.T) {
	for _, c := range []struct {
		pattern string
		earlier []float64
		want    Gate
		why     string
	}{
		{"hinge", nil, Gate{}, "a deadlift has the default"},
		{"", nil, Gate{}, "and so has what nobody knows"},
		{"squat", []float64{0.6, 0.5}, Gate{MinROM: 0.12}, "two reps are no median"},
		{"push", []float64{0.5, 0.3, 0.4}, Gate{MinROM: 0.08, MedianROM: 0.4}, "three are"},
	} {
		if got := GateFor(lift.Exercise{Pattern: c.pattern}, c.earlier); got != c.want {
			t.Errorf("%s: %+v, not %+v", c.why, got, c.want)
		}
	}
}
