package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// diary is one athlete's reps, cut into sets and sessions, and the sums of the
// weeks whose reps are no longer held.
type diary struct {
	athlete lift.AthleteID
	site    lift.SiteID
	Settings

	lifts   []exercise // those met so far
	bands   []bands    // of each of the lifts
	bars    []bar
	nowLift int32 // the lift and the bar of the latest rep
	nowBar  int32

	reps     []rep // in the order of compare, invalid ones among them
	sets     []set // in the order of their first rep
	sessions []session
	joinable []int32 // numbered sets that a rep can still join
	loose    int32   // the latest set without a number, or -1

	past []weekSum // of days that are no longer held

	day        date // of the latest set, with its bounds
	dayStarted int64
	dayEnds    int64
}

// bar is one boot of one device.
type bar struct {
	site   lift.SiteID
	device lift.DeviceID
	boot   string
	newest int64 // highest seq seen
}

const (
	noLoad   = -1
	noNumber = -1

	setGap      = 90 * time.Second // cuts sets without a number, and finishes a live one
	numberedGap = 30 * time.Minute // joins reps of a numbered set up to here
)

// rep is a rep as the diary holds it.
type rep struct {
	at, received                      int64 // Unix nanoseconds
	seq                               int64
	revision                          int64
	logSeq                            uint64
	id                                string
	source                            lift.Source
	velocity                          float64 // m/s
	load                              int64   // grams, or noLoad
	bar, lift                         int32
	set                               int32 // index, or -1 for an invalid rep
	number                            int32 // of the set, or noNumber
	count                             int32 // of the rep in its set as the device counted, or noNumber
	valid, warmup, failed, historical bool
}

type set struct {
	first, last     int32 // index of its first and last rep; others' may lie between
	earliest        int32 // the rep that was logged first
	session         int32
	lift            int32
	number          int32
	load            int64
	started, ended  int64
	received        int64 // latest receipt
	completed, work int32 // reps that did not fail; of these, those not marked as warm-up
	slow            slowdown
	historical      bool // the last rep
	fired           bool // a finding of this set has been told
}

func newDiary(athlete lift.AthleteID, site lift.SiteID, s Settings) diary {
	return diary{athlete: athlete, site: site, Settings: s.filled(), loose: -1}
}

// load takes the reps in any order and cuts them.
func (d *diary) load(records []lift.RepRecord) {
	d.reps = make([]rep, 0, len(records))
	for i := range records {
		d.reps = append(d.reps, d.convert(&records[i]))
	}
	slices.SortFunc(d.reps, d.compare)
	d.recut()
}

func (d *diary) convert(r *lift.RepRecord) rep {
	out := rep{
		at: r.Time.UnixNano(), received: r.Time.UnixNano(), seq: r.Seq, revision: r.Revision, logSeq: r.LogSeq,
		id: r.ID, source: r.Source, velocity: r.MeanVelocity, load: noLoad, set: -1, number: noNumber, count: noNumber,
		lift: d.liftOf(r.Exercise), bar: d.barOf(r),
		valid: r.Valid && r.Athlete == d.athlete, warmup: r.Warmup, failed: r.Failed, historical: r.Historical,
	}
	if !r.Received.IsZero() {
		out.received = r.Received.UnixNano()
	}
	if r.LoadKg != nil {
		out.load = int64(math.Round(*r.LoadKg * 1000))
	}
	if r.Set != nil {
		out.number = int32(*r.Set)
	}
	if r.Rep.Rep != nil {
		out.count = int32(*r.Rep.Rep)
	}
	return out
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
	e := lookUp(id)
	d.nowLift = int32(len(d.lifts))
	d.lifts = append(d.lifts, e)
	d.bands = append(d.bands, d.bandsOf(e.group))
	return d.nowLift
}

func (d *diary) barOf(r *lift.RepRecord) int32 {
	same := func(b *bar) bool { return b.boot == r.BootID && b.device == r.Device && b.site == r.Site }
	if int(d.nowBar) < len(d.bars) && same(&d.bars[d.nowBar]) {
		return d.nowBar
	}
	for i := range d.bars {
		if same(&d.bars[i]) {
			d.nowBar = int32(i)
			return d.nowBar
		}
	}
	d.nowBar = int32(len(d.bars))
	d.bars = append(d.bars, bar{r.Site, r.Device, r.BootID, -1})
	return d.nowBar
}

// compare orders reps by time, then device, boot and seq.
func (d *diary) compare(a, b rep) int {
	if c := cmp.Compare(a.at, b.at); c != 0 {
		return c
	}
	if a.bar != b.bar {
		x, y := &d.bars[a.bar], &d.bars[b.bar]
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
	d.sets, d.sessions, d.joinable, d.loose = d.sets[:0], d.sessions[:0], d.joinable[:0], -1
	d.dayStarted, d.dayEnds = 0, 0
	for i := range d.bars {
		d.bars[i].newest = -1
	}
	for i := range d.reps {
		r := &d.reps[i]
		d.bars[r.bar].newest = max(d.bars[r.bar].newest, r.seq)
		r.set = -1
		if r.valid {
			d.place(int32(i))
		}
	}
	for i := range d.sessions {
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
			first: i, earliest: i, lift: r.lift, number: r.number, load: r.load, started: r.at,
			session: d.sessionOf(r, k),
		})
		if r.number == noNumber {
			d.loose = k
		} else {
			d.joinable = append(d.joinable, k)
		}
	}
	s := &d.sets[k]
	r.set = k
	d.sessions[s.session].last = max(d.sessions[s.session].last, k)
	s.last, s.ended, s.historical = i, r.at, r.historical
	s.received = max(s.received, r.received)
	if r.logSeq < d.reps[s.earliest].logSeq {
		s.earliest = i
	}
	if !r.failed {
		s.completed++
		if !r.warmup {
			s.work++
			s.slow.add(r.velocity, &d.bands[r.lift])
		}
	}
	return k
}

// joins returns the set that the rep goes on with, or -1.
func (d *diary) joins(r *rep) int32 {
	if r.number == noNumber {
		if d.loose >= 0 {
			s := &d.sets[d.loose]
			if s.lift == r.lift && s.load == r.load && r.at-s.ended < int64(setGap) {
				return d.loose
			}
		}
		return -1
	}
	found := int32(-1)
	keep := d.joinable[:0]
	for _, k := range d.joinable {
		s := &d.sets[k]
		if r.at-s.ended > int64(numberedGap) {
			continue
		}
		keep = append(keep, k)
		if s.number == r.number && s.lift == r.lift && s.load == r.load {
			found = k
		}
	}
	d.joinable = keep
	return found
}

// sessionOf returns the session of a set that begins with the rep.
func (d *diary) sessionOf(r *rep, k int32) int32 {
	if r.at < d.dayStarted || r.at >= d.dayEnds {
		d.day = dateOf(time.Unix(0, r.at), d.Zone)
		d.dayStarted = d.day.start(d.Zone).UnixNano()
		d.dayEnds = (d.day + 1).start(d.Zone).UnixNano()
	}
	for i := len(d.sessions) - 1; i >= 0 && d.sessions[i].day == d.day; i-- {
		if d.sessions[i].lift == r.lift {
			return int32(i)
		}
	}
	d.sessions = append(d.sessions, session{day: d.day, lift: r.lift, first: k})
	return int32(len(d.sessions) - 1)
}

// finished reports whether no rep is expected in the set any more at now.
func (d *diary) finished(s *set, now int64) bool {
	return d.sets[len(d.sets)-1].started > s.ended || now >= s.received+int64(setGap)
}

func kilograms(grams int64) float64 { return float64(grams) / 1000 }
