package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/backtest"
	"github.com/spotterhq/spotter/internal/importer"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/privacy"
	"github.com/spotterhq/spotter/internal/view"
)

// erasure is a receipt: what became of the wish of somebody to be forgotten.
type erasure struct {
	ID     string             `json:"id"`
	Key    string             `json:"key" doc:"a keyed hash of the athlete's id, by which spotter restore --erasures recognises them; it says to nobody else whose it is"`
	State  string             `json:"state" enum:"waiting,done" doc:"waiting: something is still under way"`
	By     string             `json:"by"`
	At     time.Time          `json:"at" doc:"when it was asked for"`
	Done   time.Time          `json:"done,omitzero"`
	Stores []lift.StoreErased `json:"stores" doc:"what each store did; its state is waiting, done, failed (it cannot erase) or kept (somebody has to see to it)"`
	Lifted *lift.Answer       `json:"lifted,omitzero" doc:"who has allowed new data of that person again"`
}

func erasureOf(e *view.Erasure) erasure {
	out := erasure{e.Receipt, e.Key, privacy.Waiting, e.By, e.At, e.Done, e.Stores, e.Lifted}
	if !e.Done.IsZero() {
		out.State = privacy.Done
	}
	if out.Stores == nil {
		out.Stores = []lift.StoreErased{}
	}
	return out
}

// receipt names an erasure that was asked for.
type receipt struct {
	Receipt string `json:"receipt" doc:"GET /erasures/{id} tells how far it is"`
}

type eraseInput struct {
	AthletePath
	Reason string `query:"reason" maxLength:"2000" doc:"why; kept until the erase is done"`
	Body   *struct {
		Reason string `json:"reason,omitzero" maxLength:"2000"`
	}
}

type liftInput struct {
	IDPath
	Body *struct {
		Note string `json:"note,omitzero" maxLength:"2000"`
	}
}

func (s *Server) addPrivacy() {
	path := "/api/v1/athletes/{id}"
	add(s, huma.Operation{
		OperationID: "erase-athlete", Method: http.MethodDelete, Path: path, Tags: []string{"privacy"},
		DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary: "Erase everything about an athlete, everywhere",
		Description: "From now on nothing about them is stored, and every store forgets what it has. It cannot be taken back. " +
			"Repeating it answers with the same receipt.",
	}, permit{ofAthlete, admins}, s.eraseAthlete)
	s.addExport()
	add(s, huma.Operation{
		OperationID: "list-erasures", Method: http.MethodGet, Path: "/api/v1/erasures", Tags: []string{"privacy"},
		Summary: "List the receipts of erasures, newest first",
	}, permit{ofNobody, admins}, s.listErasures)
	add(s, huma.Operation{
		OperationID: "get-erasure", Method: http.MethodGet, Path: "/api/v1/erasures/{id}", Tags: []string{"privacy"},
		Errors: []int{http.StatusNotFound}, Summary: "Get a receipt: what each store did",
	}, permit{ofNobody, admins}, s.getErasure)
	lifting := "/api/v1/erasures/{id}/lift"
	add(s, huma.Operation{
		OperationID: "lift-erasure", Method: http.MethodPost, Path: lifting, Tags: []string{"privacy"},
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary:     "Allow new data of the person again",
		Description: "What was erased stays so. Repeating it changes nothing; 409 while the erase is under way.",
	}, permit{ofNobody, admins}, s.liftErasure)
	s.also(lifting, http.MethodPost, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})
}

// Forget lets go of answers that are kept in memory and may hold the athlete, who was
// erased.
func (s *Server) Forget(athlete lift.AthleteID) {
	s.backtests.Forget(func(backtest.Question) bool { return true })
	s.imports.Forget(func(b *importer.Batch) bool { return b.Request.Athlete == athlete })
	s.teamRows.forget()
}

// errNoEraser answers where nobody carries erases out.
func errNoEraser() error {
	return huma.Error503ServiceUnavailable("this server does not carry erases out")
}

func (s *Server) eraseAthlete(ctx context.Context, in *eraseInput) (*answer[receipt], error) {
	if s.erasures == nil {
		return nil, errNoEraser()
	}
	reason := in.Reason
	if in.Body != nil {
		reason = cmp.Or(in.Body.Reason, reason)
	}
	note := lift.Answer{Note: reason}
	if err := note.Validate(); err != nil {
		return nil, at(http.StatusUnprocessableEntity, "body.reason", "is no plain text")
	}
	// A client that goes away does not stop it.
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	id, seq, err := s.erasures.Begin(asking, in.ID, who(ctx).Name, reason)
	if errors.Is(err, privacy.ErrUnknown) {
		return nil, huma.Error404NotFound("nothing is known by this id")
	}
	if err != nil {
		return nil, err
	}
	waiting, stop := context.WithTimeout(asking, applyTimeout)
	defer stop()
	_ = s.view.WaitFor(waiting, seq) // the receipt is asked for again anyway
	return &answer[receipt]{http.StatusAccepted, receipt{id}}, nil
}

func (s *Server) listErasures(ctx context.Context, in *Paging) (*answer[list[erasure]], error) {
	found, next, err := s.view.Erasures(ctx, in.page())
	if err != nil {
		return nil, err
	}
	page := list[erasure]{Items: make([]erasure, len(found)), Next: next}
	for i := range found {
		page.Items[i] = erasureOf(&found[i])
	}
	return &answer[list[erasure]]{http.StatusOK, page}, nil
}

func (s *Server) getErasure(ctx context.Context, in *IDPath) (*answer[erasure], error) {
	e, err := s.view.Erasure(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &answer[erasure]{http.StatusOK, erasureOf(&e)}, nil
}

func (s *Server) liftErasure(ctx context.Context, in *liftInput) (*answer[erasure], error) {
	if s.erasures == nil {
		return nil, errNoEraser()
	}
	by := lift.Answer{By: who(ctx).Name, At: s.now().UTC()}
	if in.Body != nil {
		by.Note = in.Body.Note
	}
	if err := by.Validate(); err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
	defer cancel()
	seq, err := s.erasures.Lift(asking, in.ID, by)
	if errors.Is(err, privacy.ErrNotDone) {
		return nil, huma.Error409Conflict(err.Error())
	}
	if err != nil {
		return nil, err
	}
	waiting, stop := context.WithTimeout(asking, applyTimeout)
	defer stop()
	applied := s.view.WaitFor(waiting, seq) == nil
	e, err := s.view.Erasure(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &answer[erasure]{statusOf(applied, http.StatusOK), erasureOf(&e)}, nil
}
