package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/authority"
	"github.com/spotterhq/spotter/internal/check"
	"github.com/spotterhq/spotter/internal/house/need"
)

// checked runs spotter check and returns what it found of each thing.
func checked(t *testing.T, wantCode int, args ...string) map[string][]check.Finding {
	t.Helper()
	out, _ := command(t, wantCode, append([]string{"check", "--json"}, args...)...)
	var report check.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all := map[string][]check.Finding{}
	for _, f := range report.Findings {
		all[f.What] = append(all[f.What], f)
	}
	return all
}

// expect requires a finding of the level with the text.
func expect(t *testing.T, all map[string][]check.Finding, what string, level check.Level, says string) {
	t.Helper()
	for _, f := range all[what] {
		if f.Level == level && strings.Contains(f.Says+f.Do, says) {
			return
		}
	}
	t.Errorf("of %s nothing is %s and says %q, but %+v", what, level, says, all[what])
}

func TestCheckLooksAtABrokerAndAtInfluxDB(t *testing.T) {
	influx := need.RunInflux(t)
	broker := need.RunMosquitto(t)
	args := []string{"--data", t.TempDir(), "--http", "127.0.0.1:0", "--mqtt-broker", broker.URL, "--influx-url", influx.URL}
	found := checked(t, 0, args...)
	expect(t, found, "broker", check.OK, "accepts")
	expect(t, found, "broker", check.OK, "cannot be seen from here")
	expect(t, found, "window", check.OK, "at least 200")
	expect(t, found, "influx", check.Warning, "has no spotter and no spotter_samples")
	expect(t, found, "clock", check.OK, "InfluxDB")

	// A server makes the databases with its first point.
	p := launch(t, append([]string{"serve", "--log-level", "warn"}, args...)...)
	c, err := connect(broker.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, "spotter/v1/main/device/bar-1/rep", minimalRep)
	c.Disconnect(100)
	need.Eventually(t, patience, "both databases to be there", func() bool {
		out, _, _ := spotter(append([]string{"check"}, args...)...)
		return strings.Contains(out, "lets the token write to both buckets")
	})
	p.stop()

	broker.Kill()
	influx.Kill()
	found = checked(t, exitFailed, args...)
	expect(t, found, "broker", check.Problem, "connect to the broker")
	expect(t, found, "influx", check.Problem, "nothing is lost")
}

func TestCheckMeasuresMosquittosWindow(t *testing.T) {
	broker := need.RunMosquitto(t, "max_inflight_messages 20")
	found := checked(t, 0, "--data", t.TempDir(), "--http", "127.0.0.1:0", "--mqtt-broker", broker.URL)
	if w := found["window"]; len(w) != 1 || !strings.HasPrefix(w[0].Says, "20 messages under way") {
		t.Errorf("the window is %+v", w)
	}
}

func TestCheckAsksARunningServerOrLooksFromOutside(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	command(t, 0, "tls", "--data", data)
	args = append(args, "--tls")
	p := launch(t, args...)
	ca := authority.In(data).Root().Cert
	found := checked(t, 0, "--server", p.HTTP, "--token", adminToken, "--server-ca", ca)
	expect(t, found, "server", check.OK, "is ready")
	expect(t, found, "clock", check.OK, "the server's")
	expect(t, found, "certificate", check.OK, "valid until")
	expect(t, found, "view", check.OK, "events behind")
	expect(t, checked(t, exitFailed, "--server", p.HTTP, "--token", "of-nobody-at-all", "--server-ca", ca), "token", check.Problem, "401")
	expect(t, checked(t, exitFailed, "--server", p.HTTP, "--token", adminToken), "server", check.Problem, "--server-ca")

	found = checked(t, 0, "--data", data, "--tls")
	expect(t, found, "server", check.OK, "looks from outside")
	expect(t, found, "certificate", check.OK, "valid until")
	expect(t, found, "sync", check.OK, "on disk after")
	if found["http"] != nil {
		t.Errorf("the running server is in its own way: %+v", found["http"])
	}
	out, _ := command(t, 0, "check", "--data", data)
	if !strings.Contains(out, "ok") || !strings.Contains(out, "looks from outside") {
		t.Errorf("it prints\n%s", out)
	}
	p.stop()
	expect(t, checked(t, exitFailed, "--server", p.HTTP), "server", check.Problem, "see that it runs")
}

func TestCheckTellsEverySettingThatCannotBeUsed(t *testing.T) {
	p := launch(t, serveArgs(t, "100ms", "")...)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "view.db"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	found := checked(t, exitFailed, "--data", dir, "--zone", "Nowhere", "--fsync", "often", "--http", strings.TrimPrefix(p.HTTP, "http://"), "--mqtt", "0.0.0.0:0")
	expect(t, found, "settings", check.Problem, "--zone")
	expect(t, found, "settings", check.Problem, "--fsync")
	expect(t, found, "settings", check.Problem, "--mqtt-auth")
	expect(t, found, "http", check.Problem, "address already in use")
	expect(t, found, "mqtt", check.Warning, "in the clear")
	expect(t, found, "folder", check.Warning, "view.db")
	expect(t, found, "admin token", check.OK, "none yet")
	p.stop()
}
