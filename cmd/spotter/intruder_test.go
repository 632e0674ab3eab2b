package main

import (
	"net"
	"net/url"
	"sync"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// notGranted is what a broker answers to a subscription that it does not grant.
const notGranted = 0x80

// A credential that has come into wrong hands lets nobody read others' data, speak
// for others, nor reach what the broker and the log say among themselves.
func TestAStolenCredentialReachesNothingElse(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	p := launch(t, args...)
	clients := map[string]paho.Client{}
	for kind, args := range map[string][]string{
		"device":  {"bar-1"},
		"gateway": {"gw", "--kind", "gateway", "--devices", "bar-7,bar-8"},
		"kiosk":   {"desk", "--kind", "kiosk"},
		"watcher": {"bench", "--kind", "watcher", "--devices", "bar-9"},
	} {
		username, password := addDevice(t, data, args...)
		c, err := connect(p.MQTT, username, password)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Disconnect(0) })
		clients[kind] = c
	}
	say(t, clients["device"], "spotter/v1/main/device/bar-1/rep", minimalRep)
	need.Eventually(t, patience, "a rep", func() bool { return len(list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")) == 1 })

	var mu sync.Mutex
	heard := map[string]string{}
	for kind, c := range clients {
		own := map[string][]string{"device": {"bar-1"}, "gateway": {"bar-7", "bar-8"}, "watcher": {"bar-9"}}[kind]
		for _, device := range own {
			if got := subscribe(t, c, "spotter/v1/main/device/"+device+"/cue", nil); got == notGranted {
				t.Errorf("a %s may not read the cue of %s", kind, device)
			}
		}
		for _, filter := range []string{
			"#", "+/#", "spotter/#", "spotter/v1/#", "spotter/v1/main/#", "spotter/v1/main/device/+/cue", "spotter/v1/main/device/bar-2/cue",
			"spotter/v1/other/device/bar-1/cue", "spotter/v1/main/device/bar-1/rep", "spotter/v1/main/device/+/rep", "spotter/v1/main/device/+/status",
			"spotter/v1/main/athlete/+/checkin", "spotter/v1/main/athlete/ana/alert", "spotter/v1/main/athlete/+/alert",
			"$SYS/#", "$JS/#", "$JS/API/#", "$KV/#", "$MQTT/#", "$MQTT/msgs/#", "_INBOX/#", "log/#",
		} {
			got := subscribe(t, c, filter, func(_ paho.Client, m paho.Message) {
				mu.Lock()
				defer mu.Unlock()
				heard[kind+" at "+filter] = m.Topic()
			})
			if got != notGranted {
				t.Errorf("a %s may read %s", kind, filter)
			}
		}
		// nats-server maps slashes to dots: these would be requests to the log itself.
		for _, topic := range []string{
			"$JS/API/STREAM/DELETE/EVENTS", "$JS/API/STREAM/PURGE/EVENTS", "$JS/API/STREAM/DELETE/events", "$JS/API/STREAM/PURGE/events",
			"$JS/API/STREAM/DELETE/LOG", "$JS/API/STREAM/DELETE/$MQTT_msgs", "$JS/API/STREAM/PURGE/$MQTT_msgs", "$SYS/REQ/SERVER/PING",
			"$MQTT/msgs/spotter.v1.main.device.bar-2.rep", "$MQTT/sub/x", "log/rep/ana", "events/rep/ana", "spotter/v1/main/device/bar-2/cue",
			"spotter/v1/main/athlete/ana/alert",
		} {
			say(t, c, topic, `{}`)
		}
	}

	// Somebody else's status, kept for all who come later, and a last will in
	// somebody else's name.
	for kind, c := range clients {
		for _, topic := range []string{"spotter/v1/main/device/bar-2/status", "spotter/v1/other/device/bar-1/status", "spotter/v1/other/device/bar-7/status", "spotter/v1/other/device/bar-9/status"} {
			if token := c.Publish(topic, 1, true, `{"state":"ready"}`); token.Wait() && token.Error() != nil {
				t.Errorf("%s: %v", kind, token.Error())
			}
		}
	}
	say(t, clients["watcher"], "spotter/v1/main/device/bar-9/rep", minimalRep) // it reads, and says nothing
	username, password := addDevice(t, data, "bar-3")
	for _, willed := range []string{"bar-2", "bar-3"} { // the second one is its own
		var conn net.Conn
		c := paho.NewClient(paho.NewClientOptions().AddBroker(p.MQTT).SetUsername(username).SetPassword(password).SetAutoReconnect(false).
			SetWill("spotter/v1/main/device/"+willed+"/status", `{"state":"lost"}`, 1, true).
			SetCustomOpenConnectionFn(func(uri *url.URL, _ paho.ClientOptions) (net.Conn, error) {
				var err error
				conn, err = net.Dial("tcp", uri.Host)
				return conn, err
			}))
		if token := c.Connect(); token.Wait() && token.Error() != nil {
			continue // refused at once: as good
		}
		_ = conn.Close()
	}
	type device struct {
		Site   string             `json:"site"`
		Device string             `json:"device"`
		Status *lift.DeviceStatus `json:"status"`
	}
	need.Eventually(t, patience, "the last will of bar-3", func() bool {
		for _, d := range list[device](p, "/api/v1/devices?") {
			if d.Device == "bar-3" && d.Status != nil && d.Status.State == "lost" {
				return true
			}
		}
		return false
	})
	for _, d := range list[device](p, "/api/v1/devices?") {
		if d.Site != "main" || d.Device != "bar-1" && d.Device != "bar-3" {
			t.Errorf("there is a device %s at %s", d.Device, d.Site)
		}
	}

	// Everything still works, and what was there is there.
	say(t, clients["gateway"], "spotter/v1/main/device/bar-8/rep", minimalRep)
	need.Eventually(t, patience, "another rep", func() bool { return len(list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")) == 2 })
	p.stop()
	again := launch(t, args...)
	if n := len(list[lift.RepRecord](again, "/api/v1/athletes/ana/reps?")); n != 2 {
		t.Errorf("%d reps after a restart", n)
	}
	mu.Lock()
	defer mu.Unlock()
	for who, what := range heard {
		t.Errorf("%s has heard %s", who, what)
	}
}

// subscribe returns what the broker grants.
func subscribe(t *testing.T, c paho.Client, filter string, hear paho.MessageHandler) byte {
	t.Helper()
	token := c.Subscribe(filter, 1, hear)
	token.Wait()
	granted, ok := token.(*paho.SubscribeToken)
	if !ok || len(granted.Result()) != 1 {
		return notGranted
	}
	return granted.Result()[filter]
}
