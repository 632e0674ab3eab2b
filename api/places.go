package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/lift"
)

// place of people: sites and teams have the same form but for a site's time zone.

// site is a gym, team or clinic.
type site struct {
	ID       lift.SiteID `json:"id"`
	Name     string      `json:"name,omitzero"`
	Zone     string      `json:"zone,omitzero" doc:"such as Europe/Berlin; the server's by default"`
	Limits   limitValues `json:"limits,omitempty" doc:"of this site, by rule and name"`
	Revision int64       `json:"revision" doc:"0 for a site that was only seen in messages; the ETag too"`
	By       string      `json:"by,omitzero"`
	Updated  time.Time   `json:"updated,omitzero"`
}

// team is a group of a site's athletes.
type team struct {
	Site     lift.SiteID `json:"site"`
	ID       lift.TeamID `json:"id"`
	Name     string      `json:"name,omitzero"`
	Limits   limitValues `json:"limits,omitempty" doc:"of this team, by rule and name"`
	Revision int64       `json:"revision"`
	By       string      `json:"by,omitzero"`
	Updated  time.Time   `json:"updated,omitzero"`
}

func siteOf(id lift.SiteID, rec *lift.Record) site {
	s := site{ID: id, Revision: rec.Revision, By: rec.By, Updated: rec.At}
	if rec.Site != nil {
		s.Name, s.Zone, s.Limits = rec.Site.Name, rec.Site.Zone, valuesOf(rec.Site.Limits)
	}
	return s
}

func teamOf(rec *lift.Record) team {
	at, id, _ := strings.Cut(rec.ID, "/")
	t := team{Site: lift.SiteID(at), ID: lift.TeamID(id), Revision: rec.Revision, By: rec.By, Updated: rec.At}
	if rec.Team != nil {
		t.Name, t.Limits = rec.Team.Name, valuesOf(rec.Team.Limits)
	}
	return t
}

type newSite struct {
	ID     lift.SiteID `json:"id" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Name   string      `json:"name,omitzero" maxLength:"200"`
	Zone   string      `json:"zone,omitzero" maxLength:"64" doc:"such as Europe/Berlin"`
	Reason string      `json:"reason,omitzero" maxLength:"2000"`
}

type sitePatch struct {
	Name   *string `json:"name,omitzero" maxLength:"200"`
	Zone   *string `json:"zone,omitzero" maxLength:"64" doc:"such as Europe/Berlin; empty is the server's"`
	Reason string  `json:"reason,omitzero" maxLength:"2000"`
}

type newTeam struct {
	Site   lift.SiteID `json:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	ID     lift.TeamID `json:"id" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Name   string      `json:"name,omitzero" maxLength:"200"`
	Reason string      `json:"reason,omitzero" maxLength:"2000"`
}

type teamPatch struct {
	Name   *string `json:"name,omitzero" maxLength:"200"`
	Reason string  `json:"reason,omitzero" maxLength:"2000"`
}

// SitePath is the site in an operation's path.
type SitePath struct {
	ID lift.SiteID `path:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
}

// TeamPath is the team in an operation's path, and its site.
type TeamPath struct {
	ID   lift.TeamID `path:"team" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Site lift.SiteID `query:"site" required:"true" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
}

type siteChange struct {
	SitePath
	Match
	Body sitePatch
}

type teamChange struct {
	TeamPath
	Match
	Body teamPatch
}

