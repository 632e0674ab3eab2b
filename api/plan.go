package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// plan is an athlete's hold and return plan.
type plan struct {
	Athlete lift.AthleteID `json:"athlete"`
	At      time.Time      `json:"at"`
	analysis.PlanState
	Steps []lift.PlanStep `json:"steps" doc:"every decision there was, oldest first"`
}

// planReason is what a coach says to a decision.
type planReason struct {
	Reason string `json:"reason,omitzero" maxLength:"2000"`
}

type planReasonInput struct {
	AthletePath
	Body *planReason
}

// planStart is what the plan's limits are shares of.
type planStart struct {
	planReason
	PreInjuryKg     *float64 `json:"pre_injury_kg,omitzero" minimum:"1" maximum:"1000" doc:"the deadlift's one repetition maximum before the injury"`
	PreInjuryWeekKg *float64 `json:"pre_injury_week_kg,omitzero" minimum:"1" maximum:"1000000" doc:"the weekly volume of the deadlift family before it"`
}

type planStartInput struct {
	AthletePath
	Body *planStart
}

func (s *Server) addPlan() {
	path := "/api/v1/athletes/{id}/plan"
	add(s, huma.Operation{
		OperationID: "get-plan", Method: http.MethodGet, Path: path, Tags: []string{"athletes"},
		Summary:     "Tell an athlete's hold and return plan, and what is allowed today",
		Description: "Holds begin by themselves with pain in the red zone, radicular symptoms and red flags.",
	}, permit{ofAthlete, everyone}, s.getPlan)
	add(s, huma.Operation{
		OperationID: "start-plan", Method: http.MethodPost, Path: path, Tags: []string{"athletes"}, DefaultStatus: http.StatusCreated,
		Summary:     "Start the six-week return to the deadlift",
		Description: "What is left out of the maximum and the volume before the injury comes from the athlete's profile. Repeating it while a plan is in force changes nothing and answers 200.",
	}, permit{ofAthlete, coaches}, func(ctx context.Context, in *planStartInput) (*answer[plan], error) {
		step := lift.PlanStep{Verb: lift.PlanStart}
		if in.Body != nil {
			step.Reason, step.PreInjuryKg, step.PreInjuryWeekKg = in.Body.Reason, in.Body.PreInjuryKg, in.Body.PreInjuryWeekKg
		}
		if rec, ok := s.view.Record(lift.OfAthlete, string(in.ID)); ok && rec.Athlete != nil {
			step.PreInjuryKg = cmp.Or(step.PreInjuryKg, rec.Athlete.PreInjuryKg)
			step.PreInjuryWeekKg = cmp.Or(step.PreInjuryWeekKg, rec.Athlete.PreInjuryWeekKg)
		}
		return s.decide(ctx, in.ID, step, http.StatusCreated)
	})
	s.also(path, http.MethodPost, map[int]string{
		http.StatusOK: "A plan was in force already", http.StatusAccepted: "Stored, but not applied within 2 seconds",
	})
	for verb, summary := range map[lift.PlanVerb]string{
		lift.PlanHold:    "Put heavy deadlifts on hold",
		lift.PlanRelease: "Release a hold; after a red flag, because a clinician has cleared it",
		lift.PlanAdvance: "Begin the plan's next phase",
		lift.PlanRepeat:  "Begin the plan's phase again",
		lift.PlanEnd:     "End the return plan",
	} {
		path := path + "/" + string(verb)
		add(s, huma.Operation{
			OperationID: string(verb) + "-plan", Method: http.MethodPost, Path: path, Tags: []string{"athletes"},
			Errors: []int{http.StatusConflict}, Summary: summary,
			Description: "Who and when are recorded with the reason. 409 where it makes no sense at present.",
		}, permit{ofAthlete, coaches}, func(ctx context.Context, in *planReasonInput) (*answer[plan], error) {
			step := lift.PlanStep{Verb: verb}
			if in.Body != nil {
				step.Reason = in.Body.Reason
			}
			return s.decide(ctx, in.ID, step, http.StatusOK)
		})
		s.also(path, http.MethodPost, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})
	}
}

func (s *Server) getPlan(ctx context.Context, in *AthletePath) (*answer[plan], error) {
	p, _, err := s.planOf(ctx, in.ID, s.now().UTC())
	return &answer[plan]{http.StatusOK, p}, err
}

// planOf reads what is in force at a time, and where the athlete is.
func (s *Server) planOf(ctx context.Context, id lift.AthleteID, at time.Time) (plan, lift.SiteID, error) {
	settings := s.roster.Settings(id)
	reps, checkIns := analysis.LoadFrom(at, settings.Zone)
	h, err := s.view.History(ctx, id, reps, checkIns)
	if err != nil {
		return plan{}, "", err
	}
	state := analysis.Plan(historyOf(id, &h), settings, at)
	return plan{Athlete: id, At: at, PlanState: state, Steps: append([]lift.PlanStep{}, h.Plan...)}, h.Site, nil
}

func historyOf(id lift.AthleteID, h *view.History) analysis.History {
	return analysis.History{Site: h.Site, Athlete: id, Reps: h.Reps, Logged: h.Logged, CheckIns: h.CheckIns, Plan: h.Plan}
}

// decide records a decision unless it repeats what is in force or makes no sense.
func (s *Server) decide(ctx context.Context, id lift.AthleteID, step lift.PlanStep, done int) (*answer[plan], error) {
	step.At, step.By = s.now().UTC(), who(ctx).Name
	if err := step.Validate(); err != nil {
		return nil, err
	}
	known, site, err := s.planOf(ctx, id, step.At)
	if err != nil {
		return nil, err
	}
	why, same := known.Check(step.Verb)
	if why != "" {
		return nil, huma.Error409Conflict(why)
	}
	if same {
		return &answer[plan]{http.StatusOK, known}, nil
	}
	applied, err := s.write(ctx, journal.Event{
		Kind: journal.KindPlan, Received: step.At, Site: cmp.Or(site, defaultSite), Athlete: id, Plan: &step,
	})
	if err != nil {
		return nil, err
	}
	// A decision holds from its instant on.
	after, _, err := s.planOf(ctx, id, step.At.Add(time.Microsecond))
	return &answer[plan]{statusOf(applied, done), after}, err
}
