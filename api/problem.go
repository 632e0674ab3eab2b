package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/payload"
	"github.com/spotterhq/spotter/internal/privacy"
	"github.com/spotterhq/spotter/internal/view"
)

const problemType = "application/problem+json"

// problem is an RFC 9457 document with the field at fault.
type problem struct {
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Detail string  `json:"detail,omitzero"`
	Field  string  `json:"field,omitzero"`
	Errors []fault `json:"errors,omitempty"`
}

// fault is one of several things wrong with a request.
type fault struct {
	Message  string `json:"message"`
	Location string `json:"location,omitzero"`
}

// newProblem turns huma's error into ours: the value that was sent is left out,
// because it may be long, hostile, or about somebody's health.
func newProblem(e *huma.ErrorModel) *problem {
	p := &problem{Title: e.Title, Status: e.Status, Detail: e.Detail}
	for _, d := range e.Errors {
		if d == nil {
			continue
		}
		p.Errors = append(p.Errors, fault{d.Message, payload.Name(d.Location)})
		if p.Field == "" {
			p.Field = payload.Name(fieldOf(d))
		}
	}
	if e.Status == http.StatusRequestTimeout {
		p.Detail = "the body did not arrive whole, or not in time"
	}
	if len(p.Errors) > 0 && e.Status < http.StatusInternalServerError {
		p.Detail = p.Errors[0].Message
		if p.Field != "" {
			p.Detail = p.Field + ": " + p.Detail
		}
	}
	return p
}

// fieldOf is the field as the sender wrote it: without the part of the request
// that it was in.
func fieldOf(d *huma.ErrorDetail) string {
	part, field, inside := strings.Cut(d.Location, ".")
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name, _, _ = strings.Cut(name, " ")
		return strings.TrimPrefix(field+"."+name, ".")
	}
	if !inside && part == "body" {
		return ""
	}
	return field
}

// at is a problem with one field, such as query.limit or body.load_kg.
func at(status int, location, message string) error {
	return huma.NewError(status, message, &huma.ErrorDetail{Location: location, Message: message})
}

// answerable turns an error of an operation into one for the client. Of what it
// does not know it logs the cause and tells nothing.
func (s *Server) answerable(ctx context.Context, operation string, err error) error {
	var said huma.StatusError
	var field *lift.FieldError
	switch {
	case errors.As(err, &said):
		return err
	case errors.As(err, &field):
		return at(http.StatusUnprocessableEntity, strings.TrimSuffix("body."+field.Field, "."), field.Reason)
	case errors.Is(err, view.ErrNotFound):
		return huma.Error404NotFound("nothing is known by this id")
	case errors.Is(err, view.ErrCursor):
		return at(http.StatusUnprocessableEntity, "query.cursor", "is not one of this list's")
	case errors.Is(err, privacy.ErrErased):
		return huma.NewError(http.StatusGone, "the athlete was erased: nothing about them is stored until an administrator allows it again")
	case accessProblem(err) != nil:
		return accessProblem(err)
	case ctx.Err() != nil:
		return huma.Error503ServiceUnavailable("the request was given up")
	case errors.Is(err, errLog):
		s.log.Error("write to the log", "operation", operation, "error", err)
		return huma.Error503ServiceUnavailable("the log takes nothing in at the moment; try again")
	}
	s.log.Error("operation failed", "operation", operation, "error", err)
	return huma.Error500InternalServerError("something went wrong in the server; its log says what")
}

// accessProblem is why a token or credential is not made or revoked, without the name
// that was sent; nil where it is something else.
func accessProblem(err error) error {
	for _, reason := range []error{access.ErrUnknown, access.ErrTokenUnknown} {
		if errors.Is(err, reason) {
			return huma.Error404NotFound(reason.Error())
		}
	}
	for _, reason := range []error{access.ErrExists, access.ErrTokenExists} {
		if errors.Is(err, reason) {
			return at(http.StatusConflict, "body.name", reason.Error())
		}
	}
	for _, reason := range []error{access.ErrLastAdmin, access.ErrTooMany} {
		if errors.Is(err, reason) {
			return huma.Error409Conflict(reason.Error())
		}
	}
	return nil
}

// writeProblem answers outside of any operation.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	data, err := json.Marshal(&problem{Title: http.StatusText(status), Status: status, Detail: detail})
	if err != nil {
		data = nil
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that is gone needs no answer
}

// routerError answers what Echo's router refuses: unknown paths and methods.
func (s *Server) routerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, detail := http.StatusInternalServerError, "something went wrong in the server; its log says what"
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = he.Code
		switch status {
		case http.StatusNotFound:
			detail = "there is nothing at this path; /openapi.json lists what there is"
		case http.StatusMethodNotAllowed:
			detail = "this path has other methods: " + c.Response().Header().Get("Allow")
		default:
			detail = ""
		}
	} else {
		s.log.Error("request failed", "route", c.Path(), "error", err)
	}
	writeProblem(c.Response(), status, detail)
}
