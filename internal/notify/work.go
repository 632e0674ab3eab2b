package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/spotterhq/spotter/internal/lift"
)

const (
	// firstRetry and lastRetry bound how long a channel rests after failures in a row;
	// urgentRetry how long while something urgent waits.
	firstRetry  = 2 * time.Second
	lastRetry   = time.Minute
	urgentRetry = 15 * time.Second
	// giveUp is how long after its time a delivery is tried.
	giveUp = 72 * time.Hour
	// repeatFor is how long after its opening an alert is told again and again.
	repeatFor = 24 * time.Hour
	// maxItems is how many alerts are in one message at most.
	maxItems = 20
	// rest is how long a worker sleeps when nothing wakes it.
	rest = time.Minute
)

// work keeps a worker for each channel, and one for MQTT.
func (n *Notifier) work(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.publishAll(ctx) })
	running := map[string]context.CancelFunc{}
	for {
		channels, changed := n.o.Channels.watch()
		wanted := map[string]bool{}
		for i := range channels {
			if id := channels[i].ID; !channels[i].Disabled {
				wanted[id] = true
				if running[id] == nil {
					working, cancel := context.WithCancel(ctx)
					running[id] = cancel
					group.Go(func() error {
						defer cancel()
						err := n.serve(working, id)
						if ctx.Err() == nil && working.Err() != nil {
							return nil // the channel is gone
						}
						return err
					})
				}
			}
		}
		for id, cancel := range running {
			if !wanted[id] {
				cancel()
				delete(running, id)
			}
		}
		if err := n.dropGone(ctx, wanted); err != nil {
			return errors.Join(err, group.Wait())
		}
		select {
		case <-ctx.Done():
			return group.Wait()
		case <-changed:
		}
	}
}

// dropGone cancels what waits for channels that are gone or disabled.
func (n *Notifier) dropGone(ctx context.Context, wanted map[string]bool) error {
	return n.store.in(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT DISTINCT channel FROM deliveries WHERE state = 'waiting' AND channel <> ?", ViaMQTT)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		var gone []string
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if !wanted[id] {
				gone = append(gone, id)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, id := range gone {
			if _, err := tx.ExecContext(ctx, "UPDATE deliveries SET state = 'cancelled', settled_us = ?, answer = 'the channel is gone or disabled' WHERE state = 'waiting' AND channel = ?",
				n.now().UnixMicro(), id); err != nil {
				return err
			}
		}
		return nil
	})
}

// serve delivers what is due at one channel, until the context ends.
func (n *Notifier) serve(ctx context.Context, id string) error {
	wake := n.waker(id)
	failures := 0
	for {
		c, err := n.o.Channels.Channel(id)
		if err != nil {
			<-ctx.Done() // it is gone, and work will say so
			return ctx.Err()
		}
		batch, next, err := n.next(ctx, &c)
		if err != nil {
			return err
		}
		wait := rest
		if len(batch) > 0 {
			err := n.deliver(ctx, &c, batch)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if errors.Is(err, errStore) {
				return err
			}
			if err == nil {
				if failures > 0 {
					n.o.Logger.Info("a channel takes messages again", "channel", id, "service", c.Service())
				}
				failures = 0
				continue
			}
			if failures++; failures == 1 {
				n.o.Logger.Warn("a channel does not take a message; it is tried again for three days", "channel", id, "service", c.Service(), "error", err)
			}
			wait = backoff(failures, batch[0].Severity)
			wake = nil // what comes meanwhile does not shorten it
		} else if !next.IsZero() {
			wait = min(rest, next.Sub(n.now()))
		}
		if err := pause(ctx, wait, wake); err != nil {
			return err
		}
		wake = n.waker(id)
	}
}

// pause waits for so long, or until it is woken. The error is the context's.
func pause(ctx context.Context, wait time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
	case <-timer.C:
	}
	return nil
}

// backoff is how long a channel rests after so many failures in a row.
func backoff(failures int, s lift.Severity) time.Duration {
	wait := lastRetry
	if failures < 6 {
		wait = min(firstRetry<<(failures-1), lastRetry)
	}
	if s == lift.Urgent {
		wait = min(wait, urgentRetry)
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/5))
}

