package monitor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// answer is a coach's word on an alert.
func answer(a lift.Alert, verb lift.AlertVerb, at time.Time) journal.Event {
	return journal.Event{
		Kind: journal.KindAnswer, Received: at, Site: a.Site, Athlete: a.Athlete,
		Alert: &lift.AlertChange{AlertID: a.ID, Verb: verb, At: at, Answer: &lift.Answer{By: "coach", At: at}},
	}
}

// only returns the one alert of the athlete, beside those of habits, of time alone
// and of whole sessions.
func (l *line) only(t tester, athlete lift.AthleteID) lift.Alert {
	t.Helper()
	l.settle(t)
	l.check(t, athlete)
	got := slices.DeleteFunc(l.alerts(t, athlete), func(a lift.Alert) bool {
		return a.Rule == analysis.Accessory || a.Rule == analysis.Hold || a.Rule == analysis.WarmUp || a.Rule == analysis.SessionSpike
	})
	if len(got) != 1 {
		t.Fatalf("%d alerts of %s, want 1", len(got), athlete)
	}
	return got[0]
}

func wantState(t *testing.T, when string, a lift.Alert, want lift.AlertState, severity lift.Severity) {
	t.Helper()
	if a.State != want || a.Severity != severity {
		t.Fatalf("%s: the alert is %s (%s), want %s (%s)", when, a.State, a.Severity, want, severity)
	}
}

// house is what somebody sets for everybody.
func house(revision int64, at time.Time, warningPct float64) journal.Event {
	return journal.Event{Kind: journal.KindRecord, Received: at, Record: &lift.Record{
		Kind: lift.OfHouse, ID: lift.House, Revision: revision, By: "kim", At: at,
		House: &lift.HouseRecord{Limits: lift.LimitsByRule{analysis.VelocityLoss: {
			Values: map[string]any{"deadlift_advice_pct": warningPct - 5, "deadlift_warning_pct": warningPct}, By: "kim", At: at,
		}}},
	}}
}

// What was judged under the limits of its day stays so, and says by which; of the
// day on which they are changed everything is judged anew, also of lifters who are
// long gone from memory.
func TestChangedLimitsHoldFromTheirDayOn(t *testing.T) {
	for _, crash := range []bool{false, true} {
		l := newLine(t)
		l.start(1)
		l.put(t, slow("ana", evening, 1, 0.39, 0.38)...)
		morning := evening.Add(12 * time.Hour)
		l.put(t, slow("ben", morning, 1, 0.39, 0.38)...)
		l.put(t, slow("cleo", morning.Add(time.Hour), 1, 0.39, 0.38)...)
		for minute := range 3 * 60 {
			l.put(t, tickAt(morning.Add(time.Duration(minute)*time.Minute)))
		}
		for _, athlete := range []lift.AthleteID{"ana", "ben", "cleo"} {
			a := l.only(t, athlete)
			wantState(t, string(athlete), a, lift.AlertOpen, lift.Warning)
			if a.Limits["deadlift_warning_pct"] != 20. {
				t.Errorf("the alert of %s was judged by %v", athlete, a.Limits)
			}
		}
		if crash {
			l.restart(false)
		}
		l.put(t, house(1, morning.Add(3*time.Hour), 45), house(1, morning.Add(3*time.Hour), 5)) // the second was too late
		l.put(t, tickAt(morning.Add(3*time.Hour+time.Minute)))
		wantState(t, "of the day before", l.only(t, "ana"), lift.AlertOpen, lift.Warning)
		l.await(t, "those of the day are judged anew", func() bool {
			return l.only(t, "ben").State == lift.AlertRetracted && l.only(t, "cleo").State == lift.AlertRetracted
		})
		l.put(t, slow("dan", morning.Add(4*time.Hour), 1, 0.25, 0.24)...)
		if got := l.only(t, "dan").Limits["deadlift_warning_pct"]; got != 45. {
			t.Errorf("judged by %v", got)
		}
	}
}

func TestAnAlertIsRetractedWithItsDataAndOpensAgainWithIt(t *testing.T) {
	l := newLine(t)
	l.start(1)
	set := slow("ana", evening, 1, 0.39, 0.38)
	l.put(t, set...)
	wantState(t, "found", l.only(t, "ana"), lift.AlertOpen, lift.Warning)
	l.put(t, answer(l.only(t, "ana"), lift.AlertAcknowledge, l.clock.Now()))
	at := l.clock.Now().Add(time.Minute)
	l.restart(true)
	l.put(t, edit(set[3], at, invalid), edit(set[4], at, invalid))
	wantState(t, "corrected away", l.only(t, "ana"), lift.AlertRetracted, lift.Warning)
	l.restart(false)
	l.put(t, edit(set[3], at.Add(time.Second), valid), edit(set[4], at.Add(time.Second), valid))
	got := l.only(t, "ana")
	wantState(t, "back", got, lift.AlertOpen, lift.Warning)
	if got.Acknowledged != nil {
		t.Fatal("what came back is not what was acknowledged")
	}
}

