package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// What follows fills queries as Grafana 13 does.
//
// Its browser part replaces variables (docs: "Variable syntax", advanced formats):
// ${name:regex} is one value with what is special in a regular expression escaped,
// or (a|b) of several; "All" is the list of all values, or the custom all value,
// which is not escaped. Its server part replaces the macros of InfluxQL (docs:
// "InfluxDB query editor", pkg/tsdb/influxdb/models): $timeFilter is the time shown
// in milliseconds with both ends, $__interval the time shown through the width of
// the panel, rounded, and not below the least of panel and datasource.

// shownTime is what Grafana shows.
type shownTime struct{ from, to time.Time }

// since reads a dashboard's time, such as now-28d to now.
func since(t *testing.T, r timeRange, now time.Time) shownTime {
	t.Helper()
	var n int
	var unit string
	if _, err := fmt.Sscanf(r.From, "now-%d%s", &n, &unit); err != nil || r.To != "now" {
		t.Fatalf("time %+v", r)
	}
	return shownTime{now.Add(-time.Duration(n) * map[string]time.Duration{"h": time.Hour, "d": 24 * time.Hour}[unit]), now}
}

// intervals are those that Grafana rounds to.
var intervals = []string{"1ms", "10ms", "20ms", "50ms", "100ms", "200ms", "500ms", "1s", "2s", "5s", "10s", "15s", "20s", "30s", "1m", "2m", "5m", "10m", "15m", "20m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "7d"}

func length(interval string) time.Duration {
	if days, ok := strings.CutSuffix(strings.Replace(interval, "1w", "7d", 1), "d"); ok {
		var n int
		_, _ = fmt.Sscan(days, &n)
		return time.Duration(n) * 24 * time.Hour
	}
	d, _ := time.ParseDuration(interval)
	return d
}

func (s shownTime) interval(least string) string {
	const pixels = 1000
	wanted := max(s.to.Sub(s.from)/pixels, length(least))
	i := slices.IndexFunc(intervals, func(interval string) bool { return length(interval) >= wanted })
	return intervals[i]
}

// values are those of the variables: one, several, or ".*" unescaped.
type values map[string][]string

var (
	placed  = regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}`)
	special = regexp.MustCompile(`[\\^$*+?.()|\[\]{}/]`)
)

// fill makes a statement of a query.
func fill(t *testing.T, query string, chosen values, s shownTime, least string) string {
	t.Helper()
	query = placed.ReplaceAllStringFunc(query, func(place string) string {
		m := placed.FindStringSubmatch(place)
		picked, known := chosen[m[1]]
		if !known || m[2] != "regex" {
			t.Errorf("%s in %s is not filled", place, query)
		}
		if len(picked) == 1 && picked[0] == ".*" {
			return ".*"
		}
		escaped := make([]string, len(picked))
		for i, p := range picked {
			escaped[i] = special.ReplaceAllString(p, `\$0`)
		}
		if len(escaped) == 1 {
			return escaped[0]
		}
		return "(" + strings.Join(escaped, "|") + ")"
	})
	query = strings.ReplaceAll(query, "$timeFilter", fmt.Sprintf("time >= %dms and time <= %dms", s.from.UnixMilli(), s.to.UnixMilli()))
	query = strings.ReplaceAll(query, "$__interval", s.interval(least))
	if strings.Contains(strings.ReplaceAll(query, "$/", ""), "$") {
		t.Errorf("%s: something is left to fill", query)
	}
	return query
}

// series is a part of InfluxDB's answer.
type series struct {
	Name    string
	Tags    map[string]string
	Columns []string
	Values  [][]any
}

// store is an InfluxDB whose answers are timed.
type store struct {
	url     string
	patient time.Duration // how long an answer may take; a second by default
	slowest time.Duration
	of      string // the statement that took so long
}

func (s *store) ask(t *testing.T, database, statement string) []series {
	t.Helper()
	began := time.Now()
	answer, err := http.PostForm(s.url+"/query?"+url.Values{"db": {database}, "epoch": {"ms"}}.Encode(), url.Values{"q": {statement}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	var read struct {
		Error   string
		Results []struct {
			Error  string
			Series []series
		}
	}
	if err := json.Unmarshal(text, &read, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if len(read.Results) != 1 || read.Error+read.Results[0].Error != "" {
		t.Errorf("%s: %.300s", statement, text)
		return nil
	}
	if took > s.slowest {
		s.slowest, s.of = took, statement
	}
	if took > cmp.Or(s.patient, time.Second) {
		t.Errorf("took %v: %.300s", took.Round(time.Millisecond), statement)
	}
	return read.Results[0].Series
}

// offered reads what a variable offers.
func (s *store) offered(t *testing.T, v variable, chosen values, shown shownTime) []string {
	t.Helper()
	var kept *regexp.Regexp
	if v.Regex == "/^(?!unassigned$).+/" { // Go has no (?!
		kept = regexp.MustCompile(`.`)
	} else if v.Regex != "" {
		t.Fatalf("the expression %s of %s is not known here", v.Regex, v.Name)
	}
	var found []string
	for _, one := range s.ask(t, "spotter", fill(t, v.Query, chosen, shown, "")) {
		for _, row := range one.Values {
			value := row[1].(string) // of key and value
			if kept == nil || value != "unassigned" {
				found = append(found, value)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// everything is what the variables of a dashboard stand for when it is opened: All
// where there is, and else the given or the first value.
func (s *store) everything(t *testing.T, d *dashboard, shown shownTime, given values) values {
	t.Helper()
	chosen := values{}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		all := s.offered(t, v, chosen, shown)
		if len(all) == 0 {
			t.Errorf("%s: the variable %s offers nothing", d.UID, v.Name)
			continue
		}
		switch picked, ok := given[v.Name]; {
		case ok:
			for _, p := range picked {
				if !slices.Contains(all, p) {
					t.Errorf("%s: the variable %s does not offer %s: %v", d.UID, v.Name, p, all)
				}
			}
			chosen[v.Name] = picked
		case v.AllValue != "":
			chosen[v.Name] = []string{v.AllValue}
		case v.IncludeAll:
			chosen[v.Name] = all
		default:
			chosen[v.Name] = all[:1]
		}
	}
	return chosen
}

// databaseOf is what a reference to a datasource variable reads by default, "" for
// Prometheus.
func databaseOf(t *testing.T, d *dashboard, r reference) string {
	t.Helper()
	for _, v := range d.Templating.List {
		if "${"+v.Name+"}" == r.UID {
			return map[string]string{"spotter-influx": "spotter", "spotter-influx-samples": "spotter_samples"}[v.Current.Value]
		}
	}
	t.Fatalf("%s: no datasource %s", d.UID, r.UID)
	return ""
}
