package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// oracle computes from what was lifted what the text of a rule asks for. It
// shares no code with package analysis, and knows from the simulation what
// analysis must find out: which reps are ghosts, which set is which.
type oracle struct {
	*life
	done  []done
	added map[string][]block // of a group, once asked for
}

func dayOf(t time.Time, first time.Time) int { return int(math.Floor(t.Sub(first).Hours()/24 + 0.5)) }

// day is how many days after the first Monday a set was done.
func (o *oracle) day(d *done) int { return dayOf(d.date, o.first) }

// block is one lift on one date, as the rules add it up.
type block struct {
	day     int
	lift    lift.ExerciseID
	started time.Time
	sets    []*done
	work    []*done
}

func (o *oracle) blocks(group string) []block {
	if all, ok := o.added[group]; ok {
		return all
	}
	var all []block
	for i := range o.done {
		d := &o.done[i]
		if groupOf(d.exercise) != group || len(d.velocity) == 0 && d.reps == 0 {
			continue
		}
		k := slices.IndexFunc(all, func(b block) bool { return b.day == o.day(d) && b.lift == d.exercise })
		if k < 0 {
			k = len(all)
			all = append(all, block{day: o.day(d), lift: d.exercise, started: d.from})
		}
		all[k].sets = append(all[k].sets, d)
	}
	for i := range all {
		top := 0.0
		for _, d := range all[i].sets {
			if !(d.warm && o.labelled) && !d.unloaded {
				top = max(top, d.kg)
			}
		}
		working := false
		for _, d := range all[i].sets {
			if d.warm && o.labelled {
				continue
			}
			working = working || d.unloaded || d.kg >= 0.6*top-1e-9
			if working {
				all[i].work = append(all[i].work, d)
			}
		}
	}
	if o.added == nil {
		o.added = map[string][]block{}
	}
	o.added[group] = all
	return all
}

// begins is when the first set of a group was done on a day.
func (o *oracle) begins(group string, day int) time.Time {
	blocks := o.blocks(group)
	if i := slices.IndexFunc(blocks, func(b block) bool { return b.day == day }); i >= 0 {
		return blocks[i].started
	}
	return o.monday(0).AddDate(0, 0, day)
}

// sums are volume in kg, sets and reps.
type sums struct {
	value            [3]float64
	trained, missing bool
	top              float64
}

func (s *sums) add(b *block) {
	s.trained = true
	for _, d := range b.work {
		s.value[1]++
		s.value[2] += float64(d.reps)
		if d.unloaded {
			s.missing = true
			continue
		}
		s.value[0] += d.kg * float64(d.reps)
		s.top = max(s.top, d.kg)
	}
}

func (o *oracle) silent(at time.Time) bool {
	return slices.ContainsFunc(o.holds, func(h hold) bool { return !at.Before(h.from) && at.Before(h.to) })
}

// rise is a week against its baseline: the band, 0 for none, and the largest
// change of a metric that is over the floor.
type rise struct {
	band   int // 1 over 10 %, 2 over 30 %, 3 over 100 %
	change float64
	usable int
	base   [3]float64
}

var riseSeverity = [4]lift.Severity{"", lift.Advice, lift.Warning, lift.Critical}

// weeklyVolume judges the week of a group up to the end of a day.
func (o *oracle) weeklyVolume(group string, week, upTo int) rise {
	blocks := o.blocks(group)
	weekOf := func(n int) (s sums, sets []*done) {
		for i := range blocks {
			if b := &blocks[i]; b.day >= 7*n && b.day < 7*n+7 {
				s.add(b)
				sets = append(sets, b.work...)
			}
		}
		return s, sets
	}
	var usable []sums
	var of [][]*done
	pause := 0
	for n := week - 8; n < week; n++ {
		s, sets := weekOf(n)
		if !s.trained {
			if pause++; pause >= 4 {
				usable, of = nil, nil
			}
			continue
		}
		pause = 0
		light := false
		if k := len(usable); k >= 2 {
			last := usable[max(0, k-3):]
			mean := 0.0
			for _, u := range last {
				mean += u.value[0] / float64(len(last))
			}
			light = s.value[0] <= 0.7*mean+1e-9
		}
		if s.missing || s.value[1] == 0 || light || slices.Contains(o.deloads, label(o.monday(n))) {
			continue
		}
		usable, of = append(usable, s), append(of, sets)
	}
	r := rise{usable: len(usable)}
	if len(usable) < 2 {
		return r
	}
	from := max(0, len(usable)-4)
	recent := usable[from:]
	var now sums
	for i := range blocks {
		if b := &blocks[i]; b.day >= 7*week && b.day < 7*week+7 && b.day <= upTo && !o.silent(b.started) {
			now.add(b)
		}
	}
	for m := range 3 {
		mean := 0.0
		for _, u := range recent {
			mean += u.value[m] / float64(len(recent))
		}
		r.base[m] = max(recent[len(recent)-1].value[m], mean)
		if pause > 0 {
			r.base[m] *= 0.75
		}
		var each []float64
		for _, sets := range of[from:] {
			for _, d := range sets {
				each = append(each, [3]float64{d.kg * float64(d.reps), 1, float64(d.reps)}[m])
			}
		}
		if now.value[m]-r.base[m] < median(each)-1e-9 || r.base[m] == 0 {
			continue
		}
		change := (now.value[m] - r.base[m]) / r.base[m]
		r.change = max(r.change, change)
		for band, limit := range []float64{0.1, 0.3, 1} {
			if change > limit+1e-11 {
				r.band = max(r.band, band+1)
			}
		}
	}
	if len(usable) < 4 {
		r.band = min(r.band, 1)
	}
	return r
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// label is a Monday's ISO week.
func label(monday time.Time) string {
	y, w := monday.ISOWeek()
	return fmt.Sprintf("%d-W%02d", y, w)
}
