package notify

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	// live is how old a rep may be, by its receipt, for the bar to be told of it.
	live = 2 * time.Minute
	// setGap is after how long without a rep a set is over.
	setGap = 90 * time.Second
	// cuesHeld is how many cues may wait for the broker; the bar needs none that is late.
	cuesHeld = 256
)

// Cue is what the bar's lamp, buzzer or screen is told.
type Cue struct {
	Cue  string    `json:"cue"` // stop, slow or ok
	Rule lift.Rule `json:"rule"`
	Set  *int      `json:"set,omitzero"`
	Rep  *int      `json:"rep,omitzero"`
}

type bar struct {
	site   lift.SiteID
	device lift.DeviceID
}

type cueAt struct {
	bar
	Cue
}

// cues follows who is lifting on which bar. Its methods but run belong to one
// goroutine, and never wait.
type cues struct {
	send func(ctx context.Context, topic string, qos byte, payload []byte) error
	log  *slog.Logger
	out  chan cueAt

	lifting map[lift.AthleteID]*lifting
	cued    map[bar]*cued
}

// lifting is an athlete's newest rep.
type lifting struct {
	bar
	id       string
	exercise lift.ExerciseID
	load     float64
	set      *int
	rep      int // told by the device, or counted
	time     time.Time
	received time.Time
}

// cued is a bar that was told to stop or slow down.
type cued struct {
	alert   string
	rule    lift.Rule
	athlete lift.AthleteID
	in      lifting // the rep it was about
}

func newCues(publish Publish, log *slog.Logger) *cues {
	return &cues{send: publish, log: log, out: make(chan cueAt, cuesHeld), lifting: map[lift.AthleteID]*lifting{}, cued: map[bar]*cued{}}
}

// run publishes cues, each once and without an acknowledgement.
func (c *cues) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case cue := <-c.out:
			payload, err := json.Marshal(&cue.Cue)
			if err != nil {
				return err
			}
			sending, cancel := context.WithTimeout(ctx, time.Second)
			err = c.send(sending, "spotter/v1/"+string(cue.site)+"/device/"+string(cue.device)+"/cue", 0, payload)
			cancel()
			if err != nil && ctx.Err() == nil {
				c.log.Debug("a cue was not published", "error", err)
			}
		}
	}
}

func (c *cues) tell(b bar, cue Cue) {
	select {
	case c.out <- cueAt{b, cue}:
	default: // the broker is away: a late cue is worse than none
	}
}

// rep notes a rep, which may end the set that a bar was cued in.
func (c *cues) rep(r *lift.RepRecord, now time.Time) {
	if r.Historical || !r.Valid || r.Athlete == "" || now.Sub(r.Received) > live {
		return
	}
	was := c.lifting[r.Athlete]
	if was != nil && r.Time.Before(was.time) {
		return
	}
	is := &lifting{bar: bar{r.Site, r.Device}, id: r.ID, exercise: r.Exercise, set: r.Set, rep: 1, time: r.Time, received: r.Received}
	if r.LoadKg != nil {
		is.load = *r.LoadKg
	}
	switch {
	case r.Rep.Rep != nil:
		is.rep = *r.Rep.Rep
	case was != nil && (was.id == r.ID || r.Time.Equal(was.time)): // corrected, or a copy
		is.rep = was.rep
	case was != nil && was.sameSet(is):
		is.rep = was.rep + 1
	}
	c.lifting[r.Athlete] = is
	if told := c.cued[is.bar]; told != nil && (told.athlete != r.Athlete || !told.in.sameSet(is)) {
		c.over(is.bar, told)
	}
}

// sameSet reports whether a rep goes on with the set of another.
func (l *lifting) sameSet(next *lifting) bool {
	if l.bar != next.bar || l.exercise != next.exercise || l.load != next.load {
		return false
	}
	if l.set != nil && next.set != nil {
		return *l.set == *next.set
	}
	return next.time.Sub(l.time) <= setGap
}

func (c *cues) over(b bar, told *cued) {
	delete(c.cued, b)
	rep := told.in.rep
	c.tell(b, Cue{"ok", told.rule, told.in.set, &rep})
}

// tick ends sets by time, and forgets who has left.
func (c *cues) tick(now time.Time) {
	for athlete, l := range c.lifting {
		if now.Sub(l.received) > live {
			delete(c.lifting, athlete)
		}
	}
	for b, told := range c.cued {
		if l := c.lifting[told.athlete]; l == nil || now.Sub(l.received) > setGap {
			c.over(b, told)
		}
	}
}

// cueOf is what an alert about a set says to the bar, "" for nothing.
func cueOf(a *lift.Alert) string {
	switch {
	case a.Window.Kind != lift.WindowSet || a.Historical || a.State != lift.AlertOpen && a.State != lift.AlertAcknowledged:
		return ""
	case (a.Rule == analysis.VelocityLoss || a.Rule == analysis.Grind) && a.Severity.Rank() >= lift.Warning.Rank():
		return "stop"
	case a.Severity.Rank() >= lift.Advice.Rank():
		return "slow"
	}
	return ""
}

// alert tells the bar of an alert about the set that is being lifted on it.
func (c *cues) alert(s *view.AlertStep, now time.Time) {
	a := &s.Alert
	if s.Verb == lift.AlertRetract {
		for b, told := range c.cued {
			if told.alert == a.ID {
				c.over(b, told)
			}
		}
		return
	}
	l := c.lifting[a.Athlete]
	word := cueOf(a)
	if s.Verb != lift.AlertFound || word == "" || l == nil || now.Sub(l.received) > live {
		return
	}
	if apart := l.time.Sub(a.Window.To).Abs(); apart > setGap {
		return // of an earlier set
	}
	if told := c.cued[l.bar]; told != nil && told.alert != a.ID && word == "slow" && told.in.sameSet(l) {
		return // what was said first, or is worse, stands
	}
	c.cued[l.bar] = &cued{alert: a.ID, rule: a.Rule, athlete: a.Athlete, in: *l}
	rep := l.rep
	c.tell(l.bar, Cue{word, a.Rule, l.set, &rep})
}
