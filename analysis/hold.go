package analysis

import (
	"github.com/spotterhq/spotter/internal/lift"
)

// holdViolation tells of a heavy deadlift under a hold, by date. Light work since
// an injury tells nothing of the maximum: within a return plan the one before it
// counts, where it was given. Without a known maximum any deadlift counts.
func (d *diary) holdViolation(day date, sets []int32) (lift.Finding, bool) {
	l := &d.on(day).Hold
	m := *d.maximumOf(DeadliftFamily, day)
	if m.careful > 0 && m.careful < m.grams {
		m.grams = m.careful // a hold that is broken must not be missed for one load that was typed too high
	}
	if p, ok := d.phase(d.endOf(day+1) - 1); ok && p.maximum > 0 {
		m.grams, m.how = p.maximum, "maximum before the injury"
	}
	var worst *set
	var since date
	share, count := 0.0, 0
	for _, k := range sets {
		s := &d.sets[k]
		if d.lifts[s.lift].group != DeadliftFamily || s.completed == 0 {
			continue
		}
		first, _, ok := d.hold(d.of(s).ended)
		if !ok {
			continue
		}
		of := m.share(s.load)
		if m.grams > 0 && !atLeast(of, l.WarningShare) {
			continue
		}
		count++
		if worst == nil || of > share {
			worst, share, since = s, of, first
		}
	}
	if worst == nil {
		return lift.Finding{}, false
	}
	severity, threshold := lift.Warning, l.WarningShare
	if m.grams > 0 && atLeast(share, l.CriticalShare) {
		severity, threshold = lift.Critical, l.CriticalShare
	}
	f := d.ofGroup(Hold, severity, DeadliftFamily, d.dayWindow(day))
	f.Historical = worst.historical
	f.Evidence = lift.Evidence{
		Value: 100 * share, Unit: "pct", Threshold: 100 * threshold, Metric: "share_of_maximum",
		Reference: m.how, Samples: count, Confidence: full,
	}
	if m.grams > 0 {
		f.Evidence.ReferenceValue = new(m.grams / 1000)
	} else {
		f.Evidence.Confidence, f.Evidence.Reference = provisional, "no maximum is known: any deadlift counts"
	}
	if worst.load != noLoad {
		f.Evidence.Observed = new(kilograms(worst.load))
	}
	tellHoldViolation(&f, since)
	return f, true
}

// overdueHolds tells of holds whose pain has not settled after the planned time.
func (d *diary) overdueHolds(found []lift.Finding, from date, now int64) []lift.Finding {
	for _, s := range d.holds() {
		l := &d.on(s.day).Hold
		planned := d.endOf(s.day + date(l.PlannedDays))
		if s.day < from || s.to <= planned || now < planned {
			continue
		}
		_, gravest, _ := d.hold(planned)
		f := d.finding(Hold, lift.Warning, "", d.episodeWindow(s.day, s.day+date(l.PlannedDays)))
		f.Evidence = lift.Evidence{
			Value: float64(l.PlannedDays), Unit: "days", Threshold: float64(l.PlannedDays), Metric: "days_on_hold",
			Reference: "planned days of a hold", ReferenceValue: new(float64(l.PlannedDays)), Samples: 1, Confidence: full,
		}
		tellOverdueHold(&f, gravest)
		found = append(found, f)
	}
	return found
}
