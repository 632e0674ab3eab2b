package influx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
)

// track is one stream's way from the log to its bucket. follow belongs to one
// goroutine; lag and hold may be called by any.
type track struct {
	*Follower
	name   string // of its position in the log
	bucket string
	// busy holds one value while a batch is being read and written.
	busy chan struct{}

	mu       sync.Mutex
	follower *journal.Follower
	pos      uint64
	since    time.Time // when the oldest event that is not written was received

	saved   uint64
	savedAt time.Time
}

func newTrack(f *Follower, name, bucket string) *track {
	return &track{Follower: f, name: name, bucket: bucket, busy: make(chan struct{}, 1)}
}

// follow hands batches of up to max entries to handle, with the positions before
// and after them. handle returns up to where nothing has to be repeated after a
// restart, and that is saved.
func (t *track) follow(ctx context.Context, follower *journal.Follower, max int, handle func(entries []journal.Entry, after, upTo uint64) (uint64, error)) error {
	pos := follower.Position()
	t.mu.Lock()
	t.follower, t.pos, t.saved = follower, pos, pos
	t.mu.Unlock()
	safe := pos
	defer func() {
		// A clean stop repeats nothing; the log may be closing, and then it repeats
		// a second's worth.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = t.save(last, safe)
	}()
	for {
		entries, err := follower.Next(ctx, max)
		if err != nil {
			return fmt.Errorf("follow log into influx: %w", err)
		}
		began := t.Now()
		t.reading(entries[0].Received)
		release, err := t.hold(ctx)
		if err != nil {
			return err
		}
		next, err := handle(entries, pos, follower.Position())
		release()
		if err != nil {
			return fmt.Errorf("write log to influx: %w", err)
		}
		pos, safe = follower.Position(), next
		t.reached(pos, entries[len(entries)-1].Received)
		if t.Now().Sub(t.savedAt) >= saveEvery {
			if err := t.save(ctx, safe); err != nil {
				return err
			}
		}
		if rest := t.Pace - t.Now().Sub(began); rest > 0 && len(entries) < max/2 {
			if err := t.Wait(ctx, rest); err != nil {
				return err
			}
		}
	}
}

// hold waits until no batch is under way and keeps the next from beginning until
// release is called.
func (t *track) hold(ctx context.Context) (release func(), err error) {
	select {
	case t.busy <- struct{}{}:
		return func() { <-t.busy }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t *track) save(ctx context.Context, pos uint64) error {
	if pos == t.saved {
		return nil
	}
	if err := t.Log.SavePosition(ctx, t.name, pos); err != nil {
		return err
	}
	t.saved, t.savedAt = pos, t.Now()
	return nil
}

func (t *track) end() uint64 { return t.follower.End() }

func (t *track) reading(oldest time.Time) {
	t.mu.Lock()
	t.since = oldest
	t.mu.Unlock()
}

func (t *track) reached(pos uint64, newest time.Time) {
	t.mu.Lock()
	t.pos, t.since = pos, newest
	if t.end() <= pos {
		t.since = time.Time{}
	}
	t.mu.Unlock()
}

// write sends the lines in order, in requests of at most maxLines. Lines that the
// server refuses go to quarantine. It fails only with the context's error or when
// the log cannot take what is quarantined.
func (t *track) write(ctx context.Context, lines []line) error {
	for len(lines) > 0 {
		n := min(len(lines), maxLines)
		if err := t.writeGood(ctx, lines[:n]); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

// writeGood halves what is refused until it is down to the lines that are bad.
// Writing a good line again changes nothing.
func (t *track) writeGood(ctx context.Context, lines []line) error {
	err := t.server.write(ctx, t.bucket, lines)
	var refused *problem
	if !errors.As(err, &refused) {
		return err
	}
	if len(lines) == 1 {
		return t.quarantine(ctx, &lines[0], refused)
	}
	half := len(lines) / 2
	if err := t.writeGood(ctx, lines[:half]); err != nil {
		return err
	}
	return t.writeGood(ctx, lines[half:])
}
