package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// scenario is a kind of truth: it changes a life from a week on.
type scenario struct {
	kind   string
	weeks  int // that it takes, with what must settle after it
	loaded int // first so many of these must not be deloads
	inject func(l *life, r *rand.Rand, week int)
}

// firstScenario is the week before which an athlete's baselines are learned.
const firstScenario = 8

// scenarios are all kinds, in the order of the rules.
func scenarios() []scenario {
	return slices.Concat(loadScenarios(), velocityScenarios(), painScenarios(), planScenarios(), dataScenarios())
}

// live puts scenarios into a life, each after the one before has settled. Every
// athlete begins at another one, so that all kinds come about equally often.
func (l *life) live(index int) {
	r := l.random("scenarios")
	all := scenarios()
	order := r.Perm(len(all))
	k := slices.Index(order, index%len(all))
	order[0], order[k] = order[k], order[0]
	week := firstScenario + r.IntN(3)
	for _, i := range order {
		s := all[i]
		at := week
		for l.deloadWithin(at, s.loaded) {
			at++
		}
		if at+s.weeks > l.weeks {
			continue
		}
		s.inject(l, r, at)
		if week = at + s.weeks + r.IntN(3); week >= l.weeks {
			return
		}
	}
}

func (l *life) deloadWithin(week, weeks int) bool {
	for i := range weeks {
		if l.deload(week + i) {
			return true
		}
	}
	return false
}

func (l *life) sessionsOf(week int, group string) []*session {
	var of []*session
	for _, s := range l.sessions {
		if s.week == week && (group == "" || s.has(group)) {
			of = append(of, s)
		}
	}
	return of
}

// meant is the oracle of what is planned.
func (l *life) meant() *oracle {
	o := &oracle{life: l}
	for _, s := range l.sessions {
		y, m, d := s.at.Date()
		for i := range s.sets {
			o.done = append(o.done, done{session: s, set: &s.sets[i], date: time.Date(y, m, d, 0, 0, 0, 0, l.zone), from: s.at, to: s.at})
		}
	}
	return o
}

// volume is the volume of a group in a week, and what it is compared with.
func (l *life) volume(group string, week int) (kg float64, against rise) {
	o := l.meant()
	for _, b := range o.blocks(group) {
		if b.day >= 7*week && b.day < 7*week+7 {
			var s sums
			s.add(&b)
			kg += s.value[0]
		}
	}
	return kg, o.weeklyVolume(group, week, 7*week+6)
}

// lastWork is the index of the last work set of a group in a session, or -1.
func (s *session) lastWork(group string) int {
	for i, x := range slices.Backward(s.sets) {
		if groupOf(x.exercise) == group && !x.warm {
			return i
		}
	}
	return -1
}

// raise adds work to a week's sessions of a group, in turns, until the volume is
// reached.
func (l *life) raise(week int, group string, kg float64) {
	have, _ := l.volume(group, week)
	l.add(l.sessionsOf(week, group), group, kg-have)
}

func (l *life) add(to []*session, group string, missing float64) {
	if len(to) == 0 {
		return
	}
	for i := 0; missing > 0; i++ {
		s := to[i%len(to)]
		k := s.lastWork(group)
		x := s.sets[k]
		x.reps = min(5, int(missing/x.kg)+1)
		x.rest = 3 * time.Minute
		missing -= float64(x.reps) * x.kg
		s.sets = slices.Insert(s.sets, k+1, x)
		s.taken = true
	}
}

// drop takes a week's deadlifts away.
func (l *life) drop(from, to time.Time, groups ...string) {
	for _, s := range l.sessions {
		if s.at.Before(from) || !s.at.Before(to) {
			continue
		}
		s.sets = slices.DeleteFunc(s.sets, func(x set) bool { return slices.Contains(groups, groupOf(x.exercise)) })
		if !s.has(deadlifts) {
			s.before, s.during, s.after, s.morning = silent, silent, silent, silent
		}
	}
	l.sessions = slices.DeleteFunc(l.sessions, func(s *session) bool { return len(s.sets) == 0 })
}

