package access

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Token is a key to the HTTP API, and to whom it belongs. Its text is 130 random
// bits, so that a fast hash without salt is enough.
type Token struct {
	Name    string         `json:"name"` // by which what its owner does is signed; unique
	Role    Role           `json:"role"`
	Site    lift.SiteID    `json:"site,omitzero"`    // a coach's; "" is all sites
	Athlete lift.AthleteID `json:"athlete,omitzero"` // who an athlete's and a check-in link's is for
	Created time.Time      `json:"created,omitzero"`
	Expires time.Time      `json:"expires,omitzero"` // zero: never
	Used    string         `json:"used,omitzero"`    // the last date, in UTC
	// Uses is how many times Take may still give it; 0 is any number.
	Uses   int    `json:"uses,omitzero"`
	SHA256 string `json:"sha256"` // of the text, in hex
}

// Live reports whether the token has not expired.
func (t *Token) Live(now time.Time) bool { return t.Expires.IsZero() || now.Before(t.Expires) }

// AdminName is the name of the token that the first start makes.
const AdminName = "admin"

// reserved names sign what the program's own answers are signed with.
var reserved = []string{AdminName, "demo", "local", "spotter", "system"}

const (
	longestLife = 10 * 366 * 24 * time.Hour
	mostTokens  = 100_000
	mostLinks   = 20 // of one athlete; a file of many more would be slow to write, and too large for a backup
	mostUses    = 1000
)

