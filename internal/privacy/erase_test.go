package privacy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

func encoded(g *gym, e *journal.Entry) []byte {
	data, err := json.Marshal(&e.Event)
	g.must(err)
	return data
}

// leaver is long enough not to be found by chance.
const (
	leaver lift.AthleteID = "ana-who-leaves"
	stayer lift.AthleteID = "bo-who-stays"
)

var (
	rack  = device{"rack-1"}
	other = device{"rack-2"}
)

// train fills the log with everything that there is of two people, mixed up as far as
// it can be.
func (g *gym) train() {
	g.Helper()
	for d := range 3 {
		day := monday.AddDate(0, 0, 2*d)
		for i := range int64(10) {
			n := int64(d)*10 + i
			g.append(rack.rep(leaver, n, day.Add(time.Duration(i)*4*time.Second)),
				other.rep(stayer, n, day.Add(time.Duration(i)*4*time.Second)))
		}
		g.append(checkIn(leaver, day.Add(time.Hour), 6), checkIn(stayer, day.Add(time.Hour), 5))
	}
	at := monday.AddDate(0, 0, 7)
	// One bar, three people one after the other, who are known by assignment only.
	g.append(rack.assign(stayer, at), rack.assign(leaver, at.Add(10*time.Minute)), rack.assign(stayer, at.Add(20*time.Minute)))
	for i := range int64(3) {
		g.append(rack.rep("", 100+i, at.Add(time.Duration(i)*time.Minute), bare),
			rack.rep("", 110+i, at.Add(time.Duration(11+i)*time.Minute), bare),
			rack.rep("", 120+i, at.Add(time.Duration(21+i)*time.Minute), bare))
	}
	g.append(rack.chunk(1, at.Add(time.Minute)), rack.chunk(2, at.Add(11*time.Minute)), rack.chunk(3, at.Add(21*time.Minute)))
	// Reps that belong to somebody else than was said first.
	later := at.Add(time.Hour)
	g.append(other.rep("", 200, later), other.rep("", 201, later.Add(4*time.Second)), // nobody's
		other.rep(stayer, 202, later.Add(8*time.Second)),  // is the leaver's
		other.rep(leaver, 203, later.Add(12*time.Second)), // is the stayer's
		other.rep(stayer, 204, later.Add(16*time.Second)), // went there and back
		rack.rep("", 205, at.Add(15*time.Minute), bare),   // the stayer's, while the leaver was assigned
		other.rep(leaver, 206, later.Add(20*time.Second)))
	corrected := later.Add(time.Hour)
	g.append(other.edit("", 201, corrected, leaver, nil), other.edit(stayer, 202, corrected, leaver, nil),
		other.edit(leaver, 203, corrected, stayer, new(90.0)), other.edit(stayer, 204, corrected, leaver, nil))
	g.append(other.edit(leaver, 204, corrected.Add(time.Second), stayer, new(95.0)),
		rack.edit(leaver, 205, corrected, stayer, nil), other.edit(leaver, 206, corrected, "", new(80.0)))
	// What cannot be used, and speaks of them.
	g.append(message("spotter/v1/main/device/rack-1/rep", `{"boot_id":"b1","seq":-1,"athlete":"`+string(leaver)+`","time":"2026-11-22T17:00:00Z","mean_velocity_mps":0.5}`, later)...)
	g.append(message("spotter/v1/main/device/rack-1/rep", `{"boot_id":"b1","athlete":"`+string(stayer)+`","partner":"`+string(leaver)+`"}`, later)...)
	g.append(message("spotter/v1/main/device/rack-1/rep", `{"boot_id":"b1","athlete":"`+string(stayer)+`"}`, later)...)
	g.append(message("spotter/v1/main/athlete/"+string(leaver)+"/checkin", `{"phase":"never"}`, later)...)
	for _, who := range []lift.AthleteID{leaver, stayer} {
		profile := &lift.Record{Kind: lift.OfAthlete, ID: string(who), Revision: 1, By: "coach", At: monday, Athlete: &lift.AthleteProfile{Name: "Name of " + string(who), Site: "main"}}
		hold := &lift.PlanStep{Verb: lift.PlanHold, By: "physio", At: corrected, Reason: "pain of " + string(who)}
		g.append(journal.Event{Kind: journal.KindRecord, Received: monday, Site: "main", Athlete: who, By: "coach", Record: profile},
			journal.Event{Kind: journal.KindPlan, Received: corrected, Site: "main", Athlete: who, By: "physio", Plan: hold},
			setEvent(who, 1, at.AddDate(0, 0, -1), 0), setEvent(who, 2, at.AddDate(0, 0, -1), 0), setEvent(who, 1, at.AddDate(0, 0, -2), 1),
			journal.Event{Kind: journal.KindRead, Received: corrected, Athlete: who, Read: &lift.Read{By: "coach", Operation: "list-reps", Count: 3, From: corrected, To: corrected}})
	}
	for m := range 3 {
		minute := began.Add(time.Duration(m-3) * time.Minute)
		g.append(journal.Event{Kind: journal.KindTick, Received: minute, Minute: minute})
	}
	g.settle()
}

