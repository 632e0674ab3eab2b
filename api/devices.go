package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// device is a sensor as it was last heard of, and what people say of it.
type device struct {
	Site     lift.SiteID        `json:"site"`
	Device   lift.DeviceID      `json:"device"`
	Name     string             `json:"name,omitzero"`
	Rack     string             `json:"rack,omitzero" doc:"the place on the wall board"`
	Note     string             `json:"note,omitzero"`
	Status   *lift.DeviceStatus `json:"status,omitzero" doc:"what it said of itself last"`
	StatusAt time.Time          `json:"status_at,omitzero"`
	Seen     time.Time          `json:"seen,omitzero" doc:"when it was last heard of"`
	Revision int64              `json:"revision,omitzero" doc:"of what people say of it; the ETag too"`
	On       *lift.Assignment   `json:"assignment,omitzero" doc:"who is on the bar now; absent: nobody. On streams, where it may have changed; nobody without athlete"`
}

func deviceOf(d *view.Device) device {
	out := device{Site: d.Site, Device: d.Device, Seen: d.Seen}
	if !d.StatusAt.IsZero() {
		out.Status, out.StatusAt = &d.Status, d.StatusAt
	}
	return out
}

// described adds what people say of a device.
func (d device) described(rec *lift.Record) device {
	d.Revision = rec.Revision
	if rec.Device != nil {
		d.Name, d.Rack, d.Note = rec.Device.Name, rec.Device.Rack, rec.Device.Note
	}
	return d
}

type rosterInput struct {
	Site lift.SiteID `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Paging
}

// DevicePath is the device in an operation's path. Its id is unique within a site.
type DevicePath struct {
	ID   lift.DeviceID `path:"id" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Site lift.SiteID   `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"where several sites have a device of this id"`
}

type devicePatch struct {
	Name   *string `json:"name,omitzero" maxLength:"200"`
	Rack   *string `json:"rack,omitzero" maxLength:"200"`
	Note   *string `json:"note,omitzero" maxLength:"2000"`
	Reason string  `json:"reason,omitzero" maxLength:"2000"`
}

type deviceChange struct {
	DevicePath
	Match
	Body devicePatch
}

type assignInput struct {
	DevicePath
	RawBody []byte `contentType:"application/json"`
}

// onBar is who is on a bar; without an athlete nobody is.
type onBar struct {
	Site   lift.SiteID   `json:"site"`
	Device lift.DeviceID `json:"device"`
	lift.Assignment
	Since time.Time `json:"since,omitzero" doc:"absent where nobody ever was"`
}

func onBarOf(site lift.SiteID, device lift.DeviceID, a lift.Assignment) onBar {
	return onBar{site, device, a, a.Since}
}

func (s *Server) addDevices() {
	path := "/api/v1/devices"
	lost := []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusBadRequest}
	add(s, huma.Operation{
		OperationID: "list-devices", Method: http.MethodGet, Path: path, Tags: []string{"devices"},
		Summary: "List every device that was heard of or described, by site and id",
	}, permit{ofCaller, coaches}, s.listDevices)
	one := path + "/{id}"
	add(s, huma.Operation{
		OperationID: "get-device", Method: http.MethodGet, Path: one, Tags: []string{"devices"},
		Errors: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}, Summary: "Show a device",
	}, permit{ofCaller, coaches}, s.getDevice)
	add(s, huma.Operation{
		OperationID: "change-device", Method: http.MethodPatch, Path: one, Tags: []string{"devices"}, Errors: lost,
		Summary:     "Say what a device is called and where it is",
		Description: "What is left out stays as it is. With ?site= a device can be described before it is first heard of.",
	}, permit{ofCaller, coaches}, s.changeDevice)
	s.also(one, http.MethodPatch, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})

	on := one + "/assignment"
	add(s, huma.Operation{
		OperationID: "get-assignment", Method: http.MethodGet, Path: on, Tags: []string{"devices"},
		Errors: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}, Summary: "Tell who is on a bar now",
	}, permit{ofCaller, coaches}, s.getAssignment)
	add(s, huma.Operation{
		OperationID: "assign-device", Method: http.MethodPut, Path: on, Tags: []string{"devices"}, SkipValidateBody: true,
		Errors:  []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary: "Say who is on a bar",
		Description: "The same body as over MQTT. With since in the past it covers the reps from then to the next assignment, " +
			"which is how reps of nobody are given to an athlete afterwards; their alerts follow. The broker's retained copy is replaced.",
	}, permit{ofCaller, coaches}, s.putAssignment)
	s.also(on, http.MethodPut, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})
	s.bodyOf(on, http.MethodPut, "Assignment", reflect.TypeFor[lift.Assignment]())
	add(s, huma.Operation{
		OperationID: "end-assignment", Method: http.MethodDelete, Path: on, Tags: []string{"devices"}, DefaultStatus: http.StatusOK,
		Errors:  []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound},
		Summary: "Say that nobody is on a bar from now",
	}, permit{ofCaller, coaches}, s.endAssignment)
	s.also(on, http.MethodDelete, map[int]string{http.StatusAccepted: "Stored, but not applied within 2 seconds"})
}

