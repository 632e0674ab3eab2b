package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// AlertFilter narrows alerts, in a list or on a stream.
type AlertFilter struct {
	Athlete  lift.AthleteID `query:"athlete" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Site     lift.SiteID    `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Severity lift.Severity  `query:"severity" enum:"info,advice,warning,critical,urgent" doc:"this or worse"`
}

type alertsInput struct {
	AlertListFilter
	Paging
}

// AlertListFilter narrows a list of alerts.
type AlertListFilter struct {
	AlertFilter
	Rule  lift.Rule       `query:"rule" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	State lift.AlertState `query:"state" enum:"open,acknowledged,resolved,retracted,expired" doc:"every state by default"`
	Since time.Time       `query:"since" doc:"opened at this time or later, RFC 3339"`
	Until time.Time       `query:"until" doc:"opened before this time, RFC 3339"`
}

// alertDetail is an alert with its whole life.
type alertDetail struct {
	lift.Alert
	History []view.AlertStep `json:"history" doc:"each step of its life, oldest first, with the alert after it"`
	// Escalations are what follows while nobody acknowledges it.
	Escalations []escalation `json:"escalations,omitempty" doc:"what follows while nobody acknowledges it"`
}

// remark is what somebody says when they answer an alert.
type remark struct {
	Note string `json:"note,omitzero" maxLength:"2000"`
}

func (s *Server) addAlerts() {
	add(s, huma.Operation{
		OperationID: "list-alerts", Method: http.MethodGet, Path: "/api/v1/alerts", Tags: []string{"alerts"},
		Summary: "List alerts, newest first",
	}, permit{ofCaller, everyone}, s.listAlerts)
	add(s, huma.Operation{
		OperationID: "get-alert", Method: http.MethodGet, Path: "/api/v1/alerts/{id}", Tags: []string{"alerts"},
		Errors:  []int{http.StatusNotFound},
		Summary: "Get an alert with its evidence and its whole history",
	}, permit{ofAlert, everyone}, s.getAlert)
	for _, a := range []struct {
		verb    lift.AlertVerb
		summary string
	}{
		{lift.AlertAcknowledge, "Say that somebody has seen an alert and acts on it"},
		{lift.AlertResolve, "Say that an alert has been dealt with"},
	} {
		path := "/api/v1/alerts/{id}/" + string(a.verb)
		add(s, huma.Operation{
			OperationID: string(a.verb) + "-alert", Method: http.MethodPost, Path: path, Tags: []string{"alerts"},
			Errors:  []int{http.StatusNotFound, http.StatusConflict},
			Summary: a.summary,
			Description: "Who and when are recorded with the note. It creates nothing, so it answers 200, the first time and each " +
				"later time, which changes nothing. A retracted or expired alert answers 409.",
		}, permit{ofAlert, coaches}, s.answerAlert(a.verb))
		s.also(path, http.MethodPost, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds: the alert is as it was"})
	}
}

func (s *Server) listAlerts(ctx context.Context, in *alertsInput) (*answer[list[lift.Alert]], error) {
	among, err := who(ctx).athletes(ctx)
	if err != nil {
		return nil, err
	}
	alerts, next, err := s.view.Alerts(ctx, view.AlertQuery{
		Athlete: in.Athlete, Athletes: among, Site: in.Site, Rule: in.Rule, Severity: in.Severity, State: in.State, Since: in.Since, Until: in.Until,
	}, in.page())
	if err != nil {
		return nil, err
	}
	return &answer[list[lift.Alert]]{http.StatusOK, list[lift.Alert]{alerts, next}}, nil
}

func (s *Server) getAlert(ctx context.Context, in *IDPath) (*answer[alertDetail], error) {
	a, err := s.view.Alert(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	steps, err := s.view.AlertSteps(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &answer[alertDetail]{http.StatusOK, alertDetail{a, steps, escalations(&a, steps)}}, nil
}

type answerInput struct {
	IDPath
	Body *remark
}

func (s *Server) answerAlert(verb lift.AlertVerb) func(context.Context, *answerInput) (*answer[lift.Alert], error) {
	return func(ctx context.Context, in *answerInput) (*answer[lift.Alert], error) {
		said := lift.Answer{By: who(ctx).Name, At: s.now().UTC()}
		if in.Body != nil {
			said.Note = strings.TrimSpace(in.Body.Note)
		}
		if err := said.Validate(); err != nil {
			return nil, err
		}
		a, err := s.view.Alert(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if a.Closed() {
			return nil, huma.Error409Conflict("the alert is " + string(a.State) + " and can no longer be answered")
		}
		change := lift.AlertChange{AlertID: a.ID, Verb: verb, At: said.At, Answer: &said}
		if _, changes := a.Apply(change); !changes {
			return &answer[lift.Alert]{http.StatusOK, a}, nil
		}
		applied, err := s.write(ctx, journal.Event{
			Kind: journal.KindAnswer, Received: said.At, Site: a.Site, Athlete: a.Athlete, Alert: &change,
		})
		if err != nil {
			return nil, err
		}
		if a, err = s.view.Alert(ctx, in.ID); err != nil {
			return nil, err
		}
		return &answer[lift.Alert]{statusOf(applied, http.StatusOK), a}, nil
	}
}
