package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/view"
)

type deliveriesInput struct {
	Channel string       `query:"channel" maxLength:"64" doc:"a channel's id, or mqtt"`
	State   notify.State `query:"state" enum:"waiting,sent,failed,cancelled,withheld"`
	Site    lift.SiteID  `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Paging
}

func (s *Server) addDeliveries() {
	add(s, huma.Operation{
		OperationID: "list-deliveries", Method: http.MethodGet, Path: "/api/v1/deliveries", Tags: []string{"channels"},
		Summary:     "List what was told to whom, newest first",
		Description: "With what is waiting, what was given up, and what was withheld because it was not sure enough to interrupt anybody.",
	}, permit{ofCaller, coaches}, s.listDeliveries)
	add(s, huma.Operation{
		OperationID: "list-alert-deliveries", Method: http.MethodGet, Path: "/api/v1/alerts/{id}/deliveries", Tags: []string{"alerts"},
		Summary: "List who was told of an alert, when and with what result, oldest first", Errors: []int{http.StatusNotFound},
	}, permit{ofAlert, coaches}, s.listAlertDeliveries)
}

func (s *Server) listDeliveries(ctx context.Context, in *deliveriesInput) (*answer[list[notify.Delivery]], error) {
	q := notify.Query{Channel: in.Channel, State: in.State, Site: in.Site, Limit: in.Limit, Cursor: in.Cursor}
	if caller := who(ctx); !caller.all() {
		q.Site = caller.Site
	}
	found, next, err := s.notifier.Log(ctx, q)
	if errors.Is(err, notify.ErrCursor) {
		err = view.ErrCursor
	}
	if err != nil {
		return nil, err
	}
	return &answer[list[notify.Delivery]]{http.StatusOK, list[notify.Delivery]{Items: append([]notify.Delivery{}, found...), Next: next}}, nil
}

type alertDeliveriesInput struct {
	IDPath
	Paging
}

func (s *Server) listAlertDeliveries(ctx context.Context, in *alertDeliveriesInput) (*answer[list[notify.Delivery]], error) {
	if _, err := s.view.Alert(ctx, in.ID); err != nil {
		return nil, err
	}
	found, err := s.notifier.Deliveries(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return cutAnswer(found, in.Paging, func(d *notify.Delivery) string { return strconv.FormatInt(d.ID, 10) })
}
