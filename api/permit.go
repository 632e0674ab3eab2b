package api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
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
	ofNamed       scope = "named"       // of the site or athlete that the body or the query names, of all sites where none is named
	ofAllSites    scope = "all-sites"   // of everybody: not for a coach of one site
)

// Extensions of an operation in the document.
const (
	rolesExtension = "x-roles"
	scopeExtension = "x-scope"
)

// permitted is the key of an operation's metadata that holds its permit.
const permitted = "permit"

// describe writes the permit into the operation.
func (p permit) describe(op *huma.Operation) {
	if p.scope == "" {
		panic("operation " + op.OperationID + " does not say about whom it is") // as huma does with what it cannot describe
	}
	if op.Metadata == nil {
		op.Metadata = map[string]any{}
	}
	op.Metadata[permitted] = p
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

// authorize lets a caller through to what the operation's permit says is theirs.
func (s *Server) authorize(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	p, _ := op.Metadata[permitted].(permit)
	if len(op.Security) == 0 {
		next(ctx)
		return
	}
	id := who(ctx.Context())
	if !slices.Contains(p.roles, id.Role) {
		s.refuse(ctx, http.StatusForbidden, "the role "+string(id.Role)+" may not do this")
		return
	}
	switch ok, err := s.within(ctx, p.scope, id); {
	case err != nil:
		_ = huma.WriteErr(s.api, ctx, http.StatusInternalServerError, "", s.answerable(ctx.Context(), op.OperationID, err))
	case !ok:
		s.refuse(ctx, http.StatusForbidden, notYours)
	default:
		s.look(ctx, id)
		next(ctx)
	}
}

const notYours = "this is not yours"

// errNotYours is a 403 that does not tell whether there is such a thing.
func errNotYours() error { return huma.Error403Forbidden(notYours) }

// within reports whether what the path and the query name is the caller's. What does
// not exist is nobody's: only who may see everybody's data learns that it is not
// there.
func (s *Server) within(ctx huma.Context, of scope, id identity) (bool, error) {
	if id.all() {
		return true, nil
	}
	if of == ofAllSites {
		return false, nil
	}
	for _, site := range []string{ctx.Param("site"), ctx.Query("site")} {
		if site == "" {
			continue
		}
		if ok, err := id.isAt(ctx.Context(), lift.SiteID(site)); err != nil || !ok {
			return false, err
		}
	}
	athletes := []string{ctx.Param("athlete"), ctx.Query("athlete")}
	if of == ofAthlete {
		athletes = append(athletes, ctx.Param("id"))
	}
	for _, athlete := range athletes {
		if athlete == "" {
			continue
		}
		if ok, err := id.seesAthlete(ctx.Context(), lift.AthleteID(athlete)); err != nil || !ok {
			return false, err
		}
	}
	var ok bool
	var err error
	switch of {
	case ofAlert:
		var a lift.Alert
		if a, err = s.view.Alert(ctx.Context(), ctx.Param("id")); err == nil {
			ok, err = id.seesAthlete(ctx.Context(), a.Athlete)
		}
	case ofRep:
		var r lift.RepRecord
		if r, err = s.view.Rep(ctx.Context(), ctx.Param("id")); err == nil {
			ok, err = id.sees(ctx.Context(), r.Site, r.Athlete)
		}
	case ofQuarantined:
		var q view.Quarantined
		if q, err = s.view.Quarantined(ctx.Context(), ctx.Param("id")); err == nil {
			ok, err = id.seesQuarantined(ctx.Context(), &q)
		}
	default:
		ok = true
	}
	if errors.Is(err, view.ErrNotFound) {
		return false, nil
	}
	return ok, err
}
