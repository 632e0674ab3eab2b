package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// results is everything that the page tells.
type results struct {
	seed         uint64
	weeks        int
	lives, quiet []outcome
	rates        []rate
}

// broken is what must not be: the run fails with any of it.
func (r *results) broken() []string {
	var all []string
	for _, of := range [][]outcome{r.lives, r.quiet} {
		for i := range of {
			all = append(all, of[i].differences...)
			all = append(all, of[i].disagree...)
			if n := of[i].duplicates; n > 0 {
				all = append(all, fmt.Sprintf("athlete %d was told the same thing %d times too often", i, n))
			}
			for _, s := range of[i].truths {
				if !s.found && s.rule == analysis.RedFlag {
					all = append(all, fmt.Sprintf("athlete %d: a red flag of %s was not told", i, s.from))
				}
			}
		}
	}
	return all
}

// tally is what came of one rule.
type tally struct {
	truths, found, measured, foundMeasured int
	pushable, pushed                       int // truths that must be pushed, and those that were
	verdicts, pushes                       [verdicts]int
	severities                             map[lift.Severity]int
	delays                                 []float64
}

func (t *tally) precision(also ...verdict) (hits, of int) { return precise(t.verdicts, also...) }

// precise counts injected truths among the alerts that are no consequence of one.
func precise(v [verdicts]int, also ...verdict) (hits, of int) {
	hits = v[injected]
	for _, a := range also {
		hits += v[a]
	}
	return hits, v[injected] + v[byDefinition] + v[mistaken] + v[noisy]
}

func tallies(of []outcome) map[lift.Rule]*tally {
	all := map[lift.Rule]*tally{}
	for _, r := range analysis.Rules() {
		all[r] = &tally{severities: map[lift.Severity]int{}}
	}
	for i := range of {
		for _, a := range of[i].alerts {
			t := all[a.rule]
			t.verdicts[a.verdict]++
			t.severities[a.worst]++
			if a.pushed {
				t.pushes[a.verdict]++
			}
		}
		for _, s := range of[i].truths {
			t := all[s.rule]
			t.truths++
			if s.measured {
				t.measured++
			}
			if s.found {
				t.found++
				if s.measured {
					t.foundMeasured++
				}
				if !s.late {
					t.delays = append(t.delays, s.delay)
				}
			}
			if s.least.Rank() >= lift.Warning.Rank() && !s.late {
				t.pushable++
				if s.found && s.pushed {
					t.pushed++
				}
			}
		}
	}
	return all
}

func (r *results) write(w io.Writer) {
	p := func(format string, a ...any) { fmt.Fprintf(w, format, a...) }
	p("# How far the alerts can be trusted\n\n")
	p("`make judge` writes this page, the same to the byte each time: seed %d, %d simulated athletes over %d weeks with injected truths, %d without any.\n", r.seed, len(r.lives), r.weeks, len(r.quiet))
	p("It is generated; change `internal/judge`, not this page. Shares have 95 %% Wilson intervals; means and ratios over athletes have 95 %% bootstrap intervals from %d samples of athletes.\n", bootstraps)
	p("What the rules say of real training logs is on [judge-logs.md](judge-logs.md).\n\n")
	p("**Simulated is not real.** These athletes follow a coach's programme with noise; what is injected is what somebody thought of. The figures tell whether the rules find what they claim to find, and how often they speak without cause under the stated noise. They say nothing about injuries: no rule is validated to predict any.\n\n")
	r.aims(p)
	r.perRule(p)
	r.frequency(p)
	r.kinds(p)
	r.negative(p)
	r.same(p)
	r.silence(p)
	r.simulation(p)
	p("%s", howItWorks)
}

type printer func(format string, a ...any)

func met(ok bool) string {
	if ok {
		return "reached"
	}
	return "**missed**"
}

