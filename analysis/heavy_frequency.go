package analysis

import (
	"math"
	"slices"

	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/lift"
)

// heavyFrequency counts, on each heavy day of a week, the dates of the last seven
// with a heavy deadlift, and compares them with the usual number. The week is
// told in its worst day.
func (d *diary) heavyFrequency(b *baseline, over lift.Severity) (lift.Finding, bool) {
	l := &d.inWeek(b.monday).HeavyFrequency
	if b.group != DeadliftFamily || b.usable < l.MinWeeks || named(d.Tests, b.monday) {
		return lift.Finding{}, false
	}
	r := d.heavyReference(b)
	if r.load == 0 {
		return lift.Finding{}, false
	}
	usual, gap := r.usual, r.gap
	days := d.heavyDays(r.days, b.monday, b.monday+7, r.load)
	limit := max(float64(l.MinDays), usual+1)
	var worst, nearest heavyDay
	count, near := 0, math.Inf(1)
	for i, day := range days {
		if day.date < b.monday || d.silenced(day.at) {
			continue
		}
		n := 0
		for _, o := range days[:i+1] {
			if o.date > day.date-7 {
				n++
			}
		}
		if n > count {
			worst, count = day, n
		}
		if i > 0 {
			if hours := float64(day.at-days[i-1].at) / 3.6e12; hours < near {
				nearest, near = day, hours
			}
		}
	}
	often := count > 0 && atLeast(float64(count), limit)
	if !often {
		worst = nearest
		if near >= l.GapHours || !atLeast(gap, l.UsualHours) {
			return lift.Finding{}, false
		}
	}
	f := d.ofGroup(HeavyFrequency, lift.Advice, b.group, d.weekWindow(b.monday))
	f.Historical = worst.historical
	f.Evidence = lift.Evidence{
		Value: near, Unit: "hours", Threshold: l.GapHours, Metric: "heavy_gap",
		Reference: "shortest usual gap between heavy days", ReferenceValue: new(gap), Observed: new(near),
		Samples: len(b.weeks()), Confidence: full,
	}
	if often {
		f.Evidence.Value, f.Evidence.Unit, f.Evidence.Threshold, f.Evidence.Metric = float64(count), "days", limit, "heavy_days"
		f.Evidence.Reference, f.Evidence.ReferenceValue, f.Evidence.Observed = "median of heavy days a week", new(usual), new(float64(count))
		if atLeast(float64(count), usual+2) || over.Rank() >= lift.Warning.Rank() {
			f.Severity = lift.Warning
		}
	}
	if b.usable < recentWeeks {
		f.Evidence.Confidence = provisional
	}
	rest := d.recovery(worst.date, l)
	f.Severity = rest.weigh(f.Severity)
	tellHeavyFrequency(&f, rest)
	return f, true
}

// heavyDay is a date with a heavy deadlift.
type heavyDay struct {
	date       date
	at         int64 // the first heavy set
	historical bool
}

// heavyReference is the heavy days of the weeks before one, and what is usual.
type heavyReference struct {
	known      bool
	monday     date
	load       float64 // from which on a rep is heavy, grams; 0 if unknown
	usual, gap float64
	days       []heavyDay
}

func (d *diary) heavyReference(b *baseline) *heavyReference {
	r := &d.refs.heavy
	if !r.known || r.monday != b.monday {
		r.known, r.monday, r.load, r.days = true, b.monday, d.heavyLoad(d.inWeek(b.monday), b.group, b.monday), r.days[:0]
		if r.load > 0 {
			r.days = d.heavyDays(r.days, b.monday-7*lookbackWeeks, b.monday, r.load)
			r.usual, r.gap = usualHeavy(b.weeks(), r.days)
		}
	}
	return r
}

// heavyDays adds the dates from … to with a heavy deadlift to those before them.
func (d *diary) heavyDays(days []heavyDay, from, to date, load float64) []heavyDay {
	d.setsIn(DeadliftFamily, from, to, func(_ int32, s *set) {
		day := d.sessions[s.session].day
		if s.completed == 0 || !atLeast(float64(s.load), load) {
			return
		}
		if n := len(days); n > 0 && days[n-1].date == day {
			days[n-1].at, days[n-1].historical = min(days[n-1].at, s.started), days[n-1].historical && s.historical
			return
		}
		days = append(days, heavyDay{day, s.started, s.historical})
	})
	return days
}

// usualHeavy is the median of heavy days of the usable weeks, and the shortest
// time in hours between two of them; without two, it is a week.
func usualHeavy(weeks []usableWeek, days []heavyDay) (usual, gap float64) {
	of := make([]float64, 0, recentWeeks)
	gap = 7 * 24
	for _, w := range weeks {
		n := 0
		for i, day := range days {
			if day.date < w.monday || day.date >= w.monday+7 {
				continue
			}
			n++
			if i > 0 {
				gap = min(gap, float64(day.at-days[i-1].at)/3.6e12)
			}
		}
		of = append(of, float64(n))
	}
	return middle(of), gap
}

// recovery is what is known of sleep and food: 1 good, −1 bad, 0 unknown.
type recovery struct {
	sleep, nutrition int
	hours            float64 // mean of the last nights
}

// weigh moves the severity one step: down where both are good, up where one is
// bad.
func (r recovery) weigh(s lift.Severity) lift.Severity {
	steps := []lift.Severity{lift.Info, lift.Advice, lift.Warning, lift.Critical}
	i := slices.Index(steps, s)
	switch {
	case r.sleep < 0 || r.nutrition < 0:
		i++
	case r.sleep > 0 && r.nutrition > 0:
		i--
	}
	return steps[min(max(i, 0), len(steps)-1)]
}

const (
	nights        = 7
	nightsNeeded  = 5
	nightsForBand = 10
)

// recovery looks at the reports of the seven days up to the date, and at the
// nights of Lookback for what is usual.
func (d *diary) recovery(day date, l *HeavyFrequencyLimits) recovery {
	var recent, usual moments
	var food moments
	var night float32
	last := date(math.MinInt32)
	keep := func() {
		if last == math.MinInt32 {
			return
		}
		usual.add(float64(night))
		if last > day-nights {
			recent.add(float64(night))
		}
	}
	for i := range d.reports {
		r := &d.reports[i]
		if r.day <= day-7*lookbackWeeks || r.day > day {
			continue
		}
		if r.nutrition > 0 && r.day > day-nights {
			food.add(float64(r.nutrition))
		}
		if r.sleep == absent {
			continue
		}
		if r.day != last {
			keep()
		}
		last, night = r.day, r.sleep
	}
	keep()
	var out recovery
	if recent.n >= nightsNeeded {
		need := l.SleepHours
		if d.Born > 0 && day.utc().Year()-d.Born < 18 {
			need = l.SleepYoung
		}
		out.hours = recent.mean()
		out.sleep = -1
		if atLeast(out.hours, need) || usual.n >= nightsForBand && atLeast(out.hours, usual.mean()-usual.band()) {
			out.sleep = 1
		}
	}
	if food.n > 0 {
		out.nutrition = -1
		if atLeast(food.mean(), l.Nutrition) {
			out.nutrition = 1
		}
	}
	return out
}

// band is how far one more value may be from the mean while it is only the usual
// variation.
func (m *moments) band() float64 {
	return profile.Noise{TypicalError: m.deviation(), Freedom: int(m.n) - 1}.Band(int(m.n))
}
