package exercise

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/lift"
)

// TestStandardNamesOneExerciseEach would fail through Standard's panic; it also asks
// for each name in both ways.
func TestStandardNamesOneExerciseEach(t *testing.T) {
	c := Standard()
	all := c.All()
	if len(all) < 250 {
		t.Fatalf("only %d exercises", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b lift.Exercise) int { return strings.Compare(string(a.ID), string(b.ID)) }) {
		t.Error("All is not in order of id")
	}
	for _, e := range all {
		for _, name := range append([]string{string(e.ID), e.Name}, e.Aliases...) {
			if got, ok := c.Match(name); !ok || got.ID != e.ID {
				t.Errorf("Match(%q) is %q, %t; want %s", name, got.ID, ok, e.ID)
			}
			if lift.CheckID("", name) == nil {
				if got, ok := c.Get(lift.ExerciseID(name)); !ok || got.ID != e.ID {
					t.Errorf("Get(%q) is %q, %t; want %s", name, got.ID, ok, e.ID)
				}
			}
		}
	}
}

func TestFilesNamesMatch(t *testing.T) {
	c := Standard()
	for _, of := range []struct {
		id    lift.ExerciseID
		names []string
	}{
		{"deadlift", []string{"Deadlift (Barbell)", "Barbell Deadlift", "DL", "dead-lift", "Deadlifts", "deadlift, conventional", "Conventional Deadlift"}},
		{"romanian_deadlift", []string{"Romanian Deadlift (Barbell)", "RDL", "Barbell Romanian Deadlift", "RDLs"}},
		{"dumbbell_romanian_deadlift", []string{"Romanian Deadlift (Dumbbell)", "DB RDL"}},
		{"single_leg_romanian_deadlift", []string{"Single-Leg RDL", "Single Leg Deadlift"}},
		{"trap_bar_deadlift", []string{"Hex Bar DL", "Trap Bar Deadlift", "Deadlift (Trap Bar)"}},
		{"sumo_deadlift", []string{"Sumo Deadlift (Barbell)", "Sumo"}},
		{"stiff_leg_deadlift", []string{"Stiff Leg Deadlift (Barbell)", "Straight Leg Deadlift", "SLDL"}},
		{"squat", []string{"Squat (Barbell)", "Back Squat", "squat"}},
		{"low_bar_squat", []string{"squat (low bar)", "Low Bar Squat"}},
		{"bench_press", []string{"bench ", "Bench Press (Barbell)", "Bench Press", "BP"}},
		{"close_grip_bench_press", []string{"Bench Press - Close Grip (Barbell)"}},
		{"barbell_row", []string{"Bent Over Row (Barbell)", "row", "Barbell Row"}},
		{"overhead_press", []string{"Overhead Press (Barbell)", "OHP", "press"}},
		{"clean_and_jerk", []string{"Clean & Jerk", "Clean and Jerk (Barbell)"}},
		{"kettlebell_swing", []string{"Kettlebell Swings", "KB swing"}},
		{"pallof_press", []string{"Pallof presses", "Pallof Press (Band)"}},
		{"nordic_lower", []string{"Nordic lowers", "Nordic Hamstring Curl"}},
		{"cat_cow", []string{"cat-cow", "Cat Cow"}},
		{"banded_lateral_walk", []string{"Banded lateral walks"}},
		{"thoracic_rotation", []string{"thoracic rotations"}},
		{"hip_thrust", []string{"Hip Thrust (Barbell)", "hip thrusts"}},
		{"plank", []string{"Planks"}},
		{"walking", []string{"walking", "Walk"}},
		{"cycling", []string{"cycling", "Stationary bike"}},
	} {
		for _, name := range of.names {
			if got, ok := c.Match(name); !ok || got.ID != of.id {
				t.Errorf("Match(%q) is %q, %t; want %s", name, got.ID, ok, of.id)
			}
		}
	}
}

