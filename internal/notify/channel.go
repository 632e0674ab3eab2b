package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spotterhq/spotter/internal/lift"
)

// Kind says who reads a channel.
type Kind string

// The kinds of channels.
const (
	Coach       Kind = "coach"        // told first
	SecondCoach Kind = "second_coach" // told when nobody has answered something critical
	Everybody   Kind = "everybody"    // told when nobody has answered something urgent, as all others are
	Athlete     Kind = "athlete"      // the athlete's own: what is urgent, and reminders
)

// Channel is a way to people, and what goes it.
type Channel struct {
	ID string `json:"id"`
	ChannelSettings
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// ChannelSettings are what an admin decides about a channel.
type ChannelSettings struct {
	Name string `json:"name" doc:"for people"`
	Kind Kind   `json:"kind" enum:"coach,second_coach,everybody,athlete" doc:"who reads it"`
	// Exactly one of URL, of a chat, mail or push service as shoutrrr writes them, and
	// Webhook is set. Both hold secrets.
	URL     string   `json:"url,omitzero"`
	Webhook *Webhook `json:"webhook,omitzero"`

	// What the channel is told: alerts of the site (all where it is empty), of athletes
	// in one of the teams, of these rules, from this severity on. A channel of kind
	// athlete is that athlete's.
	Site        lift.SiteID    `json:"site,omitzero"`
	Teams       []lift.TeamID  `json:"teams,omitempty"`
	Athlete     lift.AthleteID `json:"athlete,omitzero"`
	MinSeverity lift.Severity  `json:"min_severity,omitzero" enum:"warning,critical,urgent" doc:"this or worse"` // warning by default, urgent for athletes
	Rules       []lift.Rule    `json:"rules,omitempty"`

	Zone     string   `json:"zone,omitzero"` // of quiet hours and of the digest; the site's by default
	Quiet    *Quiet   `json:"quiet,omitzero"`
	Group    Grouping `json:"group,omitzero"`
	Digest   bool     `json:"digest,omitzero"`   // wants the week's digest on Monday at 06:00
	Names    bool     `json:"names,omitzero"`    // may be told athletes' names, not only their ids
	Disabled bool     `json:"disabled,omitzero"` // is told nothing
}

// Webhook is an HTTP address of somebody's own program, and the secret with which
// what is sent there is signed.
type Webhook struct {
	URL    string `json:"url"`
	Secret string `json:"secret,omitzero"` // 16 characters or more
}

// Quiet are hours in which a channel is told only what is urgent. What comes in
// between waits until they end.
type Quiet struct {
	From     string `json:"from"` // such as 22:00, local time of the channel
	To       string `json:"to"`
	Critical bool   `json:"critical,omitzero"` // critical ones pass too
}

// Grouping says how what is told of one athlete is gathered into one message.
type Grouping struct {
	// WaitS is how long the first alert waits for others, in seconds, 0 to 3 600.
	WaitS *int `json:"wait_s,omitzero"`
	// IntervalS is how long after a message the next one about the same athlete comes
	// at the earliest, 0 to 86 400.
	IntervalS *int `json:"interval_s,omitzero"`
	// RepeatS is after how long something critical or urgent that nobody has answered
	// is told again, for a day; 600 to 86 400.
	RepeatS *int `json:"repeat_s,omitzero"`
}

// Grouping where a channel does not say otherwise, in seconds.
const (
	DefaultWaitS     = 30
	DefaultIntervalS = 5 * 60
	DefaultRepeatS   = 4 * 60 * 60
)

func seconds(value *int, otherwise int) time.Duration {
	if value != nil {
		otherwise = *value
	}
	return time.Duration(otherwise) * time.Second
}

func (g Grouping) wait() time.Duration     { return seconds(g.WaitS, DefaultWaitS) }
func (g Grouping) interval() time.Duration { return seconds(g.IntervalS, DefaultIntervalS) }
func (g Grouping) repeat() time.Duration   { return seconds(g.RepeatS, DefaultRepeatS) }

// least is the lowest severity that the channel is told.
func (c *ChannelSettings) least() lift.Severity {
	if c.Kind == Athlete {
		return cmp.Or(c.MinSeverity, lift.Urgent)
	}
	return cmp.Or(c.MinSeverity, lift.Warning)
}

// Service is the kind of service behind the channel, such as slack, smtp or webhook.
func (c *ChannelSettings) Service() string {
	if c.Webhook != nil {
		return "webhook"
	}
	scheme, _, _ := strings.Cut(c.URL, "://")
	return strings.ToLower(scheme)
}

// Masked is the channel without its secrets, as it may be shown.
func (c Channel) Masked() Channel {
	if c.URL != "" {
		c.URL = c.Service() + "://…"
	}
	if c.Webhook != nil {
		c.Webhook = &Webhook{URL: maskURL(c.Webhook.URL)}
	}
	return c
}

func maskURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "…"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

func wrong(field, format string, args ...any) error {
	return &lift.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

const (
	maxName   = 200
	maxURL    = 2000
	maxListed = 50
	// LeastSecret is the length of the shortest secret of a webhook.
	LeastSecret = 16
)

// Validate returns a *lift.FieldError for the first field that cannot be used. It
// never repeats a URL or secret.
func (c *ChannelSettings) Validate() error {
	if c.Name == "" || len(c.Name) > maxName || !printable(c.Name) {
		return wrong("name", "is missing, longer than %d bytes, or not plain text on one line", maxName)
	}
	switch c.Kind {
	case Coach, SecondCoach, Everybody:
		if c.Athlete != "" {
			return wrong("athlete", "is for channels of kind athlete")
		}
	case Athlete:
		if c.Athlete == "" {
			return wrong("athlete", "is missing: whose channel is it?")
		}
		if c.Digest {
			return wrong("digest", "is for coaches: it tells of several athletes")
		}
	default:
		return wrong("kind", "is not coach, second_coach, everybody or athlete")
	}
	switch {
	case c.URL == "" && c.Webhook == nil:
		return wrong("url", "is missing: give url or webhook")
	case c.URL != "" && c.Webhook != nil:
		return wrong("webhook", "is given beside url: give one of them")
	case c.Webhook != nil:
		if err := c.Webhook.validate(); err != nil {
			return err
		}
	default:
		if err := checkServiceURL(c.URL); err != nil {
			return err
		}
	}
	if c.Site != "" {
		if err := lift.CheckID("site", c.Site); err != nil {
			return err
		}
	}
	if c.Athlete != "" {
		if err := lift.CheckID("athlete", c.Athlete); err != nil {
			return err
		}
	}
	if len(c.Teams) > maxListed || len(c.Rules) > maxListed {
		return wrong("teams", "and rules are at most %d each", maxListed)
	}
	for _, t := range c.Teams {
		if err := lift.CheckID("teams", t); err != nil {
			return err
		}
	}
	for _, r := range c.Rules {
		if err := lift.CheckID("rules", r); err != nil {
			return err
		}
	}
	if c.MinSeverity != "" && c.MinSeverity.Rank() < lift.Warning.Rank() {
		return wrong("min_severity", "is not warning, critical or urgent: what is below is in the digest")
	}
	return c.validateTimes()
}

func (c *ChannelSettings) validateTimes() error {
	if c.Zone != "" {
		if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
			return wrong("zone", "is not a time zone such as Europe/Berlin")
		}
	}
	if q := c.Quiet; q != nil {
		for _, f := range []struct{ field, value string }{{"quiet.from", q.From}, {"quiet.to", q.To}} {
			if _, err := time.Parse("15:04", f.value); err != nil || len(f.value) != len("15:04") {
				return wrong(f.field, "is not a time of day such as 22:00")
			}
		}
		if q.From == q.To {
			return wrong("quiet.to", "is the same as from; to silence a channel, disable it")
		}
	}
	for _, g := range []struct {
		field       string
		value       *int
		least, most int
	}{
		{"group.wait_s", c.Group.WaitS, 0, 3600}, {"group.interval_s", c.Group.IntervalS, 0, 86400},
		{"group.repeat_s", c.Group.RepeatS, 600, 86400},
	} {
		if g.value != nil && (*g.value < g.least || *g.value > g.most) {
			return wrong(g.field, "is outside %d to %d", g.least, g.most)
		}
	}
	return nil
}

func (w *Webhook) validate() error {
	u, err := url.Parse(w.URL)
	switch {
	case len(w.URL) > maxURL || err != nil || u.Host == "":
		return wrong("webhook.url", "is not a URL of at most %d bytes", maxURL)
	case u.Scheme != "http" && u.Scheme != "https":
		return wrong("webhook.url", "has another scheme than http or https")
	case u.User != nil:
		return wrong("webhook.url", "holds a user; what is sent is signed with the secret instead")
	case len(w.Secret) < LeastSecret || len(w.Secret) > maxName || !printable(w.Secret):
		return wrong("webhook.secret", "is shorter than %d characters, longer than %d, or not plain text", LeastSecret, maxName)
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// clone is a copy that shares nothing that can be changed.
func (c ChannelSettings) clone() ChannelSettings {
	c.Teams, c.Rules = slices.Clone(c.Teams), slices.Clone(c.Rules)
	if c.Webhook != nil {
		c.Webhook = new(*c.Webhook)
	}
	if c.Quiet != nil {
		c.Quiet = new(*c.Quiet)
	}
	for _, s := range []**int{&c.Group.WaitS, &c.Group.IntervalS, &c.Group.RepeatS} {
		if *s != nil {
			*s = new(**s)
		}
	}
	return c
}
