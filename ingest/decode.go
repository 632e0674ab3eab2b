package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/payload"
)

// Limits of one message.
const (
	MaxMessage  = 1 << 20 // bytes
	MaxElements = 500     // of an array of reps
)

// Message is what a sensor, gateway or phone has sent.
type Message struct {
	Topic    string
	Payload  []byte
	Received time.Time // by this installation's clock
}

// Decoded is a message's events, in the order of its elements. Parts that cannot
// be used are among them as KindQuarantined.
type Decoded struct {
	Events        []journal.Event
	UnknownFields int // JSON fields that nobody knows; they are ignored
	// Unknown are the names of the first of them, as they may be shown.
	Unknown []string
}

// Decode turns a message into events. It never fails: what cannot be used becomes
// a quarantined event that names the field and the reason. A message on a topic
// that Spotter itself publishes on has no events.
func Decode(m Message) Decoded {
	d := decoder{Message: m}
	t, err := parseTopic(m.Topic)
	switch {
	case err != nil:
		d.refuse(nil, m.Payload, err)
	case len(m.Payload) > MaxMessage:
		d.address = t
		d.refuse(nil, m.Payload, &lift.FieldError{Reason: fmt.Sprintf("message has %d bytes, more than %d", len(m.Payload), MaxMessage)})
	default:
		d.address = t
		d.decode()
	}
	return d.Decoded
}

// address is what a topic says.
type address struct {
	site    lift.SiteID
	device  lift.DeviceID
	athlete lift.AthleteID
	what    string
}

func parseTopic(topic string) (address, error) {
	part := strings.Split(topic, "/")
	if len(part) != 6 || part[0] != "spotter" || part[1] != "v1" {
		return address{}, &lift.FieldError{Field: "topic", Reason: "is not spotter/v1/{site}/{device or athlete}/{id}/{what}"}
	}
	a := address{site: lift.SiteID(part[2]), what: part[3] + "/" + part[5]}
	if err := lift.CheckID("topic: site", a.site); err != nil {
		return address{}, err
	}
	switch a.what {
	case "device/status", "device/assign", "device/rep", "device/samples", "device/cue":
		a.device = lift.DeviceID(part[4])
		return a, lift.CheckID("topic: device", a.device)
	case "athlete/checkin", "athlete/alert":
		a.athlete = lift.AthleteID(part[4])
		return a, lift.CheckID("topic: athlete", a.athlete)
	}
	return address{}, &lift.FieldError{Field: "topic", Reason: fmt.Sprintf("%.80q is nothing that is sent to spotter", part[3]+"/…/"+part[5])}
}

type decoder struct {
	Message
	Decoded
	address address
}

func (d *decoder) decode() {
	switch d.address.what {
	case "device/rep":
		d.reps()
	case "device/status":
		status, err := decodeStatus(d)
		d.accept(err, journal.Event{Kind: journal.KindStatus, Status: status})
	case "device/assign":
		assign, err := decodeAssign(d)
		e := journal.Event{Kind: journal.KindAssign, Assign: assign}
		if assign != nil {
			e.Athlete = assign.Athlete
		}
		d.accept(err, e)
	case "device/samples":
		samples, err := decodeSamples(d)
		d.accept(err, journal.Event{Kind: journal.KindSamples, Samples: samples})
	case "athlete/checkin":
		checkin, err := decodeCheckIn(d)
		d.accept(err, journal.Event{Kind: journal.KindCheckIn, CheckIn: checkin, Athlete: d.address.athlete})
	}
}

// accept takes an event or, where err is set, refuses the message.
func (d *decoder) accept(err error, e journal.Event) {
	if err != nil {
		d.refuse(nil, d.Payload, err)
		return
	}
	d.add(e)
}

func (d *decoder) add(e journal.Event) {
	e.V = journal.Version
	e.Received, e.Site, e.Device = d.Received, d.address.site, d.address.device
	d.Events = append(d.Events, e)
}

