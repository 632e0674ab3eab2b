package main

import (
	"math/rand/v2"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// loadRules are those that a red flag silences.
func loadRules() []lift.Rule {
	return []lift.Rule{
		analysis.WeeklyVolume, analysis.WeeklyLoad, analysis.SessionSpike, analysis.HeavyFrequency, analysis.VelocityLoss,
		analysis.Grind, analysis.SetDrop, analysis.DaySlowdown, analysis.WarmUp, analysis.Technique,
	}
}

// at is an hour of the n-th day.
func (l *life) at(day, hour int) time.Time {
	d := l.first.AddDate(0, 0, day)
	return time.Date(d.Year(), d.Month(), d.Day(), hour, 17, 0, 0, l.zone)
}

// rises is when the morning's report of a day is made.
func (l *life) rises(day int) time.Time {
	d := l.first.AddDate(0, 0, day)
	return time.Date(d.Year(), d.Month(), d.Day(), 5, 30, 0, 0, l.zone)
}

// says reports symptoms.
func (l *life) says(at time.Time, pain int, symptoms ...lift.Symptom) {
	c := lift.CheckIn{Time: at.UTC(), Phase: lift.PhaseDaily, Symptoms: symptoms}
	if pain != silent {
		c.Pain = new(pain)
	}
	l.extra = append(l.extra, lift.CheckInRecord{CheckIn: c})
}

// hurts makes the mornings from a day on tell of pain.
func (l *life) hurts(day int, pain ...int) {
	for i, p := range pain {
		if day+i < len(l.mornings) {
			l.mornings[day+i].told, l.mornings[day+i].pain = true, p
		}
	}
}

// rests keeps a hold that begins on a day: no deadlifts until the day after the
// one whose morning ends it.
func (l *life) rests(from time.Time, day, days int) {
	l.holds = append(l.holds, hold{from, l.rises(day + days)})
	l.drop(from.Add(time.Minute), l.at(day+days+1, 0), deadlifts)
	l.returns(day + days)
}

// returns makes the first week back lighter.
func (l *life) returns(day int) {
	week := day / 7
	if day%7 > 1 {
		week++
	}
	l.ease(week, 0.72)
	l.ease(week+1, 0.8)
	l.ease(week+2, 0.9)
	l.may("back after a hold", week, analysis.WeeklyVolume)
}

// painful is a session of the week with all its scores told.
func (l *life) painful(r *rand.Rand, week int, before, during, after, next int) (*session, int) {
	s := l.pick(r, week, deadlifts)
	if s == nil {
		return nil, 0
	}
	s.taken = true
	s.before, s.during, s.after, s.morning = before, during, after, next
	y, m, d := s.at.Date()
	return s, dayOf(time.Date(y, m, d, 0, 0, 0, 0, l.zone), l.first)
}

// settling is the pain of the mornings after a bad session, until it is free.
var settling = []int{3, 3, 3, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}

func painScenarios() []scenario {
	return []scenario{
		{"pain of 4 that settles", 2, 0, func(l *life, r *rand.Rand, week int) {
			if s, _ := l.painful(r, week, 0, 3, 4, 0); s != nil {
				l.tell(truth{kind: "pain of 4 that settles", rule: analysis.PainZone, least: lift.Info, session: s, index: wholeSession})
			}
		}},
		{"pain of 4 that stays overnight", 2, 0, func(l *life, r *rand.Rand, week int) {
			if s, day := l.painful(r, week, 1, 3, 4, 4); s != nil {
				l.hurts(day+1, 3, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0)
				l.tell(truth{kind: "pain of 4 that stays overnight", rule: analysis.PainZone, least: lift.Advice, session: s, index: wholeSession})
			}
		}},
		{"pain of 6 or 7", 5, 0, func(l *life, r *rand.Rand, week int) {
			if s, day := l.painful(r, week, 1, 4, 6+r.IntN(2), 3); s != nil {
				l.hurts(day+1, settling...)
				l.tell(truth{kind: "pain of 6 or 7", rule: analysis.PainZone, least: lift.Warning, session: s, index: wholeSession})
				l.rests(s.at.Add(2*time.Hour), day, 7)
			}
		}},
		{"pain of 8 to 10", 5, 0, func(l *life, r *rand.Rand, week int) {
			if s, day := l.painful(r, week, 1, 5, 8+r.IntN(3), 3); s != nil {
				l.hurts(day+1, settling...)
				l.tell(truth{kind: "pain of 8 to 10", rule: analysis.PainZone, least: lift.Critical, session: s, index: wholeSession})
				l.rests(s.at.Add(2*time.Hour), day, 7)
			}
		}},
		{"pain that rises from week to week", 6, 0, func(l *life, _ *rand.Rand, week int) {
			for i, p := range []int{0, 1, 2} {
				for _, s := range l.sessionsOf(week+i, deadlifts) {
					s.taken = true
					s.before, s.during, s.after, s.morning = 0, p, p, 0
				}
			}
			if of := l.sessionsOf(week+2, deadlifts); len(of) > 0 {
				l.tell(truth{kind: "pain that rises from week to week", rule: analysis.PainZone, least: lift.Warning, week: week + 2})
				l.truths[len(l.truths)-1].onset = of[0].at
			}
		}},
		{"red flag", 5, 0, func(l *life, r *rand.Rand, week int) {
			symptoms := []lift.Symptom{
				lift.SaddleNumbness, lift.BladderBowel, lift.ProgressiveWeakness, lift.BilateralLeg, lift.Trauma,
				lift.Fever, lift.WeightLoss, lift.NightPain, lift.SuddenSevere,
			}
			day := 7*week + r.IntN(5)
			at := l.at(day, 12)
			l.says(at, silent, symptoms[r.IntN(len(symptoms))])
			l.tell(truth{kind: "red flag", rule: analysis.RedFlag, least: lift.Urgent, from: at, to: at})
			released := l.at(day+9, 11)
			l.plan = append(l.plan, lift.PlanStep{Verb: lift.PlanRelease, At: released.UTC(), By: "coach", Reason: "cleared by a doctor"})
			l.holds = append(l.holds, hold{at, released})
			// What is lifted meanwhile must be told of by no load rule.
			l.drop(at, released, deadlifts)
			for _, s := range l.sessions {
				if !s.at.Before(at) && s.at.Before(released.AddDate(0, 0, -1)) {
					s.taken = true
					if k := s.lastWork("squat_family"); k >= 0 {
						s.sets[k].slow, s.sets[k].reps = 0.45, 5
					}
				}
			}
			l.checks = append(l.checks, check{"slow squats in the silence after a red flag", "", loadRules(), at.Add(time.Minute), released.AddDate(0, 0, -1)})
			l.returns(day + 10)
		}},
		{"radiating pain", 5, 0, func(l *life, r *rand.Rand, week int) {
			day := 7*week + r.IntN(5)
			at := l.at(day, 12)
			l.says(at, 4, []lift.Symptom{lift.Radiating, lift.Numbness, lift.Tingling}[r.IntN(3)])
			l.hurts(day+1, settling...)
			l.tell(truth{kind: "radiating pain", rule: analysis.Radicular, least: lift.Critical, from: at, to: at})
			l.rests(at, day, 7)
		}},
		{"stiff mornings", 2, 0, func(l *life, r *rand.Rand, week int) {
			for i := range 5 + r.IntN(3) {
				l.mornings[7*week+i].told, l.mornings[7*week+i].stiff = true, float64(35+r.IntN(40))
			}
			l.tell(truth{kind: "stiff mornings", rule: analysis.Inflammatory, least: lift.Info, week: week})
			l.truths[len(l.truths)-1].onset = l.at(7*week+4, 5)
		}},
		{"deadlift of 68 to 75 % under a hold", 5, 0, func(l *life, r *rand.Rand, week int) {
			l.violate(r, week, 0.68, 0.75, lift.Warning, "deadlift of 68 to 75 % under a hold")
		}},
		{"deadlift of 90 to 97 % under a hold", 5, 0, func(l *life, r *rand.Rand, week int) {
			l.violate(r, week, 0.90, 0.97, lift.Critical, "deadlift of 90 to 97 % under a hold")
		}},
		{"hold whose pain does not settle", 7, 0, func(l *life, r *rand.Rand, week int) {
			day := 7*week + r.IntN(5)
			at := l.at(day, 12)
			l.says(at, 5, lift.Radiating)
			l.hurts(day+1, 4, 4, 4, 4, 4, 4, 3, 4, 4, 3, 4, 3, 4, 4, 3, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
			l.tell(truth{kind: "hold whose pain does not settle", rule: analysis.Radicular, least: lift.Critical, from: at, to: at})
			l.tell(truth{kind: "hold whose pain does not settle", rule: analysis.Hold, least: lift.Warning, from: l.at(day+1, 0), to: l.at(day+14, 0), onset: l.at(day+14, 0)})
			l.truths[len(l.truths)-1].episode = true
			l.rests(at, day, 18)
		}},
		{"five weeks of pain", 7, 0, func(l *life, _ *rand.Rand, week int) { l.persist(week, 34, 28, lift.Advice, "five weeks of pain") }},
		{"seven weeks of pain", 9, 0, func(l *life, _ *rand.Rand, week int) { l.persist(week, 48, 42, lift.Warning, "seven weeks of pain") }},
		{"three sessions without a report", 3, 0, func(l *life, _ *rand.Rand, week int) {
			of := append(l.sessionsOf(week, deadlifts), l.sessionsOf(week+1, deadlifts)...)
			if len(of) < 3 {
				return
			}
			for _, s := range l.sessionsOf(week-1, deadlifts) {
				s.after, s.morning = max(0, s.after), max(0, s.morning)
			}
			for _, s := range of[:3] {
				s.taken = true
				s.during, s.after, s.morning = silent, silent, silent
			}
			t := l.tell(truth{kind: "three sessions without a report", rule: analysis.PainZone, least: lift.Info, session: of[2], index: wholeSession})
			t.days = 0
		}},
	}
}

// violate begins a hold in one of three ways, and breaks it some days later.
func (l *life) violate(r *rand.Rand, week int, low, high float64, least lift.Severity, kind string) {
	day := 7 * week
	at := l.at(day, 5)
	switch r.IntN(2) {
	case 0:
		l.says(at, 4, lift.Radiating)
		l.tell(truth{kind: kind, rule: analysis.Radicular, least: lift.Critical, from: at, to: at})
		l.hurts(day+1, settling...)
		l.rests(at, day, 7)
	default:
		l.plan = append(l.plan,
			lift.PlanStep{Verb: lift.PlanHold, At: at.UTC(), By: "coach"},
			lift.PlanStep{Verb: lift.PlanRelease, At: l.rises(day + 7).UTC(), By: "coach"})
		l.rests(at, day, 7)
	}
	of := l.sessionsOf(week, "")
	if len(of) < 2 {
		return
	}
	s := of[1]
	s.sets = append(s.sets, set{exercise: deadlift, kg: plates(between(r, low, high) * s.grown * l.maximum[deadlift]), reps: 2, rest: 3 * time.Minute})
	l.tell(truth{kind: kind, rule: analysis.Hold, least: least, group: deadlifts, session: s, index: wholeSession})
	l.mayOf(kind, s, analysis.WarmUp, analysis.DaySlowdown)
}

// persist makes the back hurt a little for so many days.
func (l *life) persist(week, days, due int, least lift.Severity, kind string) {
	first := 7 * week
	for i := range days + 10 {
		if first+i >= len(l.mornings) {
			break
		}
		m := &l.mornings[first+i]
		m.told, m.pain = i%2 == 0 || m.told, 2
		if i > days {
			m.told, m.pain = true, 0
		}
	}
	for _, s := range l.sessions {
		if at := dayOf(s.at, l.first); at >= first && at <= first+days && s.has(deadlifts) {
			s.before, s.during, s.after, s.morning = 2, 2, 2, 2
		}
	}
	l.tell(truth{kind: kind, rule: analysis.PainPersistence, least: least, from: l.at(first-1, 23), to: l.at(first+due, 0), onset: l.at(first+due, 0)})
	l.may(kind, week, analysis.PainZone)
	l.may(kind, week+1, analysis.PainZone)
	l.may(kind, week+2, analysis.PainZone)
}
