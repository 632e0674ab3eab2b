package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

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
