package analysis

import "github.com/spotterhq/spotter/internal/lift"

// The metrics of weekly volume.
const (
	metricVolume = iota
	metricSets
	metricReps
	metrics
)

var metricNames = [metrics]string{"volume_kg", "sets", "reps"}

func (t *totals) metric(m int) float64 {
	switch m {
	case metricSets:
		return float64(t.sets)
	case metricReps:
		return float64(t.reps)
	}
	return kilograms(t.grams)
}

// volumeBand is how far a week is over its baseline.
type volumeBand struct {
	metric int
	pct    float64 // change of that metric
	limit  float64 // of the band that it is told in
	sev    lift.Severity
}

// judge compares a week with the baseline in each metric and returns the worst,
// and false if none is over a limit.
func (b *baseline) judge(w *totals, l *WeeklyVolumeLimits) (volumeBand, bool) {
	if b.usable < l.ProvisionalN {
		return volumeBand{}, false
	}
	bands := [...]volumeBand{
		{limit: l.AdvicePct, sev: lift.Advice},
		{limit: l.WarningPct, sev: lift.Warning},
		{limit: l.CriticalPct, sev: lift.Critical},
	}
	worst, worstBand := volumeBand{}, -1
	for m := range metrics {
		base, value := b.value[m], w.metric(m)
		if base <= 0 || !atLeast(value-base, b.floor[m]) {
			continue
		}
		pct := 100 * (value - base) / base
		band := -1
		for i := range bands {
			if above(pct, bands[i].limit) {
				band = i
			}
		}
		if band > worstBand || band >= 0 && band == worstBand && above(pct, worst.pct) {
			worst, worstBand = volumeBand{metric: m, pct: pct}, band
		}
	}
	if worstBand < 0 {
		return volumeBand{}, false
	}
	if b.usable < l.FullN {
		worstBand = 0
	}
	worst.limit, worst.sev = bands[worstBand].limit, bands[worstBand].sev
	return worst, true
}

// weeklyVolume is the finding of a week that is over its baseline.
func (d *diary) weeklyVolume(b *baseline, w *totals, over volumeBand) lift.Finding {
	f := d.ofGroup(WeeklyVolume, over.sev, b.group, d.weekWindow(b.monday))
	f.Historical = w.historical
	f.Evidence = lift.Evidence{
		Value: over.pct, Unit: "pct", Threshold: over.limit, Metric: metricNames[over.metric],
		Reference:      "larger of the last usable week and the mean of up to four",
		ReferenceValue: new(b.value[over.metric]), Observed: new(w.metric(over.metric)),
		Samples: b.usable, Confidence: full,
	}
	if b.pause > 0 {
		f.Evidence.Reference += ", reduced after a break"
	}
	if b.usable < d.inWeek(b.monday).WeeklyVolume.FullN {
		f.Evidence.Confidence = provisional
	}
	tellWeeklyVolume(&f, b, w, over)
	return f
}
