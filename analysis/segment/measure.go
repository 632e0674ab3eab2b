package segment

import (
	"math"

	"github.com/spotterhq/spotter/internal/lift"
)

// gravity in m/s²: what falls faster than this is not being lifted.
const gravity = 9.81

// rep is a concentric phase that was taken for a rep.
type rep struct {
	phase
	lift.Rep
}

// leastROM is the rise below which a movement is nothing at all.
func (m *Machine) leastROM() float64 {
	least := m.Gate.MinROM
	if least == 0 {
		least = minROM
	}
	return max(least, leastShare*m.medianROM())
}

// finishUp decides about the movement upwards. It is over, unless early is set: then
// it may also go on, where its end is not to be seen yet.
func (m *Machine) finishUp(early bool) {
	mv := m.up
	m.up = movement{}
	if mv.top-mv.bottom < m.leastROM()/2 {
		return
	}
	c := mv.core(m, 1)
	from, to, ok := m.edges(c, 1)
	if !ok {
		switch {
		case early:
			m.up = mv
			m.up.still = m.end() // ask again after as much rest
		case m.base == 0 && c.on < m.samples(before) && mv.top-mv.bottom >= m.leastROM() && !(m.afterGap && m.openAtGap):
			m.Stats.Dropped++ // it began before the samples
		}
		return
	}
	p := m.measure(from, to, 1)
	seconds := (to - from) / m.rate
	if p.rom < m.leastROM() || p.peak < minPeak || seconds < minDuration || seconds > maxDuration || m.falls(p) {
		return
	}
	if m.afterGap {
		if m.openAtGap {
			return // counted when it was cut
		}
		median := m.medianROM()
		if from-float64(m.base) < m.rate && !(median > 0 && p.rom >= failedShare*median) {
			m.Stats.Dropped++
			return
		}
		m.afterGap = false
	}
	m.accept(p)
}

// finishDown notes an eccentric phase; early as for finishUp.
func (m *Machine) finishDown(early bool) {
	mv := m.down
	m.down = movement{}
	m.afterGap = m.afterGap && mv.top-mv.bottom < turned
	if mv.top-mv.bottom < m.leastROM()/2 {
		return
	}
	from, to, ok := m.edges(mv.core(m, -1), -1)
	if !ok {
		if early {
			m.down = mv
			m.down.still = m.end()
		}
		return
	}
	p := m.measure(from, to, -1)
	if m.pending != nil {
		if p.rom >= partnerShare*m.pending.rom && p.from >= m.pending.to-m.rate*sustained {
			m.pending.Eccentric = new(round((p.to - p.from) / m.rate))
			m.tell()
		}
		return
	}
	m.lowered = &p
}

// measure integrates the velocity between two indices.
func (m *Machine) measure(from, to, sign float64) phase {
	p := phase{from: from, to: to, rom: sign * m.area(from, to) / m.rate}
	for i := int(math.Ceil(from)); i <= int(to); i++ {
		p.peak = max(p.peak, m.fitted(i, sign))
	}
	return p
}

// area is the trapezoid integral over indices, of a velocity that is zero at from and
// to where those lie between two samples.
func (m *Machine) area(from, to float64) float64 {
	lo, hi := int(math.Ceil(from)), int(math.Floor(to))
	if lo > hi {
		return 0
	}
	at := func(i int) float64 { return m.v[min(max(i-m.base, 0), len(m.v)-1)] }
	sum := at(lo)*(float64(lo)-from)/2 + at(hi)*(to-float64(hi))/2
	for i := lo; i < hi; i++ {
		sum += (at(i) + at(i+1)) / 2
	}
	return sum
}

// fitted is the velocity at an index on a quadratic over ±40 ms.
func (m *Machine) fitted(index int, sign float64) float64 {
	i := index - m.base
	n := min(int(smoothing*m.rate), i, len(m.v)-1-i)
	if n < 2 {
		return sign * m.v[min(max(i, 0), len(m.v)-1)]
	}
	f := float64(n)
	var sum float64
	for k := -n; k <= n; k++ {
		sum += (3*f*f + 3*f - 1 - 5*float64(k*k)) * m.v[i+k]
	}
	return sign * 3 * sum / ((2*f - 1) * (2*f + 1) * (2*f + 3))
}

// acceleration at an index in m/s², upwards.
func (m *Machine) acceleration(index int) float64 {
	i := index - m.base
	n := min(int(0.02*m.rate), i, len(m.v)-1-i)
	if n < 1 {
		if i < 0 || i+1 >= len(m.v) {
			return 0
		}
		return (m.v[i+1] - m.v[i]) * m.rate
	}
	var sum, squares float64
	for k := 1; k <= n; k++ {
		sum += float64(k) * (m.v[i+k] - m.v[i-k])
		squares += 2 * float64(k*k)
	}
	return sum / squares * m.rate
}

