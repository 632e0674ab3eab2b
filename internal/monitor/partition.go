package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// partition judges a part of the athletes, one after the other. It belongs to one
// goroutine at a time.
type partition struct {
	m        *Monitor
	athletes map[lift.AthleteID]*athlete
	due      map[lift.AthleteID]time.Time // of those not in memory: when time alone may find something
	late     map[lift.AthleteID]bool      // who is judged when nothing else happens
	touched  []*athlete
}

// athlete is one lifter in memory, and what is still to be put to the analysis.
type athlete struct {
	id       lift.AthleteID
	site     lift.SiteID
	lifter   *analysis.Lifter // nil until it is loaded
	since    time.Time        // from when on the lifter judges
	loaded   uint64           // the view's position when it was loaded
	alertSeq uint64           // of the newest alert event, as far as known
	seen     time.Time        // when the newest event was received

	pending []*view.Change
	queued  bool
	from    time.Time // with reload: judge from here on; zero where nobody said
	reload  bool
}

func (p *partition) at(id lift.AthleteID) *athlete {
	a, ok := p.athletes[id]
	if !ok {
		a = &athlete{id: id}
		p.athletes[id] = a
		if due, waits := p.due[id]; waits {
			a.loadFrom(due)
			delete(p.due, id)
		}
	}
	if !a.queued {
		a.queued = true
		p.touched = append(p.touched, a)
	}
	return a
}

// add notes a change for the next judge.
func (p *partition) add(id lift.AthleteID, c *view.Change) {
	if id == "" {
		return
	}
	a := p.at(id)
	a.pending = append(a.pending, c)
}

// hear notes what was said of one of the athlete's alerts, unless this monitor said
// it: whoever did may know more or less than the athlete's analysis here.
func (p *partition) hear(c *view.Change) {
	id := c.Alert.Alert.Athlete
	if a, ok := p.athletes[id]; ok && c.Seq <= a.alertSeq {
		return
	}
	p.add(id, c)
}

// want notes that the athlete must be judged anew from the given time on.
func (p *partition) want(id lift.AthleteID, from time.Time) { p.at(id).loadFrom(from) }

// await notes that the athlete must be judged anew from the given time on; those not
// in memory come when nothing else happens.
func (p *partition) await(id lift.AthleteID, from, now time.Time) {
	if _, held := p.athletes[id]; held {
		p.want(id, from)
		return
	}
	p.postpone(id, from, now)
}

// postpone does the same when nothing else happens, unless something is heard of the
// athlete before: all rows of a training log are judged together, and do not hold up
// those who are lifting.
func (p *partition) postpone(id lift.AthleteID, from, now time.Time) {
	if id == "" {
		return
	}
	p.late[id] = true
	if a, held := p.athletes[id]; held {
		a.loadFrom(from)
		return
	}
	if from.After(now) {
		from = now // a tick finds it too, should one come first
	}
	if due, waits := p.due[id]; !waits || from.Before(due) {
		p.due[id] = from
	}
}

func (a *athlete) loadFrom(from time.Time) {
	if a.from.IsZero() || from.Before(a.from) {
		a.from = from
	}
	a.reload = true
}

// judge puts what is pending to the analysis and appends what it finds.
func (p *partition) judge(ctx context.Context, now time.Time) error {
	for _, a := range p.touched {
		if err := p.judgeOne(ctx, a, now); err != nil {
			return err
		}
	}
	p.touched = p.touched[:0]
	return nil
}

func (p *partition) judgeOne(ctx context.Context, a *athlete, now time.Time) error {
	var received, earliest time.Time
	for _, c := range a.pending {
		at, taken := a.take(c)
		a.reload = a.reload || !taken
		if earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
		if c.Received.After(received) {
			received = c.Received
		}
	}
	if a.reload && !earliest.IsZero() {
		// What was taken before the first refusal has not been judged yet.
		a.loadFrom(earliest)
	}
	clear(a.pending)
	a.pending, a.queued = a.pending[:0], false
	if received.After(a.seen) {
		a.seen = received
	}
	if a.seen.IsZero() {
		a.seen = now
	}
	for {
		if a.lifter == nil || a.reload {
			if err := p.load(ctx, a, now); err != nil {
				return err
			}
		}
		err := p.evaluate(ctx, a, now, received)
		if !errors.Is(err, journal.ErrDisplaced) {
			return err
		}
	}
}

