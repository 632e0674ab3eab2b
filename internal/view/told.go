package view

import (
	"context"
	"database/sql"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// A rep that was found in samples does not count where their device has told a rep
// itself whose concentric phase lies about the found one's end: from toldWithin
// before its begin (its end, where its length is not given) to toldWithin after its
// end. Whatever came first, the device is believed; a coach's word stands above it.
const toldWithin = 1500 * time.Millisecond

// toldQuery takes site, device, the found rep's time, toldWithin and the longest
// concentric phase, in microseconds.
const toldQuery = "EXISTS (SELECT 1 FROM reps WHERE site = ?1 AND device = ?2 AND time_us >= ?3 - ?4 AND time_us <= ?3 + ?4 + ?5 " +
	"AND time_us - coalesce(concentric, 0) * 1e6 <= ?3 + ?4 AND source = 'device')"

// span is when a found rep would have to end to be the one that the device tells.
func span(r *lift.Rep) (from, to time.Time) {
	from = r.Time.Add(-toldWithin)
	if r.Concentric != nil {
		from = from.Add(-time.Duration(*r.Concentric * float64(time.Second)))
	}
	return from, r.Time.Add(toldWithin)
}

// told reports whether the device of a found rep has told it too.
func (a *applier) told(site lift.SiteID, device lift.DeviceID, r *lift.Rep) (bool, error) {
	if r.Source != lift.SourceSegmented {
		return false, nil
	}
	var told bool
	err := a.stmt(a.stmts.told).QueryRowContext(a.ctx, string(site), string(device), r.Time.UnixMicro(), toldWithin.Microseconds(), lift.MaxConcentric*1e6).Scan(&told)
	return told, err
}

// tell resolves anew what the arrival of a rep, or its leaving of a place, may change:
// a device's own rep the ones found about it.
func (a *applier) tell(e *journal.Entry, r *row) error {
	k := deviceKey{r.Site, r.Device}
	if r.Source == lift.SourceSegmented {
		if a.segmented[k] {
			return nil
		}
		a.segmented[k] = true
		_, err := a.exec(a.stmts.putSegmented, string(k.site), string(k.device))
		return err
	}
	if r.Source != lift.SourceDevice || !a.segmented[k] {
		return nil
	}
	from, to := span(&r.Rep)
	found, err := a.rows(a.stmts.found, string(k.site), string(k.device), from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return err
	}
	for _, known := range found {
		raw, patch, err := a.words(known)
		if err != nil {
			return err
		}
		told, err := a.told(known.Site, known.Device, &raw)
		if err != nil {
			return err
		}
		if patch != nil && patch.Valid != nil || told == !known.Valid {
			continue
		}
		next := &row{RepRecord: known.RepRecord, hash: known.hash}
		if err := a.reresolve(e, known, next, raw, patch); err != nil {
			return err
		}
	}
	return nil
}

// segmentedDevices reads in whose samples reps were found.
func segmentedDevices(ctx context.Context, db *sql.DB) (map[deviceKey]bool, error) {
	found, err := collect(ctx, db, func(s scanner) (k deviceKey, err error) {
		return k, s.Scan(&k.site, &k.device)
	}, "SELECT site, device FROM segmented")
	all := make(map[deviceKey]bool, len(found))
	for _, k := range found {
		all[k] = true
	}
	return all, err
}
