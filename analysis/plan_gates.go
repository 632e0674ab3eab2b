package analysis

import (
	"math"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// A phase of the return plan ends with a gate: what was trained and reported says
// whether the next phase may begin.

// longestPhase is how many days after its beginning a phase is judged at most: who
// pauses longer begins it again.
const longestPhase = 42

// gate is how a phase stands at a time.
type gate struct {
	sessions int // days trained
	scored   int // of them, days with a score of pain during, after or the morning after
	reps     int // latest deadlifts that technique is judged by
	pain     int8
	recent   int8 // the worst of all scores of the last days; noPain without any

	unsettled, flagged, unstable bool
}

// gateOf looks at the phase up to a time, by the limits of whoever asks.
func (d *diary) gateOf(p phase, until int64, l *ReturnPlanLimits) gate {
	today := dateOf(time.Unix(0, until), d.Zone)
	begin := max(p.day, today-longestPhase)
	g := gate{pain: noPain, recent: noPain}
	days := d.planDays(p, begin, until)
	g.sessions = len(days)
	scored := make([]bool, len(days))
	score := func(day date) {
		if i, ok := slices.BinarySearch(days, day); ok && !scored[i] {
			scored[i] = true
			g.scored++
		}
	}
	before, beforeDay := int8(noPain), date(math.MinInt32)
	for i := range d.reports {
		r := &d.reports[i]
		if r.day < begin || r.at < p.from || r.at >= until {
			continue
		}
		g.flagged = g.flagged || r.flags > 0 || r.nerves > 0
		if r.pain == noPain {
			continue
		}
		if r.day >= today-date(l.LastGateDays) {
			g.recent = max(g.recent, r.pain)
		}
		switch {
		case r.training():
			g.pain = max(g.pain, r.pain)
			score(r.day)
		case r.phase == lift.PhaseBefore && r.day != beforeDay:
			before, beforeDay = r.pain, r.day
		case r.phase == lift.PhaseNextMorning:
			level := int8(l.GatePain)
			if beforeDay == r.day-1 {
				level = before
			}
			g.unsettled = g.unsettled || r.pain > level
			score(r.day - 1)
		}
	}
	if _, c, held := d.hold(until - 1); held && (c == causeFlag || c == causeNerves) {
		g.flagged = true
	}
	g.reps, g.unstable = d.stability(p, until, l)
	return g
}

// planDays are the dates of the phase, from one on and up to a time, on which
// something of the plan was trained: deadlifts, or what spares and strengthens the
// back.
func (d *diary) planDays(p phase, from date, until int64) []date {
	var days []date
	d.sessionsIn("", from, dateOf(time.Unix(0, until), d.Zone)+1, func(_ int32, s *session) {
		if n := len(days); s.started < p.from || s.started >= until || n > 0 && days[n-1] == s.day {
			return
		}
		e, known := d.Exercises.Get(d.lifts[s.lift].id)
		if d.lifts[s.lift].group == DeadliftFamily || known && (e.PosteriorChain || e.Pattern == "core") {
			days = append(days, s.day)
		}
	})
	return days
}

// stability looks at the latest deadlifts of the phase, in the last two weeks: the
// last ten reps, for the second phase in at least three sessions. They are
// unstable after a failed rep, a set clearly over the phase's velocity loss, half
// of the sets over it, or more than one rep that a device's technique would flag.
func (d *diary) stability(p phase, until int64, l *ReturnPlanLimits) (reps int, unstable bool) {
	today := dateOf(time.Unix(0, until), d.Zone)
	var sets []*set
	d.setsIn(DeadliftFamily, max(p.day, today-14), today+1, func(_ int32, s *set) {
		if !s.warmup && s.started >= p.from && s.started < until {
			sets = append(sets, s)
		}
	})
	need := 1
	if p.n == 1 {
		need = 3
	}
	days, flagged, timed, slow := 0, 0, 0, 0
	last := date(0)
	for _, s := range slices.Backward(sets) {
		day := d.dayOf(s)
		if day != last {
			if reps >= l.StableReps && days >= need {
				break
			}
			days, last = days+1, day
		}
		reps += int(s.completed)
		unstable = unstable || s.failed > 0 || d.slowed(s, clearly*l.LossPct[p.n])
		if s.timed > 0 && s.faulty == 0 {
			timed++
		}
		if d.slowed(s, l.LossPct[p.n]) {
			slow++
		}
		if s.technique == nil || s.faulty != 0 {
			continue
		}
		r := d.techniqueOf(int32(s.lift), s.load, day)
		for mark := range technical {
			if limit, _, ok := d.markLimit(mark, r); ok && s.technique[mark].n > 0 && s.technique[mark].mean() > limit+rounding {
				flagged += int(s.technique[mark].n)
			}
		}
	}
	return reps, unstable || slow > 0 && 2*slow >= timed || flagged > 1
}

// atGate are the limits of a gate at the beginning of a date: those of the last
// date of its window.
func (d *diary) atGate(due date) *ReturnPlanLimits { return &d.on(due - 1).ReturnPlan }

// gateDays are the dates at whose beginning the phase is judged: after the second
// of its weeks with training, because the clock stands still in the others, and
// again after the week in which there are enough sessions.
func (d *diary) gateDays(p phase) []date {
	var due []date
	days := d.planDays(p, p.day, min(p.to, d.endOf(p.day+longestPhase)))
	weeks, sessions := 0, 0
	for end := p.day + 7; end <= p.day+longestPhase && d.endOf(end) <= p.to; end += 7 {
		n := 0
		for _, day := range days {
			if day >= end-7 && day < end {
				n++
			}
		}
		if n == 0 {
			continue
		}
		weeks, sessions = weeks+1, sessions+n
		l := d.atGate(end)
		if 7*weeks < l.GateDays {
			continue
		}
		enough := sessions >= l.GateSessions
		if enough || len(due) == 0 {
			due = append(due, end)
		}
		if enough {
			break
		}
	}
	return due
}

// planGates tells whether the next phase may begin.
func (d *diary) planGates(found []lift.Finding, from date, now int64) []lift.Finding {
	for _, p := range d.phases() {
		if p.day+longestPhase < from {
			continue
		}
		for _, due := range d.gateDays(p) {
			if due-14 >= from && now >= d.endOf(due) {
				found = append(found, d.planGate(p, due))
			}
		}
	}
	return found
}

func (d *diary) planGate(p phase, due date) lift.Finding {
	l := d.atGate(due)
	g := d.gateOf(p, d.endOf(due), l)
	last := p.n == phases-1
	var metric string
	severity := lift.Advice
	value, threshold := 1.0, 0.0
	switch {
	case g.flagged:
		metric = "gate_flags"
	case last && g.recent > 0:
		metric, value = "gate_pain", float64(g.recent)
	case !last && int(g.pain) > l.GatePain:
		metric, value, threshold = "gate_pain", float64(g.pain), float64(l.GatePain)
	case !last && g.unsettled:
		metric = "gate_morning"
	case g.unstable && p.n > 0:
		metric = "gate_technique"
	case g.sessions < l.GateSessions:
		metric, severity, value, threshold = "gate_sessions", lift.Info, float64(g.sessions), float64(l.GateSessions)
	case g.scored < l.GateSessions || last && g.recent == noPain:
		metric, severity, value, threshold = "gate_reports", lift.Info, float64(g.scored), float64(l.GateSessions)
	case p.n > 0 && g.reps < l.StableReps:
		metric, severity, value, threshold = "gate_reps", lift.Info, float64(g.reps), float64(l.StableReps)
	default:
		metric, severity, value, threshold = "gate_ready", lift.Info, float64(g.sessions), float64(l.GateSessions)
	}
	if severity == lift.Advice && p.repeats+1 >= l.FailedRepeats {
		severity = lift.Warning
	}
	f := d.finding(ReturnPlan, severity, "", d.episodeWindow(due-14, due-1))
	f.Evidence = lift.Evidence{
		Value: value, Unit: "gate", Threshold: threshold, Metric: metric,
		Reference: "what the phase asks for", Samples: g.sessions, Confidence: full,
	}
	tellPlanGate(&f, p)
	return f
}
