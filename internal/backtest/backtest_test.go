package backtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// monday is a Monday evening.
var monday = time.Date(2026, 9, 7, 18, 0, 0, 0, time.UTC)

// gym is a Source of hand-made histories, by athlete.
type gym struct {
	ids       []lift.AthleteID
	histories map[lift.AthleteID]*view.History

	mu   sync.Mutex
	read int
	fail error
}

func newGym() *gym { return &gym{histories: map[lift.AthleteID]*view.History{}} }

func (g *gym) of(athlete lift.AthleteID) *view.History {
	h, ok := g.histories[athlete]
	if !ok {
		h = &view.History{Site: "main", Position: 100 + uint64(len(g.ids))}
		g.ids, g.histories[athlete] = append(g.ids, athlete), h
	}
	return h
}

// SiteOf is where somebody is whose place is written down: every second one.
func (g *gym) SiteOf(_ context.Context, athlete lift.AthleteID) (lift.SiteID, error) {
	return siteOf(athlete), nil
}

func siteOf(athlete lift.AthleteID) lift.SiteID {
	if athlete[len(athlete)-1]%2 == 0 {
		return "even"
	}
	return "odd"
}

func (g *gym) Athletes(context.Context, time.Time) ([]view.Athlete, error) {
	var all []view.Athlete
	for _, id := range g.ids {
		all = append(all, view.Athlete{ID: id, Site: "main"})
	}
	return all, nil
}

func (g *gym) History(_ context.Context, athlete lift.AthleteID, reps, checkIns time.Time) (view.History, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.read++
	whole := g.histories[athlete]
	cut := *whole
	cut.Reps, cut.CheckIns, cut.Alerts = nil, nil, append([]lift.Alert(nil), whole.Alerts...)
	for _, r := range whole.Reps {
		if !r.Time.Before(reps) {
			cut.Reps = append(cut.Reps, r)
		}
	}
	for _, c := range whole.CheckIns {
		if !c.Time.Before(checkIns) {
			cut.CheckIns = append(cut.CheckIns, c)
		}
	}
	return cut, g.fail
}

// set adds a set of an athlete with the given velocities.
func (g *gym) set(athlete lift.AthleteID, exercise lift.ExerciseID, at time.Time, kg float64, velocities ...float64) {
	h := g.of(athlete)
	for i, v := range velocities {
		n := len(h.Reps)
		t := at.Add(time.Duration(i) * 3 * time.Second)
		h.Reps = append(h.Reps, lift.RepRecord{
			ID: fmt.Sprintf("rp_%s%d", athlete, n), Site: "main", Device: "bar-1", Valid: true, Received: t, LogSeq: uint64(n + 1), PointTime: t,
			Rep: lift.Rep{BootID: "b1", Seq: int64(n), Time: t, Athlete: athlete, Exercise: exercise, LoadKg: &kg, MeanVelocity: v},
		})
	}
}

func (g *gym) pain(athlete lift.AthleteID, at time.Time, phase lift.Phase, score int) {
	h := g.of(athlete)
	h.CheckIns = append(h.CheckIns, lift.CheckInRecord{
		ID: lift.CheckInID(athlete, at, phase), Site: "main", Athlete: athlete, Received: at,
		CheckIn: lift.CheckIn{Time: at, Phase: phase, Pain: &score},
	})
}

func standard(lift.AthleteID) analysis.Settings { return analysis.Settings{} }

func (g *gym) run(t *testing.T, q Question) Report {
	t.Helper()
	r, err := Run(t.Context(), Options{Question: q, View: g, Settings: standard})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Report) of(rule lift.Rule) Tally {
	for _, t := range r.Rules {
		if t.Rule == rule {
			return t
		}
	}
	return Tally{}
}

// slowing is a gym of one lifter, with a set of deadlifts on each of three days:
// they lose 16, 22 and 13 %.
func slowing() *gym {
	g := newGym()
	g.set("ana", "deadlift", monday, 100, 0.50, 0.50, 0.42, 0.42)
	g.set("ana", "deadlift", monday.AddDate(0, 0, 2), 100, 0.50, 0.50, 0.39, 0.39)
	g.set("ana", "deadlift", monday.AddDate(0, 0, 4), 100, 0.50, 0.50, 0.435, 0.435)
	g.set("ana", "deadlift", monday.AddDate(0, 0, 7), 100, 0.50)
	return g
}

