package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

// Promise 5: InfluxDB that is gone delays no rep and no alert elsewhere, and misses
// nothing once it is back.
func TestInfluxStoppedForAMinuteUnderLoadMissesNothing(t *testing.T) {
	const count, rate = 14000, 200
	l := load(t, count)
	influx := need.RunInflux(t)
	p := launch(t, serveArgs(t, "100ms", influx.URL)...)
	var acked atomic.Int64
	done := publish(t, p.MQTT, l, rate, &acked)
	need.Eventually(t, patience, "the first reps", func() bool { return acked.Load() > 500 })
	influx.Kill()
	stopped := time.Now()
	alertsBefore := p.metric("spotter_monitor_found_total")
	need.Eventually(t, patience, "a minute without InfluxDB", func() bool { return time.Since(stopped) > time.Minute })
	if lag := p.metric("spotter_view_lag_events"); lag > 1000 {
		t.Errorf("the view lags %v events because InfluxDB is gone", lag)
	}
	if alerts := p.metric("spotter_monitor_found_total"); alerts <= alertsBefore {
		t.Errorf("no alert has come since InfluxDB is gone (%v)", alerts)
	}
	if p.metric("spotter_influx_lag_events") < 1000 {
		t.Error("the follower's lag does not show that InfluxDB is gone")
	}
	influx.Start()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "every rep to be in InfluxDB", func() bool {
		return influxCount(t, influx.URL, "rep") == fmt.Sprint(count)
	})
}

// Behind somebody else's broker: it is restarted under load, and nothing that it
// had acknowledged is missing.
func TestMosquittoRestartedUnderLoadLosesNothing(t *testing.T) {
	const count, rate = 6000, 1000
	l := load(t, count)
	broker := need.RunMosquitto(t)
	p := launch(t, "serve", "--data", t.TempDir(), "--http", need.FreeAddr(t), "--mqtt-broker", broker.URL, "--log-level", "warn")
	if p.MQTT != broker.URL {
		t.Errorf("the broker in use is said to be %s", p.MQTT)
	}
	var acked atomic.Int64
	done := publish(t, broker.URL, l, rate, &acked)
	for restart := range 2 {
		at := int64((restart + 1) * count / 3)
		need.Eventually(t, patience, "a third of the reps", func() bool { return acked.Load() >= at })
		broker.Stop()
		broker.Start()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "every acknowledged rep to be in the view", func() bool { return viewHolds(p, l) })
	if rows, ids := repsIn(p, l); rows != count || ids != count {
		t.Errorf("the view has %d reps with %d ids, want %d", rows, ids, count)
	}
}

// Three flags: somebody's own NATS, broker and InfluxDB.
func TestEverythingOutsideIsPluggedInWithFlags(t *testing.T) {
	nats, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	defer nats.Shutdown()
	if !nats.ReadyForConnections(20 * time.Second) {
		t.Fatal("nats-server is not ready")
	}
	broker, influx := need.RunMosquitto(t), need.RunInflux(t)
	p := launch(t, "serve", "--data", t.TempDir(), "--http", need.FreeAddr(t), "--nats-url", nats.ClientURL(),
		"--mqtt-broker", broker.URL, "--influx-url", influx.URL)
	l := load(t, 500)
	var acked atomic.Int64
	if err := <-publish(t, broker.URL, l, 0, &acked); err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "every rep to be in InfluxDB", func() bool {
		return influxCount(t, influx.URL, "rep") == "500"
	})
	if rows, ids := repsIn(p, l); rows != 500 || ids != 500 {
		t.Errorf("the view has %d reps with %d ids", rows, ids)
	}
	// What nobody can send through the embedded broker: spaces in a topic.
	say := exec.Command(need.Binary(t, "mosquitto_pub"), "-h", "127.0.0.1", "-p", strings.TrimPrefix(broker.URL, "tcp://127.0.0.1:"), "-q", "1", "-t", "spotter/v1/main/device/bar 1/rep", "-m", minimalRep)
	if out, err := say.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	need.Eventually(t, patience, "the topic with a space to be in quarantine", func() bool {
		held := list[lift.Quarantined](p, "/api/v1/quarantine?")
		return len(held) == 1 && strings.Contains(held[0].Field, "device") && held[0].Topic == "spotter/v1/main/device/bar 1/rep"
	})
}

