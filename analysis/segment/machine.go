package segment

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Convention names how a rep is measured. It is stored with the rep.
const Convention = "zero-crossing-trapezoid-1"

// Gate is what of the lifter and the exercise decides whether a movement is a rep.
type Gate struct {
	// MinROM is the least rise of a rep in m. Default: 0.15, for a deadlift.
	MinROM float64
	// MedianROM is the median range of motion in m of this lifter's earlier reps of
	// the exercise; 0 where it is not known. The set's own median goes before it.
	MedianROM float64
}

// Defaults of the state machine; load-rules section 4.2 has their sources.
const (
	moving       = 0.05 // m/s, above it the bar moves
	sustained    = 0.05 // s that it must do so
	smoothing    = 0.04 // s, over which detection averages
	turned       = 0.02 // m in the other direction end a movement
	stall        = 3.0  // s that a bar may stand in the middle of a movement
	settled      = 0.3  // s of rest that end a movement of usual length
	bounce       = 0.05 // m, a first part of a movement up to here does not count
	shrug        = 0.03 // m, nor does a last part up to here
	minROM       = 0.15 // m
	leastShare   = 1.0 / 3
	failedShare  = 0.85 // of the median ROM, below which a rep has failed
	usualShare   = 0.95 // of the median ROM, from which it needs no longer be waited
	minPeak      = 0.10 // m/s
	minDuration  = 0.2  // s
	maxDuration  = 8.0  // s
	maxMovement  = 20.0 // s, stalls and eccentric phases included
	before       = 1.5  // s that are looked at before and after a movement for its edges
	setEnd       = 7.0  // s without a movement end a set
	partnerShare = 0.5  // of the ROM that an eccentric phase has at least
	partnerWait  = 5.0  // s between a concentric and its eccentric phase
	maxHeld      = 4    // chunks that wait for a missing one
	maxLag       = 100 * time.Millisecond
	setMemory    = 15 // reps of a set that its median is made of
)

// Stats are totals of one machine.
type Stats struct {
	Reps     int // told
	Dropped  int // spanned a gap, or began before it
	Repeated int // chunks that came again, or too late
	Gaps     int // missing chunks in a row, or pauses of more than 100 ms, count once
}

// mark is where a chunk begins in the buffer.
type mark struct {
	index int // of its first sample
	chunk int64
	time  time.Time
}

// Machine finds the reps in the samples of one start of one device.
type Machine struct {
	Stats Stats
	// Gate may be changed between two chunks.
	Gate Gate

	boot  string
	began bool
	next  int64           // chunk expected
	held  []*lift.Samples // later ones, in order

	// Of the stretch without a gap.
	rate  float64
	clock time.Time // of the sample after the last one
	base  int       // index of v[0]
	v     []float64
	x     []float64 // horizontal position, NaN where not given
	marks []mark
	sum   float64 // of the newest width() samples
	h     float64 // height, for detection only
	up    movement
	down  movement
	last  int // index of the last sample in motion

	// Of the set.
	roms          []float64
	lowersFirst   bool
	orderKnown    bool
	lowered       *phase // the newest eccentric phase, until a rep took it
	pending       *rep   // waits for its eccentric phase
	noise         float64
	afterGap      bool // the bar has not come down or to rest since the last gap
	openAtGap     bool // and was on its way up, or stalled, when it began
	found         []lift.Rep
	heights, work []float64 // scratch
}

// New returns a machine that has seen nothing.
func New(g Gate) *Machine { return &Machine{Gate: g} }

// BootID is the boot id under which reps found in the samples of a boot are filed,
// apart from those that the device tells itself.
func BootID(boot string) string {
	if id := boot + ".samples"; len(id) <= 64 {
		return id
	}
	return "samples-" + lift.Digest(boot)
}

