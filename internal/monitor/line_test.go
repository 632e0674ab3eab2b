package monitor_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/monitor"
	"github.com/spotterhq/spotter/internal/roster"
	"github.com/spotterhq/spotter/internal/view"
)

// patience is how long a test waits for what must happen.
const patience = 3 * time.Minute

// tester is what testing and rapid have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// clock is the time of the program under test: that of the newest event, a little
// later with every look, so that nothing is said twice at one instant.
type clock struct{ now, looks atomic.Int64 }

func (c *clock) Now() time.Time {
	return time.Unix(0, c.now.Load()).UTC().Add(time.Duration(c.looks.Add(1)) * time.Microsecond)
}

func (c *clock) set(t time.Time) { c.now.Store(max(c.now.Load(), t.UnixNano())) }

var errCrashed = errors.New("the program was killed")

// mortal is a log that a crash cuts off: nothing reaches it any more.
type mortal struct {
	*journal.Log
	dead atomic.Bool
	// gate, where set, lets a monitor that says how far it is wait until it closes.
	gate    atomic.Pointer[chan struct{}]
	waiting atomic.Bool
}

// release lets the monitors go on that hold has held.
func (m *mortal) release() {
	gate := m.gate.Swap(nil)
	m.waiting.Store(false)
	close(*gate)
}

func (m *mortal) Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error) {
	if m.dead.Load() {
		return nil, errCrashed
	}
	return m.Log.Append(ctx, events...)
}

