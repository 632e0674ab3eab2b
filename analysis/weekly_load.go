package analysis

import "github.com/spotterhq/spotter/internal/lift"

// weeklyLoad judges a week's heaviest load as it is lifted, and its mean load of
// a rep when the week is over. over is the severity of weekly-volume in the same
// week: more load and more volume together weigh more.
func (d *diary) weeklyLoad(b *baseline, w *totals, over lift.Severity, now int64) (lift.Finding, bool) {
	l := &d.Limits.WeeklyLoad
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
	if b.usable < recentWeeks {
		f.Evidence.Confidence = provisional
	}
	tellWeeklyLoad(&f, over != "")
	return f, true
}

// average is the mean load of a rep in kg; 0 without any.
func (t *totals) average() float64 {
	if t.loaded == 0 {
		return 0
	}
	return kilograms(t.grams) / float64(t.loaded)
}
