package analysis

import (
	"cmp"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Terms are a goal and limits that a coach has changed to. They count from the
// local date of From on: what was judged under those of its time stays so. A zero
// Goal means strength, zero Limits mean DefaultLimits.
//
// A set, a session and a report are judged by what holds on their date, a week by
// what holds on its last one. A hold lasts as the date asks for that it began on.
// Whether pain counts, and what ends a stretch of it, is the report's date to say;
// how long it may last, the date that it began on. A gate of the return plan is
// judged by what holds on the last day before it.
type Terms struct {
	From   time.Time
	Goal   Goal
	Limits Limits
}

func (t *Terms) fill() {
	if t.Goal == "" {
		t.Goal = GoalStrength
	}
	if t.Limits == (Limits{}) {
		t.Limits = DefaultLimits()
	}
}

// At returns the goal and the limits that hold on the local date of t. From is zero
// where nothing had been changed by then.
func (s Settings) At(t time.Time) Terms {
	d := newDiary("", "", s)
	if in := d.changed(dateOf(t, d.Zone)); in != nil {
		return *in
	}
	return Terms{Goal: d.Goal, Limits: d.Limits}
}

// LimitsFor returns the limits of a finding's rule that its window was judged by, by
// name and as Limits.Of has them; nil for a rule without any.
func (s Settings) LimitsFor(f *lift.Finding) map[string]any {
	d := newDiary(f.Athlete, f.Site, s)
	day := dateOf(f.Window.From, d.Zone)
	switch {
	case f.Window.Kind == lift.WindowWeek:
		day += 6
	case f.Window.Kind == lift.WindowEpisode && f.Rule == ReturnPlan:
		day = dateOf(f.Window.To, d.Zone) - 1
	}
	of := d.on(day).Of(f.Rule)
	if len(of) == 0 {
		return nil
	}
	return of
}

// filledTerms are the changes in the order in which they count.
func filledTerms(later []Terms) []Terms {
	all := slices.Clone(later)
	for i := range all {
		all[i].fill()
	}
	slices.SortStableFunc(all, func(a, b Terms) int { return cmp.Compare(nanos(a.From), nanos(b.From)) })
	return all
}

// changed is the newest change that counts on a date, nil before the first.
func (d *diary) changed(day date) *Terms {
	for i := len(d.since) - 1; i >= 0; i-- {
		if d.since[i] <= day {
			return &d.Later[i]
		}
	}
	return nil
}

// on are the limits of a date. No rule looks at d.Limits or d.Goal itself.
func (d *diary) on(day date) *Limits {
	if t := d.changed(day); t != nil {
		return &t.Limits
	}
	return &d.Limits
}

func (d *diary) goalOn(day date) Goal {
	if t := d.changed(day); t != nil {
		return t.Goal
	}
	return d.Goal
}

// inWeek are the limits of the week of a Monday: those of its last date.
func (d *diary) inWeek(monday date) *Limits { return d.on(monday + 6) }

// dayOf is the date that a set belongs to.
func (d *diary) dayOf(s *set) date { return d.sessions[s.session].day }
