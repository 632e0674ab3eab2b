package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/lift"
)

// diary is one athlete's training, cut into sets and sessions, with what was
// reported and decided. Reps are held of the latest days only; sets of earlier
// days are held as facts, and no rule looks at the reps of another day.
type diary struct {
	athlete lift.AthleteID
	site    lift.SiteID
	Settings
	since []date // from which on each of Later counts

	lifts   []exerciseFacts // those met so far
	bars    []bar
	devices []device
	nowLift int32 // the lift and the bar of the latest rep
	nowBar  int32

	reps     []rep // in the order of compare, invalid ones among them
	sets     []set // in the order of their first rep; those before kept have no reps any more
	lives    []live
	sessions []session
	kept     int     // sets of folded days
	keptX    int     // their sessions
	joinable []int32 // numbered sets that a rep can still join
	loose    int32   // the latest set without a number, or -1
	roms     []romDay
	flip     bool // a rep has become a ghost, or is none any more: cut anew

	day        date // of the latest set, with its bounds
	dayStarted int64
	dayEnds    int64

	reports []report
	plan    []decision
	spans   []span // holds and red flags, of reports and plan
	refs    refs
	daySets []int32 // of the date being judged
	dayBars []int32
	values  []float64 // scratch, as are the points
	spots   []profile.Point
}

// exerciseFacts is what the rules need of an exercise.
type exerciseFacts struct {
	id          lift.ExerciseID
	group       string
	minVelocity float64 // 0 if unknown
	own         bool    // the athlete's own
	slope       float64 // 0 if unknown
	posterior   bool
}

// bar is one boot of one device.
type bar struct {
	site   lift.SiteID
	device lift.DeviceID
	boot   string
	newest int64 // highest seq seen
	index  int32 // in devices
}

type device struct {
	site lift.SiteID
	id   lift.DeviceID
}

const (
	noLoad   = -1
	noNumber = -1

	setGap      = 90 * time.Second // cuts sets without a number, and finishes a live one
	numberedGap = 30 * time.Minute // joins reps of a numbered set up to here
)

// rep is a rep as the diary holds it. A logged set is one that counts many.
type rep struct {
	at, received                      int64 // Unix nanoseconds
	seq                               int64
	logSeq                            uint64
	id                                string
	velocity                          float64 // m/s; 0 if none was measured
	load                              int64   // grams, or noLoad
	peak, rom, eccentric              float32 // or absent
	marks                             [technical]float32
	bar, lift                         int32
	revision                          int32
	set                               int32 // index, or -1 for one that does not count
	number                            int32 // of the set, or noNumber
	count                             int32 // of the rep in its set as the device counted, or noNumber
	many                              int32
	valid, warmup, failed, historical bool
	source                            uint8 // in sources
	ghost                             bool  // far shorter than the day's others: no rep
}

// sources are those of reps, of which a rep holds the index.
var sources = [...]lift.Source{"", lift.SourceDevice, lift.SourceSegmented, lift.SourceImported, lift.SourceLogged}

const (
	segmented = 2
	logged    = 4
)

func sourceCode(s lift.Source) uint8 { return uint8(max(0, slices.Index(sources[:], s))) }

// absent marks a value that was not given.
const absent = float32(-math.MaxFloat32)

// set is what of a set is held as facts; eight weeks of them are most of a Lifter.
type set struct {
	load, started         int64
	technique             *[technical]moments // nil where the device tells nothing
	live, session         int32               // live: in lives, -1 once its reps are gone
	completed, work       int32               // reps that did not fail; of these, those not marked as warm-up
	fastest               float32             // of all completed reps
	best, final           float32             // the fastest and the last work rep
	lift, device          int16
	failed, timed         uint8 // reps that did; work reps with a velocity; up to 255
	historical            bool  // the last rep
	logged, warmup, tempo bool  // noted without velocity; as sum has found; lowered too slowly to be as fast as possible
	faulty                fault // the device cannot be believed
}

