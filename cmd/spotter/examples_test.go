package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// pahoTwo lets paho 1.6 look like 2.x: the constructor wants a version, callbacks get one
// value more, and the reason is no number but compares like one.
const pahoTwo = `
import sys, enum
import paho.mqtt.client as m
one = m.Client
class Reason:
    def __init__(self, value): self.value = value
    def __eq__(self, other): return self.value == other
class CallbackAPIVersion(enum.Enum):
    VERSION2 = 2
class Client(one):
    def __init__(self, version, client_id="", clean_session=None, protocol=m.MQTTv311):
        assert version is CallbackAPIVersion.VERSION2
        super().__init__(client_id=client_id, clean_session=clean_session, protocol=protocol)
    def __setattr__(self, name, call):
        if name == "on_connect" and call:
            super().__setattr__(name, lambda c, u, f, rc: call(c, u, f, Reason(rc), None))
        elif name == "on_disconnect" and call:
            super().__setattr__(name, lambda c, u, rc: call(c, u, {}, Reason(rc), None))
        else:
            super().__setattr__(name, call)
m.Client, m.CallbackAPIVersion = Client, CallbackAPIVersion
sys.argv = sys.argv[1:]
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"), {"__name__": "__main__"})
`

// The example for makers of sensors, as it stands in docs, against the real server: its
// reps are there, also those that were lifted before the server was, it reads its cue,
// and the server knows when it ends and when it dies.
func TestThePythonExampleIsASensor(t *testing.T) {
	python := need.Python(t, "paho.mqtt.client", "python3-paho-mqtt")
	example := filepath.Join("..", "..", "docs", "examples", "python", "spotter_sensor.py")
	for _, c := range []struct {
		name   string
		before []string
	}{{"paho 1", []string{example}}, {"like paho 2", []string{"-c", pahoTwo, example}}} {
		t.Run(c.name, func(t *testing.T) {
			args := serveArgs(t, "100ms", "")
			username, password := addDevice(t, args[2], "bar-1")
			host, port, err := net.SplitHostPort(args[8])
			if err != nil {
				t.Fatal(err)
			}
			outbox := filepath.Join(t.TempDir(), "outbox.db")
			start := func(more ...string) (*exec.Cmd, *output) {
				cmd := exec.Command(python, append(append(c.before, "--host", host, "--port", port, "--username", username, "--outbox", outbox,
					"--athlete", "ana", "--exercise", "deadlift", "--load-kg", "100"), more...)...)
				cmd.Env = append(os.Environ(), "SPOTTER_PASSWORD="+password, "PYTHONUNBUFFERED=1")
				said := &output{}
				cmd.Stdout, cmd.Stderr = said, said
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = cmd.Process.Kill() })
				return cmd, said
			}
			// Three reps without a server, then the power fails.
			first, said := start("--reps", "1000", "--pause", "0.05")
			need.Eventually(t, patience, "reps in the outbox", func() bool {
				out, _ := exec.Command(python, "-c", fmt.Sprintf("import sqlite3; print(sqlite3.connect(%q).execute('SELECT count(*) FROM reps').fetchone()[0])", outbox)).Output()
				n := 0
				_, _ = fmt.Sscan(string(out), &n)
				return n >= 3
			})
			_ = first.Process.Kill()
			_ = first.Wait()

			p := launch(t, args...)
			second, said := start("--reps", "2", "--pause", "0.1")
			if err := second.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			var reps []lift.RepRecord
			need.Eventually(t, patience, "the reps of both starts", func() bool {
				reps = list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")
				boots := map[string]int{}
				for _, r := range reps {
					boots[r.BootID]++
				}
				return len(reps) >= 5 && len(boots) == 2
			})
			if r := reps[0]; *r.LoadKg != 100 || r.ROM == nil || r.DeviceUs == nil || r.Exercise != "deadlift" {
				t.Errorf("a rep is %+v", r.Rep)
			}
			state := func() lift.DeviceState {
				var device struct {
					Status lift.DeviceStatus `json:"status"`
				}
				p.do("GET", "/api/v1/devices/bar-1?site=main", nil, &device)
				return device.Status.State
			}
			need.Eventually(t, patience, "its farewell", func() bool { return state() == lift.DeviceSleeping })

			// It reads the cue of the rule velocity-loss: its reps get slower.
			third, said := start("--reps", "1000", "--pause", "0.2")
			need.Eventually(t, patience, "a cue", func() bool {
				return strings.Contains(said.String(), "cue: stop") || strings.Contains(said.String(), "cue: slow")
			})
			if state() != lift.DeviceReady {
				t.Errorf("it is %s", state())
			}
			_ = third.Process.Kill()
			need.Eventually(t, patience, "its last will", func() bool { return state() == lift.DeviceLost })
			if q := list[lift.Quarantined](p, "/api/v1/quarantine?"); len(q) > 0 {
				t.Errorf("in quarantine: %+v", q)
			}
			p.stop()
		})
	}
}
