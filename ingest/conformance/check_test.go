package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/check"
)

var update = flag.Bool("update", false, "write the golden file anew")

var start = time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)

// said is a message of a device: what, payload, and how it was published.
type said struct {
	what, payload string
	retained      bool
	qos           byte
}

func say(what, payload string) said { return said{what, payload, false, 1} }

// good is a device that lacks nothing.
func good() []said {
	all := []said{
		{"status", `{"state":"ready","boot_id":"b1","firmware":"1.0","battery_pct":80}`, true, 1},
		{"assign", `{"athlete":"ana","exercise":"deadlift","load_kg":120,"set":1}`, true, 1},
	}
	for n := range 6 {
		all = append(all, say("rep", fullRep(n)))
	}
	return append(all, say("status", `{"state":"lost"}`))
}

func fullRep(n int) string {
	return fmt.Sprintf(`{"boot_id":"b1","seq":%d,"time":"2026-11-22T17:00:%02d.250Z","device_us":%d,"mean_velocity_mps":0.5,"peak_velocity_mps":0.8,
		"rom_m":0.5,"concentric_s":1.0,"eccentric_s":1.4,"bar_drift_m":0.02}`, n, n, n*1_000_000)
}

// with is the good device, and these too.
func with(more ...said) []said { return append(good(), more...) }

// repeat is the minimal rep with something of each changed.
func repeat(n int, format string) []said {
	var all []said
	for i := range n {
		all = append(all, say("rep", fmt.Sprintf(format, i, i)))
	}
	return all
}

