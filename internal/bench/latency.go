package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

// latencies measures from the publish of the rep that makes an alert to the alert
// on the stream, at 1 000 reps a second and at half the ceiling of this run.
func (o *options) latencies(ctx context.Context) error {
	for _, s := range settings[:2] {
		ceiling, err := o.once(ctx, s, true)
		if err != nil {
			return err
		}
		for _, rate := range []float64{1000, ceiling / 2} {
			all, err := o.latencyAt(ctx, s, rate)
			if err != nil {
				return err
			}
			fmt.Printf("Latency from publish to alert, %s, %5.0f reps/s (ceiling %.0f): p50 %v, p99 %v, %d alerts\n",
				s.name, rate, ceiling, quantile(all, 0.5).Round(10*time.Microsecond), quantile(all, 0.99).Round(10*time.Microsecond), len(all))
		}
	}
	return nil
}

// sent remembers when each rep was published, by athlete and time.
type sent struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (o *options) latencyAt(ctx context.Context, s setting, rate float64) (_ []time.Duration, err error) {
	dir, err := os.MkdirTemp("", "spotter-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	url, stop, err := o.influx(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer stop()
	c, err := start(ctx, o.spotter, "serve", "--data", filepath.Join(dir, "data"), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
		"--fsync", s.fsync, "--log-level", "warn", "--influx-url", url)
	if err != nil {
		return nil, err
	}
	defer c.kill()
	record := &sent{at: map[string]time.Time{}}
	streaming, end := context.WithCancel(ctx)
	defer end()
	var all []time.Duration
	read := make(chan error, 1)
	opened := make(chan struct{})
	go func() { read <- c.stream(streaming, opened, record, &all) }()
	select {
	case <-opened:
	case err := <-read:
		return nil, err
	}
	began, n := time.Now(), 0
	pace := func(m sim.Message) {
		_ = pause(ctx, time.Until(began.Add(time.Duration(float64(n)/rate*float64(time.Second)))))
		n++
		var r lift.Rep
		if json.Unmarshal(m.Payload, &r) == nil {
			record.mu.Lock()
			record.at[string(r.Athlete)+r.Time.UTC().Format(time.RFC3339Nano)] = time.Now()
			record.mu.Unlock()
		}
	}
	if err := o.publish(ctx, c.MQTT, int(rate*o.latency.Seconds()), pace); err != nil {
		return nil, err
	}
	if err := pause(ctx, time.Second); err != nil {
		return nil, err
	}
	end()
	if err := <-read; err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return all, nil
}

// stream reads alerts as they come. Only the first word on an alert is timed: it is
// the newest rep of its window that made it.
func (c *child) stream(ctx context.Context, opened chan<- struct{}, record *sent, all *[]time.Duration) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.HTTP+"/api/v1/alerts/stream", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answers %s", answer.Status)
	}
	close(opened)
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		now := time.Now()
		var a lift.Alert
		if err := json.Unmarshal([]byte(data), &a); err != nil {
			return err
		}
		record.mu.Lock()
		at, known := record.at[string(a.Athlete)+a.Window.To.UTC().Format(time.RFC3339Nano)]
		record.mu.Unlock()
		if known && a.Revision == 1 && a.Rule == "velocity-loss" {
			*all = append(*all, now.Sub(at))
		}
	}
	return lines.Err()
}
