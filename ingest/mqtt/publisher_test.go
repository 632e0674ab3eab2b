package mqtt

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

func TestAPublisherGreetsAndLeavesItsWill(t *testing.T) {
	_, l := embedded(t)
	const topic = "spotter/v1/main/device/bar-1/status"
	heard := make(chan string, 10)
	c := connect(t, clientOptions(l.Server().MQTTURL(), "listener"))
	token := c.Subscribe(topic, 1, func(_ paho.Client, m paho.Message) { heard <- string(m.Payload()) })
	if err := wait(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	front, cut := proxy(t, l.Server().MQTTURL())
	o := Options{
		URL: front, ClientID: "greeter", Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Greeting: &Retained{topic, []byte(`{"state":"ready"}`)}, Will: &Retained{topic, []byte(`{"state":"lost"}`)},
	}
	p := NewPublisher(o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Fatalf("heard %s, want %s", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("waited for %s", want)
		}
	}
	expect(`{"state":"ready"}`)
	eventually(t, "it to be connected", p.Connected)
	cut()
	expect(`{"state":"lost"}`)
	expect(`{"state":"ready"}`) // it is back, and says so
	cancel()
	requireEnd(t, ended)
}

func TestAPublisherTellsWhyItDoesNotConnect(t *testing.T) {
	told := make(chan error, 1)
	p := NewPublisher(Options{URL: "tcp://" + freePort(t), ClientID: "x", Now: time.Now, OnTrouble: func(err error) {
		select {
		case told <- err:
		default:
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	select {
	case err := <-told:
		if err == nil || p.Connected() {
			t.Errorf("told %v, connected %v", err, p.Connected())
		}
	case <-time.After(patience):
		t.Error("it tells nothing")
	}
	cancel()
	requireEnd(t, ended)
}

// requireEnd waits until Run has ended as its context did.
func requireEnd(t *testing.T, ended <-chan error) {
	t.Helper()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

// proxy is another way to a broker, which can be cut.
func proxy(t *testing.T, broker string) (front string, cut func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var mu sync.Mutex
	var ends []net.Conn
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", strings.TrimPrefix(broker, "tcp://"))
			if err != nil {
				_ = near.Close()
				continue
			}
			mu.Lock()
			ends = append(ends, near, far)
			mu.Unlock()
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		}
	}()
	return "tcp://" + listener.Addr().String(), func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range ends {
			_ = c.Close()
		}
		ends = nil
	}
}
