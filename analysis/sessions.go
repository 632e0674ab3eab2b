package analysis

// session is the sets of one lift on one local date.
type session struct {
	day   date
	lift  int32
	first int32 // its first set
	last  int32 // its last
	totals
}

// totals is training added up: completed work reps without warm-ups.
type totals struct {
	grams      int64 // reps × load
	sets, reps int32
	top        int64 // heaviest load, grams
	trained    bool  // something was lifted, if only to warm up
	missing    bool  // a work rep has no load: grams is a lower bound
	newest     int64 // latest rep of all
	historical bool  // that rep came from a backlog
}

func (t *totals) add(u totals) {
	t.grams += u.grams
	t.sets += u.sets
	t.reps += u.reps
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

// weekSum is what days no longer held add to one week of one group.
type weekSum struct {
	monday date
	group  string
	totals
	work []workSet
}

// workSet is what one work set adds to a week.
type workSet struct {
	grams int64
	reps  int32
}

// warmupShare is the share of a session's top load below which a set before
// the first work set is a warm-up.
const warmupShare = 0.6

// each calls f with the sets of session x in order, and whether each of them
// is a warm-up.
func (d *diary) each(x int32, f func(s *set, warmup bool)) {
	var top int64
	for k := d.sessions[x].first; k <= d.sessions[x].last; k++ {
		if s := &d.sets[k]; s.session == x && s.work > 0 {
			top = max(top, s.load)
		}
	}
	working := false
	for k := d.sessions[x].first; k <= d.sessions[x].last; k++ {
		s := &d.sets[k]
		if s.session != x {
			continue
		}
		warmup := s.work == 0
		if !warmup && !working {
			light := s.load != noLoad && !atLeast(float64(s.load), warmupShare*float64(top))
			warmup, working = light, !light
		}
		f(s, warmup)
	}
}

// sum adds up session x.
func (d *diary) sum(x int32) {
	var t totals
	d.each(x, func(s *set, warmup bool) {
		t.trained = true
		t.see(s.ended, s.historical)
		if warmup {
			return
		}
		t.sets++
		t.reps += s.work
		if s.load == noLoad {
			t.missing = true
			return
		}
		t.grams += int64(s.work) * s.load
		t.top = max(t.top, s.load)
	})
	d.sessions[x].totals = t
}

// week adds up one week of one group.
func (d *diary) week(group string, monday date) totals {
	var t totals
	for i := range d.past {
		if w := &d.past[i]; w.monday == monday && w.group == group {
			t.add(w.totals)
		}
	}
	t.add(d.heldWeek(group, monday))
	return t
}

func (d *diary) heldWeek(group string, monday date) totals {
	var t totals
	for i := len(d.sessions) - 1; i >= 0 && d.sessions[i].day >= monday; i-- {
		if x := &d.sessions[i]; x.day < monday+7 && d.lifts[x.lift].group == group {
			t.add(x.totals)
		}
	}
	return t
}

// workSets appends the work sets of one week of one group.
func (d *diary) workSets(to []workSet, group string, monday date) []workSet {
	for i := range d.past {
		if w := &d.past[i]; w.monday == monday && w.group == group {
			to = append(to, w.work...)
		}
	}
	for i := range d.sessions {
		x := &d.sessions[i]
		if x.day < monday || x.day >= monday+7 || d.lifts[x.lift].group != group {
			continue
		}
		d.each(int32(i), func(s *set, warmup bool) {
			if !warmup {
				to = append(to, workSet{int64(s.work) * max(s.load, 0), s.work})
			}
		})
	}
	return to
}
