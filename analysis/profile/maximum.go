package profile

import (
	"slices"

	"gonum.org/v1/gonum/stat"
)

// PublishedErrorPct is the standard error of the estimate of velocity-based one
// repetition maxima over all models, in percent of the maximum (Greig et al.
// 2023, 434 people, as quoted elsewhere). What a line's own scatter says is
// smaller: it does not know how far the line is from the truth.
const PublishedErrorPct = 9.8

// maxReps is up to how many repetitions to failure the formula holds.
const maxReps = 10

// Anchored is the day's maximum from one load and velocity, with the slope of
// the athlete's line laid through today's point. It is unknown, false, where the
// slope is not below 0 or the result not above 0.
func Anchored(loadKg, velocity, minVelocity, slope float64) (float64, bool) {
	kg := loadKg + (minVelocity-velocity)/slope
	return kg, slope < 0 && kg > 0
}

// FromOneSet is the maximum that one load and velocity speak for on a published
// line, 100 % − pctPerMps · (v − v at the maximum). It is unknown below half of the
// maximum, where such lines were not measured. A load moved more slowly than at
// the maximum is the maximum.
func FromOneSet(loadKg, velocity, minVelocity, pctPerMps float64) (float64, bool) {
	pct := min(100, 100-pctPerMps*(velocity-minVelocity))
	return loadKg / pct * 100, loadKg > 0 && pctPerMps > 0 && pct >= 50
}

// Epley is the maximum after repetitions to failure, 1 to 10 of them; one
// repetition is the maximum itself.
func Epley(loadKg float64, reps int) (float64, bool) {
	if reps == 1 {
		return loadKg, true
	}
	return loadKg * (1 + 0.0333*float64(reps)), reps > 1 && reps <= maxReps
}

// MinVelocity is the mean velocity at one repetition maximum, and where it is known
// from.
type MinVelocity struct {
	Mps    float64 `json:"value_mps"`
	Source string  `json:"source" enum:"entered,learned,published"`
	Sets   int     `json:"sets,omitzero" doc:"learned: from how many sets that ended in a failed rep"`
	// Citation is set where the value is published.
	Citation string `json:"citation,omitzero"`
}

// Where a minimum velocity is known from.
const (
	SourceEntered   = "entered"   // by a coach, for this athlete
	SourceLearned   = "learned"   // from the athlete's own failed reps
	SourcePublished = "published" // for the exercise
)

// minFailures is in how many sets an athlete must have failed before the minimum
// velocity is learned from them.
const minFailures = 3

// LearnMinVelocity takes from each set that ended in a failed rep the velocity of
// the completed rep right before it, the slowest that still went up, and returns
// their median; false with fewer than three sets. The median, because one bad
// reading must not set the threshold.
func LearnMinVelocity(beforeFailure []float64) (float64, bool) {
	if len(beforeFailure) < minFailures {
		return 0, false
	}
	return median(slices.Clone(beforeFailure)), true
}

// median sorts the values, of which there must be one, and returns their middle.
func median(values []float64) float64 {
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return stat.Mean(values[n/2-1:n/2+1], nil)
	}
	return values[len(values)/2]
}