func (g *gym) quarantined() []string {
	g.Helper()
	held, _, err := g.view.Quarantine(context.Background(), view.Page{Limit: 100})
	g.must(err)
	var all []string
	for _, q := range held {
		all = append(all, string(q.Bytes))
	}
	return all
}

// untouched compares what others have with how it was.
func (g *gym) untouched(when string, before map[lift.AthleteID]picture) {
	g.Helper()
	for who, want := range before {
		if diff := gocmp.Diff(want, g.picture(who)); diff != "" {
			g.Errorf("%s: what is known of %q has changed (-before +after):\n%s", when, who, diff)
		}
	}
}

func (g *gym) gone(when string) {
	g.Helper()
	if p := g.picture(leaver); !p.empty() {
		g.Errorf("%s: the view still has %d reps, %d check-ins, %d alerts", when, len(p.Reps), len(p.CheckIns), len(p.Alerts))
	}
	if n := g.inLog(string(leaver)); n > 0 {
		g.Errorf("%s: %d events still name the athlete", when, n)
	}
	if known, err := g.view.Knows(context.Background(), leaver); err != nil || known {
		g.Errorf("%s: the athlete is known (%v)", when, err)
	}
}

func TestAnErasedAthleteIsGoneAndNobodyElseIsTouched(t *testing.T) {
	g := newGym(t)
	g.train()
	if p := g.picture(leaver); len(p.Reps) < 35 || len(p.CheckIns) != 3 || len(p.Logged) != 2 || len(p.Alerts) == 0 {
		t.Fatalf("too little to erase: %d reps, %d check-ins, %d alerts", len(p.Reps), len(p.CheckIns), len(p.Alerts))
	} else if len(p.Plan) != 1 || len(p.Records) != 1 || len(p.Audit) < 3 {
		t.Fatalf("too little to erase: plan %v, records %v, audit %v", p.Plan, p.Records, p.Audit)
	}
	others := map[lift.AthleteID]picture{stayer: g.picture(stayer), "": g.picture("")}
	if len(others[stayer].Alerts) == 0 || len(others[""].Reps) != 1 {
		t.Fatalf("too little to leave: %d alerts, %d reps of nobody", len(others[stayer].Alerts), len(others[""].Reps))
	}
	receipt := g.begin(leaver)
	if again := g.begin(leaver); again != receipt {
		t.Errorf("asking again gives receipt %s, not %s", again, receipt)
	}
	got := g.run(receipt)

	g.gone("after the erase")
	g.untouched("after the erase", others)
	if in := g.onDisk(string(leaver)); len(in) > 0 {
		t.Errorf("the athlete's id is still on the disk, in %v", in)
	}
	if diff := gocmp.Diff([]string{`{"boot_id":"b1","athlete":"bo-who-stays"}`}, g.quarantined()); diff != "" {
		t.Errorf("quarantine: -want +got\n%s", diff)
	}
	states := map[string]string{}
	for _, s := range got.Stores {
		states[s.Store] = s.State
		if strings.Contains(s.Detail, string(leaver)) {
			t.Errorf("the receipt names the athlete: %s", s.Detail)
		}
	}
	if diff := gocmp.Diff(map[string]string{"view": Done, "analysis": Done, "bar velocity": Done, "log": Done}, states); diff != "" {
		t.Errorf("receipt: -want +got\n%s", diff)
	}
	if got.Key != g.tombs.Key(leaver) || got.By != "head-coach" || got.Athlete != "" {
		t.Errorf("receipt %+v", got)
	}
	var chunks []int64
	g.must(g.log.ScanSamples(context.Background(), "main", "rack-1", func(e *journal.Entry) error {
		chunks = append(chunks, e.Samples.Chunk)
		return nil
	}))
	if diff := gocmp.Diff([]int64{1, 3}, chunks); diff != "" {
		t.Errorf("bar velocity: -want +got\n%s", diff)
	}

	g.restart(false)
	g.gone("after a restart")
	g.untouched("after a restart", others)
	g.restart(true)
	g.gone("after a rebuild")
	g.untouched("after a rebuild", others)
	if e, err := g.view.Erasure(context.Background(), receipt); err != nil || e.Done.IsZero() {
		t.Errorf("the receipt after a rebuild: %+v, %v", e, err)
	}
}

func TestAReplayedBacklogBringsNothingBack(t *testing.T) {
	g := newGym(t)
	g.train()
	others := map[lift.AthleteID]picture{stayer: g.picture(stayer), "": g.picture("")}
	receipt := g.begin(leaver)
	g.run(receipt)
	for _, when := range []string{"after the erase", "after a restart", "after a rebuild"} {
		if when != "after the erase" {
			g.restart(when == "after a rebuild")
			// Where people were who were erased is known once the coordinator runs.
			_, err := g.erase.round(context.Background())
			g.must(err)
		}
		events := g.log.LastSeq()
		g.train()
		g.gone(when)
		g.untouched(when, others)
		if n := g.tombs.Dropped.Load(); n < 40 {
			t.Errorf("%s: %d events were left out, want all of the athlete's", when, n)
		}
		t.Log(when, "the log has", g.log.LastSeq()-events, "more events")
	}
}

func TestAnErasedPersonOnABarIsNotTakenForTheOneBefore(t *testing.T) {
	g := newGym(t)
	g.train()
	g.run(g.begin(leaver))
	before := g.picture(stayer)
	now := time.Now().UTC().Truncate(time.Second)
	for _, e := range []journal.Event{rack.assign(leaver, now.Add(-time.Minute)), rack.rep("", 300, now.Add(-30*time.Second), bare)} {
		g.append(e)
	}
	g.settle()
	g.untouched("with the erased person on the bar", map[lift.AthleteID]picture{stayer: before})
	g.append(rack.assign(stayer, now.Add(-10*time.Second)), rack.rep("", 301, now.Add(-5*time.Second), bare))
	g.settle()
	if got := len(g.picture(stayer).Reps); got != len(before.Reps)+1 {
		t.Errorf("the next one on the bar has %d reps, want one more than %d", got, len(before.Reps))
	}
	g.gone("on the bar again")
}

func TestALiftedEraseLetsNewDataIn(t *testing.T) {
	g := newGym(t)
	g.train()
	receipt := g.begin(leaver)
	if _, err := g.erase.Lift(context.Background(), receipt, lift.Answer{By: "admin", At: time.Now()}); !errors.Is(err, ErrNotDone) && !errors.Is(err, view.ErrNotFound) {
		t.Errorf("lifting before the end: %v", err)
	}
	g.run(receipt)
	gate := Gate{g.log, g.tombs}
	if _, err := gate.Append(t.Context(), checkIn(leaver, time.Now(), 1)); !errors.Is(err, ErrErased) {
		t.Errorf("a check-in before the lift: %v", err)
	}
	read := journal.Event{Kind: journal.KindRead, Athlete: leaver, Read: &lift.Read{By: "coach"}}
	if acks, err := gate.Append(t.Context(), read); err != nil || len(acks) != 1 || acks[0].Seq != 0 {
		t.Errorf("that somebody looked: %v %v", acks, err)
	}
	if _, err := g.erase.Lift(context.Background(), receipt, lift.Answer{By: "admin", At: time.Now(), Note: "is back"}); err != nil {
		t.Fatal(err)
	}
	g.settle()
	for _, rebuild := range []bool{false, true} {
		g.restart(rebuild)
		at := time.Now().UTC().Truncate(time.Microsecond)
		g.append(rack.rep(leaver, at.UnixNano(), at))
		g.settle()
	}
	if n := len(g.picture(leaver).Reps); n != 2 {
		t.Errorf("%d reps after the lift, want the two new ones", n)
	}
	if e, err := g.view.Erasure(context.Background(), receipt); err != nil || e.Lifted == nil || e.Lifted.Note != "is back" {
		t.Errorf("receipt %+v, %v", e, err)
	}
	// Who was erased can be erased again.
	second := g.begin(leaver)
	if second == receipt {
		t.Error("a second erase has the first one's receipt")
	}
	g.run(second)
	g.gone("the second time")
}

