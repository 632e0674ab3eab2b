package view

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

func setEvent(row string, at time.Time, change ...func(*lift.LoggedSet)) journal.Event {
	s := &lift.LoggedSet{ID: lift.LoggedSetID("ana", "strong", row), Log: "strong", Exercise: "deadlift", Time: at, Reps: 5, LoadKg: new(100.0)}
	for _, c := range change {
		c(s)
	}
	return journal.Event{Kind: journal.KindSetLogged, Received: noon, Site: "main", Athlete: "ana", By: "kim", Logged: s}
}

func loggedSets(t fataler, v *View, athlete lift.AthleteID) []lift.LoggedSet {
	t.Helper()
	all, err := v.Logged(context.Background(), athlete, time.Time{}, forever)
	if err != nil {
		t.Fatal("read logged sets", err)
	}
	return all
}

func TestALoggedSetIsStoredAsItWasTold(t *testing.T) {
	v := openView(t)
	e := setEvent("7", noon, func(s *lift.LoggedSet) { s.Number, s.Best, s.Warmup, s.Revision = new(3), new(0.52), true, 2 })
	put(t, v, e, setEvent("8", noon.Add(-time.Hour), func(s *lift.LoggedSet) { s.LoadKg = nil }))
	want := *e.Logged
	want.Site, want.Athlete = "main", "ana"
	all := loggedSets(t, v, "ana")
	if len(all) != 2 {
		t.Fatalf("%d sets, want 2", len(all))
	}
	if diff := cmp.Diff(want, all[1]); diff != "" {
		t.Error(diff)
	}
	if first := all[0]; first.LoadKg != nil || first.Number != nil || first.Best != nil {
		t.Errorf("what was not told is known: %+v", first)
	}
	h, err := v.History(t.Context(), "ana", noon, noon)
	if err != nil || h.Site != "main" {
		t.Fatal(h.Site, err)
	}
	if diff := cmp.Diff([]lift.LoggedSet{want}, h.Logged); diff != "" {
		t.Error(diff)
	}
	if next, err := v.NextTraining(t.Context(), "ana", noon.Add(-time.Minute)); err != nil || !next.Equal(noon) {
		t.Errorf("next training %v, %v", next, err)
	}
	put(t, v, repEvent(1, noon.Add(-time.Second), by("ana", 100)))
	if next, err := v.NextTraining(t.Context(), "ana", noon.Add(-time.Minute)); err != nil || !next.Equal(noon.Add(-time.Second)) {
		t.Errorf("next training %v, %v, not the rep before", next, err)
	}
}

func TestOfALoggedSetTheHighestRevisionCounts(t *testing.T) {
	first := setEvent("1", noon)
	moved := setEvent("1", noon.Add(-24*time.Hour), func(s *lift.LoggedSet) { s.Revision, s.Exercise = 1, "squat" })
	gone := setEvent("1", noon, func(s *lift.LoggedSet) { s.Revision, s.Removed = 2, true })

	v := openView(t)
	put(t, v, first, first, moved, first)
	all := loggedSets(t, v, "ana")
	if len(all) != 1 || all[0].Exercise != "squat" || !all[0].Time.Equal(moved.Logged.Time) {
		t.Fatalf("sets %+v", all)
	}
	if d, c, n := v.Counts.Duplicates.Load(), v.Counts.Corrected.Load(), v.Counts.Logged.Load(); d != 2 || c != 1 || n != 1 {
		t.Errorf("%d duplicates, %d corrected, %d new", d, c, n)
	}
	moves, err := v.Moves(t.Context(), 0, v.Position())
	want := []Move{{Seq: 3, Site: "main", Athlete: "ana", Exercise: "deadlift", PointTime: noon}}
	if diff := cmp.Diff(want, moves); diff != "" || err != nil {
		t.Error(diff, err)
	}

	put(t, v, gone)
	if all := loggedSets(t, v, "ana"); len(all) != 0 {
		t.Errorf("what was taken back counts: %+v", all)
	}
	if s, err := v.LoggedSet(t.Context(), gone.Logged.ID); err != nil || !s.Removed {
		t.Errorf("%+v, %v: a later revision would not be known as one", s, err)
	}
	if next, err := v.NextTraining(t.Context(), "ana", time.Unix(0, 0)); err != nil || !next.IsZero() {
		t.Errorf("next training %v, %v", next, err)
	}
	changes, _, err := v.Changes().Read(t.Context(), 0, 10, nil)
	if err != nil || len(changes) != 3 {
		t.Fatal(len(changes), err)
	}
	if c := changes[1]; c.WasLogged == nil || c.WasLogged.Exercise != "deadlift" || c.Logged.Exercise != "squat" || c.Logged.Site != "main" {
		t.Errorf("change %+v", c)
	}
	if changes[0].WasLogged != nil || !changes[2].Logged.Removed {
		t.Errorf("changes %+v", changes)
	}
	put(t, v, setEvent("1", noon, func(s *lift.LoggedSet) { s.Revision = 3 }))
	if all := loggedSets(t, v, "ana"); len(all) != 1 {
		t.Errorf("it does not come back: %+v", all)
	}
}

