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

// statements are prepared once for the writing connection.
type statements struct {
	insertRep, rep, deleteRep, insertMove              *sql.Stmt
	insertLogged, loggedSet, deleteLogged              *sql.Stmt
	loggedVersion                                      *sql.Stmt
	edit, putEdit                                      *sql.Stmt
	told, found, putSegmented                          *sql.Stmt
	assignment, nextAssignment, putAssignment, leaning *sql.Stmt
	touch, alerted, device, deviceStatus               *sql.Stmt
	checkin, putCheckin, putPlan                       *sql.Stmt
	alert, putAlert, putKind, addStep                  *sql.Stmt
	quarantine, release, setPosition, setTick          *sql.Stmt
	revision, putRecord, enrol, putAudit               *sql.Stmt
}

func (s *statements) prepare(ctx context.Context, db *sql.DB) error {
	for _, p := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&s.insertRep, "INSERT INTO reps (" + repColumns + ") VALUES (?" + strings.Repeat(",?", repColumnCount-1) + ") ON CONFLICT DO NOTHING"},
		{&s.rep, "SELECT " + rowColumns + " FROM reps WHERE id = ?"},
		{&s.deleteRep, "DELETE FROM reps WHERE athlete = ? AND point_ms = ? AND site = ? AND device = ?"},
		{&s.insertMove, "INSERT INTO moves VALUES (?,?,?,?,?,?,?)"},
		{&s.insertLogged, "INSERT INTO logged (" + loggedColumns + ", hash, received_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"},
		{&s.loggedSet, "SELECT " + loggedColumns + " FROM logged WHERE id = ?"},
		{&s.loggedVersion, "SELECT revision, hash FROM logged WHERE id = ?"},
		{&s.deleteLogged, "DELETE FROM logged WHERE id = ?"},
		{&s.edit, "SELECT raw, patch FROM edits WHERE rep_id = ?"},
		{&s.putEdit, "INSERT INTO edits VALUES (?,?,?) ON CONFLICT(rep_id) DO UPDATE SET raw = excluded.raw, patch = excluded.patch"},
		{&s.assignment, "SELECT data FROM assignments WHERE site = ? AND device = ? AND since_us <= ? ORDER BY since_us DESC LIMIT 1"},
		{&s.nextAssignment, "SELECT since_us FROM assignments WHERE site = ? AND device = ? AND since_us > ? ORDER BY since_us LIMIT 1"},
		{&s.putAssignment, "INSERT INTO assignments VALUES (?,?,?,?,?) ON CONFLICT(site, device, since_us) DO UPDATE SET seq = excluded.seq, data = excluded.data"},
		{&s.leaning, "SELECT " + rowColumns + " FROM reps WHERE given < 15 AND site = ? AND device = ? AND time_us >= ? AND time_us < ?"},
		{&s.told, "SELECT " + toldQuery},
		{&s.found, "SELECT " + rowColumns + " FROM reps WHERE site = ? AND device = ? AND time_us >= ? AND time_us <= ? AND source = 'segmented'"},
		{&s.putSegmented, "INSERT INTO segmented VALUES (?,?) ON CONFLICT DO NOTHING"},
		{&s.touch, "INSERT INTO athletes (athlete, site, touched_us) VALUES (?,?,?) ON CONFLICT(athlete) DO UPDATE SET touched_us = max(touched_us, excluded.touched_us), site = excluded.site"},
		{&s.alerted, "INSERT INTO athletes (athlete, site, touched_us, alert_seq) VALUES (?,?,0,?) ON CONFLICT(athlete) DO UPDATE SET alert_seq = excluded.alert_seq"},
		{&s.device, "INSERT INTO devices (site, device, seen_us) VALUES (?,?,?) ON CONFLICT(site, device) DO UPDATE SET seen_us = max(seen_us, excluded.seen_us)"},
		{&s.deviceStatus, "INSERT INTO devices (site, device, seen_us, status_us, status) VALUES (?1,?2,?3,?3,?4) ON CONFLICT(site, device) DO UPDATE SET seen_us = max(seen_us, excluded.seen_us), status_us = excluded.status_us, status = excluded.status WHERE status_us IS NULL OR status_us <= excluded.status_us"},
		{&s.checkin, "SELECT revision, hash FROM checkins WHERE id = ?"},
		{&s.putCheckin, "INSERT INTO checkins VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET revision = excluded.revision, hash = excluded.hash, received_us = excluded.received_us, data = excluded.data, site = excluded.site"},
		{&s.putPlan, "INSERT INTO plan_steps VALUES (?,?,?)"},
		{&s.alert, "SELECT data FROM alerts WHERE id = ?"},
		{&s.putAlert, "INSERT INTO alerts VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET site = excluded.site, severity = excluded.severity, state = excluded.state, window_from_us = excluded.window_from_us, window_to_us = excluded.window_to_us, seq = excluded.seq, data = excluded.data"},
		{&s.putKind, "INSERT INTO alert_kinds VALUES (?,?,?,?) ON CONFLICT DO NOTHING"},
		{&s.addStep, "INSERT INTO alert_steps VALUES (?,?,?,?)"},
		{&s.quarantine, "INSERT INTO quarantine (id, received_us, data) VALUES (?,?,?) ON CONFLICT DO NOTHING"},
		{&s.release, "UPDATE quarantine SET released = ? WHERE id = ? AND released IS NULL"},
		{&s.revision, "SELECT revision FROM records WHERE kind = ? AND id = ? ORDER BY revision DESC LIMIT 1"},
		{&s.putRecord, "INSERT INTO records VALUES (?,?,?,?,?)"},
		{&s.enrol, "INSERT INTO athletes (athlete, site, touched_us) VALUES (?,?,0) ON CONFLICT DO NOTHING"},
		{&s.putAudit, "INSERT INTO audit VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING"},
		{&s.setTick, "UPDATE meta SET value = max(value, ?) WHERE key = 'tick'"},
		{&s.setPosition, "UPDATE meta SET value = ? WHERE key = 'position'"},
	} {
		stmt, err := db.PrepareContext(ctx, p.query)
		if err != nil {
			return fmt.Errorf("%s: %w", p.query, err)
		}
		*p.stmt = stmt
	}
	return nil
}

