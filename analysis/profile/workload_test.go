package profile

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func steady(n int, kg float64) []DayLoad {
	return slices.Repeat([]DayLoad{{Kg: kg}}, n)
}

func TestRatiosWaitForAHistory(t *testing.T) {
	for _, c := range []struct {
		days          int
		rolling, ewma bool
	}{{0, false, false}, {1, false, false}, {27, false, false}, {28, true, false}, {55, true, false}, {56, true, true}, {168, true, true}} {
		r := AcuteChronic(steady(c.days, 500), 100)
		for what, f := range map[string]Figure{"coupled": r.Coupled, "uncoupled": r.Uncoupled, "ewma": r.EWMA} {
			is := c.rolling
			if what == "ewma" {
				is = c.ewma
			}
			if (f.Value != nil) != is || is && !near9(*f.Value, 1) || !is && f.WhyNot != ShortHistory {
				t.Errorf("%s on day %d: %+v", what, c.days, f)
			}
		}
	}
}

// A day of which nobody knows the load is not a day of rest.
func TestAMissingDayBlanksTheRollingRatiosFor28Days(t *testing.T) {
	for ago := range 60 {
		days := steady(120, 500)
		days[len(days)-1-ago] = DayLoad{Missing: true}
		r := AcuteChronic(days, 100)
		for what, f := range map[string]Figure{"coupled": r.Coupled, "uncoupled": r.Uncoupled} {
			if blank := ago < 28; blank != (f.WhyNot == MissingDay) || blank == (f.Value != nil) {
				t.Errorf("%s, %d days after: %+v", what, ago, f)
			}
		}
		if blank := ago == 0; blank != (r.EWMA.WhyNot == MissingDay) || !blank && !near9(*r.EWMA.Value, 1) {
			t.Errorf("weighted, %d days after: %+v", ago, r.EWMA)
		}
		if m, s := Monotony(days); (ago < 7) != (m.WhyNot == MissingDay) || (ago < 7) != (s.WhyNot == MissingDay) {
			t.Errorf("monotony, %d days after: %+v, strain %+v", ago, m, s)
		}
	}
}

func TestALowChronicLoadIsNotDividedBy(t *testing.T) {
	days := append(steady(60, 0), steady(3, 900)...)
	r := AcuteChronic(days, 100)
	for what, f := range map[string]Figure{"coupled": r.Coupled, "uncoupled": r.Uncoupled} {
		if f.WhyNot != LowChronic {
			t.Errorf("%s after two months of rest: %+v", what, f)
		}
	}
	if r.AcuteKg.Value == nil || !near9(*r.AcuteKg.Value, 2700.0/7) || r.ChronicKg.Value == nil {
		t.Errorf("the loads themselves: %+v", r)
	}
	if r := AcuteChronic(steady(60, 0), 0); r.Coupled.WhyNot != LowChronic || r.EWMA.WhyNot != LowChronic {
		t.Errorf("nothing against nothing: %+v", r)
	}
}

func drawDays(t *rapid.T) []DayLoad {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) DayLoad {
		if rapid.IntRange(0, 30).Draw(t, "missing") == 0 {
			return DayLoad{Missing: true}
		}
		return DayLoad{Kg: max(0, float64(rapid.IntRange(-3_000_000, 9_000_000).Draw(t, "grams"))/1000)} // a quarter are rest
	}), 0, 120).Draw(t, "days")
}

func TestRatiosStayWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := drawDays(t)
		r := AcuteChronic(days, 1)
		// Coupled: the week is part of the four. Weighted: each day weighs at most
		// 0.25 : 2/29 as much in the one as in the other.
		for what, c := range map[string]struct {
			f    Figure
			most float64
		}{"coupled": {r.Coupled, 4}, "weighted": {r.EWMA, 29.0 / 8}, "uncoupled": {r.Uncoupled, 9000}} {
			if c.f.Value != nil && !(*c.f.Value >= 0 && *c.f.Value <= c.most+1e-9) {
				t.Fatalf("%s %g of %v", what, *c.f.Value, days)
			}
			if (c.f.Value == nil) != (c.f.WhyNot != "") {
				t.Fatalf("%s: a value or a reason, not %+v", what, c.f)
			}
		}
		monotony, strain := Monotony(days)
		if (monotony.Value == nil) != (strain.Value == nil) {
			t.Fatalf("%+v, %+v", monotony, strain)
		}
		if monotony.Value != nil && slices.ContainsFunc(days[len(days)-7:], func(d DayLoad) bool { return d.Kg == 0 }) && *monotony.Value > 2.268 {
			t.Fatalf("monotony %g with a day of rest", *monotony.Value)
		}
	})
}

func TestUnitsChangeNoRatio(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := drawDays(t)
		pounds := slices.Clone(days)
		for i := range pounds {
			pounds[i].Kg *= 2.20462
		}
		a, b := AcuteChronic(days, 1), AcuteChronic(pounds, 2.20462)
		m, s := Monotony(days)
		n, u := Monotony(pounds)
		if s.Value != nil {
			s.Value = new(*s.Value * 2.20462)
		}
		for what, pair := range map[string][2]Figure{"coupled": {a.Coupled, b.Coupled}, "uncoupled": {a.Uncoupled, b.Uncoupled},
			"weighted": {a.EWMA, b.EWMA}, "monotony": {m, n}, "strain": {s, u}} {
			x, y := pair[0], pair[1]
			if x.WhyNot != y.WhyNot || x.Value != nil && !near9(*x.Value, *y.Value) {
				t.Fatalf("%s: %+v in kilograms, %+v in pounds", what, x, y)
			}
		}
	})
}

func TestDaysThatAreAllTheSameHaveNoMonotony(t *testing.T) {
	for _, kg := range []float64{0, 0.1, 1234.56} {
		if m, s := Monotony(steady(7, kg)); m.WhyNot != NoVariation || s.WhyNot != NoVariation {
			t.Errorf("%g kg a day: %+v, %+v", kg, m, s)
		}
	}
	if m, _ := Monotony(steady(6, 500)); m.WhyNot != ShortHistory {
		t.Errorf("six days: %+v", m)
	}
}

// Whatever a sensor says that its load was, an answer can be written as JSON.
func TestTinyLoadsMakeNoInfinity(t *testing.T) {
	for _, kg := range []float64{math.SmallestNonzeroFloat64, 1e-200, 1e-162, 1e-100} {
		days := append(steady(60, 0), DayLoad{Kg: kg}, DayLoad{})
		r := AcuteChronic(days, 0)
		m, s := Monotony(days)
		for _, f := range []Figure{r.AcuteKg, r.ChronicKg, r.Coupled, r.Uncoupled, r.EWMA, r.EWMAAcute, r.EWMAChronic, m, s} {
			if f.Value != nil && (math.IsInf(*f.Value, 0) || math.IsNaN(*f.Value)) {
				t.Errorf("%g kg: %g", kg, *f.Value)
			}
		}
		for _, all := range [][]Point{points([]float64{kg, 2 * kg, 3 * kg}, []float64{0.3, 0.2, 0.1}), points([]float64{kg, kg, 1}, []float64{kg, 2 * kg, 1})} {
			if l, ok := Fit(all); ok && math.IsNaN(l.A+l.B+l.R+l.SEE) {
				t.Errorf("a line through loads of %g kg: %+v", kg, l)
			}
		}
	}
}