// falls reports whether nothing but gravity slows the bar down from an early peak:
// it has bounced off the floor.
func (m *Machine) falls(p phase) bool {
	top := m.peakAt(p)
	after := m.area(float64(top), p.to) / m.rate
	return float64(top)-p.from < 0.25*(p.to-p.from) && p.peak*p.peak/2 > 0.8*gravity*after
}

func (m *Machine) peakAt(p phase) int {
	for i := int(math.Ceil(p.from)); i <= int(p.to); i++ {
		if m.fitted(i, 1) >= p.peak {
			return i
		}
	}
	return int(p.from)
}

// accept makes a rep of a concentric phase.
func (m *Machine) accept(p phase) {
	m.tell()
	r := &rep{phase: p}
	seconds := (p.to - p.from) / m.rate
	top := m.peakAt(p)
	r.Seq, r.Time = m.seq(top), m.timeOf(p.to)
	r.BootID, r.Source, r.Convention = BootID(m.boot), lift.SourceSegmented, Convention
	r.MeanVelocity = round(p.rom / seconds)
	r.PeakVelocity = new(round(max(p.peak, p.rom/seconds)))
	r.MeanPropulsiveVelocity = new(round(m.propulsive(p)))
	r.ROM, r.Concentric = new(round(p.rom)), new(round(seconds))
	r.TimeToPeak = new(round(max(0, float64(top)-p.from) / m.rate))
	if from, to, ok := m.sticking(p); ok {
		r.StickingFrom, r.StickingTo = new(round((from-p.from)/m.rate)), new(round((to-p.from)/m.rate))
	}
	if drift, ok := m.drift(p); ok {
		r.BarDrift = new(round(drift))
	}
	median := m.medianROM()
	r.Failed = median > 0 && p.rom < failedShare*median
	if !r.Failed {
		m.roms = append(m.roms, p.rom)
		if len(m.roms) > setMemory {
			m.roms = m.roms[1:]
		}
	}
	e := m.lowered
	m.lowered = nil
	before := e != nil && e.rom >= partnerShare*p.rom && p.from-e.to <= partnerWait*m.rate
	if !m.orderKnown {
		m.orderKnown, m.lowersFirst = true, before
	}
	if m.lowersFirst {
		if before {
			r.Eccentric = new(round((e.to - e.from) / m.rate))
		}
		m.emit(r)
		return
	}
	m.pending = r
}

// tell tells the rep that waits for its eccentric phase.
func (m *Machine) tell() {
	if m.pending != nil {
		m.emit(m.pending)
		m.pending = nil
	}
}

func (m *Machine) emit(r *rep) {
	m.Stats.Reps++
	m.found = append(m.found, r.Rep)
}

// propulsive is the mean velocity up to where the acceleration first drops below
// that of a free fall.
func (m *Machine) propulsive(p phase) float64 {
	for i := int(math.Ceil(p.from)) + 1; i < int(math.Ceil(p.to)); i++ {
		a := m.acceleration(i)
		if a >= -gravity {
			continue
		}
		to, area := float64(i), m.area(p.from, float64(i))
		if b := m.acceleration(i - 1); m.rate >= 50 && b > -gravity && to-1 > p.from {
			// Back to where it was −g, between the two.
			back := (a + gravity) / (a - b)
			v := m.v[i-m.base]
			area -= back * (v + back/2*(m.v[i-1-m.base]-v))
			to -= back
		}
		return area / (to - p.from)
	}
	return p.rom / (p.to - p.from) * m.rate
}

// sticking returns where the velocity first begins to fall and where it begins to
// rise again, where it does both by more than noise could.
func (m *Machine) sticking(p phase) (from, to float64, ok bool) {
	least := max(0.03, 0.08*p.peak, 2.5*m.noise)
	high, low := 0.0, 0.0
	var highAt, lowAt int
	falling := false
	for i := int(math.Ceil(p.from)); i <= int(p.to); i++ {
		v := m.fitted(i, 1)
		switch {
		case !falling && v >= high:
			high, highAt = v, i
		case !falling && v < high-least:
			falling, low, lowAt = true, v, i
		case falling && v < low:
			low, lowAt = v, i
		case falling && v > low+least:
			return float64(highAt), float64(lowAt), true
		}
	}
	return 0, 0, false
}

// drift is how far the bar has been from where it started, horizontally.
func (m *Machine) drift(p phase) (float64, bool) {
	lo, hi := int(math.Ceil(p.from))-m.base, int(p.to)-m.base
	if lo < 0 || hi >= len(m.x) || lo > hi {
		return 0, false
	}
	most := 0.0
	for _, x := range m.x[lo : hi+1] {
		if math.IsNaN(x) {
			return 0, false
		}
		most = max(most, math.Abs(x-m.x[lo]))
	}
	return most, true
}

// round keeps a tenth of a millimetre, millisecond or mm/s.
func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }
