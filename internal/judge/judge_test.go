package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

func small(t *testing.T) *results {
	t.Helper()
	r, err := (&options{seed: 7, athletes: 40, quiet: 6, weeks: 26, rates: 6}).judge()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASmallCohortKeepsThePromises(t *testing.T) {
	r := small(t)
	for _, b := range r.broken() {
		t.Error(b)
	}
	all := tallies(r.lives)
	if red := all[analysis.RedFlag]; red.truths == 0 || red.found != red.truths || red.pushed != red.truths {
		t.Errorf("of %d red flags %d were told and %d pushed", red.truths, red.found, red.pushed)
	}
	hold := all[analysis.Hold]
	if hold.truths == 0 || hold.foundMeasured != hold.measured {
		t.Errorf("of %d broken and overdue holds by the rule's text %d were told", hold.measured, hold.foundMeasured)
	}
	for i := range r.lives {
		for _, s := range r.lives[i].truths {
			exact := slices.Contains(recomputed(), s.rule) || slices.Contains(painRules, s.rule)
			if exact && s.measured && !s.found {
				t.Errorf("athlete %d: %s (%s, at least %s) from %s was not told", i, s.kind, s.rule, s.least, s.from)
			}
		}
		for _, a := range r.lives[i].alerts {
			if a.rule == analysis.RedFlag && a.verdict != injected {
				t.Errorf("athlete %d: a red flag that nobody reported: %s", i, a.finding.Message)
			}
		}
	}
	for _, rule := range analysis.Rules() {
		if all[rule].truths == 0 {
			t.Errorf("no truth of %s was injected into anybody", rule)
		}
	}
}

// painRules look at nothing that is measured with noise.
var painRules = []lift.Rule{analysis.Radicular, analysis.Inflammatory, analysis.PainZone, analysis.PainPersistence}

func TestTheSameSeedWritesTheSamePage(t *testing.T) {
	var first, second bytes.Buffer
	o := options{seed: 3, athletes: 8, quiet: 2, weeks: 20, rates: 2}
	for _, page := range []*bytes.Buffer{&first, &second} {
		r, err := o.judge()
		if err != nil {
			t.Fatal(err)
		}
		r.write(page)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two runs of the same seed differ")
	}
	if strings.Contains(first.String(), "NaN") {
		t.Error("the page has a number that is none")
	}
}

func TestARuleThatIsSwitchedOffIsFoundOut(t *testing.T) {
	l, s := lifeWith(t, "spike of 40 to 60 %", func(s *analysis.Settings) {})
	if !s.found {
		t.Fatalf("the spike of %s is not found with the rule in force", l.id)
	}
	_, s = lifeWith(t, "spike of 40 to 60 %", func(s *analysis.Settings) {
		s.Limits = analysis.DefaultLimits()
		s.Limits.WeeklyVolume.WarningPct, s.Limits.WeeklyVolume.AdvicePct = 1000, 1000
	})
	if s.found {
		t.Error("the spike counts as found although the rule cannot fire")
	}
}

// lifeWith is the first athlete whose life has a truth of the kind, and what was
// found of it under the settings.
func lifeWith(t *testing.T, kind string, change func(*analysis.Settings)) (*life, sought) {
	t.Helper()
	for i := range 200 {
		a, err := newAthlete(7, i)
		if err != nil {
			t.Fatal(err)
		}
		l := newLife(a, 26)
		l.live(i)
		if !slices.ContainsFunc(l.truths, func(c *truth) bool { return c.kind == kind && c.consequence == mustBeTold }) {
			continue
		}
		tape := l.write()
		change(&tape.settings)
		out := judged(tape)
		for _, s := range out.truths {
			if s.kind == kind {
				return l, s
			}
		}
	}
	t.Fatalf("no athlete has a %s", kind)
	return nil, sought{}
}

func TestMatchingIsOneToOneAndBySeverity(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	window := lift.Window{Kind: lift.WindowWeek, From: monday, To: monday.AddDate(0, 0, 7)}
	c := truth{rule: analysis.WeeklyVolume, least: lift.Warning, group: deadlifts, from: monday, to: monday.AddDate(0, 0, 7).Add(-time.Second)}
	for _, x := range []struct {
		why     string
		finding lift.Finding
		touches bool
	}{
		{"same week and group", lift.Finding{Rule: analysis.WeeklyVolume, Group: deadlifts, Window: window}, true},
		{"another group", lift.Finding{Rule: analysis.WeeklyVolume, Group: "squat_family", Window: window}, false},
		{"another rule", lift.Finding{Rule: analysis.WeeklyLoad, Group: deadlifts, Window: window}, false},
		{"the week before, which ends when this one begins", lift.Finding{Rule: analysis.WeeklyVolume, Group: deadlifts, Window: lift.Window{
			Kind: lift.WindowWeek, From: monday.AddDate(0, 0, -7), To: monday}}, false},
	} {
		if got := c.touches(&x.finding); got != x.touches {
			t.Errorf("%s: touches is %t", x.why, got)
		}
	}

	f := lift.Finding{ID: "a", Rule: analysis.WeeklyVolume, Severity: lift.Critical, Group: deadlifts, Window: window}
	tape := &tape{life: &life{athlete: &athlete{}, truths: []*truth{&c}}}
	following := &follower{alerts: map[string]lift.Finding{"a": f, "b": f, "c": f}}
	out := outcome{truths: []sought{{truth: &c}}}
	var verdicts []verdict
	for _, severity := range []lift.Severity{lift.Advice, lift.Critical, lift.Critical} {
		told := f
		told.Severity = severity
		a := alert{rule: f.Rule, worst: severity, finding: told, told: []analysis.Telling{{At: monday, Finding: told}}}
		out.match(tape, following, &oracle{life: tape.life}, &a)
		verdicts = append(verdicts, a.verdict)
	}
	if want := []verdict{followed, injected, followed}; !slices.Equal(verdicts, want) {
		t.Errorf("too mild, severe enough, a second one: %v, want %v", verdicts, want)
	}
}

func TestIntervals(t *testing.T) {
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 0.0005 {
			t.Errorf("%s is %.4f, want %.4f", what, got, want)
		}
	}
	// Published values of the Wilson score interval.
	low, high := wilson(10, 20)
	near("low of 10 in 20", low, 0.2993)
	near("high of 10 in 20", high, 0.7007)
	low, high = wilson(0, 10)
	near("low of 0 in 10", low, 0)
	near("high of 0 in 10", high, 0.2775)
	over, under := make([]float64, 200), make([]float64, 200)
	for i := range over {
		over[i], under[i] = float64(i%2), 1
	}
	low, high = bootstrap(1, over, under)
	if low < 0.41 || low > 0.45 || high < 0.55 || high > 0.59 {
		t.Errorf("bootstrap of 100 in 200 is %.3f to %.3f, want about 0.43 to 0.57", low, high)
	}
}

