// Package feed keeps the newest entries of a numbered sequence in memory and lets
// any number of readers follow it, each at its own pace.
//
// A writer never waits for a reader: a reader that falls behind by more than the
// feed holds gets ErrTooOld and fetches what it missed from where the entries are
// stored. So one slow reader costs the others nothing.
package feed

import (
	"context"
	"errors"
	"sort"
	"sync"
)

// ErrTooOld says that the feed no longer holds what follows the given position.
var ErrTooOld = errors.New("position is older than the feed holds")

// Feed holds the newest entries of one sequence. Publish and Advance may be called
// by one goroutine, Read and Span by any number.
type Feed[T any] struct {
	mu      sync.Mutex
	ring    []entry[T]
	first   int    // index of the oldest entry
	count   int    // entries held
	from    uint64 // everything after from and up to to is held
	to      uint64
	wake    chan struct{} // closed when to grows and somebody waits
	waiting bool
}

type entry[T any] struct {
	seq   uint64
	value T
}

// New returns a feed that holds up to size entries and begins after position at.
func New[T any](size int, at uint64) *Feed[T] {
	return &Feed[T]{ring: make([]entry[T], size), from: at, to: at, wake: make(chan struct{})}
}

// Publish adds the value of seq. Sequences never fall; several values may share
// one.
func (f *Feed[T]) Publish(seq uint64, value T) {
	f.mu.Lock()
	f.push(seq, value)
	f.advance(seq)
	f.mu.Unlock()
}

// PublishAll adds values and then moves the feed's end to seq in one step, so
// that no reader sees a part of them.
func (f *Feed[T]) PublishAll(seq uint64, seqOf func(T) uint64, values []T) {
	f.mu.Lock()
	for _, v := range values {
		f.push(seqOf(v), v)
	}
	f.advance(seq)
	f.mu.Unlock()
}

// Restart empties the feed and lets it begin after position at, as after a gap.
func (f *Feed[T]) Restart(at uint64) {
	f.mu.Lock()
	clear(f.ring)
	f.first, f.count, f.from = 0, 0, at
	f.to = 0
	f.advance(at)
	f.mu.Unlock()
}

func (f *Feed[T]) push(seq uint64, value T) {
	if f.count == len(f.ring) {
		f.from = f.ring[f.first].seq
		f.first = (f.first + 1) % len(f.ring)
		f.count--
	}
	f.ring[(f.first+f.count)%len(f.ring)] = entry[T]{seq, value}
	f.count++
}

func (f *Feed[T]) advance(seq uint64) {
	if seq <= f.to {
		return
	}
	f.to = seq
	if f.waiting {
		close(f.wake)
		f.wake, f.waiting = make(chan struct{}), false
	}
}

// Span returns the positions between which the feed holds everything: entries
// after from, up to and including to.
func (f *Feed[T]) Span() (from, to uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.from, f.to
}

// Read waits for entries after the given position and appends about max of them
// to dst: the entries of one sequence are never parted. It returns them with the
// position to read after next time. It fails with ErrTooOld or with the context's
// error.
func (f *Feed[T]) Read(ctx context.Context, after uint64, max int, dst []T) ([]T, uint64, error) {
	for {
		f.mu.Lock()
		if after < f.from {
			f.mu.Unlock()
			return dst, after, ErrTooOld
		}
		if after < f.to {
			dst, pos := f.take(after, max, dst)
			f.mu.Unlock()
			return dst, pos, nil
		}
		f.waiting = true
		wake := f.wake
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return dst, after, ctx.Err()
		case <-wake:
		}
	}
}

// WaitFor returns once the feed's end is at seq or later.
func (f *Feed[T]) WaitFor(ctx context.Context, seq uint64) error {
	for {
		f.mu.Lock()
		if f.to >= seq {
			f.mu.Unlock()
			return nil
		}
		f.waiting = true
		wake := f.wake
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		}
	}
}

func (f *Feed[T]) take(after uint64, max int, dst []T) ([]T, uint64) {
	at := func(i int) *entry[T] { return &f.ring[(f.first+i)%len(f.ring)] }
	i := sort.Search(f.count, func(i int) bool { return at(i).seq > after })
	for taken := 0; i < f.count; i, taken = i+1, taken+1 {
		if taken >= max && at(i).seq != at(i-1).seq {
			return dst, at(i - 1).seq
		}
		dst = append(dst, at(i).value)
	}
	return dst, f.to
}
