package analysis

import (
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

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

// baseline is what a week of a group is compared with.
type baseline struct {
	group  string
	monday date
	usable int              // usable weeks before it
	pause  int              // whole weeks without the group just before it
	value  [metrics]float64 // 0 while there is nothing to compare with
	floor  [metrics]float64 // one median work set: a smaller increase is none
	cv     float64          // how much the volume of the compared weeks varied, in percent
	light  float64          // up to this volume the week is a deload; -1 if unknown
}

// baseline looks at the weeks of Lookback. A week is usable that has a work set,
// misses no load and is no deload. Four weeks without the group begin anew.
//
// An athlete who trains less for good has deloads only until the heavier weeks
// have left Lookback; then the lighter weeks are the baseline.
func (d *diary) baseline(group string, monday date) baseline {
	l := d.Limits.WeeklyVolume
	type usableWeek struct {
		monday date
		totals
	}
	usable := make([]usableWeek, 0, lookbackWeeks)
	pause := 0
	// light is the share of the mean of the last three usable weeks that makes
	// a deload.
	light := func() float64 {
		if len(usable) < 2 {
			return -1
		}
		last := usable[max(0, len(usable)-3):]
		var sum float64
		for i := range last {
			sum += last[i].metric(metricVolume)
		}
		if sum == 0 {
			return -1
		}
		return l.DeloadShare * sum / float64(len(last))
	}
	for m := monday - 7*lookbackWeeks; m < monday; m += 7 {
		w := d.week(group, m)
		switch {
		case !w.trained:
			if pause++; pause >= newStartWeeks {
				usable = usable[:0]
			}
			continue
		case w.missing || w.sets == 0 || atLeast(light(), w.metric(metricVolume)):
		default:
			usable = append(usable, usableWeek{m, w})
		}
		pause = 0
	}
	b := baseline{group: group, monday: monday, usable: len(usable), pause: pause, light: light()}
	if len(usable) == 0 {
		return b
	}
	recent := usable[max(0, len(usable)-4):]
	sets := 0
	for i := range recent {
		sets += int(recent[i].sets)
	}
	work := make([]workSet, 0, sets)
	volumes := make([]float64, 0, 4)
	for i := range recent {
		work = d.workSets(work, group, recent[i].monday)
		volumes = append(volumes, recent[i].metric(metricVolume))
	}
	for m := range metrics {
		var sum float64
		for i := range recent {
			sum += recent[i].metric(m)
		}
		b.value[m] = max(recent[len(recent)-1].metric(m), sum/float64(len(recent)))
		if pause > 0 {
			b.value[m] *= l.BreakShare
		}
	}
	b.cv = variation(volumes)
	b.floor = [metrics]float64{
		metricVolume: median(work, func(w workSet) float64 { return kilograms(w.grams) }),
		metricSets:   1,
		metricReps:   median(work, func(w workSet) float64 { return float64(w.reps) }),
	}
	return b
}

// newStartWeeks is how many weeks without a group make its history worthless.
const newStartWeeks = 4

// median of what value tells of each of them; 0 of none.
func median[T any](of []T, value func(T) float64) float64 {
	if len(of) == 0 {
		return 0
	}
	v := make([]float64, len(of))
	for i := range of {
		v[i] = value(of[i])
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
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
	id := b.monday.week()
	f := lift.Finding{
		ID:   lift.AlertID(WeeklyVolume, d.athlete, b.group, lift.WindowWeek, id),
		Site: d.site, Athlete: d.athlete, Rule: WeeklyVolume, Severity: over.sev,
		Group: b.group, Historical: w.historical,
		Window: lift.Window{
			Kind: lift.WindowWeek, ID: id,
			From: b.monday.start(d.Zone), To: (b.monday + 7).start(d.Zone),
		},
		Evidence: lift.Evidence{
			Value: over.pct, Unit: "pct", Threshold: over.limit, Metric: metricNames[over.metric],
			Reference:      "larger of the last usable week and the mean of up to four",
			ReferenceValue: new(b.value[over.metric]), Observed: new(w.metric(over.metric)),
			Samples: b.usable, Confidence: "full",
		},
	}
	if b.pause > 0 {
		f.Evidence.Reference += ", reduced after a break"
	}
	if b.usable < d.Limits.WeeklyVolume.FullN {
		f.Evidence.Confidence = "provisional"
	}
	tellWeeklyVolume(&f, b, w, over)
	return f
}
