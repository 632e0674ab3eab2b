package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// device is a sensor as it was last heard of.
type device struct {
	Site     lift.SiteID        `json:"site"`
	Device   lift.DeviceID      `json:"device"`
	Status   *lift.DeviceStatus `json:"status,omitzero" doc:"what it said of itself last"`
	StatusAt time.Time          `json:"status_at,omitzero"`
	Seen     time.Time          `json:"seen" doc:"when it was last heard of"`
}

func deviceOf(d *view.Device) device {
	out := device{Site: d.Site, Device: d.Device, Seen: d.Seen}
	if !d.StatusAt.IsZero() {
		out.Status, out.StatusAt = &d.Status, d.StatusAt
	}
	return out
}

type rosterInput struct {
	Site lift.SiteID `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Paging
}

func (s *Server) addRoster() {
	add(s, huma.Operation{
		OperationID: "list-devices", Method: http.MethodGet, Path: "/api/v1/devices", Tags: []string{"devices"},
		Summary: "List every device that was heard of, by site and id",
	}, permit{ofCaller, coaches}, s.listDevices)
	add(s, huma.Operation{
		OperationID: "list-athletes", Method: http.MethodGet, Path: "/api/v1/athletes", Tags: []string{"athletes"},
		Summary: "List every athlete of whom something is known, by id",
	}, permit{ofCaller, everyone}, s.listAthletes)
}

func (s *Server) listDevices(ctx context.Context, in *rosterInput) (*answer[list[device]], error) {
	known, err := s.view.Devices(ctx)
	if err != nil {
		return nil, err
	}
	var devices []device
	for i := range known {
		if (in.Site == "" || known[i].Site == in.Site) && who(ctx).seesSite(known[i].Site) {
			devices = append(devices, deviceOf(&known[i]))
		}
	}
	page, err := cut(devices, in.Paging, func(d *device) string { return string(d.Site) + "/" + string(d.Device) })
	return &answer[list[device]]{http.StatusOK, page}, err
}

func (s *Server) listAthletes(ctx context.Context, in *rosterInput) (*answer[list[view.Athlete]], error) {
	known, err := s.view.Athletes(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	var athletes []view.Athlete
	for _, a := range known {
		ok, err := who(ctx).seesAthlete(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		if ok && (in.Site == "" || a.Site == in.Site) {
			athletes = append(athletes, a)
		}
	}
	page, err := cut(athletes, in.Paging, func(a *view.Athlete) string { return string(a.ID) })
	return &answer[list[view.Athlete]]{http.StatusOK, page}, err
}

// cut returns a page of a list that is at hand, from the item after the cursor's.
func cut[T any](all []T, p Paging, key func(*T) string) (list[T], error) {
	page := list[T]{Items: []T{}}
	from := 0
	if p.Cursor != "" {
		after, err := parsePlace(p.Cursor)
		if err != nil {
			return page, err
		}
		for from < len(all) && key(&all[from]) != after.id {
			from++
		}
		if from == len(all) {
			return page, view.ErrCursor
		}
		from++
	}
	page.Items = append(page.Items, all[from:min(from+p.Limit, len(all))]...)
	if from+p.Limit < len(all) {
		page.Next = place{id: key(&page.Items[p.Limit-1]), at: time.Unix(0, 0)}.String()
	}
	return page, nil
}
