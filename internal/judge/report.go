package main

import (
	"fmt"
	"io"
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
