package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

func TestTheOpeningGivesCauseForEachRuleWithinHalfAMinute(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, start := range map[string]time.Time{
		"Monday 00:05":           time.Date(2026, 11, 16, 0, 5, 0, 0, time.UTC),
		"Monday 04:00":           time.Date(2026, 11, 16, 4, 0, 0, 0, time.UTC),
		"Wednesday noon":         time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC),
		"Sunday 23:59":           time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC),
		"Monday 00:05 in Berlin": time.Date(2026, 10, 26, 0, 5, 0, 0, berlin),
	} {
		t.Run(name, func(t *testing.T) {
			g := newGym(t, 5, start)
			messages, past := g.History(8)
			got := receive(messages, start)
			rules := map[lift.Rule]bool{}
			for _, truth := range past {
				rules[truth.Rule] = true
			}
			o := g.Opening(start)
			for _, truth := range o.Truths {
				rules[truth.Rule] = true
				if truth.Rule != ruleVolume && truth.To.Sub(start) > 30*time.Second {
					t.Errorf("%s comes only after %s", truth.Kind, truth.To.Sub(start))
				}
			}
			for _, rule := range []lift.Rule{ruleVolume, ruleVelocity, rulePain, ruleRedFlag} {
				if !rules[rule] {
					t.Errorf("no cause for %s", rule)
				}
			}
			for _, s := range o.Sessions {
				for i := range s.Sets[0].Reps {
					at := start.Add(s.Sets[0].Ends[i])
					rep := s.Sets[0].rep(i, "b", int64(i), stamp(at))
					if err := rep.Validate(at); err != nil {
						t.Error(err)
					}
					got.reps = append(got.reps, rep)
				}
				if d := s.Sets[0].duration(); d > 30*time.Second {
					t.Errorf("%s needs %s for the first set", s.Lifter.ID, d)
				}
			}
			for _, truth := range o.Truths {
				if truth.Kind != VolumeSpike || start.Location() != time.UTC {
					continue
				}
				share, _, usable := increase(got.weeks(truth.Athlete, Deadlift), truth.From.Format(time.DateOnly), metrics["kg"])
				if share <= 0.30 || share > 0.45 || usable < 4 {
					t.Errorf("after the first set the week is %+.1f %% over %d weeks", 100*share, usable)
				}
			}
		})
	}
}

func TestNobodyLiftsOnTwoRacksOrTwiceADayOrAfterARedFlag(t *testing.T) {
	g := newGym(t, 5, time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC))
	roster := map[lift.AthleteID]Kind{}
	for _, l := range g.Lifters() {
		roster[l.ID] = l.Cause
	}
	now := g.options.Start
	last := map[lift.AthleteID]string{}
	var racks [4]lift.AthleteID
	for i := range 400 {
		rack := i % 4
		g.Leave(racks[rack])
		racks[rack] = ""
		s := g.Next(now)
		for _, other := range racks {
			if other == s.Lifter.ID {
				t.Fatalf("%s lifts on two racks", other)
			}
		}
		racks[rack] = s.Lifter.ID
		cause, known := roster[s.Lifter.ID]
		if cause == Pain || cause == RedFlag {
			t.Fatalf("%s lifts", cause)
		}
		if date := now.Format(time.DateOnly); known {
			if last[s.Lifter.ID] == date {
				t.Fatalf("%s trains twice on %s", s.Lifter.ID, date)
			}
			last[s.Lifter.ID] = date
		}
		now = now.Add(17 * time.Minute)
	}
	if len(last) < 8 {
		t.Errorf("only %d of the roster trained", len(last))
	}
}

func TestGymNamesEveryBadOption(t *testing.T) {
	_, err := NewGym(GymOptions{Site: "My Gym", Athletes: 2, Racks: 1})
	for _, field := range []string{"athletes", "racks", "start", "site"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

func TestManyLiftersHaveManyNames(t *testing.T) {
	seen := map[lift.AthleteID]bool{}
	for i := range 5000 {
		id := LifterID(i)
		if err := lift.CheckID("athlete", id); err != nil || seen[id] {
			t.Fatalf("%d: %q: %v", i, id, err)
		}
		seen[id] = true
	}
}
