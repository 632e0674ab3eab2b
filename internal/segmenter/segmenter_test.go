package segmenter

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	rate       = 100
	eventually = 20 * time.Second
)

// line is a log with its view, and a segmenter that can be stopped.
type line struct {
	t         *testing.T
	log       *journal.Log
	view      *view.View
	segmenter *Segmenter
	ahead     atomic.Int64 // seconds that the segmenter's clock is ahead
	stop      func()
}

func newLine(t *testing.T) *line {
	t.Helper()
	dir := t.TempDir()
	log, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(dir, "log"), Fsync: need.Fsync, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := view.Open(t.Context(), filepath.Join(dir, "view.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx, log) }()
	l := &line{t: t, log: log, view: v, stop: func() {}}
	t.Cleanup(func() {
		l.stop()
		cancel()
		if err := <-done; ctx.Err() == nil {
			t.Error("the view stopped:", err)
		}
		_ = v.Close()
		log.Close()
	})
	return l
}

// start lets a new segmenter run, as a restart would.
func (l *line) start() {
	l.stop()
	l.segmenter = New(Options{
		Log: l.log, View: l.view, Logger: slog.New(slog.DiscardHandler),
		Exercise: func(id lift.ExerciseID) (lift.Exercise, bool) { return lift.Exercise{ID: id, Pattern: "hinge"}, true },
		Now:      func() time.Time { return time.Now().Add(time.Duration(l.ahead.Load()) * time.Second) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.segmenter.Run(ctx) }()
	l.stop = func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			l.t.Errorf("the segmenter ended with %v", err)
		}
		l.stop = func() {}
	}
}

// append appends events of one stream, and waits until the view has applied them.
func (l *line) append(events ...journal.Event) {
	l.t.Helper()
	acks, err := l.log.Append(l.t.Context(), events...)
	if err == nil && events[0].Kind != journal.KindSamples {
		err = l.view.WaitFor(l.t.Context(), acks[len(acks)-1].Seq)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// read waits until the segmenter has read so many chunks.
func (l *line) read(chunks int) {
	l.t.Helper()
	need.Eventually(l.t, eventually, "the chunks to be read", func() bool { return l.segmenter.Stats.Chunks.Load() >= int64(chunks) })
}

// silent lets the bars be silent for so many seconds and waits for reps.
func (l *line) silent(seconds int64, reps int) {
	l.t.Helper()
	l.ahead.Add(seconds)
	need.Eventually(l.t, eventually, "the last reps", func() bool { return l.segmenter.Stats.Reps.Load()+l.segmenter.Stats.Known.Load() >= int64(reps) })
}

// reps are what the view has of ana's, once everything is applied.
func (l *line) reps() []lift.RepRecord {
	l.t.Helper()
	if err := l.view.WaitFor(l.t.Context(), l.log.LastSeq()); err != nil {
		l.t.Fatal(err)
	}
	all, _, err := l.view.Reps(l.t.Context(), "ana", noon.Add(-time.Hour), noon.Add(time.Hour), view.Page{Limit: 500})
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

func event(e journal.Event) journal.Event {
	e.Site, e.Device, e.Received = "main", "bar-1", noon.Add(time.Minute)
	return e
}

func assigned() journal.Event {
	load := 120.0
	return event(journal.Event{Kind: journal.KindAssign, Athlete: "ana", Assign: &lift.Assignment{
		Athlete: "ana", Exercise: "deadlift", LoadKg: &load, Set: new(1), Since: noon.Add(-time.Minute), SinceGiven: true,
	}})
}

// deadlifts is the velocity of a set: each rep rises by rom in so many seconds, and
// is lowered in 1.2 s. It begins and ends at rest.
func deadlifts(rom float64, seconds ...float64) (v []float64, ends []time.Duration) {
	phase := func(s, height float64) {
		n := int(s * rate)
		for i := range n {
			v = append(v, height*math.Sin(math.Pi*(float64(i)+0.5)/float64(n)))
		}
	}
	phase(2, 0)
	for _, s := range seconds {
		phase(s, rom/s*math.Pi/2)
		ends = append(ends, time.Duration(len(v))*time.Second/rate)
		phase(0.4, 0)
		phase(1.2, -rom/1.2*math.Pi/2)
		phase(0.8, 0)
	}
	return v, ends
}

// chunks are the events of a bar's velocity, half a second each.
func chunks(v []float64) []journal.Event {
	const size = rate / 2
	var all []journal.Event
	for at := 0; at < len(v); at += size {
		all = append(all, event(journal.Event{Kind: journal.KindSamples, Samples: &lift.Samples{
			BootID: "b7", Chunk: int64(len(all)), Time: noon.Add(time.Duration(at) * time.Second / rate), RateHz: rate, Velocity: v[at:min(at+size, len(v))],
		}}))
	}
	return all
}

func TestSamplesBecomeRepsOfWhoeverIsAssigned(t *testing.T) {
	l := newLine(t)
	l.start()
	v, ends := deadlifts(0.5, 1, 1.1, 1.25)
	l.append(assigned())
	l.append(chunks(v)...)
	l.silent(15, 3)
	need.Eventually(t, eventually, "the reps in the view", func() bool { return len(l.reps()) >= 3 })
	reps := l.reps()
	if len(reps) != 3 {
		t.Fatalf("there are %d reps, not 3", len(reps))
	}
	for i, r := range reps {
		if r.Source != lift.SourceSegmented || r.BootID != "b7.samples" || r.Exercise != "deadlift" || *r.LoadKg != 120 || !r.Valid || r.Convention == "" {
			t.Errorf("rep %d: %+v", i+1, r)
		}
		if off := r.Time.Sub(noon.Add(ends[i])).Abs(); off > 2*time.Second/rate {
			t.Errorf("rep %d ends %v off", i+1, off)
		}
		if want := 0.5 / []float64{1, 1.1, 1.25}[i]; math.Abs(r.MeanVelocity-want) > 0.01 {
			t.Errorf("rep %d moves at %g m/s, not %.3f", i+1, r.MeanVelocity, want)
		}
	}
}

func TestNoRepIsLostOrDoubledOverARestart(t *testing.T) {
	l := newLine(t)
	v, _ := deadlifts(0.5, 1, 1.1, 1.25, 1.4, 2)
	all := chunks(v)
	l.append(assigned())
	for at := range all { // a restart after each chunk
		l.start()
		l.append(all[at])
		l.read(1)
	}
	l.start()
	l.ahead.Add(15)
	need.Eventually(t, eventually, "every rep", func() bool { return len(l.reps()) >= 5 })
	l.stop()
	var seconds []float64
	for _, r := range l.reps() {
		seconds = append(seconds, math.Round(*r.Concentric*100)/100)
	}
	if d := cmp.Diff([]float64{1, 1.1, 1.25, 1.4, 2}, seconds); d != "" {
		t.Errorf("concentric phases (-lifted +found):\n%s", d)
	}
}

// A crash: reps were appended, and the position was not stored.
func TestWhatWasAppendedBeforeACrashIsNotAppendedAgain(t *testing.T) {
	l := newLine(t)
	v, _ := deadlifts(0.5, 1, 1.1, 1.25)
	l.append(assigned())
	l.append(chunks(v)...)
	l.start()
	l.silent(15, 3)
	need.Eventually(t, eventually, "the reps in the view", func() bool { return len(l.reps()) == 3 })
	end := l.log.LastSeq()
	l.stop()
	if err := l.log.SavePosition(t.Context(), follower, 0); err != nil {
		t.Fatal(err)
	}
	l.start()
	l.silent(15, 3)
	if known := l.segmenter.Stats.Known.Load(); known != 3 || l.log.LastSeq() != end {
		t.Errorf("%d of 3 reps are known, the log has grown by %d", known, l.log.LastSeq()-end)
	}
}

func TestWhatTheDeviceTellsIsNotFoundBeside(t *testing.T) {
	l := newLine(t)
	v, ends := deadlifts(0.5, 1, 1.1, 1.25)
	told := func(i int) journal.Event {
		return event(journal.Event{Kind: journal.KindRep, Rep: &lift.Rep{BootID: "b7", Seq: int64(i), Time: noon.Add(ends[i]), MeanVelocity: 0.4}})
	}
	l.append(assigned(), told(0))
	l.start()
	l.append(chunks(v)...)
	l.silent(15, 3)
	// What is appended is in the log's tail, which the view follows, a moment later.
	need.Eventually(t, eventually, "the reps in the view", func() bool { return len(l.reps()) == 3 })
	if n := l.segmenter.Stats.Known.Load(); n != 1 {
		t.Errorf("%d reps are known", n)
	}
	l.append(told(1)) // late
	need.Eventually(t, eventually, "the late one in the view", func() bool { return len(l.reps()) == 4 })
	var valid []lift.Source
	for _, r := range l.reps() {
		if r.Valid {
			valid = append(valid, r.Source)
		}
	}
	if d := cmp.Diff([]lift.Source{lift.SourceDevice, lift.SourceDevice, lift.SourceSegmented}, valid); d != "" {
		t.Errorf("what counts (-want +got):\n%s", d)
	}
}

func TestAnImplausibleRepIsDroppedAndCounted(t *testing.T) {
	l := newLine(t)
	l.start()
	v, _ := deadlifts(2.7, 3) // higher than anybody's arms
	l.append(assigned())
	l.append(chunks(v)...)
	l.ahead.Add(15)
	need.Eventually(t, eventually, "the rep", func() bool { return l.segmenter.Stats.Implausible.Load() == 1 })
	if n := len(l.reps()); n != 0 {
		t.Errorf("there are %d reps", n)
	}
}

// What this lifter usually does tells that a first rep has failed.
func TestALiftersEarlierRepsTellAFailedSingle(t *testing.T) {
	l := newLine(t)
	l.append(assigned())
	for i := range 3 {
		l.append(event(journal.Event{Kind: journal.KindRep, Athlete: "ana", Rep: &lift.Rep{
			BootID: "b1", Seq: int64(i), Time: noon.Add(time.Duration(i-10) * time.Minute), MeanVelocity: 0.5, ROM: new(0.55),
			Athlete: "ana", Exercise: "deadlift", LoadKg: new(100.0), Set: new(1),
		}}))
	}
	l.start()
	v, _ := deadlifts(0.3, 1.5)
	l.append(chunks(v)...)
	l.silent(15, 1)
	need.Eventually(t, eventually, "the rep in the view", func() bool { return len(l.reps()) >= 4 })
	reps := l.reps()
	if last := reps[len(reps)-1]; len(reps) != 4 || !last.Failed {
		t.Errorf("%d reps, the last is %+v", len(reps), last)
	}
}