// applier applies events in one transaction.
type applier struct {
	ctx       context.Context
	tx        *sql.Tx
	stmts     *statements
	counts    *Counts
	changes   []Change
	touched   map[lift.AthleteID]touch
	seen      map[deviceKey]int64
	segmented map[deviceKey]bool // devices in whose samples reps were found
	recorded  []*lift.Record
	forgotten []lift.AthleteID
	erasing   map[lift.AthleteID]string // whose erase is not done, with the receipt
}

type touch struct {
	site lift.SiteID
	at   int64
}

type deviceKey struct {
	site   lift.SiteID
	device lift.DeviceID
}

func (a *applier) stmt(s *sql.Stmt) *sql.Stmt { return a.tx.StmtContext(a.ctx, s) }

func (a *applier) exec(s *sql.Stmt, args ...any) (int64, error) {
	r, err := a.stmt(s).ExecContext(a.ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (a *applier) apply(e *journal.Entry) error {
	if a.refused(e) {
		return nil
	}
	if e.Device != "" {
		a.seenDevice(deviceKey{e.Site, e.Device}, e.Received)
	}
	if err := a.audit(e); err != nil {
		return err
	}
	switch e.Kind {
	case journal.KindRep:
		return a.rep(e)
	case journal.KindEdit:
		return a.edit(e)
	case journal.KindAssign:
		return a.assign(e)
	case journal.KindStatus:
		return a.status(e)
	case journal.KindCheckIn:
		return a.checkin(e)
	case journal.KindSetLogged:
		return a.setLogged(e)
	case journal.KindPlan:
		return a.plan(e)
	case journal.KindTick:
		a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Tick: e.Minute})
		_, err := a.exec(a.stmts.setTick, e.Minute.UnixMicro())
		return err
	case journal.KindAlert, journal.KindAnswer:
		return a.alert(e)
	case journal.KindQuarantined:
		return a.quarantine(e.Quarantined)
	case journal.KindRecord:
		return a.record(e)
	case journal.KindRead, journal.KindImported:
		return nil // audited already
	case journal.KindReleased:
		data, err := json.Marshal(e.Released)
		if err != nil {
			return err
		}
		_, err = a.exec(a.stmts.release, string(data), e.Released.ID)
		return err
	case journal.KindErase:
		return a.erase(e)
	case journal.KindErased:
		return a.erased(e)
	}
	return fmt.Errorf("unknown kind %q", e.Kind)
}

