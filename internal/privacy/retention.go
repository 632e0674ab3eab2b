package privacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	day = 24 * time.Hour
	// LeastHistory is for how long reps and check-ins have to be kept: what the rules
	// look back on, and two weeks of room.
	LeastHistory = 10 * 7 * day
	// trimPatience is how long one store may take to let go of what is old.
	trimPatience = 10 * time.Minute
)

// Keep says for how long each kind of data is kept; 0 is for ever.
type Keep struct {
	Reps       time.Duration // and logged sets, with their corrections, and what InfluxDB derives from them
	CheckIns   time.Duration
	Quarantine time.Duration
	Audit      time.Duration
}

// ParseKeep reads a time such as 90d, 26w, 2y or forever, which is 0.
func ParseKeep(text string) (time.Duration, error) {
	if text == "forever" {
		return 0, nil
	}
	units := map[string]time.Duration{"d": day, "w": 7 * day, "y": 365 * day}
	if n := len(text); n >= 2 {
		count, err := strconv.Atoi(text[:n-1])
		if unit, ok := units[text[n-1:]]; ok && err == nil && count > 0 && count <= 36_500 {
			if d := time.Duration(count) * unit; d <= 100*365*day {
				return d, nil
			}
		}
	}
	return 0, fmt.Errorf("%.40q is neither forever nor a number of days, weeks or years, such as 90d, 26w or 2y, up to 100y", text)
}

// Retention lets go of what is older than it is to be kept, once a day. Run belongs
// to one goroutine.
type Retention struct {
	Keep Keep
	Log  interface {
		LastSeq() uint64
		Trim(ctx context.Context, before time.Time, kinds ...journal.Kind) error
	}
	View *view.View
	// Influx lets go of a measurement's points; nil where there is no InfluxDB.
	Influx func(ctx context.Context, measurement string, before time.Time) error
	Logger *slog.Logger
	Now    func() time.Time
}

// Run lets go of what is too old now and once a day, until the context ends, and
// returns its error. What a store cannot do today is done tomorrow.
func (r *Retention) Run(ctx context.Context) error {
	if err := r.View.WaitFor(ctx, r.Log.LastSeq()); err != nil {
		return err
	}
	for {
		if err := r.trim(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Error("what is too old to be kept is not all gone; trying again tomorrow", "error", err)
		}
		again := time.NewTimer(day)
		select {
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		case <-again.C:
		}
	}
}

// trim goes through every kind of data, and on where one fails.
func (r *Retention) trim(ctx context.Context) error {
	var errs []error
	for _, k := range []struct {
		keep         time.Duration
		old          view.Old
		kinds        []journal.Kind
		measurements []string
	}{
		{r.Keep.Reps, view.OldReps, []journal.Kind{journal.KindRep, journal.KindEdit}, []string{"rep", "set", "week"}},
		{r.Keep.Reps, view.OldLogged, []journal.Kind{journal.KindSetLogged}, nil},
		{r.Keep.CheckIns, view.OldCheckIns, []journal.Kind{journal.KindCheckIn}, []string{"checkin"}},
		{r.Keep.Quarantine, view.OldQuarantine, []journal.Kind{journal.KindQuarantined, journal.KindReleased}, nil},
		{r.Keep.Audit, view.OldAudit, []journal.Kind{journal.KindRead}, nil},
	} {
		if k.keep == 0 {
			continue
		}
		before := r.Now().Add(-k.keep)
		// The log first: what is gone there does not come back with a rebuild.
		if err := r.Log.Trim(ctx, before, k.kinds...); err != nil {
			errs = append(errs, err)
			continue
		}
		n, err := r.View.Trim(ctx, k.old, before)
		errs = append(errs, err)
		if n > 0 {
			r.Logger.Info("let go of what is too old to be kept", "what", k.old, "rows", n)
		}
		for _, m := range k.measurements {
			if r.Influx != nil {
				errs = append(errs, r.influx(ctx, m, before))
			}
		}
	}
	return errors.Join(errs...)
}

func (r *Retention) influx(ctx context.Context, measurement string, before time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, trimPatience)
	defer cancel()
	return r.Influx(ctx, measurement, before)
}
