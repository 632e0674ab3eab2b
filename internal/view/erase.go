package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

const eraseSchema = `
-- Receipts. athlete is whose data is being erased, '' once that is done; data is the
-- receipt's newest word, counts what the view has let go of.
CREATE TABLE erasures (
  receipt TEXT PRIMARY KEY, asked_us INTEGER NOT NULL, athlete TEXT NOT NULL, seq INTEGER NOT NULL,
  data TEXT NOT NULL, counts TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX erasures_asked ON erasures(asked_us, receipt);
-- Until an erase is done: the reps of which the log holds words that have to go, and
-- how (as the constants below say).
CREATE TABLE erasing (receipt TEXT NOT NULL, rep_id BLOB NOT NULL, how INTEGER NOT NULL, PRIMARY KEY (receipt, rep_id)) WITHOUT ROWID;
-- And when the person was on which bar, as far back as bar velocity is kept.
CREATE TABLE erasing_bars (receipt TEXT NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL);
`

// Values of erasing.how.
const (
	howTheirs  = iota // the athlete's
	howRefiled        // somebody else's now: new words take the place of the old ones
	howGiven          // the athlete's by a correction only
)

// Erasure is a receipt. Athlete is empty once everything is done.
type Erasure struct {
	lift.Erased
	Athlete lift.AthleteID
	// Counts is what the view has let go of, by what it is.
	Counts map[string]int64
}

// Stretch is a time in which somebody was on a bar.
type Stretch struct {
	Site     lift.SiteID
	Device   lift.DeviceID
	From, To time.Time
}

const (
	// unmeasured is how long each phase of a rep took at most where it was not told.
	unmeasured = 3 * time.Second
	// margin is added at both ends of a rep.
	margin = time.Second
)

// refused reports whether the event is of somebody who is being erased: it came
// between that request and its end.
func (a *applier) refused(e *journal.Entry) bool {
	if len(a.erasing) == 0 || e.Kind == journal.KindErase {
		return false
	}
	_, of := a.erasing[e.Athlete]
	if e.Edit != nil && e.Edit.Athlete != nil {
		_, to := a.erasing[*e.Edit.Athlete]
		of = of || to
	}
	if of {
		a.counts.Erased.Add(1)
	}
	return of
}

// erase lets go of everything about the athlete and notes what the log has to.
func (a *applier) erase(e *journal.Entry) error {
	if _, pending := a.erasing[e.Athlete]; pending {
		a.counts.Duplicates.Add(1)
		return nil
	}
	x := eraser{applier: a, athlete: string(e.Athlete), at: e.Erase.At, receipt: e.Erase.Receipt, seq: e.Seq, counts: map[string]int64{}}
	for _, step := range []func() error{x.refile, x.noteReps, x.noteBars, x.endAssignments, x.forget, x.forgetQuarantined} {
		if err := step(); err != nil {
			return err
		}
	}
	data, err := json.Marshal(&lift.Erased{Receipt: e.Erase.Receipt, By: e.Erase.By, At: e.Erase.At, Stores: []lift.StoreErased{}})
	if err != nil {
		return err
	}
	counts, err := json.Marshal(x.counts, json.Deterministic(true))
	if err != nil {
		return err
	}
	if _, err := a.tx.ExecContext(a.ctx, "INSERT INTO erasures VALUES (?,?,?,?,?,?) ON CONFLICT(receipt) DO UPDATE SET athlete = excluded.athlete, seq = excluded.seq, counts = excluded.counts",
		e.Erase.Receipt, e.Erase.At.UnixMicro(), string(e.Athlete), int64(e.Seq), string(data), string(counts)); err != nil {
		return err
	}
	a.erasing[e.Athlete] = e.Erase.Receipt
	a.forgotten = append(a.forgotten, e.Athlete)
	a.recorded = slices.DeleteFunc(a.recorded, func(r *lift.Record) bool { return r.Kind == lift.OfAthlete && r.ID == string(e.Athlete) })
	delete(a.touched, e.Athlete)
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Erase: e.Athlete})
	return nil
}