func TestTheViewsDiskIsLostAndRebuilt(t *testing.T) {
	l := load(t, 3000)
	args := serveArgs(t, "100ms", "")
	p := launch(t, args...)
	var acked atomic.Int64
	if err := <-publish(t, p.MQTT, l, 0, &acked); err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "every rep to be in the view", func() bool { return viewHolds(p, l) })
	p = finishSets(t, p, args)
	before := p.findings()
	steps := len(list[lift.Alert](p, "/api/v1/alerts?state=retracted&"))
	p.kill()
	files, err := filepath.Glob(filepath.Join(args[2], "view.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no view to delete", err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	check := func(how string) {
		t.Helper()
		p = launch(t, args...)
		p.settled()
		if rows, ids := repsIn(p, l); rows != l.Count || ids != l.Count {
			t.Errorf("%s: the view has %d reps with %d ids, want %d", how, rows, ids, l.Count)
		}
		if diff := cmp.Diff(before, p.findings()); diff != "" {
			t.Errorf("%s: alerts differ:\n%s", how, diff)
		}
		if n := len(list[lift.Alert](p, "/api/v1/alerts?state=retracted&")); n != steps {
			t.Errorf("%s: %d alerts were retracted meanwhile", how, n-steps)
		}
		p.stop()
	}
	check("started without its view")
	var out, errOut output
	if code := run(context.Background(), []string{"rebuild", "--data", args[2]}, &out, &errOut); code != 0 {
		t.Fatalf("rebuild ends with %d\n%s", code, &errOut)
	}
	if !strings.Contains(errOut.String(), "rebuilding the view") {
		t.Errorf("rebuild shows no progress:\n%s", &errOut)
	}
	check("rebuilt")
}

// A power cut between two syncs, or an older copy of the log put back: what the view
// knows beyond the log is forgotten, and what comes next is not mistaken for it.
func TestAViewThatKnowsMoreThanTheLogIsRebuilt(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	first, second := load(t, 2000), load(t, 500)
	p := launch(t, args...)
	var acked atomic.Int64
	if err := <-publish(t, p.MQTT, first, 0, &acked); err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "every rep to be in the view", func() bool { return viewHolds(p, first) })
	p.stop()
	if err := os.RemoveAll(filepath.Join(args[2], "log")); err != nil {
		t.Fatal(err)
	}
	p = launch(t, args...)
	if err := <-publish(t, p.MQTT, second, 0, &acked); err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "every new rep to be in the view", func() bool { return viewHolds(p, second) })
	if rows, ids := repsIn(p, first); rows != 500 || ids != 500 {
		t.Errorf("the view has %d reps with %d ids, want the 500 of the new log", rows, ids)
	}
	p.settled()
}

// Promise 4: what cannot be used is kept with the reason and its bytes, can be
// read, mended and replayed, and does not touch its neighbours.
func TestBadMessagesAreKeptReadAndReplayed(t *testing.T) {
	p := launch(t, serveArgs(t, "always", "")...)
	now := time.Now()
	bad := sim.MalformedMessages("main", "bar-1", "b1", now)
	good := load(t, 50)
	stream, err := sim.Stream(good)
	if err != nil {
		t.Fatal(err)
	}
	var mixed []sim.Message
	for m := range stream {
		mixed = append(mixed, m)
		if i := len(mixed) / 2; len(mixed)%2 == 1 && i < len(bad) {
			mixed = append(mixed, bad[i].Message)
		}
	}
	huge := `[{"padding":"` + strings.Repeat("x", 5<<20) + `"}]`
	mixed = append(mixed, sim.Message{Topic: "spotter/v1/main/device/bar-1/rep", Payload: []byte(huge), QoS: 1, At: now})
	player := &sim.Player{Broker: p.MQTT, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if err := player.Publish(t.Context(), "main", slices.Values(mixed), func(sim.Message) {}); err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, patience, "the good reps to be in the view", func() bool { return viewHolds(p, good) })
	type item struct {
		ID     string `json:"id"`
		Reason string `json:"reason"`
		Field  string `json:"field"`
		Size   int    `json:"size"`
		Bytes  string `json:"bytes"`
	}
	var items []item
	need.Eventually(t, patience, "the bad messages to be in quarantine", func() bool {
		items = list[item](p, "/api/v1/quarantine?")
		return len(items) >= len(bad)+1
	})
	fields := map[string]bool{}
	for _, i := range items {
		if i.Reason == "" {
			t.Errorf("quarantined without a reason: %+v", i)
		}
		fields[i.Field] = true
	}
	for _, b := range bad {
		if b.Field != "" && !fields[b.Field] {
			t.Errorf("%s: nothing in quarantine names the field %s", b.Name, b.Field)
		}
	}
	index := slices.IndexFunc(items, func(i item) bool { return i.Size == len(huge) })
	if index < 0 {
		t.Fatal("the 5 MB message is not in quarantine")
	}
	if status := p.do(http.MethodPost, "/api/v1/quarantine/"+items[index].ID+"/replay", nil, nil); status != http.StatusConflict {
		t.Errorf("replaying a cut message answers %d, want 409", status)
	}
	index = slices.IndexFunc(items, func(i item) bool { return i.Field == "mean_velocity_mps" })
	var held item
	p.get("/api/v1/quarantine/"+items[index].ID, &held)
	if bytes, err := base64.StdEncoding.DecodeString(held.Bytes); err != nil || len(bytes) != held.Size {
		t.Errorf("%d of %d bytes are readable: %v", len(bytes), held.Size, err)
	}
	if status := p.do(http.MethodPost, "/api/v1/quarantine/"+held.ID+"/replay", nil, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("replaying what is still bad answers %d, want 422", status)
	}
	mended := fmt.Sprintf(`{"boot_id":"b1","seq":99,"time":%q,"athlete":"mended","mean_velocity_mps":0.5}`, now.Format(time.RFC3339Nano))
	if status := p.do(http.MethodPost, "/api/v1/quarantine/"+held.ID+"/replay", []byte(mended), nil); status != http.StatusOK && status != http.StatusCreated {
		t.Errorf("replaying a mended message answers %d", status)
	}
	need.Eventually(t, patience, "the mended rep", func() bool {
		return len(list[lift.RepRecord](p, "/api/v1/athletes/mended/reps?")) == 1
	})
	if n := len(list[item](p, "/api/v1/quarantine?")); n != len(items)-1 {
		t.Errorf("%d items in quarantine after one was replayed, want %d", n, len(items)-1)
	}
}

