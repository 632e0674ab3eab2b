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
// of time, then group. Only a week that is over at now can be a deload that
// nobody planned. Reps without an exercise belong to no group.
func Weeks(h History, s Settings, now time.Time) []lift.Week {
	d := newDiary(h.Athlete, h.Site, s)
	d.load(&h)
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
		if base := b.value[metricVolume]; b.usable >= d.inWeek(g.monday).WeeklyVolume.ProvisionalN && base > 0 {
			week.BaselineKg = &base
			week.ChangePct = new(100 * (week.VolumeKg - base) / base)
		}
		weeks = append(weeks, week)
	}
	return weeks
}

func (d *diary) weekState(b *baseline, w *totals, over bool) lift.WeekState {
	l := &d.inWeek(b.monday).WeeklyVolume
	switch {
	case named(d.Deloads, b.monday):
		return lift.WeekDeload
	case w.missing:
		return lift.WeekIncomplete
	case over && atLeast(b.light, kilograms(w.grams)):
		return lift.WeekDeload
	case b.usable < l.ProvisionalN:
		return lift.WeekLearning
	case b.usable < l.FullN:
		return lift.WeekProvisional
	}
	return lift.WeekFull
}

// named reports whether a week is among those of a calendar.
func named(weeks []string, day date) bool {
	return len(weeks) > 0 && slices.Contains(weeks, day.week())
}

// groupWeek is one week of one group.
type groupWeek struct {
	monday date
	group  string
}

// groupWeeks lists the weeks from a Monday on in which a group was trained.
func (d *diary) groupWeeks(from date) []groupWeek {
	var list []groupWeek
	for i := d.sessionsFrom(from); i < len(d.sessions); i++ {
		if g := (groupWeek{d.sessions[i].day.monday(), d.lifts[d.sessions[i].lift].group}); g.group != "" {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b groupWeek) int {
		return cmp.Or(cmp.Compare(a.monday, b.monday), strings.Compare(a.group, b.group))
	})
	return slices.Compact(list)
}

// baseline is what a week of a group is compared with.
type baseline struct {
	group  string
	monday date
	ends   int64                   // the instant at which the week is over
	usable int                     // usable weeks before it
	recent [recentWeeks]usableWeek // the last of them, oldest first
	pause  int                     // whole weeks without the group just before it
	value  [metrics]float64        // 0 while there is nothing to compare with
	floor  [metrics]float64        // one median work set: a smaller increase is none
	cv     float64                 // how much the volume of the compared weeks varied, in percent
	light  float64                 // up to this volume the week is a deload; -1 if unknown
}

// recentWeeks is how many usable weeks a week is compared with at most.
const recentWeeks = 4

// usableWeek is a week that has a work set, misses no load and is no deload.
type usableWeek struct {
	monday date
	totals
}

// weeks are the usable weeks that the baseline stands on.
func (b *baseline) weeks() []usableWeek { return b.recent[:min(b.usable, recentWeeks)] }

// baseline looks at the weeks of Lookback. Four weeks without the group begin
// anew.
//
// An athlete who trains less for good has deloads only until the heavier weeks
// have left Lookback; then the lighter weeks are the baseline.
func (d *diary) baseline(group string, monday date) baseline {
	var room [lookbackWeeks]usableWeek
	usable := room[:0]
	pause := 0
	// light is the share of the mean of the last three usable weeks that makes
	// the week of a Monday a deload, by its own limits.
	light := func(m date) float64 {
		if len(usable) < 2 {
			return -1
		}
		last := usable[max(0, len(usable)-3):]
		var sum float64
		for i := range last {
			sum += last[i].metric(metricVolume)
		}
		if sum == 0 {
			return -1
		}
		return d.inWeek(m).WeeklyVolume.DeloadShare * sum / float64(len(last))
	}
	for m := monday - 7*lookbackWeeks; m < monday; m += 7 {
		w := d.week(group, m)
		switch {
		case !w.trained:
			if pause++; pause >= newStartWeeks {
				usable = usable[:0]
			}
			continue
		case w.missing || w.sets == 0 || atLeast(light(m), w.metric(metricVolume)):
		case named(d.Deloads, m):
		default:
			usable = append(usable, usableWeek{m, w})
		}
		pause = 0
	}
	b := baseline{group: group, monday: monday, ends: d.endOf(monday + 7), usable: len(usable), pause: pause, light: light(monday)}
	if len(usable) == 0 {
		return b
	}
	recent := usable[max(0, len(usable)-recentWeeks):]
	copy(b.recent[:], recent)
	var volumes moments
	for i := range recent {
		volumes.add(recent[i].metric(metricVolume))
	}
	for m := range metrics {
		var sum float64
		for i := range recent {
			sum += recent[i].metric(m)
		}
		b.value[m] = max(recent[len(recent)-1].metric(m), sum/float64(len(recent)))
		if pause > 0 {
			b.value[m] *= d.inWeek(monday).WeeklyVolume.BreakShare
		}
	}
	if volumes.n > 1 && volumes.mean() > 0 {
		b.cv = 100 * volumes.deviation() / volumes.mean()
	}
	b.floor = [metrics]float64{
		metricVolume: d.medianSet(recent, group, func(s *set) float64 { return kilograms(int64(s.work) * max(s.load, 0)) }),
		metricSets:   1,
		metricReps:   d.medianSet(recent, group, func(s *set) float64 { return float64(s.work) }),
	}
	return b
}

// medianSet is the median of what value tells of the work sets of the weeks.
func (d *diary) medianSet(weeks []usableWeek, group string, value func(*set) float64) float64 {
	of := d.values[:0]
	for i := range weeks {
		d.setsIn(group, weeks[i].monday, weeks[i].monday+7, func(_ int32, s *set) {
			if !s.warmup {
				of = append(of, value(s))
			}
		})
	}
	d.values = of
	return middle(of)
}

// newStartWeeks is how many weeks without a group make its history worthless.
const newStartWeeks = 4

// middle is the median of the values, which it sorts; 0 of none.
func middle(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
