package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

type recordKey struct {
	kind lift.RecordKind
	id   string
}

// known is a record in its newest revision, and those of its revisions that changed
// what athletes are judged by, without anything else that they hold.
type known struct {
	newest lift.Record
	terms  []lift.Record
}

// records holds what people have written down in memory: it is small, and the
// settings of an athlete are read with every judgement.
type records struct {
	mu    sync.RWMutex
	all   map[recordKey]known
	turns atomic.Uint64
}

func (r *records) get(k recordKey) known {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.all[k]
}

// put takes records that are committed, in their order.
func (r *records) put(news []*lift.Record) {
	if len(news) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range news {
		k := recordKey{n.Kind, n.ID}
		r.all[k] = r.all[k].with(n)
	}
	r.turns.Add(1)
}

// forget lets go of athletes who were erased.
func (r *records) forget(athletes []lift.AthleteID) {
	if len(athletes) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range athletes {
		delete(r.all, recordKey{lift.OfAthlete, string(a)})
	}
	r.turns.Add(1)
}

func (k known) with(n *lift.Record) known {
	k.newest = *n
	t := termsOf(n)
	if len(k.terms) > 0 && sameTerms(&k.terms[len(k.terms)-1], &t) {
		return k
	}
	// A slice that was given out is not changed.
	k.terms = append(slices.Clip(k.terms), t)
	return k
}

// termsOf leaves of a record what athletes are judged by.
func termsOf(r *lift.Record) lift.Record {
	t := lift.Record{Kind: r.Kind, ID: r.ID, Revision: r.Revision, At: r.At, Removed: r.Removed, House: r.House}
	switch {
	case r.Site != nil:
		t.Site = &lift.SiteRecord{Limits: r.Site.Limits}
	case r.Team != nil:
		t.Team = &lift.TeamRecord{Limits: r.Team.Limits}
	case r.Athlete != nil:
		t.Athlete = &lift.AthleteProfile{Site: r.Athlete.Site, Teams: r.Athlete.Teams, Goal: r.Athlete.Goal, Limits: r.Athlete.Limits}
	}
	return t
}

func sameTerms(a, b *lift.Record) bool {
	return a.Removed == b.Removed && reflect.DeepEqual(a.House, b.House) && reflect.DeepEqual(a.Site, b.Site) &&
		reflect.DeepEqual(a.Team, b.Team) && reflect.DeepEqual(a.Athlete, b.Athlete)
}

// Record returns a record in its newest revision. It is false for one that never
// was; what was removed is found with Removed.
func (v *View) Record(kind lift.RecordKind, id string) (lift.Record, bool) {
	k := v.records.get(recordKey{kind, id})
	return k.newest, k.newest.Revision > 0
}

// Terms returns those revisions of a record that changed the limits, goal, site or
// teams by which athletes are judged, oldest first, with nothing else in them.
func (v *View) Terms(kind lift.RecordKind, id string) []lift.Record {
	return v.records.get(recordKey{kind, id}).terms
}

// RecordTurns counts up with each change of any record: what was made of the
// records holds as long as it stays.
func (v *View) RecordTurns() uint64 { return v.records.turns.Load() }

