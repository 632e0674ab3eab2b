package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
)

// subscriber is a real MQTT client that keeps what it hears.
type subscriber struct {
	client paho.Client
	mu     sync.Mutex
	heard  map[string][]string // by topic
}

func listenTo(t *testing.T, broker string, filters ...string) *subscriber {
	t.Helper()
	s := &subscriber{heard: map[string][]string{}}
	s.client = paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("listener").SetAutoReconnect(false))
	if token := s.client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { s.client.Disconnect(100) })
	for _, f := range filters {
		token := s.client.Subscribe(f, 1, func(_ paho.Client, m paho.Message) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.heard[m.Topic()] = append(s.heard[m.Topic()], string(m.Payload()))
		})
		if !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	return s
}

func (s *subscriber) on(topic string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.heard[topic]...)
}

func (s *subscriber) publish(t *testing.T, topic, payload string) {
	t.Helper()
	if token := s.client.Publish(topic, 1, false, payload); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
}

// The bar's lamp, and whoever listens to the athlete's topic, are told of a set that
// loses too much velocity while it is lifted.
func TestTheBarAndTheAthletesTopicAreToldOverMQTT(t *testing.T) {
	p := launch(t, serveArgs(t, "100ms", "")...)
	s := listenTo(t, p.MQTT, "spotter/v1/main/device/+/cue", "spotter/v1/main/athlete/+/alert")
	rep := func(set, n int, velocity float64) {
		s.publish(t, "spotter/v1/main/device/bar-1/rep", fmt.Sprintf(
			`{"boot_id":"b1","seq":%d,"time":%q,"athlete":"ana","exercise":"deadlift","load_kg":120,"set":%d,"rep":%d,"mean_velocity_mps":%g}`,
			100*set+n, time.Now().UTC().Format(time.RFC3339Nano), set, n, velocity))
	}
	for n, v := range []float64{0.60, 0.59, 0.45, 0.38, 0.30} {
		rep(1, n+1, v)
	}
	const cueTopic, alertTopic = "spotter/v1/main/device/bar-1/cue", "spotter/v1/main/athlete/ana/alert"
	need.Eventually(t, patience, "a stop and an alert", func() bool {
		return strings.Contains(strings.Join(s.on(cueTopic), " "), `"stop"`) && len(s.on(alertTopic)) > 0
	})
	var cue notify.Cue
	cues := s.on(cueTopic)
	if err := json.Unmarshal([]byte(cues[len(cues)-1]), &cue, json.RejectUnknownMembers(true)); err != nil || cue.Set == nil || *cue.Set != 1 || cue.Rep == nil {
		t.Errorf("cue %s, %v", cues, err)
	}
	rep(2, 1, 0.60)
	need.Eventually(t, patience, "the lamp to go out", func() bool {
		return strings.Contains(strings.Join(s.on(cueTopic), " "), `"ok"`)
	})
	// The payload is the alert as the API shows it at that revision.
	var told, shown lift.Alert
	need.Eventually(t, patience, "the newest revision", func() bool {
		all := s.on(alertTopic)
		if err := json.Unmarshal([]byte(all[len(all)-1]), &told, json.RejectUnknownMembers(true)); err != nil {
			t.Fatal(err)
		}
		p.get("/api/v1/alerts/"+told.ID, &shown)
		return told.Revision == shown.Revision
	})
	if told.Rule != "velocity-loss" || told.Athlete != "ana" || told.Message != shown.Message || told.Evidence.Value != shown.Evidence.Value {
		t.Errorf("told %+v, shown %+v", told, shown)
	}
	before := len(s.on(alertTopic))
	if status := p.do(http.MethodPost, "/api/v1/alerts/"+told.ID+"/acknowledge", []byte(`{"note":"seen"}`), nil); status != http.StatusOK {
		t.Fatalf("acknowledge answers %d", status)
	}
	need.Eventually(t, patience, "the acknowledgement", func() bool {
		all := s.on(alertTopic)
		return len(all) > before && strings.Contains(all[len(all)-1], `"acknowledged"`)
	})
}

// An urgent alert is in the outbox before anybody is told: killed in the middle of
// telling, the server tells it after its start, under the same key.
func TestAnAlertSurvivesKill9BetweenOutboxAndReceiver(t *testing.T) {
	var mu sync.Mutex
	var keys []string
	answering := make(chan struct{})
	reached := make(chan struct{}, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		keys = append(keys, r.Header.Get(notify.KeyHeader))
		mu.Unlock()
		reached <- struct{}{}
		select {
		case <-answering:
		case <-r.Context().Done():
		}
	}))
	defer sink.Close()
	args := serveArgs(t, "100ms", "")
	p := launch(t, args...)
	body := []byte(`{"name":"hook","kind":"coach","webhook":{"url":"` + sink.URL + `"}}`)
	if status := p.do(http.MethodPost, "/api/v1/channels", body, nil); status != http.StatusCreated {
		t.Fatalf("create channel answers %d", status)
	}
	report := fmt.Sprintf(`{"time":%q,"phase":"daily","symptoms":["saddle_numbness"]}`, time.Now().UTC().Format(time.RFC3339))
	if status := p.do(http.MethodPost, "/api/v1/athletes/ana/checkins", []byte(report), nil); status != http.StatusCreated {
		t.Fatalf("check-in answers %d", status)
	}
	<-reached // the receiver has it, and has not said so
	p.kill()
	close(answering)
	p = launch(t, args...)
	<-reached
	need.Eventually(t, patience, "the delivery to be noted", func() bool {
		for _, d := range list[notify.Delivery](p, "/api/v1/deliveries?state=sent&") {
			if d.Service == "webhook" && d.Severity == lift.Urgent && d.Attempts == 2 {
				return true
			}
		}
		return false
	})
	mu.Lock()
	defer mu.Unlock()
	if len(keys) != 2 || keys[0] != keys[1] {
		t.Errorf("keys %v", keys)
	}
	if text := p.log.String(); strings.Contains(text, strings.TrimPrefix(sink.URL, "http://")) {
		t.Errorf("the log names the address:\n%s", text)
	}
}
