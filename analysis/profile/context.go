package profile

import (
	"maps"
	"slices"
	"time"
)

// Context is how an athlete's workload and velocities stand on one day. It
// describes, and never alerts.
type Context struct {
	Date        Date        `json:"date" doc:"local; the day counts as far as it has gone"`
	Begin       Date        `json:"begin,omitzero" doc:"first day of training within 24 weeks, the day 1 of what follows"`
	Days        int         `json:"days" doc:"from begin to date, both included"`
	MissingDays int         `json:"missing_days" doc:"of them, those with a work set of unknown load"`
	Loads       []DatedLoad `json:"loads" doc:"the last 28 days, or those there are"`
	Ratios      Ratios      `json:"acwr"`
	Monotony    Figure      `json:"monotony" doc:"mean over sample standard deviation of the last 7 daily loads"`
	Strain      Figure      `json:"strain_kg" doc:"sum of the last 7 daily loads times monotony"`
	Readiness   []Standing  `json:"readiness" doc:"each load lifted today, by exercise, device and load"`
}

// DatedLoad is what was lifted on one date: 0 on a day of rest, absent where it is
// not known.
type DatedLoad struct {
	Date   Date     `json:"date"`
	LoadKg *float64 `json:"load_kg,omitzero" doc:"reps × load of all work sets; absent where a load is missing"`
}

// ContextOf returns the athlete's context at a time.
func ContextOf(h History, at time.Time, o Options) Context {
	o = o.filled()
	c := Context{Date: DateOf(at, o.Zone), Loads: []DatedLoad{}, Readiness: readiness(h, at, o)}
	var days []DayLoad
	c.Begin, days = daily(Sessions(h.Sets, o), c.Date)
	c.Days = len(days)
	for i, d := range days {
		if d.Missing {
			c.MissingDays++
		}
		if i < len(days)-chronicDays {
			continue
		}
		load := DatedLoad{Date: c.Begin.Plus(i)}
		if !d.Missing {
			load.LoadKg = new(d.Kg)
		}
		c.Loads = append(c.Loads, load)
	}
	c.Ratios = AcuteChronic(days, o.LowLoadKg)
	c.Monotony, c.Strain = Monotony(days)
	return c
}

// daily lays sessions, in the order of their dates, out as one load for each day up
// to the last, beginning with the first session within LongDays.
func daily(sessions []Session, until Date) (begin Date, days []DayLoad) {
	earliest := until.Plus(1 - LongDays)
	for i := range sessions {
		s := &sessions[i]
		if s.Date < earliest || s.Date > until {
			continue
		}
		if days == nil {
			begin = s.Date
			days = make([]DayLoad, until.days()-begin.days()+1)
		}
		days[s.Date.days()-begin.days()] = DayLoad{Kg: s.VolumeKg, Missing: s.Incomplete}
	}
	return begin, days
}

// spread is the standard deviation between athletes of the velocity at the maximum,
// in m/s, in 15 powerlifters (Helms et al. 2017).
var spread = map[string]float64{deadliftFamily: 0.05, "squat_family": 0.05, "bench_family": 0.04}

// readiness compares today's points with those of the 42 days before.
func readiness(h History, at time.Time, o Options) []Standing {
	today := DateOf(at, o.Zone)
	all := []Standing{}
	for _, t := range tracks(h, at, o) {
		earlier := map[float64][]float64{}
		for _, p := range t.between(today.Plus(-WindowDays), today.Plus(-1)) {
			earlier[p.LoadKg] = append(earlier[p.LoadKg], p.Velocity)
		}
		var groups [][]float64
		for _, load := range slices.Sorted(maps.Keys(earlier)) {
			groups = append(groups, earlier[load])
		}
		own, _ := NoiseWithin(groups)
		published := 0.0
		if t.group == deadliftFamily {
			published = publishedNoise
		}
		for _, p := range t.between(today, today) {
			r := Standing{Exercise: t.exercise, Site: t.site, Device: t.device, LoadKg: p.LoadKg, Observed: p.Velocity}
			r.judge(earlier[p.LoadKg], own, published, spread[t.group])
			all = append(all, r)
		}
	}
	return all
}