// Records returns the records of a kind that are not removed, ordered by id.
func (v *View) Records(kind lift.RecordKind) []lift.Record {
	v.records.mu.RLock()
	defer v.records.mu.RUnlock()
	var all []lift.Record
	for k := range maps.Keys(v.records.all) {
		if r := v.records.all[k].newest; k.kind == kind && !r.Removed {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b lift.Record) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// RecordSteps returns every revision of a record, oldest first.
func (v *View) RecordSteps(ctx context.Context, kind lift.RecordKind, id string) ([]lift.Record, error) {
	steps, err := collect(ctx, v.read, scanJSON[lift.Record], "SELECT data FROM records WHERE kind = ? AND id = ? ORDER BY revision", string(kind), id)
	if err != nil {
		return nil, fmt.Errorf("read a record's revisions: %w", err)
	}
	return steps, nil
}

// loadRecords reads all records into memory.
func loadRecords(ctx context.Context, q querier) (map[recordKey]known, error) {
	all := map[recordKey]known{}
	steps, err := collect(ctx, q, scanJSON[lift.Record], "SELECT data FROM records ORDER BY kind, id, revision")
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	for i := range steps {
		k := recordKey{steps[i].Kind, steps[i].ID}
		all[k] = all[k].with(&steps[i])
	}
	return all, nil
}

// record takes a revision that follows the one that is known; another has lost
// against one that came first, or is a repeat.
func (a *applier) record(e *journal.Entry) error {
	r := e.Record
	var revision int64
	err := a.stmt(a.stmts.revision).QueryRowContext(a.ctx, string(r.Kind), r.ID).Scan(&revision)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if r.Revision != revision+1 {
		a.counts.Duplicates.Add(1)
		return nil
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := a.exec(a.stmts.putRecord, string(r.Kind), r.ID, r.Revision, int64(e.Seq), string(data)); err != nil {
		return err
	}
	a.recorded = append(a.recorded, r)
	if r.Athlete != nil {
		if _, err := a.exec(a.stmts.enrol, string(e.Athlete), string(r.Athlete.Site)); err != nil {
			return err
		}
	}
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Record: r})
	return nil
}

// AuditEntry says who has read or changed something about an athlete.
type AuditEntry struct {
	Athlete lift.AthleteID `json:"athlete"`
	lift.Read
}

// AuditQuery narrows the audit trail; zero fields do not.
type AuditQuery struct {
	Athlete lift.AthleteID
	By      string
}

// audit notes who sent an event about an athlete, or read of one. What comes by the
// thousand out of a file is noted once, by whoever imports it.
func (a *applier) audit(e *journal.Entry) error {
	read := e.Read
	switch {
	case read != nil:
	case e.By == "" || e.Athlete == "":
		return nil
	case e.Logged != nil || e.Rep != nil && e.Rep.Source == lift.SourceImported:
		return nil
	default:
		read = &lift.Read{By: e.By, Operation: changeOf(e), Count: 1, From: e.Received, To: e.Received}
	}
	data, err := json.Marshal(&AuditEntry{e.Athlete, *read})
	if err != nil {
		return err
	}
	_, err = a.exec(a.stmts.putAudit, string(e.Athlete), read.To.UnixMicro(), int64(e.Seq), read.By, string(data))
	return err
}

// changeOf names what an event changed.
func changeOf(e *journal.Entry) string {
	switch {
	case e.Plan != nil:
		return "change:plan-" + string(e.Plan.Verb)
	case e.Alert != nil:
		return "change:alert-" + string(e.Alert.Verb)
	}
	return "change:" + string(e.Kind)
}

// Audit returns who has read or changed what, newest first, and the next page's
// cursor.
func (v *View) Audit(ctx context.Context, q AuditQuery, p Page) ([]AuditEntry, string, error) {
	where, args := "1", []any{}
	for _, c := range []struct{ column, value string }{{"athlete", string(q.Athlete)}, {"who", q.By}} {
		if c.value != "" {
			where += " AND " + c.column + " = ?"
			args = append(args, c.value)
		}
	}
	if p.Cursor != "" {
		after, err := parsePlace(p.Cursor)
		if err != nil {
			return nil, "", err
		}
		where += " AND (at_us, seq) < (?, CAST(? AS INTEGER))"
		args = append(args, after.time, after.id)
	}
	type row struct {
		AuditEntry
		place
	}
	rows, err := collect(ctx, v.read, func(s scanner) (row, error) {
		var r row
		var data string
		if err := s.Scan(&r.time, &r.id, &data); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(data), &r.AuditEntry)
	}, "SELECT at_us, seq, data FROM audit WHERE "+where+" ORDER BY at_us DESC, seq DESC LIMIT ?", append(args, p.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("read audit trail: %w", err)
	}
	entries := make([]AuditEntry, 0, min(len(rows), p.Limit))
	for i := range rows[:min(len(rows), p.Limit)] {
		entries = append(entries, rows[i].AuditEntry)
	}
	next := ""
	if len(rows) > p.Limit {
		next = rows[p.Limit-1].place.String()
	}
	return entries, next, nil
}

// SiteOf is where an athlete is: where a coach has enrolled them, else where they
// were last seen, "" for one of whom nothing is known.
func (v *View) SiteOf(ctx context.Context, athlete lift.AthleteID) (lift.SiteID, error) {
	if r, ok := v.Record(lift.OfAthlete, string(athlete)); ok && r.Athlete != nil {
		return r.Athlete.Site, nil
	}
	return v.LastSite(ctx, athlete)
}
