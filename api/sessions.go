package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis/profile"
)

func (s *Server) addSessions() {
	add(s, huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/api/v1/athletes/{id}/sessions", Tags: []string{"athletes"},
		Summary:     "List what an athlete did on each local date",
		Description: "Oldest first. Work sets only; a session has its place at the first rep of its date. An athlete of whom nothing is known has an empty list.",
	}, permit{ofAthlete, everyone}, s.listSessions)
}

func (s *Server) listSessions(ctx context.Context, in *historyInput) (*answer[list[profile.Session]], error) {
	from, to, err := in.bounds(s.now())
	if err != nil {
		return nil, err
	}
	placeOf := func(x *profile.Session) place { return place{x.From, string(x.Date)} }
	page, err := pageOf(from, to, setStep, in.Paging, placeOf, s.nextStretch(ctx, in.ID), func(from, to time.Time) ([]profile.Session, error) {
		sets, err := s.setsAround(ctx, in.ID, from, to)
		sessions := profile.Sessions(sets, s.profileOptions(in.ID))
		return slices.DeleteFunc(sessions, func(x profile.Session) bool { return x.From.Before(from) || !x.From.Before(to) }), err
	})
	if err != nil {
		return nil, err
	}
	return &answer[list[profile.Session]]{http.StatusOK, page}, nil
}
