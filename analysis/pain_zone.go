package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// report is what the rules need of a check-in.
type report struct {
	at       int64 // Unix nanoseconds
	day      date
	id       string
	revision int64
	phase    lift.Phase
	pain     int8 // noPain if not given
	flags    int8 // red flags
}

const noPain = -1

func (d *diary) convertCheckIn(c *lift.CheckInRecord) report {
	r := report{
		at: c.Time.UnixNano(), day: dateOf(c.Time, d.Zone), id: c.ID, revision: c.Revision,
		phase: c.Phase, pain: noPain, flags: int8(redFlags(c.Symptoms)),
	}
	if c.Pain != nil {
		r.pain = int8(*c.Pain)
	}
	return r
}

func compareReports(a, b report) int {
	return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.id, b.id))
}

// health is the findings of the check-ins, which must be in order, in windows
// that begin on the given date or later. A check-in with a red flag speaks of
// that alone.
func (d *diary) health(reports []report, from date) []lift.Finding {
	var found []lift.Finding
	var scores []report
	for _, r := range reports {
		switch {
		case r.flags > 0:
			if r.day >= from {
				found = append(found, d.redFlag(r))
			}
		case r.pain != noPain:
			scores = append(scores, r)
		}
	}
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
	return append(found, d.painWeeks(scores, from)...)
}

// painSession judges the scores of one local date, with those of the next.
func (d *diary) painSession(today, tomorrow []report) (lift.Finding, bool) {
	l := d.Limits.PainZone
	worst, begin, count := noPain, len(today), 0
	for i, r := range today {
		if r.phase == lift.PhaseDuring || r.phase == lift.PhaseAfter {
			worst, begin, count = max(worst, int(r.pain)), min(begin, i), count+1
		}
	}
	if worst < l.Amber {
		return lift.Finding{}, false
	}
	day := today[0].day
	id := day.String()
	f := lift.Finding{
		ID:   lift.AlertID(PainZone, d.athlete, "", lift.WindowSession, id),
		Site: d.site, Athlete: d.athlete, Rule: PainZone,
		Window: lift.Window{Kind: lift.WindowSession, ID: id, From: day.start(d.Zone), To: (day + 1).start(d.Zone)},
		Evidence: lift.Evidence{
			Value: float64(worst), Unit: "nrs", Reference: "score from 0 to 10", Samples: count, Confidence: "full",
		},
	}
	switch {
	case worst >= l.Critical:
		f.Severity, f.Evidence.Threshold = lift.Critical, float64(l.Critical)
	case worst >= l.Red:
		f.Severity, f.Evidence.Threshold = lift.Warning, float64(l.Red)
	default:
		f.Severity, f.Evidence.Threshold = lift.Info, float64(l.Amber)
		before, known := levelBefore(today, begin)
		morning := noPain
		for _, r := range tomorrow {
			if r.phase == lift.PhaseNextMorning {
				morning, count = max(morning, int(r.pain)), count+1
			}
		}
		if known && morning > before+l.MorningMargin {
			f.Severity = lift.Advice
			f.Evidence = lift.Evidence{
				Value: float64(morning), Unit: "nrs", Threshold: float64(before + l.MorningMargin), Metric: "next_morning",
				Reference: "score before the session", ReferenceValue: new(float64(before)), Observed: new(float64(morning)),
				Samples: count + 1, Confidence: "full",
			}
		}
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
func (d *diary) painWeeks(scores []report, from date) []lift.Finding {
	var found []lift.Finding
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
			rise := d.Limits.PainZone.WeeklyRise
			if atLeast(previous-before, rise) && atLeast(now-previous, rise) {
				found = append(found, d.painWeek(monday, phase, before, previous, now, samples))
			}
			break
		}
	}
	return found
}

func weekMedian(scores []report, monday date, phase lift.Phase) (float64, int) {
	var of []report
	for _, r := range scores {
		if r.phase == phase && r.day >= monday && r.day < monday+7 {
			of = append(of, r)
		}
	}
	if len(of) == 0 {
		return noPain, 0
	}
	return median(of, func(r report) float64 { return float64(r.pain) }), len(of)
}

func (d *diary) painWeek(monday date, phase lift.Phase, before, previous, now float64, samples int) lift.Finding {
	id := monday.week()
	f := lift.Finding{
		ID:   lift.AlertID(PainZone, d.athlete, "", lift.WindowWeek, id),
		Site: d.site, Athlete: d.athlete, Rule: PainZone, Severity: lift.Warning,
		Window: lift.Window{Kind: lift.WindowWeek, ID: id, From: monday.start(d.Zone), To: (monday + 7).start(d.Zone)},
		Evidence: lift.Evidence{
			Value: now - previous, Unit: "nrs", Threshold: d.Limits.PainZone.WeeklyRise, Metric: "weekly_median_" + string(phase),
			Reference: "median of the week before", ReferenceValue: &previous, Observed: &now,
			Samples: samples, Confidence: "full",
		},
	}
	tellPainWeek(&f, before, previous, now)
	return f
}

func (r report) time() time.Time { return time.Unix(0, r.at).UTC() }
