package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spotterhq/spotter/internal/lift"
)

// kinds tells of each kind of truth what became of it.
func (r *results) kinds(p printer) {
	type key struct {
		kind string
		rule lift.Rule
	}
	type counts struct {
		least                                                      lift.Severity
		injected, dropped, found, measured, both, pushable, pushed int
	}
	all := map[key]*counts{}
	of := func(c *truth) *counts {
		k := key{c.kind, c.rule}
		if all[k] == nil {
			all[k] = &counts{least: c.least}
		}
		n := all[k]
		n.injected++
		if c.least.Compare(n.least) < 0 {
			n.least = c.least
		}
		return n
	}
	for i := range r.lives {
		for _, c := range r.lives[i].dropped {
			of(c).dropped++
		}
		for _, s := range r.lives[i].truths {
			n := of(s.truth)
			if s.found {
				n.found++
			}
			if s.measured {
				n.measured++
			}
			if s.found && s.measured {
				n.both++
			}
			if s.least.Rank() >= lift.Warning.Rank() && !s.late {
				n.pushable++
				if s.pushed {
					n.pushed++
				}
			}
		}
	}
	var order []key
	for k := range all {
		order = append(order, k)
	}
	slices.SortFunc(order, func(a, b key) int {
		if c := byRule(a.rule, b.rule); c != 0 {
			return c
		}
		return strings.Compare(a.kind, b.kind)
	})
	p("## What was injected\n\n")
	p("A truth counts only if what was lifted in the end crosses the rule's criterion (volumes and spikes: recomputed; an effect that a missed set, a break or a correction took back is *not crossed*). For rules that look at velocities the truth is the true slowdown, before measurement noise; *measured* are those that the noise left over the limit, so that a miss among the others is the price of noise and not of the rule.\n\n")
	p("| rule | kind | at least | injected | not crossed | found | of those measured | pushed |\n|---|---|---|---|---|---|---|---|\n")
	for _, k := range order {
		n := all[k]
		pushed := "–"
		if n.pushable > 0 {
			pushed = fmt.Sprintf("%d of %d", n.pushed, n.pushable)
		}
		p("| %s | %s | %s | %d | %d | %s | %d of %d | %s |\n", k.rule, k.kind, n.least, n.injected, n.dropped,
			share(n.found, n.injected-n.dropped), n.both, n.measured, pushed)
	}
	p("\n")
}

// negative tells of what no rule may speak of.
func (r *results) negative(p printer) {
	all := map[string][2]int{}
	for i := range r.lives {
		for k, n := range r.lives[i].checks {
			all[k] = [2]int{all[k][0] + n[0], all[k][1] + n[1]}
		}
	}
	var order []string
	for k := range all {
		order = append(order, k)
	}
	slices.Sort(order)
	p("## What should be silent\n\n| what | rules spoke of it |\n|---|---|\n")
	for _, k := range order {
		p("| %s | %d of %d |\n", k, all[k][1], all[k][0])
	}
	p("\n")
}

func (r *results) same(p printer) {
	loads, tellings, differences, disagree, weeks := 0, 0, 0, 0, 0.0
	for _, of := range [][]outcome{r.lives, r.quiet} {
		for i := range of {
			loads += of[i].loads
			tellings += of[i].tellings
			differences += len(of[i].differences)
			disagree += len(of[i].disagree)
			weeks += of[i].weeks
		}
	}
	p("## Live is the same as from scratch\n\n")
	p("Each athlete was run event by event in the order of arrival (with late, repeated and corrected reps, backlogs of up to ten days, plans and releases), judged at each event and whenever time alone was due: %d tellings, %d times a new Lifter was loaded in between. At the end the standing alerts were compared with those of judging the whole final history at once: **%d differences**. ", tellings, loads, differences)
	p("weekly-volume was compared with its definition, computed by other code, in all %.0f athlete-weeks for each of five groups: **%d differences**. Any difference fails the run.\n\n", weeks, disagree)
}

