package analysis

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/lift"
)

// story is a random athlete: what happened, in the order of time, in every
// revision that was ever sent.
type story struct {
	settings Settings
	reps     []lift.RepRecord
	checkIns []lift.CheckInRecord
	logged   []lift.LoggedSet
	plan     []lift.PlanStep
	changes  []Terms // those that a coach makes while the story goes on
	end      time.Time
	calm     bool // trains regularly, with light loads that rise and little pain
}

func drawStory(t *rapid.T) story {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "America/Sao_Paulo"}
	zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	s := story{settings: Settings{Zone: zone, Goal: rapid.SampledFrom([]Goal{"", GoalSpeed, GoalHypertrophy}).Draw(t, "goal")}}
	if rapid.Bool().Draw(t, "limits") {
		s.settings.Limits = drawLimits(rng)
	}
	starts := []time.Time{
		time.Date(2026, 9, 7, 0, 0, 0, 0, zone), time.Date(2026, 2, 2, 0, 0, 0, 0, zone), time.Date(2018, 9, 17, 0, 0, 0, 0, zone),
	}
	start := rapid.SampledFrom(starts).Draw(t, "start")
	weeks := rapid.IntRange(1, 13).Draw(t, "weeks")
	s.calm = rapid.Bool().Draw(t, "calm")
	var seq int64
	for w := range weeks {
		if rng.IntN(8) == 0 {
			continue
		}
		most := 3
		if s.calm {
			most = 5
		}
		for range 1 + rng.IntN(most) {
			at := start.AddDate(0, 0, 7*w+rng.IntN(7)).Add(time.Duration(rng.IntN(24*60)) * time.Minute)
			if rng.IntN(3) == 0 { // around midnight, often from Sunday to Monday
				at = start.AddDate(0, 0, 7*w+min(7, 1+rng.IntN(14))).Add(time.Duration(rng.IntN(1800)-1500) * time.Second)
			}
			s.session(rng, at, &seq)
		}
	}
	s.mornings(rng, start, 7*weeks)
	s.notes(rng, start, 7*weeks)
	s.decisions(rng, start, 7*weeks)
	if rapid.Bool().Draw(t, "later") {
		for range 1 + rng.IntN(3) {
			s.settings.Later = append(s.settings.Later, drawTerms(rng, start, -60, 7*weeks+30))
		}
		slices.SortFunc(s.settings.Later, func(a, b Terms) int { return a.From.Compare(b.From) })
		for range rng.IntN(4) {
			s.changes = append(s.changes, drawTerms(rng, start, 0, 7*weeks))
		}
	}
	s.end = start.AddDate(0, 0, 7*weeks).Add(time.Duration(rng.IntN(48)) * time.Hour)
	if rng.IntN(2) == 0 && len(s.reps) > 0 {
		s.end = s.reps[len(s.reps)-1].Time.Add(30 * time.Second)
	}
	return s
}

// drawTerms changes limits and goal on one of the days, often in the first or the
// last hour of it.
func drawTerms(rng *rand.Rand, start time.Time, first, last int) Terms {
	t := Terms{From: start.AddDate(0, 0, first+rng.IntN(last-first)).Add(time.Duration(rng.IntN(24*60)) * time.Minute)}
	if rng.IntN(3) == 0 {
		t.From = start.AddDate(0, 0, first+rng.IntN(last-first)).Add(time.Duration(rng.IntN(120)-60) * time.Minute)
	}
	t.Goal = []Goal{"", GoalSpeed, GoalStrength, GoalHypertrophy}[rng.IntN(4)]
	if rng.IntN(5) > 0 {
		t.Limits = drawLimits(rng)
	}
	return t
}

