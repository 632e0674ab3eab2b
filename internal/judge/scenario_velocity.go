package main

import (
	"math/rand/v2"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// pick is a random session of a week with a group that nothing was injected into.
func (l *life) pick(r *rand.Rand, week int, group string) *session {
	of := l.sessionsOf(week, group)
	for _, i := range r.Perm(len(of)) {
		if !of[i].taken {
			return of[i]
		}
	}
	return nil
}

// workOf are the work sets of a lift at its most frequent load in a session.
func (s *session) workOf(e lift.ExerciseID) []int {
	k := s.lastWork(groupOf(e))
	var of []int
	for i := range s.sets {
		if x := &s.sets[i]; k >= 0 && !x.warm && x.exercise == e && x.kg == s.sets[k].kg {
			of = append(of, i)
		}
	}
	return of
}

func velocityScenarios() []scenario {
	// slow is a set whose last two reps are slower than a limit.
	slow := func(kind string, e lift.ExerciseID, low, high float64, least lift.Severity) scenario {
		return scenario{kind, 1, 1, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, groupOf(e))
			if s == nil {
				return
			}
			of := s.workOf(e)
			if len(of) < 2 {
				return
			}
			k := of[1]
			s.sets[k].reps, s.sets[k].slow = 5, between(r, low, high)
			l.tell(truth{kind: kind, rule: analysis.VelocityLoss, least: least, group: groupOf(e), session: s, index: k})
			if e == deadlift {
				l.mayOf(kind, s, analysis.Grind, analysis.HeavyFrequency)
			} else {
				l.mayOf(kind, s, analysis.Grind)
			}
		}}
	}
	return []scenario{
		slow("deadlift set 26 to 34 % slower", deadlift, 0.26, 0.34, lift.Warning),
		slow("deadlift set 20 to 24 % slower", deadlift, 0.20, 0.24, lift.Warning),
		slow("squat set 36 to 44 % slower", squat, 0.36, 0.44, lift.Warning),
		slow("squat set 24 to 28 % slower", squat, 0.24, 0.28, lift.Advice),
		{"grinding rep", 1, 1, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil {
				return
			}
			of := s.workOf(deadlift)
			if len(of) < 2 {
				return
			}
			k := of[1]
			s.sets[k].grind, s.sets[k].reps = true, max(4, s.sets[k].reps)
			l.tell(truth{kind: "grinding rep", rule: analysis.Grind, least: lift.Advice, group: deadlifts, session: s, index: k})
			l.tell(truth{kind: "grinding rep", rule: analysis.VelocityLoss, least: lift.Warning, group: deadlifts, session: s, index: k})
		}},
		{"two sets 20 % slower than the first", 1, 1, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil {
				return
			}
			of := s.workOf(deadlift)
			if len(of) < 3 {
				return
			}
			for _, k := range of[1:] {
				s.sets[k].factor = between(r, 0.76, 0.82)
			}
			l.tell(truth{kind: "two sets 20 % slower than the first", rule: analysis.SetDrop, least: lift.Warning, group: deadlifts, session: s, index: wholeSession})
			l.mayOf("two sets 20 % slower than the first", s, analysis.Grind)
		}},
		{"two days 20 % slower", 2, 2, func(l *life, r *rand.Rand, week int) {
			var of []*session
			for w := week; w < week+2; w++ {
				of = append(of, l.sessionsOf(w, deadlifts)...)
			}
			if len(of) < 2 {
				return
			}
			by := between(r, 0.78, 0.82)
			for _, s := range of[:2] {
				s.taken, s.slowed, s.form = true, deadlift, by
				l.mayOf("two days 20 % slower", s, analysis.Grind, analysis.DaySlowdown)
			}
			days := int(of[1].at.Sub(of[0].at).Hours()/24 + 0.5)
			l.tell(truth{kind: "two days 20 % slower", rule: analysis.DaySlowdown, least: lift.Warning, group: deadlifts, session: of[0], index: wholeSession, days: days})
		}},
		{"bar drifts", 1, 1, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil || !l.marks {
				return
			}
			for i := range s.sets {
				s.sets[i].drift = between(r, 4, 5)
			}
			l.tell(truth{kind: "bar drifts", rule: analysis.Technique, least: lift.Advice, session: s, index: wholeSession})
		}},
		{"hips shoot up", 1, 1, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil || !l.marks {
				return
			}
			for i := range s.sets {
				s.sets[i].ratio = between(r, 0.6, 0.7)
			}
			l.tell(truth{kind: "hips shoot up", rule: analysis.Technique, least: lift.Warning, session: s, index: wholeSession})
		}},
		{"no warm-up", 1, 1, func(l *life, r *rand.Rand, week int) {
			of := l.sessionsOf(week, deadlifts)
			if len(of) == 0 || of[0].taken {
				return
			}
			s := of[0]
			share := 0.9
			if !l.known {
				share = 1.0
			}
			kg := plates(share * l.maximum[deadlift])
			var rest []set
			for _, x := range s.sets {
				if groupOf(x.exercise) != deadlifts {
					rest = append(rest, x)
				}
			}
			s.sets = append([]set{
				{exercise: deadlift, kg: plates(0.5 * kg), reps: 5, warm: true, rest: time.Minute},
				{exercise: deadlift, kg: kg, reps: 1, rest: 3 * time.Minute},
				{exercise: deadlift, kg: plates(0.8 * kg), reps: 5, rest: 3 * time.Minute},
				{exercise: deadlift, kg: plates(0.8 * kg), reps: 5, rest: 3 * time.Minute},
			}, rest...)
			l.tell(truth{kind: "no warm-up", rule: analysis.WarmUp, least: lift.Advice, group: deadlifts, session: s, index: wholeSession})
			l.may("no warm-up", week, analysis.WeeklyLoad, analysis.SessionSpike, analysis.HeavyFrequency)
			l.mayOf("no warm-up", s, analysis.Grind)
		}},
		{"week without accessories", 1, 1, func(l *life, _ *rand.Rand, week int) {
			l.drop(l.monday(week), l.monday(week+1), groupOf(hipThrust))
			l.tell(truth{kind: "week without accessories", rule: analysis.Accessory, least: lift.Info, group: deadlifts, week: week})
			l.truths[len(l.truths)-1].onset = l.monday(week + 1)
		}},
	}
}
