package api

import (
	"context"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// identity is who asks: the name that answers and corrections are signed with, and
// what they may see.
type identity struct {
	Name    string
	Role    access.Role
	Site    lift.SiteID    // of a coach; "" is all sites
	Athlete lift.AthleteID // of an athlete

	expires time.Time     // zero: never
	token   *access.Token // where it is one of the kept ones
	session string        // hash of the session, where it is one
	key     string        // tells callers apart for the limit of requests
	server  *Server
}

type identityKey struct{}

// who is the caller of an operation that needs a token.
func who(ctx context.Context) identity {
	id, _ := ctx.Value(identityKey{}).(identity)
	return id
}

// isSupplied reports whether the caller showed the token that the administrator has
// chosen. It alone may be guessed: whoever guesses at others' shall not keep their
// owners out, who may share an address with everybody behind a proxy.
func (id identity) isSupplied() bool { return id.token == nil && id.session == "" && id.key != "" }

// all reports whether the caller may see everybody's data.
func (id identity) all() bool {
	return id.Role == access.RoleAdmin || id.Role == access.RoleCoach && id.Site == ""
}

// seesSite reports whether the caller may see everything of a site; "" asks for all
// sites. An athlete sees no site, but only themselves.
func (id identity) seesSite(site lift.SiteID) bool {
	return id.all() || id.Role == access.RoleCoach && site == id.Site
}

// isAt reports whether the caller may name a site: an athlete the one where they are.
func (id identity) isAt(ctx context.Context, site lift.SiteID) (bool, error) {
	if id.Role != access.RoleAthlete {
		return id.seesSite(site), nil
	}
	own, err := id.server.siteOf(ctx, id.Athlete)
	return own == site, err
}

// seesAthlete reports whether the caller may see what is known of an athlete. For a
// coach of one site an athlete who is elsewhere is as one who does not exist.
func (id identity) seesAthlete(ctx context.Context, athlete lift.AthleteID) (bool, error) {
	switch {
	case id.all():
		return true, nil
	case id.Role == access.RoleAthlete:
		return athlete != "" && athlete == id.Athlete, nil
	case id.Role != access.RoleCoach || athlete == "":
		return false, nil
	}
	site, err := id.server.siteOf(ctx, athlete)
	return err == nil && site != "" && site == id.Site, err
}

// sees reports whether the caller may see something of an athlete, or, where it is
// nobody's, of a site.
func (id identity) sees(ctx context.Context, site lift.SiteID, athlete lift.AthleteID) (bool, error) {
	if athlete == "" {
		return id.seesSite(site), nil
	}
	return id.seesAthlete(ctx, athlete)
}

// seesQuarantined reports whether a message came to the caller's site and is about
// none but their athletes.
func (id identity) seesQuarantined(ctx context.Context, q *view.Quarantined) (bool, error) {
	rest, _ := strings.CutPrefix(q.Topic, "spotter/v1/")
	site, _, _ := strings.Cut(rest, "/")
	if !id.seesSite(lift.SiteID(site)) || id.Role == access.RoleAthlete {
		return false, nil
	}
	return id.sees(ctx, lift.SiteID(site), q.Athlete)
}

// athletes are those whom the caller may see, and nil for everybody.
func (id identity) athletes(ctx context.Context) ([]lift.AthleteID, error) {
	switch {
	case id.all():
		return nil, nil
	case id.Role == access.RoleAthlete:
		return []lift.AthleteID{id.Athlete}, nil
	}
	known, err := id.server.view.Athletes(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	found := []lift.AthleteID{}
	for _, a := range known {
		ok, err := id.seesAthlete(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, a.ID)
		}
	}
	return found, nil
}

// siteOf is the site that an athlete is at, "" for one of whom nothing is known.
func (s *Server) siteOf(ctx context.Context, athlete lift.AthleteID) (lift.SiteID, error) {
	return s.view.SiteOf(ctx, athlete)
}

// mustSee is an error where one of the athletes is not the caller's.
func mustSee(ctx context.Context, athletes ...lift.AthleteID) error {
	for _, a := range athletes {
		if ok, err := who(ctx).seesAthlete(ctx, a); err != nil {
			return err
		} else if !ok {
			return errNotYours()
		}
	}
	return nil
}

// holds reports whether a caller who was let in would be let in now: a stream ends
// with its token.
func (s *Server) holds(id identity, now time.Time) bool {
	switch {
	case !id.expires.IsZero() && !now.Before(id.expires):
		return false
	case id.session != "":
		if _, ok, err := s.auth.sessions.FindHash(id.session, now); err != nil || !ok {
			return false
		}
	}
	if id.token == nil {
		return true
	}
	_, ok, err := s.auth.tokens.FindHash(id.token.SHA256, now)
	return err == nil && ok
}
