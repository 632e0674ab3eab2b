package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// Assigned is an assignment of a bar, with its end.
type Assigned struct {
	Site   lift.SiteID   `json:"site"`
	Device lift.DeviceID `json:"device"`
	lift.Assignment
	Until time.Time `json:"until,omitzero"` // zero: it is in force
}

// AssignmentsOf returns when an athlete was assigned to which bar, oldest first.
func (v *View) AssignmentsOf(ctx context.Context, athlete lift.AthleteID) ([]Assigned, error) {
	all, err := collect(ctx, v.read, func(s scanner) (Assigned, error) {
		var a Assigned
		var data string
		var until sql.NullInt64
		if err := s.Scan(&a.Site, &a.Device, &data, &until); err != nil {
			return a, err
		}
		if until.Valid {
			a.Until = micros(until.Int64)
		}
		return a, json.Unmarshal([]byte(data), &a.Assignment)
	}, `SELECT site, device, data, (SELECT min(n.since_us) FROM assignments AS n WHERE n.site = a.site AND n.device = a.device AND n.since_us > a.since_us)
	  FROM assignments AS a WHERE json_extract(data, '$.athlete') = ? ORDER BY since_us, site, device`, string(athlete))
	if err != nil {
		return nil, fmt.Errorf("read an athlete's assignments: %w", err)
	}
	return all, nil
}

// CorrectionsOf returns the corrections of an athlete's reps as they stand, in the
// order of the reps.
func (v *View) CorrectionsOf(ctx context.Context, athlete lift.AthleteID) ([]lift.RepEdit, error) {
	all, err := collect(ctx, v.read, func(s scanner) (lift.RepEdit, error) {
		var e lift.RepEdit
		var id []byte
		var patch string
		if err := s.Scan(&id, &patch); err != nil {
			return e, err
		}
		err := json.Unmarshal([]byte(patch), &e)
		e.RepID = fmt.Sprintf("rp_%x", id)
		return e, err
	}, "SELECT edits.rep_id, patch FROM edits JOIN reps ON reps.id = edits.rep_id WHERE reps.athlete = ? ORDER BY reps.point_ms", string(athlete))
	if err != nil {
		return nil, fmt.Errorf("read an athlete's corrections: %w", err)
	}
	return all, nil
}

// EachQuarantined hands the messages in quarantine that speak of an athlete to yield,
// released ones too, oldest first, until it fails.
func (v *View) EachQuarantined(ctx context.Context, athlete lift.AthleteID, yield func(*Quarantined) error) error {
	return v.each(ctx, "read quarantine", func(s scanner) error {
		q, err := scanQuarantined(s)
		if err != nil || !q.Names(athlete) {
			return err
		}
		return yield(&q)
	}, "SELECT data, released FROM quarantine ORDER BY received_us, id")
}

// EachAlertStep hands every step in the life of an athlete's alerts to yield, in the
// order in which they were logged, until it fails.
func (v *View) EachAlertStep(ctx context.Context, athlete lift.AthleteID, yield func(*AlertStep) error) error {
	return v.each(ctx, "read alerts", func(s scanner) error {
		var step AlertStep
		var data string
		if err := s.Scan(&step.Seq, &step.Verb, &data); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(data), &step.Alert); err != nil {
			return err
		}
		return yield(&step)
	}, "SELECT seq, verb, data FROM alert_steps WHERE alert IN (SELECT id FROM alerts WHERE athlete = ?) ORDER BY seq", string(athlete))
}

// each reads the rows of a query one by one.
func (v *View) each(ctx context.Context, what string, take func(scanner) error, query string, args ...any) (err error) {
	rows, err := v.read.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
