package api

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/oauth2"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// OIDC is an OpenID Connect provider with which people sign in. It leads them back to
// /auth/callback below the server's PublicURL, which has to be given.
type OIDC struct {
	Issuer       string // its URL, as its tokens name it
	ClientID     string
	ClientSecret string // "" for a public client
	// RoleClaim holds a person's groups: the name of a claim, or its path with dots.
	RoleClaim string
	// Roles are what groups may; the first that fits a person counts.
	Roles []GroupRole
	// NameClaim holds the name by which what a person does is signed; AthleteClaim the
	// id of an athlete.
	NameClaim, AthleteClaim string
	Client                  *http.Client // nil is one of the server's own
}

// GroupRole is what the people of a group may.
type GroupRole struct {
	Group string
	Role  access.Role
	Site  lift.SiteID // of a coach; "" is all sites
}

// ParseGroupRole reads group=admin, group=coach, group=coach:site or group=athlete.
func ParseGroupRole(text string) (GroupRole, error) {
	cut := strings.LastIndexByte(text, '=')
	if cut < 1 {
		return GroupRole{}, fmt.Errorf("%q is not group=role", text)
	}
	g := GroupRole{Group: text[:cut]}
	role, site, sited := strings.Cut(text[cut+1:], ":")
	g.Role, g.Site = access.Role(role), lift.SiteID(site)
	switch {
	case g.Role != access.RoleAdmin && g.Role != access.RoleCoach && g.Role != access.RoleAthlete:
		return GroupRole{}, fmt.Errorf("%q: the role is not admin, coach, coach:site or athlete", text)
	case sited && g.Role != access.RoleCoach:
		return GroupRole{}, fmt.Errorf("%q: only a coach has a site", text)
	case sited:
		if err := lift.CheckID("site", g.Site); err != nil {
			return GroupRole{}, fmt.Errorf("%q: %w", text, err)
		}
	}
	return g, nil
}

const (
	loginCookie = "spotter_login"
	loginLife   = 10 * time.Minute
	maxLogins   = 10_000
	// A session of a provider is shorter than one of a token, because nobody here
	// hears when the provider takes a right away.
	providerLife    = 12 * time.Hour
	providerTimeout = 15 * time.Second
	// afterLogin is where a browser goes that does not say where it wants to.
	afterLogin = "/"
)

// logins are the sign-ins that have begun at a provider.
type logins struct {
	provider OIDC
	back     string // where the provider leads back to

	mu         sync.Mutex
	discovered *oidc.Provider
	begun      map[string]login // by state
}

// login is one sign-in that has begun.
type login struct {
	nonce, verifier, next string
	expires               time.Time
}

func newLogins(provider *OIDC, publicURL string) *logins {
	if provider == nil {
		return nil
	}
	l := &logins{provider: *provider, back: strings.TrimSuffix(publicURL, "/") + "/auth/callback", begun: map[string]login{}}
	if l.provider.Client == nil {
		l.provider.Client = &http.Client{Timeout: providerTimeout}
	}
	return l
}

// reach returns the provider, asking it for its addresses when first needed: it need
// not be there when the server starts.
func (l *logins) reach(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.discovered == nil {
		found, err := oidc.NewProvider(l.client(ctx), l.provider.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("ask identity provider: %w", err)
		}
		l.discovered = found
	}
	return l.discovered, &oauth2.Config{
		ClientID: l.provider.ClientID, ClientSecret: l.provider.ClientSecret, Endpoint: l.discovered.Endpoint(),
		RedirectURL: l.back, Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}, nil
}

func (l *logins) client(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, l.provider.Client)
}

// begin remembers a sign-in under a new state.
func (l *logins) begin(next string, now time.Time) (state string, begun login) {
	state = rand.Text()
	begun = login{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), next: next, expires: now.Add(loginLife)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.begun) >= maxLogins {
		for s, old := range l.begun {
			if !now.Before(old.expires) {
				delete(l.begun, s)
			}
		}
	}
	for s := range l.begun { // any: what a flood has begun goes too
		if len(l.begun) < maxLogins {
			break
		}
		delete(l.begun, s)
	}
	l.begun[state] = begun
	return state, begun
}