func (t *Token) validate(now time.Time) error {
	wrong := func(field, format string, args ...any) error {
		return &lift.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	if err := lift.CheckID("name", t.Name); err != nil {
		return err
	}
	if slices.Contains(reserved, t.Name) && (t.Name != AdminName || t.Role != RoleAdmin) {
		return wrong("name", "%q is a name of the program's own", t.Name)
	}
	switch t.Role {
	case RoleAdmin, RoleCoach, RoleAthlete, RoleCheckIn:
	default:
		return wrong("role", "%.40q is not admin, coach or athlete", string(t.Role))
	}
	if t.Site != "" {
		if t.Role != RoleCoach {
			return wrong("site", "is a coach's: a token of the role %s has none", t.Role)
		}
		if err := lift.CheckID("site", t.Site); err != nil {
			return err
		}
	}
	switch person := t.Role == RoleAthlete || t.Role == RoleCheckIn; {
	case person && t.Athlete == "":
		return wrong("athlete", "is missing: name whom the token is for")
	case !person && t.Athlete != "":
		return wrong("athlete", "is an athlete's: a token of the role %s has none", t.Role)
	case person:
		if err := lift.CheckID("athlete", t.Athlete); err != nil {
			return err
		}
	}
	switch {
	case t.Expires.IsZero() && t.Role == RoleCheckIn:
		return wrong("expires", "is missing")
	case !t.Expires.IsZero() && !t.Expires.After(now):
		return wrong("expires", "is not in the future")
	case t.Expires.After(now.Add(longestLife)):
		return wrong("expires", "is more than ten years ahead")
	case t.Uses < 0 || t.Uses > mostUses:
		return wrong("uses", "%d is not 0 to %d", t.Uses, mostUses)
	}
	return nil
}

// Errors of the tokens.
var (
	ErrTokenExists  = errors.New("there is a token of that name; revoke it first")
	ErrTokenUnknown = errors.New("there is no such token")
	ErrLastAdmin    = errors.New("it is the last token of an admin; create another first")
	ErrTooMany      = errors.New("there are as many as may be")
)

// Tokens is the file of tokens.
type Tokens struct {
	shelf *shelf[Token]

	mu     sync.Mutex
	marked map[string]string // date by hash: what Mark has tried
}

// TokensIn returns the tokens of a data folder. The file need not exist.
func TokensIn(dir string) *Tokens {
	s := &Tokens{
		shelf:  newShelf(dir, "tokens.json", "tokens", "tokens", func(t *Token) string { return t.SHA256 }),
		marked: map[string]string{},
	}
	s.shelf.neverEmpty = true // else a file that somebody has emptied would make a new admin
	return s
}

// List returns the tokens, oldest first. The error says why the file cannot be used.
func (s *Tokens) List() ([]Token, error) {
	all, err := s.shelf.list()
	return slices.Clone(all), err
}

// Create makes a token and returns its text, which is kept nowhere. Of an athlete's
// check-in links the oldest goes where there are too many. The error is a
// *lift.FieldError, ErrTokenExists, ErrTooMany or that of the file.
func (s *Tokens) Create(t Token, now time.Time) (text string, err error) {
	if err := t.validate(now); err != nil {
		return "", err
	}
	text = "spotter_" + rand.Text()
	t.Created, t.Used, t.SHA256 = now.UTC(), "", Hash(text)
	t.Expires = t.Expires.UTC()
	err = s.shelf.change(func(all []Token) ([]Token, error) {
		// Links are many, and nobody misses one that is over.
		all = slices.DeleteFunc(all, func(old Token) bool { return old.Role == RoleCheckIn && !old.Live(now) })
		if t.Role == RoleCheckIn {
			all = withoutOldest(all, mostLinks, func(old *Token) bool { return old.Role == RoleCheckIn && old.Athlete == t.Athlete })
		}
		if slices.ContainsFunc(all, func(old Token) bool { return old.Name == t.Name }) {
			return nil, fmt.Errorf("%s: %w", t.Name, ErrTokenExists)
		}
		if len(all) >= mostTokens {
			return nil, ErrTooMany
		}
		return append(all, t), nil
	})
	return text, err
}

// Revoke removes a token: whoever has it, and whoever has signed in with it, is
// refused from the next request on. The error is ErrTokenUnknown, ErrLastAdmin or
// that of the file.
func (s *Tokens) Revoke(name string, now time.Time) error {
	return s.shelf.change(func(all []Token) ([]Token, error) {
		i := slices.IndexFunc(all, func(t Token) bool { return t.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%.64q: %w", name, ErrTokenUnknown)
		}
		was := all[i]
		all = slices.Delete(all, i, i+1)
		if was.Role == RoleAdmin && was.Live(now) && !hasAdmin(all, now) {
			return nil, fmt.Errorf("%s: %w", name, ErrLastAdmin)
		}
		return all, nil
	})
}

// RevokeOf removes every token that is for the athlete, and says how many there were.
func (s *Tokens) RevokeOf(athlete lift.AthleteID) (n int, err error) {
	err = s.shelf.change(func(all []Token) ([]Token, error) {
		left := slices.DeleteFunc(slices.Clone(all), func(t Token) bool { return t.Athlete == athlete && athlete != "" })
		n = len(all) - len(left)
		return left, nil
	})
	return n, err
}

func hasAdmin(all []Token, now time.Time) bool {
	return slices.ContainsFunc(all, func(t Token) bool { return t.Role == RoleAdmin && t.Live(now) })
}

// EnsureAdmin makes the first token, and returns its text; "" where an admin has
// one.
func (s *Tokens) EnsureAdmin(now time.Time) (text string, err error) {
	all, err := s.List()
	if err != nil || hasAdmin(all, now) {
		return "", err
	}
	// One that has expired makes room.
	err = s.shelf.change(func(all []Token) ([]Token, error) {
		return slices.DeleteFunc(all, func(t Token) bool { return t.Name == AdminName }), nil
	})
	if err != nil {
		return "", err
	}
	return s.Create(Token{Name: AdminName, Role: RoleAdmin}, now)
}

// Find returns the token with the text where it signs requests: not that of a
// check-in link, nor one that is used up by use, nor an expired one.
func (s *Tokens) Find(text string, now time.Time) (Token, bool, error) {
	return s.FindHash(Hash(text), now)
}

// FindHash is Find by the hash of the text.
func (s *Tokens) FindHash(hash string, now time.Time) (Token, bool, error) {
	t, ok, err := s.shelf.find(hash)
	return t, ok && t.Live(now) && t.Role != RoleCheckIn && t.Uses == 0, err
}

// Peek returns the token with the text whatever it is for, unless it has expired.
func (s *Tokens) Peek(text string, now time.Time) (Token, bool, error) {
	t, ok, err := s.shelf.find(Hash(text))
	return t, ok && t.Live(now), err
}

// Take is Peek, and counts: a token is gone once it has been taken as often as it
// may be. Of two who take the last use at once, one gets it.
func (s *Tokens) Take(text string, now time.Time) (taken Token, ok bool, err error) {
	if taken, ok, err = s.Peek(text, now); err != nil || !ok || taken.Uses == 0 {
		return taken, ok, err
	}
	hash := Hash(text)
	err = s.shelf.change(func(all []Token) ([]Token, error) {
		i := slices.IndexFunc(all, func(t Token) bool { return t.SHA256 == hash })
		if ok = i >= 0; !ok {
			return all, nil
		}
		taken = all[i]
		if all[i].Uses--; all[i].Uses == 0 {
			all = slices.Delete(all, i, i+1)
		}
		return all, nil
	})
	return taken, ok && err == nil, err
}

// Mark notes the date on which a token was used, with one write a day.
func (s *Tokens) Mark(t Token, now time.Time) error {
	today := now.UTC().Format(time.DateOnly)
	if t.Used == today {
		return nil
	}
	s.mu.Lock()
	tried := s.marked[t.SHA256] == today
	if !tried && len(s.marked) >= mostTokens {
		clear(s.marked)
	}
	s.marked[t.SHA256] = today
	s.mu.Unlock()
	if tried {
		return nil
	}
	return s.shelf.change(func(all []Token) ([]Token, error) {
		for i := range all {
			if all[i].SHA256 == t.SHA256 {
				all[i].Used = today
			}
		}
		return all, nil
	})
}
