package mqtt

import (
	"context"
	"errors"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Heard is a message that a Watch has heard. QoS is the lesser of what it was published
// and subscribed with, which is 1; Retained says that the broker had kept it.
type Heard struct {
	Topic    string
	Payload  []byte
	QoS      byte
	Retained bool
	Received time.Time
}

// Watch hands everything under a filter to take, in order, until the context ends, whose
// error it returns, or the connection. ready is called once the broker has confirmed the
// subscription. Of the options it needs those of the connection, with a client id of its
// own; its session is not kept.
func Watch(ctx context.Context, o Options, filter string, ready func(), take func(Heard)) error {
	lost := make(chan error, 1)
	client := paho.NewClient(New(o, nil).clientOptions(ctx, lost).SetCleanSession(true).SetAutoAckDisabled(false).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			take(Heard{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retained: m.Retained(), Received: o.Now().UTC().Truncate(time.Microsecond)})
		}))
	defer client.Disconnect(farewell)
	if err := answered(ctx, client.Connect(), lost); err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	token := client.Subscribe(filter, 1, nil)
	if err := answered(ctx, token, lost); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if qos := token.(*paho.SubscribeToken).Result()[filter]; qos != 1 {
		return fmt.Errorf("subscribe to %s: %w (answer %#x where QoS 1 is needed)", filter, ErrRefused, qos)
	}
	ready()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-lost:
		return fmt.Errorf("connection lost: %w", err)
	}
}

// Kept returns what the broker has retained under a filter. Of the options it needs those
// of the connection, with a client id of its own.
func Kept(ctx context.Context, o Options, filter string) ([]Heard, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	came := make(chan Heard, 64)
	subscribed := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- Watch(ctx, o, filter, func() { close(subscribed) }, func(h Heard) {
			select {
			case came <- h:
			case <-ctx.Done():
			}
		})
	}()
	var kept []Heard
	silence := time.NewTimer(connectTimeout)
	defer silence.Stop()
	for {
		select {
		case <-subscribed:
			subscribed = nil
			silence.Reset(quiet)
		case h := <-came:
			if h.Retained {
				kept = append(kept, h)
				silence.Reset(quiet)
			}
		case <-silence.C:
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				return nil, fmt.Errorf("read what is retained: %w", err)
			}
			return kept, nil
		case err := <-ended:
			return nil, fmt.Errorf("read what is retained: %w", err)
		}
	}
}
