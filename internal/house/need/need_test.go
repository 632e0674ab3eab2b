package need_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotterhq/spotter/internal/house/need"
)

// verdict is a test that only remembers how it was ended. It does not stop the
// calling goroutine, so need must return after ending a test.
type verdict struct {
	testing.TB
	skipped, failed string
}

func (v *verdict) Helper()                        {}
func (v *verdict) Skipf(format string, a ...any)  { v.skipped = fmt.Sprintf(format, a...) }
func (v *verdict) Fatalf(format string, a ...any) { v.failed = fmt.Sprintf(format, a...) }

// program writes an executable file and returns its path.
func program(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMissingProgramSkipsLoudlyAndFailsUnderCI(t *testing.T) {
	for _, c := range []struct {
		ci         string
		skip, fail bool
	}{
		{ci: "", skip: true},
		{ci: "false", skip: true},
		{ci: "true", fail: true},
		{ci: "1", fail: true},
	} {
		t.Run("CI="+c.ci, func(t *testing.T) {
			t.Setenv("CI", c.ci)
			t.Setenv("PATH", t.TempDir())
			var v verdict
			need.Binary(&v, "mosquitto")
			if (v.skipped != "") != c.skip || (v.failed != "") != c.fail {
				t.Fatalf("skipped %q, failed %q", v.skipped, v.failed)
			}
			if said := v.skipped + v.failed; !strings.Contains(said, "NOT RUN") || !strings.Contains(said, "mosquitto") {
				t.Errorf("said %q, want the program named", said)
			}
		})
	}
}

func TestProgramOnPathIsFound(t *testing.T) {
	dir := t.TempDir()
	want := program(t, dir, "mosquitto")
	t.Setenv("CI", "true")
	t.Setenv("PATH", dir)
	if got := need.Binary(t, "mosquitto"); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestChromiumIsFoundUnderAnyOfItsNames(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv("CI", "true")
	var v verdict
	need.Chromium(&v)
	if !strings.Contains(v.failed, "needs chromium") {
		t.Errorf("failed with %q, want chromium named", v.failed)
	}
	want := program(t, dir, "google-chrome")
	if got := need.Chromium(t); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	want = program(t, dir, "chromium")
	if got := need.Chromium(t); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestAPythonWithoutTheModuleIsNotEnough(t *testing.T) {
	t.Setenv("CI", "true")
	t.Setenv("PATH", t.TempDir())
	var v verdict
	need.Python(&v, "no_such_module", "python3-no-such-module")
	if !strings.Contains(v.failed, "python3 with no_such_module") || !strings.Contains(v.failed, "install python3-no-such-module") {
		t.Errorf("failed with %q", v.failed)
	}
	dir := t.TempDir()
	want := program(t, dir, "python3") // whatever it is asked to import, it has
	t.Setenv("PATH", dir)
	if got := need.Python(t, "anything", ""); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestInfluxdNamedByEnvironmentComesFirst(t *testing.T) {
	onPath, named := t.TempDir(), t.TempDir()
	program(t, onPath, "influxd")
	want := program(t, named, "influxd")
	t.Setenv("PATH", onPath)
	t.Setenv(need.InfluxdVariable, want)
	if got := need.Influxd(t); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestInfluxdBuiltByMakeComesBeforePath(t *testing.T) {
	module, onPath := t.TempDir(), t.TempDir()
	inside := filepath.Join(module, "ingest", "influx")
	for _, dir := range []string{inside, filepath.Join(module, ".tools")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module example.test\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := program(t, filepath.Join(module, ".tools"), "influxd")
	other := program(t, onPath, "influxd")
	t.Chdir(inside)
	t.Setenv("PATH", onPath)
	t.Setenv(need.InfluxdVariable, "")
	if got := need.Influxd(t); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	if err := os.Remove(want); err != nil {
		t.Fatal(err)
	}
	if got := need.Influxd(t); got != other {
		t.Errorf("found %q, want %q", got, other)
	}
}

func TestInfluxdNamedButAbsentFailsEvenWithoutCI(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv(need.InfluxdVariable, filepath.Join(t.TempDir(), "gone"))
	var v verdict
	need.Influxd(&v)
	if v.failed == "" || v.skipped != "" {
		t.Errorf("skipped %q, failed %q; want a failure", v.skipped, v.failed)
	}
}
