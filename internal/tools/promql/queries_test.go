package promql

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/teststorage"
	"go.yaml.in/yaml/v3"
)

var root = filepath.Join("..", "..", "..")

// query is one that Grafana asks of Prometheus.
type query struct {
	what, text, unit string
	instant          bool
}

// queries reads those of the dashboards and of the alert rules.
func queries(t *testing.T) []query {
	t.Helper()
	var all []query
	files, err := filepath.Glob(filepath.Join(root, "dashboards", "provisioning", "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards (%v)", err)
	}
	for _, file := range files {
		var d struct {
			Panels []struct {
				Title   string
				Targets []struct {
					Expr    string
					Instant bool
				}
				FieldConfig struct{ Defaults struct{ Unit string } }
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if target.Expr != "" {
					all = append(all, query{filepath.Base(file) + ", " + p.Title, target.Expr, p.FieldConfig.Defaults.Unit, target.Instant})
				}
			}
		}
	}
	dashboards := len(all)
	var f struct {
		Groups []struct {
			Rules []struct {
				UID  string `yaml:"uid"`
				Data []struct {
					Model struct {
						Expr    string
						Instant bool
					}
				}
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "dashboards", "provisioning", "alerting", "spotter.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Groups[0].Rules {
		for _, d := range r.Data {
			if d.Model.Expr != "" {
				all = append(all, query{r.UID, strings.ReplaceAll(d.Model.Expr, "$$", "$"), "short", d.Model.Instant})
			}
		}
	}
	if dashboards < 30 || len(all) < dashboards+5 {
		t.Fatalf("%d queries of dashboards and %d of rules", dashboards, len(all)-dashboards)
	}
	return all
}

// scrape is every Prometheus how often, in docker-compose.yml; four of them are
// Grafana's $__rate_interval where nobody looks at longer times.
const scrape = 10 * time.Second

func (q query) filled() string {
	return strings.ReplaceAll(q.text, "$__rate_interval", model.Duration(4*scrape).String())
}

// reading is what /metrics said, by series.
type reading map[string]sample

type sample struct {
	labels labels.Labels
	value  float64
}

func read(t *testing.T, url string) reading {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("metrics: %d %v", answer.StatusCode, err)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	found := reading{}
	for _, family := range families {
		vector, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range vector {
			b := labels.NewBuilder(labels.FromStrings("job", "spotter", "instance", "spotter:8080"))
			for name, value := range s.Metric {
				b.Set(string(name), string(value))
			}
			found[s.Metric.String()] = sample{b.Labels(), float64(s.Value)}
		}
	}
	return found
}

// sum of the values of a metric.
func (r reading) sum(name string) float64 {
	sum := 0.0
	for _, s := range r {
		if s.labels.Get("__name__") == name {
			sum += s.value
		}
	}
	return sum
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// worked is what a spotter said of itself before and after its gym's eight weeks came.
func worked(t *testing.T) (before, after reading) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "spotter")
	build := exec.Command("go", "build", "-o", program, "./cmd/spotter")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build spotter: %v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	run := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, program, args...)
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			stop()
			_ = c.Wait()
			if t.Failed() {
				t.Logf("%s said:\n%.3000s", args[0], said.String())
			}
		})
		return c
	}
	web, mqtt := free(t), free(t)
	// There is no InfluxDB at its address: what is said of it is said all the same.
	run("serve", "--data", t.TempDir(), "--http", web, "--mqtt", mqtt, "--fsync", "100ms", "--influx-url", "http://"+free(t))
	url := "http://" + web + "/metrics"
	until(t, "the server", func() bool {
		answer, err := http.Get("http://" + web + "/readyz")
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	before = read(t, url)
	run("simulate", "--mqtt-broker", "tcp://"+mqtt, "--history", "8", "--athletes", "6", "--seed", "7")
	until(t, "reps, alerts and deliveries", func() bool {
		after = read(t, url)
		return after.sum("spotter_view_reps_total") > 1000 && after.sum("spotter_alert_latency_seconds_count") > 0 &&
			after.sum("spotter_notify_deliveries_total") > 0
	})
	return before, after
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited a minute for %s", what)
		case <-tick.C:
		}
	}
}

// TestEveryQueryHasAnAnswer lets Prometheus have read the metrics for an hour, in which
// the server went evenly from what it said first to what it said last.
func TestEveryQueryHasAnAnswer(t *testing.T) {
	before, after := worked(t)
	store := teststorage.New(t)
	end := time.Now().Truncate(scrape)
	const readings = int(time.Hour / scrape)
	appender := store.Appender(t.Context())
	for i := range readings + 1 {
		at := end.Add(time.Duration(i-readings) * scrape)
		for series, last := range after {
			first := before[series].value
			value := first + (last.value-first)*float64(i)/float64(readings)
			if _, err := appender.Append(0, last.labels, at.UnixMilli(), value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := appender.Commit(); err != nil {
		t.Fatal(err)
	}
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10_000_000, Timeout: 10 * time.Second, LookbackDelta: 5 * time.Minute, Parser: p})
	defer func() { _ = engine.Close() }()
	names := map[string]bool{}
	for _, s := range after {
		names[s.labels.Get("__name__")] = true
	}
	for _, q := range queries(t) {
		expression, err := p.ParseExpr(q.filled())
		if err != nil {
			t.Errorf("%s: %v", q.what, err)
			continue
		}
		for _, selectors := range parser.ExtractSelectors(expression) {
			if !slices.ContainsFunc(selectors, func(m *labels.Matcher) bool {
				if m.Name != "__name__" {
					return false
				}
				for name := range names {
					if m.Matches(name) {
						return true
					}
				}
				return false
			}) {
				t.Errorf("%s: no metric is called as in %s", q.what, q.text)
			}
		}
		began := time.Now()
		var ask promql.Query
		if q.instant {
			ask, err = engine.NewInstantQuery(t.Context(), store, nil, q.filled(), end)
		} else {
			ask, err = engine.NewRangeQuery(t.Context(), store, nil, q.filled(), end.Add(-time.Hour), end, 15*time.Second)
		}
		if err != nil {
			t.Errorf("%s: %v", q.what, err)
			continue
		}
		answer := ask.Exec(t.Context())
		if answer.Err != nil {
			t.Errorf("%s: %v", q.what, answer.Err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: took %v", q.what, took)
		}
		if err := plausible(answer.Value, q.unit); err != nil {
			t.Errorf("%s: %v: %s", q.what, err, q.text)
		}
		ask.Close()
	}
}

// plausible holds an answer to its unit.
func plausible(answer parser.Value, unit string) error {
	var numbers []float64
	switch v := answer.(type) {
	case promql.Vector:
		for _, s := range v {
			numbers = append(numbers, s.F)
		}
	case promql.Matrix:
		for _, s := range v {
			for _, f := range s.Floats {
				numbers = append(numbers, f.F)
			}
		}
	}
	numbers = slices.DeleteFunc(numbers, math.IsNaN) // no request, no quantile
	if len(numbers) == 0 {
		return fmt.Errorf("no rows")
	}
	high, known := map[string]float64{"ops": 1e6, "short": 1e9, "s": 1e4, "percentunit": 1, "none": 1, "bytes": 1e11}[unit]
	if low, top := slices.Min(numbers), slices.Max(numbers); !known || low < 0 || top > high {
		return fmt.Errorf("%g to %g is not in %q", low, top, unit)
	}
	return nil
}
