package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// rule is a load rule with its limits.
type rule struct {
	Rule     lift.Rule      `json:"rule"`
	LooksAt  string         `json:"looks_at" doc:"what it looks at, and when it speaks"`
	Source   lift.Citation  `json:"source" doc:"where it comes from, in our own words"`
	Limits   map[string]any `json:"limits" doc:"in force, by name: a number, or a list of one for each phase of the plan"`
	Defaults map[string]any `json:"defaults" doc:"what holds until somebody changes it"`
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

func (s *Server) addRules() {
	add(s, huma.Operation{
		OperationID: "list-rules", Method: http.MethodGet, Path: "/api/v1/rules", Tags: []string{"rules"},
		Summary: "List the load rules with their limits, those of load first",
	}, permit{ofNobody, everyone}, s.listRules)
	add(s, huma.Operation{
		OperationID: "get-rule", Method: http.MethodGet, Path: "/api/v1/rules/{rule}", Tags: []string{"rules"},
		Errors:  []int{http.StatusNotFound},
		Summary: "Show a load rule with its limits",
	}, permit{ofNobody, everyone}, s.getRule)
}

// rulesInForce are all rules with the limits that hold for everybody.
func (s *Server) rulesInForce() []rule {
	inForce, defaults := s.settings("").Limits, analysis.DefaultLimits()
	if inForce == (analysis.Limits{}) {
		inForce = defaults
	}
	var all []rule
	for _, name := range analysis.Rules() {
		r := rule{Rule: name, LooksAt: looksAt[name], Source: analysis.Source(name), Limits: inForce.Of(name), Defaults: defaults.Of(name), About: []limit{}}
		for _, spec := range analysis.LimitSpecs() {
			if spec.Rule == name {
				r.About = append(r.About, limit{spec.Name, spec.Unit, spec.Least, spec.Most, spec.Whole, spec.Count})
			}
		}
		all = append(all, r)
	}
	return all
}

func (s *Server) listRules(_ context.Context, in *Paging) (*answer[list[rule]], error) {
	page, err := cut(s.rulesInForce(), *in, func(r *rule) string { return string(r.Rule) })
	return &answer[list[rule]]{http.StatusOK, page}, err
}

type ruleInput struct {
	Rule lift.Rule `path:"rule" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
}

func (s *Server) getRule(_ context.Context, in *ruleInput) (*answer[rule], error) {
	all := s.rulesInForce()
	i := slices.IndexFunc(all, func(r rule) bool { return r.Rule == in.Rule })
	if i < 0 {
		return nil, huma.Error404NotFound("no rule has this name")
	}
	return &answer[rule]{http.StatusOK, all[i]}, nil
}