func TestWhatFiredIsComparedWithWhatWouldHave(t *testing.T) {
	for _, c := range []struct {
		why, rules string
		want       Tally
	}{
		{"nothing is asked for", ``, Tally{
			Fired: Counts{Total: 2, Advice: 1, Warning: 1}, Would: Counts{Total: 2, Advice: 1, Warning: 1}, Kept: 2, Missing: 2,
		}},
		{"stricter", `{"velocity-loss":{"deadlift_advice_pct":12,"deadlift_warning_pct":16}}`, Tally{
			Fired: Counts{Total: 2, Advice: 1, Warning: 1}, Would: Counts{Total: 3, Advice: 1, Warning: 2}, Kept: 1, Changed: 1, Added: 1, Missing: 2,
		}},
		{"milder", `{"velocity-loss":{"deadlift_advice_pct":18,"deadlift_warning_pct":30}}`, Tally{
			Fired: Counts{Total: 2, Advice: 1, Warning: 1}, Would: Counts{Total: 1, Advice: 1}, Changed: 1, Gone: 1, Missing: 2,
		}},
		{"of another rule", `{"grind":{"margin_mps":0}}`, Tally{
			Fired: Counts{Total: 2, Advice: 1, Warning: 1}, Would: Counts{Total: 2, Advice: 1, Warning: 1}, Kept: 2, Missing: 2,
		}},
	} {
		g := slowing()
		r := g.run(t, Question{Rules: []byte(c.rules)})
		c.want.Rule = analysis.VelocityLoss
		if diff := cmp.Diff(c.want, r.of(analysis.VelocityLoss)); diff != "" {
			t.Errorf("%s:\n%s", c.why, diff)
		}
		if len(r.Rules) != len(analysis.Rules()) || r.Athletes != 1 || r.Reps != 13 || r.Position != 100 || !r.AsOf.Equal(monday.AddDate(0, 0, 7)) {
			t.Errorf("%s: %d rules, %d athletes, %d reps, position %d, as of %s", c.why, len(r.Rules), r.Athletes, r.Reps, r.Position, r.AsOf)
		}
		for _, line := range r.ByAthlete {
			if line.Athlete != "ana" || !cmp.Equal(line.Tally, r.of(line.Rule)) {
				t.Errorf("%s: of the only athlete %+v", c.why, line)
			}
		}
	}
}

func TestExamplesSayWhatDiffers(t *testing.T) {
	r := slowing().run(t, Question{Rules: []byte(`{"velocity-loss":{"deadlift_advice_pct":12,"deadlift_warning_pct":16}}`)})
	var told []string
	for _, e := range r.Examples {
		if e.Rule != analysis.VelocityLoss {
			continue
		}
		line := fmt.Sprintf("%s %s %s", e.Kind, e.Athlete, e.Window.From.Format(time.DateOnly))
		for _, s := range []*Said{e.Fired, e.Would, e.Logged} {
			if s != nil {
				line += fmt.Sprintf(" %s %.0f/%.0f", s.Severity, s.Evidence.Value, s.Evidence.Threshold)
			}
		}
		told = append(told, line)
	}
	if diff := cmp.Diff([]string{
		"added ana 2026-09-11 advice 13/12",
		"changed ana 2026-09-07 advice 16/15 warning 16/16",
		"missing ana 2026-09-09 warning 22/20",
		"missing ana 2026-09-07 advice 16/15",
	}, told); diff != "" {
		t.Error(diff)
	}
}

func TestOfEachKindOnlyTheNewestExamplesAreKept(t *testing.T) {
	g := newGym()
	for day := range 20 {
		g.set("ana", "deadlift", monday.AddDate(0, 0, 2*day), 100, 0.50, 0.50, 0.39, 0.39)
	}
	r := g.run(t, Question{})
	var days []string
	for _, e := range r.Examples {
		if e.Rule == analysis.VelocityLoss {
			days = append(days, e.Window.From.Format(time.DateOnly))
		}
	}
	if diff := cmp.Diff([]string{"2026-10-15", "2026-10-13", "2026-10-11", "2026-10-09", "2026-10-07"}, days); diff != "" {
		t.Error(diff)
	}
}

