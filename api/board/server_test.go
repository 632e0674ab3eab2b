package board_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/house/need"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// adminToken is the administrator's of every server that a test starts with serve.
const adminToken = "test-token-of-the-admin"

// shared is what the package's tests have in common, made when it is first needed.
var shared struct {
	dir string // holds the program, and goes at the end

	build   sync.Once
	binary  string
	buildBy error

	open   sync.Once
	chrome chrome

	start   sync.Once
	lifters *server
	startBy error
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "spotter-board-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		shared.dir = dir
		code := m.Run()
		if shared.lifters != nil {
			shared.lifters.kill()
		}
		shared.chrome.close()
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return code
	}())
}

// program is the path of spotter, built once.
func program() (string, error) {
	shared.build.Do(func() {
		shared.binary = filepath.Join(shared.dir, "spotter")
		out, err := exec.Command("go", "build", "-o", shared.binary, "github.com/spotterhq/spotter/cmd/spotter").CombinedOutput()
		if err != nil {
			shared.buildBy = fmt.Errorf("build spotter: %w\n%s", err, out)
		}
	})
	return shared.binary, shared.buildBy
}

// server is a running spotter.
type server struct {
	HTTP  string `json:"http"`
	MQTT  string `json:"mqtt"`
	token string // "" for the demo, which wants none

	args  []string
	cmd   *exec.Cmd
	log   bytes.Buffer // not to be read before the end
	ended chan struct{}
}

// demo is the demo with lifters at work, one for all tests. It is seeded: the same
// lifters each time. Do not stop it; a test that does starts a demo of its own with
// launch.
func demo(t testing.TB) *server {
	t.Helper()
	need.Chromium(t) // before the demo is started for nothing
	shared.start.Do(func() {
		shared.lifters = &server{args: []string{"demo", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--seed", "7", "--speed", "5"}}
		if shared.startBy = shared.lifters.start(); shared.startBy == nil {
			shared.startBy = shared.lifters.untilEnrolled()
		}
	})
	if shared.startBy != nil {
		t.Fatal(shared.startBy)
	}
	return shared.lifters
}

// untilEnrolled waits until the demo has its history and its roster: the devices'
// racks are the last that it writes down.
func (s *server) untilEnrolled() error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var devices struct {
			Items []struct {
				Rack string `json:"rack"`
			} `json:"items"`
		}
		if err := s.ask(http.MethodGet, "/devices", nil, &devices); err != nil {
			return err
		}
		if n := len(devices.Items); n > 0 && devices.Items[n-1].Rack != "" {
			return nil
		}
		<-time.After(50 * time.Millisecond)
	}
	return errors.New("the demo has no roster")
}

// serve starts a server of the test's own on an empty folder, with the given flags.
// It listens on the same ports when it is killed and started again.
func serve(t testing.TB, flags ...string) *server {
	t.Helper()
	s := &server{token: adminToken, args: append([]string{
		"serve", "--data", t.TempDir(), "--http", need.FreeAddr(t), "--mqtt", need.FreeAddr(t), "--fsync", "100ms",
	}, flags...)}
	s.launch(t)
	return s
}

// launch starts the server, and ends it with the test.
func (s *server) launch(t testing.TB) {
	t.Helper()
	need.Chromium(t)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
}

// start returns once the server says that it is ready.
func (s *server) start() error {
	binary, err := program()
	if err != nil {
		return err
	}
	s.cmd = exec.Command(binary, s.args...)
	// Tests ask more often than people.
	s.cmd.Env = append(os.Environ(), "SPOTTER_ADMIN_TOKEN="+s.token, "SPOTTER_RATE_TOKEN=0", "SPOTTER_RATE_ADDRESS=0")
	s.log.Reset()
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		lines := bufio.NewReader(out)
		line, err := lines.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, s)
		}
		ready <- err
		_, _ = io.Copy(io.Discard, lines)
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	select {
	case err = <-ready:
	case <-time.After(patience):
		err = errors.New("it is not ready")
	}
	if err != nil {
		s.kill()
		return fmt.Errorf("start spotter %s: %w\n%s", strings.Join(s.args, " "), err, s.log.String())
	}
	return nil
}

// kill is kill -9.
func (s *server) kill() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// ask asks the API (a path such as /devices) as the administrator.
func (s *server) ask(method, path string, body, into any) error {
	data := []byte{}
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, s.HTTP+"/api/v1"+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if data, err = io.ReadAll(answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s answers %d: %s", method, path, answer.StatusCode, data)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

// must is ask for what has to succeed.
func (s *server) must(t testing.TB, method, path string, body, into any) {
	t.Helper()
	if err := s.ask(method, path, body, into); err != nil {
		t.Fatal(err)
	}
}

// tokenOf makes a token; who holds role, and site or athlete where the role has one.
func (s *server) tokenOf(t testing.TB, name string, who map[string]any) string {
	t.Helper()
	var made struct {
		Token string `json:"token"`
	}
	body := map[string]any{"name": name}
	maps.Copy(body, who)
	s.must(t, http.MethodPost, "/tokens", body, &made)
	return made.Token
}

// sensors is an MQTT client that plays every sensor of a site.
type sensors struct {
	t      testing.TB
	client mqtt.Client
	site   string
	seq    map[string]int
}

// sensorsOf connects to the server's broker.
func sensorsOf(t testing.TB, s *server, site string) *sensors {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(s.MQTT).SetClientID("sensors-" + strconv.FormatInt(time.Now().UnixNano(), 36)).SetConnectTimeout(patience))
	if token := client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("connect to %s: %v", s.MQTT, token.Error())
	}
	t.Cleanup(func() { client.Disconnect(100) })
	return &sensors{t: t, client: client, site: site, seq: map[string]int{}}
}

// say publishes of a device; what is status, assign or rep.
func (s *sensors) say(device, what string, body map[string]any) {
	s.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	token := s.client.Publish("spotter/v1/"+s.site+"/device/"+device+"/"+what, 1, what != "rep", data)
	if !token.WaitTimeout(patience) || token.Error() != nil {
		s.t.Fatalf("publish %s of %s: %v", what, device, token.Error())
	}
}

// rep publishes a rep that ended now, at so many metres per second, with what else is
// said of it.
func (s *sensors) rep(device string, mps float64, more map[string]any) {
	s.t.Helper()
	s.seq[device]++
	body := map[string]any{"boot_id": "b1", "seq": s.seq[device], "time": time.Now().UTC(), "mean_velocity_mps": mps}
	maps.Copy(body, more)
	s.say(device, "rep", body)
}
