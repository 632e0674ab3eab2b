package notify

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// Errors of the channels.
var (
	ErrUnknown = errors.New("there is no such channel")
	errTooMany = &lift.FieldError{Reason: fmt.Sprintf("there are %d channels already", maxChannels)}
)

const maxChannels = 1000

// Channels keeps the channels in one file of the data folder that only its owner
// can read, because their URLs hold secrets. All methods may be called concurrently;
// one process at a time has the file.
type Channels struct {
	path string

	mu      sync.Mutex
	all     []Channel // oldest first
	changed chan struct{}
}

type channelsFile struct {
	Version  int       `json:"version"`
	Channels []Channel `json:"channels"`
}

// OpenChannels reads the channels of a data folder. The file need not exist.
func OpenChannels(dir string) (*Channels, error) {
	s := &Channels{path: filepath.Join(dir, "channels.json"), changed: make(chan struct{})}
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read channels: %w", err)
	}
	var f channelsFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("read channels in %s: %w", s.path, err)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("read channels in %s: version %d is not known to this program", s.path, f.Version)
	}
	s.all = f.Channels
	return s, nil
}

// List returns the channels with their secrets, oldest first.
func (s *Channels) List() []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copies()
}

func (s *Channels) copies() []Channel {
	all := make([]Channel, len(s.all))
	for i := range s.all {
		all[i] = s.all[i].clone()
	}
	return all
}

// watch returns the channels and what is closed when they change.
func (s *Channels) watch() ([]Channel, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copies(), s.changed
}

// Channel returns one with its secrets, or ErrUnknown.
func (s *Channels) Channel(id string) (Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return Channel{}, ErrUnknown
	}
	return s.all[i].clone(), nil
}

func (s *Channels) index(id string) int {
	return slices.IndexFunc(s.all, func(c Channel) bool { return c.ID == id })
}

// Add keeps a new channel and returns it. ID, Created and Updated are set here, and
// a webhook's secret where none is given: it is shown by nothing else later.
func (s *Channels) Add(settings ChannelSettings, now time.Time) (Channel, error) {
	c := Channel{ChannelSettings: settings.clone()}
	if c.Webhook != nil && c.Webhook.Secret == "" {
		c.Webhook.Secret = rand.Text()
	}
	if err := c.Validate(); err != nil {
		return Channel{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) >= maxChannels {
		return Channel{}, errTooMany
	}
	c.ID = "ch_" + strings.ToLower(rand.Text()[:16])
	c.Created, c.Updated = now.UTC(), now.UTC()
	return c.clone(), s.save(append(slices.Clone(s.all), c))
}

// Change replaces a channel's settings by what change makes of them. It returns the channel as
// it is then, ErrUnknown, or a *lift.FieldError.
func (s *Channels) Change(id string, now time.Time, change func(*ChannelSettings) error) (Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return Channel{}, ErrUnknown
	}
	was := s.all[i]
	c := was.clone()
	if err := change(&c.ChannelSettings); err != nil {
		return Channel{}, err
	}
	c.Updated = now.UTC()
	if err := c.Validate(); err != nil {
		return Channel{}, err
	}
	all := slices.Clone(s.all)
	all[i] = c
	return c.clone(), s.save(all)
}

// Remove takes a channel away; what waits for it is dropped.
func (s *Channels) Remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return ErrUnknown
	}
	return s.save(slices.Delete(slices.Clone(s.all), i, i+1))
}

// removeOf takes an athlete's own channels away and returns how many there were.
func (s *Channels) removeOf(a lift.AthleteID) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(s.all), func(c Channel) bool { return c.Athlete == a })
	n := len(s.all) - len(left)
	if n == 0 {
		return 0, nil
	}
	return n, s.save(left)
}

func (s *Channels) save(all []Channel) error {
	data, err := json.Marshal(&channelsFile{1, all}, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("save channels: %w", err)
	}
	if err := access.Replace(s.path, append(data, '\n')); err != nil {
		return fmt.Errorf("save channels: %w", err)
	}
	s.all = all
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (c Channel) clone() Channel {
	c.ChannelSettings = c.ChannelSettings.clone()
	return c
}
