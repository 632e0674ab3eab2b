// Package conformance tells the maker of a sensor, in plain words, what its messages
// lack. It reads them with the decoder of package ingest, so that what it calls an error
// is what would be quarantined. Nothing is stored. It has no clock: messages carry the
// time of their receipt.
package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/check"
	"github.com/spotterhq/spotter/internal/lift"
)

// Message is one that a subscriber with QoS 1 has heard.
type Message struct {
	Topic    string
	Payload  []byte
	QoS      byte // that it was published with
	Retained bool // the broker had kept it from before
	Received time.Time
}

// Check is what has been heard of one device. It belongs to one goroutine.
type Check struct {
	prefix string
	told   map[string]bool
	heard  int

	problems []trouble
	warnings []check.Finding // of single messages, each told once

	reps    reps
	status  status
	assign  assign
	samples samples
}

// trouble is a reason for quarantine, with how often it was met. It says that of its
// first time; others of the same kind may differ in their numbers.
type trouble struct {
	kind, what, says string
	count            int
}

// mostKinds bounds what is remembered of a device that always finds new faults.
const mostKinds = 200

// numbers are what makes two reasons of one kind differ.
var numbers = regexp.MustCompile(`[-+]?[0-9][0-9.e+-]*`)

// New returns a check of a device of which nothing was heard yet.
func New(site lift.SiteID, device lift.DeviceID) *Check {
	return &Check{
		prefix: "spotter/v1/" + string(site) + "/device/" + string(device) + "/",
		told:   map[string]bool{},
		reps:   reps{boots: map[string]*boot{}, has: map[string]int{}, without: map[string]int{}},
	}
}

// Filter is what to subscribe to, with QoS 1.
func (c *Check) Filter() string { return c.prefix + "#" }

// Take takes a message and returns what it is the first to show. Each error is returned
// every time.
func (c *Check) Take(m Message) []check.Finding {
	if len(m.Payload) == 0 && m.Retained {
		return nil
	}
	what := shown(strings.TrimPrefix(m.Topic, c.prefix))
	from := len(c.warnings)
	var errors []check.Finding
	c.heard++
	decoded := ingest.Decode(ingest.Message{Topic: m.Topic, Payload: m.Payload, Received: m.Received})
	repsNow := 0
	for i := range decoded.Events {
		e := &decoded.Events[i]
		switch {
		case e.Quarantined != nil:
			errors = append(errors, c.quarantined(what, e.Quarantined))
		case e.Rep != nil:
			repsNow++
			c.rep(e.Rep, m.Received)
		case e.Status != nil:
			c.takeStatus(e.Status, m.Retained)
		case e.Assign != nil:
			c.takeAssign(e.Assign)
		case e.Samples != nil:
			c.takeSamples(e.Samples)
		}
	}
	for _, name := range decoded.Unknown {
		c.warn("unknown "+what+name, what, fmt.Sprintf("nobody knows the field %s; it is ignored", name),
			"see that it is spelt as in the wire contract, units and all, or leave it out")
	}
	if m.QoS == 0 && !m.Retained && what != "samples" && what != "cue" {
		c.warn("qos "+what, what, "is published with QoS 0: it is lost, unseen, whenever the radio fails",
			"publish with QoS 1, and send again until the broker acknowledges")
	}
	if m.Retained && (what == "rep" || what == "samples") {
		c.warn("retained "+what, what, "is retained: the broker sends it again to each new subscriber", "publish it without the retain flag")
	}
	if len(decoded.Events) > 1 && repsNow > 0 && c.reps.together == 0 {
		c.reps.together = len(decoded.Events)
	}
	return append(errors, c.warnings[from:]...)
}

func (c *Check) quarantined(what string, q *lift.Quarantined) check.Finding {
	says := q.Reason
	if q.Field != "" {
		says = q.Field + " " + says
	}
	now := trouble{what + " " + numbers.ReplaceAllString(says, "#"), what, says, 1}
	if i := slices.IndexFunc(c.problems, func(t trouble) bool { return t.kind == now.kind }); i >= 0 {
		c.problems[i].count++
	} else if len(c.problems) < mostKinds {
		c.problems = append(c.problems, now)
	}
	return now.finding(q.Index)
}

func (t *trouble) finding(index *int) check.Finding {
	says := t.says
	if index != nil {
		says = fmt.Sprintf("element %d: %s", *index, says)
	}
	return check.Finding{Level: check.Problem, What: t.what, Says: says + ": quarantined"}
}

// shown is text of others without what a terminal would obey.
func shown(text string) string {
	return strings.Trim(fmt.Sprintf("%+.40q", text), `"`)
}

// warn notes something once.
func (c *Check) warn(key, what, says, do string) {
	if !c.told[key] && len(c.told) < mostKinds {
		c.told[key] = true
		c.warnings = append(c.warnings, check.Finding{Level: check.Warning, What: what, Says: says, Do: do})
	}
}

// Heard reports how many messages were taken.
func (c *Check) Heard() int { return c.heard }