// The log may hold what the data does not support any more, and lack what is still
// to be judged; what was retracted does not count.
func TestWhatFiredIsHeldAgainstTheLog(t *testing.T) {
	g := slowing()
	found := analysis.Judge(analysis.History{Site: "main", Athlete: "ana", Reps: g.of("ana").Reps}, analysis.Settings{}, monday.AddDate(0, 0, 7))
	var known []lift.Finding
	for _, f := range found {
		if f.Rule == analysis.VelocityLoss {
			known = append(known, f)
		}
	}
	alert := func(state lift.AlertState, f lift.Finding, id string) {
		f.ID = id
		g.of("ana").Alerts = append(g.of("ana").Alerts, lift.Alert{Finding: f, State: state})
	}
	alert(lift.AlertExpired, known[1], known[1].ID)
	alert(lift.AlertOpen, known[0], "al_of_a_rep_that_was_deleted")
	alert(lift.AlertRetracted, known[0], "al_retracted")
	r := g.run(t, Question{})
	if got := r.of(analysis.VelocityLoss); got.Logged != 2 || got.Unsupported != 1 || got.Missing != 1 {
		t.Errorf("%+v", got)
	}
	r = g.run(t, Question{From: known[0].Window.From.Add(time.Second)})
	if got := r.of(analysis.VelocityLoss); got.Logged != 1 || got.Unsupported != 0 || got.Missing != 0 {
		t.Errorf("from later on: %+v", got)
	}
}

func TestAWindowCountsWhereItBegins(t *testing.T) {
	g := slowing()
	second := monday.AddDate(0, 0, 2)
	for _, c := range []struct {
		why      string
		from, to time.Time
		want     int
	}{
		{"no bounds", time.Time{}, time.Time{}, 2},
		{"from the second", second, time.Time{}, 1},
		{"from just after the second", second.Add(time.Nanosecond), time.Time{}, 0},
		{"before the second", time.Time{}, second, 1},
		{"up to and with the second", time.Time{}, second.Add(time.Nanosecond), 2},
		{"just the second", second, second.Add(time.Nanosecond), 1},
	} {
		r := g.run(t, Question{From: c.from, To: c.to})
		if got := r.of(analysis.VelocityLoss).Fired.Total; got != c.want {
			t.Errorf("%s: %d, want %d", c.why, got, c.want)
		}
	}
}

// training is a gym of lifters who train for some weeks with growing loads and now
// and then with pain.
func training(lifters, weeks int) *gym {
	g := newGym()
	for n := range lifters {
		random := rand.New(rand.NewPCG(7, uint64(n)))
		id := lift.AthleteID(fmt.Sprintf("athlete-%02d", n))
		for week := range weeks {
			for day := range 3 {
				at := monday.AddDate(0, 0, 7*week+2*day)
				exercise := []lift.ExerciseID{"deadlift", "squat", "deadlift"}[day]
				kg := 80 + 2.5*float64(random.IntN(8))
				for set := range 2 + random.IntN(4) {
					begin := at.Add(time.Duration(set) * 4 * time.Minute)
					v := 0.55 + 0.05*random.Float64()
					loss := 0.03 * random.Float64()
					g.set(id, exercise, begin, kg, v, v-0.5*loss, v-loss, v-2*loss, v-3*loss)
				}
				if random.IntN(2) == 0 {
					g.pain(id, at.Add(time.Hour), lift.PhaseAfter, random.IntN(8))
				}
				g.pain(id, at.Add(14*time.Hour), lift.PhaseDaily, random.IntN(5))
			}
		}
	}
	return g
}

const otherLimits = `{"weekly-volume":{"advice_pct":25},"velocity-loss":{"deadlift_advice_pct":10,"deadlift_warning_pct":12},"pain-zone":{"amber":4}}`

func TestInParallelTheAnswerIsTheSame(t *testing.T) {
	g := training(12, 8)
	o := Options{Question: Question{Rules: []byte(otherLimits)}, View: g, Settings: standard, Workers: 1}
	serial, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	total := Tally{}
	for i := range serial.Rules {
		total.plus(&serial.Rules[i])
	}
	if total.Kept < 50 || total.Added < 20 || total.Gone < 10 || len(serial.ByAthlete) < 24 {
		t.Fatalf("too little to compare: %+v", total)
	}
	for range 5 {
		o.Workers = 8
		parallel, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(serial, parallel); diff != "" {
			t.Fatal(diff)
		}
	}
}

