package sim

import (
	"math"

	"github.com/spotterhq/spotter/internal/lift"
)

// The exercises that simulated lifters do.
const (
	Deadlift lift.ExerciseID = "deadlift"
	Squat    lift.ExerciseID = "squat"
	Bench    lift.ExerciseID = "bench_press"
	// HipThrust is the week's work for the posterior chain. No line of velocities
	// was found for it; it has the deadlift's.
	HipThrust lift.ExerciseID = "hip_thrust"
)

// VelocityAt returns the mean concentric velocity in m/s that an average lifter
// reaches at the given share of the one-repetition maximum (0.3 to 1).
//
// The equations are taken second-hand. Deadlift: Benavides-Ubric 2020, PMC7429441.
// Squat: doi 10.1055/s-0043-102933. Bench press: of 120 lifters on a Smith machine,
// for the mean propulsive velocity, which at heavy loads is close to the mean velocity.
func VelocityAt(exercise lift.ExerciseID, share float64) float64 {
	pct := 100 * share
	switch exercise {
	case Squat:
		return (-46.31 + math.Sqrt(46.31*46.31+4*12.87*(116.3-pct))) / (2 * 12.87)
	case Bench:
		return (73.5 - math.Sqrt(73.5*73.5-4*8.43*(112.3-pct))) / (2 * 8.43)
	default:
		return (124.9 - pct) / 80.2
	}
}

// motion is how an exercise is moved by a lifter of average build.
type motion struct {
	rom       float64 // m
	eccentric float64 // s
	// lowersFirst is true where the eccentric phase comes before the concentric.
	lowersFirst bool
}

func motionOf(exercise lift.ExerciseID) motion {
	switch exercise {
	case Squat:
		return motion{rom: 0.60, eccentric: 1.5, lowersFirst: true}
	case Bench:
		return motion{rom: 0.42, eccentric: 1.3, lowersFirst: true}
	case HipThrust:
		return motion{rom: 0.36, eccentric: 1.2, lowersFirst: true}
	default:
		return motion{rom: 0.54, eccentric: 1.2}
	}
}
