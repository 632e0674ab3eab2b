package profile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

const (
	// WindowDays is how many days back a load–velocity line and the usual velocities
	// reach.
	WindowDays = 42
	// LongDays is how many days back failed reps are learned from and workloads
	// begin: long enough that the first day no longer shows in any average.
	LongDays = 24 * 7
)

// History is what is known of one athlete: sets, and the reps that they name.
type History struct {
	Sets []lift.Set
	Reps []lift.RepRecord
}

// Options is what else an assembly needs to know. The zero value means UTC,
// exercises of which nothing is known, and the defaults.
type Options struct {
	Zone *time.Location
	// Exercise looks an exercise up by any of its ids; nil knows none.
	Exercise func(lift.ExerciseID) (lift.Exercise, bool)
	// MinVelocity and OneRM are what was entered for this athlete, in m/s and kg;
	// nil: nothing was.
	MinVelocity func(lift.ExerciseID) (float64, bool)
	OneRM       func(lift.ExerciseID) (float64, bool)
	Gates       Gates
	// LowLoadKg is the chronic load in kilograms a day below which no ratio is told;
	// 0 means 100.
	LowLoadKg float64
}

func (o Options) filled() Options {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Exercise == nil {
		o.Exercise = func(lift.ExerciseID) (lift.Exercise, bool) { return lift.Exercise{}, false }
	}
	none := func(lift.ExerciseID) (float64, bool) { return 0, false }
	if o.MinVelocity == nil {
		o.MinVelocity = none
	}
	if o.OneRM == nil {
		o.OneRM = none
	}
	if o.Gates == (Gates{}) {
		o.Gates = DefaultGates()
	}
	o.LowLoadKg = cmp.Or(o.LowLoadKg, 100)
	return o
}

// lookUp is what is known of a set's exercise, under the id that the catalogue counts
// it by.
func (o Options) lookUp(s *lift.Set) lift.Exercise {
	if e, ok := o.Exercise(s.Exercise); ok {
		return e
	}
	return lift.Exercise{ID: s.Exercise, Group: s.Group}
}

// bar is what a line is of: one exact exercise on one device, because velocities of
// variants and of devices differ by more than training does.
type bar struct {
	exercise lift.ExerciseID
	site     lift.SiteID
	device   lift.DeviceID
}

// track is an athlete's training on one bar: the fastest rep of each session and
// load, by date and load.
type track struct {
	bar
	group     string
	points    []Point
	dates     []Date // of each point
	failures  []failure
	toFailure map[Date]float64 // the best estimate of each date from repetitions to failure
}

// failure is the velocity of the completed rep right before a failed one.
type failure struct {
	date     Date
	velocity float64
}

// between returns the track's points from one date to another, both included.
func (t *track) between(first, last Date) []Point {
	from, _ := slices.BinarySearch(t.dates, first)
	to, _ := slices.BinarySearch(t.dates, last.Plus(1))
	return t.points[from:to]
}

// tracks sorts the sets that began up to a time into tracks, by exercise, site and
// device. Tempo sets are left out; warm-ups are not, because only they are light
// enough to give a line its span.
func tracks(h History, at time.Time, o Options) []*track {
	reps := make(map[string]*lift.RepRecord, len(h.Reps))
	for i := range h.Reps {
		reps[h.Reps[i].ID] = &h.Reps[i]
	}
	all := map[bar]*track{}
	for i := range h.Sets {
		set := &h.Sets[i]
		var own []*lift.RepRecord
		for _, id := range set.RepIDs {
			if r := reps[id]; r != nil && r.Valid && set.Exercise != "" {
				own = append(own, r)
			}
		}
		if set.From.After(at) || Tempo(lowered(own)) {
			continue
		}
		exercise := o.lookUp(set)
		date, failed := DateOf(set.From, o.Zone), false
		for j, r := range own {
			b := bar{exercise.ID, r.Site, r.Device}
			t := all[b]
			if t == nil {
				t = &track{bar: b, group: exercise.Group, toFailure: map[Date]float64{}}
				all[b] = t
			}
			switch {
			case !r.Failed && r.LoadKg != nil && *r.LoadKg > 0:
				t.points = append(t.points, Point{*r.LoadKg, r.MeanVelocity, r.Time, r.Device})
				t.dates = append(t.dates, date)
			case r.Failed && !failed && j > 0 && own[j-1].Site == r.Site && own[j-1].Device == r.Device:
				t.fail(date, own[:j])
			}
			failed = failed || r.Failed
		}
	}
	sorted := slices.SortedFunc(maps.Values(all), func(a, b *track) int {
		return cmp.Or(cmp.Compare(a.exercise, b.exercise), cmp.Compare(a.site, b.site), cmp.Compare(a.device, b.device))
	})
	for _, t := range sorted {
		t.keepFastest()
	}
	return sorted
}

// lowered are the eccentric durations of the completed reps.
func lowered(reps []*lift.RepRecord) []float64 {
	var eccentric []float64
	for _, r := range reps {
		if r.Eccentric != nil && !r.Failed {
			eccentric = append(eccentric, *r.Eccentric)
		}
	}
	return eccentric
}

// fail notes the first failed rep of a set after its completed ones.
func (t *track) fail(date Date, completed []*lift.RepRecord) {
	last := completed[len(completed)-1]
	t.failures = append(t.failures, failure{date, last.MeanVelocity})
	if last.LoadKg == nil {
		return
	}
	if kg, ok := Epley(*last.LoadKg, len(completed)); ok {
		t.toFailure[date] = max(t.toFailure[date], kg)
	}
}

// keepFastest sorts the points by date and load and keeps the fastest of each.
func (t *track) keepFastest() {
	order := make([]int, len(t.points))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &t.points[i], &t.points[j]
		return cmp.Or(strings.Compare(string(t.dates[i]), string(t.dates[j])), cmp.Compare(a.LoadKg, b.LoadKg),
			cmp.Compare(b.Velocity, a.Velocity), a.At.Compare(b.At))
	})
	var points []Point
	var dates []Date
	for _, i := range order {
		p, date := t.points[i], t.dates[i]
		if n := len(points); n == 0 || dates[n-1] != date || points[n-1].LoadKg != p.LoadKg {
			points, dates = append(points, p), append(dates, date)
		}
	}
	t.points, t.dates = points, dates
}

// minVelocity is what is known on a date of the velocity at the maximum: entered for
// the athlete, else learned, else published for the exercise, else nil.
func (t *track) minVelocity(today Date, o Options) *MinVelocity {
	if v, ok := o.MinVelocity(t.exercise); ok {
		return &MinVelocity{Mps: v, Source: SourceEntered}
	}
	var beforeFailure []float64
	for _, f := range t.failures {
		if f.date >= today.Plus(1-LongDays) {
			beforeFailure = append(beforeFailure, f.velocity)
		}
	}
	if v, ok := LearnMinVelocity(beforeFailure); ok {
		return &MinVelocity{Mps: v, Source: SourceLearned, Sets: len(beforeFailure)}
	}
	if e, ok := o.Exercise(t.exercise); ok && e.MinVelocity != nil {
		return &MinVelocity{Mps: *e.MinVelocity, Source: SourcePublished, Citation: e.MinVelocitySource}
	}
	return nil
}
