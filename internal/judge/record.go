package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// arrival is one event as it comes in.
type arrival struct {
	at      time.Time
	rep     *lift.RepRecord
	checkIn *lift.CheckInRecord
	step    *lift.PlanStep
}

// done is a set as it was lifted and measured, as it finally stands.
type done struct {
	*session
	*set
	date       time.Time // local midnight
	from, to   time.Time // of the first and the last rep
	velocity   []float64 // of the reps
	historical bool
}

// tape is everything that happened to one athlete.
type tape struct {
	*life
	settings analysis.Settings
	arrivals []arrival
	done     []done
	end      time.Time
}

// write lifts what is planned.
func (l *life) write() *tape {
	t := &tape{life: l, end: l.monday(l.weeks)}
	t.settings = analysis.Settings{Zone: l.zone, Deloads: l.deloads}
	if l.known {
		t.settings.Maximum = map[lift.ExerciseID]float64{deadlift: l.maximum[deadlift]}
	}
	r := l.random("measure")
	for i, s := range l.sessions {
		t.lift(r, s, i)
	}
	t.morningReports()
	for i := range l.extra {
		t.checkIn(l.extra[i])
	}
	for i := range l.plan {
		t.arrivals = append(t.arrivals, arrival{at: l.plan[i].At, step: &l.plan[i]})
	}
	slices.SortStableFunc(t.arrivals, func(a, b arrival) int { return a.at.Compare(b.at) })
	if last := t.arrivals[len(t.arrivals)-1].at; !last.Before(t.end) {
		t.end = last.Add(time.Hour)
	}
	seen := map[string]uint64{}
	for i, a := range t.arrivals {
		if a.rep == nil {
			continue
		}
		if seen[a.rep.ID] == 0 {
			seen[a.rep.ID] = uint64(i + 1)
		}
		a.rep.LogSeq = seen[a.rep.ID]
	}
	return t
}

// lift measures one session.
func (t *tape) lift(r *rand.Rand, s *session, n int) {
	device := lift.DeviceID("bar-a")
	if t.twoBars && s.has(deadlifts) && s.sets[len(s.sets)-1].exercise == squat {
		device = "bar-b"
	}
	form := map[lift.ExerciseID]float64{}
	at, seq := s.at, int64(0)
	number, work := map[lift.ExerciseID]int{}, map[lift.ExerciseID]int{}
	boot := fmt.Sprintf("b%d", n)
	var last *set
	for i := range s.sets {
		x := &s.sets[i]
		if i > 0 {
			at = at.Add(x.rest)
		}
		if last != nil && last.exercise != x.exercise {
			at = at.Add(2 * time.Minute)
		}
		last = x
		if form[x.exercise] == 0 {
			form[x.exercise] = 1 + t.form()*bounded(r)
			if s.slowed == x.exercise && s.form > 0 {
				form[x.exercise] *= s.form
			}
		}
		number[x.exercise]++
		d := done{session: s, set: x, historical: s.late > 10*time.Minute}
		true0 := t.velocity(x.exercise, x.kg/s.grown) * form[x.exercise] * (1 - t.fade*float64(work[x.exercise]))
		if x.factor > 0 {
			true0 *= x.factor
		}
		if !x.warm {
			work[x.exercise]++
		}
		var first *lift.Rep
		for k := range x.reps {
			v := true0 * (1 - t.fatigue*float64(k))
			if x.slow > 0 && k >= x.reps-2 {
				v = true0 * (1 - x.slow)
			}
			if x.grind && k == x.reps-1 {
				v = 0.14
			}
			v = max(0.08, v+t.jitter*bounded(r))
			if x.leap && k == x.reps/2 {
				v = 2 * true0
			}
			rep := t.measured(r, s, x, v)
			if x.frozen && first != nil {
				rep.MeanVelocity, rep.PeakVelocity, rep.ROM, rep.Concentric = first.MeanVelocity, first.PeakVelocity, first.ROM, first.Concentric
			}
			if first == nil {
				first = &rep
			}
			at = at.Add(time.Duration((*rep.Concentric + *rep.Eccentric + 1.2) * float64(time.Second)))
			t.rep(r, s, x, rep, device, boot, &seq, at, number[x.exercise], k+1)
			if k == 0 {
				d.from = at
			}
			d.to, d.velocity = at, append(d.velocity, rep.MeanVelocity)
			if k == 0 && x.ghosts > 0 {
				for range x.ghosts {
					at = at.Add(2 * time.Second)
					ghost := t.measured(r, s, x, 0.3)
					ghost.ROM, ghost.Concentric = new(0.12), new(0.4)
					t.rep(r, s, x, ghost, device, boot, &seq, at, number[x.exercise], 0)
				}
			}
		}
		y, m, day := d.from.In(t.zone).Date()
		d.date = time.Date(y, m, day, 0, 0, 0, 0, t.zone)
		t.done = append(t.done, d)
	}
	t.sessionReports(s, at)
}

// bounded is a normal draw without the tails that no lifter has.
func bounded(r *rand.Rand) float64 { return max(-3.5, min(3.5, r.NormFloat64())) }

