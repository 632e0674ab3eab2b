package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/journal"
)

// patience bounds every wait of these tests.
const patience = 30 * time.Second

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		case <-poll.C:
		}
	}
}

// freePort is an address that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// memory is a log in memory.
type memory struct {
	mu     sync.Mutex
	events []journal.Event
}

var _ ingest.Log = (*memory)(nil)

func (m *memory) Append(_ context.Context, events ...journal.Event) ([]journal.Ack, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, events...)
	return make([]journal.Ack, len(events)), nil
}

func (m *memory) all() []journal.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]journal.Event(nil), m.events...)
}

// follow copies a real log into memory, from its beginning on.
func follow(t *testing.T, l *journal.Log) *memory {
	t.Helper()
	m := new(memory)
	into := func(f *journal.Follower) {
		for {
			entries, err := f.Next(t.Context(), 1000)
			if err != nil {
				return
			}
			m.mu.Lock()
			for _, e := range entries {
				m.events = append(m.events, e.Event)
			}
			m.mu.Unlock()
		}
	}
	var done sync.WaitGroup
	done.Go(func() { into(l.Follow(0)) })
	done.Go(func() { into(l.FollowSamples(0)) })
	t.Cleanup(done.Wait) // the test's context has ended by then
	return m
}

// reps are the reps of a log, by device and sequence.
func (m *memory) reps() map[string]bool {
	reps := map[string]bool{}
	for _, e := range m.all() {
		if e.Rep != nil {
			reps[fmt.Sprintf("%s %d", e.Device, e.Rep.Seq)] = true
		}
	}
	return reps
}

func (m *memory) missing(acknowledged []string) []string {
	got := m.reps()
	var missing []string
	for _, a := range acknowledged {
		if !got[a] {
			missing = append(missing, a)
		}
	}
	return missing
}

// kinds counts the events of each kind.
func (m *memory) kinds() map[journal.Kind]int {
	n := map[journal.Kind]int{}
	for _, e := range m.all() {
		n[e.Kind]++
	}
	return n
}

// logged is a logger whose text a test can read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text.Bytes(), []byte(s))
}

// running is a source with whatever it feeds.
type running struct {
	*Source
	log  *logged
	stop func() error // ends it and returns what Run returned
}

func start(t *testing.T, o Options, sink Sink) *running {
	t.Helper()
	r := &running{log: new(logged)}
	if o.ClientID == "" {
		o.ClientID = "ingest-of-the-test"
	}
	o.Logger, o.Now = slog.New(slog.NewTextHandler(r.log, nil)), time.Now
	r.Source = New(o, sink)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// startLine starts a source and the pipeline that takes its messages to the log.
func startLine(t *testing.T, o Options, log ingest.Log) *running {
	t.Helper()
	p := ingest.NewPipeline(ingest.Options{Log: log, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Retry: 50 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	r := start(t, o, p.Offer)
	stopSource := r.stop
	r.stop = sync.OnceValue(func() error {
		err := stopSource()
		cancel()
		return errors.Join(err, pipelineEnd(<-done))
	})
	t.Cleanup(func() { _ = r.stop() })
	return r
}

func (r *running) awaitSubscription(t *testing.T) {
	t.Helper()
	select {
	case <-r.Subscribed():
	case <-time.After(patience):
		t.Fatalf("not subscribed; log:\n%s", r.log.text.String())
	}
}

func clientOptions(url, id string) *paho.ClientOptions {
	return paho.NewClientOptions().AddBroker(url).SetClientID(id).SetProtocolVersion(4).
		SetAutoReconnect(false).SetStore(noStore{}).SetConnectTimeout(5 * time.Second)
}

// connect connects an outside client, with the will given.
func connect(t *testing.T, o *paho.ClientOptions) paho.Client {
	t.Helper()
	c := paho.NewClient(o)
	if err := wait(t.Context(), c.Connect()); err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

func publish(t *testing.T, c paho.Client, topic string, retained bool, payload string) {
	t.Helper()
	if err := wait(t.Context(), c.Publish(topic, 1, retained, payload)); err != nil {
		t.Fatalf("publish to %s: %v", topic, err)
	}
}

// wait returns the token's error, or the context's.
func wait(ctx context.Context, token paho.Token) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rep is a good rep, dated now.
func rep(seq int) string {
	return fmt.Sprintf(`{"boot_id":"b1","seq":%d,"time":%q,"mean_velocity_mps":0.5}`, seq, time.Now().UTC().Format(time.RFC3339Nano))
}

func repTopic(device string) string { return "spotter/v1/main/device/" + device + "/rep" }

// sensors publish reps, each one again until it is acknowledged, and keep what was.
type sensors struct {
	mu    sync.Mutex
	acked []string
	group sync.WaitGroup
	end   context.CancelFunc
}

// hammer lets n sensors publish, from before the broker is there, until stop.
func hammer(t *testing.T, url string, n int) *sensors {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &sensors{end: cancel}
	for i := range n {
		s.group.Go(func() { s.sensor(ctx, url, fmt.Sprintf("bar-%d", i)) })
	}
	t.Cleanup(s.stop)
	return s
}

func (s *sensors) stop() {
	s.end()
	s.group.Wait()
}

func (s *sensors) acknowledged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.acked...)
}

func (s *sensors) sensor(ctx context.Context, url, device string) {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for seq := 0; ctx.Err() == nil; {
		c := paho.NewClient(clientOptions(url, device))
		err := wait(ctx, c.Connect())
		for err == nil {
			if err = wait(ctx, c.Publish(repTopic(device), 1, false, rep(seq))); err == nil {
				s.mu.Lock()
				s.acked = append(s.acked, fmt.Sprintf("%s %d", device, seq))
				s.mu.Unlock()
				seq++
			}
		}
		c.Disconnect(10)
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}

// more waits until the sensors have had n more acknowledgements.
func (s *sensors) more(t *testing.T, n int) {
	t.Helper()
	from := len(s.acknowledged())
	eventually(t, fmt.Sprintf("%d acknowledgements", n), func() bool { return len(s.acknowledged()) >= from+n })
}

// requireAll waits until every acknowledged rep is in the log.
func requireAll(t *testing.T, m *memory, acknowledged []string) {
	t.Helper()
	eventually(t, "every acknowledged rep is in the log", func() bool { return len(m.missing(acknowledged)) == 0 })
}

func requireCanceled(t *testing.T, r *running) {
	t.Helper()
	if err := r.stop(); !errors.Is(err, context.Canceled) {
		t.Fatalf("Run ended with %v", err)
	}
}

// pipelineEnd is how a pipeline ended, nil where its context had.
func pipelineEnd(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