// Arrival must not matter, and of two contents for one revision the other is kept.
func TestTheOrderOfLoggedSetsDoesNotMatter(t *testing.T) {
	var events []journal.Event
	for revision := range int64(3) {
		for load := range 3 {
			events = append(events, setEvent("1", noon.Add(time.Duration(load)*time.Hour), func(s *lift.LoggedSet) {
				s.Revision, s.LoadKg, s.Removed = revision, new(float64(100+load)), load == 2 && revision == 1
			}))
		}
	}
	read := func(rt fataler, events []journal.Event) (lift.LoggedSet, Version) {
		v := openView(t)
		put(rt, v, events...)
		id := events[0].Logged.ID
		s, err := v.LoggedSet(t.Context(), id)
		if err != nil {
			rt.Fatal(err)
		}
		versions, err := v.LoggedVersions(t.Context(), []string{id, "lg_none"})
		if err != nil || len(versions) != 1 {
			rt.Fatal(versions, err)
		}
		return s, versions[id]
	}
	clean, version := read(t, events)
	if clean.Revision != 2 || version.Revision != 2 {
		t.Fatalf("revision %d counts", clean.Revision)
	}
	rapid.Check(t, func(rt *rapid.T) {
		shuffled, of := read(rt, rapid.Permutation(events).Draw(rt, "order"))
		if diff := cmp.Diff(clean, shuffled); diff != "" || of != version {
			rt.Fatal(diff, of)
		}
	})
	v := openView(t)
	put(t, v, events[6:]...)
	held, _, err := v.Quarantine(t.Context(), Page{Limit: 10})
	if err != nil || len(held) != 2 || held[0].Athlete != "ana" || held[0].Topic != "spotter/v1/main/athlete/ana/logged" || len(held[0].Bytes) == 0 {
		t.Fatalf("quarantine %+v, %v", held, err)
	}
}

