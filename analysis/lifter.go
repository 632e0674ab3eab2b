package analysis

import (
	"math"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Lifter judges one athlete's training as it happens. After the same reps and
// check-ins, in whatever order, it has told what Judge finds, in the windows
// that it was made to judge.
//
// It holds reps of the last day and a half in full and older ones as sums. It
// is not safe for concurrent use.
type Lifter struct {
	diary
	judgeFrom  date  // Monday: windows that begin before are only baseline
	judgeStart int64 // its first instant
	now        int64

	edge  int64 // reps before this touch what is held as sums or is not judged
	held  int64 // sets that begin from here on are held in full and judged
	week  date  // Monday of the first week whose findings can still change
	stale bool  // reps have been put in between: the sets must be cut anew
	all   bool  // everything must be judged anew

	open    []int32 // sets that have changed or are not finished
	touched []int32 // sessions that have changed
	checks  []weekCheck
	foldAt  int64 // when reps can be folded into sums; 0 if to be found out

	reports       []report
	healthFrom    date
	healthTouched bool

	told       map[string]mark // findings of reps that hold, by id
	toldHealth map[string]mark // findings of check-ins
}

// mark is what is remembered of a finding that has been told.
type mark struct {
	sum  uint64
	from int64
	kind lift.WindowKind
}

// weekCheck is what a week's reps are compared with as they come.
type weekCheck struct {
	baseline
	folded totals // of the week's days that are no longer held
	fired  bool
}

// NewLifter makes a Lifter of an athlete's history, which must reach back to
// LoadFrom(evaluateFrom). Windows are judged from evaluateFrom's local week on
// (from the week of the day before, so that what a rep or check-in at
// evaluateFrom touches is judged); those that begin earlier are only baseline.
// A zero evaluateFrom judges everything.
//
// The first Evaluate tells all findings that Known has not told of before.
func NewLifter(h History, s Settings, evaluateFrom, now time.Time) *Lifter {
	l := &Lifter{
		diary: newDiary(h.Athlete, h.Site, s), all: true, now: nanos(now),
		judgeFrom: math.MinInt32, judgeStart: math.MinInt64, edge: math.MinInt64, held: math.MinInt64, week: math.MinInt32, healthFrom: math.MinInt32,
		told: map[string]mark{}, toldHealth: map[string]mark{},
	}
	if !evaluateFrom.IsZero() {
		l.judgeFrom = firstJudged(evaluateFrom, l.Zone)
		l.judgeStart = l.judgeFrom.start(l.Zone).UnixNano()
		l.edge = l.judgeStart + int64(numberedGap)
		l.held, l.week, l.healthFrom = l.judgeStart, l.judgeFrom, l.judgeFrom
	}
	l.load(h.Reps)
	for i := range h.CheckIns {
		l.reports = append(l.reports, l.convertCheckIn(&h.CheckIns[i]))
	}
	slices.SortFunc(l.reports, compareReports)
	return l
}

// Known tells of an alert that is in the log and not retracted: it is not told
// again unless it changes, and told to be gone if it does not hold. Alerts of
// windows that are not judged are ignored. Call it before Evaluate.
func (l *Lifter) Known(f *lift.Finding) {
	m := mark{sum: fingerprint(f), from: nanos(f.Window.From), kind: f.Window.Kind}
	switch f.Rule {
	case VelocityLoss, WeeklyVolume:
		if l.keeps(m) {
			l.told[f.ID] = m
			l.all = true
		}
	case PainZone, RedFlag:
		if m.from >= l.startOf(l.healthFrom) {
			l.toldHealth[f.ID] = m
			l.healthTouched = true
		}
	}
}

// keeps reports whether the window of a finding of reps can still change.
func (l *Lifter) keeps(m mark) bool {
	if m.kind == lift.WindowWeek {
		return m.from >= l.startOf(l.week)
	}
	return m.from >= l.held
}

func (l *Lifter) startOf(d date) int64 {
	if d == math.MinInt32 {
		return math.MinInt64
	}
	return d.start(l.Zone).UnixNano()
}

// Put takes a rep that is new, corrected, not valid any more or another
// athlete's now. What it holds already, or in a higher revision, changes
// nothing; of the same revision the latest put counts. It answers false, and
// takes nothing, when the rep touches what is not held in full: then a new
// Lifter must be loaded, evaluating from the rep's time on. The same is needed
// when a correction moves a rep away from a time that is no longer held, or
// takes it from the athlete there; Put cannot see that unless the record has a
// revision above 0.
func (l *Lifter) Put(r *lift.RepRecord) bool {
	at := nanos(r.Time)
	if at < l.edge {
		return false
	}
	in := l.convert(r)
	b := &l.bars[in.bar]
	if in.seq <= b.newest {
		if i := l.find(&in); i >= 0 {
			return l.correct(i, in)
		}
	}
	if in.revision > 0 && l.edge != math.MinInt64 {
		return false
	}
	b.newest = max(b.newest, in.seq)
	n := len(l.reps)
	if n > 0 && l.compare(l.reps[n-1], in) > 0 {
		l.insert(in)
		return true
	}
	l.reps = append(l.reps, in)
	if n == 0 {
		l.foldAt = 0
	}
	if in.valid && !l.stale {
		l.follow(int32(n))
	}
	return true
}

// find returns the index of the held version of the rep, or -1.
func (l *Lifter) find(r *rep) int {
	return slices.IndexFunc(l.reps, func(o rep) bool { return o.bar == r.bar && o.seq == r.seq })
}

func (l *Lifter) correct(i int, in rep) bool {
	held := l.reps[i]
	if held.revision > in.revision {
		return true
	}
	held.set = in.set
	if held == in {
		return true
	}
	if held.at < l.edge {
		return false // where it was is only baseline
	}
	l.reps = slices.Delete(l.reps, i, i+1)
	l.insert(in)
	return true
}

func (l *Lifter) insert(in rep) {
	i, _ := slices.BinarySearchFunc(l.reps, in, l.compare)
	l.reps = slices.Insert(l.reps, i, in)
	l.stale, l.all, l.foldAt = true, true, 0
}

// follow places the latest rep and notes what must be judged.
func (l *Lifter) follow(i int32) {
	known := len(l.sets)
	k := l.place(i)
	s := &l.sets[k]
	if s.earliest == i && s.first != i {
		l.all = true // the set has another id now
	}
	if l.sessions[s.session].day.monday() < l.sessions[len(l.sessions)-1].day.monday() {
		l.all = true // a baseline has changed
	}
	if int(k) == known || !slices.Contains(l.open, k) {
		l.open = append(l.open, k)
	}
	if n := len(l.touched); n == 0 || l.touched[n-1] != s.session {
		l.touched = append(l.touched, s.session)
	}
}

// PutCheckIn takes a check-in that is new or corrected, and answers false as Put
// does.
func (l *Lifter) PutCheckIn(c *lift.CheckInRecord) bool {
	in := l.convertCheckIn(c)
	if l.healthFrom != math.MinInt32 && in.day <= l.healthFrom {
		return false
	}
	if i := slices.IndexFunc(l.reports, func(r report) bool { return r.id == in.id }); i >= 0 {
		if l.reports[i].revision > in.revision || l.reports[i] == in {
			return true
		}
		l.reports = slices.Delete(l.reports, i, i+1)
	}
	i, _ := slices.BinarySearchFunc(l.reports, in, compareReports)
	l.reports = slices.Insert(l.reports, i, in)
	l.healthTouched = true
	return true
}

// Evaluate returns what has changed since it was last told: findings that are
// new or different, and the ids of those that do not hold any more. now is the
// time of the newest event; a time before an earlier one counts as that.
func (l *Lifter) Evaluate(now time.Time) (found []lift.Finding, gone []string) {
	l.now = max(l.now, nanos(now))
	if l.all || l.healthTouched {
		if l.all {
			found, gone = l.judgeAll(found, gone)
		} else {
			found, gone = l.judgeTouched(found, gone)
		}
		current := l.health(l.reports, l.healthFrom)
		found, gone = diff(l.toldHealth, current, found, gone)
		l.healthTouched = false
	} else {
		found, gone = l.judgeTouched(found, gone)
	}
	if l.foldAt == 0 {
		l.foldAt = l.foldable()
	}
	if l.now >= l.foldAt {
		l.fold()
	}
	if len(found) > 1 {
		sortFindings(found)
	}
	slices.Sort(gone)
	return found, gone
}

func (l *Lifter) judgeAll(found []lift.Finding, gone []string) ([]lift.Finding, []string) {
	if l.stale {
		l.recut()
		l.stale = false
	} else {
		for _, x := range l.touched {
			l.sum(x)
		}
	}
	current := l.training(l.week, l.judgeStart, l.now)
	found, gone = diff(l.told, current, found, gone)
	l.all = false
	l.refresh()
	return found, gone
}

// refresh notes the sets that are not finished, after the sets were cut anew
// or all were judged.
func (l *Lifter) refresh() {
	l.open, l.touched, l.checks = l.open[:0], l.touched[:0], l.checks[:0]
	for k := range l.sets {
		if s := &l.sets[k]; s.started >= l.judgeStart {
			finished := l.finished(s, l.now)
			s.fired = s.slow.band(&l.bands[s.lift], finished) >= 0
			if !finished {
				l.open = append(l.open, int32(k))
			}
		}
	}
}

func (l *Lifter) judgeTouched(found []lift.Finding, gone []string) ([]lift.Finding, []string) {
	keep := l.open[:0]
	for _, k := range l.open {
		s := &l.sets[k]
		finished := l.finished(s, l.now)
		if !finished {
			keep = append(keep, k)
		}
		if s.started < l.judgeStart {
			continue
		}
		switch band := s.slow.band(&l.bands[s.lift], finished); {
		case band >= 0:
			s.fired = true
			found = l.tell(found, l.velocityLoss(k, band))
		case s.fired:
			s.fired = false
			gone = l.drop(gone, lift.AlertID(VelocityLoss, l.athlete, string(l.lifts[s.lift].id), lift.WindowSet, l.setID(k)))
		}
	}
	l.open = keep
	for _, x := range l.touched {
		l.sum(x)
		found, gone = l.judgeWeek(x, found, gone)
	}
	l.touched = l.touched[:0]
	return found, gone
}

// judgeWeek judges the week of session x.
func (l *Lifter) judgeWeek(x int32, found []lift.Finding, gone []string) ([]lift.Finding, []string) {
	group, monday := l.lifts[l.sessions[x].lift].group, l.sessions[x].day.monday()
	if group == "" || monday < l.week {
		return found, gone
	}
	c := l.check(group, monday)
	w := c.folded
	w.add(l.heldWeek(group, monday))
	over, ok := c.judge(&w, &l.Limits.WeeklyVolume)
	switch {
	case ok:
		c.fired = true
		found = l.tell(found, l.weeklyVolume(&c.baseline, &w, over))
	case c.fired:
		c.fired = false
		gone = l.drop(gone, lift.AlertID(WeeklyVolume, l.athlete, group, lift.WindowWeek, monday.week()))
	}
	return found, gone
}

func (l *Lifter) check(group string, monday date) *weekCheck {
	for i := range l.checks {
		if c := &l.checks[i]; c.monday == monday && c.group == group {
			return c
		}
	}
	c := weekCheck{baseline: l.baseline(group, monday)}
	for i := range l.past {
		if w := &l.past[i]; w.monday == monday && w.group == group {
			c.folded.add(w.totals)
		}
	}
	if len(l.told) > 0 {
		_, c.fired = l.told[lift.AlertID(WeeklyVolume, l.athlete, group, lift.WindowWeek, monday.week())]
	}
	l.checks = append(l.checks, c)
	return &l.checks[len(l.checks)-1]
}

// NextDue returns when time alone can change a finding next: when a set that
// ends slowly is finished. It is zero if only an event can. It speaks of the
// state after the latest Evaluate.
func (l *Lifter) NextDue() time.Time {
	due := int64(math.MaxInt64)
	for _, k := range l.open {
		s := &l.sets[k]
		b := &l.bands[s.lift]
		if s.started >= l.judgeStart && s.slow.band(b, true) != s.slow.band(b, false) {
			due = min(due, s.received+int64(setGap))
		}
	}
	if due == math.MaxInt64 {
		return time.Time{}
	}
	return time.Unix(0, due).UTC()
}
