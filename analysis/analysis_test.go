package analysis

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

var evening = time.Date(2026, 11, 16, 17, 0, 0, 0, time.UTC)

// logbook makes reps for tests.
type logbook struct{ reps []lift.RepRecord }

// set adds a set of reps, 4 s apart; number 0 means none.
func (b *logbook) set(at time.Time, exercise lift.ExerciseID, kg float64, number int, velocities ...float64) *logbook {
	for i, v := range velocities {
		n := int64(len(b.reps))
		r := lift.RepRecord{
			ID: lift.RepID("main", "bar-1", "b1", n), Site: "main", Device: "bar-1", Valid: true, LogSeq: uint64(n + 1),
			Rep: lift.Rep{
				BootID: "b1", Seq: n, Time: at.Add(time.Duration(i) * 4 * time.Second),
				Athlete: "ana", Exercise: exercise, LoadKg: &kg, MeanVelocity: v, Source: lift.SourceDevice,
			},
		}
		if number > 0 {
			r.Set = &number
		}
		r.Received = r.Time
		b.reps = append(b.reps, r)
	}
	return b
}

func near(got, want, within float64) bool { return math.Abs(got-want) <= within }

// The golden vector: losses of a set against its fastest rep so far.
func TestLossIsAgainstTheFastestRepSoFar(t *testing.T) {
	v := []float64{.66, .70, .68, .65, .62, .59, .55, .53}
	want := []float64{0, 0, 2.9, 7.1, 11.4, 15.7, 21.4, 24.3}
	best := 0.0
	for i := range v {
		best = max(best, v[i])
		if got := loss(best, v[i]); !near(got, want[i], 0.05) {
			t.Errorf("rep %d lost %.3f %%, want %.1f", i+1, got, want[i])
		}
	}
	sets := Sets(new(logbook).set(evening, "squat", 100, 0, v...).reps, nil, nil)
	if len(sets) != 1 || !near(*sets[0].VelocityLossPct, 24.286, 0.0005) {
		t.Errorf("set: %+v", sets)
	}
}

// The golden vector: 5×120, 5×120, 5×125, 4×125 are 2 325 kg, three sets of
// eight Romanian deadlifts at 90 kg 2 160 kg.
func TestVolumeIsRepsTimesLoad(t *testing.T) {
	b := new(logbook)
	at := evening
	for _, s := range []struct {
		exercise lift.ExerciseID
		kg       float64
		reps     int
	}{
		{"deadlift", 120, 5}, {"deadlift", 120, 5}, {"deadlift", 125, 5}, {"deadlift", 125, 4},
		{"rdl", 90, 8}, {"rdl", 90, 8}, {"rdl", 90, 8},
	} {
		v := make([]float64, s.reps)
		for i := range v {
			v[i] = 0.5
		}
		at = at.Add(3 * time.Minute)
		b.set(at, s.exercise, s.kg, 0, v...)
	}
	volumes := map[lift.ExerciseID]float64{}
	for _, s := range Sets(b.reps, nil, nil) {
		volumes[s.Exercise] += *s.VolumeKg
	}
	if d := cmp.Diff(map[lift.ExerciseID]float64{"deadlift": 2325, "rdl": 2160}, volumes); d != "" {
		t.Error(d)
	}
	weeks := Weeks(History{Athlete: "ana", Reps: b.reps}, Settings{}, at)
	if len(weeks) != 1 || weeks[0].VolumeKg != 4485 || weeks[0].Sets != 7 || weeks[0].Reps != 43 || *weeks[0].TopLoadKg != 125 {
		t.Errorf("weeks: %+v", weeks)
	}
}

