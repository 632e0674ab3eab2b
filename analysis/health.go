package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// report is what the rules need of a check-in.
type report struct {
	at        int64 // Unix nanoseconds
	day       date
	id        string
	revision  int64
	phase     lift.Phase
	pain      int8    // noPain if not given
	flags     int8    // red flags
	nerves    int8    // radicular symptoms
	nutrition int8    // 0 if not given
	sleep     float32 // hours, or absent
	stiff     float32 // minutes, or absent
	moves     bool    // it eases with movement
	rests     bool    // it eases with rest
}

const (
	noPain    = -1
	worstPain = 10
)

func (d *diary) convertCheckIn(c *lift.CheckInRecord) report {
	r := report{
		at: c.Time.UnixNano(), day: dateOf(c.Time, d.Zone), id: c.ID, revision: c.Revision, phase: c.Phase, pain: noPain,
		sleep: given(c.SleepH), stiff: given(c.StiffMorningMin),
		flags: countOf(redFlags, c), nerves: countOf(radicularSymptoms, c),
		moves: slices.Contains(c.Symptoms, lift.EasesWithMovement), rests: slices.Contains(c.Symptoms, lift.EasesWithRest),
	}
	if c.Pain != nil {
		r.pain = int8(*c.Pain)
	}
	if c.Nutrition != nil {
		r.nutrition = int8(*c.Nutrition)
	}
	return r
}

// countOf is how many of the symptoms a check-in names.
func countOf(symptoms []lift.Symptom, c *lift.CheckInRecord) int8 {
	n := int8(0)
	for _, s := range c.Symptoms {
		if slices.Contains(symptoms, s) {
			n++
		}
	}
	return n
}

func compareReports(a, b report) int {
	return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.id, b.id))
}

func (r *report) time() time.Time { return time.Unix(0, r.at).UTC() }

// training reports whether the report speaks of pain in or right after a
// session.
func (r *report) training() bool { return r.phase == lift.PhaseDuring || r.phase == lift.PhaseAfter }

// mechanical reports whether only the pain score counts: a red flag speaks
// alone, and radicular symptoms before the score.
func (r *report) mechanical() bool { return r.flags == 0 && r.pain != noPain }

// decision is a step of the plan.
type decision struct {
	at   int64
	step lift.PlanStep
}

func decisions(steps []lift.PlanStep) []decision {
	var of []decision
	for _, s := range steps {
		of = append(of, decision{s.At.UnixNano(), s})
	}
	slices.SortStableFunc(of, func(a, b decision) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(string(a.step.Verb), string(b.step.Verb)))
	})
	return of
}

// reach is how many days before the first judged week the windows of a rule of
// reports and plans begin that can still change.
func reach(r lift.Rule) date {
	switch r {
	case PainPersistence:
		return persistenceDays
	case Hold:
		return 28
	}
	return 14
}

// health adds what the rules of reports and plans find, where the first judged
// week begins on the given Monday.
func (d *diary) health(found []lift.Finding, week date, now int64) []lift.Finding {
	from := func(r lift.Rule) date {
		if week == math.MinInt32 {
			return week
		}
		return week - reach(r)
	}
	for i := range d.reports {
		r := &d.reports[i]
		if r.day < from(RedFlag) {
			continue
		}
		if r.flags > 0 {
			found = append(found, d.redFlag(r))
		} else if r.nerves > 0 {
			found = append(found, d.radicular(r))
		}
	}
	found = d.inflammatory(found, from(Inflammatory))
	found = d.painSessions(found, from(PainZone))
	found = d.painWeeks(found, from(PainZone))
	found = d.missingReports(found, from(PainZone), now)
	found = d.overdueHolds(found, from(Hold), now)
	found = d.painPersistence(found, from(PainPersistence))
	return d.planGates(found, from(ReturnPlan), now)
}
