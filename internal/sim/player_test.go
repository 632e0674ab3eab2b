package sim

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/spotterhq/spotter/internal/lift"
)

// startBroker starts a real broker on the given MQTT port, -1 for a free one.
func startBroker(t *testing.T, dir string, port int) (*server.Server, int) {
	t.Helper()
	o := &server.Options{
		ServerName: "sim-test", Host: "127.0.0.1", Port: -1, DontListen: true,
		JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
		MQTT: server.MQTTOpts{Host: "127.0.0.1", Port: port},
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the broker is not ready")
	}
	t.Cleanup(s.Shutdown)
	return s, o.MQTT.Port
}

// inbox collects what arrives at a subscriber of everything.
type inbox struct {
	mu       sync.Mutex
	messages []Message
	arrived  chan struct{}
}

func subscribe(t *testing.T, broker string) *inbox {
	t.Helper()
	in := &inbox{arrived: make(chan struct{}, 1)}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID("reader").
		SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(time.Second).SetResumeSubs(true))
	if token := c.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	token := c.Subscribe("spotter/v1/#", 1, func(_ mqtt.Client, m mqtt.Message) {
		in.mu.Lock()
		in.messages = append(in.messages, Message{Topic: m.Topic(), Payload: slices.Clone(m.Payload()), QoS: m.Qos(), Retain: m.Retained()})
		in.mu.Unlock()
		select {
		case in.arrived <- struct{}{}:
		default:
		}
	})
	if token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	return in
}

// until waits until what has arrived satisfies the condition.
func (in *inbox) until(t *testing.T, within time.Duration, what string, ok func([]Message) bool) []Message {
	t.Helper()
	timeout := time.After(within)
	for {
		in.mu.Lock()
		messages := slices.Clone(in.messages)
		in.mu.Unlock()
		if ok(messages) {
			return messages
		}
		select {
		case <-in.arrived:
		case <-timeout:
			t.Fatalf("%s: not within %s, of %d messages", what, within, len(messages))
		}
	}
}