// The golden vector: of 9 000, 10 000, a deload of 5 000 and 10 400 kg the
// baseline is 10 400; and 11 000 is not above 10 000 by more than 10 %.
func TestBaselineLeavesOutDeloads(t *testing.T) {
	b := new(logbook)
	for i, kg := range []float64{90, 100, 50, 104, 100} {
		for n := range 100 {
			b.set(evening.AddDate(0, 0, 7*(i-4)).Add(time.Duration(n)*2*time.Minute-4*time.Hour), "squat", kg, 0, 0.5)
		}
	}
	weeks := Weeks(History{Athlete: "ana", Reps: b.reps}, Settings{}, evening.AddDate(0, 0, 7))
	var got []string
	for _, w := range weeks {
		line, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(line))
	}
	want := []string{
		`{"week":"2026-W43","group":"squat_family","volume_kg":9000,"reps":100,"sets":100,"top_load_kg":90,"state":"learning"}`,
		`{"week":"2026-W44","group":"squat_family","volume_kg":10000,"reps":100,"sets":100,"top_load_kg":100,"state":"learning"}`,
		`{"week":"2026-W45","group":"squat_family","volume_kg":5000,"reps":100,"sets":100,"top_load_kg":50,"baseline_kg":10000,"change_pct":-50,"state":"deload"}`,
		`{"week":"2026-W46","group":"squat_family","volume_kg":10400,"reps":100,"sets":100,"top_load_kg":104,"baseline_kg":10000,"change_pct":4,"state":"provisional"}`,
		`{"week":"2026-W47","group":"squat_family","volume_kg":10000,"reps":100,"sets":100,"top_load_kg":100,"baseline_kg":10400,"change_pct":-3.8461538461538463,"state":"provisional"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Exactly 10 % is allowed, whatever binary fractions make of it; a gram more
// is not.
func TestExactlyTenPercentIsAllowed(t *testing.T) {
	l := DefaultLimits().WeeklyVolume
	for grams := int64(1000); grams < 30_000_000; grams += 12_500 {
		base := baseline{usable: 4, value: [metrics]float64{metricVolume: kilograms(grams)}}
		exact := totals{grams: grams * 11 / 10}
		if over, ok := base.judge(&exact, &l); ok {
			t.Fatalf("%d g after %d g: %+v", exact.grams, grams, over)
		}
		more := totals{grams: exact.grams + 1}
		if _, ok := base.judge(&more, &l); !ok {
			t.Fatalf("%d g after %d g is not over", more.grams, grams)
		}
	}
}

// A numbered set is one while its gaps are at most 30 minutes; its id comes
// from what it is and how many of its kind that local date had before.
func TestNumberedSets(t *testing.T) {
	b := new(logbook).
		set(evening, "deadlift", 120, 1, 0.5).
		set(evening.Add(30*time.Minute), "deadlift", 120, 1, 0.5).
		set(evening.Add(60*time.Minute+time.Millisecond), "deadlift", 120, 1, 0.5).
		set(evening.Add(61*time.Minute), "deadlift", 125, 1, 0.5).
		set(evening.Add(62*time.Minute), "deadlift", 120, 2, 0.5)
	sets := Sets(b.reps, nil, nil)
	var reps []int
	ids := map[string]bool{}
	for _, s := range sets {
		reps = append(reps, s.Reps)
		ids[s.ID] = true
		if err := lift.CheckID("set", s.ID); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff([]int{2, 1, 1, 1}, reps); d != "" || len(ids) != 4 {
		t.Errorf("%d ids, reps of the sets:\n%s", len(ids), d)
	}
	before := sets[0].ID
	b.reps[0].LogSeq = 99
	b.reps[0].ID = lift.RepID("main", "bar-2", "b9", 7)
	if after := Sets(b.reps, nil, nil)[0].ID; after != before {
		t.Error("the id of a numbered set depends on which rep was logged first")
	}
}

// Without numbers, 90 s or another exercise or load begin a new set, which has
// the id of the rep of it that was logged first.
func TestSetsWithoutNumbers(t *testing.T) {
	b := new(logbook).
		set(evening, "squat", 100, 0, 0.5, 0.5).
		set(evening.Add(4*time.Second+89*time.Second), "squat", 100, 0, 0.5).
		set(evening.Add(93*time.Second+90*time.Second), "squat", 100, 0, 0.5).
		set(evening.Add(187*time.Second), "squat", 102.5, 0, 0.5).
		set(evening.Add(191*time.Second), "front_squat", 102.5, 0, 0.5)
	var reps []int
	for _, s := range Sets(b.reps, nil, nil) {
		reps = append(reps, s.Reps)
	}
	if d := cmp.Diff([]int{3, 1, 1, 1}, reps); d != "" {
		t.Error(d)
	}
	id := Sets(b.reps, nil, nil)[0].ID
	early := b.reps[0]
	early.ID, early.Seq, early.LogSeq, early.Time = lift.RepID("main", "bar-1", "b1", 900), 900, 900, evening.Add(-10*time.Second)
	with := Sets(append(b.reps, early), nil, nil)
	if with[0].ID != id || with[0].Reps != 4 {
		t.Errorf("a late first rep changed the set's id: %+v", with[0])
	}
}

// Reps without exercise, load or anything but a velocity make sets without
// volume, and no week.
func TestBareReps(t *testing.T) {
	b := new(logbook).set(evening, "", 0, 0, 0.5, 0.4)
	for i := range b.reps {
		b.reps[i].LoadKg = nil
	}
	sets := Sets(b.reps, nil, nil)
	if len(sets) != 1 || sets[0].VolumeKg != nil || sets[0].LoadKg != nil || sets[0].E1RMKg != nil || sets[0].Group != "" {
		t.Errorf("sets: %+v", sets)
	}
	if weeks := Weeks(History{Athlete: "ana", Reps: b.reps}, Settings{}, evening); len(weeks) != 0 {
		t.Errorf("weeks: %+v", weeks)
	}
}

// The maximum is estimated only where a line is known, and where it holds.
func TestEstimatedMaximum(t *testing.T) {
	for _, c := range []struct {
		name     string
		exercise lift.ExerciseID
		v        float64
		want     float64 // 0: none
	}{
		{"at the velocity of the maximum", "deadlift", 0.15, 150},
		{"slower than that", "deadlift", 0.12, 150},
		{"0.25 m/s faster: 79.95 %", "deadlift", 0.40, 187.617},
		{"too light to tell", "deadlift", 0.80, 0},
		{"no line is known", "squat", 0.40, 0},
		{"an exercise nobody knows", "zercher", 0.40, 0},
	} {
		s := Sets(new(logbook).set(evening, c.exercise, 150, 0, c.v).reps, nil, nil)[0]
		switch {
		case c.want == 0 && s.E1RMKg != nil:
			t.Errorf("%s: %v kg", c.name, *s.E1RMKg)
		case c.want > 0 && (s.E1RMKg == nil || !near(*s.E1RMKg, c.want, 0.001)):
			t.Errorf("%s: %v, want %v kg", c.name, s.E1RMKg, c.want)
		}
	}
}

// A gateway whose clock is an hour behind finishes nothing early: what counts
// is when the rep was received.
func TestLiveSetFinishesByReceipt(t *testing.T) {
	b := new(logbook).set(evening, "deadlift", 120, 1, 0.5, 0.5, 0.49, 0.39)
	for i := range b.reps {
		b.reps[i].Received = b.reps[i].Time.Add(time.Hour)
	}
	h := History{Athlete: "ana", Reps: b.reps}
	due := b.reps[3].Received.Add(90 * time.Second)
	l := NewLifter(h, Settings{}, evening, evening)
	if found, _ := l.Evaluate(due.Add(-time.Millisecond)); len(found) != 1 || found[0].Rule != Device {
		t.Fatalf("before the set was finished, more was found than the wrong clock: %+v", found)
	}
	if !l.NextDue().Equal(due) {
		t.Errorf("due %s, want %s", l.NextDue(), due)
	}
	if found, _ := l.Evaluate(due); len(found) != 1 || found[0].Severity != lift.Warning {
		t.Errorf("found %+v", found)
	}
	if next := l.NextDue(); next.Before(due.Add(time.Hour)) {
		t.Errorf("due again at %s", next)
	}
}

// What a Lifter is told of is not told again, and is taken back if it is wrong.
func TestKnownAlerts(t *testing.T) {
	h := History{Athlete: "ana", Reps: new(logbook).set(evening, "deadlift", 120, 1, 0.5, 0.5, 0.42, 0.41).reps}
	now := evening.Add(time.Hour)
	finding := Judge(h, Settings{}, now)[0]
	wrong := finding
	wrong.ID = lift.AlertID(VelocityLoss, "ana", "deadlift", lift.WindowSet, "st_gone")
	old := wrong
	old.ID = "al_old"
	old.Window.From = evening.AddDate(0, 0, -30)
	l := NewLifter(h, Settings{}, evening, now)
	for _, f := range []lift.Finding{finding, wrong, old} {
		l.Known(&f)
	}
	found, gone := l.Evaluate(now)
	if len(found) != 0 {
		t.Errorf("told again: %+v", found)
	}
	if d := cmp.Diff([]string{wrong.ID}, gone); d != "" {
		t.Errorf("gone:\n%s", d)
	}
}

// Historical is what the newest rep behind a finding was.
func TestHistorical(t *testing.T) {
	b := new(logbook).set(evening, "deadlift", 120, 1, 0.5, 0.5, 0.42, 0.41)
	for i := range b.reps {
		b.reps[i].Historical = true
	}
	found := Judge(History{Athlete: "ana", Reps: b.reps}, Settings{}, evening.Add(time.Hour))
	if len(found) != 1 || !found[0].Historical {
		t.Errorf("a backlog's set: %+v", found)
	}
	b.reps[3].Historical = false
	found = Judge(History{Athlete: "ana", Reps: b.reps}, Settings{}, evening.Add(time.Hour))
	if len(found) != 1 || found[0].Historical {
		t.Errorf("a set that went on live: %+v", found)
	}
}

// Days and weeks begin at local midnight, also where the clocks change.
func TestWeeksBeginAtLocalMidnight(t *testing.T) {
	for _, c := range []struct{ zone, day, want string }{
		{"Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"},
		{"Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"}, // midnight was skipped
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},    // midnight comes twice
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},      // the day before was skipped
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		got := date(day.Unix() / 86400).start(zone)
		if got.Format(time.RFC3339) != c.want {
			t.Errorf("%s in %s begins at %s, want %s", c.day, c.zone, got.Format(time.RFC3339), c.want)
		}
		if d := dateOf(got.Add(-time.Nanosecond), zone); d.String() >= c.day {
			t.Errorf("%s in %s: an instant before is %s", c.day, c.zone, d)
		}
	}
	if got := date(time.Date(2027, 1, 3, 0, 0, 0, 0, time.UTC).Unix() / 86400).monday().week(); got != "2026-W53" {
		t.Errorf("3 January 2027 is in %s", got)
	}
}

// An exercise counts to the catalogue's group however its id is written, and one
// that the catalogue does not know to a group of its own.
func TestGroups(t *testing.T) {
	d := newDiary("ana", "main", Settings{})
	for id, want := range map[lift.ExerciseID]string{
		"deadlift": DeadliftFamily, "sumo-deadlift": DeadliftFamily, "trap_bar-deadlift": DeadliftFamily,
		"rdl": DeadliftFamily, "stiff-leg-deadlift": DeadliftFamily, "back-squat": "squat_family", "zercher-carry": "zercher-carry",
	} {
		if got := d.lookUp(id).group; got != want {
			t.Errorf("%s is in %s, want %s", id, got, want)
		}
	}
}

// After a day is summed up, a late rep that may go on with one of its sets past
// midnight is not taken, while one well after midnight is.
func TestLateRepPastMidnightOfASummedUpDay(t *testing.T) {
	midnight := time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC)
	b := new(logbook).
		set(midnight.Add(-10*time.Minute), "deadlift", 120, 1, 0.5, 0.5).
		set(midnight.Add(12*time.Hour), "deadlift", 120, 1, 0.5)
	now := midnight.Add(40 * time.Hour)
	l := NewLifter(History{Athlete: "ana", Reps: b.reps}, Settings{}, time.Time{}, now)
	l.Evaluate(now)
	late := b.reps[0]
	late.Seq, late.ID = 100, lift.RepID("main", "bar-1", "b1", 100)
	late.Time = midnight.Add(15 * time.Minute)
	if l.Put(&late) {
		t.Error("taken, though the set's first reps are not held any more")
	}
	late.Time = midnight.Add(31 * time.Minute)
	if !l.Put(&late) {
		t.Error("not taken, though its day is held in full")
	}
}

// A set of an old date whose last rep has only just arrived is judged when it is
// finished, as a live one.
func TestAnOldSetThatArrivesNowIsFinishedNow(t *testing.T) {
	b := new(logbook).set(evening, "deadlift", 120, 1, 0.5, 0.5, 0.49, 0.39)
	now := evening.AddDate(0, 0, 10)
	for i := range b.reps {
		b.reps[i].Received = now
	}
	h := History{Athlete: "ana", Reps: b.reps}
	l := NewLifter(h, Settings{}, evening, now)
	l.Evaluate(now)
	now = now.Add(setGap)
	found, _ := l.Evaluate(now)
	if !slices.ContainsFunc(found, func(f lift.Finding) bool { return f.Rule == VelocityLoss }) {
		t.Errorf("found %+v", found)
	}
}

// A week closes though reps of later weeks were known before time came so far.
func TestAWeekClosesBehindRepsThatAreAheadOfTime(t *testing.T) {
	b := new(logbook).set(evening, "deadlift", 120, 1, 0.5).set(evening.AddDate(0, 0, 14), "deadlift", 120, 1, 0.5)
	l := NewLifter(History{Athlete: "ana", Reps: b.reps[:1]}, Settings{}, evening, evening)
	l.Evaluate(evening)
	if !l.Put(&b.reps[1]) {
		t.Fatal("not taken")
	}
	l.Evaluate(evening)
	if monday := evening.AddDate(0, 0, 7); !l.NextDue().Before(monday) {
		t.Fatalf("due %s, after the week has closed", l.NextDue())
	}
	found, _ := l.Evaluate(evening.AddDate(0, 0, 14).Add(time.Hour))
	if !slices.ContainsFunc(found, func(f lift.Finding) bool { return f.Rule == Accessory }) {
		t.Errorf("found %+v", found)
	}
}

// A training log often has all sets of a workout at one time: their numbers tell which
// came before the first work set.
func TestLoggedSetsOfOneTimeFollowTheirNumbers(t *testing.T) {
	for row := range 8 {
		var log []lift.LoggedSet
		for n, kg := range []float64{40, 100, 50} { // a warm-up, work, and a set with less
			log = append(log, lift.LoggedSet{
				ID: lift.LoggedSetID("ana", "strong", strconv.Itoa(10*row+n)), Log: "strong", Site: "main", Athlete: "ana", Exercise: "squat",
				Time: evening, Number: new(n + 1), Reps: 5, LoadKg: &kg,
			})
		}
		slices.Reverse(log)
		sets := Sets(nil, log, nil)
		if len(sets) != 3 || !sets[0].Warmup || sets[1].Warmup || sets[2].Warmup || *sets[2].LoadKg != 50 {
			t.Fatalf("row %d: %+v", row, sets)
		}
		if sets[1].Source != lift.SourceLogged || sets[1].Best != nil || sets[1].Last != nil || sets[1].VelocityLossPct != nil || sets[1].E1RMKg != nil {
			t.Fatalf("a velocity that nobody measured: %+v", sets[1])
		}
	}
}
