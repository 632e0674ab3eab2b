package notify

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// monday is when every script begins: 2026-11-23 00:00 UTC.
var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// desk is a notifier in fake time whose messages are noted instead of sent.
type desk struct {
	t        testing.TB
	dir      string
	n        *Notifier
	view     *view.View
	skew     time.Duration // between the bubble's clock and the script's
	seq      uint64
	alerts   map[string]lift.Alert
	profiles map[lift.AthleteID]lift.AthleteProfile
	stop     func()

	mu     sync.Mutex
	notes  []string
	broken map[string]bool // channels that refuse, by name
	got    map[string]map[string]bool
	keys   map[string]int // how often each message came, by its key
	topics []string
}

func newDesk(t testing.TB, channels ...ChannelSettings) *desk {
	d := &desk{
		t: t, dir: t.TempDir(), alerts: map[string]lift.Alert{}, profiles: map[lift.AthleteID]lift.AthleteProfile{},
		skew: time.Until(monday), broken: map[string]bool{}, got: map[string]map[string]bool{}, keys: map[string]int{},
	}
	var err error
	if d.view, err = view.Open(t.Context(), filepath.Join(d.dir, "view.db"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	d.start()
	for _, c := range channels {
		if c.Name == "" {
			c.Name = string(c.Kind)
		}
		c.URL = "ntfy://ntfy.example/" + c.Name
		if _, err := d.n.Channels().Add(c, d.now()); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *desk) now() time.Time { return time.Now().Add(d.skew) }

func (d *desk) start() {
	channels, err := OpenChannels(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	d.n, err = Open(d.t.Context(), Options{
		Path: filepath.Join(d.dir, "notify.db"), View: d.view, End: func() uint64 { return d.seq }, Channels: channels,
		Publish: d.publish, Send: d.send, Logger: slog.New(slog.DiscardHandler), Now: d.now,
		Profile: func(a lift.AthleteID) (lift.AthleteProfile, bool) { p, ok := d.profiles[a]; return p, ok },
	})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(d.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = d.n.work(ctx) })
	running.Go(func() { _ = d.n.plan(ctx) })
	d.stop = func() {
		cancel()
		running.Wait()
		if err := d.n.Close(); err != nil {
			d.t.Error(err)
		}
	}
}

func (d *desk) close() {
	d.stop()
	_ = d.view.Close()
}

func (d *desk) send(_ context.Context, c *Channel, m *Message) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken[c.Name] {
		return "", fmt.Errorf("it answers 503")
	}
	d.keys[c.ID+m.ID]++
	var said []string
	for _, i := range m.Items {
		said = append(said, fmt.Sprintf("%s %s %s", i.Type, i.Alert.Severity, i.Alert.ID))
		if d.got[i.Alert.ID] == nil {
			d.got[i.Alert.ID] = map[string]bool{}
		}
		d.got[i.Alert.ID][c.Name+" "+string(i.Type)+" "+string(i.Alert.Severity)] = true
	}
	if len(m.Items) == 0 {
		said = []string{string(m.Type) + " " + m.Title}
	}
	d.note("%s: %s", c.Name, strings.Join(said, ", "))
	return "200 OK", nil
}

func (d *desk) note(format string, args ...any) {
	at := d.now().Sub(monday).Round(time.Second)
	d.notes = append(d.notes, fmt.Sprintf("day %d %s ", at/(24*time.Hour), monday.Add(at).Format("15:04:05"))+fmt.Sprintf(format, args...))
}

func (d *desk) publish(_ context.Context, topic string, _ byte, payload []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.topics = append(d.topics, topic+" "+string(payload))
	return nil
}

// change applies a change to an alert, as the view would, and lets the notifier decide.
func (d *desk) change(c lift.AlertChange) {
	d.t.Helper()
	a, changed := d.alerts[c.AlertID].Apply(c)
	if !changed {
		return
	}
	d.seq++
	d.alerts[c.AlertID] = a
	steps := []view.AlertStep{{Seq: d.seq, Verb: c.Verb, Alert: a}}
	if err := d.n.decideAll(d.t.Context(), steps, d.seq, d.now()); err != nil {
		d.t.Fatal(err)
	}
}

// find makes a finding of a word: the id, its severity, athlete and rule.
func (d *desk) find(id string, s lift.Severity, athlete lift.AthleteID, rule lift.Rule, change func(*lift.Finding)) {
	d.t.Helper()
	f := &lift.Finding{
		ID: id, Site: "main", Athlete: athlete, Rule: rule, Severity: s, Title: "title of " + id, Message: fmt.Sprintf("message %d", d.seq), Advice: "advice",
		Window: lift.Window{Kind: lift.WindowCheckIn, ID: id}, Evidence: lift.Evidence{Value: 9, Threshold: 1, Samples: 5, Confidence: "full"},
		Source: lift.Citation{Kind: "default", Citation: "somebody"},
	}
	if change != nil {
		change(f)
	}
	d.change(lift.AlertChange{AlertID: id, Verb: lift.AlertFound, At: d.now(), Finding: f})
}

// run plays a script, a line a step: the day and time, and what happens then.
func (d *desk) run(script string) {
	d.t.Helper()
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var day int
		if _, err := fmt.Sscan(words[0], &day); err != nil {
			d.t.Fatalf("%q: %v", line, err)
		}
		clock, err := time.Parse("15:04:05", words[1])
		if err != nil {
			d.t.Fatalf("%q: %v", line, err)
		}
		at := monday.AddDate(0, 0, day).Add(clock.Sub(clock.Truncate(24 * time.Hour)))
		if wait := at.Sub(d.now()); wait > 0 {
			<-time.After(wait) // in the bubble
		}
		synctest.Wait()
		d.do(line, words[2:])
		synctest.Wait()
	}
}

func (d *desk) do(line string, words []string) {
	d.t.Helper()
	switch words[0] {
	case "found": // id severity athlete [rule] [thin|historical]
		rule := lift.Rule("pain-zone")
		if len(words) > 4 {
			rule = lift.Rule(words[4])
		}
		d.find(words[1], lift.Severity(words[2]), lift.AthleteID(words[3]), rule, func(f *lift.Finding) {
			if slices.Contains(words, "thin") {
				f.Evidence.Metric, f.Evidence.Value, f.Evidence.Threshold = "last_rep", 21, 20
				f.Rule, f.Evidence.Metric = "set-drop", ""
			}
			f.Historical = slices.Contains(words, "historical")
		})
	case "acknowledge", "resolve":
		d.change(lift.AlertChange{AlertID: words[1], Verb: lift.AlertVerb(words[0]), At: d.now(), Answer: &lift.Answer{By: "kim", At: d.now()}})
	case "retract", "expire":
		d.change(lift.AlertChange{AlertID: words[1], Verb: lift.AlertVerb(words[0]), At: d.now()})
	case "restart":
		d.stop()
		d.start()
	case "stops":
		d.stop()
	case "starts":
		d.start()
	case "breaks", "works":
		d.mu.Lock()
		d.broken[words[1]] = words[0] == "breaks"
		d.mu.Unlock()
	case "end":
	default:
		d.t.Fatalf("%q: what is that?", line)
	}
}

func trimmed(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// TestWhoIsToldWhen reads as a coach would tell it: what happens, and who hears of it.
func TestWhoIsToldWhen(t *testing.T) {
	coach := ChannelSettings{Kind: Coach}
	second := ChannelSettings{Kind: SecondCoach, Name: "second"}
	rest := ChannelSettings{Kind: Everybody, Name: "rest"}
	quiet := ChannelSettings{Kind: Coach, Quiet: &Quiet{From: "22:00", To: "07:00"}}
	berlin := ChannelSettings{Kind: Coach, Zone: "Europe/Berlin", Quiet: &Quiet{From: "22:00", To: "07:00", Critical: true}}
	own := ChannelSettings{Kind: Athlete, Name: "phone", Athlete: "ana"}
	for name, c := range map[string]struct {
		channels     []ChannelSettings
		script, told string
	}{
		"what comes within half a minute about one athlete is one message": {[]ChannelSettings{coach}, `
			0 09:00:00 found a1 warning ana
			0 09:00:20 found a2 critical ana
			0 09:00:25 found b1 warning ben
			0 09:10:00 end`, `
			day 0 09:00:30 coach: alert critical a2, alert warning a1
			day 0 09:00:55 coach: alert warning b1`},
		"the next message about an athlete comes five minutes later at the earliest": {[]ChannelSettings{coach}, `
			0 09:00:00 found a1 warning ana
			0 09:02:00 found a2 warning ana
			0 09:03:00 found a3 warning ana
			0 09:10:00 end`, `
			day 0 09:00:30 coach: alert warning a1
			day 0 09:05:30 coach: alert warning a2, alert warning a3`},
		"urgent is told at once and alone, to the athlete too": {[]ChannelSettings{coach, own, second, rest}, `
			0 09:00:00 found a1 warning ana
			0 09:00:10 found a2 urgent ana red-flag
			0 09:00:12 acknowledge a2
			0 09:10:00 end`, `
			day 0 09:00:10 coach: alert urgent a2
			day 0 09:00:10 phone: alert urgent a2
			day 0 09:00:30 coach: alert warning a1`},
		"quiet hours keep a warning until the morning": {[]ChannelSettings{quiet}, `
			0 23:00:00 found a1 warning ana
			1 01:00:00 found a2 critical ana
			1 02:00:00 acknowledge a2
			1 08:00:00 end`, `
			day 1 07:00:00 coach: alert warning a1`},
		"quiet hours are the channel's, and let pass what they are told to": {[]ChannelSettings{berlin}, `
			0 20:59:00 found a1 warning ana
			0 21:01:00 found b1 warning ben
			0 21:02:00 found c1 critical cem
			0 21:04:00 acknowledge c1
			0 23:00:00 found d1 urgent dan red-flag
			0 23:00:01 acknowledge d1
			1 06:30:00 end`, `
			day 0 20:59:30 coach: alert warning a1
			day 0 21:02:30 coach: alert critical c1
			day 0 23:00:00 coach: alert urgent d1
			day 1 06:00:00 coach: alert warning b1`},
		"a warning that nobody answers is told once more after a day": {[]ChannelSettings{coach, second, rest}, `
			0 09:00:00 found a1 warning ana
			3 09:00:00 end`, `
			day 0 09:00:30 coach: alert warning a1
			day 1 09:00:00 coach: escalation warning a1`},
		"something critical goes to the second coach after an hour, and is told again for a day": {[]ChannelSettings{coach, second, rest}, `
			0 08:00:00 found a1 critical ana
			0 15:00:00 acknowledge a1
			3 09:00:00 end`, `
			day 0 08:00:30 coach: alert critical a1
			day 0 09:00:00 second: escalation critical a1
			day 0 12:00:30 coach: repeat critical a1
			day 0 13:00:00 second: repeat critical a1`},
		"where there is no second coach the rest is told": {[]ChannelSettings{coach, rest}, `
			0 08:00:00 found a1 critical ana
			0 09:30:00 acknowledge a1
			1 09:00:00 end`, `
			day 0 08:00:30 coach: alert critical a1
			day 0 09:00:00 rest: escalation critical a1`},
		"what is urgent goes to everybody after 5, 15 and 30 minutes": {[]ChannelSettings{coach, second, rest, own}, `
			0 08:00:00 found a1 urgent ana red-flag
			0 08:20:00 acknowledge a1
			1 09:00:00 end`, `
			day 0 08:00:00 coach: alert urgent a1
			day 0 08:00:00 phone: alert urgent a1
			day 0 08:05:00 coach: escalation urgent a1
			day 0 08:05:00 phone: escalation urgent a1
			day 0 08:05:00 rest: escalation urgent a1
			day 0 08:05:00 second: escalation urgent a1
			day 0 08:15:00 coach: escalation urgent a1
			day 0 08:15:00 phone: escalation urgent a1
			day 0 08:15:00 rest: escalation urgent a1
			day 0 08:15:00 second: escalation urgent a1`},
		"what is urgent arrives although somebody else has answered it meanwhile": {[]ChannelSettings{coach, own}, `
			0 07:59:00 breaks phone
			0 08:00:00 found a1 urgent ana red-flag
			0 08:00:10 acknowledge a1
			0 08:01:00 works phone
			0 08:01:20 end`, `
			day 0 08:00:00 coach: alert urgent a1
			day 0 08:01 phone: alert urgent a1`},
		"after a standstill the latest escalation stands for all": {[]ChannelSettings{coach, second}, `
			0 08:00:00 found a1 urgent ana red-flag
			0 08:01:00 stops
			0 08:29:00 starts
			0 08:31:00 acknowledge a1
			0 09:00:00 end`, `
			day 0 08:00:00 coach: alert urgent a1
			day 0 08:29:00 coach: escalation urgent a1
			day 0 08:29:00 second: escalation urgent a1
			day 0 08:30:00 coach: escalation urgent a1
			day 0 08:30:00 second: escalation urgent a1`},
		"an answer stops the escalation, and what has not been told yet": {[]ChannelSettings{coach, second}, `
			0 08:00:00 found a1 critical ana
			0 08:00:10 acknowledge a1
			0 09:00:00 found b1 critical ben
			0 09:30:00 resolve b1
			0 10:00:00 found c1 critical cem
			0 10:30:00 expire c1
			1 09:00:00 end`, `
			day 0 09:00:30 coach: alert critical b1
			day 0 10:00:30 coach: alert critical c1`},
		"what is retracted before anybody was told is never told": {[]ChannelSettings{coach}, `
			0 08:00:00 found a1 critical ana
			0 08:00:20 retract a1
			1 09:00:00 end`, ``},
		"what is retracted afterwards is withdrawn, and comes back when it holds again": {[]ChannelSettings{coach}, `
			0 08:00:00 found a1 warning ana
			0 08:10:00 retract a1
			0 09:00:00 found a1 warning ana
			0 09:20:00 acknowledge a1
			1 12:00:00 end`, `
			day 0 08:00:30 coach: alert warning a1
			day 0 08:10:30 coach: withdrawn warning a1
			day 0 09:00:30 coach: alert warning a1`},
		"what is retracted and back before it was withdrawn is told once": {[]ChannelSettings{coach}, `
			0 08:00:00 found a1 warning ana
			0 08:10:00 retract a1
			0 08:10:20 found a1 warning ana
			0 09:20:00 acknowledge a1
			1 12:00:00 end`, `
			day 0 08:00:30 coach: alert warning a1`},
		"what gets worse is told again, at its severity": {[]ChannelSettings{coach}, `
			0 08:00:00 found a1 warning ana
			0 08:00:10 found a1 critical ana
			0 08:20:00 found a1 urgent ana
			0 08:21:00 acknowledge a1
			1 12:00:00 end`, `
			day 0 08:00:40 coach: alert critical a1
			day 0 08:20:00 coach: alert urgent a1`},
		"a warning that rests on little interrupts nobody until another confirms it": {[]ChannelSettings{coach}, `
			0 08:00:00 found a1 warning ana set-drop thin
			0 08:30:00 found a2 warning ana set-drop thin
			0 08:40:00 acknowledge a2
			3 12:00:00 end`, `
			day 0 08:30:30 coach: alert warning a2`},
		"of what is found at one moment the first confirms the second": {[]ChannelSettings{coach}, `
			0 08:00:00 found a2 warning ana set-drop thin
			0 08:00:00 found a1 warning ana set-drop thin
			0 08:40:00 end`, `
			day 0 08:00:30 coach: alert warning a1`},
		"four warnings in eight weeks use the budget up, and critical ones pass it": {[]ChannelSettings{coach}, `
			0 08:00:00 found a1 warning ana weekly-volume
			0 08:00:01 found a2 warning ana weekly-volume
			0 08:00:02 found a3 warning ana weekly-volume
			0 08:00:03 found a4 warning ana weekly-volume
			0 08:00:04 found a5 warning ana weekly-volume
			0 08:00:05 found a6 critical ana weekly-volume
			0 08:10:00 acknowledge a6
			0 09:00:00 end`, `
			day 0 08:00:30 coach: alert critical a6, alert warning a1, alert warning a2, alert warning a3, alert warning a4`},
		"advice and history interrupt nobody": {[]ChannelSettings{coach}, `
			0 08:00:00 found a1 advice ana
			0 08:00:00 found a2 urgent ana red-flag historical
			3 09:00:00 end`, ``},
		"a restart loses nothing and repeats nothing": {[]ChannelSettings{coach, second}, `
			0 08:00:00 found a1 critical ana
			0 08:00:10 restart
			0 08:00:20 found a2 warning ana
			0 08:05:00 restart
			0 09:30:00 restart
			0 10:00:00 acknowledge a1
			0 10:00:00 acknowledge a2
			1 09:00:00 end`, `
			day 0 08:00:30 coach: alert critical a1, alert warning a2
			day 0 09:00:00 second: escalation critical a1`},
		"a channel that is broken gets it once it works, and holds up no other": {[]ChannelSettings{coach, {Kind: Coach, Name: "chat"}}, `
			0 07:59:00 breaks chat
			0 08:00:00 found a1 warning ana
			0 08:04:00 works chat
			0 08:20:00 acknowledge a1
			1 09:00:00 end`, `
			day 0 08:00:30 coach: alert warning a1
			day 0 08:04 chat: alert warning a1`},
		"the week's digest comes on Monday at six by the channel's clock": {[]ChannelSettings{{Kind: Coach, Digest: true, Zone: "Europe/Berlin"}, second}, `
			0 08:00:00 end
			7 08:00:00 restart
			8 08:00:00 end`, `
			day 0 05:00:00 coach: digest Week 2026-W47: no alerts
			day 7 05:00:00 coach: digest Week 2026-W48: no alerts`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, c.channels...)
				defer d.close()
				d.run(c.script)
				slices.Sort(d.notes)
				want := trimmed(c.told)
				got := d.notes
				for i := range min(len(got), len(want)) {
					// How long a channel rests that was broken is drawn: to the minute.
					if to := len("day 0 08:04"); want[i][to] == ' ' {
						got[i] = got[i][:to] + got[i][to+len(":00"):]
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
			})
		})
	}
}
