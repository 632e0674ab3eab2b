package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const thatDay = "?from=2026-11-10T00:00:00Z&to=2026-11-11T00:00:00Z"

func train(g *gym, athlete string, n int, at time.Time) []journal.Event {
	var reps []journal.Event
	for i := range n {
		reps = append(reps, rep(athlete, i, at))
	}
	g.append(reps...)
	return reps
}

func TestRepsNameTheSetThatSetsShow(t *testing.T) {
	g := open(t)
	train(g, "ana", 5, trained)
	reps := want[list[map[string]any]](g, 200, "GET", "/api/v1/athletes/ana/reps"+thatDay, "")
	sets := want[list[map[string]any]](g, 200, "GET", "/api/v1/athletes/ana/sets"+thatDay, "")
	if len(reps.Items) != 5 || len(sets.Items) != 1 {
		t.Fatalf("%d reps in %d sets", len(reps.Items), len(sets.Items))
	}
	received := trained.Format(time.RFC3339)
	wanted := map[string]any{
		"id": repID(rep("ana", 0, trained)), "site": "main", "device": "bar-1", "set_id": sets.Items[0]["id"], "valid": true, "state": "confirmed",
		"received": received, "source": "device", "boot_id": "b1-ana", "seq": 0.0, "time": received, "athlete": "ana",
		"exercise": "deadlift", "load_kg": 120.0, "set": 1.0, "mean_velocity_mps": 0.6,
	}
	if diff := cmp.Diff(wanted, reps.Items[0]); diff != "" {
		t.Errorf("a rep is not as the contract has it: %s", diff)
	}
	if s := sets.Items[0]; s["reps"] != 5.0 || s["volume_kg"] != 600.0 || s["set"] != 1.0 {
		t.Errorf("set %v", s)
	}
	if got := want[list[lift.RepRecord]](g, 200, "GET", "/api/v1/athletes/nobody/reps", ""); got.Items == nil || len(got.Items) != 0 {
		t.Errorf("reps of nobody: %v", got)
	}
}

