package api

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/payload"
	"github.com/spotterhq/spotter/internal/roster"
)

// athlete is what is known of an athlete but for their training.
type athlete struct {
	ID lift.AthleteID `json:"id"`
	lift.AthleteProfile
	Limits   limitValues `json:"limits,omitempty" doc:"of this athlete alone, by rule and name; GET /rules tells what is in force"`
	Revision int64       `json:"revision" doc:"0 for an athlete who was only seen in messages; the ETag too"`
	By       string      `json:"by,omitzero" doc:"who changed it last"`
	Updated  time.Time   `json:"updated,omitzero"`
	Reason   string      `json:"reason,omitzero"`
}

func athleteOf(id lift.AthleteID, rec *lift.Record, seen lift.SiteID) athlete {
	a := athlete{ID: id, Revision: rec.Revision, By: rec.By, Updated: rec.At, Reason: rec.Reason}
	if rec.Athlete == nil {
		a.Site = seen
		return a
	}
	a.AthleteProfile = *rec.Athlete
	a.Limits = valuesOf(rec.Athlete.Limits)
	a.AthleteProfile.Limits = nil
	return a
}

// newAthlete is what a coach says of an athlete; all but the site may come later.
type newAthlete struct {
	ID lift.AthleteID `json:"id,omitzero" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"one that nobody can guess a name from, such as a17; made up where it is missing"`
	lift.AthleteProfile
	Limits limitValues `json:"limits,omitempty" doc:"by rule and name, such as {\"velocity-loss\":{\"deadlift_advice_pct\":12}}"`
	Reason string      `json:"reason,omitzero" maxLength:"2000" doc:"why; kept with who and when"`
}

