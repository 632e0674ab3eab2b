package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/lift"
)

func means(reps []lift.Rep) []string {
	all := make([]string, len(reps))
	for i, r := range reps {
		all[i] = fmt.Sprintf("%.2f", r.MeanVelocity)
		if r.Failed {
			all[i] += " failed"
		}
	}
	return all
}

func TestTheSlowLastRepIsFound(t *testing.T) {
	for _, last := range []float64{0.15, 0.12, 0.10} {
		for _, rate := range []float64{50, 100, 1000} {
			for _, noise := range []float64{0, 0.02} {
				tr := new(trace).rest(2).deadlifts(early, 0.5, 0.6, 0.4, 0.3, 0.22).rest(0.6).
					concentric(stalled, 0.5, last).rest(0.5).eccentric(jerkless, 0.5, 1)
				reps := found(New(Gate{}), chunked(tr.sampled(rate, noise, random(2)), rate, fixed(int(rate))))
				if len(reps) != 4 {
					t.Errorf("%g m/s at %g Hz, noise %g: found %v", last, rate, noise, means(reps))
					continue
				}
				if r := reps[3]; math.Abs(r.MeanVelocity-last) > 0.02 || math.Abs(*r.ROM-0.5) > 0.015 || r.Failed || r.StickingFrom == nil {
					t.Errorf("%g m/s at %g Hz, noise %g: found %+v", last, rate, noise, r)
				}
			}
		}
	}
}

func TestAFailedRepIsMarked(t *testing.T) {
	attempt := func(share float64) *trace {
		return new(trace).rest(2).deadlifts(early, 0.5, 0.6, 0.4, 0.35, 0.3).rest(0.6).
			concentric(early, share*0.5, 0.15).eccentric(jerkless, share*0.5, 0.8).rest(3)
	}
	for _, c := range []struct {
		share float64
		want  []string
		gate  Gate
		why   string
	}{
		{0.80, []string{"0.40", "0.35", "0.30", "0.15 failed"}, Gate{}, "below 85 % of the set's median"},
		{0.90, []string{"0.40", "0.35", "0.30", "0.15"}, Gate{}, "a little short is a rep"},
		{0.50, []string{"0.40", "0.35", "0.30", "0.15 failed"}, Gate{}, "half way"},
		{0.20, []string{"0.40", "0.35", "0.30"}, Gate{}, "hardly off the floor is nothing"},
	} {
		got := means(found(New(c.gate), chunked(attempt(c.share).sampled(100, 0, random(4)), 100, fixed(100))))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%g of the usual rise: %s (-want +got):\n%s", c.share, c.why, d)
		}
	}
	single := new(trace).rest(2).concentric(early, 0.3, 0.15).eccentric(jerkless, 0.3, 0.8).rest(3)
	v := single.sampled(100, 0, random(4))
	if got := means(found(New(Gate{MedianROM: 0.5}), chunked(v, 100, fixed(100)))); !slices.Equal(got, []string{"0.15 failed"}) {
		t.Errorf("a single that this lifter usually takes to 0.5 m: %v", got)
	}
	if got := means(found(New(Gate{}), chunked(v, 100, fixed(100)))); !slices.Equal(got, []string{"0.15"}) {
		t.Errorf("a single of somebody unknown: %v", got)
	}
}

func TestWhatIsNoRepMakesNone(t *testing.T) {
	hum := func(amplitude, hz float64) func(float64) float64 {
		return func(s float64) float64 { return amplitude * math.Sin(2*math.Pi*hz*s) }
	}
	for _, c := range []struct {
		name  string
		noise float64
		v     func(s float64) float64
	}{
		{"a bar at rest", 0, func(float64) float64 { return 0 }},
		{"a noisy bar at rest", 0.02, func(float64) float64 { return 0 }},
		{"a very noisy bar at rest", 0.05, func(float64) float64 { return 0 }},
		{"a sensor that drifts", 0.01, func(s float64) float64 { return 0.03 }},
		{"a sensor whose drift comes and goes", 0.01, hum(0.08, 0.05)},
		{"a bar walked out", 0.01, hum(0.18, 0.9)},
		{"a bar that is rolled over plates", 0.01, hum(0.3, 2)},
		{"a bar taken out of the rack", 0.01, new(trace).rest(3).move(sine, 0.08, 0.5).rest(1).move(sine, -0.05, 0.4).rest(1).move(sine, 0.04, 0.4).at},
		{"a bar put back", 0.01, new(trace).rest(3).move(sine, 0.07, 0.5).rest(0.2).move(sine, -0.09, 0.3).at},
		{"a bar dropped from the shoulders", 0.01, dropped(1.4)},
		{"a bar dropped from the hips", 0.01, dropped(0.8)},
	} {
		for _, rate := range []float64{50, 100, 1000} {
			r := random(5)
			v := make([]float64, int(60*rate))
			for i := range v {
				v[i] = c.v(float64(i)/rate) + c.noise*r.NormFloat64()
			}
			m := New(Gate{})
			if got := found(m, chunked(v, rate, fixed(100))); len(got) != 0 || m.Stats.Dropped != 0 {
				t.Errorf("%s at %g Hz is %d reps, %d dropped: %v", c.name, rate, len(got), m.Stats.Dropped, means(got))
			}
		}
	}
}

