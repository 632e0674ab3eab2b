package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

const (
	eventStream     = "SPOTTER"
	samplesStream   = "SPOTTER_SAMPLES"
	positionsBucket = "SPOTTER_POSITIONS"
	eventSubjects   = "SPOTTERLOG.event."
	samplesSubjects = "SPOTTERLOG.samples."
	// Window is for how long the log itself recognises an event that is appended
	// again. It only saves space: followers recognise repeats for ever.
	Window = 30 * time.Second
	// MaxBatch is how many events one Append may hold.
	MaxBatch = 1000
	// SamplesRetention is how long bar velocity is kept.
	SamplesRetention = 30 * 24 * time.Hour
	// tailSize is how many of the newest events every follower can read from memory.
	tailSize = 8192
	// samplesTailSize is the same for chunks of samples, of up to 16 KiB each.
	samplesTailSize = 256
)

// Errors of an append.
var (
	ErrDisplaced = errors.New("somebody else has appended to this subject")
	ErrTooMany   = errors.New("too many events for one append")
)

// Options of a log.
type Options struct {
	// Dir is the folder of the embedded server; with URL it is not used.
	Dir string
	// URL of an external NATS server or cluster; empty embeds one.
	URL string
	// Replicas of each stream on an external cluster: 1 (default) to 5.
	Replicas int
	// Fsync is the interval between fsyncs of the embedded server; 0 syncs with
	// every write, before it is acknowledged.
	Fsync time.Duration
	// Broker, where set, lets the embedded server be the MQTT broker.
	Broker *BrokerOptions
	Logger *slog.Logger
}

// Log is the log of events, with its embedded server where it has one.
type Log struct {
	server  *Server // nil with an external one
	conn    *nats.Conn
	js      jetstream.JetStream
	stream  jetstream.Stream
	tail    *tail // of the events
	samples *tail
	kv      jetstream.KeyValue
	log     *slog.Logger
	syncs   bool // each write is synced, as far as is known
	costs   costs
	stored  atomic.Uint64 // the newest event's sequence that Append has returned
}

// Open opens the log, creating it where there is none. The context bounds the
// opening only.
func Open(ctx context.Context, o Options) (_ *Log, err error) {
	l := &Log{log: o.Logger, syncs: o.URL != "" || o.Fsync == 0}
	l.costs.single.Store(int64(firstSingle))
	l.costs.batch.Store(int64(firstBatch))
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	connect := []nats.Option{nats.Name("spotter"), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond)}
	url := o.URL
	if url == "" {
		l.server, err = startServer(serverOptions{dir: o.Dir, fsync: o.Fsync, broker: o.Broker, logger: o.Logger})
		if err != nil {
			return nil, err
		}
		connect = append(connect, nats.InProcessServer(l.server.nats), nats.UserInfo(logUser, l.server.secret))
	}
	if l.conn, err = nats.Connect(url, connect...); err != nil {
		return nil, fmt.Errorf("connect to nats: %w", err)
	}
	if l.js, err = jetstream.New(l.conn, jetstream.WithPublishAsyncMaxPending(4096)); err != nil {
		return nil, fmt.Errorf("open jetstream: %w", err)
	}
	samples, err := l.createStreams(ctx, max(o.Replicas, 1))
	if err != nil {
		return nil, err
	}
	if l.tail, err = l.startTail(ctx, l.stream, tailSize); err != nil {
		return nil, err
	}
	if l.samples, err = l.startTail(ctx, samples, samplesTailSize); err != nil {
		return nil, err
	}
	return l, nil
}

// createStreams opens the stream of events and returns that of the samples.
func (l *Log) createStreams(ctx context.Context, replicas int) (sampled jetstream.Stream, err error) {
	events := jetstream.StreamConfig{
		Name:               eventStream,
		Description:        "everything that happened, for ever",
		Subjects:           []string{eventSubjects + ">"},
		Storage:            jetstream.FileStorage,
		Compression:        jetstream.S2Compression,
		Replicas:           replicas,
		Duplicates:         Window,
		AllowDirect:        true,
		AllowAtomicPublish: true,
	}
	err = l.untilLed(ctx, func(ctx context.Context) (err error) {
		l.stream, err = l.js.CreateOrUpdateStream(ctx, events)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create stream of events: %w", err)
	}
	samples := events
	samples.Name, samples.Description = samplesStream, "bar velocity of the last 30 days"
	samples.Subjects = []string{samplesSubjects + ">"}
	samples.MaxAge = SamplesRetention
	if sampled, err = l.js.CreateOrUpdateStream(ctx, samples); err != nil {
		return nil, fmt.Errorf("create stream of samples: %w", err)
	}
	if l.kv, err = l.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: positionsBucket, Replicas: replicas}); err != nil {
		return nil, fmt.Errorf("create bucket of positions: %w", err)
	}
	return sampled, nil
}

// ledWithin is how long one question to a cluster waits.
const ledWithin = 3 * time.Second