func (s *story) session(rng *rand.Rand, at time.Time, seq *int64) {
	exercises := []lift.ExerciseID{"deadlift", "romanian_deadlift", "sumo-deadlift", "squat", "hip_thrust", "zercher", ""}
	exercise := exercises[min(rng.IntN(10), len(exercises)-1)]
	if rng.IntN(3) == 0 || s.calm && rng.IntN(2) == 0 {
		exercise = exercises[rng.IntN(2)]
	}
	drift := rng.IntN(3) == 0
	numbered := rng.IntN(2) == 0
	for n := range 1 + rng.IntN(5) {
		load := float64(60 + 40*rng.IntN(2+rng.IntN(2)))
		v, reps, slowest := 0.4+rng.Float64()*0.3, 1+rng.IntN(6), 0.75
		if s.calm {
			load = float64(50 + 10*(n+rng.IntN(3)))
			v, reps, slowest = 0.4+(120-load)/200, 3+rng.IntN(8), 0.9
		}
		if rng.IntN(20) == 0 {
			load, reps = 2*load, 1
		}
		for range reps {
			at = at.Add(time.Duration(2000+rng.IntN(3000)) * time.Millisecond)
			if rng.IntN(20) == 0 {
				at = at.Add(85 * time.Second)
			}
			r := lift.RepRecord{
				ID: lift.RepID("main", "bar-1", "b1", *seq), Site: "main", Device: "bar-1", Valid: true, LogSeq: rng.Uint64N(1000),
				Received: at.Add(time.Duration(rng.IntN(5)) * time.Second).UTC(),
				Rep: lift.Rep{
					BootID: "b1", Seq: *seq, Time: at.UTC(), Athlete: "ana", Exercise: exercise,
					MeanVelocity: float64(int(1000*v*(slowest+rng.Float64()*(1-slowest)))) / 1000,
					Warmup:       rng.IntN(15) == 0, Failed: rng.IntN(20) == 0, Historical: rng.IntN(10) == 0,
				},
			}
			if rng.IntN(25) > 0 {
				r.LoadKg = &load
			}
			if numbered {
				r.Set = new(rng.IntN(1 + n%3))
			}
			if rng.IntN(3) > 0 {
				r.Eccentric = new(1 + 3*rng.Float64())
			}
			if drift {
				r.BarTilt, r.BarDrift = new((7-5*slowest)*rng.Float64()), new(0.05*rng.Float64())
			}
			*seq++
			s.reps = append(s.reps, r)
			for rng.IntN(15) == 0 {
				r.Revision++
				r.Valid = rng.IntN(2) == 0
				r.MeanVelocity = 0.2 + rng.Float64()*0.4
				switch rng.IntN(6) {
				case 0:
					r.Athlete = "ben"
				case 1:
					r.LoadKg = new(90.0)
				case 2:
					r.Time = r.Time.Add(time.Duration(rng.IntN(20*24)) * time.Hour)
				case 3:
					r.Exercise = "squat"
				}
				s.reps = append(s.reps, r)
			}
		}
		at = at.Add(time.Duration(30+rng.IntN(300)) * time.Second)
	}
	for _, phase := range []lift.Phase{lift.PhaseBefore, lift.PhaseDuring, lift.PhaseAfter, lift.PhaseNextMorning, lift.PhaseDaily} {
		if rng.IntN(3) == 0 {
			continue
		}
		when := at.Add(time.Duration(rng.IntN(3600)) * time.Second)
		switch phase {
		case lift.PhaseBefore:
			when = when.Add(-3 * time.Hour)
		case lift.PhaseNextMorning:
			when = when.Add(14 * time.Hour)
		}
		c := lift.CheckInRecord{
			ID: lift.CheckInID("ana", when, phase), Site: "main", Athlete: "ana",
			CheckIn: lift.CheckIn{Time: when.UTC(), Phase: phase, Pain: new(rng.IntN(9))},
		}
		rare := 30
		if s.calm {
			c.Pain, rare = new(rng.IntN(1+rng.IntN(3))), 300
		}
		switch rng.IntN(rare) {
		case 0:
			c.Symptoms = []lift.Symptom{lift.NightPain, lift.Radiating}
		case 1:
			c.Symptoms = []lift.Symptom{lift.Tingling}
		}
		s.checkIns = append(s.checkIns, c)
		if rng.IntN(10) == 0 {
			c.Revision, c.Pain = 1, new(rng.IntN(11))
			s.checkIns = append(s.checkIns, c)
		}
	}
}