// dropped is a bar that falls from a height at 3 s and bounces on rubber plates.
func dropped(height float64) func(float64) float64 {
	return func(s float64) float64 {
		s -= 3
		fall := math.Sqrt(2 * height / gravity)
		if s < 0 {
			return 0
		}
		if s < fall {
			return -gravity * s
		}
		s -= fall
		speed := 0.5 * gravity * fall
		for speed > 0.05 {
			if s < 0.02 { // on the floor
				return speed * (s/0.01 - 1)
			}
			s -= 0.02
			if s < 2*speed/gravity {
				return speed - gravity*s
			}
			s -= 2 * speed / gravity
			speed /= 2
		}
		return 0
	}
}

func TestARepAmongDisturbancesIsFoundAlone(t *testing.T) {
	tr := new(trace).rest(1).move(sine, 0.08, 0.5).rest(1).move(sine, -0.03, 0.4).rest(1). // taken out
												squats(jerkless, 0.6, 0.2, 0.5, 0.4, 0.3).
												rest(1).move(sine, 0.03, 0.3).move(sine, -0.1, 0.5).rest(4) // put back
	reps := found(New(Gate{MinROM: 0.12}), chunked(tr.sampled(100, 0.01, random(1)), 100, fixed(100)))
	if got := means(reps); len(got) != 3 {
		t.Errorf("found %v", got)
	}
}

// A bar that falls after each rep: its eccentric phase is short, and no rep.
func TestDroppedDeadliftsCountOnce(t *testing.T) {
	tr := new(trace).rest(2)
	for _, mean := range []float64{0.6, 0.55, 0.5} {
		tr.concentric(early, 0.5, mean).rest(0.3).move(func(u float64) float64 { return 2 * u }, -0.5, 0.32).
			move(sine, 0.06, 0.12).move(sine, -0.06, 0.12).rest(2)
	}
	reps := found(New(Gate{}), chunked(tr.sampled(200, 0.01, random(1)), 200, fixed(40)))
	if got := means(reps); len(got) != 3 || *reps[0].Eccentric > 0.5 {
		t.Errorf("found %v", got)
	}
}

func TestTheSameRepsHoweverTheSamplesAreCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{20, 33, 50, 100, 250, 1000}).Draw(t, "rate")
		noise := rapid.SampledFrom([]float64{0, 0.001, 0.01, 0.02}).Draw(t, "noise")
		tr, gate := drawn(t)
		v := tr.sampled(rate, noise, random(rapid.Uint64().Draw(t, "seed")))
		whole := found(New(gate), chunked(v, rate, fixed(100)))
		r := random(rapid.Uint64().Draw(t, "chunks"))
		other := found(New(gate), chunked(v, rate, func() int { return 1 + r.IntN(1000) }))
		for i := range other {
			if i < len(whole) {
				other[i].Seq = whole[i].Seq // it names the chunk
				if d := other[i].Time.Sub(whole[i].Time); d.Abs() < time.Millisecond {
					other[i].Time = whole[i].Time
				}
			}
		}
		if d := cmp.Diff(whole, other); d != "" {
			t.Fatalf("other reps in other chunks (-100 samples +random):\n%s", d)
		}
	})
}

