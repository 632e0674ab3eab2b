package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// What is done in the three phases of the return plan: shares of the maximum
// before the injury.
var planned = [3]struct {
	exercise   lift.ExerciseID
	share      float64
	sets, reps int
	lowered    float64
}{
	{romanian, 0.35, 3, 8, 3.4}, {romanian, 0.50, 3, 6, 2.6}, {deadlift, 0.66, 3, 5, 1.4},
}

// follow makes the deadlifts of six weeks those of the return plan.
func (l *life) follow(week int) {
	start := l.at(7*week, 4)
	_, of := l.volume(deadlifts, week)
	kg := of.base[0]
	l.plan = append(l.plan,
		lift.PlanStep{Verb: lift.PlanStart, At: start.UTC(), By: "coach", PreInjuryKg: new(l.maximum[deadlift]), PreInjuryWeekKg: new(kg)})
	for w := week; w < week+6; w++ {
		p := planned[(w-week)/2]
		for _, s := range l.sessionsOf(w, deadlifts) {
			s.taken = true
			s.before, s.during, s.after, s.morning = 0, 0, 0, 0
			s.sets = slices.DeleteFunc(s.sets, func(x set) bool { return groupOf(x.exercise) == deadlifts })
			load := plates(p.share * l.maximum[deadlift])
			var own []set
			for i := range p.sets {
				reps := p.reps
				if w-week >= 4 && i > 0 {
					reps = 4 // within 10 % of the week before, and 70 % of those before the injury
				}
				own = append(own, set{exercise: p.exercise, kg: load, reps: reps, rest: 150 * time.Second, lowered: p.lowered})
			}
			s.sets = append(own, s.sets...)
		}
	}
	for i := range 42 {
		l.mornings[7*week+i].pain = 0
	}
	for w := week; w < week+10; w++ {
		l.may("return plan", w, analysis.WeeklyVolume, analysis.SessionSpike, analysis.WeeklyLoad)
	}
	l.ease(week+6, 0.75)
	l.ease(week+7, 0.85)
}

// step is a decision at the end of a phase, some hours after its last day.
func (l *life) step(week int, verb lift.PlanVerb) {
	l.plan = append(l.plan, lift.PlanStep{Verb: verb, At: l.at(7*week, 4).UTC(), By: "coach"})
}

// gate is what the end of the n-th two weeks of a plan must be told as.
func (l *life) gate(kind string, week, n int, least lift.Severity) {
	from := l.at(7*(week+2*n), 0)
	due := l.at(7*(week+2*n+2), 0)
	l.tell(truth{kind: kind, rule: analysis.ReturnPlan, least: least, from: from.Add(-time.Second), to: from, onset: due})
	t := l.truths[len(l.truths)-1]
	t.episode = true
}

func planScenarios() []scenario {
	clean := func(kind string, wrong func(l *life, r *rand.Rand, week int)) scenario {
		return scenario{kind, 10, 0, func(l *life, r *rand.Rand, week int) {
			l.follow(week)
			l.step(week+2, lift.PlanAdvance)
			l.step(week+4, lift.PlanAdvance)
			l.step(week+6, lift.PlanEnd)
			for n := range 3 {
				l.gate(kind, week, n, lift.Info)
			}
			if wrong != nil {
				wrong(l, r, week)
			}
		}}
	}
	change := func(l *life, week int, f func(x *set)) *session {
		of := l.sessionsOf(week, deadlifts)
		if len(of) == 0 {
			return nil
		}
		for i := range of[0].sets {
			if groupOf(of[0].sets[i].exercise) == deadlifts {
				f(&of[0].sets[i])
			}
		}
		return of[0]
	}
	broken := func(l *life, kind string, s *session, rule lift.Rule, least lift.Severity) {
		if s != nil {
			l.tell(truth{kind: kind, rule: rule, least: least, group: deadlifts, session: s, index: wholeSession})
		}
	}
	return []scenario{
		clean("return plan, kept", nil),
		clean("return plan, conventional deadlifts in its first weeks", func(l *life, _ *rand.Rand, week int) {
			s := change(l, week+1, func(x *set) { x.exercise = deadlift })
			broken(l, "return plan, conventional deadlifts in its first weeks", s, analysis.ReturnPlan, lift.Warning)
			l.may("return plan, conventional deadlifts in its first weeks", week+1, analysis.ReturnPlan)
		}),
		clean("return plan, too heavy", func(l *life, r *rand.Rand, week int) {
			s := change(l, week+3, func(x *set) { x.kg = plates(between(r, 0.68, 0.74) * l.maximum[deadlift]) })
			broken(l, "return plan, too heavy", s, analysis.ReturnPlan, lift.Warning)
			l.may("return plan, too heavy", week+3, analysis.ReturnPlan)
		}),
		clean("return plan, lowered too fast", func(l *life, _ *rand.Rand, week int) {
			s := change(l, week+1, func(x *set) { x.lowered = 1.7 })
			broken(l, "return plan, lowered too fast", s, analysis.Tempo, lift.Advice)
		}),
		{"return plan, pain at the gate", 12, 0, func(l *life, _ *rand.Rand, week int) {
			const kind = "return plan, pain at the gate"
			l.follow(week)
			of := l.sessionsOf(week+1, deadlifts)
			if len(of) == 0 {
				return
			}
			of[0].during, of[0].after = 3, 4
			l.tell(truth{kind: kind, rule: analysis.PainZone, least: lift.Info, session: of[0], index: wholeSession})
			l.gate(kind, week, 0, lift.Advice)
			l.step(week+2, lift.PlanRepeat)
			// The second try fails too: what was planned for weeks three and four is
			// done, as light as in the first.
			for w := week + 2; w < week+4; w++ {
				for _, s := range l.sessionsOf(w, deadlifts) {
					for i := range s.sets {
						if x := &s.sets[i]; groupOf(x.exercise) == deadlifts {
							p := planned[0]
							x.kg, x.reps, x.lowered = plates(p.share*l.maximum[deadlift]), p.reps, p.lowered
						}
					}
				}
			}
			if of = l.sessionsOf(week+3, deadlifts); len(of) > 0 {
				of[0].during, of[0].after = 3, 4
				l.tell(truth{kind: kind, rule: analysis.PainZone, least: lift.Info, session: of[0], index: wholeSession})
				l.gate(kind, week, 1, lift.Warning)
			}
			l.step(week+4, lift.PlanEnd)
		}},
	}
}