// ease takes work sets, and then reps, away from a week's deadlifts until a share
// of their volume is left.
func (l *life) ease(week int, share float64) {
	for _, s := range l.sessionsOf(week, deadlifts) {
		kg := 0.0
		for _, x := range s.sets {
			if groupOf(x.exercise) == deadlifts && !x.warm {
				kg += x.kg * float64(x.reps)
			}
		}
		for spare := (1 - share) * kg; spare > 0; {
			k := s.lastWork(deadlifts)
			if k < 0 {
				break
			}
			x := &s.sets[k]
			if whole := x.kg * float64(x.reps); whole > spare {
				x.reps = max(1, x.reps-int(spare/x.kg))
				break
			} else {
				spare -= whole
			}
			s.sets = slices.Delete(s.sets, k, k+1)
		}
	}
}

func loadScenarios() []scenario {
	spike := func(kind string, low, high float64, least lift.Severity) scenario {
		return scenario{kind, 3, 1, func(l *life, r *rand.Rand, week int) {
			_, is := l.volume(deadlifts, week)
			l.raise(week, deadlifts, is.base[0]*between(r, low, high))
			l.tell(truth{kind: kind, rule: analysis.WeeklyVolume, least: least, group: deadlifts, week: week})
			l.may(kind, week, analysis.SessionSpike, analysis.WeeklyLoad, analysis.HeavyFrequency)
		}}
	}
	return []scenario{
		spike("spike of 40 to 60 %", 1.4, 1.6, lift.Warning),
		spike("spike of more than double", 2.1, 2.4, lift.Critical),
		{"ramp of 14 % a week", 4, 3, func(l *life, _ *rand.Rand, week int) {
			for i := range 3 {
				_, is := l.volume(deadlifts, week+i)
				l.raise(week+i, deadlifts, is.base[0]*1.145)
				l.tell(truth{kind: "ramp of 14 % a week", rule: analysis.WeeklyVolume, least: lift.Advice, group: deadlifts, week: week + i})
				l.may("ramp of 14 % a week", week+i, analysis.SessionSpike)
			}
		}},
		{"break of two weeks, then at once back", 5, 3, func(l *life, _ *rand.Rand, week int) {
			l.drop(l.monday(week), l.monday(week+2), deadlifts)
			_, is := l.volume(deadlifts, week+2)
			l.raise(week+2, deadlifts, is.base[0]*1.42)
			l.tell(truth{kind: "break of two weeks, then at once back", rule: analysis.WeeklyVolume, least: lift.Warning, group: deadlifts, week: week + 2})
			l.may("break of two weeks, then at once back", week+2, analysis.SessionSpike, analysis.WeeklyLoad)
		}},
		{"break of two weeks, then gently back", 5, 3, func(l *life, _ *rand.Rand, week int) {
			l.drop(l.monday(week), l.monday(week+2), deadlifts)
			l.ease(week+2, 0.7)
			l.checks = append(l.checks, check{"return at 70 % after a break", deadlifts, []lift.Rule{analysis.WeeklyVolume}, l.monday(week + 2), l.monday(week + 3)})
		}},
		{"break of five weeks", 8, 0, func(l *life, _ *rand.Rand, week int) {
			l.drop(l.monday(week), l.monday(week+5), deadlifts)
			l.checks = append(l.checks, check{"first weeks after five without", deadlifts, []lift.Rule{analysis.WeeklyVolume}, l.monday(week + 5), l.monday(week + 7)})
		}},
		{"top load 13 to 18 % up", 2, 1, func(l *life, r *rand.Rand, week int) { l.top(r, week, 1.13, 1.18, lift.Advice) }},
		{"top load 22 to 26 % up", 2, 1, func(l *life, r *rand.Rand, week int) { l.top(r, week, 1.22, 1.26, lift.Warning) }},
		{"session of 1.4 times the largest", 2, 1, func(l *life, r *rand.Rand, week int) { l.pack(r, week, 1.4, 1.6, lift.Advice) }},
		{"session of 2.1 times the largest", 2, 1, func(l *life, r *rand.Rand, week int) { l.pack(r, week, 2.1, 2.3, lift.Warning) }},
		{"three heavy days after bad nights", 3, 1, func(l *life, r *rand.Rand, week int) {
			for i := 7*week - 5; i < 7*week+7; i++ {
				l.mornings[i].told, l.mornings[i].sleep, l.mornings[i].nutrition = true, 4.6+0.3*r.NormFloat64(), 2
			}
			share := 0.90
			if !l.known {
				share = 1.0 // what is heavy by an estimate from the default velocity at the maximum
			}
			for _, s := range l.sessionsOf(week, "") {
				s.taken = true
				if !s.has(deadlifts) {
					s.sets = append(s.sets, warmUps(deadlift, plates(share*l.maximum[deadlift]))...)
					s.sets = append(s.sets, set{exercise: deadlift, kg: plates(share * l.maximum[deadlift]), reps: 1, rest: 3 * time.Minute})
					continue
				}
				for i := range s.sets {
					if x := &s.sets[i]; x.exercise == deadlift && !x.warm {
						x.kg, x.reps = plates(share*l.maximum[deadlift]), 1
					}
				}
			}
			of := l.sessionsOf(week, "")
			l.tell(truth{kind: "three heavy days after bad nights", rule: analysis.HeavyFrequency, least: lift.Warning, group: deadlifts, week: week, onset: of[min(1, len(of)-1)].at})
			l.may("three heavy days after bad nights", week, analysis.WeeklyLoad, analysis.SessionSpike, analysis.WarmUp, analysis.WeeklyVolume)
			l.may("three heavy days after bad nights", week+1, analysis.HeavyFrequency)
		}},
	}
}

