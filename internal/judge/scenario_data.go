package main

import (
	"math/rand/v2"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

func dataScenarios() []scenario {
	broken := func(kind string, f func(x *set)) scenario {
		return scenario{kind, 1, 0, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil {
				return
			}
			of := s.workOf(deadlift)
			if len(of) < 2 {
				return
			}
			s.sets[of[1]].reps = 5
			f(&s.sets[of[1]])
			l.tell(truth{kind: kind, rule: analysis.Device, least: lift.Advice, session: s, index: wholeSession})
		}}
	}
	return []scenario{
		broken("frozen sensor", func(x *set) { x.frozen = true }),
		broken("leaping sensor", func(x *set) { x.leap = true }),
		{"clock eight minutes slow", 1, 0, func(l *life, r *rand.Rand, week int) {
			if s := l.pick(r, week, deadlifts); s != nil {
				s.clock = -8 * time.Minute
				l.tell(truth{kind: "clock eight minutes slow", rule: analysis.Device, least: lift.Advice, session: s, index: wholeSession})
			}
		}},
		{"ghosts", 1, 0, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil {
				return
			}
			s.taken = true
			for i := range s.sets {
				if i >= 4 { // five true reps of a lift must come first
					s.sets[i].ghosts = 1
				}
			}
			l.checks = append(l.checks, check{"a ghost in each set", deadlifts, []lift.Rule{analysis.VelocityLoss, analysis.Grind, analysis.WeeklyVolume}, s.at, s.at.Add(3 * time.Hour)})
		}},
		{"backlog of a day", 1, 0, func(l *life, r *rand.Rand, week int) { l.delay(r, week, 26*time.Hour) }},
		{"backlog of ten days", 1, 0, func(l *life, r *rand.Rand, week int) { l.delay(r, week, 10*24*time.Hour) }},
		{"slow set in a backlog of three days", 1, 1, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil {
				return
			}
			if of := s.workOf(deadlift); len(of) >= 2 {
				s.late = 72 * time.Hour
				s.sets[of[1]].reps, s.sets[of[1]].slow = 5, between(r, 0.28, 0.36)
				l.tell(truth{kind: "slow set in a backlog of three days", rule: analysis.VelocityLoss, least: lift.Warning, group: deadlifts, session: s, index: of[1]})
				l.mayOf("slow set in a backlog of three days", s, analysis.HeavyFrequency, analysis.Grind)
			}
		}},
		{"load typed wrong, corrected after two hours", 1, 1, func(l *life, r *rand.Rand, week int) {
			s := l.pick(r, week, deadlifts)
			if s == nil {
				return
			}
			if of := s.workOf(deadlift); len(of) >= 2 {
				s.taken = true
				s.sets[of[0]].typo = s.sets[of[0]].kg + 100
				for _, rule := range loadRules() {
					l.truths = append(l.truths, &truth{kind: mistake, rule: rule, week: week, consequence: mayBeTold})
				}
			}
		}},
		{"load not told", 1, 1, func(l *life, r *rand.Rand, week int) {
			if s := l.pick(r, week, deadlifts); s != nil {
				if of := s.workOf(deadlift); len(of) >= 2 {
					s.taken = true
					s.sets[of[0]].unloaded = true
				}
			}
		}},
	}
}

// mistake is a load that was told wrong first; what a rule said of it was taken
// back.
const mistake = "wrong load"

func (l *life) delay(r *rand.Rand, week int, by time.Duration) {
	if s := l.pick(r, week, ""); s != nil {
		s.taken, s.late = true, by
	}
}
