package view

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

const loggedColumns = "athlete, time_us, id, site, revision, log, exercise, set_no, reps, load_kg, best, flags"

const (
	loggedWarmup = 1 << iota
	loggedRemoved
)

// setLogged takes a set of a training log in the revision that counts.
func (a *applier) setLogged(e *journal.Entry) error {
	hash, err := contentHash(&e.Event)
	if err != nil {
		return err
	}
	s := *e.Logged
	s.Site, s.Athlete, s.Time = e.Site, e.Athlete, s.Time.UTC()
	c := Change{Seq: e.Seq, Received: e.Received, Logged: &s}
	n, err := a.insertLogged(e, &s, hash)
	if err != nil {
		return err
	}
	if n == 1 {
		a.counts.Logged.Add(1)
	} else {
		var revision int64
		var known []byte
		if err := a.stmt(a.stmts.loggedVersion).QueryRowContext(a.ctx, s.ID).Scan(&revision, &known); err != nil {
			return err
		}
		was, err := scanLogged(a.stmt(a.stmts.loggedSet).QueryRowContext(a.ctx, s.ID))
		if err != nil {
			return err
		}
		switch judge(s.Revision, hash, revision, known) {
		case older, repeated:
			a.counts.Duplicates.Add(1)
			return nil
		case conflictLost:
			return a.loggedConflict(e, &s)
		case conflictWon:
			if err := a.loggedConflict(e, &was); err != nil {
				return err
			}
		}
		if _, err := a.exec(a.stmts.deleteLogged, s.ID); err != nil {
			return err
		}
		if _, err := a.insertLogged(e, &s, hash); err != nil {
			return err
		}
		if _, err := a.exec(a.stmts.insertMove, int64(e.Seq), s.ID, string(was.Site), string(was.Athlete),
			string(was.Exercise), "", was.Time.UnixMilli()); err != nil {
			return err
		}
		a.counts.Corrected.Add(1)
		a.touch(was.Athlete, e)
		c.WasLogged = &was
	}
	a.touch(s.Athlete, e)
	a.changes = append(a.changes, c)
	return nil
}

// insertLogged returns 0 where there is a set of that id already.
func (a *applier) insertLogged(e *journal.Entry, s *lift.LoggedSet, hash []byte) (int64, error) {
	flags := 0
	if s.Warmup {
		flags |= loggedWarmup
	}
	if s.Removed {
		flags |= loggedRemoved
	}
	return a.exec(a.stmts.insertLogged, string(s.Athlete), s.Time.UnixMicro(), s.ID, string(s.Site), s.Revision, s.Log, string(s.Exercise),
		optional(s.Number), s.Reps, optional(s.LoadKg), optional(s.Best), flags, hash, e.Received.UnixMicro())
}

func (a *applier) loggedConflict(e *journal.Entry, loser *lift.LoggedSet) error {
	data, err := json.Marshal(loser, json.Deterministic(true))
	if err != nil {
		return err
	}
	return a.conflict(e, data)
}

func scanLogged(s scanner) (lift.LoggedSet, error) {
	var l lift.LoggedSet
	var at int64
	var flags int
	err := s.Scan(&l.Athlete, &at, &l.ID, &l.Site, &l.Revision, &l.Log, &l.Exercise, &l.Number, &l.Reps, &l.LoadKg, &l.Best, &flags)
	l.Time, l.Warmup, l.Removed = micros(at), flags&loggedWarmup != 0, flags&loggedRemoved != 0
	return l, err
}

// Logged returns the athlete's sets of training logs with from ≤ time < to, oldest
// first, without those that were taken back.
func (v *View) Logged(ctx context.Context, athlete lift.AthleteID, from, to time.Time) ([]lift.LoggedSet, error) {
	return logged(ctx, v.read, athlete, from, to)
}

func logged(ctx context.Context, q querier, athlete lift.AthleteID, from, to time.Time) ([]lift.LoggedSet, error) {
	all, err := collect(ctx, q, scanLogged, "SELECT "+loggedColumns+" FROM logged WHERE athlete = ? AND time_us >= ? AND time_us < ? AND flags & ? = 0 ORDER BY time_us, id",
		string(athlete), from.UnixMicro(), to.UnixMicro(), loggedRemoved)
	if err != nil {
		return nil, fmt.Errorf("read logged sets: %w", err)
	}
	return all, nil
}