func TestMovingRepsToSomebodyElseMovesTheAlert(t *testing.T) {
	for _, away := range []bool{false, true} {
		l := newLine(t)
		l.start(1)
		set := slow("ana", evening, 1, 0.39, 0.38)
		l.put(t, set...)
		l.settle(t)
		// Three weeks later nobody of then is in memory.
		later := evening.AddDate(0, 0, 21)
		l.put(t, tickAt(later))
		l.settle(t)
		if away {
			l.halt()
			l.start(0)
		}
		for i, e := range set {
			at := later.Add(time.Duration(i) * time.Second)
			l.put(t, edit(e, at, func(c *lift.RepEdit) { c.Athlete = new(lift.AthleteID("ben")) }))
		}
		if away {
			l.reopenViewAhead(t)
		}
		l.settle(t)
		l.put(t, tickAt(later.Add(time.Hour)))
		wantState(t, "ana's", l.only(t, "ana"), lift.AlertRetracted, lift.Warning)
		wantState(t, "ben's", l.only(t, "ben"), lift.AlertExpired, lift.Warning)
	}
}

func TestAnAnswerStandsUntilItGetsWorse(t *testing.T) {
	for _, verb := range []lift.AlertVerb{lift.AlertAcknowledge, lift.AlertResolve} {
		t.Run(string(verb), func(t *testing.T) {
			state := map[lift.AlertVerb]lift.AlertState{lift.AlertAcknowledge: lift.AlertAcknowledged, lift.AlertResolve: lift.AlertResolved}[verb]
			l := newLine(t)
			l.start(1)
			after := evening.Add(time.Hour)
			l.put(t, report("ana", after, lift.PhaseAfter, 6))
			first := l.only(t, "ana")
			wantState(t, "reported", first, lift.AlertOpen, lift.Warning)
			l.put(t, answer(first, verb, after.Add(time.Minute)))
			wantState(t, "answered", l.only(t, "ana"), state, lift.Warning)
			l.put(t, report("ana", after.Add(2*time.Minute), lift.PhaseAfter, 7))
			got := l.only(t, "ana")
			wantState(t, "as bad", got, state, lift.Warning)
			if got.Evidence.Value == first.Evidence.Value {
				t.Fatal("the evidence has not followed")
			}
			l.restart(true)
			l.put(t, report("ana", after.Add(3*time.Minute), lift.PhaseAfter, 10))
			wantState(t, "worse", l.only(t, "ana"), lift.AlertOpen, lift.Critical)
		})
	}
}

