// Package need finds the real programs that tests run against: a broker, a
// database server, a browser. A test that cannot have one is skipped with its reason; where
// CI is true the same is a failure, so that a suite is never left out unnoticed.
//
// It is for tests only: internal/house fails when anything else imports it.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// InfluxdVariable names the environment variable that holds the path of the
// InfluxDB 1.8 server. make test sets it.
const InfluxdVariable = "SPOTTER_TEST_INFLUXD"

// Binary returns the path of the named program on PATH. Without it the test ends
// here: skipped, or failed where CI is true.
func Binary(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, "install "+name)
		return ""
	}
	return path
}

// Chromium returns the path of a browser for tests of pages: Debian's chromium, or
// what else of its kind is on PATH. Without one the test ends here: skipped, or
// failed where CI is true.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return Binary(t, "chromium")
}

// Python returns the path of a Python 3 that has the named module: the one on PATH, or
// Debian's. Without one the test ends here: skipped, or failed where CI is true.
func Python(t testing.TB, module, install string) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import "+module).Run() == nil {
			return path
		}
	}
	missing(t, "python3 with "+module, "install "+install)
	return ""
}

// Influxd returns the path of a real InfluxDB 1.8 server: the one named by
// SPOTTER_TEST_INFLUXD, else the one that make built into .tools of this module,
// else influxd on PATH. Without one the test ends here: skipped, or failed where
// CI is true. A SPOTTER_TEST_INFLUXD that cannot be run always fails the test,
// because whoever set it meant it.
func Influxd(t testing.TB) string {
	t.Helper()
	if named := os.Getenv(InfluxdVariable); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			t.Fatalf("%s=%s cannot be run: %v", InfluxdVariable, named, err)
			return ""
		}
		return path
	}
	if root, ok := moduleRoot(); ok {
		if path, err := exec.LookPath(filepath.Join(root, ".tools", "influxd")); err == nil {
			return path
		}
	}
	path, err := exec.LookPath("influxd")
	if err != nil {
		missing(t, "influxd", "run make test, which builds it, or set "+InfluxdVariable)
		return ""
	}
	return path
}

// missing ends the test because a program is not there.
func missing(t testing.TB, name, remedy string) {
	t.Helper()
	if ci, err := strconv.ParseBool(os.Getenv("CI")); err == nil && ci {
		t.Fatalf("NOT RUN: this test needs %s, and CI is true; %s", name, remedy)
		return
	}
	t.Skipf("NOT RUN: this test needs %s; %s", name, remedy)
}

// moduleRoot is the nearest folder at or above the working directory that has a
// go.mod. go test starts each test in the folder of its package.
func moduleRoot() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}
