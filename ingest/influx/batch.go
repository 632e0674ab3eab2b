package influx

import (
	"context"
	"errors"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// changes is what has happened since sets and weeks were derived last.
type changes struct {
	derived   uint64 // the log's position then
	ticked    bool   // a minute has begun since
	now       time.Time
	stretches map[lift.AthleteID]stretch
	plans     map[lift.AthleteID]time.Time // when what may have changed a hold or plan was received last
	members   map[lift.AthleteID]bool      // whose profile has changed
}

func newChanges(derived uint64, now time.Time) changes {
	return changes{
		derived: derived, now: now, stretches: map[lift.AthleteID]stretch{},
		plans: map[lift.AthleteID]time.Time{}, members: map[lift.AthleteID]bool{},
	}
}

func (c *changes) none() bool { return len(c.stretches)+len(c.plans)+len(c.members) == 0 }

// stretch is the time in which something of one athlete has changed.
type stretch struct {
	from, to time.Time
	// corrected: something was changed that was there, so that sets and weeks may
	// have gone.
	corrected bool
}

func (c *changes) touch(athlete lift.AthleteID, at time.Time, corrected bool) {
	if athlete == "" {
		return
	}
	s, known := c.stretches[athlete]
	if !known || at.Before(s.from) {
		s.from = at
	}
	if !known || at.After(s.to) {
		s.to = at
	}
	s.corrected = s.corrected || corrected
	c.stretches[athlete] = s
}

// batch gathers the lines of some events, each point once. What becomes void comes
// before what is valid.
type batch struct {
	*Follower
	ctx     context.Context
	voids   []line
	lines   []line
	written map[identity]bool
}

func (b *batch) add(id identity, l line) {
	if !b.written[id] {
		b.written[id] = true
		b.lines = append(b.lines, l)
	}
}

// lines returns the points of the entries, which lead the log from after to upTo,
// and notes in pending what is left to be derived from them. The view must have
// applied them; where it is further on, its later word is written.
func (f *Follower) lines(ctx context.Context, entries []journal.Entry, after, upTo uint64, pending *changes) ([]line, error) {
	b := &batch{Follower: f, ctx: ctx, written: map[identity]bool{}}
	var reps, alerts []string
	for i := range entries {
		e := &entries[i]
		pending.now = e.Received
		switch e.Kind {
		case journal.KindRep:
			reps = append(reps, lift.RepID(e.Site, e.Device, e.Rep.BootID, e.Rep.Seq))
		case journal.KindSetLogged:
			// It may be the first of its week now, and weeks stand at the site of that.
			pending.touch(e.Athlete, e.Logged.Time, true)
		case journal.KindCheckIn:
			if err := b.checkIn(e); err != nil {
				return nil, err
			}
			pending.plans[e.Athlete] = e.Received
		case journal.KindPlan:
			pending.plans[e.Athlete] = e.Received
		case journal.KindRecord:
			if e.Record.Kind == lift.OfAthlete {
				pending.members[lift.AthleteID(e.Record.ID)] = true
			}
		case journal.KindStatus:
			b.lines = append(b.lines, deviceLine(e))
		case journal.KindAlert, journal.KindAnswer:
			alerts = append(alerts, e.Alert.AlertID)
		case journal.KindTick:
			pending.ticked = true
		}
	}
	if err := b.reps(reps, after, upTo, pending); err != nil {
		return nil, err
	}
	if err := b.alerts(alerts); err != nil {
		return nil, err
	}
	return append(b.voids, b.lines...), nil
}

// reps adds the reps with the ids and those that the events changed otherwise.
func (b *batch) reps(ids []string, after, upTo uint64, pending *changes) error {
	moves, err := b.View.Moves(b.ctx, after, upTo)
	if err != nil {
		return err
	}
	changed := map[string]bool{}
	for _, m := range moves {
		if m.RepID != "" {
			changed[m.RepID] = true
			ids = append(ids, m.RepID)
		}
	}
	reps, err := b.View.RepsByID(b.ctx, ids)
	if err != nil {
		return err
	}
	for i := range reps {
		r := &reps[i]
		b.add(repIdentity(r), repLine(r))
		pending.touch(r.Athlete, r.PointTime, changed[r.ID])
	}
	for i := range moves {
		if moves[i].RepID != "" { // a logged set has no point but those that are derived
			if err := b.leave(&moves[i]); err != nil {
				return err
			}
		}
		pending.touch(moves[i].Athlete, moves[i].PointTime, true)
	}
	return nil
}

// leave voids the point where a rep was, unless that or another rep is there now.
func (b *batch) leave(m *view.Move) error {
	was := movedIdentity(m)
	if b.written[was] {
		return nil
	}
	there, _, err := b.View.Reps(b.ctx, m.Athlete, m.PointTime, m.PointTime.Add(time.Millisecond), view.Page{Limit: 500})
	if err != nil {
		return err
	}
	for i := range there {
		if r := &there[i]; repIdentity(r) == was {
			b.add(was, repLine(r))
			return nil
		}
	}
	b.written[was] = true
	b.voids = append(b.voids, was.void())
	return nil
}

func (b *batch) checkIn(e *journal.Entry) error {
	c, err := b.View.CheckIn(b.ctx, lift.CheckInID(e.Athlete, e.CheckIn.Time, e.CheckIn.Phase))
	if errors.Is(err, view.ErrNotFound) {
		return nil // erased since
	}
	if err != nil {
		return err
	}
	b.lines = append(b.lines, checkInLine(&c))
	return nil
}