func (t *tape) measured(r *rand.Rand, _ *session, x *set, v float64) lift.Rep {
	rom := map[lift.ExerciseID]float64{squat: 0.60, bench: 0.42, hipThrust: 0.30, row: 0.45}[x.exercise]
	if rom == 0 {
		rom = 0.54
	}
	rom = round(rom*(1+0.015*bounded(r)), 3)
	v = round(v, 3)
	lowered := 1.2
	if x.lowered > 0 {
		lowered = x.lowered
	}
	rep := lift.Rep{
		Athlete: t.id, Exercise: x.exercise, MeanVelocity: v, PeakVelocity: new(round(v*(1.45+0.05*bounded(r)), 3)), ROM: new(rom),
		Concentric: new(round(rom/v, 3)), Eccentric: new(round(lowered*(1+0.06*bounded(r)), 2)),
	}
	rep.PeakVelocity = new(max(*rep.PeakVelocity, v))
	if t.marks && groupOf(x.exercise) == deadlifts {
		rep.BarDrift = new(round(max(0, 0.020+0.004*(bounded(r)+x.drift)), 4))
		rep.BarTilt = new(round(math.Abs(1.5+0.5*bounded(r)), 2))
		rep.HipShoulderRatio = new(round(1.05+0.05*bounded(r)+x.ratio, 3))
		rep.TrunkFlexion = new(round(21+2*bounded(r), 1))
	}
	return rep
}

func round(v float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(v*p) / p
}

// rep lets a rep arrive: mostly at once, sometimes late, twice, or wrong first.
func (t *tape) rep(r *rand.Rand, s *session, x *set, rep lift.Rep, device lift.DeviceID, boot string, seq *int64, at time.Time, number, count int) {
	rep.BootID, rep.Seq = boot, *seq
	*seq++
	rep.Time = at.Add(s.clock).UTC()
	rep.Warmup = x.warm && t.labelled
	if !x.unloaded {
		rep.LoadKg = new(x.kg)
	}
	if t.numbered {
		rep.Set = new(number)
		if count > 0 {
			rep.Rep = new(count)
		}
	}
	rep.Historical = s.late > 10*time.Minute
	received := at.Add(s.late + time.Duration(200+r.IntN(1500))*time.Millisecond)
	if r.Float64() < 0.005 {
		received = received.Add(time.Duration(r.IntN(90)) * time.Second)
	}
	rec := &lift.RepRecord{
		ID: lift.RepID("main", device, boot, rep.Seq), Site: "main", Device: device, Rep: rep, Valid: true, Received: received.UTC(),
	}
	if x.typo > 0 {
		wrong := *rec
		wrong.LoadKg = new(x.typo)
		t.arrivals = append(t.arrivals, arrival{at: received, rep: &wrong})
		fixed := *rec
		fixed.Revision = 1
		t.arrivals = append(t.arrivals, arrival{at: received.Add(2 * time.Hour), rep: &fixed})
		return
	}
	t.arrivals = append(t.arrivals, arrival{at: received, rep: rec})
	if r.Float64() < 0.01 { // the broker delivers it again
		t.arrivals = append(t.arrivals, arrival{at: received.Add(time.Duration(r.IntN(600)) * time.Second), rep: rec})
	}
	if r.Float64() < 0.001 { // the device corrects itself
		better := *rec
		better.Revision = 1
		t.arrivals = append(t.arrivals, arrival{at: received.Add(20 * time.Minute), rep: &better})
	}
}

func (t *tape) sessionReports(s *session, end time.Time) {
	score := func(at time.Time, phase lift.Phase, pain int) {
		if pain != silent {
			t.checkIn(lift.CheckInRecord{CheckIn: lift.CheckIn{Time: at.UTC(), Phase: phase, Pain: new(pain)}})
		}
	}
	score(s.at.Add(-10*time.Minute), lift.PhaseBefore, s.before)
	score(s.at.Add(15*time.Minute), lift.PhaseDuring, s.during)
	score(end.Add(5*time.Minute), lift.PhaseAfter, s.after)
	y, m, d := s.at.Date()
	score(time.Date(y, m, d+1, 8, 10, 0, 0, t.zone), lift.PhaseNextMorning, s.morning)
}

func (t *tape) morningReports() {
	for i, m := range t.mornings {
		at := t.rises(i)
		if !m.told || !at.Before(t.end) {
			continue
		}
		c := lift.CheckIn{Time: at.UTC(), Phase: lift.PhaseDaily, Pain: new(m.pain), SleepH: new(round(m.sleep, 1)), Nutrition: new(m.nutrition)}
		if m.stiff > 0 {
			c.StiffMorningMin, c.Symptoms = new(m.stiff), []lift.Symptom{lift.EasesWithMovement}
		}
		t.checkIn(lift.CheckInRecord{CheckIn: c})
	}
}

func (t *tape) checkIn(c lift.CheckInRecord) {
	c.ID, c.Site, c.Athlete = lift.CheckInID(t.id, c.Time, c.Phase), "main", t.id
	c.Received = c.Time.Add(time.Second)
	t.arrivals = append(t.arrivals, arrival{at: c.Received, checkIn: &c})
}

// final is the history as it stands in the end.
func (t *tape) final() analysis.History {
	h := analysis.History{Site: "main", Athlete: t.id, Plan: t.plan}
	reps := map[string]*lift.RepRecord{}
	for _, a := range t.arrivals {
		switch {
		case a.rep != nil:
			if old, ok := reps[a.rep.ID]; !ok || a.rep.Revision >= old.Revision {
				reps[a.rep.ID] = a.rep
			}
		case a.checkIn != nil:
			h.CheckIns = append(h.CheckIns, *a.checkIn)
		}
	}
	for _, r := range reps {
		h.Reps = append(h.Reps, *r)
	}
	slices.SortFunc(h.Reps, func(a, b lift.RepRecord) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return h
}
