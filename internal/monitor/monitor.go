// Package monitor feeds the analysis from the view's changes and appends what it
// finds to the log.
//
// # Guarantees
//
//  1. An alert is in the log before the position that led to it is stored: after a
//     crash the same changes are judged again, and find what is already there.
//  2. An athlete is judged on everything that the view knows of them; nothing is
//     retracted while the view is behind the monitor's own position.
//  3. Alerts of one athlete are appended with the sequence of the athlete's newest
//     alert: of two monitors, one is refused and reads again.
//
// The monitor holds one analysis.Lifter for each athlete who trained lately,
// spread over partitions that work in parallel.
package monitor

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/feed"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// follower is the name under which the position is stored.
const follower = "monitor"

// timeFollower is the name under which the newest tick is stored that was judged, in
// seconds since 1970: events may come long after it, and a week may end in between.
const timeFollower = "monitor-time"

const (
	// batchSize is how many changes are judged together at most.
	batchSize = 4096
	// idle is after how long without an event an athlete is let go from memory.
	idle = time.Hour
	// waiting is how long after an athlete's last event time alone can still find
	// something: a hold ends, or should have, within four weeks.
	waiting = 5 * 7 * 24 * time.Hour
	// saveEvery is how often the position is stored.
	saveEvery = time.Second
	// expireAtOnce bounds how many alerts one tick closes.
	expireAtOnce = 2000
	// lateAtOnce is how many athletes who are not in memory a partition judges
	// before it looks for news.
	lateAtOnce = 8
	// moreRows is how long after a row of a file the next one is waited for.
	moreRows = 250 * time.Millisecond
)

// Log is what the monitor needs of the log.
type Log interface {
	Follow(after uint64) *journal.Follower
	Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error)
	LoadPosition(ctx context.Context, follower string) (uint64, error)
	SavePosition(ctx context.Context, follower string, seq uint64) error
}

// Options of a monitor.
type Options struct {
	Log      Log
	View     *view.View
	Settings func(lift.AthleteID) analysis.Settings
	Logger   *slog.Logger
	Now      func() time.Time
	// Alerted, where set, is told for each alert that opened or changed how long
	// after the receipt of the newest event behind it that was in the log.
	Alerted func(time.Duration)
}

// Stats are totals since the program started.
type Stats struct {
	Changes   atomic.Int64
	Found     atomic.Int64
	Retracted atomic.Int64
	Expired   atomic.Int64
	Loads     atomic.Int64 // athletes read from the view
	Displaced atomic.Int64
	Lifters   atomic.Int64 // athletes in memory
}

// Monitor judges. Run belongs to one goroutine.
type Monitor struct {
	Stats      Stats
	o          Options
	partitions []*partition
	seed       maphash.Seed
	position   atomic.Uint64
	saved      time.Time
	savedTick  time.Time
	ticked     time.Time // up to which everything that time finds is judged
	newest     time.Time // the newest tick: the time given to the analysis

	fileRead bool            // rows of a file have come since that was looked at
	more     context.Context // while it lasts, more of a file is waited for before any of it is judged
	enough   context.CancelFunc
}

// New returns a monitor that does nothing until it is Run.
func New(o Options) *Monitor {
	m := &Monitor{o: o, seed: maphash.MakeSeed()}
	for range max(2, runtime.GOMAXPROCS(0)) {
		m.partitions = append(m.partitions, &partition{m: m, athletes: map[lift.AthleteID]*athlete{}, due: map[lift.AthleteID]time.Time{}, late: map[lift.AthleteID]bool{}})
	}
	return m
}

// Position is the log's sequence up to which everything has been judged.
func (m *Monitor) Position() uint64 { return m.position.Load() }

func (m *Monitor) partition(a lift.AthleteID) *partition {
	return m.partitions[maphash.String(m.seed, string(a))%uint64(len(m.partitions))]
}

