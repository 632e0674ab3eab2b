package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/spotterhq/spotter/internal/journal"
)

// Log is where events are made durable.
type Log interface {
	// Append returns when the events are durable. Appending them again is safe.
	Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error)
}

// Delivery is a message with its acknowledgement. Ack is called at most once, by
// the pipeline's goroutine.
type Delivery struct {
	Message
	Ack func()
}

// Options of a pipeline.
type Options struct {
	Log        Log
	Logger     *slog.Logger
	Queue      int // messages that may wait, default 4096
	QueueBytes int // bytes of them, default 64 MiB
	// Retry is how long to wait after a failed append, default 500 ms.
	Retry time.Duration
	// Patience is how long one append may take before it is tried again, default
	// 30 s: an external log may never answer what it was sent.
	Patience time.Duration
	// Now is the clock by which appends are timed.
	Now func() time.Time
	// Admit leaves out what may not be stored, and may change events that it was handed;
	// nil admits all.
	Admit func(context.Context, []journal.Event) []journal.Event
	// DiskUsed is the share of the log's disk in use, 0 to 1; nil where the log is
	// elsewhere.
	DiskUsed func() float64
}

// Stats are totals since the program started, and the state of the queue.
type Stats struct {
	Messages      atomic.Int64
	Events        atomic.Int64
	Quarantined   atomic.Int64
	Duplicates    atomic.Int64 // recognised by the log; the view knows the others
	UnknownFields atomic.Int64
	FailedAppends atomic.Int64
	// RefusedSamples are chunks of bar velocity that were acknowledged and not
	// stored, because the disk is nearly full.
	RefusedSamples atomic.Int64
	AppendNanos    atomic.Int64 // of the newest append
}

// Pipeline gathers deliveries into group commits. Offer may be called by many
// goroutines, Run by one.
type Pipeline struct {
	Stats Stats
	o     Options
	queue chan Delivery
	bytes *semaphore.Weighted
	limit int64
	// failing is true from a failed append until one succeeds.
	failing atomic.Bool
	full    atomic.Bool
}

// NewPipeline returns a pipeline that does nothing until Run is called.
func NewPipeline(o Options) *Pipeline {
	if o.Queue == 0 {
		o.Queue = 4096
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = 64 << 20
	}
	if o.Retry == 0 {
		o.Retry = 500 * time.Millisecond
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.DiskUsed == nil {
		o.DiskUsed = func() float64 { return 0 }
	}
	limit := int64(o.QueueBytes)
	return &Pipeline{o: o, queue: make(chan Delivery, o.Queue), bytes: semaphore.NewWeighted(limit), limit: limit}
}

// Waiting is how many messages wait, of how many that may.
func (p *Pipeline) Waiting() (waiting, capacity int) { return len(p.queue), cap(p.queue) }

// Failing reports whether the log refuses events at the moment.
func (p *Pipeline) Failing() bool { return p.failing.Load() }

// Offer hands a delivery over, waiting while the queue is full. Its payload is not
// to be changed afterwards. It returns the context's error where it ends first;
// the delivery is then not acknowledged.
func (p *Pipeline) Offer(ctx context.Context, d Delivery) error {
	if err := p.bytes.Acquire(ctx, p.weight(d)); err != nil {
		return err
	}
	select {
	case p.queue <- d:
		return nil
	case <-ctx.Done():
		p.bytes.Release(p.weight(d))
		return ctx.Err()
	}
}

func (p *Pipeline) weight(d Delivery) int64 { return min(int64(len(d.Payload))+256, p.limit) }

// Run appends what is offered until the context ends. While one group is being
// made durable the next one gathers.
func (p *Pipeline) Run(ctx context.Context) error {
	group := make([]Delivery, 0, journal.MaxBatch)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case d := <-p.queue:
			group = append(group[:0], d)
		}
	gather:
		for len(group) < journal.MaxBatch {
			select {
			case d := <-p.queue:
				group = append(group, d)
			default:
				break gather
			}
		}
		if err := p.commit(ctx, group); err != nil {
			return err
		}
		clear(group)
	}
}

// commit makes the group durable and acknowledges it, trying again until it
// succeeds or the context ends.
func (p *Pipeline) commit(ctx context.Context, group []Delivery) error {
	var events []journal.Event
	for _, d := range group {
		decoded := Decode(d.Message)
		events = append(events, decoded.Events...)
		p.Stats.UnknownFields.Add(int64(decoded.UnknownFields))
	}
	if p.o.Admit != nil {
		events = p.o.Admit(ctx, events)
	}
	events, err := p.room(ctx, events)
	if err != nil {
		return err
	}
	for start := 0; start < len(events); start += journal.MaxBatch {
		if err := p.append(ctx, events[start:min(start+journal.MaxBatch, len(events))]); err != nil {
			return err
		}
	}
	for _, d := range group {
		d.Ack()
		p.bytes.Release(p.weight(d))
	}
	p.Stats.Messages.Add(int64(len(group)))
	return nil
}

func (p *Pipeline) append(ctx context.Context, events []journal.Event) error {
	for {
		start := p.o.Now()
		attempt, cancel := context.WithTimeout(ctx, p.o.Patience)
		acks, err := p.o.Log.Append(attempt, events...)
		cancel()
		if err == nil {
			p.failing.Store(false)
			p.Stats.AppendNanos.Store(int64(p.o.Now().Sub(start)))
			p.count(events, acks)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, journal.ErrTooMany) {
			return fmt.Errorf("ingest: %w", err)
		}
		p.failing.Store(true)
		p.Stats.FailedAppends.Add(1)
		p.o.Logger.Error("the log does not take events; nothing is acknowledged until it does", "events", len(events), "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(p.o.Retry):
		}
	}
}

func (p *Pipeline) count(events []journal.Event, acks []journal.Ack) {
	p.Stats.Events.Add(int64(len(events)))
	for i := range events {
		if acks[i].Duplicate {
			p.Stats.Duplicates.Add(1)
		} else if events[i].Kind == journal.KindQuarantined {
			p.Stats.Quarantined.Add(1)
		}
	}
}