// mornings adds what is reported each day, over stretches in which the athlete
// reports at all: sleep, food, stiffness, and pain in or without daily life.
func (s *story) mornings(rng *rand.Rand, start time.Time, days int) {
	for day := 0; day < days; day++ {
		if rng.IntN(6) == 0 {
			day += rng.IntN(30)
		}
		stiff, sore := rng.IntN(3) == 0, rng.IntN(7)
		if s.calm {
			sore = rng.IntN(2)
		}
		for n := 3 + rng.IntN(60); n > 0 && day < days; n, day = n-1, day+1 {
			if rng.IntN(6) == 0 {
				continue
			}
			phase := lift.PhaseDaily
			if rng.IntN(2) == 0 {
				phase = lift.PhaseNextMorning
			}
			at := start.AddDate(0, 0, day).Add(time.Duration(rng.IntN(10*60)) * time.Minute)
			c := lift.CheckInRecord{
				ID: lift.CheckInID("ana", at, phase), Site: "main", Athlete: "ana",
				CheckIn: lift.CheckIn{Time: at.UTC(), Phase: phase},
			}
			if rng.IntN(3) > 0 {
				c.Pain = new(max(0, sore-rng.IntN(4)))
			}
			if rng.IntN(3) > 0 {
				c.SleepH, c.Nutrition = new(4+5*rng.Float64()), new(1+rng.IntN(5))
			}
			if stiff {
				c.StiffMorningMin, c.Symptoms = new(float64(20+rng.IntN(60))), []lift.Symptom{lift.EasesWithMovement}
			}
			s.checkIns = append(s.checkIns, c)
			if rng.IntN(20) == 0 {
				c.Revision, c.Pain, c.Symptoms = 1, new(rng.IntN(11)), nil
				s.checkIns = append(s.checkIns, c)
			}
		}
	}
}

// notes adds sets of a training log: several of a workout have one time, and some are
// corrected, moved or taken back.
func (s *story) notes(rng *rand.Rand, start time.Time, days int) {
	if rng.IntN(3) == 0 {
		return
	}
	for range rng.IntN(20) {
		at := start.AddDate(0, 0, rng.IntN(days)).Add(time.Duration(rng.IntN(24*60)) * time.Minute)
		if len(s.reps) > 0 && rng.IntN(3) == 0 {
			at = s.reps[rng.IntN(len(s.reps))].Time
		}
		for range 1 + rng.IntN(4) {
			row := fmt.Sprintf("row-%d", len(s.logged))
			l := lift.LoggedSet{
				ID: lift.LoggedSetID("ana", "strong", row), Log: "strong", Site: "main", Athlete: "ana", Time: at.UTC(),
				Exercise: []lift.ExerciseID{"deadlift", "deadlift", "squat", "zercher"}[rng.IntN(4)], Reps: rng.IntN(8), LoadKg: new(float64(40 * rng.IntN(5))), Warmup: rng.IntN(8) == 0,
			}
			if rng.IntN(10) == 0 {
				l.LoadKg = nil
			}
			if rng.IntN(2) == 0 {
				l.Number = new(rng.IntN(3))
			}
			s.logged = append(s.logged, l)
			for rng.IntN(6) == 0 {
				l.Revision++
				l.Removed = rng.IntN(3) == 0
				if rng.IntN(2) == 0 {
					l.Time = start.AddDate(0, 0, rng.IntN(days)).UTC()
				}
				l.LoadKg = new(float64(40 * rng.IntN(5)))
				s.logged = append(s.logged, l)
			}
		}
	}
}

// decisions adds holds and a return plan, with steps at sensible and at other times.
func (s *story) decisions(rng *rand.Rand, start time.Time, days int) {
	add := func(verb lift.PlanVerb, day int) *lift.PlanStep {
		at := start.AddDate(0, 0, day).Add(time.Duration(rng.IntN(24*60)) * time.Minute)
		s.plan = append(s.plan, lift.PlanStep{Verb: verb, At: at.UTC(), By: "coach"})
		return &s.plan[len(s.plan)-1]
	}
	for range rng.IntN(3) {
		day := rng.IntN(days)
		add(lift.PlanHold, day)
		if rng.IntN(2) == 0 {
			add(lift.PlanRelease, day+rng.IntN(40))
		}
	}
	for day := rng.IntN(2 * days); day < days; day += 7 + rng.IntN(70) {
		p := add(lift.PlanStart, day)
		if rng.IntN(4) > 0 {
			p.PreInjuryKg, p.PreInjuryWeekKg = new(160.0), new(4000.0)
		}
		verbs := []lift.PlanVerb{lift.PlanAdvance, lift.PlanAdvance, lift.PlanRepeat, lift.PlanRelease, lift.PlanEnd}
		for range rng.IntN(5) {
			day += rng.IntN(22)
			if rng.IntN(2) == 0 {
				day += 14
			}
			add(verbs[rng.IntN(len(verbs))], day)
		}
	}
}