type athletesInput struct {
	Site  lift.SiteID `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Team  lift.TeamID `query:"team" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"of the site"`
	Name  string      `query:"name" maxLength:"200" doc:"whose name or id holds this text"`
	Since time.Time   `query:"since" doc:"of whom something was received since then"`
	Paging
}

type athleteRawInput struct {
	RawBody []byte `contentType:"application/json"`
}

type athletePatchInput struct {
	AthletePath
	Match
	RawBody []byte `contentType:"application/json"`
}

func (s *Server) addAthletes() {
	path := "/api/v1/athletes"
	add(s, huma.Operation{
		OperationID: "list-athletes", Method: http.MethodGet, Path: path, Tags: []string{"athletes"},
		Summary: "List every athlete of whom something is known, by id",
	}, permit{ofCaller, everyone}, s.listAthletes)
	add(s, huma.Operation{
		OperationID: "create-athlete", Method: http.MethodPost, Path: path, Tags: []string{"athletes"},
		DefaultStatus: http.StatusCreated, SkipValidateBody: true,
		Errors:      []int{http.StatusForbidden, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary:     "Enrol an athlete",
		Description: "An athlete who was seen in messages before keeps that history. Repeating it answers 200 and changes nothing; another profile under the same id answers 409.",
	}, permit{ofNamed, coaches}, s.createAthlete)
	s.also(path, http.MethodPost, map[int]string{http.StatusOK: "Enrolled already, as sent", http.StatusAccepted: "Stored, but not applied within 2 seconds"})
	s.bodyOf(path, http.MethodPost, "NewAthlete", reflect.TypeFor[newAthlete]())
	one := path + "/{id}"
	add(s, huma.Operation{
		OperationID: "get-athlete", Method: http.MethodGet, Path: one, Tags: []string{"athletes"}, Errors: []int{http.StatusNotFound},
		Summary: "Show an athlete's profile",
	}, permit{ofAthlete, everyone}, s.getAthlete)
	add(s, huma.Operation{
		OperationID: "change-athlete", Method: http.MethodPatch, Path: one, Tags: []string{"athletes"}, SkipValidateBody: true,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary: "Change an athlete's profile",
		Description: "What is left out stays as it is; null takes a value away; lists, loads by exercise, and the limits of a rule are replaced whole. " +
			"Alerts follow: limits and the goal hold from today on, what is a fact about the athlete for the last eight weeks too.",
	}, permit{ofAthlete, coaches}, s.changeAthlete)
	s.also(one, http.MethodPatch, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})
	s.bodyOf(one, http.MethodPatch, "NewAthlete", reflect.TypeFor[newAthlete]())
	add(s, huma.Operation{
		OperationID: "list-athlete-revisions", Method: http.MethodGet, Path: one + "/revisions", Tags: []string{"athletes"},
		Summary: "List every revision of an athlete's profile, oldest first: who changed what, when and why",
	}, permit{ofAthlete, coaches}, s.listRevisions)
}

func (s *Server) listAthletes(ctx context.Context, in *athletesInput) (*answer[list[athlete]], error) {
	all, err := s.athletesOf(ctx, in)
	if err != nil {
		return nil, err
	}
	return cutAnswer(all, in.Paging, func(a *athlete) string { return string(a.ID) })
}

func (s *Server) getAthlete(ctx context.Context, in *AthletePath) (*tagged[athlete], error) {
	rec, _ := s.view.Record(lift.OfAthlete, string(in.ID))
	site, err := s.view.SiteOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if site == "" {
		return nil, huma.Error404NotFound("nothing is known of this athlete")
	}
	return &tagged[athlete]{http.StatusOK, etag(rec.Revision), athleteOf(in.ID, &rec, site)}, nil
}

func (s *Server) createAthlete(ctx context.Context, in *athleteRawInput) (*tagged[athlete], error) {
	var sent newAthlete
	if err := readBody(in.RawBody, &sent); err != nil {
		return nil, err
	}
	if sent.ID == "" {
		sent.ID = lift.AthleteID("a-" + strings.ToLower(rand.Text()[:10]))
	}
	if sent.Site == "" {
		sent.Site = who(ctx).Site
	}
	if err := lift.CheckID("id", sent.ID); err != nil {
		return nil, err
	}
	// An athlete of another site is not this coach's to take.
	known, err := s.view.SiteOf(ctx, sent.ID)
	if err != nil {
		return nil, err
	}
	if known != "" && !who(ctx).seesSite(known) {
		return nil, errNotYours()
	}
	if sent.Site == "" {
		sent.Site = known
	}
	status := http.StatusCreated
	rec, applied, err := s.amendAthlete(ctx, sent.ID, sent.Reason, "", func(rec *lift.Record) (bool, error) {
		if rec.Revision > 1 && !rec.Removed {
			status = http.StatusOK
			same, err := equalJSON(athleteBody(rec), sent.profile(rec))
			if err == nil && !same {
				err = huma.Error409Conflict("an athlete with another profile is enrolled under this id; change it with PATCH")
			}
			return false, err
		}
		rec.Removed = false
		rec.Athlete = &sent.AthleteProfile
		return true, s.limit(rec, sent.Limits)
	})
	if err != nil {
		return nil, err
	}
	if status == http.StatusCreated {
		status = statusOf(applied, status)
	}
	return &tagged[athlete]{status, etag(rec.Revision), athleteOf(sent.ID, &rec, sent.Site)}, nil
}

// athleteBody is a stored profile as it would have been sent.
func athleteBody(rec *lift.Record) newAthlete {
	if rec.Athlete == nil {
		return newAthlete{}
	}
	body := newAthlete{AthleteProfile: *rec.Athlete, Limits: valuesOf(rec.Athlete.Limits)}
	body.AthleteProfile.Limits = nil
	return body
}

// profile is what was sent without what is about the sending.
func (n newAthlete) profile(*lift.Record) newAthlete {
	n.ID, n.Reason = "", ""
	if n.Limits == nil {
		n.Limits = limitValues{}
	}
	return n
}

// limit puts limits in a record, where they can be used.
func (s *Server) limit(rec *lift.Record, limits limitValues) error {
	scope := scopeOf(rec)
	signed, err := limits.signed(rec.Limits(), rec)
	if err != nil {
		return err
	}
	if err := s.roster.Check(scope, signed); err != nil {
		return withinLimits(err)
	}
	switch {
	case rec.House != nil:
		rec.House = &lift.HouseRecord{Limits: signed}
	case rec.Site != nil:
		next := *rec.Site
		next.Limits, rec.Site = signed, &next
	case rec.Team != nil:
		next := *rec.Team
		next.Limits, rec.Team = signed, &next
	case rec.Athlete != nil:
		next := *rec.Athlete
		next.Limits, rec.Athlete = signed, &next
	}
	return nil
}

func scopeOf(rec *lift.Record) roster.Scope {
	switch rec.Kind {
	case lift.OfSite:
		return roster.Scope{Site: lift.SiteID(rec.ID)}
	case lift.OfTeam:
		site, team, _ := strings.Cut(rec.ID, "/")
		return roster.Scope{Site: lift.SiteID(site), Team: lift.TeamID(team)}
	case lift.OfAthlete:
		return roster.Scope{Athlete: lift.AthleteID(rec.ID)}
	}
	return roster.Scope{}
}

func (s *Server) changeAthlete(ctx context.Context, in *athletePatchInput) (*tagged[athlete], error) {
	site, err := s.view.SiteOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if site == "" {
		return nil, huma.Error404NotFound("nothing is known of this athlete; enrol them with POST /athletes")
	}
	var given map[string]jsontext.Value
	if err := readBody(in.RawBody, &given); err != nil {
		return nil, err
	}
	var head struct {
		Reason string `json:"reason"`
	}
	if err := payload.Unmarshal(in.RawBody, &head); err != nil {
		return nil, err
	}
	rec, applied, err := s.amendAthlete(ctx, in.ID, head.Reason, in.IfMatch, func(rec *lift.Record) (bool, error) {
		if rec.Athlete == nil {
			rec.Athlete = &lift.AthleteProfile{Site: site}
		}
		before := athleteBody(rec)
		after := athleteBody(rec)
		after.Limits = maps.Clone(after.Limits)
		after.clear(given)
		if err := readBody(in.RawBody, &after); err != nil {
			return false, err
		}
		if after.ID != "" && after.ID != in.ID {
			return false, &lift.FieldError{Field: "id", Reason: "cannot be changed"}
		}
		after.ID, after.Reason = "", ""
		same, err := equalJSON(&before, &after)
		if err != nil || same && rec.Revision > 1 {
			return false, err
		}
		limits := rec.Athlete.Limits
		profile := after.AthleteProfile
		profile.Limits = limits
		rec.Athlete = &profile
		return true, s.limit(rec, after.Limits)
	})
	if err != nil {
		return nil, err
	}
	return &tagged[athlete]{statusOf(applied, http.StatusOK), etag(rec.Revision), athleteOf(in.ID, &rec, site)}, nil
}

// clear empties what the change replaces whole, and what it takes away.
func (n *newAthlete) clear(given map[string]jsontext.Value) {
	for name, value := range given {
		switch name {
		case "teams":
			n.Teams = nil
		case "maximum_kg":
			n.MaximumKg = nil
		case "min_velocity_mps":
			n.MinVelocity = nil
		case "deloads":
			n.Deloads = nil
		case "tests":
			n.Tests = nil
		case "pre_injury_kg": // or the number that the record in force points to would be written over
			n.PreInjuryKg = nil
		case "pre_injury_week_kg":
			n.PreInjuryWeekKg = nil
		case "limits":
			n.clearLimits(value)
		}
	}
}

func (n *newAthlete) clearLimits(value jsontext.Value) {
	var rules map[lift.Rule]jsontext.Value
	if json.Unmarshal(value, &rules) != nil || rules == nil {
		n.Limits = nil
	}
	for rule := range rules {
		delete(n.Limits, rule)
	}
}

// amendAthlete changes an athlete's profile within what the caller may do.
func (s *Server) amendAthlete(ctx context.Context, id lift.AthleteID, reason, match string, change func(*lift.Record) (bool, error)) (lift.Record, bool, error) {
	site, err := s.view.SiteOf(ctx, id)
	if err != nil {
		return lift.Record{}, false, err
	}
	a := about{kind: lift.OfAthlete, id: string(id), site: site, athlete: id, match: match, reason: reason}
	if err := checkReason(reason); err != nil {
		return lift.Record{}, false, err
	}
	return s.amend(ctx, a, func(rec *lift.Record) (bool, error) {
		var before lift.AthleteProfile
		if rec.Athlete != nil {
			before = *rec.Athlete
		}
		changed, err := change(rec)
		if err != nil || !changed {
			return false, err
		}
		if err := rec.Athlete.Validate(); err != nil {
			return false, err
		}
		if !who(ctx).seesSite(rec.Athlete.Site) {
			return false, errNotYours()
		}
		for _, team := range rec.Athlete.Teams {
			if before.Site == rec.Athlete.Site && slices.Contains(before.Teams, team) {
				continue // one that was removed since is no reason to refuse another change
			}
			if t, ok := s.view.Record(lift.OfTeam, string(rec.Athlete.Site)+"/"+string(team)); !ok || t.Removed {
				return false, &lift.FieldError{Field: "teams", Reason: "names one that the athlete's site does not have; POST /teams makes one"}
			}
		}
		return true, nil
	})
}

type revisionsInput struct {
	AthletePath
	Paging
}

func (s *Server) listRevisions(ctx context.Context, in *revisionsInput) (*answer[list[athlete]], error) {
	steps, err := s.view.RecordSteps(ctx, lift.OfAthlete, string(in.ID))
	if err != nil {
		return nil, err
	}
	var all []athlete
	for i := range steps {
		all = append(all, athleteOf(in.ID, &steps[i], ""))
	}
	return cutAnswer(all, in.Paging, func(a *athlete) string { return etag(a.Revision) })
}

// readBody reads a JSON object of known fields.
func readBody(body []byte, into any) error {
	return payload.Unmarshal(body, into, json.RejectUnknownMembers(true))
}

func checkReason(reason string) error {
	return (&lift.Answer{Note: reason}).Validate()
}
