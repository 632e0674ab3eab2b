package notify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// TestTheBarIsCued plays sets on bars and says what their lamps are told.
func TestTheBarIsCued(t *testing.T) {
	start := monday.Add(18 * time.Hour)
	for name, c := range map[string]struct{ script, told string }{
		"a warning of velocity loss stops the set, and the next set is ok": {`
			0 rep ana bar-1 set=1 rep=4
			3 rep ana bar-1 set=1 rep=5
			3 found a1 velocity-loss warning ana
			200 rep ana bar-1 set=2 rep=1`, `
			stop velocity-loss set=1 rep=5 bar-1
			ok velocity-loss set=1 rep=5 bar-1`},
		"advice slows it down, and worse stops it": {`
			0 rep ana bar-1 set=1 rep=4
			0 found a1 velocity-loss advice ana
			3 rep ana bar-1 set=1 rep=5
			3 found a1 velocity-loss warning ana
			3 found a2 set-drop warning ana`, `
			slow velocity-loss set=1 rep=4 bar-1
			stop velocity-loss set=1 rep=5 bar-1`},
		"what is retracted is ok": {`
			0 rep ana bar-1 set=1 rep=4
			0 found a1 grind warning ana
			2 retract a1`, `
			stop grind set=1 rep=4 bar-1
			ok grind set=1 rep=4 bar-1`},
		"another lifter on the bar is ok": {`
			0 rep ana bar-1 set=1 rep=4
			0 found a1 grind warning ana
			30 rep ben bar-1 set=1 rep=1`, `
			stop grind set=1 rep=4 bar-1
			ok grind set=1 rep=4 bar-1`},
		"a set is over after 90 seconds without a rep": {`
			0 rep ana bar-1 set=1 rep=4
			0 found a1 grind warning ana
			60 tick
			91 tick
			120 tick`, `
			stop grind set=1 rep=4 bar-1
			ok grind set=1 rep=4 bar-1`},
		"reps without numbers are counted": {`
			0 rep ana bar-1
			3 rep ana bar-1
			6 rep ana bar-1
			6 found a1 velocity-loss warning ana`, `
			stop velocity-loss rep=3 bar-1`},
		"a corrected rep is not another one, whatever time it has now": {`
			0 rep ana bar-1
			3 rep ana bar-1
			6 rep ana bar-1 corrects=3
			6 found a1 velocity-loss warning ana`, `
			stop velocity-loss rep=2 bar-1`},
		"each bar is told of its own lifter": {`
			0 rep ana bar-1 set=1 rep=4
			0 rep ben bar-2 set=1 rep=2
			1 found a1 velocity-loss warning ben`, `
			stop velocity-loss set=1 rep=2 bar-2`},
		"no bar is told of a week, of an earlier set, of history or of somebody who has left": {`
			0 rep ana bar-1 set=1 rep=4
			0 found a1 weekly-volume critical ana week
			1 found a2 velocity-loss warning ana earlier
			2 found a3 velocity-loss warning ana historical
			3 found a4 velocity-loss warning cem
			200 found a5 velocity-loss warning ana`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			cues := newCues(nil, slog.New(slog.DiscardHandler))
			alerts := map[string]lift.Alert{}
			for _, line := range trimmed(c.script) {
				var after int
				words := strings.Fields(line)
				if _, err := fmt.Sscan(words[0], &after); err != nil {
					t.Fatal(err)
				}
				now := start.Add(time.Duration(after) * time.Second)
				switch words[1] {
				case "rep":
					r := &lift.RepRecord{ID: words[0], Site: "main", Device: lift.DeviceID(words[3]), Valid: true, Received: now, PointTime: now}
					r.Rep = lift.Rep{Time: now, Athlete: lift.AthleteID(words[2]), Exercise: "deadlift", LoadKg: new(120.0)}
					for _, w := range words[4:] {
						var n int
						what, value, _ := strings.Cut(w, "=")
						if _, err := fmt.Sscan(value, &n); err != nil {
							t.Fatal(err)
						}
						switch what {
						case "set":
							r.Set = &n
						case "corrects":
							r.ID = value
						default:
							r.Rep.Rep = &n
						}
					}
					cues.rep(r, now)
				case "found":
					f := lift.Finding{
						ID: words[2], Site: "main", Rule: lift.Rule(words[3]), Severity: lift.Severity(words[4]), Athlete: lift.AthleteID(words[5]),
						Window: lift.Window{Kind: lift.WindowSet, To: now}, Historical: slices.Contains(words, "historical"),
					}
					if slices.Contains(words, "week") {
						f.Window.Kind = lift.WindowWeek
					}
					if slices.Contains(words, "earlier") {
						f.Window.To = now.Add(-time.Hour)
					}
					a, _ := alerts[f.ID].Apply(lift.AlertChange{AlertID: f.ID, Verb: lift.AlertFound, At: now, Finding: &f})
					alerts[f.ID] = a
					cues.alert(&view.AlertStep{Verb: lift.AlertFound, Alert: a}, now)
				case "retract":
					a, _ := alerts[words[2]].Apply(lift.AlertChange{AlertID: words[2], Verb: lift.AlertRetract, At: now})
					cues.alert(&view.AlertStep{Verb: lift.AlertRetract, Alert: a}, now)
				case "tick":
					cues.tick(now)
				}
			}
			close(cues.out)
			var told []string
			for cue := range cues.out {
				line := cue.Cue.Cue + " " + string(cue.Rule)
				if cue.Set != nil {
					line += fmt.Sprintf(" set=%d", *cue.Set)
				}
				told = append(told, line+fmt.Sprintf(" rep=%d %s", *cue.Rep, cue.device))
			}
			if diff := cmp.Diff(trimmed(c.told), told); diff != "" {
				t.Errorf("cues (-want +got):\n%s", diff)
			}
		})
	}
}

