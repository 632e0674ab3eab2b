package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// AthletePath is how an operation names an athlete.
type AthletePath struct {
	ID lift.AthleteID `path:"id" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
}

type historyInput struct {
	AthletePath
	Span
	Paging
}

const (
	day = 24 * time.Hour
	// setReach is how much more is read on both sides of a stretch to know its
	// sets: the whole local days, and a set that goes on past midnight.
	setReach = 2 * day
	// weekStep is how long a stretch of weeks is computed at once.
	weekStep = 26 * 7 * day
	// setStep is how long a stretch of sets or sessions is computed at once; of sets
	// less for a shorter page, which many reps would be read for in vain.
	setStep   = defaultSpan
	leastStep = 14 * day
	repChunk  = 20_000
)

func (s *Server) addHistory() {
	history := func(what, summary string) huma.Operation {
		return huma.Operation{
			OperationID: "list-" + what, Method: http.MethodGet, Path: "/api/v1/athletes/{id}/" + what, Tags: []string{"athletes"},
			Summary:     summary,
			Description: "Oldest first. An athlete of whom nothing is known has an empty list.",
		}
	}
	add(s, history("reps", "List an athlete's reps"), permit{ofAthlete, everyone}, s.listReps)
	add(s, history("sets", "List an athlete's sets"), permit{ofAthlete, everyone}, s.listSets)
	add(s, history("weeks", "List an athlete's weeks with their baselines"), permit{ofAthlete, everyone}, s.listWeeks)
	add(s, history("checkins", "List an athlete's check-ins"), permit{ofAthlete, everyone}, s.listCheckIns)
}

func (s *Server) listReps(ctx context.Context, in *historyInput) (*answer[list[lift.RepRecord]], error) {
	from, to, err := in.bounds(s.now())
	if err != nil {
		return nil, err
	}
	reps, next, err := s.view.Reps(ctx, in.ID, from, to, in.page())
	if err != nil {
		return nil, err
	}
	if err := s.nameSets(ctx, in.ID, reps); err != nil {
		return nil, err
	}
	return &answer[list[lift.RepRecord]]{http.StatusOK, list[lift.RepRecord]{reps, next}}, nil
}

// nameSets fills in which sets the reps, in the order of time, belong to, and
// where each is in its life. A rep that is not valid is in no set, nor is a ghost.
func (s *Server) nameSets(ctx context.Context, athlete lift.AthleteID, reps []lift.RepRecord) error {
	if len(reps) == 0 || athlete == "" {
		return nil
	}
	sets, err := s.setsAround(ctx, athlete, reps[0].PointTime, reps[len(reps)-1].PointTime)
	if err != nil {
		return err
	}
	setOf := map[string]string{}
	for i := range sets {
		for _, id := range sets[i].RepIDs {
			setOf[id] = sets[i].ID
		}
	}
	for i := range reps {
		reps[i].SetID = setOf[reps[i].ID]
		reps[i].State = stateOf(&reps[i], s.now())
	}
	return nil
}

// provisionalFor is how long after its receipt a rep's set may still go on.
const provisionalFor = 90 * time.Second

func stateOf(r *lift.RepRecord, now time.Time) lift.RepState {
	switch {
	case !r.Valid:
		return lift.RepInvalid
	case r.SetID == "":
		return lift.RepGhost
	case r.Edited || r.Revision > 0:
		return lift.RepCorrected
	case now.Before(r.Received.Add(provisionalFor)):
		return lift.RepProvisional
	}
	return lift.RepConfirmed
}

// setsAround returns the athlete's sets between the times and some on both sides,
// of which the outermost may be cut off.
func (s *Server) setsAround(ctx context.Context, athlete lift.AthleteID, from, to time.Time) ([]lift.Set, error) {
	h, err := s.trainingBetween(ctx, athlete, from.Add(-setReach), to.Add(setReach))
	if err != nil {
		return nil, err
	}
	return s.sets(h.Reps, h.Logged, s.roster.Zone(athlete)), nil
}

// trainingBetween reads the athlete's reps and logged sets with from ≤ time < to.
func (s *Server) trainingBetween(ctx context.Context, athlete lift.AthleteID, from, to time.Time) (analysis.History, error) {
	h := analysis.History{Athlete: athlete}
	var err error
	if h.Reps, err = s.repsBetween(ctx, athlete, from, to); err != nil {
		return h, err
	}
	h.Logged, err = s.view.Logged(ctx, athlete, from, to)
	return h, err
}

func (s *Server) repsBetween(ctx context.Context, athlete lift.AthleteID, from, to time.Time) ([]lift.RepRecord, error) {
	var all []lift.RepRecord
	page := view.Page{Limit: repChunk}
	for {
		reps, next, err := s.view.Reps(ctx, athlete, from, to, page)
		if err != nil {
			return nil, err
		}
		all = append(all, reps...)
		if next == "" {
			return all, nil
		}
		page.Cursor = next
	}
}

// nextStretch tells where the first set, session or week at a time or later can have
// its place: of sets and sessions that is their first rep, of weeks their Monday.
func (s *Server) nextStretch(ctx context.Context, athlete lift.AthleteID) func(time.Time) (time.Time, error) {
	return func(from time.Time) (time.Time, error) {
		next, err := s.view.NextTraining(ctx, athlete, from)
		if err != nil || next.IsZero() {
			return next, err
		}
		return next.Add(-8 * day), nil
	}
}

// placeOfSet is in the order of lift.Set.Compare.
func placeOfSet(t *lift.Set) place {
	number := -1
	if t.Number != nil {
		number = *t.Number
	}
	return place{t.From, fmt.Sprintf("%s %05d %s", t.Exercise, number, t.ID)}
}

func (s *Server) listSets(ctx context.Context, in *historyInput) (*answer[list[lift.Set]], error) {
	from, to, err := in.bounds(s.now())
	if err != nil {
		return nil, err
	}
	step := max(setStep*time.Duration(in.Limit)/500, leastStep)
	page, err := pageOf(from, to, step, in.Paging, placeOfSet, s.nextStretch(ctx, in.ID),
		func(from, to time.Time) ([]lift.Set, error) {
			sets, err := s.setsAround(ctx, in.ID, from, to)
			return slices.DeleteFunc(sets, func(t lift.Set) bool { return t.From.Before(from) || !t.From.Before(to) }), err
		})
	if err != nil {
		return nil, err
	}
	return &answer[list[lift.Set]]{http.StatusOK, page}, nil
}

func (s *Server) listWeeks(ctx context.Context, in *historyInput) (*answer[list[lift.Week]], error) {
	from, to, err := in.bounds(s.now())
	if err != nil {
		return nil, err
	}
	// A week is asked for by any moment in it, and has its place at its Monday.
	first := from.Add(-8 * day)
	page, err := pageOf(first, to, weekStep, in.Paging, func(w *lift.Week) place { return place{w.From, w.Group} }, s.nextStretch(ctx, in.ID),
		func(start, end time.Time) ([]lift.Week, error) {
			h, err := s.trainingBetween(ctx, in.ID, start.Add(-analysis.Lookback-setReach), end.Add(8*day))
			if err != nil {
				return nil, err
			}
			weeks := s.weeks(h, s.roster.Settings(in.ID), s.now())
			weeks = slices.DeleteFunc(weeks, func(w lift.Week) bool {
				return w.From.Before(start) || !w.From.Before(end) || !w.To.After(from)
			})
			slices.SortStableFunc(weeks, func(a, b lift.Week) int {
				return place{a.From, a.Group}.compare(place{b.From, b.Group})
			})
			return weeks, nil
		})
	if err != nil {
		return nil, err
	}
	return &answer[list[lift.Week]]{http.StatusOK, page}, nil
}

func (s *Server) listCheckIns(ctx context.Context, in *historyInput) (*answer[list[lift.CheckInRecord]], error) {
	from, to, err := in.bounds(s.now())
	if err != nil {
		return nil, err
	}
	found, next, err := s.view.CheckIns(ctx, in.ID, from, to, in.page())
	if err != nil {
		return nil, err
	}
	return &answer[list[lift.CheckInRecord]]{http.StatusOK, list[lift.CheckInRecord]{found, next}}, nil
}
