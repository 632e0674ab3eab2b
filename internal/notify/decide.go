package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// decision decides, in one transaction, what is told of steps of alerts.
type decision struct {
	n        *Notifier
	ctx      context.Context
	tx       *sql.Tx
	channels []Channel
	now      time.Time
}

// track is an alert that has reached a severity at which people are called.
type track struct {
	alert   lift.Alert
	reached int  // the rank of the highest severity that was put to the policy
	pushed  bool // the policy has pushed it at least once
	since   time.Time
}

func (d *decision) exec(query string, args ...any) error {
	_, err := d.tx.ExecContext(d.ctx, query, args...)
	return err
}

func (d *decision) track(alert string) (*track, error) {
	var t track
	var data string
	var since int64
	err := d.tx.QueryRowContext(d.ctx, "SELECT reached, pushed, since_us, data FROM alerts WHERE alert = ?", alert).Scan(&t.reached, &t.pushed, &since, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(data), &t.alert)
	}
	if err != nil {
		return nil, fmt.Errorf("read alert: %w", err)
	}
	t.since = micros(since)
	return &t, nil
}

func (d *decision) save(t *track) error {
	data, err := json.Marshal(&t.alert)
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	return d.exec("INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (alert) DO UPDATE SET "+
		"state = excluded.state, reached = excluded.reached, pushed = excluded.pushed, since_us = excluded.since_us, updated_us = excluded.updated_us, data = excluded.data",
		t.alert.ID, string(t.alert.Athlete), string(t.alert.State), t.reached, t.pushed, t.since.UnixMicro(), t.alert.Updated.UnixMicro(), string(data))
}

// step decides one step of an alert.
func (d *decision) step(s *view.AlertStep) error {
	a := &s.Alert
	if a.Athlete != "" && !a.Historical {
		published := d.delivery(&Channel{ID: ViaMQTT}, TypeAlert, a, d.now)
		published.key, published.Service = lift.Digest(ViaMQTT, a.ID, strconv.FormatUint(s.Seq, 10)), ViaMQTT
		if err := enqueue(d.ctx, d.tx, published); err != nil {
			return err
		}
	}
	t, err := d.track(a.ID)
	if err != nil {
		return err
	}
	if s.Verb == lift.AlertFound {
		return d.found(s, t)
	}
	if t == nil {
		return nil
	}
	t.alert = *a
	if err := d.exec("DELETE FROM escalations WHERE alert = ?", a.ID); err != nil {
		return err
	}
	if s.Verb == lift.AlertRetract {
		if err := d.withdraw(s); err != nil {
			return err
		}
	} else if err := d.cancel(a.ID, "the alert is "+string(a.State)); err != nil {
		return err
	}
	return d.save(t)
}

// found decides what is told of an alert that has been opened or has changed.
func (d *decision) found(s *view.AlertStep, t *track) error {
	a := &s.Alert
	telling := analysis.Telling{At: a.Updated, Finding: a.Finding}
	pushable := telling.Interrupts()
	if t == nil {
		if !pushable {
			return nil
		}
		t = &track{since: d.now}
	}
	was := t.alert.State
	t.alert = *a
	switch {
	case pushable && a.Severity.Rank() > t.reached:
		t.reached, t.since = a.Severity.Rank(), d.now
		push, err := d.ask(s)
		if err != nil {
			return err
		}
		if !push {
			d.n.Stats.Withheld.Add(1)
			held := d.delivery(&Channel{}, TypeAlert, a, d.now)
			held.key, held.State, held.Answer = lift.Digest("withheld", a.ID, string(a.Severity)), Withheld, "the alert stands in the list; it is not sure enough, or the athlete's budget is used up, to interrupt anybody"
			if err := enqueue(d.ctx, d.tx, held); err != nil {
				return err
			}
			break
		}
		t.pushed = true
		if err := d.push(s); err != nil {
			return err
		}
	case t.pushed && was == lift.AlertRetracted && a.State == lift.AlertOpen && pushable:
		t.since = d.now
		if err := d.push(s); err != nil {
			return err
		}
	default:
		if err := d.freshen(a); err != nil {
			return err
		}
	}
	return d.save(t)
}

