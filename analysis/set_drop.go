package analysis

import (
	"math"

	"github.com/spotterhq/spotter/internal/lift"
)

// setDrop compares the first reps of the sets of session x with those of the
// first set at the same load. A set is compared once three reps are in, or when
// it is finished.
func (d *diary) setDrop(x int32, now int64) (lift.Finding, bool) {
	l := &d.on(d.sessions[x].day).SetDrop
	var latest, first *set
	var drop, limit float64
	row, rows, short, samples := 0, 0, true, 0
	var ended int64 = math.MinInt64
	d.each(x, func(_ int32, s *set) {
		rest := s.started - ended
		v := d.of(s)
		ended = v.ended
		if s.warmup || s.timed == 0 || s.load == noLoad || s.faulty != 0 || d.flagged(s.started) {
			return
		}
		reference := d.firstAt(x, s)
		if reference == s || s.timed < 3 && !d.finished(s, now) {
			return
		}
		samples++
		was := d.of(reference).early
		lost := loss(was, v.early)
		need := max(l.DropPct, 100*l.MinDropMps/was)
		if !above(lost, need) {
			row = 0
			return
		}
		latest, first, drop, limit = s, reference, lost, need
		if rest < int64(l.RestS*1e9) {
			row = 0
			return
		}
		short = false
		row++
		rows = max(rows, row)
	})
	if latest == nil {
		return lift.Finding{}, false
	}
	severity := lift.Advice
	switch {
	case rows >= 2:
		severity = lift.Warning
	case short:
		severity = lift.Info
	}
	f := d.ofLift(SetDrop, severity, int32(latest.lift), d.dayWindow(d.sessions[x].day))
	f.Historical = latest.historical
	f.Evidence = lift.Evidence{
		Value: drop, Unit: "pct", Threshold: limit,
		Reference: "first set at this load", ReferenceValue: new(d.of(first).early), Observed: new(d.of(latest).early),
		Samples: samples + 1, Confidence: full,
	}
	tellSetDrop(&f, latest.load, rows, short)
	return f, true
}

// firstAt is the first comparable set of the session within 1 % of the load of s.
func (d *diary) firstAt(x int32, s *set) *set {
	for k := d.sessions[x].first; ; k++ {
		o := &d.sets[k]
		if o == s {
			return s
		}
		if o.session == x && !o.warmup && o.timed > 0 && o.faulty == 0 && o.load != noLoad &&
			math.Abs(float64(o.load-s.load)) <= 0.01*float64(s.load)*(1+tolerance) {
			return o
		}
	}
}