func (r *results) aims(p printer) {
	all := tallies(r.lives)
	var pushes [verdicts]int
	pushable, pushed, duplicates, tellings := 0, 0, 0, 0
	for _, t := range all {
		for v := range t.pushes {
			pushes[v] += t.pushes[v]
		}
		pushable, pushed = pushable+t.pushable, pushed+t.pushed
	}
	each := func(f func(o *outcome) (over, under float64)) (mean, low, high float64) {
		var over, under []float64
		for i := range r.lives {
			a, b := f(&r.lives[i])
			over, under = append(over, a), append(under, b)
		}
		low, high = bootstrap(r.seed, over, under)
		return sum(over) / sum(under), low, high
	}
	precision := func(also ...verdict) (mean, low, high float64) {
		return each(func(o *outcome) (float64, float64) {
			var v [verdicts]int
			for _, a := range o.alerts {
				if a.pushed {
					v[a.verdict]++
				}
			}
			hits, of := precise(v, also...)
			return float64(hits), float64(of)
		})
	}
	weekly, lowWeekly, highWeekly := each(func(o *outcome) (float64, float64) {
		n := 0.0
		for _, a := range o.alerts {
			if a.pushed {
				n++
			}
		}
		return n, o.weeks
	})
	for i := range r.lives {
		duplicates += r.lives[i].duplicates
		tellings += r.lives[i].tellings
	}
	strict, lowStrict, highStrict := precision()
	wide, lowWide, highWide := precision(byDefinition)
	red, hold := all[analysis.RedFlag], all[analysis.Hold]
	p("## What was aimed at\n\n| aim | measured | |\n|---|---|---|\n")
	p("| red flags told: all | %s of %d | %s |\n", share(red.found, red.truths), red.truths, met(red.found == red.truths))
	p("| broken and overdue holds told: all | %s of %d | %s |\n", share(hold.found, hold.truths), hold.truths, met(hold.found == hold.truths))
	p("| pushed alerts that are true ≥ 0.9, true being an injected truth | %.3f (%.3f–%.3f) | %s |\n", strict, lowStrict, highStrict, met(strict >= 0.9))
	p("| the same, true being an injected truth or what the rule's own text asks for | %.3f (%.3f–%.3f) | %s |\n", wide, lowWide, highWide, met(wide >= 0.9))
	p("| truths worth a push that were pushed ≥ 0.95 | %s of %d | %s |\n", share(pushed, pushable), pushable, met(float64(pushed) >= 0.95*float64(pushable)))
	p("| pushed alerts per athlete-week ≤ 0.5 | %.3f (%.3f–%.3f) | %s |\n", weekly, lowWeekly, highWeekly, met(weekly <= 0.5))
	p("| nothing told twice | %d of %d tellings | %s |\n\n", duplicates, tellings, met(duplicates == 0))
	p("Of the pushed alerts, %d told of an injected truth, %d were a consequence of one or a second alert of it, %d met the rule's text without having been injected, %d stood on a load that was corrected later, and %d were none of these. Consequences count neither for nor against precision. ", pushes[injected], pushes[followed], pushes[byDefinition], pushes[mistaken], pushes[noisy])
	withheld := 0
	for i := range r.lives {
		withheld += r.lives[i].withheld
	}
	p("The policy of pushes (nothing that rests on little, and no more than the athlete's budget) withheld %d more.\n\n", withheld)
	r.missing(p)
}

// missing tells where the aims of pushes lose.
func (r *results) missing(p printer) {
	p("Where that loses, by rule:\n\n| rule | pushed: met the text | pushed: wrong load | pushed: none of these | truths worth a push | told and withheld | not told, or too mildly |\n|---|---|---|---|---|---|---|\n")
	all := tallies(r.lives)
	for _, rule := range analysis.Rules() {
		t := all[rule]
		unsaid := 0
		for i := range r.lives {
			for _, s := range r.lives[i].truths {
				if s.rule == rule && !s.late && !s.found && s.least.Rank() >= lift.Warning.Rank() {
					unsaid++
				}
			}
		}
		withheld := t.pushable - t.pushed - unsaid
		if t.pushes[byDefinition]+t.pushes[mistaken]+t.pushes[noisy]+withheld+unsaid > 0 {
			p("| %s | %d | %d | %d | %d | %d | %d |\n", rule, t.pushes[byDefinition], t.pushes[mistaken], t.pushes[noisy], t.pushable, withheld, unsaid)
		}
	}
	p("\n")
}

