package monitor_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// evening is an hour at which people train, on a Wednesday.
var evening = begin.AddDate(0, 0, 2).Add(18 * time.Hour)

// Promise 3: final alerts do not depend on restarts, and nothing is said twice.
func TestRestartsAtAnyMomentChangeNothing(t *testing.T) {
	events := minutes(season(2))
	run := func(t *testing.T, restart func(*line, int)) map[lift.AthleteID][]final {
		l := newLine(t)
		l.start(1)
		rng := rand.New(rand.NewPCG(4, 5))
		for i, rest := 0, events; len(rest) > 0; i++ {
			n := min(len(rest), 1+rng.IntN(700))
			l.put(t, rest[:n]...)
			rest = rest[n:]
			restart(l, i)
		}
		l.put(t, tickAt(l.clock.Now().AddDate(0, 0, 1)))
		l.settle(t)
		l.checkNothingTwice(t)
		got := map[lift.AthleteID][]final{}
		for _, a := range athletesOf(events) {
			got[a] = l.check(t, a)
		}
		return got
	}
	want := run(t, func(*line, int) {})
	for name, restart := range map[string]func(*line, int){
		"stopped": func(l *line, i int) { l.restart(true) },
		"killed":  func(l *line, i int) { l.restart(false) },
		"stopped with the log": func(l *line, i int) {
			if i%4 == 0 {
				l.reboot()
			}
		},
		"killed, and the view lost": func(l *line, i int) {
			if i%4 == 0 {
				l.mortal.dead.Store(true)
				l.loseView()
				l.start(1)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(want, run(t, restart)); d != "" {
				t.Fatalf("- undisturbed, + with restarts:\n%s", d)
			}
		})
	}
}

// While the view is built anew, what is not in it yet is not missing.
func TestNothingIsRetractedWhileTheViewIsBehind(t *testing.T) {
	l := newLine(t)
	l.start(1)
	events := minutes(season(3))
	l.put(t, events...)
	l.settle(t)
	l.put(t, tickAt(l.clock.Now().Add(time.Minute))) // what is long past expires
	l.settle(t)
	before := l.steps(t)
	for range 3 {
		l.loseView()
		l.start(1)
		l.put(t, tickAt(l.clock.Now().Add(time.Minute)))
		l.settle(t)
		if d := cmp.Diff(before, l.steps(t)); d != "" {
			t.Fatalf("- before, + with a new view:\n%s", d)
		}
	}
}

// A rule that only the clock makes true is true after a restart too, and stays so.
func TestASetIsFinishedOverARestart(t *testing.T) {
	slowEnd := slow("ana", evening, 1, 0.39) // one slow rep: only a finished set says so
	last := slowEnd[len(slowEnd)-1].Received
	for name, down := range map[string]time.Duration{"soon": 2 * time.Minute, "after two days": 48 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t)
			l.start(1)
			l.put(t, slowEnd...)
			l.put(t, tickAt(last.Add(30*time.Second)))
			l.settle(t)
			if got := l.final(t, "ana"); len(got) > 0 {
				t.Fatalf("the set is not finished yet: %v", got)
			}
			l.restart(true)
			l.settle(t)
			l.clock.set(last.Add(down))
			l.restart(true) // nothing happened in between, but for time
			l.put(t, tickAt(last.Add(down)))
			l.settle(t)
			if got := l.check(t, "ana"); len(got) != 1 {
				t.Fatalf("%d alerts of a finished set, want 1", len(got))
			}
			l.restart(true)
			l.settle(t)
			l.restart(false)
			l.put(t, tickAt(last.Add(down+time.Minute)))
			l.settle(t)
			l.checkNothingTwice(t)
		})
	}
}

