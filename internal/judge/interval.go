package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// wilson is the 95 % interval of a share.
func wilson(hits, of int) (low, high float64) {
	if of == 0 {
		return 0, 1
	}
	const z = 1.959964
	n, p := float64(of), float64(hits)/float64(of)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, middle-half), min(1, middle+half)
}

// bootstraps is how many samples of athletes an interval stands on.
const bootstraps = 1000

// bootstrap is the 95 % interval of a ratio of two sums over athletes, from
// samples of athletes with replacement.
func bootstrap(seed uint64, over, under []float64) (low, high float64) {
	r := rand.New(rand.NewPCG(seed, 0xb007))
	of := make([]float64, 0, bootstraps)
	for range bootstraps {
		var a, b float64
		for range over {
			i := r.IntN(len(over))
			a += over[i]
			b += under[i]
		}
		if b > 0 {
			of = append(of, a/b)
		}
	}
	if len(of) == 0 {
		return 0, 0
	}
	slices.Sort(of)
	return of[int(0.025*float64(len(of)))], of[int(0.975*float64(len(of)))]
}

// share writes hits of so many, with its interval.
func share(hits, of int) string {
	if of == 0 {
		return "–"
	}
	low, high := wilson(hits, of)
	return fmt.Sprintf("%.3f (%.3f–%.3f)", float64(hits)/float64(of), low, high)
}

// quantile of values in any order; 0 of none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

func sum(v []float64) float64 {
	var all float64
	for _, x := range v {
		all += x
	}
	return all
}
