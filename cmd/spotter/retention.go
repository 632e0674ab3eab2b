package main

import (
	"time"

	"github.com/spotterhq/spotter/internal/privacy"
)

// keepSettings say for how long each kind of data is kept.
type keepSettings struct {
	Reps       string `help:"How long reps are kept: forever, or such as 26w or 5y, at least 10w." default:"forever"`
	Checkins   string `help:"How long check-ins are kept, at least 10w." default:"forever"`
	Quarantine string `help:"How long messages that could not be used are kept." default:"90d"`
	Audit      string `help:"How long it is kept who has looked at somebody." default:"2y"`
	Deliveries string `help:"How long it is kept what was sent to whom." default:"90d"`
}

// everlasting stands for ever where a length is wanted.
const everlasting = 200 * 365 * 24 * time.Hour

// read returns the settings, and notes those that cannot be used.
func (c *keepSettings) read(u *usageError) (keep privacy.Keep, deliveries time.Duration) {
	for _, s := range []struct {
		name, text string
		into       *time.Duration
		least      time.Duration
	}{
		{"reps", c.Reps, &keep.Reps, privacy.LeastHistory},
		{"checkins", c.Checkins, &keep.CheckIns, privacy.LeastHistory},
		{"quarantine", c.Quarantine, &keep.Quarantine, 0},
		{"audit", c.Audit, &keep.Audit, 0},
		{"deliveries", c.Deliveries, &deliveries, 0},
	} {
		d, err := privacy.ParseKeep(s.text)
		switch {
		case s.text == "": // a command that has no such flags
		case err != nil:
			u.addf("--keep-%s: %w", s.name, err)
		case d > 0 && d < s.least:
			u.addf("--keep-%s: %s is less than 10w, and the rules look back on 8 weeks", s.name, s.text)
		}
		*s.into = d
	}
	return keep, deliveries
}

// deliveries is how long the notifier keeps what was sent.
func (c *keepSettings) deliveries() time.Duration {
	_, d := c.read(&usageError{})
	if d == 0 && c.Deliveries == "forever" {
		return everlasting
	}
	return d
}

// retention lets go of what is too old to be kept.
func (s *stack) retention() *privacy.Retention {
	keep, _ := s.settings.Keep.read(&usageError{})
	r := &privacy.Retention{Keep: keep, Log: s.journal, View: s.view, Logger: s.log.With("part", "privacy"), Now: time.Now}
	if s.influx != nil {
		r.Influx = s.influx.Trim
	}
	return r
}
