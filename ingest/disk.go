package ingest

import (
	"context"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
)

// Shares of the log's disk in use from which on less is taken. Nothing that was
// acknowledged is ever deleted to make room.
const (
	DiskNearlyFull = 0.90 // bar velocity is not stored any more
	DiskFull       = 0.95 // nothing is stored, nor acknowledged
)

// room waits until the disk has room for events, and leaves out what is not worth
// the last of it.
func (p *Pipeline) room(ctx context.Context, events []journal.Event) ([]journal.Event, error) {
	for p.o.DiskUsed() >= DiskFull {
		if !p.full.Swap(true) {
			p.o.Logger.Error("the disk is full: nothing is acknowledged until there is room", "used", p.o.DiskUsed())
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(p.o.Retry):
		}
	}
	if p.full.Swap(false) {
		p.o.Logger.Info("the disk has room again")
	}
	if p.o.DiskUsed() < DiskNearlyFull {
		return events, nil
	}
	kept := events[:0]
	for _, e := range events {
		if e.Kind == journal.KindSamples {
			p.Stats.RefusedSamples.Add(1)
			continue
		}
		kept = append(kept, e)
	}
	return kept, nil
}
