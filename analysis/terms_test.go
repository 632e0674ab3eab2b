package analysis

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/lift"
)

// What was judged before a change of limits stays, to the last digit.
func TestAChangeOfLimitsLeavesWhatWasBeforeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "change"), 3))
		change := drawTerms(rng, s.end.AddDate(0, 0, -60).In(s.settings.Zone), 0, 60)
		changed := s.settings
		changed.Later = append(append([]Terms{}, s.settings.Later...), change)
		h := s.final()
		day := dateOf(change.From, s.settings.Zone)
		before := func(settings Settings) (kept []lift.Finding) {
			for _, f := range Judge(h, settings, s.end) {
				last := dateOf(f.Window.To.Add(-1), s.settings.Zone)
				if f.Window.Kind == lift.WindowCheckIn {
					last = dateOf(f.Window.From, s.settings.Zone)
				}
				switch {
				case f.Rule == SessionSpike:
					last = last.monday() + 6 // the week's alert may speak for it
				case f.Rule == PainPersistence || f.Rule == Hold && f.Window.Kind == lift.WindowEpisode:
					continue // later pain counts for them, by later limits
				}
				if last < day {
					kept = append(kept, f)
				}
			}
			return kept
		}
		if d := cmp.Diff(before(s.settings), before(changed)); d != "" {
			t.Fatalf("change on %s, - without, + with:\n%s", day, d)
		}
		for _, n := range []int{1, 5, 20} {
			at := change.From.AddDate(0, 0, -n)
			if d := cmp.Diff(Plan(h, s.settings, at), Plan(h, changed, at)); d != "" {
				t.Fatalf("plan at %s, - without, + with:\n%s", at, d)
			}
		}
	})
}

// Later changes are the same as a history whose settings had always been so, where
// all of it lies behind them.
func TestLimitsOfLongAgoAreLikeThoseOfTheBeginning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		s.settings.Later = nil
		later := s.settings
		later.Later = []Terms{{From: s.end.AddDate(-3, 0, 0), Goal: s.settings.Goal, Limits: s.settings.Limits}}
		later.Goal, later.Limits = GoalSpeed, drawLimits(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "long ago"), 4)))
		h := s.final()
		if d := cmp.Diff(Judge(h, s.settings, s.end), Judge(h, later, s.end)); d != "" {
			t.Fatalf("findings, - beginning, + long ago:\n%s", d)
		}
		if d := cmp.Diff(Weeks(h, s.settings, s.end), Weeks(h, later, s.end)); d != "" {
			t.Fatalf("weeks, - beginning, + long ago:\n%s", d)
		}
		if d := cmp.Diff(Plan(h, s.settings, s.end), Plan(h, later, s.end)); d != "" {
			t.Fatalf("plan, - beginning, + long ago:\n%s", d)
		}
	})
}

func withLimits(change func(*Limits)) Limits {
	l := DefaultLimits()
	change(&l)
	return l
}

