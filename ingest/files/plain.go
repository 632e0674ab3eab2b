package files

import (
	"fmt"
	"strings"
	"time"
)

var plain = spec{
	format: Plain,
	headings: map[string]heading{
		"date": {column: dateColumn}, "time": {column: timeColumn}, "exercise": {column: exerciseColumn},
		"set": {column: numberColumn}, "reps": {column: repsColumn}, "warmup": {column: warmupColumn},
		"load_kg": {loadColumn, "kg"}, "load_lb": {loadColumn, "lb"},
		"rep": {column: repColumn}, "rep_time": {column: repTimeColumn}, "mean_velocity_mps": {meanColumn, "m/s"},
		"peak_velocity_mps": {peakColumn, "m/s"}, "mean_propulsive_velocity_mps": {propulsiveColumn, "m/s"},
		"rom_m": {romColumn, "m"}, "concentric_s": {concentricColumn, "s"}, "eccentric_s": {eccentricColumn, "s"},
	},
	required: []column{dateColumn, exerciseColumn, loadColumn},
	check: func(l *layout) error {
		if !l.has(meanColumn) {
			if !l.has(repsColumn) {
				return fmt.Errorf("it has no column %s, or %s", l.wanted(repsColumn), l.wanted(meanColumn))
			}
			return nil
		}
		for _, c := range []column{numberColumn, repColumn} {
			if !l.has(c) {
				return fmt.Errorf("it has a velocity, but no column %s", l.wanted(c))
			}
		}
		if l.has(repsColumn) {
			return fmt.Errorf("it has both %s and %s: a row is a set or a rep", l.wanted(repsColumn), l.wanted(meanColumn))
		}
		return nil
	},
	read: func(r row, yield func(entry, error) bool) {
		if r.has(meanColumn) {
			yield(r.plainRep())
			return
		}
		plainSet(r, yield)
	},
}

var plainSet = oneSet(func(r row, e *entry) error {
	var err error
	if e.Set.Warmup, err = parseFlag(r.cell(warmupColumn)); err != nil {
		return r.refuseColumn(warmupColumn, err)
	}
	if r.cell(numberColumn) == "" {
		return nil
	}
	return r.number(e, 1)
})

func (r row) plainRep() (entry, error) {
	if err := r.complete(); err != nil {
		return entry{}, err
	}
	exercise, err := r.exercise()
	if err != nil {
		return entry{}, err
	}
	p, err := r.place()
	if err != nil {
		return entry{}, err
	}
	when, at, err := r.when()
	if err != nil {
		return entry{}, err
	}
	e, err := r.rep()
	if err != nil {
		return entry{}, err
	}
	if e.Warmup, err = parseFlag(r.cell(warmupColumn)); err != nil {
		return entry{}, r.refuseColumn(warmupColumn, err)
	}
	if e.LoadKg, err = r.loadOf(); err != nil {
		return entry{}, err
	}
	e.Exercise, e.Time = exercise, at.Add(p.after())
	if own := r.cell(repTimeColumn); own != "" {
		if e.Time, err = r.ownTime(own); err != nil {
			return entry{}, r.refuseColumn(repTimeColumn, err)
		}
	}
	return r.told(e, p, p.key(when, exercise))
}

// ownTime is the time of a rep that tells its own, on the row's date.
func (r row) ownTime(clock string) (time.Time, error) {
	if strings.ContainsAny(clock, " T") {
		return time.Time{}, fmt.Errorf("%q is not a time such as 17:03:20.5", clip(clock))
	}
	m, err := parseMoment(r.cell(dateColumn) + " " + clock)
	if err != nil || m.day {
		return time.Time{}, fmt.Errorf("%q is not a time such as 17:03:20.5", clip(clock))
	}
	return m.in(r.file.options.Zone)
}
