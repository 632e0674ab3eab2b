package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// State is where a delivery is in its life.
type State string

// The states of a delivery.
const (
	Waiting   State = "waiting"   // not due yet, or tried and to be tried again
	Sent      State = "sent"      // the other side has taken it
	Failed    State = "failed"    // given up after three days
	Cancelled State = "cancelled" // somebody has answered the alert, or it no longer holds
	Withheld  State = "withheld"  // the policy does not interrupt anybody with it
)

// ViaMQTT is the channel of what is published on MQTT.
const ViaMQTT = "mqtt"

// Delivery is something that is told to one channel, and what became of it. It has
// no address and no secret.
type Delivery struct {
	ID       int64          `json:"id"`
	Channel  string         `json:"channel,omitzero"` // its id, mqtt, or nothing where it was withheld
	Service  string         `json:"service,omitzero"` // such as slack, smtp, webhook or mqtt
	Type     Type           `json:"type"`
	Alert    string         `json:"alert,omitzero"`
	Athlete  lift.AthleteID `json:"athlete,omitzero"`
	Site     lift.SiteID    `json:"site,omitzero"`
	Severity lift.Severity  `json:"severity,omitzero"`
	State    State          `json:"state"`
	Created  time.Time      `json:"created"`
	Due      time.Time      `json:"due"`              // not before; quiet hours move it on
	Settled  time.Time      `json:"settled,omitzero"` // when it was sent, given up or cancelled
	Attempts int            `json:"attempts"`         // that were made
	Message  string         `json:"message,omitzero"` // the message that it was part of: its key at a webhook
	Answer   string         `json:"answer,omitzero"`  // what the other side said last, or why there was no answer
	expires  time.Time      // after which it is not sent
	key      string
	data     payload
}

// payload is what a delivery tells.
type payload struct {
	Alert    *lift.Alert `json:"alert,omitzero"`
	Reminder *Reminder   `json:"reminder,omitzero"`
	Week     string      `json:"week,omitzero"` // of a digest, with its bounds
	From     time.Time   `json:"from,omitzero"`
	To       time.Time   `json:"to,omitzero"`
}

var severities = []lift.Severity{"", lift.Info, lift.Advice, lift.Warning, lift.Critical, lift.Urgent}

// enqueue puts a delivery into the outbox, unless one of its key has been there.
func enqueue(ctx context.Context, tx *sql.Tx, d *Delivery) error {
	data, err := json.Marshal(&d.data)
	if err != nil {
		return fmt.Errorf("encode delivery: %w", err)
	}
	var expires, settled any
	if !d.expires.IsZero() {
		expires = d.expires.UnixMicro()
	}
	if d.State != Waiting {
		settled = d.Created.UnixMicro()
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO deliveries (key, channel, service, type, alert, athlete, site, severity, state, created_us, due_us, expires_us, settled_us, answer, data) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
		d.key, d.Channel, d.Service, string(d.Type), d.Alert, string(d.Athlete), string(d.Site), d.Severity.Rank(), string(d.State),
		d.Created.UnixMicro(), d.Due.UnixMicro(), expires, settled, d.Answer, string(data))
	return err
}