func TestNobodyUnknownIsErased(t *testing.T) {
	g := newGym(t)
	if _, _, err := g.erase.Begin(t.Context(), "nobody-at-all", "admin", ""); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// dying is a log that is cut off after some calls that change it.
type dying struct {
	Log
	left *int
	done bool // the last call still happens, but nobody learns of it
}

var errDied = errors.New("died")

func (d dying) call(f func() error) error {
	*d.left--
	switch {
	case *d.left > 0:
		return f()
	case *d.left == 0 && d.done:
		_ = f()
	}
	return errDied
}

func (d dying) Append(ctx context.Context, events ...journal.Event) (acks []journal.Ack, err error) {
	err = d.call(func() error {
		acks, err = d.Log.Append(ctx, events...)
		return err
	})
	return acks, err
}

// Delete dies between two events too.
func (d dying) Delete(ctx context.Context, seqs []uint64) error {
	for _, seq := range seqs {
		if err := d.call(func() error { return d.Log.Delete(ctx, []uint64{seq}) }); err != nil {
			return err
		}
	}
	return nil
}

func (d dying) DeleteSamples(ctx context.Context, seqs []uint64) error {
	return d.call(func() error { return d.Log.DeleteSamples(ctx, seqs) })
}

func (d dying) Erase(ctx context.Context, athlete lift.AthleteID) (n int, err error) {
	err = d.call(func() error {
		n, err = d.Log.Erase(ctx, athlete)
		return err
	})
	return n, err
}

func TestAnEraseThatIsCutOffAnywhereIsFinishedAfterARestart(t *testing.T) {
	for _, rebuild := range []bool{false, true} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("rebuild %v, last step done %v", rebuild, done), func(t *testing.T) {
				g := newGym(t)
				g.train()
				others := map[lift.AthleteID]picture{stayer: g.picture(stayer), "": g.picture("")}
				receipt := g.begin(leaver)
				cuts := 0
				for n := 1; ; n++ {
					left := n
					g.wrap = func(l Log) Log { return dying{l, &left, done} }
					g.restart(rebuild)
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					_, err := g.erase.round(ctx)
					cancel()
					if err == nil {
						break
					}
					if !errors.Is(err, errDied) {
						t.Fatal(err)
					}
					cuts++
				}
				if cuts < 5 {
					t.Errorf("it was cut off %d times", cuts)
				}
				t.Log("cut off", cuts, "times")
				g.wrap = func(l Log) Log { return l }
				g.restart(false)
				g.run(receipt)
				g.gone("in the end")
				g.untouched("in the end", others)
				g.restart(true)
				g.gone("after a rebuild")
				g.untouched("after a rebuild", others)
			})
		}
	}
}

func TestAStoreThatIsAwayHoldsTheEraseUpAndOneThatCannotDoesNot(t *testing.T) {
	g := newGym(t)
	away := 3
	var asked Subject
	g.stores = []Store{
		{"away", func(_ context.Context, s Subject) (string, string, error) {
			if away--; away > 0 {
				return "", "", errors.New("connection refused")
			}
			if g.inLog(string(leaver)) == 0 {
				t.Error("the log was erased before the store")
			}
			asked = s
			return Done, "7 points", nil
		}},
		{"cannot", func(context.Context, Subject) (string, string, error) {
			return "", "", fmt.Errorf("version 3: %w", ErrCannot)
		}},
	}
	g.restart(false)
	g.train()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.erase.Run(ctx) }()
	receipt := g.begin(leaver)
	var got view.Erasure
	need.Eventually(t, patience, "the erase to be done", func() bool {
		var err error
		got, err = g.view.Erasure(context.Background(), receipt)
		return err == nil && !got.Done.IsZero()
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	g.gone("in the end")
	if asked.Athlete != leaver || asked.Receipt != receipt || len(asked.Stretches) == 0 {
		t.Errorf("the store was asked for %+v", asked)
	}
	said := map[string]string{}
	for _, s := range got.Stores {
		said[s.Store] = s.State + " " + s.Detail
	}
	if said["away"] != "done 7 points" || said["cannot"] != "failed version 3: this store cannot erase" {
		t.Errorf("receipt %v", said)
	}
}
