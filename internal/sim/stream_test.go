package sim

import (
	"slices"
	"testing"
	"time"
)

func testLoad() Load {
	return Load{Seed: 9, Site: "main", Devices: 7, Athletes: 20, Count: 12_345, Start: sunday.AddDate(0, 0, -30)}
}

func TestStreamIsValidUniqueAndSlowsWhereItSays(t *testing.T) {
	l := testLoad()
	stream, err := Stream(l)
	if err != nil {
		t.Fatal(err)
	}
	messages := slices.Collect(stream)
	got := receive(messages, l.End())
	if len(got.reps) != l.Count || got.refused > 0 {
		t.Fatalf("%d unique reps, %d refused of %d", len(got.reps), got.refused, l.Count)
	}
	if end := got.reps[len(got.reps)-1].Time; end.After(l.End()) || l.End().Sub(end) > time.Minute {
		t.Errorf("ends at %s, says %s", end, l.End())
	}
	// A set is one athlete's, exercise's, load's and number's with gaps up to 30 minutes.
	type key struct {
		athlete, exercise string
		load              float64
		set               int
	}
	sets := map[key][]float64{}
	last := map[key]time.Time{}
	slowing, complete := 0, 0
	finish := func(v []float64) {
		if len(v) > repsPerSet {
			t.Fatalf("a set has %d reps", len(v))
		}
		if len(v) < repsPerSet {
			return
		}
		complete++
		fastest := slices.Max(v)
		switch four, five := 1-v[3]/fastest, 1-v[4]/fastest; {
		case four >= 0.20 && five >= 0.20:
			slowing++
		case five >= 0.10:
			t.Errorf("a steady set loses %.2f", five)
		}
	}
	for _, rep := range got.reps {
		k := key{string(rep.Athlete), string(rep.Exercise), *rep.LoadKg, *rep.Set}
		if rep.Time.Sub(last[k]) > 30*time.Minute {
			finish(sets[k])
			sets[k] = nil
		}
		last[k] = rep.Time
		if sets[k] = append(sets[k], rep.MeanVelocity); *rep.Rep != len(sets[k]) {
			t.Fatalf("rep %d is the set's %d-th", *rep.Rep, len(sets[k]))
		}
	}
	for _, v := range sets {
		finish(v)
	}
	if slowing != l.Slowing() || slowing < complete/20 || slowing > complete/5 {
		t.Errorf("%d of %d sets slow down, says %d", slowing, complete, l.Slowing())
	}
	if !slices.EqualFunc(messages, slices.Collect(stream), sameMessage) {
		t.Error("the second time the bytes differ")
	}
}

func TestStreamNamesEveryBadSetting(t *testing.T) {
	if _, err := Stream(Load{Site: "main", Start: sunday}); err == nil {
		t.Error("no devices are accepted")
	}
	l := testLoad()
	l.Athletes = 3
	if _, err := Stream(l); err == nil {
		t.Error("an athlete on two devices at once is accepted")
	}
}

func BenchmarkStream(b *testing.B) {
	l := Load{Seed: 1, Site: "main", Devices: 20, Athletes: 100, Count: b.N, Start: sunday}
	stream, err := Stream(l)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var size int
	for m := range stream {
		size += len(m.Payload)
	}
	b.SetBytes(int64(size / b.N))
}

// Of one lifter's date three slow sets are told; another lifter has three of their own.
func TestAStreamKnowsHowManyOfItsSlowSetsAreTold(t *testing.T) {
	l := Load{Site: "main", Devices: 1, Athletes: 1, Count: 200 * repsPerSet, Start: sunday, Seed: 3}
	l.Gap, l.Rest = time.Second, time.Second // all on one date
	alone := l.Told()
	if l.Slowing() <= 6 || alone < 3 || alone > 6 { // at most three of each severity
		t.Errorf("%d of %d slow sets are told", alone, l.Slowing())
	}
	if l.Athletes = 4; l.Told() <= alone {
		t.Errorf("%d of four lifters' slow sets are told, of one lifter's %d", l.Told(), alone)
	}
}