// touch notes that something about the athlete has changed.
func (a *applier) touch(athlete lift.AthleteID, e *journal.Entry) {
	if athlete == "" {
		return
	}
	if a.touched == nil {
		a.touched = map[lift.AthleteID]touch{}
	}
	a.touched[athlete] = touch{e.Site, max(a.touched[athlete].at, e.Received.UnixMicro())}
}

func (a *applier) seenDevice(k deviceKey, at time.Time) {
	if a.seen == nil {
		a.seen = map[deviceKey]int64{}
	}
	a.seen[k] = max(a.seen[k], at.UnixMicro())
}

func (a *applier) finish(pos uint64) error {
	for athlete, t := range a.touched {
		if _, err := a.exec(a.stmts.touch, string(athlete), string(t.site), t.at); err != nil {
			return err
		}
	}
	for k, us := range a.seen {
		if _, err := a.exec(a.stmts.device, string(k.site), string(k.device), us); err != nil {
			return err
		}
	}
	_, err := a.exec(a.stmts.setPosition, int64(pos))
	return err
}

func (a *applier) status(e *journal.Entry) error {
	data, err := json.Marshal(e.Status)
	if err != nil {
		return err
	}
	if _, err := a.exec(a.stmts.deviceStatus, string(e.Site), string(e.Device), e.Received.UnixMicro(), string(data)); err != nil {
		return err
	}
	a.changes = append(a.changes, Change{
		Seq: e.Seq, Received: e.Received,
		Device: &Device{Site: e.Site, Device: e.Device, Status: *e.Status, StatusAt: e.Received, Seen: e.Received},
	})
	return nil
}

func (a *applier) plan(e *journal.Entry) error {
	data, err := json.Marshal(e.Plan)
	if err != nil {
		return err
	}
	if _, err := a.exec(a.stmts.putPlan, string(e.Athlete), int64(e.Seq), string(data)); err != nil {
		return err
	}
	a.touch(e.Athlete, e)
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Plan: &PlanStep{Site: e.Site, Athlete: e.Athlete, PlanStep: *e.Plan}})
	return nil
}

func (a *applier) checkin(e *journal.Entry) error {
	c := e.CheckIn
	id := lift.CheckInID(e.Athlete, c.Time, c.Phase)
	data, err := json.Marshal(c, json.Deterministic(true))
	if err != nil {
		return err
	}
	hash, err := contentHash(&e.Event)
	if err != nil {
		return err
	}
	var revision int64
	var known []byte
	err = a.stmt(a.stmts.checkin).QueryRowContext(a.ctx, id).Scan(&revision, &known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil {
		switch judge(c.Revision, hash, revision, known) {
		case older, repeated:
			a.counts.Duplicates.Add(1)
			return nil
		case conflictLost:
			return a.conflict(e, data)
		case conflictWon:
			var loser string
			if err := a.tx.QueryRowContext(a.ctx, "SELECT data FROM checkins WHERE id = ?", id).Scan(&loser); err != nil {
				return err
			}
			if err := a.conflict(e, []byte(loser)); err != nil {
				return err
			}
		}
	}
	if _, err := a.exec(a.stmts.putCheckin, id, string(e.Athlete), string(e.Site), c.Time.UnixMicro(), string(c.Phase),
		c.Revision, hash, e.Received.UnixMicro(), string(data)); err != nil {
		return err
	}
	a.touch(e.Athlete, e)
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, CheckIn: &lift.CheckInRecord{
		ID: id, Site: e.Site, Athlete: e.Athlete, CheckIn: *c, Received: e.Received,
	}})
	return nil
}

