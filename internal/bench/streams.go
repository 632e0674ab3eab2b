package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

const streamAim = 200 * time.Millisecond

// streams measures from the publish of the rep that makes an alert until each of many
// clients has it, against a plain HTTP server that tells as many clients the same bytes.
func (o *options) streams(ctx context.Context) error {
	if o.clients == 0 {
		return nil
	}
	if err := moreFiles(uint64(o.clients) + 500); err != nil {
		return err
	}
	fmt.Printf("Streams, %d clients, one alert, medians of %d runs\n", o.clients, o.runs)
	text, err := o.told(ctx)
	if err != nil {
		return err
	}
	return o.plain(ctx, text)
}

// moreFiles lets this process and those that it starts have so many connections.
func moreFiles(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= n {
		return nil
	}
	limit.Cur = limit.Max
	if limit.Max < n {
		return fmt.Errorf("%d open files are allowed, and %d are needed", limit.Max, n)
	}
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// told measures the real program. It returns the bytes of one event.
func (o *options) told(ctx context.Context) (event []byte, err error) {
	dir, err := os.MkdirTemp("", "spotter-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, err := start(ctx, o.spotter, "serve", "--data", filepath.Join(dir, "data"), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
		"--log-level", "error", "--rate-token", "0", "--rate-address", "0")
	if err != nil {
		return nil, err
	}
	defer c.kill()
	crowd, err := connect(ctx, o.clients, c.HTTP+"/api/v1/alerts/stream")
	if err != nil {
		return nil, err
	}
	defer crowd.leave()
	player := &sim.Player{Broker: c.MQTT, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	for run := range o.runs {
		athlete := lift.AthleteID(fmt.Sprintf("lifter-%d", run))
		crowd.expect([]byte(`"athlete":"` + string(athlete) + `"`))
		velocities := []float64{0.60, 0.60, 0.59, 0.44, 0.42} // the last is the second in a row that is too slow
		var sent time.Time
		began := time.Now().Add(-12 * time.Second)
		err := player.Publish(ctx, "main", func(yield func(sim.Message) bool) {
			for i, v := range velocities {
				if i == len(velocities)-1 {
					_ = pause(ctx, 2*time.Second)
				}
				rep := lift.Rep{
					BootID: string(athlete), Seq: int64(i), Time: began.Add(time.Duration(i) * 3 * time.Second), Athlete: athlete, Exercise: sim.Deadlift,
					LoadKg: new(120.0), Set: new(1), Rep: new(i + 1), MeanVelocity: v,
				}
				payload, err := json.Marshal(&rep)
				if err != nil {
					return
				}
				sent = time.Now()
				if !yield(sim.Message{Topic: "spotter/v1/main/device/bar-1/rep", Payload: payload, QoS: 1, At: sent}) {
					return
				}
			}
		}, func(sim.Message) {})
		if err != nil {
			return nil, err
		}
		if err := crowd.wait(ctx); err != nil {
			return nil, err
		}
		crowd.note(sent)
	}
	crowd.report("alert over MQTT, to all clients of Spotter")
	return crowd.event, nil
}

// plain measures a server that does nothing but write the event to each client.
func (o *options) plain(ctx context.Context, event []byte) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c, err := start(ctx, self, "-fan")
	if err != nil {
		return err
	}
	defer c.kill()
	crowd, err := connect(ctx, o.clients, c.HTTP)
	if err != nil {
		return err
	}
	defer crowd.leave()
	for run := range o.runs {
		mark := fmt.Sprintf("run %d", run)
		crowd.expect([]byte(mark))
		text := bytes.Replace(event, []byte("\n\n"), []byte(" "+mark+"\n\n"), 1)
		sent := time.Now()
		answer, err := http.Post(c.HTTP, "text/plain", bytes.NewReader(text))
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		if err := crowd.wait(ctx); err != nil {
			return err
		}
		crowd.note(sent)
	}
	crowd.report("the same bytes, to all clients of a plain server")
	return nil
}

// crowd is many clients of one stream.
type crowd struct {
	clients int
	end     context.CancelFunc
	wanted  atomic.Pointer[wanted]
	reading sync.WaitGroup
	failed  chan error
	event   []byte

	p50, p99, slowest, within []float64
}

// wanted is an event that every client waits for.
type wanted struct {
	mark []byte
	mu   sync.Mutex
	at   []time.Time // when each had it
	text []byte
	all  chan struct{}
}

func connect(ctx context.Context, n int, url string) (*crowd, error) {
	ctx, end := context.WithCancel(ctx)
	c := &crowd{clients: n, end: end, failed: make(chan error, n)}
	client := &http.Client{Transport: &http.Transport{}}
	opened := make(chan struct{})
	slots := make(chan struct{}, 50)
	for range n {
		c.reading.Go(func() {
			slots <- struct{}{}
			opening := sync.OnceFunc(func() { <-slots; opened <- struct{}{} })
			if err := c.read(ctx, client, url, opening); err != nil && ctx.Err() == nil {
				c.failed <- err
			}
		})
	}
	for range n {
		select {
		case <-opened:
		case err := <-c.failed:
			end()
			return nil, err
		}
	}
	return c, nil
}

func (c *crowd) leave() {
	c.end()
	c.reading.Wait()
}

// read is one client. It has an event when it has the empty line behind it.
func (c *crowd) read(ctx context.Context, client *http.Client, url string, opened func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answers %s", answer.Status)
	}
	lines := bufio.NewReader(answer.Body)
	var event []byte
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		if event = append(event, line...); len(line) > 1 {
			continue
		}
		opened() // with what a stream begins with
		if w := c.wanted.Load(); w != nil && bytes.Contains(event, w.mark) {
			w.had(time.Now(), event, c.clients)
		}
		event = event[:0]
	}
}

