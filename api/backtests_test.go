package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/backtest"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/queue"
)

// trainedGym is a gym where ana and ben have each done a set of deadlifts that
// loses 30 %, and ana has an alert that stands on nothing.
func trainedGym(t *testing.T) *gym {
	g := open(t)
	for _, athlete := range []string{"ana", "ben"} {
		for n := range 10 {
			g.append(rep(athlete, n, trained))
		}
	}
	g.append(found("ana", 1, lift.Warning, trained))
	return g
}

// answered waits for a backtest's end.
func answered(g *gym, id string) backtestJob {
	g.t.Helper()
	var job backtestJob
	need.Eventually(g.t, 20*time.Second, "the backtest to end", func() bool {
		job = want[backtestJob](g, 200, "GET", "/api/v1/backtests/"+id, "")
		return job.State == queue.Done || job.State == queue.Failed
	})
	return job
}

func TestABacktestTellsWhatWouldHaveFired(t *testing.T) {
	g := trainedGym(t)
	body := `{"from":"2026-11-01T00:00:00+01:00","to":"2026-12-01T00:00:00Z","rules":{"velocity-loss":{"deadlift_warning_pct":40}}}`
	asked := want[backtestJob](g, http.StatusCreated, "POST", "/api/v1/backtests", body)
	job := answered(g, asked.ID)
	if job.State != queue.Done || job.Done != 2 || job.Total != 2 || job.Ended.IsZero() || !job.From.Equal(time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", job)
	}
	if diff := cmp.Diff(rulePatch{"velocity-loss": {"deadlift_warning_pct": 40.}}, job.Rules); diff != "" {
		t.Error(diff)
	}
	if len(job.Report.Rules) != len(analysis.Rules()) {
		t.Fatalf("%d rules", len(job.Report.Rules))
	}
	for _, tally := range job.Report.Rules {
		if tally.Rule != analysis.VelocityLoss {
			continue
		}
		if diff := cmp.Diff(backtest.Tally{
			Rule: analysis.VelocityLoss, Fired: backtest.Counts{Total: 2, Warning: 2}, Would: backtest.Counts{Total: 2, Advice: 2},
			Changed: 2, Logged: 1, Unsupported: 1, Missing: 2,
		}, tally); diff != "" {
			t.Error(diff)
		}
	}
	kinds := map[backtest.Kind]int{}
	for _, e := range job.Report.Examples {
		if e.Rule == analysis.VelocityLoss {
			kinds[e.Kind]++
		}
	}
	if diff := cmp.Diff(map[backtest.Kind]int{backtest.Changed: 2, backtest.Unsupported: 1, backtest.Missing: 2}, kinds); diff != "" {
		t.Error(diff)
	}

	again := want[backtestJob](g, http.StatusOK, "POST", "/api/v1/backtests", body)
	if diff := cmp.Diff(job, again); diff != "" {
		t.Errorf("asked again:\n%s", diff)
	}
	for _, limit := range []int{1, 100} {
		lines := walk[backtest.AthleteTally](g, "/api/v1/backtests/"+asked.ID+"/athletes?", limit)
		var mine []lift.AthleteID
		for _, line := range lines {
			if line.Rule == analysis.VelocityLoss {
				mine = append(mine, line.Athlete)
			}
		}
		if diff := cmp.Diff([]lift.AthleteID{"ana", "ben"}, mine); diff != "" {
			t.Errorf("by athlete, in pages of %d:\n%s", limit, diff)
		}
	}
}

func TestABacktestOfNothingComparesWithTheLog(t *testing.T) {
	g := trainedGym(t)
	job := answered(g, want[backtestJob](g, http.StatusCreated, "POST", "/api/v1/backtests", `{}`).ID)
	if job.State != queue.Done || !job.From.IsZero() || !job.To.IsZero() || len(job.Rules) != 0 {
		t.Errorf("%+v", job)
	}
	for _, tally := range job.Report.Rules {
		if !tally.Same() {
			t.Errorf("without other limits there is a difference: %+v", tally)
		}
	}
}

