package access

import (
	"crypto/rand"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Session is a browser that somebody has signed in with, by a token or through an
// identity provider. It survives a restart.
type Session struct {
	SHA256  string    `json:"sha256"` // of the cookie's text
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// Token is the hash of the token: the session ends with it, and may what it may.
	// "" for a session of an identity provider, which has what follows instead.
	Token   string         `json:"token,omitzero"`
	Name    string         `json:"name,omitzero"`
	Role    Role           `json:"role,omitzero"`
	Site    lift.SiteID    `json:"site,omitzero"`
	Athlete lift.AthleteID `json:"athlete,omitzero"`
}

// SessionLife is how long a session lasts at most.
const SessionLife = 7 * 24 * time.Hour

const (
	mostSessions = 10_000
	// mostOfOne is how many there may be of one token, or of one person of an identity
	// provider: nobody signs the others out by signing in again and again.
	mostOfOne = 100
)

// Sessions is the file of sessions.
type Sessions struct{ shelf *shelf[Session] }

// SessionsIn returns the sessions of a data folder. The file need not exist.
func SessionsIn(dir string) *Sessions {
	return &Sessions{newShelf(dir, "sessions.json", "sessions", "sessions", func(s *Session) string { return s.SHA256 })}
}

// Begin keeps a session and returns the text of its cookie, which is kept nowhere.
// It lasts for SessionLife, or to its Expires where that is sooner. With too many, of
// one owner or of all, the oldest goes.
func (s *Sessions) Begin(session Session, now time.Time) (text string, expires time.Time, err error) {
	text, expires = rand.Text(), now.Add(SessionLife).UTC()
	if !session.Expires.IsZero() && session.Expires.Before(expires) {
		expires = session.Expires.UTC()
	}
	session.SHA256, session.Created, session.Expires = Hash(text), now.UTC(), expires
	err = s.shelf.change(func(all []Session) ([]Session, error) {
		all = slices.DeleteFunc(all, func(old Session) bool { return !now.Before(old.Expires) })
		all = withoutOldest(all, mostOfOne, func(old *Session) bool { return old.Token == session.Token && old.Name == session.Name })
		all = withoutOldest(all, mostSessions, func(*Session) bool { return true })
		return append(all, session), nil
	})
	return text, expires, err
}

// Find returns the session of a cookie.
func (s *Sessions) Find(text string, now time.Time) (Session, bool, error) {
	return s.FindHash(Hash(text), now)
}

// FindHash is Find by the hash of the cookie's text.
func (s *Sessions) FindHash(hash string, now time.Time) (Session, bool, error) {
	found, ok, err := s.shelf.find(hash)
	return found, ok && now.Before(found.Expires), err
}

// EndOf ends every session that is the athlete's own by an identity provider, and
// says how many there were; those begun with a token end with it.
func (s *Sessions) EndOf(athlete lift.AthleteID) (n int, err error) {
	err = s.shelf.change(func(all []Session) ([]Session, error) {
		left := slices.DeleteFunc(slices.Clone(all), func(old Session) bool { return old.Athlete == athlete && athlete != "" })
		n = len(all) - len(left)
		return left, nil
	})
	return n, err
}

// End removes the session of a cookie; it is no error where there is none.
func (s *Sessions) End(text string) error {
	hash := Hash(text)
	return s.shelf.change(func(all []Session) ([]Session, error) {
		return slices.DeleteFunc(all, func(old Session) bool { return old.SHA256 == hash }), nil
	})
}
