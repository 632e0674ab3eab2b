package ingest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
)

// ticks runs Tick for a while of the bubble's clock, against a log that answers
// with the errors given, one for each append, and returns the ticks by the second
// of the bubble at which they came.
func ticks(t *testing.T, d time.Duration, answer func(ctx context.Context, n int) error) (minutes []string, at []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	start := time.Now()
	log := fakeLog(func(ctx context.Context, events []journal.Event) ([]journal.Ack, error) {
		e := events[0]
		if len(events) != 1 || e.Kind != journal.KindTick || !e.Received.Equal(time.Now()) {
			t.Errorf("appended %+v", events)
		}
		minutes = append(minutes, e.Minute.Format("15:04:05"))
		at = append(at, time.Since(start))
		return nil, answer(ctx, len(at))
	})
	if err := Tick(ctx, log, time.Now, slog.New(slog.DiscardHandler)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Tick ended with %v", err)
	}
	return minutes, at
}

func fine(context.Context, int) error { return nil }

func TestATickComesAtOnceAndThenWithEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pass(20 * time.Second) // the bubble begins at midnight
		minutes, at := ticks(t, 2*time.Minute, fine)
		if diff := cmp.Diff([]string{"00:00:00", "00:01:00", "00:02:00"}, minutes); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]time.Duration{0, 40 * time.Second, 100 * time.Second}, at); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDowntimeIsCaughtUpWithOneTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks(t, 30*time.Second, fine)
		pass(3 * time.Hour)
		minutes, _ := ticks(t, 59*time.Second, fine)
		if diff := cmp.Diff([]string{"03:00:00", "03:01:00"}, minutes); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTicksGoOnWhenTheLogFailsOrDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		minutes, _ := ticks(t, 4*time.Minute+time.Second, func(ctx context.Context, n int) error {
			switch n {
			case 1:
				return errors.New("disk full")
			case 2:
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		if diff := cmp.Diff([]string{"00:00:00", "00:01:00", "00:02:00", "00:03:00", "00:04:00"}, minutes); diff != "" {
			t.Error(diff)
		}
	})
}