func TestABacktestNamesTheFieldThatMakesNoSense(t *testing.T) {
	g := open(t)
	for _, c := range []struct {
		status int
		body   string
		field  string
	}{
		{422, `{"from":"2026-11-02T00:00:00Z","to":"2026-11-02T00:00:00Z"}`, "from"},
		{422, `{"from":"yesterday"}`, "from"},
		{422, `{"form":"2026-11-02T00:00:00Z"}`, "form"},
		{422, `{"rules":[]}`, "rules"},
		{422, `{"rules":{"grind":3}}`, "rules.grind"},
		{422, `{"rules":{"grinds":{}}}`, "rules.grinds"},
		{422, `{"rules":{"grind":{"margin":0.1}}}`, "rules.grind.margin"},
		{422, `{"rules":{"grind":{"margin_mps":"0.1"}}}`, "rules.grind.margin_mps"},
		{422, `{"rules":{"grind":{"margin_mps":null}}}`, "rules.grind.margin_mps"},
		{422, `{"rules":{"hold":{"planned_days":2.5}}}`, "rules.hold.planned_days"},
		{422, `{"rules":{"weekly-volume":{"advice_pct":50}}}`, "rules.weekly-volume.advice_pct"},
		{400, `{"rules":`, ""},
	} {
		p := want[problem](g, c.status, "POST", "/api/v1/backtests", c.body)
		if p.Field != c.field {
			t.Errorf("%s: %+v, want field %q", c.body, p, c.field)
		}
	}
	want[problem](g, 404, "GET", "/api/v1/backtests/bt_unknown", "")
	want[problem](g, 404, "GET", "/api/v1/backtests/bt_unknown/athletes", "")
	if p := want[problem](g, 404, "GET", "/api/v1/backtests/bt_unknown", ""); !strings.Contains(p.Detail, "quarter of an hour") {
		t.Errorf("%+v", p)
	}
}

func TestMoreBacktestsThanMayWaitAreRefused(t *testing.T) {
	g := open(t)
	if err := g.stop(); err != nil { // nobody answers
		t.Fatal(err)
	}
	ask := func(n int) (status int) {
		in := backtestInput{Body: BacktestQuestion{From: trained.AddDate(0, 0, n)}}
		asking := context.WithValue(t.Context(), identityKey{}, identity{Role: access.RoleAdmin})
		out, err := g.server.createBacktest(asking, &in)
		if err == nil {
			return out.Status
		}
		return err.(interface{ GetStatus() int }).GetStatus()
	}
	for n, status := range []int{201, 201, 201, 201, 429} {
		if got := ask(n); got != status {
			t.Errorf("question %d answers %d, want %d", n, got, status)
		}
	}
	if got := ask(0); got != 200 {
		t.Errorf("one that waits already answers %d", got)
	}
}

func TestACoachOfASiteAsksAboutTheirOwn(t *testing.T) {
	h := openHouse(t)
	bearer := map[string]string{}
	for _, c := range h.callers {
		bearer[c.name] = "Bearer " + c.token
	}
	ids := map[string]string{}
	for _, name := range []string{"admin", "coach of all", "coach of alfa", "coach of beta"} {
		ids[name] = want[backtestJob](h.gym, map[bool]int{false: 201, true: 200}[name == "coach of all"], "POST", "/api/v1/backtests", `{}`, "Authorization", bearer[name]).ID
	}
	if ids["admin"] != ids["coach of all"] || ids["coach of alfa"] == ids["admin"] || ids["coach of alfa"] == ids["coach of beta"] {
		t.Errorf("%v", ids)
	}
	if job := answered(h.gym, ids["coach of alfa"]); job.Site != "alfa" || job.Total != 1 || job.Report.Athletes != 1 {
		t.Errorf("%+v", job)
	}
	if job := answered(h.gym, ids["admin"]); job.Site != "" || job.Report.Athletes != 2 {
		t.Errorf("%+v", job)
	}
	want[problem](h.gym, 403, "POST", "/api/v1/backtests", `{"site":"beta"}`, "Authorization", bearer["coach of alfa"])
	want[backtestJob](h.gym, 200, "POST", "/api/v1/backtests", `{"site":"beta"}`, "Authorization", bearer["coach of all"])
	for _, path := range []string{"", "/athletes"} {
		want[any](h.gym, 200, "GET", "/api/v1/backtests/"+ids["coach of alfa"]+path, "", "Authorization", bearer["coach of alfa"])
		want[problem](h.gym, 404, "GET", "/api/v1/backtests/"+ids["coach of beta"]+path, "", "Authorization", bearer["coach of alfa"])
		want[problem](h.gym, 404, "GET", "/api/v1/backtests/"+ids["admin"]+path, "", "Authorization", bearer["coach of alfa"])
	}
}
