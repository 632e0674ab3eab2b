package profile

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// z95 is the normal quantile as the literature writes it.
const z95 = 1.96

// quantile95 is the two-sided quantile of 95 % of Student's t with so many degrees
// of freedom; 0 of them means that the noise is known, and the normal one.
func quantile95(freedom int) float64 {
	if freedom > 0 {
		return distuv.StudentsT{Sigma: 1, Nu: float64(freedom)}.Quantile(0.975)
	}
	return z95
}

// Noise is how much a measurement varies from test to test while nothing changes.
type Noise struct {
	TypicalError float64 // standard deviation of one test, in the unit of the test or as a share
	Freedom      int     // degrees of freedom behind it; 0: taken as known
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

// Band is how far one test may be from the mean of so many earlier ones, at least
// one, while it is only noise, with 95 % confidence. With one earlier test it is the
// smallest detectable change (MDC).
func (n Noise) Band(earlier int) float64 {
	return quantile95(n.Freedom) * n.TypicalError * math.Sqrt(1+1/float64(earlier))
}

// SmallestWorthwhile is the smallest change that matters: a fifth of the standard
// deviation between athletes.
func SmallestWorthwhile(betweenAthletes float64) float64 { return 0.2 * betweenAthletes }
