package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/privacy"
	"github.com/spotterhq/spotter/internal/view"
)

const testToken = "test-token-of-an-admin"

// gym is a server with a real log and view.
type gym struct {
	t      testing.TB
	log    *journal.Log
	view   *view.View
	server *Server
	url    string
	logged *notes
	stop   func() error // stops the server and waits for it
}

// open starts a gym; change may adjust the options.
func open(t testing.TB, change ...func(*Options)) *gym {
	t.Helper()
	g := &gym{t: t, logged: &notes{}}
	logger := slog.New(slog.NewTextHandler(g.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if g.log, err = journal.Open(t.Context(), journal.Options{Dir: t.TempDir(), Fsync: time.Second, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.log.Close)
	if g.view, err = view.Open(t.Context(), filepath.Join(t.TempDir(), "view.db"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.view.Close() })
	following, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = g.view.Run(following, g.log) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)

	erased, err := privacy.OpenTombstones(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	eraser := privacy.New(privacy.Options{Log: g.log, View: g.view, Tombstones: erased, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	running.Go(func() { _ = eraser.Run(following) })
	auth, _, err := LoadOrCreateAdmin(t.TempDir(), testToken, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		View: g.view, Log: privacy.Gate{Appender: g.log, Tombstones: erased}, Erasures: eraser, Clock: time.Now, Logger: logger, Auth: auth, Credentials: access.In(t.TempDir()),
		Decode: func(topic string, payload []byte, received time.Time) []journal.Event {
			return ingest.Decode(ingest.Message{Topic: topic, Payload: payload, Received: received}).Events
		},
		Sets: analysis.Sets, Weeks: analysis.Weeks, Version: "test",
		Backup: func(_ context.Context, w io.Writer, _ bool, _ string) error {
			_, err := io.WriteString(w, "an archive")
			return err
		},
	}
	channels, err := notify.OpenChannels(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o.Notifier, err = notify.Open(t.Context(), notify.Options{
		Path: filepath.Join(t.TempDir(), "notify.db"), View: g.view, End: g.log.LastSeq, Channels: channels, Logger: logger, Now: time.Now,
		Publish: func(context.Context, string, byte, []byte) error { return nil }, Send: notify.NewSender(time.Now),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		_ = o.Notifier.Close()
	})
	for _, c := range change {
		c(&o)
	}
	running.Go(func() { _ = o.Notifier.Run(following) })
	if g.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	g.serve()
	return g
}

// serve answers on a free port until stop.
func (g *gym) serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	g.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- g.server.Serve(ctx, listener) }()
	g.stop = sync.OnceValue(func() error {
		cancel()
		return <-result
	})
	g.t.Cleanup(func() {
		if err := g.stop(); err != nil {
			g.t.Error(err)
		}
	})
}

// notes keeps what is logged.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// clock is a time that a test moves.
type clock struct{ ns atomic.Int64 }

func clockAt(t time.Time) *clock {
	c := &clock{}
	c.ns.Store(t.UnixNano())
	return c
}

func (c *clock) time() time.Time     { return time.Unix(0, c.ns.Load()) }
func (c *clock) add(d time.Duration) { c.ns.Add(int64(d)) }

// append stores the events and waits until the view has them.
func (g *gym) append(events ...journal.Event) uint64 {
	g.t.Helper()
	acks, err := g.log.Append(context.Background(), events...)
	if err != nil {
		g.t.Fatal(err)
	}
	seq := acks[len(acks)-1].Seq
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := g.view.WaitFor(ctx, seq); err != nil {
		g.t.Fatal(err)
	}
	return seq
}

// send makes a request with the admin's token; headers come in pairs.
func (g *gym) send(method, path, body string, headers ...string) *http.Response {
	g.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		g.t.Fatal(err)
	}
	return answer
}

// want makes a request, requires the status and decodes the answer into a T.
func want[T any](g *gym, status int, method, path, body string, headers ...string) T {
	g.t.Helper()
	answer := g.send(method, path, body, headers...)
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	if answer.StatusCode != status {
		g.t.Fatalf("%s %s answers %d, want %d: %s", method, path, answer.StatusCode, status, data)
	}
	if status >= 400 && answer.Header.Get("Content-Type") != problemType {
		g.t.Fatalf("%s %s: an error of type %q: %s", method, path, answer.Header.Get("Content-Type"), data)
	}
	var v T
	if len(data) == 0 {
		return v
	}
	if err := json.Unmarshal(data, &v); err != nil {
		g.t.Fatalf("%s %s: %v in %s", method, path, err, data)
	}
	return v
}

// trained is a Tuesday evening some weeks ago.
var trained = time.Date(2026, 11, 10, 18, 0, 0, 0, time.UTC)

// rep is the nth rep of a set, each slower than the one before.
func rep(athlete string, n int, at time.Time) journal.Event {
	load, set := 120.0, 1
	return journal.Event{
		Kind: journal.KindRep, Received: at, Site: "main", Device: "bar-1", Athlete: lift.AthleteID(athlete),
		Rep: &lift.Rep{
			BootID: "b1-" + athlete, Seq: int64(n), Time: at.Add(time.Duration(n) * 3 * time.Second), Athlete: lift.AthleteID(athlete),
			Exercise: "deadlift", LoadKg: &load, Set: &set, MeanVelocity: 0.6 - 0.02*float64(n%10),
		},
	}
}

// logged is the nth row of an athlete's training log, without a velocity.
func logged(athlete string, n int, at time.Time, change ...func(*lift.LoggedSet)) journal.Event {
	s := &lift.LoggedSet{
		ID: lift.LoggedSetID(lift.AthleteID(athlete), "strong", strconv.Itoa(n)), Log: "strong", Exercise: "deadlift", Time: at.Add(time.Duration(n) * time.Hour),
		Reps: 5, LoadKg: new(100.0),
	}
	for _, c := range change {
		c(s)
	}
	return journal.Event{Kind: journal.KindSetLogged, Received: at, Site: "main", Athlete: lift.AthleteID(athlete), By: "kim", Logged: s}
}

func repID(e journal.Event) string { return lift.RepID(e.Site, e.Device, e.Rep.BootID, e.Rep.Seq) }

// found opens, or changes, the nth alert of an athlete.
func found(athlete string, n int, severity lift.Severity, at time.Time) journal.Event {
	window := lift.Window{Kind: lift.WindowSet, ID: fmt.Sprintf("st_%d", n), From: at, To: at.Add(time.Minute)}
	id := lift.AlertID("velocity-loss", lift.AthleteID(athlete), "deadlift", window.Kind, window.ID)
	return journal.Event{
		Kind: journal.KindAlert, Received: at, Site: "main", Athlete: lift.AthleteID(athlete),
		Alert: &lift.AlertChange{AlertID: id, Verb: lift.AlertFound, At: at, Finding: &lift.Finding{
			ID: id, Site: "main", Athlete: lift.AthleteID(athlete), Rule: "velocity-loss", Severity: severity,
			Title: fmt.Sprintf("Bar slowed in set %d", n), Exercise: "deadlift", Window: window,
			Evidence: lift.Evidence{Value: 21.15, Unit: "pct", Threshold: 20, Samples: 5, Confidence: "full"},
			Source:   lift.Citation{Kind: "article"},
		}},
	}
}

func retracted(e journal.Event, at time.Time) journal.Event {
	e.Received, e.Alert = at, &lift.AlertChange{AlertID: e.Alert.AlertID, Verb: lift.AlertRetract, At: at}
	return e
}