// erased keeps the receipt's newest word.
func (a *applier) erased(e *journal.Entry) error {
	data, err := json.Marshal(e.Erased)
	if err != nil {
		return err
	}
	r := e.Erased.Receipt
	if _, err := a.tx.ExecContext(a.ctx, "INSERT INTO erasures VALUES (?,?,'',?,?,'{}') ON CONFLICT(receipt) DO UPDATE SET data = excluded.data",
		r, e.Erased.At.UnixMicro(), int64(e.Seq), string(data)); err != nil {
		return err
	}
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Erased: e.Erased})
	queries := []string{}
	if !e.Erased.Done.IsZero() {
		queries = append(queries, "UPDATE erasures SET athlete = '' WHERE receipt = ?", "DELETE FROM erasing WHERE receipt = ?", "DELETE FROM erasing_bars WHERE receipt = ?")
		for athlete, receipt := range a.erasing {
			if receipt == r {
				delete(a.erasing, athlete)
			}
		}
	}
	if e.Erased.Lifted != nil {
		queries = append(queries, "UPDATE assignments SET data = json_remove(data, '$.erased') WHERE json_extract(data, '$.erased') = ?")
	}
	for _, q := range queries {
		if _, err := a.tx.ExecContext(a.ctx, q, r); err != nil {
			return err
		}
	}
	return nil
}

// eraser carries one erase out.
type eraser struct {
	*applier
	athlete string
	at      time.Time
	receipt string
	seq     uint64
	counts  map[string]int64
}

