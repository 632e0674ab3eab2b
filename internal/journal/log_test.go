package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, o Options) *Log {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func rep(athlete string, seq int64) Event {
	return Event{
		Kind: KindRep, Received: noon, Site: "main", Device: "bar-1", Athlete: lift.AthleteID(athlete),
		Rep: &lift.Rep{BootID: "b1", Seq: seq, Time: noon, Athlete: lift.AthleteID(athlete), MeanVelocity: 0.5},
	}
}

func seqs(entries []Entry) []int64 {
	var got []int64
	for _, e := range entries {
		got = append(got, e.Rep.Seq)
	}
	return got
}

func readAll(t *testing.T, l *Log, after uint64) []Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	info, err := l.stream.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var all []Entry
	f := l.Follow(after)
	for f.Position() < info.State.LastSeq {
		entries, err := f.Next(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entries...)
	}
	return all
}

func TestWhatIsAppendedIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	acks, err := l.Append(t.Context(), rep("ana", 1), rep("ana", 2), rep("bo", 3))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Ack{{Seq: 1}, {Seq: 2}, {Seq: 3}}, acks); diff != "" {
		t.Fatal(diff)
	}
	if err := l.SavePosition(t.Context(), "view", 2); err != nil {
		t.Fatal(err)
	}
	l.Close()

	l = open(t, Options{Dir: dir})
	got := readAll(t, l, 0)
	want := rep("bo", 3)
	want.V = Version
	want.Hash, _ = want.ContentHash()
	if len(got) != 3 {
		t.Fatalf("got %d events, want 3", len(got))
	}
	if diff := cmp.Diff(Entry{3, want}, got[2]); diff != "" {
		t.Fatal(diff)
	}
	if pos, err := l.LoadPosition(t.Context(), "view"); err != nil || pos != 2 {
		t.Fatalf("position %d, %v", pos, err)
	}
	if pos, err := l.LoadPosition(t.Context(), "nobody"); err != nil || pos != 0 {
		t.Fatalf("position of an unknown follower %d, %v", pos, err)
	}
}

func TestARepeatedEventIsStoredOnce(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	if _, err := l.Append(t.Context(), rep("ana", 1), rep("ana", 2)); err != nil {
		t.Fatal(err)
	}
	corrected := rep("ana", 1)
	corrected.Rep.Revision = 1
	later := rep("ana", 2)
	later.Received = noon.Add(time.Second)
	acks, err := l.Append(t.Context(), rep("ana", 3), later, corrected, rep("ana", 3))
	if err != nil {
		t.Fatal(err)
	}
	want := []Ack{{Seq: 3}, {Seq: 2, Duplicate: true}, {Seq: 4}, {Seq: 3, Duplicate: true}}
	if diff := cmp.Diff(want, acks); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 1}, seqs(readAll(t, l, 0))); diff != "" {
		t.Fatal(diff)
	}
}

func TestFollowersReadOnFromWhereTheTailNoLongerReaches(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir(), Fsync: time.Second})
	const n = tailSize + 3000
	for i := 0; i < n; i += 500 {
		var batch []Event
		for j := range min(500, n-i) {
			batch = append(batch, rep(fmt.Sprintf("a%d", j%7), int64(i+j)))
		}
		if _, err := l.Append(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	got := readAll(t, l, 10)
	if len(got) != n-10 {
		t.Fatalf("got %d events, want %d", len(got), n-10)
	}
	for i, e := range got {
		if e.Rep.Seq != int64(i+10) || e.Seq != uint64(i+11) {
			t.Fatalf("event %d is rep %d at %d", i, e.Rep.Seq, e.Seq)
		}
	}
}

func TestADisplacedWriterIsRefused(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	none, first := uint64(0), uint64(1)
	alert := func(id string, expect *uint64) Event {
		return Event{
			Kind: KindAlert, Received: noon, Athlete: "ana", ExpectLast: expect,
			Alert: &lift.AlertChange{AlertID: id, Verb: lift.AlertRetract, At: noon},
		}
	}
	if _, err := l.Append(t.Context(), alert("al_1", &none)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), alert("al_2", &none)); !errors.Is(err, ErrDisplaced) {
		t.Fatalf("got %v, want ErrDisplaced", err)
	}
	second := alert("al_3", nil)
	if _, err := l.Append(t.Context(), alert("al_2", &first), second); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), alert("al_4", &first), alert("al_5", nil)); !errors.Is(err, ErrDisplaced) {
		t.Fatalf("got %v, want ErrDisplaced for a batch", err)
	}
	// Another writer has said the first of two things at the same instant.
	third := uint64(3)
	if _, err := l.Append(t.Context(), alert("al_3", &third), alert("al_6", nil)); !errors.Is(err, ErrDisplaced) {
		t.Fatalf("got %v, want ErrDisplaced for a batch of which one is stored", err)
	}
	if got := readAll(t, l, 0); len(got) != 3 {
		t.Fatalf("%d events are stored, want 3", len(got))
	}
}

