package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// AssignmentAt returns the device's assignment at the given time; one without an
// athlete says that nobody is known to be on the bar then.
func (v *View) AssignmentAt(ctx context.Context, site lift.SiteID, device lift.DeviceID, at time.Time) (lift.Assignment, error) {
	found, err := collect(ctx, v.read, scanJSON[lift.Assignment],
		"SELECT data FROM assignments WHERE site = ? AND device = ? AND since_us <= ? ORDER BY since_us DESC LIMIT 1", string(site), string(device), at.UnixMicro())
	if err != nil {
		return lift.Assignment{}, fmt.Errorf("read assignment: %w", err)
	}
	if len(found) == 0 {
		return lift.Assignment{}, nil
	}
	return found[0], nil
}

// CheckIn returns one check-in in the revision that counts, or ErrNotFound.
func (v *View) CheckIn(ctx context.Context, id string) (lift.CheckInRecord, error) {
	c, err := scanCheckIn(v.read.QueryRowContext(ctx, "SELECT id, site, athlete, received_us, data FROM checkins WHERE id = ?", id))
	return c, wrapNil("read check-in", err)
}

// Told reports whether a rep found in samples is in the view already, or one that
// its device has told itself and that wins over it.
func (v *View) Told(ctx context.Context, site lift.SiteID, device lift.DeviceID, found *lift.Rep) (bool, error) {
	var told bool
	id := idBytes(lift.RepID(site, device, found.BootID, found.Seq))
	err := v.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM reps WHERE id = ?6) OR "+toldQuery,
		string(site), string(device), found.Time.UnixMicro(), toldWithin.Microseconds(), lift.MaxConcentric*1e6, id).Scan(&told)
	if err != nil {
		return false, fmt.Errorf("read whether a rep is known: %w", err)
	}
	return told, nil
}

// RangesOfMotion returns those of an athlete's newest valid reps of an exercise in
// the half year before the given time, in m: of reps that have one and have not
// failed, at most limit.
func (v *View) RangesOfMotion(ctx context.Context, athlete lift.AthleteID, exercise lift.ExerciseID, before time.Time, limit int) ([]float64, error) {
	all, err := collect(ctx, v.read, func(s scanner) (rom float64, err error) { return rom, s.Scan(&rom) },
		"SELECT rom FROM reps WHERE athlete = ? AND point_ms >= ? AND point_ms < ? AND exercise = ? AND rom IS NOT NULL AND flags & ? = 0 ORDER BY point_ms DESC LIMIT ?",
		string(athlete), before.AddDate(0, -6, 0).UnixMilli(), before.UnixMilli(), string(exercise), flagFailed|flagInvalid, limit)
	if err != nil {
		return nil, fmt.Errorf("read ranges of motion: %w", err)
	}
	return all, nil
}

// LastSite returns where an athlete was last seen, "" for one never seen.
func (v *View) LastSite(ctx context.Context, athlete lift.AthleteID) (lift.SiteID, error) {
	var site lift.SiteID
	err := v.read.QueryRowContext(ctx, "SELECT site FROM athletes WHERE athlete = ?", string(athlete)).Scan(&site)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read where an athlete was seen: %w", err)
	}
	return site, nil
}
