package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// defaultSite is where an athlete trains of whom nothing is known yet.
const defaultSite lift.SiteID = "main"

type checkInInput struct {
	AthletePath
	Site    lift.SiteID `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"where; by default where the athlete was last seen, else main"`
	RawBody []byte      `contentType:"application/json"`
}

func (s *Server) addCheckIns() {
	path := "/api/v1/athletes/{id}/checkins"
	add(s, huma.Operation{
		OperationID: "create-checkin", Method: http.MethodPost, Path: path, Tags: []string{"athletes"},
		DefaultStatus: http.StatusCreated, SkipValidateBody: true,
		Errors:  []int{http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary: "Report how an athlete is",
		Description: "The same body as over MQTT. Time and phase identify a check-in: repeating it answers 200 and changes nothing, " +
			"a higher revision replaces it, and other content in the same revision answers 409.",
	}, permit{ofAthlete, everyone}, s.createCheckIn)
	s.also(path, http.MethodPost, map[int]string{
		http.StatusOK:       "It was there already",
		http.StatusAccepted: "Stored, but not applied within 2 seconds",
	})
	s.bodyOf(path, http.MethodPost, "CheckIn", reflect.TypeFor[lift.CheckIn]())
}

func (s *Server) createCheckIn(ctx context.Context, in *checkInInput) (*answer[lift.CheckInRecord], error) {
	return s.report(ctx, in.ID, in.Site, bytes.Clone(in.RawBody), func() error { return nil }) // huma uses its buffer again
}

// report takes a check-in. Where it is new, may is asked last, before it is written.
func (s *Server) report(ctx context.Context, id lift.AthleteID, site lift.SiteID, body []byte, may func() error) (*answer[lift.CheckInRecord], error) {
	now := s.now().UTC().Truncate(time.Microsecond) // as the view keeps it
	known, err := s.view.SiteOf(ctx, id)
	if err != nil {
		return nil, err
	}
	site = cmp.Or(site, known, defaultSite)
	events := s.decode("spotter/v1/"+string(site)+"/athlete/"+string(id)+"/checkin", body, now)
	if err := usable(events); err != nil {
		return nil, err
	}
	e := events[0]
	if e.CheckIn == nil {
		return nil, huma.Error422UnprocessableEntity("the body is no check-in")
	}
	sent := lift.CheckInRecord{
		ID: lift.CheckInID(id, e.CheckIn.Time, e.CheckIn.Phase), Site: site, Athlete: id, CheckIn: *e.CheckIn, Received: now,
	}
	stored, err := s.view.CheckIn(ctx, sent.ID)
	if err != nil && !errors.Is(err, view.ErrNotFound) {
		return nil, err
	}
	if err == nil && stored.Revision >= sent.Revision {
		same, err := equalJSON(&stored.CheckIn, &sent.CheckIn)
		if err != nil {
			return nil, err
		}
		// Whoever has a link sees nothing but what they sent.
		if !same && (stored.Revision == sent.Revision || who(ctx).Role == access.RoleCheckIn) {
			return nil, at(http.StatusConflict, "body.revision", "another check-in has this time, phase and revision; send a higher revision to replace it")
		}
		return &answer[lift.CheckInRecord]{http.StatusOK, stored}, nil
	}
	if err := may(); err != nil {
		return nil, err
	}
	applied, err := s.write(ctx, e)
	if err != nil {
		return nil, err
	}
	return &answer[lift.CheckInRecord]{statusOf(applied, http.StatusCreated), sent}, nil
}

func equalJSON(a, b any) (bool, error) {
	left, err := json.Marshal(a, json.Deterministic(true))
	if err != nil {
		return false, err
	}
	right, err := json.Marshal(b, json.Deterministic(true))
	return bytes.Equal(left, right), err
}

// usable returns what is wrong with a message that was sent here: nothing of it
// goes to quarantine, because its sender is told.
func usable(events []journal.Event) error {
	for i := range events {
		if q := events[i].Quarantined; q != nil {
			return &lift.FieldError{Field: q.Field, Reason: q.Reason}
		}
	}
	if len(events) == 0 {
		return &lift.FieldError{Reason: "holds nothing that could be stored"}
	}
	return nil
}
