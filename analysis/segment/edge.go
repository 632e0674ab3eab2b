package segment

import (
	"math"
	"slices"
)

const (
	// quiet is the noise of a bar at rest, in m/s, up to which a crossing of zero is
	// read off the samples.
	quiet = 0.002
	// fitRate is the rate in Hz to which samples are averaged before an edge is fitted.
	fitRate = 100
	// leastFitShare and fitShare are how far into a movement, as a share of its peak,
	// an edge is fitted in little noise and in much.
	leastFitShare, fitShare = 0.3, 0.4
	// turning is within how many seconds a bar that turns moves the other way.
	turning = 0.15
	// fitReach is how many seconds about where the smoothed velocity is nearly zero an
	// edge may be.
	fitReach = 0.6
	// drifting is for how many seconds a velocity that is nearly zero must last to be
	// taken for a sensor's drift.
	drifting = 0.2
)

// phase is a measured movement; indices count in samples, with fractions.
type phase struct {
	from, to float64
	rom      float64 // m, in its direction
	peak     float64 // m/s
}

// edges finds where the core of a movement begins and ends. It fails where the
// samples do not reach from rest to rest.
func (m *Machine) edges(c part, sign float64) (from, to float64, ok bool) {
	lo, hi := c.on-m.base, c.off-m.base
	width := m.samples(smoothing)
	peak := 0.0
	for i := max(0, lo-width); i < min(hi, len(m.v)); i++ {
		peak = max(peak, sign*m.v[i])
	}
	m.listen(lo)
	outward := func(at, step int) (float64, bool) {
		m.work = m.work[:0]
		for i := at; i >= max(0, lo-m.samples(before)) && i < min(len(m.v), hi+m.samples(before)); i += step {
			m.work = append(m.work, sign*m.v[i])
		}
		u, ok := m.leaves(m.work, peak)
		return float64(at) + float64(step)*u, ok
	}
	// Both walks begin in the movement, where the velocity has not yet come near zero.
	first := max(0, lo-width+1)
	for first < hi-1 && sign*m.v[first] <= moving {
		first++
	}
	last := min(hi, len(m.v)-1)
	for last > first && sign*m.v[last] <= moving {
		last--
	}
	if m.noise > quiet {
		first, last = m.inside(first, last, sign, peak)
	} else { // two more, that are carried on beyond zero
		for range 2 {
			if first+1 < last && sign*m.v[first+1] > moving {
				first++
			}
			if last-1 > first && sign*m.v[last-1] > moving {
				last--
			}
		}
	}
	var okFrom, okTo bool
	from, okFrom = outward(first, -1)
	to, okTo = outward(last, 1)
	return from + float64(m.base), to + float64(m.base), okFrom && okTo && to > from
}

// level is the velocity up to which an edge is fitted: far above the noise, but not
// further into the movement than that takes.
func (m *Machine) level(peak float64) float64 {
	return max(moving, min(fitShare*peak, max(leastFitShare*peak, 5*m.noise)))
}

// inside moves both ends inwards to where the smoothed velocity has reached the level.
func (m *Machine) inside(first, last int, sign, peak float64) (int, int) {
	reach, level := m.samples(smoothing), m.level(peak)
	smooth := func(i int) float64 {
		lo, hi := max(0, i-reach/2), min(len(m.v), i+reach/2+1)
		var sum float64
		for _, v := range m.v[lo:hi] {
			sum += v
		}
		return sign * sum / float64(hi-lo)
	}
	for first < last && smooth(first) < level {
		first++
	}
	for last > first && smooth(last) < level {
		last--
	}
	return first, last
}

// listen measures the noise of the bar at rest before index at, where it rests
// there for long enough.
func (m *Machine) listen(at int) {
	hi := at - m.samples(0.1)
	lo := hi
	reach := m.samples(smoothing)
	var sum float64
	for lo > 1 && at-lo < m.samples(before) {
		sum += m.v[lo-1]
		if hi-lo >= reach {
			sum -= m.v[lo-1+reach]
			if math.Abs(sum) > moving*float64(reach) {
				break
			}
		}
		lo--
	}
	if hi-lo < max(8, m.samples(0.25)) {
		return
	}
	// Second differences do not see a slow movement.
	m.heights = m.heights[:0]
	for i := lo + 1; i < hi-1; i++ {
		m.heights = append(m.heights, math.Abs(m.v[i-1]-2*m.v[i]+m.v[i+1]))
	}
	m.noise = median(m.heights) / (0.6745 * math.Sqrt(6))
}

