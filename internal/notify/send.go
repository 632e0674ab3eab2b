package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/spotterhq/spotter/internal/lift"
)

// Sender sends a message to a channel and returns what the other side said, without
// secrets. It returns with the context.
type Sender func(ctx context.Context, c *Channel, m *Message) (answer string, err error)

const (
	// attemptLimit is how long one attempt may take.
	attemptLimit = 20 * time.Second
	// maxHanging is how many attempts of one channel may be under way that nobody waits
	// for any more: shoutrrr takes no context.
	maxHanging = 3
	// maxText is the length of the longest message, that of the least service: Telegram
	// takes 4 096 bytes.
	maxText = 3500
	// maxSubject is the length of the longest title, in bytes.
	maxSubject = 200
	// maxAnswer is how much is kept of what the other side says.
	maxAnswer = 300
)

// dispatcher is the Sender of webhooks and of shoutrrr's services.
type dispatcher struct {
	hook webhookClient

	mu      sync.Mutex
	hanging map[string]int // by channel
}

// NewSender returns the sender to real services.
func NewSender(now func() time.Time) Sender {
	d := &dispatcher{hook: newWebhookClient(now), hanging: map[string]int{}}
	return d.send
}

func (d *dispatcher) send(ctx context.Context, c *Channel, m *Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	if c.Webhook != nil {
		return d.hook.send(ctx, c.Webhook, m)
	}
	return d.shout(ctx, c, m)
}

var errHanging = errors.New("earlier attempts are still waiting for an answer")

// shout gives the message to shoutrrr, and waits for it no longer than the context.
func (d *dispatcher) shout(ctx context.Context, c *Channel, m *Message) (string, error) {
	d.mu.Lock()
	if d.hanging[c.ID] >= maxHanging {
		d.mu.Unlock()
		return "", errHanging
	}
	d.hanging[c.ID]++
	d.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		err := shout(c, m)
		d.mu.Lock()
		if d.hanging[c.ID]--; d.hanging[c.ID] == 0 {
			delete(d.hanging, c.ID)
		}
		d.mu.Unlock()
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return "", errors.New(scrub(err.Error(), c.URL))
		}
		return "taken", nil
	case <-ctx.Done():
		return "", fmt.Errorf("no answer: %w", ctx.Err())
	}
}

// silent is for what shoutrrr logs of its own: addresses and secrets among it.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

func shout(c *Channel, m *Message) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the service's adapter panicked: %v", cause)
		}
	}()
	r, err := router.New(silent())
	if err != nil {
		return err
	}
	service, err := r.Locate(c.URL)
	if err != nil {
		return err
	}
	f := services[c.Service()]
	title, params := clip(oneLine(m.Title), maxSubject), types.Params{}
	text := m.lines(f, maxText)
	switch c.Service() {
	case "smtp":
		params.SetTitle(mime.QEncoding.Encode("utf-8", title))
		text = strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
	case "ntfy":
		params.SetTitle(mime.QEncoding.Encode("utf-8", title))
		params["priority"] = priority(m.Severity)
	default:
		text = f.text(title, nil) + "\n" + text
	}
	return service.Send(text, &params)
}

func priority(s lift.Severity) string {
	switch s {
	case lift.Urgent:
		return "max"
	case lift.Critical:
		return "high"
	}
	return "default"
}

// clip shortens to at most max bytes, on a rune's edge.
func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return strings.ToValidUTF8(s[:max-len("…")], "") + "…"
}

var (
	anyURL = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"']+`)
	words  = regexp.MustCompile(`[^\pL\pN]+`)
)

// scrub takes addresses, and whatever of the channel's URL may be secret, out of what
// the other side or a library says.
func scrub(text, secret string) string {
	text = anyURL.ReplaceAllString(text, "(address)")
	u, err := url.Parse(secret)
	if err != nil {
		return "(unreadable)"
	}
	parts := []string{u.Path, u.User.String()}
	if !strings.Contains(u.Host, ".") { // a token rather than a server
		parts = append(parts, u.Host)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		parts = append(parts, u.User.Username(), password)
	}
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	var pieces []string
	for _, p := range parts {
		pieces = append(pieces, p)
		pieces = append(pieces, words.Split(p, -1)...)
	}
	for _, p := range pieces {
		if len(p) >= 5 {
			text = strings.ReplaceAll(text, p, "…")
		}
	}
	return clip(oneLine(text), maxAnswer)
}

// checkServiceURL returns a *lift.FieldError unless shoutrrr can use the URL. It does
// not repeat it.
func checkServiceURL(text string) error {
	u, err := url.Parse(text)
	if len(text) > maxURL || err != nil || u.Scheme == "" {
		return wrong("url", "is not a URL of at most %d bytes, such as ntfy://ntfy.sh/topic", maxURL)
	}
	scheme, custom, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	if _, ok := services[scheme]; !ok || custom != "" {
		return wrong("url", "names a service that is not one of those in docs/notify.md; for a program of your own give webhook")
	}
	query := u.Query()
	for name := range query {
		switch strings.ToLower(name) {
		case "parsemode", "usehtml":
			return wrong("url", "sets %s: messages are plain text", strings.ToLower(name))
		}
	}
	if err := parses(text); err != nil {
		return wrong("url", "cannot be used by %s: %s", scheme, scrub(err.Error(), text))
	}
	return nil
}

func parses(text string) (err error) {
	defer func() { // some of its parsers index what is not there
		if cause := recover(); cause != nil {
			err = errors.New("it has not the form of the service's URLs")
		}
	}()
	r, err := router.New(silent())
	if err != nil {
		return err
	}
	_, err = r.Locate(text)
	return err
}
