package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

// The exercises of the programmes.
const (
	deadlift  lift.ExerciseID = "deadlift"
	romanian  lift.ExerciseID = "romanian_deadlift"
	squat     lift.ExerciseID = "squat"
	bench     lift.ExerciseID = "bench_press"
	row       lift.ExerciseID = "barbell_row"
	hipThrust lift.ExerciseID = "hip_thrust"
)

// noise is how much an athlete's measurements vary.
type noise struct {
	jitter float64 // SD of one rep's mean velocity, m/s
	daily  float64 // CV of the fastest rep at a load between days
}

// athlete is one simulated person. Everything is fixed by seed and index.
type athlete struct {
	id   lift.AthleteID
	seed uint64
	zone *time.Location

	maximum map[lift.ExerciseID]float64 // true one repetition maxima, kg
	quick   float64                     // velocity as a share of the published line's
	fatigue float64                     // share of velocity lost from rep to rep
	fade    float64                     // share of velocity lost from set to set
	noise

	days     []int         // of the week, from Monday 0
	starts   time.Duration // of a session, since midnight
	phase    int           // weeks of the wave of four before the first week
	numbered bool          // the devices count sets
	labelled bool          // warm-ups are marked by hand
	marks    bool          // the devices tell drift, tilt and the rest
	known    bool          // a coach has entered the maximum of the deadlift
	planned  bool          // a coach has entered the deloads
	twoBars  bool          // light deadlifts are done on another bar
	sleep    float64       // hours, mean
}

var zones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "America/Sao_Paulo", "Europe/London",
}

var weekdays = [][]int{{0, 2, 4}, {1, 3, 5}, {0, 1, 3, 4}, {0, 2, 4, 5}}

// between is uniform from low to high.
func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

func newAthlete(seed uint64, index int) (*athlete, error) {
	a := &athlete{id: lift.AthleteID(fmt.Sprintf("athlete-%04d", index)), seed: seed}
	r := a.random("athlete")
	zone, err := time.LoadLocation(zones[r.IntN(len(zones))])
	if err != nil {
		return nil, fmt.Errorf("time zone of %s: %w", a.id, err)
	}
	a.zone = zone
	most := between(r, 110, 240)
	a.maximum = map[lift.ExerciseID]float64{
		deadlift: most, romanian: 0.8 * most, squat: most * between(r, 0.78, 0.88), bench: most * between(r, 0.5, 0.62),
		row: 0.5 * most, hipThrust: most * between(r, 0.9, 1.1),
	}
	a.quick = between(r, 0.95, 1.05)
	a.fatigue = between(r, 0.008, 0.018)
	a.fade = between(r, 0.002, 0.010)
	a.noise = noise{jitter: between(r, 0.015, 0.03), daily: between(r, 0.036, 0.058)}
	a.days = weekdays[r.IntN(len(weekdays))]
	a.starts = time.Duration(6*60+15*r.IntN(60)) * time.Minute
	if r.Float64() < 0.04 {
		a.starts = 23*time.Hour + 20*time.Minute // sessions go on past midnight
	}
	a.phase = r.IntN(4)
	a.numbered = r.Float64() < 0.8
	a.labelled = r.Float64() < 0.85
	a.marks = r.Float64() < 0.5
	a.known = r.Float64() < 0.5
	a.planned = r.Float64() < 0.5
	a.twoBars = r.Float64() < 0.2
	a.sleep = between(r, 7.1, 8)
	return a, nil
}

// random is the athlete's own source for one purpose, so that what is drawn for
// one thing never shifts what is drawn for another.
func (a *athlete) random(purpose string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, a.id, "|", purpose)
	return rand.New(rand.NewPCG(a.seed, h.Sum64()))
}

// form is the CV of what moves all of a day's reps together. The fastest of a
// set's reps varies by itself too, by about two thirds of one rep's noise.
func (n noise) form() float64 {
	own := 0.67 * n.jitter / 0.5
	return math.Sqrt(max(0.01*0.01, n.daily*n.daily-own*own))
}

// velocity is the true mean velocity in m/s of a fresh rep at a load.
func (a *athlete) velocity(exercise lift.ExerciseID, kg float64) float64 {
	share := kg / a.maximum[exercise]
	var v float64
	switch exercise {
	case deadlift, squat, bench:
		v = sim.VelocityAt(exercise, min(1.02, max(0.2, share)))
	case hipThrust, row:
		v = 1.25 - 0.95*share
	default:
		v = sim.VelocityAt(sim.Deadlift, min(1.02, max(0.2, share)))
	}
	return a.quick * v
}

// plates rounds to what plates can make.
func plates(kg float64) float64 { return 2.5 * math.Round(kg/2.5) }
