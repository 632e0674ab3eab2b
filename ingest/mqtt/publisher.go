package mqtt

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Publisher publishes to the broker what the server says on MQTT. Its session is not
// kept: what was not acknowledged is the caller's to send again. Run belongs to one
// goroutine, Publish to any.
type Publisher struct {
	o      Options
	client atomic.Pointer[paho.Client]
}

// NewPublisher returns a publisher that connects when it is Run. Of the options it
// needs those of the connection, with a client id of its own.
func NewPublisher(o Options) *Publisher { return &Publisher{o: o} }

// ErrNotConnected says that there is no connection to the broker at the moment.
var ErrNotConnected = errors.New("the broker is not connected")

// Run keeps a connection until the context ends, whose error it returns. That the broker
// is away is for OnTrouble, or else the Source, to tell.
func (p *Publisher) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		began := p.o.Now()
		err := p.connection(ctx)
		if err == nil && p.o.Now().Sub(began) >= settled {
			retry = firstRetry
		}
		if err != nil && ctx.Err() == nil && p.o.OnTrouble != nil {
			p.o.OnTrouble(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// connection connects and waits until the connection is lost or the context ends. The
// error is that of connecting.
func (p *Publisher) connection(ctx context.Context) error {
	lost := make(chan error, 1)
	o := paho.NewClientOptions().
		AddBroker(p.o.URL).
		SetClientID(p.o.ClientID).
		SetUsername(p.o.Username).
		SetPassword(p.o.Password).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetStore(noStore{}).
		SetConnectRetry(false).
		SetAutoReconnect(false).
		SetKeepAlive(30 * time.Second).
		SetPingTimeout(20 * time.Second).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(connectTimeout).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	if p.o.TLS != nil {
		o.SetTLSConfig(p.o.TLS)
	}
	if w := p.o.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, 1, true)
	}
	client := paho.NewClient(o)
	defer client.Disconnect(farewell)
	if err := answered(ctx, client.Connect(), lost); err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	if g := p.o.Greeting; g != nil {
		if err := answered(ctx, client.Publish(g.Topic, 1, true, g.Payload), lost); err != nil {
			return fmt.Errorf("greet: %w", err)
		}
	}
	p.client.Store(&client)
	defer p.client.Store(nil)
	select {
	case <-ctx.Done():
	case err := <-lost:
		p.o.Logger.Debug("the connection for publishing is lost", "error", err)
	}
	return nil
}

// Connected reports whether there is a connection, and the greeting acknowledged, at the
// moment.
func (p *Publisher) Connected() bool { return p.client.Load() != nil }

// Publish publishes a message that is not retained. With QoS 1 it returns once the
// broker has acknowledged it, with QoS 0 once it is on its way.
func (p *Publisher) Publish(ctx context.Context, topic string, qos byte, payload []byte) error {
	return p.publish(ctx, topic, qos, false, payload)
}

// Retain publishes a message with QoS 1 that the broker keeps for whoever subscribes
// later; an empty one clears what it has.
func (p *Publisher) Retain(ctx context.Context, topic string, payload []byte) error {
	return p.publish(ctx, topic, 1, true, payload)
}

func (p *Publisher) publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	client := p.client.Load()
	if client == nil {
		return ErrNotConnected
	}
	token := (*client).Publish(topic, qos, retained, payload)
	select {
	case <-token.Done():
		if err := token.Error(); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("publish: %w", ctx.Err())
	}
}
