package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/lift"
)

// profileInput is a stretch of time of which the end is what a profile is as of.
type profileInput struct {
	AthletePath
	Span
}

// profiles are an athlete's profiles.
type profiles struct {
	Athlete lift.AthleteID    `json:"athlete"`
	At      time.Time         `json:"at" doc:"what the profiles are as of"`
	Items   []profile.Profile `json:"items" doc:"by exercise, site and device"`
}

// maxTrend is the longest stretch that estimates are shown of at once.
const maxTrend = 366 * day

func (s *Server) addProfile() {
	add(s, huma.Operation{
		OperationID: "get-profile", Method: http.MethodGet, Path: "/api/v1/athletes/{id}/profile", Tags: []string{"athletes"},
		Summary: "Show an athlete's load–velocity lines and estimated maxima",
		Description: "One item for each exact exercise and device: lines of the 42 days before to, and one estimate for each session from from to to, " +
			"at most a year apart. Shown, and never alerted on.",
	}, permit{ofAthlete, everyone}, s.getProfile)
}

func (s *Server) getProfile(ctx context.Context, in *profileInput) (*answer[profiles], error) {
	from, to, err := in.bounds(s.now())
	if err != nil {
		return nil, err
	}
	if to.Sub(from) > maxTrend {
		return nil, at(http.StatusUnprocessableEntity, "query.from", "is more than a year before to")
	}
	history, err := s.setsWithReps(ctx, in.ID, from, to)
	if err != nil {
		return nil, err
	}
	as := s.asOf(to)
	items := profile.Profiles(history, from, as, s.profileOptions(in.ID))
	return &answer[profiles]{http.StatusOK, profiles{in.ID, as, items}}, nil
}

// setsWithReps returns the athlete's sets with their reps up to a time, and from so
// long before from that profiles and contexts of the stretch are whole.
func (s *Server) setsWithReps(ctx context.Context, athlete lift.AthleteID, from, to time.Time) (profile.History, error) {
	h, err := s.trainingBetween(ctx, athlete, profile.HistoryFrom(from, to).Add(-setReach), to)
	if err != nil {
		return profile.History{}, err
	}
	return profile.History{Sets: s.sets(h.Reps, h.Logged, s.roster.Zone(athlete)), Reps: h.Reps}, nil
}

// profileOptions are the athlete's zone, and what a coach has entered for them.
func (s *Server) profileOptions(athlete lift.AthleteID) profile.Options {
	settings := s.roster.Settings(athlete)
	entered := func(by map[lift.ExerciseID]float64) func(lift.ExerciseID) (float64, bool) {
		return func(exercise lift.ExerciseID) (float64, bool) {
			value, ok := by[exercise]
			return value, ok
		}
	}
	return profile.Options{
		Zone: settings.Zone, Exercise: s.exercises.Get, MinVelocity: entered(settings.MinVelocity), OneRM: entered(settings.Maximum),
	}
}

// asOf is the last moment before to that has begun: today is a date of its own only
// once it is there.
func (s *Server) asOf(to time.Time) time.Time {
	if now := s.now().UTC(); to.After(now) {
		return now
	}
	return to.Add(-time.Microsecond)
}
