package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/feed"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// Publish puts a message on MQTT and returns once the broker has taken it.
type Publish func(ctx context.Context, topic string, qos byte, payload []byte) error

// Options of a notifier. Path, View, End, Channels, Publish, Send, Logger and Now are
// required.
type Options struct {
	Path     string // of notify.db
	View     *view.View
	End      func() uint64 // the newest sequence of the log
	Channels *Channels
	Publish  Publish
	Send     Sender
	// Profile is what is known of an athlete, nil where nobody keeps profiles.
	Profile func(lift.AthleteID) (lift.AthleteProfile, bool)
	// CheckInLink makes a link with which an athlete can report; nil makes none.
	CheckInLink func(lift.AthleteID) (string, error)
	// SiteZone is a site's time zone, that of its channels, and of the server with "";
	// AthleteZone an athlete's. Nil means UTC.
	SiteZone    func(lift.SiteID) *time.Location
	AthleteZone func(lift.AthleteID) *time.Location
	PublicURL   string          // under which people reach the server, "" where messages have no links
	Policy      analysis.Policy // the zero value means the default
	// Keep is for how long settled deliveries stay in the delivery log; 0 means 90 days.
	Keep   time.Duration
	Logger *slog.Logger
	Now    func() time.Time
}

const (
	// batchSize is how many changes are decided in one transaction at most.
	batchSize = 1000
	// savedWithin is how many changes may be read that concern nobody until the position
	// is stored all the same.
	savedWithin = 10_000
	// againAfter is how long after a failure of its own file the notifier begins again.
	againAfter = 5 * time.Second
	// defaultKeep is for how long settled deliveries stay in the log.
	defaultKeep = 90 * 24 * time.Hour
)

// Notifier decides and delivers. Run belongs to one goroutine; the other methods may
// be called by any.
type Notifier struct {
	Stats    *Stats
	o        Options
	store    *store
	cues     *cues
	position atomic.Uint64
	saved    uint64

	mu     sync.Mutex
	wakers map[string]chan struct{} // by channel; of the planner with ""
}

// Open opens the outbox. A new one begins at the log's end. Close it after Run has
// returned.
func Open(ctx context.Context, o Options) (*Notifier, error) {
	if o.SiteZone == nil {
		o.SiteZone = func(lift.SiteID) *time.Location { return time.UTC }
	}
	if o.AthleteZone == nil {
		o.AthleteZone = func(lift.AthleteID) *time.Location { return time.UTC }
	}
	if o.Policy == (analysis.Policy{}) {
		o.Policy = analysis.DefaultPolicy()
	}
	if o.Keep == 0 {
		o.Keep = defaultKeep
	}
	if o.Profile == nil {
		o.Profile = func(lift.AthleteID) (lift.AthleteProfile, bool) { return lift.AthleteProfile{}, false }
	}
	store, fresh, err := openStore(ctx, o.Path)
	if err != nil {
		return nil, err
	}
	n := &Notifier{Stats: newStats(), o: o, store: store, wakers: map[string]chan struct{}{}}
	n.cues = newCues(o.Publish, o.Logger)
	pos, known, err := store.position(ctx)
	if err != nil {
		return nil, errors.Join(err, store.close())
	}
	if end := o.End(); fresh || !known || pos > end {
		if known && !fresh {
			// What comes next will have the sequences that were lost.
			o.Logger.Warn("the log has lost its end: more was told than it knows", "position", pos, "end", end)
		}
		pos = end
		err = store.in(ctx, func(tx *sql.Tx) error { return savePosition(ctx, tx, pos) })
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open outbox: %w", err), store.close())
		}
	}
	n.position.Store(pos)
	n.saved = pos
	return n, nil
}

// Close frees the file.
func (n *Notifier) Close() error { return n.store.close() }

// Position is the log's sequence up to which everything has been decided.
func (n *Notifier) Position() uint64 { return n.position.Load() }

func (n *Notifier) now() time.Time { return n.o.Now().UTC() }

// Run decides and delivers until the context ends, whose error it returns. What goes
// wrong with the outbox is logged and tried again: nobody else shall stop for it.
func (n *Notifier) Run(ctx context.Context) error {
	for {
		group, running := errgroup.WithContext(ctx)
		group.Go(func() error { return n.follow(running) })
		group.Go(func() error { return n.plan(running) })
		group.Go(func() error { return n.work(running) })
		group.Go(func() error { return n.cues.run(running) })
		err := group.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n.o.Logger.Error("delivery has stopped and begins again", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(againAfter):
		}
	}
}