// records stands for the view: of each rep and check-in the highest revision.
type records struct {
	reps     map[string]lift.RepRecord
	checkIns map[string]lift.CheckInRecord
	logged   map[string]lift.LoggedSet
	plan     map[string]lift.PlanStep
}

func newRecords() records {
	return records{map[string]lift.RepRecord{}, map[string]lift.CheckInRecord{}, map[string]lift.LoggedSet{}, map[string]lift.PlanStep{}}
}

func (v records) putRep(r lift.RepRecord) (now, before lift.RepRecord) {
	before, ok := v.reps[r.ID]
	if !ok {
		before = r
	}
	if !ok || r.Revision >= before.Revision {
		v.reps[r.ID] = r
	}
	return v.reps[r.ID], before
}

func (v records) putCheckIn(c lift.CheckInRecord) lift.CheckInRecord {
	if old, ok := v.checkIns[c.ID]; !ok || c.Revision >= old.Revision {
		v.checkIns[c.ID] = c
	}
	return v.checkIns[c.ID]
}

// putLogged returns from when on the set matters.
func (v records) putLogged(l lift.LoggedSet) time.Time {
	from := l.Time
	old, ok := v.logged[l.ID]
	if ok && old.Time.Before(from) {
		from = old.Time
	}
	if !ok || l.Revision >= old.Revision {
		v.logged[l.ID] = l
	}
	return from
}

func (v records) putStep(p lift.PlanStep) { v.plan[string(p.Verb)+p.At.String()] = p }

func (v records) history(from, checkIns time.Time) History {
	h := History{Site: "main", Athlete: "ana"}
	for _, r := range v.reps {
		if !r.Time.Before(from) {
			h.Reps = append(h.Reps, r)
		}
	}
	for _, c := range v.checkIns {
		if !c.Time.Before(checkIns) {
			h.CheckIns = append(h.CheckIns, c)
		}
	}
	for _, l := range v.logged {
		if !l.Time.Before(from) && !l.Removed {
			h.Logged = append(h.Logged, l)
		}
	}
	for _, p := range v.plan {
		h.Plan = append(h.Plan, p)
	}
	return h
}

func (s story) final() History {
	v := newRecords()
	for _, r := range s.reps {
		v.putRep(r)
	}
	for _, c := range s.checkIns {
		v.putCheckIn(c)
	}
	for _, l := range s.logged {
		v.putLogged(l)
	}
	for _, p := range s.plan {
		v.putStep(p)
	}
	return v.history(time.Time{}, time.Time{})
}

// watcher does what the monitor does: it feeds a Lifter, loads a new one when
// that is asked for, and keeps the alerts.
type watcher struct {
	view     records
	settings Settings
	lifter   *Lifter
	alerts   map[string]lift.Finding
	now      time.Time
	loads    int
}

func watch(s Settings, now time.Time) *watcher {
	w := &watcher{view: newRecords(), settings: s, alerts: map[string]lift.Finding{}, now: now}
	w.lifter = NewLifter(w.view.history(time.Time{}, time.Time{}), s, time.Time{}, now)
	return w
}

func (w *watcher) load(evaluateFrom time.Time) {
	w.loads++
	h := w.view.history(LoadFrom(evaluateFrom, w.settings.Zone))
	w.lifter = NewLifter(h, w.settings, evaluateFrom, w.now)
	for _, f := range w.alerts {
		w.lifter.Known(&f)
	}
}

func (w *watcher) rep(r lift.RepRecord) {
	now, before := w.view.putRep(r)
	w.see(now.Time)
	if w.lifter.Put(&now) {
		return
	}
	from := now.Time
	if before.Time.Before(from) {
		from = before.Time
	}
	w.evaluate(w.now)
	w.load(from)
}

func (w *watcher) checkIn(c lift.CheckInRecord) {
	now := w.view.putCheckIn(c)
	w.see(now.Time)
	if !w.lifter.PutCheckIn(&now) {
		w.evaluate(w.now)
		w.load(now.Time)
	}
}