func (m *mortal) SavePosition(ctx context.Context, follower string, seq uint64) error {
	if m.dead.Load() {
		return errCrashed
	}
	if gate := m.gate.Load(); gate != nil {
		m.waiting.Store(true)
		select {
		case <-*gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return m.Log.SavePosition(ctx, follower, seq)
}

// line is a data folder with the log, the view and the monitor on it, as the
// program runs them.
type line struct {
	t     testing.TB
	dir   string
	files int // views made so far
	clock clock
	zone  *time.Location
	log   *journal.Log
	view  *view.View
	last  uint64 // sequence of what was appended last
	tick  time.Time

	mortal   *mortal
	monitors []*monitor.Monitor
	running  context.Context
	stop     context.CancelFunc
	done     sync.WaitGroup
	failed   chan error
}

// newLine opens an empty log and a view; no monitor runs yet.
func newLine(t testing.TB) *line {
	t.Helper()
	l := &line{t: t, dir: t.TempDir(), zone: time.UTC, failed: make(chan error, 8)}
	l.openLog()
	l.openView()
	t.Cleanup(func() {
		l.halt()
		l.closeView()
		l.log.Close()
	})
	return l
}

func (l *line) openLog() {
	l.t.Helper()
	log, err := journal.Open(l.t.Context(), journal.Options{
		Dir: filepath.Join(l.dir, "log"), Fsync: need.Fsync, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.log = log
}

func (l *line) openView() {
	l.t.Helper()
	path := filepath.Join(l.dir, fmt.Sprintf("view-%d.db", l.files))
	v, err := view.Open(l.t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		l.t.Fatal(err)
	}
	l.view = v
}

func (l *line) closeView() {
	if err := l.view.Close(); err != nil {
		l.t.Error(err)
	}
}

// goRun runs a part until the line stops.
func (l *line) goRun(ctx context.Context, name string, run func(context.Context) error) {
	l.done.Go(func() {
		if err := run(ctx); ctx.Err() == nil && !errors.Is(err, errCrashed) {
			l.failed <- fmt.Errorf("%s stopped: %w", name, err)
		}
	})
}

// start runs the view and n monitors.
func (l *line) start(n int) {
	l.begin()
	l.startView()
	for range n {
		l.startMonitor()
	}
}

// begin makes a start with nothing running.
func (l *line) begin() {
	l.running, l.stop = context.WithCancel(context.Background())
	l.mortal, l.monitors = &mortal{Log: l.log}, nil
}

func (l *line) startView() {
	l.goRun(l.running, "view", func(ctx context.Context) error { return l.view.Run(ctx, l.log) })
}

// startMonitor runs one monitor more.
func (l *line) startMonitor() {
	m := monitor.New(monitor.Options{
		Log: l.mortal, View: l.view, Logger: slog.New(slog.DiscardHandler), Now: l.clock.Now,
		Settings: l.settings,
	})
	l.monitors = append(l.monitors, m)
	l.goRun(l.running, "monitor", m.Run)
}

func (l *line) settings(athlete lift.AthleteID) analysis.Settings {
	return roster.New(l.view, analysis.Settings{Zone: l.zone}).Settings(athlete)
}

// hold lets the monitors that write to the log through m wait after what they judge
// next, and returns once one does.
func (l *line) hold(t tester, m *mortal) {
	t.Helper()
	m.gate.Store(new(make(chan struct{})))
	l.put(t, marker(l.clock.Now().Add(2*time.Second)))
	l.await(t, "the monitor waits", m.waiting.Load)
}

// halt stops what runs, in order.
func (l *line) halt() {
	if l.stop != nil {
		l.stop()
		l.done.Wait()
		l.stop = nil
	}
}

// restart stops what runs and starts it again: cleanly, or as after kill -9, when
// the monitor could not say how far it was.
func (l *line) restart(clean bool) {
	l.t.Helper()
	n := len(l.monitors)
	if !clean {
		l.mortal.dead.Store(true)
	}
	l.halt()
	l.closeView()
	l.openView()
	l.start(n)
}

// reboot is a restart of the log too.
func (l *line) reboot() {
	l.t.Helper()
	n := len(l.monitors)
	l.halt()
	l.closeView()
	l.log.Close()
	l.openLog()
	l.openView()
	l.start(n)
}

// loseView stops what runs and begins a new, empty view.
func (l *line) loseView() {
	l.t.Helper()
	l.halt()
	l.closeView()
	l.files++
	l.openView()
}

// put appends events.
func (l *line) put(t tester, events ...journal.Event) {
	t.Helper()
	for len(events) > 0 {
		n := min(len(events), journal.MaxBatch)
		for i := range events[:n] {
			l.clock.set(events[i].Received)
			if events[i].Minute.After(l.tick) {
				l.tick = events[i].Minute
			}
		}
		acks, err := l.log.Append(context.Background(), events[:n]...)
		if err != nil {
			t.Fatal("append", err)
		}
		for _, a := range acks {
			l.last = max(l.last, a.Seq)
		}
		events = events[n:]
	}
}

func tickAt(at time.Time) journal.Event {
	minute := at.Truncate(time.Minute)
	return journal.Event{Kind: journal.KindTick, Received: at, Minute: minute}
}

// marker is an event that means nothing to the monitor.
func marker(at time.Time) journal.Event {
	return journal.Event{
		Kind: journal.KindStatus, Received: at, Site: "main", Device: "marker",
		Status: &lift.DeviceStatus{State: lift.DeviceReady},
	}
}

// await polls until the condition holds.
func (l *line) await(t tester, what string, holds func() bool) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-poll.C:
		case err := <-l.failed:
			t.Fatal(err)
		case <-deadline.C:
			t.Fatalf("waited %s in vain until %s", patience, what)
		}
	}
}

// settle waits until the monitors have judged everything and the view knows what
// they said; again, where somebody answered what another said.
func (l *line) settle(t tester) {
	t.Helper()
	for {
		seq := l.last
		for _, m := range l.monitors {
			l.await(t, "the monitor is done", func() bool { return m.Position() >= seq })
		}
		// The monitor's words are in the log before this.
		l.put(t, marker(l.clock.Now()))
		l.await(t, "the view is done", func() bool { return l.view.Position() >= l.last })
		if l.last == seq+1 || len(l.monitors) == 0 {
			return
		}
	}
}

// final is what of an alert does not depend on the course of things.
type final struct {
	ID       string
	Rule     lift.Rule
	Severity lift.Severity
	Evidence lift.Evidence
	Window   lift.Window
}

func finalOf(f *lift.Finding) final { return final{f.ID, f.Rule, f.Severity, f.Evidence, f.Window} }

func sortFinal(list []final) []final {
	slices.SortFunc(list, func(a, b final) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// alerts are all of the athlete, retracted ones among them.
func (l *line) alerts(t tester, athlete lift.AthleteID) []lift.Alert {
	t.Helper()
	var all []lift.Alert
	for page := (view.Page{Limit: 500}); ; {
		alerts, next, err := l.view.Alerts(context.Background(), view.AlertQuery{Athlete: athlete}, page)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, alerts...); next == "" {
			return all
		}
		page.Cursor = next
	}
}

// final are the athlete's alerts that are not retracted.
func (l *line) final(t tester, athlete lift.AthleteID) []final {
	t.Helper()
	var list []final
	for _, a := range l.alerts(t, athlete) {
		if a.State != lift.AlertRetracted {
			list = append(list, finalOf(&a.Finding))
		}
	}
	return sortFinal(list)
}

// judged is what the reference finds in what the view knows of the athlete.
func (l *line) judged(t tester, athlete lift.AthleteID) []final {
	t.Helper()
	h, err := l.view.History(context.Background(), athlete, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var list []final
	for _, f := range analysis.Judge(analysis.History{Site: h.Site, Athlete: athlete, Reps: h.Reps, Logged: h.Logged, CheckIns: h.CheckIns, Plan: h.Plan}, l.settings(athlete), l.tick) {
		list = append(list, finalOf(&f))
	}
	return sortFinal(list)
}

// check fails unless the athlete's final alerts are what the reference finds, and
// returns them.
func (l *line) check(t tester, athlete lift.AthleteID) []final {
	t.Helper()
	got := l.final(t, athlete)
	if d := gocmp.Diff(l.judged(t, athlete), got); d != "" {
		t.Fatalf("alerts of %s, - as judged from the history, + as the monitor said:\n%s", athlete, d)
	}
	return got
}

// steps are all steps of all alerts, by alert.
func (l *line) steps(t tester) map[string][]view.AlertStep {
	t.Helper()
	all := map[string][]view.AlertStep{}
	var after uint64
	for {
		steps, err := l.view.AlertStepsAfter(context.Background(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(steps) == 0 {
			return all
		}
		for _, s := range steps {
			all[s.Alert.ID] = append(all[s.Alert.ID], s)
			after = s.Seq
		}
	}
}

// checkNothingTwice fails where a step repeats the one before it, or where an
// alert was retracted, though nothing was corrected away.
func (l *line) checkNothingTwice(t tester) {
	t.Helper()
	for id, steps := range l.steps(t) {
		for i, s := range steps {
			if s.Verb == lift.AlertRetract {
				t.Fatalf("alert %s (%s) was retracted in step %d of %d", id, s.Alert.Rule, i+1, len(steps))
			}
			if i == 0 {
				continue
			}
			before := steps[i-1].Alert
			if s.Verb == lift.AlertFound && before.State == s.Alert.State && before.Same(&s.Alert.Finding) {
				t.Fatalf("alert %s (%s): step %d says again what step %d said", id, s.Alert.Rule, i+1, i)
			}
		}
	}
}
