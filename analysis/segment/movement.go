package segment

// part is a stretch of a movement in which the bar moves all the time.
type part struct {
	on, off int // indices: first sample in motion, first at rest
}

// movement follows the bar in one direction, from where it begins to move until it
// has turned or stood for too long. Velocities and heights count in its direction.
type movement struct {
	active      bool
	pushing     bool
	above       int // samples in motion in a row
	pushes      []part
	bottom, top float64 // heights
	zero        bool    // the velocity was zero since the last part
	still       int     // index since which the bar has risen by no more than creep
	stillAt     float64 // and the height then
}

// creep is how far in m a bar moves that is all but at rest.
const creep = 0.004

// step takes the sample at index i, as it is and smoothed, with the height there, and reports whether the movement has ended.
func (mv *movement) step(m *Machine, i int, raw, v, h float64) bool {
	if v > moving {
		mv.above++
	} else {
		mv.above = 0
	}
	need := max(2, m.samples(sustained))
	switch {
	case !mv.pushing && mv.above >= need:
		if !mv.active {
			mv.active, mv.bottom, mv.top = true, h, h
		}
		mv.pushing = true
		mv.pushes = append(mv.pushes, part{on: i - need + 1})
	case mv.pushing && mv.above == 0:
		mv.pushing = false
		mv.pushes[len(mv.pushes)-1].off = i
	}
	if !mv.active {
		return false
	}
	mv.top = max(mv.top, h)
	mv.zero = !mv.pushing && (mv.zero || raw <= 0)
	if h > mv.stillAt+creep || mv.pushing {
		mv.still, mv.stillAt = i, h
	}
	switch {
	case h < mv.top-turned:
		if mv.pushing { // a smoothed velocity lags behind
			mv.pushing = false
			mv.pushes[len(mv.pushes)-1].off = i
		}
		return true
	case mv.pushing:
		if float64(i-mv.pushes[0].on) > maxMovement*m.rate {
			*mv = movement{}
		}
		return false
	}
	return float64(i-mv.pushes[len(mv.pushes)-1].off) > stall*m.rate
}

// core returns the movement's part that counts: without a bounce before it or a
// shrug behind it, where the bar stood between.
func (mv *movement) core(m *Machine, sign float64) part {
	gain := func(from, to int) float64 {
		var sum float64
		for _, v := range m.v[max(0, from-m.base):max(0, to-m.base)] {
			sum += v
		}
		return sign * sum / m.rate
	}
	parts := []part{mv.pushes[0]}
	for _, p := range mv.pushes[1:] {
		last := &parts[len(parts)-1]
		between := float64(p.on-last.off) / m.rate
		if between < 0.15 || gain(last.off, p.on) > 0.02*between {
			last.off = p.off // it slowed down only
		} else {
			parts = append(parts, p)
		}
	}
	for len(parts) > 1 && gain(parts[0].on, parts[0].off) < bounce {
		parts = parts[1:]
	}
	for n := len(parts); n > 1 && gain(parts[n-1].on, parts[n-1].off) < shrug; n-- {
		parts = parts[:n-1]
	}
	return part{parts[0].on, parts[len(parts)-1].off}
}

// usual reports whether the movement has come to rest where one of its kind usually
// ends, so that no more has to be waited for.
func (mv *movement) usual(m *Machine, i int, median float64) bool {
	if !mv.active || mv.pushing || median <= 0 || mv.top-mv.bottom < usualShare*median {
		return false
	}
	rest := float64(i-mv.still) / m.rate
	return rest >= 1 || rest >= settled && mv.zero
}
