package profile

import (
	"github.com/spotterhq/spotter/internal/lift"
	"gonum.org/v1/gonum/stat"
)

// Standing is today's fastest rep at one load against the athlete's earlier ones at
// the same load. Place answers whether the difference is real, that is more than
// the athlete's noise; Matters whether it would be of any consequence.
type Standing struct {
	Exercise lift.ExerciseID `json:"exercise"`
	Site     lift.SiteID     `json:"site"`
	Device   lift.DeviceID   `json:"device"`
	LoadKg   float64         `json:"load_kg"`
	Observed float64         `json:"observed_mps"`
	Sessions int             `json:"sessions" doc:"earlier sessions at this load within 42 days"`
	Usual    *float64        `json:"usual_mps,omitzero" doc:"mean of the fastest reps of the earlier sessions"`
	Change   *float64        `json:"change_pct,omitzero"`
	Band     *float64        `json:"band_mps,omitzero" doc:"how far from the usual velocity is still noise, 95 %"`
	NoisePct *float64        `json:"noise_pct,omitzero" doc:"typical error of one session, coefficient of variation"`
	// NoiseSource is own where the athlete's earlier sessions tell the noise.
	NoiseSource string   `json:"noise_source,omitzero" enum:"own,published"`
	Place       Place    `json:"place,omitzero" enum:"below,inside,above" doc:"is it real: below, inside or above the band"`
	Matters     *bool    `json:"matters,omitzero" doc:"is the change at least the smallest worthwhile one"`
	Worthwhile  *float64 `json:"smallest_worthwhile_mps,omitzero"`
	Confidence  string   `json:"confidence,omitzero" enum:"provisional,full"`
	WhyNot      string   `json:"why_not,omitzero"`
}

// Place is where a velocity lies against a noise band.
type Place string

// The places.
const (
	Below  Place = "below"
	Inside Place = "inside"
	Above  Place = "above"
)

const (
	minSessions  = 3 // earlier sessions at a load
	fullSessions = 5
	// minFreedom is how many degrees of freedom the athlete's own noise needs before
	// it is believed.
	minFreedom = 4
)

// Published between-session noise of the deadlift's mean velocity: the middle of the
// coefficients of variation at 20 to 80 % of the maximum, 3.56 to 5.86 % (Jukic
// et al. 2020, 16 people).
const publishedNoise = 0.047

// judge completes r from the velocities of earlier sessions, with the athlete's own
// noise as a share (its zero value: unknown), the published one (0: none) and
// the standard deviation between athletes in m/s (0: unknown).
func (r *Standing) judge(earlier []float64, own Noise, published, betweenAthletes float64) {
	r.Sessions = len(earlier)
	if r.Sessions < minSessions {
		r.WhyNot = "fewer than 3 earlier sessions at this load"
		return
	}
	usual := stat.Mean(earlier, nil)
	change := r.Observed - usual
	r.Usual, r.Change = &usual, new(100*change/usual)
	if betweenAthletes > 0 {
		swc := SmallestWorthwhile(betweenAthletes)
		r.Worthwhile, r.Matters = &swc, new(max(change, -change) >= swc)
	}
	noise := own
	r.NoiseSource = "own"
	if own.Freedom < minFreedom {
		if published == 0 {
			r.NoiseSource, r.WhyNot = "", "too few repeated loads to know the athlete's noise, and none is published"
			return
		}
		noise, r.NoiseSource = Noise{TypicalError: published}, "published"
	}
	band := usual * noise.Band(r.Sessions, Percent95)
	r.NoisePct, r.Band = new(100*noise.TypicalError), &band
	switch {
	case change > band:
		r.Place = Above
	case change < -band:
		r.Place = Below
	default:
		r.Place = Inside
	}
	r.Confidence = "provisional"
	if r.Sessions >= fullSessions {
		r.Confidence = "full"
	}
}
