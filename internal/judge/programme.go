package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// set is one set as it is lifted; what differs from an honest set is injected.
type set struct {
	exercise lift.ExerciseID
	kg       float64
	reps     int
	warm     bool
	rest     time.Duration // before it

	slow     float64 // share of velocity that the last two reps lose beside fatigue
	factor   float64 // of the velocity of all reps, 0 for 1
	grind    bool    // the last rep all but stops
	lowered  float64 // seconds each rep is lowered, 0 for the usual
	drift    float64 // SDs that the bar's drift is beyond the usual
	ratio    float64 // rise of the hips to the shoulders' that is added
	frozen   bool    // the sensor repeats its first rep
	leap     bool    // the sensor tells one rep twice as fast
	ghosts   int     // movements that the sensor takes for reps
	unloaded bool    // nobody told the load
	typo     float64 // load that was told first, corrected later
}

// No score.
const silent = -1

// session is one visit to the gym.
type session struct {
	week  int
	at    time.Time // of the first set, local
	sets  []set
	grown float64 // the maximum, as a share of what it was in the beginning

	before, during, after, morning int // pain, or silent
	form                           float64
	slowed                         lift.ExerciseID // the lift that form belongs to
	late                           time.Duration   // how much later the reps arrive
	clock                          time.Duration   // how far the device's clock is off
	taken                          bool            // something was injected here
}

func (s *session) has(group string) bool {
	return slices.ContainsFunc(s.sets, func(x set) bool { return groupOf(x.exercise) == group })
}

// groupOf is the group that an exercise counts to.
func groupOf(e lift.ExerciseID) string {
	switch e {
	case deadlift, romanian:
		return deadlifts
	case squat:
		return "squat_family"
	case bench:
		return "bench_family"
	case row:
		return "row_family"
	}
	return "hip_thrust_family"
}

const deadlifts = "deadlift_family"

// morning is what somebody reports when getting up.
type morning struct {
	told      bool
	sleep     float64 // hours
	nutrition int
	pain      int
	stiff     float64 // minutes
}

// hold is a stretch in which load rules are silent.
type hold struct{ from, to time.Time }

// life is half a year of one athlete.
type life struct {
	*athlete
	first    time.Time // Monday 00:00, local
	weeks    int
	sessions []*session
	mornings []morning
	extra    []lift.CheckInRecord // reports with symptoms
	plan     []lift.PlanStep
	holds    []hold
	deloads  []string
	truths   []*truth
	checks   []check
}

var begin = [3]int{2026, 1, 5}

// wave is the share of the maximum of the back-off sets in the three weeks up and
// the deload of each block.
var wave = [4]float64{0.74, 0.76, 0.78, 0.62}

// newLife writes the programme down, with what comes between it and real life.
func newLife(a *athlete, weeks int) *life {
	l := &life{athlete: a, weeks: weeks, first: time.Date(begin[0], time.Month(begin[1]), begin[2], 0, 0, 0, 0, a.zone)}
	r := a.random("programme")
	grown := 1.0
	for w := range weeks {
		k := (w + a.phase) % 4
		if w < 2 && k == 3 {
			k = 2
		}
		if k == 3 {
			grown *= 1.01
			if a.planned {
				l.deloads = append(l.deloads, label(l.monday(w)))
			}
		}
		days := slices.Clone(a.days)
		for i, day := range days {
			if r.Float64() < 0.06 { // life gets in the way
				moved := day + 1 - 2*r.IntN(2)
				if moved >= 0 && moved <= 6 && !slices.Contains(days, moved) {
					day, days[i] = moved, moved
				}
			}
			s := &session{week: w, grown: grown, before: silent, during: silent, after: silent, morning: silent}
			date := l.monday(w).AddDate(0, 0, day)
			s.at = time.Date(date.Year(), date.Month(), date.Day(), 0, int(a.starts.Minutes())+r.IntN(30), r.IntN(60), 0, a.zone)
			l.fill(r, s, i, wave[k], grown, k == 3)
			l.report(r, s)
			l.sessions = append(l.sessions, s)
		}
	}
	for range 7*weeks + 2 {
		m := morning{told: r.Float64() < 0.7, sleep: max(4, a.sleep+0.6*r.NormFloat64()), nutrition: 3 + r.IntN(3)}
		if r.Float64() < 0.1 {
			m.pain = 1
		}
		l.mornings = append(l.mornings, m)
	}
	return l
}

func (l *life) monday(week int) time.Time { return l.first.AddDate(0, 0, 7*week) }

func (l *life) deload(week int) bool { return (week+l.phase)%4 == 3 && week >= 2 }

// fill puts a day's exercises into a session.
func (l *life) fill(r *rand.Rand, s *session, day int, share, grown float64, light bool) {
	work := func(e lift.ExerciseID, share float64, sets, reps int) {
		kg := plates(grown * share * l.maximum[e])
		for i, part := range []float64{0.4, 0.6, 0.8} {
			s.sets = append(s.sets, set{exercise: e, kg: plates(part * kg), reps: 5 - i, warm: true, rest: 80 * time.Second})
		}
		if light {
			sets = (sets + 1) / 2
		}
		for range sets {
			x := set{exercise: e, kg: kg, reps: reps, rest: time.Duration(150+r.IntN(60)) * time.Second}
			if r.Float64() < 0.06 {
				x.reps -= 1 + r.IntN(2)
			}
			s.sets = append(s.sets, x)
		}
		switch p := r.Float64(); { // a set is left out, or one more is done
		case p < 0.03 && sets > 2:
			s.sets = s.sets[:len(s.sets)-1]
		case p > 0.97 && !light:
			s.sets = append(s.sets, s.sets[len(s.sets)-1])
		}
	}
	heavy := func() { // a heavy set of three before the back-off sets
		if light {
			work(deadlift, share, 4, 5)
			return
		}
		top := plates(grown * (share + 0.10) * l.maximum[deadlift])
		for i, part := range []float64{0.4, 0.6, 0.8} {
			s.sets = append(s.sets, set{exercise: deadlift, kg: plates(part * top), reps: 5 - i, warm: true, rest: 80 * time.Second})
		}
		s.sets = append(s.sets, set{exercise: deadlift, kg: top, reps: 3, rest: 3 * time.Minute})
		back := len(s.sets)
		work(deadlift, share, 4, 5)
		s.sets = slices.Delete(s.sets, back, back+3)
	}
	if len(l.days) == 3 {
		switch day {
		case 0:
			heavy()
			work(bench, share, 4, 6)
		case 1:
			work(squat, share, 4, 5)
			work(bench, share-0.04, 3, 6)
			work(hipThrust, share-0.15, 3, 8)
		default:
			work(deadlift, share-0.08, 3, 5)
			work(squat, share-0.06, 3, 5)
		}
		return
	}
	switch day {
	case 0:
		heavy()
		work(bench, share, 4, 6)
	case 1:
		work(squat, share, 4, 5)
		work(hipThrust, share-0.15, 3, 8)
	case 2:
		work(deadlift, share-0.08, 3, 5)
		work(bench, share-0.04, 3, 6)
	default:
		work(squat, share-0.06, 3, 5)
		work(row, share-0.04, 3, 8)
	}
}

// report gives a session with deadlifts its scores of a back that does not hurt.
func (l *life) report(r *rand.Rand, s *session) {
	if !s.has(deadlifts) {
		return
	}
	score := func(told float64) int {
		if r.Float64() >= told {
			return silent
		}
		if r.Float64() < 0.12 {
			return 1
		}
		return 0
	}
	s.before, s.during, s.after, s.morning = score(0.5), score(0.6), score(0.9), score(0.9)
}