// A tick among what a monitor catches up on counts as one that it follows.
func TestASetIsFinishedByATickThatWasMissed(t *testing.T) {
	l := newLine(t)
	l.start(1)
	set := slow("ana", evening, 1, 0.39)
	last := set[len(set)-1].Received
	l.put(t, set...)
	l.settle(t)
	l.halt()
	l.start(0)
	l.put(t, marker(last)) // the view knows of more than the monitor
	l.await(t, "the view is done", func() bool { return l.view.Position() >= l.last })
	l.halt()
	l.closeView()
	l.openView()
	l.put(t, tickAt(last.Add(5*time.Minute)))
	l.begin()
	l.startMonitor()
	l.await(t, "the monitor waits for the view", func() bool { return l.monitors[0].Stats.Loads.Load() > 0 })
	l.startView()
	l.settle(t)
	if got := l.check(t, "ana"); len(got) != 1 {
		t.Fatalf("%d alerts of a finished set, want 1", len(got))
	}
}

// What a monitor missed while it was away is judged from the history, where the
// view no longer tells it change by change.
func TestAMonitorThatWasAwayFindsTheSame(t *testing.T) {
	events := minutes(season(4))
	half := len(events) / 2
	run := func(t *testing.T, away bool) map[lift.AthleteID][]final {
		l := newLine(t)
		l.start(1)
		l.put(t, events[:half]...)
		l.settle(t)
		if away {
			l.halt()
			l.start(0)
		}
		l.put(t, events[half:]...)
		for i, e := range events {
			if e.Kind == journal.KindRep && i%50 == 0 {
				l.put(t, edit(e, l.clock.Now(), invalid))
			}
		}
		if away {
			l.reopenViewAhead(t)
		}
		l.put(t, tickAt(l.clock.Now().AddDate(0, 0, 1)))
		l.settle(t)
		got := map[lift.AthleteID][]final{}
		for _, a := range athletesOf(events) {
			got[a] = l.check(t, a)
		}
		return got
	}
	if d := cmp.Diff(run(t, false), run(t, true)); d != "" {
		t.Fatalf("- followed, + caught up:\n%s", d)
	}
}

// reopenViewAhead starts a monitor on a view that holds no changes, only their
// effect.
func (l *line) reopenViewAhead(t tester) {
	t.Helper()
	l.await(t, "the view is done", func() bool { return l.view.Position() >= l.last })
	l.halt()
	l.closeView()
	l.openView()
	l.start(1)
}

// An athlete who is loaded anew for a later week is still judged on an earlier one
// that only time will close.
func TestALaterWeekThatIsLoadedForgetsNoEarlierOne(t *testing.T) {
	l := newLine(t)
	l.start(1)
	l.put(t, slow("ana", evening, 1)...)
	l.settle(t)
	next := repEvent("ana", evening.AddDate(0, 0, 14), 1)
	l.put(t, next)
	l.settle(t)
	l.put(t, revised(next, next.Received.Add(time.Second), func(r *lift.Rep) { r.Time = r.Time.Add(-time.Minute) }))
	l.settle(t)
	l.put(t, tickAt(evening.AddDate(0, 0, 14).Add(time.Hour)))
	l.settle(t)
	l.check(t, "ana")
}

// What came in one go with a change that needs the history is judged too.
func TestWhatComesWithACorrectionOfAnotherWeekIsJudged(t *testing.T) {
	l := newLine(t)
	l.start(1)
	l.put(t, slow("ana", evening, 1)...)
	l.settle(t)
	l.hold(t, l.mortal)
	l.put(t, slow("ana", evening.Add(time.Hour), 2, 0.39, 0.38)...)
	next := repEvent("ana", evening.AddDate(0, 0, 14), 1)
	l.put(t, next, revised(next, next.Received.Add(time.Second), func(r *lift.Rep) { r.Time = r.Time.Add(-time.Minute) }))
	l.put(t, tickAt(evening.AddDate(0, 0, 14).Add(time.Hour)))
	l.mortal.release()
	l.settle(t)
	slowed := func(f final) bool { return f.Rule == analysis.VelocityLoss }
	if got := l.check(t, "ana"); !slices.ContainsFunc(got, slowed) {
		t.Fatalf("alerts %+v, none of a slow set", got)
	}
}

