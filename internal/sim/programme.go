package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

var weekdays = [][]time.Weekday{
	{time.Monday, time.Wednesday, time.Friday},
	{time.Tuesday, time.Thursday, time.Saturday},
	{time.Monday, time.Tuesday, time.Thursday, time.Friday},
}

// slot is one exercise of one day. less is taken off the week's share of the maximum.
type slot struct {
	exercise   lift.ExerciseID
	sets, reps int
	less       float64
}

var threeDays = [][]slot{
	{{Deadlift, 5, 5, 0}, {Bench, 4, 6, 0.02}, {HipThrust, 3, 8, 0.10}},
	{{Squat, 5, 5, 0}, {Bench, 4, 6, 0}},
	{{Deadlift, 5, 5, 0.05}, {Squat, 4, 5, 0.03}},
}

var fourDays = [][]slot{
	{{Deadlift, 5, 5, 0}, {Bench, 4, 6, 0.02}, {HipThrust, 3, 8, 0.10}},
	{{Squat, 5, 5, 0}},
	{{Deadlift, 5, 5, 0.05}, {Bench, 4, 6, 0}},
	{{Squat, 4, 5, 0.03}},
}

// wave is the share of the maximum in the deload and the three weeks after it.
// Sets and reps stay the same, so that volume grows by about 3 % a week.
var wave = []float64{0.60, 0.75, 0.77, 0.79}

// spikeSets is how many sets of deadlift replace five in the week of a spike.
const spikeSets = 8

// week is what the programme says about one week.
type week struct {
	share  float64
	deload bool
	spike  bool
}

// week returns the lifter's week so many weeks before the present one (which is 0),
// the whole-th of the history's weeks. No deload comes before two ordinary weeks:
// without them nothing could tell a deload from a small beginning.
func (l *Lifter) week(ago, whole int) week {
	k := ((l.Phase-ago)%4 + 4) % 4
	if k == 0 && whole < 2 {
		k = 1
	}
	return week{share: wave[k], deload: k == 0}
}

func (l *Lifter) days() [][]slot {
	if len(l.Days) == 4 {
		return fourDays
	}
	return threeDays
}

// load is what the slot puts on the bar in that week.
func (l *Lifter) load(s slot, w week) float64 {
	return plates(l.Max(s.exercise) * (w.share - s.less))
}

func (s slot) inWeek(w week) slot {
	switch {
	case w.deload:
		s.sets = (s.sets + 1) / 2
	case w.spike && s.exercise == Deadlift:
		s.sets = spikeSets
	}
	return s
}

// session lifts one day of the programme.
func (l *Lifter) session(r *rand.Rand, day int, w week) Session {
	var slots []slot
	for _, s := range l.days()[day] {
		slots = append(slots, s.inWeek(w))
	}
	return l.lift(r, slots, func(s slot) float64 { return l.load(s, w) })
}

// lift does the slots with three warm-up sets before each.
func (l *Lifter) lift(r *rand.Rand, slots []slot, load func(slot) float64) Session {
	session := Session{Lifter: *l}
	form := 1 + 0.012*bounded(r)
	before := 0
	for _, s := range slots {
		kg, number := load(s), 0
		for i, share := range []float64{0.45, 0.65, 0.82} {
			number++
			warm := Set{Exercise: s.exercise, LoadKg: plates(kg * share), Number: number, Warmup: true}
			session.Sets = append(session.Sets, l.newSet(r, warm, 5-i, before, form))
		}
		for range s.sets {
			number++
			reps := s.reps
			// Now and then a last rep stays undone; never where a week's volume must be exact.
			if l.Cause != VolumeEdge && r.Float64() < 0.03 {
				reps--
			}
			work := Set{Exercise: s.exercise, LoadKg: kg, Number: number}
			session.Sets = append(session.Sets, l.newSet(r, work, reps, before, form))
			before++
		}
	}
	return session
}

// slow makes the third work set of deadlifts a set of five that slows down by
// more than 20 %, and reports whether there was one.
func (s *Session) slow(r *rand.Rand) bool {
	work := 0
	for i, set := range s.Sets {
		if set.Exercise != Deadlift || set.Warmup {
			continue
		}
		if work++; work == 3 {
			slowing := Set{Exercise: set.Exercise, LoadKg: set.LoadKg, Number: set.Number, Slows: true}
			s.Sets[i] = s.Lifter.newSet(r, slowing, 5, 0, 1)
			return true
		}
	}
	return false
}

// edgeSets is how many work sets of deadlifts a VolumeEdge week has: with one more
// the volume, at edgeLoad, goes from about +25 % to about +36 % of the baseline.
const edgeSets = 12

// edgeLoad is the load that makes edgeSets of five about 25 % more volume than
// the lifter's baseline: the greater of the last and the mean of the last four
// weeks that were no deload.
func (l *Lifter) edgeLoad() float64 {
	var volumes []float64
	for ago := 1; len(volumes) < 4; ago++ {
		w := l.week(ago, 2)
		if w.deload {
			continue
		}
		var kg float64
		for _, s := range slices.Concat(l.days()...) {
			if s.exercise == Deadlift {
				kg += float64(s.sets*s.reps) * l.load(s, w)
			}
		}
		volumes = append(volumes, kg)
	}
	var sum float64
	for _, v := range volumes {
		sum += v
	}
	return plates(1.254 * max(volumes[0], sum/4) / (edgeSets * 5))
}

// monday returns the begin of t's week in t's location.
func monday(t time.Time) time.Time {
	back := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-back, 0, 0, 0, 0, t.Location())
}

// weeksBetween counts the Mondays from a to b, both Mondays; a change of the
// clock's hour in between does not matter.
func weeksBetween(a, b time.Time) int {
	return int(math.Round(b.Sub(a).Hours() / 168))
}

// starts is when the day-th session of the week that begins on monday starts.
func (l *Lifter) starts(monday time.Time, day int) time.Time {
	offset := (int(l.Days[day]) + 6) % 7
	return time.Date(monday.Year(), monday.Month(), monday.Day()+offset, 0, int(l.StartsAt.Minutes()), 0, 0, monday.Location())
}
