package analysis

import "github.com/spotterhq/spotter/internal/lift"

// accessory tells of a week that is over, had deadlifts and no exercise for the
// posterior chain.
func (d *diary) accessory(b *baseline, now int64) (lift.Finding, bool) {
	if now < b.ends {
		return lift.Finding{}, false
	}
	monday := b.monday
	days, sets := 0, 0
	last := date(0)
	var t totals
	d.sessionsIn("", monday, monday+7, func(_ int32, s *session) {
		e := &d.lifts[s.lift]
		if e.group == DeadliftFamily {
			t.see(s.newest, s.historical)
			if s.day != last {
				days, last = days+1, s.day
			}
		}
		if e.posterior {
			sets += int(s.sets)
		}
	})
	if days == 0 || sets > 0 {
		return lift.Finding{}, false
	}
	f := d.ofGroup(Accessory, lift.Info, DeadliftFamily, d.weekWindow(monday))
	f.Historical = t.historical
	f.Evidence = lift.Evidence{
		Value: 0, Unit: "sets", Threshold: 1, Metric: "posterior_chain_sets", Reference: "days with deadlifts this week",
		ReferenceValue: new(float64(days)), Observed: new(0.0), Samples: days, Confidence: full,
	}
	tellAccessory(&f)
	return f, true
}
