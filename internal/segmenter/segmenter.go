package segmenter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	follower = "segmenter" // its position's name in the log
	// maxChunks is how many chunks are read from the log at a time.
	maxChunks = 200
	saveEvery = time.Second
	// round is how long to wait for chunks before looking for bars that are silent.
	round = 2 * time.Second
	// silence is after how long without a chunk a bar's set is taken to be over.
	silence = 10 * time.Second
	// gone is after how long without a chunk a bar is forgotten.
	gone = time.Minute
	// patience is how long an append may take, and retry how long to wait after one
	// that failed.
	patience = 30 * time.Second
	retry    = 500 * time.Millisecond
	// old is how long before its receipt a rep must have been to be a backlog's.
	old = 10 * time.Minute
)

// Options of a segmenter. All fields but Admit are required.
type Options struct {
	Log  *journal.Log
	View *view.View
	// Exercise looks an exercise up.
	Exercise func(lift.ExerciseID) (lift.Exercise, bool)
	// Admit leaves out what may not be stored; nil admits all.
	Admit  func(context.Context, []journal.Event) []journal.Event
	Logger *slog.Logger
	Now    func() time.Time
}

// Stats are totals since the program started, but for Bars and Lag.
type Stats struct {
	Chunks        atomic.Int64
	Reps          atomic.Int64 // appended
	Known         atomic.Int64 // found, and told by the device or appended before
	Dropped       atomic.Int64 // spanned a gap
	Implausible   atomic.Int64 // outside of the limits of a rep
	Gaps          atomic.Int64
	Repeated      atomic.Int64 // chunks that came again, or too late
	FailedAppends atomic.Int64
	Bars          atomic.Int64 // in memory
	Lag           atomic.Int64 // chunks still to be read
}

// Segmenter finds reps. Run belongs to one goroutine; Stats may be read by any.
type Segmenter struct {
	Stats Stats
	o     Options
	bars  map[key]*bar
	saved time.Time
}

// New returns a segmenter that does nothing until it is Run.
func New(o Options) *Segmenter { return &Segmenter{o: o, bars: map[key]*bar{}} }

// Run finds reps until the context ends, and returns its error, or until the log or
// the view cannot be read.
func (s *Segmenter) Run(ctx context.Context) (err error) {
	pos, err := s.o.Log.LoadPosition(ctx, follower)
	if err != nil {
		return fmt.Errorf("segmenter: %w", err)
	}
	samples := s.o.Log.FollowSamples(pos)
	if end := samples.End(); pos > end {
		s.o.Logger.Warn("the log has lost the end of its samples", "position", pos, "end", end)
		samples = s.o.Log.FollowSamples(end)
	}
	safe := samples.Position()
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		s.saved = time.Time{}
		err = errors.Join(err, s.save(stopping, safe))
	}()
	for {
		entries, err := next(ctx, samples)
		if err != nil {
			return fmt.Errorf("segmenter: %w", err)
		}
		// What was assigned before the samples came, and what was found before a
		// restart, is in the view from here on.
		if err := s.o.View.WaitFor(ctx, s.o.Log.LastSeq()); err != nil {
			return err
		}
		if err := s.handle(ctx, entries); err != nil {
			return err
		}
		s.Stats.Lag.Store(int64(samples.End() - samples.Position()))
		s.Stats.Bars.Store(int64(len(s.bars)))
		safe = s.safe(samples.Position())
		if err := s.save(ctx, safe); err != nil {
			return err
		}
	}
}

// next returns the next chunks, or none after a round without any.
func next(ctx context.Context, samples *journal.Follower) ([]journal.Entry, error) {
	waiting, cancel := context.WithTimeout(ctx, round)
	defer cancel()
	entries, err := samples.Next(waiting, maxChunks)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return entries, err
}

// handle feeds the chunks to their bars and appends what they find.
func (s *Segmenter) handle(ctx context.Context, entries []journal.Entry) error {
	now := s.o.Now()
	var found []journal.Event
	for i := range entries {
		e := &entries[i]
		s.Stats.Chunks.Add(1)
		k := key{e.Site, e.Device, e.Samples.BootID}
		b := s.bars[k]
		if b == nil {
			b = newBar(k)
			s.bars[k] = b
		}
		if err := s.gate(ctx, b, e.Samples.Time); err != nil {
			return err
		}
		found = append(found, s.events(b, b.feed(e, now))...)
	}
	for k, b := range s.bars {
		if now.Sub(b.fed) < silence {
			continue
		}
		found = append(found, s.events(b, b.machine.Flush())...)
		if now.Sub(b.fed) >= gone {
			delete(s.bars, k)
		}
	}
	return s.append(ctx, found)
}

// events makes events of the reps that are plausible.
func (s *Segmenter) events(b *bar, reps []lift.Rep) []journal.Event {
	stats := b.machine.Stats
	s.Stats.Dropped.Add(int64(stats.Dropped - b.counted.Dropped))
	s.Stats.Gaps.Add(int64(stats.Gaps - b.counted.Gaps))
	s.Stats.Repeated.Add(int64(stats.Repeated - b.counted.Repeated))
	b.counted = stats
	var all []journal.Event
	for i := range reps {
		r := &reps[i]
		r.Historical = b.received.Sub(r.Time) > old
		if err := r.Validate(b.received); err != nil {
			s.Stats.Implausible.Add(1)
			continue
		}
		all = append(all, journal.Event{Kind: journal.KindRep, Received: b.received, Site: b.site, Device: b.device, Rep: r})
	}
	return all
}

// append stores what the view does not know yet, trying until it succeeds or the
// context ends.
func (s *Segmenter) append(ctx context.Context, found []journal.Event) error {
	var events []journal.Event
	for i := range found {
		e := &found[i]
		told, err := s.o.View.Told(ctx, e.Site, e.Device, e.Rep)
		if err != nil {
			return fmt.Errorf("segmenter: %w", err)
		}
		if told {
			s.Stats.Known.Add(1)
			continue
		}
		events = append(events, *e)
	}
	if s.o.Admit != nil {
		events = s.o.Admit(ctx, events)
	}
	for len(events) > 0 {
		n := min(len(events), journal.MaxBatch)
		attempt, cancel := context.WithTimeout(ctx, patience)
		_, err := s.o.Log.Append(attempt, events[:n]...)
		cancel()
		switch {
		case err == nil:
			s.Stats.Reps.Add(int64(n))
			events = events[n:]
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			s.Stats.FailedAppends.Add(1)
			s.o.Logger.Error("found reps cannot be appended; trying again", "error", err)
			if err := wait(ctx, retry); err != nil {
				return err
			}
		}
	}
	return nil
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

// safe is from where a restart must read again, everything up to read being handled:
// before the oldest chunk that a bar still needs.
func (s *Segmenter) safe(read uint64) uint64 {
	for _, b := range s.bars {
		if seq, ok := b.needs(); ok {
			read = min(read, seq-1)
		}
	}
	return read
}

func (s *Segmenter) save(ctx context.Context, pos uint64) error {
	now := s.o.Now()
	if now.Sub(s.saved) < saveEvery {
		return nil
	}
	s.saved = now
	if err := s.o.Log.SavePosition(ctx, follower, pos); err != nil {
		return fmt.Errorf("segmenter: %w", err)
	}
	return nil
}
