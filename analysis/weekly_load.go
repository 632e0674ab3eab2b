package analysis

import "github.com/spotterhq/spotter/internal/lift"

// weeklyLoad judges a week's heaviest load as it is lifted, and its mean load of
// a rep when the week is over. over is the severity of weekly-volume in the same
// week: more load and more volume together weigh more.
func (d *diary) weeklyLoad(b *baseline, w *totals, over lift.Severity, now int64) (lift.Finding, bool) {
	l := &d.inWeek(b.monday).WeeklyLoad
	weeks := b.weeks()
	if b.usable < l.MinWeeks || named(d.Tests, b.monday) {
		return lift.Finding{}, false
	}
	var top int64
	var mean float64
	for i := range weeks {
		top = max(top, weeks[i].top)
		mean += weeks[i].average() / float64(len(weeks))
	}
	type rise struct {
		metric          string
		value, was, pct float64
	}
	var worst rise
	if top > 0 && atLeast(kilograms(w.top-top), l.MinStepKg) {
		worst = rise{"top_load_kg", kilograms(w.top), kilograms(top), 100 * float64(w.top-top) / float64(top)}
	}
	if now >= b.ends && mean > 0 && int(w.loaded) >= l.MinReps && !w.missing {
		if pct := 100 * (w.average() - mean) / mean; pct > worst.pct {
			worst = rise{"mean_load_kg", w.average(), mean, pct}
		}
	}
	if !above(worst.pct, l.AdvicePct) {
		return lift.Finding{}, false
	}
	severity, threshold := lift.Advice, l.AdvicePct
	if above(worst.pct, l.WarningPct) {
		severity, threshold = lift.Warning, l.WarningPct
	} else if over != "" {
		severity = lift.Warning
	}
	f := d.ofGroup(WeeklyLoad, severity, b.group, d.weekWindow(b.monday))
	f.Historical = w.historical
	f.Evidence = lift.Evidence{
		Value: worst.pct, Unit: "pct", Threshold: threshold, Metric: worst.metric,
		Reference: "heaviest of the last usable weeks", ReferenceValue: new(worst.was), Observed: new(worst.value),
		Samples: len(weeks), Confidence: full,
	}
	if worst.metric == "mean_load_kg" {
		f.Evidence.Reference = "mean of the last usable weeks"
	}
	doubtful := worst.metric == "top_load_kg" && d.doubtful(b.group, b.monday, w.top)
	if b.usable < recentWeeks || doubtful {
		f.Evidence.Confidence = provisional
	}
	tellWeeklyLoad(&f, over != "", doubtful)
	return f, true
}

// doubtful reports whether a week's heaviest load looks mistyped: every set that was
// measured at it moved much faster than the athlete's own line allows for.
func (d *diary) doubtful(group string, monday date, load int64) bool {
	measured, fast := 0, 0
	d.setsIn(group, monday, monday+7, func(_ int32, s *set) {
		if s.load != load || s.timed == 0 {
			return
		}
		r := d.lineOf(int32(s.lift), int32(s.device), monday, monday, &d.inWeek(monday).DaySlowdown)
		if !r.usable {
			return
		}
		measured++
		slowest := max(r.line.At(kilograms(load)), d.lifts[s.lift].minVelocity)
		if float64(s.best) > slowest+doubtMps {
			fast++
		}
	})
	return measured > 0 && fast == measured
}

// doubtMps is further above its line than any day's form moves a rep.
const doubtMps = 0.15

// average is the mean load of a rep in kg; 0 without any.
func (t *totals) average() float64 {
	if t.loaded == 0 {
		return 0
	}
	return kilograms(t.grams) / float64(t.loaded)
}
