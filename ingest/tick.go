package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
)

// Tick appends one event per UTC minute until the context ends: time enters the
// log as everything else does, so that a replay sees the same. The first tick is
// for the minute that is running, which catches up on whatever was missed. Several
// nodes may tick: the log keeps the first of each minute.
func Tick(ctx context.Context, log Log, now func() time.Time, logger *slog.Logger) error {
	for {
		received := now().UTC()
		minute := received.Truncate(time.Minute)
		// A minute that the log does not answer for is given up: the next says more.
		attempt, cancel := context.WithTimeout(ctx, time.Minute)
		_, err := log.Append(attempt, journal.Event{Kind: journal.KindTick, Received: received, Minute: minute})
		cancel()
		if err != nil && ctx.Err() == nil {
			logger.Error("a minute could not be noted in the log", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(minute.Add(time.Minute).Sub(now())):
		}
	}
}
