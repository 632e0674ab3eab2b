package analysis

import "sort"

// session is the sets of one lift on one local date.
type session struct {
	day     date
	lift    int32
	first   int32 // its first set
	last    int32 // its last
	started int64
	totals
}

// totals is training added up: completed work reps without warm-ups.
type totals struct {
	grams      int64 // reps × load
	top        int64 // heaviest load, grams
	newest     int64 // latest rep of all
	sets, reps int32
	loaded     int32 // of the reps, those with a load
	trained    bool  // something was lifted, if only to warm up
	missing    bool  // a work rep has no load: grams is a lower bound
	historical bool  // the newest rep came from a backlog
}

func (t *totals) add(u totals) {
	t.grams += u.grams
	t.sets += u.sets
	t.reps += u.reps
	t.loaded += u.loaded
	t.top = max(t.top, u.top)
	t.trained = t.trained || u.trained
	t.missing = t.missing || u.missing
	t.see(u.newest, u.historical)
}

func (t *totals) see(at int64, historical bool) {
	switch {
	case at > t.newest:
		t.newest, t.historical = at, historical
	case at == t.newest:
		t.historical = t.historical && historical
	}
}

// warmupShare is the share of a session's top load below which a set before
// the first work set is a warm-up.
const warmupShare = 0.6

// each calls f with the sets of session x in order.
func (d *diary) each(x int32, f func(k int32, s *set)) {
	for k := d.sessions[x].first; k <= d.sessions[x].last; k++ {
		if s := &d.sets[k]; s.session == x {
			f(k, s)
		}
	}
}

// sum tells the warm-ups of session x from its work sets and adds it up.
func (d *diary) sum(x int32) {
	var top int64
	d.each(x, func(_ int32, s *set) {
		if s.work > 0 {
			top = max(top, s.load)
		}
	})
	t := totals{}
	working := false
	d.each(x, func(k int32, s *set) {
		s.warmup = s.work == 0
		if !s.warmup && !working {
			s.warmup = s.load != noLoad && !atLeast(float64(s.load), warmupShare*float64(top))
			working = !s.warmup
		}
		t.trained = true
		t.see(d.of(s).ended, s.historical)
		if k == d.sessions[x].first {
			d.sessions[x].started = s.started
		}
		if s.warmup {
			return
		}
		t.sets++
		t.reps += s.work
		if s.load == noLoad {
			t.missing = true
			return
		}
		t.loaded += s.work
		t.grams += int64(s.work) * s.load
		t.top = max(t.top, s.load)
	})
	d.sessions[x].totals = t
}

// sessionsFrom is the index of the first session of a date or later.
func (d *diary) sessionsFrom(day date) int {
	return sort.Search(len(d.sessions), func(i int) bool { return d.sessions[i].day >= day })
}

// sessionsIn calls f with the sessions of a group on the dates from … to, the
// latter excluded, in order. An empty group means all.
func (d *diary) sessionsIn(group string, from, to date, f func(x int32, s *session)) {
	for i := d.sessionsFrom(from); i < len(d.sessions) && d.sessions[i].day < to; i++ {
		if group == "" || d.lifts[d.sessions[i].lift].group == group {
			f(int32(i), &d.sessions[i])
		}
	}
}

// setsIn calls f with the sets of a group on the dates from … to.
func (d *diary) setsIn(group string, from, to date, f func(k int32, s *set)) {
	d.sessionsIn(group, from, to, func(x int32, _ *session) { d.each(x, f) })
}

// week adds up one week of one group.
func (d *diary) week(group string, monday date) totals {
	var t totals
	d.sessionsIn(group, monday, monday+7, func(_ int32, s *session) { t.add(s.totals) })
	return t
}

// judged adds up what of one week of one group may be judged: not what was
// lifted under a hold or after a red flag. to is excluded.
func (d *diary) judged(group string, monday, to date) totals {
	var t totals
	d.sessionsIn(group, monday, to, func(_ int32, s *session) {
		if !d.silenced(s.started) {
			t.add(s.totals)
		}
	})
	return t
}