// ask puts an alert that has reached a severity to the policy, beside what the athlete
// has caused in the weeks before, and returns whether it is pushed.
func (d *decision) ask(s *view.AlertStep) (bool, error) {
	a := &s.Alert
	told := analysis.Telling{At: a.Updated, Finding: a.Finding}
	data, err := json.Marshal(&told.Finding)
	if err != nil {
		return false, fmt.Errorf("encode finding: %w", err)
	}
	err = d.exec("INSERT INTO tellings VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		string(a.Athlete), told.At.UnixMicro(), int64(s.Seq), string(data))
	if err != nil {
		return false, err
	}
	rows, err := d.tx.QueryContext(d.ctx, "SELECT at_us, data FROM tellings WHERE athlete = ? AND at_us <= ? ORDER BY at_us, seq",
		string(a.Athlete), told.At.UnixMicro())
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }()
	var all []analysis.Telling
	for rows.Next() {
		var t analysis.Telling
		var at int64
		var data string
		if err := rows.Scan(&at, &data); err != nil {
			return false, err
		}
		if err := json.Unmarshal([]byte(data), &t.Finding); err != nil {
			return false, err
		}
		t.At = micros(at)
		all = append(all, t)
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	pushes := d.n.o.Policy.Pushes(all)
	i := slices.IndexFunc(pushes, func(p analysis.Push) bool {
		return p.Finding.ID == a.ID && p.Finding.Severity == a.Severity
	})
	return i >= 0 && !pushes[i].Withheld, nil
}

// push tells an alert to those who are told first, and plans what follows.
func (d *decision) push(s *view.AlertStep) error {
	a := &s.Alert
	told, err := d.told(a.ID, "state = 'sent' OR type = 'withdrawn' AND attempts > 0")
	if err != nil {
		return err
	}
	// This takes the place of what waits: what was told of the alert at a lower severity,
	// and that it was withdrawn.
	err = d.exec("UPDATE deliveries SET state = 'cancelled', settled_us = ?, answer = 'the alert is told anew' WHERE alert = ? AND state = 'waiting' AND channel <> ?",
		d.now.UnixMicro(), a.ID, ViaMQTT)
	if err != nil {
		return err
	}
	to := route(d.channels, a, d.n.teams(a.Athlete), first)
	if len(to) == 0 {
		d.n.Stats.Unrouted.Add(1)
		d.n.o.Logger.Warn("an alert that should interrupt somebody has no channel to go", "alert", a.ID, "severity", a.Severity)
	}
	for i := range to {
		c := &to[i]
		if last := told[c.ID]; last.kind == TypeAlert && last.severity >= a.Severity.Rank() {
			continue
		}
		due := d.now
		if a.Severity != lift.Urgent {
			if due, err = d.grouped(c, a.Athlete); err != nil {
				return err
			}
		}
		delivery := d.delivery(c, TypeAlert, a, due)
		delivery.key = lift.Digest("alert", a.ID, string(a.Severity), c.ID, strconv.FormatUint(s.Seq, 10))
		if err := enqueue(d.ctx, d.tx, delivery); err != nil {
			return err
		}
	}
	if err := d.exec("DELETE FROM escalations WHERE alert = ?", a.ID); err != nil {
		return err
	}
	// They count from now: after a standstill nobody could have answered before.
	for i, e := range analysis.Escalations(a.Severity) {
		if err := d.exec("INSERT INTO escalations VALUES (?, ?, ?, ?)", a.ID, i, e.To, d.now.Add(e.After).UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// lastTold is what a channel was told last of an alert.
type lastTold struct {
	kind     Type // TypeAlert, or TypeWithdrawn
	severity int
}

// told is what each channel was told last of an alert, by the deliveries that fit.
func (d *decision) told(alert, which string) (map[string]lastTold, error) {
	all, err := deliveries(d.ctx, d.tx, "WHERE alert = ? AND channel NOT IN ('', ?) AND ("+which+") ORDER BY id", alert, ViaMQTT)
	if err != nil {
		return nil, err
	}
	told := map[string]lastTold{}
	for i := range all {
		kind := TypeAlert
		if all[i].Type == TypeWithdrawn {
			kind = TypeWithdrawn
		}
		told[all[i].Channel] = lastTold{kind, all[i].Severity.Rank()}
	}
	return told, nil
}

// grouped is when a message about the athlete is due at a channel: with others that
// wait, and not too soon after the one before.
func (d *decision) grouped(c *Channel, a lift.AthleteID) (time.Time, error) {
	due := d.now.Add(c.Group.wait())
	var waiting, last sql.NullInt64
	err := d.tx.QueryRowContext(d.ctx, "SELECT min(due_us) FROM deliveries WHERE channel = ? AND athlete = ? AND state = 'waiting' AND message = '' AND type IN ('alert', 'withdrawn') AND severity < ?",
		c.ID, string(a), lift.Urgent.Rank()).Scan(&waiting)
	if err != nil {
		return due, err
	}
	err = d.tx.QueryRowContext(d.ctx, "SELECT max(settled_us) FROM deliveries WHERE channel = ? AND athlete = ? AND state = 'sent' AND severity < ?",
		c.ID, string(a), lift.Urgent.Rank()).Scan(&last)
	if err != nil {
		return due, err
	}
	if next := micros(last.Int64).Add(c.Group.interval()); last.Valid && next.After(due) {
		due = next
	}
	if waiting.Valid && micros(waiting.Int64).Before(due) {
		due = micros(waiting.Int64)
	}
	return due, nil
}

func (d *decision) delivery(c *Channel, t Type, a *lift.Alert, due time.Time) *Delivery {
	return &Delivery{
		Channel: c.ID, Service: c.Service(), Type: t, Alert: a.ID, Athlete: a.Athlete, Site: a.Site, Severity: a.Severity,
		State: Waiting, Created: d.now, Due: due, data: payload{Alert: a},
	}
}

// freshen lets what waits tell the alert as it is now, unless it has become less: then
// what it was pushed for is told.
func (d *decision) freshen(a *lift.Alert) error {
	data, err := json.Marshal(&payload{Alert: a})
	if err != nil {
		return fmt.Errorf("encode delivery: %w", err)
	}
	return d.exec("UPDATE deliveries SET data = ? WHERE alert = ? AND state = 'waiting' AND message = '' AND channel <> ? AND severity <= ?", string(data), a.ID, ViaMQTT, a.Severity.Rank())
}

// cancel drops what waits of an alert that somebody has answered, or that is past. What
// is urgent is told all the same to those who are told first: the answer was another's.
func (d *decision) cancel(alert, why string) error {
	return d.exec("UPDATE deliveries SET state = 'cancelled', settled_us = ?, answer = ? WHERE alert = ? AND state = 'waiting' AND channel <> ? AND NOT (severity = ? AND type = 'alert')",
		d.now.UnixMicro(), why, alert, ViaMQTT, lift.Urgent.Rank())
}

// withdraw drops what waits of an alert that no longer holds, and tells those who
// were told of it.
func (d *decision) withdraw(s *view.AlertStep) error {
	a := &s.Alert
	told, err := d.told(a.ID, "state = 'sent' OR attempts > 0")
	if err != nil {
		return err
	}
	err = d.exec("UPDATE deliveries SET state = 'cancelled', settled_us = ?, answer = 'the alert is retracted' WHERE alert = ? AND state = 'waiting' AND channel <> ?",
		d.now.UnixMicro(), a.ID, ViaMQTT)
	if err != nil {
		return err
	}
	for i := range d.channels {
		c := &d.channels[i]
		if last, ok := told[c.ID]; !ok || last.kind == TypeWithdrawn || c.Disabled {
			continue
		}
		due := d.now
		if a.Severity != lift.Urgent {
			if due, err = d.grouped(c, a.Athlete); err != nil {
				return err
			}
		}
		delivery := d.delivery(c, TypeWithdrawn, a, due)
		delivery.key = lift.Digest("withdrawn", a.ID, c.ID, strconv.FormatUint(s.Seq, 10))
		if err := enqueue(d.ctx, d.tx, delivery); err != nil {
			return err
		}
	}
	return nil
}
