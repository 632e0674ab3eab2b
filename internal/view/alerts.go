package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// Alert returns one alert, or ErrNotFound.
func (v *View) Alert(ctx context.Context, id string) (lift.Alert, error) {
	a, err := scanJSON[lift.Alert](v.read.QueryRowContext(ctx, "SELECT data FROM alerts WHERE id = ?", id))
	return a, wrapNil("read alert", err)
}

func wrapNil(what string, err error) error {
	if err == nil {
		return nil
	}
	return wrap(what, err)
}

// AlertSteps returns the alert's whole life, oldest step first.
func (v *View) AlertSteps(ctx context.Context, id string) ([]AlertStep, error) {
	return v.steps(ctx, "WHERE alert = ? ORDER BY seq", id)
}

// AlertStepsAfter returns up to limit steps of any alert after the log's sequence.
func (v *View) AlertStepsAfter(ctx context.Context, after uint64, limit int) ([]AlertStep, error) {
	return v.steps(ctx, "WHERE seq > ? ORDER BY seq LIMIT ?", int64(after), limit)
}

func (v *View) steps(ctx context.Context, where string, args ...any) ([]AlertStep, error) {
	steps, err := collect(ctx, v.read, func(s scanner) (AlertStep, error) {
		var step AlertStep
		var data string
		if err := s.Scan(&step.Seq, &step.Verb, &data); err != nil {
			return step, err
		}
		return step, json.Unmarshal([]byte(data), &step.Alert)
	}, "SELECT seq, verb, data FROM alert_steps "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read alert's life: %w", err)
	}
	return steps, nil
}

// Unexpired returns the open and acknowledged alerts of the given kind of window
// that ended before the given time, but for those of the rules in except.
func (v *View) Unexpired(ctx context.Context, kind lift.WindowKind, before time.Time, except []lift.Rule, limit int) ([]lift.Alert, error) {
	args := []any{string(kind), before.UnixMicro()}
	for _, rule := range except {
		args = append(args, string(rule))
	}
	alerts, err := collect(ctx, v.read, scanJSON[lift.Alert],
		"SELECT data FROM alerts WHERE state IN ('open', 'acknowledged') AND window_kind = ? AND window_to_us < ? AND rule NOT IN (''"+
			strings.Repeat(",?", len(except))+") ORDER BY window_to_us, id LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return alerts, nil
}

// AlertSeq is the log's sequence of the athlete's newest alert event, 0 without one.
func (v *View) AlertSeq(ctx context.Context, athlete lift.AthleteID) (uint64, error) {
	var seq int64
	err := v.read.QueryRowContext(ctx, "SELECT alert_seq FROM athletes WHERE athlete = ?", string(athlete)).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read athlete: %w", err)
	}
	return uint64(seq), nil
}

// Quarantine returns what is held in quarantine, newest first, and the next page's
// cursor.
func (v *View) Quarantine(ctx context.Context, p Page) ([]Quarantined, string, error) {
	query := "SELECT data, released FROM quarantine WHERE released IS NULL"
	var args []any
	if p.Cursor != "" {
		after, err := parsePlace(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		query += " AND (received_us, id) < (?, ?)"
		args = append(args, after.time, after.id)
	}
	items, err := collect(ctx, v.read, scanQuarantined, query+" ORDER BY received_us DESC, id DESC LIMIT ?", append(args, p.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("read quarantine: %w", err)
	}
	if len(items) <= p.Limit {
		return items, "", nil
	}
	last := &items[p.Limit-1]
	return items[:p.Limit], place{last.Received.UnixMicro(), last.ID}.String(), nil
}

// Quarantined returns one message, released ones too, or ErrNotFound.
func (v *View) Quarantined(ctx context.Context, id string) (Quarantined, error) {
	q, err := scanQuarantined(v.read.QueryRowContext(ctx, "SELECT data, released FROM quarantine WHERE id = ?", id))
	return q, wrapNil("read quarantine", err)
}

func scanQuarantined(s scanner) (Quarantined, error) {
	var q Quarantined
	var data string
	var released sql.NullString
	if err := s.Scan(&data, &released); err != nil {
		return q, err
	}
	if err := json.Unmarshal([]byte(data), &q.Quarantined); err != nil {
		return q, err
	}
	if !released.Valid {
		return q, nil
	}
	return q, json.Unmarshal([]byte(released.String), &q.Released)
}

// severityOf is each rank's severity.
var severityOf = map[int]lift.Severity{
	lift.Info.Rank(): lift.Info, lift.Advice.Rank(): lift.Advice, lift.Warning.Rank(): lift.Warning,
	lift.Critical.Rank(): lift.Critical, lift.Urgent.Rank(): lift.Urgent,
}

// OpenAlerts counts the open alerts of each athlete by severity.
func (v *View) OpenAlerts(ctx context.Context) (map[lift.AthleteID]map[lift.Severity]int, error) {
	rows, err := v.read.QueryContext(ctx, "SELECT athlete, severity, count(*) FROM alerts INDEXED BY alerts_open WHERE state = 'open' GROUP BY athlete, severity")
	if err != nil {
		return nil, fmt.Errorf("count open alerts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[lift.AthleteID]map[lift.Severity]int{}
	for rows.Next() {
		var athlete lift.AthleteID
		var rank, n int
		if err := rows.Scan(&athlete, &rank, &n); err != nil {
			return nil, fmt.Errorf("count open alerts: %w", err)
		}
		if counts[athlete] == nil {
			counts[athlete] = map[lift.Severity]int{}
		}
		counts[athlete][severityOf[rank]] = n
	}
	return counts, rows.Err()
}
