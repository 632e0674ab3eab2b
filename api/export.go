package api

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/privacy"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	archiveType = "application/zip"
	// archivePage is how many items are read at a time.
	archivePage = 500
)

func (s *Server) addExport() {
	path := "/api/v1/athletes/{id}/export"
	add(s, huma.Operation{
		OperationID: "export-athlete", Method: http.MethodGet, Path: path, Tags: []string{"privacy"},
		Errors: []int{http.StatusNotFound},
		Responses: map[string]*huma.Response{"200": {
			Description: "The archive",
			Content:     map[string]*huma.MediaType{archiveType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
		Summary: "Get everything about an athlete as one zip file",
		Description: "JSON lines and tables of each kind, a page to read, and a README. It is made while it is sent; an archive that does not open " +
			"was cut off.",
	}, permit{ofAthlete, everyone}, s.exportAthlete)
}

func (s *Server) exportAthlete(ctx context.Context, in *AthletePath) (*huma.StreamResponse, error) {
	known, err := s.view.Knows(ctx, in.ID)
	if err == nil && !known {
		err = view.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humaecho.Unwrap(hc)
		ctx, cancel := context.WithCancel(c.Request().Context())
		defer cancel()
		defer context.AfterFunc(s.streams.ended, cancel)()
		h := c.Response().Header()
		h.Set("Content-Type", archiveType)
		h.Set("Content-Disposition", `attachment; filename="`+string(in.ID)+`.zip"`)
		c.Response().WriteHeader(http.StatusOK)
		w := c.Response().Writer
		err := s.Archive(ctx, &patient{w, http.NewResponseController(w)}, in.ID)
		if err == nil {
			return
		}
		if c.Request().Context().Err() == nil {
			s.log.Error("an export was cut off", "error", err)
		}
		panic(http.ErrAbortHandler) // so that nobody takes it for whole
	}}, nil
}

// Archive writes everything about an athlete as one zip file.
func (s *Server) Archive(ctx context.Context, w io.Writer, athlete lift.AthleteID) error {
	return privacy.WriteArchive(ctx, w, athlete, s.now(), s.parts(athlete))
}

// parts are the kinds of what is known of an athlete.
func (s *Server) parts(athlete lift.AthleteID) []privacy.Part {
	in := historyInput{AthletePath: AthletePath{athlete}, Span: Span{From: lift.Earliest}, Paging: Paging{Limit: archivePage}}
	parts := []privacy.Part{
		rows("profile", "Profile", "What coaches have written down, the name among it, in every revision.", func(ctx context.Context) ([]lift.Record, error) {
			return s.view.RecordSteps(ctx, lift.OfAthlete, string(athlete))
		}),
		pages("reps", "Reps", "One rep, as it counts now.", in, s.listReps),
		{Name: "logged", Title: "Sets of training logs", Says: "One set as it was read from a training log; those that were taken back are marked.", Rows: func(ctx context.Context, yield func(any) error) error {
			return s.view.EachLogged(ctx, athlete, func(l *lift.LoggedSet) error { return yield(l) })
		}},
		pages("sets", "Sets", "One set, derived from the reps and the training logs.", in, s.listSets),
		pages("sessions", "Sessions", "One training day, derived from the sets.", in, s.listSessions),
		pages("weeks", "Weeks", "One week and group of exercises, with what it is compared to.", in, s.listWeeks),
		pages("checkins", "Check-ins", "One report of pain, symptoms, sleep and nutrition.", in, s.listCheckIns),
		rows("plan", "Holds and return plans", "One decision, by whom and why.", func(ctx context.Context) ([]lift.PlanStep, error) {
			h, err := s.view.History(ctx, athlete, s.now().AddDate(1, 0, 0), s.now().AddDate(1, 0, 0))
			return h.Plan, err
		}),
		{Name: "alerts", Title: "Alerts", Says: "One step in the life of an alert, with the alert after it.", Rows: func(ctx context.Context, yield func(any) error) error {
			return s.view.EachAlertStep(ctx, athlete, func(a *view.AlertStep) error { return yield(a) })
		}},
		rows("assignments", "Assignments", "When they were assigned to which bar.", func(ctx context.Context) ([]view.Assigned, error) {
			return s.view.AssignmentsOf(ctx, athlete)
		}),
		rows("corrections", "Corrections", "What a coach has corrected of a rep, as it stands.", func(ctx context.Context) ([]lift.RepEdit, error) {
			return s.view.CorrectionsOf(ctx, athlete)
		}),
		{Name: "audit", Title: "Who has looked", Says: "Who has read or changed what about them.", Rows: func(ctx context.Context, yield func(any) error) error {
			return s.eachAudit(ctx, athlete, yield)
		}},
		{Name: "quarantine", Title: "Messages that could not be used", Says: "One message that speaks of them, with its bytes in base64.", Rows: func(ctx context.Context, yield func(any) error) error {
			return s.view.EachQuarantined(ctx, athlete, func(q *view.Quarantined) error { return yield(q) })
		}},
	}
	if s.moreParts != nil {
		parts = append(parts, s.moreParts(athlete)...)
	}
	return parts
}

// eachAudit reads the audit trail of an athlete, the newest first as it is kept.
func (s *Server) eachAudit(ctx context.Context, athlete lift.AthleteID, yield func(any) error) error {
	for page := (view.Page{Limit: archivePage}); ; {
		entries, next, err := s.view.Audit(ctx, view.AuditQuery{Athlete: athlete}, page)
		if err != nil {
			return err
		}
		for i := range entries {
			if err := yield(&entries[i]); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		page.Cursor = next
	}
}

// rows is a part that is read at once.
func rows[T any](name, title, says string, load func(context.Context) ([]T, error)) privacy.Part {
	return privacy.Part{Name: name, Title: title, Says: says, Rows: func(ctx context.Context, yield func(any) error) error {
		all, err := load(ctx)
		if err != nil {
			return err
		}
		for i := range all {
			if err := yield(&all[i]); err != nil {
				return err
			}
		}
		return nil
	}}
}

// pages is a part that one of the lists of an athlete's history holds.
func pages[T any](name, title, says string, in historyInput, load func(context.Context, *historyInput) (*answer[list[T]], error)) privacy.Part {
	return privacy.Part{Name: name, Title: title, Says: says, Rows: func(ctx context.Context, yield func(any) error) error {
		return eachOf(ctx, in, load, func(row *T) error { return yield(row) })
	}}
}

// eachOf hands every item of one of the lists of an athlete's history to yield.
func eachOf[T any](ctx context.Context, in historyInput, load func(context.Context, *historyInput) (*answer[list[T]], error), yield func(*T) error) error {
	for {
		page, err := load(ctx, &in)
		if err != nil {
			return err
		}
		for i := range page.Body.Items {
			if err := yield(&page.Body.Items[i]); err != nil {
				return err
			}
		}
		if in.Cursor = page.Body.Next; in.Cursor == "" {
			return nil
		}
	}
}
