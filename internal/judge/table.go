package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// rate is one rate of a rule without any true effect, beside what the simulation
// of the catalogue expects of the same assumptions.
type rate struct {
	what     string
	hits, of int
	expected float64
	why      string // the difference, where it is none of chance
}

// drawn is how many cases each share of the catalogue's simulation stands on.
const drawn = 8000

// agrees reports whether chance in both simulations explains the difference, at
// 99 %: of a hundred such lines one may differ by chance.
func (x *rate) agrees() bool {
	n, p := float64(x.of), float64(x.hits)/float64(x.of)
	both := (p*n + x.expected*drawn) / (n + drawn)
	return math.Abs(p-x.expected) <= 2.576*math.Sqrt(both*(1-both)*(1/n+1.0/drawn))+0.0005
}

// bare is a history without a person: only what one rule looks at.
type bare struct {
	analysis.History
	r   *rand.Rand
	seq int64
}

var bareStart = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) // a Monday

func newBare(seed uint64, what string, n int) *bare {
	a := athlete{id: lift.AthleteID(fmt.Sprintf("%s-%d", what, n)), seed: seed}
	return &bare{History: analysis.History{Site: "main", Athlete: "ana"}, r: a.random(what)}
}

// logged adds sets of five without velocity.
func (b *bare) logged(day int, kg float64, sets int) {
	for i := range sets {
		b.seq++
		at := bareStart.AddDate(0, 0, day).Add(17*time.Hour + time.Duration(i)*3*time.Minute)
		b.Logged = append(b.Logged, lift.LoggedSet{
			ID: fmt.Sprint("s", b.seq), Site: "main", Athlete: "ana", Exercise: deadlift, Time: at, Reps: 5, LoadKg: new(kg),
		})
	}
}

// set adds a measured set.
func (b *bare) set(day, n int, kg float64, velocities ...float64) {
	for i, v := range velocities {
		at := bareStart.AddDate(0, 0, day).Add(17*time.Hour + time.Duration(n)*4*time.Minute + time.Duration(i)*4*time.Second)
		b.Reps = append(b.Reps, lift.RepRecord{
			ID: lift.RepID("main", "bar-a", "b", b.seq), Site: "main", Device: "bar-a", Valid: true, Received: at,
			Rep: lift.Rep{BootID: "b", Seq: b.seq, Time: at, Athlete: "ana", Exercise: deadlift, LoadKg: new(kg), Set: new(n), MeanVelocity: v},
		})
		b.seq++
	}
}

// lognormal has the mean 1 and a coefficient of variation.
func (b *bare) lognormal(cv float64) float64 {
	s := math.Sqrt(math.Log(1 + cv*cv))
	return math.Exp(s*b.r.NormFloat64() - s*s/2)
}

// poisson is a number of days of a week.
func (b *bare) poisson(mean float64) int {
	n, term := 0, math.Exp(-mean)
	for p := b.r.Float64(); p > term && n < 7; n++ {
		p -= term
		term *= mean / float64(n+1)
	}
	return n
}

// count counts findings of a rule from a day on that a test accepts.
func (b *bare) count(s analysis.Settings, weeks int, rule lift.Rule, from int, accept func(*lift.Finding) bool) int {
	n := 0
	after := bareStart.AddDate(0, 0, from)
	for _, f := range analysis.Judge(b.History, s, bareStart.AddDate(0, 0, 7*weeks)) {
		if f.Rule == rule && !f.Window.From.Before(after) && (accept == nil || accept(&f)) {
			n++
		}
	}
	return n
}

func worseThan(pct float64) func(*lift.Finding) bool {
	return func(f *lift.Finding) bool { return f.Evidence.Value > pct }
}

func atLeast(s lift.Severity) func(*lift.Finding) bool {
	return func(f *lift.Finding) bool { return f.Severity.Rank() >= s.Rank() }
}

// rates are all comparisons; size is the number of bare athletes for each.
func rates(seed uint64, size int) []rate {
	tables := []func(seed uint64, size int) []rate{weeklyRates, planRates, spikeRates, lossRates, dayRates, heavyRates}
	of := make([][]rate, len(tables))
	var group sync.WaitGroup
	for i, table := range tables {
		group.Go(func() { of[i] = table(seed, size) })
	}
	group.Wait()
	return slices.Concat(of...)
}

const rateWeeks = 26

