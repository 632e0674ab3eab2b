package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/lift"
)

type contextInput struct {
	AthletePath
	To time.Time `query:"to" doc:"as of just before this time, RFC 3339; by default now"`
}

// athleteContext is how an athlete's workload and velocities stand.
type athleteContext struct {
	Athlete lift.AthleteID `json:"athlete"`
	profile.Context
}

func (s *Server) addContext() {
	add(s, huma.Operation{
		OperationID: "get-context", Method: http.MethodGet, Path: "/api/v1/athletes/{id}/context", Tags: []string{"athletes"},
		Summary: "Show an athlete's workload ratios, monotony, strain and readiness",
		Description: "On the local date of to. A figure that cannot be told has why_not in the place of its value. " +
			"Shown, and never alerted on: no ratio has been shown to predict injury.",
	}, permit{ofAthlete, everyone}, s.getContext)
}

func (s *Server) getContext(ctx context.Context, in *contextInput) (*answer[athleteContext], error) {
	_, to, err := Span{To: in.To}.bounds(s.now())
	if err != nil {
		return nil, err
	}
	history, err := s.setsWithReps(ctx, in.ID, to, to)
	if err != nil {
		return nil, err
	}
	found := profile.ContextOf(history, s.asOf(to), s.profileOptions(in.ID))
	return &answer[athleteContext]{http.StatusOK, athleteContext{in.ID, found}}, nil
}
