package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/spotterhq/spotter/internal/feed"
)

// startTail keeps the newest events decoded in memory, once for all followers.
func (l *Log) startTail(ctx context.Context) error {
	info, err := l.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("read the log's end: %w", err)
	}
	last := info.State.LastSeq
	l.tail = feed.New[Entry](tailSize, last)
	consumer, err := l.js.OrderedConsumer(ctx, eventStream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   last + 1,
	})
	if err != nil {
		return fmt.Errorf("follow the log: %w", err)
	}
	l.tailing, err = consumer.Consume(func(m jetstream.Msg) {
		meta, err := m.Metadata()
		if err != nil {
			l.log.Error("log entry without a sequence", "error", err)
			return
		}
		seq := meta.Sequence.Stream
		e, err := decode(m.Data())
		if err != nil {
			l.log.Error("log entry cannot be read", "seq", seq, "error", err)
			l.tail.PublishAll(seq, nil, nil)
			return
		}
		l.tail.Publish(seq, Entry{seq, e})
	}, jetstream.PullMaxMessages(2048))
	if err != nil {
		return fmt.Errorf("follow the log: %w", err)
	}
	return nil
}

// Follower reads the log from a position on. It belongs to one goroutine.
type Follower struct {
	log *Log
	pos uint64
	buf []Entry
}

// Follow returns a follower whose first event is the one after the given
// sequence; 0 begins at the beginning.
func (l *Log) Follow(after uint64) *Follower { return &Follower{log: l, pos: after} }

// Position is the sequence up to which Next has returned everything.
func (f *Follower) Position() uint64 { return f.pos }

// Next waits for events and returns up to max of them in the log's order. The
// slice is reused by the following call. It fails with the context's error, or
// when stored events cannot be read.
func (f *Follower) Next(ctx context.Context, max int) ([]Entry, error) {
	for {
		entries, pos, err := f.log.tail.Read(ctx, f.pos, max, f.buf[:0])
		if errors.Is(err, feed.ErrTooOld) {
			entries, pos, err = f.log.read(ctx, f.pos, max, f.buf[:0])
		}
		if err != nil {
			return nil, err
		}
		f.buf, f.pos = entries, pos
		if len(entries) > 0 {
			return entries, nil
		}
	}
}

// read fetches stored events that the tail no longer holds.
func (l *Log) read(ctx context.Context, after uint64, max int, dst []Entry) ([]Entry, uint64, error) {
	held, _ := l.tail.Span()
	messages, err := jetstreamext.GetBatch(ctx, l.js, eventStream, max, jetstreamext.GetBatchSeq(after+1))
	if err != nil {
		return dst, after, fmt.Errorf("read log after %d: %w", after, err)
	}
	pos := after
	for m, err := range messages {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			break
		}
		if err != nil {
			return dst, after, fmt.Errorf("read log after %d: %w", pos, err)
		}
		pos = m.Sequence
		e, err := decode(m.Data)
		if err != nil {
			return dst, after, fmt.Errorf("read log at %d: %w", pos, err)
		}
		dst = append(dst, Entry{pos, e})
	}
	if pos == after {
		// Everything between here and what the tail holds was erased.
		pos = held
	}
	return dst, pos, nil
}