// follow decides what comes next in the log.
func (n *Notifier) follow(ctx context.Context) error {
	var changes []view.Change
	read := n.Position()
	for {
		var err error
		changes, next, err := n.o.View.Changes().Read(ctx, read, batchSize, changes[:0])
		switch {
		case errors.Is(err, feed.ErrTooOld):
			next, err = n.catchUp(ctx, read)
		case err == nil:
			err = n.take(ctx, changes, next)
		}
		if err != nil {
			return err
		}
		read = next
		n.position.Store(read)
	}
}

// take decides the changes.
func (n *Notifier) take(ctx context.Context, changes []view.Change, next uint64) error {
	now := n.now()
	var steps []view.AlertStep
	for i := range changes {
		c := &changes[i]
		switch {
		case c.Alert != nil:
			steps = append(steps, *c.Alert)
			n.cues.alert(c.Alert, now)
		case c.Rep != nil:
			n.cues.rep(c.Rep, now)
		case !c.Tick.IsZero():
			n.cues.tick(now)
		}
	}
	if len(steps) == 0 && next-n.saved < savedWithin {
		return nil
	}
	return n.decideAll(ctx, steps, next, now)
}

// catchUp decides the steps of alerts after a position that the view's feed no longer
// holds.
func (n *Notifier) catchUp(ctx context.Context, pos uint64) (uint64, error) {
	end := n.o.View.Position()
	steps, err := n.o.View.AlertStepsAfter(ctx, pos, batchSize)
	if err != nil {
		return pos, fmt.Errorf("catch up: %w", err)
	}
	if len(steps) == batchSize {
		end = steps[len(steps)-1].Seq
	} else if len(steps) > 0 {
		end = max(end, steps[len(steps)-1].Seq)
	}
	return end, n.decideAll(ctx, steps, end, n.now())
}

func (n *Notifier) decideAll(ctx context.Context, steps []view.AlertStep, next uint64, now time.Time) error {
	channels := n.o.Channels.List()
	err := n.store.in(ctx, func(tx *sql.Tx) error {
		d := decision{n: n, ctx: ctx, tx: tx, channels: channels, now: now}
		for i := range steps {
			if err := d.step(&steps[i]); err != nil {
				return err
			}
		}
		return savePosition(ctx, tx, next)
	})
	if err != nil {
		return fmt.Errorf("decide what is told: %w", err)
	}
	n.saved = next
	if len(steps) > 0 {
		n.wakeAll()
	}
	return nil
}

// waker is what wakes the worker of a channel, or the planner.
func (n *Notifier) waker(channel string) chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	w, ok := n.wakers[channel]
	if !ok {
		w = make(chan struct{}, 1)
		n.wakers[channel] = w
	}
	return w
}

func (n *Notifier) wakeAll()     { n.wakeIf(func(string) bool { return true }) }
func (n *Notifier) wakeWorkers() { n.wakeIf(func(who string) bool { return who != "" }) }

func (n *Notifier) wakeIf(wanted func(string) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for who, w := range n.wakers {
		if !wanted(who) {
			continue
		}
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

func (n *Notifier) teams(a lift.AthleteID) []lift.TeamID {
	profile, _ := n.o.Profile(a)
	return profile.Teams
}

// link is where people read an alert.
func (n *Notifier) link(alert string) string {
	if n.o.PublicURL == "" {
		return ""
	}
	return n.o.PublicURL + "/?alert=" + alert
}

// Channels are those that are told.
func (n *Notifier) Channels() *Channels { return n.o.Channels }

// TestResult is what the other side said to a test.
type TestResult struct {
	OK     bool   `json:"ok"`
	Answer string `json:"answer"` // the other side's words, or why there is no answer
	TookMs int64  `json:"took_ms"`
}

// Test sends a test to a channel at once, disabled or not, and returns what the other
// side said, or ErrUnknown.
func (n *Notifier) Test(ctx context.Context, id string) (TestResult, error) {
	c, err := n.o.Channels.Channel(id)
	if err != nil {
		return TestResult{}, err
	}
	began := n.now()
	m := &Message{
		ID: "ms_" + lift.Digest("test", id, began.Format(time.RFC3339Nano)), Type: TypeTest, Time: began,
		Title: "Spotter test", Text: "This channel works. Nothing has happened.\n",
	}
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	answer, err := n.o.Send(ctx, &c, m)
	result := TestResult{OK: err == nil, Answer: answer, TookMs: n.now().Sub(began).Milliseconds()}
	if err != nil {
		result.Answer = err.Error()
	}
	return result, nil
}