func TestTheDefinitionOfWeeklyVolumeIsTheCatalogues(t *testing.T) {
	// Baseline of 9 000, 10 000, a deload of 5 000 and 10 400 kg: fires above 11 440.
	for _, x := range []struct {
		kg   float64
		band int
	}{{11440, 0}, {11441, 1}, {13521, 2}, {20801, 3}} {
		l := &life{athlete: &athlete{zone: time.UTC, labelled: true}, weeks: 8, first: monday}
		o := &oracle{life: l}
		for w, kg := range []float64{8000, 9000, 10000, 5000, 10400, x.kg} {
			for range 40 {
				at := monday.AddDate(0, 0, 7*w).Add(17 * time.Hour)
				o.done = append(o.done, done{set: &set{exercise: deadlift, kg: kg / 40, reps: 1}, date: monday.AddDate(0, 0, 7*w), from: at, to: at})
			}
		}
		if got := o.weeklyVolume(deadlifts, 5, 41); got.band != x.band {
			t.Errorf("%.0f kg: band %d, want %d", x.kg, got.band, x.band)
		}
	}
}

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func TestTheLogsPageIsLeftAloneWithoutAllLogs(t *testing.T) {
	docs, logs := t.TempDir(), t.TempDir()
	page := filepath.Join(docs, "judge-logs.md")
	if err := os.WriteFile(page, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&options{docs: docs, logs: logs}).realLogs(&out); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(page); err != nil || string(text) != "as it was" {
		t.Errorf("the page is %q, %v", text, err)
	}
	if !strings.Contains(out.String(), "NOT RUN") {
		t.Errorf("not loud enough: %q", out.String())
	}
}

func TestRealLogsAreJudgedWithoutACrashAndTheirSumsAgree(t *testing.T) {
	folder, err := find()
	if err != nil {
		t.Fatal(err)
	}
	if folder == "" {
		t.Skip("NOT RUN ON REAL LOGS: there is no folder shared/data with training logs beside the project")
	}
	for _, s := range sources {
		d, err := read(folder, s)
		if err != nil {
			t.Fatal(err)
		}
		if d == nil {
			t.Logf("NOT RUN ON %s: it is not in %s", s.folder, folder)
			continue
		}
		// All groups' weeks together are all sets together, but for warm-ups.
		var sets, warm, weeks float64
		for _, x := range d.history.Logged {
			if x.LoadKg == nil {
				continue
			}
			kg := float64(x.Reps) * *x.LoadKg
			sets += kg
			if x.Warmup {
				warm += kg
			}
		}
		for _, w := range d.weeks {
			weeks += w.VolumeKg
		}
		if len(d.history.Logged) < 300 || weeks > sets-warm+1 || weeks < 0.7*sets {
			t.Errorf("%s: %d sets of %.0f kg, %.0f kg of them marked as warm-ups, are %.0f kg in weeks", s.title, len(d.history.Logged), sets, warm, weeks)
		}
		t.Logf("%s: %d sets, %d refused, %d of unknown exercises, %d findings", s.title, len(d.history.Logged), d.refused, d.unknown, len(d.findings))
	}
}
