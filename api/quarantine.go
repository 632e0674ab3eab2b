package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// QuarantineItem is a message, or one element of an array, that could not be used.
type QuarantineItem struct {
	ID       string    `json:"id"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason"`
	Field    string    `json:"field,omitzero" doc:"the field at fault"`
	Index    *int      `json:"index,omitzero" doc:"its place in the array that it came in"`
	Received time.Time `json:"received"`
	Size     int       `json:"size" doc:"bytes as received"`
}

// quarantineDetail has the bytes as well.
type quarantineDetail struct {
	QuarantineItem
	Bytes     []byte           `json:"bytes" doc:"the message, or its first 64 KiB"`
	Truncated bool             `json:"truncated" doc:"true where only the first part was kept"`
	Hash      string           `json:"hash,omitzero" doc:"SHA-256 of the whole, where it was truncated"`
	Released  *journal.Release `json:"released,omitzero" doc:"who replayed it, and when"`
}

func itemOf(q *lift.Quarantined) QuarantineItem {
	return QuarantineItem{q.ID, q.Topic, q.Reason, q.Field, q.Index, q.Received, q.Size}
}

// replayed says what became of a message.
type replayed struct {
	ID       string          `json:"id"`
	Released journal.Release `json:"released"`
}

func (s *Server) addQuarantine() {
	op := func(id, method, path, summary, description string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: "/api/v1/quarantine" + path, Tags: []string{"quarantine"},
			Summary: summary, Description: description,
		}
	}
	add(s, op("list-quarantine", http.MethodGet, "", "List messages that could not be used, newest first", ""), permit{ofCaller, coaches}, s.listQuarantine)
	get := op("get-quarantined", http.MethodGet, "/{id}", "Get one with its bytes", "")
	get.Errors = []int{http.StatusNotFound}
	add(s, get, permit{ofQuarantined, coaches}, s.getQuarantined)

	replay := op("replay-quarantined", http.MethodPost, "/{id}/replay", "Take one in after all",
		"The body is the corrected message itself; without one the message is taken as it was. It counts as received when it first was. "+
			"It creates nothing of its own, so it answers 200; repeating it changes nothing. What still cannot be used answers 422 and stays "+
			"where it is; a truncated message without a corrected one answers 409.")
	replay.Errors = []int{http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}
	replay.MaxBodyBytes = maxReplay
	replay.SkipValidateBody = true
	replay.RequestBody = &huma.RequestBody{
		Description: "the corrected message",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{}}},
	}
	add(s, replay, permit{ofQuarantined, coaches}, s.replay)
	path := "/api/v1/quarantine/{id}/replay"
	s.api.OpenAPI().Paths[path].Post.RequestBody.Required = false
	s.also(path, http.MethodPost, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})

	remove := op("delete-quarantined", http.MethodDelete, "/{id}", "Delete one for good", "Repeating it changes nothing.")
	remove.Errors = []int{http.StatusNotFound}
	remove.DefaultStatus = http.StatusNoContent
	add(s, remove, permit{ofQuarantined, coaches}, s.deleteQuarantined)
	s.also("/api/v1/quarantine/{id}", http.MethodDelete, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})
}

// quarantinePages is how many pages are looked through for one with something in it.
const quarantinePages = 20

func (s *Server) listQuarantine(ctx context.Context, in *Paging) (*answer[list[QuarantineItem]], error) {
	page, from := list[QuarantineItem]{Items: []QuarantineItem{}}, in.page()
	// What is not the caller's is left out: a page may be short, or have nothing but
	// a next.
	for range quarantinePages {
		held, next, err := s.view.Quarantine(ctx, from)
		if err != nil {
			return nil, err
		}
		for i := range held {
			ok, err := who(ctx).seesQuarantined(ctx, &held[i])
			if err != nil {
				return nil, err
			}
			if ok {
				page.Items = append(page.Items, itemOf(&held[i].Quarantined))
			}
		}
		page.Next, from.Cursor = next, next
		if len(page.Items) > 0 || next == "" {
			break
		}
	}
	return &answer[list[QuarantineItem]]{http.StatusOK, page}, nil
}

// quarantined returns a message that was not deleted.
func (s *Server) quarantined(ctx context.Context, id string) (view.Quarantined, error) {
	q, err := s.view.Quarantined(ctx, id)
	if err == nil && q.Released != nil && !q.Released.Replayed {
		err = view.ErrNotFound
	}
	return q, err
}

func (s *Server) getQuarantined(ctx context.Context, in *IDPath) (*answer[quarantineDetail], error) {
	q, err := s.quarantined(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &answer[quarantineDetail]{http.StatusOK, quarantineDetail{
		itemOf(&q.Quarantined), q.Bytes, q.Truncated(), q.Hash, q.Released,
	}}, nil
}

type replayInput struct {
	IDPath
	RawBody []byte
}

func (s *Server) replay(ctx context.Context, in *replayInput) (*answer[replayed], error) {
	q, err := s.quarantined(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if q.Released != nil {
		return &answer[replayed]{http.StatusOK, replayed{q.ID, *q.Released}}, nil
	}
	payload := bytes.Clone(in.RawBody) // huma uses its buffer again
	if len(payload) == 0 {
		if q.Truncated() {
			return nil, huma.Error409Conflict("only the first part of the message was kept: send the corrected message as the body")
		}
		payload = q.Bytes
	}
	events := s.decode(q.Topic, payload, q.Received)
	if err := usable(events); err != nil {
		return nil, err
	}
	if len(in.RawBody) > 0 { // of the sender's own words the sender is the author
		for i := range events {
			if a := events[i].Athlete; a != "" {
				if err := mustSee(ctx, a); err != nil {
					return nil, err
				}
			}
		}
	}
	if _, err := s.write(ctx, events...); err != nil {
		return nil, err
	}
	release := journal.Release{ID: q.ID, Replayed: true, By: who(ctx).Name, At: s.now().UTC()}
	applied, err := s.write(ctx, released(&q, &release))
	if err != nil {
		return nil, err
	}
	return &answer[replayed]{statusOf(applied, http.StatusOK), replayed{q.ID, release}}, nil
}

func released(q *view.Quarantined, r *journal.Release) journal.Event {
	return journal.Event{Kind: journal.KindReleased, Received: r.At, Athlete: q.Athlete, Released: r}
}

type nothing struct {
	Status int
}

func (s *Server) deleteQuarantined(ctx context.Context, in *IDPath) (*nothing, error) {
	q, err := s.view.Quarantined(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if q.Released != nil {
		return &nothing{http.StatusNoContent}, nil
	}
	applied, err := s.write(ctx, released(&q, &journal.Release{ID: q.ID, By: who(ctx).Name, At: s.now().UTC()}))
	if err != nil {
		return nil, err
	}
	return &nothing{statusOf(applied, http.StatusNoContent)}, nil
}
