package view

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// foundEvent is a rep that was found in the samples of the device of repEvent.
func foundEvent(seq int64, at time.Time, change ...func(*lift.Rep)) journal.Event {
	return repEvent(seq, at, append(change, func(r *lift.Rep) {
		r.BootID, r.Source, r.Convention, r.Concentric = "b1.samples", lift.SourceSegmented, "c", new(1.0)
	})...)
}

// counted is the number of valid reps in whoever's name.
func counted(t fataler, v *View, source lift.Source) (valid, all int) {
	for _, athlete := range []lift.AthleteID{"", "ana"} {
		for _, r := range reps(t, v, athlete) {
			if r.Source == source {
				all++
				if r.Valid {
					valid++
				}
			}
		}
	}
	return valid, all
}

func TestADevicesOwnRepWinsOverTheDetectedOne(t *testing.T) {
	lasting := func(s float64) func(*lift.Rep) { return func(r *lift.Rep) { r.Concentric = &s } }
	for _, c := range []struct {
		name  string
		found time.Duration // after the end of the device's rep
		of    []func(*lift.Rep)
		wins  bool
	}{
		{"the same instant", 0, nil, true},
		{"the gateway's clock differs a little", 1400 * time.Millisecond, nil, true},
		{"the next rep", 1600 * time.Millisecond, nil, false},
		{"before it, of unknown length", -1600 * time.Millisecond, nil, false},
		{"in the midst of a long one", -4 * time.Second, []func(*lift.Rep){lasting(4)}, true},
		{"before a long one", -6 * time.Second, []func(*lift.Rep){lasting(4)}, false},
	} {
		own, detected := repEvent(1, noon, c.of...), foundEvent(7, noon.Add(c.found), by("ana", 100))
		for order, events := range map[string][]journal.Event{"before": {own, detected}, "after": {detected, own}} {
			v := openView(t)
			put(t, v, events...)
			if valid, all := counted(t, v, lift.SourceSegmented); all != 1 || (valid == 0) != c.wins {
				t.Errorf("%s, the device's rep %s: %d of %d detected reps count", c.name, order, valid, all)
			}
			if valid, _ := counted(t, v, lift.SourceDevice); valid != 1 {
				t.Errorf("%s, the device's rep %s: it does not count", c.name, order)
			}
		}
	}
}

func TestACoachStandsAboveTheDevicesRepToo(t *testing.T) {
	v := openView(t)
	detected := foundEvent(7, noon, by("ana", 100))
	id := lift.RepID("main", "bar-1", "b1.samples", 7)
	yes := journal.Event{Kind: journal.KindEdit, Received: noon, Site: "main", Athlete: "ana", Edit: &lift.RepEdit{RepID: id, Valid: new(true), By: "coach", At: noon}}
	put(t, v, detected, yes, repEvent(1, noon))
	if valid, _ := counted(t, v, lift.SourceSegmented); valid != 1 {
		t.Error("the coach's word does not count")
	}
}

func TestADevicesRepThatMovesAwayLetsTheDetectedOneCount(t *testing.T) {
	v := openView(t)
	put(t, v, repEvent(1, noon), foundEvent(7, noon, by("ana", 100)))
	put(t, v, repEvent(1, noon.Add(time.Minute), func(r *lift.Rep) { r.Revision = 1 }))
	if valid, _ := counted(t, v, lift.SourceSegmented); valid != 1 {
		t.Error("nothing stands against the detected rep any more, and it does not count")
	}
	entries, _, err := v.Changes().Read(t.Context(), 2, 10, nil)
	if err != nil || len(entries) != 2 || entries[1].Was == nil || entries[1].Was.Valid || !entries[1].Rep.Valid {
		t.Errorf("the correction is not told: %+v, %v", entries, err)
	}
}

func TestWhoIsBelievedDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var events []journal.Event
		for range rapid.IntRange(2, 12).Draw(rt, "events") {
			seq := int64(rapid.IntRange(0, 5).Draw(rt, "seq"))
			at := noon.Add(time.Duration(seq)*3*time.Second + time.Duration(rapid.IntRange(-20, 20).Draw(rt, "off"))*100*time.Millisecond)
			revision := func(r *lift.Rep) {
				r.Revision = int64(rapid.IntRange(0, 2).Draw(rt, "revision"))
				if rapid.Bool().Draw(rt, "length") {
					r.Concentric = new(float64(rapid.IntRange(1, 3).Draw(rt, "seconds")))
				}
			}
			if rapid.Bool().Draw(rt, "detected") {
				events = append(events, foundEvent(seq, at, by("ana", 100)))
			} else {
				events = append(events, repEvent(seq, at, by("ana", 100), revision))
			}
		}
		read := func(events []journal.Event) []lift.RepRecord {
			v := openView(t)
			put(rt, v, events...)
			return reps(rt, v, "ana")
		}
		clean := read(events)
		shuffled := read(rapid.Permutation(events).Draw(rt, "order"))
		if diff := cmp.Diff(clean, shuffled, cmpopts.IgnoreFields(lift.RepRecord{}, "LogSeq", "PointTime"), cmpopts.SortSlices(func(a, b lift.RepRecord) bool { return a.ID < b.ID })); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestAReopenedViewStillKnowsWhoseSamplesHoldReps(t *testing.T) {
	v := openView(t)
	put(t, v, foundEvent(7, noon, by("ana", 100)))
	devices, err := segmentedDevices(t.Context(), v.write)
	if err != nil || len(devices) != 1 || !devices[deviceKey{"main", "bar-1"}] {
		t.Errorf("it knows %v, %v", devices, err)
	}
}

func TestRangesOfMotionAreThoseOfGoodReps(t *testing.T) {
	v := openView(t)
	rom := func(x float64) func(*lift.Rep) { return func(r *lift.Rep) { r.ROM = &x } }
	failed := func(r *lift.Rep) { r.Failed = true }
	put(t, v, repEvent(1, noon, by("ana", 100), rom(0.5)), repEvent(2, noon.Add(time.Minute), by("ana", 100), rom(0.3), failed),
		repEvent(3, noon.Add(2*time.Minute), by("ana", 100)), repEvent(4, noon.Add(3*time.Minute), by("ana", 100), rom(0.52)),
		repEvent(5, noon.Add(time.Hour), by("ana", 100), rom(0.6)), repEvent(6, noon.Add(time.Minute), by("bo", 100), rom(0.4)))
	got, err := v.RangesOfMotion(t.Context(), "ana", "deadlift", noon.Add(30*time.Minute), 10)
	if diff := cmp.Diff([]float64{0.52, 0.5}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestARepThatIsKnownNeedNotBeFoundAgain(t *testing.T) {
	v := openView(t)
	put(t, v, repEvent(1, noon), foundEvent(7, noon.Add(time.Minute), by("ana", 100)))
	for _, c := range []struct {
		seq   int64
		after time.Duration
		want  bool
		why   string
	}{
		{8, time.Second, true, "the device told it"},
		{8, 3 * time.Second, false, "nobody told it"},
		{7, time.Hour, true, "found before, whatever its time was then"},
		{8, time.Minute, false, "found beside another"},
	} {
		got, err := v.Told(t.Context(), "main", "bar-1", foundEvent(c.seq, noon.Add(c.after)).Rep)
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v", c.why, got, err)
		}
	}
}

func TestWhatAFoundRepSaysIsKept(t *testing.T) {
	v := openView(t)
	event := foundEvent(7, noon, by("ana", 100), func(r *lift.Rep) {
		r.TimeToPeak, r.StickingFrom, r.StickingTo = new(0.4), new(0.3), new(0.6)
	})
	put(t, v, event)
	if diff := cmp.Diff(*event.Rep, one(t, v, "ana").Rep); diff != "" {
		t.Errorf("(-appended +read):\n%s", diff)
	}
}
