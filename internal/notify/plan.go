package notify

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

const (
	// planEvery is how often the planner looks at the clock where nothing is due before.
	planEvery = 30 * time.Second
	// remindEvery is how often it looks for reports that are missing.
	remindEvery = 5 * time.Minute
	// pruneEvery is how often it drops what is old.
	pruneEvery = 6 * time.Hour
)

// plan puts into the outbox what time alone brings: escalations, digests, reminders.
func (n *Notifier) plan(ctx context.Context) error {
	wake := n.waker("")
	var reminded, pruned time.Time
	for {
		now := n.now()
		next, err := n.escalate(ctx, now)
		if err != nil {
			return fmt.Errorf("escalate: %w", err)
		}
		if err := n.digests(ctx, now); err != nil {
			return fmt.Errorf("plan digests: %w", err)
		}
		if now.Sub(reminded) >= remindEvery {
			reminded = now
			if err := n.remind(ctx, now); err != nil {
				return fmt.Errorf("plan reminders: %w", err)
			}
		}
		if now.Sub(pruned) >= pruneEvery {
			pruned = now
			if _, err := n.Prune(ctx, now.Add(-n.o.Keep)); err != nil {
				return err
			}
		}
		wait := planEvery
		if !next.IsZero() {
			wait = min(wait, max(next.Sub(n.now()), 0))
		}
		if err := pause(ctx, wait, wake); err != nil {
			return err
		}
	}
}

// escalate tells others of what nobody has answered in time. It returns when the next
// escalation is due.
func (n *Notifier) escalate(ctx context.Context, now time.Time) (next time.Time, err error) {
	if next, err = n.nextEscalation(ctx, n.store.read); err != nil || next.IsZero() || next.After(now) {
		return next, err
	}
	channels := n.o.Channels.List()
	fired := false
	err = n.store.in(ctx, func(tx *sql.Tx) error {
		d := decision{n: n, ctx: ctx, tx: tx, channels: channels, now: now}
		due, err := dueEscalations(ctx, tx, now)
		if err != nil {
			return err
		}
		for _, e := range due {
			if err := d.exec("DELETE FROM escalations WHERE alert = ? AND step <= ?", e.alert, e.step); err != nil {
				return err
			}
			t, err := d.track(e.alert)
			if err != nil {
				return err
			}
			if t == nil || t.alert.State != lift.AlertOpen {
				continue
			}
			a := &t.alert
			for _, c := range route(channels, a, n.teams(a.Athlete), e.to) {
				delivery := d.delivery(&c, TypeEscalation, a, now)
				delivery.key = lift.Digest("escalation", a.ID, string(a.Severity), c.ID, strconv.Itoa(e.step), t.since.Format(time.RFC3339Nano))
				if err := enqueue(ctx, tx, delivery); err != nil {
					return err
				}
				fired = true
			}
		}
		next, err = n.nextEscalation(ctx, tx)
		return err
	})
	if fired && err == nil {
		n.wakeWorkers()
	}
	return next, err
}

// nextEscalation is when one is due, zero where none is planned.
func (n *Notifier) nextEscalation(ctx context.Context, q querier) (time.Time, error) {
	var us sql.NullInt64
	if err := q.QueryRowContext(ctx, "SELECT min(due_us) FROM escalations").Scan(&us); err != nil || !us.Valid {
		return time.Time{}, err
	}
	return micros(us.Int64), nil
}

type escalation struct {
	alert, to string
	step      int
}

// dueEscalations returns the latest of each alert that is due: after a standstill the
// earlier ones would say the same.
func dueEscalations(ctx context.Context, tx *sql.Tx, now time.Time) ([]escalation, error) {
	rows, err := tx.QueryContext(ctx, "SELECT alert, max(step), addressee FROM escalations WHERE due_us <= ? GROUP BY alert", now.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []escalation
	for rows.Next() {
		var e escalation
		if err := rows.Scan(&e.alert, &e.step, &e.to); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}
