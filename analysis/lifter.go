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
// It holds reps of the last day and a half in full and sets of earlier days as
// facts. It is not safe for concurrent use.
type Lifter struct {
	diary
	judgeFrom  date  // Monday: windows that begin before are only baseline
	judgeStart int64 // its first instant
	now        int64

	edge  int64 // reps before this touch what is held as facts or is not judged
	held  date  // dates from here on are held in full and judged
	week  date  // Monday of the first week whose findings can still change
	stale bool  // reps have been put in between: the sets must be cut anew
	all   bool  // everything must be judged anew

	open    []int32 // sets that are not finished
	touched []int32 // sessions that have changed
	foldAt  int64   // when reps can be folded into facts; 0 if to be found out
	wakeAt  int64   // when time alone changes something beside unfinished sets
	oldest  int64   // of the reps put since the latest Evaluate
	dawn    int64   // when the date of now began, and the next one does
	nextDay int64

	told    map[unit][]mark
	current []lift.Finding // of the unit being judged
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
		judgeFrom: math.MinInt32, judgeStart: math.MinInt64, edge: math.MinInt64, held: math.MinInt32, week: math.MinInt32,
		wakeAt: math.MaxInt64, oldest: math.MaxInt64, dawn: math.MinInt64, nextDay: math.MinInt64, told: map[unit][]mark{},
	}
	if !evaluateFrom.IsZero() {
		l.judgeFrom = firstJudged(evaluateFrom, l.Zone)
		l.judgeStart = l.endOf(l.judgeFrom)
		l.edge = l.judgeStart + int64(numberedGap)
		l.held, l.week = l.judgeFrom, l.judgeFrom
	}
	l.load(&h)
	return l
}

// Known tells of an alert that is in the log and not retracted: it is not told
// again unless it changes, and told to be gone if it does not hold. Alerts of
// windows that are not judged are ignored. Call it before Evaluate.
func (l *Lifter) Known(f *lift.Finding) {
	u, m := l.unitOf(f), markOf(f)
	if l.keeps(u, m) {
		l.told[u] = append(l.told[u], m)
		l.all = true
	}
}