// drawn is a session of one to three sets, each of one exercise, with its truth.
func drawn(t *rapid.T) (*trace, Gate) {
	tr := new(trace).rest(rapid.Float64Range(1.2, 3).Draw(t, "before"))
	for range rapid.IntRange(1, 3).Draw(t, "sets") {
		sh := shapes[rapid.IntRange(0, len(shapes)-1).Draw(t, "shape")].of
		rom := rapid.Float64Range(0.3, 0.7).Draw(t, "rom")
		// At 50 Hz a faster rep has too few samples for 0.02 m/s.
		mean := min(rapid.Float64Range(0.25, 0.9).Draw(t, "mean"), rom/0.8)
		loss := rapid.Float64Range(0, 0.15).Draw(t, "loss")
		pause := rapid.Float64Range(0, 1.2).Draw(t, "pause")
		if pause < 0.3 {
			pause = 0 // touch and go
		}
		var velocities []float64
		for i := range rapid.IntRange(1, 6).Draw(t, "reps") {
			velocities = append(velocities, max(0.15, mean*(1-loss*float64(i))))
		}
		if rapid.Bool().Draw(t, "squat") {
			tr.squats(sh, rom, pause, velocities...)
		} else {
			tr.deadlifts(sh, rom, pause, velocities...)
		}
		tr.rest(8)
	}
	return tr, Gate{}
}

func TestEveryRepIsFoundWhateverTheRateTempoAndLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{50, 80, 100, 200, 400, 1000}).Draw(t, "rate")
		noise := rapid.SampledFrom([]float64{0, 0, 0.01, 0.02}).Draw(t, "noise")
		tr, gate := drawn(t)
		m := New(gate)
		reps := found(m, chunked(tr.sampled(rate, noise, random(rapid.Uint64().Draw(t, "seed"))), rate, fixed(100)))
		if len(reps) != len(tr.reps) || m.Stats.Reps != len(reps) {
			t.Fatalf("found %d reps (%d counted), not %d: %v", len(reps), m.Stats.Reps, len(tr.reps), means(reps))
		}
		for i := range reps {
			tol := toleranceAt(rate)
			if math.Abs(tr.reps[i].lowest+gravity) < 20*math.Abs(tr.reps[i].lowest)/rate {
				tol.propulsive = 0.3 // it touches −g only just: no samples can tell
			}
			if noise > 0 {
				tol = tolerance{mean: 0.02 + 0.12*tr.reps[i].mean, propulsive: 0.3, peak: 0.08, rom: 0.02, edge: 0.5}
			}
			if d := differs(&reps[i], &tr.reps[i], rate, tol); d != "" {
				t.Fatalf("rep %d: %s", i+1, d)
			}
			if err := reps[i].Validate(noon.Add(time.Hour)); err != nil {
				t.Fatalf("rep %d is not plausible: %v", i+1, err)
			}
			if reps[i].Failed {
				t.Fatalf("rep %d has not failed", i+1)
			}
		}
	})
}

func TestAMissingChunkDropsTheRepThatSpansIt(t *testing.T) {
	tr := new(trace).rest(2).deadlifts(early, 0.5, 1, 0.5, 0.45, 0.4)
	chunks := chunked(tr.sampled(100, 0, random(1)), 100, fixed(20))
	middle := int((tr.reps[1].from + tr.reps[1].to) / 2 * 100 / 20)
	m := New(Gate{})
	got := means(found(m, slices.Delete(slices.Clone(chunks), middle, middle+1)))
	if !slices.Equal(got, []string{"0.50", "0.40"}) || m.Stats.Dropped != 1 || m.Stats.Gaps != 1 {
		t.Errorf("found %v, %d dropped at %d gaps", got, m.Stats.Dropped, m.Stats.Gaps)
	}
	m = New(Gate{})
	between := int((tr.reps[1].to + 0.2) * 100 / 20) // at the top
	got = means(found(m, slices.Delete(slices.Clone(chunks), between+4, between+5)))
	if !slices.Equal(got, []string{"0.50", "0.45", "0.40"}) || m.Stats.Dropped != 0 {
		t.Errorf("on the way down: found %v, %d dropped", got, m.Stats.Dropped)
	}
}

func TestAPauseOfTheSensorIsAGap(t *testing.T) {
	tr := new(trace).rest(2).deadlifts(early, 0.5, 1, 0.5, 0.45, 0.4)
	chunks := chunked(tr.sampled(100, 0, random(1)), 100, fixed(20))
	middle := int((tr.reps[1].from + tr.reps[1].to) / 2 * 100 / 20)
	for _, c := range chunks[middle:] {
		c.Time = c.Time.Add(150 * time.Millisecond)
	}
	m := New(Gate{})
	if got := means(found(m, chunks)); !slices.Equal(got, []string{"0.50", "0.40"}) || m.Stats.Dropped != 1 {
		t.Errorf("after 150 ms: found %v, %d dropped", got, m.Stats.Dropped)
	}
	for _, c := range chunks[middle:] {
		c.Time = c.Time.Add(-70 * time.Millisecond)
	}
	if got := means(found(New(Gate{}), chunks)); len(got) != 3 {
		t.Errorf("after 80 ms: found %v", got)
	}
}

