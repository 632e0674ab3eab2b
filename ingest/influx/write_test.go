package influx

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// ms is a time as the server tells it.
func ms(t time.Time) float64 { return float64(t.UnixMilli()) }

var closely = cmpopts.EquateApprox(0, 1e-9)

func TestEveryMeasurementReadsBack(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana := r.athlete("ana")
	monday := evening.AddDate(0, 0, -(int(evening.Weekday())+6)%7).Truncate(24 * time.Hour)
	message := "Rep 2 at 120 kg: \"slow\", 21 % \\ é\nsecond line, with = and 'quotes'"
	r.append(
		r.status(lift.DeviceLost, at(-10)),
		r.rep(1, ana, at(0), 0.60, func(rep *lift.Rep) {
			rep.PeakVelocity, rep.MeanPropulsiveVelocity, rep.ROM = new(0.9), new(0.65), new(0.54)
			rep.Concentric, rep.Eccentric, rep.Set, rep.Rep = new(0.9), new(1.4), new(3), new(1)
		}),
		r.rep(2, ana, at(3), 0.48, func(rep *lift.Rep) { rep.Set = new(3) }),
		r.rep(3, "", at(3), 0.7), // the same time on the same bar
		r.chunk(0, at(0), 1000, 0, 0.1, -0.2),
	)
	r.append(journal.Event{
		Kind: journal.KindCheckIn, Received: at(60), Site: r.site, Athlete: ana,
		CheckIn: &lift.CheckIn{Time: at(50), Phase: lift.PhaseAfter, Pain: new(3), SleepH: new(6.5), Nutrition: new(3), Soreness: new(4), Stress: new(2)},
	})
	r.append(r.found("al_1", ana, lift.Warning, message, at(4)), r.tick(at(120)))
	f, _ := r.follower()
	r.settled(f)

	who := string(ana)
	for measurement, want := range map[string][]row{
		"rep": {
			{"time": ms(at(0)), "athlete": who, "exercise": "deadlift", "device": "bar-1", "load_kg": 120.0, "mean_velocity_mps": 0.6,
				"peak_velocity_mps": 0.9, "mean_propulsive_velocity_mps": 0.65, "rom_m": 0.54, "concentric_s": 0.9, "eccentric_s": 1.4,
				"set_no": 3.0, "rep_no": 1.0, "velocity_loss_pct": 0.0, "valid": 1.0},
			{"time": ms(at(3)), "athlete": who, "exercise": "deadlift", "device": "bar-1", "load_kg": 120.0, "mean_velocity_mps": 0.48,
				"set_no": 3.0, "rep_no": 2.0, "velocity_loss_pct": 20.0, "valid": 1.0},
			{"time": ms(at(3)), "athlete": "unassigned", "device": "bar-1", "mean_velocity_mps": 0.7, "valid": 1.0},
		},
		"set": {{"time": ms(at(0)), "athlete": who, "exercise": "deadlift", "load_kg": 120.0, "reps": 2.0, "best_mps": 0.6, "last_mps": 0.48,
			"velocity_loss_pct": 20.0, "volume_kg": 240.0, "e1rm_kg": r.e1rm(0.6), "valid": 1.0}},
		"week": {{"time": ms(monday), "athlete": who, "group": "deadlift_family", "volume_kg": 240.0, "reps": 2.0, "sets": 1.0,
			"top_load_kg": 120.0, "valid": 1.0}},
		"checkin": {{"time": ms(at(50)), "athlete": who, "phase": "after", "pain": 3.0, "sleep_h": 6.5, "nutrition": 3.0, "soreness": 4.0,
			"stress": 2.0, "valid": 1.0}},
		"alert": {{"time": ms(at(4)), "athlete": who, "rule": "velocity-loss", "severity": "warning", "value": 21.15, "threshold": 20.0,
			"open": 1.0, "message": message, "valid": 1.0}},
		"device": {{"time": ms(at(-10)), "device": "bar-1", "up": 0.0, "battery_pct": 82.0, "rssi_dbm": -61.0}},
		"velocity": {
			{"time": ms(at(0)), "device": "bar-1", "v_mps": 0.0}, {"time": ms(at(0.001)), "device": "bar-1", "v_mps": 0.1},
			{"time": ms(at(0.002)), "device": "bar-1", "v_mps": -0.2},
		},
	} {
		got := r.rows(measurement)
		if measurement == "device" {
			got = got[:1] // the others are from waiting
		}
		if diff := cmp.Diff(want, got, closely); diff != "" {
			t.Errorf("%s: -want +got\n%s", measurement, diff)
		}
	}
}