// A broker that is away holds up nobody: cues that nobody takes are dropped.
func TestCuesNeverWait(t *testing.T) {
	cues := newCues(func(ctx context.Context, _ string, _ byte, _ []byte) error { <-ctx.Done(); return ctx.Err() }, slog.New(slog.DiscardHandler))
	for range 10 * cuesHeld {
		cues.tell(bar{"main", "bar-1"}, Cue{Cue: "stop"})
	}
	if len(cues.out) != cuesHeld {
		t.Errorf("%d cues are held", len(cues.out))
	}
}

// TestMissingReportsAreAskedFor says what is missing at which time of a day's session.
func TestMissingReportsAreAskedFor(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(clock string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", clock, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	rep := func(clock string, change ...func(*lift.RepRecord)) lift.RepRecord {
		r := lift.RepRecord{Valid: true, Received: at(clock)}
		r.Time = at(clock)
		for _, c := range change {
			c(&r)
		}
		return r
	}
	report := func(p lift.Phase, clock string) lift.CheckInRecord {
		return lift.CheckInRecord{CheckIn: lift.CheckIn{Phase: p, Time: at(clock)}}
	}
	session := []lift.RepRecord{rep("2026-11-23 17:00"), rep("2026-11-23 18:00")}
	after, morning := "after of 2026-11-23 until 02:00", "next_morning of 2026-11-23 until 15:00"
	for _, c := range []struct {
		why      string
		reps     []lift.RepRecord
		checkIns []lift.CheckInRecord
		now      string
		want     []string
	}{
		{"not yet", session, nil, "2026-11-23 19:59", nil},
		{"two hours after the last rep", session, nil, "2026-11-23 20:00", []string{after}},
		{"six hours later it is too late", session, nil, "2026-11-24 02:00", nil},
		{"there is a report", session, []lift.CheckInRecord{report("after", "2026-11-23 18:30")}, "2026-11-23 20:00", nil},
		{"one of before the session is none", session, []lift.CheckInRecord{report("after", "2026-11-23 10:00"), report("before", "2026-11-23 17:30")}, "2026-11-23 20:00", []string{after}},
		{"the next morning at nine", session, nil, "2026-11-24 09:00", []string{morning}},
		{"before nine nobody is asked", session, nil, "2026-11-24 08:59", nil},
		{"there is one of this morning", session, []lift.CheckInRecord{report("next_morning", "2026-11-24 07:00")}, "2026-11-24 09:00", nil},
		{"in the afternoon it is too late", session, nil, "2026-11-24 15:00", nil},
		{"a backlog is nobody's session of today", []lift.RepRecord{
			rep("2026-11-23 18:00", func(r *lift.RepRecord) { r.Historical = true }),
			rep("2026-11-23 18:01", func(r *lift.RepRecord) { r.Source = lift.SourceImported }),
			rep("2026-11-23 18:02", func(r *lift.RepRecord) { r.Received = at("2026-11-23 19:30") }),
			rep("2026-11-23 18:03", func(r *lift.RepRecord) { r.Valid = false }),
		}, nil, "2026-11-23 20:30", nil},
	} {
		var got []string
		for _, m := range missingReports(c.reps, c.checkIns, at(c.now), berlin) {
			got = append(got, fmt.Sprintf("%s of %s until %s", m.Phase, m.Session, m.Until.In(berlin).Format("15:04")))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
	}
}
