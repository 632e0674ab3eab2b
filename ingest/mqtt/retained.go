package mqtt

import (
	"context"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// quiet is how long no retained message has to come for there to be no more: the
// protocol does not say when the last one was sent.
const quiet = time.Second

// ClearRetained takes back the messages that the broker keeps under a filter and that
// doomed names, by retaining an empty one in the place of each, and returns how many
// they were. Of the options it needs those of the connection, with a client id of its
// own. Whoever is subscribed receives the empty messages too.
func ClearRetained(ctx context.Context, o Options, filter string, doomed func(topic string, payload []byte) bool) (int, error) {
	lost := make(chan error, 1)
	came := make(chan paho.Message, 64)
	done := make(chan struct{})
	defer close(done)
	options := paho.NewClientOptions().
		AddBroker(o.URL).
		SetClientID(o.ClientID).
		SetUsername(o.Username).
		SetPassword(o.Password).
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetStore(noStore{}).
		SetConnectRetry(false).
		SetAutoReconnect(false).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(connectTimeout).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			select {
			case came <- m:
			case <-done:
			}
		}).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	if o.TLS != nil {
		options.SetTLSConfig(o.TLS)
	}
	client := paho.NewClient(options)
	defer client.Disconnect(farewell)
	if err := answered(ctx, client.Connect(), lost); err != nil {
		return 0, fmt.Errorf("connect to the broker: %w", err)
	}
	if err := answered(ctx, client.Subscribe(filter, 0, nil), lost); err != nil {
		return 0, fmt.Errorf("subscribe to what is retained: %w", err)
	}
	topics := map[string]bool{}
	silence := time.NewTimer(quiet)
	defer silence.Stop()
	for waiting := true; waiting; {
		select {
		case m := <-came:
			if m.Retained() {
				silence.Reset(quiet)
				if len(m.Payload()) > 0 && doomed(m.Topic(), m.Payload()) {
					topics[m.Topic()] = true
				}
			}
		case <-silence.C:
			waiting = false
		case err := <-lost:
			return 0, fmt.Errorf("read what is retained: %w", err)
		case <-ctx.Done():
			return 0, fmt.Errorf("read what is retained: %w", ctx.Err())
		}
	}
	if err := answered(ctx, client.Unsubscribe(filter), lost); err != nil {
		return 0, fmt.Errorf("unsubscribe: %w", err)
	}
	n := 0
	for topic := range topics {
		if err := answered(ctx, client.Publish(topic, 1, true, []byte{}), lost); err != nil {
			return n, fmt.Errorf("clear what is retained: %w", err)
		}
		n++
	}
	return n, nil
}
