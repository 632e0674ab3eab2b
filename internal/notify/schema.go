package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "modernc.org/sqlite" // the database driver "sqlite"
)

// schemaVersion is that of notify.db. Another version is refused: unlike the view it
// cannot be built again.
const schemaVersion = 1

const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- The outbox, and what became of it. key names what is told to whom, and is there
-- once. message is set once the delivery is part of a message that may have been sent.
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL, service TEXT NOT NULL, type TEXT NOT NULL, alert TEXT NOT NULL, athlete TEXT NOT NULL, site TEXT NOT NULL,
  severity INTEGER NOT NULL, state TEXT NOT NULL, created_us INTEGER NOT NULL, due_us INTEGER NOT NULL, expires_us INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, settled_us INTEGER, message TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '',
  data TEXT NOT NULL
);
CREATE INDEX deliveries_waiting ON deliveries(channel, due_us) WHERE state = 'waiting';
CREATE INDEX deliveries_due ON deliveries(due_us) WHERE state = 'waiting';
CREATE INDEX deliveries_message ON deliveries(message) WHERE message <> '';
CREATE INDEX deliveries_alert ON deliveries(alert, id);
CREATE INDEX deliveries_athlete ON deliveries(athlete);
CREATE INDEX deliveries_channel ON deliveries(channel, id);
CREATE INDEX deliveries_settled ON deliveries(settled_us) WHERE settled_us IS NOT NULL;

-- What the policy is asked about: each severity that an alert has reached, in the
-- order of time and, within one moment, of the log.
CREATE TABLE tellings (
  athlete TEXT NOT NULL, at_us INTEGER NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (athlete, at_us, seq)
) WITHOUT ROWID;

-- Alerts that reached a severity that can be pushed: how they stand, and whether the
-- policy has pushed them. since_us is when it did so last.
CREATE TABLE alerts (
  alert TEXT PRIMARY KEY, athlete TEXT NOT NULL, state TEXT NOT NULL, reached INTEGER NOT NULL, pushed INTEGER NOT NULL,
  since_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, data TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alerts_athlete ON alerts(athlete);

-- What follows while nobody answers.
CREATE TABLE escalations (
  alert TEXT NOT NULL, step INTEGER NOT NULL, addressee TEXT NOT NULL, due_us INTEGER NOT NULL, PRIMARY KEY (alert, step)
) WITHOUT ROWID;
CREATE INDEX escalations_due ON escalations(due_us);
`

// store is notify.db.
type store struct{ write, read *sql.DB }

// openStore opens the file, and reports whether it is new.
func openStore(ctx context.Context, path string) (_ *store, fresh bool, err error) {
	s := &store{}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	// A power cut may take the newest commits, the position in the log among them: what
	// they decided is decided again, and perhaps told twice, but nothing is lost.
	common := "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_pragma=secure_delete(1)"
	if s.write, err = sql.Open("sqlite", common+"&_txlock=immediate"); err != nil {
		return nil, false, fmt.Errorf("open outbox: %w", err)
	}
	s.write.SetMaxOpenConns(1)
	var version int
	if err := s.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return nil, false, fmt.Errorf("open outbox: %w", err)
	}
	switch version {
	case schemaVersion:
	case 0:
		fresh = true
		err = s.in(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion))
			return err
		})
		if err != nil {
			return nil, false, fmt.Errorf("create outbox: %w", err)
		}
	default:
		return nil, false, fmt.Errorf("open outbox: %s is of version %d, which is not known to this program", path, version)
	}
	if s.read, err = sql.Open("sqlite", common+"&_pragma=query_only(1)"); err != nil {
		return nil, false, fmt.Errorf("open outbox: %w", err)
	}
	s.read.SetMaxOpenConns(2)
	return s, fresh, nil
}

func (s *store) close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// in runs f in one transaction.
func (s *store) in(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// position is the log's sequence up to which everything was decided, and false before
// it was ever stored.
func (s *store) position(ctx context.Context) (uint64, bool, error) {
	var pos int64
	err := s.write.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'position'").Scan(&pos)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read outbox's position: %w", err)
	}
	return uint64(pos), true, nil
}

func savePosition(ctx context.Context, tx *sql.Tx, pos uint64) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES ('position', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", int64(pos))
	return err
}

func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }
