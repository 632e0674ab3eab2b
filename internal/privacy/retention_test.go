package privacy

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
)

// keeper trims the gym as at a time.
func (g *gym) keeper(keep Keep, now time.Time) *Retention {
	return &Retention{Keep: keep, Log: g.log, View: g.view, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }}
}

func (g *gym) kinds() map[journal.Kind]int {
	g.Helper()
	kinds := map[journal.Kind]int{}
	g.must(g.log.Scan(context.Background(), g.log.LastSeq(), func(e *journal.Entry) error {
		kinds[e.Kind]++
		return nil
	}))
	return kinds
}

func TestWhatIsTooOldGoesAndTheRestStays(t *testing.T) {
	g := newGym(t)
	g.train()
	before := g.kinds()
	old := time.Now().UTC()
	later := old.AddDate(0, 0, 80)
	gone := map[string]time.Time{}
	k := g.keeper(Keep{Reps: LeastHistory, Quarantine: 30 * day}, later)
	k.Influx = func(_ context.Context, m string, before time.Time) error {
		gone[m] = before
		return nil
	}
	g.must(k.trim(t.Context()))
	g.settle()
	for _, rebuild := range []bool{false, true} {
		if rebuild {
			g.restart(true)
		}
		p := g.picture(stayer)
		if len(p.Reps)+len(p.Logged) > 0 || len(p.CheckIns) != 3 || len(p.Plan) != 1 || len(p.Records) != 1 || len(p.Audit) == 0 {
			t.Errorf("rebuild %v: %d reps, %d check-ins, %d plan steps, %d records are left", rebuild, len(p.Reps), len(p.CheckIns), len(p.Plan), len(p.Records))
		}
		if held := g.quarantined(); len(held) > 0 {
			t.Errorf("rebuild %v: %d messages are in quarantine", rebuild, len(held))
		}
	}
	after := g.kinds()
	for kind, n := range before {
		want := n
		switch kind {
		case journal.KindRep, journal.KindEdit, journal.KindSetLogged, journal.KindQuarantined:
			want = 0
		case journal.KindAlert:
			continue // the monitor may have more to say
		}
		if after[kind] != want {
			t.Errorf("%d %s events are left of %d, want %d", after[kind], kind, n, want)
		}
	}
	limit := later.Add(-LeastHistory)
	if diff := gocmp.Diff(map[string]time.Time{"rep": limit, "set": limit, "week": limit}, gone); diff != "" {
		t.Errorf("InfluxDB: -want +got\n%s", diff)
	}

	g.append(rack.rep(stayer, 900, old.Truncate(time.Microsecond)), checkIn(stayer, old.Truncate(time.Microsecond), 2))
	g.settle()
	g.must(g.keeper(Keep{Reps: LeastHistory, CheckIns: LeastHistory, Quarantine: day, Audit: day}, time.Now()).trim(t.Context()))
	if p := g.picture(stayer); len(p.Reps) != 1 || len(p.CheckIns) != 4 {
		t.Errorf("%d reps and %d check-ins are left of what is new", len(p.Reps), len(p.CheckIns))
	}
}

func TestAStoreThatIsAwayKeepsNobodyElseFromTrimming(t *testing.T) {
	g := newGym(t)
	g.append(rack.rep(stayer, 1, monday), checkIn(stayer, monday, 2))
	g.settle()
	away := errors.New("connection refused")
	k := g.keeper(Keep{Reps: LeastHistory, CheckIns: LeastHistory}, time.Now().AddDate(0, 0, 100))
	k.Influx = func(context.Context, string, time.Time) error { return away }
	if err := k.trim(t.Context()); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	if p := g.picture(stayer); len(p.Reps)+len(p.CheckIns) > 0 {
		t.Errorf("%d reps and %d check-ins are left", len(p.Reps), len(p.CheckIns))
	}
}

func TestTimesToKeepAreRead(t *testing.T) {
	for text, want := range map[string]time.Duration{"forever": 0, "90d": 90 * day, "10w": 70 * day, "2y": 730 * day} {
		if got, err := ParseKeep(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "0d", "-3d", "1.5y", "90", "90h", "101y", "99999999999d", "for ever"} {
		if got, err := ParseKeep(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
