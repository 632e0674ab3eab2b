package main

import (
	"context"
	"strings"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// addDevice makes a credential beside the running server.
func addDevice(t *testing.T, data string, args ...string) (username, password string) {
	t.Helper()
	var out, errOut output
	if code := run(context.Background(), append([]string{"device", "add", "--data", data}, args...), &out, &errOut); code != 0 {
		t.Fatalf("device add %v ends with %d\n%s", args, code, &errOut)
	}
	fields := strings.Fields(out.String())
	if len(fields) != 4 {
		t.Fatalf("device add prints %q", out.String())
	}
	return fields[1], fields[3]
}

func connect(broker, username, password string) (paho.Client, error) {
	c := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetUsername(username).SetPassword(password).SetAutoReconnect(false))
	token := c.Connect()
	token.Wait()
	return c, token.Error()
}

func say(t *testing.T, c paho.Client, topic, payload string) {
	t.Helper()
	if token := c.Publish(topic, 1, false, payload); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
}

const minimalRep = `{"boot_id":"b1","seq":1,"time":"2026-11-22T12:00:00Z","mean_velocity_mps":0.5,"athlete":"ana"}`

// Promise 6: every device has a credential of its own and can publish only as
// itself; nobody is anonymous once there is one.
func TestEveryDeviceCanPublishOnlyAsItself(t *testing.T) {
	args := serveArgs(t, "always", "")
	data := args[2]
	p := launch(t, args...)
	anonymous, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal("before the first credential anybody on this machine is let in:", err)
	}
	anonymous.Disconnect(0)

	username, password := addDevice(t, data, "bar-1", "--site", "main")
	gatewayUser, gatewayPassword := addDevice(t, data, "gw", "--site", "main", "--kind", "gateway", "--devices", "bar-7,bar-8")
	kioskUser, kioskPassword := addDevice(t, data, "desk", "--site", "main", "--kind", "kiosk")
	for _, wrong := range [][2]string{{"", ""}, {username, ""}, {username, password + "x"}, {"main/bar-2", password}, {"ingest", "x"}, {"log", "x"}} {
		if c, err := connect(p.MQTT, wrong[0], wrong[1]); err == nil {
			c.Disconnect(0)
			t.Errorf("%q is let in with a wrong password", wrong[0])
		}
	}
	device, err := connect(p.MQTT, username, password)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Disconnect(0)
	gateway, err := connect(p.MQTT, gatewayUser, gatewayPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Disconnect(0)
	kiosk, err := connect(p.MQTT, kioskUser, kioskPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer kiosk.Disconnect(0)
	// nats-server acknowledges what is forbidden, and drops it.
	for _, topic := range []string{"spotter/v1/main/device/bar-2/rep", "spotter/v1/other/device/bar-1/rep", "spotter/v1/main/device/bar-7/rep"} {
		say(t, device, topic, minimalRep)
	}
	say(t, device, "spotter/v1/main/athlete/ana/checkin", `{"time":"2026-11-22T12:00:00Z","phase":"daily","pain":1}`)
	say(t, kiosk, "spotter/v1/main/device/bar-1/rep", minimalRep)
	say(t, gateway, "spotter/v1/main/device/bar-1/rep", minimalRep)
	say(t, device, "spotter/v1/main/device/bar-1/rep", minimalRep)
	say(t, gateway, "spotter/v1/main/device/bar-8/rep", minimalRep)
	say(t, kiosk, "spotter/v1/main/athlete/ana/checkin", `{"time":"2026-11-22T12:00:00Z","phase":"daily","pain":2}`)

	type checkin struct {
		Pain int `json:"pain"`
	}
	need.Eventually(t, patience, "what is allowed", func() bool {
		return len(list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")) >= 2 && len(list[checkin](p, "/api/v1/athletes/ana/checkins?")) >= 1
	})
	for _, r := range list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?") {
		if r.Device != "bar-1" && r.Device != "bar-8" {
			t.Errorf("a rep of %s has come through", r.Device)
		}
	}
	if c := list[checkin](p, "/api/v1/athletes/ana/checkins?"); len(c) != 1 || c[0].Pain != 2 {
		t.Errorf("check-ins %v", c)
	}
	if n := p.metric("spotter_ingest_messages_total"); n != 3 {
		t.Errorf("%v messages have come through, want 3", n)
	}

	var out, errOut output
	if code := run(t.Context(), []string{"device", "revoke", "--data", data, username}, &out, &errOut); code != 0 {
		t.Fatalf("revoke ends with %d\n%s", code, &errOut)
	}
	if c, err := connect(p.MQTT, username, password); err == nil {
		c.Disconnect(0)
		t.Error("a revoked device is let in")
	}
	if code := run(t.Context(), []string{"device", "list", "--data", data}, &out, &errOut); code != 0 || strings.Contains(out.String(), "main/bar-1") || !strings.Contains(out.String(), "bar-7 bar-8") || strings.Contains(out.String(), gatewayPassword) {
		t.Errorf("list:\n%s", &out)
	}
}

func TestWithMQTTAuthNobodyIsAnonymousOnLoopbackNeither(t *testing.T) {
	p := launch(t, append(serveArgs(t, "always", ""), "--mqtt-auth")...)
	if c, err := connect(p.MQTT, "", ""); err == nil {
		c.Disconnect(0)
		t.Error("an anonymous client is let in")
	}
}
