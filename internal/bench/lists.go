package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

const (
	listAim    = 20 * time.Millisecond
	listWarmUp = 20
	listLoad   = 500 // reps a second beside the second round
	// listLimit is how long one list is asked for at most.
	listLimit = 15 * time.Second
)

// ask is one way to ask for a list.
type ask struct {
	operation, label string
	path             func(*rand.Rand) string
	token            string
}

// passedOver are the lists that are not asked for, and why.
var passedOver = map[string]string{
	"list-import-rows":       "is part of an import's report, held in memory",
	"list-backtest-athletes": "is part of a backtest's report, held in memory",
}

// lists measures every list operation of the API's own description on a large gym, with
// nothing beside it and while reps arrive, next to GET /healthz in the same run.
func (o *options) lists(ctx context.Context) (err error) {
	if o.stored == 0 {
		return nil
	}
	dir := o.data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "spotter-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	g := &gym{athletes: o.athletes, reps: o.stored, alerts: o.alerts, end: time.Now().UTC()}
	if _, statErr := os.Stat(filepath.Join(dir, "view.db")); errors.Is(statErr, os.ErrNotExist) {
		began := time.Now()
		if err := g.fill(ctx, dir); err != nil {
			return err
		}
		fmt.Printf("Lists: filled in %v\n", time.Since(began).Round(time.Second))
	}
	c, err := start(ctx, o.spotter, "serve", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--log-level", "error",
		"--rate-token", "0", "--rate-address", "0")
	if err != nil {
		return err
	}
	defer c.kill()
	for _, lag := range []string{"spotter_view_lag_events", "spotter_monitor_lag_events"} {
		if err := c.until(ctx, lag, func(v float64) bool { return v == 0 }); err != nil {
			return err
		}
	}
	fmt.Printf("Lists, %d athletes, %d reps, %d alerts; %d requests each, one at a time\n", g.athletes, g.reps, g.alerts, o.requests)
	asks, err := c.asks(ctx, g)
	if err != nil {
		return err
	}
	if err := o.askAll(ctx, c, "nothing beside", asks); err != nil {
		return err
	}
	streaming, end := context.WithCancel(ctx)
	defer end()
	failed := make(chan error, 1)
	began := time.Now()
	go func() {
		n := 0
		failed <- o.publish(streaming, c.MQTT, 1_000_000, func(sim.Message) {
			_ = pause(streaming, time.Until(began.Add(time.Duration(n)*time.Second/listLoad)))
			n++
		})
	}()
	before, err := c.metric(ctx, "spotter_view_reps_total")
	if err != nil {
		return err
	}
	if err := o.askAll(ctx, c, fmt.Sprintf("%d reps a second beside", listLoad), asks); err != nil {
		return err
	}
	after, err := c.metric(ctx, "spotter_view_reps_total")
	if err != nil {
		return err
	}
	fmt.Printf("  %.0f reps a second arrived\n", (after-before)/time.Since(began).Seconds())
	end()
	if err := <-failed; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// askAll asks for each list and says which were too slow, all in milliseconds. The
// processor time of the whole server for each request tells more than the rest where
// the machine has other work.
func (o *options) askAll(ctx context.Context, c *child, when string, asks []ask) error {
	healthz := ask{operation: "healthz", path: func(*rand.Rand) string { return "/healthz" }}
	random := rand.New(rand.NewPCG(3, 4))
	var slow []string
	fmt.Printf("  %s\n  %-28s %-34s %9s %9s %9s %9s %9s\n", when, "operation", "asked", "p50", "p99", "max", "× healthz", "CPU")
	var ceiling time.Duration
	for _, a := range slices.Concat([]ask{healthz}, asks, []ask{healthz}) {
		var took []time.Duration
		var before time.Duration
		first := time.Now()
		for i := range listWarmUp + o.requests {
			if i == listWarmUp {
				var err error
				if before, err = c.cpu(); err != nil {
					return err
				}
			}
			began := time.Now()
			if began.Sub(first) > listLimit && i > 2*listWarmUp {
				break
			}
			if _, err := c.get(ctx, a.token, a.path(random)); err != nil {
				return fmt.Errorf("%s %s: %w", a.operation, a.label, err)
			}
			if i >= listWarmUp {
				took = append(took, time.Since(began))
			}
		}
		after, err := c.cpu()
		if err != nil {
			return err
		}
		p99 := quantile(took, 0.99)
		if ceiling == 0 {
			ceiling = p99
		}
		if p99 > listAim {
			slow = append(slow, a.operation+" "+a.label)
		}
		fmt.Printf("  %-28s %-34s %9.2f %9.2f %9.2f %9.1f %9.2f\n", a.operation, a.label,
			ms(quantile(took, 0.5)), ms(p99), ms(slices.Max(took)), float64(p99)/float64(ceiling), ms(after-before)/float64(len(took)))
	}
	fmt.Printf("  %d of %d within %v at p99", len(asks)-len(slow), len(asks), listAim)
	if len(slow) > 0 {
		fmt.Printf("; not: %s", strings.Join(slow, ", "))
	}
	fmt.Println()
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// get returns what the server answers with 200.
func (c *child) get(ctx context.Context, as, path string) ([]byte, error) {
	return c.do(ctx, http.MethodGet, as, path, "")
}

func (c *child) do(ctx context.Context, method, as, path, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.HTTP+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if as == "" {
		as = token
	}
	request.Header.Set("Authorization", "Bearer "+as)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s answers %s: %s", path, answer.Status, data)
	}
	return data, err
}

// page is what every list answers.
type page struct {
	Items []struct {
		ID string `json:"id"`
	} `json:"items"`
	Next string `json:"next"`
}

func (c *child) page(ctx context.Context, path string) (p page, err error) {
	data, err := c.get(ctx, "", path)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(data, &p)
}

// cursors are those behind each page of a list, of at most so many.
func (c *child) cursors(ctx context.Context, path string, pages int) ([]string, error) {
	all, at := []string{}, path
	for range pages {
		p, err := c.page(ctx, at)
		if err != nil || p.Next == "" {
			return all, err
		}
		all = append(all, p.Next)
		at = path + "&cursor=" + url.QueryEscape(p.Next)
	}
	return all, nil
}

// asks are the ways to ask for each list that the server describes. One that is
// described and not known here is an error, so that a new list is not forgotten.
func (c *child) asks(ctx context.Context, g *gym) ([]ask, error) {
	asks, err := c.known(ctx, g)
	if err != nil {
		return nil, err
	}
	data, err := c.get(ctx, "", "/openapi.json")
	if err != nil {
		return nil, err
	}
	var api struct {
		Paths map[string]map[string]struct {
			ID         string `json:"operationId"`
			Parameters []struct {
				Name string `json:"name"`
			} `json:"parameters"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(data, &api); err != nil {
		return nil, err
	}
	var errs []error
	for path, methods := range api.Paths {
		op := methods["get"]
		isList := false
		for _, p := range op.Parameters {
			isList = isList || p.Name == "cursor"
		}
		asked := slices.ContainsFunc(asks, func(a ask) bool { return a.operation == op.ID })
		if why, over := passedOver[op.ID]; isList && over {
			fmt.Printf("  %s is not asked for: it %s\n", op.ID, why)
		} else if isList && !asked {
			errs = append(errs, fmt.Errorf("%s (%s) is a list that is not measured", op.ID, path))
		}
	}
	return asks, errors.Join(errs...)
}

func (c *child) known(ctx context.Context, g *gym) ([]ask, error) {
	coach, err := c.coach(ctx, string(g.site(0)))
	if err != nil {
		return nil, err
	}
	began := g.began()
	span := g.end.Sub(began)
	at := func(r *rand.Rand) string { return began.Add(rand.N(span)).Format(time.RFC3339) }
	athlete := func(r *rand.Rand) string { return string(g.athlete(r.IntN(g.athletes))) }
	site := func(r *rand.Rand) string { return string(g.site(r.IntN(gymSites))) }
	fixed := func(path string) func(*rand.Rand) string { return func(*rand.Rand) string { return path } }
	of := func(base string, cursors []string) func(*rand.Rand) string {
		return func(r *rand.Rand) string { return base + "cursor=" + url.QueryEscape(cursors[r.IntN(len(cursors))]) }
	}
	var deep []string
	random := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		p, err := c.page(ctx, "/api/v1/alerts?limit=1&until="+at(random))
		if err != nil {
			return nil, err
		}
		if p.Next != "" {
			deep = append(deep, p.Next)
		}
	}
	const alerts, people = "/api/v1/alerts", "/api/v1/athletes"
	asks := []ask{
		{"list-alerts", "newest", fixed(alerts), ""},
		{"list-alerts", "500 newest", fixed(alerts + "?limit=500"), ""},
		{"list-alerts", "deep page", of(alerts+"?", deep), ""},
		{"list-alerts", "deep page of a coach", of(alerts+"?", deep), coach},
		{"list-alerts", "of a coach", fixed(alerts), coach},
		{"list-alerts", "of a coach, urgent", fixed(alerts + "?severity=urgent"), coach},
		{"list-alerts", "since and until", func(r *rand.Rand) string {
			t := began.Add(rand.N(span))
			return alerts + "?since=" + t.Format(time.RFC3339) + "&until=" + t.Add(24*time.Hour).Format(time.RFC3339)
		}, ""},
		{"list-alerts", "athlete", func(r *rand.Rand) string { return alerts + "?athlete=" + athlete(r) }, ""},
		{"list-alerts", "athlete, open", func(r *rand.Rand) string { return alerts + "?state=open&athlete=" + athlete(r) }, ""},
		{"list-alerts", "site", func(r *rand.Rand) string { return alerts + "?site=" + site(r) }, ""},
		{"list-alerts", "site, open", func(r *rand.Rand) string { return alerts + "?state=open&site=" + site(r) }, ""},
		{"list-alerts", "site, rule, resolved", func(r *rand.Rand) string { return alerts + "?rule=grind&state=resolved&site=" + site(r) }, ""},
		{"list-alerts", "velocity-loss, critical: none", fixed(alerts + "?rule=velocity-loss&severity=critical"), ""},
		{"list-alerts", "acknowledged, warm-up: none", fixed(alerts + "?rule=warm-up&state=acknowledged"), ""},
	}
	for _, severity := range []lift.Severity{lift.Advice, lift.Warning, lift.Critical, lift.Urgent} {
		asks = append(asks, ask{"list-alerts", "severity " + string(severity), fixed(alerts + "?severity=" + string(severity)), ""})
	}
	for _, state := range []lift.AlertState{lift.AlertOpen, lift.AlertAcknowledged, lift.AlertResolved, lift.AlertRetracted, lift.AlertExpired} {
		asks = append(asks, ask{"list-alerts", "state " + string(state), fixed(alerts + "?state=" + string(state)), ""},
			ask{"list-alerts", "state " + string(state) + ", deep page", of(alerts+"?state="+string(state)+"&", deep), ""})
	}
	for _, rule := range []int{0, len(told) / 2, len(told) - 1} {
		name := string(told[rule].rule)
		asks = append(asks, ask{"list-alerts", "rule " + name, fixed(alerts + "?rule=" + name), ""})
	}
	for _, what := range []string{"reps", "sets", "sessions", "weeks", "checkins"} {
		path := func(r *rand.Rand) string { return people + "/" + athlete(r) + "/" + what }
		asks = append(asks,
			ask{"list-" + what, "the last eight weeks", path, ""},
			ask{"list-" + what, "500 of eight weeks, long ago", func(r *rand.Rand) string {
				return path(r) + "?limit=500&to=" + at(r)
			}, ""})
	}
	more := []struct {
		operation, label, path string
		deep                   bool
	}{
		{"list-athletes", "", people + "?", true},
		{"list-athletes", "500", people + "?limit=500&", true},
		{"list-athletes", "name", people + "?name=lifter+7&", false},
		{"list-athletes", "site and team", people + "?site=site-3&team=team-1&", false},
		{"list-standings", "", "/api/v1/standings?", true},
		{"list-standings", "500", "/api/v1/standings?limit=500&", false},
		{"list-unassigned-reps", "", "/api/v1/reps/unassigned?", false},
		{"list-erasures", "", "/api/v1/erasures?", false},
		{"list-devices", "", "/api/v1/devices?", false},
		{"list-quarantine", "", "/api/v1/quarantine?", true},
		{"list-rules", "", "/api/v1/rules?", false},
		{"list-imports", "", "/api/v1/imports?", false},
		{"list-audit", "", "/api/v1/audit?", true},
		{"list-audit", "by", "/api/v1/audit?by=coach&", true},
		{"list-audit", "by nobody", "/api/v1/audit?by=nobody&", false},
		{"list-teams", "", "/api/v1/teams?", false},
		{"list-sites", "", "/api/v1/sites?", false},
		{"list-exercises", "", "/api/v1/exercises?limit=500&", false},
		{"list-channels", "", "/api/v1/channels?", false},
		{"list-deliveries", "", "/api/v1/deliveries?", false},
		{"list-tokens", "", "/api/v1/tokens?", false},
		{"list-credentials", "", "/api/v1/credentials?", false},
	}
	for _, m := range more {
		asks = append(asks, ask{m.operation, m.label, fixed(strings.TrimRight(m.path, "?&")), ""})
		if !m.deep {
			continue
		}
		cursors, err := c.cursors(ctx, m.path+"limit=500", 20)
		if err != nil {
			return nil, err
		}
		if len(cursors) > 0 {
			asks = append(asks, ask{m.operation, strings.TrimPrefix(m.label+", deep page", ", "), of(m.path, cursors), ""})
		}
	}
	found, err := c.page(ctx, alerts+"?limit=500")
	if err != nil {
		return nil, err
	}
	if len(found.Items) == 0 {
		return nil, errors.New("there are no alerts")
	}
	return append(asks,
		ask{"list-athletes", "of a coach", fixed(people), coach},
		ask{"list-quarantine", "of a coach", fixed("/api/v1/quarantine"), coach},
		ask{"list-rules", "of an athlete", func(r *rand.Rand) string { return "/api/v1/rules?athlete=" + athlete(r) }, ""},
		ask{"list-athlete-audit", "", func(r *rand.Rand) string { return people + "/" + athlete(r) + "/audit" }, ""},
		ask{"list-athlete-revisions", "", func(r *rand.Rand) string { return people + "/" + athlete(r) + "/revisions" }, ""},
		ask{"list-alert-deliveries", "", func(r *rand.Rand) string {
			return alerts + "/" + found.Items[r.IntN(len(found.Items))].ID + "/deliveries"
		}, ""},
	), nil
}

// coach makes a token of a coach of one site.
func (c *child) coach(ctx context.Context, site string) (string, error) {
	name := "coach-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	data, err := c.do(ctx, http.MethodPost, "", "/api/v1/tokens", fmt.Sprintf(`{"name":%q,"role":"coach","site":%q}`, name, site))
	if err != nil {
		return "", err
	}
	var made struct {
		Token string `json:"token"`
	}
	return made.Token, json.Unmarshal(data, &made)
}
