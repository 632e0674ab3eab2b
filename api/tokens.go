package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// TokenItem is a token without its text, which nobody has but its owner.
type TokenItem struct {
	Name    string         `json:"name" doc:"by which what its owner does is signed"`
	Role    access.Role    `json:"role" enum:"admin,coach,athlete,checkin"`
	Site    lift.SiteID    `json:"site,omitzero" doc:"of a coach; absent: all sites"`
	Athlete lift.AthleteID `json:"athlete,omitzero" doc:"who an athlete is"`
	Created time.Time      `json:"created"`
	Expires time.Time      `json:"expires,omitzero" doc:"absent: never"`
	Expired bool           `json:"expired,omitzero"`
	Used    string         `json:"used,omitzero" format:"date" doc:"the last date on which it was used, in UTC"`
	Uses    int            `json:"uses,omitzero" doc:"how often it may still be used; absent: any number of times"`
}

func tokenItemOf(t *access.Token, now time.Time) TokenItem {
	return TokenItem{t.Name, t.Role, t.Site, t.Athlete, t.Created, t.Expires, !t.Live(now), t.Used, t.Uses}
}

// newToken is a token with its text, shown this once.
type newToken struct {
	TokenItem
	Token string `json:"token" doc:"shown this once: only its hash is kept"`
}

// TokenRequest is what a token is to be.
type TokenRequest struct {
	Name    string         `json:"name" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"by which what its owner does is signed"`
	Role    access.Role    `json:"role" enum:"admin,coach,athlete"`
	Site    lift.SiteID    `json:"site,omitzero" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"of a coach; absent: all sites"`
	Athlete lift.AthleteID `json:"athlete,omitzero" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"whom an athlete's token is for"`
	Expires time.Time      `json:"expires,omitzero" doc:"at most ten years ahead; absent: never"`
}

type tokenInput struct{ Body TokenRequest }

func (s *Server) addTokens() {
	path := "/api/v1/tokens"
	add(s, huma.Operation{
		OperationID: "list-tokens", Method: http.MethodGet, Path: path, Tags: []string{"access"},
		Summary:     "List the tokens, oldest first",
		Description: "Without their texts. The one that --admin-token supplies is not kept, and not in the list.",
	}, permit{ofNobody, admins}, s.listTokens)
	add(s, huma.Operation{
		OperationID: "create-token", Method: http.MethodPost, Path: path, Tags: []string{"access"}, DefaultStatus: http.StatusCreated,
		Errors:      []int{http.StatusConflict, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge},
		Summary:     "Make a token and show its text once",
		Description: "409 where there is one of that name. It cannot be shown again: revoke it and make another.",
	}, permit{ofNobody, admins}, s.createToken)
	add(s, huma.Operation{
		OperationID: "revoke-token", Method: http.MethodDelete, Path: path + "/{id}", Tags: []string{"access"}, DefaultStatus: http.StatusNoContent,
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
		Summary:     "Revoke a token by its name",
		Description: "It is refused from the next request on, and whoever has signed in with it. 409 for the last one of an admin.",
	}, permit{ofNobody, admins}, func(_ context.Context, in *IDPath) (*nothing, error) {
		return &nothing{http.StatusNoContent}, s.auth.tokens.Revoke(in.ID, s.now())
	})
}

func (s *Server) listTokens(_ context.Context, in *Paging) (*answer[list[TokenItem]], error) {
	all, err := s.auth.tokens.List()
	if err != nil {
		return nil, err
	}
	items, now := make([]TokenItem, len(all)), s.now()
	for i := range all {
		items[i] = tokenItemOf(&all[i], now)
	}
	return cutAnswer(items, *in, func(t *TokenItem) string { return t.Name })
}

func (s *Server) createToken(_ context.Context, in *tokenInput) (*answer[newToken], error) {
	now := s.now().UTC()
	t := access.Token{
		Name: in.Body.Name, Role: in.Body.Role, Site: in.Body.Site, Athlete: in.Body.Athlete, Expires: in.Body.Expires.UTC(), Created: now,
	}
	text, err := s.auth.tokens.Create(t, now)
	if err != nil {
		return nil, err
	}
	return &answer[newToken]{http.StatusCreated, newToken{tokenItemOf(&t, now), text}}, nil
}