// A sensor that sleeps between sets, and wakes when the bar moves.
func TestASetAfterALongPauseIsWhole(t *testing.T) {
	first, second := new(trace).rest(1).deadlifts(early, 0.5, 0.6, 0.5, 0.45), new(trace).rest(0.4).deadlifts(early, 0.35, 0.6, 0.6, 0.55)
	chunks := chunked(first.sampled(100, 0, random(1)), 100, fixed(50))
	n := int64(len(chunks))
	for _, c := range chunked(second.sampled(100, 0, random(2)), 100, fixed(50)) {
		c.Chunk += n
		c.Time = c.Time.Add(2 * time.Minute)
		chunks = append(chunks, c)
	}
	// The second set's range of motion is its own.
	if got := means(found(New(Gate{}), chunks)); !slices.Equal(got, []string{"0.50", "0.45", "0.60", "0.55"}) {
		t.Errorf("found %v", got)
	}
}

// A radio that stores and forwards: the gateway stamps a burst of chunks with the
// time of its arrival.
func TestChunksThatShareATimeOfArrivalAreNoGap(t *testing.T) {
	tr := session(early)
	for burst := 2; burst <= 6; burst++ {
		chunks := chunked(tr.sampled(100, 0.005, random(1)), 100, fixed(20))
		want := found(New(Gate{}), chunks)
		for i := range chunks {
			last := min(i-i%burst+burst-1, len(chunks)-1)
			if i%burst != burst-1 {
				chunks[i] = new(*chunks[i])
				chunks[i].Time = chunks[last].Time
			}
		}
		m := New(Gate{})
		got := found(m, chunks)
		if d := cmp.Diff(means(want), means(got)); d != "" || m.Stats.Gaps != 0 {
			t.Errorf("bursts of %d: %d gaps (-in time +in bursts):\n%s", burst, m.Stats.Gaps, d)
			continue
		}
		for i := range got {
			if off := got[i].Time.Sub(want[i].Time).Abs(); off > time.Duration(burst)*200*time.Millisecond {
				t.Errorf("bursts of %d: rep %d is %v off", burst, i+1, off)
			}
		}
	}
}

func TestRepeatsAndTheOrderOfArrivalDoNotMatter(t *testing.T) {
	tr := session(early)
	chunks := chunked(tr.sampled(100, 0.005, random(1)), 100, fixed(50))
	want := found(New(Gate{}), chunks)
	rapid.Check(t, func(t *rapid.T) {
		// Each chunk is at most three places late, and some come twice.
		arrival := []*lift.Samples{chunks[0]}
		rest := slices.Clone(chunks[1:])
		for len(rest) > 0 {
			i := rapid.IntRange(0, min(2, len(rest)-1)).Draw(t, "next")
			if rest[0].Chunk < arrival[len(arrival)-1].Chunk-2 {
				i = 0
			}
			arrival = append(arrival, rest[i])
			if rapid.IntRange(0, 3).Draw(t, "again") == 0 {
				arrival = append(arrival, rest[i])
			}
			rest = slices.Delete(rest, i, i+1)
		}
		m := New(Gate{})
		got := found(m, arrival)
		if m.Stats.Gaps == 0 {
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("(-in order +as they came):\n%s", d)
			}
		}
		if m.Stats.Gaps != 0 {
			t.Fatalf("%d gaps", m.Stats.Gaps)
		}
	})
}

// Of what is lost, nothing is made up: every rep found is one that was done.
func TestNoRepIsInventedOverGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{50, 100, 200}).Draw(t, "rate")
		noise := rapid.SampledFrom([]float64{0, 0.01, 0.02}).Draw(t, "noise")
		tr, gate := drawn(t)
		if rapid.Bool().Draw(t, "grinder") {
			tr.rest(0.5).concentric(stalled, 0.5, 0.15).rest(1)
		}
		chunks := chunked(tr.sampled(rate, noise, random(rapid.Uint64().Draw(t, "seed"))), rate, fixed(rapid.IntRange(5, 100).Draw(t, "chunk")))
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "losses"), 1))
		chunks = slices.DeleteFunc(chunks, func(*lift.Samples) bool { return r.IntN(15) == 0 })
		for _, rep := range found(New(gate), chunks) {
			if rep.Failed {
				continue // counts for nothing
			}
			end := rep.Time.Sub(begin(rate)).Seconds()
			if !slices.ContainsFunc(tr.reps, func(want truth) bool {
				return math.Abs(end-want.to) < 0.5 && math.Abs(*rep.ROM-want.rom) < 0.05
			}) {
				t.Fatalf("invented: %.2f m/s over %.3f m at %.2f s", rep.MeanVelocity, *rep.ROM, end)
			}
		}
	})
}