// take puts one change to the athlete's analysis. It returns from when on the
// change matters, and false where the athlete must be loaded anew.
func (a *athlete) take(c *view.Change) (time.Time, bool) {
	at, moved := span(c)
	switch {
	case a.lifter == nil || a.reload:
		return at, false
	case c.Seq <= a.loaded:
		// The history that was loaded knows of this, and perhaps of what came after.
		return at, !at.Before(a.since)
	case c.Alert != nil || c.Plan != nil || moved:
		return at, false
	case c.CheckIn != nil:
		a.site = c.CheckIn.Site
		return at, a.lifter.PutCheckIn(c.CheckIn)
	}
	a.site = c.Rep.Site
	return at, a.lifter.Put(c.Rep)
}

// span returns from when on a change matters, and whether it moved a rep in time.
func span(c *view.Change) (from time.Time, moved bool) {
	switch {
	case c.CheckIn != nil:
		return c.CheckIn.Time, false
	case c.Plan != nil:
		return c.Plan.At, false
	case c.Alert != nil:
		return c.Alert.Alert.Window.From, false
	case c.Was == nil || c.Was.Time.Equal(c.Rep.Time):
		return c.Rep.Time, false
	case c.Was.Time.Before(c.Rep.Time):
		return c.Was.Time, true
	}
	return c.Rep.Time, true
}

// load reads the athlete's history from the view and the alerts that are in the
// log, and begins a new analysis of them.
func (p *partition) load(ctx context.Context, a *athlete, now time.Time) error {
	// The view must know what this monitor has said of the athlete before.
	if err := p.m.o.View.WaitFor(ctx, a.alertSeq); err != nil {
		return err
	}
	if a.lifter != nil {
		if due := a.lifter.NextDue(); !due.IsZero() {
			a.loadFrom(due) // what time changes, or will change, is not judged yet
		}
	}
	settings := p.m.o.Settings(a.id)
	reps, checkIns := analysis.LoadFrom(a.from, settings.Zone)
	h, err := p.m.o.View.History(ctx, a.id, reps, checkIns)
	if err != nil {
		return err
	}
	a.site, a.alertSeq, a.loaded = h.Site, h.AlertSeq, h.Position
	if h.Tick.After(now) {
		// An alert of the history may be there because of that tick.
		now = h.Tick
	}
	a.lifter = analysis.NewLifter(analysis.History{Site: h.Site, Athlete: a.id, Reps: h.Reps, Logged: h.Logged, CheckIns: h.CheckIns, Plan: h.Plan}, settings, a.from, now)
	for i := range h.Alerts {
		if h.Alerts[i].State != lift.AlertRetracted {
			a.lifter.Known(&h.Alerts[i].Finding)
		}
	}
	a.reload, a.since, a.from = false, a.from, time.Time{}
	p.m.Stats.Loads.Add(1)
	return nil
}

// evaluate appends what has changed for the athlete. With ErrDisplaced the athlete
// has to be loaded and judged again.
func (p *partition) evaluate(ctx context.Context, a *athlete, now, received time.Time) error {
	found, gone := a.lifter.Evaluate(now)
	if len(found)+len(gone) == 0 {
		return nil
	}
	at := p.m.o.Now().UTC()
	changes, expired := make([]lift.AlertChange, 0, 2*len(found)+len(gone)), int64(0)
	for _, id := range gone {
		changes = append(changes, lift.AlertChange{AlertID: id, Verb: lift.AlertRetract, At: at})
	}
	for i := range found {
		found[i].Limits = a.lifter.LimitsFor(&found[i])
		changes = append(changes, lift.AlertChange{AlertID: found[i].ID, Verb: lift.AlertFound, At: at, Finding: &found[i]})
		if analysis.Past(&found[i], now) {
			changes = append(changes, lift.AlertChange{AlertID: found[i].ID, Verb: lift.AlertExpire, At: at})
			expired++
		}
	}
	if _, err := p.append(ctx, a.site, a.id, changes); err != nil {
		return err
	}
	p.m.Stats.Found.Add(int64(len(found)))
	p.m.Stats.Retracted.Add(int64(len(gone)))
	p.m.Stats.Expired.Add(expired)
	if p.m.o.Alerted != nil && !received.IsZero() && len(found) > 0 {
		p.m.o.Alerted(p.m.o.Now().Sub(received))
	}
	return nil
}