// EachLogged hands every set of an athlete's training logs to yield, oldest first and
// those that were taken back too, until it fails.
func (v *View) EachLogged(ctx context.Context, athlete lift.AthleteID, yield func(*lift.LoggedSet) error) error {
	return v.each(ctx, "read logged sets", func(s scanner) error {
		l, err := scanLogged(s)
		if err != nil {
			return err
		}
		return yield(&l)
	}, "SELECT "+loggedColumns+" FROM logged WHERE athlete = ? ORDER BY time_us, id", string(athlete))
}

// LoggedSet returns one set of a training log, also one that was taken back, or
// ErrNotFound.
func (v *View) LoggedSet(ctx context.Context, id string) (lift.LoggedSet, error) {
	l, err := scanLogged(v.read.QueryRowContext(ctx, "SELECT "+loggedColumns+" FROM logged WHERE id = ?", id))
	return l, wrapNil("read logged set", err)
}

// Version says which revision of a rep or a logged set counts, and with what content.
type Version struct {
	Revision int64
	Hash     string // as journal.Event.ContentHash of its event: no coach's correction is in it
}

// RepVersions returns the versions of those of the reps that are known, by id.
func (v *View) RepVersions(ctx context.Context, ids []string) (map[string]Version, error) {
	return v.versions(ctx, "reps", ids, func(id string) any { return idBytes(id) }, func(key []byte) string { return "rp_" + hex.EncodeToString(key) })
}

// LoggedVersions returns the versions of those of the logged sets that are known, by
// id, also of those that were taken back.
func (v *View) LoggedVersions(ctx context.Context, ids []string) (map[string]Version, error) {
	return v.versions(ctx, "logged", ids, func(id string) any { return id }, func(key []byte) string { return string(key) })
}

// versionsAtOnce is how many ids one query asks for.
const versionsAtOnce = 500

func (v *View) versions(ctx context.Context, table string, ids []string, keyOf func(id string) any, idOf func(key []byte) string) (map[string]Version, error) {
	known := map[string]Version{}
	for len(ids) > 0 {
		n := min(len(ids), versionsAtOnce)
		keys := make([]any, n)
		for i, id := range ids[:n] {
			keys[i] = keyOf(id)
		}
		_, err := collect(ctx, v.read, func(s scanner) (struct{}, error) {
			var key, hash []byte
			var found Version
			err := s.Scan(&key, &found.Revision, &hash)
			found.Hash = hex.EncodeToString(hash)
			known[idOf(key)] = found
			return struct{}{}, err
		}, "SELECT id, revision, hash FROM "+table+" WHERE id IN (?"+strings.Repeat(",?", n-1)+")", keys...)
		if err != nil {
			return nil, fmt.Errorf("read versions of %s: %w", table, err)
		}
		ids = ids[n:]
	}
	return known, nil
}

// NextTraining returns the time of the athlete's first rep or logged set at a time or
// later, zero where there is none.
func (v *View) NextTraining(ctx context.Context, athlete lift.AthleteID, from time.Time) (time.Time, error) {
	var rep, set sql.NullInt64
	err := errors.Join(
		v.read.QueryRowContext(ctx, "SELECT min(point_ms) FROM reps WHERE athlete = ? AND point_ms >= ?", string(athlete), from.UnixMilli()).Scan(&rep),
		v.read.QueryRowContext(ctx, "SELECT min(time_us) FROM logged WHERE athlete = ? AND time_us >= ? AND flags & ? = 0", string(athlete), from.UnixMicro(), loggedRemoved).Scan(&set))
	if err != nil {
		return time.Time{}, fmt.Errorf("read when an athlete trained: %w", err)
	}
	next := time.Time{}
	if rep.Valid {
		next = time.UnixMilli(rep.Int64).UTC()
	}
	if at := micros(set.Int64); set.Valid && (next.IsZero() || at.Before(next)) {
		next = at
	}
	return next, nil
}
