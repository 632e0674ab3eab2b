package sim

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Lifter is one simulated athlete. All numbers are fixed by the seed and the index.
type Lifter struct {
	ID   lift.AthleteID
	Seed uint64
	// Cause is what goes wrong with this lifter: VolumeSpike, VolumeEdge, Slowdown,
	// Pain, RedFlag or nothing.
	Cause Kind

	DeadliftMax, SquatMax, BenchMax float64 // one-repetition maxima, kg

	Quickness float64 // velocity as a share of the average lifter's at the same %1RM
	Fatigue   float64 // share of velocity lost per rep, 0.010 to 0.018
	Noise     float64 // SD of one rep's velocity as a share of it, 0.010 to 0.018
	Build     float64 // range of motion as a share of the average lifter's

	Days      []time.Weekday // of the sessions, in the week's order
	StartsAt  time.Duration  // of a session, since midnight
	Phase     int            // which week of the wave of four is the deload
	SleepMean float64        // h per night
}

var names = []string{
	"ana", "bo", "cleo", "dan", "eva", "finn", "gia", "hal", "ida", "jon", "kim", "leo", "mia",
	"ned", "ola", "pia", "quin", "rio", "sam", "tess", "uma", "vic", "wes", "xena", "yul", "zoe",
}

// LifterID returns the pseudonym of the lifter with the given index, unique for
// every index ≥ 0.
func LifterID(index int) lift.AthleteID {
	if index < len(names) {
		return lift.AthleteID(names[index])
	}
	return lift.AthleteID(fmt.Sprintf("lifter-%04d", index+1))
}

// NewLifter returns the lifter with the given index, who has no cause for an alert.
func NewLifter(seed uint64, index int) Lifter {
	l := Lifter{ID: LifterID(index), Seed: seed}
	r := l.random("lifter")
	l.DeadliftMax = 120 + 110*r.Float64()
	l.SquatMax = l.DeadliftMax * (0.78 + 0.10*r.Float64())
	l.BenchMax = l.DeadliftMax * (0.52 + 0.10*r.Float64())
	l.Quickness = 0.96 + 0.08*r.Float64()
	l.Fatigue = 0.010 + 0.008*r.Float64()
	l.Noise = 0.010 + 0.008*r.Float64()
	l.Build = 0.92 + 0.16*r.Float64()
	l.Days = weekdays[r.IntN(len(weekdays))]
	l.StartsAt = time.Duration(7*60+15*r.IntN(44)) * time.Minute
	l.Phase = index % 4
	l.SleepMean = 7.3 + 0.7*r.Float64()
	return l
}

// Max returns the lifter's one-repetition maximum in kg.
func (l *Lifter) Max(exercise lift.ExerciseID) float64 {
	switch exercise {
	case Squat:
		return l.SquatMax
	case Bench:
		return l.BenchMax
	default:
		return l.DeadliftMax
	}
}

// random returns the lifter's own source for one purpose, so that what is drawn
// for one thing never shifts what is drawn for another.
func (l *Lifter) random(purpose ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, l.ID, "|", purpose)
	return rand.New(rand.NewPCG(l.Seed, h.Sum64()))
}

// Roster returns n lifters. The lifters with the indices 1 to 5 have one cause
// each: VolumeSpike, VolumeEdge, Slowdown, Pain, RedFlag; all others have none.
func Roster(seed uint64, n int) []Lifter {
	causes := map[int]Kind{1: VolumeSpike, 2: VolumeEdge, 3: Slowdown, 4: Pain, 5: RedFlag}
	lifters := make([]Lifter, n)
	for i := range lifters {
		lifters[i] = NewLifter(seed, i)
		lifters[i].Cause = causes[i]
		switch lifters[i].Cause {
		case VolumeSpike:
			lifters[i].Phase = 2 // neither the week of the spike nor the present one is a deload
		case VolumeEdge:
			lifters[i].Phase = 3
			lifters[i].DeadliftMax = 180 // plates are small against the load
		}
	}
	return lifters
}
