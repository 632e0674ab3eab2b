package ingest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
)

// appendFunc is a log that takes everything.
type appendFunc func([]journal.Event)

func (f appendFunc) Append(_ context.Context, events ...journal.Event) ([]journal.Ack, error) {
	f(events)
	return make([]journal.Ack, len(events)), nil
}

const chunk = `{"boot_id":"b1","chunk":1,"time":"2026-11-22T12:00:00Z","rate_hz":100,"velocity_mps":[0.1]}`

func TestAFullDiskStopsAcknowledgingAndANearlyFullOneDropsSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		used := 0.96
		var stored []journal.Kind
		p := NewPipeline(Options{
			Log:    appendFunc(func(events []journal.Event) { stored = append(stored, events[0].Kind) }),
			Logger: slog.New(slog.DiscardHandler), Now: time.Now, DiskUsed: func() float64 { return used },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		acked := 0
		offer := func(what, payload string) {
			m := Message{Topic: "spotter/v1/main/device/bar-1/" + what, Payload: []byte(payload), Received: time.Now().AddDate(30, 0, 0)}
			if err := p.Offer(ctx, Delivery{Message: m, Ack: func() { acked++ }}); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		offer("rep", `{"boot_id":"b1","seq":1,"time":"2026-11-22T12:00:00Z","mean_velocity_mps":0.5}`)
		<-time.After(time.Minute)
		synctest.Wait()
		if acked != 0 || len(stored) != 0 {
			t.Fatalf("a full disk: %d acknowledged, %d stored", acked, len(stored))
		}
		used = 0.92
		<-time.After(time.Second)
		synctest.Wait()
		if acked != 1 || len(stored) != 1 {
			t.Fatalf("room again: %d acknowledged, %d stored", acked, len(stored))
		}
		offer("samples", chunk)
		if acked != 2 || len(stored) != 1 || p.Stats.RefusedSamples.Load() != 1 {
			t.Fatalf("nearly full: %d acknowledged, %v stored, %d refused", acked, stored, p.Stats.RefusedSamples.Load())
		}
		used = 0.5
		offer("samples", chunk)
		if acked != 3 || len(stored) != 2 {
			t.Fatalf("room for samples: %d acknowledged, %v stored", acked, stored)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the pipeline ended with %v", err)
		}
	})
}
