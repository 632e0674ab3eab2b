package analysis

import (
	"math"

	"github.com/spotterhq/spotter/internal/lift"
)

// persistenceDays is how long a stretch of pain is followed: its alert stands as
// it is after that.
const persistenceDays = 84

// painPersistence finds the stretches of pain without a gap of seven days free of
// it, and tells of those that last for weeks. A gap counts as free where reports
// in it say so, or after two weeks without any report.
func (d *diary) painPersistence(found []lift.Finding, from date) []lift.Finding {
	begin, last := date(math.MinInt32), date(math.MinInt32) // of the stretch
	quiet := false                                          // reports since last say free of pain
	samples := 0
	length := date(0)
	tell := func() {
		days := int(length)
		if begin == math.MinInt32 || begin < from {
			return
		}
		l := &d.on(begin).PainPersistence
		if days < l.AdviceDays {
			return
		}
		severity, threshold := lift.Advice, l.AdviceDays
		if days >= l.WarningDays {
			severity, threshold = lift.Warning, l.WarningDays
		}
		f := d.finding(PainPersistence, severity, "", d.episodeWindow(begin, begin+length))
		f.Evidence = lift.Evidence{
			Value: float64(days), Unit: "days", Threshold: float64(threshold), Metric: "days_with_pain",
			Reference: "days since the pain began", Observed: new(float64(days)), Samples: samples, Confidence: full,
		}
		tellPainPersistence(&f)
		found = append(found, f)
	}
	for i := range d.reports {
		r := &d.reports[i]
		if r.pain == noPain {
			continue
		}
		l := &d.on(r.day).PainPersistence
		if int(r.pain) <= l.FreePain {
			quiet = quiet || r.day > last
			continue
		}
		gap := l.SilentDays
		if quiet {
			gap = l.FreeDays
		}
		if last == math.MinInt32 || int(r.day-last) > gap {
			tell()
			begin, samples, length = r.day, 0, 0
		}
		last, quiet = r.day, false
		if r.day-begin <= persistenceDays {
			samples++
			length = r.day - begin
		}
	}
	tell()
	return found
}