// untilLed asks a cluster again for as long as the context lasts. One that has just
// been started has no leader yet, and loses the questions until then.
func (l *Log) untilLed(ctx context.Context, ask func(context.Context) error) error {
	for asked := 1; ; asked++ {
		one, cancel := context.WithTimeout(ctx, ledWithin)
		err := ask(one)
		if err == nil || !noLeader(err) {
			cancel()
			return err
		}
		if asked == 1 {
			l.log.Warn("the log's servers have no leader yet, or are too few: waiting", "error", err)
		}
		<-one.Done() // an answer may have come at once
		cancel()
		if ctx.Err() != nil {
			return err
		}
	}
}

// noLeader reports whether a question was lost, or refused because there are not
// enough servers yet.
func noLeader(err error) bool {
	if apiErr, ok := errors.AsType[*jetstream.APIError](err); ok {
		return apiErr.Code == 503 || apiErr.ErrorCode == errNoPeers
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders)
}

// Server is the embedded server, nil with an external one.
func (l *Log) Server() *Server { return l.server }

// subject files an event by athlete and kind, so that one person's events can be
// purged. Samples go to a stream of their own, with its own retention.
func (e *Event) subject() string {
	if e.Kind == KindSamples {
		return samplesSubjects + string(e.Site) + "." + string(e.Device)
	}
	athlete := string(e.Athlete)
	if athlete == "" {
		athlete = "_"
	}
	return eventSubjects + athlete + "." + string(e.Kind)
}

// Ack is an event's place in the log. A Duplicate was already there; its Seq is
// that of the first copy. The sequences of samples are of a stream of their own.
type Ack struct {
	Seq       uint64
	Duplicate bool
}

// Append stores the events in the order given and returns when they are as
// durable as the server's fsync setting makes them. Events of which one has
// ExpectLast are stored all or none. On any other error some may have been
// stored: appending the same events again is safe, because they keep their
// identity.
func (l *Log) Append(ctx context.Context, events ...Event) ([]Ack, error) {
	acks, err := l.store(ctx, events)
	for i := range acks {
		if events[i].Kind == KindSamples { // their sequences are of another stream
			continue
		}
		for known := l.stored.Load(); known < acks[i].Seq && !l.stored.CompareAndSwap(known, acks[i].Seq); {
			known = l.stored.Load()
		}
	}
	return acks, err
}

func (l *Log) store(ctx context.Context, events []Event) ([]Ack, error) {
	if len(events) > MaxBatch {
		return nil, fmt.Errorf("append %d events: %w (at most %d)", len(events), ErrTooMany, MaxBatch)
	}
	messages := make([]*nats.Msg, len(events))
	for i := range events {
		m, err := message(&events[i])
		if err != nil {
			return nil, err
		}
		messages[i] = m
	}
	if !l.wantsBatch(events, messages) {
		return l.appendEach(ctx, messages)
	}
	began := time.Now()
	acks, err := l.appendBatch(ctx, messages)
	if err == nil {
		note(&l.costs.batch, time.Since(began)-time.Duration(len(events))*batchEach)
	}
	var apiErr *jetstream.APIError
	if errors.As(err, &apiErr) && apiErr.ErrorCode == errBatchHasDuplicate {
		// One event that the log already has refuses the whole batch.
		if slices.ContainsFunc(events, func(e Event) bool { return e.ExpectLast != nil }) {
			return nil, fmt.Errorf("append: %w", ErrDisplaced) // somebody has just said the same
		}
		return l.appendEach(ctx, messages)
	}
	return acks, translate(err)
}

// costs are what appends have taken lately, by which the quicker way is chosen: an
// atomic batch shares one fsync, but the server stages it in a store of its own,
// which takes some milliseconds however small the batch is; single publishes are
// pipelined, but synced one by one.
type costs struct {
	single atomic.Int64 // nanoseconds for each event
	batch  atomic.Int64 // nanoseconds for a batch, beside batchEach for each event
}

// Costs to begin with: an fsync of a common SSD, and what a batch takes at least.
const (
	firstSingle = 200 * time.Microsecond
	firstBatch  = 5 * time.Millisecond
	batchEach   = 15 * time.Microsecond
	leastBatch  = 8 // fewer events are never worth a batch
	// largestBatch is how many bytes a batch may have: a larger one takes the server
	// longer than it is waited for.
	largestBatch = 8 << 20
)

// note lets the newest observation count for a quarter.
func note(cost *atomic.Int64, took time.Duration) {
	cost.Store(cost.Load() - cost.Load()/4 + int64(took)/4)
}

// wantsBatch chooses how the events are appended. Where nothing is synced with each
// write, single publishes are always quicker.
func (l *Log) wantsBatch(events []Event, messages []*nats.Msg) bool {
	if len(events) < 2 {
		return false
	}
	expects, bytes := false, 0
	for i := range events {
		bytes += len(messages[i].Data)
		if (events[i].Kind == KindSamples) != (events[0].Kind == KindSamples) {
			return false // two streams
		}
		expects = expects || events[i].ExpectLast != nil
	}
	if expects {
		return true // all or none
	}
	n := len(events)
	return l.syncs && n >= leastBatch && bytes <= largestBatch && int64(n)*(l.costs.single.Load()-int64(batchEach)) > l.costs.batch.Load()
}

