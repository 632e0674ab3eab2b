package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

// serveArgs are the settings of a server on fixed addresses, so that sensors find
// it again after a restart.
func serveArgs(t testing.TB, fsync, influx string) []string {
	args := []string{
		"serve", "--data", t.TempDir(), "--fsync", fsync,
		"--http", need.FreeAddr(t), "--mqtt", need.FreeAddr(t), "--log-level", "warn",
	}
	if influx != "" {
		args = append(args, "--influx-url", influx, "--influx-bucket", "spotter")
	}
	return args
}

// load is a stream of reps that ends now.
func load(t testing.TB, count int) sim.Load {
	l := sim.Load{Seed: 7, Site: "main", Devices: 20, Athletes: 100, Count: count, Start: time.Now()}
	l.Start = l.Start.Add(-l.End().Sub(l.Start)).Truncate(time.Millisecond)
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	return l
}

// paced lets through so many messages a second; 0 is as fast as they are taken.
func paced(messages iter.Seq[sim.Message], rate int) iter.Seq[sim.Message] {
	if rate == 0 {
		return messages
	}
	return func(yield func(sim.Message) bool) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		n := 0
		for m := range messages {
			if n%max(rate/100, 1) == 0 {
				<-tick.C
			}
			n++
			if !yield(m) {
				return
			}
		}
	}
}

// publish sends the load and counts what is acknowledged.
func publish(t testing.TB, broker string, l sim.Load, rate int, acked *atomic.Int64) <-chan error {
	t.Helper()
	messages, err := sim.Stream(l)
	if err != nil {
		t.Fatal(err)
	}
	player := &sim.Player{Broker: broker, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	go func() {
		done <- player.Publish(ctx, l.Site, paced(messages, rate), func(sim.Message) { acked.Add(1) })
	}()
	return done
}

// finishSets stops the server, notes in its log that time has passed, and starts it
// again: every set is then finished, without waiting for it.
func finishSets(t testing.TB, p *process, args []string) *process {
	t.Helper()
	p.stop()
	log, err := journal.Open(t.Context(), journal.Options{Dir: args[2] + "/log", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	minute := time.Now().UTC().Add(5 * time.Minute).Truncate(time.Minute)
	_, err = log.Append(t.Context(), journal.Event{Kind: journal.KindTick, Received: minute, Minute: minute})
	log.Close()
	if err != nil {
		t.Fatal(err)
	}
	p = launch(t, args...)
	p.settled()
	return p
}

// repsIn counts the reps of all athletes in the view, and how many ids they have.
func repsIn(p *process, l sim.Load) (rows, ids int) {
	seen := map[string]bool{}
	from := url.QueryEscape(l.Start.Add(-time.Hour).Format(time.RFC3339))
	for i := range l.Athletes {
		for _, r := range list[lift.RepRecord](p, fmt.Sprintf("/api/v1/athletes/%s/reps?from=%s&", sim.LifterID(i), from)) {
			rows++
			seen[r.ID] = true
		}
	}
	return rows, len(seen)
}

// influxCount counts the valid points of a measurement.
func influxCount(t testing.TB, server, measurement string) string {
	t.Helper()
	q := url.Values{"db": {"spotter"}, "q": {"SELECT count(load_kg) FROM " + measurement + " WHERE valid = 1"}}
	answer, err := http.Get(server + "/query?" + q.Encode())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	_, tail, ok := strings.Cut(string(data), `"values":[["1970-01-01T00:00:00Z",`)
	if !ok {
		return string(data)
	}
	count, _, _ := strings.Cut(tail, "]")
	return count
}

// Promise 1 and 2: what a sensor was told to be stored survives kill -9 at any
// moment, and is counted once, in the view and in InfluxDB; and promise 3: the
// final alerts equal those of a run that nobody disturbed.
func TestEveryAcknowledgedRepSurvivesKill9(t *testing.T) {
	for _, c := range []struct {
		fsync string
		rate  int
		count int
	}{
		{"always", 500, 6000},
		{"100ms", 2000, 20000},
	} {
		t.Run("fsync "+c.fsync, func(t *testing.T) {
			l := load(t, c.count)
			influx := need.RunInflux(t)
			args := serveArgs(t, c.fsync, influx.URL)
			p := launch(t, args...)
			var acked atomic.Int64
			done := publish(t, p.MQTT, l, c.rate, &acked)
			for kill := range 3 {
				at := int64((kill + 1) * c.count / 4)
				need.Eventually(t, patience, "a quarter of the reps", func() bool { return acked.Load() >= at })
				p.kill()
				p = launch(t, args...)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if acked.Load() != int64(c.count) {
				t.Fatalf("%d of %d reps were acknowledged", acked.Load(), c.count)
			}
			need.Eventually(t, patience, "every acknowledged rep to be in the view", func() bool {
				return p.metric("spotter_ingest_queue_messages") == 0 && p.metric("spotter_view_lag_events") == 0 && viewHolds(p, l)
			})
			p.settled()
			p = finishSets(t, p, args)
			if rows, ids := repsIn(p, l); rows != c.count || ids != c.count {
				t.Errorf("the view has %d reps with %d ids, want %d", rows, ids, c.count)
			}
			need.Eventually(t, patience, "every rep to be in InfluxDB", func() bool {
				return influxCount(t, influx.URL, "rep") == fmt.Sprint(c.count)
			})
			disturbed := p.findings()
			p.stop()

			args = serveArgs(t, c.fsync, "")
			p = launch(t, args...)
			if err := <-publish(t, p.MQTT, l, 0, &acked); err != nil {
				t.Fatal(err)
			}
			need.Eventually(t, patience, "every rep to be in the view", func() bool { return viewHolds(p, l) })
			p = finishSets(t, p, args)
			calm := p.findings()
			if len(calm) < l.Told() {
				t.Errorf("%d alerts of %d sets that slow down and are told", len(calm), l.Told())
			}
			if diff := cmp.Diff(calm, disturbed); diff != "" {
				t.Errorf("final alerts differ (- calm, + disturbed):\n%s", diff)
			}
		})
	}
}

// viewHolds reports whether the view has as many reps as were sent.
func viewHolds(p *process, l sim.Load) bool {
	rows, _ := repsIn(p, l)
	return rows >= l.Count
}