// A rep is provisional while its set may go on, then confirmed; what was corrected
// says so, and what is far shorter than the day's others is a ghost.
func TestRepsTellWhereTheyAreInTheirLife(t *testing.T) {
	g := open(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	var reps []journal.Event
	for i := range 8 {
		e := rep("ana", i, now.Add(-time.Hour))
		e.Rep.ROM = new(0.5)
		reps = append(reps, e)
	}
	reps[6].Rep.ROM = new(0.1)
	live := rep("ana", 20, now)
	live.Rep.Set = new(2)
	reps = append(reps, live)
	g.append(reps...)
	want[lift.RepRecord](g, 200, "PATCH", "/api/v1/reps/"+repID(reps[1]), `{"load_kg":121}`)
	want[lift.RepRecord](g, 200, "PATCH", "/api/v1/reps/"+repID(reps[2]), `{"valid":false}`)
	got := want[list[lift.RepRecord]](g, 200, "GET", "/api/v1/athletes/ana/reps", "")
	states := map[string]lift.RepState{}
	for _, r := range got.Items {
		states[r.ID] = r.State
	}
	for i, state := range map[int]lift.RepState{
		0: lift.RepConfirmed, 1: lift.RepCorrected, 2: lift.RepInvalid, 6: lift.RepGhost, 7: lift.RepConfirmed, 8: lift.RepProvisional,
	} {
		if states[repID(reps[i])] != state {
			t.Errorf("rep %d is %s, want %s", i, states[repID(reps[i])], state)
		}
	}
}

func TestHistoriesAreTheLastEightWeeksByDefault(t *testing.T) {
	g := open(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	train(g, "ana", 3, now.Add(-57*24*time.Hour))
	recent := rep("ana", 9, now.Add(-time.Hour))
	g.append(recent)
	reps := want[list[lift.RepRecord]](g, 200, "GET", "/api/v1/athletes/ana/reps", "")
	if len(reps.Items) != 1 || reps.Items[0].ID != repID(recent) {
		t.Errorf("%d reps", len(reps.Items))
	}
	sets := want[list[lift.Set]](g, 200, "GET", "/api/v1/athletes/ana/sets", "")
	if len(sets.Items) != 1 || sets.Items[0].ID != reps.Items[0].SetID {
		t.Errorf("sets %+v", sets.Items)
	}
}

// walk reads a list to its end in pages of the given size.
func walk[T any](g *gym, path string, limit int) []T {
	g.t.Helper()
	var all []T
	cursor := ""
	for range 500 {
		page := want[list[T]](g, 200, "GET", fmt.Sprintf("%s&limit=%d&cursor=%s", path, limit, cursor), "")
		if len(page.Items) > limit {
			g.t.Fatalf("%d items on a page of %d", len(page.Items), limit)
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
	g.t.Fatal("paging does not end")
	return nil
}

func TestHistoriesAreTheSameInPagesOfAnySize(t *testing.T) {
	g := open(t)
	start := time.Date(2026, 1, 6, 18, 0, 0, 0, time.UTC)
	var events []journal.Event
	for week := range 40 {
		for n := range 4 {
			e := rep("ana", week*10+n, start.AddDate(0, 0, 7*week))
			if n > 1 {
				e.Rep.Exercise = "bench_press"
			}
			events = append(events, e)
		}
		events = append(events, journal.Event{
			Kind: journal.KindCheckIn, Received: start, Site: "main", Athlete: "ana",
			CheckIn: &lift.CheckIn{Time: start.AddDate(0, 0, 7*week), Phase: lift.PhaseAfter, Pain: new(week % 4)},
		})
	}
	g.append(events...)
	const all = "?from=2025-12-01T00:00:00Z&to=2026-11-01T00:00:00Z"
	check := func(what string, wanted int, same func(limit int) string, n int) {
		t.Helper()
		if n != wanted {
			t.Errorf("%d %s, want %d", n, what, wanted)
		}
		for _, limit := range []int{1, 7, 39} {
			if diff := same(limit); diff != "" {
				t.Errorf("%s in pages of %d: %s", what, limit, diff)
			}
		}
	}
	path := "/api/v1/athletes/ana/"
	reps := walk[lift.RepRecord](g, path+"reps"+all, 500)
	check("reps", 160, func(n int) string { return cmp.Diff(reps, walk[lift.RepRecord](g, path+"reps"+all, n)) }, len(reps))
	sets := walk[lift.Set](g, path+"sets"+all, 500)
	check("sets", 80, func(n int) string { return cmp.Diff(sets, walk[lift.Set](g, path+"sets"+all, n)) }, len(sets))
	weeks := walk[lift.Week](g, path+"weeks"+all, 500)
	check("weeks", 80, func(n int) string { return cmp.Diff(weeks, walk[lift.Week](g, path+"weeks"+all, n)) }, len(weeks))
	checkins := walk[lift.CheckInRecord](g, path+"checkins"+all, 500)
	check("checkins", 40, func(n int) string { return cmp.Diff(checkins, walk[lift.CheckInRecord](g, path+"checkins"+all, n)) }, len(checkins))

	// The baseline of a week does not depend on where the question begins.
	late := walk[lift.Week](g, path+"weeks?from=2026-10-08T00:00:00Z&to=2026-10-09T00:00:00Z", 500)
	if len(late) == 0 || late[0].BaselineKg == nil {
		t.Fatalf("weeks asked for by one of their days: %+v", late)
	}
	found := false
	for _, w := range weeks {
		found = found || cmp.Equal(w, late[0])
	}
	if !found {
		t.Errorf("week %+v differs from that of the whole list", late[0])
	}
}

func TestACorrectionIsSignedAndAnsweredAsRepsShowsIt(t *testing.T) {
	g := open(t)
	reps := train(g, "ana", 3, trained)
	id := repID(reps[2])
	got := want[lift.RepRecord](g, 200, "PATCH", "/api/v1/reps/"+id, `{"load_kg":125,"exercise":"squat","athlete":"bo"}`)
	if *got.LoadKg != 125 || got.Exercise != "squat" || got.Athlete != "bo" || got.SetID == "" || !got.Valid {
		t.Fatalf("corrected to %+v", got)
	}
	list := want[list[lift.RepRecord]](g, 200, "GET", "/api/v1/athletes/bo/reps"+thatDay, "")
	if diff := cmp.Diff([]lift.RepRecord{got}, list.Items); diff != "" {
		t.Error(diff)
	}
	got = want[lift.RepRecord](g, 200, "PATCH", "/api/v1/reps/"+id, `{"valid":false}`)
	if got.Valid || got.SetID != "" || *got.LoadKg != 125 {
		t.Errorf("taken out as %+v", got)
	}
	follower, ctx := g.log.Follow(g.view.Position()-1), t.Context()
	entries, err := follower.Next(ctx, 1)
	if err != nil || entries[0].Edit.By != "admin" || time.Since(entries[0].Edit.At) > time.Minute {
		t.Errorf("logged %+v, %v", entries, err)
	}
}

func TestASetIsSplitJoinedAndAsItWasAgain(t *testing.T) {
	g := open(t)
	reps := train(g, "ana", 6, trained)
	sets := func() []string {
		t.Helper()
		var all []string
		for _, s := range want[list[lift.Set]](g, 200, "GET", "/api/v1/athletes/ana/sets"+thatDay, "").Items {
			all = append(all, fmt.Sprintf("%s: %d", s.ID, s.Reps))
		}
		return all
	}
	correct := func(body string, of ...int) {
		t.Helper()
		for _, i := range of {
			want[lift.RepRecord](g, 200, "PATCH", "/api/v1/reps/"+repID(reps[i]), body)
		}
	}
	whole := sets()
	if len(whole) != 1 {
		t.Fatalf("sets %v", whole)
	}
	correct(`{"set":9}`, 4, 5)
	if got := sets(); len(got) != 2 || !strings.HasSuffix(got[0], ": 4") || !strings.HasSuffix(got[1], ": 2") {
		t.Fatalf("split into %v", got)
	}
	correct(`{"set":9}`, 0, 1, 2, 3)
	if got := sets(); len(got) != 1 || !strings.HasSuffix(got[0], ": 6") {
		t.Fatalf("joined to %v", got)
	}
	correct(`{"withdraw":["set"]}`, 0, 1, 2, 3, 4, 5)
	if diff := cmp.Diff(whole, sets()); diff != "" {
		t.Error(diff)
	}
}

func TestACheckInIsCreatedOnce(t *testing.T) {
	g := open(t)
	const path, body = "/api/v1/athletes/ana/checkins", `{"time":"2026-11-10T18:10:00Z","phase":"after","pain":3,"region":"lower_back","unknown":1}`
	first := want[lift.CheckInRecord](g, http.StatusCreated, "POST", path, body)
	if first.Site != "main" || first.Athlete != "ana" || *first.Pain != 3 {
		t.Fatalf("created %+v", first)
	}
	again := want[lift.CheckInRecord](g, http.StatusOK, "POST", path, body)
	if diff := cmp.Diff(first.CheckIn, again.CheckIn); diff != "" || again.ID != first.ID {
		t.Error(diff)
	}
	if p := want[problem](g, http.StatusConflict, "POST", path, strings.Replace(body, `"pain":3`, `"pain":4`, 1)); p.Field != "revision" {
		t.Errorf("%+v", p)
	}
	want[lift.CheckInRecord](g, http.StatusCreated, "POST", path, strings.Replace(body, `"pain":3`, `"pain":4,"revision":1`, 1))
	listed := want[list[lift.CheckInRecord]](g, 200, "GET", path+thatDay, "")
	if len(listed.Items) != 1 || *listed.Items[0].Pain != 4 {
		t.Errorf("listed %+v", listed.Items)
	}
	want[lift.CheckInRecord](g, http.StatusCreated, "POST", "/api/v1/athletes/bo/checkins?site=north", body)
	athletes := want[list[view.Athlete]](g, 200, "GET", "/api/v1/athletes", "")
	if diff := cmp.Diff([]view.Athlete{{ID: "ana", Site: "main"}, {ID: "bo", Site: "north"}}, athletes.Items); diff != "" {
		t.Error(diff)
	}
	held := want[list[QuarantineItem]](g, 200, "GET", "/api/v1/quarantine", "")
	if len(held.Items) != 0 {
		t.Errorf("what was refused is in quarantine: %+v", held.Items)
	}
}

func quarantined(id, topic, payload string, size int) journal.Event {
	return journal.Event{Kind: journal.KindQuarantined, Received: trained, Site: "main", Device: "bar-1", Quarantined: &lift.Quarantined{
		ID: id, Topic: topic, Reason: "is outside (0, 4] m/s", Field: "mean_velocity_mps", Received: trained, Size: size, Bytes: []byte(payload),
	}}
}

func TestAMessageIsReadFixedAndReplayed(t *testing.T) {
	g := open(t)
	const topic = "spotter/v1/main/device/bar-1/rep"
	const bad = `{"boot_id":"b9","seq":1,"time":"2026-11-10T18:00:00Z","athlete":"ana","mean_velocity_mps":9}`
	good := strings.Replace(bad, ":9}", ":0.5}", 1)
	other := strings.Replace(good, `"seq":1`, `"seq":2`, 1)
	g.append(
		quarantined("qu_bad", topic, bad, len(bad)), quarantined("qu_now_good", topic, other, len(other)),
		quarantined("qu_cut", topic, bad[:20], 100_000), quarantined("qu_gone", topic, bad, len(bad)),
	)
	detail := want[map[string]any](g, 200, "GET", "/api/v1/quarantine/qu_bad", "")
	wanted := map[string]any{
		"id": "qu_bad", "topic": topic, "reason": "is outside (0, 4] m/s", "field": "mean_velocity_mps", "received": "2026-11-10T18:00:00Z",
		"size": float64(len(bad)), "bytes": base64.StdEncoding.EncodeToString([]byte(bad)), "truncated": false,
	}
	if diff := cmp.Diff(wanted, detail); diff != "" {
		t.Error(diff)
	}
	if p := want[problem](g, 422, "POST", "/api/v1/quarantine/qu_bad/replay", ""); p.Field != "mean_velocity_mps" {
		t.Errorf("replayed as it was: %+v", p)
	}
	first := want[replayed](g, 200, "POST", "/api/v1/quarantine/qu_bad/replay", good)
	if !first.Released.Replayed || first.Released.By != "admin" {
		t.Errorf("%+v", first)
	}
	if again := want[replayed](g, 200, "POST", "/api/v1/quarantine/qu_bad/replay", good); !cmp.Equal(first, again) {
		t.Errorf("repeated as %+v", again)
	}
	want[problem](g, 415, "POST", "/api/v1/quarantine/qu_cut/replay", good, "Content-Type", "text/plain")
	want[problem](g, http.StatusConflict, "POST", "/api/v1/quarantine/qu_cut/replay", "")
	want[replayed](g, 200, "POST", "/api/v1/quarantine/qu_now_good/replay", "")
	want[replayed](g, 200, "POST", "/api/v1/quarantine/qu_cut/replay", strings.Replace(good, `"seq":1`, `"seq":3`, 1), "Content-Type", "application/octet-stream")
	want[any](g, http.StatusNoContent, "DELETE", "/api/v1/quarantine/qu_gone", "")
	want[any](g, http.StatusNoContent, "DELETE", "/api/v1/quarantine/qu_gone", "")
	want[problem](g, http.StatusNotFound, "GET", "/api/v1/quarantine/qu_gone", "")
	want[problem](g, http.StatusNotFound, "POST", "/api/v1/quarantine/qu_gone/replay", good)
	if held := want[list[QuarantineItem]](g, 200, "GET", "/api/v1/quarantine", ""); len(held.Items) != 0 {
		t.Errorf("still held: %+v", held.Items)
	}
	reps := want[list[lift.RepRecord]](g, 200, "GET", "/api/v1/athletes/ana/reps"+thatDay, "")
	if len(reps.Items) != 3 || !reps.Items[0].Received.Equal(trained) {
		t.Errorf("%d reps, %+v", len(reps.Items), reps.Items)
	}
}

func TestADeviceTellsWhoIsOnItsBar(t *testing.T) {
	g := open(t)
	at := "/api/v1/devices/bar-1/assignment?site=main"
	want[onBar](g, 200, "PUT", at, `{"athlete":"ana","exercise":"squat","load_kg":80}`)
	status := journal.Event{Kind: journal.KindStatus, Received: trained, Site: "main", Device: "bar-1", Status: &lift.DeviceStatus{State: lift.DeviceReady}}
	g.append(status)
	one := want[device](g, 200, "GET", "/api/v1/devices/bar-1", "")
	all := want[list[device]](g, 200, "GET", "/api/v1/devices", "").Items
	if one.On == nil || one.On.Athlete != "ana" || *one.On.LoadKg != 80 || len(all) != 1 || all[0].On == nil || all[0].On.Exercise != "squat" {
		t.Errorf("%+v, %+v", one, all)
	}
	want[onBar](g, 200, "DELETE", at, "")
	if one := want[device](g, 200, "GET", "/api/v1/devices/bar-1", ""); one.On != nil {
		t.Errorf("still %+v", one.On)
	}
}

func TestDevicesAreListedByPages(t *testing.T) {
	g := open(t)
	battery := 82.0
	g.append(
		journal.Event{Kind: journal.KindStatus, Received: trained, Site: "main", Device: "bar-2", Status: &lift.DeviceStatus{State: lift.DeviceReady, BatteryPct: &battery}},
		rep("ana", 1, trained), journal.Event{Kind: journal.KindStatus, Received: trained, Site: "north", Device: "bar-1", Status: &lift.DeviceStatus{State: lift.DeviceLost}},
	)
	got := walk[map[string]any](g, "/api/v1/devices?", 1)
	at := trained.Format(time.RFC3339)
	wanted := []map[string]any{
		{"site": "main", "device": "bar-1", "seen": at},
		{"site": "main", "device": "bar-2", "seen": at, "status_at": at, "status": map[string]any{"state": "ready", "battery_pct": 82.0}},
		{"site": "north", "device": "bar-1", "seen": at, "status_at": at, "status": map[string]any{"state": "lost"}},
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
	if one := want[list[device]](g, 200, "GET", "/api/v1/devices?site=north", ""); len(one.Items) != 1 {
		t.Errorf("%+v", one)
	}
}

// Who has nothing but a training log has sets, sessions and weeks all the same.
func TestSetsOfATrainingLogAreListed(t *testing.T) {
	g := open(t)
	warm := func(s *lift.LoggedSet) { s.Warmup, s.LoadKg = true, new(60.0) }
	g.append(logged("ana", 0, trained, warm), logged("ana", 1, trained, func(s *lift.LoggedSet) { s.Best = new(0.5) }), logged("ana", 2, trained),
		logged("ana", 3, trained), logged("ana", 3, trained, func(s *lift.LoggedSet) { s.Revision, s.Removed = 1, true }), logged("ana", -24*400, trained))
	sets := want[list[map[string]any]](g, 200, "GET", "/api/v1/athletes/ana/sets"+thatDay, "")
	if len(sets.Items) != 3 || sets.Items[0]["warmup"] != true {
		t.Fatalf("sets %v", sets.Items)
	}
	told := map[string]any{
		"id": sets.Items[1]["id"], "exercise": "deadlift", "group": "deadlift_family", "load_kg": 100.0, "warmup": false, "reps": 5.0, "volume_kg": 500.0,
		"from": trained.Add(time.Hour).Format(time.RFC3339), "to": trained.Add(time.Hour).Format(time.RFC3339), "best_mps": 0.5, "source": "logged",
	}
	if diff := cmp.Diff(told, sets.Items[1]); diff != "" {
		t.Errorf("a set: -want +got\n%s", diff)
	}
	if other := sets.Items[2]; other["best_mps"] != nil || other["velocity_loss_pct"] != nil || other["last_mps"] != nil || other["source"] != "logged" {
		t.Errorf("a set has velocities that nobody measured: %v", other)
	}
	if sessions := want[list[profile.Session]](g, 200, "GET", "/api/v1/athletes/ana/sessions"+thatDay, ""); len(sessions.Items) != 1 || sessions.Items[0].Sets != 2 || sessions.Items[0].VolumeKg != 1000 {
		t.Errorf("sessions %+v", sessions.Items)
	}
	weeks := want[list[lift.Week]](g, 200, "GET", "/api/v1/athletes/ana/weeks?from=2025-01-01T00:00:00Z&to=2026-11-20T00:00:00Z", "")
	if len(weeks.Items) != 2 || weeks.Items[1].Reps != 10 || weeks.Items[0].Reps != 5 {
		t.Errorf("weeks %+v", weeks.Items)
	}
	if reps := want[list[any]](g, 200, "GET", "/api/v1/athletes/ana/reps"+thatDay, ""); len(reps.Items) != 0 {
		t.Errorf("a log has no reps: %v", reps.Items)
	}
	standings := want[list[map[string]any]](g, 200, "GET", "/api/v1/standings", "")
	if len(standings.Items) != 1 || standings.Items[0]["sessions"] != 1.0 || standings.Items[0]["last_session"] != trained.Add(2*time.Hour).Format(time.RFC3339) {
		t.Errorf("standings %v", standings.Items)
	}
}

// A training log often has one time for all sets of a workout.
func TestSetsOfOneTimeAreListedAsTheyWereCounted(t *testing.T) {
	g := open(t)
	var events []journal.Event
	for n := range 12 {
		events = append(events, logged("ana", n, trained, func(s *lift.LoggedSet) {
			s.Time, s.Number, s.LoadKg = trained, new(12-n), new(float64(100+n))
			if n == 11 {
				s.Number = nil
			}
		}))
	}
	g.append(events...)
	var loads []float64
	for cursor := ""; ; {
		page := want[list[lift.Set]](g, 200, "GET", "/api/v1/athletes/ana/sets"+thatDay+"&limit=5&cursor="+cursor, "")
		for _, s := range page.Items {
			loads = append(loads, *s.LoadKg)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if diff := cmp.Diff([]float64{111, 110, 109, 108, 107, 106, 105, 104, 103, 102, 101, 100}, loads); diff != "" {
		t.Errorf("in the order of their numbers: -want +got\n%s", diff)
	}
}
