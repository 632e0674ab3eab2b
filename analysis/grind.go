package analysis

import "github.com/spotterhq/spotter/internal/lift"

// grind tells of a set with a rep near the velocity of a maximum: the latest such
// rep. During a return plan that is pushed.
func (d *diary) grind(k int32) (lift.Finding, bool) {
	s := &d.sets[k]
	e := &d.lifts[s.lift]
	limit := e.minVelocity + d.on(d.dayOf(s)).Grind.MarginMps
	if e.minVelocity == 0 || s.timed == 0 || above(d.of(s).slow.slowest, limit) {
		return lift.Finding{}, false
	}
	var count int32
	var velocity float64
	d.repsOf(k, func(n int32, r *rep) {
		if !above(r.velocity, limit) {
			count, velocity = n, r.velocity
		}
	})
	f := d.ofLift(Grind, lift.Advice, int32(s.lift), d.setWindow(k))
	if _, planned := d.phase(s.started); planned {
		f.Severity = lift.Warning
	}
	f.Historical = s.historical
	f.Evidence = lift.Evidence{
		Value: velocity, Unit: "mps", Threshold: limit,
		Reference: "velocity at the maximum", ReferenceValue: new(e.minVelocity), Observed: new(velocity),
		Samples: int(s.timed), Confidence: full,
	}
	if !e.own {
		f.Evidence.Confidence = provisional
	}
	tellGrind(&f, count, s.load)
	return f, true
}
