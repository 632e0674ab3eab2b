package analysis

import "github.com/spotterhq/spotter/internal/lift"

// bands are the losses against the fastest rep so far, in percent, at which a
// set of a lift is spoken of.
type bands struct {
	pct [2]float64 // advice, warning
	// last tells for each band whether the last rep of a finished set is
	// enough; two reps in a row always are.
	last     [2]bool
	minDrop  float64 // m/s
	firstRep int32
}

var slowSeverity = [2]lift.Severity{lift.Advice, lift.Warning}

// bandsOf are those of a set, by the goal and the limits of its date.
func (d *diary) bandsOf(s *set) bands {
	day := d.dayOf(s)
	l := &d.on(day).VelocityLoss
	b := bands{minDrop: l.MinDropMps, firstRep: int32(l.FirstRep)}
	if d.lifts[s.lift].group == DeadliftFamily {
		b.pct = [2]float64{l.DeadliftAdvicePct, l.DeadliftWarningPct}
		b.last = [2]bool{false, true}
		return b
	}
	pct := l.StrengthPct
	switch d.goalOn(day) {
	case GoalSpeed:
		pct = l.SpeedPct
	case GoalHypertrophy:
		pct = l.HypertrophyPct
	}
	b.pct = [2]float64{pct, pct * l.WarningFactor}
	b.last = [2]bool{true, true}
	return b
}

// over reports whether the n-th rep of a set, at velocity v after a fastest
// rep of best, is over the band.
func (b *bands) over(band int, n int32, best, v float64) bool {
	return n >= b.firstRep && atLeast(best-v, b.minDrop) && atLeast(loss(best, v), b.pct[band])
}

// loss is how much slower v is than best, in percent.
func loss(best, v float64) float64 { return 100 * (best - v) / best }

// slowdown follows the work reps of a set in order. Failed reps and those
// marked as warm-up, which need not be as fast as possible, are left out.
type slowdown struct {
	best    float64
	slowest float64
	n       int32
	run     [2]int32 // latest reps in a row over each band
	sure    [2]bool  // two in a row were
}

func (s *slowdown) add(v float64, b *bands) {
	s.n++
	s.best = max(s.best, v)
	if s.n == 1 || v < s.slowest {
		s.slowest = v
	}
	for i := range b.pct {
		if !b.over(i, s.n, s.best, v) {
			s.run[i] = 0
			continue
		}
		s.run[i]++
		s.sure[i] = s.sure[i] || s.run[i] >= 2
	}
}

// band is the highest band that the set has reached, or -1.
func (s *slowdown) band(b *bands, finished bool) int {
	for i := len(b.pct) - 1; i >= 0; i-- {
		if s.sure[i] || finished && b.last[i] && s.run[i] > 0 {
			return i
		}
	}
	return -1
}

// lastRep is the metric of a finding that only the last rep of a finished set speaks
// for, and not two in a row.
const lastRep = "last_rep"

// velocityLoss is the finding of a set that has reached a band: what the latest
// rep over it shows.
func (d *diary) velocityLoss(k int32, finished bool) (lift.Finding, bool) {
	s := &d.sets[k]
	v := d.of(s)
	if v.slow.run == ([2]int32{}) && v.slow.sure == ([2]bool{}) {
		return lift.Finding{}, false // most sets, of which the bands need not be looked up
	}
	b := d.bandsOf(s)
	band := v.slow.band(&b, finished)
	if band < 0 {
		return lift.Finding{}, false
	}
	var best, top, value, observed float64
	var n, at int32
	d.repsOf(k, func(count int32, r *rep) {
		n++
		best = max(best, r.velocity)
		if b.over(band, n, best, r.velocity) {
			at, observed, top, value = count, r.velocity, best, loss(best, r.velocity)
		}
	})
	f := d.ofLift(VelocityLoss, slowSeverity[band], int32(s.lift), d.setWindow(k))
	f.Historical = s.historical
	f.Evidence = lift.Evidence{
		Value: value, Unit: "pct", Threshold: b.pct[band],
		Reference: "fastest rep so far", ReferenceValue: &top, Observed: &observed,
		Samples: int(v.slow.n), Confidence: full,
	}
	if !v.slow.sure[band] {
		f.Evidence.Metric = lastRep
	}
	tellVelocityLoss(&f, slowSet{rep: at, number: v.number, load: s.load, deadlift: f.Group == DeadliftFamily})
	return f, true
}