// Run judges until the context ends or the log or view fails.
func (m *Monitor) Run(ctx context.Context) (err error) {
	pos, err := m.o.Log.LoadPosition(ctx, follower)
	if err != nil {
		return fmt.Errorf("monitor: %w", err)
	}
	if end := m.o.Log.Follow(pos).End(); pos > end {
		// What comes next will have the sequences that were lost.
		m.o.Logger.Warn("the log has lost its end: it was judged further than it goes", "position", pos, "end", end)
		pos = end
	}
	m.position.Store(pos)
	if err := m.o.View.WaitFor(ctx, pos); err != nil {
		return err
	}
	// Time does not go back over a restart: a finished set stays finished.
	if m.newest, err = m.o.View.LastTick(ctx); err != nil {
		return fmt.Errorf("monitor: %w", err)
	}
	if err := m.resume(ctx, pos); err != nil {
		return fmt.Errorf("monitor: %w", err)
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		m.saved = time.Time{}
		err = errors.Join(err, m.save(stopping))
	}()
	m.more, m.enough = context.WithCancel(ctx)
	m.enough()
	defer func() { m.enough() }()
	var changes []view.Change
	read := pos
	for {
		// What happens now goes before what time has found for those not in memory, and
		// before what was read from files.
		_, newest := m.o.View.Changes().Span()
		switch {
		case newest > read || !m.late():
			changes, read, err = m.follow(ctx, read, changes[:0])
			m.expectMore(ctx)
		case m.more.Err() == nil:
			if m.o.View.WaitFor(m.more, read+1) != nil {
				err = ctx.Err()
			}
		default:
			err = m.each(ctx, func(ctx context.Context, p *partition) error { return p.judgeLate(ctx, m.newest) })
		}
		if err != nil {
			return err
		}
		if m.late() {
			continue // after a crash the tick must come again
		}
		m.position.Store(read)
		if err := m.save(ctx); err != nil {
			return err
		}
	}
}

// follow judges what comes next and returns how far it has read.
func (m *Monitor) follow(ctx context.Context, read uint64, changes []view.Change) ([]view.Change, uint64, error) {
	changes, next, err := m.o.View.Changes().Read(ctx, read, batchSize, changes)
	if errors.Is(err, feed.ErrTooOld) {
		next, err = m.catchUp(ctx, read)
	} else if err == nil {
		err = m.judge(ctx, changes)
	}
	return changes, next, err
}

// late reports whether somebody waits who is judged when nothing else happens.
func (m *Monitor) late() bool {
	for _, p := range m.partitions {
		if len(p.late) > 0 {
			return true
		}
	}
	return false
}

func (m *Monitor) save(ctx context.Context) error {
	now := m.o.Now()
	if now.Sub(m.saved) < saveEvery {
		return nil
	}
	m.saved = now
	if err := m.o.Log.SavePosition(ctx, follower, m.position.Load()); err != nil {
		return fmt.Errorf("monitor: %w", err)
	}
	if m.ticked.After(m.savedTick) {
		if err := m.o.Log.SavePosition(ctx, timeFollower, uint64(m.ticked.Unix())); err != nil {
			return fmt.Errorf("monitor: %w", err)
		}
		m.savedTick = m.ticked
	}
	return nil
}

