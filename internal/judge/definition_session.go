package main

import (
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/lift"
)

// catalogue has the published line that estimates of a maximum go by.
var catalogue = exercise.Standard()

// maximumOn is the maximum of a group that the rules of a day compare with: the
// known one, else the median estimate of the sessions of 42 days, but no more than
// what the heaviest load of 30 days stands for. 0 if unknown.
func (o *oracle) maximumOn(group string, day int) float64 {
	if group == deadlifts && o.known {
		return o.maximum[deadlift]
	}
	if group == deadlifts {
		// From the beginning of a return plan until six weeks after its end it is
		// what it was before the injury.
		before := 0.0
		for _, p := range o.plan {
			switch at := dayOf(p.At.In(o.zone), o.first.Add(12*time.Hour)); {
			case p.Verb == lift.PlanStart && at <= day:
				before = *p.PreInjuryKg
			case p.Verb == lift.PlanEnd && at+42 < day:
				before = 0
			}
		}
		if before > 0 {
			return before
		}
	}
	best := 0.0
	blocks := o.blocks(group)
	e, _ := catalogue.Get(deadlift)
	var of []float64
	top, days, last := 0.0, 0, -1
	for _, b := range blocks {
		if b.day >= day-42 && b.day < day && b.lift == deadlift {
			today := 0.0
			for _, d := range b.sets {
				if d.warm && o.labelled || d.unloaded || d.frozen || d.leap || len(d.velocity) == 0 {
					continue
				}
				if pct := min(100, 100-*e.Slope*(slices.Max(d.velocity)-*e.MinVelocity)); pct >= 50 {
					today = max(today, d.kg/pct*100)
				}
			}
			if today > 0 {
				of = append(of, today)
			}
		}
		if b.day >= day-30 && b.day < day {
			for _, d := range b.work {
				if !d.unloaded {
					top = max(top, d.kg)
				}
			}
			if len(b.work) > 0 && b.day != last {
				days, last = days+1, b.day
			}
		}
	}
	if len(of) >= 3 {
		best = median(of)
	}
	if by := top / (0.80 / 0.90); days >= 3 && (best == 0 || by < best) {
		best = by
	}
	return best
}

// sessionSpike is a date's largest ratio to the sessions of the 30 days before;
// 0 if these are too few.
func (o *oracle) sessionSpike(group string, day int) float64 {
	heavy := 0.8 * o.maximumOn(group, day)
	type metrics [3]float64
	of := map[int]*metrics{}
	worked := map[int]bool{}
	blocks := o.blocks(group)
	for i := range blocks {
		b := &blocks[i]
		m := of[b.day]
		if m == nil {
			m = new(metrics)
			of[b.day] = m
		}
		worked[b.day] = worked[b.day] || len(b.work) > 0
		var s sums
		s.add(b)
		m[0] += s.value[0]
		m[1] = max(m[1], s.top)
		for _, d := range b.sets {
			if heavy > 0 && d.kg >= heavy-1e-9 && !d.unloaded {
				m[2] += float64(d.reps)
			}
		}
	}
	var most metrics
	n, first, last := 0, day, 0
	for at := day - 30; at < day; at++ {
		if m := of[at]; m != nil && worked[at] {
			n++
			first, last = min(first, at), at
			for i := range m {
				most[i] = max(most[i], m[i])
			}
		}
	}
	if n < 4 || last-first < 14 || of[day] == nil {
		return 0
	}
	ratio := 0.0
	for i := range most {
		if most[i] == 0 || i == 2 && most[i] < 3 {
			continue
		}
		x := of[day][i] / most[i]
		if i == 2 {
			x = min(x, 2) // a count of heavy reps alone is no more than advice
		}
		ratio = max(ratio, x)
	}
	return ratio
}

// velocityLoss is the severity that the measured reps of a set ask for.
func (o *oracle) velocityLoss(d *done) lift.Severity {
	if d.warm && o.labelled || d.frozen || d.leap {
		return ""
	}
	low, high, lastLow := 20.0, 30.0, true
	if groupOf(d.exercise) == deadlifts {
		low, high, lastLow = 15, 20, false
	}
	over := func(limit float64, i int) bool {
		if i < 2 {
			return false
		}
		best := slices.Max(d.velocity[:i+1])
		drop := best - d.velocity[i]
		return drop >= 0.05-1e-9 && 100*drop/best >= limit-1e-9
	}
	reached := func(limit float64, last bool) bool {
		for i := range d.velocity {
			if over(limit, i) && (last && i == len(d.velocity)-1 || over(limit, i-1)) {
				return true
			}
		}
		return false
	}
	switch {
	case reached(high, true):
		return lift.Warning
	case reached(low, lastLow):
		return lift.Advice
	}
	return ""
}

// holdViolation is the severity that a date's deadlifts under a hold ask for.
func (o *oracle) holdViolation(day int) lift.Severity {
	worst := lift.Severity("")
	most := o.maximumOn(deadlifts, day)
	for i := range o.done {
		d := &o.done[i]
		if o.day(d) != day || groupOf(d.exercise) != deadlifts || !o.silent(d.to) {
			continue
		}
		switch {
		case most > 0 && d.kg >= 0.8*most-1e-9:
			return lift.Critical
		case most == 0 || d.kg >= 0.6*most-1e-9:
			worst = lift.Warning
		}
	}
	return worst
}
