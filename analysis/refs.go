package analysis

import "math"

// refs holds what the windows being judged are compared with, so that a rep does
// not look at eight weeks again. It depends on earlier days only, and is thrown
// away when these change.
type refs struct {
	baselines []baseline
	heavy     heavyReference
	maxima    []maximum
	spikes    []spikeReference
	lines     []lineReference
	technique []techniqueReference
}

func (r *refs) forget() {
	r.baselines, r.maxima, r.spikes = r.baselines[:0], r.maxima[:0], r.spikes[:0]
	r.lines, r.technique = r.lines[:0], r.technique[:0]
	r.heavy.known = false
}

// baselineOf is baseline, remembered.
func (d *diary) baselineOf(group string, monday date) *baseline {
	for i := range d.refs.baselines {
		if b := &d.refs.baselines[i]; b.monday == monday && b.group == group {
			return b
		}
	}
	d.refs.baselines = append(d.refs.baselines, d.baseline(group, monday))
	return &d.refs.baselines[len(d.refs.baselines)-1]
}

// maximum is the one repetition maximum of a group that loads of a date are
// compared with.
type maximum struct {
	day   date
	group string
	grams float64 // 0 if unknown
	how   string
	// careful is the least that the maximum may be by what was lifted; 0 where it is
	// known or nothing tells.
	careful float64
}

const (
	maximumDays  = 42 // estimates of these days before count
	topLoadDays  = 30
	minSessions  = 3
	topLoadShare = 0.80 / 0.90 // the heaviest load of 30 days stands for this share of the maximum
)

// maximumOf is the known maximum of a lift of the group, or else the median of
// what the fastest sets of at least three sessions speak for, or else what the
// heaviest load of 30 days with three sessions speaks for: 90 % of that load is
// 80 % of the maximum. An estimate counts in full only with the athlete's own
// velocity at the maximum: with a published one it can be a third too high, and
// then the heaviest load bounds it.
func (d *diary) maximumOf(group string, day date) *maximum {
	for i := range d.refs.maxima {
		if m := &d.refs.maxima[i]; m.day == day && m.group == group {
			return m
		}
	}
	m := maximum{day: day, group: group}
	for id, kg := range d.Maximum {
		if e := d.lookUp(id); e.group == group {
			m.grams, m.how = max(m.grams, 1000*kg), "known maximum"
		}
	}
	if m.grams == 0 && group == DeadliftFamily {
		m.grams, m.how = d.beforeInjury(day), "maximum before the injury"
	}
	if m.grams == 0 {
		estimate, own := d.estimated(group, day)
		top, second := d.topOf(group, day)
		top, m.careful = top/topLoadShare, second/topLoadShare
		switch {
		case estimate > 0 && (own || top == 0 || estimate < top):
			m.grams, m.how = estimate, "estimated maximum"
		case top > 0:
			m.grams, m.how = top, "maximum after the heaviest load of 30 days"
		}
	}
	d.refs.maxima = append(d.refs.maxima, m)
	return &d.refs.maxima[len(d.refs.maxima)-1]
}

// beforeInjury is the maximum that a return plan was started with, from its start
// until six weeks after its end: what is lifted in the plan says little of it.
func (d *diary) beforeInjury(day date) float64 {
	grams := 0.0
	for _, p := range d.phases() {
		if day >= p.day && (p.to == math.MaxInt64 || d.endOf(day-maximumDays) < p.to) {
			grams = p.maximum
		}
	}
	return grams
}

// share is a load's share of the maximum; 0 where either is unknown.
func (m *maximum) share(load int64) float64 {
	if m.grams == 0 || load <= 0 {
		return 0
	}
	return float64(load) / m.grams
}

// estimated is the largest of the lifts' estimates, in grams, and whether it
// stands on the athlete's own velocity at the maximum.
func (d *diary) estimated(group string, day date) (best float64, own bool) {
	for x := range d.lifts {
		e := &d.lifts[x]
		if e.group != group || e.slope == 0 {
			continue
		}
		of := d.values[:0]
		d.sessionsIn(group, day-maximumDays, day, func(i int32, s *session) {
			if s.lift != int32(x) {
				return
			}
			today := 0.0
			d.each(i, func(_ int32, s *set) {
				if kg, ok := e.estimate(s.load, float64(s.best)); ok && s.timed > 0 && s.faulty == 0 {
					today = max(today, 1000*kg)
				}
			})
			if today > 0 {
				of = append(of, today)
			}
		})
		if d.values = of; len(of) >= minSessions {
			if kg := middle(of); kg > best {
				best, own = kg, e.own
			}
		}
	}
	return best, own
}

// topOf is the heaviest load of the 30 days before the date, in grams, and the
// heaviest but for the session with that one, which a single mistyped load does not
// reach. Both are 0 with fewer than three days of training.
func (d *diary) topOf(group string, day date) (top, second float64) {
	var most, other int64
	days, last := 0, date(0)
	d.sessionsIn(group, day-topLoadDays, day, func(_ int32, s *session) {
		other = max(other, min(most, s.top))
		most = max(most, s.top)
		if s.sets > 0 && s.day != last {
			days, last = days+1, s.day
		}
	})
	if days < minSessions {
		return 0, 0
	}
	return float64(most), float64(other)
}