// devices are those of the caller's sites.
func (s *Server) devices(ctx context.Context) ([]device, error) {
	heard, err := s.view.Devices(ctx)
	if err != nil {
		return nil, err
	}
	var all []device
	known := map[string]bool{}
	for i := range heard {
		d := deviceOf(&heard[i])
		rec, _ := s.view.Record(lift.OfDevice, string(d.Site)+"/"+string(d.Device))
		known[string(d.Site)+"/"+string(d.Device)] = true
		all = append(all, d.described(&rec))
	}
	for _, rec := range s.view.Records(lift.OfDevice) {
		if at, id, _ := strings.Cut(rec.ID, "/"); !known[rec.ID] {
			all = append(all, device{Site: lift.SiteID(at), Device: lift.DeviceID(id)}.described(&rec))
		}
	}
	all = slices.DeleteFunc(all, func(d device) bool { return !who(ctx).seesSite(d.Site) })
	slices.SortFunc(all, func(a, b device) int {
		return strings.Compare(string(a.Site)+"/"+string(a.Device), string(b.Site)+"/"+string(b.Device))
	})
	return all, nil
}

func (s *Server) listDevices(ctx context.Context, in *rosterInput) (*answer[list[device]], error) {
	all, err := s.devices(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d device) bool { return in.Site != "" && d.Site != in.Site })
	page, err := cut(all, in.Paging, func(d *device) string { return string(d.Site) + "/" + string(d.Device) })
	if err != nil {
		return nil, err
	}
	for i := range page.Items {
		if err := s.putOnBar(ctx, &page.Items[i]); err != nil {
			return nil, err
		}
	}
	return &answer[list[device]]{http.StatusOK, page}, err
}

// deviceAt finds the one device of the path's id, at the site where one is given.
func (s *Server) deviceAt(ctx context.Context, in *DevicePath) (device, error) {
	all, err := s.devices(ctx)
	if err != nil {
		return device{}, err
	}
	all = slices.DeleteFunc(all, func(d device) bool { return d.Device != in.ID || in.Site != "" && d.Site != in.Site })
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) > 1:
		return device{}, at(http.StatusBadRequest, "query.site", "is needed: several sites have a device of this id")
	case in.Site != "" && !who(ctx).seesSite(in.Site):
		return device{}, errNotYours()
	case in.Site == "" && who(ctx).Site != "":
		return device{Site: who(ctx).Site, Device: in.ID}, huma.Error404NotFound("your site has no such device")
	}
	return device{Site: in.Site, Device: in.ID}, huma.Error404NotFound("no device of this id is known")
}

