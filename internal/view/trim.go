package view

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Old is a kind of rows that may be too old to be kept.
type Old string

// The kinds of rows, by what they are called where something is said of them.
const (
	OldReps       Old = "reps"
	OldLogged     Old = "logged sets"
	OldCheckIns   Old = "check-ins"
	OldQuarantine Old = "quarantine"
	OldAudit      Old = "audit"
)

// trimmed is how the rows of each kind are found, and deleted by the key that was
// found. A rep counts as old by its newest word.
var trimmed = map[Old]struct {
	find   string
	delete []string
}{
	OldReps: {
		"SELECT id FROM reps WHERE received_us < ? LIMIT ?",
		[]string{"DELETE FROM edits WHERE rep_id", "DELETE FROM moves WHERE rep_id", "DELETE FROM reps WHERE id"},
	},
	OldLogged: {
		"SELECT id FROM logged WHERE received_us < ? LIMIT ?",
		[]string{"DELETE FROM moves WHERE device = '' AND rep_id", "DELETE FROM logged WHERE id"},
	},
	OldCheckIns:   {"SELECT id FROM checkins WHERE received_us < ? LIMIT ?", []string{"DELETE FROM checkins WHERE id"}},
	OldQuarantine: {"SELECT id FROM quarantine WHERE received_us < ? LIMIT ?", []string{"DELETE FROM quarantine WHERE id"}},
	OldAudit:      {"SELECT seq FROM audit WHERE at_us < ? LIMIT ?", []string{"DELETE FROM audit WHERE seq"}},
}

const (
	// findAtOnce is how many rows are looked for at a time, trimAtOnce how many are
	// deleted in one transaction: the view applies events between them.
	findAtOnce = 50_000
	trimAtOnce = 500
)

// Trim deletes the rows of a kind that were received before the given time, and
// returns how many. Events are applied meanwhile. The log must have let go of them
// first.
func (v *View) Trim(ctx context.Context, what Old, before time.Time) (int, error) {
	how := trimmed[what]
	for n := 0; ; {
		found, err := collect(ctx, v.read, func(s scanner) (key any, err error) { return key, s.Scan(&key) }, how.find, before.UnixMicro(), findAtOnce)
		if err != nil {
			return n, fmt.Errorf("trim %s: %w", what, err)
		}
		if len(found) == 0 {
			return n, nil
		}
		for keys := range slices.Chunk(found, trimAtOnce) {
			if err := v.deleteAll(ctx, how.delete, keys); err != nil {
				return n, fmt.Errorf("trim %s: %w", what, err)
			}
			n += len(keys)
		}
	}
}

// deleteAll carries the deletions out for some keys, in one transaction.
func (v *View) deleteAll(ctx context.Context, deletions []string, keys []any) error {
	tx, err := v.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, d := range deletions {
		if _, err := tx.ExecContext(ctx, d+" IN (?"+strings.Repeat(",?", len(keys)-1)+")", keys...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
