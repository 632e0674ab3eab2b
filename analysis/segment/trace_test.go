package segment

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shape is a velocity over a phase's time, both from 0 to 1, with a mean of 1.
type shape func(u float64) float64

func sine(u float64) float64 { return math.Pi / 2 * math.Sin(math.Pi*u) }

// jerkless begins and ends as softly as a hand does.
func jerkless(u float64) float64 { return 30 * u * u * (1 - u) * (1 - u) }

// early has its peak in the first third, as a heavy rep has.
func early(u float64) float64 { return 12 * u * (1 - u) * (1 - u) }

// stalled is a grinder: the bar all but stands in the middle.
func stalled(u float64) float64 {
	hump := func(from, to, height float64) float64 {
		if u < from || u > to {
			return 0
		}
		return height * math.Sin(math.Pi*(u-from)/(to-from))
	}
	// 0.4 and 0.45 of the time, at the two heights, have a mean of 1.
	return hump(0, 0.40, 2.0) + hump(0.55, 1, math.Pi/2/0.45-2.0*0.40/0.45)
}

// truth is what a trace says of one rep.
type truth struct {
	from, to   float64 // s
	mean, rom  float64
	peak       float64
	propulsive float64
	lowest     float64 // acceleration, m/s²
	eccentric  float64 // 0 without
}

// trace is a bar's velocity as a function of time, made of phases.
type trace struct {
	phases []phaseOf
	now    float64
	reps   []truth
}

type phaseOf struct {
	from, to, mean float64
	shape          shape
}

func (t *trace) rest(s float64) *trace { t.now += s; return t }

// move appends a phase in which the bar moves by rom (negative: down) in s seconds.
func (t *trace) move(sh shape, rom, s float64) *trace {
	t.phases = append(t.phases, phaseOf{t.now, t.now + s, rom / s, sh})
	t.now += s
	return t
}

// concentric appends a rep's way up.
func (t *trace) concentric(sh shape, rom, mean float64) *trace {
	s := rom / mean
	r := truth{from: t.now, to: t.now + s, mean: mean, rom: rom}
	// The peak and the propulsive phase, from the definition, in fine steps.
	const n = 20_000
	sum, ended := 0.0, false
	for i := range n {
		u := (float64(i) + 0.5) / n
		v := mean * sh(u)
		r.peak = max(r.peak, v)
		a := mean * (sh(u+1e-5) - sh(u-1e-5)) / (2e-5 * s)
		r.lowest = min(r.lowest, a)
		if !ended && a < -gravity && i > n/100 {
			ended, r.propulsive = true, sum/float64(i)
		}
		sum += v
	}
	if !ended {
		r.propulsive = mean
	}
	t.move(sh, rom, s)
	t.reps = append(t.reps, r)
	return t
}

func (t *trace) eccentric(sh shape, rom, s float64) *trace { return t.move(sh, -rom, s) }

// deadlifts appends reps whose eccentric phase follows; floor is the rest between.
func (t *trace) deadlifts(sh shape, rom, floor float64, means ...float64) *trace {
	for i, mean := range means {
		if i > 0 {
			t.rest(floor)
		}
		t.concentric(sh, rom, mean).rest(0.4).eccentric(jerkless, rom, 1.2)
		t.reps[len(t.reps)-1].eccentric = 1.2
	}
	return t
}

// squats appends reps whose eccentric phase comes first; pause is that at the bottom.
func (t *trace) squats(sh shape, rom, pause float64, means ...float64) *trace {
	for _, mean := range means {
		t.eccentric(jerkless, rom, 1.5).rest(pause).concentric(sh, rom, mean).rest(0.7)
		t.reps[len(t.reps)-1].eccentric = 1.5
	}
	return t
}

func (t *trace) at(s float64) float64 {
	i, ok := slices.BinarySearchFunc(t.phases, s, func(p phaseOf, s float64) int {
		switch {
		case p.to <= s:
			return -1
		case p.from > s:
			return 1
		}
		return 0
	})
	if !ok {
		return 0
	}
	p := t.phases[i]
	return p.mean * p.shape((s-p.from)/(p.to-p.from))
}

// sampled is the trace at a rate, beginning at an odd moment, with noise.
func (t *trace) sampled(rate, noise float64, r *rand.Rand) []float64 {
	offset := 0.37 / rate
	v := make([]float64, int((t.now+2)*rate))
	for i := range v {
		v[i] = t.at(float64(i)/rate+offset) + noise*r.NormFloat64()
	}
	return v
}

// begin is the time of a sampled trace's zero.
func begin(rate float64) time.Time {
	return noon.Add(-time.Duration(0.37 / rate * float64(time.Second)))
}

// chunked cuts samples into chunks of the lengths that size gives.
func chunked(v []float64, rate float64, size func() int) []*lift.Samples {
	var all []*lift.Samples
	at := 0
	for at < len(v) {
		n := min(size(), len(v)-at)
		all = append(all, &lift.Samples{
			BootID: "b7", Chunk: int64(len(all)), RateHz: rate, Velocity: v[at : at+n],
			Time: noon.Add(time.Duration(float64(at) / rate * float64(time.Second))),
		})
		at += n
	}
	return all
}

func fixed(n int) func() int { return func() int { return n } }

// found feeds the chunks and returns every rep.
func found(m *Machine, chunks []*lift.Samples) []lift.Rep {
	var all []lift.Rep
	for _, c := range chunks {
		all = append(all, m.Feed(c)...)
	}
	return append(all, m.Flush()...)
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }
