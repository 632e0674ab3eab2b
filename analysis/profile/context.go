package profile

import "time"

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
