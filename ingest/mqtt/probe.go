package mqtt

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// ProbeMost is the largest window that Probe can tell.
const ProbeMost = 200

// silence is after how long without a message the broker is taken to wait.
const silence = 500 * time.Millisecond

// Probe connects as a client of its own that is forgotten afterwards, and measures how
// many messages the broker has under way before it waits for acknowledgements: at most
// ProbeMost, and 0 where the broker does not let it publish to itself. The error says
// that it cannot connect or subscribe.
func Probe(ctx context.Context, o Options) (window int, err error) {
	var got atomic.Int64
	lost := make(chan error, 1)
	s := New(o, nil)
	options := s.clientOptions(ctx, lost).SetCleanSession(true).
		SetDefaultPublishHandler(func(paho.Client, paho.Message) { got.Add(1) }) // and is not acknowledged
	client := paho.NewClient(options)
	defer client.Disconnect(farewell)
	if err := answered(ctx, client.Connect(), lost); err != nil {
		return 0, fmt.Errorf("connect to the broker: %w", err)
	}
	topic := "spotter/check/" + o.ClientID
	token := client.Subscribe(topic, 1, nil)
	if err := answered(ctx, token, lost); err != nil {
		return 0, fmt.Errorf("subscribe: %w", err)
	}
	if granted := token.(*paho.SubscribeToken).Result()[topic]; granted != 1 {
		return 0, nil
	}
	for range ProbeMost {
		if err := answered(ctx, client.Publish(topic, 1, false, "probe"), lost); err != nil {
			return 0, fmt.Errorf("publish: %w", err)
		}
	}
	for seen := int64(-1); ; {
		now := got.Load()
		if now == seen || now >= ProbeMost {
			return int(now), nil
		}
		seen = now
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(silence):
		}
	}
}
