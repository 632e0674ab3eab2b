package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/house/need"
)

// text reads a page.
func (p *process) text(path string) string {
	p.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.HTTP+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// Told to stop, the server ends within ten seconds and without an error, whoever is
// connected and whatever it is doing; what it had acknowledged is there afterwards.
func TestTheServerStopsWithinTenSecondsInTheMiddleOfItsWork(t *testing.T) {
	l := load(t, 4000)
	args := serveArgs(t, "always", "")
	p := launch(t, args...)
	var acked atomic.Int64
	done := publish(t, p.MQTT, l, 800, &acked)
	need.Eventually(t, patience, "a quarter of the reps", func() bool { return acked.Load() > int64(l.Count/4) })

	client := &http.Client{Transport: &http.Transport{}}
	open := func(method, path string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(context.Background(), method, p.HTTP+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+adminToken)
		request.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	for range 20 {
		for _, path := range []string{"/api/v1/alerts/stream", "/api/v1/live"} {
			if _, err := bufio.NewReader(open(http.MethodGet, path).Body).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	if answer := open(http.MethodPost, "/api/v1/backtests"); answer.StatusCode != http.StatusCreated {
		t.Fatalf("the backtest answers %s", answer.Status)
	}
	open(http.MethodGet, "/api/v1/backup") // and is not read
	idle, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Disconnect(0)

	began := time.Now()
	p.stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("it took %v", took)
	}
	if n := acked.Load(); n == int64(l.Count) {
		t.Fatal("all reps were there before the stop")
	}
	p = launch(t, args...)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "every acknowledged rep to be in the view", func() bool { return viewHolds(p, l) })
	if rows, ids := repsIn(p, l); rows != l.Count || ids != l.Count {
		t.Errorf("the view has %d reps with %d ids, want %d", rows, ids, l.Count)
	}
	p.stop()
}
