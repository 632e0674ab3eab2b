package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"go.yaml.in/yaml/v3"
)

const provisioning = "provisioning"

// committed reads the dashboards as Grafana would, by file name.
func committed(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(provisioning, "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards (%v)", err)
	}
	read := map[string]dashboard{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		read[filepath.Base(file)] = d
	}
	return read
}

// ruleFile is Grafana's file of alert rules.
type ruleFile struct {
	APIVersion int `yaml:"apiVersion"`
	Groups     []struct {
		OrgID    int `yaml:"orgId"`
		Name     string
		Folder   string
		Interval string
		Rules    []rule
	}
}

type rule struct {
	UID          string `yaml:"uid"`
	Title        string
	DashboardUID string `yaml:"dashboardUid"`
	PanelID      int    `yaml:"panelId"`
	Condition    string
	For          string
	NoDataState  string `yaml:"noDataState"`
	ExecErrState string `yaml:"execErrState"`
	IsPaused     bool   `yaml:"isPaused"`
	Labels       map[string]string
	Annotations  map[string]string
	Data         []struct {
		RefID             string                 `yaml:"refId"`
		DatasourceUID     string                 `yaml:"datasourceUid"`
		RelativeTimeRange struct{ From, To int } `yaml:"relativeTimeRange"`
		Model             struct {
			RefID        string `yaml:"refId"`
			Type         string
			Expr         string
			Instant      bool
			Range        bool
			RawQuery     bool `yaml:"rawQuery"`
			Query        string
			ResultFormat string `yaml:"resultFormat"`
			Expression   string
			Reducer      string
			Settings     map[string]any
			Conditions   []struct {
				Evaluator struct {
					Type   string
					Params []float64
				}
			}
		}
	}
}

// rules reads the alert rules, with one $ for each that is written twice.
func rules(t *testing.T) []rule {
	t.Helper()
	var f ruleFile
	readYAML(t, filepath.Join(provisioning, "alerting", "spotter.yml"), &f)
	if f.APIVersion != 1 || len(f.Groups) != 1 || f.Groups[0].OrgID != 1 || f.Groups[0].Folder != "Spotter" || f.Groups[0].Interval != "1m" {
		t.Fatalf("want one group in the folder Spotter, asked each minute: %+v", f)
	}
	for i := range f.Groups[0].Rules {
		for j := range f.Groups[0].Rules[i].Data {
			m := &f.Groups[0].Rules[i].Data[j].Model
			m.Query, m.Expr = strings.ReplaceAll(m.Query, "$$", "$"), strings.ReplaceAll(m.Expr, "$$", "$")
		}
	}
	return f.Groups[0].Rules
}

func readYAML(t *testing.T, file string, v any) {
	t.Helper()
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = text.Close() }()
	d := yaml.NewDecoder(text)
	d.KnownFields(true)
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