// The view keeps so many changes for its readers; a monitor that comes later still
// reads them all.
func TestAMonitorBehindTheViewsChangesFindsTheSame(t *testing.T) {
	l := newLine(t)
	var events []journal.Event
	for set := range 4200 { // × 4 reps: more changes than the view holds
		at := evening.Add(time.Duration(set) * 3 * time.Minute)
		events = append(events, slow(lift.AthleteID("lifter-"+string(rune('a'+set%20))), at, set, 0.50-0.11*float64(set%2))...)
	}
	l.start(0)
	l.put(t, events...)
	l.await(t, "the view is done", func() bool { return l.view.Position() >= l.last })
	if from, _ := l.view.Changes().Span(); from == 0 {
		t.Fatal("the view still holds every change")
	}
	l.startMonitor()
	l.put(t, tickAt(l.clock.Now().Add(time.Hour)))
	l.settle(t)
	found := 0
	for _, a := range athletesOf(events) {
		found += len(l.check(t, a))
	}
	if found == 0 {
		t.Fatal("nothing was found")
	}
	l.checkNothingTwice(t)
}

// Two monitors on one log find what one finds; no alert is opened twice.
func TestTwoMonitorsSayWhatOneSays(t *testing.T) {
	events := minutes(season(5))
	l := newLine(t)
	l.start(2)
	rng := rand.New(rand.NewPCG(6, 7))
	for rest := events; len(rest) > 0; {
		n := min(len(rest), 1+rng.IntN(500))
		l.put(t, rest[:n]...)
		rest = rest[n:]
	}
	l.settle(t)
	l.checkNothingTwice(t)
	var edits []journal.Event
	for i, e := range events {
		if e.Kind == journal.KindRep && i%20 == 0 {
			edits = append(edits, edit(e, l.clock.Now(), invalid))
		}
	}
	l.put(t, edits...)
	for i := range edits {
		back := *edits[i].Edit
		back.Valid, back.At = new(i%3 > 0), l.clock.Now()
		edits[i].Edit = &back
	}
	l.put(t, slices.Clone(edits)...)
	l.put(t, tickAt(l.clock.Now().AddDate(0, 0, 1)))
	l.settle(t)
	for _, a := range athletesOf(events) {
		l.check(t, a)
	}
}

// twoApart runs two monitors that know of ana's training so far, of which the
// second is held back.
func twoApart(t *testing.T, before ...journal.Event) (l *line, second *mortal) {
	l = newLine(t)
	l.start(1)
	second = &mortal{Log: l.log}
	first := l.mortal
	l.mortal = second
	l.startMonitor()
	l.mortal = first
	l.put(t, before...)
	l.settle(t)
	l.hold(t, second)
	return l, second
}

// filler are more events than a monitor judges at once, which mean nothing.
func filler(part int) []journal.Event {
	var events []journal.Event
	for i := range 4200 {
		events = append(events, tickAt(begin.Add(-time.Duration(4200*part+i)*time.Minute)))
	}
	return events
}

// A monitor that lags says nothing that a faster one has overtaken.
func TestAMonitorThatLagsUnsaysNothing(t *testing.T) {
	at := evening.Add(time.Hour)
	lagging := func(t *testing.T, before []journal.Event, then ...[]journal.Event) []lift.Alert {
		l, second := twoApart(t, before...)
		for i, events := range then {
			l.put(t, events...)
			l.await(t, "the first is done", func() bool { return l.monitors[0].Position() >= l.last })
			l.put(t, filler(i)...)
		}
		second.release()
		l.settle(t)
		l.checkNothingTwice(t)
		l.check(t, "ana")
		return l.alerts(t, "ana")
	}
	steady := slow("ana", evening, 1)
	t.Run("of the end of a set", func(t *testing.T) {
		got := lagging(t, nil, slow("ana", at, 2, 0.39), []journal.Event{tickAt(at.Add(10 * time.Minute))})
		if len(got) != 1 || got[0].Revision != 1 {
			t.Fatalf("want one alert in its first revision, got %v", got)
		}
	})
	t.Run("of a set that was put right", func(t *testing.T) {
		set := slow("ana", at, 2, 0.39, 0.38)
		right := []journal.Event{edit(set[3], at.Add(time.Minute), invalid), edit(set[4], at.Add(time.Minute), invalid)}
		l, second := twoApart(t)
		for _, events := range [][]journal.Event{steady, filler(0), set, filler(1), right, {tickAt(at.Add(10 * time.Minute))}} {
			l.put(t, events...)
			l.await(t, "the first is done", func() bool { return l.monitors[0].Position() >= l.last })
		}
		second.release()
		l.settle(t)
		got := l.alerts(t, "ana")
		if len(got) != 1 || got[0].State != lift.AlertRetracted || got[0].Revision != 2 {
			t.Fatalf("want one alert, found and retracted once, got %v", got)
		}
	})
	t.Run("of a set that both know", func(t *testing.T) {
		l, second := twoApart(t, steady...)
		l.hold(t, l.mortal) // so that what it says comes after the filler
		l.put(t, append(slow("ana", at, 2, 0.39, 0.38), filler(0)...)...)
		l.mortal.release()
		l.await(t, "the first is done", func() bool { return l.monitors[0].Position() >= l.last })
		second.release()
		l.settle(t)
		l.checkNothingTwice(t)
		if got := l.check(t, "ana"); len(got) != 1 || l.monitors[1].Stats.Displaced.Load() == 0 {
			t.Fatalf("want one alert and a displaced monitor, got %v", got)
		}
	})
}