// resume loads the athletes who were in memory when the position was stored, so
// that time alone can finish their sets, however long ago that was. Those who were
// there in the weeks before are looked at when the next day begins. Both are judged
// from the newest tick before on: what ended since, nobody has looked at.
func (m *Monitor) resume(ctx context.Context, pos uint64) error {
	if pos == 0 {
		return nil
	}
	entries, err := m.o.Log.Follow(pos-1).Next(ctx, 1)
	if err != nil {
		return err
	}
	received := entries[0].Received
	seconds, err := m.o.Log.LoadPosition(ctx, timeFollower)
	if err != nil {
		return err
	}
	if m.ticked = received; seconds > 0 && time.Unix(int64(seconds), 0).Before(received) {
		m.ticked = time.Unix(int64(seconds), 0).UTC()
	}
	m.savedTick = m.ticked
	athletes, err := m.o.View.Athletes(ctx, received.Add(-idle))
	if err != nil {
		return err
	}
	touched := make(map[lift.AthleteID]time.Time, len(athletes))
	for _, a := range athletes {
		touched[a.ID] = earlier(received.Add(-idle), m.ticked)
	}
	before, err := m.o.View.Athletes(ctx, m.ticked.Add(-waiting))
	if err != nil {
		return err
	}
	for _, a := range before {
		if _, ok := touched[a.ID]; !ok {
			m.partition(a.ID).due[a.ID] = analysis.NextDay(m.ticked, m.o.Settings(a.ID).Zone)
		}
	}
	return m.reload(ctx, touched)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// judge hands the changes to the partitions of their athletes.
func (m *Monitor) judge(ctx context.Context, changes []view.Change) error {
	m.Stats.Changes.Add(int64(len(changes)))
	ticked := false
	for i := range changes {
		c := &changes[i]
		switch {
		case c.Logged != nil:
			m.postpone(c.Logged.Athlete, c.Logged.Time)
			if c.WasLogged != nil {
				m.postpone(c.WasLogged.Athlete, c.WasLogged.Time)
			}
		case c.Rep != nil && c.Rep.Source == lift.SourceImported:
			m.postpone(c.Rep.Athlete, c.Rep.Time)
			if c.Was != nil {
				m.postpone(c.Was.Athlete, c.Was.Time)
			}
		case c.Rep != nil:
			m.partition(c.Rep.Athlete).add(c.Rep.Athlete, c)
			if c.Was != nil && c.Was.Athlete != c.Rep.Athlete {
				m.partition(c.Was.Athlete).add(c.Was.Athlete, c)
			}
		case c.CheckIn != nil:
			m.partition(c.CheckIn.Athlete).add(c.CheckIn.Athlete, c)
		case c.Plan != nil:
			m.partition(c.Plan.Athlete).add(c.Plan.Athlete, c)
		case c.Record != nil:
			if err := m.settle(ctx, c.Record); err != nil {
				return err
			}
		case c.Alert != nil && (c.Alert.Verb == lift.AlertFound || c.Alert.Verb == lift.AlertRetract):
			m.partition(c.Alert.Alert.Athlete).hear(c)
		case c.Erase != "":
			m.partition(c.Erase).forget(c.Erase)
		case !c.Tick.IsZero():
			ticked = true
			if c.Tick.After(m.newest) {
				m.newest = c.Tick
			}
		}
	}
	if err := m.each(ctx, func(ctx context.Context, p *partition) error { return p.judge(ctx, m.newest) }); err != nil {
		return err
	}
	if !ticked {
		return nil
	}
	return m.tick(ctx)
}

// expectMore lets more of a file be waited for, where some of it has come.
func (m *Monitor) expectMore(ctx context.Context) {
	if m.fileRead {
		m.enough()
		m.more, m.enough = context.WithTimeout(ctx, moreRows)
		m.fileRead = false
	}
}

// postpone lets what was read from a file wait until nothing else happens.
func (m *Monitor) postpone(id lift.AthleteID, at time.Time) {
	m.fileRead = true
	m.partition(id).postpone(id, at, m.newest)
}

// tick judges what time alone has changed.
func (m *Monitor) tick(ctx context.Context) error {
	if err := m.each(ctx, func(ctx context.Context, p *partition) error { return p.tick(ctx, m.newest) }); err != nil {
		return err
	}
	m.ticked = m.newest
	return m.expire(ctx, m.newest)
}

// each runs f for every partition that has something to do, in parallel.
func (m *Monitor) each(ctx context.Context, f func(context.Context, *partition) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range m.partitions {
		group.Go(func() error { return f(ctx, p) })
	}
	err := group.Wait()
	lifters := 0
	for _, p := range m.partitions {
		lifters += len(p.athletes)
	}
	m.Stats.Lifters.Store(int64(lifters))
	return err
}

// reload judges the athletes anew from the view, each from the given time on.
func (m *Monitor) reload(ctx context.Context, touched map[lift.AthleteID]time.Time) error {
	for a, from := range touched {
		if a != "" {
			m.partition(a).want(a, from)
		}
	}
	return m.each(ctx, func(ctx context.Context, p *partition) error { return p.judge(ctx, m.newest) })
}

// settle lets the athletes be judged anew whose settings a record may have changed.
// What is dated holds from the change on; what is a fact about the athlete holds for
// everything that is judged.
func (m *Monitor) settle(ctx context.Context, r *lift.Record) error {
	if r.Kind == lift.OfDevice {
		return nil
	}
	if r.Kind == lift.OfAthlete {
		id := lift.AthleteID(r.ID)
		m.partition(id).want(id, r.At.Add(-analysis.Lookback))
		return nil
	}
	athletes, err := m.o.View.Athletes(ctx, r.At.Add(-waiting))
	if err != nil {
		return err
	}
	for _, a := range athletes {
		m.partition(a.ID).await(a.ID, r.At, m.newest)
	}
	return nil
}

// expire closes the alerts whose window is long past.
func (m *Monitor) expire(ctx context.Context, now time.Time) error {
	for _, kind := range []lift.WindowKind{lift.WindowSet, lift.WindowSession, lift.WindowWeek, lift.WindowEpisode} {
		after, ok := analysis.ExpiresAfter(kind)
		if !ok {
			continue
		}
		// What is left over is taken with the next tick.
		alerts, err := m.o.View.Unexpired(ctx, kind, now.Add(-after), analysis.NeverExpire(), expireAtOnce)
		if err != nil {
			return err
		}
		byAthlete := map[lift.AthleteID][]lift.AlertChange{}
		sites := map[lift.AthleteID]lift.SiteID{}
		for _, a := range alerts {
			byAthlete[a.Athlete] = append(byAthlete[a.Athlete], lift.AlertChange{AlertID: a.ID, Verb: lift.AlertExpire, At: now})
			sites[a.Athlete] = a.Site
		}
		for id, changes := range byAthlete {
			_, err := m.partition(id).append(ctx, sites[id], id, changes)
			if errors.Is(err, journal.ErrDisplaced) {
				continue // with the next tick
			}
			if err != nil {
				return err
			}
			m.Stats.Expired.Add(int64(len(changes)))
		}
	}
	return nil
}

// catchUp judges what the log has after the position, where the view's feed no
// longer holds it, by loading each athlete concerned.
func (m *Monitor) catchUp(ctx context.Context, pos uint64) (uint64, error) {
	entries, err := m.o.Log.Follow(pos).Next(ctx, journal.MaxBatch)
	if err != nil {
		return pos, fmt.Errorf("monitor: %w", err)
	}
	next := entries[len(entries)-1].Seq
	if err := m.o.View.WaitFor(ctx, next); err != nil {
		return pos, err
	}
	touched := map[lift.AthleteID]time.Time{}
	note := func(a lift.AthleteID, at time.Time) {
		if known, ok := touched[a]; !ok || at.Before(known) {
			touched[a] = at
		}
	}
	var ids []string
	ticked := false
	for i := range entries {
		switch e := &entries[i]; e.Kind {
		case journal.KindRep:
			ids = append(ids, lift.RepID(e.Site, e.Device, e.Rep.BootID, e.Rep.Seq))
		case journal.KindSetLogged:
			m.postpone(e.Athlete, e.Logged.Time)
		case journal.KindCheckIn:
			note(e.Athlete, e.CheckIn.Time)
		case journal.KindPlan:
			note(e.Athlete, e.Plan.At)
		case journal.KindRecord:
			if err := m.settle(ctx, e.Record); err != nil {
				return pos, err
			}
		case journal.KindErase:
			delete(touched, e.Athlete)
			m.partition(e.Athlete).forget(e.Athlete)
		case journal.KindTick:
			ticked = true
			if e.Minute.After(m.newest) {
				m.newest = e.Minute
			}
		}
	}
	moves, err := m.o.View.Moves(ctx, pos, next)
	if err != nil {
		return pos, err
	}
	for _, move := range moves {
		if move.RepID == "" { // a logged set
			m.postpone(move.Athlete, move.PointTime)
			continue
		}
		note(move.Athlete, move.PointTime)
		ids = append(ids, move.RepID)
	}
	reps, err := m.o.View.RepsByID(ctx, ids)
	if err != nil {
		return pos, err
	}
	for i := range reps {
		if r := &reps[i]; r.Source == lift.SourceImported {
			m.postpone(r.Athlete, r.Time)
		} else {
			note(r.Athlete, r.Time)
		}
	}
	if err := m.reload(ctx, touched); err != nil || !ticked {
		return next, err
	}
	return next, m.tick(ctx)
}
