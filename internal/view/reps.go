package view

import (
	"cmp"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

func (a *applier) rep(e *journal.Entry) error {
	hash, err := contentHash(&e.Event)
	if err != nil {
		return err
	}
	r := &row{hash: hash}
	r.ID = lift.RepID(e.Site, e.Device, e.Rep.BootID, e.Rep.Seq)
	r.Site, r.Device, r.Received, r.LogSeq = e.Site, e.Device, e.Received, cmp.Or(e.InPlaceOf, e.Seq)
	assigned, err := a.assignedTo(e.Site, e.Device, e.Rep)
	if err != nil {
		return err
	}
	if assigned != nil && assigned.Erased != "" && e.Rep.Athlete == "" {
		a.counts.Erased.Add(1)
		return nil
	}
	told, err := a.told(e.Site, e.Device, e.Rep)
	if err != nil {
		return err
	}
	r.resolve(*e.Rep, assigned, told, nil)
	r.PointTime = r.Time.Truncate(time.Millisecond)
	n, err := a.exec(a.stmts.insertRep, r.args()...)
	if err != nil {
		return err
	}
	if n == 1 {
		return a.added(e, r)
	}
	known, err := a.byID(r.ID)
	if errors.Is(err, sql.ErrNoRows) {
		if err := a.insert(r); err != nil {
			return err
		}
		return a.added(e, r)
	}
	if err != nil {
		return err
	}
	return a.revise(e, known, r)
}

// revise decides between a rep's stored revision and one that arrives.
func (a *applier) revise(e *journal.Entry, known, arrived *row) error {
	raw, patch, err := a.words(known)
	if err != nil {
		return err
	}
	switch judge(e.Rep.Revision, arrived.hash, known.Revision, known.hash) {
	case older, repeated:
		a.counts.Duplicates.Add(1)
		return nil
	case conflictLost:
		data, err := json.Marshal(e.Rep)
		if err != nil {
			return err
		}
		return a.conflict(e, data)
	case conflictWon:
		data, err := json.Marshal(&raw)
		if err != nil {
			return err
		}
		if err := a.conflict(e, data); err != nil {
			return err
		}
	}
	next := &row{RepRecord: known.RepRecord, hash: arrived.hash}
	if patch != nil {
		if err := a.storeEdit(known.ID, e.Rep, patch); err != nil {
			return err
		}
	}
	next.Received = e.Received
	if err := a.reresolve(e, known, next, *e.Rep, patch); err != nil {
		return err
	}
	return errors.Join(a.tell(e, known), a.tell(e, next))
}

// words returns what the device said of the rep, and the coach's correction.
func (a *applier) words(r *row) (lift.Rep, *lift.RepEdit, error) {
	if r.flags&flagEdited == 0 {
		return r.raw(), nil, nil
	}
	var rawText, patchText string
	if err := a.stmt(a.stmts.edit).QueryRowContext(a.ctx, idBytes(r.ID)).Scan(&rawText, &patchText); err != nil {
		return lift.Rep{}, nil, err
	}
	var raw lift.Rep
	var patch lift.RepEdit
	if err := json.Unmarshal([]byte(rawText), &raw); err != nil {
		return raw, nil, err
	}
	return raw, &patch, json.Unmarshal([]byte(patchText), &patch)
}

func (a *applier) storeEdit(id string, raw *lift.Rep, patch *lift.RepEdit) error {
	rawText, err := json.Marshal(raw)
	if err != nil {
		return err
	}
	patchText, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = a.exec(a.stmts.putEdit, idBytes(id), string(rawText), string(patchText))
	return err
}

func (a *applier) edit(e *journal.Entry) error {
	known, err := a.byID(e.Edit.RepID)
	if errors.Is(err, sql.ErrNoRows) {
		a.counts.Duplicates.Add(1)
		return nil
	}
	if err != nil {
		return err
	}
	raw, patch, err := a.words(known)
	if err != nil {
		return err
	}
	merged := e.Edit.After(*cmp.Or(patch, &lift.RepEdit{}))
	if err := a.storeEdit(known.ID, &raw, &merged); err != nil {
		return err
	}
	next := &row{RepRecord: known.RepRecord, hash: known.hash}
	return a.reresolve(e, known, next, raw, &merged)
}

func (a *applier) assign(e *journal.Entry) error {
	since := e.Assign.Since.UnixMicro()
	inForce, err := a.assignment(e.Site, e.Device, since)
	if err != nil {
		return err
	}
	none := lift.Assignment{}
	if inForce == nil {
		inForce = &none
	}
	if inForce.Same(e.Assign) && (!e.Assign.SinceGiven || inForce.Since.Equal(e.Assign.Since)) {
		a.counts.Duplicates.Add(1)
		return nil
	}
	data, err := json.Marshal(e.Assign)
	if err != nil {
		return err
	}
	if _, err := a.exec(a.stmts.putAssignment, string(e.Site), string(e.Device), since, int64(e.Seq), string(data)); err != nil {
		return err
	}
	until := int64(math.MaxInt64)
	err = a.stmt(a.stmts.nextAssignment).QueryRowContext(a.ctx, string(e.Site), string(e.Device), since).Scan(&until)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	leaning, err := a.leaning(e.Site, e.Device, since, until)
	if err != nil {
		return err
	}
	for _, known := range leaning {
		raw, patch, err := a.words(known)
		if err != nil {
			return err
		}
		next := &row{RepRecord: known.RepRecord, hash: known.hash}
		if err := a.reresolve(e, known, next, raw, patch); err != nil {
			return err
		}
	}
	a.touch(e.Assign.Athlete, e)
	now, err := a.assignment(e.Site, e.Device, e.Received.UnixMicro())
	if err != nil {
		return err
	}
	if now != nil {
		a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Assigned: &OnBar{e.Site, e.Device, *now}})
	}
	return nil
}