func TestNeedsHoldsWhatARestartMustReadAgain(t *testing.T) {
	tr := session(early)
	chunks := chunked(tr.sampled(100, 0.005, random(1)), 100, fixed(50))
	want := found(New(Gate{}), chunks)
	for stop := 10; stop < len(chunks); stop += 7 {
		m := New(Gate{})
		var got []lift.Rep
		for _, c := range chunks[:stop] {
			got = append(got, m.Feed(c)...)
		}
		again, _ := m.Needs()
		fresh := New(Gate{})
		for _, rep := range found(fresh, chunks[again:]) {
			if !slices.ContainsFunc(got, func(r lift.Rep) bool { return r.Seq == rep.Seq }) {
				got = append(got, rep)
			}
		}
		seqs := func(reps []lift.Rep) (all []int64) {
			for _, r := range reps {
				all = append(all, r.Seq)
			}
			return all
		}
		if d := cmp.Diff(seqs(want), seqs(got)); d != "" {
			t.Errorf("stopped after chunk %d, read again from %d (-want +got):\n%s", stop-1, again, d)
		}
	}
}

func FuzzMachine(f *testing.F) {
	f.Add([]byte{100, 0, 10, 20, 40, 60, 80, 60, 40, 20, 10, 0}, uint8(100), uint8(4))
	f.Add([]byte{0, 0, 200, 200, 200, 56, 56, 56}, uint8(20), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, hz, size uint8) {
		rate := 20 + 980*float64(hz)/255
		m := New(Gate{})
		at := noon
		for i := 0; i < len(data); {
			n := min(1+int(size), len(data)-i)
			s := &lift.Samples{BootID: "b7", RateHz: rate, Chunk: int64(i/(1+int(size))) ^ int64(data[i]&3), Time: at}
			for _, b := range data[i : i+n] {
				s.Velocity = append(s.Velocity, float64(int8(b))/40)
			}
			at = at.Add(time.Duration(float64(n)/rate*float64(time.Second)) + time.Duration(data[i]>>5)*30*time.Millisecond)
			i += n
			for _, r := range append(m.Feed(s), m.Flush()...) {
				if r.BootID != "b7.samples" || *r.ROM < minROM-1e-4 || *r.Concentric < minDuration-1e-4 || *r.Concentric > maxDuration+1e-4 {
					t.Fatalf("found %+v", r)
				}
			}
		}
	})
}

// A thousand bars at 100 Hz in real time are a hundred thousand samples a second.
func BenchmarkAThousandBars(b *testing.B) {
	const rate, bars, seconds = 100, 1000, 10
	tr := new(trace).rest(1)
	for tr.now < 300 {
		tr.deadlifts(early, 0.5, 0.6, 0.5, 0.45, 0.4, 0.35, 0.3).rest(30)
	}
	for _, noise := range []float64{0, 0.02} {
		b.Run(fmt.Sprintf("noise=%g", noise), func(b *testing.B) {
			chunks := chunked(tr.sampled(rate, noise, random(1)), rate, fixed(rate))
			machines := make([]*Machine, bars)
			next := make([]int, bars)
			for i := range machines {
				machines[i], next[i] = New(Gate{}), i%(len(chunks)/2)
			}
			reps := 0
			b.ReportAllocs()
			for b.Loop() {
				for range seconds {
					for i, m := range machines {
						if next[i] == len(chunks) {
							next[i], machines[i] = 0, New(Gate{})
							m = machines[i]
						}
						reps += len(m.Feed(chunks[next[i]]))
						next[i]++
					}
				}
			}
			perSecond := b.Elapsed().Seconds() / float64(b.N) / seconds
			b.ReportMetric(perSecond, "cores")
			b.ReportMetric(float64(reps)/float64(b.N)/seconds, "reps/s")
		})
	}
}
