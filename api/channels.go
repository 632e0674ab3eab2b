package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/notify"
)

// newChannel is a channel as it was just made.
type newChannel struct {
	notify.Channel
	Secret string `json:"secret,omitzero" doc:"of its webhook, where none was given: shown this once"`
}

type channelInput struct {
	RawBody []byte `contentType:"application/json"`
}

type channelChangeInput struct {
	IDPath
	RawBody []byte `contentType:"application/json"`
}

func (s *Server) addChannels() {
	op := func(id, method, path, summary, description string, errors ...int) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: "/api/v1/channels" + path, Tags: []string{"channels"},
			Summary: summary, Description: description, Errors: errors, SkipValidateBody: true,
		}
	}
	permitted := permit{ofNobody, admins}
	add(s, op("list-channels", http.MethodGet, "", "List the channels by which people are told", "No answer holds the secret parts of their addresses."), permitted, s.listChannels)
	create := op("create-channel", http.MethodPost, "", "Add a channel",
		"Repeating it answers 200 with the channel that is there.", http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	create.DefaultStatus = http.StatusCreated
	add(s, create, permitted, s.createChannel)
	s.also("/api/v1/channels", http.MethodPost, map[int]string{http.StatusOK: "It was there already"})
	add(s, op("get-channel", http.MethodGet, "/{id}", "Get a channel", "", http.StatusNotFound), permitted, s.getChannel)
	add(s, op("change-channel", http.MethodPatch, "/{id}", "Change a channel",
		"What is left out stays as it is; null takes a setting away. An address may be sent back as it was shown: it stays.",
		http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType), permitted, s.changeChannel)
	remove := op("delete-channel", http.MethodDelete, "/{id}", "Delete a channel", "What waits for it is dropped.", http.StatusNotFound)
	remove.DefaultStatus = http.StatusNoContent
	add(s, remove, permitted, s.deleteChannel)
	add(s, op("test-channel", http.MethodPost, "/{id}/test", "Send a test to a channel",
		"It is sent at once, in quiet hours too, and the answer is what the other side said within 20 s.", http.StatusNotFound), permitted, s.testChannel)

	schemas := s.api.OpenAPI().Components.Schemas
	whole := schemas.Schema(reflect.TypeFor[notify.ChannelSettings](), true, "ChannelSettings")
	s.api.OpenAPI().Paths["/api/v1/channels"].Post.RequestBody.Content["application/json"].Schema = whole
	// A change may leave anything out.
	part := *schemas.SchemaFromRef(whole.Ref)
	part.Required = nil
	s.api.OpenAPI().Paths["/api/v1/channels/{id}"].Patch.RequestBody.Content["application/json"].Schema = &part
}

// mergeSettings reads a body over settings: what it leaves out stays, null takes away.
func mergeSettings(body []byte, into *notify.ChannelSettings) error {
	was := *into
	shown := notify.Channel{ChannelSettings: was}.Masked()
	if was.Webhook != nil {
		was.Webhook = new(*was.Webhook)
	}
	if err := readBody(body, into); err != nil {
		return err
	}
	if was.URL != "" && into.URL == shown.URL {
		into.URL = was.URL
	}
	if was.Webhook != nil && into.Webhook != nil && into.Webhook.URL == shown.Webhook.URL {
		into.Webhook.URL = was.Webhook.URL
	}
	return nil
}

// ofChannels makes an answer of what the channels say.
func ofChannels(err error) error {
	if errors.Is(err, notify.ErrUnknown) {
		return huma.Error404NotFound("there is no such channel")
	}
	return err
}

func (s *Server) listChannels(_ context.Context, in *Paging) (*answer[list[notify.Channel]], error) {
	all := s.notifier.Channels().List()
	for i := range all {
		all[i] = all[i].Masked()
	}
	return cutAnswer(all, *in, func(c *notify.Channel) string { return c.ID })
}

func (s *Server) createChannel(_ context.Context, in *channelInput) (*answer[newChannel], error) {
	var settings notify.ChannelSettings
	if err := mergeSettings(in.RawBody, &settings); err != nil {
		return nil, err
	}
	for _, known := range s.notifier.Channels().List() {
		same, err := sameSettings(&settings, &known.ChannelSettings)
		if err != nil {
			return nil, err
		}
		if same {
			return &answer[newChannel]{http.StatusOK, newChannel{Channel: known.Masked()}}, nil
		}
	}
	made, err := s.notifier.Channels().Add(settings, s.now())
	if err != nil {
		return nil, err
	}
	body := newChannel{Channel: made.Masked()}
	if settings.Webhook != nil && settings.Webhook.Secret == "" {
		body.Secret = made.Webhook.Secret
	}
	return &answer[newChannel]{http.StatusCreated, body}, nil
}

// sameSettings reports whether a channel is the one that is asked for, whose secret
// may be left out.
func sameSettings(asked, known *notify.ChannelSettings) (bool, error) {
	a := *asked
	if a.Webhook != nil && a.Webhook.Secret == "" && known.Webhook != nil {
		a.Webhook = &notify.Webhook{URL: a.Webhook.URL, Secret: known.Webhook.Secret}
	}
	one, err := json.Marshal(&a, json.Deterministic(true))
	if err != nil {
		return false, err
	}
	other, err := json.Marshal(known, json.Deterministic(true))
	return bytes.Equal(one, other), err
}

func (s *Server) getChannel(_ context.Context, in *IDPath) (*answer[notify.Channel], error) {
	c, err := s.notifier.Channels().Channel(in.ID)
	if err != nil {
		return nil, ofChannels(err)
	}
	return &answer[notify.Channel]{http.StatusOK, c.Masked()}, nil
}

func (s *Server) changeChannel(_ context.Context, in *channelChangeInput) (*answer[notify.Channel], error) {
	c, err := s.notifier.Channels().Change(in.ID, s.now(), func(settings *notify.ChannelSettings) error {
		return mergeSettings(in.RawBody, settings)
	})
	if err != nil {
		return nil, ofChannels(err)
	}
	return &answer[notify.Channel]{http.StatusOK, c.Masked()}, nil
}

func (s *Server) deleteChannel(_ context.Context, in *IDPath) (*nothing, error) {
	if err := s.notifier.Channels().Remove(in.ID); err != nil {
		return nil, ofChannels(err)
	}
	return &nothing{http.StatusNoContent}, nil
}

func (s *Server) testChannel(ctx context.Context, in *IDPath) (*answer[notify.TestResult], error) {
	result, err := s.notifier.Test(ctx, in.ID)
	if err != nil {
		return nil, ofChannels(err)
	}
	return &answer[notify.TestResult]{http.StatusOK, result}, nil
}