// note loads anew: training logs are read in seldom.
func (w *watcher) note(l lift.LoggedSet) {
	w.see(l.Time)
	w.evaluate(w.now)
	w.load(w.view.putLogged(l))
}

// step loads anew: there are few of them.
func (w *watcher) step(p lift.PlanStep) {
	w.see(p.At)
	w.evaluate(w.now)
	w.view.putStep(p)
	w.load(p.At)
}

// change does what the monitor does when a coach changes limits.
func (w *watcher) change(t Terms) {
	w.see(t.From)
	w.evaluate(w.now)
	w.settings.Later = append(slices.Clone(w.settings.Later), t)
	w.load(t.From)
}

func (w *watcher) see(at time.Time) {
	if at.After(w.now) {
		w.now = at
	}
}

func (w *watcher) evaluate(now time.Time) {
	w.see(now)
	found, gone := w.lifter.Evaluate(w.now)
	for _, id := range gone {
		delete(w.alerts, id)
	}
	for _, f := range found {
		w.alerts[f.ID] = f
	}
}

func (w *watcher) findings() []lift.Finding {
	var list []lift.Finding
	for _, f := range w.alerts {
		list = append(list, f)
	}
	sortFindings(list)
	return list
}

// event is one arrival.
type event struct {
	at      time.Time // when it arrives
	rep     *lift.RepRecord
	checkIn *lift.CheckInRecord
	logged  *lift.LoggedSet
	step    *lift.PlanStep
	terms   *Terms
}

func (w *watcher) take(e event) {
	switch {
	case e.rep != nil:
		w.rep(*e.rep)
	case e.checkIn != nil:
		w.checkIn(*e.checkIn)
	case e.logged != nil:
		w.note(*e.logged)
	case e.terms != nil:
		w.change(*e.terms)
	default:
		w.step(*e.step)
	}
}

func (s story) events() []event {
	var list []event
	for i := range s.reps {
		list = append(list, event{at: s.reps[i].Time, rep: &s.reps[i]})
	}
	for i := range s.checkIns {
		list = append(list, event{at: s.checkIns[i].Time, checkIn: &s.checkIns[i]})
	}
	for i := range s.logged {
		list = append(list, event{at: s.logged[i].Time, logged: &s.logged[i]})
	}
	for i := range s.plan {
		list = append(list, event{at: s.plan[i].At, step: &s.plan[i]})
	}
	for i := range s.changes {
		list = append(list, event{at: s.changes[i].From, terms: &s.changes[i]})
	}
	return list
}

// asTold leaves out whether the newest rep was a backlog's: a finding is not told
// again for that alone.
var asTold = cmpopts.IgnoreFields(lift.Finding{}, "Historical")

// Whatever the order, lateness, repetition and correction of what arrives, the
// alerts at the end are those that Judge finds in the final history.
func TestFinalFindingsDoNotDependOnArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		late := rapid.SampledFrom([]time.Duration{0, 10 * time.Minute, 48 * time.Hour, 20 * 24 * time.Hour}).Draw(t, "late")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 2))
		events := s.events()
		for i := range events {
			if late > 0 {
				events[i].at = events[i].at.Add(time.Duration(rng.Int64N(int64(late))))
			}
			if rng.IntN(20) == 0 {
				again := events[i]
				again.at = again.at.Add(time.Duration(rng.IntN(7200)) * time.Second)
				events = append(events, again)
			}
		}
		slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })

		w := watch(s.settings, time.Time{})
		lazy := rapid.IntRange(1, 40).Draw(t, "lazy")
		for i, e := range events {
			if e.at.After(s.end) {
				e.at = s.end
			}
			w.take(e)
			if i%lazy == 0 {
				w.evaluate(e.at)
			}
			if rng.IntN(200) == 0 { // a restart
				w.evaluate(e.at)
				w.load(w.now)
			}
		}
		w.evaluate(s.end)
		final := s.final()
		want := Judge(final, w.settings, w.now)
		if d := cmp.Diff(want, w.findings(), asTold); d != "" {
			t.Fatalf("after %d events and %d loads, - Judge, + Lifter:\n%s", len(events), w.loads, d)
		}
		rng.Shuffle(len(final.Reps), func(i, j int) { final.Reps[i], final.Reps[j] = final.Reps[j], final.Reps[i] })
		rng.Shuffle(len(final.CheckIns), func(i, j int) {
			final.CheckIns[i], final.CheckIns[j] = final.CheckIns[j], final.CheckIns[i]
		})
		rng.Shuffle(len(final.Logged), func(i, j int) { final.Logged[i], final.Logged[j] = final.Logged[j], final.Logged[i] })
		rng.Shuffle(len(final.Plan), func(i, j int) { final.Plan[i], final.Plan[j] = final.Plan[j], final.Plan[i] })
		if d := cmp.Diff(want, Judge(final, w.settings, w.now)); d != "" {
			t.Fatalf("shuffled history, - clean, + shuffled:\n%s", d)
		}
	})
}

