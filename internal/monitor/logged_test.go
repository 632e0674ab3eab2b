package monitor_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// training is weeks of a training log: on two days of each as many sets of five.
func training(athlete lift.AthleteID, first time.Time, sets ...int) []journal.Event {
	var events []journal.Event
	for week, n := range sets {
		for day := range 2 {
			for range n {
				events = append(events, setEvent(athlete, len(events), first.AddDate(0, 0, 7*week+3*day).Add(18*time.Hour), 5, 100))
			}
		}
	}
	return events
}

// received is when the events of an import are.
func received(events []journal.Event, at time.Time) []journal.Event {
	events = slices.Clone(events)
	for i := range events {
		events[i].Received = at
	}
	return events
}

func (l *line) openRules(t tester, athlete lift.AthleteID) map[lift.Rule]int {
	t.Helper()
	rules := map[lift.Rule]int{}
	for _, a := range l.alerts(t, athlete) {
		if a.State != lift.AlertRetracted {
			rules[a.Rule]++
			if !a.Historical {
				t.Fatalf("%s is nobody's backlog: %+v", a.ID, a.Finding)
			}
		}
	}
	return rules
}

func TestATrainingLogIsJudgedByItsTimes(t *testing.T) {
	for name, order := range map[string]func([]journal.Event){
		"the oldest first": func([]journal.Event) {},
		"the newest first": func(e []journal.Event) { slices.Reverse(e) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t)
			l.start(1)
			now := begin.AddDate(1, 0, 0)
			l.put(t, tickAt(now))
			log := received(training("ana", begin, 3, 3, 3, 3, 3, 8), now)
			order(log)
			l.put(t, log...)
			l.settle(t)
			if rules := l.openRules(t, "ana"); rules[analysis.WeeklyVolume] == 0 {
				t.Fatalf("a week of more than twice the volume is nothing: %v", rules)
			}
			l.check(t, "ana")

			// Later imports have the week's sets at another time, where they were, and not at all.
			for what, change := range []func(*lift.LoggedSet){
				func(s *lift.LoggedSet) { s.Time = s.Time.AddDate(0, 0, 140) },
				func(s *lift.LoggedSet) { s.Time = s.Time.AddDate(0, 0, -140) },
				func(s *lift.LoggedSet) { s.Removed = true },
			} {
				var changed []journal.Event
				for i := range log {
					if e := &log[i]; e.Logged.Time.Sub(begin).Abs() > 35*24*time.Hour && len(changed) < 10 {
						*e = again(*e, change)
						changed = append(changed, *e)
					}
				}
				l.put(t, changed...)
				l.settle(t)
				l.check(t, "ana")
				if rules := l.openRules(t, "ana"); (rules[analysis.WeeklyVolume] > 0) != (what == 1) {
					t.Errorf("change %d: %v", what, rules)
				}
			}
		})
	}
}

// Who is lifting is not held up by somebody's training log, and both are judged.
func TestAnImportWaitsForWhoIsLifting(t *testing.T) {
	l := newLine(t)
	l.start(1)
	log := training("bo", begin, 3, 3, 3, 3, 3, 8)
	at := begin.AddDate(0, 0, 40).Add(18 * time.Hour)
	l.put(t, repEvent("bo", at.Add(-time.Minute), 1), tickAt(at))
	l.settle(t)
	l.put(t, append(received(log, at), slow("ana", at, 1, 0.41, 0.40)...)...)
	l.put(t, repEvent("bo", at.Add(time.Minute), 2)) // of whom an import waits
	l.settle(t)
	if len(l.check(t, "ana")) == 0 || len(l.check(t, "bo")) == 0 {
		t.Error("nothing was found")
	}
	l.restart(true)
	l.put(t, tickAt(at.Add(time.Hour)))
	l.settle(t)
	l.check(t, "bo")
}

// Ten years of a training log come at once. Reported is how long it takes until all is
// judged, and how often the athlete is loaded for it.
func BenchmarkAnImportOfTenYears(b *testing.B) {
	const sets = 100_000
	for _, newest := range []bool{false, true} {
		b.Run(fmt.Sprintf("newest-first=%t", newest), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				l := newLine(b)
				now := begin.AddDate(10, 0, 0)
				var events []journal.Event
				for i := range sets {
					at := begin.Add(time.Duration(i) * (10 * 365 * 24 * time.Hour / sets)).Truncate(24 * time.Hour).Add(18 * time.Hour)
					e := setEvent("ana", i, at, 5+i/700%3, 80+float64(i%7*10))
					e.Logged.Exercise = []lift.ExerciseID{"deadlift", "squat", "bench_press", "barbell_row"}[i%4]
					e.Received = now
					events = append(events, e)
				}
				if newest {
					slices.Reverse(events)
				}
				l.start(1)
				l.put(b, tickAt(now))
				l.settle(b)
				b.StartTimer()
				l.put(b, events...)
				logged := b.Elapsed()
				l.settle(b)
				b.ReportMetric(logged.Seconds(), "s-to-append")
				b.ReportMetric(float64(l.monitors[0].Stats.Loads.Load()), "loads")
				b.ReportMetric(float64(l.monitors[0].Stats.Found.Load()), "alerts")
				b.StopTimer()
				l.halt()
				b.StartTimer()
			}
		})
	}
}
