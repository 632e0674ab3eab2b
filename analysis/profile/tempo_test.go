package profile

import "testing"

func TestATempoSetIsLoweredInThreeSecondsByItsMiddleRep(t *testing.T) {
	for _, c := range []struct {
		eccentric []float64
		want      bool
		why       string
	}{
		{nil, false, "nothing is known"},
		{[]float64{3}, true, "exactly 3 s"},
		{[]float64{float64(float32(3.3)) - 0.3}, true, "what single precision took"},
		{[]float64{2.9, 2.9, 2.9}, false, "a little faster"},
		{[]float64{9, 1.2, 1.3}, false, "one long pause, 3.8 s on average"},
		{[]float64{3.5, 0.8, 3.4}, true, "one dropped, 2.6 s on average"},
		{[]float64{2.8, 3.2}, true, "the mean of the two in the middle"},
	} {
		if got := Tempo(c.eccentric); got != c.want {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}
