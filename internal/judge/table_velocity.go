package main

import (
	"fmt"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// lossRates are sets of five deadlifts with a straight true loss, three a day so
// that no rule's number of alerts in a session is reached.
func lossRates(seed uint64, size int) []rate {
	var all []rate
	cell := func(v0, sd, loss float64) (twice, last, union, advice, warning, of int) {
		days := max(20, 12*size)
		b := newBare(seed, fmt.Sprint("sets", v0, sd, loss), 0)
		for day := range days {
			for n := range 3 {
				var v []float64
				for i := range 5 {
					v = append(v, max(0.02, v0*(1-loss*float64(i)/4)+sd*b.r.NormFloat64()))
				}
				of++
				b.set(day, n, 100, v...)
				two := twoInRow(v, 0.15)
				end := lossOf(v, 4) >= 0.20 && v[4] <= maxOf(v)-0.05
				if two {
					twice++
				}
				if end {
					last++
				}
				if two || end || twoInRow(v, 0.20) {
					union++
				}
			}
			if day%60 == 59 || day == days-1 { // a history of two months is enough for rules of sets
				advice += b.count(analysis.Settings{}, days/7+2, analysis.VelocityLoss, 0, nil)
				warning += b.count(analysis.Settings{}, days/7+2, analysis.VelocityLoss, 0, atLeast(lift.Warning))
				b.Reps = b.Reps[:0]
			}
		}
		return
	}
	expected := map[[2]float64]float64{
		{0.015, 0}: 0, {0.015, 0.05}: 0.001, {0.015, 0.10}: 0.026, {0.015, 0.20}: 0.5,
		{0.025, 0}: 0.010, {0.025, 0.05}: 0.041, {0.025, 0.10}: 0.124, {0.025, 0.20}: 0.525,
	}
	for _, sd := range []float64{0.015, 0.025} {
		for _, loss := range []float64{0, 0.05, 0.10, 0.20} {
			twice, _, union, advice, _, of := cell(0.45, sd, loss)
			name := fmt.Sprintf("velocity-loss, 0.45 m/s, noise %.3f m/s, true loss %.0f %%", sd, 100*loss)
			all = append(all, rate{name + ", two in a row over 15 %", twice, of, expected[[2]float64{sd, loss}], "counted in the same sets without the rule"},
				rate{name + ", told as advice or worse", advice, of, float64(union) / float64(of),
					"expected: two in a row over 15 %, or the last over 20 %, counted in the same sets"})
		}
	}
	ends := map[[2]float64]float64{
		{0.02, 0}: 0, {0.02, 0.10}: 0.034, {0.02, 0.15}: 0.192, {0.02, 0.20}: 0.533, {0.02, 0.30}: 0.981,
		{0.03, 0}: 0.015, {0.03, 0.10}: 0.146, {0.03, 0.15}: 0.331, {0.03, 0.20}: 0.574, {0.03, 0.30}: 0.931,
	}
	for _, sd := range []float64{0.02, 0.03} {
		for _, loss := range []float64{0, 0.10, 0.15, 0.20, 0.30} {
			_, last, _, _, warning, of := cell(0.50, sd, loss)
			name := fmt.Sprintf("velocity-loss, 0.50 m/s, noise %.2f m/s, true loss %.0f %%", sd, 100*loss)
			all = append(all, rate{name + ", last rep over 20 %", last, of, ends[[2]float64{sd, loss}], "counted in the same sets without the rule"},
				rate{name + ", told as warning", warning, of, ends[[2]float64{sd, loss}], "two reps in a row over 20 % warn as well"})
		}
	}
	return all
}

func maxOf(v []float64) float64 {
	m := v[0]
	for _, x := range v {
		m = max(m, x)
	}
	return m
}

// lossOf is the loss of a rep against the fastest up to it.
func lossOf(v []float64, i int) float64 {
	best := maxOf(v[:i+1])
	return (best - v[i]) / best
}

func twoInRow(v []float64, limit float64) bool {
	run := 0
	for i := 2; i < len(v); i++ {
		if lossOf(v, i) >= limit && maxOf(v[:i+1])-v[i] >= 0.05 {
			run++
		} else {
			run = 0
		}
		if run >= 2 {
			return true
		}
	}
	return false
}

// dayRates are sessions every eighth day, so that five lie in the 42 days before,
// at four loads on a true line, with the noise of days on top: the same for all
// loads of a day, or each load's own.
func dayRates(seed uint64, size int) []rate {
	var all []rate
	expected := map[float64][2]float64{0.036: {0.0043, 0}, 0.047: {0.0251, 0.0014}, 0.059: {0.0587, 0.0067}}
	for _, shared := range []bool{false, true} {
		for _, cv := range []float64{0.036, 0.047, 0.059} {
			over, of := [2]int{}, 0
			for n := range 4 * size {
				b := newBare(seed, fmt.Sprint("days", shared, cv), n)
				for s := range 24 {
					form := 1 + cv*b.r.NormFloat64()
					for k, share := range []float64{0.4, 0.55, 0.7, 0.85} {
						if !shared {
							form = 1 + cv*b.r.NormFloat64()
						}
						v := (124.9 - 100*share) / 80.2 * form
						b.set(8*s, k, 200*share, v-0.01, v, v-0.02)
					}
				}
				of += 24 - 5
				over[0] += b.count(analysis.Settings{}, 28, analysis.DaySlowdown, 40, nil)
				over[1] += b.count(analysis.Settings{}, 28, analysis.DaySlowdown, 40, atLeast(lift.Warning))
			}
			name := fmt.Sprintf("day-slowdown, CV %.1f %%, noise of each load", 100*cv)
			why := "the heaviest load's expectation comes from a line through four loads of each day, not from that load's own mean, and no line with r² under 0.90 is judged by"
			if shared {
				name = fmt.Sprintf("day-slowdown, CV %.1f %%, noise of the day", 100*cv)
				why += "; all loads of a bad day are slow together, and loads that are slow together or far over the limit warn at once"
			}
			all = append(all, rate{name + ", told", over[0], of, expected[cv][0], why + "; told once in seven days"},
				rate{name + ", told as warning", over[1], of, expected[cv][1], why})
		}
	}
	return all
}

// heavyRates are weeks with a random number of heavy days.
func heavyRates(seed uint64, size int) []rate {
	var all []rate
	for _, mean := range []float64{1, 2} {
		over, weekly, of := 0, 0, 0
		for n := range size {
			b := newBare(seed, fmt.Sprint("heavy", mean), n)
			for w := range rateWeeks {
				heavy := b.poisson(mean)
				if w >= 8 && float64(heavy) >= mean+1 {
					weekly++
				}
				for i, day := range b.r.Perm(7) {
					if i < heavy {
						b.logged(7*w+day, 160, 3)
					} else if i < max(heavy, 3) {
						b.logged(7*w+day, 120, 3)
					}
				}
			}
			of += rateWeeks - 8
			over += b.count(analysis.Settings{Maximum: map[lift.ExerciseID]float64{deadlift: 200}}, rateWeeks, analysis.HeavyFrequency, 56,
				func(f *lift.Finding) bool { return f.Evidence.Metric == "heavy_days" })
		}
		expected := map[float64]float64{1: 0.264, 2: 0.323}[mean]
		all = append(all, rate{fmt.Sprintf("heavy days of a calendar week, Poisson with mean %.0f, at least %.0f", mean, mean+1), weekly, of, expected, "counted without the rule"},
			rate{fmt.Sprintf("heavy-frequency, Poisson with mean %.0f, told", mean), over, of, expected,
				"the text counts any seven dates, of which a week has seven, against the median of four weeks, which moves too"})
	}
	return all
}