type verdict int

const (
	newer verdict = iota
	older
	repeated
	conflictWon
	conflictLost
)

// judge compares an arriving revision with the one that is known: the highest
// revision counts, and of two contents for one revision the smaller hash, so that
// the order of arrival does not matter.
func judge(revision int64, hash []byte, knownRevision int64, knownHash []byte) verdict {
	switch {
	case revision > knownRevision:
		return newer
	case revision < knownRevision:
		return older
	}
	switch strings.Compare(string(hash), string(knownHash)) {
	case 0:
		return repeated
	case -1:
		return conflictWon
	}
	return conflictLost
}

func contentHash(e *journal.Event) ([]byte, error) {
	hash, err := e.ContentHash()
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(hash)
}

// conflict quarantines the content that lost against another of the same revision.
func (a *applier) conflict(e *journal.Entry, loser []byte) error {
	a.counts.Conflicts.Add(1)
	topic := fmt.Sprintf("spotter/v1/%s/device/%s/rep", e.Site, e.Device)
	switch e.Kind {
	case journal.KindCheckIn:
		topic = fmt.Sprintf("spotter/v1/%s/athlete/%s/checkin", e.Site, e.Athlete)
	case journal.KindSetLogged: // nothing can be published there: it is to be imported again
		topic = fmt.Sprintf("spotter/v1/%s/athlete/%s/logged", e.Site, e.Athlete)
	}
	return a.quarantine(&lift.Quarantined{
		ID:       "qu_" + lift.Digest("conflict", topic, string(loser)),
		Topic:    topic,
		Reason:   "another content came with the same identity and revision, and counts",
		Field:    "revision",
		Received: e.Received,
		Size:     len(loser),
		Bytes:    loser,
		Athlete:  e.Athlete,
	})
}

func (a *applier) quarantine(q *lift.Quarantined) error {
	data, err := json.Marshal(q)
	if err != nil {
		return err
	}
	_, err = a.exec(a.stmts.quarantine, q.ID, q.Received.UnixMicro(), string(data))
	return err
}

func (a *applier) alert(e *journal.Entry) error {
	c := e.Alert
	var known lift.Alert
	var data string
	err := a.stmt(a.stmts.alert).QueryRowContext(a.ctx, c.AlertID).Scan(&data)
	switch {
	case err == nil:
		if err := json.Unmarshal([]byte(data), &known); err != nil {
			return err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if e.Kind == journal.KindAlert {
		if _, err := a.exec(a.stmts.alerted, string(e.Athlete), string(e.Site), int64(e.Seq)); err != nil {
			return err
		}
	}
	next, changed := known.Apply(*c)
	if !changed {
		a.counts.Duplicates.Add(1)
		return nil
	}
	encoded, err := json.Marshal(&next)
	if err != nil {
		return err
	}
	if _, err := a.exec(a.stmts.putAlert, next.ID, string(next.Site), string(next.Athlete), string(next.Rule), next.Severity.Rank(),
		string(next.State), next.Opened.UnixMicro(), string(next.Window.Kind), next.Window.From.UnixMicro(), next.Window.To.UnixMicro(),
		int64(e.Seq), string(encoded)); err != nil {
		return err
	}
	if _, err := a.exec(a.stmts.putKind, string(next.Site), string(next.Rule), next.Severity.Rank(), string(next.State)); err != nil {
		return err
	}
	step := AlertStep{Seq: e.Seq, Verb: c.Verb, Alert: next}
	if _, err := a.exec(a.stmts.addStep, int64(e.Seq), next.ID, string(c.Verb), string(encoded)); err != nil {
		return err
	}
	a.changes = append(a.changes, Change{Seq: e.Seq, Received: e.Received, Alert: &step})
	return nil
}
