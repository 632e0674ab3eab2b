package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/backtest"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// spotter runs a command to its end.
func spotter(args ...string) (out, errOut string, code int) {
	var o, e output
	code = run(context.Background(), args, &o, &e)
	return o.String(), e.String(), code
}

func rulesFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A coach asks the running server, the engineer the folder of a stopped one: the
// answer is the same.
func TestABacktestInTheServerAndOnItsFolderSayTheSame(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	p := launch(t, args...)
	c, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	for seq, v := range []float64{0.50, 0.50, 0.42, 0.42} {
		say(t, c, "spotter/v1/main/device/bar-1/rep", fmt.Sprintf(
			`{"boot_id":"b1","seq":%d,"time":%q,"mean_velocity_mps":%g,"athlete":"ana","exercise":"deadlift","load_kg":100,"set":1}`,
			seq, begin.Add(time.Duration(seq)*3*time.Second).Format(time.RFC3339), v))
	}
	c.Disconnect(100)
	need.Eventually(t, patience, "the alert", func() bool { return len(list[lift.Alert](p, "/api/v1/alerts?rule=velocity-loss&")) == 1 })
	p.settled()

	question := []string{"backtest", "--from", begin.AddDate(0, 0, -1).Format(time.DateOnly), "--rules", rulesFile(t, `{"velocity-loss":{"deadlift_warning_pct":16}}`), "--json"}
	if _, errOut, code := spotter(append(question, "--data", data)...); code != exitFailed || !strings.Contains(errOut, "in use by another spotter; talk to that one with --server") {
		t.Errorf("beside the server: %d\n%s", code, errOut)
	}
	answer := func(args ...string) (a backtestAnswer) {
		t.Helper()
		out, errOut, code := spotter(append(question, args...)...)
		if code != 0 {
			t.Fatalf("%d\n%s", code, errOut)
		}
		if err := json.Unmarshal([]byte(out), &a); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(errOut, "judging") {
			t.Errorf("no progress is shown: %q", errOut)
		}
		a.AsOf, a.Position = time.Time{}, 0 // a tick may come between
		return a
	}
	served := answer("--server", p.HTTP, "--token", adminToken)
	if len(served.ByAthlete) != 1 || served.Athletes != 1 || served.Reps != 4 {
		t.Errorf("%+v", served)
	}
	if diff := cmp.Diff(backtest.AthleteTally{Athlete: "ana", Tally: backtest.Tally{
		Rule: "velocity-loss", Fired: backtest.Counts{Total: 1, Advice: 1}, Would: backtest.Counts{Total: 1, Warning: 1}, Changed: 1, Logged: 1,
	}}, served.ByAthlete[0]); diff != "" {
		t.Error(diff)
	}
	if _, errOut, code := spotter(append(question, "--server", p.HTTP, "--token", "wrong-token-of-nobody")...); code != exitFailed || !strings.Contains(errOut, "401") {
		t.Errorf("with a wrong token: %d\n%s", code, errOut)
	}
	p.stop()
	if diff := cmp.Diff(served, answer("--data", data, "--fsync", "100ms")); diff != "" {
		t.Errorf("- server, + folder:\n%s", diff)
	}

	if err := os.Remove(filepath.Join(data, "view.db")); err != nil { // as if it had never been built
		t.Fatal(err)
	}
	out, errOut, code := spotter(append(question[:len(question)-1], "--data", data, "--fsync", "100ms")...)
	if code != 0 {
		t.Fatalf("%d\n%s", code, errOut)
	}
	for _, want := range []string{
		"1 athletes with 4 reps",
		"velocity-loss  1 (1 advice)  1 (1 warning)  0     1        0      0     1       0            0",
		"changed  velocity-loss  ana      set " + begin.Format(time.DateOnly) + "  advice → warning  Bar slowed 16 % in set 1",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}

func TestABacktestsSettingsAreAllCheckedFirst(t *testing.T) {
	_, errOut, code := spotter("backtest", "--data", filepath.Join(t.TempDir(), "none"), "--from", "yesterday", "--to", "2026-13-01", "--zone", "Nowhere",
		"--exercises", "none.json", "--rules", rulesFile(t, `{"grind":{"margin":1},"tempi":{}}`), "--fsync", "often")
	for _, want := range []string{
		`--from: "yesterday" is neither a date`, `--to: "2026-13-01" is neither`, `--zone: "Nowhere"`, "--exercises: ", "--fsync: ", "--data: ",
		"--rules: grind.margin: is not a limit of this rule; it has margin_mps", "--rules: tempi: is not a rule",
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q is missing in\n%s", want, errOut)
		}
	}
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--from: is not before --to", []string{"--from", "2026-01-05", "--to", "2026-01-05T00:00:00Z"}},
		{"--server: ", []string{"--server", "127.0.0.1:8080"}},
		{"--rules: no such file", []string{"--rules", "none.json"}},
		{"--token and --token-file: give one of them", []string{"--token", "x", "--token-file", "x"}},
	} {
		if _, errOut, code := spotter(append([]string{"backtest", "--data", t.TempDir()}, c.args...)...); code != exitUsage || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: %d, %s", c.args, code, errOut)
		}
	}
}

func TestDatesOfABacktestBeginInItsZone(t *testing.T) {
	c := backtestCommand{logSettings: logSettings{Data: t.TempDir(), Fsync: "always"}, Zone: "Europe/Berlin", From: "2026-03-29", To: "2026-03-30"}
	q, _, err := c.validate()
	if err != nil {
		t.Fatal(err)
	}
	if q.To.Sub(q.From) != 23*time.Hour || q.From.Hour() != 23 {
		t.Errorf("from %s to %s", q.From, q.To)
	}
}
