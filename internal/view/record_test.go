package view

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// maybe draws a value or none.
func maybe[T any](t *rapid.T, of *rapid.Generator[T], name string) *T {
	return rapid.Ptr(of, true).Draw(t, name)
}

func anyRep(t *rapid.T) lift.Rep {
	words := rapid.StringOfN(rapid.RuneFrom([]rune("ab0 é\x00\xffž日")), 0, 12, -1)
	r := lift.Rep{
		BootID: words.Draw(t, "boot"), Convention: words.Draw(t, "convention"), Seq: rapid.Int64Min(0).Draw(t, "seq"),
		Time:         noon.Add(time.Duration(rapid.Int64Range(-1e9, 1e6).Draw(t, "time")) * time.Microsecond),
		MeanVelocity: rapid.Float64Range(0.01, 4).Draw(t, "mean"), Athlete: rapid.SampledFrom([]lift.AthleteID{"", "ana", "bo"}).Draw(t, "athlete"),
		Exercise: rapid.SampledFrom([]lift.ExerciseID{"", "deadlift", "squat"}).Draw(t, "exercise"), Source: rapid.SampledFrom([]lift.Source{"", lift.SourceDevice, lift.SourceImported, lift.SourceSegmented}).Draw(t, "source"),
		Warmup: rapid.Bool().Draw(t, "warmup"), Failed: rapid.Bool().Draw(t, "failed"), Historical: rapid.Bool().Draw(t, "historical"),
		Set: maybe(t, rapid.IntRange(0, math.MaxInt32), "set"), Rep: maybe(t, rapid.IntRange(0, math.MaxInt32), "rep"), DeviceUs: maybe(t, rapid.Int64(), "device_us"),
	}
	for i, v := range measured(&r) {
		*v = maybe(t, rapid.Float64Range(0, 1000), fmt.Sprint("measured ", i))
	}
	return r
}

func TestARepIsReadAsItIsStored(t *testing.T) {
	v := openView(t)
	insert := "INSERT INTO reps (" + repColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := v.write.Exec("DELETE FROM reps"); err != nil {
			rt.Fatal(err)
		}
		in := row{hash: []byte{1, 2}}
		in.Site, in.Device, in.Revision = "main", "bar-1", rapid.Int64Min(0).Draw(rt, "revision")
		patch := &lift.RepEdit{Valid: maybe(rt, rapid.Bool(), "valid"), LoadKg: maybe(rt, rapid.Float64Range(0, 1000), "corrected")}
		if rapid.Bool().Draw(rt, "not corrected") {
			patch = nil
		}
		rep := anyRep(rt)
		rep.Revision = in.Revision
		in.resolve(rep, nil, rapid.Bool().Draw(rt, "told"), patch)
		in.ID = lift.RepID(in.Site, in.Device, in.BootID, in.Seq)
		in.Received = in.Time.Add(time.Duration(rapid.Int64Range(-1e9, 1e15).Draw(rt, "received")) * time.Microsecond)
		in.PointTime = in.Time.Truncate(time.Millisecond).Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "moved on")) * time.Millisecond)
		in.LogSeq = uint64(rapid.Int64Min(1).Draw(rt, "log"))
		if _, err := v.write.Exec(insert, in.args()...); err != nil {
			rt.Fatal(err)
		}
		out, err := scanRow(v.write.QueryRow("SELECT " + rowColumns + " FROM reps"))
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(&in, out, cmp.AllowUnexported(row{})); diff != "" {
			rt.Fatal(diff)
		}
		whole := string(in.data())
		for n := range whole[:len(whole)-len(in.BootID)] {
			var r lift.RepRecord
			if _, err := readText("12345678901234567890a s d e x "+whole[:n], &r); err == nil {
				rt.Fatalf("the first %d bytes of %q make a rep", n, whole)
			}
		}
	})
}

func TestACorrectionThatSaidOnlyWhoseARepIsGoesWithThem(t *testing.T) {
	v := openView(t)
	e := repEvent(1, noon, by("ana", 100))
	id := lift.RepID("main", "bar-1", "b1", 1)
	put(t, v, e, journal.Event{Kind: journal.KindEdit, Received: noon, Site: "main", Edit: &lift.RepEdit{RepID: id, Athlete: new(lift.AthleteID), By: "coach", At: noon}})
	if r, err := v.Rep(t.Context(), id); err != nil || !r.Edited {
		t.Fatal("the rep was not corrected", err)
	}
	put(t, v, erase("ana"))
	if r, err := v.Rep(t.Context(), id); err != nil || r.Edited || r.Athlete != "" {
		t.Fatalf("the rep is %+v, %v", r, err)
	}
	checkColumns(t, v)
}