func TestVersionsAreOfTheSendersOwnWords(t *testing.T) {
	v := openView(t)
	rep := repEvent(1, noon, by("ana", 100), func(r *lift.Rep) { r.Revision, r.Source = 4, lift.SourceImported })
	leaning := repEvent(2, noon)
	set := setEvent("1", noon)
	id := lift.RepID("main", "bar-1", "b1", 1)
	put(t, v, assign(noon.Add(-time.Hour), "bo", 60), rep, leaning, set,
		journal.Event{Kind: journal.KindEdit, Received: noon, Edit: &lift.RepEdit{RepID: id, LoadKg: new(110.0), By: "kim", At: noon}})
	hash := func(e journal.Event) string {
		h, err := e.ContentHash()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	reps, err := v.RepVersions(t.Context(), []string{id, lift.RepID("main", "bar-1", "b1", 2), lift.RepID("main", "bar-1", "b1", 3), "lg_1"})
	want := map[string]Version{id: {4, hash(rep)}, lift.RepID("main", "bar-1", "b1", 2): {0, hash(leaning)}}
	if diff := cmp.Diff(want, reps); diff != "" || err != nil {
		t.Error(diff, err)
	}
	var ids []string
	for i := range 2 * versionsAtOnce {
		ids = append(ids, fmt.Sprintf("lg_%d", i))
	}
	sets, err := v.LoggedVersions(t.Context(), append(ids, set.Logged.ID))
	if diff := cmp.Diff(map[string]Version{set.Logged.ID: {0, hash(set)}}, sets); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if none, err := v.LoggedVersions(t.Context(), nil); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
}

func TestWhatComesOutOfAFileIsNotAuditedRowByRow(t *testing.T) {
	v := openView(t)
	imported := repEvent(1, noon, by("ana", 100), func(r *lift.Rep) { r.Source = lift.SourceImported })
	imported.By = "kim"
	typed := checkIn(0, 3)
	typed.By = "kim"
	put(t, v, setEvent("1", noon), imported, typed)
	entries, _, err := v.Audit(t.Context(), AuditQuery{Athlete: "ana"}, Page{Limit: 10})
	if err != nil || len(entries) != 1 || entries[0].Operation != "change:checkin" {
		t.Fatalf("audit trail %+v, %v", entries, err)
	}
}

func TestLoggedSetsAreForgottenWithTheirAthlete(t *testing.T) {
	v := openView(t)
	bo := setEvent("2", noon, func(s *lift.LoggedSet) { s.ID = lift.LoggedSetID("bo", "strong", "2") })
	bo.Athlete = "bo"
	put(t, v, setEvent("1", noon), setEvent("1", noon.Add(time.Hour), func(s *lift.LoggedSet) { s.Revision = 1 }), bo)
	if known, err := v.Knows(t.Context(), "ana"); err != nil || !known {
		t.Fatal(known, err)
	}
	put(t, v, journal.Event{Kind: journal.KindErase, Received: noon, Site: "main", Athlete: "ana", Erase: &lift.Erase{Receipt: "er_1", By: "kim", At: noon}})
	if known, err := v.Knows(t.Context(), "ana"); err != nil || known || len(loggedSets(t, v, "ana")) != 0 {
		t.Error("something is left", err)
	}
	e, err := v.Erasure(t.Context(), "er_1")
	if err != nil || e.Counts["logged sets"] != 1 {
		t.Errorf("receipt %+v, %v", e, err)
	}
	if moves, err := v.Moves(t.Context(), 0, 99); err != nil || len(moves) != 0 {
		t.Errorf("moves %+v, %v", moves, err)
	}
	put(t, v, setEvent("3", noon))
	if len(loggedSets(t, v, "ana")) != 0 || len(loggedSets(t, v, "bo")) != 1 {
		t.Error("a set came back before the erase was done, or somebody else's went")
	}
}

func TestOldLoggedSetsAreTrimmed(t *testing.T) {
	v := openView(t)
	old := setEvent("1", noon.AddDate(-3, 0, 0))
	old.Received = noon.AddDate(-2, 0, 0)
	again := setEvent("1", noon.AddDate(-3, 0, 1), func(s *lift.LoggedSet) { s.Revision = 1 })
	again.Received = old.Received
	put(t, v, old, again, setEvent("2", noon.AddDate(-9, 0, 0)))
	n, err := v.Trim(t.Context(), OldLogged, noon.AddDate(-1, 0, 0))
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if all := loggedSets(t, v, "ana"); len(all) != 1 || all[0].ID != lift.LoggedSetID("ana", "strong", "2") {
		t.Errorf("sets %+v", all)
	}
	if moves, err := v.Moves(t.Context(), 0, 99); err != nil || len(moves) != 0 {
		t.Errorf("moves %+v, %v", moves, err)
	}
}

func TestEveryLoggedSetIsHandedOut(t *testing.T) {
	v := openView(t)
	put(t, v, setEvent("1", noon), setEvent("2", noon.Add(-time.Hour), func(s *lift.LoggedSet) { s.Removed = true }), setEvent("3", noon.Add(time.Hour)))
	var reps []int64
	enough := errors.New("enough")
	err := v.EachLogged(t.Context(), "ana", func(s *lift.LoggedSet) error {
		reps = append(reps, s.Time.Unix()-noon.Unix())
		if len(reps) == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || !slices.Equal(reps, []int64{-3600, 0}) {
		t.Error(reps, err)
	}
}

// A training log of many years arrives at once.
func BenchmarkApplyLogged(b *testing.B) {
	v := openView(b)
	n := 0
	for b.Loop() {
		events := make([]journal.Event, batchSize)
		for i := range events {
			n++
			events[i] = setEvent(fmt.Sprint(n), noon.Add(-time.Duration(n)*time.Hour))
		}
		put(b, v, events...)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "sets/s")
}
