package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// sampleRate is how many velocities a second a simulated bar sensor sends.
const sampleRate = 100 // Hz

// trace returns the bar's velocity over the whole set, sampleRate values a second
// from the set's begin, upward positive. Each concentric phase is a smooth pulse
// with the rep's mean and peak, ends at the rep's time and rises as far as the
// eccentric phase sinks.
func (s *Set) trace(r *rand.Rand) []float64 {
	m := motionOf(s.Exercise)
	v := make([]float64, int((s.duration()+setUp).Seconds()*sampleRate))
	for i, rep := range s.Reps {
		end, up, down := s.Ends[i].Seconds(), *rep.Concentric, *rep.Eccentric
		power := pulsePower(*rep.PeakVelocity / rep.MeanVelocity)
		pulse(v, end-up, up, *rep.PeakVelocity, power)
		begin := end + hold.Seconds()
		if m.lowersFirst {
			begin = end - up - down
		}
		pulse(v, begin, down, -*rep.ROM/down*math.Pi/2, 1)
	}
	for i := range v {
		v[i] = round(v[i]+0.002*(2*r.Float64()-1), 3)
	}
	return v
}

// pulse adds height · sin^power over the stretch of so many seconds.
func pulse(v []float64, begin, length, height, power float64) {
	for i := max(0, int(math.Ceil(begin*sampleRate))); i < len(v); i++ {
		x := max(0, (float64(i)/sampleRate-begin)/length)
		if x > 1 {
			return
		}
		v[i] += height * math.Pow(math.Sin(math.Pi*x), power)
	}
}

// pulsePower returns the power p at which the peak of sin^p over half a period is
// so many times its mean. The mean falls with p, so halving finds it.
func pulsePower(peakOverMean float64) float64 {
	low, high := 0.01, 20.0
	for range 50 {
		p := (low + high) / 2
		mean := math.Gamma((p+1)/2) / (math.Sqrt(math.Pi) * math.Gamma(p/2+1))
		if 1/mean < peakOverMean {
			low = p
		} else {
			high = p
		}
	}
	return low
}

// samplesEvery is how much of a trace one chunk holds.
const samplesEvery = time.Second