// take returns the sign-in of a state, once.
func (l *logins) take(state string, now time.Time) (login, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	begun, ok := l.begun[state]
	delete(l.begun, state)
	return begun, ok && now.Before(begun.expires)
}

type loginInput struct {
	Next string `query:"next" maxLength:"500" doc:"path on this server where to go afterwards"`
}

// redirect sends the browser elsewhere.
type redirect struct {
	Status    int
	Location  string      `header:"Location"`
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type callbackInput struct {
	State string `query:"state" maxLength:"200"`
	Code  string `query:"code" maxLength:"4000"`
	Error string `query:"error" maxLength:"200"`
}

// signedIn is a page that leads on. A redirect would not do: to the browser it would
// still come from the provider's site, and it would not send the cookie.
type signedIn struct {
	Status      int
	ContentType string        `header:"Content-Type"`
	SetCookie   []http.Cookie `header:"Set-Cookie"`
	Body        []byte
}

func (s *Server) addLogin() {
	describe := func(id, path, summary, description string, answer *huma.Response, status int) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"access"}, DefaultStatus: status,
			Errors:  []int{http.StatusNotFound, http.StatusTooManyRequests},
			Summary: summary, Description: description,
			Responses: map[string]*huma.Response{fmt.Sprint(status): answer},
		}
	}
	begin := describe("begin-login", "/auth/login", "Sign in with the identity provider",
		"OpenID Connect: authorization code with PKCE. 404 where none is set up.", &huma.Response{Description: "To the provider"}, http.StatusFound)
	add(s, begin, permit{ofNobody, anybody}, s.beginLogin)
	end := describe("end-login", "/auth/callback", "Come back from the identity provider",
		"The browser is sent here by the provider. The answer sets the cookie of a session that lasts 12 hours.",
		&huma.Response{Description: "Signed in", Content: map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}}}, http.StatusOK)
	end.Errors = append(end.Errors, http.StatusBadRequest, http.StatusForbidden)
	add(s, end, permit{ofNobody, anybody}, s.endLogin)
}

func errNoProvider() error {
	return huma.Error404NotFound("no identity provider is set up; POST /api/v1/session takes a token")
}

func (s *Server) beginLogin(ctx context.Context, in *loginInput) (*redirect, error) {
	if s.logins == nil {
		return nil, errNoProvider()
	}
	next := in.Next
	if !isPathHere(next) {
		next = afterLogin
	}
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	_, config, err := s.logins.reach(ctx)
	if err != nil {
		s.log.Error("sign-in", "error", err)
		return nil, huma.Error503ServiceUnavailable("the identity provider does not answer")
	}
	state, begun := s.logins.begin(next, s.now())
	return &redirect{
		Status:    http.StatusFound,
		Location:  config.AuthCodeURL(state, oidc.Nonce(begun.nonce), oauth2.S256ChallengeOption(begun.verifier)),
		SetCookie: s.loginCookieFor(requestOf(ctx), state, int(loginLife.Seconds())),
	}, nil
}

// loginCookieFor binds a sign-in to the browser that has begun it. It is sent when
// the provider leads back here, which is another site's doing.
func (s *Server) loginCookieFor(r *http.Request, state string, maxAge int) http.Cookie {
	return http.Cookie{
		Name: loginCookie, Value: state, Path: "/auth", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.isSecure(r),
	}
}

// isPathHere reports whether a browser that goes there stays on this server.
func isPathHere(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || r <= ' ' })
}

