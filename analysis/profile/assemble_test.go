package profile

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

// diary is a lifter's training as a test writes it down.
type diary struct {
	History
	zone   *time.Location
	device lift.DeviceID
}

var berlin = time.FixedZone("Berlin in winter", 60*60)

func newDiary() *diary { return &diary{zone: berlin, device: "bar-1"} }

// at is 18:00 local on a day of November 2026; days go on beyond the month's end.
func (d *diary) at(day int) time.Time { return time.Date(2026, 11, day, 18, 0, 0, 0, d.zone) }

// set writes a set down; change may alter its reps.
func (d *diary) set(at time.Time, exercise lift.ExerciseID, load float64, velocities []float64, change ...func(n int, r *lift.RepRecord)) {
	group := map[lift.ExerciseID]string{"deadlift": "deadlift_family", "squat": "squat_family"}[exercise]
	at = at.Add(time.Duration(len(d.Sets)) * time.Second)
	s := lift.Set{ID: fmt.Sprint("st_", len(d.Sets)), Exercise: exercise, Group: group, LoadKg: &load, From: at, To: at}
	for i, v := range velocities {
		r := lift.RepRecord{ID: fmt.Sprint("rp_", len(d.Reps)), Site: "main", Device: d.device, Valid: true,
			Rep: lift.Rep{Time: at.Add(time.Duration(i) * 3 * time.Second), Exercise: exercise, LoadKg: &load, MeanVelocity: v}}
		for _, c := range change {
			c(i, &r)
		}
		if !r.Failed {
			s.Reps++
		}
		s.To = r.Time
		s.RepIDs = append(s.RepIDs, r.ID)
		d.Reps = append(d.Reps, r)
	}
	d.Sets = append(d.Sets, s)
}

// expected is the velocity of a lifter whose deadlift is v = 1.5 − 0.007·L: 192.86 kg
// at 0.15 m/s.
func expected(kg float64) float64 { return 1.5 - 0.007*kg }

func (d *diary) session(day int, loads ...float64) {
	for _, kg := range loads {
		v := expected(kg)
		d.set(d.at(day), "deadlift", kg, []float64{v - 0.02, v, v - 0.05})
	}
}

// known is a catalogue of one lift with a published line.
func known(id lift.ExerciseID) (lift.Exercise, bool) {
	switch id {
	case "deadlift", "conventional-deadlift":
		return lift.Exercise{ID: "deadlift", Name: "Deadlift", Group: "deadlift_family", MinVelocity: new(0.15), MinVelocitySource: "a review", Slope: new(80.2)}, true
	case "plank":
		return lift.Exercise{ID: id, Pattern: "core"}, true
	case "dip":
		return lift.Exercise{ID: id, Pattern: "push", SpinalLoad: "none"}, true
	}
	return lift.Exercise{}, false
}

func (d *diary) profiles(day int, change ...func(*Options)) []Profile {
	o := Options{Zone: d.zone, Exercise: known}
	for _, c := range change {
		c(&o)
	}
	return Profiles(d.History, d.at(day).AddDate(0, 0, -200), d.at(day).Add(time.Hour), o)
}

func (d *diary) profile(t *testing.T, day int, change ...func(*Options)) Profile {
	t.Helper()
	all := d.profiles(day, change...)
	if len(all) != 1 {
		t.Fatalf("%d profiles: %+v", len(all), all)
	}
	return all[0]
}

