package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
			first, _ := start("--reps", "1000", "--pause", "0.05")
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

// sketch is the ESP32 example as a maker would have it: a copy with another config.h.
func sketch(t *testing.T, settings map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	from := filepath.Join("..", "..", "docs", "examples", "esp32", "spotter_sensor")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.h")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for name, value := range settings {
		set := false
		for i, line := range lines {
			if strings.HasPrefix(line, "#define "+name+" ") {
				lines[i], set = "#define "+name+" "+value, true
			}
		}
		if !set {
			t.Fatalf("config.h has no %s", name)
		}
	}
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// compile makes a program of C++ files, with every warning an error.
func compile(t *testing.T, include []string, files ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	args := []string{"-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", "-o", program}
	for _, dir := range include {
		args = append(args, "-I", dir)
	}
	args = append(append(append(args, "-x", "c++"), files...), "-pthread")
	if out, err := exec.Command(need.Binary(t, "g++"), args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// host is where the stand-ins for Arduino, FreeRTOS and the libraries are.
var host = filepath.Join("testdata", "esp32")

func TestTheESP32ExamplesHeadersFindRepsAndKeepThem(t *testing.T) {
	program := compile(t, []string{sketch(t, nil)}, filepath.Join(host, "headers.cpp"))
	if out, err := exec.Command(program).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The sketch as it stands in docs, compiled for this machine, turns an encoder into reps
// at the real server: those from before there was one, too.
func TestTheESP32ExampleIsASensor(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	_, password := addDevice(t, args[2], "bar-1")
	at, port, err := net.SplitHostPort(args[8])
	if err != nil {
		t.Fatal(err)
	}
	dir := sketch(t, map[string]string{"BROKER_HOST": `"` + at + `"`, "BROKER_PORT": port, "BROKER_PASSWORD": `"` + password + `"`})
	cmd := exec.Command(compile(t, []string{host, dir}, filepath.Join(dir, "spotter_sensor.ino"), filepath.Join(host, "main.cpp")))
	var said output
	cmd.Stdout, cmd.Stderr = &said, &said
	bar, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	rise := func(seconds string, lifted int) {
		t.Helper()
		if _, err := bar.Write([]byte(seconds)); err != nil {
			t.Fatal(err)
		}
		need.Eventually(t, patience, "the lifts", func() bool { return strings.Count(said.String(), "lifted") == lifted })
	}
	rise("0.6 0.6\n", 2) // nobody hears it yet

	p := launch(t, args...)
	body := fmt.Sprintf(`{"athlete":"ana","exercise":"deadlift","load_kg":100,"since":%q}`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	var reps []lift.RepRecord
	need.Eventually(t, patience, "the device", func() bool {
		return p.do("PUT", "/api/v1/devices/bar-1/assignment?site=main", []byte(body), nil) == 200
	})
	need.Eventually(t, patience, "both reps", func() bool {
		reps = list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")
		return len(reps) == 2
	})
	for _, r := range reps {
		if *r.ROM < 0.43 || *r.ROM > 0.46 || r.MeanVelocity < 0.6 || r.MeanVelocity > 1.1 || time.Since(r.Time) > time.Minute || r.Historical {
			t.Errorf("a rise of 0.45 m in 0.6 s is %+v, %g m in %g s", r.Rep, *r.ROM, *r.Concentric)
		}
	}
	rise("0.6 1.2 1.4 1.6\n", 6)
	need.Eventually(t, patience, "six reps", func() bool { return len(list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")) == 6 })
	need.Eventually(t, patience, "its lamp", func() bool { return strings.Contains(said.String(), "pin 2 is 1") })
	state := func() lift.DeviceState {
		var device struct {
			Status lift.DeviceStatus `json:"status"`
		}
		p.do("GET", "/api/v1/devices/bar-1?site=main", nil, &device)
		return device.Status.State
	}
	if state() != lift.DeviceReady {
		t.Errorf("it is %s", state())
	}
	_ = cmd.Process.Kill()
	need.Eventually(t, patience, "its last will", func() bool { return state() == lift.DeviceLost })
	if q := list[lift.Quarantined](p, "/api/v1/quarantine?"); len(q) > 0 {
		t.Errorf("in quarantine: %+v", q)
	}
	p.stop()
}

// The one-liners of the page for makers of sensors do what the page says.
func TestTheOneLinersOfThePageWork(t *testing.T) {
	need.Binary(t, "mosquitto_pub")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "connect-a-sensor.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```sh\n")
	script, _, _ := strings.Cut(after, "```\n")
	if !strings.Contains(script, "pub()") || !strings.Contains(script, "-p 1883") {
		t.Fatalf("the first block of the page is\n%s", script)
	}
	args := serveArgs(t, "100ms", "")
	p := launch(t, args...)
	_, port, err := net.SplitHostPort(args[8])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-e")
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(script, "-p 1883", "-p "+port))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	need.Eventually(t, patience, "an alert", func() bool {
		alerts := list[lift.Alert](p, "/api/v1/alerts?rule=velocity-loss&")
		return len(alerts) == 1 && alerts[0].Athlete == "ana"
	})
	need.Eventually(t, patience, "the check-in", func() bool { return len(list[lift.CheckIn](p, "/api/v1/athletes/ana/checkins?")) == 1 })
	need.Eventually(t, patience, "the correction", func() bool {
		reps := list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")
		return len(reps) == 4 && reps[3].MeanVelocity == 0.39 && *reps[3].LoadKg == 120
	})
	if q := list[lift.Quarantined](p, "/api/v1/quarantine?"); len(q) != 1 || q[0].Field != "mean_velocity_mps" {
		t.Errorf("in quarantine: %+v", q)
	}
	var device struct {
		Status     lift.DeviceStatus `json:"status"`
		Assignment *lift.Assignment  `json:"assignment"`
	}
	p.get("/api/v1/devices/bar-1?site=main", &device)
	if device.Status.State != lift.DeviceReady || device.Assignment != nil {
		t.Errorf("the device is %+v", device)
	}
	p.stop()
}
