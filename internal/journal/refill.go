package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// walkBatch is how many entries are read at a time.
const walkBatch = 1000

// Ends are the sequences of the newest event and of the newest chunk of samples that
// are stored, whether they have reached this process or not.
func (l *Log) Ends(ctx context.Context) (events, samples uint64, err error) {
	ends := [2]uint64{}
	for i, name := range []string{l.tail.stream, l.samples.stream} {
		stream, err := l.js.Stream(ctx, name)
		if err != nil {
			return 0, 0, fmt.Errorf("read the log's end: %w", err)
		}
		ends[i] = stream.CachedInfo().State.LastSeq
	}
	return ends[0], ends[1], nil
}

// Walk hands the stored events up to a sequence to f, in their order. It reads past
// what this process holds in memory, in which an erased event may linger.
func (l *Log) Walk(ctx context.Context, upTo uint64, f func(*Entry) error) error {
	return l.walk(ctx, l.tail.stream, upTo, f)
}

// WalkSamples does the same with the samples.
func (l *Log) WalkSamples(ctx context.Context, upTo uint64, f func(*Entry) error) error {
	return l.walk(ctx, l.samples.stream, upTo, f)
}

func (l *Log) walk(ctx context.Context, stream string, upTo uint64, f func(*Entry) error) error {
	for next := uint64(1); next <= upTo; {
		messages, err := jetstreamext.GetBatch(ctx, l.js, stream, walkBatch, jetstreamext.GetBatchSeq(next))
		if err != nil {
			return fmt.Errorf("read log from %d: %w", next, err)
		}
		began := next
		for m, err := range messages {
			if errors.Is(err, jetstreamext.ErrNoMessages) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read log from %d: %w", next, err)
			}
			if next = m.Sequence + 1; m.Sequence > upTo {
				return nil
			}
			e, err := Decode(m.Data)
			if err != nil {
				return fmt.Errorf("read log at %d: %w", m.Sequence, err)
			}
			if err := f(&Entry{m.Sequence, e}); err != nil {
				return err
			}
		}
		if next == began {
			return nil
		}
	}
	return nil
}

// Refill fills a log with the entries of another one under the sequences that they
// had there, because events may name each other by them. It begins with an empty log
// and goes on where the call before ended; entries ascend, and upTo is the sequence
// that the log is to end at after this call, at least that of the last entry. What
// is between was erased and stays away. Nobody else may append meanwhile.
func (l *Log) Refill(ctx context.Context, entries []Entry, upTo uint64) error {
	next := l.LastSeq() + 1
	var messages []*nats.Msg
	bytes := 0
	flush := func() error {
		if len(messages) == 0 {
			return nil
		}
		first := next - uint64(len(messages))
		acks, err := l.appendBatch(ctx, messages)
		if err != nil {
			return fmt.Errorf("refill log: %w", err)
		}
		if acks[0].Seq != first {
			return fmt.Errorf("refill log: an event of sequence %d was stored as %d: somebody else appends", first, acks[0].Seq)
		}
		messages, bytes = messages[:0], 0
		return nil
	}
	put := func(m *nats.Msg) error {
		messages, bytes, next = append(messages, m), bytes+len(m.Data), next+1
		if len(messages) < MaxBatch && bytes < largestBatch/2 {
			return nil
		}
		return flush()
	}
	filled := false
	fill := func(to uint64) error { // up to before that
		for next < to {
			filled = true
			if err := put(&nats.Msg{Subject: fillerSubject, Data: filler}); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range entries {
		if err := fill(entries[i].Seq); err != nil {
			return err
		}
		m, err := message(&entries[i].Event)
		if err != nil {
			return err
		}
		m.Header.Del(jetstream.MsgIDHeader) // a repeat keeps its own sequence too
		if err := put(m); err != nil {
			return err
		}
	}
	if err := errors.Join(fill(upTo+1), flush()); err != nil {
		return err
	}
	if filled {
		if err := l.stream.Purge(ctx, jetstream.WithPurgeSubject(fillerSubject)); err != nil {
			return fmt.Errorf("refill log: %w", err)
		}
	}
	// The next call begins behind what this process has seen of this one.
	if err := l.tail.WaitFor(ctx, upTo); err != nil {
		return fmt.Errorf("refill log: %w", err)
	}
	return nil
}

// fillerSubject is of what keeps a sequence free while a log is refilled.
const fillerSubject = eventSubjects + "_.filler"

// filler can be decoded, as everything that followers see.
var filler = []byte(`{"v":1,"kind":"filler"}`)