func TestAProfileIsTheFastestRepOfEachSessionAndLoad(t *testing.T) {
	d := newDiary()
	d.session(2, 80, 120, 120, 160)
	d.session(5, 100, 160)
	p := d.profile(t, 5)
	var got [][2]float64
	for _, x := range p.Points {
		got = append(got, [2]float64{x.LoadKg, x.Velocity})
	}
	want := [][2]float64{{80, expected(80)}, {120, expected(120)}, {160, expected(160)}, {100, expected(100)}, {160, expected(160)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points: %s", diff)
	}
	if p.Exercise != "deadlift" || p.Name != "Deadlift" || p.Group != "deadlift_family" || p.Device != "bar-1" || p.Site != "main" || p.WhyNot != "" {
		t.Errorf("%+v", p)
	}
	near(t, "maximum", *p.Maximum.Kg, 1.35/0.007, 6)
	if !p.Maximum.TrendOnly || p.Maximum.PublishedErrorPct != 9.8 {
		t.Errorf("a deadlift's maximum is for its trend only: %+v", p.Maximum)
	}
	if diff := cmp.Diff(&MinVelocity{0.15, "published", 0, "a review"}, p.MinVelocity); diff != "" {
		t.Errorf("threshold: %s", diff)
	}
}

func TestWhatWasNotTheBestEffortIsNoPoint(t *testing.T) {
	d := newDiary()
	d.session(2, 100)
	every := func(f func(*lift.RepRecord)) func(int, *lift.RepRecord) {
		return func(_ int, r *lift.RepRecord) { f(r) }
	}
	for _, change := range []func(*lift.RepRecord){
		func(r *lift.RepRecord) { r.Failed = true },
		func(r *lift.RepRecord) { r.Valid = false },
		func(r *lift.RepRecord) { r.LoadKg = nil },
		func(r *lift.RepRecord) { r.Eccentric = new(3.0) },
	} {
		d.set(d.at(2), "deadlift", 140, []float64{0.9, 0.9}, every(change))
	}
	d.set(d.at(2).Add(time.Minute), "deadlift", 60, []float64{0.9, 0.95}, every(func(r *lift.RepRecord) { r.Warmup = true }))
	if p := d.profile(t, 2); len(p.Points) != 2 {
		t.Errorf("a warm-up: %+v", p)
	}
	d.set(d.at(2).Add(2*time.Hour), "deadlift", 140, []float64{0.9}) // after the time it is asked for
	if p := d.profile(t, 2); len(p.Points) != 2 || p.WhyNot != FewLoads || p.Maximum.Kg != nil {
		t.Errorf("%+v", p)
	}
	d.set(d.at(2), "deadlift", 140, []float64{0.5, 0.52}, every(func(r *lift.RepRecord) { r.Eccentric = new(2.9) }))
	if p := d.profile(t, 2); len(p.Points) != 3 || p.Line == nil || p.WhyNot != "" {
		t.Errorf("a controlled set: %+v", p)
	}
}

func TestALineForgetsWhatIsOlderThan42Days(t *testing.T) {
	d := newDiary()
	d.session(1, 80, 120, 160)
	for day, n := range map[int]int{1: 3, 42: 3, 43: 0} {
		if p := d.profile(t, day); len(p.Points) != n {
			t.Errorf("day %d: %d points, want %d", day, len(p.Points), n)
		}
	}
}

func TestEachDeviceAndVariantHasItsLine(t *testing.T) {
	d := newDiary()
	d.session(2, 80, 120, 160)
	d.device = "bar-2"
	d.session(2, 80)
	d.set(d.at(2), "sumo_deadlift", 100, []float64{0.6})
	d.set(d.at(2), "conventional-deadlift", 100, []float64{0.8}) // another name of the deadlift
	var got []string
	for _, p := range d.profiles(2) {
		got = append(got, fmt.Sprint(p.Exercise, " ", p.Device, " ", len(p.Points)))
	}
	if diff := cmp.Diff([]string{"deadlift bar-1 3", "deadlift bar-2 2", "sumo_deadlift bar-2 1"}, got); diff != "" {
		t.Error(diff)
	}
}

func fails(at int) func(int, *lift.RepRecord) {
	return func(n int, r *lift.RepRecord) { r.Failed = n >= at }
}

func TestTheThresholdIsEnteredElseLearnedElsePublished(t *testing.T) {
	d := newDiary()
	d.session(2, 80, 120, 160)
	for i, last := range []float64{0.20, 0.26, 0.22} {
		if got := d.profile(t, 9).MinVelocity; got.Source != "published" {
			t.Errorf("after %d failed sets: %+v", i, got)
		}
		d.set(d.at(3+i), "deadlift", 180, []float64{0.30, last, 0.05, 0.04}, fails(2))
	}
	if diff := cmp.Diff(&MinVelocity{Mps: 0.22, Source: "learned", Sets: 3}, d.profile(t, 9).MinVelocity); diff != "" {
		t.Error(diff)
	}
	entered := func(o *Options) {
		o.MinVelocity = func(lift.ExerciseID) (float64, bool) { return 0.18, true }
		o.OneRM = func(lift.ExerciseID) (float64, bool) { return 190, true }
	}
	p := d.profile(t, 9, entered)
	if p.MinVelocity.Mps != 0.18 || p.MinVelocity.Source != "entered" || *p.Maximum.EnteredKg != 190 {
		t.Errorf("%+v, %+v", p.MinVelocity, p.Maximum)
	}
	unknown := func(o *Options) { o.Exercise = nil }
	d = newDiary()
	d.session(2, 80, 120, 160)
	if p := d.profile(t, 2, unknown); p.MinVelocity != nil || p.Maximum.Kg != nil || p.Maximum.WhyNot == "" || p.WhyNot != "" {
		t.Errorf("an exercise that nobody knows: %+v", p)
	}
}

// Each date speaks in the best form that it can, and knows nothing of later ones.
func TestTheFormOfEachSessionsEstimate(t *testing.T) {
	d := newDiary()
	d.session(1, 160)          // nothing but the published line
	d.session(4, 80, 160)      // two loads
	d.session(8, 80, 120, 160) // its own line
	d.session(12, 170)         // the slope of the last six weeks
	d.session(12+70, 100)      // too long ago; below half of the published line's maximum
	d.set(d.at(90), "deadlift", 160, []float64{0.5, 0.45, 0.4, 0.1}, fails(3))
	p := d.profile(t, 90)
	type told struct {
		Date Date
		Form Form
		Kg   string
	}
	var got []told
	for _, e := range p.Maximum.Sessions {
		got = append(got, told{e.Date, e.Form, fmt.Sprintf("%.1f", e.Kg)})
	}
	want := []told{
		{"2026-11-01", FormOneSet, fmt.Sprintf("%.1f", 160/(1-0.802*(0.38-0.15)))},
		{"2026-11-04", FormTwoPoint, "192.9"}, {"2026-11-08", FormLine, "192.9"}, {"2026-11-12", FormAnchored, "192.9"},
		{"2027-01-29", FormOneSet, fmt.Sprintf("%.1f", 160/(1-0.802*(0.5-0.15)))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, e := range p.Maximum.Sessions {
		if e.ErrorKg == nil || (e.ErrorSource == "line") != (e.Form == FormLine || e.Form == FormAnchored) {
			t.Errorf("the error of %+v", e)
		}
		if e.Form == FormOneSet {
			near(t, "published error", *e.ErrorKg, 0.098*e.Kg, 9)
		}
	}
	// Without a threshold there are only repetitions to failure.
	p = d.profile(t, 90, func(o *Options) { o.Exercise = nil })
	if s := p.Maximum.Sessions; len(s) != 1 || s[0].Form != FormReps || s[0].ErrorKg != nil {
		t.Fatalf("%+v", s)
	}
	near(t, "Epley 160 × 3", p.Maximum.Sessions[0].Kg, 160*1.0999, 3)
}

// A list that begins later is shorter, and tells the same of what it holds.
func TestEstimatesDoNotDependOnWhereTheHistoryIsCut(t *testing.T) {
	d := newDiary()
	for day := 1; day < 250; day += 5 {
		d.session(day, 80+float64(day%3)*20, 150)
		if day%15 == 1 {
			d.set(d.at(day), "deadlift", 180, []float64{0.30, 0.19, 0.05}, fails(2))
		}
	}
	at := d.at(250)
	o := Options{Zone: d.zone, Exercise: known}
	whole := Profiles(d.History, at.AddDate(0, 0, -300), at, o)[0]
	from := at.AddDate(0, 0, -30)
	var cut diary
	cut.Reps = d.Reps
	for _, s := range d.Sets {
		if !s.From.Before(HistoryFrom(from, at).Add(-24 * time.Hour)) {
			cut.Sets = append(cut.Sets, s)
		}
	}
	part := Profiles(cut.History, from, at, o)[0]
	n := len(part.Maximum.Sessions)
	if n < 5 || part.MinVelocity.Source != "learned" || len(cut.Sets) == len(d.Sets) {
		t.Fatalf("%d estimates, threshold %+v", n, part.MinVelocity)
	}
	if diff := cmp.Diff(whole.Maximum.Sessions[len(whole.Maximum.Sessions)-n:], part.Maximum.Sessions); diff != "" {
		t.Errorf("estimates: %s", diff)
	}
	if diff := cmp.Diff(whole.MinVelocity, part.MinVelocity); diff != "" {
		t.Errorf("threshold: %s", diff)
	}
}

func TestATrendIsNotMovedByOneBadSession(t *testing.T) {
	var all []Estimate
	for week := range 8 {
		all = append(all, Estimate{Date: Date("2026-09-01").Plus(7 * week), Form: FormAnchored, Kg: 180 + 1.5*float64(week)})
	}
	all[5].Kg = 90
	all = append(all, Estimate{Date: "2026-11-01", Form: FormReps, Kg: 400})
	got := TrendOf(all)
	near(t, "kg per week", *got.KgPerWeek, 1.5, 9)
	near(t, "at the end", *got.LastKg, 190.5, 9)
	if got.Form != FormAnchored || got.Sessions != 8 || got.Low == nil || *got.Low > 1.5 || *got.High < 1.5 {
		t.Errorf("%+v", got)
	}
	for _, few := range [][]Estimate{nil, all[:3]} {
		if got := TrendOf(few); got.WhyNot == "" || got.KgPerWeek != nil {
			t.Errorf("a trend of %d sessions: %+v", len(few), got)
		}
	}
	// Of four sessions no interval of 95 % can be told from the order of their slopes.
	if got := TrendOf(all[:4]); got.KgPerWeek == nil || got.Low != nil {
		t.Errorf("%+v", got)
	}
}

func TestSessionsAddUpLocalDates(t *testing.T) {
	d := newDiary()
	d.set(d.at(2), "deadlift", 60, []float64{1, 1, 1, 1, 1})
	d.Sets[0].Warmup = true
	for _, s := range []struct {
		reps int
		kg   float64
	}{{5, 120}, {5, 120}, {5, 125}, {4, 125}} {
		d.set(d.at(2), "deadlift", s.kg, make([]float64, s.reps))
	}
	for range 3 {
		d.set(d.at(3), "romanian_deadlift", 90, make([]float64, 8))
	}
	d.set(d.at(3).Add(5*time.Hour+55*time.Minute), "squat", 100, []float64{0.5}) // 23:55 local
	d.set(d.at(3).Add(6*time.Hour+5*time.Minute), "squat", 100, []float64{0.5})  // after midnight
	d.set(d.at(6), "plank", 0, []float64{0.5})
	d.set(d.at(6), "dip", 0, []float64{0.5})
	d.set(d.at(8), "pull_up", 0, []float64{0.5})
	for i := range d.Sets {
		if *d.Sets[i].LoadKg == 0 {
			d.Sets[i].LoadKg = nil
		}
	}
	type sum struct {
		Date       Date
		Sets, Reps int
		Kg, Top    float64
		Exercises  string
		Incomplete bool
	}
	var got []sum
	for _, s := range Sessions(d.Sets, Options{Zone: berlin, Exercise: known}) {
		top := math.NaN()
		if s.TopLoadKg != nil {
			top = *s.TopLoadKg
		}
		got = append(got, sum{s.Date, s.Sets, s.Reps, s.VolumeKg, top, fmt.Sprint(s.Exercises), s.Incomplete})
	}
	want := []sum{
		{"2026-11-02", 4, 19, 2325, 125, "[deadlift]", false},
		{"2026-11-03", 4, 25, 2160 + 100, 100, "[romanian_deadlift squat]", false},
		{"2026-11-04", 1, 1, 100, 100, "[squat]", false},
		{"2026-11-06", 2, 2, 0, math.NaN(), "[plank dip]", false},
		{"2026-11-08", 1, 1, 0, math.NaN(), "[pull_up]", true},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })); diff != "" {
		t.Error(diff)
	}
}

func (d *diary) context(day int) Context {
	return ContextOf(d.History, d.at(day).Add(time.Hour), Options{Zone: d.zone, Exercise: known})
}

// The golden five weeks, as sets of a lifter: 1 rep of so many kilograms.
func TestTheContextOfFiveWeeks(t *testing.T) {
	d := newDiary()
	for i, l := range fiveWeeks {
		if l.Kg > 0 {
			d.set(d.at(1+i), "deadlift", l.Kg, []float64{0.5})
		}
	}
	c := d.context(35)
	if c.Date != "2026-12-05" || c.Begin != "2026-11-01" || c.Days != 35 || len(c.Loads) != 28 || c.Loads[27].Date != c.Date || *c.Loads[27].LoadKg != 0 {
		t.Errorf("%+v", c)
	}
	near(t, "coupled", value(t, "coupled", c.Ratios.Coupled), 1.40056, 5)
	near(t, "uncoupled", value(t, "uncoupled", c.Ratios.Uncoupled), 1.61638, 5)
	if c.Ratios.EWMA.WhyNot != ShortHistory || value(t, "monotony", c.Monotony) <= 0 {
		t.Errorf("%+v", c)
	}
	d.Sets[20].LoadKg = nil
	c = d.context(35)
	if c.MissingDays != 1 || c.Ratios.Coupled.WhyNot != MissingDay {
		t.Errorf("a set without its load: %+v", c)
	}
	if c := newDiary().context(1); c.Days != 0 || c.Begin != "" || c.Ratios.Coupled.WhyNot == "" || c.Monotony.WhyNot == "" || len(c.Readiness) != 0 {
		t.Errorf("of nobody: %+v", c)
	}
}

func TestReadinessTellsRealFromNoiseAndBothFromWorthwhile(t *testing.T) {
	// Three sessions at 0.49, 0.50, 0.51 m/s: too few to know the lifter's own noise,
	// so ± 1.96 · 4.7 % · √(4/3) of 0.50, which is ± 0.0532 m/s.
	for _, c := range []struct {
		today   float64
		place   Place
		matters bool
	}{{0.44, Below, true}, {0.45, Inside, true}, {0.505, Inside, false}, {0.55, Inside, true}, {0.56, Above, true}} {
		d := newDiary()
		for i, v := range []float64{0.49, 0.50, 0.51} {
			d.set(d.at(2+3*i), "deadlift", 140, []float64{v, v - 0.03})
		}
		d.set(d.at(14), "deadlift", 140, []float64{c.today - 0.02, c.today})
		got := d.context(14).Readiness
		if len(got) != 1 || got[0].Place != c.place || got[0].Matters == nil || *got[0].Matters != c.matters || got[0].NoiseSource != "published" || got[0].Confidence != "provisional" {
			t.Fatalf("%g m/s: %+v", c.today, got)
		}
		near(t, "usual", *got[0].Usual, 0.50, 9)
		near(t, "band", *got[0].Band, 0.50*1.96*0.047*math.Sqrt(4.0/3), 9)
		near(t, "change", *got[0].Change, 100*(c.today/0.50-1), 9)
	}
}

func TestReadinessUsesTheLiftersOwnNoiseOnceItIsKnown(t *testing.T) {
	d := newDiary()
	for i, v := range []float64{0.49, 0.50, 0.51, 0.49, 0.51} {
		d.set(d.at(2+3*i), "squat", 100, []float64{v})
	}
	d.set(d.at(20), "squat", 100, []float64{0.46})
	d.set(d.at(20), "squat", 110, []float64{0.40})
	got := d.context(20).Readiness
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	// SD 0.01, 4 degrees of freedom, t 2.7764, five sessions before: ± 0.0304.
	if r := got[0]; r.NoiseSource != "own" || r.Place != Below || r.Confidence != "full" || r.Sessions != 5 {
		t.Errorf("%+v", r)
	}
	near(t, "band", *got[0].Band, 2.7764*0.01*math.Sqrt(1.2), 5)
	near(t, "noise", *got[0].NoisePct, 2, 6)
	if r := got[1]; r.WhyNot == "" || r.Usual != nil || r.Place != "" {
		t.Errorf("a load that was never lifted before: %+v", r)
	}
	// One session less, and nobody knows the noise of this lift.
	d.Sets = d.Sets[1:]
	if r := d.context(20).Readiness[0]; r.Usual == nil || r.Place != "" || r.WhyNot == "" {
		t.Errorf("%+v", r)
	}
}

// A lifter who adds weight every week never repeats a load: the line through the
// earlier ones says what to expect.
func TestReadinessOfANewLoadIsAgainstTheLine(t *testing.T) {
	d := newDiary()
	noise := []float64{0.01, -0.01, -0.01, 0.01, 0.01, -0.01, 0, 0}
	for i, off := range noise {
		kg := 130 + 2.5*float64(i)
		d.set(d.at(2+3*i), "squat", kg, []float64{expected(kg) + off})
	}
	expect := func(kg, velocity float64, place Place, against string) {
		t.Helper()
		now := *d
		now.Sets, now.Reps = slices.Clone(d.Sets), slices.Clone(d.Reps)
		now.set(d.at(28), "squat", kg, []float64{velocity})
		got := now.context(28).Readiness
		if len(got) != 1 || got[0].Place != place || got[0].Against != against || (place == "") != (got[0].WhyNot != "") {
			t.Errorf("%g kg at %g m/s: %+v", kg, velocity, got)
		}
	}
	expect(150, expected(150), Inside, "line")
	expect(150, expected(150)-0.02, Inside, "line")
	expect(150, expected(150)-0.06, Below, "line")
	expect(150, expected(150)+0.06, Above, "line")
	expect(130, expected(130), Inside, "line")
	expect(147.5*1.05, expected(147.5*1.05), Inside, "line")
	expect(156, expected(156), "", "") // beyond 5 %
	expect(120, expected(120), "", "")
	r := d.context(23).Readiness[0]
	var before []Point
	for i, off := range noise[:7] {
		kg := 130 + 2.5*float64(i)
		before = append(before, Point{LoadKg: kg, Velocity: expected(kg) + off})
	}
	line, _ := Fit(before)
	if r.Sessions != 7 || r.Confidence != "full" || r.LoadKg != 147.5 {
		t.Fatalf("%+v", r)
	}
	near(t, "usual", *r.Usual, line.At(147.5), 9)
	near(t, "band, t(5) is 2.5706", *r.Band, 2.570582*line.SEE*math.Sqrt(1+1.0/7+100.0/175), 6)
}

func TestReadinessIsOfTodayAlone(t *testing.T) {
	d := newDiary()
	d.session(2, 100, 140)
	if got := d.context(3).Readiness; len(got) != 0 {
		t.Errorf("the day after: %+v", got)
	}
	if got := d.context(2).Readiness; len(got) != 2 || got[0].LoadKg != 100 || got[0].Sessions != 0 {
		t.Errorf("the first day: %+v", got)
	}
}