func warmUps(e lift.ExerciseID, kg float64) []set {
	var of []set
	for i, part := range []float64{0.4, 0.6, 0.8} {
		of = append(of, set{exercise: e, kg: plates(part * kg), reps: 5 - i, warm: true, rest: 80 * time.Second})
	}
	return of
}

// top puts a heavier single before the back-off sets of a week's first deadlifts.
func (l *life) top(r *rand.Rand, week int, low, high float64, least lift.Severity) {
	most := 0.0
	for w := week - 6; w < week; w++ {
		for _, s := range l.sessionsOf(w, deadlifts) {
			for _, x := range s.sets {
				if groupOf(x.exercise) == deadlifts {
					most = max(most, x.kg)
				}
			}
		}
	}
	of := l.sessionsOf(week, deadlifts)
	if len(of) == 0 {
		return
	}
	s := of[0]
	kg := plates(most * between(r, low, high))
	first := slices.IndexFunc(s.sets, func(x set) bool { return x.exercise == deadlift && !x.warm })
	jump := set{exercise: deadlift, kg: plates(0.9 * kg), reps: 1, rest: 3 * time.Minute}
	s.sets = slices.Insert(s.sets, first, jump, set{exercise: deadlift, kg: kg, reps: 1, rest: 3 * time.Minute})
	kind := map[lift.Severity]string{lift.Advice: "top load 13 to 18 % up", lift.Warning: "top load 22 to 26 % up"}[least]
	s.taken = true
	l.tell(truth{kind: kind, rule: analysis.WeeklyLoad, least: least, group: deadlifts, week: week, onset: s.at})
	l.may(kind, week, analysis.SessionSpike, analysis.HeavyFrequency, analysis.WeeklyVolume)
	l.mayOf(kind, s, analysis.WarmUp, analysis.Grind)
}

// pack does nearly all of a week's deadlifts in one session.
func (l *life) pack(r *rand.Rand, week int, low, high float64, least lift.Severity) {
	of := l.sessionsOf(week, deadlifts)
	if len(of) < 2 {
		return
	}
	most := 0.0
	o := l.meant()
	days := map[int]float64{}
	for _, b := range o.blocks(deadlifts) {
		var s sums
		s.add(&b)
		days[b.day] += s.value[0]
	}
	today := dayOf(time.Date(of[0].at.Year(), of[0].at.Month(), of[0].at.Day(), 0, 0, 0, 0, l.zone), l.first)
	for day := today - 30; day < today; day++ {
		most = max(most, days[day])
	}
	second := of[1].at
	kind := map[lift.Severity]string{lift.Advice: "session of 1.4 times the largest", lift.Warning: "session of 2.1 times the largest"}[least]
	l.add(of[:1], deadlifts, most*between(r, low, high)-days[today])
	l.drop(second, second.Add(time.Second), deadlifts)
	l.tell(truth{kind: kind, rule: analysis.SessionSpike, least: least, group: deadlifts, session: of[0], index: wholeSession})
	l.may(kind, week, analysis.WeeklyVolume, analysis.WeeklyLoad)
	l.may(kind, week+1, analysis.WeeklyVolume)
}
