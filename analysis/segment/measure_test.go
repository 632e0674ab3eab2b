package segment

import (
	"fmt"
	"math"
	"testing"

	"github.com/spotterhq/spotter/internal/lift"
)

// rounded tells whether a number is the one given, to its four decimals.
func rounded(got, want float64) bool { return math.Abs(got-want) <= 0.00005+1e-9 }

// Load-rules section 9, vector 1: the same samples in three conventions. The one in
// use sees the bar at rest before and after them.
func TestGoldenVelocities(t *testing.T) {
	v := []float64{.10, .35, .60, .80, .95, 1.05, 1.12, 1.16, 1.18, 1.15, 1.05, .55, .05}
	const rate = 20
	propulsive := len(v)
	for i := range len(v) - 1 {
		if (v[i+1]-v[i])*rate < -gravity {
			propulsive = i + 1
			break
		}
	}
	sampleMean := func(v []float64) (sum float64) {
		for _, x := range v {
			sum += x / float64(len(v))
		}
		return sum
	}
	trapezoid := func(v []float64) (sum float64) {
		for i := range len(v) - 1 {
			sum += (v[i] + v[i+1]) / 2 / float64(len(v)-1)
		}
		return sum
	}
	padded := append(append(make([]float64, 40), v...), make([]float64, 80)...)
	reps := found(New(Gate{}), chunked(padded, rate, fixed(10)))
	if len(reps) != 1 {
		t.Fatalf("found %d reps, not 1", len(reps))
	}
	r := reps[0]
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"MV, mean of the samples", sampleMean(v), 0.7777},
		{"MPV, mean of the samples", sampleMean(v[:propulsive]), 0.8645},
		{"MV, first to last", trapezoid(v), 0.8363},
		{"MPV, first to last", trapezoid(v[:propulsive]), 0.8935},
		{"MV in use, zero to zero", r.MeanVelocity, 0.7221},
		{"MPV in use", *r.MeanPropulsiveVelocity, 0.8168},
		{"PV", *r.PeakVelocity, 1.18},
		{"ROM", *r.ROM, 0.5055},
		{"duration", *r.Concentric, 0.7},
	} {
		if !rounded(c.got, c.want) {
			t.Errorf("%s is %.5f, not %.4f", c.name, c.got, c.want)
		}
	}
	if r.Convention != Convention {
		t.Errorf("the convention is stored as %q", r.Convention)
	}
}

// tolerance is how far a rep may be from the truth: load-rules section 4.3.
type tolerance struct{ mean, propulsive, peak, rom, edge float64 }

func toleranceAt(rate float64) tolerance {
	if rate >= 200 {
		return tolerance{mean: 0.005, propulsive: 0.005, peak: 0.02, rom: 0.005, edge: 1 / rate}
	}
	return tolerance{mean: 0.02, propulsive: 0.02, peak: 0.05, rom: 0.010, edge: 1 / rate}
}

// differs says where a rep is not what the truth was, "" where it is.
func differs(r *lift.Rep, want *truth, rate float64, tol tolerance) string {
	end := r.Time.Sub(begin(rate)).Seconds()
	for _, c := range []struct {
		name           string
		got, want, tol float64
	}{
		{"mean", r.MeanVelocity, want.mean, tol.mean},
		{"propulsive", *r.MeanPropulsiveVelocity, want.propulsive, tol.propulsive},
		{"peak", *r.PeakVelocity, want.peak, tol.peak},
		{"rom", *r.ROM, want.rom, tol.rom},
		{"begin", end - *r.Concentric, want.from, tol.edge},
		{"end", end, want.to, tol.edge},
	} {
		if !(math.Abs(c.got-c.want) <= c.tol+1e-4) {
			return fmt.Sprintf("%s is %.4f, not %.4f ± %.4f", c.name, c.got, c.want, c.tol)
		}
	}
	return ""
}

var shapes = []struct {
	name string
	of   shape
}{{"sine", sine}, {"soft", jerkless}, {"early peak", early}}

// session is a bit of everything: deadlifts from a dead stop and touch-and-go, squats
// without and with a pause.
func session(sh shape) *trace {
	return new(trace).rest(2).
		deadlifts(sh, 0.55, 0.8, 0.7, 0.5, 0.35, 0.2).rest(8).
		deadlifts(sh, 0.55, 0, 0.6, 0.5, 0.4).rest(8).
		squats(sh, 0.6, 0, 0.8, 0.5, 0.3).rest(8).
		squats(sh, 0.45, 0.8, 0.9, 0.4)
}

func TestRepsAreMeasuredWithinTheTolerances(t *testing.T) {
	for _, sh := range shapes {
		for _, rate := range []float64{50, 100, 200, 500, 1000} {
			tr := session(sh.of)
			reps := found(New(Gate{}), chunked(tr.sampled(rate, 0, random(1)), rate, fixed(100)))
			if len(reps) != len(tr.reps) {
				t.Errorf("%s at %g Hz: found %d of %d reps", sh.name, rate, len(reps), len(tr.reps))
				continue
			}
			for i := range reps {
				if d := differs(&reps[i], &tr.reps[i], rate, toleranceAt(rate)); d != "" {
					t.Errorf("%s at %g Hz, rep %d: %s", sh.name, rate, i+1, d)
				}
				if want := tr.reps[i].eccentric; reps[i].Eccentric == nil || math.Abs(*reps[i].Eccentric-want) > 2/rate+1e-4 {
					t.Errorf("%s at %g Hz, rep %d: eccentric phase %v, not %g", sh.name, rate, i+1, reps[i].Eccentric, want)
				}
			}
		}
	}
}