// next returns the deliveries of the channel's next message, frozen as such, or
// nothing and when something will be due.
func (n *Notifier) next(ctx context.Context, c *Channel) (batch []Delivery, due time.Time, err error) {
	now := n.now()
	err = n.store.in(ctx, func(tx *sql.Tx) error {
		for {
			// What is urgent goes first, and what has failed less often, so that nothing
			// blocks the rest.
			heads, err := deliveries(ctx, tx, "WHERE channel = ? AND state = 'waiting' AND due_us <= ? ORDER BY severity = 5 DESC, attempts, severity DESC, due_us, id LIMIT 1", c.ID, now.UnixMicro())
			if err != nil {
				return err
			}
			if len(heads) == 0 {
				var us sql.NullInt64
				err := tx.QueryRowContext(ctx, "SELECT min(due_us) FROM deliveries WHERE channel = ? AND state = 'waiting'", c.ID).Scan(&us)
				if us.Valid {
					due = micros(us.Int64)
				}
				return err
			}
			head := &heads[0]
			if late := !head.expires.IsZero() && now.After(head.expires); late {
				if err := settle(ctx, tx, heads, Cancelled, "it was too late", now); err != nil {
					return err
				}
				continue
			}
			if until, quiet := c.quietUntil(head.Severity, now, n.o.SiteZone); quiet {
				if _, err := tx.ExecContext(ctx, "UPDATE deliveries SET due_us = ? WHERE id = ?", until.UnixMicro(), head.ID); err != nil {
					return err
				}
				continue
			}
			batch, err = freeze(ctx, tx, head, now)
			return err
		}
	})
	if err != nil {
		return nil, due, fmt.Errorf("read outbox: %w: %w", errStore, err)
	}
	return batch, due, nil
}

var errStore = errors.New("the outbox fails")

// freeze makes one message of the delivery and what can go with it, or reads the one
// that it is part of, and counts the attempt.
func freeze(ctx context.Context, tx *sql.Tx, head *Delivery, now time.Time) (batch []Delivery, err error) {
	alerts := "type IN ('alert', 'escalation', 'repeat', 'withdrawn')"
	switch {
	case head.Message != "":
		batch, err = deliveries(ctx, tx, "WHERE message = ? AND state = 'waiting' ORDER BY id", head.Message)
	case head.data.Alert != nil && head.Severity != lift.Urgent:
		batch, err = deliveries(ctx, tx, "WHERE channel = ? AND athlete = ? AND state = 'waiting' AND message = '' AND due_us <= ? AND severity < ? AND "+alerts+" ORDER BY severity DESC, id LIMIT ?",
			head.Channel, string(head.Athlete), now.UnixMicro(), lift.Urgent.Rank(), maxItems)
	default:
		batch = []Delivery{*head}
	}
	if err != nil {
		return nil, err
	}
	message := head.Message
	if message == "" {
		parts := []string{"message"}
		for i := range batch {
			parts = append(parts, batch[i].key)
		}
		message = "ms_" + lift.Digest(parts...)
	}
	marks, args := ids(batch)
	if _, err := tx.ExecContext(ctx, "UPDATE deliveries SET message = ?, attempts = attempts + 1 WHERE id IN ("+marks+")", append([]any{message}, args...)...); err != nil {
		return nil, err
	}
	for i := range batch {
		batch[i].Message = message
		batch[i].Attempts++
	}
	return batch, nil
}

func settle(ctx context.Context, tx *sql.Tx, batch []Delivery, state State, answer string, now time.Time) error {
	marks, args := ids(batch)
	_, err := tx.ExecContext(ctx, "UPDATE deliveries SET state = ?, answer = ?, settled_us = ? WHERE id IN ("+marks+")",
		append([]any{string(state), answer, now.UnixMicro()}, args...)...)
	return err
}

// deliver makes one attempt and notes what came of it. The error is the other side's,
// or errStore.
func (n *Notifier) deliver(ctx context.Context, c *Channel, batch []Delivery) error {
	m, err := n.message(ctx, c, batch)
	if err != nil {
		return fmt.Errorf("write message: %w: %w", errStore, err)
	}
	attempt, cancel := context.WithTimeout(ctx, attemptLimit)
	answer, failed := n.o.Send(attempt, c, m)
	cancel()
	if failed != nil && ctx.Err() != nil {
		return failed // it comes again after the start
	}
	if err := n.note(ctx, c, batch, answer, failed); err != nil {
		return err
	}
	return failed
}