// leaves returns where on its way outwards from within a movement the velocity w
// comes to zero, in samples.
func (m *Machine) leaves(w []float64, peak float64) (float64, bool) {
	if m.noise <= quiet {
		for j := range w {
			if w[j] <= 0 && j == 0 {
				return 0, true
			}
			if w[j] <= 0 {
				return float64(j-1) + m.between(w, j), true
			}
		}
		// A sensor may drift: then the bar rests at a velocity that is nearly zero.
		n := len(w) - m.samples(drifting)
		if n < 0 || slices.Max(w[n:]) > moving/2 {
			return 0, false
		}
	}
	block := max(1, int(m.rate/fitRate))
	n := len(w) / block
	for b := range n {
		var sum float64
		for _, v := range w[b*block : (b+1)*block] {
			sum += v
		}
		w[b] = sum / float64(block)
	}
	u, ok := fit(w[:n], m.level(peak), m.rate/float64(block), max(m.noise, quiet)/math.Sqrt(float64(block)))
	return u*float64(block) + float64(block-1)/2, ok
}

// between returns where between the samples j−1 and j the velocity comes to zero, 0
// to 1. Where the bar has come to rest there, a line to the sample at rest would end
// the movement up to one sample too late: then the line, or the parabola, of the
// samples before is carried on. Below 50 Hz those are too far apart to say anything.
func (m *Machine) between(w []float64, j int) float64 {
	straight := w[j-1] / (w[j-1] - w[j])
	if j < 3 || m.rate < 50 || -w[j] > 0.1*w[j-1] {
		return straight
	}
	carried := func(a, b, c float64) (at, miss float64) { // c is the nearest to zero
		return c / (b - c), math.Abs(a - 2*b + c)
	}
	at, miss := carried(w[j-3], w[j-2], w[j-1])
	soft, softMiss := carried(math.Sqrt(w[j-3]), math.Sqrt(w[j-2]), math.Sqrt(w[j-1]))
	if softMiss*2*math.Sqrt(w[j-2]) < miss { // both as velocities
		at = soft
	}
	if !(at > 0 && at < straight) {
		return straight
	}
	return at
}

// fit estimates where the noisy velocity w comes to zero.
func fit(w []float64, level, rate, noise float64) (float64, bool) {
	reach := max(1, int(smoothing*rate)/2)
	smooth := func(j int) float64 {
		lo, hi := max(0, j-reach), min(len(w), j+reach+1)
		var sum float64
		for _, v := range w[lo:hi] {
			sum += v
		}
		return sum / float64(hi-lo)
	}
	zero, back := -1, len(w)
	for j := range w {
		s := smooth(j)
		if zero < 0 && s < moving/2 {
			zero = j
		}
		if s < -moving {
			back = j
			break
		}
	}
	if zero < 0 {
		return 0, false
	}
	if float64(back-zero) <= turning*rate {
		for back < len(w) && smooth(back) > -level {
			back++
		}
	}
	return hinge(w[:back], zero, int(fitReach*rate), noise)
}

// hinge estimates the instant, within reach of zero, at which the bar comes to rest
// or turns: on either side the velocity is the first, 1.5th or second power of the
// time to it. It is the mean of the instants and powers, each weighed by how likely
// it makes the samples in this noise.
func hinge(w []float64, zero, reach int, noise float64) (float64, bool) {
	const steps = 2 // of an instant, for each sample
	first := steps * max(1, zero-reach)
	var likely []float64
	for u := first; u <= steps*min(len(w)-1, zero+reach); u++ {
		inner, outer := explained(w, float64(u)/steps)
		for i, p := range inner {
			for _, q := range outer {
				likely = append(likely, (p+q)/(2*noise*noise)+prior[i])
			}
		}
	}
	if len(likely) == 0 {
		return 0, false
	}
	best := slices.Max(likely)
	var sum, weights float64
	for i, l := range likely {
		weight := math.Exp(l - best)
		sum += weight * float64(first+i/len(prior)/len(prior)) / steps
		weights += weight
	}
	at := sum / weights
	return at, at < float64(len(w))-1.5 // else it does not rest within what is known
}

// prior is the logarithm of how likely a movement begins with each power: with it,
// those that begin at once and those that begin softly are measured equally well.
var prior = [3]float64{0.5, 0, 0}

// explained is how much of the squared velocity each power explains, before and
// after the instant u.
func explained(w []float64, u float64) (inner, outer [3]float64) {
	var vg, gg [2][3]float64
	for j, v := range w {
		left, side := u-float64(j), 0
		if left < 0 {
			left, side, v = -left, 1, -v
		}
		for p, g := range [3]float64{left, left * math.Sqrt(left), left * left} {
			vg[side][p] += v * g
			gg[side][p] += g * g
		}
	}
	for p := range 3 {
		inner[p] = max(0, vg[0][p]) * vg[0][p] / max(gg[0][p], 1e-12)
		outer[p] = max(0, vg[1][p]) * vg[1][p] / max(gg[1][p], 1e-12)
	}
	return inner, outer
}
