package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
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
		var percent, stored, acked atomic.Int64
		percent.Store(96)
		p := NewPipeline(Options{
			Log:    appendFunc(func(events []journal.Event) { stored.Add(int64(len(events))) }),
			Logger: slog.New(slog.DiscardHandler), Now: time.Now, DiskUsed: func() float64 { return float64(percent.Load()) / 100 },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		offer := func(what, payload string) {
			m := Message{Topic: "spotter/v1/main/device/bar-1/" + what, Payload: []byte(payload), Received: time.Now().AddDate(30, 0, 0)}
			if err := p.Offer(ctx, Delivery{Message: m, Ack: func() { acked.Add(1) }}); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		offer("rep", `{"boot_id":"b1","seq":1,"time":"2026-11-22T12:00:00Z","mean_velocity_mps":0.5}`)
		<-time.After(time.Minute)
		synctest.Wait()
		if acked.Load() != 0 || stored.Load() != 0 {
			t.Fatalf("a full disk: %d acknowledged, %d stored", acked.Load(), stored.Load())
		}
		percent.Store(92)
		<-time.After(time.Second)
		synctest.Wait()
		if acked.Load() != 1 || stored.Load() != 1 {
			t.Fatalf("room again: %d acknowledged, %d stored", acked.Load(), stored.Load())
		}
		offer("samples", chunk)
		if acked.Load() != 2 || stored.Load() != 1 || p.Stats.RefusedSamples.Load() != 1 {
			t.Fatalf("nearly full: %d acknowledged, %d stored, %d refused", acked.Load(), stored.Load(), p.Stats.RefusedSamples.Load())
		}
		percent.Store(50)
		offer("samples", chunk)
		if acked.Load() != 3 || stored.Load() != 2 {
			t.Fatalf("room for samples: %d acknowledged, %d stored", acked.Load(), stored.Load())
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the pipeline ended with %v", err)
		}
	})
}
