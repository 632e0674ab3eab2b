package analysis

import "github.com/spotterhq/spotter/internal/lift"

// tempo tells of a set of the return plan that was lowered too fast, unless its
// device cannot be believed.
func (d *diary) tempo(k int32) (lift.Finding, bool) {
	s := &d.sets[k]
	if len(d.plan) == 0 || s.faulty != 0 || d.lifts[s.lift].group != DeadliftFamily {
		return lift.Finding{}, false
	}
	p, ok := d.phase(s.started)
	l := &d.on(d.dayOf(s)).Tempo
	if !ok || l.EccentricS[p.n] == 0 {
		return lift.Finding{}, false
	}
	var lowered []float64
	d.repsOf(k, func(_ int32, r *rep) {
		if r.eccentric != absent {
			lowered = append(lowered, float64(r.eccentric))
		}
	})
	if len(lowered) < 3 {
		return lift.Finding{}, false
	}
	asked := l.EccentricS[p.n]
	held := middle(lowered)
	if atLeast(held+1e-6, l.Share*asked) {
		return lift.Finding{}, false
	}
	f := d.ofLift(Tempo, lift.Advice, int32(s.lift), d.setWindow(k))
	f.Historical = s.historical
	f.Evidence = lift.Evidence{
		Value: held, Unit: "s", Threshold: l.Share * asked, Metric: "eccentric_s",
		Reference: "prescribed lowering time", ReferenceValue: &asked, Observed: &held, Samples: len(lowered), Confidence: full,
	}
	tellTempo(&f)
	return f, true
}
