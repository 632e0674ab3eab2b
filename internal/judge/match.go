package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// verdict says what an alert is worth.
type verdict int

const (
	injected     verdict = iota // a truth, matched one to one
	followed                    // within the reach of a truth: its consequence, or a second alert of it
	byDefinition                // not injected, but what was lifted meets the rule's own text, recomputed
	mistaken                    // what was told first was wrong, and the alert was taken back
	noisy                       // none of these
	verdicts
)

// alert is all that was told of one id.
type alert struct {
	rule    lift.Rule
	worst   lift.Severity
	finding lift.Finding // as last told
	told    []analysis.Telling
	pushed  bool
	verdict verdict
}

// sought is a truth and what was found of it.
type sought struct {
	*truth
	found, pushed bool
	late          bool    // its reps came in a backlog: it is told, and nobody is called
	measured      bool    // what was measured meets the rule's text
	delay         float64 // in the rule's unit
}

// outcome is what came of one athlete.
type outcome struct {
	weeks       float64
	alerts      []alert
	truths      []sought
	dropped     []*truth // did not cross the criterion in the end
	checks      map[string][2]int
	differences []string
	disagree    []string // weekly-volume against its definition
	duplicates  int
	loads       int
	tellings    int
	sessions    int
	withheld    int
}

// judged follows one athlete and compares what was told with what is true.
func judged(t *tape) outcome {
	l, f := t.life, follow(t)
	o := &oracle{life: l, done: t.done}
	out := outcome{
		weeks: float64(l.weeks), checks: map[string][2]int{}, differences: f.differences(), duplicates: f.duplicates(),
		loads: f.loads, tellings: len(f.told), sessions: len(l.sessions),
	}
	out.alerts = gather(f, &out)
	for _, c := range l.truths {
		c.resolve(t)
		if c.consequence == mayBeTold {
			continue
		}
		if !c.crosses(o) {
			out.dropped = append(out.dropped, c)
			continue
		}
		out.truths = append(out.truths, sought{truth: c, late: c.session != nil && c.session.late > 10*time.Minute, measured: o.measured(c)})
	}
	slices.SortStableFunc(out.truths, func(a, b sought) int { return a.onset.Compare(b.onset) })
	for i := range out.alerts {
		out.match(t, f, o, &out.alerts[i])
	}
	for _, c := range l.checks {
		n := out.checks[c.kind]
		n[0]++
		if slices.ContainsFunc(out.alerts, func(a alert) bool {
			from, to := a.finding.Window.From, a.finding.Window.To
			return slices.Contains(c.rules, a.rule) && (c.group == "" || a.finding.Group == c.group) && !from.Before(c.from) && !to.After(c.to) && a.verdict != injected
		}) {
			n[1]++
		}
		out.checks[c.kind] = n
	}
	out.agree(o, f)
	return out
}

// gather puts what was told together by id, in the order of time.
func gather(f *follower, out *outcome) []alert {
	var all []alert
	index := map[string]int{}
	for _, t := range f.told {
		i, ok := index[t.Finding.ID]
		if !ok {
			i = len(all)
			index[t.Finding.ID] = i
			all = append(all, alert{rule: t.Finding.Rule})
		}
		a := &all[i]
		a.told, a.finding = append(a.told, t), t.Finding
		if t.Finding.Severity.Compare(a.worst) > 0 {
			a.worst = t.Finding.Severity
		}
	}
	for _, p := range analysis.DefaultPolicy().Pushes(f.told) {
		if p.Withheld {
			out.withheld++
			continue
		}
		all[index[p.Finding.ID]].pushed = true
	}
	return all
}

// match gives an alert its verdict, and the truth that it tells of the alert.
func (out *outcome) match(t *tape, f *follower, o *oracle, a *alert) {
	best := -1
	for i := range out.truths {
		s := &out.truths[i]
		if s.found || a.worst.Rank() < s.least.Rank() || !s.touches(&a.finding) {
			continue
		}
		if best < 0 || s.least.Compare(out.truths[best].least) > 0 {
			best = i
		}
	}
	if best >= 0 {
		s := &out.truths[best]
		s.found, s.pushed, a.verdict = true, a.pushed, injected
		s.delay = delay(t, s, a)
		return
	}
	reach := func(kind string) bool {
		return slices.ContainsFunc(t.truths, func(c *truth) bool { return (c.kind == mistake) == (kind == mistake) && c.touches(&a.finding) })
	}
	_, stands := f.alerts[a.finding.ID]
	switch {
	case reach(""):
		a.verdict = followed
	case stands && o.defines(a):
		a.verdict = byDefinition
	case !stands && reach(mistake):
		a.verdict = mistaken
	default:
		a.verdict = noisy
	}
}

