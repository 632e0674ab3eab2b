package view

import (
	"context"
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