func (s *Server) addPlaces() {
	stored := map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"}
	created := map[int]string{http.StatusOK: "There already, as sent", http.StatusAccepted: stored[http.StatusAccepted]}
	lost := []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}

	sites := "/api/v1/sites"
	add(s, huma.Operation{OperationID: "list-sites", Method: http.MethodGet, Path: sites, Tags: []string{"sites"},
		Summary: "List the sites, by id"}, permit{ofCaller, coaches}, s.listSites)
	add(s, huma.Operation{OperationID: "create-site", Method: http.MethodPost, Path: sites, Tags: []string{"sites"},
		DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict}, Summary: "Add a site",
		Description: "Repeating it answers 200 and changes nothing."}, permit{ofNobody, admins}, s.createSite)
	s.also(sites, http.MethodPost, created)
	add(s, huma.Operation{OperationID: "get-site", Method: http.MethodGet, Path: sites + "/{site}", Tags: []string{"sites"},
		Errors: []int{http.StatusForbidden, http.StatusNotFound}, Summary: "Show a site"}, permit{ofCaller, coaches}, s.getSite)
	add(s, huma.Operation{OperationID: "change-site", Method: http.MethodPatch, Path: sites + "/{site}", Tags: []string{"sites"},
		Errors: lost, Summary: "Change a site", Description: "What is left out stays as it is. Another time zone moves the days and weeks of everybody there who has none of their own."},
		permit{ofCaller, coaches}, s.changeSite)
	s.also(sites+"/{site}", http.MethodPatch, stored)

	teams := "/api/v1/teams"
	add(s, huma.Operation{OperationID: "list-teams", Method: http.MethodGet, Path: teams, Tags: []string{"sites"},
		Summary: "List the teams, by site and id"}, permit{ofCaller, coaches}, s.listTeams)
	add(s, huma.Operation{OperationID: "create-team", Method: http.MethodPost, Path: teams, Tags: []string{"sites"},
		DefaultStatus: http.StatusCreated, Errors: []int{http.StatusForbidden, http.StatusConflict}, Summary: "Add a team to a site",
		Description: "Athletes join it by their profile. Repeating it answers 200 and changes nothing."}, permit{ofNamed, coaches}, s.createTeam)
	s.also(teams, http.MethodPost, created)
	add(s, huma.Operation{OperationID: "get-team", Method: http.MethodGet, Path: teams + "/{team}", Tags: []string{"sites"},
		Errors: []int{http.StatusNotFound}, Summary: "Show a team"}, permit{ofCaller, coaches}, s.getTeam)
	add(s, huma.Operation{OperationID: "change-team", Method: http.MethodPatch, Path: teams + "/{team}", Tags: []string{"sites"},
		Errors: lost, Summary: "Change a team"}, permit{ofCaller, coaches}, s.changeTeam)
	s.also(teams+"/{team}", http.MethodPatch, stored)
	add(s, huma.Operation{OperationID: "remove-team", Method: http.MethodDelete, Path: teams + "/{team}", Tags: []string{"sites"},
		Errors: lost, DefaultStatus: http.StatusOK, Summary: "Remove a team",
		Description: "Its limits hold no longer from today on. Athletes who name it lose nothing else."}, permit{ofCaller, coaches}, s.removeTeam)
	s.also(teams+"/{team}", http.MethodDelete, stored)
}