// live is what is known of a set whose reps are held.
type live struct {
	first, last int32 // index of its first and last rep; others' may lie between
	earliest    int32 // the rep that was logged first
	number      int32
	ended       int64
	received    int64 // latest receipt
	slow        slowdown
	early       float64 // fastest of the first three work reps
	rom         moments
}

// of is what is known of a set whose reps are held.
func (d *diary) of(s *set) *live { return &d.lives[s.live] }

func newDiary(athlete lift.AthleteID, site lift.SiteID, s Settings) diary {
	d := diary{athlete: athlete, site: site, Settings: s.Filled(), loose: -1}
	for i := range d.Later {
		d.since = append(d.since, dateOf(d.Later[i].From, d.Zone))
	}
	return d
}

// load takes a history in any order and cuts it.
func (d *diary) load(h *History) {
	d.reps = make([]rep, 0, len(h.Reps)+len(h.Logged))
	for i := range h.Reps {
		d.reps = append(d.reps, d.convert(&h.Reps[i]))
	}
	for i := range h.Logged {
		d.reps = append(d.reps, d.convertLogged(&h.Logged[i]))
	}
	slices.SortFunc(d.reps, d.compare)
	for i := range h.CheckIns {
		d.reports = append(d.reports, d.convertCheckIn(&h.CheckIns[i]))
	}
	slices.SortFunc(d.reports, compareReports)
	d.plan = decisions(h.Plan)
	d.respan()
	d.recut()
}

func (d *diary) convert(r *lift.RepRecord) rep {
	out := rep{
		at: r.Time.UnixNano(), received: r.Time.UnixNano(), seq: r.Seq, revision: int32(min(r.Revision, math.MaxInt32)), logSeq: r.LogSeq,
		id: r.ID, source: sourceCode(r.Source), velocity: r.MeanVelocity, load: grams(r.LoadKg), set: -1, number: noNumber, count: noNumber,
		lift: d.liftOf(r.Exercise), bar: d.barOf(r.Site, r.Device, r.BootID), many: 1,
		peak: given(r.PeakVelocity), rom: given(r.ROM), eccentric: given(r.Eccentric), marks: technicalMarks(&r.Rep),
		valid: r.Valid && r.Athlete == d.athlete, warmup: r.Warmup, failed: r.Failed, historical: r.Historical,
	}
	if !r.Received.IsZero() {
		out.received = r.Received.UnixNano()
	}
	if r.Set != nil {
		out.number = int32(*r.Set)
	}
	if r.Rep.Rep != nil {
		out.count = int32(*r.Rep.Rep)
	}
	return out
}

// loggedDevice is the device that notes of training come from; no sensor can have its
// name.
const loggedDevice = "a log"

func (d *diary) convertLogged(l *lift.LoggedSet) rep {
	out := rep{
		at: l.Time.UnixNano(), received: l.Time.UnixNano(), id: l.ID, source: logged, load: grams(l.LoadKg), set: -1,
		number: noNumber, count: noNumber, lift: d.liftOf(l.Exercise), bar: d.barOf(l.Site, loggedDevice, l.ID), many: int32(l.Reps),
		peak: absent, rom: absent, eccentric: absent, marks: noMarks,
		valid: l.Reps > 0 && l.Athlete == d.athlete, warmup: l.Warmup, historical: true,
	}
	if l.Number != nil {
		out.number = int32(*l.Number)
	}
	return out
}

func grams(kg *float64) int64 {
	if kg == nil {
		return noLoad
	}
	return int64(math.Round(*kg * 1000))
}

func given(v *float64) float32 {
	if v == nil {
		return absent
	}
	return float32(*v)
}

func (d *diary) liftOf(id lift.ExerciseID) int32 {
	if int(d.nowLift) < len(d.lifts) && d.lifts[d.nowLift].id == id {
		return d.nowLift
	}
	for i := range d.lifts {
		if d.lifts[i].id == id {
			d.nowLift = int32(i)
			return d.nowLift
		}
	}
	d.nowLift = int32(len(d.lifts))
	d.lifts = append(d.lifts, d.lookUp(id))
	return d.nowLift
}