func newPlayer(t *testing.T, port int) *Player {
	return &Player{Broker: fmt.Sprintf("tcp://127.0.0.1:%d", port), Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func leaf(m Message) string { return m.Topic[strings.LastIndex(m.Topic, "/")+1:] }

func TestThePlayerPublishesALivingGym(t *testing.T) {
	_, port := startBroker(t, t.TempDir(), -1)
	p := newPlayer(t, port)
	p.Speed = 200
	in := subscribe(t, p.Broker)
	g := newGym(t, 6, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, g) }()
	var got received
	messages := in.until(t, 60*time.Second, "the opening and faults", func(m []Message) bool {
		var data []Message
		for _, m := range m {
			if leaf(m) == "rep" || leaf(m) == "checkin" {
				data = append(data, m)
			}
		}
		got = receive(data, time.Now())
		return got.refused >= 1 && len(got.reps) >= 150
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	slow := 0
	for key, loss := range got.losses() {
		if strings.HasPrefix(key, "dan|deadlift") && len(loss) == 5 && loss[3] > 0.20 && loss[4] > 0.20 {
			slow++
		}
	}
	if slow != 1 {
		t.Errorf("%d sets slow down, want 1", slow)
	}
	if c := got.checkIns["eva"]; len(c) != 1 || *c[0].Pain != 7 {
		t.Errorf("pain: %+v", c)
	}
	if c := got.checkIns["finn"]; len(c) != 1 || c[0].Symptoms[0] != lift.SaddleNumbness {
		t.Errorf("red flag: %+v", c)
	}
	onBar := map[string]lift.Assignment{}
	assigned := 0
	devices := map[string]bool{}
	for _, m := range messages {
		device := strings.Split(m.Topic, "/")[4]
		switch leaf(m) {
		case "status":
			var s lift.DeviceStatus
			if err := json.Unmarshal(m.Payload, &s); err != nil || s.Validate() != nil {
				t.Errorf("%s: %v %v", m.Payload, err, s.Validate())
			}
			devices[device] = true
		case "assign":
			var a lift.Assignment
			if len(m.Payload) > 0 {
				if err := json.Unmarshal(m.Payload, &a); err != nil {
					t.Fatal(err)
				}
				if err := a.Validate(time.Now()); err != nil {
					t.Error(err)
				}
			}
			onBar[device] = a
		case "rep":
			var rep lift.Rep
			if device == "rack-4" || json.Unmarshal(m.Payload, &rep) != nil {
				continue // the broken gateway's order means nothing
			}
			if a := onBar[device]; a.Athlete != rep.Athlete || *a.LoadKg != *rep.LoadKg || *a.Set != *rep.Set {
				t.Errorf("%s on the bar, %s lifts", a.Athlete, rep.Athlete)
			}
			assigned++
		}
	}
	if len(devices) != 4 || assigned < 50 {
		t.Errorf("%d devices, %d reps under an assignment", len(devices), assigned)
	}
	in.until(t, 10*time.Second, "every device sleeps", func(m []Message) bool {
		asleep := map[string]bool{}
		for _, m := range m {
			if leaf(m) == "status" && strings.Contains(string(m.Payload), "sleeping") {
				asleep[m.Topic] = true
			}
		}
		return len(asleep) == 4
	})
}

func TestAtSpeedOneOneRackSendsSamplesAlone(t *testing.T) {
	_, port := startBroker(t, t.TempDir(), -1)
	p := newPlayer(t, port)
	in := subscribe(t, p.Broker)
	g, err := NewGym(GymOptions{Seed: 7, Site: "main", Athletes: 8, Racks: 4, Start: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, g) }()
	count := func(messages []Message, device, what string) (n int) {
		for _, m := range messages {
			if leaf(m) == what && strings.Contains(m.Topic, device) {
				n++
			}
		}
		return n
	}
	messages := in.until(t, 40*time.Second, "chunks of rack-3 and reps beside", func(m []Message) bool {
		return count(m, "rack-3", "samples") >= 6 && count(m, "rack-1", "rep") >= 1
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := count(messages, "rack-3", "rep"); n != 0 {
		t.Errorf("rack-3 tells %d reps", n)
	}
	if n := count(messages, "rack-3", "assign"); n == 0 {
		t.Error("nobody is assigned to rack-3")
	}
}

func TestAtSpeedOneABarSendsSamplesOfItsReps(t *testing.T) {
	_, port := startBroker(t, t.TempDir(), -1)
	p := newPlayer(t, port)
	in := subscribe(t, p.Broker)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, newGym(t, 6, time.Now())) }()
	var chunks []lift.Samples
	messages := in.until(t, 30*time.Second, "five chunks", func(m []Message) bool {
		chunks = nil
		for _, m := range m {
			if leaf(m) != "samples" || !strings.Contains(m.Topic, "rack-1") {
				continue
			}
			var s lift.Samples
			if err := json.Unmarshal(m.Payload, &s); err != nil || s.Validate(time.Now()) != nil {
				t.Fatalf("%s: %v %v", m.Payload, err, s.Validate(time.Now()))
			}
			chunks = append(chunks, s)
		}
		return len(chunks) >= 5
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var first lift.Rep
	for _, m := range messages {
		if first.Athlete == "" && leaf(m) == "rep" && strings.Contains(m.Topic, "rack-1") {
			if err := json.Unmarshal(m.Payload, &first); err != nil {
				t.Fatal(err)
			}
		}
	}
	var top float64
	for i, c := range chunks {
		if c.Chunk != int64(i) {
			t.Errorf("chunk %d comes as number %d", c.Chunk, i)
		}
		if c.Time.Before(first.Time) {
			top = max(top, slices.Max(c.Velocity))
		}
	}
	if first.PeakVelocity == nil || top < *first.PeakVelocity-0.02 || top > *first.PeakVelocity+0.02 {
		t.Errorf("the samples peak at %.3f m/s, the rep is %+v", top, first)
	}
}

func TestPublishSurvivesALostBroker(t *testing.T) {
	dir := t.TempDir()
	broker, port := startBroker(t, dir, -1)
	p := newPlayer(t, port)
	in := subscribe(t, p.Broker)
	l := Load{Seed: 2, Site: "main", Devices: 3, Athletes: 3, Count: 3000, Start: sunday}
	stream, err := Stream(l)
	if err != nil {
		t.Fatal(err)
	}
	acked := 0
	err = p.Publish(t.Context(), "main", stream, func(Message) {
		if acked++; acked == 1000 {
			broker.Shutdown()
			broker.WaitForShutdown()
			startBroker(t, dir, port)
		}
	})
	if err != nil || acked != l.Count {
		t.Fatalf("%d of %d acknowledged: %v", acked, l.Count, err)
	}
	in.until(t, 60*time.Second, "all reps, across the restart", func(m []Message) bool {
		return len(m) >= l.Count && len(receive(m, l.End()).reps) == l.Count
	})
}

// cutAfter relays connections to the broker; of the first one it passes on only so
// many bytes and then closes it, so that what was written behind them is lost.
func cutAfter(t *testing.T, port int, limit int64) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for n := 0; ; n++ {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				in.Close()
				return
			}
			var source io.Reader = in
			if n == 0 {
				source = io.LimitReader(in, limit)
			}
			go func() {
				_, _ = io.Copy(out, source)
				in.Close()
				out.Close()
			}()
			go func() { _, _ = io.Copy(in, out) }()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func TestPublishSendsAgainWhatWasLostOnTheWay(t *testing.T) {
	_, port := startBroker(t, t.TempDir(), -1)
	in := subscribe(t, fmt.Sprintf("tcp://127.0.0.1:%d", port))
	p := newPlayer(t, cutAfter(t, port, 100_000))
	l := Load{Seed: 2, Site: "main", Devices: 3, Athletes: 3, Count: 1500, Start: sunday}
	stream, err := Stream(l)
	if err != nil {
		t.Fatal(err)
	}
	var acked []Message
	if err := p.Publish(t.Context(), "main", stream, func(m Message) { acked = append(acked, m) }); err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(acked, slices.Collect(stream), sameMessage) {
		t.Errorf("%d of %d are acknowledged, or not in order", len(acked), l.Count)
	}
	in.until(t, 30*time.Second, "all reps, those on the cut connection too", func(m []Message) bool {
		return len(m) >= l.Count && len(receive(m, l.End()).reps) == l.Count
	})
}

func TestPlayerNamesEveryBadSetting(t *testing.T) {
	p := &Player{Broker: "localhost", Speed: 0.5}
	err := p.Run(t.Context(), newGym(t, 1, sunday))
	for _, field := range []string{"speed", "now", "log"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
	p = newPlayer(t, 1)
	p.Broker = "localhost"
	if err := p.Run(t.Context(), newGym(t, 1, sunday)); err == nil || !strings.Contains(err.Error(), "broker") {
		t.Errorf("%v does not name broker", err)
	}
}
