package analysis

import (
	"strings"
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
	start    date    // the plan began on
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
			next.maximum, next.week, next.start = all[len(all)-1].maximum, all[len(all)-1].week, all[len(all)-1].start
		}
		if p.step.Verb == lift.PlanStart {
			next.start, next.maximum, next.week = next.day, d.knownMaximum(), 0
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

// knownMaximum is the heaviest known maximum of the deadlift family in grams, 0 if
// none is.
func (d *diary) knownMaximum() float64 {
	most := 0.0
	for id, kg := range d.Maximum {
		if d.lookUp(id).group == DeadliftFamily {
			most = max(most, 1000*kg)
		}
	}
	return most
}

// planViolation tells of what a date's deadlifts had that the phase does not
// allow; the worst of it speaks.
func (d *diary) planViolation(day date, sets []int32, now int64) (lift.Finding, bool) {
	if len(d.plan) == 0 {
		return lift.Finding{}, false
	}
	l := &d.on(day).ReturnPlan
	most := d.on(day).WeeklyVolume.AdvicePct
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
		if share := d.overShare(p, s); share > 0 && !d.mayTest(p, s, share) {
			say(3, s, p, "load_pct", "pct", 100*share, 100*l.Share[p.n])
		}
		if int(s.completed) < l.MinReps[p.n] && !s.warmup && s.failed == 0 && d.finished(s, now) {
			say(1, s, p, "reps", "reps", float64(s.completed), float64(l.MinReps[p.n]))
		}
		if d.finished(s, now) && d.slowed(s, l.LossPct[p.n]) && (d.slowed(s, clearly*l.LossPct[p.n]) || d.slowedTwice(k, l.LossPct[p.n])) {
			say(2, s, p, "velocity_loss_pct", "pct", loss(float64(s.best), float64(s.final)), l.LossPct[p.n])
		}
		if p.n == phases-1 && p.week > 0 {
			w := d.judgedUpTo(day)
			if kg := kilograms(w.grams); above(kg, l.VolumeShare*p.week) {
				say(2, s, p, "week_volume_kg", "kg", kg, l.VolumeShare*p.week)
			}
		}
		if pct := d.planIncrease(p, day); above(pct, most) {
			say(2, s, p, "week_increase_pct", "pct", pct, most)
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

// overShare is the set's share of the maximum before the injury where that is more
// than the phase allows, else 0.
func (d *diary) overShare(p phase, s *set) float64 {
	if p.maximum == 0 || s.load <= 0 {
		return 0
	}
	if share := float64(s.load) / p.maximum; above(share, d.on(d.dayOf(s)).ReturnPlan.Share[p.n]) {
		return share
	}
	return 0
}

// slowed reports whether a set ended slower than the limit in percent allows; a
// limit of 0 allows anything. As for velocity-loss, the first reps and what a
// sensor cannot tell do not count.
func (d *diary) slowed(s *set, limit float64) bool {
	l := &d.on(d.dayOf(s)).VelocityLoss
	if limit == 0 || s.faulty != 0 || int(s.timed) < l.FirstRep {
		return false
	}
	return loss(float64(s.best), float64(s.final)) > limit+rounding &&
		float64(s.best-s.final) >= l.MinDropMps-rounding
}

// clearly times the limit, one slow set speaks for itself; nearer to it one rep or
// one set is chance.
const clearly = 1.5

// slowedTwice reports whether the last two reps of a set are over the limit.
func (d *diary) slowedTwice(k int32, limit float64) bool {
	best, was, last := 0.0, 0.0, 0.0
	d.repsOf(k, func(_ int32, r *rep) {
		best = max(best, r.velocity)
		was, last = last, loss(best, r.velocity)
	})
	return min(was, last) > limit+rounding
}

// rounding is what single precision may add to a value.
const rounding = 1e-5

// planWeeks is how many weeks back a week of the plan is compared: with the last
// one in which deadlifts were trained.
const planWeeks = 4

// planIncrease is how much more the deadlift family has done in the plan's week of
// a date, up to that date, than in the one before, in percent. It is 0 without
// such a week, and for less than one of its sets more.
func (d *diary) planIncrease(p phase, day date) float64 {
	monday := day - (day-p.start)%7
	sum := func(from, to date) (t totals) {
		d.sessionsIn(DeadliftFamily, from, to, func(_ int32, s *session) { t.add(s.totals) })
		return t
	}
	for back := date(1); back <= planWeeks && monday-7*back >= p.start; back++ {
		before := sum(monday-7*back, monday-7*back+7)
		if before.grams == 0 || before.missing {
			continue
		}
		more := kilograms(sum(monday, day+1).grams - before.grams)
		if !atLeast(more, kilograms(before.grams)/float64(before.sets)) {
			return 0
		}
		return 100 * more / kilograms(before.grams)
	}
	return 0
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
	return ok && strings.Contains(string(e.ID), "romanian")
}

// mayTest reports whether a set over the phase's load is the plan's heavy single,
// and earned: the first such in the last phase, after a week whose reports all say
// no pain, and with technique that was stable up to then.
func (d *diary) mayTest(p phase, s *set, share float64) bool {
	day := d.dayOf(s)
	l := &d.on(day).ReturnPlan
	if p.n != phases-1 || s.completed != 1 || s.failed > 0 || above(share, l.TestShare) {
		return false
	}
	again := false
	d.setsIn(DeadliftFamily, max(p.day, day-longestPhase), day+1, func(_ int32, o *set) {
		again = again || o.started >= p.from && o.started < s.started && o.completed > 0 && d.overShare(p, o) > 0
	})
	g := d.gateOf(p, s.started, l)
	return !again && g.sessions >= l.GateSessions-1 && g.recent == 0 && !g.flagged && !g.unstable && g.reps >= l.StableReps
}