var devices = []struct {
	name string
	says []said
	kept []string
}{
	{name: "lacks nothing", says: good()},
	{name: "says nothing"},
	{name: "says the least", says: repeat(6, `{"boot_id":"b","seq":%d,"time":"2026-11-22T17:00:%02dZ","mean_velocity_mps":0.5}`)},
	{name: "leaves out what is required", says: with(
		say("rep", `{"seq":9,"time":"2026-11-22T17:00:09Z","mean_velocity_mps":0.5}`),
		say("rep", `{"seq":10,"time":"2026-11-22T17:00:10Z","mean_velocity_mps":0.5}`),
		say("rep", `{"boot_id":"b1","seq":9,"mean_velocity_mps":0.5}`),
		say("status", `{"boot_id":"b1"}`))},
	{name: "has no zone, text for a number and a velocity in mm", says: with(
		say("rep", `{"boot_id":"b1","seq":9,"time":"2026-11-22T17:00:09","mean_velocity_mps":0.5}`),
		say("rep", `{"boot_id":"b1","seq":9,"time":"2026-11-22T17:00:09Z","mean_velocity_mps":"0.5"}`),
		say("rep", `[{"boot_id":"b1","seq":6,"time":"2026-11-22T17:00:09Z","mean_velocity_mps":0.5},{"boot_id":"b1","seq":7,"time":"2026-11-22T17:00:12Z","mean_velocity_mps":520}]`))},
	{name: "is not JSON", says: with(say("rep", `velocity=0.5`), say("rep", ``))},
	{name: "sends too much at once", says: with(
		say("rep", "["+strings.Repeat(`{},`, ingest.MaxElements)+"{}]"), say("samples", strings.Repeat("x", ingest.MaxMessage+1)))},
	{name: "misspells a topic and a field", says: with(say("reps", fullRep(7)), say("rep", `{"boot_id":"b1","seq":6,"time":"2026-11-22T17:00:06.5Z","mean_velocity_mps":0.5,"rom":0.5,"Load_kg":100}`))},
	{name: "publishes with QoS 0 and retains reps", says: []said{
		{"status", `{"state":"ready","boot_id":"b1"}`, false, 0}, {"rep", fullRep(1), false, 0}, {"rep", fullRep(2), true, 1}}, kept: []string{}},
	{name: "starts anew under the old boot_id", says: with(say("rep", fullRep(0)), say("rep", strings.Replace(fullRep(1), "0.8", "0.7", 1)),
		say("rep", `{"boot_id":"b1","seq":7,"time":"2026-11-22T17:00:30.1Z","device_us":5,"mean_velocity_mps":0.5}`))},
	{name: "starts anew under the old boot_id, having counted far", says: []said{
		say("rep", `{"boot_id":"b1","seq":1041,"time":"2026-11-22T17:00:01.5Z","mean_velocity_mps":0.5}`),
		say("rep", `{"boot_id":"b1","seq":1040,"time":"2026-11-22T17:00:00.5Z","mean_velocity_mps":0.5}`),
		say("rep", `{"boot_id":"b1","seq":0,"time":"2026-11-22T17:00:05.5Z","mean_velocity_mps":0.5}`)}},
	{name: "loses reps", says: with(say("rep", fullRep(9)), say("rep", fullRep(12)))},
	{name: "has a wrong clock", says: with(
		say("rep", `{"boot_id":"b1","seq":6,"time":"2026-11-22T16:50:00.1Z","mean_velocity_mps":0.5}`),
		say("rep", `{"boot_id":"b1","seq":7,"time":"2026-11-22T17:03:30.1Z","mean_velocity_mps":0.5}`),
		say("rep", `{"boot_id":"b1","seq":8,"time":"2026-11-22T18:00:00.1Z","mean_velocity_mps":0.5}`),
		say("rep", `{"boot_id":"b1","seq":9,"time":"2026-11-22T10:00:00.1Z","mean_velocity_mps":0.5,"historical":true}`))},
	{name: "gives a backlog one time", says: with(say("rep", `[{"boot_id":"b1","seq":6,"time":"2026-11-22T17:00:06.5Z","mean_velocity_mps":0.5},
		{"boot_id":"b1","seq":7,"time":"2026-11-22T17:00:06.5Z","mean_velocity_mps":0.5}]`))},
	{name: "corrects itself", says: with(say("rep", `{"boot_id":"b1","seq":2,"revision":1,"time":"2026-11-22T17:00:02.25Z","mean_velocity_mps":0.52}`))},
	{name: "ends its assignment", says: with(say("assign", ""))},
	{name: "goes on after its assignment", says: with(say("assign", ""), say("rep", fullRep(6)))},
	{name: "assigns half", says: []said{say("assign", `{"athlete":"ana"}`), say("rep", fullRep(1))}},
	{name: "loses chunks of samples", says: []said{
		say("samples", `{"boot_id":"b1","chunk":1,"time":"2026-11-22T17:00:00Z","rate_hz":40,"velocity_mps":[0,0.1,0.2,0.3]}`),
		say("samples", `{"boot_id":"b1","chunk":2,"time":"2026-11-22T17:00:00.1Z","rate_hz":40,"velocity_mps":[0,0.1,0.2,0.3]}`),
		say("samples", `{"boot_id":"b1","chunk":3,"time":"2026-11-22T17:00:00.9Z","rate_hz":40,"velocity_mps":[0,0.1,0.2,0.3]}`),
		say("samples", `{"boot_id":"b1","chunk":3,"time":"2026-11-22T17:00:00.9Z","rate_hz":40,"velocity_mps":[0,0.1,0.2,0.3]}`),
		say("samples", `{"boot_id":"b1","chunk":6,"time":"2026-11-22T17:00:01.2Z","rate_hz":40,"velocity_mps":[0,0.1,0.2,0.3]}`),
		say("samples", `{"boot_id":"b1","chunk":7,"time":"2026-11-22T17:00:01.21Z","rate_hz":40,"velocity_mps":[0,0.1,0.2,0.3]}`),
		say("samples", `{"boot_id":"b1","chunk":5,"time":"2026-11-22T17:00:01.1Z","rate_hz":40,"velocity_mps":[0,0.1,0.2,0.3]}`),
		say("samples", `{"boot_id":"b1","chunk":8,"time":"2026-11-22T17:00:01.3Z","rate_hz":10,"velocity_mps":[0]}`)}},
}