// sitesSeen are the sites of records, athletes and devices, in no order.
func (s *Server) sitesSeen(ctx context.Context) (map[lift.SiteID]bool, error) {
	found := map[lift.SiteID]bool{}
	for _, rec := range s.view.Records(lift.OfSite) {
		found[lift.SiteID(rec.ID)] = true
	}
	athletes, err := s.view.Athletes(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	for _, a := range athletes {
		if a.Site != "" {
			found[a.Site] = true
		}
	}
	devices, err := s.view.Devices(ctx)
	for i := range devices {
		found[devices[i].Site] = true
	}
	return found, err
}

func (s *Server) listSites(ctx context.Context, in *Paging) (*answer[list[site]], error) {
	found, err := s.sitesSeen(ctx)
	if err != nil {
		return nil, err
	}
	var all []site
	for _, id := range sorted(found) {
		if who(ctx).seesSite(id) {
			rec, _ := s.view.Record(lift.OfSite, string(id))
			all = append(all, siteOf(id, &rec))
		}
	}
	return cutAnswer(all, *in, func(x *site) string { return string(x.ID) })
}

func (s *Server) getSite(ctx context.Context, in *SitePath) (*tagged[site], error) {
	if !who(ctx).seesSite(in.ID) {
		return nil, errNotYours()
	}
	rec, ok := s.view.Record(lift.OfSite, string(in.ID))
	if !ok {
		found, err := s.sitesSeen(ctx)
		if err != nil {
			return nil, err
		}
		if !found[in.ID] {
			return nil, huma.Error404NotFound("nothing is known of this site")
		}
	}
	return &tagged[site]{http.StatusOK, etag(rec.Revision), siteOf(in.ID, &rec)}, nil
}

func (s *Server) createSite(ctx context.Context, in *struct{ Body newSite }) (*tagged[site], error) {
	sent := lift.SiteRecord{Name: in.Body.Name, Zone: in.Body.Zone}
	if err := sent.Validate(); err != nil {
		return nil, err
	}
	status := http.StatusCreated
	rec, applied, err := s.amend(ctx, about{kind: lift.OfSite, id: string(in.Body.ID), site: in.Body.ID, reason: in.Body.Reason},
		func(rec *lift.Record) (bool, error) {
			if rec.Site == nil {
				rec.Site = &sent
				return true, nil
			}
			status = http.StatusOK
			if rec.Site.Name != sent.Name || rec.Site.Zone != sent.Zone {
				return false, huma.Error409Conflict("there is another site under this id; change it with PATCH")
			}
			return false, nil
		})
	if err != nil {
		return nil, err
	}
	if status == http.StatusCreated {
		status = statusOf(applied, status)
	}
	return &tagged[site]{status, etag(rec.Revision), siteOf(in.Body.ID, &rec)}, nil
}

func (s *Server) changeSite(ctx context.Context, in *siteChange) (*tagged[site], error) {
	if _, err := s.getSite(ctx, &in.SitePath); err != nil {
		return nil, err
	}
	a := about{kind: lift.OfSite, id: string(in.ID), site: in.ID, match: in.IfMatch, reason: in.Body.Reason}
	rec, applied, err := s.amend(ctx, a, func(rec *lift.Record) (bool, error) {
		next := lift.SiteRecord{}
		if rec.Site != nil {
			next = *rec.Site
		}
		before := next
		set(&next.Name, in.Body.Name)
		set(&next.Zone, in.Body.Zone)
		rec.Site = &next
		return next.Name != before.Name || next.Zone != before.Zone, next.Validate()
	})
	if err != nil {
		return nil, err
	}
	return &tagged[site]{statusOf(applied, http.StatusOK), etag(rec.Revision), siteOf(in.ID, &rec)}, nil
}

func (s *Server) listTeams(ctx context.Context, in *rosterInput) (*answer[list[team]], error) {
	var all []team
	for _, rec := range s.view.Records(lift.OfTeam) {
		if t := teamOf(&rec); who(ctx).seesSite(t.Site) && (in.Site == "" || t.Site == in.Site) {
			all = append(all, t)
		}
	}
	return cutAnswer(all, in.Paging, func(t *team) string { return string(t.Site) + "/" + string(t.ID) })
}

func (in *TeamPath) record() string { return string(in.Site) + "/" + string(in.ID) }

func (s *Server) getTeam(ctx context.Context, in *TeamPath) (*tagged[team], error) {
	if !who(ctx).seesSite(in.Site) {
		return nil, errNotYours()
	}
	rec, ok := s.view.Record(lift.OfTeam, in.record())
	if !ok || rec.Removed {
		return nil, huma.Error404NotFound("the site has no such team")
	}
	return &tagged[team]{http.StatusOK, etag(rec.Revision), teamOf(&rec)}, nil
}

func (s *Server) createTeam(ctx context.Context, in *struct{ Body newTeam }) (*tagged[team], error) {
	if !who(ctx).seesSite(in.Body.Site) {
		return nil, errNotYours()
	}
	sent := lift.TeamRecord{Name: in.Body.Name}
	if err := sent.Validate(); err != nil {
		return nil, err
	}
	status := http.StatusCreated
	a := about{kind: lift.OfTeam, id: string(in.Body.Site) + "/" + string(in.Body.ID), site: in.Body.Site, reason: in.Body.Reason}
	rec, applied, err := s.amend(ctx, a, func(rec *lift.Record) (bool, error) {
		if rec.Team == nil {
			rec.Team = &sent
			return true, nil
		}
		status = http.StatusOK
		if rec.Team.Name != sent.Name {
			return false, huma.Error409Conflict("there is another team under this id; change it with PATCH")
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if status == http.StatusCreated {
		status = statusOf(applied, status)
	}
	return &tagged[team]{status, etag(rec.Revision), teamOf(&rec)}, nil
}

func (s *Server) changeTeam(ctx context.Context, in *teamChange) (*tagged[team], error) {
	if _, err := s.getTeam(ctx, &in.TeamPath); err != nil {
		return nil, err
	}
	a := about{kind: lift.OfTeam, id: in.record(), site: in.Site, match: in.IfMatch, reason: in.Body.Reason}
	rec, applied, err := s.amend(ctx, a, func(rec *lift.Record) (bool, error) {
		if rec.Team == nil {
			return false, huma.Error404NotFound("the site has no such team")
		}
		next := *rec.Team
		set(&next.Name, in.Body.Name)
		changed := next.Name != rec.Team.Name
		rec.Team = &next
		return changed, next.Validate()
	})
	if err != nil {
		return nil, err
	}
	return &tagged[team]{statusOf(applied, http.StatusOK), etag(rec.Revision), teamOf(&rec)}, nil
}

type teamRemoval struct {
	TeamPath
	Match
}

func (s *Server) removeTeam(ctx context.Context, in *teamRemoval) (*tagged[team], error) {
	known, err := s.getTeam(ctx, &in.TeamPath)
	if err != nil {
		return nil, err
	}
	rec, applied, err := s.amend(ctx, about{kind: lift.OfTeam, id: in.record(), site: in.Site, match: in.IfMatch},
		func(rec *lift.Record) (bool, error) {
			changed := rec.Team != nil
			rec.Team, rec.Removed = nil, true
			return changed, nil
		})
	if err != nil {
		return nil, err
	}
	return &tagged[team]{statusOf(applied, http.StatusOK), etag(rec.Revision), known.Body}, nil
}

// set takes a value that was sent.
func set[T any](to, sent *T) {
	if sent != nil {
		*to = *sent
	}
}