func (s *Server) endLogin(ctx context.Context, in *callbackInput) (*signedIn, error) {
	if s.logins == nil {
		return nil, errNoProvider()
	}
	r, now := requestOf(ctx), s.now()
	cookie, err := r.Cookie(loginCookie)
	if err != nil || in.State == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(in.State)) != 1 {
		return nil, huma.Error400BadRequest("this browser has not begun the sign-in: begin it again at /auth/login")
	}
	begun, ok := s.logins.take(in.State, now)
	switch {
	case !ok:
		return nil, huma.Error400BadRequest("the sign-in was begun too long ago, or has ended already: begin it again at /auth/login")
	case in.Error != "" || in.Code == "":
		return nil, huma.Error403Forbidden("the identity provider has not let you in")
	}
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	session, err := s.logins.finish(ctx, in.Code, &begun, s.now)
	if refused, isRefused := errors.AsType[*loginRefusedError](err); isRefused {
		s.log.Warn("sign-in refused", "why", refused.why)
		return nil, huma.Error403Forbidden(refused.says)
	}
	if err != nil {
		s.log.Error("sign-in", "error", err)
		return nil, huma.Error503ServiceUnavailable("the identity provider does not answer as it should")
	}
	session.Expires = now.Add(providerLife)
	answer, err := s.signIn(r, identity{}, session)
	if err != nil {
		return nil, err
	}
	return &signedIn{
		Status: http.StatusOK, ContentType: "text/html; charset=utf-8",
		SetCookie: []http.Cookie{answer.SetCookie, s.loginCookieFor(r, "", -1)},
		Body: []byte(`<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=` + html.EscapeString(begun.next) +
			`"><title>Spotter</title><p>You are signed in. <a href="` + html.EscapeString(begun.next) + `">Go on</a>.`),
	}, nil
}

// loginRefusedError says why somebody is not let in: why for the log, says for them.
type loginRefusedError struct{ why, says string }

func (e *loginRefusedError) Error() string { return e.why }

// finish turns the provider's code into whose session it is.
func (l *logins) finish(ctx context.Context, code string, begun *login, now func() time.Time) (access.Session, error) {
	provider, config, err := l.reach(ctx)
	if err != nil {
		return access.Session{}, err
	}
	notBelieved := func(why string) error {
		return &loginRefusedError{why, "what the identity provider says cannot be believed: begin again at /auth/login"}
	}
	ctx = l.client(ctx)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(begun.verifier))
	if _, said := errors.AsType[*oauth2.RetrieveError](err); said {
		return access.Session{}, notBelieved("the provider does not know the code")
	}
	if err != nil {
		return access.Session{}, fmt.Errorf("exchange code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return access.Session{}, notBelieved("there is no id token")
	}
	verified, err := provider.Verifier(&oidc.Config{ClientID: l.provider.ClientID, Now: now}).Verify(ctx, raw)
	if err != nil {
		return access.Session{}, notBelieved("the id token is not valid: " + err.Error())
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(begun.nonce)) != 1 {
		return access.Session{}, notBelieved("the nonce is another sign-in's")
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return access.Session{}, notBelieved("the id token's claims cannot be read")
	}
	return l.sessionOf(claims)
}

const maxSigner = 100

// sessionOf is what the person whom the claims are about may do.
func (l *logins) sessionOf(claims map[string]any) (access.Session, error) {
	names := textsAt(claims, l.provider.NameClaim)
	if len(names) != 1 || names[0] == "" || len(names[0]) > maxSigner || strings.ContainsFunc(names[0], func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return access.Session{}, &loginRefusedError{
			"the claim of the name cannot be used", "the identity provider does not tell who you are: ask who looks after this server",
		}
	}
	groups := textsAt(claims, l.provider.RoleClaim)
	for _, g := range l.provider.Roles {
		if !slices.Contains(groups, g.Group) {
			continue
		}
		// The prefix keeps people of the provider apart from the names of tokens.
		session := access.Session{Name: "oidc:" + names[0], Role: g.Role, Site: g.Site}
		if g.Role == access.RoleAthlete {
			ids := textsAt(claims, l.provider.AthleteClaim)
			if len(ids) != 1 || lift.CheckID("athlete", lift.AthleteID(ids[0])) != nil {
				continue
			}
			session.Athlete = lift.AthleteID(ids[0])
		}
		return session, nil
	}
	return access.Session{}, &loginRefusedError{
		"no group of the person has a role", "you are known, but have no role here: ask who looks after this server",
	}
}

// textsAt returns the texts at a claim: its name, or a path of names with dots.
func textsAt(claims map[string]any, path string) []string {
	value, ok := claims[path]
	if !ok {
		name, rest, inside := strings.Cut(path, ".")
		if within, is := claims[name].(map[string]any); inside && is {
			return textsAt(within, rest)
		}
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var texts []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts
	}
	return nil
}
