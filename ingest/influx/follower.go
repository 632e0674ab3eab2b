package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	// maxLines is how many lines one request holds at most.
	maxLines = 5000
	// maxChunks is how many chunks of samples are read from the log at a time.
	maxChunks = 20
	// saveEvery is how long to wait between two saves of a position.
	saveEvery = time.Second
	// behind is how many events a follower may lag and still derive sets and weeks
	// at each tick. Further back it would derive the same ones over and over.
	behind = 20_000
	// maxUnderived is after how many events sets and weeks are derived all the same,
	// so that a restart repeats no more than these.
	maxUnderived = 500_000
)

// Training is what sets and weeks are derived from, in the order of time.
type Training struct {
	Reps   []lift.RepRecord
	Logged []lift.LoggedSet
}

// Options of a follower. The fields without a default are required.
type Options struct {
	URL string // of the server, such as http://localhost:8086
	// Token is for 2.x one that may read and write both buckets, for 1.8
	// user:password; empty without authentication.
	Token  string
	Org    string // 2.x only
	Bucket string // 1.8: the database. Samples go to the one named Bucket + "_samples"

	Log  *journal.Log
	View *view.View
	// Sets cuts one athlete's training into sets.
	Sets func(lift.AthleteID, Training) []lift.Set
	// Weeks adds up one athlete's training; now is the time of the newest event.
	Weeks func(athlete lift.AthleteID, t Training, now time.Time) []lift.Week
	// Plan tells what holds for one athlete's deadlifts at a time.
	Plan func(ctx context.Context, athlete lift.AthleteID, at time.Time) (Plan, error)
	// Lookback is how far before its Monday a week's baseline reaches. Default: 8 weeks.
	Lookback time.Duration
	Logger   *slog.Logger

	// Pace is the shortest time between two requests while events trickle in, so
	// that they are written together. Default: 200 ms.
	Pace time.Duration
	// HTTP sends the requests. Default: a client with a timeout of 30 s.
	HTTP *http.Client
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Wait returns after d or, with its error, when the context ends.
	Wait func(ctx context.Context, d time.Duration) error
	// Jitter returns numbers in [0, 1), for several goroutines. Default: random.
	Jitter func() float64
}

func (o Options) filled() (Options, error) {
	var missing []error
	for _, required := range []struct {
		name  string
		given bool
	}{
		{"URL", o.URL != ""}, {"Bucket", o.Bucket != ""}, {"Log", o.Log != nil}, {"View", o.View != nil},
		{"Sets", o.Sets != nil}, {"Weeks", o.Weeks != nil}, {"Plan", o.Plan != nil}, {"Logger", o.Logger != nil},
	} {
		if !required.given {
			missing = append(missing, fmt.Errorf("influx option %s is missing", required.name))
		}
	}
	if o.Lookback == 0 {
		o.Lookback = 8 * 7 * 24 * time.Hour
	}
	if o.Pace == 0 {
		o.Pace = 200 * time.Millisecond
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	return o, errors.Join(missing...)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Follower writes the log to InfluxDB. Run may be called once; Stats and Erase by
// any goroutine, also while it runs.
type Follower struct {
	Options
	server  *server
	events  *track
	samples *track
}

// New returns a follower that has not connected yet, or an error for each option
// that is missing.
func New(o Options) (*Follower, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	f := &Follower{Options: o, server: newServer(&o)}
	f.events = newTrack(f, "influx", o.Bucket)
	f.samples = newTrack(f, "influx-samples", o.Bucket+"_samples")
	return f, nil
}

// Run follows the log until the context ends, and returns its error, or until the
// log or the view cannot be read or written any more. It never ends because of
// the server.
func (f *Follower) Run(ctx context.Context) error {
	defer f.server.client.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return f.followEvents(ctx) })
	g.Go(func() error { return f.followSamples(ctx) })
	return g.Wait()
}

func (f *Follower) followEvents(ctx context.Context) error {
	t := f.events
	pos, err := f.Log.LoadPosition(ctx, t.name)
	if err != nil {
		return err
	}
	pending := newChanges(pos, time.Time{})
	return t.follow(ctx, f.Log.Follow(pos), maxLines, func(entries []journal.Entry, after, upTo uint64) (uint64, error) {
		if err := f.View.WaitFor(ctx, upTo); err != nil {
			return 0, err
		}
		lines, err := f.lines(ctx, entries, after, upTo, &pending)
		if err != nil {
			return 0, err
		}
		if err := t.write(ctx, lines); err != nil {
			return 0, err
		}
		lagging := t.end()-upTo > behind
		if pending.ticked && !lagging || upTo-pending.derived > maxUnderived {
			if err := f.derive(ctx, &pending, upTo); err != nil {
				return 0, err
			}
		}
		if pending.none() {
			pending.derived = upTo
		}
		return pending.derived, nil
	})
}

func (f *Follower) followSamples(ctx context.Context) error {
	t := f.samples
	pos, err := f.Log.LoadPosition(ctx, t.name)
	if err != nil {
		return err
	}
	return t.follow(ctx, f.Log.FollowSamples(pos), maxChunks, func(entries []journal.Entry, _, upTo uint64) (uint64, error) {
		// Whoever is assigned before the samples arrive is in the log by now.
		if err := f.View.WaitFor(ctx, f.Log.LastSeq()); err != nil {
			return 0, err
		}
		var lines []line
		for i := range entries {
			e := &entries[i]
			who, err := f.View.AssignmentAt(ctx, e.Site, e.Device, e.Samples.Time)
			if err != nil {
				return 0, err
			}
			lines = appendSamples(lines, e, &who)
		}
		return upTo, t.write(ctx, lines)
	})
}
