package analysis

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

func TestLimitsAreMergedOverThoseInForce(t *testing.T) {
	want := DefaultLimits()
	want.WeeklyVolume.AdvicePct, want.WeeklyVolume.FullN = 15.5, 3
	want.ReturnPlan.MinReps = [3]int{6, 5, 1}
	got, err := MergeLimits(DefaultLimits(), []byte(`{"weekly-volume":{"advice_pct":15.5,"full_n":3},"return-plan":{"min_reps":[6,5,1]},"grind":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := MergeLimits(got, []byte(`{"weekly-volume":{"advice_pct":10}}`))
	if want.WeeklyVolume.AdvicePct = 10; err != nil || again != want {
		t.Errorf("%v, %s", err, cmp.Diff(want, again))
	}
	if same, err := MergeLimits(DefaultLimits(), []byte(`{}`)); err != nil || same != DefaultLimits() {
		t.Errorf("nothing changes nothing: %v", err)
	}
}

func TestLimitsThatMakeNoSenseAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ patch, want string }{
		{``, "is not JSON at byte 0"},
		{`{"grind":`, "is not JSON at byte 9"},
		{`null`, "must be an object by rule"},
		{`[]`, "must be an object by rule"},
		{`{"grind":{},"grind":{}}`, "names something twice at byte 12"},
		{`{"weekly-volumes":{}}`, "weekly-volumes: is not a rule; the rules are weekly-volume, weekly-load"},
		{`{"Grind":{}}`, "Grind: is not a rule"},
		{`{"` + strings.Repeat("x", 400) + `":{}}`, strings.Repeat("x", 40) + "…: is not a rule"},
		{`{"red-flag":{}}`, "red-flag: has no limits"},
		{`{"grind":null}`, "grind: must be an object of limits by name"},
		{`{"grind":{"margin":1}}`, "grind.margin: is not a limit of this rule; it has margin_mps"},
		{`{"grind":{"margin_mps":1,"margin_mps":1}}`, "names something twice"},
		{`{"grind":{"margin_mps":"1"}}`, "grind.margin_mps: must be a number"},
		{`{"grind":{"margin_mps":null}}`, "grind.margin_mps: must be a number"},
		{`{"grind":{"margin_mps":1e999}}`, "grind.margin_mps: must be a finite number"},
		{`{"grind":{"margin_mps":-0.01}}`, "grind.margin_mps: must be 0 to 10 (mps)"},
		{`{"hold":{"planned_days":9.5}}`, "hold.planned_days: must be a whole number"},
		{`{"hold":{"planned_days":29}}`, "hold.planned_days: must be 1 to 28 (days)"},
		{`{"tempo":{"eccentric_s":3}}`, "tempo.eccentric_s: must be a list of 3 numbers"},
		{`{"tempo":{"eccentric_s":[3,2]}}`, "tempo.eccentric_s: must be a list of 3 numbers"},
		{`{"tempo":{"eccentric_s":[3,2,null]}}`, "tempo.eccentric_s: must be a number in each place"},
		{`{"tempo":{"eccentric_s":[3,2,-1]}}`, "tempo.eccentric_s: must be 0 to 30 (s)"},
		{`{"weekly-volume":{"advice_pct":31}}`, "weekly-volume.advice_pct: must not be above warning_pct"},
		{`{"pain-zone":{"red":9}}`, "pain-zone.red: must not be above critical"},
	} {
		got, err := MergeLimits(DefaultLimits(), []byte(c.patch))
		if _, named := errors.AsType[*lift.FieldError](err); !named || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.60s: error %v, want %s", c.patch, err, c.want)
		}
		if err == nil && got != DefaultLimits() {
			t.Errorf("%.60s: taken", c.patch)
		}
	}
}

func TestAllThatIsWrongWithLimitsIsTold(t *testing.T) {
	_, err := MergeLimits(DefaultLimits(), []byte(`{"tempo":{"share":"x","speed":1},"warm-ups":{},"grind":{"margin_mps":true}}`))
	var fields []string
	for line := range strings.Lines(err.Error()) {
		field, _, _ := strings.Cut(line, ":")
		fields = append(fields, field)
	}
	if diff := cmp.Diff([]string{"grind.margin_mps", "tempo.share", "tempo.speed", "warm-ups"}, fields); diff != "" {
		t.Error(diff)
	}
}

func TestLimitsMustBeNumbersThatMakeSense(t *testing.T) {
	if err := DefaultLimits().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		l := DefaultLimits()
		l.WeeklyLoad.MinStepKg = v
		if err := l.Validate(); err == nil || err.Error() != "weekly-load.min_step_kg: must be 0 to 1000 (kg)" {
			t.Errorf("%v: %v", v, err)
		}
	}
	if (Limits{}).Validate() == nil {
		t.Error("no limits at all are valid")
	}
}

// Every limit has a range, and no range is left over; at both its ends, and where
// limits that rise are equal, the limits are valid.
func TestEveryLimitHasARange(t *testing.T) {
	specs := LimitSpecs()
	if len(specs) != len(limitRanges) {
		t.Errorf("%d limits, %d ranges", len(specs), len(limitRanges))
	}
	ends := [2]Limits{}
	for end := range ends {
		ends[end].each(func(rule lift.Rule, name string, v reflect.Value) {
			r, ok := limitRanges[string(rule)+"."+name]
			if !ok || r.unit == "" || r.least >= r.most {
				t.Errorf("%s.%s has no range", rule, name)
			}
			set := func(v reflect.Value) {
				x := [2]float64{r.least, r.most}[end]
				if v.Kind() == reflect.Int {
					v.SetInt(int64(x))
				} else {
					v.SetFloat(x)
				}
			}
			if v.Kind() != reflect.Array {
				set(v)
				return
			}
			for i := range v.Len() {
				set(v.Index(i))
			}
		})
		if err := ends[end].Validate(); err != nil {
			t.Errorf("end %d: %v", end, err)
		}
	}
	for _, order := range rising {
		for _, name := range order.names {
			if _, ok := limitRanges[order.rule+"."+name]; !ok {
				t.Errorf("%s.%s rises, and is no limit", order.rule, name)
			}
		}
	}
}

func TestLimitsAreToldByName(t *testing.T) {
	want := map[string]any{"eccentric_s": [3]float64{3, 2, 0}, "share": 0.8}
	if diff := cmp.Diff(want, DefaultLimits().Of(Tempo)); diff != "" {
		t.Error(diff)
	}
	if got := DefaultLimits().Of(RedFlag); len(got) != 0 {
		t.Errorf("red-flag has %v", got)
	}
}
