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
		if len(supplied) < LeastToken || strings.ContainsFunc(supplied, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, "", fmt.Errorf("admin token: must be at least %d printable ASCII characters without spaces", LeastToken)
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
