package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/check"
)

var now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// only is the one finding of a report.
func only(t *testing.T, look func(*check.Report)) check.Finding {
	t.Helper()
	var r check.Report
	look(&r)
	if len(r.Findings) != 1 {
		t.Fatalf("found %+v", r.Findings)
	}
	f := r.Findings[0]
	if r.Count(f.Level) != 1 || f.What == "" || f.Says == "" || strings.HasSuffix(f.Says, ".") {
		t.Errorf("found %+v", f)
	}
	return f
}

func TestEachFindingHasTheLevelThatItDeserves(t *testing.T) {
	limits := check.Limits{NearlyFull: 0.9, Full: 0.95}
	for _, c := range []struct {
		name string
		want check.Level
		look func(*check.Report)
	}{
		{"a disk with room", check.OK, func(r *check.Report) { r.Disk(0.5, limits) }},
		{"a disk of unknown size", check.OK, func(r *check.Report) { r.Disk(0, limits) }},
		{"a nearly full disk", check.Warning, func(r *check.Report) { r.Disk(0.9, limits) }},
		{"a full disk", check.Problem, func(r *check.Report) { r.Disk(0.95, limits) }},
		{"a clock that is right", check.OK, func(r *check.Report) { r.Clock("InfluxDB's", now, now.Add(900*time.Millisecond)) }},
		{"a clock that is ahead", check.Warning, func(r *check.Report) { r.Clock("InfluxDB's", now, now.Add(time.Minute)) }},
		{"a clock that is far behind", check.Problem, func(r *check.Report) { r.Clock("InfluxDB's", now, now.Add(-3*time.Minute)) }},
		{"a new certificate", check.OK, func(r *check.Report) { r.Certificate("it", now.AddDate(0, 3, 0), now, 30*24*time.Hour, "renew") }},
		{"an old certificate", check.Warning, func(r *check.Report) { r.Certificate("it", now.AddDate(0, 0, 20), now, 30*24*time.Hour, "renew") }},
		{"an expired certificate", check.Problem, func(r *check.Report) { r.Certificate("it", now.AddDate(0, 0, -1), now, 30*24*time.Hour, "renew") }},
		{"Mosquitto's window and a quick disk", check.OK, func(r *check.Report) { r.Window(20, false, 2*time.Millisecond) }},
		{"Mosquitto's window and a slow disk", check.Warning, func(r *check.Report) { r.Window(20, false, time.Second) }},
		{"no limit", check.OK, func(r *check.Report) { r.Window(200, true, 50*time.Millisecond) }},
		{"a window that is not to be seen", check.Warning, func(r *check.Report) { r.Window(0, false, time.Millisecond) }},
		{"a folder that is not there yet", check.OK, func(r *check.Report) { r.Folder(filepath.Join(t.TempDir(), "x")) }},
	} {
		f := only(t, c.look)
		if f.Level != c.want || c.want != check.OK && f.Do == "" {
			t.Errorf("%s: %+v, want %s with advice", c.name, f, c.want)
		}
	}
	if f := only(t, func(r *check.Report) { r.Window(20, false, time.Second) }); !strings.Contains(f.Says, "up to 20 messages a second") {
		t.Errorf("a window says %q", f.Says)
	}
}

func TestWhoMayReadTheFolderIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	look := func(r *check.Report) { r.Folder(dir) }
	if f := only(t, look); f.Level != check.OK {
		t.Errorf("a closed folder: %+v", f)
	}
	if err := os.WriteFile(filepath.Join(dir, "view.db"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if f := only(t, look); f.Level != check.OK {
		t.Errorf("an open file in a closed folder: %+v", f)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if f := only(t, look); f.Level != check.Warning || !strings.Contains(f.Says, "view.db") {
		t.Errorf("an open file in an open folder: %+v", f)
	}
	if f := only(t, func(r *check.Report) { r.Folder(filepath.Join(dir, "view.db")) }); f.Level != check.Problem {
		t.Errorf("a file: %+v", f)
	}
}

func TestTheDiskIsMeasuredAndLeftAsItWas(t *testing.T) {
	dir := t.TempDir()
	step := time.Duration(0)
	at := now
	slow := func() time.Time { at = at.Add(step); return at }
	for _, c := range []struct {
		step time.Duration
		want check.Level
	}{{time.Millisecond, check.OK}, {20 * time.Millisecond, check.Warning}, {time.Second, check.Warning}} {
		step = c.step
		var took time.Duration
		f := only(t, func(r *check.Report) { took = r.Sync(filepath.Join(dir, "not", "there"), slow) })
		if f.Level != c.want || took != c.step {
			t.Errorf("a sync of %v: %+v after %v", c.step, f, took)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