func (r *results) perRule(p printer) {
	all := tallies(r.lives)
	p("## Rule by rule\n\n")
	p("Precision leaves consequences out. *By definition* counts as true also what the rule's text asks for without having been injected; it is recomputed, by other code, for %s. For the other rules it is the same as the precision against injected truths. Truths of a rule without truths were not injected alone.\n\n", names(recomputed()))
	p("| rule | truths | recall | alerts | precision, injected | precision, by definition | F1 | median | p90 | unit |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, rule := range analysis.Rules() {
		t := all[rule]
		alerts := 0
		for _, n := range t.verdicts {
			alerts += n
		}
		hits, of := t.precision()
		wide, _ := t.precision(byDefinition)
		f1 := "–"
		if hits > 0 && t.truths > 0 {
			a, b := float64(hits)/float64(of), float64(t.found)/float64(t.truths)
			f1 = fmt.Sprintf("%.2f", 2*a*b/(a+b))
		}
		median, p90 := "–", "–"
		if len(t.delays) > 0 {
			median, p90 = fmt.Sprintf("%.1f", quantile(t.delays, 0.5)), fmt.Sprintf("%.1f", quantile(t.delays, 0.9))
		}
		p("| %s | %d | %s | %d | %s | %s | %s | %s | %s | %s |\n", rule, t.truths, share(t.found, t.truths), alerts, share(hits, of), share(wide, of), f1, median, p90, unitOf(rule))
	}
	p("\nMedian and p90 are the time from the onset until it was told in the severity that it deserves. Reps are counted after the rep with which the truth is there; hours begin with the session that crosses the limit (weekly-volume: recomputed; heavy-frequency: with the second heavy day), of inflammatory with the morning that makes the number full, of accessory and gates with the end of the week or phase, of pain with the session, not with the report.\n\n")
	p("What the alerts of each rule were:\n\n| rule | injected | consequence | by definition | wrong load, corrected | none of these | pushed, none of these |\n|---|---|---|---|---|---|---|\n")
	for _, rule := range analysis.Rules() {
		t := all[rule]
		p("| %s | %d | %d | %d | %d | %d | %d |\n", rule, t.verdicts[injected], t.verdicts[followed], t.verdicts[byDefinition], t.verdicts[mistaken], t.verdicts[noisy], t.pushes[noisy])
	}
	p("\n")
}

func names(rules []lift.Rule) string {
	var of []string
	for _, r := range rules {
		of = append(of, string(r))
	}
	return strings.Join(of, ", ")
}

// frequency tells how often each rule speaks, with intervals by athlete.
func (r *results) frequency(p printer) {
	p("## How often\n\nAlerts per athlete-week, in the worst severity that each reached, and those pushed.\n\n")
	often(p, r.seed, r.lives)
}

func often(p printer, seed uint64, of []outcome) {
	p("| rule | info | advice | warning | critical | urgent | all | pushed |\n|---|---|---|---|---|---|---|---|\n")
	severities := []lift.Severity{lift.Info, lift.Advice, lift.Warning, lift.Critical, lift.Urgent}
	line := func(name string, in func(a *alert) bool) {
		weeks := make([]float64, len(of))
		counted := func(accept func(a *alert) bool) []float64 {
			n := make([]float64, len(of))
			for i := range of {
				weeks[i] = of[i].weeks
				for k := range of[i].alerts {
					if a := &of[i].alerts[k]; in(a) && accept(a) {
						n[i]++
					}
				}
			}
			return n
		}
		p("| %s |", name)
		for _, s := range severities {
			p(" %s |", perWeek(sum(counted(func(a *alert) bool { return a.worst == s })), sum(weeks)))
		}
		for _, accept := range []func(a *alert) bool{func(*alert) bool { return true }, func(a *alert) bool { return a.pushed }} {
			n := counted(accept)
			low, high := bootstrap(seed, n, weeks)
			p(" %.4f (%.4f–%.4f) |", sum(n)/sum(weeks), low, high)
		}
		p("\n")
	}
	for _, rule := range analysis.Rules() {
		line(string(rule), func(a *alert) bool { return a.rule == rule })
	}
	line("all", func(*alert) bool { return true })
	p("\n")
}

func perWeek(n, weeks float64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%.4f", n/weeks)
}

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
	p("## Against the simulation of the catalogue\n\nThe same generative assumptions as the catalogue's Monte-Carlo tables, fed to the rules themselves, without any true effect unless said. The first eight weeks only make baselines.\n\n")
	p("| what | cases | measured | expected | |\n|---|---|---|---|---|\n")
	for _, x := range r.rates {
		low, high := wilson(x.hits, x.of)
		note := "agrees"
		if x.expected < low-0.0005 || x.expected > high+0.0005 {
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
- **Not simulated**: an athlete who moves to another time zone (it is a setting of the athlete), several athletes on one bar at once, real fatigue that carries over between lifts, and an athlete who changes training because of an alert.
`
