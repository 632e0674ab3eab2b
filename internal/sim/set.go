package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Set is one set as it is lifted. Its reps have neither identity nor time yet.
type Set struct {
	Athlete  lift.AthleteID
	Exercise lift.ExerciseID
	LoadKg   float64
	Number   int // of the exercise in its session, warm-ups included, from 1
	Warmup   bool
	Slows    bool // the last two reps are more than 20 % slower than the fastest
	Reps     []lift.Rep
	// Ends holds the end of each rep's concentric phase, since the set began.
	Ends []time.Duration
	Rest time.Duration // after the set
}

// Session is what one lifter does in one visit.
type Session struct {
	Lifter Lifter
	Sets   []Set
}

const (
	setUp    = time.Second            // from the set's begin to the first movement
	hold     = 400 * time.Millisecond // at the top
	onFloor  = 600 * time.Millisecond // the bar lies on the floor between deadlifts
	workRest = 150 * time.Second      // rest after a work set
	warmRest = 60 * time.Second       // rest after a warm-up
)

// fading is the share of the fastest velocity that the reps of a slowing set of
// five keep. Noise is far smaller than what the last two are below 0.80.
var fading = []float64{1, 0.985, 0.90, 0.755, 0.725}

// newSet lets the lifter do reps at a load, tired from the work sets before it.
// form is today's velocity as a share of the usual.
func (l *Lifter) newSet(r *rand.Rand, s Set, reps, before int, form float64) Set {
	share := s.LoadKg / l.Max(s.Exercise)
	fresh := VelocityAt(s.Exercise, share) * l.Quickness * form * (1 - 0.004*float64(before))
	m := motionOf(s.Exercise)
	var now time.Duration
	for i := range reps {
		noise := l.Noise
		kept := 1 - l.Fatigue*float64(i)
		if s.Slows {
			kept = fading[min(i, len(fading)-1)]
			noise = min(noise, 0.008)
		}
		rep := newRep(r, s, i+1, fresh*kept*(1+noise*bounded(r)), share, m, l.Build)
		up, down := seconds(*rep.Concentric), seconds(*rep.Eccentric)
		switch {
		case i == 0:
			now = setUp
		case m.lowersFirst:
			now += hold
		default:
			now += hold + seconds(*s.Reps[i-1].Eccentric) + onFloor
		}
		if m.lowersFirst {
			now += down
		}
		now += up
		s.Reps = append(s.Reps, rep)
		s.Ends = append(s.Ends, now)
	}
	s.Athlete = l.ID
	s.Rest = workRest
	if s.Warmup {
		s.Rest = warmRest
	}
	return s
}

func newRep(r *rand.Rand, s Set, number int, velocity, share float64, m motion, build float64) lift.Rep {
	mean := round(velocity, 3)
	rom := round(m.rom*build*(1+0.01*bounded(r)/2.5), 3)
	up := round(rom/mean, 3)
	peak := round(mean*(1.58+0.15*(1-share)+0.02*r.Float64()), 3)
	propulsive := round(mean*(1+0.08*max(0, 0.9-share)), 3)
	down := round(m.eccentric*(1+0.15*r.Float64()), 3)
	drift := round(0.012+0.01*r.Float64(), 3)
	tilt := round(0.5+1.2*r.Float64(), 1)
	load, set := s.LoadKg, s.Number
	return lift.Rep{
		Exercise: s.Exercise, LoadKg: &load, Set: &set, Rep: &number, Warmup: s.Warmup,
		MeanVelocity: mean, PeakVelocity: &peak, MeanPropulsiveVelocity: &propulsive,
		ROM: &rom, Concentric: &up, Eccentric: &down, BarDrift: &drift, BarTilt: &tilt,
	}
}

// rep returns the set's i-th rep with its identity and time.
func (s *Set) rep(i int, boot string, seq int64, at time.Time) lift.Rep {
	rep := s.Reps[i]
	rep.BootID, rep.Seq, rep.Time, rep.Athlete = boot, seq, at, s.Athlete
	return rep
}

// duration is from the set's begin to the end of its last movement.
func (s *Set) duration() time.Duration {
	last := len(s.Reps) - 1
	return s.Ends[last] + hold + seconds(*s.Reps[last].Eccentric)
}

// duration is from the first set's begin to the end of the last one.
func (s *Session) duration() time.Duration {
	var d time.Duration
	for i := range s.Sets {
		d += s.Sets[i].duration() + s.Sets[i].Rest
	}
	return d
}

// bounded draws from the normal distribution, cut at 2.5 standard deviations.
func bounded(r *rand.Rand) float64 {
	for {
		if x := r.NormFloat64(); math.Abs(x) <= 2.5 {
			return x
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func round(x float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(x*p) / p
}

// plates rounds a load to what can be put on the bar, 2.5 kg steps.
func plates(kg float64) float64 { return max(20, 2.5*math.Round(kg/2.5)) }
