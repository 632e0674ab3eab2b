package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// patience is how long a test waits for what must happen.
const patience = 90 * time.Second

// adminToken is the token of every server that a test starts.
const adminToken = "test-token-of-the-admin"

// binary is the program under test, built as it is released.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "spotter-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "spotter")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build spotter: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// process is a running spotter.
type process struct {
	address
	t       testing.TB
	cmd     *exec.Cmd
	running bool
	ended   chan error
	log     *output
}

// wait returns how the program ended.
func (p *process) wait() error {
	p.running = false
	return <-p.ended
}

// output keeps what a process writes to standard error.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// launch starts the program and returns once it says that it is ready.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, args...), ended: make(chan error, 1), log: &output{}}
	// Tests ask more often than people.
	p.cmd.Env = append(os.Environ(), "SPOTTER_ADMIN_TOKEN="+adminToken, "SPOTTER_RATE_TOKEN=0", "SPOTTER_RATE_ADDRESS=0")
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.running = true
	t.Cleanup(p.kill)
	ready := make(chan error, 1)
	go func() {
		lines := bufio.NewReader(out)
		line, err := lines.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &p.address)
		}
		ready <- err
		_, _ = io.Copy(io.Discard, lines)
		p.ended <- p.cmd.Wait()
	}()
	select {
	case err := <-ready:
		if err != nil || !p.Ready {
			t.Fatalf("spotter does not start: %v\n%s", err, p.log)
		}
	case <-time.After(patience):
		t.Fatalf("spotter is not ready\n%s", p.log)
	}
	return p
}

// kill is kill -9.
func (p *process) kill() {
	if p.running {
		_ = p.cmd.Process.Kill()
		_ = p.wait()
	}
}

// stop ends the program as its operator would.
func (p *process) stop() {
	p.t.Helper()
	late := time.AfterFunc(15*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		p.t.Fatalf("spotter ends with %v, or not within 15 s\n%s", err, p.log)
	}
}

// get reads a JSON document of the API.
func (p *process) get(path string, into any) {
	p.t.Helper()
	if status := p.do(http.MethodGet, path, nil, into); status != http.StatusOK {
		p.t.Fatalf("GET %s answers %d", path, status)
	}
}

func (p *process) do(method, path string, body []byte, into any) int {
	p.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, p.HTTP+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if into == nil {
		return answer.StatusCode
	}
	if err := json.Unmarshal(data, into); err != nil {
		p.t.Fatalf("%s %s: %v\n%s", method, path, err, data)
	}
	return answer.StatusCode
}

// list reads every page of a list.
func list[T any](p *process, path string) []T {
	p.t.Helper()
	var all []T
	cursor := ""
	for {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		p.get(path+"limit=500&cursor="+url.QueryEscape(cursor), &page)
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

// metric reads one value of /metrics.
func (p *process) metric(name string) float64 {
	p.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.HTTP+"/metrics", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1 // not there at the moment
	}
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if value, ok := bytes.CutPrefix(lines.Bytes(), []byte(name+" ")); ok {
			v, err := strconv.ParseFloat(string(value), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return v
		}
	}
	return -1
}

// settled waits until every follower has taken everything up to now.
func (p *process) settled() {
	p.t.Helper()
	need.Eventually(p.t, patience, "the followers to be at the log's end", func() bool {
		for _, lag := range []string{"spotter_view_lag_events", "spotter_monitor_lag_events", "spotter_influx_lag_events", "spotter_ingest_queue_messages"} {
			if p.metric(lag) > 0 {
				return false
			}
		}
		return true
	})
}

// finding is what two runs must agree on.
type finding struct {
	ID       string
	Rule     lift.Rule
	Severity lift.Severity
	Evidence lift.Evidence
	Window   lift.Window
}

// findings are the alerts that were not retracted.
func (p *process) findings() map[string]finding {
	p.t.Helper()
	found := map[string]finding{}
	for _, a := range list[lift.Alert](p, "/api/v1/alerts?") {
		if a.State != lift.AlertRetracted {
			found[a.ID] = finding{a.ID, a.Rule, a.Severity, a.Evidence, a.Window}
		}
	}
	return found
}