func (d *diary) barOf(site lift.SiteID, id lift.DeviceID, boot string) int32 {
	same := func(b *bar) bool { return b.boot == boot && b.device == id && b.site == site }
	if int(d.nowBar) < len(d.bars) && same(&d.bars[d.nowBar]) {
		return d.nowBar
	}
	if id != loggedDevice { // each note is a boot of its own
		for i := range d.bars {
			if same(&d.bars[i]) {
				d.nowBar = int32(i)
				return d.nowBar
			}
		}
	}
	index := slices.Index(d.devices, device{site, id})
	if index < 0 {
		index = len(d.devices)
		d.devices = append(d.devices, device{site, id})
	}
	d.nowBar = int32(len(d.bars))
	d.bars = append(d.bars, bar{site, id, boot, -1, int32(index)})
	return d.nowBar
}

// compare orders reps by time, then device, boot and seq. The sets of a workout often
// have one time in a training log: the number orders them.
func (d *diary) compare(a, b rep) int {
	if c := cmp.Compare(a.at, b.at); c != 0 {
		return c
	}
	if a.bar != b.bar {
		x, y := &d.bars[a.bar], &d.bars[b.bar]
		if a.source == logged && b.source == logged && a.number != b.number {
			return cmp.Compare(a.number, b.number)
		}
		if c := cmp.Or(strings.Compare(string(x.device), string(y.device)), strings.Compare(x.boot, y.boot)); c != 0 {
			return c
		}
		if c := cmp.Compare(a.seq, b.seq); c != 0 {
			return c
		}
		return strings.Compare(string(x.site), string(y.site))
	}
	return cmp.Compare(a.seq, b.seq)
}

// recut cuts the held reps into sets and sessions anew.
func (d *diary) recut() {
	d.sets, d.sessions, d.lives, d.joinable, d.loose = d.sets[:d.kept], d.sessions[:d.keptX], d.lives[:0], d.joinable[:0], -1
	d.dayStarted, d.dayEnds = 0, 0
	for i := range d.bars {
		d.bars[i].newest = -1
	}
	d.findGhosts()
	for i := range d.reps {
		r := &d.reps[i]
		d.bars[r.bar].newest = max(d.bars[r.bar].newest, r.seq)
		r.set = -1
		if r.valid && !r.ghost {
			d.place(int32(i))
		}
	}
	for i := d.keptX; i < len(d.sessions); i++ {
		d.sum(int32(i))
	}
}

// place puts the rep, which is the latest so far, into its set and returns the
// set's index. The session is not summed yet.
func (d *diary) place(i int32) int32 {
	r := &d.reps[i]
	k := d.joins(r)
	if k < 0 {
		k = int32(len(d.sets))
		d.sets = append(d.sets, set{
			live: int32(len(d.lives)), lift: int16(r.lift), device: int16(d.bars[r.bar].index), load: r.load, started: r.at,
			logged: r.source == logged, session: d.sessionOf(r, k),
		})
		d.lives = append(d.lives, live{first: i, earliest: i, number: r.number})
		switch {
		case r.source == logged: // a whole set by itself
		case r.number == noNumber:
			d.loose = k
		default:
			d.joinable = append(d.joinable, k)
		}
	}
	s := &d.sets[k]
	v := d.of(s)
	r.set = k
	d.sessions[s.session].last = max(d.sessions[s.session].last, k)
	v.last, v.ended, s.historical = i, r.at, r.historical
	v.received = max(v.received, r.received)
	if r.logSeq < d.reps[v.earliest].logSeq {
		v.earliest = i
	}
	if r.failed {
		s.failed = uint8(min(int(s.failed)+1, math.MaxUint8))
		return k
	}
	s.completed += r.many
	s.fastest = max(s.fastest, float32(r.velocity))
	if r.rom != absent {
		v.rom.add(float64(r.rom))
	}
	if r.eccentric != absent {
		s.tempo = d.slowOnPurpose(k)
	}
	if r.warmup {
		return k
	}
	s.work += r.many
	if r.velocity > 0 {
		b := d.bandsOf(s)
		v.slow.add(r.velocity, &b)
		s.timed, s.best, s.final = uint8(min(v.slow.n, math.MaxUint8)), float32(v.slow.best), float32(r.velocity)
		if v.slow.n <= 3 {
			v.early = max(v.early, r.velocity)
		}
	}
	s.addTechnique(r)
	s.faulty = d.faults(k)
	return k
}

