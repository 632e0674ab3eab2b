package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/house/need"
)

// A maker reads what a device lacks from the broker that it sends to, with a credential
// that can do nothing else; whatever the server quarantines is told as an error.
func TestCheckDeviceTellsAMakerWhatIsMissing(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	p := launch(t, args...)
	sensor, sensorPassword := addDevice(t, args[2], "bar-1")
	watcher, password := addDevice(t, args[2], "bench", "--kind", "watcher", "--devices", "bar-1")
	c, err := connect(p.MQTT, sensor, sensorPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(0)

	listen := func(more ...string) (out, said *output, ended chan int) {
		out, said, ended = &output{}, &output{}, make(chan int, 1)
		go func() {
			ended <- run(t.Context(), append([]string{"check", "device", "main/bar-1", "--broker", p.MQTT, "--username", watcher, "--password", password}, more...), out, said)
		}()
		need.Eventually(t, patience, "it to listen", func() bool { return strings.Contains(said.String(), "listening") })
		return out, said, ended
	}
	publish := func(what, payload string, qos byte, retained bool) {
		t.Helper()
		if token := c.Publish("spotter/v1/main/device/bar-1/"+what, qos, retained, payload); token.Wait() && token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	rep := func(seq int, more string) string {
		return fmt.Sprintf(`{"boot_id":"b1","seq":%d,"time":%q,"mean_velocity_mps":0.5%s}`, seq, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), more)
	}

	out, said, ended := listen("--messages", "4")
	publish("status", `{"state":"ready"}`, 1, false)
	publish("rep", rep(1, ""), 0, false)
	publish("rep", rep(2, `,"rom":0.5`), 1, false)
	publish("rep", rep(3, `,"load_kg":-5`), 1, false)
	publish("reps", rep(4, ""), 1, false) // acknowledged and dropped: the credential does not allow it
	if code := <-ended; code != exitFailed {
		t.Errorf("it ends with %d", code)
	}
	for _, want := range []string{
		"problem  rep", "load_kg -5 is outside 0 to 1000: quarantined, once",
		"is published with QoS 0", "nobody knows the field rom", "is not retained: whoever comes later", "no last will was heard", "has no rom_m",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s%s", want, out, said)
		}
	}
	need.Eventually(t, patience, "the same in quarantine", func() bool { return len(list[struct{}](p, "/api/v1/quarantine?")) == 1 })

	// A good one: the same in time, and success.
	publish("status", `{"state":"ready","boot_id":"b1","firmware":"1","battery_pct":80}`, 1, true)
	out, said, ended = listen("--messages", "3", "--for", "30s")
	publish("assign", `{"athlete":"ana","exercise":"deadlift","load_kg":100}`, 1, true)
	publish("rep", rep(5, `,"rom_m":0.5,"concentric_s":1`), 1, false)
	if code := <-ended; code != 0 || !strings.Contains(out.String(), "status  is retained") {
		t.Errorf("a good device: %d\n%s%s", code, out, said)
	}

	if _, _, ended = listen("--for", "100ms", "--json"); <-ended != 0 {
		t.Error("the retained messages alone are an error")
	}
}

func TestCheckDeviceWatchesUntilItIsStopped(t *testing.T) {
	p := launch(t, serveArgs(t, "100ms", "")...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, said output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"check", "device", "bar-1", "--watch", "--broker", p.MQTT}, &out, &said)
	}()
	need.Eventually(t, patience, "it to listen", func() bool { return strings.Contains(said.String(), "listening") })
	c, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, "spotter/v1/main/device/bar-1/rep", minimalRep)
	say(t, c, "spotter/v1/main/device/bar-1/rep", `{}`)
	need.Eventually(t, patience, "the error", func() bool { return strings.Contains(out.String(), "problem: boot_id is missing: quarantined") })
	if !strings.Contains(out.String(), "✓ rep (") || !strings.Contains(out.String(), "✗ rep (2 bytes, QoS 1)") {
		t.Errorf("it tells\n%s", &out)
	}
	c.Disconnect(0)
	cancel()
	if code := <-ended; code != exitFailed || !strings.Contains(out.String(), "quarantined, once") {
		t.Errorf("it ends with %d and the report\n%s%s", code, &out, &said)
	}
}

// What was heard before the broker went is not lost with it.
func TestCheckDeviceReportsWhereTheBrokerGoes(t *testing.T) {
	p := launch(t, serveArgs(t, "100ms", "")...)
	var out, said output
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"check", "device", "bar-1", "--watch", "--broker", p.MQTT}, &out, &said)
	}()
	need.Eventually(t, patience, "it to listen", func() bool { return strings.Contains(said.String(), "listening") })
	c, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, "spotter/v1/main/device/bar-1/rep", minimalRep)
	need.Eventually(t, patience, "the rep", func() bool { return strings.Contains(out.String(), "✓ rep (") })
	c.Disconnect(0)
	p.stop()
	if code := <-ended; code != exitFailed || !strings.Contains(out.String(), "1 usable") || !strings.Contains(said.String(), "connection lost") {
		t.Errorf("it ends with %d and the report\n%s%s", code, &out, &said)
	}
}

func TestCheckDeviceSaysWhyItHearsNothing(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	p := launch(t, args...)
	sensor, password := addDevice(t, args[2], "bar-1")
	_, errOut := command(t, exitFailed, "check", "device", "main/bar-1", "--broker", p.MQTT, "--username", sensor, "--password", password)
	if !strings.Contains(errOut, "--kind watcher") {
		t.Errorf("a sensor's own credential: %s", errOut)
	}
	watcher, password := addDevice(t, args[2], "bench", "--kind", "watcher", "--devices", "bar-1")
	out, _ := command(t, exitFailed, "check", "device", "main/bar-1", "--broker", p.MQTT, "--username", watcher, "--password", password, "--for", "50ms")
	if !strings.Contains(out, "nothing was heard on spotter/v1/main/device/bar-1/") {
		t.Errorf("it says %s", out)
	}
	_, errOut = command(t, exitUsage, "check", "device", "Bar 1", "--broker", "nowhere", "--for=-1s")
	for _, want := range []string{"SITE/DEVICE", "--broker", "--for"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("it does not complain of %s: %s", want, errOut)
		}
	}
}