// e1rm is what the sets say, so that this test does not repeat a rule.
func (r *rig) e1rm(best float64) float64 {
	for _, s := range r.sets(best) {
		return *s.E1RMKg
	}
	return math.NaN()
}

func (r *rig) sets(best float64) []lift.Set {
	rec := lift.RepRecord{ID: "rp_x", Valid: true, Rep: lift.Rep{Athlete: "a", Exercise: "deadlift", LoadKg: new(120.0), MeanVelocity: best, Time: at(0)}}
	f, err := New(r.options())
	if err != nil {
		r.Fatal(err)
	}
	return f.Sets("a", Training{Reps: []lift.RepRecord{rec}})
}

func TestAReplayLeavesIdenticalPoints(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana, bo := r.athlete("ana"), r.athlete("bo")
	r.append(r.reps(1, 40, ana)...)
	r.append(r.rep(100, "", at(2), 0.5), r.chunk(0, at(0), 100, 0.1, 0.2))
	r.append(r.found("al_1", ana, lift.Warning, "first", at(9)), r.found("al_2", ana, lift.Warning, "second", at(9)), r.tick(at(60)))
	f, stop := r.follower()
	r.settled(f)
	// Corrections, so that the replay meets what moved.
	r.append(r.edit(lift.RepEdit{Athlete: &bo}, 7, ana), r.assign(bo, "row", at(1)), r.retract("al_1", ana, at(100)), r.tick(at(120)))
	r.settled(f)
	dump := func() map[string][]row {
		all := map[string][]row{}
		for _, m := range []string{"rep", "set", "week", "alert", "velocity"} {
			all[m] = r.valid(m)
		}
		all["velocity"] = r.rows("velocity")
		return all
	}
	want := dump()
	stop()

	for _, name := range []string{"influx", "influx-samples"} {
		if pos, err := r.log.LoadPosition(t.Context(), name); err != nil || pos == 0 {
			t.Fatalf("position of %s is %d, %v: nothing would be skipped after a restart", name, pos, err)
		}
		if err := r.log.SavePosition(t.Context(), name, 0); err != nil {
			t.Fatal(err)
		}
	}
	f, _ = r.follower()
	r.settled(f)
	if len(want["rep"]) != 41 || len(want["set"]) != 10 || len(want["alert"]) != 1 || len(want["velocity"]) != 2 {
		t.Errorf("%d reps, %d sets, %d alerts, %d samples, want 41, 10, 1, 2", len(want["rep"]), len(want["set"]), len(want["alert"]), len(want["velocity"]))
	}
	if diff := cmp.Diff(want, dump()); diff != "" {
		t.Errorf("replay changed points: -first +replay\n%s", diff)
	}
}

func TestCorrectionsVoidThePointsThatTheyMove(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana, bo := r.athlete("ana"), r.athlete("bo")
	r.append(r.rep(1, "", at(0), 0.6), r.rep(2, "", at(3), 0.58)) // nobody's
	r.append(r.rep(3, ana, at(300), 0.7), r.rep(4, ana, at(303), 0.68), r.rep(5, ana, at(600), 0.7))
	r.append(r.found("al_1", ana, lift.Advice, "x", at(310)), r.tick(at(660)))
	f, _ := r.follower()
	r.settled(f)
	if n := len(r.valid("set")); n != 2 {
		t.Fatalf("%d sets, want 2", n)
	}

	row4 := lift.ExerciseID("bench_press")
	r.append(
		r.assign(ana, "deadlift", at(-5)),                      // reps 1 and 2 are ana's
		r.edit(lift.RepEdit{Athlete: &bo}, 3, ana),             // another lifter
		r.edit(lift.RepEdit{Exercise: &row4}, 4, ana),          // another exercise
		r.edit(lift.RepEdit{Valid: new(false)}, 5, ana),        // no rep at all
		r.found("al_1", ana, lift.Critical, "worse", at(4000)), // another tag
		r.tick(at(4020)),
	)
	r.settled(f)
	type place struct {
		time          float64
		athlete, what any
	}
	places := func(rows []row, tag string) []place {
		var all []place
		for _, one := range rows {
			all = append(all, place{one["time"].(float64), one["athlete"], one[tag]})
		}
		return all
	}
	who, other := any(string(ana)), any(string(bo))
	for _, c := range []struct {
		measurement, tag string
		want             []place
	}{
		{"rep", "exercise", []place{{ms(at(0)), who, "deadlift"}, {ms(at(3)), who, "deadlift"}, {ms(at(300)), other, "deadlift"}, {ms(at(303)), who, "bench_press"}}},
		{"set", "exercise", []place{{ms(at(0)), who, "deadlift"}, {ms(at(300)), other, "deadlift"}, {ms(at(303)), who, "bench_press"}}},
		{"alert", "severity", []place{{ms(at(310)), who, "critical"}}},
	} {
		if diff := cmp.Diff(c.want, places(r.valid(c.measurement), c.tag), cmp.AllowUnexported(place{})); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.measurement, diff)
		}
	}
	groups := map[any]float64{}
	for _, w := range r.valid("week") {
		groups[w["athlete"].(string)+" "+w["group"].(string)] = w["reps"].(float64)
	}
	if len(groups) != 3 || groups[string(ana)+" deadlift_family"] != 2 || groups[string(bo)+" deadlift_family"] != 1 {
		t.Errorf("reps by week: %v", groups)
	}

	// What moved back is valid again.
	r.append(r.edit(lift.RepEdit{Athlete: &ana}, 3, bo), r.tick(at(4080)))
	r.settled(f)
	if diff := cmp.Diff([]place{{ms(at(0)), who, "deadlift"}, {ms(at(300)), who, "deadlift"}, {ms(at(303)), who, "bench_press"}},
		places(r.valid("set"), "exercise"), cmp.AllowUnexported(place{})); diff != "" {
		t.Errorf("sets after moving back: -want +got\n%s", diff)
	}
}

