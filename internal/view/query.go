package view

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// ErrCursor says that a cursor is not one that this view gave out.
var ErrCursor = errors.New("cursor is not one of this list's")

// Page asks for a part of a list: at most Limit items after Cursor, "" for the
// beginning.
type Page struct {
	Limit  int
	Cursor string
}

// place is a position in a list that is ordered by a time and an id.
type place struct {
	time int64
	id   string
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.time, 10) + " " + p.id))
}

func parsePlace(cursor string) (place, error) {
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return place{}, ErrCursor
	}
	t, id, ok := strings.Cut(string(data), " ")
	us, err := strconv.ParseInt(t, 10, 64)
	if !ok || err != nil {
		return place{}, ErrCursor
	}
	return place{us, id}, nil
}

// Device is a sensor as it was last heard of.
type Device struct {
	Site     lift.SiteID       `json:"site"`
	Device   lift.DeviceID     `json:"device"`
	Status   lift.DeviceStatus `json:"status"`
	StatusAt time.Time         `json:"status_at,omitzero"` // zero: no status yet
	Seen     time.Time         `json:"seen"`
}

// AlertStep is one step in an alert's life, with the alert after it.
type AlertStep struct {
	Seq   uint64         `json:"seq"`
	Verb  lift.AlertVerb `json:"verb"`
	Alert lift.Alert     `json:"alert"`
}

// PlanStep is a decision about an athlete's hold or return plan.
type PlanStep struct {
	Site    lift.SiteID
	Athlete lift.AthleteID
	lift.PlanStep
}

// Move is where a rep was before a revision, a correction or an assignment changed
// it; it may still be there. Of a logged set, RepID and Device are empty.
type Move struct {
	Seq       uint64
	RepID     string
	Site      lift.SiteID
	Athlete   lift.AthleteID
	Exercise  lift.ExerciseID
	Device    lift.DeviceID
	PointTime time.Time
}

// Quarantined is a quarantined message and, once it was replayed or deleted, how.
type Quarantined struct {
	lift.Quarantined
	Released *journal.Release `json:"released,omitzero"`
}

// collect reads all rows of a query. What was read is copied once, at the end: a slice
// that grows with each row would copy many reps many times.
func collect[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var full [][]T
	var last []T
	for rows.Next() {
		if len(last) == cap(last) && len(last) > 0 {
			full = append(full, last)
			last = make([]T, 0, min(2*len(last), collectAtOnce))
		}
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		last = append(last, v)
	}
	if len(full) > 0 {
		last = slices.Concat(append(full, last)...)
	}
	return last, rows.Err()
}

// collectAtOnce is how many rows at most are put together before the copy.
const collectAtOnce = 1024

// scanJSON reads rows of one JSON column.
func scanJSON[T any](s scanner) (T, error) {
	var v T
	var data string
	if err := s.Scan(&data); err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(data), &v)
}

// Reps returns the athlete's reps with from ≤ time < to, oldest first, and the
// cursor of the next page, "" at the end.
func (v *View) Reps(ctx context.Context, athlete lift.AthleteID, from, to time.Time, p Page) ([]lift.RepRecord, string, error) {
	return v.reps(ctx, "athlete = ?", []any{string(athlete)}, from, to, p)
}

// UnassignedReps is Reps of nobody, of one site and device where these are not empty.
func (v *View) UnassignedReps(ctx context.Context, site lift.SiteID, device lift.DeviceID, from, to time.Time, p Page) ([]lift.RepRecord, string, error) {
	where, args := "athlete = ''", []any{}
	if site != "" {
		where, args = where+" AND site = ?", append(args, string(site))
	}
	if device != "" {
		where, args = where+" AND device = ?", append(args, string(device))
	}
	return v.reps(ctx, where, args, from, to, p)
}