// lapse follows one alert tick by tick.
func lapse(t *testing.T, l *line, a lift.Alert, ends time.Time) {
	t.Helper()
	for _, step := range []struct {
		at   time.Time
		want lift.AlertState
	}{{ends, lift.AlertOpen}, {ends.Add(time.Minute), lift.AlertExpired}, {ends.Add(2 * time.Minute), lift.AlertExpired}} {
		l.put(t, tickAt(step.at))
		l.settle(t)
		got, err := l.view.Alert(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.State != step.want {
			t.Fatalf("%s alert of %s at %s: %s, want %s", a.Rule, a.Window.Kind, step.at, got.State, step.want)
		}
	}
}

func TestAlertsExpireByTicks(t *testing.T) {
	t.Run("of a set, a day after it", func(t *testing.T) {
		l := newLine(t)
		l.start(1)
		l.put(t, slow("ana", evening, 1, 0.39, 0.38)...)
		a := l.only(t, "ana")
		lapse(t, l, a, a.Window.To.Truncate(time.Minute).Add(24*time.Hour))
	})
	t.Run("of a session, a day after its date", func(t *testing.T) {
		l := newLine(t)
		l.start(1)
		l.put(t, report("ana", evening, lift.PhaseAfter, 7))
		l.restart(true) // nobody is in memory
		lapse(t, l, l.only(t, "ana"), begin.AddDate(0, 0, 4))
	})
	t.Run("of a week, when the next one closes", func(t *testing.T) {
		l := newLine(t)
		l.start(1)
		for week := range 6 {
			sets := 2
			if week == 5 {
				sets = 4
			}
			for set := range sets {
				at := evening.AddDate(0, 0, 7*week).Add(time.Duration(5*set) * time.Minute)
				l.put(t, slow("ana", at, set, 0.51, 0.5)...)
			}
		}
		lapse(t, l, l.only(t, "ana"), begin.AddDate(0, 0, 7*7))
	})
	t.Run("of a red flag, never", func(t *testing.T) {
		l := newLine(t)
		l.start(1)
		l.put(t, report("ana", evening, lift.PhaseDaily, 2, lift.SaddleNumbness))
		l.put(t, tickAt(evening.AddDate(2, 0, 0)))
		wantState(t, "after two years", l.only(t, "ana"), lift.AlertOpen, lift.Urgent)
	})
	t.Run("of a backlog, at once or with the next tick", func(t *testing.T) {
		l := newLine(t)
		l.start(1)
		set := slow("ana", evening, 1, 0.39, 0.38)
		for i := range set {
			set[i].Received = evening.AddDate(0, 0, 40)
			set[i].Rep.Historical = true
		}
		l.put(t, set...)
		wantState(t, "imported before any tick", l.only(t, "ana"), lift.AlertOpen, lift.Warning)
		l.put(t, tickAt(evening.AddDate(0, 0, 40).Add(time.Minute)))
		wantState(t, "a minute later", l.only(t, "ana"), lift.AlertExpired, lift.Warning)
		later := slow("bo", evening, 1, 0.39, 0.38)
		for i := range later {
			later[i].Received = evening.AddDate(0, 0, 40)
			later[i].Rep.Historical = true
		}
		l.put(t, later...)
		wantState(t, "imported where time is known", l.only(t, "bo"), lift.AlertExpired, lift.Warning)
	})
	t.Run("by the one tick after a stop", func(t *testing.T) {
		l := newLine(t)
		l.start(1)
		set := slow("ana", evening, 1, 0.39, 0.38)
		l.put(t, set...)
		l.put(t, report("ben", evening, lift.PhaseAfter, 7))
		l.settle(t)
		l.reboot()
		l.put(t, tickAt(evening.AddDate(0, 0, 3)))
		wantState(t, "ana's", l.only(t, "ana"), lift.AlertExpired, lift.Warning)
		wantState(t, "ben's", l.only(t, "ben"), lift.AlertExpired, lift.Warning)
		before := l.steps(t)
		l.put(t, edit(set[3], l.clock.Now(), invalid), edit(set[4], l.clock.Now(), invalid))
		wantState(t, "corrected away", l.only(t, "ana"), lift.AlertRetracted, lift.Warning)
		if d := len(l.steps(t)[l.only(t, "ben").ID]) - len(before[l.only(t, "ben").ID]); d != 0 {
			t.Fatal(cmp.Diff(before, l.steps(t)))
		}
	})
}

// What time alone finds is found for athletes who left memory long ago, whether or
// not the program ran in between.
func TestTimeAloneFindsForThoseNotInMemory(t *testing.T) {
	for name, between := range map[string]func(*line){
		"running on": func(*line) {},
		"stopped":    func(l *line) { l.restart(true) },
		"killed":     func(l *line) { l.restart(false) },
		"rebooted":   func(l *line) { l.reboot() },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t)
			l.start(1)
			l.put(t, slow("ana", evening, 1)...)
			l.put(t, report("ana", evening.Add(time.Hour), lift.PhaseAfter, 7))
			l.put(t, tickAt(evening.Add(2*time.Hour)))
			l.put(t, tickAt(evening.Add(5*time.Hour))) // out of memory
			l.settle(t)
			between(l)
			monday := begin.AddDate(0, 0, 7)
			for _, c := range []struct {
				at   time.Time
				rule lift.Rule
			}{{monday, analysis.Accessory}, {evening.Add(-18*time.Hour).AddDate(0, 0, 14), analysis.Hold}} {
				has := func() bool {
					return slices.ContainsFunc(l.check(t, "ana"), func(f final) bool { return f.Rule == c.rule })
				}
				l.put(t, tickAt(c.at.Add(-time.Minute)))
				l.settle(t)
				if has() {
					t.Fatalf("%s was found before its time", c.rule)
				}
				l.put(t, tickAt(c.at))
				l.settle(t)
				if !has() {
					t.Fatalf("%s was not found", c.rule)
				}
			}
		})
	}
}

// A coach's hold, and its release, change what is said of deadlifts already done.
func TestAPlanStepIsJudgedFromItsTimeOn(t *testing.T) {
	step := func(verb lift.PlanVerb, at, received time.Time) journal.Event {
		return journal.Event{Kind: journal.KindPlan, Received: received, Site: "main", Athlete: "ana", Plan: &lift.PlanStep{Verb: verb, At: at, By: "coach"}}
	}
	violated := func(l *line) bool {
		return slices.ContainsFunc(l.check(t, "ana"), func(f final) bool { return f.Rule == analysis.Hold })
	}
	for name, between := range map[string]func(*line){"at once": func(*line) {}, "after a restart": func(l *line) { l.restart(false) }} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t)
			l.start(1)
			l.put(t, slow("ana", evening, 1)...)
			l.settle(t)
			if violated(l) {
				t.Fatal("there is no hold yet")
			}
			between(l)
			later := evening.Add(3 * time.Hour)
			l.put(t, step(lift.PlanHold, evening.Add(-time.Hour), later))
			l.settle(t)
			if !violated(l) {
				t.Fatal("the hold began before the deadlifts")
			}
			between(l)
			l.put(t, step(lift.PlanRelease, evening.Add(-time.Minute), later.Add(time.Hour)))
			l.settle(t)
			if violated(l) {
				t.Fatal("the hold was released before the deadlifts")
			}
		})
	}
}
