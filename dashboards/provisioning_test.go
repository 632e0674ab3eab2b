package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/house/need"
)

type datasourceFile struct {
	APIVersion  int `yaml:"apiVersion"`
	Datasources []struct {
		Name, UID, Type, Access, URL string
		Version                      int
		IsDefault                    bool              `yaml:"isDefault"`
		Editable                     bool              `yaml:"editable"`
		JSONData                     map[string]string `yaml:"jsonData"`
		SecureJSONData               map[string]string `yaml:"secureJsonData"`
	}
}

func readDatasources(t *testing.T) datasourceFile {
	t.Helper()
	var f datasourceFile
	readYAML(t, filepath.Join(provisioning, "datasources", "spotter.yml"), &f)
	return f
}

// datasources are the types of those that are provisioned, by uid.
func datasources(t *testing.T) map[string]string {
	t.Helper()
	types := map[string]string{}
	for _, d := range readDatasources(t).Datasources {
		if types[d.UID] != "" {
			t.Errorf("the uid %s is given twice", d.UID)
		}
		types[d.UID] = d.Type
	}
	return types
}

func datasourceName(t *testing.T, uid string) string {
	t.Helper()
	for _, d := range readDatasources(t).Datasources {
		if d.UID == uid {
			return d.Name
		}
	}
	return ""
}

func TestDatasourcesAskInfluxDBInInfluxQL(t *testing.T) {
	want := map[string]string{"spotter-influx": "spotter", "spotter-influx-samples": "spotter_samples"}
	for _, d := range readDatasources(t).Datasources {
		if d.Type != "influxdb" {
			continue
		}
		if d.JSONData["dbName"] != want[d.UID] || d.JSONData["version"] != "" || d.JSONData["httpMode"] != "POST" {
			t.Errorf("%s: %v; want the database %s in InfluxQL, by POST: a query that lists 200 athletes is long", d.UID, d.JSONData, want[d.UID])
		}
		if d.JSONData["httpHeaderName1"] != "Authorization" || !strings.HasPrefix(d.SecureJSONData["httpHeaderValue1"], "Token $__file{/") {
			t.Errorf("%s: without the header that 2.x wants", d.UID)
		}
		delete(want, d.UID)
	}
	if len(want) > 0 {
		t.Errorf("no datasource for %v", want)
	}
}

// TestDollarsSurviveGrafana: in a provisioned file it reads $NAME and ${NAME} as
// variables of the environment, $__file{} as a file, and $$ as $.
func TestDollarsSurviveGrafana(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(provisioning, "*", "*.yml"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v (%v), want datasources, dashboards and alerting", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		left := regexp.MustCompile(`\$__file\{/[^}]+\}|\$\$`).ReplaceAllString(string(text), "")
		if i := strings.IndexByte(left, '$'); i >= 0 {
			t.Errorf("%s: Grafana would replace %.20q", file, left[i:])
		}
	}
}