func (v *View) reps(ctx context.Context, where string, args []any, from, to time.Time, p Page) ([]lift.RepRecord, string, error) {
	query := "SELECT " + recordColumns + " FROM reps WHERE " + where + " AND point_ms >= ? AND point_ms < ?"
	args = append(args, from.UnixMilli(), to.UnixMilli())
	if p.Cursor != "" {
		after, err := parsePlace(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		site, device, _ := strings.Cut(after.id, " ")
		query += " AND (point_ms, site, device) > (?, ?, ?)"
		args = append(args, after.time, site, device)
	}
	query += " ORDER BY point_ms, site, device LIMIT ?"
	reps, err := collect(ctx, v.read, scanRecord, query, append(args, p.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("read reps: %w", err)
	}
	if len(reps) <= p.Limit {
		return reps, "", nil
	}
	last := &reps[p.Limit-1]
	return reps[:p.Limit], place{last.PointTime.UnixMilli(), string(last.Site) + " " + string(last.Device)}.String(), nil
}

// Rep returns one rep, or ErrNotFound.
func (v *View) Rep(ctx context.Context, id string) (lift.RepRecord, error) {
	r, err := scanRecord(v.read.QueryRowContext(ctx, "SELECT "+recordColumns+" FROM reps WHERE id = ?", idBytes(id)))
	return r, wrapNil("read rep", err)
}

// RepsByID returns those of the reps that the view knows, in no order.
func (v *View) RepsByID(ctx context.Context, ids []string) ([]lift.RepRecord, error) {
	var all []lift.RepRecord
	for len(ids) > 0 {
		n := min(len(ids), 500)
		args := make([]any, n)
		for i, id := range ids[:n] {
			args[i] = idBytes(id)
		}
		reps, err := collect(ctx, v.read, scanRecord, "SELECT "+recordColumns+" FROM reps WHERE id IN (?"+strings.Repeat(",?", n-1)+")", args...)
		if err != nil {
			return nil, fmt.Errorf("read reps: %w", err)
		}
		all = append(all, reps...)
		ids = ids[n:]
	}
	return all, nil
}

// Moves returns where the reps and logged sets were that events with after < seq ≤ upTo changed.
func (v *View) Moves(ctx context.Context, after, upTo uint64) ([]Move, error) {
	moves, err := collect(ctx, v.read, func(s scanner) (Move, error) {
		var m Move
		var id []byte
		var point int64
		err := s.Scan(&m.Seq, &id, &m.Site, &m.Athlete, &m.Exercise, &m.Device, &point)
		m.PointTime = time.UnixMilli(point).UTC()
		if m.Device != "" {
			m.RepID = fmt.Sprintf("rp_%x", id)
		}
		return m, err
	}, "SELECT seq, rep_id, site, athlete, exercise, device, point_ms FROM moves WHERE seq > ? AND seq <= ? ORDER BY seq", int64(after), int64(upTo))
	if err != nil {
		return nil, fmt.Errorf("read moves: %w", err)
	}
	return moves, nil
}

// History is what is known of one athlete since some time, and the log's position at
// which that was so.
type History struct {
	Position uint64
	Tick     time.Time   // the newest one up to Position, zero before the first
	Site     lift.SiteID // "" for an athlete never seen
	Reps     []lift.RepRecord
	Logged   []lift.LoggedSet // without those that were taken back
	CheckIns []lift.CheckInRecord
	Plan     []lift.PlanStep // all, in the order in which they were logged
	Alerts   []lift.Alert    // whose window ends at or after the earlier of the times
	AlertSeq uint64          // of the athlete's newest alert event, 0 without one
}

// History reads an athlete's reps and logged sets, and the check-ins, each since a
// time of its own, in one transaction.
func (v *View) History(ctx context.Context, athlete lift.AthleteID, reps, checkIns time.Time) (_ History, err error) {
	var h History
	tx, err := v.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if h.Position, err = position(ctx, tx); err != nil {
		return h, err
	}
	if h.Tick, err = lastTick(ctx, tx); err != nil {
		return h, err
	}
	err = tx.QueryRowContext(ctx, "SELECT site, alert_seq FROM athletes WHERE athlete = ?", string(athlete)).Scan(&h.Site, &h.AlertSeq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return h, fmt.Errorf("read history: %w", err)
	}
	if h.Reps, err = collect(ctx, tx, scanRecord, "SELECT "+recordColumns+" FROM reps WHERE athlete = ? AND point_ms >= ? ORDER BY point_ms", string(athlete), reps.UnixMilli()); err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	if h.Logged, err = logged(ctx, tx, athlete, reps, forever); err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	if h.CheckIns, err = collect(ctx, tx, scanCheckIn, "SELECT id, site, athlete, received_us, data FROM checkins WHERE athlete = ? AND time_us >= ? ORDER BY time_us", string(athlete), checkIns.UnixMicro()); err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	if h.Plan, err = collect(ctx, tx, scanJSON[lift.PlanStep], "SELECT data FROM plan_steps WHERE athlete = ? ORDER BY seq", string(athlete)); err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	if h.Alerts, err = collect(ctx, tx, scanJSON[lift.Alert], "SELECT data FROM alerts WHERE athlete = ? AND window_to_us >= ? ORDER BY window_to_us, id", string(athlete), min(reps.UnixMicro(), checkIns.UnixMicro())); err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	return h, nil
}

// CheckIns returns the athlete's check-ins with from ≤ time < to, oldest first, and the
// cursor of the next page, "" at the end.
func (v *View) CheckIns(ctx context.Context, athlete lift.AthleteID, from, to time.Time, p Page) ([]lift.CheckInRecord, string, error) {
	query := "SELECT id, site, athlete, received_us, data FROM checkins WHERE athlete = ? AND time_us >= ? AND time_us < ?"
	args := []any{string(athlete), from.UnixMicro(), to.UnixMicro()}
	if p.Cursor != "" {
		after, err := parsePlace(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		query += " AND (time_us, id) > (?, ?)"
		args = append(args, after.time, after.id)
	}
	found, err := collect(ctx, v.read, scanCheckIn, query+" ORDER BY time_us, id LIMIT ?", append(args, p.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("read check-ins: %w", err)
	}
	if len(found) <= p.Limit {
		return found, "", nil
	}
	last := &found[p.Limit-1]
	return found[:p.Limit], place{last.Time.UnixMicro(), last.ID}.String(), nil
}

func scanCheckIn(s scanner) (lift.CheckInRecord, error) {
	var c lift.CheckInRecord
	var received int64
	var data string
	if err := s.Scan(&c.ID, &c.Site, &c.Athlete, &received, &data); err != nil {
		return c, err
	}
	c.Received = micros(received)
	return c, json.Unmarshal([]byte(data), &c.CheckIn)
}

// Athlete tells where an athlete was last seen.
type Athlete struct {
	ID   lift.AthleteID `json:"id"`
	Site lift.SiteID    `json:"site"`
}

// Athletes returns the athletes about whom something was received since the given
// time; the zero time asks for all.
func (v *View) Athletes(ctx context.Context, since time.Time) ([]Athlete, error) {
	athletes, err := collect(ctx, v.read, func(s scanner) (Athlete, error) {
		var a Athlete
		return a, s.Scan(&a.ID, &a.Site)
	}, "SELECT athlete, site FROM athletes WHERE touched_us >= ? ORDER BY athlete", since.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read athletes: %w", err)
	}
	return athletes, nil
}

// Stamps returns for each athlete a number that changes whenever something is heard of
// them, or said of their alerts.
func (v *View) Stamps(ctx context.Context) (map[lift.AthleteID]int64, error) {
	rows, err := v.read.QueryContext(ctx, "SELECT athlete, touched_us + alert_seq FROM athletes")
	if err != nil {
		return nil, fmt.Errorf("read athletes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	stamps := map[lift.AthleteID]int64{}
	for rows.Next() {
		var id lift.AthleteID
		var stamp int64
		if err := rows.Scan(&id, &stamp); err != nil {
			return nil, fmt.Errorf("read athletes: %w", err)
		}
		stamps[id] = stamp
	}
	return stamps, rows.Err()
}

// Devices returns every device that was ever heard of, by site and id.
func (v *View) Devices(ctx context.Context) ([]Device, error) {
	devices, err := collect(ctx, v.read, func(s scanner) (Device, error) {
		var d Device
		var seen int64
		var statusAt sql.NullInt64
		var status sql.NullString
		if err := s.Scan(&d.Site, &d.Device, &seen, &statusAt, &status); err != nil {
			return d, err
		}
		d.Seen = micros(seen)
		if !status.Valid {
			return d, nil
		}
		d.StatusAt = micros(statusAt.Int64)
		return d, json.Unmarshal([]byte(status.String), &d.Status)
	}, "SELECT site, device, seen_us, status_us, status FROM devices ORDER BY site, device")
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	return devices, nil
}

func wrap(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return fmt.Errorf("%s: %w", what, err)
}
