package profile

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near9(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// drawLoads draws 3 to 12 loads, at least two of them different.
func drawLoads(t *rapid.T) []float64 {
	loads := rapid.SliceOfN(rapid.Float64Range(20, 300), 3, 12).Draw(t, "loads")
	loads[0], loads[1] = 60, 100
	return loads
}

func TestATrueLineIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64Range(0.8, 2.5).Draw(t, "a"), rapid.Float64Range(-0.02, -0.001).Draw(t, "b")
		var all []Point
		for _, kg := range drawLoads(t) {
			all = append(all, Point{LoadKg: kg, Velocity: a + b*kg})
		}
		l, ok := Fit(all)
		if !ok || !near9(l.A, a) || !near9(l.B, b) || !near9(l.R, -1) || l.SEE > 1e-6 {
			t.Fatalf("%+v of v = %g %+g·L", l, a, b)
		}
		if v := rapid.Float64Range(0.05, 0.6).Draw(t, "threshold"); !near9(l.At(first(l.OneRM(v))), v) {
			t.Fatalf("at the maximum the bar moves at %g, not %g m/s", l.At(first(l.OneRM(v))), v)
		}
	})
}

// Pounds instead of kilograms, or a device that shows 2 % more, change the line in the
// one way they can; the order of the points changes nothing.
func TestUnitsScaleALineAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, c := rapid.Float64Range(0.3, 3).Draw(t, "load factor"), rapid.Float64Range(0.5, 2).Draw(t, "velocity factor")
		var plain, scaled []Point
		for i, kg := range drawLoads(t) {
			v := 1.6 - 0.005*kg + 0.02*math.Sin(float64(7*i))
			plain = append(plain, Point{LoadKg: kg, Velocity: v})
			scaled = append([]Point{{LoadKg: k * kg, Velocity: c * v}}, scaled...)
		}
		p, _ := Fit(plain)
		s, ok := Fit(scaled)
		if !ok || !near9(s.A, c*p.A) || !near9(s.B, p.B*c/k) || !near9(s.R, p.R) || !near9(s.SEE, c*p.SEE) || s.Loads != p.Loads {
			t.Fatalf("%+v became %+v", p, s)
		}
		one, _ := p.OneRM(0.2)
		other, ok := s.OneRM(0.2 * c)
		e, _ := p.OneRMError(0.2)
		f, _ := s.OneRMError(0.2 * c)
		if !near9(k*one, other) || ok && !near9(k*e, f) {
			t.Fatalf("maximum %g ± %g became %g ± %g", one, e, other, f)
		}
		if g := DefaultGates(); g.WhyNot(p, 0.2) != g.WhyNot(s, 0.2*c) {
			t.Fatalf("judged %q, then %q", g.WhyNot(p, 0.2), g.WhyNot(s, 0.2*c))
		}
	})
}

func TestAPredictionIsLessSureFartherFromThePoints(t *testing.T) {
	l, _ := Fit(points([]float64{40, 50, 60, 70, 80}, []float64{1.01, 0.84, 0.70, 0.56, 0.39}))
	// s = 0.011106, n = 5, mean 60, squares 1 000: computed by hand.
	near(t, "standard error of the estimate", l.SEE, 0.0110, 4)
	near(t, "at the mean load", first(l.ErrorAt(60)), l.SEE*math.Sqrt(1.2), 9)
	near(t, "20 kg away", first(l.ErrorAt(80)), l.SEE*math.Sqrt(1.6), 9)
	near(t, "of the maximum", first(l.OneRMError(0.17)), first(l.ErrorAt(94.868))/0.0152, 2)
}

func TestGatesSayWhyALineIsNotToJudgeBy(t *testing.T) {
	for _, c := range []struct {
		name              string
		loads, velocities []float64
		threshold         float64
		why               string
	}{
		{"good", []float64{60, 100, 140}, []float64{1.0, 0.7, 0.4}, 0.15, ""},
		{"two loads, many points", []float64{60, 60, 140, 140}, []float64{1.0, 1.0, 0.4, 0.4}, 0.15, FewLoads},
		{"heavier was faster", []float64{60, 100, 140}, []float64{0.4, 0.7, 1.0}, 0.15, NotSlower},
		{"all the same", []float64{60, 100, 140}, []float64{0.5, 0.5, 0.5}, 0.15, NotSlower},
		{"slower than at the maximum everywhere", []float64{60, 100, 140}, []float64{0.14, 0.13, 0.12}, 0.30, NoMaximum},
		// v = 1.45 − 0.0075·L: the maximum at 0.15 m/s is 173.3 kg, 30 % of it 52 kg.
		{"exactly 30 % apart", []float64{60, 80, 112}, []float64{1.0, 0.85, 0.61}, 0.15, ""},
		{"a little less", []float64{60, 80, 111.9}, []float64{1.0, 0.85, 0.61075}, 0.15, NarrowSpan},
		// Without a threshold the bar stands still at 193.3 kg: 58 kg are needed.
		{"threshold unknown", []float64{60, 80, 112}, []float64{1.0, 0.85, 0.61}, 0, NarrowSpan},
		{"threshold unknown, wider", []float64{60, 80, 118}, []float64{1.0, 0.85, 0.565}, 0, ""},
		{"scattered", []float64{60, 80, 100, 120, 140}, []float64{1.0, 0.6, 0.8, 0.4, 0.5}, 0.15, LooseFit},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, ok := Fit(points(c.loads, c.velocities))
			if why := DefaultGates().WhyNot(l, c.threshold); !ok || why != c.why {
				t.Errorf("%q, want %q: %+v", why, c.why, l)
			}
		})
	}
	for _, c := range [][]Point{nil, points([]float64{100}, []float64{0.5}), points([]float64{100, 100}, []float64{0.5, 0.6}),
		points([]float64{100, math.NaN()}, []float64{0.5, 0.6}), points([]float64{100, 120}, []float64{0.5, math.Inf(1)})} {
		if l, ok := Fit(c); ok {
			t.Errorf("a line through %v: %+v", c, l)
		}
	}
}

func manyPoints() []Point {
	var all []Point
	for session := range 18 {
		for step := range 5 {
			kg := 60 + 20*float64(step)
			all = append(all, Point{LoadKg: kg, Velocity: 1.5 - 0.006*kg + 0.01*math.Sin(float64(session))})
		}
	}
	return all
}

func TestFittingDoesNotAllocate(t *testing.T) {
	all, gates := manyPoints(), DefaultGates()
	if n := testing.AllocsPerRun(100, func() {
		if l, ok := Fit(all); !ok || gates.WhyNot(l, 0.15) != "" {
			t.Fatal("no line")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Six weeks of three sessions with five loads.
func BenchmarkFitNinetyPoints(b *testing.B) {
	all, gates := manyPoints(), DefaultGates()
	b.ReportAllocs()
	for b.Loop() {
		l, _ := Fit(all)
		if gates.WhyNot(l, 0.15) != "" {
			b.Fatal("no line")
		}
	}
}
