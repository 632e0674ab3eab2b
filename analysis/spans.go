package analysis

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// A hold keeps heavy deadlifts away: after pain in the red zone, radicular
// symptoms or a red flag, or because a coach said so. A new cause begins a new
// hold. A red flag also silences every load rule: who needs a doctor is not to
// be told about percents.

// span is a stretch of time under a hold or after a red flag.
type span struct {
	from, to int64
	day      date // it began on
	cause    cause
	flag     bool // of silence after a red flag; else a hold
	released bool // to is a release, not the longest that it can last
}

type cause int8

const (
	causePain cause = iota
	causeNerves
	causeFlag
	causeCoach
)

// silentDays is how long a red flag silences load rules if nobody releases it:
// no silence may last longer without a new reason.
const silentDays = 14

// respan finds the spans from the reports and the plan.
func (d *diary) respan() {
	d.spans = d.spans[:0]
	type trigger struct {
		at int64
		cause
	}
	var triggers []trigger
	for i := range d.reports {
		r := &d.reports[i]
		switch {
		case r.flags > 0:
			triggers = append(triggers, trigger{r.at, causeFlag})
			s := span{from: r.at, day: r.day, cause: causeFlag, flag: true, to: d.endOf(r.day + silentDays)}
			s.release(d.releaseAfter(r.at))
			d.spans = append(d.spans, s)
		case r.nerves > 0:
			triggers = append(triggers, trigger{r.at, causeNerves})
		case r.training() && int(r.pain) >= d.Limits.PainZone.Red:
			triggers = append(triggers, trigger{r.at, causePain})
		}
	}
	for _, p := range d.plan {
		if p.step.Verb == lift.PlanHold {
			triggers = append(triggers, trigger{p.at, causeCoach})
		}
	}
	slices.SortStableFunc(triggers, func(a, b trigger) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.cause, b.cause))
	})
	for i, t := range triggers {
		day := dateOf(time.Unix(0, t.at), d.Zone)
		s := span{from: t.at, day: day, cause: t.cause, to: d.endOf(day + date(d.Limits.Hold.LongestDays))}
		s.release(d.releaseAfter(t.at))
		if t.cause != causeFlag && t.cause != causeCoach {
			s.release(d.settled(day))
		}
		if i+1 < len(triggers) && triggers[i+1].at < s.to {
			s.to, s.released = triggers[i+1].at, true
		}
		d.spans = append(d.spans, s)
	}
}

func (d *diary) endOf(day date) int64 { return day.start(d.Zone).UnixNano() }

func (s *span) release(at int64) {
	if at < s.to {
		s.to, s.released = at, true
	}
}

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
// dates in a row, from the earliest day on, daily life was at most ReleasePain.
func (d *diary) settled(day date) int64 {
	l := d.Limits.Hold
	before := date(math.MinInt32)
	first, _ := slices.BinarySearchFunc(d.reports, day, func(r report, day date) int { return cmp.Compare(r.day, day) })
	for i := first; i < len(d.reports); {
		end, worst, at := i, noPain, int64(0)
		for ; end < len(d.reports) && d.reports[end].day == d.reports[i].day; end++ {
			if r := &d.reports[end]; !r.training() && r.pain != noPain {
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

// hold returns the hold in force at the time.
func (d *diary) hold(at int64) (span, bool) {
	for _, s := range d.spans {
		if !s.flag && at >= s.from && at < s.to {
			return s, true
		}
	}
	return span{}, false
}

// silenced reports whether rules of volume, load and frequency are silent.
func (d *diary) silenced(at int64) bool {
	return slices.ContainsFunc(d.spans, func(s span) bool { return at >= s.from && at < s.to })
}
