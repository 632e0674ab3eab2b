package influx

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	// setReach is how far a rep can be from another rep of its set, and more.
	setReach = time.Hour
	// week is a week at its longest, with a change of the clocks and some room.
	week = 8 * 24 * time.Hour
)

// derive writes the sets, weeks, plans and memberships of what has changed and then
// forgets it.
func (f *Follower) derive(ctx context.Context, pending *changes, upTo uint64) error {
	var lines []line
	for _, athlete := range slices.Sorted(maps.Keys(pending.stretches)) {
		s := pending.stretches[athlete]
		t, err := f.training(ctx, athlete, s.from.Add(-f.Lookback-week), s.to.Add(f.Lookback+week))
		if err != nil {
			return err
		}
		s.corrected = s.corrected || arrivedLate(t.Reps, pending.derived)
		d := derivation{now: map[identity]bool{}}
		f.sets(&d, athlete, t, &s)
		f.weeks(&d, athlete, t, &s, pending.now)
		if s.corrected {
			gone, err := f.gone(ctx, athlete, &s, d.now)
			if err != nil {
				return err
			}
			lines = append(lines, gone...)
		}
		lines = append(lines, d.lines...)
		if len(lines) >= maxLines {
			if err := f.events.write(ctx, lines); err != nil {
				return err
			}
			lines = lines[:0]
		}
	}
	people, err := f.people(ctx, pending)
	if err != nil {
		return err
	}
	if err := f.events.write(ctx, append(lines, people...)); err != nil {
		return err
	}
	*pending = newChanges(upTo, pending.now)
	return nil
}

// training reads what the athlete did with from ≤ time < to.
func (f *Follower) training(ctx context.Context, athlete lift.AthleteID, from, to time.Time) (Training, error) {
	var t Training
	for page := (view.Page{Limit: 10_000}); ; {
		reps, next, err := f.View.Reps(ctx, athlete, from, to, page)
		if err != nil {
			return t, err
		}
		t.Reps = append(t.Reps, reps...)
		if next == "" {
			break
		}
		page.Cursor = next
	}
	var err error
	t.Logged, err = f.View.Logged(ctx, athlete, from, to)
	return t, err
}

// arrivedLate reports whether a rep that was logged after the given position
// belongs before one that was logged earlier: then sets may have been cut anew.
// The reps are in the order of their times.
func arrivedLate(reps []lift.RepRecord, after uint64) bool {
	newest := uint64(0)
	for i := range reps {
		if reps[i].LogSeq < newest && newest > after {
			return true
		}
		newest = max(newest, reps[i].LogSeq)
	}
	return false
}

// derivation is what one athlete's reps come to.
type derivation struct {
	now   map[identity]bool // all sets and weeks that there are
	lines []line            // of those that the stretch changes
}

// sets adds the sets, with lines for those that reach into the stretch and for what
// their reps get from being in a set. Sets that would be one point stand a
// millisecond apart.
func (f *Follower) sets(d *derivation, athlete lift.AthleteID, t Training, s *stretch) {
	byID := make(map[string]*lift.RepRecord, len(t.Reps))
	for i := range t.Reps {
		byID[t.Reps[i].ID] = &t.Reps[i]
	}
	sets := f.Sets(athlete, t)
	slices.SortFunc(sets, lift.Set.Compare)
	free := map[identity]int64{} // a training log may have all sets of a workout at one time
	for i := range sets {
		set := &sets[i]
		id := setIdentity(set)
		first := id
		for id.ms = max(id.ms, free[first]); d.now[id]; {
			id.ms++
		}
		d.now[id], free[first] = true, id.ms+1
		if set.To.Before(s.from.Add(-setReach)) || set.From.After(s.to.Add(setReach)) {
			continue
		}
		d.lines = append(d.lines, setLine(&id, set))
		d.losses(set, byID)
	}
}

// losses adds how much slower each completed rep was than the fastest of its set so
// far and, where its device did not count, its number in the set.
func (d *derivation) losses(set *lift.Set, byID map[string]*lift.RepRecord) {
	best := 0.0
	for i, id := range set.RepIDs {
		r := byID[id]
		if r == nil {
			continue
		}
		var f fields
		if !r.Failed {
			best = max(best, r.MeanVelocity)
			f.number("velocity_loss_pct", 100*(best-r.MeanVelocity)/best)
		}
		if r.Rep.Rep == nil {
			f.number("rep_no", float64(i+1))
		}
		if len(f.text) > 0 {
			id := repIdentity(r)
			d.lines = append(d.lines, id.line(&f))
		}
	}
}

// weeks adds the weeks, with lines for those that the stretch touches and for those
// after them whose baseline it is a part of. A week stands at the site of its first
// rep or logged set.
func (f *Follower) weeks(d *derivation, athlete lift.AthleteID, t Training, s *stretch, now time.Time) {
	for _, w := range f.Weeks(athlete, t, now) {
		site, known := t.siteFrom(w.From)
		if !known {
			continue
		}
		id := identity{measurement: "week", athlete: athlete, kind: w.Group, site: site, ms: millis(w.From)}
		d.now[id] = true
		if w.To.After(s.from) && !w.From.After(s.to.Add(f.Lookback)) {
			d.lines = append(d.lines, weekLine(&id, &w))
		}
	}
}

// siteFrom returns where the first rep or logged set at a time or later was.
func (t *Training) siteFrom(from time.Time) (lift.SiteID, bool) {
	rep, _ := slices.BinarySearchFunc(t.Reps, from, func(r lift.RepRecord, at time.Time) int { return r.PointTime.Compare(at) })
	set, _ := slices.BinarySearchFunc(t.Logged, from, func(l lift.LoggedSet, at time.Time) int { return l.Time.Compare(at) })
	switch {
	case set < len(t.Logged) && (rep == len(t.Reps) || t.Logged[set].Time.Before(t.Reps[rep].PointTime)):
		return t.Logged[set].Site, true
	case rep < len(t.Reps):
		return t.Reps[rep].Site, true
	}
	return "", false
}

// gone returns the lines that void what InfluxDB has of the athlete's sets and weeks
// in the stretch and is not there any more.
func (f *Follower) gone(ctx context.Context, athlete lift.AthleteID, s *stretch, now map[identity]bool) ([]line, error) {
	var voids []line
	for _, r := range []span{
		{"set", athlete, s.from.Add(-setReach), s.to.Add(setReach)},
		{"week", athlete, s.from.Add(-week), s.to.Add(time.Millisecond)},
	} {
		there, err := f.server.valid(ctx, f.Bucket, r)
		if err != nil {
			return nil, err
		}
		for _, id := range there {
			if !now[id] {
				voids = append(voids, id.void())
			}
		}
	}
	return voids, nil
}
