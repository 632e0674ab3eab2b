package api

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/table"
)

const (
	// exportPage is how many reps or sets of one athlete are read at a time.
	exportPage = 5000
	// mostExports are written at a time.
	mostExports = 4
	// exportBuffer is how much of an export is sent at a time, in bytes.
	exportBuffer = 64 << 10
)

type exportInput struct {
	Athlete lift.AthleteID `query:"athlete" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"of this athlete alone"`
	Team    lift.TeamID    `query:"team" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"of the athletes who are in this team now"`
	Site    lift.SiteID    `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"of the athletes who are at this site now"`
	From    time.Time      `query:"from" doc:"from this time on, RFC 3339; by default from the beginning"`
	To      time.Time      `query:"to" doc:"before this time, RFC 3339; by default now"`
	Format  table.Format   `query:"format" enum:"csv,parquet" default:"csv"`
}

func (s *Server) addExports() {
	exportOf(s, "reps", table.Reps(), s.listReps)
	exportOf(s, "sets", table.Sets(), s.listSets)
}

// exportOf adds the operation that writes one of the lists of histories as a table.
func exportOf[T any](s *Server, what string, columns []table.Column[T], load func(context.Context, *historyInput) (*answer[list[T]], error)) {
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	op := huma.Operation{
		OperationID: "export-" + what, Method: http.MethodGet, Path: "/api/v1/exports/" + what, Tags: []string{"athletes"},
		Metadata: map[string]any{notesItself: true},
		Summary:  "Get the " + what + " of one or many athletes as one table, CSV or Parquet",
		Description: "Athlete by athlete in the order of their ids, each oldest first: what GET /athletes/{id}/" + what + " tells, under the same names. " +
			"No names of people. Made while it is sent; one that ends before its time is cut off in the middle of the connection.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The table",
			Content: map[string]*huma.MediaType{
				"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}, table.Parquet.ContentType(): {Schema: binary},
			},
		}},
	}
	add(s, op, permit{ofCaller, everyone}, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		all, err := s.athletesOf(ctx, &athletesInput{Site: in.Site, Team: in.Team})
		if err != nil {
			return nil, err
		}
		from, to, err := Span{From: in.From, To: in.To}.bounds(s.now()) // now is one moment for all of it
		if err != nil {
			return nil, err
		}
		if in.From.IsZero() {
			from = lift.Earliest
		}
		if !from.Before(to) {
			all = nil
		}
		history := historyInput{Span: Span{From: from, To: to}, Paging: Paging{Limit: exportPage}}
		if !s.exporting.TryAcquire(1) {
			return nil, huma.Error429TooManyRequests("4 exports are being written; try again when one is done")
		}
		seen := lookKey{by: who(ctx).Name, operation: op.OperationID}
		write := func(ctx context.Context, w io.Writer) error {
			t, err := table.New(w, in.Format, columns)
			if err != nil {
				return err
			}
			for i := range all {
				history.ID = all[i].ID
				if in.Athlete != "" && history.ID != in.Athlete {
					continue
				}
				seen.athlete = history.ID
				s.looks.note(seen, s.now().UTC())
				if err := eachOf(ctx, history, load, t.Write); err != nil {
					return err
				}
			}
			return t.Close()
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer s.exporting.Release(1)
			s.sendTable(hc, op.OperationID, in.Format, in.fileName(what), write)
		}}, nil
	})
}

// fileName is what a browser calls the table.
func (in *exportInput) fileName(what string) string {
	for _, of := range []string{string(in.Athlete), string(in.Team), string(in.Site)} {
		if of != "" {
			what = of + "-" + what
			break
		}
	}
	return what + "." + string(in.Format)
}

// sendTable sends what write writes. Until the first byte is sent an error is a
// problem document; after it the connection is cut off.
func (s *Server) sendTable(hc huma.Context, operation string, format table.Format, name string, write func(context.Context, io.Writer) error) {
	c := humaecho.Unwrap(hc)
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	defer context.AfterFunc(s.streams.ended, cancel)()
	w := c.Response().Writer
	begun := &answerWriter{w: &patient{w, http.NewResponseController(w)}, begin: func() {
		c.Response().Header().Set("Content-Type", format.ContentType())
		c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		c.Response().WriteHeader(http.StatusOK)
	}}
	out := bufio.NewWriterSize(begun, exportBuffer)
	err := write(ctx, out)
	if err == nil {
		err = out.Flush()
	}
	switch {
	case err == nil:
		return
	case !begun.done:
		_ = huma.WriteErr(s.api, hc, http.StatusInternalServerError, "", s.answerable(ctx, operation, err))
		return
	case c.Request().Context().Err() == nil:
		s.log.Error("an export was cut off", "operation", operation, "error", err)
	}
	panic(http.ErrAbortHandler) // so that nobody takes it for whole
}

// answerWriter begins an answer with its first byte.
type answerWriter struct {
	w     io.Writer
	begin func()
	done  bool
}

func (a *answerWriter) Write(p []byte) (int, error) {
	if !a.done {
		a.begin()
		a.done = true
	}
	return a.w.Write(p)
}