// TestColumnsOfALogMatch: a log may keep equipment and variant beside the name. What
// is done with dumbbells or on a machine is never the barbell's lift.
func TestColumnsOfALogMatch(t *testing.T) {
	c := Standard()
	for _, row := range []struct {
		name, equipment, variant string
		want                     lift.ExerciseID // "" unknown
	}{
		{"squat", "barbell", "low bar", "low_bar_squat"},
		{"squat", "barbell", "high bar", "high_bar_squat"},
		{"squat", "barbell", "", "squat"},
		{"squat", "", "", "squat"},
		{"squat", "safety bar", "conventional", "safety_bar_squat"},
		{"squat", "machine", "low bar", ""},
		{"deadlift", "barbell", "conventional", "deadlift"},
		{"Deadlift", "Barbell", "2-inch deficit", "deficit_deadlift"},
		{"deadlift", "barbell", "sumo", "sumo_deadlift"},
		{"deadlift", "trap bar", "", "trap_bar_deadlift"},
		{"deadlift", "machine", "conventional", "machine_deadlift"},
		{"bench", "barbell", "flat", "bench_press"},
		{"bench", "barbell", "close grip", "close_grip_bench_press"},
		{"bench", "barbell", "incline", "incline_bench_press"},
		{"bench", "dumbbell", "incline", "dumbbell_incline_bench_press"},
		{"bench", "dumbbell", "30-degree", ""},
		{"bench", "machine", "flat", ""},
		{"press", "barbell", "overhead", "overhead_press"},
		{"press", "dumbbell", "overhead", "dumbbell_overhead_press"},
		{"press", "machine", "80-degree", ""},
		{"row", "barbell", "pendlay", "pendlay_row"},
		{"row", "machine", "supported", "supported_machine_row"},
		{"row", "dumbbell", "kroc", "dumbbell_row"},
		{"row", "machine", "split handle", ""},
		{"clean", "barbell", "power", "power_clean"},
		{"shrug", "hex bar", "standard", "trap_bar_shrug"},
		{"rack pull", "barbell", "5-hole", ""},
		{"", "barbell", "", ""},
		{"", "", "deadlift", ""},
	} {
		got, ok := c.MatchColumns(row.name, row.equipment, row.variant)
		if got.ID != row.want || ok != (row.want != "") {
			t.Errorf("%s, %s, %s is %q, %t; want %q", row.name, row.equipment, row.variant, got.ID, ok, row.want)
		}
	}
}

func TestAnUnknownNameIsNeverGuessed(t *testing.T) {
	c := Standard()
	for _, name := range []string{"", "  ", "()", "s", "es", "deadlif", "deadlift 2", "squat2", "leg day", "Deadlift (Someone's)", "my deadlift", "Rest Timer", "ROW/INDOOR_ROW"} {
		if got, ok := c.Match(name); ok {
			t.Errorf("Match(%q) is %s", name, got.ID)
		}
	}
	for _, id := range []lift.ExerciseID{"", "-", "deadlifts", "dead-lift-x"} {
		if got, ok := c.Get(id); ok {
			t.Errorf("Get(%q) is %s", id, got.ID)
		}
	}
}

// TestMatchDoesNotCareHowANameIsWritten disguises known names.
func TestMatchDoesNotCareHowANameIsWritten(t *testing.T) {
	c := Standard()
	names := map[string]lift.ExerciseID{}
	for _, e := range c.All() {
		for _, name := range append([]string{string(e.ID), e.Name}, e.Aliases...) {
			names[name] = e.ID
		}
	}
	known := slices.Sorted(maps.Keys(names))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(known).Draw(t, "name")
		var disguised strings.Builder
		for _, r := range name {
			if rapid.Bool().Draw(t, "upper") {
				r = unicode.ToUpper(r)
			} else {
				r = unicode.ToLower(r)
			}
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				r = rapid.SampledFrom([]rune(" -_./,()\t")).Draw(t, "for punctuation")
			}
			disguised.WriteRune(r)
			disguised.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "-", "'"}).Draw(t, "between"))
		}
		if got, ok := c.Match(disguised.String()); !ok || got.ID != names[name] {
			t.Fatalf("Match(%q) is %q, %t; want %s", disguised.String(), got.ID, ok, names[name])
		}
	})
}

func TestGetTakesHyphensForUnderscores(t *testing.T) {
	c := Standard()
	for id, want := range map[lift.ExerciseID]lift.ExerciseID{
		"deadlift": "deadlift", "conventional-deadlift": "deadlift", "conventional_deadlift": "deadlift",
		"deadlift-barbell": "deadlift", "trap-bar_deadlift": "trap_bar_deadlift", "rdl": "romanian_deadlift",
	} {
		if got, ok := c.Get(id); !ok || got.ID != want {
			t.Errorf("Get(%s) is %q, %t; want %s", id, got.ID, ok, want)
		}
	}
}