func TestALateRepJoinsSetsAndTheOldOneIsVoid(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana := r.athlete("ana")
	r.append(r.rep(1, ana, at(60), 0.6), r.rep(2, ana, at(63), 0.58), r.tick(at(120)))
	f, _ := r.follower()
	r.settled(f)
	r.append(r.rep(3, ana, at(0), 0.62), r.tick(at(180)))
	r.settled(f)
	sets := r.valid("set")
	if len(sets) != 1 || sets[0]["time"] != ms(at(0)) || sets[0]["reps"] != 3.0 {
		t.Errorf("sets %v, want one of 3 reps from the late rep on", sets)
	}
	if all := r.rows("set"); len(all) != 2 {
		t.Errorf("%d points of sets, want the void one too", len(all))
	}
}

func TestSetsThatAreDueAtAStopAreWrittenAfterIt(t *testing.T) {
	r := newRig(t, anyInflux(t))
	r.append(r.reps(1, 10, r.athlete("ana"))...)
	f, stop := r.follower()
	r.settled(f)
	if n := len(r.valid("set")); n != 0 {
		t.Fatalf("%d sets before the next tick", n)
	}
	stop()
	r.append(r.tick(at(600)))
	f, _ = r.follower()
	r.settled(f)
	if n := len(r.valid("set")); n != 2 {
		t.Errorf("%d sets after the restart, want 2", n)
	}
}

func TestSamplesCarryWhoIsOnTheBar(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana := r.athlete("ana")
	var many []float64
	for range 1000 {
		many = append(many, 0.5)
	}
	r.append(r.assign(ana, "deadlift", at(10)), r.chunk(0, at(0), 20, 0.1), r.chunk(1, at(10.0004), 999.5, many...))
	f, _ := r.follower()
	r.settled(f)
	rows := r.rows("velocity")
	if len(rows) != 1001 {
		t.Fatalf("%d samples, want 1001", len(rows))
	}
	if _, known := rows[0]["athlete"]; known {
		t.Errorf("first sample %v, want nobody's", rows[0])
	}
	if rows[1000]["athlete"] != string(ana) || rows[1000]["exercise"] != "deadlift" {
		t.Errorf("last sample %v", rows[1000])
	}
}

// InfluxDB 2.x is asked in Flux, which 1.8 can be asked in too.
func TestBothLanguagesReadTheSameBack(t *testing.T) {
	r := newRig(t, ownInflux(t))
	ana := r.athlete("ana")
	r.append(r.reps(1, 20, ana)...)
	r.append(r.edit(lift.RepEdit{Valid: new(false)}, 1, ana), r.tick(at(3000)))
	f, _ := r.follower()
	r.settled(f)
	for _, measurement := range []string{"set", "week"} {
		span := span{measurement, ana, at(-7 * 86400), at(86400)}
		ql, p := f.server.validByInfluxQL(t.Context(), r.db.bucket, span)
		if p != nil {
			t.Fatal(p)
		}
		flux, p := f.server.validByFlux(t.Context(), r.db.bucket, span)
		if p != nil {
			t.Fatal(p)
		}
		if len(ql) == 0 {
			t.Errorf("no %s read back", measurement)
		}
		if diff := cmp.Diff(ql, flux, cmp.AllowUnexported(identity{}), cmpopts.SortSlices(func(a, b identity) bool { return a.ms < b.ms })); diff != "" {
			t.Errorf("%s: -InfluxQL +Flux\n%s", measurement, diff)
		}
	}
}