// The README's first command: within 30 seconds of being up there is an alert of
// each rule, also on the stream, and the folder goes when it ends.
func TestDemoShowsEveryRuleWithin30Seconds(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	p := launch(t, "demo", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--seed", "4", "--log-level", "warn")
	started := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.HTTP+"/api/v1/alerts/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	wanted := map[string]bool{"velocity-loss": true, "weekly-volume": true, "pain-zone": true, "red-flag": true}
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	for len(wanted) > 0 && lines.Scan() {
		for rule := range wanted {
			if strings.HasPrefix(lines.Text(), "data:") && strings.Contains(lines.Text(), `"rule":"`+rule+`"`) {
				delete(wanted, rule)
			}
		}
	}
	if len(wanted) > 0 {
		t.Fatalf("30 s after the start there is no alert of %v (%v)\n%s", wanted, lines.Err(), p.log)
	}
	t.Logf("alerts of all four rules after %v", time.Since(started))
	var weeks struct {
		Items []lift.Week `json:"items"`
	}
	p.get("/api/v1/athletes/bo/weeks", &weeks)
	if len(weeks.Items) < 8 {
		t.Errorf("%d weeks of history", len(weeks.Items))
	}
	p.stop()
	left, err := filepath.Glob(filepath.Join(temp, "spotter-demo-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("the demo leaves %v, %v", left, err)
	}
}

func TestBadSettingsAreAllReportedByName(t *testing.T) {
	for _, c := range []struct {
		args []string
		says []string
		code int
	}{
		{[]string{"serve", "--fsync", "never", "--zone", "Mars/Base", "--http", "nowhere", "--influx-token", "x"}, []string{"--fsync", "--zone", "--http", "--influx-token"}, 2},
		{[]string{"serve", "--keep-reps", "9w", "--keep-checkins", "69d", "--keep-audit", "soon"}, []string{"--keep-reps", "--keep-checkins", "--keep-audit"}, 2},
		{[]string{"serve", "--mqtt", "0.0.0.0:0"}, []string{"--mqtt-auth"}, 2},
		{[]string{"serve", "--nats-url", "nats://127.0.0.1:1"}, []string{"--mqtt-broker"}, 2},
		{[]string{"serve", "--mqtt-broker", "http://x"}, []string{"--mqtt-broker"}, 2},
		{[]string{"demo", "--http", "0.0.0.0:0", "--athletes", "0"}, []string{"--http", "--athletes"}, 2},
		{[]string{"simulate"}, []string{"--mqtt-broker"}, 2},
		{[]string{"lift"}, []string{"lift"}, 2},
		{[]string{"healthcheck", "--url", "http://127.0.0.1:1/healthz"}, []string{"refused"}, 1},
	} {
		var out, errOut output
		if code := run(t.Context(), c.args, &out, &errOut); code != c.code {
			t.Errorf("%v ends with %d, want %d", c.args, code, c.code)
		}
		for _, s := range c.says {
			if !strings.Contains(errOut.String(), s) {
				t.Errorf("%v does not name %s:\n%s", c.args, s, &errOut)
			}
		}
	}
}

func TestTwoServersDoNotShareAFolder(t *testing.T) {
	args := serveArgs(t, "always", "")
	p := launch(t, args...)
	var out, errOut output
	if code := run(t.Context(), []string{"rebuild", "--data", args[2]}, &out, &errOut); code != 1 || !strings.Contains(errOut.String(), "in use") {
		t.Errorf("rebuild beside a server ends with %d\n%s", code, &errOut)
	}
	if code := run(t.Context(), []string{"healthcheck", "--url", p.HTTP + "/healthz"}, &out, &errOut); code != 0 {
		t.Errorf("healthcheck ends with %d\n%s", code, &errOut)
	}
}