// Feed takes a valid chunk and returns the reps that are complete now, oldest first.
// Chunks may be repeated and be up to four chunks out of order. The chunk is not
// changed and must not be later.
//
// The samples of chunks that count up by one follow each other without a gap, unless
// a chunk's time is more than 100 ms after the end of the one before. Several chunks
// that bear one time, that of their arrival, are told from a gap by the time of the
// chunk that follows.
//
// A rep's identity is its device's BootID and as Seq the chunk and the sample in it
// at which the bar is fastest: finding it again repeats it, whatever came before.
func (m *Machine) Feed(s *lift.Samples) []lift.Rep {
	if !m.began {
		m.began, m.next, m.boot = true, s.Chunk, s.BootID
	}
	at, known := slices.BinarySearchFunc(m.held, s.Chunk, func(h *lift.Samples, chunk int64) int { return cmp.Compare(h.Chunk, chunk) })
	if s.Chunk < m.next || known {
		m.Stats.Repeated++
		return nil
	}
	m.held = slices.Insert(m.held, at, s)
	m.drain(false)
	return m.take()
}

// Flush returns the reps that are complete if nothing more comes. Samples may still
// follow.
func (m *Machine) Flush() []lift.Rep {
	m.drain(true)
	if m.up.active && !m.up.pushing {
		m.finishUp(true)
	}
	if m.down.active && !m.down.pushing {
		m.finishDown(true)
	}
	m.tell()
	return m.take()
}

// Needs is the oldest chunk that is needed to find what has not been told yet. It
// answers false before the first chunk.
func (m *Machine) Needs() (chunk int64, any bool) {
	switch {
	case len(m.marks) > 0:
		return m.marks[0].chunk, true
	case len(m.held) > 0:
		return m.held[0].Chunk, true
	}
	return m.next, m.began
}

func (m *Machine) take() []lift.Rep {
	found := m.found
	m.found = nil
	return found
}

// drain takes the held chunks whose turn it is; last says that no other will come.
func (m *Machine) drain(last bool) {
	for len(m.held) > 0 {
		c := m.held[0]
		patient := !last && len(m.held) <= maxHeld
		gap := false
		switch {
		case c.Chunk != m.next:
			if patient {
				return
			}
			gap = true
		case m.rate != 0 && c.Time.Sub(m.clock) > maxLag:
			// One chunk more tells whether this one was late or the bar asleep.
			if len(m.held) < 2 || m.held[1].Chunk != c.Chunk+1 {
				if patient {
					return
				}
				gap = true
			} else {
				gap = !together(c, m.held[1])
			}
		}
		m.held = slices.Delete(m.held, 0, 1)
		m.next = c.Chunk + 1
		m.add(c, gap)
	}
}

func length(c *lift.Samples) time.Duration {
	return time.Duration(float64(len(c.Velocity)) / c.RateHz * float64(time.Second))
}

// together reports whether the time of b, which follows a, can only be that of its
// arrival.
func together(a, b *lift.Samples) bool {
	whole := length(a)
	return b.Time.Sub(a.Time) < whole-min(maxLag, whole/2)
}

// add puts a chunk behind what there is.
func (m *Machine) add(c *lift.Samples, gap bool) {
	gap = gap || c.RateHz != m.rate
	whole := length(c)
	lag := c.Time.Sub(m.clock)
	if gap && m.rate != 0 {
		m.cut()
		// Nothing spans a gap that is longer than it can last.
		if lag.Seconds() > setEnd {
			m.endSet()
		}
		if lag.Seconds() > maxDuration {
			m.afterGap = false
		}
	}
	switch {
	case gap || lag < 0:
		m.clock = c.Time // nothing is stamped before it happens
	default:
		m.clock = m.clock.Add(min(lag, whole/50)) // the device's clock may be slow
	}
	m.rate = c.RateHz
	m.marks = append(m.marks, mark{m.end(), c.Chunk, m.clock})
	for i, v := range c.Velocity {
		x := math.NaN()
		if len(c.Horizontal) > 0 {
			x = c.Horizontal[i]
		}
		m.push(v, x)
	}
	m.clock = m.clock.Add(whole)
	m.trim()
}

// end is the index of the sample that comes next.
func (m *Machine) end() int { return m.base + len(m.v) }

// samples is how many samples so many seconds have, at least one.
func (m *Machine) samples(s float64) int { return max(1, int(math.Round(s*m.rate))) }