// append appends alert changes of one athlete behind the newest known one and
// returns the sequence of the last. On ErrDisplaced the athlete is to be loaded
// again.
func (p *partition) append(ctx context.Context, site lift.SiteID, id lift.AthleteID, changes []lift.AlertChange) (uint64, error) {
	a, ok := p.athletes[id]
	if !ok {
		h, err := p.m.o.View.AlertSeq(ctx, id)
		if err != nil {
			return 0, err
		}
		a = &athlete{id: id, site: site, alertSeq: h}
	}
	for len(changes) > 0 {
		n := min(len(changes), journal.MaxBatch)
		events := make([]journal.Event, n)
		for i := range events {
			events[i] = journal.Event{Kind: journal.KindAlert, Received: changes[i].At, Site: site, Athlete: id, Alert: &changes[i]}
		}
		events[0].ExpectLast = &a.alertSeq
		acks, err := p.m.o.Log.Append(ctx, events...)
		if errors.Is(err, journal.ErrDisplaced) {
			return 0, p.displaced(ctx, a, err)
		}
		if err != nil {
			return 0, fmt.Errorf("append alerts: %w", err)
		}
		a.alertSeq = acks[n-1].Seq
		changes = changes[n:]
	}
	return a.alertSeq, nil
}

// displaced waits until the view knows of whatever another monitor has appended.
func (p *partition) displaced(ctx context.Context, a *athlete, err error) error {
	p.m.Stats.Displaced.Add(1)
	if a.lifter != nil {
		a.loadFrom(a.since)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Millisecond):
	}
	known, readErr := p.m.o.View.AlertSeq(ctx, a.id)
	if readErr != nil {
		return readErr
	}
	a.alertSeq = known
	return err
}

// tick judges the athletes for whom time alone has changed something, and lets go
// of those who have not trained for a while.
func (p *partition) tick(ctx context.Context, now time.Time) error {
	for id, due := range p.due {
		if !due.After(now) {
			p.late[id] = true
		}
	}
	for _, a := range p.athletes {
		if a.lifter == nil {
			continue
		}
		due := a.lifter.NextDue()
		switch {
		case !due.IsZero() && !due.After(now):
			if err := p.judgeOne(ctx, a, now); err != nil {
				return err
			}
		case !a.reload && now.Sub(a.seen) > idle && (due.IsZero() || due.Sub(now) > idle):
			p.letGo(a)
		}
	}
	return nil
}

// letGo forgets an athlete until an event or the time comes that may find
// something.
func (p *partition) letGo(a *athlete) {
	if due := a.lifter.NextDue(); !due.IsZero() {
		p.due[a.id] = due
	}
	delete(p.athletes, a.id)
}

// forget lets go of an athlete who was erased, and of all that was to be judged of
// them: the view knows nothing of it any more.
func (p *partition) forget(id lift.AthleteID) {
	delete(p.athletes, id)
	delete(p.due, id)
	delete(p.late, id)
	p.touched = slices.DeleteFunc(p.touched, func(a *athlete) bool { return a.id == id })
}

// judgeLate judges some of the athletes who have waited, and lets those go again who
// were not in memory.
func (p *partition) judgeLate(ctx context.Context, now time.Time) error {
	n := 0
	for id := range p.late {
		if n++; n > lateAtOnce {
			break
		}
		held, stays := p.athletes[id]
		if _, waits := p.due[id]; waits || stays && held.reload {
			a := p.at(id)
			if err := p.judge(ctx, now); err != nil {
				return err
			}
			if !stays {
				p.letGo(a)
			}
		} // otherwise an event came first
		delete(p.late, id)
	}
	return nil
}
