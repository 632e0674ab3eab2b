package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/roster"
)

func TestRulesAreListedWithTheirLimits(t *testing.T) {
	g := open(t, func(o *Options) {
		base := analysis.Settings{Zone: time.UTC, Limits: analysis.DefaultLimits()}
		base.Limits.Tempo.Share = 0.5
		o.Roster = roster.New(o.View, base)
	})
	var names []lift.Rule
	for _, r := range walk[rule](g, "/api/v1/rules?", 7) {
		names = append(names, r.Rule)
		if r.LooksAt == "" || r.Source.Citation == "" || len(r.Limits) != len(r.About) || len(r.Defaults) != len(r.About) {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff(analysis.Rules(), names); diff != "" {
		t.Error(diff)
	}
	tempo := want[rule](g, 200, "GET", "/api/v1/rules/tempo", "")
	tempo.LooksAt, tempo.Source = "", lift.Citation{}
	if diff := cmp.Diff(rule{
		Rule:     "tempo",
		Limits:   map[string]any{"eccentric_s": []any{3., 2., 0.}, "share": 0.5},
		Defaults: map[string]any{"eccentric_s": []any{3., 2., 0.}, "share": 0.8},
		About:    []limit{{Name: "eccentric_s", Unit: "s", Most: 30, Count: 3}, {Name: "share", Unit: "share", Most: 1, Count: 1}},
	}, tempo); diff != "" {
		t.Error(diff)
	}
	above := map[string]string{}
	for _, l := range want[rule](g, 200, "GET", "/api/v1/rules/pain-zone", "").About {
		above[l.Name] = l.Above
	}
	if above["amber"] != "" || above["red"] != "amber" || above["critical"] != "red" {
		t.Errorf("what must not be below what: %v", above)
	}
	want[problem](g, 404, "GET", "/api/v1/rules/tempi", "")
}

func TestRulesWithoutSettingsHaveTheDefaults(t *testing.T) {
	g := open(t)
	r := want[rule](g, 200, "GET", "/api/v1/rules/weekly-volume", "")
	if r.Limits["advice_pct"] != 10. || !cmp.Equal(r.Limits, r.Defaults) {
		t.Errorf("%+v", r)
	}
}