// A Lifter loaded from LoadFrom on finds what the whole history shows.
func TestLookbackIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		all := Judge(s.final(), s.settings, s.end)
		from := s.end.AddDate(0, 0, -rapid.IntRange(0, 40).Draw(t, "days"))
		v := newRecords()
		for _, r := range s.reps {
			v.putRep(r)
		}
		for _, c := range s.checkIns {
			v.putCheckIn(c)
		}
		for _, l := range s.logged {
			v.putLogged(l)
		}
		for _, p := range s.plan {
			v.putStep(p)
		}
		reps, checkIns := LoadFrom(from, s.settings.Zone)
		l := NewLifter(v.history(reps, checkIns), s.settings, from, s.end)
		var want []lift.Finding
		for _, f := range all {
			if l.keeps(l.unitOf(&f), markOf(&f)) {
				want = append(want, f)
			}
		}
		got, _ := l.Evaluate(s.end)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("- whole history, + lookback:\n%s", d)
		}
	})
}

// Weeks of a stretch are those of the whole history when Lookback is read before it,
// and two days more for the sets and dates that the begin cuts off.
func TestLookbackIsEnoughForWeeks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		from := s.end.Add(-time.Duration(rapid.IntRange(1, 24*60).Draw(t, "hours")) * time.Hour)
		to := from.Add(time.Duration(rapid.IntRange(1, 24*30).Draw(t, "long")) * time.Hour)
		within := func(weeks []lift.Week) []lift.Week {
			return slices.DeleteFunc(weeks, func(w lift.Week) bool { return w.From.Before(from) || !w.From.Before(to) })
		}
		whole := s.final()
		part := whole
		first, last := from.Add(-Lookback-48*time.Hour), to.AddDate(0, 0, 8)
		read := func(at time.Time) bool { return !at.Before(first) && at.Before(last) }
		part.Reps = slices.DeleteFunc(slices.Clone(whole.Reps), func(r lift.RepRecord) bool { return !read(r.Time) })
		part.Logged = slices.DeleteFunc(slices.Clone(whole.Logged), func(l lift.LoggedSet) bool { return !read(l.Time) })
		if d := cmp.Diff(within(Weeks(whole, s.settings, s.end)), within(Weeks(part, s.settings, s.end)), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("- whole history, + lookback:\n%s", d)
		}
	})
}

// Sets does not care whose reps come first, nor changes what it is given.
func TestSetsOfSeveralAreThoseOfEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawStory(t).final()
		var mixed, reps []lift.RepRecord
		for i, r := range h.Reps {
			run := rapid.IntRange(0, 2).Draw(t, "who")
			if r.Athlete = lift.AthleteID([]string{"ana", "bo", "cy"}[run]); i%7 > 0 && len(mixed) > 0 {
				r.Athlete = mixed[len(mixed)-1].Athlete
			}
			mixed = append(mixed, r)
		}
		var want []lift.Set
		for _, athlete := range []lift.AthleteID{"ana", "bo", "cy"} {
			reps = reps[:0]
			for _, r := range mixed {
				if r.Athlete == athlete {
					reps = append(reps, r)
				}
			}
			want = append(want, Sets(reps, nil, time.UTC)...)
		}
		slices.SortFunc(want, lift.Set.Compare)
		before := slices.Clone(mixed)
		if d := cmp.Diff(want, Sets(mixed, nil, time.UTC)); d != "" {
			t.Fatalf("- each, + all:\n%s", d)
		}
		if d := cmp.Diff(before, mixed); d != "" {
			t.Fatalf("the reps are not as they were:\n%s", d)
		}
	})
}

