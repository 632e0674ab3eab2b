package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

const sessionCookie = "spotter_session"

// caller is who a browser, or a program, is signed in as.
type caller struct {
	Name    string         `json:"name" doc:"by which what is done is signed"`
	Role    access.Role    `json:"role" enum:"admin,coach,athlete"`
	Site    lift.SiteID    `json:"site,omitzero" doc:"of a coach; absent: all sites"`
	Athlete lift.AthleteID `json:"athlete,omitzero" doc:"who an athlete is"`
	Expires time.Time      `json:"expires,omitzero" doc:"when the session, or the token, ends by itself; absent: never"`
}

func callerOf(id identity) caller {
	return caller{id.Name, id.Role, id.Site, id.Athlete, id.expires}
}

// Key is a token in a body.
type Key struct {
	Token string `json:"token" minLength:"1" maxLength:"500"`
}

type sessionInput struct{ Body Key }

// sessionAnswer sets or clears the cookie.
type sessionAnswer struct {
	Status    int
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      caller
}

type sessionEnd struct {
	Status    int
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type requestKey struct{}

// withRequest keeps the request for operations that need more than their input.
func withRequest(ctx huma.Context, next func(huma.Context)) {
	next(huma.WithValue(ctx, requestKey{}, humaecho.Unwrap(ctx).Request()))
}

func requestOf(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}

func (s *Server) addSession() {
	path := "/api/v1/session"
	add(s, huma.Operation{
		OperationID: "begin-session", Method: http.MethodPost, Path: path, Tags: []string{"access"}, DefaultStatus: http.StatusCreated,
		Errors:  []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusUnsupportedMediaType},
		Summary: "Sign a browser in with a token",
		Description: "The answer sets a cookie that scripts cannot read and other sites cannot send. The session lasts 7 days, or as long as its token, " +
			"over restarts of the server, and may do what the token may.",
	}, permit{ofNobody, anybody}, s.beginSession)
	add(s, huma.Operation{
		OperationID: "get-session", Method: http.MethodGet, Path: path, Tags: []string{"access"},
		Summary: "Tell who the caller is, by cookie or token",
	}, permit{ofNobody, everyone}, func(ctx context.Context, _ *struct{}) (*answer[caller], error) {
		return &answer[caller]{http.StatusOK, callerOf(who(ctx))}, nil
	})
	add(s, huma.Operation{
		OperationID: "end-session", Method: http.MethodDelete, Path: path, Tags: []string{"access"}, DefaultStatus: http.StatusNoContent,
		Errors:  []int{http.StatusForbidden, http.StatusTooManyRequests},
		Summary: "Sign the browser out", Description: "Without a session it changes nothing.",
	}, permit{ofNobody, anybody}, func(ctx context.Context, _ *struct{}) (*sessionEnd, error) {
		r := requestOf(ctx)
		if cookie, err := r.Cookie(sessionCookie); err == nil {
			if err := s.auth.sessions.End(cookie.Value); err != nil {
				return nil, err
			}
		}
		return &sessionEnd{http.StatusNoContent, s.cookieFor(r, "", time.Unix(1, 0), -1)}, nil
	})
}

func (s *Server) beginSession(ctx context.Context, in *sessionInput) (*sessionAnswer, error) {
	r, now := requestOf(ctx), s.now()
	id, ok, err := s.auth.who(in.Body.Token, now)
	if err != nil {
		return nil, err
	}
	if s.failures.tooMany(peer(r), now) && (!ok || id.isSupplied()) {
		return nil, huma.Error429TooManyRequests(tooManyWrong)
	}
	if !ok {
		s.failures.add(peer(r), now)
		return nil, huma.Error401Unauthorized("the token is not valid")
	}
	return s.signIn(r, id, access.Session{Token: id.key, Expires: id.expires})
}

// signIn begins a session and sets its cookie.
func (s *Server) signIn(r *http.Request, id identity, begun access.Session) (*sessionAnswer, error) {
	now := s.now()
	text, expires, err := s.auth.sessions.Begin(begun, now)
	if err != nil {
		return nil, err
	}
	id.expires = expires
	return &sessionAnswer{http.StatusCreated, s.cookieFor(r, text, expires, int(expires.Sub(now).Seconds())), callerOf(id)}, nil
}

// cookieFor is a cookie that scripts cannot read and that no other site's page can
// make a browser send.
func (s *Server) cookieFor(r *http.Request, text string, expires time.Time, maxAge int) http.Cookie {
	return http.Cookie{
		Name: sessionCookie, Value: text, Path: "/", Expires: expires, MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.isSecure(r),
	}
}

// isSecure reports whether the browser speaks TLS. A proxy's word is enough: where
// it is a lie the cookie is only kept closer.
func (s *Server) isSecure(r *http.Request) bool {
	host, behindTLS := strings.CutPrefix(s.publicURL, "https://")
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" || behindTLS && strings.EqualFold(r.Host, host)
}