func TestGetOfAKnownIDAllocatesNothing(t *testing.T) {
	c := Standard()
	if n := testing.AllocsPerRun(100, func() { c.Get("deadlift") }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// TestFamiliesKeepTheirMembers: volumes that are stored and shown count by these.
func TestFamiliesKeepTheirMembers(t *testing.T) {
	c := Standard()
	for group, ids := range map[string]string{
		"deadlift_family": `deadlift conventional_deadlift deadlift_conventional sumo sumo_deadlift deadlift_sumo trap_bar trap_bar_deadlift
			deadlift_trap_bar hex_bar hex_bar_deadlift deadlift_hex_bar deficit_deadlift deadlift_deficit block_pull block_deadlift deadlift_block
			rack_pull rack_deadlift deadlift_rack paused_deadlift snatch_grip_deadlift rdl romanian romanian_deadlift deadlift_romanian
			stiff_leg stiff_leg_deadlift stiff_legged_deadlift deadlift_stiff_leg`,
		"squat_family":          "squat back_squat high_bar_squat low_bar_squat front_squat box_squat paused_squat safety_bar_squat",
		"bench_family":          "bench bench_press close_grip_bench_press incline_bench_press paused_bench_press floor_press",
		"overhead_press_family": "overhead_press ohp military_press seated_military_press push_press",
		"row_family":            "row barbell_row bent_over_row pendlay_row bench_pull prone_bench_pull seated_row",
		"hip_thrust_family":     "hip_thrust barbell_hip_thrust glute_bridge",
		"clean_family":          "power_clean clean hang_clean",
		"snatch_family":         "snatch power_snatch",
		"good_morning":          "good_morning",
	} {
		for id := range strings.FieldsSeq(ids) {
			if got, ok := c.Get(lift.ExerciseID(id)); !ok || got.Group != group {
				t.Errorf("%s is in %q, %t; want %s", id, got.Group, ok, group)
			}
		}
	}
}

// TestVelocitiesHaveASource: the published ones belong to exactly these lifts; the
// line of the conventional deadlift is no line of another.
func TestVelocitiesHaveASource(t *testing.T) {
	velocities, slopes := map[lift.ExerciseID]float64{}, map[lift.ExerciseID]float64{}
	for _, e := range Standard().All() {
		if e.MinVelocity != nil {
			velocities[e.ID] = *e.MinVelocity
		}
		if e.Slope != nil {
			slopes[e.ID] = *e.Slope
		}
	}
	if diff := cmp.Diff(map[lift.ExerciseID]float64{
		"deadlift": 0.15, "squat": 0.30, "high_bar_squat": 0.30, "low_bar_squat": 0.30, "bench_press": 0.17, "military_press": 0.19,
		"seated_military_press": 0.19, "prone_bench_pull": 0.50, "seated_row": 0.40, "hip_thrust": 0.25, "pull_up": 0.23,
		"lat_pulldown": 0.47, "leg_press": 0.21,
	}, velocities); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[lift.ExerciseID]float64{"deadlift": 80.2}, slopes); diff != "" {
		t.Error(diff)
	}
}

// TestPosteriorChainAccessories: pulling heavy from the floor is what the accessory
// work is there to support.
func TestPosteriorChainAccessories(t *testing.T) {
	c := Standard()
	for id, want := range map[lift.ExerciseID]bool{
		"romanian_deadlift": true, "single_leg_romanian_deadlift": true, "stiff_leg_deadlift": true, "good_morning": true, "hip_thrust": true,
		"glute_bridge": true, "back_extension": true, "reverse_hyperextension": true, "nordic_lower": true, "leg_curl": true,
		"kettlebell_swing": true, "glute_ham_raise": true, "banded_lateral_walk": true,
		"deadlift": false, "sumo_deadlift": false, "trap_bar_deadlift": false, "deficit_deadlift": false, "rack_pull": false,
		"squat": false, "lunge": false, "power_clean": false, "plank": false, "walking": false,
	} {
		if got, ok := c.Get(id); !ok || got.PosteriorChain != want {
			t.Errorf("%s: %t, known %t; want %t", id, got.PosteriorChain, ok, want)
		}
	}
}

func own(id lift.ExerciseID, change ...func(*lift.Exercise)) lift.Exercise {
	e := lift.Exercise{ID: id, Name: "Our " + string(id), Pattern: "hinge", SpinalLoad: "low"}
	for _, c := range change {
		c(&e)
	}
	return e
}

func TestASiteAddsItsOwn(t *testing.T) {
	before := Standard()
	added := own("plate-drag", func(e *lift.Exercise) { e.Aliases = []string{"Drag (Plate)"} })
	changed := own("deadlift", func(e *lift.Exercise) {
		e.Name, e.Group, e.MinVelocity, e.MinVelocitySource = "Deadlift", "pulls-here", new(0.2), "our own tests"
	})
	c, err := before.With([]lift.Exercise{added, changed})
	if err != nil {
		t.Fatal(err)
	}
	got, ok := c.Match("plate drag")
	if !ok || got.ID != "plate_drag" || got.Group != "plate_drag" {
		t.Errorf("the added one is %+v, %t", got, ok)
	}
	got, ok = c.Get("deadlift")
	if !ok || got.Group != "pulls_here" || *got.MinVelocity != 0.2 {
		t.Errorf("the changed one is %+v, %t", got, ok)
	}
	if _, ok := c.Get("conventional_deadlift"); ok {
		t.Error("an alias that the changed entry does not list is still known")
	}
	if len(c.All()) != len(before.All())+1 {
		t.Errorf("%d exercises, %d before", len(c.All()), len(before.All()))
	}
	if got, ok := before.Get("deadlift"); !ok || got.Group != "deadlift_family" || *got.MinVelocity != 0.15 {
		t.Errorf("With changed the catalogue it was called on: %+v", got)
	}
	added.Aliases[0], *changed.MinVelocity = "x", 1.9
	if got, _ := c.Get("deadlift"); *got.MinVelocity != 0.2 {
		t.Error("the catalogue shares memory with what it was given")
	}
	if got, ok := c.Get("drag_plate"); !ok || got.Aliases[0] != "Drag (Plate)" {
		t.Errorf("by its alias as an id it is %+v, %t", got, ok)
	}
}

func TestASitesMistakesAreNamed(t *testing.T) {
	for _, mistake := range []struct {
		own   []lift.Exercise
		field string
		want  string // in the whole text
	}{
		{[]lift.Exercise{own("")}, "id", "is missing"},
		{[]lift.Exercise{own("Drag")}, "id", "is not an id"},
		{[]lift.Exercise{own("drag"), own("drag", func(e *lift.Exercise) { e.Name = "Other" })}, "id", "twice"},
		{[]lift.Exercise{own("con-ventional_deadlift")}, "id", `"con_ventional_deadlift" names the exercise deadlift already`},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Name = "Barbell Deadlift" })}, "name", `exercise "drag": name: "Barbell Deadlift" names the exercise deadlift`},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Name = "?" })}, "name", "no letter"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Name = "a\x00" })}, "name", "cannot be shown"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Name = strings.Repeat("a", 101) })}, "name", "longer than 100"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Aliases = []string{"Drag", "D.L."} })}, "aliases[1]", "deadlift already"},
		{[]lift.Exercise{own("drag"), own("haul", func(e *lift.Exercise) { e.Aliases = []string{"Drag"} })}, "aliases[0]", `exercise "haul"`},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Aliases = make([]string, 101) })}, "aliases", "more than 100"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Group = "Pulls" })}, "group", "is not an id"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Group = "deadlift" })}, "group", "deadlift_family"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Pattern = "pulling" })}, "pattern", `"pulling" is none of hinge`},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.SpinalLoad = "" })}, "spinal_load", "none of none, low"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.MinVelocity = new(0.2) })}, "min_velocity_source", "is missing"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.MinVelocitySource = "a book" })}, "min_velocity_source", "without min_velocity_mps"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.MinVelocity, e.MinVelocitySource = new(15.), "a book" })}, "min_velocity_mps", "15 is outside (0, 2]"},
		{[]lift.Exercise{own("drag", func(e *lift.Exercise) { e.Slope, e.SlopeSource = new(0.), "a book" })}, "slope_pct_per_mps", "0 is outside (0, 500]"},
	} {
		c, err := Standard().With(mistake.own)
		if err == nil {
			t.Errorf("%s %s: taken", mistake.field, mistake.want)
			continue
		}
		field, ok := errors.AsType[*lift.FieldError](err)
		if !ok || field.Field != mistake.field || !strings.Contains(err.Error(), mistake.want) || c != nil {
			t.Errorf("error %q, field %+v; want %s and %q", err, field, mistake.field, mistake.want)
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := Standard().With([]lift.Exercise{own("a", func(e *lift.Exercise) { e.Pattern, e.SpinalLoad = "", "" }), own("b", func(e *lift.Exercise) { e.Name = "" })})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("error %v", err)
	}
}

func TestReadersDoNotDisturbEachOther(t *testing.T) {
	c := Standard()
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			for _, e := range c.All() {
				if got, ok := c.Match(e.Name); !ok || got.ID != e.ID {
					t.Errorf("%s is %s", e.Name, got.ID)
				}
				c.Get(e.ID)
			}
		})
	}
	reading.Wait()
}

func BenchmarkGet(b *testing.B) {
	c := Standard()
	for b.Loop() {
		c.Get("romanian_deadlift")
	}
}

func BenchmarkMatch(b *testing.B) {
	c := Standard()
	for b.Loop() {
		c.Match("Romanian Deadlift (Barbell)")
	}
}