// Ticking only when NextDue says so misses nothing that ticking always shows.
func TestNextDueMissesNoFinding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		events := s.events()
		slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
		w := watch(s.settings, time.Time{})
		for i, e := range events {
			w.take(e)
			w.evaluate(e.at)
			next := s.end
			if i+1 < len(events) {
				next = events[i+1].at
			}
			for due := w.lifter.NextDue(); !due.IsZero() && due.Before(next); due = w.lifter.NextDue() {
				w.evaluate(due)
			}
			if i%10 == 0 && next.After(w.now) {
				now := next.Add(-time.Millisecond)
				if d := cmp.Diff(Judge(w.view.history(time.Time{}, time.Time{}), w.settings, now), w.findings(), asTold); d != "" {
					t.Fatalf("before %s:\n%s", now, d)
				}
			}
		}
	})
}

// A set that goes on after midnight, beside one of the next date, is finished last:
// the next date's slowdown is the second in a row all the same.
func TestASetThatGoesOnAfterMidnightCountsForTheNextDate(t *testing.T) {
	midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	b := new(logbook)
	for day := 6; day > 0; day-- {
		at := midnight.AddDate(0, 0, -5*day).Add(17 * time.Hour)
		for n, kg := range []float64{60, 80, 100, 120} {
			b.set(at.Add(time.Duration(3*n)*time.Minute), "deadlift", kg, n+1, 1.1-kg/200)
		}
	}
	slow := []float64{0.37, 0.37, 0.37}
	sunday := len(b.reps)
	b.set(midnight.Add(-20*time.Second), "deadlift", 120, 1, append(slow, slow...)...)
	b.reps[len(b.reps)-1].Time = midnight.Add(40 * time.Second)
	b.reps[len(b.reps)-1].Received = b.reps[len(b.reps)-1].Time
	b.set(midnight.Add(10*time.Second), "deadlift", 120, 2, slow...)
	slices.SortFunc(b.reps, func(a, b lift.RepRecord) int { return a.Time.Compare(b.Time) })

	w := watch(Settings{}, time.Time{})
	for i, r := range b.reps {
		w.rep(r)
		if i >= sunday {
			w.evaluate(r.Time)
		}
	}
	for due := w.lifter.NextDue(); due.Before(midnight.Add(time.Hour)); due = w.lifter.NextDue() {
		w.evaluate(due)
	}
	want := Judge(w.view.history(time.Time{}, time.Time{}), Settings{}, w.now)
	if len(want) < 2 || want[len(want)-1].Rule != DaySlowdown || want[len(want)-1].Severity != lift.Warning {
		t.Fatalf("the slowdown of two dates was not found: %+v", want)
	}
	if d := cmp.Diff(want, w.findings(), asTold); d != "" {
		t.Errorf("- Judge, + Lifter:\n%s", d)
	}
}

func Example() {
	start := time.Date(2026, 11, 16, 17, 0, 0, 0, time.UTC)
	l := NewLifter(History{Site: "main", Athlete: "ana"}, Settings{}, start, start)
	load := 120.0
	for i, v := range []float64{0.50, 0.52, 0.51, 0.43, 0.41} {
		r := lift.RepRecord{
			ID: lift.RepID("main", "bar-1", "b7", int64(i)), Site: "main", Device: "bar-1", Valid: true,
			Rep: lift.Rep{
				BootID: "b7", Seq: int64(i), Time: start.Add(time.Duration(4*i) * time.Second),
				Athlete: "ana", Exercise: "deadlift", LoadKg: &load, Set: new(3), MeanVelocity: v,
			},
		}
		l.Put(&r)
		found, _ := l.Evaluate(r.Time)
		for _, f := range found {
			fmt.Println(f.Severity, f.Message)
		}
	}
	fmt.Println("due", l.NextDue().Sub(start))
	found, _ := l.Evaluate(l.NextDue())
	for _, f := range found {
		fmt.Println(f.Severity, f.Message)
	}
	// Output:
	// advice Rep 5 at 120 kg moved at 0.41 m/s, 21 % slower than the fastest rep (0.52 m/s). Limit 15 %.
	// due 1m46s
	// warning Rep 5 at 120 kg moved at 0.41 m/s, 21 % slower than the fastest rep (0.52 m/s). Limit 20 %.
}