func TestWhatAMakerIsTold(t *testing.T) {
	var all strings.Builder
	for _, d := range devices {
		fmt.Fprintf(&all, "== a device that %s\n", d.name)
		c := New("main", "bar-1")
		for _, s := range d.says {
			c.Take(Message{Topic: c.prefix + s.what, Payload: []byte(s.payload), QoS: s.qos, Retained: s.retained, Received: start.Add(10 * time.Second)})
		}
		if d.kept != nil {
			c.Kept(d.kept...)
		}
		for _, f := range c.Report().Findings {
			fmt.Fprintf(&all, "%-8s %-9s %s\n", f.Level, f.What, f.Says)
			if f.Do != "" {
				fmt.Fprintf(&all, "%19s-> %s\n", "", f.Do)
			}
		}
	}
	golden := filepath.Join("testdata", "words.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		t.Errorf("(-golden +now):\n%s", diff)
	}
}

// What is called an error is what the server would quarantine, and nothing else is.
func TestAnErrorIsWhatWouldBeQuarantined(t *testing.T) {
	for _, d := range devices {
		c := New("main", "bar-1")
		for _, s := range d.says {
			m := Message{Topic: c.prefix + s.what, Payload: []byte(s.payload), QoS: 1, Received: start.Add(10 * time.Second)}
			errors, quarantined := 0, 0
			for _, f := range c.Take(m) {
				if f.Level == check.Problem {
					errors++
				}
			}
			for _, e := range ingest.Decode(ingest.Message{Topic: m.Topic, Payload: m.Payload, Received: m.Received}).Events {
				if e.Quarantined != nil {
					quarantined++
				}
			}
			if errors != quarantined {
				t.Errorf("%s: %d errors, %d quarantined: %.80s", d.name, errors, quarantined, s.payload)
			}
		}
	}
}

func TestAGoodDeviceIsNotScolded(t *testing.T) {
	c := New("main", "bar-1")
	for _, s := range good() {
		if told := c.Take(Message{Topic: c.prefix + s.what, Payload: []byte(s.payload), QoS: s.qos, Retained: s.retained, Received: start.Add(10 * time.Second)}); len(told) > 0 {
			t.Errorf("%s: %+v", s.payload, told)
		}
	}
	if r := c.Report(); r.Count(check.Problem)+r.Count(check.Warning) > 0 {
		t.Errorf("%+v", r.Findings)
	}
}

func FuzzNothingThatADeviceSendsEndsTheCheck(f *testing.F) {
	for _, d := range devices {
		for _, s := range d.says {
			if len(s.payload) < 2000 {
				f.Add(s.what, []byte(s.payload), s.retained, s.qos)
			}
		}
	}
	f.Fuzz(func(t *testing.T, what string, payload []byte, retained bool, qos byte) {
		c := New("main", "bar-1")
		for range 3 {
			c.Take(Message{Topic: c.prefix + what, Payload: payload, QoS: qos, Retained: retained, Received: start})
		}
		c.Kept(c.prefix + what)
		for _, f := range c.Report().Findings {
			if strings.ContainsFunc(f.What+f.Says, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("a terminal would obey %q: %q", f.What, f.Says)
			}
		}
	})
}

func TestAFaultInEveryMessageIsOneKind(t *testing.T) {
	c := New("main", "bar-1")
	for n := range 1000 {
		c.Take(Message{Topic: c.prefix + "rep", Payload: fmt.Appendf(nil, `{"boot_id":"b1","seq":%d,"time":"2026-11-22T17:00:00Z","mean_velocity_mps":%d.5,"x%d":1}`, n, 100+n, n), QoS: 1, Received: start})
	}
	if n := c.Report().Count(check.Problem); n != 1 {
		t.Errorf("%d kinds", n)
	}
	if c.Heard() != 1000 {
		t.Errorf("heard %d", c.Heard())
	}
}