func erase(athlete lift.AthleteID) journal.Event {
	return journal.Event{Kind: journal.KindErase, Received: noon, Site: "main", Athlete: athlete, Erase: &lift.Erase{Receipt: "er_1", By: "kim", At: noon}}
}

// What queries look at and what readers get is stored twice.
func TestTheColumnsOfARepSayWhatReadersGet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := openView(t)
		var ids []string
		for i := range rapid.IntRange(1, 12).Draw(rt, "events") {
			at := noon.Add(-time.Duration(rapid.IntRange(0, 20).Draw(rt, "at")) * time.Second)
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				put(rt, v, assign(at, rapid.SampledFrom([]lift.AthleteID{"", "ana", "bo"}).Draw(rt, "assigned"), 80))
			case 1, 2:
				if len(ids) > 0 {
					edit := &lift.RepEdit{RepID: rapid.SampledFrom(ids).Draw(rt, "edited"), By: "coach", At: noon, Valid: maybe(rt, rapid.Bool(), "valid"),
						LoadKg: maybe(rt, rapid.Float64Range(0, 1000), "load"), Athlete: maybe(rt, rapid.SampledFrom([]lift.AthleteID{"", "ana", "bo"}), "given to"),
						Exercise: maybe(rt, rapid.SampledFrom([]lift.ExerciseID{"squat", "deadlift"}), "exercise"), Set: maybe(rt, rapid.IntRange(1, 5), "set")}
					put(rt, v, journal.Event{Kind: journal.KindEdit, Received: noon, Site: "main", Edit: edit})
				}
			default:
				r := anyRep(rt)
				r.BootID, r.Seq, r.Revision, r.Time = "b", rapid.Int64Range(0, 1).Draw(rt, "seq"), rapid.Int64Range(0, 2).Draw(rt, "revision"), at
				ids = append(ids, lift.RepID("main", "bar-1", r.BootID, r.Seq))
				put(rt, v, journal.Event{Kind: journal.KindRep, Received: noon.Add(time.Duration(i) * time.Hour), Site: "main", Device: "bar-1", Athlete: r.Athlete, Rep: &r})
			}
		}
		if rapid.Bool().Draw(rt, "erased") {
			put(rt, v, erase("ana"))
		}
		checkColumns(rt, v)
	})
}

func checkColumns(t fataler, v *View) {
	t.Helper()
	_, err := collect(context.Background(), v.read, func(s scanner) (struct{}, error) {
		var c row
		var id []byte
		var text string
		var point, at, received, first int64
		if err := s.Scan(&c.Athlete, &point, &c.Site, &c.Device, &id, &c.Revision, &at, &received, &c.flags, &c.Exercise, &c.ROM, &c.Concentric, &c.Eccentric,
			&c.Source, &first, &text); err != nil {
			return struct{}{}, err
		}
		var r lift.RepRecord
		flags, err := readText(text, &r)
		c.ID, c.PointTime, c.Time, c.Received, c.LogSeq = fmt.Sprintf("rp_%x", id), time.UnixMilli(point).UTC(), micros(at), micros(received), uint64(first)
		same := row{flags: flags, RepRecord: lift.RepRecord{ID: r.ID, Site: r.Site, Device: r.Device, Received: r.Received, LogSeq: r.LogSeq, PointTime: r.PointTime, Rep: lift.Rep{
			Athlete: r.Athlete, Revision: r.Revision, Time: r.Time, Exercise: r.Exercise, ROM: r.ROM, Concentric: r.Concentric, Eccentric: r.Eccentric, Source: r.Source,
		}}}
		if diff := cmp.Diff(c, same, cmp.AllowUnexported(row{})); diff != "" {
			t.Fatal(diff)
		}
		return struct{}{}, err
	}, "SELECT athlete, point_ms, site, device, id, revision, time_us, received_us, flags, exercise, rom, concentric, eccentric, source, first_seq, "+recordColumns+" FROM reps")
	if err != nil {
		t.Fatal(err)
	}
}