func (s *Server) getDevice(ctx context.Context, in *DevicePath) (*tagged[device], error) {
	d, err := s.deviceAt(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.putOnBar(ctx, &d); err != nil {
		return nil, err
	}
	return &tagged[device]{http.StatusOK, etag(d.Revision), d}, nil
}

// putOnBar adds who is on a device's bar.
func (s *Server) putOnBar(ctx context.Context, d *device) error {
	on, err := s.view.AssignmentAt(ctx, d.Site, d.Device, s.now())
	if err == nil && on.Athlete != "" {
		d.On = &on
	}
	return err
}

// mayBeNew passes over a device that is not known yet, where its site was said.
func mayBeNew(d device, err error) (device, error) {
	if status, ok := errors.AsType[huma.StatusError](err); ok && status.GetStatus() == http.StatusNotFound && d.Site != "" {
		return d, nil
	}
	return d, err
}

func (s *Server) changeDevice(ctx context.Context, in *deviceChange) (*tagged[device], error) {
	d, err := mayBeNew(s.deviceAt(ctx, &in.DevicePath))
	if err != nil {
		return nil, err
	}
	a := about{kind: lift.OfDevice, id: string(d.Site) + "/" + string(d.Device), site: d.Site, match: in.IfMatch, reason: in.Body.Reason}
	rec, applied, err := s.amend(ctx, a, func(rec *lift.Record) (bool, error) {
		next := lift.DeviceRecord{}
		if rec.Device != nil {
			next = *rec.Device
		}
		before := next
		set(&next.Name, in.Body.Name)
		set(&next.Rack, in.Body.Rack)
		set(&next.Note, in.Body.Note)
		rec.Device = &next
		return next != before, next.Validate()
	})
	if err != nil {
		return nil, err
	}
	return &tagged[device]{statusOf(applied, http.StatusOK), etag(rec.Revision), d.described(&rec)}, nil
}

func (s *Server) getAssignment(ctx context.Context, in *DevicePath) (*answer[onBar], error) {
	d, err := s.deviceAt(ctx, in)
	if err != nil {
		return nil, err
	}
	inForce, err := s.view.AssignmentAt(ctx, d.Site, d.Device, s.now())
	return &answer[onBar]{http.StatusOK, onBarOf(d.Site, d.Device, inForce)}, err
}

func (s *Server) putAssignment(ctx context.Context, in *assignInput) (*answer[onBar], error) {
	return s.assign(ctx, &in.DevicePath, bytes.Clone(in.RawBody))
}

func (s *Server) endAssignment(ctx context.Context, in *DevicePath) (*answer[onBar], error) {
	return s.assign(ctx, in, nil)
}

// assign takes the payload of the MQTT message; an empty one ends the assignment.
func (s *Server) assign(ctx context.Context, in *DevicePath, payload []byte) (*answer[onBar], error) {
	d, err := mayBeNew(s.deviceAt(ctx, in))
	if err != nil {
		return nil, err
	}
	now := s.now().UTC().Truncate(time.Microsecond) // as the view keeps it
	topic := "spotter/v1/" + string(d.Site) + "/device/" + string(d.Device) + "/assign"
	events := s.decode(topic, payload, now)
	if err := usable(events); err != nil {
		return nil, err
	}
	e := events[0]
	if e.Assign == nil {
		return nil, huma.Error422UnprocessableEntity("the body is no assignment")
	}
	if e.Assign.Athlete != "" {
		sees, err := who(ctx).seesAthlete(ctx, e.Assign.Athlete)
		if err != nil {
			return nil, err
		}
		if !sees {
			return nil, errNotYours()
		}
	}
	e.Assign.SinceGiven = true // the copy that the broker keeps must say the same
	out := onBarOf(d.Site, d.Device, *e.Assign)
	inForce, err := s.view.AssignmentAt(ctx, d.Site, d.Device, e.Assign.Since)
	if err != nil {
		return nil, err
	}
	if inForce.Same(e.Assign) && (inForce.Since.Equal(e.Assign.Since) || e.Assign.Since.Equal(now)) {
		return &answer[onBar]{http.StatusOK, onBarOf(d.Site, d.Device, inForce)}, nil
	}
	if inForce.Athlete != "" && e.Assign.Since.Before(now.Add(-time.Minute)) {
		// The reps since then would be taken from whoever was on the bar.
		if err := mustSee(ctx, inForce.Athlete); err != nil {
			return nil, err
		}
	}
	applied, err := s.write(ctx, e)
	if err != nil {
		return nil, err
	}
	if inForce, err = s.view.AssignmentAt(ctx, d.Site, d.Device, now); err != nil {
		return nil, err
	}
	if s.retain != nil && inForce.Since.Equal(e.Assign.Since) {
		// Or an older copy would come back with the broker's next connection.
		if err := s.retain(ctx, topic, retained(e.Assign)); err != nil {
			s.log.Warn("the broker keeps an older copy of an assignment", "error", err)
		}
	}
	return &answer[onBar]{statusOf(applied, http.StatusOK), out}, nil
}

// retained is an assignment as a device or tablet would publish it.
func retained(a *lift.Assignment) []byte {
	message := struct {
		Athlete  *lift.AthleteID `json:"athlete"` // null ends
		Exercise lift.ExerciseID `json:"exercise,omitzero"`
		LoadKg   *float64        `json:"load_kg,omitzero"`
		Set      *int            `json:"set,omitzero"`
		Warmup   bool            `json:"warmup,omitzero"`
		Since    time.Time       `json:"since"`
	}{nil, a.Exercise, a.LoadKg, a.Set, a.Warmup, a.Since}
	if a.Athlete != "" {
		message.Athlete = &a.Athlete
	}
	data, err := json.Marshal(&message)
	if err != nil {
		panic(err) // of values that were read from JSON
	}
	return data
}