// push takes one sample.
func (m *Machine) push(v, x float64) {
	i := m.end()
	m.v, m.x = append(m.v, v), append(m.x, x)
	width := m.samples(smoothing)
	m.sum += v
	if n := len(m.v); n > width {
		m.sum -= m.v[n-1-width]
	}
	smooth := m.sum / float64(width)
	m.h += v / m.rate

	if over := m.up.step(m, i, v, smooth, m.h); over || m.up.usual(m, i, m.medianROM()) {
		m.finishUp(!over)
	}
	if over := m.down.step(m, i, -v, -smooth, -m.h); over || m.down.usual(m, i, m.loweredROM()) {
		m.finishDown(!over)
	}
	if m.up.pushing || m.down.pushing {
		m.last = i
	}
	rest := float64(i-m.last) / m.rate
	if rest > stall && m.afterGap && !m.up.active {
		m.afterGap = false
	}
	if rest > setEnd && m.orderKnown {
		m.endSet()
	}
	if m.pending != nil && !m.down.active && float64(i)-m.pending.to > partnerWait*m.rate {
		m.tell()
	}
}

func (m *Machine) endSet() { m.roms, m.orderKnown, m.lowered = m.roms[:0], false, nil }

// loweredROM is how far the bar is expected to come down.
func (m *Machine) loweredROM() float64 {
	if m.pending != nil {
		return m.pending.rom
	}
	return m.medianROM()
}

// medianROM is that of the set, else the lifter's, 0 where neither is known.
func (m *Machine) medianROM() float64 {
	if len(m.roms) >= 3 || len(m.roms) == 2 && m.Gate.MedianROM == 0 {
		return median(append(m.heights[:0], m.roms...))
	}
	return m.Gate.MedianROM
}

// median of at least one value; it sorts them.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// cut ends the stretch: a gap follows.
func (m *Machine) cut() {
	m.Stats.Gaps++
	open := false
	if m.up.active {
		rose := m.up.top - m.up.bottom
		if m.up.usual(m, m.end()-1, m.medianROM()) {
			m.finishUp(false)
		} else if open = rose > shrug; open && rose >= m.leastROM() {
			m.Stats.Dropped++
		}
	}
	m.tell()
	m.afterGap, m.openAtGap = true, open || m.afterGap && m.openAtGap
	m.lowered = nil
	m.base, m.v, m.x, m.marks = 0, m.v[:0], m.x[:0], m.marks[:0]
	m.up, m.down = movement{}, movement{}
	m.sum, m.h, m.last = 0, 0, 0
}

// trim forgets the samples that nothing will ask for any more.
func (m *Machine) trim() {
	keep := m.end()
	for _, mv := range []*movement{&m.up, &m.down} {
		if mv.active {
			keep = min(keep, mv.pushes[0].on)
		}
	}
	if m.pending != nil {
		keep = min(keep, int(m.pending.from))
	}
	keep -= m.samples(before + 0.2) // a movement is noticed after it has begun
	if n := keep - m.base; n > m.samples(1) {
		m.v, m.x, m.base = slices.Delete(m.v, 0, n), slices.Delete(m.x, 0, n), keep
		for len(m.marks) > 1 && m.marks[1].index <= keep {
			m.marks = slices.Delete(m.marks, 0, 1)
		}
		m.sum = 0
		for _, v := range m.v[max(0, len(m.v)-m.samples(smoothing)):] {
			m.sum += v
		}
	}
}

// mark is the beginning of the chunk that holds an index.
func (m *Machine) mark(index int) mark {
	i := len(m.marks) - 1
	for i > 0 && m.marks[i].index > index {
		i--
	}
	return m.marks[i]
}

// seq names a sample within its boot.
func (m *Machine) seq(index int) int64 {
	k := m.mark(index)
	return 1000*k.chunk + int64(index-k.index)
}

func (m *Machine) timeOf(index float64) time.Time {
	k := m.mark(int(index))
	since := (index - float64(k.index)) / m.rate
	return k.time.Add(time.Duration(since * float64(time.Second))).UTC().Truncate(time.Microsecond)
}
