package profile

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// The normal quantiles as the literature writes them.
const (
	z95 = 1.96
	z90 = 1.645
)

// Confidence is how sure a band is to hold what is only noise.
type Confidence int

// The confidences in use, in percent.
const (
	Percent95 Confidence = 95
	Percent90 Confidence = 90
)

// quantile is the two-sided quantile of Student's t with so many degrees of
// freedom; 0 of them means that the noise is known, and the normal one.
func (c Confidence) quantile(freedom int) float64 {
	if freedom > 0 {
		return distuv.StudentsT{Sigma: 1, Nu: float64(freedom)}.Quantile(0.5 + float64(c)/200)
	}
	if c == Percent90 {
		return z90
	}
	return z95
}

// Noise is how much a measurement varies from test to test while nothing changes.
type Noise struct {
	TypicalError float64 // standard deviation of one test, in the unit of the test or as a share
	Freedom      int     // degrees of freedom behind it; 0: taken as known
}

// NoiseOfRetest returns the noise from two tests of the same people, in the same
// order; false with fewer than two people or unequal lists.
func NoiseOfRetest(first, second []float64) (Noise, bool) {
	if len(first) != len(second) || len(first) < 2 {
		return Noise{}, false
	}
	difference := make([]float64, len(first))
	for i := range first {
		difference[i] = second[i] - first[i]
	}
	return Noise{stat.StdDev(difference, nil) / math.Sqrt2, len(first) - 1}, true
}

// NoiseWithin returns the noise within groups of repeated measurements as a share
// of each group's mean (a coefficient of variation, pooled over the groups);
// false where no group has two.
func NoiseWithin(groups [][]float64) (Noise, bool) {
	var squares float64
	freedom := 0
	for _, g := range groups {
		if len(g) < 2 {
			continue
		}
		mean := stat.Mean(g, nil)
		for _, v := range g {
			squares += (v/mean - 1) * (v/mean - 1)
		}
		freedom += len(g) - 1
	}
	if freedom == 0 {
		return Noise{}, false
	}
	return Noise{math.Sqrt(squares / float64(freedom)), freedom}, true
}

// DetectableChange is the smallest difference between two single tests that is more
// than noise (MDC).
func (n Noise) DetectableChange(c Confidence) float64 { return n.Band(1, c) }

// Band is how far one test may be from the mean of so many earlier ones, at least
// one, while it is only noise.
func (n Noise) Band(earlier int, c Confidence) float64 {
	return c.quantile(n.Freedom) * n.TypicalError * math.Sqrt(1+1/float64(earlier))
}

// SmallestWorthwhile is the smallest change that matters: a fifth of the standard
// deviation between athletes.
func SmallestWorthwhile(betweenAthletes float64) float64 { return 0.2 * betweenAthletes }
