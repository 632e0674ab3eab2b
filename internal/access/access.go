// Package access keeps the credentials with which sensors, gateways and kiosks
// connect to the embedded MQTT broker, and says what each of them may do there.
//
// Only hashes of passwords are kept, in one file of the data folder that is
// replaced in one step: a running server sees a new or revoked credential with the
// next connection. All methods of Store may be called concurrently, also by several
// processes as long as one of them writes.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
)

// Kind is what a credential is for.
type Kind string

// The kinds of credentials.
const (
	Device  Kind = "device"  // publishes as itself and reads its cue
	Gateway Kind = "gateway" // the same for several named devices
	Kiosk   Kind = "kiosk"   // check-ins and assignments of one site
)

// Credential is one client's. Its username is Site/Name.
type Credential struct {
	Kind    Kind            `json:"kind"`
	Site    lift.SiteID     `json:"site"`
	Name    string          `json:"name"` // the device's id, or a name for a gateway or kiosk
	Devices []lift.DeviceID `json:"devices,omitempty"`
	Created time.Time       `json:"created"`
	SHA256  string          `json:"sha256"` // of the password
}

// Username is what the client logs in with.
func (c *Credential) Username() string { return string(c.Site) + "/" + c.Name }

// Grant is which MQTT topics a client may publish and subscribe to; + stands for
// one level.
type Grant struct{ Publish, Subscribe []string }

// Grant is what the credential allows.
func (c *Credential) Grant() Grant {
	topic := "spotter/v1/" + string(c.Site)
	if c.Kind == Kiosk {
		return Grant{Publish: []string{topic + "/athlete/+/checkin", topic + "/device/+/assign"}}
	}
	var g Grant
	for _, d := range c.Devices {
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
			return &lift.FieldError{Field: "devices", Reason: "are a gateway's; a device has its own id as its name"}
		}
		c.Devices = []lift.DeviceID{lift.DeviceID(c.Name)}
	case Gateway:
		if len(c.Devices) == 0 {
			return &lift.FieldError{Field: "devices", Reason: "are missing: name those that the gateway publishes for"}
		}
		for _, d := range c.Devices {
			if err := lift.CheckID("devices", d); err != nil {
				return err
			}
		}
	case Kiosk:
		if len(c.Devices) > 0 {
			return &lift.FieldError{Field: "devices", Reason: "are a gateway's; a kiosk serves its whole site"}
		}
	default:
		return &lift.FieldError{Field: "kind", Reason: fmt.Sprintf("%q is not device, gateway or kiosk", string(c.Kind))}
	}
	return nil
}

// Errors of a store.
var (
	ErrExists  = errors.New("there is a credential of that name; revoke it first")
	ErrUnknown = errors.New("there is no such credential")
)

// Store is the file of credentials.
type Store struct{ path string }

// In returns the store of a data folder. The file need not exist.
func In(dir string) *Store { return &Store{filepath.Join(dir, "devices.json")} }

type file struct {
	Version     int          `json:"version"`
	Credentials []Credential `json:"credentials"`
}

// List returns the credentials, oldest first.
func (s *Store) List() ([]Credential, error) {
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read device credentials: %w", err)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("read device credentials in %s: %w", s.path, err)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("read device credentials in %s: version %d is not known to this program", s.path, f.Version)
	}
	return f.Credentials, nil
}

// Add keeps a new credential and returns its password, which is not kept. Created
// and SHA256 are set here. The error is ErrExists or a *lift.FieldError.
func (s *Store) Add(c Credential, now time.Time) (password string, err error) {
	if err := c.validate(); err != nil {
		return "", err
	}
	all, err := s.List()
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(all, func(o Credential) bool { return o.Username() == c.Username() }) {
		return "", fmt.Errorf("%s: %w", c.Username(), ErrExists)
	}
	password = rand.Text() // 130 bits
	c.Created, c.SHA256 = now.UTC().Truncate(time.Second), hash(password)
	return password, s.save(append(all, c))
}

// Revoke removes a credential; a client that is connected stays so until its
// connection ends.
func (s *Store) Revoke(username string) error {
	all, err := s.List()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(all), func(c Credential) bool { return c.Username() == username })
	if len(left) == len(all) {
		return fmt.Errorf("%.140q: %w", username, ErrUnknown)
	}
	return s.save(left)
}

// Login returns what a client may do, and false where it may not connect.
func (s *Store) Login(username, password string) (Grant, bool, error) {
	all, err := s.List()
	if err != nil {
		return Grant{}, false, err
	}
	given := []byte(hash(password))
	for i := range all {
		if all[i].Username() == username && subtle.ConstantTimeCompare(given, []byte(all[i].SHA256)) == 1 {
			return all[i].Grant(), true, nil
		}
	}
	return Grant{}, false, nil
}

func (s *Store) save(all []Credential) error {
	data, err := json.Marshal(&file{1, all}, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("save device credentials: %w", err)
	}
	if err := Replace(s.path, append(data, '\n')); err != nil {
		return fmt.Errorf("save device credentials: %w", err)
	}
	return nil
}

// Replace writes a file that only its owner may read, in one step: a crash leaves
// the old or the new one.
func Replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func hash(password string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(password)))
	return hex.EncodeToString(sum[:])
}
