package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/ingest/conformance"
	"github.com/spotterhq/spotter/ingest/mqtt"
	"github.com/spotterhq/spotter/internal/check"
)

type checkDeviceCommand struct {
	brokerSettings `embed:""`

	Device   string        `arg:"" help:"The device as SITE/DEVICE, or one of the site main."`
	Watch    bool          `help:"Go on until Ctrl-C, and tell of each message as it comes."`
	Messages int           `help:"Without --watch: end after so many messages." default:"50"`
	For      time.Duration `help:"Without --watch: end after this time." default:"60s"`
	JSON     bool          `name:"json" help:"Print the report as JSON."`
}

// Run listens to a device and says what its messages lack; it fails where some would be
// quarantined, or none came. Nothing is stored.
func (c *checkDeviceCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	o := c.options(&u, s, "check")
	site, device := deviceName(&u, c.Device)
	if c.Messages < 1 {
		u.addf("--messages: %d is below 1", c.Messages)
	}
	if c.For <= 0 {
		u.addf("--for: %v is not above 0", c.For)
	}
	if err := u.orNil(); err != nil {
		return err
	}
	listening, stop := context.WithCancel(ctx)
	defer stop()
	if !c.Watch {
		listening, stop = context.WithTimeout(ctx, c.For)
		defer stop()
	}
	found := conformance.New(site, device)
	var taking sync.Mutex // a message may be on its way when listening ends
	lost := mqtt.Watch(listening, o, found.Filter(), func() {
		fmt.Fprintf(s.err, "listening to %s at %s; let the device send\n", found.Filter(), redact(c.Broker))
	}, func(h mqtt.Heard) {
		taking.Lock()
		defer taking.Unlock()
		if listening.Err() != nil {
			return
		}
		told := found.Take(conformance.Message(h))
		if c.Watch {
			tellLive(s, h, told)
		} else if found.Heard() >= c.Messages {
			stop()
		}
	})
	taking.Lock() // for good: nothing is taken any more
	switch {
	case listening.Err() != nil:
		lost = nil // it was to end
		c.askKept(context.WithoutCancel(ctx), o, found)
	case errors.Is(lost, mqtt.ErrRefused):
		return fmt.Errorf("%w; the embedded broker lets a credential of the kind watcher read: spotter device add NAME --kind watcher --devices %s", lost, device)
	case found.Heard() == 0:
		return lost
	}
	report := found.Report()
	var err error
	if c.JSON {
		err = json.MarshalWrite(s.out, report, jsontext.WithIndent("  "))
	} else {
		err = printReport(s, report)
	}
	if err != nil {
		return err
	}
	if n := report.Count(check.Problem); n > 0 {
		return errors.Join(lost, fmt.Errorf("problems found: %d; messages heard: %d", n, found.Heard()))
	}
	return lost
}

// askKept finds out what the broker keeps of the device, which a live message does not
// say.
func (c *checkDeviceCommand) askKept(ctx context.Context, o mqtt.Options, found *conformance.Check) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	o.ClientID += "-kept"
	kept, err := mqtt.Kept(ctx, o, found.Filter())
	if err != nil {
		return // then nothing is said of it
	}
	var topics []string
	for _, h := range kept {
		topics = append(topics, h.Topic)
	}
	found.Kept(topics...)
}

func tellLive(s streams, h mqtt.Heard, told []check.Finding) {
	what := h.Topic[strings.LastIndex(h.Topic, "/")+1:]
	kept := ""
	if h.Retained {
		kept = ", kept from before"
	}
	mark := "✓"
	if slices.ContainsFunc(told, func(f check.Finding) bool { return f.Level == check.Problem }) {
		mark = "✗"
	}
	fmt.Fprintf(s.out, "%s %s %s (%d bytes, QoS %d%s)\n", h.Received.Local().Format("15:04:05.000"), mark, printable(what), len(h.Payload), h.QoS, kept)
	for _, f := range told {
		do := ""
		if f.Do != "" {
			do = ": " + f.Do
		}
		fmt.Fprintf(s.out, "    %s: %s%s\n", f.Level, f.Says, do)
	}
}

// printable leaves out of what others have sent whatever a terminal would obey.
func printable(text string) string { return strings.Trim(fmt.Sprintf("%+q", text), `"`) }