const (
	errBatchHasDuplicate jetstream.ErrorCode = 10201
	errNoPeers           jetstream.ErrorCode = 10005
	errWrongLastSequence jetstream.ErrorCode = 10071
	// errWrongLastSequenceConstant is what newer servers say of the same.
	errWrongLastSequenceConstant jetstream.ErrorCode = 10164
)

func translate(err error) error {
	if err == nil {
		return nil
	}
	var apiErr *jetstream.APIError
	if errors.As(err, &apiErr) && (apiErr.ErrorCode == errWrongLastSequence || apiErr.ErrorCode == errWrongLastSequenceConstant) {
		return fmt.Errorf("append: %w", ErrDisplaced)
	}
	return fmt.Errorf("append: %w", err)
}

func message(e *Event) (*nats.Msg, error) {
	e.V = Version
	if e.Kind == KindRep || e.Kind == KindCheckIn || e.Kind == KindSetLogged {
		hash, err := e.ContentHash()
		if err != nil {
			return nil, err
		}
		e.Hash = hash
	}
	id, err := e.ID()
	if err != nil {
		return nil, err
	}
	data, err := e.encode()
	if err != nil {
		return nil, err
	}
	m := &nats.Msg{Subject: e.subject(), Data: data, Header: nats.Header{jetstream.MsgIDHeader: {id}}}
	if e.ExpectLast != nil {
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(*e.ExpectLast, 10))
	}
	return m, nil
}

func (l *Log) appendBatch(ctx context.Context, messages []*nats.Msg) ([]Ack, error) {
	batch, err := jetstreamext.NewBatchPublisher(l.js, jetstreamext.BatchFlowControl{AckFirst: false})
	if err != nil {
		return nil, err
	}
	last := len(messages) - 1
	for _, m := range messages[:last] {
		if err := batch.AddMsg(m); err != nil {
			return nil, err
		}
	}
	ack, err := batch.CommitMsg(ctx, messages[last])
	if err != nil {
		return nil, err
	}
	acks := make([]Ack, len(messages))
	for i := range acks {
		acks[i].Seq = ack.Sequence - uint64(last-i)
	}
	return acks, nil
}

func (l *Log) appendEach(ctx context.Context, messages []*nats.Msg) ([]Ack, error) {
	began := time.Now()
	pending := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		for _, h := range []string{jetstreamext.BatchIDHeader, jetstreamext.BatchSeqHeader, jetstreamext.BatchCommitHeader} {
			m.Header.Del(h)
		}
		m.Reply = ""
		p, err := l.js.PublishMsgAsync(m, jetstream.WithStallWait(30*time.Second))
		if err != nil {
			return nil, translate(err)
		}
		pending[i] = p
	}
	acks := make([]Ack, len(messages))
	for i, p := range pending {
		select {
		case ack := <-p.Ok():
			acks[i] = Ack{ack.Sequence, ack.Duplicate}
		case err := <-p.Err():
			return nil, translate(err)
		case <-ctx.Done():
			return nil, fmt.Errorf("append: %w", ctx.Err())
		}
	}
	note(&l.costs.single, time.Since(began)/time.Duration(len(messages)))
	return acks, nil
}

// LastSeq is the sequence of the newest event that this process has appended or
// heard of.
func (l *Log) LastSeq() uint64 {
	_, to := l.tail.Span()
	return max(to, l.stored.Load())
}

// SavePosition stores how far the named follower has come, for LoadPosition after
// a restart.
func (l *Log) SavePosition(ctx context.Context, follower string, seq uint64) error {
	if _, err := l.kv.Put(ctx, follower, strconv.AppendUint(nil, seq, 10)); err != nil {
		return fmt.Errorf("save position of %s: %w", follower, err)
	}
	return nil
}

// Positions returns everything that SavePosition has stored, by follower.
func (l *Log) Positions(ctx context.Context) (map[string]uint64, error) {
	names, err := l.kv.ListKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list positions: %w", err)
	}
	defer func() { _ = names.Stop() }()
	all := map[string]uint64{}
	for name := range names.Keys() {
		if all[name], err = l.LoadPosition(ctx, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// LoadPosition returns what SavePosition stored last, 0 where nothing was.
func (l *Log) LoadPosition(ctx context.Context, follower string) (uint64, error) {
	entry, err := l.kv.Get(ctx, follower)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("load position of %s: %w", follower, err)
	}
	seq, err := strconv.ParseUint(string(entry.Value()), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("load position of %s: %w", follower, err)
	}
	return seq, nil
}

// Close ends the tail, the connection and the embedded server.
func (l *Log) Close() {
	for _, t := range []*tail{l.tail, l.samples} {
		if t != nil {
			t.stop()
		}
	}
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.Stop()
	}
}
