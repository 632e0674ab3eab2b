package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/spotterhq/spotter/internal/feed"
)

// tail keeps the newest entries of one stream decoded in memory, once for all
// followers.
type tail struct {
	*feed.Feed[Entry]
	stream string
	stop   func()
}

// startTail reads the stream's newest entries from now on and holds up to size.
func (l *Log) startTail(ctx context.Context, stream jetstream.Stream, size int) (*tail, error) {
	info, err := stream.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the log's end: %w", err)
	}
	last := info.State.LastSeq
	t := &tail{Feed: feed.New[Entry](size, last), stream: info.Config.Name}
	consumer, err := l.js.OrderedConsumer(ctx, t.stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   last + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("follow the log: %w", err)
	}
	tailing, err := consumer.Consume(func(m jetstream.Msg) {
		meta, err := m.Metadata()
		if err != nil {
			l.log.Error("log entry without a sequence", "error", err)
			return
		}
		seq := meta.Sequence.Stream
		e, err := Decode(m.Data())
		if err != nil {
			l.log.Error("log entry cannot be read", "seq", seq, "error", err)
			t.PublishAll(seq, nil, nil)
			return
		}
		t.Publish(seq, Entry{seq, e})
	}, jetstream.PullMaxMessages(min(2048, size)))
	if err != nil {
		return nil, fmt.Errorf("follow the log: %w", err)
	}
	t.stop = tailing.Stop
	return t, nil
}

// Follower reads one stream of the log from a position on. It belongs to one
// goroutine; End may be called by any.
type Follower struct {
	log  *Log
	tail *tail
	pos  uint64
	buf  []Entry
}

// Follow returns a follower of the events whose first is the one after the given
// sequence; 0 begins at the beginning. A sequence beyond the log's end is taken
// back to it: where writes are synced at intervals, a power cut can take more from
// the log than from what a follower has stored, and what comes next will have the
// sequences that were lost.
func (l *Log) Follow(after uint64) *Follower { return l.follow(l.tail, after) }

func (l *Log) follow(t *tail, after uint64) *Follower {
	_, end := t.Span()
	return &Follower{log: l, tail: t, pos: min(after, end)}
}

// FollowSamples returns a follower of the samples. Their sequences are of a stream
// of their own, and those older than SamplesRetention are gone.
func (l *Log) FollowSamples(after uint64) *Follower {
	return l.follow(l.samples, after)
}

// End is the sequence of the newest entry that has reached this process.
func (f *Follower) End() uint64 {
	_, to := f.tail.Span()
	return to
}

// Position is the sequence up to which Next has returned everything.
func (f *Follower) Position() uint64 { return f.pos }

// Next waits for events and returns up to max of them in the log's order. The
// slice is reused by the following call. It fails with the context's error, or
// when stored events cannot be read.
func (f *Follower) Next(ctx context.Context, max int) ([]Entry, error) {
	for {
		entries, pos, err := f.tail.Read(ctx, f.pos, max, f.buf[:0])
		if errors.Is(err, feed.ErrTooOld) {
			entries, pos, err = f.log.read(ctx, f.tail, f.pos, max, f.buf[:0])
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
func (l *Log) read(ctx context.Context, t *tail, after uint64, max int, dst []Entry) ([]Entry, uint64, error) {
	held, _ := t.Span()
	messages, err := jetstreamext.GetBatch(ctx, l.js, t.stream, max, jetstreamext.GetBatchSeq(after+1))
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
		e, err := Decode(m.Data)
		if err != nil {
			return dst, after, fmt.Errorf("read log at %d: %w", pos, err)
		}
		dst = append(dst, Entry{pos, e})
	}
	if pos == after {
		// Everything between here and what the tail holds was erased or is too old.
		pos = held
	}
	return dst, pos, nil
}