// What a monitor said before it died, of less than the other knows, does not stand.
func TestAMonitorCorrectsAnotherThatDied(t *testing.T) {
	set := slow("ana", evening, 1, 0.39, 0.38)
	l, second := twoApart(t, set...)
	at := l.clock.Now()
	l.put(t, edit(set[4], at, invalid), edit(set[3], at, invalid))
	l.await(t, "the first is done", func() bool { return l.monitors[0].Position() >= l.last })
	l.mortal.dead.Store(true)
	l.put(t, edit(set[4], at.Add(time.Second), valid), edit(set[3], at.Add(time.Second), valid))
	l.await(t, "the view is done", func() bool { return l.view.Position() >= l.last })
	second.release()
	l.monitors = l.monitors[1:]
	l.settle(t)
	if got := l.check(t, "ana"); len(got) != 1 {
		t.Fatalf("%d alerts, want the one that holds", len(got))
	}
}

// Time goes on while nothing ticks: a week that ended meanwhile is judged, though the
// first thing that comes after is something else, and the server dies of it.
func TestAWeekThatEndedWhileNothingTickedIsJudgedAfterACrash(t *testing.T) {
	l := newLine(t)
	l.start(1)
	l.put(t, slow("ana", evening, 1)...)
	l.put(t, tickAt(evening.Add(time.Hour)))
	l.settle(t)
	next := evening.AddDate(0, 0, 8) // in the week after
	l.put(t, slow("ben", next, 1)...)
	l.settle(t)
	l.restart(false)
	l.put(t, tickAt(next.Add(time.Hour)))
	l.settle(t)
	l.put(t, tickAt(next.AddDate(0, 0, 1)))
	l.settle(t)
	weekly := func(f final) bool { return f.Window.Kind == lift.WindowWeek }
	if got := l.check(t, "ana"); !slices.ContainsFunc(got, weekly) {
		t.Fatalf("alerts %+v, none of the week", got)
	}
}

// A log that has lost its end in a power cut does not hide what comes next.
func TestAPositionBehindTheLogsEndIsTakenBack(t *testing.T) {
	l := newLine(t)
	l.start(0)
	l.put(t, slow("ana", evening, 1)...)
	if err := l.log.SavePosition(t.Context(), "monitor", l.last+1000); err != nil {
		t.Fatal(err)
	}
	l.startMonitor()
	l.settle(t) // what comes before the monitor looks is behind the end too
	l.put(t, slow("ana", evening.Add(time.Hour), 2, 0.39, 0.38)...)
	l.put(t, tickAt(evening.Add(2*time.Hour)))
	l.settle(t)
	slowed := func(f final) bool { return f.Rule == analysis.VelocityLoss }
	if got := l.check(t, "ana"); !slices.ContainsFunc(got, slowed) {
		t.Fatalf("alerts %+v, none of a slow set", got)
	}
}