// grinds is the mean velocity in m/s from which on a deadlift grinds: that of the
// catalogue's maximum, and its margin.
const grinds = 0.15 + 0.03

// measured reports whether what was measured meets the rule's text, for the rules
// whose text is recomputed; it is true for the others.
func (o *oracle) measured(c *truth) bool {
	switch {
	case c.rule == analysis.VelocityLoss || c.rule == analysis.Grind:
		for i := range o.done {
			if d := &o.done[i]; d.session == c.session && d.set == &c.session.sets[c.index] {
				if c.rule == analysis.Grind {
					return slices.Min(d.velocity) <= grinds
				}
				return o.velocityLoss(d).Rank() >= c.least.Rank()
			}
		}
	case c.rule == analysis.Hold && c.session != nil:
		return o.holdViolation(dayOf(c.from, o.first)).Rank() >= c.least.Rank()
	}
	return true
}

// defines reports whether an alert is what the rule's own text says of what was
// lifted, for the rules whose text is recomputed.
func (o *oracle) defines(a *alert) bool {
	w := &a.finding.Window
	day := dayOf(w.From, o.first)
	switch a.rule {
	case analysis.WeeklyVolume:
		return riseSeverity[o.weeklyVolume(a.finding.Group, day/7, day+6).band].Rank() >= a.finding.Severity.Rank()
	case analysis.SessionSpike:
		limit := map[lift.Severity]float64{lift.Info: 1.1, lift.Advice: 1.3, lift.Warning: 2}[a.finding.Severity]
		return o.sessionSpike(a.finding.Group, day) > limit
	case analysis.VelocityLoss:
		for i := range o.done {
			d := &o.done[i]
			if d.exercise == a.finding.Exercise && !d.from.Before(w.From.Add(-time.Second)) && !d.from.After(w.To) {
				return o.velocityLoss(d).Rank() >= a.finding.Severity.Rank()
			}
		}
	case analysis.Hold:
		return w.Kind == lift.WindowSession && o.holdViolation(day).Rank() >= a.finding.Severity.Rank()
	}
	return false
}

// recomputed are the rules whose text is recomputed.
func recomputed() []lift.Rule {
	return []lift.Rule{analysis.WeeklyVolume, analysis.SessionSpike, analysis.VelocityLoss, analysis.Hold, analysis.RedFlag}
}

// agree compares each week's standing alert of weekly-volume with its definition.
func (out *outcome) agree(o *oracle, f *follower) {
	have := map[string]lift.Severity{}
	for _, a := range f.alerts {
		if a.Rule == analysis.WeeklyVolume {
			have[fmt.Sprint(a.Group, dayOf(a.Window.From, o.first)/7)] = a.Severity
		}
	}
	for _, group := range []string{deadlifts, "squat_family", "bench_family", "row_family", "hip_thrust_family"} {
		for w := range o.weeks {
			want := riseSeverity[o.weeklyVolume(group, w, 7*w+6).band]
			if got := have[fmt.Sprint(group, w)]; got != want {
				out.disagree = append(out.disagree, fmt.Sprintf("%s %s week %d: %q, by definition %q", o.id, group, w, got, want))
			}
		}
	}
}

// units in which the time to detect is counted.
func unitOf(r lift.Rule) string {
	switch r {
	case analysis.VelocityLoss, analysis.Grind, analysis.Tempo:
		return "reps"
	case analysis.DaySlowdown:
		return "sessions"
	}
	return "hours"
}

// delay is how long after its onset a truth was told in its severity.
func delay(t *tape, s *sought, a *alert) float64 {
	i := slices.IndexFunc(a.told, func(x analysis.Telling) bool { return x.Finding.Severity.Rank() >= s.least.Rank() })
	at := a.told[i].At
	switch unitOf(s.rule) {
	case "reps":
		n := 0
		for _, x := range t.arrivals {
			if x.rep != nil && x.rep.Revision == 0 && x.rep.Time.After(s.onset) && !x.at.After(at) {
				n++
			}
		}
		return float64(n)
	case "sessions":
		n := 0
		for _, x := range t.sessions {
			if x.has(deadlifts) && x.at.After(s.onset) && x.at.Before(at) {
				n++
			}
		}
		return float64(n)
	}
	return max(0, at.Sub(s.onset).Hours())
}

// byRule orders by the rules' own order.
func byRule(a, b lift.Rule) int {
	return cmp.Compare(slices.Index(analysis.Rules(), a), slices.Index(analysis.Rules(), b))
}
