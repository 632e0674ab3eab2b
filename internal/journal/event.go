package journal

import (
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// Version is the schema version of the events that are written. Every version
// ever released is read.
const Version = 1

// Kind tells what an event is about.
type Kind string

// The kinds of events. The string values are stored: they never change.
const (
	KindRep         Kind = "rep"         // a sensor's rep, in one revision
	KindEdit        Kind = "edit"        // a coach corrected a rep
	KindAssign      Kind = "assign"      // who is on a bar from now
	KindStatus      Kind = "status"      // a device spoke of itself
	KindCheckIn     Kind = "checkin"     // an athlete's report
	KindSetLogged   Kind = "set_logged"  // a set of a training log, in one revision
	KindImported    Kind = "imported"    // a file's sets and reps were brought
	KindPlan        Kind = "plan"        // a decision about an athlete's hold or return plan
	KindSamples     Kind = "samples"     // a chunk of bar velocity
	KindTick        Kind = "tick"        // a minute has begun
	KindAlert       Kind = "alert"       // the monitor's word on an alert
	KindAnswer      Kind = "answer"      // a person's word on an alert
	KindQuarantined Kind = "quarantined" // a message that cannot be used
	KindReleased    Kind = "released"    // a quarantined message was replayed or deleted
	KindRecord      Kind = "record"      // what people have written down about an athlete, a team, a site or a device
	KindRead        Kind = "read"        // somebody has looked at what is known of an athlete
	KindErase       Kind = "erase"       // an athlete is to be forgotten
	KindErased      Kind = "erased"      // what came of that
)

// Event is one thing that happened. Exactly the payload of its kind is set.
// An event is not changed once it has been appended; it may be shared.
type Event struct {
	V           int                `json:"v"`
	Kind        Kind               `json:"kind"`
	Received    time.Time          `json:"received"` // when this installation first held it
	Site        lift.SiteID        `json:"site,omitzero"`
	Device      lift.DeviceID      `json:"device,omitzero"`
	Athlete     lift.AthleteID     `json:"athlete,omitzero"` // whose it is as far as the sender said
	By          string             `json:"by,omitzero"`      // who sent it over HTTP, "" for devices and the program itself
	Rep         *lift.Rep          `json:"rep,omitzero"`
	Edit        *lift.RepEdit      `json:"edit,omitzero"`
	Assign      *lift.Assignment   `json:"assign,omitzero"`
	Status      *lift.DeviceStatus `json:"status,omitzero"`
	CheckIn     *lift.CheckIn      `json:"checkin,omitzero"`
	Logged      *lift.LoggedSet    `json:"logged,omitzero"`
	Imported    *lift.Imported     `json:"imported,omitzero"`
	Plan        *lift.PlanStep     `json:"plan,omitzero"`
	Samples     *lift.Samples      `json:"samples,omitzero"`
	Minute      time.Time          `json:"minute,omitzero"` // of a tick
	Alert       *lift.AlertChange  `json:"alert,omitzero"`  // of KindAlert and KindAnswer
	Quarantined *lift.Quarantined  `json:"quarantined,omitzero"`
	Released    *Release           `json:"released,omitzero"`
	Record      *lift.Record       `json:"record,omitzero"`
	Read        *lift.Read         `json:"read,omitzero"`
	Erase       *lift.Erase        `json:"erase,omitzero"`
	Erased      *lift.Erased       `json:"erased,omitzero"`

	// Hash is that of the content of a rep, logged set or check-in: of two contents for one
	// revision the smaller hash counts. Append sets it.
	Hash string `json:"hash,omitzero"`

	// InPlaceOf is set where a rep is filed anew: the sequence of its first event, which
	// is not in the log any more. It orders reps as before.
	InPlaceOf uint64 `json:"in_place_of,omitzero"`

	// ExpectLast, where set, lets the append fail with ErrDisplaced unless the
	// newest event of the same athlete and kind has this sequence (0: none yet).
	ExpectLast *uint64 `json:"-"`
}

// Release says what became of a quarantined message.
type Release struct {
	ID       string    `json:"id"`
	Replayed bool      `json:"replayed"` // false: deleted
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// Entry is an event with its place in the log.
type Entry struct {
	Seq uint64
	Event
}

// ID identifies the event: a re-delivery repeats it. It has no part that differs
// between two deliveries of the same thing, but for statuses and assignments
// without a time of their own, where repeating changes nothing.
func (e *Event) ID() (string, error) {
	switch e.Kind {
	case KindRep:
		hash, err := e.ContentHash()
		return lift.Digest("rep", string(e.Site), string(e.Device), e.Rep.BootID, strconv.FormatInt(e.Rep.Seq, 10), hash), err
	case KindCheckIn:
		hash, err := e.ContentHash()
		return lift.Digest("checkin", string(e.Athlete), e.CheckIn.Time.UTC().Format(time.RFC3339Nano), string(e.CheckIn.Phase), hash), err
	case KindSetLogged:
		hash, err := e.ContentHash()
		return lift.Digest("logged", e.Logged.ID, hash), err
	case KindSamples:
		return lift.Digest("samples", string(e.Site), string(e.Device), e.Samples.BootID, strconv.FormatInt(e.Samples.Chunk, 10)), nil
	case KindAssign:
		if e.Assign.SinceGiven { // otherwise it says something new whenever it arrives
			hash, err := digest(e.Kind, e.Assign)
			return lift.Digest("assign", string(e.Site), string(e.Device), hash), err
		}
	case KindTick:
		return "tick:" + e.Minute.UTC().Format("2006-01-02T15:04"), nil
	case KindQuarantined:
		return "quarantined:" + e.Quarantined.ID, nil
	}
	// What people, devices and the monitor say is identified by what and when.
	data, err := e.encode()
	if err != nil {
		return "", err
	}
	return lift.Digest(string(e.Kind), string(data)), nil
}

// ContentHash is Hash, made of the content where it is not set yet.
func (e *Event) ContentHash() (string, error) {
	if e.Hash != "" {
		return e.Hash, nil
	}
	switch e.Kind {
	case KindCheckIn:
		return digest(e.Kind, e.CheckIn)
	case KindSetLogged:
		return digest(e.Kind, e.Logged)
	}
	return digest(e.Kind, e.Rep)
}

func digest(kind Kind, content any) (string, error) {
	data, err := json.Marshal(content, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", kind, err)
	}
	return lift.Digest(string(data)), nil
}

func (e *Event) encode() ([]byte, error) {
	data, err := json.Marshal(e, json.Deterministic(true)) // the same event has the same identity
	if err != nil {
		return nil, fmt.Errorf("encode %s event: %w", e.Kind, err)
	}
	return data, nil
}

// Decode reads a stored event of any released version.
func Decode(data []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("decode event: %w", err)
	}
	if e.V < 1 || e.V > Version {
		return e, fmt.Errorf("decode event: version %d is not known to this program (up to %d)", e.V, Version)
	}
	return e, nil
}
