package analysis

import (
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// The six-week return to the deadlift has three phases of two weeks: exercises
// that spare the back, light Romanian deadlifts and technique, and moderate loads
// at reduced volume with one heavy single at its end.

// phase is a phase of the return plan in force.
type phase struct {
	n        int // 0, 1 or 2
	from, to int64
	day      date    // it began on
	maximum  float64 // before the injury, grams; 0 if unknown
	week     float64 // volume of a week before the injury, kg; 0 if unknown
	repeats  int     // times in a row that this phase has been repeated
}

const phases = 3

// phases are all phases that were ever begun, in order.
func (d *diary) phases() []phase {
	var all []phase
	running := false
	begin := func(p decision, n, repeats int) {
		next := phase{n: n, from: p.at, to: 1<<63 - 1, day: dateOf(time.Unix(0, p.at), d.Zone), repeats: repeats}
		if len(all) > 0 {
			next.maximum, next.week = all[len(all)-1].maximum, all[len(all)-1].week
		}
		if p.step.PreInjuryKg != nil {
			next.maximum = 1000 * *p.step.PreInjuryKg
		}
		if p.step.PreInjuryWeekKg != nil {
			next.week = *p.step.PreInjuryWeekKg
		}
		all = append(all, next)
	}
	for _, p := range d.plan {
		if p.step.Verb == lift.PlanHold || p.step.Verb == lift.PlanRelease {
			continue
		}
		if running {
			all[len(all)-1].to = p.at
		}
		switch was := len(all) - 1; {
		case p.step.Verb == lift.PlanStart:
			begin(p, 0, 0)
			running = true
		case !running:
		case p.step.Verb == lift.PlanRepeat:
			begin(p, all[was].n, all[was].repeats+1)
		case p.step.Verb == lift.PlanAdvance && all[was].n+1 < phases:
			begin(p, all[was].n+1, 0)
		default: // the end, or beyond the last phase
			running = false
		}
	}
	return all
}

// phase returns the phase in force at a time.
func (d *diary) phase(at int64) (phase, bool) {
	if len(d.plan) == 0 {
		return phase{}, false
	}
	for _, p := range d.phases() {
		if at >= p.from && at < p.to {
			return p, true
		}
	}
	return phase{}, false
}

// planViolation tells of what a date's deadlifts had that the phase does not
// allow; the worst of it speaks.
func (d *diary) planViolation(day date, sets []int32, now int64) (lift.Finding, bool) {
	if len(d.plan) == 0 {
		return lift.Finding{}, false
	}
	l := &d.Limits.ReturnPlan
	var e lift.Evidence
	var told *set
	var in phase
	rank := 0
	say := func(worth int, s *set, p phase, metric, unit string, value, threshold float64) {
		if worth > rank || worth == rank && value > e.Value {
			rank, told, in = worth, s, p
			e = lift.Evidence{Value: value, Unit: unit, Threshold: threshold, Metric: metric, Confidence: full}
		}
	}
	for _, k := range sets {
		s := &d.sets[k]
		p, ok := d.phase(s.started)
		if !ok || d.lifts[s.lift].group != DeadliftFamily || s.completed == 0 {
			continue
		}
		if p.n == 0 && !d.romanian(int32(s.lift)) {
			say(4, s, p, "exercise", "sets", 1, 0)
		}
		if limit := l.Share[p.n]; p.maximum > 0 && s.load > 0 {
			share := float64(s.load) / p.maximum
			test := p.n == phases-1 && s.completed == 1 && !above(share, l.TestShare) && d.mayTest(p, day)
			if above(share, limit) && !test {
				say(3, s, p, "load_pct", "pct", 100*share, 100*limit)
			}
		}
		if int(s.completed) < l.MinReps[p.n] && !s.warmup && s.failed == 0 && d.finished(s, now) {
			say(1, s, p, "reps", "reps", float64(s.completed), float64(l.MinReps[p.n]))
		}
		if limit := l.LossPct[p.n]; limit > 0 && s.timed >= 2 && s.faulty == 0 {
			b := d.lifts[s.lift].bands
			if lost := loss(float64(s.best), float64(s.final)); above(lost, limit) && float64(s.best-s.final) >= b.minDrop {
				say(2, s, p, "velocity_loss_pct", "pct", lost, limit)
			}
		}
		if p.n == phases-1 && p.week > 0 {
			w := d.judgedUpTo(day)
			if kg := kilograms(w.grams); above(kg, l.VolumeShare*p.week) {
				say(2, s, p, "week_volume_kg", "kg", kg, l.VolumeShare*p.week)
			}
		}
	}
	if told == nil {
		return lift.Finding{}, false
	}
	f := d.ofGroup(ReturnPlan, lift.Warning, DeadliftFamily, d.dayWindow(day))
	f.Exercise, f.Historical = d.lifts[told.lift].id, told.historical
	f.Evidence = e
	f.Evidence.Reference, f.Evidence.Samples = "limits of the plan's phase", len(sets)
	if told.load != noLoad {
		f.Evidence.Observed = new(kilograms(told.load))
	}
	if in.maximum > 0 {
		f.Evidence.ReferenceValue = new(in.maximum / 1000)
	}
	tellPlanViolation(&f, in.n)
	return f, true
}

// judgedUpTo adds up the week of the deadlift family up to a date.
func (d *diary) judgedUpTo(day date) totals {
	var t totals
	d.sessionsIn(DeadliftFamily, day.monday(), day+1, func(_ int32, s *session) { t.add(s.totals) })
	return t
}

// romanian reports whether a deadlift is one that begins at the top, which the
// first phase allows lightly.
func (d *diary) romanian(x int32) bool {
	e, ok := d.Exercises.Get(d.lifts[x].id)
	return ok && (e.ID == "romanian_deadlift" || e.PosteriorChain)
}

// gate is how a phase stands.
type gate struct {
	sessions                     int
	pain                         int8 // worst during, after or in the morning
	unsettled, flagged, unstable bool
	free                         bool // no pain at all in the last days
}

// gateOf looks at the last three weeks of the phase up to a time.
func (d *diary) gateOf(p phase, now int64) gate {
	l := &d.Limits.ReturnPlan
	until := min(now, p.to)
	today := dateOf(time.Unix(0, until), d.Zone)
	begin := max(p.day, today-21)
	g := gate{pain: noPain, free: true}
	last := date(0)
	d.sessionsIn("", begin, today+1, func(_ int32, s *session) {
		if s.started < p.from || s.started >= until {
			return
		}
		e, known := d.Exercises.Get(d.lifts[s.lift].id)
		if s.day != last && (d.lifts[s.lift].group == DeadliftFamily || known && e.PosteriorChain) {
			g.sessions++
			last = s.day
		}
	})
	before := int8(noPain)
	for i := range d.reports {
		r := &d.reports[i]
		if r.day < begin || r.at < p.from || r.at >= until {
			continue
		}
		g.flagged = g.flagged || r.flags > 0 || r.nerves > 0
		if r.pain == noPain {
			continue
		}
		g.free = g.free && (r.pain == 0 || r.day <= today-date(l.LastGateDays))
		switch {
		case r.training():
			g.pain = max(g.pain, r.pain)
		case r.phase == lift.PhaseBefore:
			before = r.pain
		case r.phase == lift.PhaseNextMorning:
			g.unsettled = g.unsettled || before != noPain && r.pain > before || before == noPain && int(r.pain) > l.GatePain
		}
	}
	g.unstable = !d.stable(begin, today+1, p)
	return g
}

// stable reports whether the latest reps of the deadlift family show no sign of
// failing technique: no failed rep, no set over the phase's velocity loss, and no
// more than one rep that a device's technique would flag.
func (d *diary) stable(from, to date, p phase) bool {
	l := &d.Limits.ReturnPlan
	var sets []*set
	d.setsIn(DeadliftFamily, from, to, func(_ int32, s *set) {
		if !s.warmup {
			sets = append(sets, s)
		}
	})
	reps, over := 0, 0
	for _, s := range slices.Backward(sets) {
		if reps >= l.StableReps {
			break
		}
		reps += int(s.completed)
		limit := l.LossPct[p.n]
		if s.failed > 0 || limit > 0 && s.timed >= 2 && above(loss(float64(s.best), float64(s.final)), limit) {
			return false
		}
		if s.technique == nil {
			continue
		}
		r := d.techniqueOf(int32(s.lift), s.load, d.sessions[s.session].day)
		for mark := range technical {
			if limit, _, ok := d.markLimit(mark, r); ok && s.technique[mark].n > 0 && s.technique[mark].mean() > limit {
				over++
			}
		}
	}
	return over <= 1
}

// mayTest reports whether the plan's heavy single is earned on a date: no pain
// for a week, and stable technique.
func (d *diary) mayTest(p phase, day date) bool {
	g := d.gateOf(p, d.endOf(day))
	return g.sessions >= d.Limits.ReturnPlan.GateSessions-1 && g.free && !g.flagged && !g.unstable && g.pain <= 0
}

// planGates tells at the end of a phase whether the next may begin.
func (d *diary) planGates(found []lift.Finding, from date, now int64) []lift.Finding {
	if len(d.plan) == 0 {
		return found
	}
	l := &d.Limits.ReturnPlan
	for _, p := range d.phases() {
		due := d.endOf(p.day + date(l.GateDays))
		if p.day < from || now < due || p.to < due {
			continue
		}
		g := d.gateOf(p, due)
		if g.sessions == 0 {
			continue // the clock stands still while nothing is trained
		}
		metric, severity := "", lift.Info
		value, threshold := float64(g.sessions), float64(l.GateSessions)
		switch {
		case g.flagged:
			metric, severity, value, threshold = "gate_flags", lift.Advice, 1, 0
		case int(g.pain) > l.GatePain:
			metric, severity, value, threshold = "gate_pain", lift.Advice, float64(g.pain), float64(l.GatePain)
		case g.unsettled:
			metric, severity, value, threshold = "gate_morning", lift.Advice, 1, 0
		case g.unstable && p.n > 0:
			metric, severity, value, threshold = "gate_technique", lift.Advice, 1, 0
		case g.sessions < l.GateSessions:
			metric = "gate_sessions"
		default:
			metric = "gate_ready"
		}
		if severity == lift.Advice && p.repeats+1 >= l.FailedRepeats {
			severity = lift.Warning
		}
		f := d.finding(ReturnPlan, severity, "", d.episodeWindow(p.day, p.day+date(l.GateDays)-1))
		f.Evidence = lift.Evidence{
			Value: value, Unit: "gate", Threshold: threshold, Metric: metric,
			Reference: "what the phase asks for", Samples: g.sessions, Confidence: full,
		}
		tellPlanGate(&f, p)
		found = append(found, f)
	}
	return found
}
