package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Probed is what Probe has found.
type Probed struct {
	Version string // of the server
	// Replicas of the stream of events, 0 where it has not been created yet.
	Replicas int
	Events   uint64
}

// Probe asks an external NATS server whether it can hold a log, and changes nothing.
func Probe(ctx context.Context, url string) (Probed, error) {
	conn, err := nats.Connect(url, nats.Name("spotter check"), nats.Timeout(10*time.Second), nats.MaxReconnects(0))
	if err != nil {
		return Probed{}, fmt.Errorf("connect to nats: %w", err)
	}
	defer conn.Close()
	found := Probed{Version: conn.ConnectedServerVersion()}
	js, err := jetstream.New(conn)
	if err != nil {
		return found, fmt.Errorf("open jetstream: %w", err)
	}
	if _, err := js.AccountInfo(ctx); err != nil {
		return found, fmt.Errorf("ask jetstream: %w", err)
	}
	stream, err := js.Stream(ctx, eventStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return found, nil
	}
	if err != nil {
		return found, fmt.Errorf("read stream of events: %w", err)
	}
	info := stream.CachedInfo()
	found.Replicas, found.Events = info.Config.Replicas, info.State.Msgs
	return found, nil
}