func (r *results) silence(p printer) {
	p("## Athletes without any effect\n\n%d athletes live the same kind of programme with the same noise, and nothing is injected: what is told here is noise, or literally true of a noisy week. Alerts per athlete-week:\n\n", len(r.quiet))
	often(p, r.seed, r.quiet)
	all := tallies(r.quiet)
	p("Of these, meeting the rule's own text when recomputed: ")
	var of []string
	for _, rule := range recomputed() {
		t := all[rule]
		n := 0
		for _, x := range t.verdicts {
			n += x
		}
		if n > 0 {
			of = append(of, fmt.Sprintf("%s %d of %d", rule, t.verdicts[byDefinition], n))
		}
	}
	p("%s.\n\n", strings.Join(of, ", "))
}

func (r *results) simulation(p printer) {
	p("## Against the simulation of the catalogue\n\nThe same generative assumptions as the catalogue's Monte-Carlo tables, fed to the rules themselves, without any true effect unless said. The first eight weeks only make baselines. *Agrees* means that chance in both simulations explains the difference at 99 %%; the catalogue's stands on 8 000 to 20 000 cases a line.\n\n")
	p("| what | cases | measured | expected | |\n|---|---|---|---|---|\n")
	for _, x := range r.rates {
		note := "agrees"
		if !x.agrees() {
			note = "differs: " + x.why
			if x.why == "" {
				note = "**differs**"
			}
		}
		p("| %s | %d | %s | %s | %s |\n", x.what, x.of, share(x.hits, x.of), strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.4f", math.Round(x.expected*1e4)/1e4), "0"), "."), note)
	}
	p("\n")
}

const howItWorks = `## How it is made

- **Athletes.** Maxima of 110 to 240 kg in the deadlift; three or four sessions a week of deadlift (a heavy set of three and back-off sets, and a lighter day), squat, bench press, hip thrust and row, with rising warm-ups, in waves of three weeks up and one of deload; loads and maximum grow by 1 % a block, while a maximum that a coach has entered stays. Sets are left out or added (3 % each), reps stay undone (6 % of sets), sessions move by a day (6 %). Half of the athletes have an entered maximum, half planned deloads in the calendar, half a sensor of technique, a fifth a device that does not count sets, 15 % warm-ups that nobody marks, 4 % sessions that go on past midnight. Eight time zones, in which clocks change at five different times.
- **Velocity.** The published load–velocity lines times 0.95 to 1.05; a rep's noise of 0.015 to 0.03 m/s; the fastest rep of a day varies by 3.6 to 5.8 % between days (4.7 % on average), and a day's form moves all its loads together; 0.8 to 1.8 % lost from rep to rep and 0.2 to 1 % from set to set.
- **Reports.** Sleep, nutrition and pain on 70 % of mornings; scores before, during and after deadlifts and the morning after in 50, 60, 90 and 90 % of cases, 0 or 1 where nothing is injected.
- **Data.** Reps arrive within two seconds, now and then later, twice, or corrected; some sessions as a backlog. Ghosts, frozen and leaping sensors, wrong clocks, loads typed wrong or not at all.
- **Truths** come one after another from the ninth week on, each after the one before has settled; all kinds are about equally frequent, which no gym is. Precision depends on that: with fewer truths among the same noise it is lower.
- **Matching** is one to one: an alert of the rule whose window touches the truth's set, session, week or stretch, in at least the severity that the truth deserves. What else touches a truth of the same rule, or a week for which a consequence is expected (a spike of volume makes a large session too), is a consequence.
- **Tuned on another seed.** What is pushed was tuned while looking at the cohort of seed 20261122, and two faults were found with 20261123 and mended; pages of these seeds flatter. Whoever tunes again should change the seed of this page afterwards.
- **Not simulated**: an athlete who moves to another time zone (it is a setting of the athlete), several athletes on one bar at once, real fatigue that carries over between lifts, and an athlete who changes training because of an alert.
`
