package analysis

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

// pushed tells which of the tellings are pushed (p) or withheld (w).
func pushed(told ...Telling) string {
	out := ""
	for _, p := range DefaultPolicy().Pushes(told) {
		out += map[bool]string{false: "p", true: "w"}[p.Withheld]
	}
	return out
}

func telling(day int, id string, rule lift.Rule, s lift.Severity) Telling {
	return Telling{At: evening.AddDate(0, 0, day), Finding: lift.Finding{ID: id, Rule: rule, Severity: s}}
}

func TestPushes(t *testing.T) {
	last := func(day, hour int, id string) Telling {
		t := telling(day, id, VelocityLoss, lift.Warning)
		t.At = t.At.Add(time.Duration(hour) * time.Hour)
		t.Finding.Evidence = lift.Evidence{Metric: lastRep, Value: 22, Threshold: 20}
		return t
	}
	sets := func(observed float64) Telling {
		t := telling(0, "a", WeeklyVolume, lift.Warning)
		t.Finding.Evidence = lift.Evidence{Metric: "sets", Observed: &observed, ReferenceValue: new(3.0)}
		return t
	}
	w := func(day int, id string) Telling { return telling(day, id, VelocityLoss, lift.Warning) }
	backlog := telling(0, "a", VelocityLoss, lift.Warning)
	backlog.Finding.Historical = true
	light := func(rule lift.Rule, metric string, value float64) Telling {
		t := telling(0, "a", rule, lift.Warning)
		t.Finding.Evidence = lift.Evidence{Metric: metric, Value: value, Threshold: 10}
		return t
	}
	far := last(0, 0, "a")
	far.Finding.Evidence.Value, far.Finding.Evidence.Threshold = 30, 20
	deadlift := light(DaySlowdown, "", 13)
	deadlift.Finding.Group = DeadliftFamily
	past := func(rule lift.Rule, kind lift.WindowKind, days int) Telling {
		t := telling(0, "a", rule, lift.Critical)
		t.Finding.Window = lift.Window{Kind: kind, From: evening.AddDate(0, 0, -days-7), To: evening.AddDate(0, 0, -days)}
		return t
	}
	for name, c := range map[string]struct {
		told []Telling
		want string
	}{
		"advice is not pushed":              {[]Telling{telling(0, "a", VelocityLoss, lift.Advice)}, ""},
		"a warning is":                      {[]Telling{telling(0, "a", VelocityLoss, lift.Warning)}, "p"},
		"once":                              {[]Telling{telling(0, "a", VelocityLoss, lift.Warning), telling(1, "a", VelocityLoss, lift.Warning)}, "p"},
		"again when it gets worse":          {[]Telling{telling(0, "a", WeeklyVolume, lift.Warning), telling(1, "a", WeeklyVolume, lift.Critical)}, "pp"},
		"not when it gets better":           {[]Telling{telling(0, "a", PainZone, lift.Critical), telling(1, "a", PainZone, lift.Warning)}, "p"},
		"a backlog is not":                  {[]Telling{backlog}, ""},
		"the week before is":                {[]Telling{past(WeeklyVolume, lift.WindowWeek, 7)}, "p"},
		"a week of long ago is not":         {[]Telling{past(WeeklyVolume, lift.WindowWeek, 8)}, ""},
		"a set of the day before is not":    {[]Telling{past(VelocityLoss, lift.WindowSet, 2)}, ""},
		"a hold that was broken is":         {[]Telling{past(Hold, lift.WindowSession, 8)}, "p"},
		"the fifth in eight weeks is held":  {[]Telling{w(0, "a"), w(1, "b"), w(2, "c"), w(3, "d"), w(55, "e")}, "ppppw"},
		"eight weeks later it is not":       {[]Telling{w(0, "a"), w(1, "b"), w(2, "c"), w(3, "d"), w(56, "e")}, "ppppp"},
		"what is critical is never held":    {[]Telling{w(0, "a"), w(1, "b"), w(2, "c"), w(3, "d"), telling(4, "e", WeeklyVolume, lift.Critical)}, "ppppp"},
		"nor what is about health":          {[]Telling{w(0, "a"), w(1, "b"), w(2, "c"), w(3, "d"), telling(4, "e", PainZone, lift.Warning), telling(4, "f", Hold, lift.Warning)}, "pppppp"},
		"what was held does not count":      {[]Telling{w(0, "a"), w(1, "b"), w(2, "c"), w(3, "d"), w(4, "e"), w(56, "f")}, "ppppwp"},
		"one slow last rep waits":           {[]Telling{last(0, 0, "a")}, "w"},
		"one far too slow does not":         {[]Telling{far}, "p"},
		"a slow day waits for other lifts":  {[]Telling{light(DaySlowdown, "", 12)}, "w"},
		"and not for the deadlift":          {[]Telling{deadlift}, "p"},
		"a heavier mean waits":              {[]Telling{light(WeeklyLoad, "mean_load_kg", 25)}, "w"},
		"a second one that day confirms it": {[]Telling{last(0, 0, "a"), last(0, 2, "b")}, "wp"},
		"one on another day does not":       {[]Telling{last(0, 0, "a"), last(0, 4, "b")}, "ww"},
		"a light slowdown in a plan waits":  {[]Telling{light(ReturnPlan, "velocity_loss_pct", 12)}, "w"},
		"a heavy one does not":              {[]Telling{light(ReturnPlan, "velocity_loss_pct", 20)}, "p"},
		"nor a load beyond the plan":        {[]Telling{light(ReturnPlan, "load_pct", 11)}, "p"},
		"slower sets wait":                  {[]Telling{light(SetDrop, "", 12)}, "w"},
		"one set more waits":                {[]Telling{sets(4)}, "w"},
		"two sets more do not":              {[]Telling{sets(5)}, "p"},
		"a red flag is pushed at any time":  {[]Telling{telling(0, "a", RedFlag, lift.Urgent), telling(0, "b", RedFlag, lift.Urgent), telling(0, "c", RedFlag, lift.Urgent)}, "ppp"},
	} {
		if d := cmp.Diff(c.want, pushed(c.told...)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestEscalations(t *testing.T) {
	for severity, want := range map[lift.Severity][]time.Duration{
		lift.Info: nil, lift.Advice: nil, lift.Warning: {24 * time.Hour}, lift.Critical: {time.Hour},
		lift.Urgent: {5 * time.Minute, 15 * time.Minute, 30 * time.Minute},
	} {
		var got []time.Duration
		for _, e := range Escalations(severity) {
			got = append(got, e.After)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", severity, d)
		}
	}
}

// The digest of a week comes on Monday at six, where the athletes are.
func TestDigestWeek(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]string{
		"2026-11-23T05:59:59+01:00": "2026-W46", "2026-11-23T06:00:00+01:00": "2026-W47", "2026-11-29T23:00:00+01:00": "2026-W47",
		"2027-01-04T06:00:00+01:00": "2026-W53",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		week, from, to := DigestWeek(at, berlin)
		if week != want || to.Sub(from) != 7*24*time.Hour {
			t.Errorf("at %s: %s from %s to %s, want %s", now, week, from, to, want)
		}
	}
}