const deliveryColumns = "id, key, channel, service, type, alert, athlete, site, severity, state, created_us, due_us, expires_us, settled_us, attempts, message, answer, data"

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// deliveries reads those that fit what stands behind FROM deliveries.
func deliveries(ctx context.Context, q querier, where string, args ...any) ([]Delivery, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+deliveryColumns+" FROM deliveries "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Delivery
	for rows.Next() {
		var d Delivery
		var severity int
		var created, due int64
		var expires, settled sql.NullInt64
		var data string
		err := rows.Scan(&d.ID, &d.key, &d.Channel, &d.Service, &d.Type, &d.Alert, &d.Athlete, &d.Site, &severity, &d.State,
			&created, &due, &expires, &settled, &d.Attempts, &d.Message, &d.Answer, &data)
		if err == nil {
			err = json.Unmarshal([]byte(data), &d.data)
		}
		if err != nil {
			return nil, fmt.Errorf("read deliveries: %w", err)
		}
		d.Severity = severities[severity]
		d.Created, d.Due = micros(created), micros(due)
		if expires.Valid {
			d.expires = micros(expires.Int64)
		}
		if settled.Valid {
			d.Settled = micros(settled.Int64)
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return all, nil
}

// Deliveries returns what was told of an alert, to whom and with what result, oldest
// first.
func (n *Notifier) Deliveries(ctx context.Context, alert string) ([]Delivery, error) {
	return deliveries(ctx, n.store.read, "WHERE alert = ? ORDER BY id", alert)
}

// Query narrows the log of deliveries; zero fields do not.
type Query struct {
	Channel string
	Site    lift.SiteID
	State   State
	Limit   int
	Cursor  string // next of the page before
}

// ErrCursor says that a cursor is not one that was given out here.
var ErrCursor = errors.New("cursor is not one of this list's")

// Log returns deliveries, newest first, and the next page's cursor, "" at the end.
func (n *Notifier) Log(ctx context.Context, q Query) ([]Delivery, string, error) {
	where, args := []string{"1"}, []any{}
	for _, w := range []struct {
		column, value string
	}{{"channel", q.Channel}, {"site", string(q.Site)}, {"state", string(q.State)}} {
		if w.value != "" {
			where, args = append(where, w.column+" = ?"), append(args, w.value)
		}
	}
	if q.Cursor != "" {
		before, err := strconv.ParseInt(q.Cursor, 10, 64)
		if err != nil {
			return nil, "", ErrCursor
		}
		where, args = append(where, "id < ?"), append(args, before)
	}
	all, err := deliveries(ctx, n.store.read, "WHERE "+strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, q.Limit+1)...)
	if err != nil || len(all) <= q.Limit {
		return all, "", err
	}
	return all[:q.Limit], strconv.FormatInt(all[q.Limit-1].ID, 10), nil
}

// Export returns everything that is kept here about an athlete.
func (n *Notifier) Export(ctx context.Context, a lift.AthleteID) ([]Delivery, error) {
	return deliveries(ctx, n.store.read, "WHERE athlete = ? ORDER BY id", string(a))
}

// Forget drops everything that is kept here about an athlete, the athlete's own
// channels too, and returns how many deliveries and channels those were. What is
// decided later is kept again: Position tells how far that has come. What is being
// sent at the moment may still arrive.
func (n *Notifier) Forget(ctx context.Context, a lift.AthleteID) (dropped, channels int, err error) {
	err = n.store.in(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM deliveries WHERE athlete = ?", string(a))
		if err != nil {
			return err
		}
		rows, err := result.RowsAffected()
		dropped = int(rows)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			"DELETE FROM escalations WHERE alert IN (SELECT alert FROM alerts WHERE athlete = ?)",
			"DELETE FROM alerts WHERE athlete = ?",
			"DELETE FROM tellings WHERE athlete = ?",
		} {
			if _, err := tx.ExecContext(ctx, statement, string(a)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		// Erased pages must not stay in the write-ahead log.
		_, err = n.store.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err == nil {
		channels, err = n.o.Channels.removeOf(a)
	}
	if err != nil {
		return dropped, channels, fmt.Errorf("forget an athlete's deliveries: %w", err)
	}
	return dropped, channels, nil
}

// Prune drops what was settled before the given time, and what the policy no longer
// looks at. It returns how many deliveries those were.
func (n *Notifier) Prune(ctx context.Context, before time.Time) (int, error) {
	var dropped int64
	err := n.store.in(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM deliveries WHERE settled_us < ?", before.UnixMicro())
		if err != nil {
			return err
		}
		if dropped, err = result.RowsAffected(); err != nil {
			return err
		}
		memory := n.now().AddDate(0, 0, -7*n.o.Policy.Weeks-7).UnixMicro()
		if _, err := tx.ExecContext(ctx, "DELETE FROM tellings WHERE at_us < ?", memory); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM alerts WHERE updated_us < ? AND state NOT IN ('open', 'acknowledged')", min(memory, before.UnixMicro()))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("drop old deliveries: %w", err)
	}
	return int(dropped), nil
}

func ids(all []Delivery) (marks string, args []any) {
	for i := range all {
		args = append(args, all[i].ID)
	}
	return strings.Join(slices.Repeat([]string{"?"}, len(all)), ","), args
}
