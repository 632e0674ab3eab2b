package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/roster"
)

// rule is a load rule with its limits.
type rule struct {
	Rule     lift.Rule      `json:"rule"`
	LooksAt  string         `json:"looks_at" doc:"what it looks at, and when it speaks"`
	Source   lift.Citation  `json:"source" doc:"where it comes from, in our own words"`
	Limits   map[string]any `json:"limits" doc:"in force, by name: a number, or a list of one for each phase of the plan"`
	Defaults map[string]any `json:"defaults" doc:"what holds until somebody changes it"`
	Own      map[string]any `json:"own,omitempty" doc:"those that whom was asked for has of their own: what a change replaces"`
	Set      *roster.SetBy  `json:"set,omitzero" doc:"who has changed limits of it last, nearest to whom was asked for, when and why; absent for the defaults"`
	About    []limit        `json:"about" doc:"what each limit can be"`
}

// limit is what a limit of a rule can be.
type limit struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
	Whole bool    `json:"whole,omitzero" doc:"whole numbers only"`
	Count int     `json:"count" doc:"how many numbers it has"`
	Above string  `json:"above,omitzero" doc:"the limit of the rule that it must not be below"`
}

// looksAt says in a sentence what each rule is; docs/rules.md says it whole.
var looksAt = map[lift.Rule]string{
	analysis.WeeklyVolume:    "A group's volume, sets or reps of a week against the baseline of the weeks before; speaks above the limits.",
	analysis.WeeklyLoad:      "The top load and the mean load of a rep of a week against the weeks before; speaks above the limits.",
	analysis.SessionSpike:    "A session against the largest of the 30 days before; speaks above the ratios.",
	analysis.HeavyFrequency:  "Days with heavy deadlifts; speaks where they are more, or nearer, than usual and sleep or food do not match.",
	analysis.VelocityLoss:    "The velocity of each rep against the fastest of its set; speaks where the bar has slowed by the limits.",
	analysis.Grind:           "The velocity of a rep against that at the maximum; speaks where a rep comes near to it.",
	analysis.SetDrop:         "The first reps of a set against those of the first set; speaks where they are slower after enough rest.",
	analysis.DaySlowdown:     "A session's velocities against the athlete's own load–velocity line; speaks where the day is slower than its noise.",
	analysis.RedFlag:         "Symptoms that need medical assessment before any training; speaks at the first, and silences load rules.",
	analysis.Radicular:       "Pain that radiates, numbness and tingling; speaks at the first report.",
	analysis.Inflammatory:    "Stiff mornings that ease with movement and not with rest; speaks where they are most of a week, for weeks.",
	analysis.PainZone:        "Pain scores around training, the morning after and from week to week; speaks by zone.",
	analysis.Hold:            "Heavy deadlifts while they pause after pain; speaks of those, and of a hold that lasts.",
	analysis.PainPersistence: "How long a stretch of pain has lasted; speaks after weeks.",
	analysis.ReturnPlan:      "Sessions and gates of the six-week plan back to deadlifts; speaks where loads, reps or volume are beyond the phase.",
	analysis.Tempo:           "Lowering times that a phase of the plan asks for; speaks where sets are lowered faster.",
	analysis.WarmUp:          "The sets before the first heavy deadlift; speaks where they are too few or jump too far.",
	analysis.Accessory:       "Work for the posterior chain beside deadlifts; speaks of a week without any.",
	analysis.Technique:       "Drift, tilt, hips against shoulders, trunk and range of motion against the athlete's own; speaks where several reps differ.",
	analysis.Device:          "Values that no bar moves like, and clocks that are wrong; speaks of the sensor, and silences what stands on its velocities.",
}

// RuleScope is for whom limits are asked or set: an athlete, a team of a site, a
// site, or everybody.
type RuleScope struct {
	Site    lift.SiteID    `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Team    lift.TeamID    `query:"team" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"of the site"`
	Athlete lift.AthleteID `query:"athlete" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"alone, or with the site"`
}

func (r RuleScope) scope() roster.Scope {
	if r.Athlete != "" {
		return roster.Scope{Athlete: r.Athlete}
	}
	return roster.Scope{Site: r.Site, Team: r.Team}
}

// check refuses scopes that do not exist. Whose they are is checked before.
func (s *Server) checkScope(ctx context.Context, in *RuleScope) error {
	switch {
	case in.Athlete != "":
		if in.Team != "" {
			return at(http.StatusUnprocessableEntity, "query.team", "goes without an athlete")
		}
		site, err := s.view.SiteOf(ctx, in.Athlete)
		if err != nil {
			return err
		}
		if site == "" || in.Site != "" && in.Site != site {
			return huma.Error404NotFound("nothing is known of this athlete there")
		}
	case in.Team != "":
		if in.Site == "" {
			return at(http.StatusUnprocessableEntity, "query.site", "is needed with a team")
		}
		if rec, ok := s.view.Record(lift.OfTeam, string(in.Site)+"/"+string(in.Team)); !ok || rec.Removed {
			return huma.Error404NotFound("the site has no such team")
		}
	}
	return nil
}

type rulesInput struct {
	RuleScope
	Paging
}

// ruleChange sets the limits of a rule for a scope.
type ruleChange struct {
	Limits map[string]any `json:"limits" doc:"those of this scope, by name, instead of any that it had; none leaves what holds above"`
	Reason string         `json:"reason,omitzero" maxLength:"2000" doc:"why; kept with who and when"`
}

type ruleChangeInput struct {
	RuleInput
	Match
	Body ruleChange
}

// RuleInput is the rule in an operation's path, and the scope.
type RuleInput struct {
	Rule lift.Rule `path:"rule" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	RuleScope
}

