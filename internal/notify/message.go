package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spotterhq/spotter/internal/lift"
)

// Type is what a message is for.
type Type string

// The types of messages.
const (
	TypeAlert      Type = "alert"      // something was found
	TypeEscalation Type = "escalation" // and nobody has answered
	TypeRepeat     Type = "repeat"     // still not
	TypeWithdrawn  Type = "withdrawn"  // the data behind it was corrected away
	TypeDigest     Type = "digest"
	TypeReminder   Type = "reminder" // to an athlete, of a report that is missing
	TypeTest       Type = "test"
)

// Message is what goes to one channel at once.
type Message struct {
	// ID is the same whenever the message is sent again.
	ID       string        `json:"id"`
	Type     Type          `json:"type"`
	Severity lift.Severity `json:"severity,omitzero"`
	Time     time.Time     `json:"time"` // when it was decided
	Title    string        `json:"title"`
	Text     string        `json:"text"` // plain text, several lines
	// Items are the alerts behind an alert, escalation, repeat or withdrawal.
	Items []Item `json:"items,omitempty"`
	// Names are those of the athletes, where the channel may be told them.
	Names    map[lift.AthleteID]string `json:"names,omitempty"`
	Reminder *Reminder                 `json:"reminder,omitzero"`
}

// Item is one alert of a message.
type Item struct {
	Type  Type       `json:"type"`
	Alert lift.Alert `json:"alert"`
	Link  string     `json:"link,omitzero"`
}

// Reminder asks an athlete for a report that is missing.
type Reminder struct {
	Phase   lift.Phase `json:"phase"`   // after or next_morning
	Session string     `json:"session"` // its local date
	Until   time.Time  `json:"until"`   // when it is too late to ask
	Link    string     `json:"link,omitzero"`
}

var severityWords = map[lift.Severity]string{
	lift.Warning: "Warning", lift.Critical: "Critical", lift.Urgent: "URGENT",
}

// write fills in the title and the text of a message of alerts. who names an athlete
// as the channel may be told.
func (m *Message) write(who func(lift.AthleteID) string) {
	slices.SortStableFunc(m.Items, func(a, b Item) int { return b.Alert.Severity.Compare(a.Alert.Severity) })
	worst := &m.Items[0]
	m.Type, m.Severity = worst.Type, worst.Alert.Severity
	m.Title = fmt.Sprintf("%s, %s: %s", worst.heading(), who(worst.Alert.Athlete), oneLine(worst.Alert.Title))
	if more := len(m.Items) - 1; more > 0 {
		m.Title += fmt.Sprintf(" (and %d more)", more)
	}
	var b strings.Builder
	for i := range m.Items {
		item := &m.Items[i]
		a := &item.Alert
		if i > 0 {
			b.WriteString("\n")
		}
		if len(m.Items) > 1 {
			fmt.Fprintf(&b, "%s, %s: %s\n", item.heading(), who(a.Athlete), oneLine(a.Title))
		}
		if item.Type == TypeWithdrawn {
			b.WriteString("The data behind this alert was corrected: it no longer holds.\n")
		} else {
			fmt.Fprintf(&b, "%s\n%s\nSource: %s\n", oneLine(a.Message), oneLine(a.Advice), oneLine(cmp.Or(a.Source.Citation, a.Source.Kind)))
		}
		if item.Link != "" {
			b.WriteString(item.Link + "\n")
		}
	}
	m.Text = b.String()
}

func (i *Item) heading() string {
	word := cmp.Or(severityWords[i.Alert.Severity], string(i.Alert.Severity))
	switch i.Type {
	case TypeEscalation, TypeRepeat:
		return word + ", not answered since " + i.Alert.Updated.UTC().Format("2006-01-02 15:04") + " UTC"
	case TypeWithdrawn:
		return "Withdrawn"
	}
	return word
}

// oneLine makes plain text on one line of whatever it is given.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "�"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}

// flavour is what a service makes of text.
type flavour int

const (
	plain    flavour = iota // shows it as it is
	slackish                // reads entities
	markdown                // reads markdown, and perhaps HTML
)

// services are those of shoutrrr that may be used: all that take a message and show
// it to people. Its logger would write health data into the log, and its generic
// webhook neither signs nor names what it sends.
var services = map[string]flavour{
	"bark": plain, "gotify": plain, "ntfy": plain, "opsgenie": plain, "pagerduty": plain, "pushbullet": plain,
	"pushover": plain, "signal": plain, "smtp": plain, "telegram": plain,
	"slack":   slackish,
	"discord": markdown, "googlechat": markdown, "lark": markdown, "matrix": markdown, "mattermost": markdown,
	"rocketchat": markdown, "teams": markdown, "wecom": markdown, "zulip": markdown,
}

// Nobody is to be called, linked or shown something else by what a person or a device
// has written: a zero-width space breaks mentions and addresses, and quotes stand in
// for what opens a tag.
const gap = "\u200b"

var (
	disarm         = strings.NewReplacer("@", "@"+gap, "<", "‹", ">", "›", "://", ":"+gap+"//")
	escapeEntities = strings.NewReplacer("&", "&amp;")
	escapeMarkdown = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "~", "\\~", "[", "\\[", "]", "\\]", "#", "\\#", "|", "\\|", "&", "&amp;")
)

// text is one line as the service may be given it. Our own links are left alone.
func (f flavour) text(line string, links map[string]bool) string {
	if links[line] || f == plain {
		return line
	}
	line = disarm.Replace(line)
	switch f {
	case slackish:
		return escapeEntities.Replace(line)
	case markdown:
		return escapeMarkdown.Replace(line)
	}
	return line
}

// lines is the text for the service, at most max bytes of it.
func (m *Message) lines(f flavour, max int) string {
	links := map[string]bool{}
	for i := range m.Items {
		links[m.Items[i].Link] = true
	}
	if m.Reminder != nil {
		links[m.Reminder.Link] = true
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(m.Text), "\n") {
		line = f.text(line, links)
		if b.Len()+len(line)+1 > max-len("…") {
			b.WriteString("…")
			break
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
