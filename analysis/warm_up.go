package analysis

import "github.com/spotterhq/spotter/internal/lift"

// warmUp looks at the sets of the deadlift family before the first heavy one of a
// date: at least three, each heavier than the one before, the last near the
// working load, no great jump. A training log seldom notes warm-ups, so that
// logged sets are not judged.
func (d *diary) warmUp(day date) (lift.Finding, bool) {
	l := &d.on(day).WarmUp
	heavy := d.heavyLoad(d.on(day), DeadliftFamily, day)
	if heavy == 0 {
		return lift.Finding{}, false
	}
	var first *set
	var last, jump int64
	steps, rising, logged := 0, true, false
	d.setsIn(DeadliftFamily, day, day+1, func(_ int32, s *set) {
		logged = logged || s.logged
		switch {
		case first != nil || s.load == noLoad || s.completed == 0:
		case atLeast(float64(s.load), heavy):
			first = s
			if steps > 0 {
				jump = max(jump, s.load-last)
			}
		default:
			if s.load < last {
				rising = false
			}
			if s.load > last {
				if steps > 0 {
					jump = max(jump, s.load-last)
				}
				steps++
			}
			last = s.load
		}
	})
	if first == nil || logged || d.flagged(first.started) {
		return lift.Finding{}, false
	}
	e := lift.Evidence{Samples: steps, Confidence: full, Reference: "first heavy set"}
	work := float64(first.load)
	switch {
	case steps < l.MinSets:
		e.Metric, e.Unit, e.Value, e.Threshold = "warm_up_sets", "sets", float64(steps), float64(l.MinSets)
	case !rising:
		e.Metric, e.Unit, e.Value, e.Threshold = "rising_loads", "sets", float64(steps), float64(l.MinSets)
	case !atLeast(float64(last), l.LastShare*work):
		e.Metric, e.Unit, e.Value, e.Threshold = "last_warm_up_pct", "pct", 100*float64(last)/work, 100*l.LastShare
	case above(float64(jump), l.MaxJump*work):
		e.Metric, e.Unit, e.Value, e.Threshold = "largest_jump_pct", "pct", 100*float64(jump)/work, 100*l.MaxJump
	default:
		return lift.Finding{}, false
	}
	f := d.ofGroup(WarmUp, lift.Advice, DeadliftFamily, d.dayWindow(day))
	f.Historical = first.historical
	f.Evidence = e
	f.Evidence.ReferenceValue = new(kilograms(first.load))
	tellWarmUp(&f)
	return f, true
}
