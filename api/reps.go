package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// repPatch is a coach's correction; what is left out stays as it is.
type repPatch struct {
	Valid    *bool            `json:"valid,omitzero" doc:"false takes the rep out of everything"`
	LoadKg   *float64         `json:"load_kg,omitzero" minimum:"0" maximum:"1000"`
	Exercise *lift.ExerciseID `json:"exercise,omitzero" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Athlete  *lift.AthleteID  `json:"athlete,omitzero" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Set      *int             `json:"set,omitzero" minimum:"0" maximum:"10000" doc:"another number than its neighbours have splits a set, the same number (with the same exercise and load) joins two"`
	Withdraw []string         `json:"withdraw,omitempty" nullable:"false" maxItems:"5" doc:"fields, such as load_kg, whose corrections are taken back: what the device said counts again"`
}

type repPatchInput struct {
	IDPath
	Body    repPatch
	RawBody []byte
}

type unassignedInput struct {
	Site   lift.SiteID   `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Device lift.DeviceID `query:"device" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Span
	Paging
}

func (s *Server) listUnassigned(ctx context.Context, in *unassignedInput) (*answer[list[lift.RepRecord]], error) {
	from, to, err := in.bounds(s.now())
	if err != nil {
		return nil, err
	}
	reps, next, err := s.view.UnassignedReps(ctx, cmp.Or(in.Site, who(ctx).Site), in.Device, from, to, in.page())
	if err != nil {
		return nil, err
	}
	return &answer[list[lift.RepRecord]]{http.StatusOK, list[lift.RepRecord]{append([]lift.RepRecord{}, reps...), next}}, nil
}

func (s *Server) addReps() {
	add(s, huma.Operation{
		OperationID: "list-unassigned-reps", Method: http.MethodGet, Path: "/api/v1/reps/unassigned", Tags: []string{"devices"},
		Summary:     "List the reps that nobody is known to have done",
		Description: "Oldest first. PUT /devices/{id}/assignment with since in the past gives all of a time to an athlete, PATCH /reps/{id} one of them.",
	}, permit{ofCaller, coaches}, s.listUnassigned)
	path := "/api/v1/reps/{id}"
	add(s, huma.Operation{
		OperationID: "correct-rep", Method: http.MethodPatch, Path: path, Tags: []string{"athletes"},
		Errors:      []int{http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary:     "Correct a rep",
		Description: "A correction stands above everything that the device has sent or will send of this rep, until it is withdrawn. Alerts follow it.",
	}, permit{ofRep, coaches}, s.correctRep)
	// The raw body is read beside the typed one, which alone is the contract.
	delete(s.api.OpenAPI().Paths[path].Patch.RequestBody.Content, "application/octet-stream")
	s.also(path, http.MethodPatch, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds: the rep is as it was"})
}

// nullIn finds a field that is null: huma takes it for one that was left out.
func nullIn(object []byte) error {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(object, &fields); err != nil {
		return &lift.FieldError{Reason: "is not a JSON object"}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name].Kind() == 'n' {
			return &lift.FieldError{Field: name, Reason: "is null: leave out what stays as it is"}
		}
	}
	return nil
}

func (s *Server) correctRep(ctx context.Context, in *repPatchInput) (*answer[lift.RepRecord], error) {
	if err := nullIn(in.RawBody); err != nil {
		return nil, err
	}
	edit := lift.RepEdit{
		RepID: in.ID, Valid: in.Body.Valid, LoadKg: in.Body.LoadKg, Exercise: in.Body.Exercise, Athlete: in.Body.Athlete,
		Set: in.Body.Set, Withdraw: in.Body.Withdraw, By: who(ctx).Name, At: s.now().UTC(),
	}
	if err := edit.Validate(); err != nil {
		return nil, err
	}
	if in.Body.Athlete != nil {
		if err := mustSee(ctx, *in.Body.Athlete); err != nil {
			return nil, err
		}
	}
	known, err := s.view.Rep(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	// The device is left out: a correction does not mean that it was heard of.
	applied, err := s.write(ctx, journal.Event{
		Kind: journal.KindEdit, Received: edit.At, Site: known.Site, Athlete: known.Athlete, Edit: &edit,
	})
	if err != nil {
		return nil, err
	}
	reps := make([]lift.RepRecord, 1)
	if reps[0], err = s.view.Rep(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := s.nameSets(ctx, reps[0].Athlete, reps); err != nil {
		return nil, err
	}
	return &answer[lift.RepRecord]{statusOf(applied, http.StatusOK), reps[0]}, nil
}
