package profile

import (
	"maps"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/spotterhq/spotter/internal/lift"
)

// Standing is today's fastest rep at one load against what the athlete's earlier
// sessions expect of it. Place answers whether the difference is real, that is more
// than the athlete's noise; Matters whether it would be of any consequence.
type Standing struct {
	Exercise lift.ExerciseID `json:"exercise"`
	Site     lift.SiteID     `json:"site"`
	Device   lift.DeviceID   `json:"device"`
	LoadKg   float64         `json:"load_kg"`
	Observed float64         `json:"observed_mps"`
	// Against is what the usual velocity comes from: earlier sessions at the same load,
	// else the line through all earlier loads.
	Against  string   `json:"against,omitzero" enum:"same_load,line"`
	Sessions int      `json:"sessions" doc:"earlier sessions within 42 days: at this load or, against the line, at any"`
	Usual    *float64 `json:"usual_mps,omitzero" doc:"mean of the fastest reps of the earlier sessions, or the line at this load"`
	Change   *float64 `json:"change_pct,omitzero"`
	Band     *float64 `json:"band_mps,omitzero" doc:"how far from the usual velocity is still noise, 95 %"`
	NoisePct *float64 `json:"noise_pct,omitzero" doc:"typical error of one session, in percent of the usual velocity"`
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

// spread is the standard deviation between athletes of the velocity at the maximum,
// in m/s, in 15 powerlifters (Helms et al. 2017).
var spread = map[string]float64{deadliftFamily: 0.05, "squat_family": 0.05, "bench_family": 0.04}

// readiness compares today's points with what the 42 days before expect.
func readiness(h History, at time.Time, o Options) []Standing {
	today := DateOf(at, o.Zone)
	all := []Standing{}
	for _, t := range tracks(h, at, o) {
		points := t.between(today, today)
		if len(points) == 0 {
			continue
		}
		before := t.pastOf(today, o.Gates)
		for _, p := range points {
			r := Standing{Exercise: t.exercise, Site: t.site, Device: t.device, LoadKg: p.LoadKg, Observed: p.Velocity}
			r.judge(before)
			all = append(all, r)
		}
	}
	return all
}

// past is what an athlete's earlier sessions on one bar say.
type past struct {
	atLoad   map[float64][]float64 // fastest velocity of each session
	sessions int
	noise    Noise // within each load, as a share; its zero value where nobody knows
	source   string
	line     Line
	lined    bool // the line is one to look along, between the loads lifted
	least    float64
	most     float64
	between  float64 // standard deviation between athletes in m/s; 0: unknown
}

// beyond is how far from the loads lifted the line is believed, as a share of them.
const beyond = 0.05

// pastOf reads the days before a date.
func (t *track) pastOf(today Date, gates Gates) past {
	p := past{atLoad: map[float64][]float64{}, between: spread[t.group], least: math.Inf(1)}
	first, last := today.Plus(-WindowDays), today.Plus(-1)
	points := t.between(first, last)
	for _, x := range points {
		p.atLoad[x.LoadKg] = append(p.atLoad[x.LoadKg], x.Velocity)
		p.least, p.most = min(p.least, x.LoadKg), max(p.most, x.LoadKg)
	}
	for i, date := range t.dates {
		if date >= first && date <= last && (i == 0 || t.dates[i-1] != date) {
			p.sessions++
		}
	}
	var groups [][]float64
	for _, load := range slices.Sorted(maps.Keys(p.atLoad)) {
		groups = append(groups, p.atLoad[load])
	}
	if own, ok := NoiseWithin(groups); ok && own.Freedom >= minFreedom {
		p.noise, p.source = own, "own"
	} else if t.group == deadliftFamily {
		p.noise, p.source = Noise{TypicalError: publishedNoise}, "published"
	}
	gates.MinSpanShare = 0 // it is read only where there are loads
	p.line, p.lined = Fit(points)
	p.lined = p.lined && p.line.N-2 >= minFreedom && gates.WhyNot(p.line, 0) == ""
	return p
}

// judge completes r.
func (r *Standing) judge(p past) {
	earlier := p.atLoad[r.LoadKg]
	r.Sessions = len(earlier)
	same := len(earlier) >= minSessions
	reached := r.LoadKg >= p.least*(1-beyond) && r.LoadKg <= p.most*(1+beyond) && p.line.At(r.LoadKg) > 0
	switch {
	case same && p.source != "":
		r.Against, r.NoiseSource = "same_load", p.source
		usual := stat.Mean(earlier, nil)
		r.expect(usual, p.between)
		r.place(usual*p.noise.TypicalError, usual*p.noise.Band(len(earlier)))
	case p.lined && p.sessions >= minSessions && reached:
		r.Against, r.NoiseSource, r.Sessions = "line", "own", p.sessions
		r.expect(p.line.At(r.LoadKg), p.between)
		off, _ := p.line.ErrorAt(r.LoadKg)
		r.place(p.line.SEE, quantile95(p.line.N-2)*off)
	case same:
		r.Against = "same_load"
		r.expect(stat.Mean(earlier, nil), p.between)
		r.WhyNot = "too few repeated loads to know the athlete's noise, and none is published"
	default:
		r.WhyNot = "fewer than 3 earlier sessions at this load, and no line through others that reaches it"
	}
}

// expect puts what was observed beside the usual velocity.
func (r *Standing) expect(usual, betweenAthletes float64) {
	change := r.Observed - usual
	r.Usual, r.Change = &usual, new(100*change/usual)
	if betweenAthletes > 0 {
		swc := SmallestWorthwhile(betweenAthletes)
		r.Worthwhile, r.Matters = &swc, new(max(change, -change) >= swc)
	}
}

// place says where the observed velocity is against the band around the usual one,
// with the noise of one session, both in m/s.
func (r *Standing) place(noise, band float64) {
	change := r.Observed - *r.Usual
	r.Band, r.NoisePct = &band, new(100*noise / *r.Usual)
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
