package analysis

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// A hold keeps heavy deadlifts away: after pain in the red zone, radicular
// symptoms or a red flag, or because a coach said so. Each cause has its own end;
// those that overlap are one hold, which ends with the last. A red flag also
// silences every load rule: who needs a doctor is not to be told about percents.

// span is a stretch of time under a hold or after a red flag.
type span struct {
	from, to int64
	day      date // it began on
	cause    cause
	flag     bool // of silence after a red flag; else a hold
}

// cause is what began a hold, the gravest last.
type cause int8

const (
	causePain cause = iota
	causeCoach
	causeNerves
	causeFlag
)

// silentDays is how long a red flag silences load rules if nobody releases it:
// no silence may last longer without a new reason.
const silentDays = 14

// clearanceDays is how long a red flag keeps deadlifts on hold if no clinician
// clears it. It is within what is loaded of reports.
const clearanceDays = 84

// respan finds the spans from the reports and the plan.
func (d *diary) respan() {
	d.spans = d.spans[:0]
	hold := func(at int64, day date, c cause) {
		s := span{from: at, day: day, cause: c, to: d.endOf(day + date(d.on(day).Hold.LongestDays))}
		switch c {
		case causeFlag:
			s.to = d.endOf(day + clearanceDays)
		case causePain, causeNerves:
			s.to = min(s.to, d.settled(day))
		}
		s.to = min(s.to, d.releaseAfter(at))
		d.spans = append(d.spans, s)
	}
	for i := range d.reports {
		r := &d.reports[i]
		switch {
		case r.flags > 0:
			hold(r.at, r.day, causeFlag)
			to := min(d.endOf(r.day+silentDays), d.releaseAfter(r.at))
			d.spans = append(d.spans, span{from: r.at, to: to, day: r.day, cause: causeFlag, flag: true})
		case r.nerves > 0:
			hold(r.at, r.day, causeNerves)
		case r.training() && int(r.pain) >= d.on(r.day).PainZone.Red:
			hold(r.at, r.day, causePain)
		}
	}
	for _, p := range d.plan {
		if p.step.Verb == lift.PlanHold {
			hold(p.at, dateOf(time.Unix(0, p.at), d.Zone), causeCoach)
		}
	}
	slices.SortStableFunc(d.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.cause, b.cause))
	})
}

// holds are the holds, each from its first cause to the end of its last.
func (d *diary) holds() []span {
	var all []span
	for _, s := range d.spans {
		n := len(all)
		switch {
		case s.flag:
		case n == 0 || s.from >= all[n-1].to:
			all = append(all, s)
		default:
			all[n-1].to = max(all[n-1].to, s.to)
		}
	}
	return all
}

func (d *diary) endOf(day date) int64 { return day.start(d.Zone).UnixNano() }

// releaseAfter is when somebody released what began at the time.
func (d *diary) releaseAfter(at int64) int64 {
	for _, p := range d.plan {
		if p.at > at && p.step.Verb == lift.PlanRelease {
			return p.at
		}
	}
	return math.MaxInt64
}

// settled is when the pain of a hold that began on the day had settled: on two
// dates in a row, from the earliest day on, daily life was at most ReleasePain and
// nobody named a symptom of the other kinds.
func (d *diary) settled(day date) int64 {
	l := &d.on(day).Hold
	before := date(math.MinInt32)
	first, _ := slices.BinarySearchFunc(d.reports, day, func(r report, day date) int { return cmp.Compare(r.day, day) })
	for i := first; i < len(d.reports); {
		end, worst, at := i, noPain, int64(0)
		for ; end < len(d.reports) && d.reports[end].day == d.reports[i].day; end++ {
			switch r := &d.reports[end]; {
			case r.flags > 0 || r.nerves > 0:
				worst, at = worstPain, r.at
			case !r.training() && r.pain != noPain:
				worst, at = max(worst, int(r.pain)), r.at
			}
		}
		today := d.reports[i].day
		i = end
		if today <= day || worst == noPain {
			continue
		}
		if worst > l.ReleasePain {
			before = math.MinInt32
			continue
		}
		if before == today-1 && today >= day+date(l.EarliestDay) {
			return at
		}
		before = today
	}
	return math.MaxInt64
}

// flagged reports whether a red flag silences load rules at the time.
func (d *diary) flagged(at int64) bool {
	return slices.ContainsFunc(d.spans, func(s span) bool { return s.flag && at >= s.from && at < s.to })
}

// hold returns the first of the causes that keep deadlifts on hold at the time,
// and the gravest of them: who set it or must be asked.
func (d *diary) hold(at int64) (first date, gravest cause, ok bool) {
	for _, s := range d.spans {
		if s.flag || at < s.from || at >= s.to {
			continue
		}
		if !ok {
			first = s.day
		}
		gravest, ok = max(gravest, s.cause), true
	}
	return first, gravest, ok
}

// silenced reports whether rules of volume, load and frequency are silent.
func (d *diary) silenced(at int64) bool {
	return slices.ContainsFunc(d.spans, func(s span) bool { return at >= s.from && at < s.to })
}
