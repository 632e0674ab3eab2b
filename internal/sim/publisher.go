package sim

import (
	"context"
	"crypto/tls"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	connectEvery  = 2 * time.Second
	reconnectMost = 30 * time.Second
	// patience is how long an acknowledgement may take before a message is sent
	// again. Receivers know a message that comes twice by its identity.
	patience = 30 * time.Second
	// inFlight is how many messages may wait for their acknowledgement at once.
	inFlight = 200
)

// publisher is one MQTT client. It publishes each message until the broker has
// acknowledged it, across lost connections.
type publisher struct {
	client mqtt.Client

	mu   sync.Mutex
	link *link
	// birth is published whenever the client is connected; nil for none.
	birth *Message
}

// link is one connection, from the attempt on.
type link struct {
	up   chan struct{} // closed when connected
	once sync.Once     // closes up
	lost chan struct{} // closed when the next attempt begins
}

func newLink() *link { return &link{up: make(chan struct{}), lost: make(chan struct{})} }

// identity is what a publisher connects as.
type identity struct {
	broker, clientID, username, password string
	birth, will                          *Message
}

// connect begins to connect and returns at once; publishing waits for it.
func connect(id identity, log *slog.Logger) (*publisher, error) {
	u, err := url.Parse(id.broker)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("broker: %q is not a URL such as tcp://127.0.0.1:1883", id.broker)
	}
	log = log.With("client", id.clientID)
	p := &publisher{link: newLink(), birth: id.birth}
	o := mqtt.NewClientOptions().AddBroker(id.broker).SetClientID(id.clientID).
		SetUsername(id.username).SetPassword(id.password).
		SetProtocolVersion(4).SetCleanSession(true).SetStore(noStore{}).
		SetConnectRetry(true).SetConnectRetryInterval(connectEvery).
		SetAutoReconnect(true).SetMaxReconnectInterval(reconnectMost).
		SetConnectTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second).SetKeepAlive(15 * time.Second).
		SetConnectionAttemptHandler(func(_ *url.URL, c *tls.Config) *tls.Config {
			p.mu.Lock()
			defer p.mu.Unlock()
			close(p.link.lost)
			p.link = newLink()
			return c
		}).
		SetOnConnectHandler(func(c mqtt.Client) {
			p.mu.Lock()
			l, birth := p.link, p.birth
			p.mu.Unlock()
			if birth != nil {
				c.Publish(birth.Topic, birth.QoS, birth.Retain, birth.Payload)
			}
			l.once.Do(func() { close(l.up) })
		}).
		SetConnectionNotificationHandler(func(_ mqtt.Client, n mqtt.ConnectionNotification) {
			switch n := n.(type) {
			case mqtt.ConnectionNotificationFailed:
				log.Warn("connecting to the broker did not work, will try again", "error", n.Reason)
			case mqtt.ConnectionNotificationLost:
				log.Warn("connection to the broker is lost, will connect again", "error", n.Reason)
			}
		})
	if id.will != nil {
		o.SetBinaryWill(id.will.Topic, id.will.Payload, id.will.QoS, id.will.Retain)
	}
	p.client = mqtt.NewClient(o)
	p.client.Connect()
	return p, nil
}

// rebirth replaces the message of future connections and publishes it.
func (p *publisher) rebirth(ctx context.Context, m Message) error {
	p.mu.Lock()
	p.birth = &m
	p.mu.Unlock()
	return p.publish(ctx, m)
}

// flight is a message on its way.
type flight struct {
	message Message
	token   mqtt.Token
	link    *link
}

// send hands the message to the broker once it is connected.
func (p *publisher) send(ctx context.Context, m Message) (flight, error) {
	p.mu.Lock()
	l := p.link
	p.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return flight{}, ctx.Err()
		case <-l.lost:
			p.mu.Lock()
			l = p.link
			p.mu.Unlock()
			continue
		case <-l.up:
		}
		return flight{m, p.client.Publish(m.Topic, m.QoS, m.Retain, m.Payload), l}, nil
	}
}

// acknowledged waits for the answer to the flight, and reports false where the
// message must be sent again.
func (f flight) acknowledged(ctx context.Context) (bool, error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-f.token.Done():
		if f.token.Error() == nil {
			return true, nil
		}
		// paho knows of the loss before it attempts to connect again.
		t.Reset(connectEvery)
		select {
		case <-f.link.lost:
		case <-t.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		return false, nil
	case <-f.link.lost:
		return false, nil
	case <-t.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// publish returns when the broker has the message. What is sent with QoS 0 is
// tried until it is written once.
func (p *publisher) publish(ctx context.Context, m Message) error {
	for {
		f, err := p.send(ctx, m)
		if err != nil {
			return err
		}
		if done, err := f.acknowledged(ctx); done || err != nil {
			return err
		}
	}
}

// publishAll publishes the messages in order, several in flight at once, and tells
// of each one, in order, when it is acknowledged.
func (p *publisher) publishAll(ctx context.Context, messages iter.Seq[Message], acked func(Message)) error {
	var flights []flight
	land := func() error {
		f := flights[0]
		flights = flights[1:]
		done, err := f.acknowledged(ctx)
		if err == nil && !done {
			err = p.publish(ctx, f.message)
		}
		if err == nil {
			acked(f.message)
		}
		return err
	}
	for m := range messages {
		f, err := p.send(ctx, m)
		if err != nil {
			return err
		}
		if flights = append(flights, f); len(flights) >= inFlight {
			if err := land(); err != nil {
				return err
			}
		}
	}
	for len(flights) > 0 {
		if err := land(); err != nil {
			return err
		}
	}
	return nil
}

// close says farewell, if there is something to say, and disconnects, within two seconds.
func (p *publisher) close(farewell *Message) {
	if farewell != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		// A farewell that does not arrive is what the last will is for.
		_ = p.publish(ctx, *farewell)
	}
	p.client.Disconnect(100)
}

// noStore keeps nothing. With a store, paho completes the tokens of unanswered
// messages when it sends them again after a reconnect, as if they had been
// acknowledged; here the publisher itself sends again what has no answer.
type noStore struct{}

var _ mqtt.Store = noStore{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