func TestGrafanaFindsTheDashboards(t *testing.T) {
	var f struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name                  string
			OrgID                 int `yaml:"orgId"`
			Folder                string
			FolderUID             string `yaml:"folderUid"`
			Type                  string
			DisableDeletion       bool `yaml:"disableDeletion"`
			AllowUIUpdates        bool `yaml:"allowUiUpdates"`
			UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
			Options               struct {
				Path                      string
				FoldersFromFilesStructure bool `yaml:"foldersFromFilesStructure"`
			}
		}
	}
	readYAML(t, filepath.Join(provisioning, "dashboards", "spotter.yml"), &f)
	if f.APIVersion != 1 || len(f.Providers) != 1 {
		t.Fatalf("want one provider: %+v", f)
	}
	p := f.Providers[0]
	if p.Type != "file" || p.Folder != "Spotter" || p.AllowUIUpdates || p.Options.FoldersFromFilesStructure {
		t.Errorf("provider %+v", p)
	}
	compose, err := os.ReadFile(filepath.Join("..", "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	mount := regexp.MustCompile(`\./dashboards/provisioning:(/[a-z/]+)`).FindStringSubmatch(string(compose))
	if mount == nil || p.Options.Path != mount[1]+"/dashboards" {
		t.Errorf("the dashboards are looked for in %s, and mounted as %v", p.Options.Path, mount)
	}
}

func TestAlertRulesCanBeJudged(t *testing.T) {
	sources, boards := datasources(t), committed(t)
	uids, titles := map[string]bool{}, map[string]bool{}
	for _, r := range rules(t) {
		if r.UID == "" || len(r.UID) > 40 || uids[r.UID] || r.Title == "" || titles[r.Title] {
			t.Errorf("%s: the uid or the title %q is not its own", r.UID, r.Title)
		}
		uids[r.UID], titles[r.Title] = true, true
		if wait, err := time.ParseDuration(r.For); err != nil || wait < time.Minute {
			t.Errorf("%s: for %q", r.UID, r.For)
		}
		if !slices.Contains([]string{"OK", "Alerting"}, r.NoDataState) || r.ExecErrState != "Error" || r.IsPaused {
			t.Errorf("%s: noDataState %s, execErrState %s", r.UID, r.NoDataState, r.ExecErrState)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
			t.Errorf("%s: does not say what happened, what it means and how grave it is", r.UID)
		}
		d := boards[r.DashboardUID+".json"]
		if !slices.ContainsFunc(d.Panels, func(p panel) bool { return p.ID == r.PanelID }) {
			t.Errorf("%s: shows the panel %d of %s, which is not there", r.UID, r.PanelID, r.DashboardUID)
		}
		before := map[string]bool{}
		for i, q := range r.Data {
			m := q.Model
			if q.RefID == "" || m.RefID != q.RefID || before[q.RefID] {
				t.Errorf("%s: query %q calls itself %q", r.UID, q.RefID, m.RefID)
			}
			if q.DatasourceUID == "__expr__" {
				if !before[m.Expression] {
					t.Errorf("%s, %s: works on %s, which is not before it", r.UID, q.RefID, m.Expression)
				}
				switch m.Type {
				case "threshold":
					if len(m.Conditions) != 1 || len(m.Conditions[0].Evaluator.Params) != 1 || !slices.Contains([]string{"gt", "lt"}, m.Conditions[0].Evaluator.Type) {
						t.Errorf("%s, %s: conditions %v", r.UID, q.RefID, m.Conditions)
					}
				case "reduce":
					if m.Reducer != "last" || m.Settings["mode"] == nil {
						t.Errorf("%s, %s: reducer %s, %v", r.UID, q.RefID, m.Reducer, m.Settings)
					}
				default:
					t.Errorf("%s, %s: expression of type %s", r.UID, q.RefID, m.Type)
				}
			} else if sources[q.DatasourceUID] == "" || q.RelativeTimeRange.From <= q.RelativeTimeRange.To || (m.Query == "") == (m.Expr == "") {
				t.Errorf("%s, %s: asks %s over %+v", r.UID, q.RefID, q.DatasourceUID, q.RelativeTimeRange)
			}
			before[q.RefID] = true
			if i == len(r.Data)-1 && (q.RefID != r.Condition || m.Type != "threshold") {
				t.Errorf("%s: the condition is %s, and the last expression the %s %s", r.UID, r.Condition, m.Type, q.RefID)
			}
		}
	}
	for _, uid := range []string{"spotter-lag", "spotter-influx-lag", "spotter-device-lost", "spotter-no-data", "spotter-silent"} {
		if !uids[uid] {
			t.Errorf("no rule %s", uid)
		}
	}
}

// A server that has just been installed has no rep, and nobody misses one.
func TestNoRepIsAnAlertOnlyWhereThereWereSome(t *testing.T) {
	all := rules(t)
	rule := all[slices.IndexFunc(all, func(r rule) bool { return r.UID == "spotter-no-data" })]
	asked, limit := rule.Data[0], rule.Data[2].Model.Conditions[0].Evaluator.Params[0]
	server := need.RunInflux(t)
	db := &store{url: server.URL}
	now := time.Now().UTC()
	shown := shownTime{now.Add(-time.Duration(asked.RelativeTimeRange.From) * time.Second), now}
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		ago   time.Duration // since the newest rep, 0 for none
		known bool
		fires bool
	}{
		{name: "none ever"},
		{name: "ten minutes ago", ago: 10 * time.Minute, known: true},
		{name: "on Friday, and it is Monday", ago: 2*day + 20*time.Hour, known: true},
		{name: "four days ago", ago: 4 * day, known: true, fires: true},
		{name: "four weeks ago but a day", ago: 27 * day, known: true, fires: true},
		{name: "last season", ago: 60 * day},
	} {
		db.ask(t, "", "DROP DATABASE spotter")
		db.ask(t, "", "CREATE DATABASE spotter")
		if c.ago > 0 {
			line := fmt.Sprintf("rep,site=main,athlete=ana,device=bar-1 mean_velocity_mps=0.5,valid=1 %d", now.Add(-c.ago).UnixMilli())
			answer, err := http.Post(server.URL+"/write?db=spotter&precision=ms", "text/plain", strings.NewReader(line))
			if err != nil {
				t.Fatal(err)
			}
			if _ = answer.Body.Close(); answer.StatusCode != http.StatusNoContent {
				t.Fatal(answer.Status)
			}
		}
		answer := db.ask(t, "spotter", fill(t, asked.Model.Query, nil, shown, ""))
		if known := len(answer) == 1; known != c.known || !known && rule.NoDataState != "OK" {
			t.Errorf("%s: it answers %v", c.name, answer)
		} else if known {
			rows := answer[0].Values
			if last := rows[len(rows)-1][1].(float64); last < limit != c.fires {
				t.Errorf("%s: %v in an hour", c.name, last)
			}
		}
	}
}
