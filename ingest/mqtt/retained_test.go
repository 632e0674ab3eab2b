package mqtt

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/spotterhq/spotter/internal/journal"
)

// retained reads what the broker keeps, by topic.
func retained(t *testing.T, url string, want int) map[string]string {
	t.Helper()
	var mu sync.Mutex
	all := map[string]string{}
	c := connect(t, clientOptions(url, "reader"))
	defer c.Disconnect(100)
	token := c.Subscribe("spotter/v1/#", 1, func(_ paho.Client, m paho.Message) {
		mu.Lock()
		defer mu.Unlock()
		all[m.Topic()] = string(m.Payload())
	})
	if err := wait(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the retained messages to come", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(all) >= want
	})
	mu.Lock()
	defer mu.Unlock()
	return all
}

func clearsRetained(t *testing.T, url string, o Options) {
	t.Helper()
	sensor := connect(t, clientOptions(url, "sensor"))
	for _, bar := range []string{"bar-1", "bar-2", "bar-3"} {
		athlete := map[string]string{"bar-1": "ana", "bar-2": "bo", "bar-3": "ana"}[bar]
		publish(t, sensor, "spotter/v1/main/device/"+bar+"/assign", true, `{"athlete":"`+athlete+`"}`)
	}
	o.ClientID = "spotter-erase-test"
	n, err := ClearRetained(t.Context(), o, "spotter/v1/#", func(_ string, payload []byte) bool { return bytes.Contains(payload, []byte(`"ana"`)) })
	if err != nil || n != 2 {
		t.Fatalf("%d messages cleared, %v", n, err)
	}
	left := retained(t, url, 1)
	if len(left) != 1 || left["spotter/v1/main/device/bar-2/assign"] == "" {
		t.Errorf("the broker still keeps %v", left)
	}
}

func TestRetainedMessagesAreTakenBack(t *testing.T) {
	_, l := embedded(t)
	seen := follow(t, l)
	clearsRetained(t, l.Server().MQTTURL(), ingestOptions(l))
	eventually(t, "ingest to hear of it", func() bool {
		ended := slices.DeleteFunc(seen.all(), func(e journal.Event) bool { return e.Assign == nil || e.Assign.Athlete != "" })
		return len(ended) == 2
	})
}

func TestMosquittoTakesRetainedMessagesBack(t *testing.T) {
	m := startMosquitto(t)
	clearsRetained(t, m.url(), Options{URL: m.url()})
}
