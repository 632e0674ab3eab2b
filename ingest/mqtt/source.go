// Package mqtt takes messages from an MQTT 3.1.1 broker to ingest, with
// paho.mqtt.golang, which is imported here and nowhere else in the server.
//
// The session is persistent and every message is acknowledged by hand, after the
// log has it: whatever was not acknowledged before a crash comes again. Each
// connection has a paho client of its own, without a store: paho's would hand out
// again after a reconnect what the old connection left unanswered, and answer it
// with a packet id that the broker may by then have given to another message.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/spotterhq/spotter/ingest"
)

// Filters are what ingest subscribes to. They and the client id are constant per
// data folder: a persistent session keeps the filters it began with.
var Filters = []string{"spotter/v1/+/device/+/+", "spotter/v1/+/athlete/+/checkin"}

// Options of a source.
type Options struct {
	URL      string // tcp://, ssl://, ws:// or wss://
	ClientID string // constant per data folder, different for each node
	Username string
	Password string
	TLS      *tls.Config
	// Window is how many messages the broker has under way before it waits for
	// acknowledgements, 0 where that is not known.
	Window int
	Logger *slog.Logger
	Now    func() time.Time

	// The following are a Publisher's. Greeting is retained at each connection, before
	// anything else; Will by the broker when the connection breaks. OnTrouble is told by
	// Run's goroutine of each connection that does not come about.
	Greeting, Will *Retained
	OnTrouble      func(error)
}

// Retained is a message that the broker keeps for whoever subscribes later.
type Retained struct {
	Topic   string
	Payload []byte
}

// Sink takes deliveries; it may block. ingest.Pipeline.Offer is one.
type Sink func(context.Context, ingest.Delivery) error

// How the source deals with a broker that is away.
const (
	connectTimeout = 10 * time.Second // also for the answer to the subscription
	firstRetry     = 500 * time.Millisecond
	lastRetry      = 10 * time.Second
	// settled is how long a connection lasts that was not cut on arrival.
	settled = 10 * time.Second
	// suspicious is how many connections in a row, cut before they settled, look
	// like somebody else with the same client id.
	suspicious = 3
	farewell   = 250 // ms that a disconnect may take
)

// Source is the connection to the broker. Run belongs to one goroutine; the other
// methods may be called by any.
type Source struct {
	o             Options
	sink          Sink
	subscribed    chan struct{}
	once          sync.Once // closes subscribed
	connected     atomic.Bool
	subscriptions atomic.Int64
}

// New returns a source that connects when it is Run.
func New(o Options, sink Sink) *Source {
	return &Source{o: o, sink: sink, subscribed: make(chan struct{})}
}

// Subscribed is closed once the broker has confirmed the durable subscriptions:
// from then on no message is lost while the source is away.
func (s *Source) Subscribed() <-chan struct{} { return s.subscribed }

// Connected reports whether the broker is connected and subscribed.
func (s *Source) Connected() bool { return s.connected.Load() }

// Reconnects counts the connections after the first.
func (s *Source) Reconnects() int64 { return max(s.subscriptions.Load()-1, 0) }

// ErrRefused says that the broker will not let ingest subscribe as it has to.
var ErrRefused = errors.New("the broker refuses the subscription")

