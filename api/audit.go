package api

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	// looksWritten is how soon a look at an athlete is in the log.
	looksWritten = 2 * time.Second
	// looksCounted is for how long later looks by the same person in the same way are
	// counted instead of written one by one.
	looksCounted = 10 * time.Minute
	// maxLooks bounds what is counted at a time; beyond it each look is written.
	maxLooks = 100_000
)

// looks counts who has looked at whom until it is written.
type looks struct {
	mu   sync.Mutex
	seen map[lookKey]*look
}

type lookKey struct {
	by, operation string
	athlete       lift.AthleteID // "" for a list of many
}

type look struct {
	count    int
	from, to time.Time
	written  time.Time
}

func (l *looks) note(k lookKey, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.seen[k]
	if known == nil {
		known = &look{}
		l.seen[k] = known
	}
	if known.count == 0 {
		known.from = now
	}
	known.count, known.to = known.count+1, now
}

// due takes what is to be written: a first look soon, later ones when they have been
// counted for long enough, and everything at the end.
func (l *looks) due(now time.Time, all bool) []journal.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var events []journal.Event
	for k, x := range l.seen {
		counted := now.Sub(x.written) >= looksCounted || len(l.seen) > maxLooks
		if x.count > 0 && (counted || all) {
			events = append(events, journal.Event{Kind: journal.KindRead, Received: now, Athlete: k.athlete, Read: &lift.Read{
				By: k.by, Operation: k.operation, Count: x.count, From: x.from, To: x.to,
			}})
			x.count, x.written = 0, now
		} else if x.count == 0 && counted {
			delete(l.seen, k)
		}
	}
	return events
}

// ofPeople are the tags of operations that tell of athletes, and tellOfPeople the ids
// of single ones. Those about one athlete do whatever their tag.
var (
	ofPeople     = []string{"athletes", "alerts", "streams", "quarantine", "imports"}
	tellOfPeople = []string{"list-deliveries", "list-backtest-athletes", "download-backup"}
)

// notesItself is the key of an operation's metadata where the operation itself notes
// each athlete of whom it tells.
const notesItself = "notes"

// tellsOfPeople reports whether whoever asks for the operation learns something about
// athletes. That somebody has looked into the audit trail is not in it.
func tellsOfPeople(op *huma.Operation) bool {
	switch {
	case op.Method != http.MethodGet || slices.Contains(op.Tags, "audit"):
		return false
	case op.Extensions[scopeExtension] == ofAthlete || slices.Contains(tellOfPeople, op.OperationID):
		return true
	}
	return slices.ContainsFunc(op.Tags, func(t string) bool { return slices.Contains(ofPeople, t) })
}

// look notes that somebody reads of an athlete, or of many.
func (s *Server) look(ctx huma.Context, id identity) {
	op := ctx.Operation()
	if !tellsOfPeople(op) || op.Metadata[notesItself] != nil {
		return
	}
	k := lookKey{by: id.Name, operation: op.OperationID, athlete: lift.AthleteID(ctx.Query("athlete"))}
	switch op.Extensions[scopeExtension] {
	case ofAthlete:
		k.athlete = lift.AthleteID(ctx.Param("id"))
	case ofAlert:
		a, err := s.view.Alert(ctx.Context(), ctx.Param("id"))
		if err != nil {
			return // there is nothing to be seen
		}
		k.athlete = a.Athlete
	case ofQuarantined:
		q, err := s.view.Quarantined(ctx.Context(), ctx.Param("id"))
		if err != nil {
			return
		}
		k.athlete = q.Athlete
	}
	if k.athlete != "" && lift.CheckID("athlete", k.athlete) != nil {
		return // and nobody of this name
	}
	s.looks.note(k, s.now().UTC())
}

// followLooks writes who has looked at whom, until the context ends.
func (s *Server) followLooks(ctx context.Context) {
	tick := time.NewTicker(looksWritten)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		events := s.looks.due(s.now().UTC(), ctx.Err() != nil)
		for part := range slices.Chunk(events, journal.MaxBatch) {
			writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout/4)
			if _, err := s.events.Append(writing, part...); err != nil {
				s.log.Error("the audit trail has a gap", "looks", len(part), "error", err)
			}
			cancel()
		}
	}
}

type auditInput struct {
	Athlete lift.AthleteID `query:"athlete" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"whom it is about"`
	By      string         `query:"by" maxLength:"200" doc:"who it was"`
	Paging
}

type athleteAuditInput struct {
	AthletePath
	Paging
}

func (s *Server) addAudit() {
	describe := func(id, path, summary string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"audit"}, Summary: summary,
			Description: "Newest first. A look is in the list after 2 seconds; more of the same within 10 minutes are counted in one line. " +
				"Lists of many athletes and streams have no athlete. Changes are named change:…",
		}
	}
	add(s, describe("list-audit", "/api/v1/audit", "List who has read or changed what about whom"), permit{ofNobody, admins},
		func(ctx context.Context, in *auditInput) (*answer[list[view.AuditEntry]], error) {
			return s.audit(ctx, view.AuditQuery{Athlete: in.Athlete, By: in.By}, in.Paging)
		})
	add(s, describe("list-athlete-audit", "/api/v1/athletes/{id}/audit", "List who has read or changed what about an athlete"), permit{ofAthlete, everyone},
		func(ctx context.Context, in *athleteAuditInput) (*answer[list[view.AuditEntry]], error) {
			return s.audit(ctx, view.AuditQuery{Athlete: in.ID}, in.Paging)
		})
}

func (s *Server) audit(ctx context.Context, q view.AuditQuery, p Paging) (*answer[list[view.AuditEntry]], error) {
	entries, next, err := s.view.Audit(ctx, q, p.page())
	if err != nil {
		return nil, err
	}
	return &answer[list[view.AuditEntry]]{http.StatusOK, list[view.AuditEntry]{entries, next}}, nil
}
