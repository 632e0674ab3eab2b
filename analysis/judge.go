package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Judge returns what the rules find in the whole history at now, ordered by the
// beginning of the window, then id. now is the time of the newest event: it
// finishes the last set, closes weeks and ends holds.
func Judge(h History, s Settings, now time.Time) []lift.Finding {
	d := newDiary(h.Athlete, h.Site, s)
	d.load(&h)
	at := nanos(now)
	var found []lift.Finding
	monday := date(math.MinInt32)
	for x := 0; x < len(d.sessions); {
		day := d.sessions[x].day
		d.refs.forget()
		if m := day.monday(); m != monday {
			monday = m
			found = d.judgeWeek(found, monday, at)
		}
		found = d.judgeDay(found, day, at)
		for x < len(d.sessions) && d.sessions[x].day == day {
			x++
		}
	}
	found = d.health(found, math.MinInt32, at)
	sortFindings(found)
	return found
}

// judgeDay adds what the rules of sets and sessions find on a date.
func (d *diary) judgeDay(found []lift.Finding, day date, now int64) []lift.Finding {
	begin := len(found)
	first := d.sessionsFrom(day)
	d.daySets = d.daySets[:0]
	for x := first; x < len(d.sessions) && d.sessions[x].day == day; x++ {
		d.each(int32(x), func(k int32, _ *set) { d.daySets = append(d.daySets, k) })
	}
	slices.Sort(d.daySets)
	for _, k := range d.daySets {
		found = d.judgeSet(found, begin, k, now)
	}
	deadlifts := false
	for x := first; x < len(d.sessions) && d.sessions[x].day == day; x++ {
		s := &d.sessions[x]
		group := d.lifts[s.lift].group
		deadlifts = deadlifts || group == DeadliftFamily
		if f, ok := d.setDrop(int32(x), now); ok {
			found = append(found, f)
		}
		if f, ok := d.daySlowdown(int32(x), now); ok {
			found = append(found, f)
		}
		if f, ok := d.technique(int32(x)); ok {
			found = append(found, f)
		}
		if group == "" || d.silenced(s.started) || d.groupBefore(group, first, x) {
			continue
		}
		if f, ok := d.sessionSpike(group, day); ok {
			found = append(found, f)
		}
	}
	if deadlifts {
		if f, ok := d.holdViolation(day, d.daySets); ok {
			found = append(found, f)
		}
		if f, ok := d.planViolation(day, d.daySets, now); ok {
			found = append(found, f)
		}
		if f, ok := d.warmUp(day); ok {
			found = append(found, f)
		}
	}
	return d.deviceFaults(found, day, d.daySets)
}

// groupBefore reports whether one of the sessions from first up to x is of the
// group.
func (d *diary) groupBefore(group string, first, x int) bool {
	return slices.ContainsFunc(d.sessions[first:x], func(s session) bool { return d.lifts[s.lift].group == group })
}

// perSession is how often a rule may tell of sets of one date; a set that is
// worse than the earlier ones is told nevertheless.
const perSession = 3

// judgeSet adds what the rules of sets find in set k; findings of the date begin
// at begin.
func (d *diary) judgeSet(found []lift.Finding, begin int, k int32, now int64) []lift.Finding {
	s := &d.sets[k]
	if s.logged || len(d.spans) > 0 && d.flagged(s.started) {
		return found
	}
	tell := func(f lift.Finding, ok bool) {
		if !ok {
			return
		}
		told := 0
		for i := begin; i < len(found); i++ {
			if found[i].Rule == f.Rule && found[i].Severity.Rank() >= f.Severity.Rank() {
				told++
			}
		}
		if told < perSession {
			found = append(found, f)
		}
	}
	if s.faulty == 0 {
		tell(d.velocityLoss(k, d.finished(s, now)))
		tell(d.grind(k))
	}
	tell(d.tempo(k))
	return found
}

// judgeWeek adds what the rules of weeks find in the week of a Monday.
func (d *diary) judgeWeek(found []lift.Finding, monday date, now int64) []lift.Finding {
	first := d.sessionsFrom(monday)
	for x := first; x < len(d.sessions) && d.sessions[x].day < monday+7; x++ {
		group := d.lifts[d.sessions[x].lift].group
		if group == "" || d.groupBefore(group, first, x) {
			continue
		}
		b, w := d.baselineOf(group, monday), d.judged(group, monday, monday+7)
		over, ok := b.judge(&w, &d.inWeek(monday).WeeklyVolume)
		if ok {
			found = append(found, d.weeklyVolume(b, &w, over))
		}
		if f, ok := d.weeklyLoad(b, &w, over.sev, now); ok {
			found = append(found, f)
		}
		if group == DeadliftFamily {
			if f, ok := d.heavyFrequency(b, over.sev); ok {
				found = append(found, f)
			}
			if f, ok := d.accessory(b, now); ok {
				found = append(found, f)
			}
		}
	}
	return found
}

func sortFindings(found []lift.Finding) {
	slices.SortFunc(found, func(a, b lift.Finding) int {
		return cmp.Or(a.Window.From.Compare(b.Window.From), strings.Compare(a.ID, b.ID))
	})
}
