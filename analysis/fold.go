package analysis

import (
	"math"
	"slices"
	"time"
)

// heldInFull is how long reps are held in full after the day that they belong
// to, so that late and corrected ones can be taken without loading history.
const heldInFull = 36 * time.Hour

// foldable is when the first day that is held can be folded into sums.
func (l *Lifter) foldable() int64 {
	if len(l.reps) == 0 {
		return math.MaxInt64
	}
	first := dateOf(time.Unix(0, l.reps[0].at), l.Zone)
	return (first + 1).start(l.Zone).Add(heldInFull).UnixNano()
}

// fold turns the days that are long enough ago into sums of their weeks. The
// cut is at a midnight that no set spans: sets, their order on a date and their
// warm-ups then depend on nothing that is given away.
func (l *Lifter) fold() {
	day := dateOf(time.Unix(0, l.now).Add(-heldInFull), l.Zone)
	cut := l.startOf(day)
	for l.spanned(cut) {
		day--
		cut = l.startOf(day)
	}
	gone, _ := slices.BinarySearchFunc(l.reps, cut, func(r rep, at int64) int {
		if r.at < at {
			return -1
		}
		return 1
	})
	if gone == 0 {
		// A set spans every midnight so far: look again in an hour.
		l.foldAt = l.now + int64(time.Hour)
		return
	}
	for x := range l.sessions {
		if l.sessions[x].day < day {
			l.foldSession(int32(x))
		}
	}
	l.reps = slices.Clone(l.reps[gone:])
	l.prune(day, cut)
	l.recut()
	l.sets, l.sessions = slices.Clip(l.sets), slices.Clip(l.sessions)
	l.refresh()
	l.foldAt = l.foldable()
}

// spanned reports whether a set begins before the cut and ends at or after it.
func (l *Lifter) spanned(cut int64) bool {
	for i := range l.sets {
		if s := &l.sets[i]; s.started < cut && s.ended >= cut {
			return true
		}
	}
	return false
}

func (l *Lifter) foldSession(x int32) {
	session := &l.sessions[x]
	group, monday := l.lifts[session.lift].group, session.day.monday()
	i := slices.IndexFunc(l.past, func(w weekSum) bool { return w.monday == monday && w.group == group })
	if i < 0 {
		i = len(l.past)
		l.past = append(l.past, weekSum{monday: monday, group: group})
	}
	w := &l.past[i]
	w.totals.add(session.totals)
	l.each(x, func(s *set, warmup bool) {
		if !warmup {
			w.work = append(w.work, workSet{int64(s.work) * max(s.load, 0), s.work})
		}
	})
}

// prune forgets what can no longer matter when the days before day are folded.
func (l *Lifter) prune(day date, cut int64) {
	l.edge = max(l.edge, cut+int64(numberedGap))
	l.held = max(l.held, cut)
	l.week = max(l.judgeFrom, day.monday())
	l.past = slices.DeleteFunc(l.past, func(w weekSum) bool { return w.monday < l.week-7*lookbackWeeks })
	for id, m := range l.told {
		if !l.keeps(m) {
			delete(l.told, id)
		}
	}
	l.healthFrom = max(l.judgeFrom, day.monday()-14)
	l.reports = slices.DeleteFunc(l.reports, func(r report) bool { return r.day < l.healthFrom-14 })
	from := l.startOf(l.healthFrom)
	for id, m := range l.toldHealth {
		if m.from < from {
			delete(l.toldHealth, id)
		}
	}
	bars := l.bars
	l.bars, l.nowBar = nil, 0
	for i := range l.reps {
		r := &l.reps[i]
		b := bars[r.bar]
		k := slices.IndexFunc(l.bars, func(o bar) bool { return o.boot == b.boot && o.device == b.device && o.site == b.site })
		if k < 0 {
			k = len(l.bars)
			l.bars = append(l.bars, b)
		}
		r.bar = int32(k)
	}
}