// weeklyRates are weeks of independent volumes, three sessions of four sets.
func weeklyRates(seed uint64, size int) []rate {
	var all []rate
	expected := map[float64][2]float64{0.05: {0.028, 0}, 0.10: {0.138, 0.006}, 0.15: {0.207, 0.038}, 0.20: {0.240, 0.079}, 0.30: {0.273, 0.140}}
	for _, cv := range []float64{0.05, 0.10, 0.15, 0.20, 0.30} {
		over := [2]int{}
		for n := range size {
			b := newBare(seed, fmt.Sprint("weeks", cv), n)
			for w := range rateWeeks {
				kg := 100 * b.lognormal(cv)
				for _, day := range []int{0, 2, 4} {
					b.logged(7*w+day, kg, 4)
				}
			}
			over[0] += b.count(analysis.Settings{}, rateWeeks, analysis.WeeklyVolume, 56, nil)
			over[1] += b.count(analysis.Settings{}, rateWeeks, analysis.WeeklyVolume, 56, worseThan(30))
		}
		of := size * (rateWeeks - 8)
		why := "weeks at or below 70 % of those before count as deloads by the rule's text and leave the baseline, which rises"
		if cv < 0.15 {
			why = ""
		}
		all = append(all,
			rate{fmt.Sprintf("weekly-volume, weekly CV %.0f %%, over 10 %%", 100*cv), over[0], of, expected[cv][0], why},
			rate{fmt.Sprintf("weekly-volume, weekly CV %.0f %%, over 30 %%", 100*cv), over[1], of, expected[cv][1], why})
	}
	return all
}

// planRates are three weeks up by 5 % and a deload, with 5 % of noise, and the
// same with a spike.
func planRates(seed uint64, size int) []rate {
	over, of, seen := 0, 0, [2]int{}
	const weeks = 40
	for n := range size {
		b := newBare(seed, "plan", n)
		base := 100.0
		for w := range weeks {
			kg := base
			switch w % 4 {
			case 3:
				kg *= 0.5
				base *= 1.03
			default:
				kg *= math.Pow(1.05, float64(w%4))
			}
			kg *= b.lognormal(0.05)
			if w == 5*4+1 && n%2 == 1 {
				kg *= 1.4
			}
			for _, day := range []int{0, 2, 4} {
				b.logged(7*w+day, kg, 4)
			}
		}
		if n%2 == 0 {
			over += b.count(analysis.Settings{}, weeks, analysis.WeeklyVolume, 56, nil)
			of += weeks - 8
			continue
		}
		spiked := func(pct float64) int {
			return b.count(analysis.Settings{}, weeks, analysis.WeeklyVolume, 7*21, func(f *lift.Finding) bool {
				return f.Evidence.Value > pct && f.Window.From.Before(bareStart.AddDate(0, 0, 7*22))
			})
		}
		seen[0] += spiked(10)
		seen[1] += spiked(30)
	}
	return []rate{
		{"weekly-volume, 3:1 plan with 5 % noise, over 10 %", over, of, 0.074, "the plan's first eight weeks are left out; the rest is the text's own max(last, mean of four)"},
		{"weekly-volume, spike of 40 % in that plan, over 10 %", seen[0], size / 2, 1, ""},
		{"weekly-volume, spike of 40 % in that plan, over 30 %", seen[1], size / 2, 0.948, ""},
	}
}

// spikeRates are sessions of independent volumes, four or eight of them in the 30
// days before each.
func spikeRates(seed uint64, size int) []rate {
	var all []rate
	expected := map[float64][2][2]float64{
		0.05: {{0.007, 0}, {0.001, 0}}, 0.10: {{0.048, 0.001}, {0.019, 0.0003}},
		0.15: {{0.084, 0.0109}, {0.038, 0.0029}}, 0.20: {{0.111, 0.0271}, {0.049, 0.0092}},
	}
	for _, cv := range []float64{0.05, 0.10, 0.15, 0.20} {
		for k, days := range [][]int{{0}, {0, 3}} {
			over, of := [2]int{}, 0
			for n := range size {
				b := newBare(seed, fmt.Sprint("sessions", cv, k), n)
				for w := range rateWeeks {
					for _, day := range days {
						b.logged(7*w+day, 100*b.lognormal(cv), 4)
					}
				}
				of += len(days) * (rateWeeks - 8)
				over[0] += b.count(analysis.Settings{}, rateWeeks, analysis.SessionSpike, 56, nil)
				over[1] += b.count(analysis.Settings{}, rateWeeks, analysis.SessionSpike, 56, worseThan(1.3))
			}
			name := fmt.Sprintf("session-spike, CV %.0f %%, %d sessions before", 100*cv, 4*len(days))
			why := "a session in which the week goes over a pushed band of weekly-volume is told by that rule alone"
			all = append(all, rate{name + ", over 1.1", over[0], of, expected[cv][k][0], why},
				rate{name + ", over 1.3", over[1], of, expected[cv][k][1], why})
		}
	}
	return all
}