func (x *eraser) run(what, query string, args ...any) error {
	r, err := x.tx.ExecContext(x.ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if what != "" && n > 0 {
		x.counts[what] += n
	}
	return err
}

// refile makes the corrected reps that are somebody else's now, and once were the
// athlete's, independent of what the log has under the athlete: what they are now
// becomes their device's word.
func (x *eraser) refile() error {
	type corrected struct{ raw, patch string }
	words := map[string]corrected{}
	ids, err := collect(x.ctx, x.tx, func(s scanner) ([]byte, error) {
		var id []byte
		var c corrected
		err := s.Scan(&id, &c.raw, &c.patch)
		words[string(id)] = c
		return id, err
	}, `SELECT rep_id, raw, patch FROM edits JOIN reps ON reps.id = edits.rep_id WHERE reps.athlete != ?1 AND
	  (json_extract(raw, '$.athlete') = ?1 OR EXISTS (SELECT 1 FROM moves WHERE moves.athlete = ?1 AND moves.rep_id = edits.rep_id))`, x.athlete)
	if err != nil {
		return err
	}
	for _, id := range ids {
		known, err := scanRow(x.tx.QueryRowContext(x.ctx, "SELECT "+rowColumns+" FROM reps WHERE id = ?", id))
		if err != nil {
			return err
		}
		var patch lift.RepEdit
		if err := json.Unmarshal([]byte(words[string(id)].patch), &patch); err != nil {
			return err
		}
		raw := known.Rep
		if raw.Athlete != "" {
			patch.Athlete = &raw.Athlete
		} else {
			patch.Athlete = nil
		}
		if err := x.storeEdit(known.ID, &raw, &patch); err != nil {
			return err
		}
		if known.hash, err = contentHash(&journal.Event{Kind: journal.KindRep, Rep: &raw}); err != nil {
			return err
		}
		known.resolve(raw, nil, !known.Valid, &patch)
		if err := x.run("", "UPDATE reps SET hash = ?, given = ?, flags = ?, data = ? WHERE id = ?", known.hash, known.given, known.flags, known.data(), id); err != nil {
			return err
		}
		if err := x.run("", "INSERT INTO erasing VALUES (?,?,?)", x.receipt, id, howRefiled); err != nil {
			return err
		}
	}
	return nil
}

// noteReps notes the athlete's reps, and those of nobody that were found in samples
// of them.
func (x *eraser) noteReps() error {
	if err := x.run("", `INSERT INTO erasing SELECT ?1, id, CASE WHEN EXISTS (SELECT 1 FROM edits WHERE edits.rep_id = reps.id
	    AND json_extract(patch, '$.athlete') = ?2 AND coalesce(json_extract(raw, '$.athlete'), '') != ?2) THEN ?3 ELSE ?4 END FROM reps WHERE athlete = ?2`,
		x.receipt, x.athlete, howGiven, howTheirs); err != nil {
		return err
	}
	return x.run("", `INSERT OR IGNORE INTO erasing SELECT ?, found.id, ? FROM reps AS own JOIN reps AS found ON found.site = own.site AND found.device = own.device
	    AND found.time_us BETWEEN own.time_us - ? - cast(coalesce(own.concentric, 0) * 1e6 AS INTEGER) AND own.time_us + ?
	  WHERE own.athlete = ? AND own.source = 'device' AND found.athlete = '' AND found.source = 'segmented' AND EXISTS
	    (SELECT 1 FROM segmented WHERE segmented.site = own.site AND segmented.device = own.device)`,
		x.receipt, howTheirs, toldWithin.Microseconds(), toldWithin.Microseconds(), x.athlete)
}

// noteBars notes when the athlete was on which bar, of which there may be samples:
// by assignment, and by the reps.
func (x *eraser) noteBars() error {
	oldest := x.at.Add(-journal.SamplesRetention - 24*time.Hour).UnixMicro()
	if err := x.run("", `INSERT INTO erasing_bars SELECT ?1, site, device, since_us, coalesce((SELECT min(n.since_us) FROM assignments AS n
	    WHERE n.site = a.site AND n.device = a.device AND n.since_us > a.since_us), ?2) AS until FROM assignments AS a
	  WHERE json_extract(data, '$.athlete') = ?3 AND until > ?4`, x.receipt, x.at.UnixMicro(), x.athlete, oldest); err != nil {
		return err
	}
	return x.run("", `INSERT INTO erasing_bars SELECT ?1, site, device,
	    time_us - cast(coalesce(concentric * 1e6, ?2) + coalesce(eccentric * 1e6, ?2) AS INTEGER) - ?3, time_us + ?3
	  FROM reps WHERE id IN (SELECT rep_id FROM erasing WHERE receipt = ?1 AND how != ?5) AND time_us > ?4`,
		x.receipt, unmeasured.Microseconds(), margin.Microseconds(), oldest, howRefiled)
}

// endAssignments puts nobody in the athlete's place on each bar, so that nobody else
// gets their reps: the assignment before would last on otherwise.
func (x *eraser) endAssignments() error {
	type place struct {
		site, device string
		since        int64
		last         bool // nothing ends it
	}
	places, err := collect(x.ctx, x.tx, func(s scanner) (p place, err error) {
		return p, s.Scan(&p.site, &p.device, &p.since, &p.last)
	}, `SELECT site, device, since_us, NOT EXISTS (SELECT 1 FROM assignments AS n WHERE n.site = a.site AND n.device = a.device AND n.since_us > a.since_us)
	  FROM assignments AS a WHERE json_extract(data, '$.athlete') = ?`, x.athlete)
	if err != nil {
		return err
	}
	put := func(p place, since int64, receipt string) error {
		data, err := json.Marshal(&lift.Assignment{Since: micros(since), SinceGiven: true, Erased: receipt})
		if err != nil {
			return err
		}
		_, err = x.exec(x.stmts.putAssignment, p.site, p.device, since, int64(x.seq), string(data))
		return err
	}
	for _, p := range places {
		if err := put(p, p.since, x.receipt); err != nil {
			return err
		}
		x.counts["assignments"]++
		if p.last {
			if err := put(p, max(x.at.UnixMicro(), p.since+1), ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget deletes what is filed by athlete.
func (x *eraser) forget() error {
	mine := fmt.Sprintf("SELECT rep_id FROM erasing WHERE receipt = ?1 AND how != %d", howRefiled)
	for _, d := range []struct{ what, query string }{
		{"", "DELETE FROM moves WHERE athlete = ?2 OR rep_id IN (" + mine + ")"},
		{"corrections", "DELETE FROM edits WHERE rep_id IN (" + mine + ")"},
		{"reps", "DELETE FROM reps WHERE id IN (" + mine + ")"},
		{"logged sets", "DELETE FROM logged WHERE athlete = ?2"},
		{"check-ins", "DELETE FROM checkins WHERE athlete = ?2"},
		{"plan steps", "DELETE FROM plan_steps WHERE athlete = ?2"},
		{"", "DELETE FROM alert_steps WHERE alert IN (SELECT id FROM alerts WHERE athlete = ?2)"},
		{"alerts", "DELETE FROM alerts WHERE athlete = ?2"},
		{"records", "DELETE FROM records WHERE kind = 'athlete' AND id = ?2"},
		{"audit entries", "DELETE FROM audit WHERE athlete = ?2"},
		{"", "DELETE FROM athletes WHERE athlete = ?2"},
	} {
		args := []any{x.receipt, x.athlete}
		if !strings.Contains(d.query, "?2") {
			args = args[:1]
		}
		if err := x.run(d.what, d.query, args...); err != nil {
			return fmt.Errorf("%s: %w", d.query, err)
		}
	}
	return nil
}

func (x *eraser) forgetQuarantined() error {
	var named []string
	_, err := collect(x.ctx, x.tx, func(s scanner) (struct{}, error) {
		q, err := scanQuarantined(s)
		if err == nil && q.Names(lift.AthleteID(x.athlete)) {
			named = append(named, q.ID)
		}
		return struct{}{}, err
	}, "SELECT data, released FROM quarantine")
	if err != nil {
		return err
	}
	for _, id := range named {
		if err := x.run("quarantined messages", "DELETE FROM quarantine WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// erasingAthletes reads whose erase is not done, with the receipt.
func erasingAthletes(ctx context.Context, db *sql.DB) (map[lift.AthleteID]string, error) {
	all := map[lift.AthleteID]string{}
	_, err := collect(ctx, db, func(s scanner) (struct{}, error) {
		var athlete lift.AthleteID
		var receipt string
		err := s.Scan(&athlete, &receipt)
		all[athlete] = receipt
		return struct{}{}, err
	}, "SELECT athlete, receipt FROM erasures WHERE athlete != ''")
	return all, err
}

func scanErasure(s scanner) (Erasure, error) {
	var e Erasure
	var data, counts string
	if err := s.Scan(&e.Athlete, &data, &counts); err != nil {
		return e, err
	}
	return e, errors.Join(json.Unmarshal([]byte(data), &e.Erased), json.Unmarshal([]byte(counts), &e.Counts))
}

// Erasures returns the receipts, newest first, and the next page's cursor, "" at the
// end.
func (v *View) Erasures(ctx context.Context, p Page) ([]Erasure, string, error) {
	query, args := "SELECT athlete, data, counts FROM erasures", []any{}
	if p.Cursor != "" {
		after, err := parsePlace(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		query += " WHERE (asked_us, receipt) < (?, ?)"
		args = append(args, after.time, after.id)
	}
	all, err := collect(ctx, v.read, scanErasure, query+" ORDER BY asked_us DESC, receipt DESC LIMIT ?", append(args, p.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("read erasures: %w", err)
	}
	if len(all) <= p.Limit {
		return all, "", nil
	}
	last := &all[p.Limit-1]
	return all[:p.Limit], place{last.At.UnixMicro(), last.Receipt}.String(), nil
}

// Erasure returns one receipt, or ErrNotFound.
func (v *View) Erasure(ctx context.Context, receipt string) (Erasure, error) {
	e, err := scanErasure(v.read.QueryRowContext(ctx, "SELECT athlete, data, counts FROM erasures WHERE receipt = ?", receipt))
	return e, wrapNil("read erasure", err)
}

// Erasing returns the receipt of an erase that is not done, "" where there is none.
func (v *View) Erasing(ctx context.Context, athlete lift.AthleteID) (string, error) {
	var receipt string
	err := v.read.QueryRowContext(ctx, "SELECT receipt FROM erasures WHERE athlete = ?", string(athlete)).Scan(&receipt)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read erasures: %w", err)
	}
	return receipt, nil
}

// ErasedReps returns the ids of the reps whose words the log has to let go of, until
// the erase is done: true for those that were the athlete's by a correction only.
func (v *View) ErasedReps(ctx context.Context, receipt string) (map[string]bool, error) {
	all := map[string]bool{}
	_, err := collect(ctx, v.read, func(s scanner) (struct{}, error) {
		var id []byte
		var how int
		err := s.Scan(&id, &how)
		all[fmt.Sprintf("rp_%x", id)] = how == howGiven
		return struct{}{}, err
	}, "SELECT rep_id, how FROM erasing WHERE receipt = ?", receipt)
	if err != nil {
		return nil, fmt.Errorf("read erased reps: %w", err)
	}
	return all, nil
}

// ErasedStretches returns when the person was on which bar, until the erase is done.
func (v *View) ErasedStretches(ctx context.Context, receipt string) ([]Stretch, error) {
	all, err := collect(ctx, v.read, scanStretch,
		"SELECT site, device, from_us, to_us FROM erasing_bars WHERE receipt = ? ORDER BY site, device, from_us", receipt)
	if err != nil {
		return nil, fmt.Errorf("read erased stretches: %w", err)
	}
	return all, nil
}

func scanStretch(s scanner) (Stretch, error) {
	var x Stretch
	var from, to int64
	err := s.Scan(&x.Site, &x.Device, &from, &to)
	x.From, x.To = micros(from), micros(to)
	return x, err
}

// forever is the end of an assignment that is in force.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// ErasedUntil returns the bars on which somebody was who was erased since, and when
// the last such assignment ends.
func (v *View) ErasedUntil(ctx context.Context) ([]Stretch, error) {
	all, err := collect(ctx, v.read, scanStretch, `SELECT site, device, min(since_us), max(coalesce((SELECT min(n.since_us) FROM assignments AS n
	    WHERE n.site = a.site AND n.device = a.device AND n.since_us > a.since_us), ?)) FROM assignments AS a
	  WHERE json_extract(data, '$.erased') IS NOT NULL GROUP BY site, device`, forever.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read erased stretches: %w", err)
	}
	return all, nil
}

// Replacements returns the events that have to be in the log before the athlete's
// own go, in the order in which they are to be appended: assignments of nobody in
// the place of theirs, with what ends them, and the words of reps that are somebody
// else's now.
func (v *View) Replacements(ctx context.Context, receipt string) ([]journal.Event, error) {
	events, err := collect(ctx, v.read, func(s scanner) (journal.Event, error) {
		e := journal.Event{Kind: journal.KindAssign, Assign: &lift.Assignment{}}
		var data string
		if err := s.Scan(&e.Site, &e.Device, &data); err != nil {
			return e, err
		}
		err := json.Unmarshal([]byte(data), e.Assign)
		e.Received = e.Assign.Since
		return e, err
	}, `SELECT site, device, data FROM assignments AS a WHERE json_extract(data, '$.erased') = ?1 OR json_extract(data, '$.athlete') IS NULL AND
	  ?1 = (SELECT json_extract(b.data, '$.erased') FROM assignments AS b WHERE b.site = a.site AND b.device = a.device AND b.since_us < a.since_us ORDER BY b.since_us DESC LIMIT 1)
	  ORDER BY site, device, since_us`, receipt)
	if err != nil {
		return nil, fmt.Errorf("read replacements: %w", err)
	}
	_, err = collect(ctx, v.read, func(s scanner) (struct{}, error) {
		rep := journal.Event{Kind: journal.KindRep, Rep: &lift.Rep{}}
		edit := journal.Event{Kind: journal.KindEdit, Edit: &lift.RepEdit{}}
		var received int64
		var raw, patch string
		if err := s.Scan(&rep.Site, &rep.Device, &received, &rep.InPlaceOf, &raw, &patch); err != nil {
			return struct{}{}, err
		}
		err := errors.Join(json.Unmarshal([]byte(raw), rep.Rep), json.Unmarshal([]byte(patch), edit.Edit))
		rep.Received, rep.Athlete = micros(received), rep.Rep.Athlete
		edit.Received, edit.Site, edit.Athlete = edit.Edit.At, rep.Site, rep.Athlete
		edit.Edit.RepID = lift.RepID(rep.Site, rep.Device, rep.Rep.BootID, rep.Rep.Seq)
		events = append(events, rep, edit)
		return struct{}{}, err
	}, `SELECT reps.site, reps.device, reps.received_us, reps.first_seq, raw, patch FROM erasing JOIN reps ON reps.id = erasing.rep_id JOIN edits ON edits.rep_id = erasing.rep_id
	  WHERE receipt = ? AND how = ? ORDER BY reps.first_seq`, receipt, howRefiled)
	if err != nil {
		return nil, fmt.Errorf("read replacements: %w", err)
	}
	return events, nil
}

// Knows reports whether anything here is about the athlete.
func (v *View) Knows(ctx context.Context, athlete lift.AthleteID) (bool, error) {
	var known bool
	err := v.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM athletes WHERE athlete = ?1) OR EXISTS (SELECT 1 FROM reps WHERE athlete = ?1)
	  OR EXISTS (SELECT 1 FROM logged WHERE athlete = ?1)
	  OR EXISTS (SELECT 1 FROM records WHERE kind = 'athlete' AND id = ?1)
	  OR EXISTS (SELECT 1 FROM assignments WHERE json_extract(data, '$.athlete') = ?1)`, string(athlete)).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("read whether an athlete is known: %w", err)
	}
	return known, nil
}

// Scrub writes what was deleted over on disk too, as far as nobody is reading: it
// empties the file of what has not been merged yet. The view overwrites deleted rows
// by itself.
func (v *View) Scrub(ctx context.Context) error {
	var busy, frames, moved int
	if err := v.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("scrub view: %w", err)
	}
	if busy != 0 {
		return errors.New("scrub view: somebody is reading")
	}
	return nil
}