// What is found in a stretch does not depend on what was read before it: stretches
// add up to the whole.
func TestStretchesAddUpToTheWhole(t *testing.T) {
	g := training(6, 30)
	rules := []byte(otherLimits)
	whole := g.run(t, Question{Rules: rules})
	sum := map[lift.Rule]*Tally{}
	cuts := []time.Time{{}, monday.AddDate(0, 0, 64), monday.AddDate(0, 0, 101), monday.AddDate(0, 0, 133), monday.AddDate(0, 0, 180), {}}
	for i := 1; i < len(cuts); i++ {
		part := g.run(t, Question{From: cuts[i-1], To: cuts[i], Rules: rules})
		for _, tally := range part.Rules {
			if sum[tally.Rule] == nil {
				sum[tally.Rule] = &Tally{Rule: tally.Rule}
			}
			sum[tally.Rule].plus(&tally)
		}
	}
	for _, tally := range whole.Rules {
		if diff := cmp.Diff(tally, *sum[tally.Rule]); diff != "" {
			t.Errorf("%s:\n%s", tally.Rule, diff)
		}
	}
}

// What the view gets to know one day, and the rules look at, must not be forgotten
// here.
func TestTheRulesSeeAllThatTheViewKnows(t *testing.T) {
	var h view.History
	known := reflect.ValueOf(&h).Elem()
	for _, f := range known.Fields() {
		if f.Kind() == reflect.Slice {
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
	}
	seen := reflect.ValueOf(historyOf("ana", &h))
	for field, v := range seen.Fields() {
		if f := known.FieldByName(field.Name); f.IsValid() && f.Kind() == reflect.Slice && v.Len() != 1 {
			t.Errorf("the rules do not see the %s", field.Name)
		}
	}
}

func TestAPlanIsSeen(t *testing.T) {
	g := slowing()
	g.of("ana").Plan = []lift.PlanStep{{Verb: lift.PlanHold, At: monday.Add(-time.Hour), By: "coach"}}
	r := g.run(t, Question{})
	if got := r.of(analysis.Hold); got.Fired.Total == 0 {
		t.Error("heavy deadlifts under a hold are nothing")
	}
}

func TestLimitsOfAnAthleteAreThoseInForce(t *testing.T) {
	g := slowing()
	g.set("ben", "deadlift", monday, 100, 0.50, 0.50, 0.42, 0.42)
	o := Options{View: g, Settings: func(id lift.AthleteID) analysis.Settings {
		var s analysis.Settings
		if id == "ben" {
			s.Limits = analysis.DefaultLimits()
			s.Limits.VelocityLoss.DeadliftAdvicePct = 18
		}
		return s
	}}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.of(analysis.VelocityLoss); got.Fired.Total != 2 {
		t.Errorf("ben's own limit does not hold: %+v", got)
	}
	o.Rules = []byte(`{"velocity-loss":{"deadlift_warning_pct":17}}`)
	if _, err = Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "velocity-loss.deadlift_advice_pct: must not be above deadlift_warning_pct") {
		t.Errorf("limits that contradict ben's own: %v", err)
	}
}

// What is asked about holds at all times; what is not changes as a coach changed it.
func TestLimitsAreTriedAtAllTimes(t *testing.T) {
	g := slowing()
	next := monday.AddDate(0, 0, 1)
	g.set("ana", "deadlift", next, 100, 0.50, 0.50, 0.41, 0.41) // 18 %
	later := analysis.DefaultLimits()
	later.VelocityLoss.DeadliftAdvicePct = 19
	o := Options{View: g, Settings: func(lift.AthleteID) analysis.Settings {
		return analysis.Settings{Later: []analysis.Terms{{From: next, Limits: later}, {From: next.AddDate(0, 0, 7)}}}
	}, Question: Question{From: next, To: next.AddDate(0, 0, 1)}}
	for rules, want := range map[string]int{
		``:                           0,
		`{"grind":{"margin_mps":0}}`: 0,
		`{"velocity-loss":{"deadlift_advice_pct":17}}`: 1,
	} {
		o.Rules = []byte(rules)
		r, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.of(analysis.VelocityLoss); got.Fired.Total != 0 || got.Would.Total != want {
			t.Errorf("%s: %+v, want %d", rules, got, want)
		}
	}
}

