package sim

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

// A Sunday evening: the present week is almost over.
var sunday = time.Date(2026, 11, 22, 21, 3, 0, 0, time.UTC)

func newGym(t *testing.T, seed uint64, start time.Time) *Gym {
	t.Helper()
	g, err := NewGym(GymOptions{Seed: seed, Site: "main", Athletes: 12, Racks: 4, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// received is what a receiver makes of messages.
type received struct {
	reps     []lift.Rep
	checkIns map[lift.AthleteID][]lift.CheckIn
	refused  int
}

// receive decodes and validates every message as the contract says, dropping
// repeated reps by identity.
func receive(messages []Message, now time.Time) received {
	got := received{checkIns: map[lift.AthleteID][]lift.CheckIn{}}
	type identity struct {
		topic, boot string
		seq         int64
	}
	seen := map[identity]bool{}
	for _, m := range messages {
		if strings.HasSuffix(m.Topic, "/checkin") {
			var c lift.CheckIn
			if json.Unmarshal(m.Payload, &c) != nil || c.Validate(now) != nil {
				got.refused++
				continue
			}
			id := lift.AthleteID(strings.Split(m.Topic, "/")[4])
			got.checkIns[id] = append(got.checkIns[id], c)
			continue
		}
		var reps []lift.Rep
		if bytes.HasPrefix(m.Payload, []byte("[")) {
			if json.Unmarshal(m.Payload, &reps) != nil {
				got.refused++
				continue
			}
		} else {
			var rep lift.Rep
			if json.Unmarshal(m.Payload, &rep) != nil {
				got.refused++
				continue
			}
			reps = []lift.Rep{rep}
		}
		for _, rep := range reps {
			if rep.Validate(now) != nil {
				got.refused++
				continue
			}
			if id := (identity{m.Topic, rep.BootID, rep.Seq}); !seen[id] {
				seen[id] = true
				got.reps = append(got.reps, rep)
			}
		}
	}
	slices.SortStableFunc(got.reps, func(a, b lift.Rep) int { return a.Time.Compare(b.Time) })
	return got
}

// volume is one lifter's work in one week and exercise.
type volume struct{ kg, sets, reps float64 }

// weeks sums the work reps by Monday, worked out apart from the generator.
func (r received) weeks(athlete lift.AthleteID, exercise lift.ExerciseID) map[string]volume {
	out := map[string]volume{}
	sets := map[string]bool{}
	for _, rep := range r.reps {
		if rep.Athlete != athlete || rep.Exercise != exercise || rep.Warmup {
			continue
		}
		day := rep.Time.Truncate(24 * time.Hour)
		for day.Weekday() != time.Monday {
			day = day.AddDate(0, 0, -1)
		}
		week := day.Format(time.DateOnly)
		v := out[week]
		v.kg += *rep.LoadKg
		v.reps++
		if key := rep.Time.Format(time.DateOnly) + string(rune(*rep.Set)); !sets[key] {
			sets[key] = true
			v.sets++
		}
		out[week] = v
	}
	return out
}

// increase is the week's change against the greater of the last and the mean of
// the last four usable weeks before it; deloads (under 70 % of the mean of the three
// usable weeks before) are not usable. It also tells how many usable weeks there were.
func increase(weeks map[string]volume, week string, metric func(volume) float64) (share, over float64, usable int) {
	labels := make([]string, 0, len(weeks))
	for w := range weeks {
		labels = append(labels, w)
	}
	slices.Sort(labels)
	mean := func(v []float64) float64 {
		var sum float64
		for _, x := range v {
			sum += x
		}
		return sum / float64(len(v))
	}
	var base []float64
	for _, w := range labels {
		if w >= week {
			break
		}
		v := metric(weeks[w])
		if len(base) >= 2 && v <= 0.7*mean(base[max(0, len(base)-3):]) {
			continue
		}
		base = append(base, v)
	}
	if len(base) == 0 {
		return 0, 0, 0
	}
	b := max(base[len(base)-1], mean(base[max(0, len(base)-4):]))
	v := metric(weeks[week])
	return v/b - 1, v - b, len(base)
}

var metrics = map[string]func(volume) float64{
	"kg":   func(v volume) float64 { return v.kg },
	"sets": func(v volume) float64 { return v.sets },
	"reps": func(v volume) float64 { return v.reps },
}

// losses returns, by set, the velocity loss of each rep against the fastest so far.
func (r received) losses() map[string][]float64 {
	out, fastest := map[string][]float64{}, map[string]float64{}
	for _, rep := range r.reps {
		key := strings.Join([]string{string(rep.Athlete), string(rep.Exercise), rep.Time.Format(time.DateOnly), string(rune(*rep.Set))}, "|")
		fastest[key] = max(fastest[key], rep.MeanVelocity)
		out[key] = append(out[key], 1-rep.MeanVelocity/fastest[key])
	}
	return out
}

func sameMessage(a, b Message) bool {
	return a.Topic == b.Topic && bytes.Equal(a.Payload, b.Payload) && a.QoS == b.QoS && a.Retain == b.Retain && a.At.Equal(b.At)
}

func TestSameSeedGivesTheSameBytes(t *testing.T) {
	a, truthsA := newGym(t, 7, sunday).History(8)
	b, truthsB := newGym(t, 7, sunday).History(8)
	if !slices.EqualFunc(a, b, sameMessage) {
		t.Error("the messages differ")
	}
	if d := cmp.Diff(truthsA, truthsB); d != "" {
		t.Error(d)
	}
	other, _ := newGym(t, 8, sunday).History(8)
	if slices.EqualFunc(a, other, sameMessage) {
		t.Error("another seed gives the same history")
	}
}

func TestEveryRepOfAHistoryIsPlausible(t *testing.T) {
	for _, l := range Roster(3, 30) {
		messages, _ := History(l, Past{Site: "main", Device: "rack-1", From: sunday.AddDate(0, 0, -56), To: sunday})
		got := receive(messages, sunday)
		if got.refused > 0 || len(got.reps) < 1000 {
			t.Fatalf("%s: %d refused, %d reps", l.ID, got.refused, len(got.reps))
		}
		if !slices.IsSortedFunc(messages, func(a, b Message) int { return a.At.Compare(b.At) }) {
			t.Errorf("%s: messages are not ordered by time", l.ID)
		}
		for _, rep := range got.reps {
			if off := math.Abs(rep.MeanVelocity - *rep.ROM / *rep.Concentric); off > 0.01*rep.MeanVelocity {
				t.Fatalf("%s: %v m/s but %v m in %v s", l.ID, rep.MeanVelocity, *rep.ROM, *rep.Concentric)
			}
			if !rep.Historical || rep.Time.After(sunday) || *rep.MeanPropulsiveVelocity < rep.MeanVelocity {
				t.Fatalf("%s: %+v", l.ID, rep)
			}
		}
	}
}

func TestVelocityFollowsThePublishedTables(t *testing.T) {
	for _, c := range []struct {
		exercise lift.ExerciseID
		share    float64
		want     float64
	}{
		{Deadlift, 1, 0.310}, {Deadlift, 0.8, 0.560}, {Deadlift, 0.5, 0.934},
		{Squat, 1, 0.323}, {Squat, 0.8, 0.662}, {Squat, 0.5, 1.097},
		{Bench, 1, 0.171}, {Bench, 0.8, 0.465}, {Bench, 0.5, 0.952},
	} {
		if got := VelocityAt(c.exercise, c.share); math.Abs(got-c.want) > 0.001 {
			t.Errorf("%s at %g: %.3f m/s, want %.3f", c.exercise, c.share, got, c.want)
		}
	}
}

func TestOnlyThoseWithACauseGiveOne(t *testing.T) {
	for seed := range uint64(4) {
		for _, l := range Roster(seed, 16) {
			messages, truths := History(l, Past{Site: "main", Device: "rack-1", From: sunday.AddDate(0, 0, -62), To: sunday})
			got := receive(messages, sunday)
			kinds := map[Kind]int{}
			for _, truth := range truths {
				kinds[truth.Kind]++
			}
			want := map[Kind]int{}
			if l.Cause != "" {
				want[l.Cause] = 1
			}
			if d := cmp.Diff(want, kinds); d != "" {
				t.Fatalf("seed %d %s: truths (-want +got):\n%s", seed, l.ID, d)
			}

			for _, exercise := range []lift.ExerciseID{Deadlift, Squat, Bench} {
				weeks := got.weeks(l.ID, exercise)
				for week := range weeks {
					for name, metric := range metrics {
						share, over, usable := increase(weeks, week, metric)
						w := weeks[week]
						oneSet := volume{kg: w.kg / w.sets, sets: 1, reps: w.reps / w.sets}
						if usable < 2 || share <= 0.10 || over < metric(oneSet) {
							continue
						}
						if exercise != Deadlift || l.Cause != VolumeSpike && l.Cause != VolumeEdge || week != truths[0].From.Format(time.DateOnly) {
							t.Errorf("seed %d %s: %s %s of %s up %.0f %% without cause", seed, l.ID, exercise, name, week, 100*share)
						}
					}
				}
				if exercise != Deadlift || l.Cause != VolumeSpike && l.Cause != VolumeEdge {
					continue
				}
				share, _, usable := increase(weeks, truths[0].From.Format(time.DateOnly), metrics["kg"])
				if l.Cause == VolumeSpike && (share < 0.4 || usable < 4) {
					t.Errorf("seed %d: the spike is %+.0f %% over %d weeks", seed, 100*share, usable)
				}
				if l.Cause == VolumeEdge && (share < 0.20 || share > 0.30 || usable < 4) {
					t.Errorf("seed %d: the edge is %+.0f %% over %d weeks", seed, 100*share, usable)
				}
			}

			slow := 0
			for key, loss := range got.losses() {
				last := len(loss) - 1
				if last >= 2 && (loss[last] >= 0.20 || loss[last] >= 0.15 && loss[last-1] >= 0.15) {
					slow++
					if loss[last-1] < 0.20 || l.Cause != Slowdown {
						t.Errorf("seed %d: %s loses %.3f", seed, key, loss)
					}
				}
			}
			if want := kinds[Slowdown]; slow != want {
				t.Errorf("seed %d %s: %d sets slow down, want %d", seed, l.ID, slow, want)
			}

			pain, flags := 0, 0
			for _, c := range got.checkIns[l.ID] {
				if c.Pain != nil && *c.Pain > 2 {
					pain++
					if *c.Pain < 6 || *c.Pain > 7 || c.Phase != lift.PhaseAfter || !c.Time.Equal(truths[0].From) {
						t.Errorf("%s: %+v", l.ID, c)
					}
				}
				flags += len(c.Symptoms)
			}
			if pain != kinds[Pain] || flags != kinds[RedFlag] {
				t.Errorf("seed %d %s: %d times pain, %d red flags", seed, l.ID, pain, flags)
			}
		}
	}
}

func TestAGymsHistoryHoldsFaults(t *testing.T) {
	messages, truths := newGym(t, 1, sunday).History(8)
	kinds := map[Kind]int{}
	for _, truth := range truths {
		kinds[truth.Kind]++
	}
	bad := len(MalformedMessages("main", "rack-4", "x", sunday))
	if d := cmp.Diff(map[Kind]int{VolumeSpike: 1, VolumeEdge: 1, Duplicate: 1, Late: 1, Malformed: bad}, kinds); d != "" {
		t.Error(d)
	}
	if got := receive(messages, sunday); got.refused != bad {
		t.Errorf("%d messages are refused, want %d", got.refused, bad)
	}
	repeated, late := 0, 0
	for i := 1; i < len(messages); i++ {
		if sameMessage(messages[i-1], messages[i]) {
			repeated++
		}
		if messages[i-1].At.Sub(messages[i].At) > 3*time.Minute {
			late++
		}
	}
	if repeated != 1 || late != 1 {
		t.Errorf("%d repeated, %d late", repeated, late)
	}
}

func TestMalformedMessagesAreRefusedForTheirField(t *testing.T) {
	for _, b := range MalformedMessages("main", "rack-4", "x", sunday) {
		var err error
		if strings.HasSuffix(b.Message.Topic, "/checkin") {
			var c lift.CheckIn
			if err = json.Unmarshal(b.Message.Payload, &c); err == nil {
				err = c.Validate(sunday)
			}
		} else {
			var rep lift.Rep
			if err = json.Unmarshal(b.Message.Payload, &rep); err == nil {
				err = rep.Validate(sunday)
			}
		}
		if err == nil || !strings.Contains(err.Error(), b.Field) {
			t.Errorf("%s: %v, want an error that names %q", b.Name, err, b.Field)
		}
	}
}