// note keeps the result of an attempt. It does so although the program is being
// stopped: otherwise the message would come again.
func (n *Notifier) note(ctx context.Context, c *Channel, batch []Delivery, answer string, failed error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	now := n.now()
	err := n.store.in(ctx, func(tx *sql.Tx) error {
		if failed == nil {
			n.Stats.done(c.Service(), Sent, len(batch))
			if err := settle(ctx, tx, batch, Sent, answer, now); err != nil {
				return err
			}
			return n.again(ctx, tx, c, batch, now)
		}
		n.Stats.done(c.Service(), "retried", len(batch))
		for i := range batch {
			d := &batch[i]
			if now.Sub(d.Created) > giveUp && now.Sub(d.Due) > 0 {
				n.Stats.done(c.Service(), Failed, 1)
				n.o.Logger.Error("a delivery is given up", "channel", c.ID, "service", c.Service(), "delivery", d.ID, "attempts", d.Attempts)
				if err := settle(ctx, tx, batch[i:i+1], Failed, failed.Error(), now); err != nil {
					return err
				}
				continue
			}
			if _, err := tx.ExecContext(ctx, "UPDATE deliveries SET answer = ? WHERE id = ? AND state = 'waiting'", failed.Error(), d.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note delivery: %w: %w", errStore, err)
	}
	return nil
}

// again plans the repetition of what is critical and was told just now.
func (n *Notifier) again(ctx context.Context, tx *sql.Tx, c *Channel, batch []Delivery, now time.Time) error {
	if c.Kind == Athlete {
		return nil // who cannot answer it is not asked to
	}
	d := decision{n: n, ctx: ctx, tx: tx, now: now}
	for i := range batch {
		b := &batch[i]
		if b.data.Alert == nil || b.Type == TypeWithdrawn || b.Severity.Rank() < lift.Critical.Rank() {
			continue
		}
		t, err := d.track(b.Alert)
		if err != nil {
			return err
		}
		due := now.Add(c.Group.repeat())
		if t == nil || t.alert.State != lift.AlertOpen || due.After(t.since.Add(repeatFor)) {
			continue
		}
		var waits int
		err = tx.QueryRowContext(ctx, "SELECT count(*) FROM deliveries WHERE alert = ? AND channel = ? AND type = 'repeat' AND state = 'waiting'", b.Alert, c.ID).Scan(&waits)
		if err != nil {
			return err
		}
		if waits > 0 {
			continue
		}
		repeat := d.delivery(c, TypeRepeat, &t.alert, due)
		repeat.key = lift.Digest("repeat", b.key)
		if err := enqueue(ctx, tx, repeat); err != nil {
			return err
		}
	}
	return nil
}

// message is what the deliveries say together.
func (n *Notifier) message(ctx context.Context, c *Channel, batch []Delivery) (*Message, error) {
	head := &batch[0]
	m := &Message{ID: head.Message, Type: head.Type, Severity: head.Severity, Time: head.Created}
	who := func(a lift.AthleteID) string { return string(a) }
	if c.Names {
		who = func(a lift.AthleteID) string {
			profile, ok := n.o.Profile(a)
			if !ok || oneLine(profile.Name) == "" {
				return string(a)
			}
			if m.Names == nil {
				m.Names = map[lift.AthleteID]string{}
			}
			m.Names[a] = profile.Name
			return oneLine(profile.Name)
		}
	}
	switch head.Type {
	case TypeDigest:
		return m, n.writeDigest(ctx, c, m, &head.data, who)
	case TypeReminder:
		m.Reminder = head.data.Reminder
		m.writeReminder()
		return m, nil
	}
	for i := range batch {
		m.Items = append(m.Items, Item{Type: batch[i].Type, Alert: *batch[i].data.Alert, Link: n.link(batch[i].Alert)})
	}
	m.write(who)
	return m, nil
}

// publishAll publishes on MQTT what is told there, in order.
func (n *Notifier) publishAll(ctx context.Context) error {
	wake := n.waker(ViaMQTT)
	c := &Channel{ID: ViaMQTT}
	failures := 0
	for {
		now := n.now().UnixMicro()
		_, err := n.store.write.ExecContext(ctx, "UPDATE deliveries SET state = 'cancelled', settled_us = ?, answer = 'it was too late' WHERE channel = ? AND state = 'waiting' AND expires_us < ?", now, ViaMQTT, now)
		if err != nil {
			return err
		}
		batch, err := deliveries(ctx, n.store.write, "WHERE channel = ? AND state = 'waiting' ORDER BY id LIMIT 100", ViaMQTT)
		if err != nil {
			return err
		}
		for i := range batch {
			if err := n.publish(ctx, &batch[i]); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				failures++
				batch = batch[:i]
				break
			}
			failures = 0
		}
		if len(batch) > 0 {
			noting := context.WithoutCancel(ctx)
			err := n.store.in(noting, func(tx *sql.Tx) error { return settle(noting, tx, batch, Sent, "taken", n.now()) })
			if err != nil {
				return err
			}
			n.Stats.done(ViaMQTT, Sent, len(batch))
		}
		if failures == 0 && len(batch) > 0 {
			continue
		}
		wait, wakes := rest, wake
		if failures > 0 {
			n.Stats.done(c.ID, "retried", 1)
			wait, wakes = min(backoff(failures, lift.Warning), urgentRetry), nil
		}
		if err := pause(ctx, wait, wakes); err != nil {
			return err
		}
	}
}

// publish puts one delivery on its topic.
func (n *Notifier) publish(ctx context.Context, d *Delivery) error {
	what, value := "alert", any(d.data.Alert)
	if d.Type == TypeReminder {
		what, value = "reminder", d.data.Reminder
	}
	payload, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", what, err)
	}
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	return n.o.Publish(ctx, "spotter/v1/"+string(d.Site)+"/athlete/"+string(d.Athlete)+"/"+what, 1, payload)
}
