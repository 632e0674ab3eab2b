package analysis

import (
	"math"

	"github.com/spotterhq/spotter/internal/lift"
)

// What devices tell of technique, as absolute values.
const (
	markDrift   = iota // m
	markTilt           // degrees
	markRatio          // rise of the hips to that of the shoulders
	markFlexion        // degrees
	technical
)

var markNames = [technical]string{"bar_drift_m", "bar_tilt_deg", "hip_shoulder_ratio", "trunk_flexion_deg"}

var noMarks = [technical]float32{absent, absent, absent, absent}

func technicalMarks(r *lift.Rep) [technical]float32 {
	m := noMarks
	for i, v := range [technical]*float64{r.BarDrift, r.BarTilt, r.HipShoulderRatio, r.TrunkFlexion} {
		if v != nil {
			m[i] = float32(math.Abs(*v))
		}
	}
	return m
}

func (s *set) addTechnique(r *rep) {
	if r.marks == noMarks {
		return
	}
	if s.technique == nil {
		s.technique = new([technical]moments)
	}
	for i, v := range r.marks {
		if v != absent {
			s.technique[i].add(float64(v))
		}
	}
}

// techniqueReference is the athlete's own technique at a load.
type techniqueReference struct {
	day  date
	lift int32
	load int64
	own  [technical]moments
}

const techniqueDays = 42

// techniqueOf is the technique of the 42 days before the date at loads within
// 10 %.
func (d *diary) techniqueOf(x int32, load int64, day date) *techniqueReference {
	for i := range d.refs.technique {
		if r := &d.refs.technique[i]; r.day == day && r.lift == x && r.load == load {
			return r
		}
	}
	r := techniqueReference{day: day, lift: x, load: load}
	within := d.on(day).Technique.LoadShare*float64(load) + tolerance
	d.sessionsIn("", day-techniqueDays, day, func(i int32, s *session) {
		if s.lift != x {
			return
		}
		d.each(i, func(_ int32, s *set) {
			if s.technique == nil || math.Abs(float64(s.load-load)) > within {
				return
			}
			for i := range s.technique {
				r.own[i].join(s.technique[i])
			}
		})
	})
	d.refs.technique = append(d.refs.technique, r)
	return &d.refs.technique[len(d.refs.technique)-1]
}

// markLimit is the value above which a rep is flagged, and false where nothing
// can be said.
func (d *diary) markLimit(mark int, r *techniqueReference) (limit, own float64, ok bool) {
	l := &d.on(r.day).Technique
	m := &r.own[mark]
	known := int(m.n) >= l.MinReps
	if known {
		own = m.mean()
	}
	switch mark {
	case markDrift:
		return own + l.Deviations*m.deviation(), own, known
	case markTilt:
		limit = l.TiltDeg
		if known {
			limit = min(limit, own+l.Deviations*m.deviation())
		}
		return limit, own, true
	case markRatio:
		return l.Ratio, own, true
	}
	return own + l.FlexionDeg, own, known
}

// technique tells of the session's sets in which at least two reps differ from
// the athlete's own technique in the same way, and of sets with an uneven range
// of motion. The feature furthest over its limit speaks.
func (d *diary) technique(x int32) (lift.Finding, bool) {
	var f lift.Finding
	var told *set
	worst := 0.0
	s := &d.sessions[x]
	l := &d.on(s.day).Technique
	d.each(x, func(k int32, s *set) {
		if s.warmup || s.faulty != 0 || d.flagged(s.started) {
			return
		}
		say := func(name, unit string, value, limit, own float64, reps int) {
			if value/limit > worst {
				worst, told = value/limit, s
				f.Evidence = lift.Evidence{
					Value: value, Unit: unit, Threshold: limit, Metric: name, Reference: "own reps at this load",
					ReferenceValue: new(own), Observed: new(value), Samples: reps, Confidence: full,
				}
			}
		}
		if rom := &d.of(s).rom; rom.n >= 4 && rom.mean() > 0 {
			if cv := 100 * rom.deviation() / rom.mean(); above(cv, l.RomPct) {
				say("rom_cv_pct", "pct", cv, l.RomPct, rom.mean(), int(rom.n))
			}
		}
		if s.technique == nil {
			return
		}
		r := d.techniqueOf(int32(s.lift), s.load, d.sessions[x].day)
		for mark := range technical {
			limit, own, ok := d.markLimit(mark, r)
			if !ok || limit <= 0 || s.technique[mark].n == 0 {
				continue
			}
			flagged, high := 0, 0.0
			d.repsOf(k, func(_ int32, r *rep) {
				if v := float64(r.marks[mark]); r.marks[mark] != absent && v > limit+1e-6 {
					flagged++
					high = max(high, v)
				}
			})
			if flagged >= l.FlaggedReps {
				say(markNames[mark], [technical]string{"m", "deg", "ratio", "deg"}[mark], high, limit, own, flagged)
			}
		}
	})
	if told == nil {
		return lift.Finding{}, false
	}
	evidence := f.Evidence
	f = d.ofLift(Technique, lift.Advice, s.lift, d.dayWindow(s.day))
	f.Historical, f.Evidence = told.historical, evidence
	if evidence.Metric == markNames[markRatio] && evidence.Value > l.RatioHigh+1e-6 {
		f.Severity, f.Evidence.Threshold = lift.Warning, l.RatioHigh
	}
	tellTechnique(&f, d.of(told).number, told.load)
	return f, true
}
