package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// follower does what the monitor does: it feeds a Lifter in the order of arrival,
// loads a new one where that is asked for, and keeps the alerts.
type follower struct {
	tape     *tape
	lifter   *analysis.Lifter
	now      time.Time
	reps     map[string]lift.RepRecord
	checkIns map[string]lift.CheckInRecord
	plan     []lift.PlanStep
	alerts   map[string]lift.Finding
	told     []analysis.Telling // in the order of time; also those that are worse or other than before
	gone     map[string]bool    // told once, and taken back
	loads    int
}

// follow runs an athlete through a Lifter, judging at each event and whenever
// time alone is due.
func follow(t *tape) *follower {
	f := &follower{
		tape: t, reps: map[string]lift.RepRecord{}, checkIns: map[string]lift.CheckInRecord{},
		alerts: map[string]lift.Finding{}, gone: map[string]bool{},
	}
	f.lifter = analysis.NewLifter(analysis.History{Site: "main", Athlete: t.id}, t.settings, time.Time{}, time.Time{})
	for i := range t.arrivals {
		f.tick(t.arrivals[i].at)
		f.take(&t.arrivals[i])
		f.evaluate(t.arrivals[i].at)
	}
	f.tick(t.end)
	f.evaluate(t.end)
	return f
}

// tick judges at every time before the given one at which time alone matters.
func (f *follower) tick(before time.Time) {
	for due := f.lifter.NextDue(); !due.IsZero() && due.Before(before) && due.After(f.now); due = f.lifter.NextDue() {
		f.evaluate(due)
	}
}

func (f *follower) take(a *arrival) {
	switch {
	case a.rep != nil:
		was, known := f.reps[a.rep.ID]
		if known && was.Revision > a.rep.Revision {
			return
		}
		f.reps[a.rep.ID] = *a.rep
		if !f.lifter.Put(a.rep) {
			from := a.rep.Time
			if known && was.Time.Before(from) {
				from = was.Time
			}
			f.load(from, a.at)
		}
	case a.checkIn != nil:
		f.checkIns[a.checkIn.ID] = *a.checkIn
		if !f.lifter.PutCheckIn(a.checkIn) {
			f.load(a.checkIn.Time, a.at)
		}
	default:
		f.plan = append(f.plan, *a.step)
		f.load(a.step.At, a.at)
	}
}

// load makes a new Lifter that judges from a time on.
func (f *follower) load(from, now time.Time) {
	f.evaluate(now)
	f.loads++
	reps, checkIns := analysis.LoadFrom(from, f.tape.zone)
	h := analysis.History{Site: "main", Athlete: f.tape.id, Plan: f.plan}
	for _, r := range f.reps {
		if !r.Time.Before(reps) {
			h.Reps = append(h.Reps, r)
		}
	}
	for _, c := range f.checkIns {
		if !c.Time.Before(checkIns) {
			h.CheckIns = append(h.CheckIns, c)
		}
	}
	f.lifter = analysis.NewLifter(h, f.tape.settings, from, now)
	for _, a := range f.alerts {
		f.lifter.Known(&a)
	}
}

func (f *follower) evaluate(now time.Time) {
	if now.After(f.now) {
		f.now = now
	}
	found, gone := f.lifter.Evaluate(f.now)
	for _, id := range gone {
		delete(f.alerts, id)
		f.gone[id] = true
	}
	for _, a := range found {
		f.alerts[a.ID] = a
		f.told = append(f.told, analysis.Telling{At: f.now, Finding: a})
	}
}

// differences are where the alerts at the end are not those that judging the
// whole history at once finds.
func (f *follower) differences() []string {
	var all []string
	want := map[string]lift.Finding{}
	for _, w := range analysis.Judge(f.tape.final(), f.tape.settings, f.tape.end) {
		want[w.ID] = w
		have, ok := f.alerts[w.ID]
		switch {
		case !ok:
			all = append(all, fmt.Sprintf("%s: live running misses %s of %s", f.tape.id, w.Rule, w.Window.ID))
		case !have.Same(&w):
			all = append(all, fmt.Sprintf("%s: %s of %s is %q live, %q at once", f.tape.id, w.Rule, w.Window.ID, have.Message, w.Message))
		}
	}
	for id, have := range f.alerts {
		if _, ok := want[id]; !ok {
			all = append(all, fmt.Sprintf("%s: live running alone finds %s of %s", f.tape.id, have.Rule, have.Window.ID))
		}
	}
	slices.SortFunc(all, strings.Compare)
	return all
}

// duplicates counts the tellings that say of an alert exactly what was last said
// of it, while it stood.
func (f *follower) duplicates() int {
	n := 0
	last := map[string]*lift.Finding{}
	for i := range f.told {
		t := &f.told[i].Finding
		if was := last[t.ID]; was != nil && was.Same(t) && !f.gone[t.ID] {
			n++
		}
		last[t.ID] = t
	}
	return n
}