// keeps reports whether a finding can still change.
func (l *Lifter) keeps(u unit, m mark) bool {
	switch {
	case l.week == math.MinInt32:
		return true
	case u.class == unitWeek:
		return u.at >= l.week
	case u.class == unitDay:
		return u.at >= l.held
	}
	return m.from >= l.endOf(l.week-reach(m.rule))
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
	held.set, held.ghost = in.set, in.ghost
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
	r := &l.reps[i]
	l.seeGhost(r)
	if l.flip {
		l.stale, l.all = true, true
		return
	}
	if r.ghost {
		return
	}
	known := len(l.sets)
	k := l.place(i)
	s := &l.sets[k]
	if v := l.of(s); v.earliest == i && v.first != i {
		l.all = true // the set has another id now
	}
	l.oldest = min(l.oldest, l.reps[i].at)
	if s.session < int32(len(l.sessions))-1 && l.sessions[s.session].day < l.sessions[len(l.sessions)-1].day {
		l.all = true // what a later day is compared with has changed
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
	if in.at < l.edge {
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
	l.respan()
	l.all = true
	return true
}

// Evaluate returns what has changed since it was last told: findings that are
// new or different, and the ids of those that do not hold any more. now is the
// time of the newest event; a time before an earlier one counts as that.
func (l *Lifter) Evaluate(now time.Time) (found []lift.Finding, gone []string) {
	l.now = max(l.now, nanos(now))
	if l.now >= l.nextDay {
		today := dateOf(time.Unix(0, l.now), l.Zone)
		l.dawn, l.nextDay = l.endOf(today), l.endOf(today+1)
	}
	if l.oldest < l.dawn {
		l.all = true // what was judged when its date ended may have changed
	}
	l.oldest = math.MaxInt64
	if l.all || l.now >= l.wakeAt {
		found, gone = l.judgeAll(found, gone)
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
	judged := map[unit]bool{}
	x := l.sessionsFrom(l.week)
	monday, day := date(math.MinInt32), date(math.MinInt32)
	for ; x < len(l.sessions); x++ {
		if l.sessions[x].day == day {
			continue
		}
		day = l.sessions[x].day
		l.refs.forget()
		if m := day.monday(); m != monday {
			monday = m
			u := unit{unitWeek, m}
			judged[u] = true
			l.current = l.judgeWeek(l.current[:0], m, l.now)
			found, gone = l.tell(u, l.current, found, gone)
		}
		if day >= l.held {
			u := unit{unitDay, day}
			judged[u] = true
			l.current = l.judgeDay(l.current[:0], day, l.now)
			found, gone = l.tell(u, l.current, found, gone)
		}
	}
	u := unit{class: unitHealth}
	judged[u] = true
	l.current = l.health(l.current[:0], l.week, l.now)
	found, gone = l.tell(u, l.current, found, gone)
	for u := range l.told {
		if !judged[u] {
			found, gone = l.tell(u, nil, found, gone)
		}
	}
	l.all = false
	l.refresh()
	return found, gone
}

// refresh notes the sets that are not finished, after the sets were cut anew
// or all were judged.
func (l *Lifter) refresh() {
	l.open, l.touched = l.open[:0], l.touched[:0]
	l.refs.forget()
	for k := l.kept; k < len(l.sets); k++ {
		if s := &l.sets[k]; s.started >= l.judgeStart && !l.finished(s, l.now) {
			l.open = append(l.open, int32(k))
		}
	}
	l.wakeAt = l.wake()
}

func (l *Lifter) judgeTouched(found []lift.Finding, gone []string) ([]lift.Finding, []string) {
	for _, k := range l.open {
		if x := l.sets[k].session; l.finished(&l.sets[k], l.now) && !slices.Contains(l.touched, x) {
			l.touched = append(l.touched, x)
		}
	}
	l.open = slices.DeleteFunc(l.open, func(k int32) bool { return l.finished(&l.sets[k], l.now) })
	for _, x := range l.touched {
		if fresh := l.sessions[x].newest == 0; fresh {
			l.sum(x)
			l.wakeAt = l.wake()
			continue
		}
		l.sum(x)
	}
	for i, x := range l.touched {
		day := l.sessions[x].day
		if day < l.judgeFrom || slices.ContainsFunc(l.touched[:i], func(o int32) bool { return l.sessions[o].day == day }) {
			continue
		}
		l.current = l.judgeWeek(l.current[:0], day.monday(), l.now)
		found, gone = l.tell(unit{unitWeek, day.monday()}, l.current, found, gone)
		l.current = l.judgeDay(l.current[:0], day, l.now)
		found, gone = l.tell(unit{unitDay, day}, l.current, found, gone)
	}
	l.touched = l.touched[:0]
	return found, gone
}

// wake is when time alone changes something next, beside sets that are finished:
// a week closes, a report is missing, a hold should have ended, a phase of the
// plan should have.
func (l *Lifter) wake() int64 {
	next := int64(math.MaxInt64)
	today := dateOf(time.Unix(0, l.now), l.Zone)
	at := func(day date) {
		if day > today {
			next = min(next, l.endOf(day))
		}
	}
	// Reps can be ahead of the ticks, and a week may close between two of them.
	for x := len(l.sessions) - 1; x >= 0 && l.sessions[x].day+8 > today; x-- {
		at(l.sessions[x].day.monday() + 7)
		if l.lifts[l.sessions[x].lift].group == DeadliftFamily {
			at(l.sessions[x].day + 2)
		}
	}
	for _, s := range l.holds() {
		if due := s.day + date(l.on(s.day).Hold.PlannedDays); s.to > l.endOf(due) {
			at(due)
		}
	}
	for _, p := range l.phases() {
		for day := p.day + 7; day <= p.day+longestPhase && l.endOf(day) <= p.to; day += 7 {
			at(day)
		}
	}
	return next
}

// NextDue returns when time alone can change a finding next: when a set is
// finished, a week closes, a hold or a phase of the plan should have ended, or a
// report is missing. It is zero if only an event can. It speaks of the state
// after the latest Evaluate.
func (l *Lifter) NextDue() time.Time {
	due := l.wakeAt
	for _, k := range l.open {
		due = min(due, l.of(&l.sets[k]).received+int64(setGap))
	}
	if due == math.MaxInt64 {
		return time.Time{}
	}
	return time.Unix(0, due).UTC()
}
