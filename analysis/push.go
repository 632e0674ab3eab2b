package analysis

import (
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Telling is a finding at the time at which it was told; one that is told again
// because it got worse is another Telling.
type Telling struct {
	At      time.Time
	Finding lift.Finding
}

// Push is a telling that is worth interrupting somebody for. Withheld is true
// where it is not yet sure enough, or the athlete's budget is used up: the alert
// stands, and nobody is called.
type Push struct {
	Telling
	Withheld bool
}

// Policy decides which alerts interrupt a coach. It acts on pushes alone: what
// is found never depends on it.
type Policy struct {
	// PerWeek is how many pushes an athlete may cause in a week, on average over
	// Weeks. Beyond it only what is critical is pushed.
	PerWeek float64
	Weeks   int
}

// DefaultPolicy returns at most one push in two weeks for an athlete, counted
// over eight.
func DefaultPolicy() Policy { return Policy{PerWeek: 0.5, Weeks: 8} }

// Interrupts reports whether somebody may be called for the telling: for a warning or
// worse that is no backlog's and does not speak of a time so long past that its alert
// expires at once. A training log that is read in, or a late correction, changes what
// is found in weeks of which nobody has to hear tonight.
func (t *Telling) Interrupts() bool {
	f := &t.Finding
	return f.Severity.Rank() >= lift.Warning.Rank() && !f.Historical && !Past(f, t.At)
}

// Pushes returns which of one athlete's tellings, in the order of time, are
// pushed: those that interrupt, each alert once for each severity that it reaches. A warning that rests on little is withheld until
// something confirms it, and so is one beyond the budget. Rules of a person's
// safety have none.
func (p Policy) Pushes(told []Telling) []Push {
	var pushes []Push
	reached := map[string]lift.Severity{}
	for _, t := range told {
		f := &t.Finding
		if !t.Interrupts() || f.Severity.Compare(reached[f.ID]) <= 0 {
			continue
		}
		reached[f.ID] = f.Severity
		held := f.Severity == lift.Warning && (thin(f) && !confirmed(pushes, &t) || !safety(f.Rule) && p.spent(pushes, t.At))
		pushes = append(pushes, Push{Telling: t, Withheld: held})
	}
	return pushes
}

// thin reports whether a warning rests on a single measurement, a single set, or a
// day hardly slower than the noise: simulated, most such warnings are chance. One
// that is far over its limit is not.
func thin(f *lift.Finding) bool {
	e := &f.Evidence
	below := func(factor float64) bool { return !atLeast(e.Value, factor*e.Threshold) }
	switch f.Rule {
	case VelocityLoss:
		return e.Metric == lastRep && below(1.5)
	case SetDrop:
		return below(1.5)
	case DaySlowdown:
		if f.Group == DeadliftFamily { // the one lift whose noise is published
			return below(1.25)
		}
		return below(1.5)
	case ReturnPlan:
		return e.Metric == "velocity_loss_pct" && below(2)
	case WeeklyLoad:
		return e.Metric == "mean_load_kg" || e.Confidence == provisional
	case WeeklyVolume:
		return e.Metric == metricNames[metricSets] && e.Observed != nil && e.ReferenceValue != nil && *e.Observed-*e.ReferenceValue < 2
	}
	return false
}

// confirmWithin is how near another warning of the same rule and exercise must be.
const confirmWithin = 3 * time.Hour

func confirmed(pushes []Push, t *Telling) bool {
	for i := range pushes {
		o := &pushes[i].Finding
		if o.Rule == t.Finding.Rule && o.Exercise == t.Finding.Exercise && o.ID != t.Finding.ID && t.At.Sub(pushes[i].At) <= confirmWithin {
			return true
		}
	}
	return false
}

// safety reports whether a rule is about somebody's health rather than training.
func safety(r lift.Rule) bool {
	switch r {
	case RedFlag, Radicular, Hold, PainZone, ReturnPlan:
		return true
	}
	return false
}

// spent reports whether the pushes of the last weeks have used up the budget.
func (p Policy) spent(pushes []Push, at time.Time) bool {
	since := at.AddDate(0, 0, -7*p.Weeks)
	n := 0
	for i := range pushes {
		if !pushes[i].Withheld && pushes[i].At.After(since) {
			n++
		}
	}
	return float64(n) >= p.PerWeek*float64(p.Weeks)
}

// Escalation is a step that follows when nobody has acknowledged an alert.
type Escalation struct {
	After time.Duration `json:"after"`
	To    string        `json:"to"` // the same coach, a second coach, or everybody
}

// Escalations returns what follows an alert of the severity that nobody answers:
// a warning is repeated once after a day, something critical goes to a second
// coach after an hour, and what is urgent to everybody after 5, 15 and 30
// minutes.
func Escalations(s lift.Severity) []Escalation {
	switch s {
	case lift.Warning:
		return []Escalation{{24 * time.Hour, "coach"}}
	case lift.Critical:
		return []Escalation{{time.Hour, "second_coach"}}
	case lift.Urgent:
		return []Escalation{{5 * time.Minute, "everybody"}, {15 * time.Minute, "everybody"}, {30 * time.Minute, "everybody"}}
	}
	return nil
}

const digestHour = 6

// DigestWeek returns the ISO week that the digest at now speaks of, and its
// bounds: the week before, from Monday at six in the morning on. A nil zone
// means UTC.
func DigestWeek(now time.Time, zone *time.Location) (week string, from, to time.Time) {
	if zone == nil {
		zone = time.UTC
	}
	monday := dateOf(now.Add(-digestHour*time.Hour), zone).monday() - 7
	return monday.week(), monday.start(zone), (monday + 7).start(zone)
}
