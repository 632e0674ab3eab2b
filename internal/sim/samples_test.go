package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spotterhq/spotter/internal/lift"
)

func TestSamplesTellTheSameAsTheReps(t *testing.T) {
	l := NewLifter(4, 2)
	for _, exercise := range []lift.ExerciseID{Deadlift, Squat, Bench} {
		r := rand.New(rand.NewPCG(1, 2))
		s := l.newSet(r, Set{Exercise: exercise, LoadKg: plates(0.8 * l.Max(exercise)), Number: 1}, 5, 0, 1)
		v := s.trace(r)
		for i, rep := range s.Reps {
			end := int(s.Ends[i].Seconds() * sampleRate)
			begin := end - int(*rep.Concentric*sampleRate)
			var up float64
			for _, x := range v[begin:end] {
				up += x / sampleRate
			}
			if math.Abs(up-*rep.ROM) > 0.01 {
				t.Errorf("%s rep %d: the bar rises %.3f m, the rep says %.3f", exercise, i+1, up, *rep.ROM)
			}
			if peak := slices.Max(v[begin:end]); math.Abs(peak-*rep.PeakVelocity) > 0.01 {
				t.Errorf("%s rep %d: peak %.3f, the rep says %.3f", exercise, i+1, peak, *rep.PeakVelocity)
			}
		}
		var height float64
		for _, x := range v {
			height += x / sampleRate
		}
		if math.Abs(height) > 0.03 {
			t.Errorf("%s: the bar ends %.3f m from where it began", exercise, height)
		}
	}
}