func TestAWeekStandsInTheStateThatItsSundayAsksFor(t *testing.T) {
	b := new(logbook)
	for i := range 4 {
		b.set(evening.AddDate(0, 0, 7*(i-3)), "squat", 100, 0, 0.5, 0.5)
	}
	s := Settings{Later: []Terms{{
		From: evening.AddDate(0, 0, -1), // the Sunday before the last of the weeks
		Limits: withLimits(func(l *Limits) {
			l.WeeklyVolume.ProvisionalN, l.WeeklyVolume.FullN = 1, 2
		}),
	}}}
	var got []lift.WeekState
	for _, w := range Weeks(History{Athlete: "ana", Reps: b.reps}, s, evening) {
		got = append(got, w.State)
	}
	want := []lift.WeekState{lift.WeekLearning, lift.WeekLearning, lift.WeekFull, lift.WeekFull}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestThePlanAllowsWhatItsDateAsksFor(t *testing.T) {
	start := evening.AddDate(0, 0, -5)
	h := History{Athlete: "ana", Plan: []lift.PlanStep{
		{Verb: lift.PlanHold, At: start.AddDate(0, 0, -10)}, {Verb: lift.PlanRelease, At: start},
		{Verb: lift.PlanStart, At: start, PreInjuryKg: new(200.0)},
	}}
	s := Settings{Later: []Terms{
		{From: start.AddDate(0, 0, -8), Limits: withLimits(func(l *Limits) { l.Hold.PlannedDays = 9 })},
		{From: evening, Limits: withLimits(func(l *Limits) { l.ReturnPlan.Share[0], l.Tempo.EccentricS[0] = 0.5, 4 })},
	}}
	for _, c := range []struct {
		at      time.Time
		kg, ecc float64
		planned string
	}{
		{at: evening.AddDate(0, 0, -1), kg: 80, ecc: 3},
		{at: evening.Add(-time.Hour), kg: 100, ecc: 4}, // the change counts for the whole date
		{at: start.AddDate(0, 0, -1), planned: "2026-11-15"},
	} {
		got := Plan(h, s, c.at)
		if c.planned != "" {
			if got.Hold == nil || got.Hold.Planned != c.planned {
				t.Errorf("%s: hold %+v, want it planned until %s", c.at, got.Hold, c.planned)
			}
			continue
		}
		if got.Today.MaxLoadKg == nil || *got.Today.MaxLoadKg != c.kg || got.Today.EccentricS != c.ecc {
			t.Errorf("%s: %+v, want %g kg lowered in %g s", c.at, got.Today, c.kg, c.ecc)
		}
	}
}

func TestWhatHoldsOnADate(t *testing.T) {
	zone := time.FixedZone("", 9*3600)
	strict := withLimits(func(l *Limits) { l.Grind.MarginMps = 0.01 })
	at := time.Date(2026, 11, 16, 20, 0, 0, 0, time.UTC) // the 17th there
	s := Settings{Zone: zone, Goal: GoalSpeed, Later: []Terms{{From: at.AddDate(0, 0, 2)}, {From: at, Limits: strict}}}
	for _, c := range []struct {
		at   time.Time
		want Terms
	}{
		{time.Date(2026, 11, 16, 23, 59, 0, 0, zone), Terms{Goal: GoalSpeed, Limits: DefaultLimits()}},
		{time.Date(2026, 11, 17, 0, 0, 0, 0, zone), Terms{From: at, Goal: GoalStrength, Limits: strict}},
		{time.Date(2026, 11, 18, 23, 0, 0, 0, zone), Terms{From: at, Goal: GoalStrength, Limits: strict}},
		{time.Date(2026, 11, 19, 0, 0, 0, 0, zone), Terms{From: at.AddDate(0, 0, 2), Goal: GoalStrength, Limits: DefaultLimits()}},
	} {
		if d := cmp.Diff(c.want, s.At(c.at)); d != "" {
			t.Errorf("%s:\n%s", c.at, d)
		}
	}
}

// Each finding names the limits that it was judged by.
func TestFindingsNameTheLimitsInForce(t *testing.T) {
	change := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC) // a Wednesday
	s := Settings{Later: []Terms{{From: change, Limits: withLimits(func(l *Limits) {
		l.WeeklyVolume.AdvicePct, l.Tempo.Share, l.Hold.PlannedDays, l.ReturnPlan.GatePain, l.PainZone.Amber = 12, 0.7, 10, 1, 2
	})}}}
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		rule     lift.Rule
		kind     lift.WindowKind
		from, to time.Time
		name     string
		want     any
	}{
		{WeeklyVolume, lift.WindowWeek, day(9), day(16), "advice_pct", 10.0},
		{WeeklyVolume, lift.WindowWeek, day(16), day(23), "advice_pct", 12.0},
		{Tempo, lift.WindowSet, change.Add(-13 * time.Hour), change.Add(-13 * time.Hour), "share", 0.8},
		{Tempo, lift.WindowSet, change.Add(-time.Hour), change.Add(-time.Hour), "share", 0.7},
		{PainZone, lift.WindowSession, day(17), day(18), "amber", 3},
		{PainZone, lift.WindowSession, day(18), day(19), "amber", 2},
		{Hold, lift.WindowEpisode, day(17), day(28), "planned_days", 14},
		{ReturnPlan, lift.WindowEpisode, day(4), day(18), "gate_pain", 2},
		{ReturnPlan, lift.WindowEpisode, day(5), day(19), "gate_pain", 1},
	} {
		f := lift.Finding{Rule: c.rule, Window: lift.Window{Kind: c.kind, From: c.from, To: c.to}}
		if d := cmp.Diff(c.want, s.LimitsFor(&f)[c.name]); d != "" {
			t.Errorf("%s of %s: %s", c.rule, c.from, d)
		}
	}
	if got := s.LimitsFor(&lift.Finding{Rule: RedFlag, Window: lift.Window{Kind: lift.WindowCheckIn, From: day(17), To: day(17)}}); got != nil {
		t.Errorf("red-flag was judged by %v", got)
	}
}