// Run takes messages until the context ends, reconnecting as often as needed. It
// returns the context's error, or ErrRefused. A connection attempt that is under
// way when the context ends is given up within ten seconds, after Run has returned.
func (s *Source) Run(ctx context.Context) error {
	s.logWindow()
	retry := firstRetry
	short := 0
	said := ""
	for {
		lasted, err := s.connection(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, ErrRefused) {
			return err
		}
		switch {
		case lasted >= settled:
			retry, short, said = firstRetry, 0, ""
		case lasted > 0:
			short++
		}
		if err.Error() != said || short == suspicious {
			said = err.Error()
			s.complain(err, short)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// complain tells of a connection that did not come about or was lost. Run calls it
// once for as long as the reason stays the same.
func (s *Source) complain(err error, short int) {
	log := s.o.Logger.With("error", err, "client_id", s.o.ClientID)
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		log.Error("the broker does not accept the user name and password; trying again until it does")
	case short >= suspicious:
		log.Error("the broker cuts every connection soon; does another program use the same client id?")
	default:
		log.Warn("no connection to the broker; trying again until there is one")
	}
}

// connection connects, subscribes and takes messages until the connection or the
// context ends. It returns how long it was subscribed, 0 where it never was, and why
// it ended.
func (s *Source) connection(ctx context.Context) (lasted time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	lost := make(chan error, 1)
	client := paho.NewClient(s.clientOptions(ctx, lost))
	defer func() {
		s.connected.Store(false)
		cancel() // frees a handler that waits for the sink, and with it the client
		client.Disconnect(farewell)
	}()
	if err := answered(ctx, client.Connect(), lost); err != nil {
		return 0, fmt.Errorf("connect to the broker: %w", err)
	}
	filters := make(map[string]byte, len(Filters))
	for _, f := range Filters {
		filters[f] = 1
	}
	token := client.SubscribeMultiple(filters, nil)
	if err := answered(ctx, token, lost); err != nil {
		return 0, fmt.Errorf("subscribe: %w", err)
	}
	granted := token.(*paho.SubscribeToken).Result()
	for _, filter := range slices.Sorted(maps.Keys(granted)) {
		if qos := granted[filter]; qos != 1 {
			return 0, fmt.Errorf("subscribe to %s: %w (answer %#x where QoS 1 is needed)", filter, ErrRefused, qos)
		}
	}
	began := s.o.Now()
	s.subscriptions.Add(1)
	s.connected.Store(true)
	s.once.Do(func() { close(s.subscribed) })
	s.o.Logger.Info("subscribed at the broker", "filters", Filters)
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case err = <-lost:
		err = fmt.Errorf("connection lost: %w", err)
	}
	return max(s.o.Now().Sub(began), 1), err
}

func (s *Source) clientOptions(ctx context.Context, lost chan<- error) *paho.ClientOptions {
	o := paho.NewClientOptions().
		AddBroker(s.o.URL).
		SetClientID(s.o.ClientID).
		SetUsername(s.o.Username).
		SetPassword(s.o.Password).
		SetProtocolVersion(4). // else a refusal is followed by an attempt with 3.1, and its error
		SetCleanSession(false).
		SetAutoAckDisabled(true).
		SetOrderMatters(true).
		SetStore(noStore{}).
		SetConnectRetry(false).
		SetAutoReconnect(false).
		SetKeepAlive(30 * time.Second).
		SetPingTimeout(20 * time.Second).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(connectTimeout).
		SetMessageChannelDepth(0).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { s.take(ctx, m) }).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	if s.o.TLS != nil {
		o.SetTLSConfig(s.o.TLS)
	}
	return o
}

// answered waits for the broker's answer.
func answered(ctx context.Context, token paho.Token, lost <-chan error) error {
	timeout := time.NewTimer(2 * connectTimeout)
	defer timeout.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case err := <-lost:
		return err
	case <-timeout.C:
		return errors.New("the broker does not answer")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Source) logWindow() {
	if s.o.Window > 0 {
		s.o.Logger.Info("broker's in-flight window", "messages", s.o.Window)
		return
	}
	s.o.Logger.Info("broker's in-flight window is not known; throughput is at most the window over the time of one append (Mosquitto: max_inflight_messages, 20 by default, 0 for no limit)")
}

// take hands a message to the sink. It is called in order, and its waiting makes
// the broker wait. A message that is not taken comes again with the next connection.
func (s *Source) take(ctx context.Context, m paho.Message) {
	err := s.sink(ctx, ingest.Delivery{
		Message: ingest.Message{Topic: m.Topic(), Payload: m.Payload(), Received: s.o.Now().UTC().Truncate(time.Microsecond)},
		Ack:     m.Ack,
	})
	if err != nil && ctx.Err() == nil {
		s.o.Logger.Error("a message was not taken and will come again", "error", err)
	}
}

// noStore keeps nothing: the broker does.
type noStore struct{}

var _ paho.Store = noStore{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