func TestACancelledBacktestStops(t *testing.T) {
	g := training(40, 2)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Options{View: g, Settings: standard, Workers: 2, Progress: func(done, total int) {
		if total != 40 {
			t.Errorf("%d of %d", done, total)
		}
		if done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if g.read > 10 {
		t.Errorf("%d histories were read", g.read)
	}
}

func TestOnlyASitesAthletesAreJudgedWhereItIsAskedFor(t *testing.T) {
	g := newGym()
	for _, athlete := range []lift.AthleteID{"a1", "a2", "a3"} {
		g.set(athlete, "deadlift", monday, 120, 0.6, 0.4)
	}
	for site, athletes := range map[lift.SiteID]int{"odd": 2, "even": 1, "": 3, "elsewhere": 0} {
		if got := g.run(t, Question{Site: site}).Athletes; got != athletes {
			t.Errorf("%d athletes are judged at %q, want %d", got, site, athletes)
		}
	}
}

func TestProgressIsToldAthleteByAthlete(t *testing.T) {
	g := training(9, 2)
	var told []int
	if _, err := Run(t.Context(), Options{View: g, Settings: standard, Workers: 4, Progress: func(done, _ int) { told = append(told, done) }}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}, told); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeReadOrAskedIsToldSo(t *testing.T) {
	g := slowing()
	g.fail = errors.New("disk on fire")
	if _, err := Run(t.Context(), Options{View: g, Settings: standard}); !errors.Is(err, g.fail) {
		t.Errorf("error %v", err)
	}
	for _, c := range []struct {
		q     Question
		field string
	}{
		{Question{From: monday, To: monday}, "from"},
		{Question{From: monday, To: monday.Add(-1)}, "from"},
		{Question{Rules: []byte(`{"grinds":{}}`)}, "grinds"},
		{Question{Rules: []byte(`{"grind":{"margin_mps":-1}}`)}, "grind.margin_mps"},
	} {
		_, err := Run(t.Context(), Options{Question: c.q, View: g, Settings: standard})
		if field, ok := errors.AsType[*lift.FieldError](err); !ok || field.Field != c.field {
			t.Errorf("%+v: error %v", c.q, err)
		}
	}
}

func TestAGymWithoutLiftersHasAnEmptyAnswer(t *testing.T) {
	r := newGym().run(t, Question{})
	if r.Athletes != 0 || len(r.Rules) != len(analysis.Rules()) || r.Examples == nil {
		t.Errorf("%+v", r)
	}
}

// Whatever is allowed as a limit, the rules can be judged under it.
func TestAnyLimitThatIsAllowedCanBeTried(t *testing.T) {
	g := training(2, 12)
	for _, exercise := range []lift.ExerciseID{"romanian_deadlift", "hip_thrust"} {
		g.set("athlete-00", exercise, monday.AddDate(0, 0, 85), 60, 0.6, 0.6, 0.5)
	}
	g.of("athlete-00").Plan = []lift.PlanStep{
		{Verb: lift.PlanHold, At: monday.AddDate(0, 0, 10), By: "coach"},
		{Verb: lift.PlanRelease, At: monday.AddDate(0, 0, 20), By: "coach"},
		{Verb: lift.PlanStart, At: monday.AddDate(0, 0, 21), By: "coach"},
	}
	rapid.Check(t, func(t *rapid.T) {
		limits := analysis.DefaultLimits()
		for _, spec := range analysis.LimitSpecs() {
			if !rapid.Bool().Draw(t, "set") {
				continue
			}
			one := func() float64 {
				v := rapid.SampledFrom([]float64{spec.Least, spec.Most, rapid.Float64Range(spec.Least, spec.Most).Draw(t, "within")}).Draw(t, spec.Name)
				if spec.Whole {
					v = float64(int(v))
				}
				return v
			}
			var value any = one()
			if spec.Count > 1 {
				value = []float64{one(), one(), one()}
			}
			patch, err := json.Marshal(map[lift.Rule]map[string]any{spec.Rule: {spec.Name: value}})
			if err != nil {
				t.Fatal(err)
			}
			if next, err := analysis.MergeLimits(limits, patch); err == nil { // else it contradicts another
				limits = next
			}
		}
		rules, err := json.Marshal(&limits)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), Options{Question: Question{Rules: rules}, View: g, Settings: standard, Workers: 1}); err != nil {
			t.Fatalf("%s: %v", rules, err)
		}
	})
}