func (w *wanted) had(at time.Time, event []byte, clients int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.at) == 0 {
		w.text = bytes.Clone(event)
	}
	if w.at = append(w.at, at); len(w.at) == clients {
		close(w.all)
	}
}

func (c *crowd) expect(mark []byte) { c.wanted.Store(&wanted{mark: mark, all: make(chan struct{})}) }

// wait returns when every client has the event.
func (c *crowd) wait(ctx context.Context) error {
	select {
	case <-c.wanted.Load().all:
		return nil
	case err := <-c.failed:
		return err
	case <-time.After(30 * time.Second):
		w := c.wanted.Load()
		w.mu.Lock()
		defer w.mu.Unlock()
		return fmt.Errorf("%d of %d clients have the event after 30 s", len(w.at), c.clients)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note takes the times of a run.
func (c *crowd) note(sent time.Time) {
	w := c.wanted.Load()
	var took []time.Duration
	within := 0
	for _, at := range w.at {
		took = append(took, at.Sub(sent))
		if at.Sub(sent) <= streamAim {
			within++
		}
	}
	c.event = w.text
	c.p50, c.p99 = append(c.p50, ms(quantile(took, 0.5))), append(c.p99, ms(quantile(took, 0.99)))
	c.slowest, c.within = append(c.slowest, ms(quantile(took, 1))), append(c.within, float64(within))
}

func (c *crowd) report(what string) {
	fmt.Printf("  %-50s p50 %6.1f ms   p99 %6.1f ms   last %6.1f ms (%.0f)   within %v: %.0f of %d (%.0f)\n",
		what, median(c.p50), median(c.p99), median(c.slowest), c.slowest, streamAim, median(c.within), c.clients, c.within)
}

// fan is a plain server of events: what is posted is written to everybody who reads.
func fan(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	type event struct {
		text []byte
		next chan struct{}
		then *event
	}
	var mu sync.Mutex
	last := &event{next: make(chan struct{})}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			text, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			last.then = &event{text: text, next: make(chan struct{})}
			close(last.next)
			last = last.then
			return
		}
		mu.Lock()
		at := last
		mu.Unlock()
		control := http.NewResponseController(w)
		if _, err := io.WriteString(w, ":\n\n"); err != nil {
			return
		}
		for control.Flush() == nil {
			select {
			case <-at.next:
			case <-r.Context().Done():
				return
			}
			at = at.then
			if _, err := w.Write(at.text); err != nil {
				return
			}
		}
	})}
	fmt.Printf("{\"http\":\"http://%s\"}\n", listener.Addr())
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
