package profile

import (
	"math"
	"testing"
)

// near requires a value to the digits given: half a unit of the last one.
func near(t *testing.T, what string, got, want float64, digits int) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 0.5000001*math.Pow10(-digits) {
		t.Errorf("%s: %.*f, want %.*f", what, digits+2, got, digits, want)
	}
}

func value(t *testing.T, what string, f Figure) float64 {
	t.Helper()
	if f.Value == nil {
		t.Fatalf("%s cannot be told: %s", what, f.WhyNot)
	}
	return *f.Value
}

func points(loads, velocities []float64) []Point {
	all := make([]Point, len(loads))
	for i := range loads {
		all[i] = Point{LoadKg: loads[i], Velocity: velocities[i]}
	}
	return all
}

// The numbers below were computed outside this program, from the formulas as they
// are published.

func TestALineThroughFiveLoads(t *testing.T) {
	all := points([]float64{40, 50, 60, 70, 80}, []float64{1.01, 0.84, 0.70, 0.56, 0.39})
	l, ok := Fit(all)
	if !ok || l.N != 5 || l.Loads != 5 || l.SpanKg != 40 {
		t.Fatalf("%+v, %v", l, ok)
	}
	near(t, "velocity at no load", l.A, 1.612, 3)
	near(t, "slope", l.B, -0.0152, 4)
	near(t, "r", l.R, -0.99922, 5)
	for v, kg := range map[float64]float64{0.17: 94.868, 0.10: 99.474} {
		got, ok := l.OneRM(v)
		near(t, "maximum", got, kg, 3)
		if why := DefaultGates().WhyNot(l, v); !ok || why != "" {
			t.Errorf("not to judge by: %q", why)
		}
	}
	two, ok := TwoPoint(all[0], all[4])
	near(t, "two-point velocity at no load", two.A, 1.63, 2)
	near(t, "two-point slope", two.B, -0.0155, 4)
	kg, known := two.OneRM(0.17)
	near(t, "two-point maximum", kg, 94.194, 3)
	if _, sure := two.OneRMError(0.17); !ok || !known || sure {
		t.Error("the error of a line through two points was told")
	}
	near(t, "anchored at 60 kg, a little slow", first(Anchored(60, 0.67, 0.17, l.B)), 60+0.50/0.0152, 3)
}

func first(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}

func TestMaximaFromOneSet(t *testing.T) {
	near(t, "Epley 100 × 5", first(Epley(100, 5)), 116.65, 2)
	// At 0.56 m/s the published deadlift line stands at 80 % for the threshold it
	// was measured with, 0.3105 m/s.
	near(t, "one set", first(FromOneSet(160, 0.56, 0.3105, 80.2)), 160/0.79990, 2)
	near(t, "slower than at the maximum", first(FromOneSet(200, 0.10, 0.15, 80.2)), 200, 9)
	for what, ok := range map[string]bool{
		"Epley of 11": !is(Epley(100, 11)), "Epley of 0": !is(Epley(100, 0)),
		"below half": !is(FromOneSet(60, 0.80, 0.15, 80.2)), "no slope": !is(FromOneSet(60, 0.30, 0.15, 0)), "no load": !is(FromOneSet(0, 0.30, 0.15, 80.2)),
		"a line that rises": !is(Anchored(60, 0.5, 0.17, 0.01)), "a flat line": !is(Anchored(60, 0.5, 0.17, 0)),
	} {
		if !ok {
			t.Errorf("%s was told", what)
		}
	}
	if kg, _ := Epley(140, 1); kg != 140 {
		t.Errorf("a single to failure is %g of itself", kg)
	}
}

func is(_ float64, ok bool) bool { return ok }

func loads(weeks ...[7]float64) []DayLoad {
	var all []DayLoad
	for _, w := range weeks {
		for _, kg := range w {
			all = append(all, DayLoad{Kg: kg})
		}
	}
	return all
}

var fiveWeeks = loads(
	[7]float64{450, 600, 300, 550, 250, 0, 0}, [7]float64{500, 620, 320, 560, 280, 0, 0}, [7]float64{480, 650, 300, 600, 260, 0, 0},
	[7]float64{520, 640, 350, 580, 300, 0, 0}, [7]float64{700, 800, 500, 750, 600, 400, 0})

func TestAcuteAgainstChronicOverFiveWeeks(t *testing.T) {
	r := AcuteChronic(fiveWeeks, 1)
	near(t, "coupled", value(t, "coupled", r.Coupled), 1.40056, 5)
	near(t, "uncoupled", value(t, "uncoupled", r.Uncoupled), 1.61638, 5)
	// Too early to be told as a ratio; the averages are those of the vector all the same.
	if r.EWMA.WhyNot != ShortHistory {
		t.Errorf("weighted ratio on day 35: %+v", r.EWMA)
	}
	for _, c := range []struct {
		day            int
		acute, chronic float64
	}{{1, 450, 450}, {2, 487.5, 460.345}, {3, 440.625, 449.287}, {35, 386.062, 394.623}} {
		near(t, "weighted over 7", weighted(fiveWeeks[:c.day], 7), c.acute, 3)
		near(t, "weighted over 28", weighted(fiveWeeks[:c.day], 28), c.chronic, 3)
	}
	for day, ratio := range map[int]float64{28: 0.68423, 34: 1.21445, 35: 0.97830} {
		near(t, "weighted ratio", weighted(fiveWeeks[:day], 7)/weighted(fiveWeeks[:day], 28), ratio, 5)
	}
}

func TestMonotonyAndStrainOfTwoWeeks(t *testing.T) {
	for _, c := range []struct {
		week             [7]float64
		monotony, strain float64
	}{
		{[7]float64{630, 630, 300, 480, 120, 720, 0}, 1.48255, 4269.74},
		{[7]float64{500, 620, 320, 560, 280, 0, 0}, 1.28387, 2927.23},
	} {
		monotony, strain := Monotony(loads(c.week))
		near(t, "monotony", value(t, "monotony", monotony), c.monotony, 5)
		near(t, "strain", value(t, "strain", strain), c.strain, 2)
	}
	// The population's standard deviation is smaller, and the vector's other pair.
	monotony, strain := Monotony(loads([7]float64{630, 630, 300, 480, 120, 720, 0}))
	near(t, "population monotony", *monotony.Value*math.Sqrt(7.0/6), 1.60134, 5)
	near(t, "population strain", *strain.Value*math.Sqrt(7.0/6), 4611.84, 2)
}

// Six people tested twice: their differences have a standard deviation of 0.88863,
// and one test the typical error of that by √2.
func TestWhatIsMoreThanNoiseAfterSixPeopleWereTestedTwice(t *testing.T) {
	// The detectable change of the vector starts from the typical error as it is
	// printed; the other number from the exact one.
	near(t, "smallest detectable change", Noise{TypicalError: 0.6284}.Band(1), 1.7418, 4)
	exact := 0.88863 / math.Sqrt2
	near(t, "against the mean of 10", Noise{TypicalError: exact}.Band(10), 1.2917, 4)
	// Six people say less than a known error does: t(5) is 2.5706.
	near(t, "from six people", Noise{TypicalError: exact, Freedom: 5}.Band(1), 2.5706*0.88863, 3)
	near(t, "smallest worthwhile", SmallestWorthwhile(0.05), 0.01, 9)
}
