package need

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a server may take to come up.
const patience = 60 * time.Second

// Server is a real server of one test, which the test may stop and start again.
type Server struct {
	URL   string
	t     testing.TB
	args  []string
	up    func() bool
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts the server and returns once it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(s.cmd, s.ended)
	Eventually(s.t, patience, s.args[0]+" to answer", s.up)
}

// Kill ends the server without warning.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// Stop lets the server end as its operator would.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Errorf("%s does not stop", s.args[0])
		s.Kill()
	}
}

// RunInflux starts an InfluxDB 1.8 of the test's own, with the query language Flux
// enabled and without authentication.
func RunInflux(t testing.TB) *Server {
	t.Helper()
	program := Influxd(t)
	dir, addr := t.TempDir(), FreeAddr(t)
	config := filepath.Join(dir, "influxdb.conf")
	text := fmt.Sprintf(`reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = %q
[data]
dir = %q
wal-dir = %q
[http]
bind-address = %q
flux-enabled = true
log-enabled = false
`, filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"), addr)
	write(t, config, text)
	s := &Server{URL: "http://" + addr, t: t, args: []string{program, "-config", config}}
	s.up = func() bool {
		answer, err := http.Get(s.URL + "/ping")
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil && answer.StatusCode == http.StatusNoContent
	}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// testedFrom is the line of mosquitto.conf from which on it says nothing of where
// things are and who may do what.
const testedFrom = "# Every test with a Mosquitto runs on the lines from here on.\n"

// MosquittoSettings are those of the Mosquitto that docker-compose.yml starts, as far
// as they decide what is kept and how fast it is handed over.
func MosquittoSettings(t testing.TB) string {
	t.Helper()
	root, ok := moduleRoot()
	if !ok {
		t.Fatal("mosquitto.conf: the test runs outside of the module")
	}
	text, err := os.ReadFile(filepath.Join(root, "internal", "compose", "mosquitto.conf"))
	if err != nil {
		t.Fatal(err)
	}
	_, settings, ok := strings.Cut(string(text), testedFrom)
	if !ok || !strings.Contains(settings, "persistence true") {
		t.Fatalf("mosquitto.conf: no settings follow %q", testedFrom)
	}
	return settings
}

// RunMosquitto starts a Mosquitto of the test's own, with the settings of the one that
// docker-compose.yml starts and docs/connect.md recommends: what it has acknowledged survives its restart, and
// its window does not limit how fast messages are handed over. Further settings come
// behind these.
func RunMosquitto(t testing.TB, further ...string) *Server {
	t.Helper()
	program := Binary(t, "mosquitto")
	dir, addr := t.TempDir(), FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "mosquitto.conf")
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence_location %s/\nlog_type error\n%s", port, dir, MosquittoSettings(t))
	if os.Geteuid() == 0 {
		text += "user root\n"
	}
	text += strings.Join(append(further, ""), "\n")
	write(t, config, text)
	s := &Server{URL: "tcp://" + addr, t: t, args: []string{program, "-c", config}}
	s.up = func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// FreeAddr is a loopback address that nothing listens on at the moment.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// Eventually waits for a condition by asking again and again, and fails the test
// where it does not hold in time.
func Eventually(t testing.TB, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited %v for %s", patience, what)
		case <-tick.C:
		}
	}
}