// leaning returns the reps that lean on the device's assignment in [since, until).
func (a *applier) leaning(site lift.SiteID, device lift.DeviceID, since, until int64) ([]*row, error) {
	return a.rows(a.stmts.leaning, string(site), string(device), since, until)
}

func (a *applier) rows(s *sql.Stmt, args ...any) ([]*row, error) {
	rows, err := a.stmt(s).QueryContext(a.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []*row
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// reresolve stores next in the place of known, from the device's words, the
// assignment at its time and the correction.
func (a *applier) reresolve(e *journal.Entry, known, next *row, raw lift.Rep, patch *lift.RepEdit) error {
	assigned, err := a.assignedTo(known.Site, known.Device, &raw)
	if err != nil {
		return err
	}
	told, err := a.told(known.Site, known.Device, &raw)
	if err != nil {
		return err
	}
	next.resolve(raw, assigned, told, patch)
	if _, err := a.exec(a.stmts.deleteRep, string(known.Athlete), known.PointTime.UnixMilli(), string(known.Site), string(known.Device)); err != nil {
		return err
	}
	if !next.Time.Equal(known.Time) {
		next.PointTime = next.Time.Truncate(time.Millisecond)
	}
	if err := a.insert(next); err != nil {
		return err
	}
	if _, err := a.exec(a.stmts.insertMove, int64(e.Seq), idBytes(known.ID), string(known.Site), string(known.Athlete),
		string(known.Exercise), string(known.Device), known.PointTime.UnixMilli()); err != nil {
		return err
	}
	a.counts.Corrected.Add(1)
	a.touch(known.Athlete, e)
	a.touch(next.Athlete, e)
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Rep: &next.RepRecord, Was: &known.RepRecord})
	return nil
}

// insert stores the row, moving its point time on until it is free.
func (a *applier) insert(r *row) error {
	for {
		n, err := a.exec(a.stmts.insertRep, r.args()...)
		if err != nil || n == 1 {
			return err
		}
		r.PointTime = r.PointTime.Add(time.Millisecond)
	}
}

func (a *applier) added(e *journal.Entry, r *row) error {
	a.counts.Reps.Add(1)
	a.touch(r.Athlete, e)
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Rep: &r.RepRecord})
	return a.tell(e, r)
}

func (a *applier) byID(id string) (*row, error) {
	return scanRow(a.stmt(a.stmts.rep).QueryRowContext(a.ctx, idBytes(id)))
}

// assignedTo returns the device's assignment at the rep's time, nil where the rep
// needs none or there is none.
func (a *applier) assignedTo(site lift.SiteID, device lift.DeviceID, r *lift.Rep) (*lift.Assignment, error) {
	if r.Athlete != "" && r.Exercise != "" && r.LoadKg != nil && r.Set != nil {
		return nil, nil
	}
	return a.assignment(site, device, r.Time.UnixMicro())
}

func (a *applier) assignment(site lift.SiteID, device lift.DeviceID, at int64) (*lift.Assignment, error) {
	var data string
	err := a.stmt(a.stmts.assignment).QueryRowContext(a.ctx, string(site), string(device), at).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found lift.Assignment
	if err := json.Unmarshal([]byte(data), &found); err != nil {
		return nil, err
	}
	return &found, nil
}
