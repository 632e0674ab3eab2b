package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Weeks adds up the weeks in which something of a group was lifted, in the order
// of time, then group. Only a week that is over at now can be a deload. Reps
// without an exercise belong to no group.
func Weeks(h History, s Settings, now time.Time) []lift.Week {
	d := newDiary(h.Athlete, h.Site, s)
	d.load(h.Reps)
	var weeks []lift.Week
	for _, g := range d.groupWeeks(math.MinInt32) {
		w := d.week(g.group, g.monday)
		b := d.baseline(g.group, g.monday)
		week := lift.Week{
			Week: g.monday.week(), Group: g.group,
			VolumeKg: kilograms(w.grams), Reps: int(w.reps), Sets: int(w.sets),
			From: g.monday.start(d.Zone), To: (g.monday + 7).start(d.Zone),
		}
		week.State = d.weekState(&b, &w, !now.Before(week.To))
		if w.top > 0 {
			week.TopLoadKg = new(kilograms(w.top))
		}
		if base := b.value[metricVolume]; b.usable >= d.Limits.WeeklyVolume.ProvisionalN && base > 0 {
			week.BaselineKg = &base
			week.ChangePct = new(100 * (week.VolumeKg - base) / base)
		}
		weeks = append(weeks, week)
	}
	return weeks
}

func (d *diary) weekState(b *baseline, w *totals, over bool) lift.WeekState {
	switch {
	case w.missing:
		return lift.WeekIncomplete
	case over && atLeast(b.light, kilograms(w.grams)):
		return lift.WeekDeload
	case b.usable < d.Limits.WeeklyVolume.ProvisionalN:
		return lift.WeekLearning
	case b.usable < d.Limits.WeeklyVolume.FullN:
		return lift.WeekProvisional
	}
	return lift.WeekFull
}

// groupWeek is one week of one group.
type groupWeek struct {
	monday date
	group  string
}

// groupWeeks lists the weeks from a Monday on in which a group was trained.
func (d *diary) groupWeeks(from date) []groupWeek {
	var list []groupWeek
	add := func(g groupWeek) {
		if g.monday >= from && g.group != "" {
			list = append(list, g)
		}
	}
	for i := range d.past {
		add(groupWeek{d.past[i].monday, d.past[i].group})
	}
	for i := range d.sessions {
		add(groupWeek{d.sessions[i].day.monday(), d.lifts[d.sessions[i].lift].group})
	}
	slices.SortFunc(list, func(a, b groupWeek) int {
		return cmp.Or(cmp.Compare(a.monday, b.monday), strings.Compare(a.group, b.group))
	})
	return slices.Compact(list)
}

// variation is the coefficient of variation in percent, of at least two values.
func variation(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	var sum, squares float64
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	if mean == 0 {
		return 0
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return 100 * math.Sqrt(squares/float64(len(values)-1)) / mean
}
