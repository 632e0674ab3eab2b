package analysis

import (
	"math"
	"slices"
	"time"
)

// heldInFull is how long reps are held in full after the day that they belong
// to, so that late and corrected ones can be taken without loading history.
const heldInFull = 36 * time.Hour

// foldable is when the first day that is held can be folded into facts.
func (l *Lifter) foldable() int64 {
	if len(l.reps) == 0 {
		return math.MaxInt64
	}
	first := dateOf(time.Unix(0, l.reps[0].at), l.Zone)
	return (first + 1).start(l.Zone).Add(heldInFull).UnixNano()
}

// fold forgets the reps of the days that are long enough ago; their sets stay as
// facts. The cut is at a midnight that no set spans and that no open set precedes:
// sets, their order on a date and their warm-ups then depend on nothing that is
// given away.
func (l *Lifter) fold() {
	day := dateOf(time.Unix(0, l.now).Add(-heldInFull), l.Zone)
	cut := l.endOf(day)
	for l.spanned(cut) {
		day--
		cut = l.endOf(day)
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
	for ; l.kept < len(l.sets) && l.sessions[l.sets[l.kept].session].day < day; l.kept++ {
		l.sets[l.kept].live = -1
	}
	l.keptX = l.sessionsFrom(day)
	l.reps = slices.Clone(l.reps[gone:])
	l.prune(day, cut)
	l.lives, l.roms, l.current, l.spots = nil, nil, nil, nil
	l.recut()
	l.sets, l.sessions, l.lives = slices.Clone(l.sets), slices.Clone(l.sessions), slices.Clone(l.lives)
	l.refresh()
	l.foldAt = l.foldable()
}

// spanned reports whether a set begins before the cut and ends at or after it, or
// is not finished: what its end changes is still to be judged.
func (l *Lifter) spanned(cut int64) bool {
	for i := l.kept; i < len(l.sets); i++ {
		if s := &l.sets[i]; s.started < cut && (l.of(s).ended >= cut || !l.finished(s, l.now)) {
			return true
		}
	}
	return false
}

// prune forgets what can no longer matter when the days before day are folded.
func (l *Lifter) prune(day date, cut int64) {
	l.edge = max(l.edge, cut+int64(numberedGap))
	l.held = max(l.held, day)
	l.week = max(l.judgeFrom, day.monday())
	l.forgetSets(l.week - 7*lookbackWeeks)
	l.reports = slices.DeleteFunc(l.reports, func(r report) bool { return r.day < l.week-7*reportWeeks })
	l.respan()
	for u, marks := range l.told {
		marks = slices.DeleteFunc(marks, func(m mark) bool { return !l.keeps(u, m) })
		if len(marks) == 0 {
			delete(l.told, u)
		} else {
			l.told[u] = marks
		}
	}
	bars := l.bars
	l.bars, l.nowBar = nil, 0
	for i := range l.reps {
		b := bars[l.reps[i].bar]
		l.reps[i].bar = l.barOf(b.site, b.device, b.boot)
	}
}

// forgetSets drops the facts of sets and sessions of dates before the given one.
func (l *Lifter) forgetSets(before date) {
	x := min(l.sessionsFrom(before), l.keptX)
	k := 0
	for k < l.kept && int(l.sets[k].session) < x {
		k++
	}
	l.sessions, l.sets = slices.Delete(l.sessions, 0, x), slices.Delete(l.sets, 0, k)
	l.kept, l.keptX = l.kept-k, l.keptX-x
	for i := range l.sessions {
		l.sessions[i].first -= int32(k)
		l.sessions[i].last -= int32(k)
	}
	for i := range l.sets {
		l.sets[i].session -= int32(x)
	}
}