// In noise of 0.02 m/s the mean velocity is to be within 0.02 m/s. A single rep can
// be further off, because its edges are hidden: this asks for it on the average over
// all reps (root of the mean square), and 0.06 of every single one.
func TestNoiseIsBorne(t *testing.T) {
	for _, sh := range shapes {
		for _, rate := range []float64{50, 100, 200, 1000} {
			var squares, worst float64
			n := 0
			for seed := range uint64(8) {
				tr := session(sh.of)
				reps := found(New(Gate{}), chunked(tr.sampled(rate, 0.02, random(seed)), rate, fixed(100)))
				if len(reps) != len(tr.reps) {
					t.Errorf("%s at %g Hz, seed %d: found %d of %d reps", sh.name, rate, seed, len(reps), len(tr.reps))
					continue
				}
				for i := range reps {
					off := math.Abs(reps[i].MeanVelocity - tr.reps[i].mean)
					squares, worst, n = squares+off*off, max(worst, off), n+1
					if off := math.Abs(*reps[i].ROM - tr.reps[i].rom); off > 0.015 {
						t.Errorf("%s at %g Hz, seed %d, rep %d: ROM is off by %.4f m", sh.name, rate, seed, i+1, off)
					}
					if off := math.Abs(*reps[i].PeakVelocity - tr.reps[i].peak); off > 0.05 {
						t.Errorf("%s at %g Hz, seed %d, rep %d: peak is off by %.4f m/s", sh.name, rate, seed, i+1, off)
					}
				}
			}
			rms := math.Sqrt(squares / float64(n))
			t.Logf("%-10s %4g Hz: mean velocity off by %.4f (rms), %.4f (most)", sh.name, rate, rms, worst)
			if rms > 0.02 || worst > 0.06 {
				t.Errorf("%s at %g Hz: mean velocity is off by %.4f m/s (rms), %.4f at most", sh.name, rate, rms, worst)
			}
		}
	}
}

// Fast reps are thrown upwards at the end: the propulsive phase is shorter.
func TestThePropulsivePhaseEndsInFreeFall(t *testing.T) {
	tr := new(trace).rest(2).concentric(sine, 0.6, 1.3).rest(0.4).eccentric(jerkless, 0.6, 1)
	if tr.reps[0].propulsive < 1.35 {
		t.Fatalf("the trace has no braking phase: %+v", tr.reps[0])
	}
	for _, rate := range []float64{200, 1000} {
		reps := found(New(Gate{}), chunked(tr.sampled(rate, 0, random(1)), rate, fixed(100)))
		if len(reps) != 1 {
			t.Fatalf("%g Hz: found %d reps", rate, len(reps))
		}
		if d := differs(&reps[0], &tr.reps[0], rate, toleranceAt(rate)); d != "" {
			t.Errorf("%g Hz: %s", rate, d)
		}
	}
}

func TestTheStickingRegionIsWhereTheBarSlowsDown(t *testing.T) {
	// A hump of 0.6 m/s, a dip of 0.25 at 0.9 s, a second hump.
	sticky := func(u float64) float64 {
		return 1.5*math.Sin(math.Pi*u) - 0.9*math.Exp(-math.Pow((u-0.45)/0.1, 2))
	}
	var mean float64
	for i := range 1000 {
		mean += sticky((float64(i)+0.5)/1000) / 1000
	}
	level := func(u float64) float64 { return sticky(u) / mean }
	for _, noise := range []float64{0, 0.02} {
		tr := new(trace).rest(2).concentric(level, 0.5, 0.3).rest(0.4).eccentric(jerkless, 0.5, 1)
		reps := found(New(Gate{}), chunked(tr.sampled(100, noise, random(3)), 100, fixed(50)))
		if len(reps) != 1 || reps[0].StickingFrom == nil {
			t.Fatalf("noise %g: no sticking region in %+v", noise, reps)
		}
		whole := 0.5 / 0.3
		from, to := *reps[0].StickingFrom/whole, *reps[0].StickingTo/whole
		if math.Abs(from-0.28) > 0.06 || math.Abs(to-0.46) > 0.05 {
			t.Errorf("noise %g: the bar sticks from %.2f to %.2f of the rep", noise, from, to)
		}
	}
	smooth := new(trace).rest(2).concentric(early, 0.5, 0.4).rest(3)
	if reps := found(New(Gate{}), chunked(smooth.sampled(100, 0.02, random(3)), 100, fixed(50))); len(reps) != 1 || reps[0].StickingFrom != nil {
		t.Errorf("a rep without a dip has a sticking region: %+v", reps)
	}
}

func TestHorizontalDriftIsTheFarthestFromTheStart(t *testing.T) {
	tr := new(trace).rest(2).concentric(sine, 0.5, 0.5).rest(3)
	v := tr.sampled(100, 0, random(1))
	chunks := chunked(v, 100, fixed(50))
	at := 0
	for _, c := range chunks {
		for range c.Velocity {
			u := (float64(at)/100 - 2) / 1 // of the concentric phase
			c.Horizontal = append(c.Horizontal, 1+0.03*math.Sin(math.Pi*min(max(u, 0), 1)))
			at++
		}
	}
	reps := found(New(Gate{}), chunks)
	if len(reps) != 1 || reps[0].BarDrift == nil || math.Abs(*reps[0].BarDrift-0.03) > 0.001 {
		t.Errorf("the drift is not 0.03 m: %+v", reps)
	}
	if p := *reps[0].TimeToPeak; math.Abs(p-0.5) > 0.02 {
		t.Errorf("the peak comes after %.3f s, not 0.5", p)
	}
	chunks[5].Horizontal = nil // within the rep
	if reps := found(New(Gate{}), chunks); len(reps) != 1 || reps[0].BarDrift != nil {
		t.Errorf("half a path has a drift: %+v", reps)
	}
}