func (s *Server) addRules() {
	path := "/api/v1/rules"
	add(s, huma.Operation{
		OperationID: "list-rules", Method: http.MethodGet, Path: path, Tags: []string{"rules"},
		Errors:  []int{http.StatusForbidden, http.StatusNotFound},
		Summary: "List the load rules with the limits in force, those of load first",
	}, permit{ofNobody, everyone}, s.listRules)
	one := path + "/{rule}"
	add(s, huma.Operation{
		OperationID: "get-rule", Method: http.MethodGet, Path: one, Tags: []string{"rules"},
		Errors:  []int{http.StatusForbidden, http.StatusNotFound},
		Summary: "Show a load rule with the limits in force",
	}, permit{ofNobody, everyone}, s.getRule)
	add(s, huma.Operation{
		OperationID: "change-rule", Method: http.MethodPut, Path: one, Tags: []string{"rules"},
		Errors:  []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
		Summary: "Set the limits of a rule for everybody, a site, a team or an athlete",
		Description: "Limits that are not named are those of the scope above: athlete, then team, site, everybody, defaults. They hold from today on " +
			"(of the week: from this week on); what was told before stays, with the limits that were in force. Who, when and why are recorded.",
	}, permit{ofNamed, coaches}, s.changeRule)
	s.also(one, http.MethodPut, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})
}

// rulesInForce are all rules with the limits that hold for a scope.
func (s *Server) rulesInForce(scope roster.Scope) []rule {
	inForce, said := s.roster.InForce(scope)
	defaults := analysis.DefaultLimits()
	kind, id := scope.Record()
	var own lift.LimitsByRule
	if rec, ok := s.view.Record(kind, id); ok && !rec.Removed {
		own = rec.Limits()
	}
	var all []rule
	for _, name := range analysis.Rules() {
		r := rule{Rule: name, LooksAt: looksAt[name], Source: analysis.Source(name), Limits: inForce.Of(name), Defaults: defaults.Of(name), Own: own[name].Values, About: []limit{}}
		if by, ok := said[name]; ok {
			r.Set = &by
		}
		for _, spec := range analysis.LimitSpecs() {
			if spec.Rule == name {
				r.About = append(r.About, limit{spec.Name, spec.Unit, spec.Least, spec.Most, spec.Whole, spec.Count, spec.Above})
			}
		}
		all = append(all, r)
	}
	return all
}

func (s *Server) listRules(ctx context.Context, in *rulesInput) (*answer[list[rule]], error) {
	if err := s.checkScope(ctx, &in.RuleScope); err != nil {
		return nil, err
	}
	return cutAnswer(s.rulesInForce(in.scope()), in.Paging, func(r *rule) string { return string(r.Rule) })
}

func (s *Server) getRule(ctx context.Context, in *RuleInput) (*tagged[rule], error) {
	if err := s.checkScope(ctx, &in.RuleScope); err != nil {
		return nil, err
	}
	all := s.rulesInForce(in.scope())
	i := slices.IndexFunc(all, func(r rule) bool { return r.Rule == in.Rule })
	if i < 0 {
		return nil, huma.Error404NotFound("no rule has this name")
	}
	kind, id := in.scope().Record()
	rec, _ := s.view.Record(kind, id)
	return &tagged[rule]{http.StatusOK, etag(rec.Revision), all[i]}, nil
}

func (s *Server) changeRule(ctx context.Context, in *ruleChangeInput) (*tagged[rule], error) {
	scope := in.scope()
	if scope.Athlete == "" && !who(ctx).seesSite(scope.Site) {
		return nil, errNotYours() // everybody's limits are not a site's to set
	}
	if _, err := s.getRule(ctx, &in.RuleInput); err != nil {
		return nil, err
	}
	if err := checkReason(in.Body.Reason); err != nil {
		return nil, err
	}
	kind, id := scope.Record()
	a := about{kind: kind, id: id, site: scope.Site, athlete: scope.Athlete, match: in.IfMatch, reason: in.Body.Reason}
	if scope.Athlete != "" {
		var err error
		if a.site, err = s.view.SiteOf(ctx, scope.Athlete); err != nil {
			return nil, err
		}
	}
	rec, applied, err := s.amend(ctx, a, func(rec *lift.Record) (bool, error) {
		switch {
		case kind == lift.OfHouse && rec.House == nil:
			rec.House = &lift.HouseRecord{}
		case kind == lift.OfSite && rec.Site == nil:
			rec.Site = &lift.SiteRecord{}
		case kind == lift.OfAthlete && rec.Athlete == nil:
			rec.Athlete = &lift.AthleteProfile{Site: a.site}
		case kind == lift.OfTeam && rec.Team == nil:
			return false, huma.Error404NotFound("the site has no such team")
		}
		limits := valuesOf(rec.Limits())
		same, err := equalJSON(limits[in.Rule], in.Body.Limits)
		if err != nil || same || len(in.Body.Limits) == 0 && len(limits[in.Rule]) == 0 {
			return false, err
		}
		limits[in.Rule] = in.Body.Limits
		return true, s.limit(rec, limits)
	})
	if err != nil {
		return nil, err
	}
	after, err := s.getRule(ctx, &in.RuleInput)
	if err != nil {
		return nil, err
	}
	return &tagged[rule]{statusOf(applied, http.StatusOK), etag(rec.Revision), after.Body}, nil
}