// slowOnPurpose reports whether set k is lowered too slowly to be lifted as fast as
// possible.
func (d *diary) slowOnPurpose(k int32) bool {
	v := d.of(&d.sets[k])
	lowered := d.values[:0]
	for i := v.first; i <= v.last; i++ {
		if r := &d.reps[i]; r.set == k && !r.failed && r.eccentric != absent {
			lowered = append(lowered, float64(r.eccentric))
		}
	}
	d.values = lowered
	return profile.Tempo(lowered)
}

// joins returns the set that the rep goes on with, or -1.
func (d *diary) joins(r *rep) int32 {
	if r.source == logged {
		return -1
	}
	if r.number == noNumber {
		if d.loose >= 0 {
			s := &d.sets[d.loose]
			if int32(s.lift) == r.lift && s.load == r.load && r.at-d.of(s).ended < int64(setGap) {
				return d.loose
			}
		}
		return -1
	}
	found := int32(-1)
	keep := d.joinable[:0]
	for _, k := range d.joinable {
		s := &d.sets[k]
		if r.at-d.of(s).ended > int64(numberedGap) {
			continue
		}
		keep = append(keep, k)
		if d.of(s).number == r.number && int32(s.lift) == r.lift && s.load == r.load {
			found = k
		}
	}
	d.joinable = keep
	return found
}

// sessionOf returns the session of a set that begins with the rep.
func (d *diary) sessionOf(r *rep, k int32) int32 {
	d.today(r.at)
	for i := len(d.sessions) - 1; i >= 0 && d.sessions[i].day == d.day; i-- {
		if d.sessions[i].lift == r.lift {
			return int32(i)
		}
	}
	d.sessions = append(d.sessions, session{day: d.day, lift: r.lift, first: k})
	return int32(len(d.sessions) - 1)
}

// today makes day the local date of an instant.
func (d *diary) today(at int64) {
	if at < d.dayStarted || at >= d.dayEnds {
		d.day = dateOf(time.Unix(0, at), d.Zone)
		d.dayStarted = d.day.start(d.Zone).UnixNano()
		d.dayEnds = (d.day + 1).start(d.Zone).UnixNano()
	}
}

// finished reports whether no rep is expected in the set any more at now.
func (d *diary) finished(s *set, now int64) bool {
	if s.live < 0 {
		return true
	}
	v := d.of(s)
	return d.sets[len(d.sets)-1].started > v.ended || now >= v.received+int64(setGap)
}

// repsOf calls f with the reps of set k that did not fail and are not marked as
// warm-up, in order, and their place in the set. The reps must still be held.
func (d *diary) repsOf(k int32, f func(count int32, r *rep)) {
	v := d.of(&d.sets[k])
	count := int32(0)
	for i := v.first; i <= v.last; i++ {
		r := &d.reps[i]
		if r.set != k {
			continue
		}
		count++
		if r.failed || r.warmup {
			continue
		}
		n := count
		if r.count != noNumber {
			n = r.count
		}
		f(n, r)
	}
}

func kilograms(grams int64) float64 { return float64(grams) / 1000 }

// moments adds up values for their mean and variation.
type moments struct {
	n            int32
	sum, squares float64
}

func (m *moments) add(v float64) {
	m.n++
	m.sum += v
	m.squares += v * v
}

func (m *moments) join(o moments) {
	m.n += o.n
	m.sum += o.sum
	m.squares += o.squares
}

func (m *moments) mean() float64 { return m.sum / float64(m.n) }

// deviation is the sample standard deviation of at least two values.
func (m *moments) deviation() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(max(0, m.squares-m.sum*m.mean()) / float64(m.n-1))
}
