package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the database driver "sqlite"

	"github.com/spotterhq/spotter/internal/feed"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// ErrNotFound says that the view knows nothing by that id.
var ErrNotFound = errors.New("not found")

const (
	// batchSize is how many events are applied in one transaction at most.
	batchSize = 1000
	// changesHeld is how many changes readers of Changes may lag behind.
	changesHeld = 16384
)

// Log is where the view reads events.
type Log interface {
	Follow(after uint64) *journal.Follower
}

// Change is one thing that a committed event changed. Exactly one of its fields is set,
// beside Seq, Received, Was and WasLogged. What it points to is not changed any more.
type Change struct {
	Seq      uint64
	Received time.Time // of the event
	Rep      *lift.RepRecord
	// Was is the rep as it was before, where this event changed a known rep.
	Was *lift.RepRecord
	// Logged is a set of a training log, WasLogged as it was before, where this event
	// changed a known one.
	Logged    *lift.LoggedSet
	WasLogged *lift.LoggedSet

	CheckIn *lift.CheckInRecord
	Alert   *AlertStep
	Plan    *PlanStep
	Record  *lift.Record
	Device  *Device
	// Assigned is who is on a bar, where that may have changed.
	Assigned *OnBar
	Tick     time.Time
	Erase    lift.AthleteID // who is to be forgotten
	Erased   *lift.Erased   // what came of that
}

// OnBar is the assignment in force of a device.
type OnBar struct {
	Site   lift.SiteID
	Device lift.DeviceID
	lift.Assignment
}

// Counts are totals since the program started.
type Counts struct {
	Events     atomic.Int64
	Reps       atomic.Int64 // new reps
	Logged     atomic.Int64 // new sets of training logs
	Corrected  atomic.Int64 // reps and logged sets changed by a revision, an edit or an assignment
	Duplicates atomic.Int64 // events that changed nothing
	Conflicts  atomic.Int64 // same revision, other content
	Erased     atomic.Int64 // events of people who were erased, left out
}

// View is the projection. Close it after Run has returned.
type View struct {
	Counts    Counts
	write     *sql.DB // one connection
	read      *sql.DB
	stmts     statements
	changes   *feed.Feed[Change]
	segmented map[deviceKey]bool // for Run only
	records   records
	erasing   map[lift.AthleteID]string // for Run only: whose erase is not done, with the receipt
	log       *slog.Logger
}

// Open opens the view at path, creating it where there is none. A view of another
// schema version is thrown away: Run fills it again.
func Open(ctx context.Context, path string, logger *slog.Logger) (*View, error) {
	v, err := open(ctx, path, logger)
	if errors.Is(err, errOtherVersion) {
		logger.Info("the view is of another version and is rebuilt")
		if err := Remove(path); err != nil {
			return nil, err
		}
		return open(ctx, path, logger)
	}
	return v, err
}

// Remove deletes the view at path.
func Remove(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove view: %w", err)
		}
	}
	return nil
}

var errOtherVersion = errors.New("view has another schema version")

func open(ctx context.Context, path string, logger *slog.Logger) (_ *View, err error) {
	v := &View{log: logger}
	defer func() {
		if err != nil {
			_ = v.Close()
		}
	}()
	// The log has everything on disk: a commit lost in a power cut is applied again.
	common := "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_pragma=cache_size(-8000)"
	if v.write, err = sql.Open("sqlite", common+"&_pragma=secure_delete(1)&_txlock=immediate"); err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	v.write.SetMaxOpenConns(1)
	if err := v.prepareSchema(ctx); err != nil {
		return nil, err
	}
	if v.read, err = sql.Open("sqlite", common+"&_pragma=query_only(1)"); err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	v.read.SetMaxOpenConns(4)
	v.read.SetMaxIdleConns(4)
	if err := v.stmts.prepare(ctx, v.write); err != nil {
		return nil, fmt.Errorf("prepare view: %w", err)
	}
	pos, err := position(ctx, v.write)
	if err != nil {
		return nil, err
	}
	if v.segmented, err = segmentedDevices(ctx, v.write); err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	if v.records.all, err = loadRecords(ctx, v.write); err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	if v.erasing, err = erasingAthletes(ctx, v.write); err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	v.changes = feed.New[Change](changesHeld, pos)
	return v, nil
}

func (v *View) prepareSchema(ctx context.Context) error {
	var version int
	if err := v.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("open view: %w", err)
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
		tx, err := v.write.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("create view: %w", err)
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, schema+eraseSchema+fmt.Sprintf("PRAGMA user_version = %d; INSERT INTO meta VALUES ('position', 0), ('tick', 0);", schemaVersion)); err != nil {
			return fmt.Errorf("create view: %w", err)
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("create view: %w", err)
		}
		return nil
	}
	return errOtherVersion
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func position(ctx context.Context, q querier) (uint64, error) {
	var pos int64
	if err := q.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'position'").Scan(&pos); err != nil {
		return 0, fmt.Errorf("read view's position: %w", err)
	}
	return uint64(pos), nil
}

// LastTick is the time of the newest tick that the view has applied, zero before
// the first.
func (v *View) LastTick(ctx context.Context) (time.Time, error) { return lastTick(ctx, v.read) }

func lastTick(ctx context.Context, q querier) (time.Time, error) {
	var us int64
	if err := q.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'tick'").Scan(&us); err != nil {
		return time.Time{}, fmt.Errorf("read view's last tick: %w", err)
	}
	if us == 0 {
		return time.Time{}, nil
	}
	return micros(us), nil
}

// Close frees the files.
func (v *View) Close() error {
	var errs []error
	for _, db := range []*sql.DB{v.read, v.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Changes is what committed events have changed, newest last, for any number of
// readers. Its end is the view's position.
func (v *View) Changes() *feed.Feed[Change] { return v.changes }

// Position is the log's sequence up to which everything is in the view.
func (v *View) Position() uint64 {
	_, to := v.changes.Span()
	return to
}

// WaitFor returns once the view has applied the log up to seq.
func (v *View) WaitFor(ctx context.Context, seq uint64) error { return v.changes.WaitFor(ctx, seq) }

// Run applies the log until the context ends or the disk fails. It returns the
// context's error or what went wrong; nothing is half applied.
func (v *View) Run(ctx context.Context, log Log) error {
	follower := log.Follow(v.Position())
	for {
		entries, err := follower.Next(ctx, batchSize)
		if err != nil {
			return fmt.Errorf("follow log into view: %w", err)
		}
		if err := v.apply(ctx, entries, follower.Position()); err != nil {
			return fmt.Errorf("apply log to view: %w", err)
		}
	}
}

// apply commits the entries and the position in one transaction and then
// publishes what they changed.
func (v *View) apply(ctx context.Context, entries []journal.Entry, pos uint64) error {
	tx, err := v.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	a := applier{ctx: ctx, tx: tx, stmts: &v.stmts, counts: &v.Counts, segmented: v.segmented, erasing: v.erasing}
	for i := range entries {
		e := &entries[i]
		if err := a.apply(e); err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	if err := a.finish(pos); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	v.records.forget(a.forgotten)
	v.records.put(a.recorded) // of those who were erased only what came after
	v.Counts.Events.Add(int64(len(entries)))
	v.changes.PublishAll(pos, func(c Change) uint64 { return c.Seq }, a.changes)
	return nil
}