func TestEraseLeavesNothingOfOneAthlete(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	unassigned := rep("", 4)
	if _, err := l.Append(t.Context(), rep("ana", 1), rep("bo", 2), rep("ana", 3), unassigned, rep("bo", 5)); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Erase(t.Context(), "ana"); err != nil || n != 2 {
		t.Fatalf("%d events erased, %v", n, err)
	}
	if err := l.Delete(t.Context(), []uint64{4, 4, 99}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{2, 5}, seqs(eraseTail(t, l))); diff != "" {
		t.Fatal(diff)
	}
	if _, err := l.Erase(t.Context(), "*"); err == nil {
		t.Fatal("a wildcard is not an athlete")
	}
}

func TestErasedBytesAreNotOnTheDiskAnyMore(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	ana, bo := rep("ana-who-leaves", 1), rep("bo-who-stays", 2)
	if _, err := l.Append(t.Context(), ana, bo); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Erase(t.Context(), "ana-who-leaves"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if !onDisk(t, dir, "bo-who-stays") {
		t.Fatal("the search finds nothing at all")
	}
	if onDisk(t, dir, "ana-who-leaves") {
		t.Fatal("what was erased is still on the disk")
	}
}

// onDisk looks for a text in all files of a folder.
func onDisk(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found = found || bytes.Contains(data, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTrimLeavesWhatIsNewOrOfAnotherKind(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	tick := Event{Kind: KindTick, Received: noon, Minute: noon}
	if _, err := l.Append(t.Context(), rep("ana", 1), tick, rep("bo", 2)); err != nil {
		t.Fatal(err)
	}
	middle := time.Now()
	if _, err := l.Append(t.Context(), rep("ana", 3)); err != nil {
		t.Fatal(err)
	}
	if err := l.Trim(t.Context(), middle, KindRep); err != nil {
		t.Fatal(err)
	}
	var left []Kind
	if err := l.Scan(t.Context(), 99, func(e *Entry) error { left = append(left, e.Kind); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Kind{KindTick, KindRep}, left); diff != "" {
		t.Fatal(diff)
	}
	if err := l.Trim(t.Context(), time.Now().Add(time.Hour), KindRep); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := l.ScanKind(t.Context(), KindRep, func(*Entry) error { n++; return nil }); err != nil || n != 0 {
		t.Fatalf("%d reps are left, %v", n, err)
	}
}

// eraseTail reads the stored log past what is held in memory.
func eraseTail(t *testing.T, l *Log) []Entry {
	t.Helper()
	got, _, err := l.read(t.Context(), l.tail, 0, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAFollowerPassesOverAnErasedStretch(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	if _, err := l.Append(t.Context(), rep("ana", 1), rep("ana", 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Erase(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = open(t, Options{Dir: dir})
	if _, err := l.Append(t.Context(), rep("bo", 3)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{3}, seqs(readAll(t, l, 0))); diff != "" {
		t.Fatal(diff)
	}
}

func TestAFollowerBeyondTheLogsEndSeesWhatComesNext(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	f := l.Follow(99)
	if _, err := l.Append(t.Context(), rep("ana", 1)); err != nil {
		t.Fatal(err)
	}
	got, err := f.Next(t.Context(), 10)
	if err != nil || len(got) != 1 || got[0].Seq != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestSamplesHaveAStreamOfTheirOwn(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	chunk := Event{
		Kind: KindSamples, Received: noon, Site: "main", Device: "bar-1",
		Samples: &lift.Samples{BootID: "b1", Chunk: 1, Time: noon, RateHz: 100, Velocity: []float64{0, 0.1}},
	}
	acks, err := l.Append(t.Context(), rep("ana", 1), chunk, rep("ana", 2))
	if err != nil {
		t.Fatal(err)
	}
	if acks[1].Seq != 1 || acks[2].Seq != 2 {
		t.Fatalf("acks %v", acks)
	}
	if got := readAll(t, l, 0); len(got) != 2 {
		t.Fatalf("%d events, want the two reps", len(got))
	}
}

func chunk(n int64) Event {
	return Event{
		Kind: KindSamples, Received: noon, Site: "main", Device: "bar-1",
		Samples: &lift.Samples{BootID: "b1", Chunk: n, Time: noon, RateHz: 100, Velocity: []float64{0.1, 0.2}},
	}
}

func TestSamplesAreFollowedFromAnyPositionWhateverElseIsAppended(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir})
	if _, err := l.Append(t.Context(), chunk(0), rep("ana", 1), chunk(1)); err != nil {
		t.Fatal(err)
	}
	l.Close()

	l = open(t, Options{Dir: dir}) // the tail begins after what is stored
	if _, err := l.Append(t.Context(), rep("ana", 2), chunk(2)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []int64
	f := l.FollowSamples(1)
	for len(got) < 2 {
		entries, err := f.Next(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got = append(got, e.Samples.Chunk)
		}
	}
	if diff := cmp.Diff([]int64{1, 2}, got); diff != "" {
		t.Fatal(diff)
	}
	if f.Position() != 3 || f.End() != 3 {
		t.Fatalf("at %d of %d, want 3 of 3", f.Position(), f.End())
	}
}

func TestManyLargeEventsFitOneAppend(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	events := make([]Event, 400)
	for i := range events {
		events[i] = Event{Kind: KindQuarantined, Received: noon, Quarantined: &lift.Quarantined{
			ID: fmt.Sprint("qu_", i), Bytes: bytes.Repeat([]byte{byte(i)}, lift.MaxQuarantinedBytes),
		}}
	}
	if _, err := l.Append(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, l, 0); len(got) != len(events) {
		t.Fatalf("%d events, want %d", len(got), len(events))
	}
}

func TestTooManyEventsAreRefusedWhole(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	if _, err := l.Append(t.Context(), make([]Event, MaxBatch+1)...); !errors.Is(err, ErrTooMany) {
		t.Fatalf("got %v", err)
	}
}

// Stored events are the one thing that stays compatible: each version that was
// ever released has a line here, and is never changed.
func TestAnEventOfALaterVersionIsNotMisread(t *testing.T) {
	if _, err := Decode([]byte(`{"v":2,"kind":"rep"}`)); err == nil {
		t.Error("it was read")
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, fsync := range []time.Duration{0, 100 * time.Millisecond} {
		for _, size := range []int{1, 2, 10, 100, 1000} {
			b.Run(fmt.Sprintf("fsync=%v/batch=%d", fsync, size), func(b *testing.B) {
				l := open(b, Options{Dir: b.TempDir(), Fsync: fsync})
				n := int64(0)
				for b.Loop() {
					batch := make([]Event, size)
					for i := range batch {
						n++
						batch[i] = rep("ana", n)
					}
					if _, err := l.Append(b.Context(), batch...); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// What was appended is counted at once, though it comes back over the wire later.
func TestTheLastSequenceIsThatOfWhatWasAppended(t *testing.T) {
	l := open(t, Options{Dir: t.TempDir()})
	for n := range 200 {
		acks, err := l.Append(t.Context(), rep("ana", int64(n)))
		if err != nil {
			t.Fatal(err)
		}
		if last := l.LastSeq(); last < acks[0].Seq {
			t.Fatalf("the last sequence is %d after %d was appended", last, acks[0].Seq)
		}
	}
}
