package segment

import (
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

// minMedian is how many earlier reps a median range of motion is made of at least.
const minMedian = 3

// GateFor returns the gate of an exercise for a lifter whose earlier reps of it had
// the given ranges of motion in m, in any order. The zero exercise is one that nobody
// knows: it has the deadlift's gate.
func GateFor(e lift.Exercise, earlier []float64) Gate {
	var g Gate
	switch e.Pattern {
	case "squat", "lunge":
		g.MinROM = 0.12
	case "push":
		g.MinROM = 0.08
	}
	if len(earlier) >= minMedian {
		g.MedianROM = median(slices.Clone(earlier))
	}
	return g
}
