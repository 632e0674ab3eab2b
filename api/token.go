package api

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/access"
)

// Auth knows the tokens and sessions of the installation, or that none is needed.
type Auth struct {
	tokens   *access.Tokens
	sessions *access.Sessions
	supplied string // the hash of the admin's token, where it is not a kept one
	metrics  string // the hash of the token that reads the metrics alone
	open     bool
}

// LeastToken is the fewest characters that a token of the user's own has.
const LeastToken = 8

// Open is the authentication of a demo, whose data folder is dir: no token is asked
// for. The server then answers only requests that come from the same machine, by a
// loopback name, and not from another site's page.
func Open(dir string) *Auth {
	return &Auth{tokens: access.TokensIn(dir), sessions: access.SessionsIn(dir), open: true}
}

// LoadOrCreateAdmin reads the tokens kept in dir. Where no admin has one that is
// valid at the time now, it creates one and returns it as newToken, to be shown
// once: only its hash is kept. A supplied token, where not empty, is the admin's
// instead, and is not kept.
func LoadOrCreateAdmin(dir, supplied string, now time.Time) (_ *Auth, newToken string, err error) {
	auth := &Auth{tokens: access.TokensIn(dir), sessions: access.SessionsIn(dir)}
	if supplied = strings.TrimSpace(supplied); supplied != "" {
		if err := checkSupplied(supplied); err != nil {
			return nil, "", fmt.Errorf("admin token: %w", err)
		}
		auth.supplied = access.Hash(supplied)
		_, err = auth.tokens.List()
	} else {
		newToken, err = auth.tokens.EnsureAdmin(now)
	}
	if err != nil {
		return nil, "", err
	}
	return auth, newToken, nil
}

// AllowMetrics lets a token of the user's own read the metrics from another machine.
// It can do nothing else. An empty one changes nothing.
func (a *Auth) AllowMetrics(supplied string) error {
	if supplied = strings.TrimSpace(supplied); supplied == "" {
		return nil
	}
	if err := checkSupplied(supplied); err != nil {
		return fmt.Errorf("metrics token: %w", err)
	}
	a.metrics = access.Hash(supplied)
	return nil
}

// readsMetrics reports whether the text is the token of AllowMetrics.
func (a *Auth) readsMetrics(text string) bool {
	return a.metrics != "" && subtle.ConstantTimeCompare([]byte(access.Hash(text)), []byte(a.metrics)) == 1
}

func checkSupplied(token string) error {
	if len(token) < LeastToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("must be at least %d printable ASCII characters without spaces", LeastToken)
	}
	return nil
}

// who finds the owner of a token, in a time that does not tell how much of it was
// right.
func (a *Auth) who(text string, now time.Time) (identity, bool, error) {
	return a.whoHas(access.Hash(text), now)
}

func (a *Auth) whoHas(hash string, now time.Time) (identity, bool, error) {
	if a.supplied != "" && subtle.ConstantTimeCompare([]byte(hash), []byte(a.supplied)) == 1 {
		return identity{Name: access.AdminName, Role: access.RoleAdmin, key: hash}, true, nil
	}
	t, ok, err := a.tokens.FindHash(hash, now)
	if err != nil || !ok || a.supplied != "" && t.Name == access.AdminName {
		return identity{}, false, err
	}
	return identity{Name: t.Name, Role: t.Role, Site: t.Site, Athlete: t.Athlete, expires: t.Expires, token: &t, key: hash}, true, nil
}

// whoSignedIn finds whose session a cookie's text is.
func (a *Auth) whoSignedIn(text string, now time.Time) (identity, bool, error) {
	session, ok, err := a.sessions.Find(text, now)
	if err != nil || !ok {
		return identity{}, false, err
	}
	id := identity{Name: session.Name, Role: session.Role, Site: session.Site, Athlete: session.Athlete, key: session.SHA256}
	if session.Token != "" {
		if id, ok, err = a.whoHas(session.Token, now); err != nil || !ok {
			return identity{}, false, err
		}
	}
	id.expires, id.session = session.Expires, session.SHA256
	return id, true, nil
}
