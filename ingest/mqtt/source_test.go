package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"go.uber.org/goleak"

	"github.com/spotterhq/spotter/ingest"
)

// fakeBroker answers one connection after the other as a test tells it to.
type fakeBroker struct {
	net.Listener
	t *testing.T
}

func newFakeBroker(t *testing.T) *fakeBroker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &fakeBroker{l, t}
}

func (b *fakeBroker) url() string { return "tcp://" + b.Addr().String() }

// accept takes a connection up to the subscription, which it answers with qos.
func (b *fakeBroker) accept(qos byte) net.Conn {
	b.t.Helper()
	c, err := b.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		b.t.Fatal(err)
	}
	hello := read[*packets.ConnectPacket](b.t, c)
	if hello.CleanSession || hello.ProtocolVersion != 4 {
		b.t.Errorf("connected with clean session %v and version %d", hello.CleanSession, hello.ProtocolVersion)
	}
	send(b.t, c, packets.NewControlPacket(packets.Connack))
	subscribe := read[*packets.SubscribePacket](b.t, c)
	answer := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	answer.MessageID = subscribe.MessageID
	for range subscribe.Topics {
		answer.ReturnCodes = append(answer.ReturnCodes, qos)
	}
	send(b.t, c, answer)
	return c
}

func read[P packets.ControlPacket](t *testing.T, c net.Conn) P {
	t.Helper()
	p, err := packets.ReadPacket(c)
	if err != nil {
		t.Fatal(err)
	}
	packet, ok := p.(P)
	if !ok {
		t.Fatalf("got %v", p)
	}
	return packet
}

func send(t *testing.T, c net.Conn, p packets.ControlPacket) {
	t.Helper()
	if err := p.Write(c); err != nil {
		t.Fatal(err)
	}
}

func message(id uint16, payload string) packets.ControlPacket {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID, p.TopicName, p.Payload = 1, id, repTopic("bar-1"), []byte(payload)
	return p
}

// A broker may give a packet id of a lost connection to another message. What the
// old connection left unanswered must not be answered on the new one: that would
// acknowledge a message which nobody has appended.
func TestAnAcknowledgementNeverReachesAnotherConnectionsMessage(t *testing.T) {
	b := newFakeBroker(t)
	taken := make(chan ingest.Delivery, 10)
	r := start(t, Options{URL: b.url()}, func(_ context.Context, d ingest.Delivery) error { taken <- d; return nil })
	c := b.accept(1)
	send(t, c, message(5, "old"))
	old := <-taken
	c.Close()

	c = b.accept(1)
	send(t, c, message(5, "new"))
	send(t, c, message(6, "last"))
	replaced, last := <-taken, <-taken
	if string(replaced.Payload) != "new" || string(last.Payload) != "last" {
		t.Fatalf("taken %q and %q: something old was handed out again", replaced.Payload, last.Payload)
	}
	old.Ack()
	last.Ack()
	if id := read[*packets.PubackPacket](t, c).MessageID; id != 6 {
		t.Fatalf("%d is acknowledged first, want 6: the old message's acknowledgement is not for this connection", id)
	}
	replaced.Ack()
	replaced.Ack()
	send(t, c, message(7, "another"))
	another := <-taken
	another.Ack()
	for _, want := range []uint16{5, 7} {
		if id := read[*packets.PubackPacket](t, c).MessageID; id != want {
			t.Fatalf("%d is acknowledged, want %d", id, want)
		}
	}
	requireCanceled(t, r)
}

func TestABrokerThatDoesNotGrantQoS1EndsTheSource(t *testing.T) {
	for _, qos := range []byte{0x80, 0} {
		b := newFakeBroker(t)
		s := New(Options{URL: b.url(), ClientID: "c", Logger: slog.New(slog.DiscardHandler), Now: time.Now}, nil)
		done := make(chan error, 1)
		go func() { done <- s.Run(t.Context()) }()
		b.accept(qos)
		select {
		case err := <-done:
			if !errors.Is(err, ErrRefused) {
				t.Errorf("granted %#x: Run ended with %v", qos, err)
			}
		case <-time.After(patience):
			t.Fatalf("granted %#x: Run goes on", qos)
		}
		select {
		case <-s.Subscribed():
			t.Errorf("granted %#x: subscribed all the same", qos)
		default:
		}
	}
}

func TestRunEndsAtOnceAndLeavesNothingBehind(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	b := newFakeBroker(t)
	blocked := make(chan struct{})
	r := start(t, Options{URL: b.url()}, func(ctx context.Context, _ ingest.Delivery) error {
		close(blocked)
		<-ctx.Done() // a log that takes nothing
		return ctx.Err()
	})
	c := b.accept(1)
	send(t, c, message(1, "x"))
	<-blocked
	began := time.Now()
	requireCanceled(t, r)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Run took %s to end", took)
	}
	c.Close()
	goleak.VerifyNone(t, ignore)
}

func TestRunEndsWhileTheBrokerIsAway(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	r := start(t, Options{URL: "tcp://" + freePort(t)}, nil)
	eventually(t, "the log says that there is no broker", func() bool { return r.log.has("no connection to the broker") })
	if err := r.stop(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, ignore)
}
