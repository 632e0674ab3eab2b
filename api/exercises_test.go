package api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/lift"
)

func TestExercisesAreListedWithTheSitesOwn(t *testing.T) {
	catalogue, err := exercise.Standard().With([]lift.Exercise{{
		ID: "plate-drag", Name: "Plate drag", Aliases: []string{"Drag (Plate)"}, Group: "drags", Pattern: "carry", SpinalLoad: "low",
		PosteriorChain: true, MinVelocity: new(0.2), MinVelocitySource: "tested here", Slope: new(70.), SlopeSource: "tested here",
	}})
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, func(o *Options) { o.Exercises = catalogue })
	for _, limit := range []int{7, 100, 500} {
		if diff := cmp.Diff(catalogue.All(), walk[lift.Exercise](g, "/api/v1/exercises?", limit)); diff != "" {
			t.Errorf("in pages of %d:\n%s", limit, diff)
		}
	}
	for _, group := range []string{"deadlift_family", "deadlift-family"} {
		pulls := want[list[lift.Exercise]](g, 200, "GET", "/api/v1/exercises?group="+group, "")
		if len(pulls.Items) < 10 || pulls.Next != "" {
			t.Errorf("%d exercises in %s", len(pulls.Items), group)
		}
		for _, e := range pulls.Items {
			if e.Group != "deadlift_family" {
				t.Errorf("%s counts to %s", e.ID, e.Group)
			}
		}
	}
	drags := want[map[string]any](g, 200, "GET", "/api/v1/exercises?group=drags", "")
	if diff := cmp.Diff(map[string]any{"items": []any{map[string]any{
		"id": "plate_drag", "name": "Plate drag", "aliases": []any{"Drag (Plate)"}, "group": "drags", "pattern": "carry", "spinal_load": "low",
		"posterior_chain": true, "min_velocity_mps": 0.2, "min_velocity_source": "tested here", "slope_pct_per_mps": 70.0, "slope_source": "tested here",
	}}}, drags); diff != "" {
		t.Error(diff)
	}
	none := want[map[string]any](g, 200, "GET", "/api/v1/exercises?group=nobody", "")
	if diff := cmp.Diff(map[string]any{"items": []any{}}, none); diff != "" {
		t.Error(diff)
	}
}

func TestExercisesWithoutACatalogueAreTheStandardOnes(t *testing.T) {
	g := open(t)
	if all := walk[lift.Exercise](g, "/api/v1/exercises?", 500); !cmp.Equal(all, exercise.Standard().All()) {
		t.Errorf("%d exercises", len(all))
	}
	for query, field := range map[string]string{"cursor=zzz": "cursor", "group=Dead+lifts": "group", "limit=501": "limit"} {
		if p := want[problem](g, http.StatusUnprocessableEntity, "GET", "/api/v1/exercises?"+query, ""); p.Field != field {
			t.Errorf("%s: %+v", query, p)
		}
	}
}