// refuse puts a message, or the element of it with the given index, into quarantine.
func (d *decoder) refuse(index *int, element []byte, cause error) {
	q := lift.Quarantined{
		Topic:    clipTo(d.Topic, 1024),
		Reason:   cause.Error(),
		Index:    index,
		Received: d.Received,
		Size:     len(element),
		Bytes:    element,
		Athlete:  d.address.athlete,
	}
	if field, ok := errors.AsType[*lift.FieldError](cause); ok {
		q.Field, q.Reason = field.Field, field.Reason
	}
	q.Field, q.Reason = clipTo(q.Field, 200), clipTo(q.Reason, 500)
	hash := sha256.Sum256(element)
	if len(element) > lift.MaxQuarantinedBytes {
		q.Bytes, q.Hash = element[:lift.MaxQuarantinedBytes], hex.EncodeToString(hash[:])
	}
	place := ""
	if index != nil {
		place = strconv.Itoa(*index)
	}
	q.ID = "qu_" + lift.Digest("quarantine", d.Topic, place, string(hash[:]))
	d.add(journal.Event{Kind: journal.KindQuarantined, Quarantined: &q, Athlete: d.address.athlete})
}

// clipTo keeps hostile text short, and fit to be stored: an event that cannot be
// encoded would hold up every one behind it.
func clipTo(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

func (d *decoder) reps() {
	if !bytes.HasPrefix(bytes.TrimLeft(d.Payload, " \t\r\n"), []byte("[")) {
		d.rep(nil, d.Payload)
		return
	}
	var elements []jsontext.Value
	// What can be told of one element alone must not cost the others.
	err := payload.Unmarshal(d.Payload, &elements, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	switch {
	case err != nil:
		d.refuse(nil, d.Payload, err)
		return
	case len(elements) == 0:
		d.refuse(nil, d.Payload, &lift.FieldError{Reason: "array holds no rep"})
		return
	case len(elements) > MaxElements:
		d.refuse(nil, d.Payload, &lift.FieldError{Reason: fmt.Sprintf("array has %d reps, more than %d", len(elements), MaxElements)})
		return
	}
	for i, element := range elements {
		d.rep(&i, element)
	}
}

// repMessage tells apart what is missing from what is zero or empty.
type repMessage struct {
	lift.Rep
	BootID       *string          `json:"boot_id"`
	Seq          *int64           `json:"seq"`
	MeanVelocity *float64         `json:"mean_velocity_mps"`
	Athlete      *lift.AthleteID  `json:"athlete"`
	Exercise     *lift.ExerciseID `json:"exercise"`
	Source       jsontext.Value   `json:"source"` // not the sender's to say
}

var repFields = fieldsOf[repMessage]("source")

func (d *decoder) rep(index *int, element []byte) {
	var m repMessage
	err := payload.Unmarshal(element, &m)
	r := m.Rep
	if err == nil {
		err = m.complete(&r, d.Received)
	}
	if err != nil {
		if m.Athlete != nil && lift.CheckID("athlete", *m.Athlete) == nil {
			d.address.athlete = *m.Athlete
		}
		d.refuse(index, element, err)
		d.address.athlete = ""
		return
	}
	repFields.unknown(element, &d.Decoded)
	d.add(journal.Event{Kind: journal.KindRep, Rep: &r, Athlete: r.Athlete})
}

func (m *repMessage) complete(r *lift.Rep, now time.Time) error {
	switch {
	case m.BootID == nil:
		return missing("boot_id")
	case m.Seq == nil:
		return missing("seq")
	case m.MeanVelocity == nil:
		return missing("mean_velocity_mps")
	}
	r.BootID, r.Seq, r.MeanVelocity = *m.BootID, *m.Seq, *m.MeanVelocity
	r.Time = stored(r.Time)
	if m.Athlete != nil {
		if err := lift.CheckID("athlete", *m.Athlete); err != nil {
			return err
		}
		r.Athlete = *m.Athlete
	}
	if m.Exercise != nil {
		if err := lift.CheckID("exercise", *m.Exercise); err != nil {
			return err
		}
		r.Exercise = *m.Exercise
	}
	return r.Validate(now)
}

var statusFields = fieldsOf[lift.DeviceStatus]()

func decodeStatus(d *decoder) (*lift.DeviceStatus, error) {
	var m lift.DeviceStatus
	if err := payload.Unmarshal(d.Payload, &m); err != nil {
		return nil, err
	}
	statusFields.unknown(d.Payload, &d.Decoded)
	return &m, m.Validate()
}

// assignMessage tells apart what is missing, null and empty.
type assignMessage struct {
	lift.Assignment
	Athlete    jsontext.Value   `json:"athlete"`
	Exercise   *lift.ExerciseID `json:"exercise"`
	Since      *time.Time       `json:"since"`
	SinceGiven jsontext.Value   `json:"since_given"` // not the sender's to say
	Erased     jsontext.Value   `json:"erased"`      // nor this
}

var assignFields = fieldsOf[assignMessage]("since_given", "erased")

func decodeAssign(d *decoder) (*lift.Assignment, error) {
	if len(bytes.TrimSpace(d.Payload)) == 0 {
		return &lift.Assignment{Since: d.Received}, nil
	}
	var m assignMessage
	if err := payload.Unmarshal(d.Payload, &m); err != nil {
		return nil, err
	}
	a := m.Assignment
	switch m.Athlete.Kind() {
	case 0:
		return nil, &lift.FieldError{Field: "athlete", Reason: "is missing; null ends the assignment"}
	case 'n':
		a = lift.Assignment{}
	default:
		if err := json.Unmarshal(m.Athlete, &a.Athlete); err != nil {
			return nil, payload.Explain(err, "athlete")
		}
		if err := lift.CheckID("athlete", a.Athlete); err != nil {
			return nil, err
		}
		if m.Exercise != nil {
			if err := lift.CheckID("exercise", *m.Exercise); err != nil {
				return nil, err
			}
			a.Exercise = *m.Exercise
		}
	}
	a.Since, a.SinceGiven = d.Received, m.Since != nil
	if m.Since != nil {
		a.Since = stored(*m.Since)
	}
	assignFields.unknown(d.Payload, &d.Decoded)
	return &a, a.Validate(d.Received)
}

type samplesMessage struct {
	lift.Samples
	Chunk *int64 `json:"chunk"`
}

var samplesFields = fieldsOf[samplesMessage]()

func decodeSamples(d *decoder) (*lift.Samples, error) {
	var m samplesMessage
	if err := payload.Unmarshal(d.Payload, &m); err != nil {
		return nil, err
	}
	if m.Chunk == nil {
		return nil, missing("chunk")
	}
	m.Samples.Chunk = *m.Chunk
	if len(m.Horizontal) == 0 {
		m.Horizontal = nil // an empty list is stored as none
	}
	m.Time = stored(m.Time)
	samplesFields.unknown(d.Payload, &d.Decoded)
	return &m.Samples, m.Validate(d.Received)
}

var checkInFields = fieldsOf[lift.CheckIn]()

func decodeCheckIn(d *decoder) (*lift.CheckIn, error) {
	var m lift.CheckIn
	if err := payload.Unmarshal(d.Payload, &m); err != nil {
		return nil, err
	}
	m.Time = stored(m.Time)
	if len(m.Symptoms) == 0 {
		m.Symptoms = nil // an empty list is stored as none
	}
	checkInFields.unknown(d.Payload, &d.Decoded)
	return &m, m.Validate(d.Received)
}

// stored is the precision in which times are kept everywhere.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func missing(field string) error { return &lift.FieldError{Field: field, Reason: "is missing"} }
