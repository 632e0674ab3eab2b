package analysis

import (
	"math"
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

// scores are the reports that speak of nothing but pain.
func (d *diary) scores() []report {
	var of []report
	for i := range d.reports {
		if d.reports[i].mechanical() {
			of = append(of, d.reports[i])
		}
	}
	return of
}

// painSessions judges the scores of each date.
func (d *diary) painSessions(found []lift.Finding, from date) []lift.Finding {
	scores := d.scores()
	for i := 0; i < len(scores); {
		day := scores[i].day
		end := i
		for end < len(scores) && scores[end].day == day {
			end++
		}
		next := end
		for next < len(scores) && scores[next].day == day+1 {
			next++
		}
		if day >= from {
			if f, ok := d.painSession(scores[i:end], scores[end:next]); ok {
				found = append(found, f)
			}
		}
		i = end
	}
	return found
}

// painSession judges the scores of one local date, with those of the next. Pain
// that comes only the morning after has not settled either.
func (d *diary) painSession(today, tomorrow []report) (lift.Finding, bool) {
	l := &d.on(today[0].day).PainZone
	worst, begin, count := noPain, len(today), 0
	for i, r := range today {
		if r.training() {
			worst, begin, count = max(worst, int(r.pain)), min(begin, i), count+1
		}
	}
	before, known := levelBefore(today, begin)
	morning, mornings := noPain, 0
	for _, r := range tomorrow {
		if r.phase == lift.PhaseNextMorning {
			morning, mornings = max(morning, int(r.pain)), mornings+1
		}
	}
	unsettled := known && morning > before+l.MorningMargin
	if worst == noPain || worst < l.Amber && (!unsettled || morning < l.Amber) {
		return lift.Finding{}, false
	}
	f := d.finding(PainZone, lift.Info, "", d.dayWindow(today[0].day))
	f.Evidence = lift.Evidence{
		Value: float64(worst), Unit: "nrs", Reference: "score from 0 to 10", Samples: count, Confidence: full,
	}
	switch {
	case worst >= l.Critical:
		f.Severity, f.Evidence.Threshold = lift.Critical, float64(l.Critical)
	case worst >= l.Red:
		f.Severity, f.Evidence.Threshold = lift.Warning, float64(l.Red)
	case unsettled:
		f.Severity = lift.Advice
		f.Evidence = lift.Evidence{
			Value: float64(morning), Unit: "nrs", Threshold: float64(before + l.MorningMargin), Metric: "next_morning",
			Reference: "score before the session", ReferenceValue: new(float64(before)), Observed: new(float64(morning)),
			Samples: count + mornings + 1, Confidence: full,
		}
	default:
		f.Evidence.Threshold = float64(l.Amber)
	}
	tellPainSession(&f, worst)
	return f, true
}

// levelBefore is the pain before the session whose first score is at begin: the
// first report of phase before, else the latest daily or morning one before it.
// Without any, whether pain has settled cannot be told.
func levelBefore(today []report, begin int) (int, bool) {
	for _, r := range today {
		if r.phase == lift.PhaseBefore {
			return int(r.pain), true
		}
	}
	for _, r := range slices.Backward(today[:begin]) {
		if r.phase == lift.PhaseDaily || r.phase == lift.PhaseNextMorning {
			return int(r.pain), true
		}
	}
	return 0, false
}

// painWeeks finds the weeks in which the median of the scores during sessions
// has risen for the second time in a row. Where a week has no score during a
// session, the scores after sessions are compared instead, in all three weeks.
func (d *diary) painWeeks(found []lift.Finding, from date) []lift.Finding {
	scores := d.scores()
	last := date(math.MinInt32)
	for _, r := range scores {
		monday := r.day.monday()
		if monday == last || monday < from {
			continue
		}
		last = monday
		for _, phase := range []lift.Phase{lift.PhaseDuring, lift.PhaseAfter} {
			before, _ := weekMedian(scores, monday-14, phase)
			previous, _ := weekMedian(scores, monday-7, phase)
			now, samples := weekMedian(scores, monday, phase)
			if before == noPain || previous == noPain || now == noPain {
				continue
			}
			rise := d.inWeek(monday).PainZone.WeeklyRise
			if atLeast(previous-before, rise) && atLeast(now-previous, rise) {
				found = append(found, d.painWeek(monday, phase, before, previous, now, samples))
			}
			break
		}
	}
	return found
}

func weekMedian(scores []report, monday date, phase lift.Phase) (float64, int) {
	var of []float64
	for _, r := range scores {
		if r.phase == phase && r.day >= monday && r.day < monday+7 {
			of = append(of, float64(r.pain))
		}
	}
	if len(of) == 0 {
		return noPain, 0
	}
	return middle(of), len(of)
}

func (d *diary) painWeek(monday date, phase lift.Phase, before, previous, now float64, samples int) lift.Finding {
	f := d.finding(PainZone, lift.Warning, "", d.weekWindow(monday))
	f.Evidence = lift.Evidence{
		Value: now - previous, Unit: "nrs", Threshold: d.inWeek(monday).PainZone.WeeklyRise, Metric: "weekly_median_" + string(phase),
		Reference: "median of the week before", ReferenceValue: &previous, Observed: &now,
		Samples: samples, Confidence: full,
	}
	tellPainWeek(&f, before, previous, now)
	return f
}

// missingDays is how far apart sessions without a report can be to be in a row.
const missingDays = 28

// missingReports tells the coach once when no score has followed three deadlift
// sessions in a row within the next date. Who has reported nothing in eight weeks
// does not take part.
func (d *diary) missingReports(found []lift.Finding, from date, now int64) []lift.Finding {
	if len(d.reports) == 0 {
		return found
	}
	var days []heavyDay
	d.sessionsIn(DeadliftFamily, max(from, math.MinInt32+missingDays)-missingDays, math.MaxInt32, func(_ int32, s *session) {
		if n := len(days); (n == 0 || days[n-1].date != s.day) && now >= d.endOf(s.day+2) {
			days = append(days, heavyDay{date: s.day, historical: s.historical})
		}
	})
	for i, day := range days {
		if day.date < from {
			continue
		}
		misses, row := d.on(day.date).PainZone.Misses, 0
		for j := i; j >= 0 && days[j].date > day.date-missingDays && row <= misses && d.unreported(days[j].date); j-- {
			row++
		}
		if row != misses {
			continue
		}
		f := d.finding(PainZone, lift.Info, "missing", d.dayWindow(day.date))
		f.Historical = day.historical
		f.Evidence = lift.Evidence{
			Value: float64(row), Unit: "sessions", Threshold: float64(misses), Metric: "missing_reports",
			Reference: "deadlift sessions in a row without a report", Samples: row, Confidence: full,
		}
		tellMissingReports(&f)
		found = append(found, f)
	}
	return found
}

// unreported reports whether no score followed the session of a date, though the
// athlete had reported something in the eight weeks before.
func (d *diary) unreported(day date) bool {
	takesPart := false
	for i := range d.reports {
		r := &d.reports[i]
		if r.day <= day-7*lookbackWeeks || r.day > day+1 {
			continue
		}
		takesPart = true
		if r.pain != noPain && (r.phase == lift.PhaseAfter || r.phase == lift.PhaseNextMorning && r.day == day+1) && r.day >= day {
			return false
		}
	}
	return takesPart
}
