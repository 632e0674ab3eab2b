package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// Publisher is the way to the broker; mqtt.Publisher is one.
type Publisher interface {
	// Connected reports whether there is a connection at the moment.
	Connected() bool
	// Publish returns once the broker has acknowledged the message.
	Publish(ctx context.Context, topic string, qos byte, payload []byte) error
}

// Options of a bridge.
type Options struct {
	Site      lift.SiteID
	Device    lift.DeviceID
	Publisher Publisher
	Now       func() time.Time
	// BootID returns a text of up to 64 bytes that it has never returned before.
	BootID func() string
	Logger *slog.Logger
	// Retry is how long to wait for a connection and after a failure, default 500 ms.
	Retry time.Duration
}

// How reps are sent.
const (
	waiting   = 10_000 // reps in memory while there is no broker; then the input waits
	mostArray = 500    // the contract's limit for one message
	// stale is from which age on a rep is a backlog, which nobody is called for.
	stale = 10 * time.Minute
)

// Bridge sends the reps of one sensor. Rep and Dropped belong to the goroutine that reads
// the input, Run to another.
type Bridge struct {
	// Taken and Sent count reps, to be sent and acknowledged by the broker; Lost counts
	// what was dropped.
	Taken, Sent, Lost atomic.Int64

	o     Options
	ctx   context.Context // of Run: Rep waits no longer than it
	queue chan lift.Rep
	boot  string
	seq   int64
	last  *Measured
}

var _ Sink = (*Bridge)(nil)

// New returns a bridge whose Rep waits at most until the context ends.
func New(ctx context.Context, o Options) *Bridge {
	if o.Retry == 0 {
		o.Retry = 500 * time.Millisecond
	}
	return &Bridge{o: o, ctx: ctx, queue: make(chan lift.Rep, waiting), boot: o.BootID()}
}

// Rep takes a rep that has ended now. One that the contract would refuse is dropped.
func (b *Bridge) Rep(m Measured) {
	if b.last != nil && m.behind(b.last) {
		b.boot, b.seq = b.o.BootID(), 0
		b.o.Logger.Info("the sensor has started anew", "boot_id", b.boot)
	}
	b.last = &m
	now := b.o.Now().UTC().Truncate(time.Millisecond)
	r := lift.Rep{
		BootID: b.boot, Seq: b.seq, Time: now, DeviceUs: m.DeviceUs,
		MeanVelocity: m.Mean, PeakVelocity: m.Peak, ROM: m.ROM, Concentric: m.Concentric, Convention: m.Convention,
	}
	if err := r.Validate(now); err != nil {
		b.Dropped(fmt.Sprintf("rep %d of the sensor cannot be: %v", m.Number, err))
		return
	}
	b.seq++
	b.Taken.Add(1)
	select {
	case b.queue <- r:
	case <-b.ctx.Done():
	}
}

// Dropped tells of what is no rep.
func (b *Bridge) Dropped(why string) {
	b.Lost.Add(1)
	b.o.Logger.Warn("dropped", "why", why)
}

// Close says that no rep follows.
func (b *Bridge) Close() { close(b.queue) }

// Run sends what it was given, each rep until the broker has acknowledged it, and returns
// nil after Close once nothing is left, else the context's error.
func (b *Bridge) Run(ctx context.Context) error {
	topic := "spotter/v1/" + string(b.o.Site) + "/device/" + string(b.o.Device) + "/rep"
	for {
		var group []lift.Rep
		select {
		case r, more := <-b.queue:
			if !more {
				return nil
			}
			group = append(group, r)
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := b.awaitConnection(ctx); err != nil {
			return err
		}
		for len(group) < mostArray && len(b.queue) > 0 {
			group = append(group, <-b.queue)
		}
		if err := b.send(ctx, topic, group); err != nil {
			return err
		}
	}
}

func (b *Bridge) awaitConnection(ctx context.Context) error {
	for !b.o.Publisher.Connected() {
		if err := b.pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// send repeats the very same bytes: who has them already counts a repetition, where others
// would be a conflict.
func (b *Bridge) send(ctx context.Context, topic string, group []lift.Rep) error {
	for i := range group {
		group[i].Historical = b.o.Now().Sub(group[i].Time) > stale
	}
	payload, err := json.Marshal(group)
	if err != nil {
		return fmt.Errorf("encode reps: %w", err)
	}
	for {
		attempt, cancel := context.WithTimeout(ctx, 30*time.Second)
		err := b.o.Publisher.Publish(attempt, topic, 1, payload)
		cancel()
		if err == nil {
			b.Sent.Add(int64(len(group)))
			return nil
		}
		b.o.Logger.Debug("not acknowledged; sending again", "reps", len(group), "error", err)
		if err := b.pause(ctx); err != nil {
			return err
		}
	}
}

func (b *Bridge) pause(ctx context.Context) error {
	select {
	case <-time.After(b.o.Retry):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
