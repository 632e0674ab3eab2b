package analysis

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// programme is reps of a steady lifter: three sessions a week of twenty sets
// of five, without anything to find. Deadlifts begin with rising sets.
type programme struct {
	start time.Time
	loads map[int]*float64
	ids   []string
}

func newProgramme(start time.Time) *programme {
	p := &programme{start: start, loads: map[int]*float64{}, ids: make([]string, 4096)}
	for i := range p.ids {
		p.ids[i] = fmt.Sprintf("rp_%032d", i)
	}
	for i, kg := range []float64{100, 140, 60, 70, 95, 120} {
		p.loads[i] = &kg
	}
	return p
}

var programmeLifts = [3]lift.ExerciseID{"squat", "deadlift", "bench_press"}

// rep fills r with the i-th rep, in order.
func (p *programme) rep(r *lift.RepRecord, i int) {
	inSet, set, session := i%5, i/5%20, i/100
	kind := min(set/7, 2)
	load := p.loads[kind]
	if light := set - 7; kind == 1 && light < 3 {
		load = p.loads[3+light]
	}
	exercise := programmeLifts[kind]
	if set == 19 {
		exercise, load = "hip_thrust", p.loads[1]
	}
	at := p.start.AddDate(0, 0, session/3*7+session%3*2).
		Add(17*time.Hour + time.Duration(set)*3*time.Minute + time.Duration(inSet)*4*time.Second)
	velocity := 0.50 - 0.005*float64(inSet)
	*r = lift.RepRecord{
		ID: p.ids[i%len(p.ids)], Site: "main", Device: "bar-1", Valid: true, Received: at, LogSeq: uint64(i + 1),
		Rep: lift.Rep{
			BootID: "b7", Seq: int64(i), Time: at, Athlete: "ana", Exercise: exercise,
			LoadKg: load, MeanVelocity: velocity,
		},
	}
}

// lifter returns a Lifter with eight weeks of the programme and the number of
// reps it has seen.
func (p *programme) lifter(tb testing.TB) (*Lifter, int) {
	tb.Helper()
	const n = 8 * 3 * 100
	h := History{Site: "main", Athlete: "ana", Reps: make([]lift.RepRecord, n)}
	for i := range h.Reps {
		p.rep(&h.Reps[i], i)
		h.Reps[i].ID = fmt.Sprintf("rp_%032d", i)
	}
	now := h.Reps[n-1].Time
	l := NewLifter(h, Settings{}, now, now)
	if found, gone := l.Evaluate(now); len(found)+len(gone) != 0 {
		tb.Fatalf("the steady lifter has findings: %v, %v", found, gone)
	}
	return l, n
}

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// The records are made beforehand, so that what is measured is the Lifter.
func (p *programme) records(from, n int) []lift.RepRecord {
	records := make([]lift.RepRecord, n)
	for i := range records {
		p.rep(&records[i], from+i)
	}
	return records
}

// One athlete's reps in order, nothing to find: at least a million a second.
func BenchmarkLifter(b *testing.B) {
	const n = 300_000
	p := newProgramme(monday)
	records := p.records(2400, n)
	b.ReportAllocs()
	i := n
	var l *Lifter
	for b.Loop() {
		if i == n {
			b.StopTimer()
			l, _ = p.lifter(b)
			i = 0
			b.StartTimer()
		}
		if !l.Put(&records[i]) {
			b.Fatal("not taken")
		}
		if found, _ := l.Evaluate(records[i].Time); len(found) > 0 {
			b.Fatal("found", found)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reps/s")
}

// Thousands of idle lifters are asked when they are due.
func BenchmarkNextDue(b *testing.B) {
	l, _ := newProgramme(monday).lifter(b)
	l.Evaluate(time.Unix(0, l.now).Add(time.Hour))
	for b.Loop() {
		if l.NextDue().Before(time.Unix(0, l.now)) {
			b.Fatal("due")
		}
	}
}

// Judge of eight weeks: the price of recomputing everything.
func BenchmarkJudge(b *testing.B) {
	h := History{Athlete: "ana", Reps: newProgramme(monday).records(0, 2400)}
	b.ReportAllocs()
	for b.Loop() {
		Judge(h, Settings{}, monday)
	}
}

// In a session, a rep that finds nothing allocates nothing; what days and weeks
// cost is less than one allocation for three reps.
func TestRepsAllocateNothing(t *testing.T) {
	p := newProgramme(monday)
	l, n := p.lifter(t)
	records := p.records(n, 30_000)
	i := 0
	step := func() {
		if !l.Put(&records[i]) {
			t.Fatal("not taken")
		}
		if found, _ := l.Evaluate(records[i].Time); len(found) > 0 {
			t.Fatal(found)
		}
		i++
	}
	for range 115 { // into the second session, past the first new week and fold
		step()
	}
	if got := testing.AllocsPerRun(80, step); got != 0 {
		t.Errorf("%v allocations per rep in a session, want 0", got)
	}
	if got := testing.AllocsPerRun(1, func() {
		for range 12_000 {
			step()
		}
	}); got > 4000 {
		t.Errorf("%v allocations for 12000 reps, want at most 4000", got)
	}
}

// A Lifter with eight weeks of history stays within 64 KB.
func TestLifterFitsIn64KB(t *testing.T) {
	const count = 64
	size := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	lifters := make([]*Lifter, 0, count)
	before := size()
	for range count {
		p := newProgramme(monday)
		l, n := p.lifter(t)
		for i := range p.ids { // as a decoder makes them: one by one
			p.ids[i] = fmt.Sprintf("rp_%032d", i)
		}
		for _, r := range p.records(n, 150) {
			if !l.Put(&r) {
				t.Fatal("not taken")
			}
			l.Evaluate(r.Time)
		}
		lifters = append(lifters, l)
	}
	each := (size() - before) / count
	runtime.KeepAlive(lifters)
	t.Logf("%d bytes per lifter", each)
	if each > 64<<10 {
		t.Errorf("%d bytes per lifter, want at most 65536", each)
	}
}
