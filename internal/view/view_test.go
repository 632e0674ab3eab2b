package view

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func openView(t testing.TB) *View {
	t.Helper()
	v, err := Open(context.Background(), filepath.Join(t.TempDir(), "view.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

type fataler interface {
	Helper()
	Fatal(args ...any)
}

// put applies events as the next ones of the log.
func put(t fataler, v *View, events ...journal.Event) {
	t.Helper()
	seq := v.Position()
	entries := make([]journal.Entry, len(events))
	for i, e := range events {
		seq++
		e.V = journal.Version
		entries[i] = journal.Entry{Seq: seq, Event: e}
	}
	if err := v.apply(context.Background(), entries, seq); err != nil {
		t.Fatal(err)
	}
}

func repEvent(seq int64, at time.Time, change ...func(*lift.Rep)) journal.Event {
	r := &lift.Rep{BootID: "b1", Seq: seq, Time: at, MeanVelocity: 0.5}
	for _, c := range change {
		c(r)
	}
	return journal.Event{Kind: journal.KindRep, Received: noon, Site: "main", Device: "bar-1", Athlete: r.Athlete, Rep: r}
}

func by(athlete lift.AthleteID, load float64) func(*lift.Rep) {
	return func(r *lift.Rep) { r.Athlete, r.Exercise, r.LoadKg, r.Set = athlete, "deadlift", &load, new(1) }
}

func assign(since time.Time, athlete lift.AthleteID, load float64) journal.Event {
	a := &lift.Assignment{Athlete: athlete, Since: since, SinceGiven: true}
	if athlete != "" {
		a.Exercise, a.LoadKg = "squat", &load
	}
	return journal.Event{Kind: journal.KindAssign, Received: noon, Site: "main", Device: "bar-1", Athlete: athlete, Assign: a}
}

func reps(t fataler, v *View, athlete lift.AthleteID) []lift.RepRecord {
	t.Helper()
	got, next, err := v.Reps(context.Background(), athlete, time.Unix(0, 0), noon.AddDate(1, 0, 0), Page{Limit: 500})
	if err != nil || next != "" {
		t.Fatal("read reps", err, next)
	}
	return got
}

func one(t *testing.T, v *View, athlete lift.AthleteID) lift.RepRecord {
	t.Helper()
	got := reps(t, v, athlete)
	if len(got) != 1 {
		t.Fatalf("%d reps of %q, want 1", len(got), athlete)
	}
	return got[0]
}

func TestARepIsStoredAsItWasSent(t *testing.T) {
	v := openView(t)
	e := repEvent(7, noon, by("ana", 120))
	e.Rep.DeviceUs, e.Rep.Rep, e.Rep.PeakVelocity, e.Rep.MeanPropulsiveVelocity = new(int64(9)), new(2), new(0.8), new(0.55)
	e.Rep.ROM, e.Rep.Concentric, e.Rep.Eccentric, e.Rep.BarDrift, e.Rep.BarTilt = new(0.5), new(1.0), new(1.4), new(0.02), new(1.5)
	e.Rep.TimeToPeak, e.Rep.StickingFrom, e.Rep.StickingTo, e.Rep.Convention = new(0.3), new(0.5), new(0.7), "peak of é, 3 m/s"
	e.Rep.HipShoulderRatio, e.Rep.TrunkFlexion, e.Rep.Warmup, e.Rep.Failed, e.Rep.Historical = new(1.05), new(21.0), true, true, true
	put(t, v, e)
	want := lift.RepRecord{ID: lift.RepID("main", "bar-1", "b1", 7), Site: "main", Device: "bar-1", Rep: *e.Rep, Valid: true, Received: noon, LogSeq: 1, PointTime: noon}
	want.Source = lift.SourceDevice
	if diff := cmp.Diff(want, one(t, v, "ana")); diff != "" {
		t.Fatal(diff)
	}
	byID, err := v.Rep(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, byID); diff != "" {
		t.Fatal(diff)
	}
	for _, id := range []string{"", "rp_", "rp_zz", lift.RepID("main", "bar-1", "b1", 8)} {
		if _, err := v.Rep(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("rep %q: %v, want ErrNotFound", id, err)
		}
	}
}

func TestTextsOfARepMayHoldAnything(t *testing.T) {
	v := openView(t)
	for i, boot := range []string{"", " ", "b 1  é", "3 4 5"} {
		e := repEvent(int64(i), noon.Add(time.Duration(i)*time.Second))
		e.Rep.BootID, e.Rep.Convention = boot, boot+" mean"
		put(t, v, e)
	}
	for i, r := range reps(t, v, "") {
		if boot := []string{"", " ", "b 1  é", "3 4 5"}[i]; r.BootID != boot || r.Convention != boot+" mean" || r.Seq != int64(i) || r.Set != nil || r.LoadKg != nil {
			t.Errorf("rep %d: %+v", i, r)
		}
	}
}

func TestARepeatedRepChangesNothing(t *testing.T) {
	v := openView(t)
	e := repEvent(1, noon, by("ana", 100))
	put(t, v, e)
	later := e
	later.Received = noon.Add(time.Hour)
	put(t, v, later)
	if got := one(t, v, "ana"); !got.Received.Equal(noon) || v.Counts.Duplicates.Load() != 1 {
		t.Fatalf("received %v, %d duplicates", got.Received, v.Counts.Duplicates.Load())
	}
}

func TestTheHighestRevisionCountsInWhateverOrder(t *testing.T) {
	revision := func(n int64, v float64) journal.Event {
		return repEvent(1, noon, by("ana", 100), func(r *lift.Rep) { r.Revision, r.MeanVelocity = n, v })
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {1, 0, 2}} {
		v := openView(t)
		events := []journal.Event{revision(0, 0.5), revision(1, 0.6), revision(2, 0.7)}
		for _, i := range order {
			put(t, v, events[i])
		}
		if got := one(t, v, "ana"); got.MeanVelocity != 0.7 || got.Revision != 2 {
			t.Errorf("order %v: revision %d with %v m/s counts", order, got.Revision, got.MeanVelocity)
		}
	}
}

func TestOfTwoContentsForOneRevisionTheSameCountsInEitherOrder(t *testing.T) {
	a := repEvent(1, noon, by("ana", 100))
	b := repEvent(1, noon, by("ana", 100), func(r *lift.Rep) { r.MeanVelocity = 0.9 })
	var winners []float64
	for _, order := range [][]journal.Event{{a, b}, {b, a}} {
		v := openView(t)
		put(t, v, order...)
		winners = append(winners, one(t, v, "ana").MeanVelocity)
		held, _, err := v.Quarantine(t.Context(), Page{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(held) != 1 || held[0].Field != "revision" || held[0].Topic != "spotter/v1/main/device/bar-1/rep" {
			t.Fatalf("quarantine %+v", held)
		}
	}
	if winners[0] != winners[1] {
		t.Fatalf("winners %v", winners)
	}
}

func TestACoachStandsAboveEveryRevision(t *testing.T) {
	v := openView(t)
	id := lift.RepID("main", "bar-1", "b1", 1)
	edit := func(e lift.RepEdit) journal.Event {
		e.RepID, e.By, e.At = id, "admin", noon
		return journal.Event{Kind: journal.KindEdit, Received: noon, Edit: &e}
	}
	put(t, v, repEvent(1, noon, by("ana", 100)))
	put(t, v, edit(lift.RepEdit{LoadKg: new(110.0)}), edit(lift.RepEdit{Valid: new(false)}))
	put(t, v, repEvent(1, noon, by("ana", 90), func(r *lift.Rep) { r.Revision, r.MeanVelocity = 5, 0.4 }))
	got := one(t, v, "ana")
	if *got.LoadKg != 110 || got.Valid || got.MeanVelocity != 0.4 {
		t.Fatalf("load %v, valid %v, %v m/s", *got.LoadKg, got.Valid, got.MeanVelocity)
	}
	put(t, v, edit(lift.RepEdit{Athlete: new(lift.AthleteID("bo")), Valid: new(true)}))
	if got := one(t, v, "bo"); *got.LoadKg != 110 || !got.Valid || len(reps(t, v, "ana")) != 0 {
		t.Fatalf("moved rep %+v", got)
	}
	moves, err := v.Moves(t.Context(), 4, 5)
	if err != nil || len(moves) != 1 || moves[0].Athlete != "ana" || moves[0].RepID != id {
		t.Fatalf("moves %+v, %v", moves, err)
	}
}

func TestAWithdrawnCorrectionLetsTheDeviceCountAgain(t *testing.T) {
	v := openView(t)
	id := lift.RepID("main", "bar-1", "b1", 1)
	edit := func(e lift.RepEdit) journal.Event {
		e.RepID, e.By, e.At = id, "admin", noon
		return journal.Event{Kind: journal.KindEdit, Received: noon, Edit: &e}
	}
	put(t, v, repEvent(1, noon)) // nobody's, of no known load
	put(t, v, edit(lift.RepEdit{Athlete: new(lift.AthleteID("ana")), LoadKg: new(110.0), Exercise: new(lift.ExerciseID("squat")), Set: new(4), Valid: new(false)}))
	if got := one(t, v, "ana"); got.Valid || *got.LoadKg != 110 || *got.Set != 4 || !got.Edited {
		t.Fatalf("corrected to %+v", got)
	}
	put(t, v, edit(lift.RepEdit{Withdraw: []string{"valid", "set"}, LoadKg: new(115.0)}))
	if got := one(t, v, "ana"); !got.Valid || *got.LoadKg != 115 || got.Set != nil || got.Exercise != "squat" || !got.Edited {
		t.Fatalf("after withdrawing two: %+v", got)
	}
	put(t, v, edit(lift.RepEdit{Withdraw: []string{"athlete", "load_kg", "exercise"}}))
	if got := one(t, v, ""); got.LoadKg != nil || got.Exercise != "" || got.Edited || len(reps(t, v, "ana")) != 0 {
		t.Fatalf("after withdrawing all: %+v", got)
	}
	// What stands counts, not how often it was changed before.
	put(t, v, assign(noon.Add(-time.Minute), "bo", 60), repEvent(1, noon, func(r *lift.Rep) { r.Revision, r.MeanVelocity = 1, 0.4 }))
	put(t, v, edit(lift.RepEdit{Set: new(2)}))
	if got := one(t, v, "bo"); *got.LoadKg != 60 || *got.Set != 2 || got.MeanVelocity != 0.4 || !got.Edited {
		t.Fatalf("assigned and corrected again: %+v", got)
	}
}

func TestARepTakesItsDevicesAssignmentAtItsTime(t *testing.T) {
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	events := []journal.Event{
		assign(at(0), "ana", 100), assign(at(10), "bo", 60), assign(at(20), "", 0),
		repEvent(1, at(-1)), repEvent(2, at(0)), repEvent(3, at(9)), repEvent(4, at(10)), repEvent(5, at(25)),
		repEvent(6, at(11), func(r *lift.Rep) { r.Athlete = "cleo" }), // not bo's load
		repEvent(7, at(12), func(r *lift.Rep) { r.LoadKg = new(62.5) }),
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := openView(t)
		put(rt, v, rapid.Permutation(events).Draw(rt, "order")...)
		got := map[int64]string{}
		for _, athlete := range []lift.AthleteID{"", "ana", "bo", "cleo"} {
			for _, r := range reps(rt, v, athlete) {
				load := "-"
				if r.LoadKg != nil {
					load = fmt.Sprint(*r.LoadKg)
				}
				got[r.Seq] = fmt.Sprintf("%s %s %s", athlete, r.Exercise, load)
			}
		}
		want := map[int64]string{
			1: "  -", 2: "ana squat 100", 3: "ana squat 100", 4: "bo squat 60", 5: "  -", 6: "cleo  -", 7: "bo squat 62.5",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestARetainedAssignmentThatComesAgainChangesNothing(t *testing.T) {
	v := openView(t)
	received := func(m int) journal.Event {
		e := assign(noon.Add(time.Duration(m)*time.Minute), "ana", 100)
		e.Assign.SinceGiven = false
		return e
	}
	put(t, v, received(0), repEvent(1, noon.Add(time.Minute)), received(5), received(9))
	if v.Counts.Duplicates.Load() != 2 || v.Counts.Corrected.Load() != 0 {
		t.Fatalf("%d duplicates, %d corrected", v.Counts.Duplicates.Load(), v.Counts.Corrected.Load())
	}
}

// Arrival must not matter: the rows of a shuffled log equal those of the clean one.
func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var events []journal.Event
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		for range 40 {
			seq := int64(r.IntN(12))
			e := repEvent(seq, noon.Add(time.Duration(seq)*time.Minute), func(p *lift.Rep) {
				p.Revision = int64(r.IntN(3))
				p.MeanVelocity = 0.4 + float64(r.IntN(3))/10
				if r.IntN(2) == 0 {
					by("ana", float64(80+10*r.IntN(3)))(p)
				}
			})
			events = append(events, e)
		}
		for i := range 3 {
			events = append(events, assign(noon.Add(time.Duration(i*4)*time.Minute), []lift.AthleteID{"ana", "bo", "cleo"}[i], 70))
		}
		read := func(events []journal.Event) []lift.RepRecord {
			v := openView(t)
			put(rt, v, events...)
			var all []lift.RepRecord
			for _, athlete := range []lift.AthleteID{"", "ana", "bo", "cleo"} {
				all = append(all, reps(rt, v, athlete)...)
			}
			return all
		}
		clean := read(events)
		shuffled := read(rapid.Permutation(events).Draw(rt, "order"))
		if diff := cmp.Diff(clean, shuffled, cmpopts.IgnoreFields(lift.RepRecord{}, "LogSeq", "PointTime")); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestRepsOfOneInstantKeepApart(t *testing.T) {
	v := openView(t)
	for i := range 3 {
		put(t, v, repEvent(int64(i), noon, by("ana", 100)))
	}
	var points []int64
	for _, r := range reps(t, v, "ana") {
		if !r.Time.Equal(noon) {
			t.Errorf("time %v was changed", r.Time)
		}
		points = append(points, r.PointTime.Sub(noon).Milliseconds())
	}
	if !slices.Equal(points, []int64{0, 1, 2}) {
		t.Fatalf("points at %v ms", points)
	}
}

func TestPagesHoldEveryRepOnce(t *testing.T) {
	v := openView(t)
	for i := range 57 {
		put(t, v, repEvent(int64(i), noon.Add(time.Duration(i/3)*time.Second), by("ana", 100)))
	}
	for _, limit := range []int{1, 7, 56, 57, 58} {
		var got []int64
		cursor := ""
		for {
			page, next, err := v.Reps(t.Context(), "ana", noon, noon.Add(time.Hour), Page{limit, cursor})
			if err != nil || len(page) > limit {
				t.Fatal(len(page), err)
			}
			for _, r := range page {
				got = append(got, r.Seq)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		slices.Sort(got)
		if len(got) != 57 || len(slices.Compact(got)) != 57 {
			t.Errorf("limit %d: %d reps", limit, len(got))
		}
	}
	if _, _, err := v.Reps(t.Context(), "ana", noon, noon, Page{1, "nonsense"}); !errors.Is(err, ErrCursor) {
		t.Errorf("got %v, want ErrCursor", err)
	}
}

func checkIn(revision int64, pain int) journal.Event {
	return journal.Event{
		Kind: journal.KindCheckIn, Received: noon, Site: "main", Athlete: "ana",
		CheckIn: &lift.CheckIn{Revision: revision, Time: noon, Phase: lift.PhaseAfter, Pain: &pain, Symptoms: []lift.Symptom{lift.Radiating}},
	}
}

func TestCheckInsFollowTheirRevisions(t *testing.T) {
	for _, order := range [][]journal.Event{{checkIn(0, 3), checkIn(1, 6)}, {checkIn(1, 6), checkIn(0, 3), checkIn(1, 6)}} {
		v := openView(t)
		put(t, v, order...)
		h, err := v.History(t.Context(), "ana", noon.Add(-time.Hour), noon.Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if len(h.CheckIns) != 1 || *h.CheckIns[0].Pain != 6 || h.Site != "main" || h.Position != v.Position() {
			t.Fatalf("history %+v", h)
		}
	}
}

func TestCheckInsArePaged(t *testing.T) {
	v := openView(t)
	for i := range 7 {
		e := checkIn(0, i)
		e.CheckIn.Time = noon.Add(time.Duration(i/2) * time.Hour)
		e.CheckIn.Phase = []lift.Phase{lift.PhaseBefore, lift.PhaseAfter}[i%2]
		put(t, v, e)
	}
	pains, cursor := map[int]int{}, ""
	for {
		page, next, err := v.CheckIns(t.Context(), "ana", noon, noon.Add(3*time.Hour), Page{2, cursor})
		if err != nil || len(page) > 2 {
			t.Fatal(page, err)
		}
		for i := range page {
			pains[*page[i].Pain]++
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if diff := cmp.Diff(map[int]int{0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1}, pains); diff != "" {
		t.Fatal(diff)
	}
}

func TestADeviceIsAsItSpokeLast(t *testing.T) {
	v := openView(t)
	status := func(state lift.DeviceState, at time.Time) journal.Event {
		return journal.Event{Kind: journal.KindStatus, Received: at, Site: "main", Device: "bar-1", Status: &lift.DeviceStatus{State: state}}
	}
	put(t, v, status(lift.DeviceLost, noon.Add(time.Minute)), status(lift.DeviceReady, noon))
	devices, err := v.Devices(t.Context())
	if err != nil || len(devices) != 1 || devices[0].Status.State != lift.DeviceLost || !devices[0].Seen.Equal(noon.Add(time.Minute)) {
		t.Fatalf("devices %+v, %v", devices, err)
	}
}

func found(id string, s lift.Severity, opened time.Time) journal.Event {
	f := &lift.Finding{ID: id, Site: "main", Athlete: "ana", Rule: "velocity-loss", Severity: s, Window: lift.Window{Kind: lift.WindowSet, ID: id, From: noon, To: noon}}
	return journal.Event{Kind: journal.KindAlert, Received: opened, Site: "main", Athlete: "ana", Alert: &lift.AlertChange{AlertID: id, Verb: lift.AlertFound, At: opened, Finding: f}}
}

func answer(id string, verb lift.AlertVerb) journal.Event {
	return journal.Event{Kind: journal.KindAnswer, Received: noon, Athlete: "ana", Alert: &lift.AlertChange{AlertID: id, Verb: verb, At: noon, Answer: &lift.Answer{By: "coach", At: noon}}}
}

func TestAnAlertsLifeIsKept(t *testing.T) {
	v := openView(t)
	put(t, v, found("al_1", lift.Advice, noon), answer("al_1", lift.AlertAcknowledge), answer("al_1", lift.AlertAcknowledge),
		found("al_1", lift.Warning, noon), answer("al_1", lift.AlertResolve))
	a, err := v.Alert(t.Context(), "al_1")
	if err != nil || a.State != lift.AlertResolved || a.Severity != lift.Warning || a.Acknowledged != nil || a.Revision != 4 {
		t.Fatalf("alert %+v, %v", a, err)
	}
	steps, err := v.AlertSteps(t.Context(), "al_1")
	if err != nil || len(steps) != 4 || steps[1].Verb != lift.AlertAcknowledge || steps[2].Alert.State != lift.AlertOpen {
		t.Fatalf("steps %+v, %v", steps, err)
	}
	after, err := v.AlertStepsAfter(t.Context(), steps[1].Seq, 10)
	if err != nil || len(after) != 2 {
		t.Fatalf("steps after %+v, %v", after, err)
	}
	if seq, err := v.AlertSeq(t.Context(), "ana"); err != nil || seq != 4 {
		t.Fatalf("newest alert event %d, %v", seq, err)
	}
	if _, err := v.Alert(t.Context(), "al_2"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}

func TestAlertsAreFilteredAndPaged(t *testing.T) {
	v := openView(t)
	for i := range 10 {
		s := []lift.Severity{lift.Info, lift.Warning}[i%2]
		put(t, v, found(fmt.Sprintf("al_%d", i), s, noon.Add(time.Duration(i/2)*time.Hour)))
	}
	put(t, v, answer("al_9", lift.AlertResolve))
	list := func(q AlertQuery) int {
		n, cursor := 0, ""
		for {
			page, next, err := v.Alerts(t.Context(), q, Page{3, cursor})
			if err != nil {
				t.Fatal(err)
			}
			n += len(page)
			if cursor = next; cursor == "" {
				return n
			}
		}
	}
	for _, c := range []struct {
		q    AlertQuery
		want int
	}{
		{AlertQuery{}, 10},
		{AlertQuery{Severity: lift.Advice}, 5},
		{AlertQuery{Severity: lift.Warning, State: lift.AlertOpen}, 4},
		{AlertQuery{Athlete: "bo"}, 0},
		{AlertQuery{Site: "main", Rule: "velocity-loss", Since: noon.Add(2 * time.Hour), Until: noon.Add(3 * time.Hour)}, 2},
	} {
		if got := list(c.q); got != c.want {
			t.Errorf("%+v: %d alerts, want %d", c.q, got, c.want)
		}
	}
	due, err := v.Unexpired(t.Context(), lift.WindowSet, noon.Add(time.Hour), []lift.Rule{"red-flag"}, 100)
	if err != nil || len(due) != 9 {
		t.Fatalf("%d unexpired, %v", len(due), err)
	}
	none, err := v.Unexpired(t.Context(), lift.WindowSet, noon.Add(time.Hour), []lift.Rule{"velocity-loss"}, 100)
	if err != nil || len(none) != 0 {
		t.Fatalf("%d unexpired of a rule that never expires, %v", len(none), err)
	}
}

func TestQuarantineHoldsUntilReleased(t *testing.T) {
	v := openView(t)
	q := &lift.Quarantined{ID: "qu_1", Topic: "t", Reason: "r", Received: noon, Size: 2, Bytes: []byte("{]")}
	held := journal.Event{Kind: journal.KindQuarantined, Received: noon, Quarantined: q}
	put(t, v, held, held)
	items, _, err := v.Quarantine(t.Context(), Page{Limit: 10})
	if err != nil || len(items) != 1 || string(items[0].Bytes) != "{]" {
		t.Fatalf("items %+v, %v", items, err)
	}
	put(t, v, journal.Event{Kind: journal.KindReleased, Released: &journal.Release{ID: "qu_1", Replayed: true, By: "admin", At: noon}})
	if items, _, err = v.Quarantine(t.Context(), Page{Limit: 10}); err != nil || len(items) != 0 {
		t.Fatalf("items %+v, %v", items, err)
	}
	if item, err := v.Quarantined(t.Context(), "qu_1"); err != nil || item.Released == nil || !item.Released.Replayed {
		t.Fatalf("item %+v, %v", item, err)
	}
}

func TestChangesArePublishedAfterTheCommit(t *testing.T) {
	v := openView(t)
	put(t, v, repEvent(1, noon, by("ana", 100)), journal.Event{Kind: journal.KindTick, Received: noon, Minute: noon})
	put(t, v, repEvent(1, noon, by("bo", 100), func(r *lift.Rep) { r.Revision = 1 }))
	changes, pos, err := v.Changes().Read(t.Context(), 0, 100, nil)
	if err != nil || pos != 3 || len(changes) != 3 {
		t.Fatalf("%d changes up to %d, %v", len(changes), pos, err)
	}
	if c := changes[2]; c.Was == nil || c.Was.Athlete != "ana" || c.Rep.Athlete != "bo" || c.Seq != 3 {
		t.Fatalf("change %+v", c)
	}
	if tick, err := v.LastTick(t.Context()); err != nil || !tick.Equal(noon) {
		t.Fatalf("last tick %v, %v", tick, err)
	}
}

// The view is thrown away and filled again, by following a real log.
func TestARebuiltViewEqualsTheOldOne(t *testing.T) {
	log, err := journal.Open(t.Context(), journal.Options{Dir: t.TempDir(), Fsync: time.Second, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i := range 30 {
		events := []journal.Event{repEvent(int64(i), noon.Add(time.Duration(i)*time.Second), by("ana", 100)), checkIn(int64(i), i%10), setEvent(fmt.Sprint(i/2), noon, func(s *lift.LoggedSet) { s.Revision = int64(i % 2) })}
		if _, err := log.Append(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "view.db")
	fill := func() History {
		v, err := Open(t.Context(), path, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = v.Close() }()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- v.Run(ctx, log) }()
		if err := v.WaitFor(t.Context(), 90); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		h, err := v.History(t.Context(), "ana", time.Unix(0, 0), time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first := fill()
	if len(first.Reps) != 30 || len(first.Logged) != 15 {
		t.Fatalf("%d reps, %d logged sets", len(first.Reps), len(first.Logged))
	}
	if err := Remove(path); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, fill()); diff != "" {
		t.Fatal(diff)
	}
}

func TestAViewOfAnotherVersionIsBuiltAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "view.db")
	v, err := Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	put(t, v, repEvent(1, noon, by("ana", 100)))
	if _, err := v.write.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v, err = Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	if v.Position() != 0 || len(reps(t, v, "ana")) != 0 {
		t.Fatal("the old view's rows are still there")
	}
	if from, _ := v.Changes().Span(); from != 0 {
		t.Fatal("the feed does not begin at the beginning")
	}
}

func BenchmarkApply(b *testing.B) {
	v := openView(b)
	n := int64(0)
	for b.Loop() {
		events := make([]journal.Event, 500)
		for i := range events {
			n++
			events[i] = repEvent(n, noon.Add(time.Duration(n)*time.Second), by(lift.AthleteID(fmt.Sprintf("a%d", n%50)), 100))
		}
		put(b, v, events...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "reps/s")
}
