package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// permit says who may call an operation, and about whom it tells or changes
// something. Every operation has one. Whatever the scope, a {site} or {athlete} in
// the path and ?site= and ?athlete= in the query have to be the caller's.
type permit struct {
	scope scope
	roles []access.Role // anybody: no token is needed
}

// The roles that operations are for.
var (
	anybody  []access.Role
	admins   = []access.Role{access.RoleAdmin}
	coaches  = []access.Role{access.RoleAdmin, access.RoleCoach}
	everyone = []access.Role{access.RoleAdmin, access.RoleCoach, access.RoleAthlete}
)

// scope is whose data an operation is about.
type scope string

const (
	ofNobody      scope = "nobody"      // no person's
	ofAthlete     scope = "athlete"     // of the athlete whose id is the path's {id}
	ofAlert       scope = "alert"       // of the athlete of the alert {id}
	ofRep         scope = "rep"         // of the athlete, or the unassigned bar, of the rep {id}
	ofQuarantined scope = "quarantined" // of the site, and the athlete, of the quarantined message {id}
	ofCaller      scope = "caller"      // of those whom the caller may see: the operation itself narrows it
	ofAllSites    scope = "all-sites"   // of everybody: not for a coach of one site
)

// Extensions of an operation in the document.
const (
	rolesExtension = "x-roles"
	scopeExtension = "x-scope"
)

// describe writes the permit into the operation.
func (p permit) describe(op *huma.Operation) {
	if p.scope == "" {
		panic("operation " + op.OperationID + " does not say about whom it is") // as huma does with what it cannot describe
	}
	if len(p.roles) > 0 {
		op.Security = needsToken
	} else {
		op.Security = []map[string][]string{}
	}
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	op.Extensions[rolesExtension] = append([]access.Role{}, p.roles...)
	op.Extensions[scopeExtension] = p.scope
}

// identity is who asks: the name that answers and corrections are signed with, and
// what they may see.
type identity struct {
	Name    string
	Role    access.Role
	Site    lift.SiteID    // of a coach; "" is all sites
	Athlete lift.AthleteID // of an athlete

	server *Server
}

type identityKey struct{}

// who is the caller of an operation that needs a token.
func who(ctx context.Context) identity {
	id, _ := ctx.Value(identityKey{}).(identity)
	return id
}

// all reports whether the caller may see everybody's data.
func (id identity) all() bool {
	return id.Role == access.RoleAdmin || id.Role == access.RoleCoach && id.Site == ""
}

// seesSite reports whether the caller may see everything of a site; "" asks for all
// sites. An athlete sees no site, but only themselves.
func (id identity) seesSite(site lift.SiteID) bool {
	return id.all() || id.Role == access.RoleCoach && site == id.Site
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

// siteOf is the site that an athlete is at, "" for one of whom nothing is known.
func (s *Server) siteOf(ctx context.Context, athlete lift.AthleteID) (lift.SiteID, error) {
	return s.view.LastSite(ctx, athlete)
}
