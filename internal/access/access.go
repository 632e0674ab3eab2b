// Package access keeps who may do what: the tokens and sessions of the HTTP API,
// and the credentials with which sensors, gateways and kiosks connect to the
// embedded MQTT broker.
//
// Only hashes are kept, each kind in one file of the data folder that is replaced in
// one step: a running server sees what is new or revoked with the next request or
// connection. All methods may be called concurrently, also by several processes.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Kind is what a credential is for.
type Kind string

// The kinds of credentials.
const (
	Device  Kind = "device"  // publishes as itself and reads its cue
	Gateway Kind = "gateway" // the same for several named devices
	Kiosk   Kind = "kiosk"   // check-ins and assignments of one site
	Watcher Kind = "watcher" // reads all that several named devices say, and says nothing
)

// Credential is one client's. Its username is Site/Name.
type Credential struct {
	Kind    Kind            `json:"kind"`
	Site    lift.SiteID     `json:"site"`
	Name    string          `json:"name"` // the device's id, or a name for what is none
	Devices []lift.DeviceID `json:"devices,omitempty"`
	Created time.Time       `json:"created"`
	SHA256  string          `json:"sha256"` // of the password
}

// Username is what the client logs in with.
func (c *Credential) Username() string { return string(c.Site) + "/" + c.Name }

// Grant is which MQTT topics a client may publish and subscribe to; + stands for
// one level, # at the end for all that follow.
type Grant struct{ Publish, Subscribe []string }

// Grant is what the credential allows.
func (c *Credential) Grant() Grant {
	topic := "spotter/v1/" + string(c.Site)
	if c.Kind == Kiosk {
		return Grant{Publish: []string{topic + "/athlete/+/checkin", topic + "/device/+/assign"}}
	}
	var g Grant
	for _, d := range c.Devices {
		if c.Kind == Watcher {
			// To MQTT, # is also the level above.
			g.Subscribe = append(g.Subscribe, topic+"/device/"+string(d), topic+"/device/"+string(d)+"/#")
			continue
		}
		for _, what := range []string{"status", "assign", "rep", "samples"} {
			g.Publish = append(g.Publish, topic+"/device/"+string(d)+"/"+what)
		}
		g.Subscribe = append(g.Subscribe, topic+"/device/"+string(d)+"/cue")
	}
	return g
}

func (c *Credential) validate() error {
	if err := errors.Join(lift.CheckID("site", c.Site), lift.CheckID("name", c.Name)); err != nil {
		return err
	}
	switch c.Kind {
	case Device:
		if len(c.Devices) > 0 {
			return &lift.FieldError{Field: "devices", Reason: "are a gateway's or watcher's; a device has its own id as its name"}
		}
		c.Devices = []lift.DeviceID{lift.DeviceID(c.Name)}
	case Gateway, Watcher:
		if len(c.Devices) == 0 {
			does := map[Kind]string{Gateway: "publishes for", Watcher: "reads"}[c.Kind]
			return &lift.FieldError{Field: "devices", Reason: "are missing: name those that the " + string(c.Kind) + " " + does}
		}
		for _, d := range c.Devices {
			if err := lift.CheckID("devices", d); err != nil {
				return err
			}
		}
	case Kiosk:
		if len(c.Devices) > 0 {
			return &lift.FieldError{Field: "devices", Reason: "are a gateway's or watcher's; a kiosk serves its whole site"}
		}
	default:
		return &lift.FieldError{Field: "kind", Reason: "is not device, gateway, kiosk or watcher"}
	}
	return nil
}

// Errors of a store.
var (
	ErrExists  = errors.New("there is a credential of that name; revoke it first")
	ErrUnknown = errors.New("there is no such credential")
)

// Store is the file of credentials.
type Store struct{ shelf *shelf[Credential] }

// In returns the store of a data folder. The file need not exist.
func In(dir string) *Store {
	return &Store{newShelf(dir, "devices.json", "credentials", "device credentials", (*Credential).Username)}
}

// List returns the credentials, oldest first.
func (s *Store) List() ([]Credential, error) {
	all, err := s.shelf.list()
	return slices.Clone(all), err
}

// Any reports whether there is, or ever was, a credential: what has been closed to
// strangers stays closed when the last one is revoked.
func (s *Store) Any() (bool, error) {
	all, err := s.shelf.list()
	return len(all) > 0 || s.shelf.exists(), err
}

// Add keeps a new credential and returns it with its password, which is not kept.
// Created, SHA256 and a device's Devices are set here. The error is ErrExists or a
// *lift.FieldError.
func (s *Store) Add(c Credential, now time.Time) (_ Credential, password string, err error) {
	if err := c.validate(); err != nil {
		return c, "", err
	}
	password = rand.Text() // 130 bits
	c.Created, c.SHA256 = now.UTC().Truncate(time.Second), Hash(password)
	return c, password, s.shelf.change(func(all []Credential) ([]Credential, error) {
		if slices.ContainsFunc(all, func(o Credential) bool { return o.Username() == c.Username() }) {
			return nil, fmt.Errorf("%s: %w", c.Username(), ErrExists)
		}
		return append(all, c), nil
	})
}

// Revoke removes a credential; a client that is connected stays so until its
// connection ends.
func (s *Store) Revoke(username string) error {
	return s.shelf.change(func(all []Credential) ([]Credential, error) {
		left := slices.DeleteFunc(slices.Clone(all), func(c Credential) bool { return c.Username() == username })
		if len(left) == len(all) {
			return nil, fmt.Errorf("%.140q: %w", username, ErrUnknown)
		}
		return left, nil
	})
}

// Login returns what a client may do, and false where it may not connect.
func (s *Store) Login(username, password string) (Grant, bool, error) {
	c, ok, err := s.shelf.find(username)
	if err != nil || !ok || subtle.ConstantTimeCompare([]byte(Hash(password)), []byte(c.SHA256)) != 1 {
		return Grant{}, false, err
	}
	return c.Grant(), true, nil
}

// Hash is what is kept of a password, a token or a session: all are of at least
// 128 random bits, so that a fast hash without salt is enough.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(text)))
	return hex.EncodeToString(sum[:])
}
