// Package mqtt takes messages from an MQTT 3.1.1 broker to ingest, with
// paho.mqtt.golang, which is imported here and nowhere else in the server.
//
// The session is persistent and every message is acknowledged by hand, after the
// log has it: whatever was not acknowledged before a crash comes again.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

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
}

// Sink takes deliveries; it may block. ingest.Pipeline.Offer is one.
type Sink func(context.Context, ingest.Delivery) error

// Source is the connection to the broker.
type Source struct {
	o          Options
	sink       Sink
	client     paho.Client
	subscribed chan struct{}
	once       sync.Once
	connected  atomic.Bool
	reconnects atomic.Int64
	failed     chan error
	ctx        context.Context
}

// New returns a source that connects when it is Run.
func New(o Options, sink Sink) *Source {
	return &Source{o: o, sink: sink, subscribed: make(chan struct{}), failed: make(chan error, 1)}
}

// Subscribed is closed once the broker has confirmed the durable subscriptions:
// from then on no message is lost while the source is away.
func (s *Source) Subscribed() <-chan struct{} { return s.subscribed }

// Connected reports whether the broker is connected and subscribed.
func (s *Source) Connected() bool { return s.connected.Load() }

// Reconnects counts the connections after the first.
func (s *Source) Reconnects() int64 { return s.reconnects.Load() }

// ErrRefused says that the broker will not let ingest subscribe.
var ErrRefused = errors.New("the broker refuses the subscription")

// Run takes messages until the context ends, reconnecting as often as needed. It
// returns the context's error, or ErrRefused.
func (s *Source) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctx = ctx
	options := paho.NewClientOptions().
		AddBroker(s.o.URL).
		SetClientID(s.o.ClientID).
		SetUsername(s.o.Username).
		SetPassword(s.o.Password).
		SetCleanSession(false).
		SetAutoAckDisabled(true).
		SetOrderMatters(true).
		SetConnectRetry(true).
		SetConnectRetryInterval(time.Second).
		SetAutoReconnect(true).
		SetMaxReconnectInterval(15 * time.Second).
		SetKeepAlive(30 * time.Second).
		SetPingTimeout(20 * time.Second).
		SetConnectTimeout(10 * time.Second).
		SetMessageChannelDepth(0).
		SetDefaultPublishHandler(s.take).
		SetOnConnectHandler(s.subscribe).
		SetConnectionLostHandler(s.lost)
	if s.o.TLS != nil {
		options.SetTLSConfig(s.o.TLS)
	}
	s.logWindow()
	s.client = paho.NewClient(options)
	token := s.client.Connect()
	select {
	case <-ctx.Done():
	case err := <-s.failed:
		s.client.Disconnect(0)
		return err
	case <-token.Done():
		if err := token.Error(); err != nil {
			return fmt.Errorf("connect to broker: %w", err)
		}
		select {
		case <-ctx.Done():
		case err := <-s.failed:
			s.client.Disconnect(0)
			return err
		}
	}
	s.connected.Store(false)
	s.client.Disconnect(250)
	return ctx.Err()
}

func (s *Source) logWindow() {
	if s.o.Window > 0 {
		s.o.Logger.Info("broker's in-flight window", "messages", s.o.Window)
		return
	}
	s.o.Logger.Info("broker's in-flight window is not known; throughput is at most the window over the time of one append (Mosquitto: max_inflight_messages, 20 by default, 0 for no limit)")
}

// take hands a message to the sink. It is called in order, and its waiting makes
// the broker wait.
func (s *Source) take(_ paho.Client, m paho.Message) {
	err := s.sink(s.ctx, ingest.Delivery{
		Message: ingest.Message{Topic: m.Topic(), Payload: m.Payload(), Received: s.o.Now().UTC().Truncate(time.Microsecond)},
		Ack:     m.Ack,
	})
	if err != nil && s.ctx.Err() == nil {
		s.o.Logger.Error("a message was not taken and will come again", "error", err)
	}
}

func (s *Source) subscribe(c paho.Client) {
	filters := make(map[string]byte, len(Filters))
	for _, f := range Filters {
		filters[f] = 1
	}
	token := c.SubscribeMultiple(filters, nil)
	go func() {
		select {
		case <-token.Done():
		case <-s.ctx.Done():
			return
		}
		if err := token.Error(); err != nil {
			s.o.Logger.Warn("subscription not confirmed; it is tried again with the next connection", "error", err)
			return
		}
		for filter, code := range token.(*paho.SubscribeToken).Result() {
			if code > 1 {
				select {
				case s.failed <- fmt.Errorf("subscribe to %s: %w", filter, ErrRefused):
				default:
				}
				return
			}
		}
		s.connected.Store(true)
		first := false
		s.once.Do(func() { first = true; close(s.subscribed) })
		if !first {
			s.reconnects.Add(1)
		}
		s.o.Logger.Info("subscribed at the broker", "filters", Filters)
	}()
}

func (s *Source) lost(_ paho.Client, err error) {
	s.connected.Store(false)
	if s.ctx.Err() == nil {
		s.o.Logger.Warn("broker connection lost; reconnecting", "error", err)
	}
}
