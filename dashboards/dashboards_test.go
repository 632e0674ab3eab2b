package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the dashboards as they are described")

func TestTheCommittedDashboardsAreTheDescribed(t *testing.T) {
	dir := filepath.Join(provisioning, "dashboards")
	if *update {
		if err := write(dir, localBoard); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]bool{}
	for _, d := range all(localBoard) {
		text, err := encode(&d)
		if err != nil {
			t.Fatal(err)
		}
		want[d.UID+".json"] = true
		got, err := os.ReadFile(filepath.Join(dir, d.UID+".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(string(text), string(got)); diff != "" {
			t.Errorf("%s is not as described; run go run ./dashboards (-described +committed):\n%s", d.UID, diff)
		}
	}
	for name := range committed(t) {
		if !want[name] {
			t.Errorf("%s is described nowhere", name)
		}
	}
}

func TestTheBoardsAddressReachesEveryLinkToIt(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir, "https://spotter.example"); err != nil {
		t.Fatal(err)
	}
	for _, d := range all(localBoard) {
		text, err := os.ReadFile(filepath.Join(dir, d.UID+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), localBoard) || !strings.Contains(string(text), "https://spotter.example/") {
			t.Errorf("%s: the links to the board do not follow its address", d.UID)
		}
	}
	for _, bad := range []string{"", "spotter.example", "javascript:alert(1)", "ftp://spotter.example"} {
		if err := write(dir, bad); err == nil || !strings.Contains(err.Error(), "board") {
			t.Errorf("board %q: error %v, want one that names it", bad, err)
		}
	}
}

// TestDashboardsAreOfGrafanasOwnSchema holds the dashboards and their panels'
// options to the schema that Grafana publishes of them.
func TestDashboardsAreOfGrafanasOwnSchema(t *testing.T) {
	compiled := map[string]*jsonschema.Schema{}
	schema := func(name string) *jsonschema.Schema {
		if compiled[name] == nil {
			s, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "grafana", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			compiled[name] = s
		}
		return compiled[name]
	}
	check := func(what, name string, v any) {
		t.Helper()
		if err := schema(name).Validate(map[string]any{"v": v}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for name := range committed(t) {
		text, err := os.ReadFile(filepath.Join(provisioning, "dashboards", name))
		if err != nil {
			t.Fatal(err)
		}
		var d map[string]any
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		for _, p := range d["panels"].([]any) {
			p := p.(map[string]any)
			kind, title := p["type"].(string), name+", "+p["title"].(string)
			check(title, kind+"-options", p["options"])
			config := p["fieldConfig"].(map[string]any)
			custom, _ := config["defaults"].(map[string]any)["custom"].(map[string]any)
			if custom != nil {
				check(title, kind+"-custom", custom)
			}
			for _, o := range config["overrides"].([]any) {
				for _, property := range o.(map[string]any)["properties"].([]any) {
					property := property.(map[string]any)
					if option, own := strings.CutPrefix(property["id"].(string), "custom."); own {
						changed := maps.Clone(custom)
						changed[option] = property["value"]
						check(title+", "+option, kind+"-custom", changed)
					}
				}
			}
		}
		// What InfluxDB's queries hold beside Grafana's own is the datasource's.
		for _, a := range d["annotations"].(map[string]any)["list"].([]any) {
			target := a.(map[string]any)["target"].(map[string]any)
			maps.DeleteFunc(target, func(key string, _ any) bool {
				return !slices.Contains([]string{"limit", "matchAny", "tags", "type"}, key)
			})
		}
		check(name, "dashboard", d)
	}
}

// units are those of Grafana's list that are used, and one of our own.
var units = []string{"suffix:kg", "velocityms", "percent", "percentunit", "short", "h", "s", "dBm", "ops", "bytes", "none", "dateTimeAsIso", "string", "suffix:m"}

func TestEveryPanelSaysWhatItShowsAndInWhichUnit(t *testing.T) {
	for name, d := range committed(t) {
		if d.Description == "" || d.SchemaVersion != schemaVersion || !slices.Equal(d.Tags, []string{"spotter"}) {
			t.Errorf("%s: description %q, schema %d, tags %v", name, d.Description, d.SchemaVersion, d.Tags)
		}
		titles, ids := map[string]bool{}, map[int]bool{}
		for _, p := range d.Panels {
			what := name + ", " + p.Title
			if p.Title == "" || titles[p.Title] || ids[p.ID] {
				t.Errorf("%s: the title or the id %d is not its own", what, p.ID)
			}
			titles[p.Title], ids[p.ID] = true, true
			if len(p.Description) < 20 || p.FieldConfig.Defaults.NoValue == "" || strings.EqualFold(p.FieldConfig.Defaults.NoValue, "no data") {
				t.Errorf("%s: description %q, empty state %q", what, p.Description, p.FieldConfig.Defaults.NoValue)
			}
			if !slices.Contains(units, p.FieldConfig.Defaults.Unit) {
				t.Errorf("%s: unit %q", what, p.FieldConfig.Defaults.Unit)
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if unit, ok := property.Value.(string); property.ID == "unit" && (!ok || !slices.Contains(units, unit)) {
						t.Errorf("%s, %s: unit %v", what, o.Matcher.Options, property.Value)
					}
				}
			}
			if len(p.Targets) == 0 {
				t.Errorf("%s: asks nothing", what)
			}
			if p.GridPos.W < 1 || p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: does not fit: %+v", what, p.GridPos)
			}
			for _, other := range d.Panels {
				if other.ID != p.ID && overlap(p.GridPos, other.GridPos) {
					t.Errorf("%s: lies over %s", what, other.Title)
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Label == "" || v.Description == "" {
				t.Errorf("%s: the variable %s does not say what it is", name, v.Name)
			}
		}
	}
}

func overlap(a, b gridPos) bool {
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// builtIn are the variables that Grafana knows by itself, and here are used.
var builtIn = []string{"timeFilter", "__interval", "__rate_interval", "__url_time_range", "__value", "__all"}

var dollar = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// TestNothingIsLeftForAnImportToResolve: Grafana resolves __inputs and their ${DS_X}
// only for a person who imports a dashboard; and a second uid, or title in the
// folder, stops it from loading any.
func TestNothingIsLeftForAnImportToResolve(t *testing.T) {
	uids, titles := map[string]string{}, map[string]string{}
	sources := datasources(t)
	for name, d := range committed(t) {
		text, err := os.ReadFile(filepath.Join(provisioning, "dashboards", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"__inputs", "__requires", "__elements", "${DS_", "libraryPanel", `"id": null`, "[["} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s: has %s", name, bad)
			}
		}
		if other := uids[d.UID] + titles[d.Title]; other != "" {
			t.Errorf("%s: the uid or title is that of %s too", name, other)
		}
		uids[d.UID], titles[d.Title] = name, name
		if d.UID+".json" != name || len(d.UID) < 8 || len(d.UID) > 40 || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(d.UID) {
			t.Errorf("%s: uid %q", name, d.UID)
		}
		known := map[string]string{}
		for _, v := range d.Templating.List {
			if known[v.Name] != "" {
				t.Errorf("%s: variable %s twice", name, v.Name)
			}
			known[v.Name] = v.Type
			if v.Type == "datasource" && sources[v.Current.Value] != v.Query {
				t.Errorf("%s: the variable %s begins with %s, which is no provisioned %s", name, v.Name, v.Current.Value, v.Query)
			}
			if v.Type == "datasource" && v.Current.Text != datasourceName(t, v.Current.Value) {
				t.Errorf("%s: the variable %s calls its datasource %s", name, v.Name, v.Current.Text)
			}
		}
		for _, m := range dollar.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(m[1], "tag_") || m[1] == "col" {
				continue // of an alias
			}
			if known[m[1]] == "" && !slices.Contains(builtIn, m[1]) {
				t.Errorf("%s: %s is no variable of it", name, m[0])
			}
		}
		reference := func(r reference) {
			if variable := strings.Trim(r.UID, "${}"); known[variable] != "datasource" {
				t.Errorf("%s: datasource %q is no variable of it", name, r.UID)
			}
		}
		for _, p := range d.Panels {
			reference(p.Datasource)
			for _, target := range p.Targets {
				reference(target.Datasource)
			}
			if !slices.Contains([]string{"timeseries", "table", "stat", "state-timeline", "xychart"}, p.Type) {
				t.Errorf("%s, %s: %s is no panel of Grafana's own", name, p.Title, p.Type)
			}
		}
	}
}

var address = regexp.MustCompile(`"url": "([^"]*)"`)

// TestLinksLeadSomewhere follows each link to a dashboard, whose variables must be
// there, or to a page of the board.
func TestLinksLeadSomewhere(t *testing.T) {
	boards := committed(t)
	pages := regexp.MustCompile(`^(/|/devices|/athletes/\$\{[^/]+\})$`)
	for name, d := range boards {
		text, err := os.ReadFile(filepath.Join(provisioning, "dashboards", name))
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Links) < 2 || d.Links[0].Type != "dashboards" || !d.Links[0].IncludeVars || !d.Links[0].KeepTime {
			t.Errorf("%s: does not lead to the others with its variables and time", name)
		}
		for _, m := range address.FindAllStringSubmatch(string(text), -1) {
			if path, ok := strings.CutPrefix(m[1], localBoard); ok {
				if !pages.MatchString(path) {
					t.Errorf("%s: %s is no page of the board", name, m[1])
				}
				continue
			}
			uid, rest, ok := strings.Cut(strings.TrimPrefix(m[1], "/d/"), "?")
			there, found := boards[uid+".json"]
			if !ok || !found {
				t.Errorf("%s: %s leads to no dashboard", name, m[1])
				continue
			}
			for _, set := range regexp.MustCompile(`var-(\w+)=|\$\{(\w+):queryparam\}`).FindAllStringSubmatch(rest, -1) {
				if !slices.ContainsFunc(there.Templating.List, func(v variable) bool { return v.Name == set[1]+set[2] }) {
					t.Errorf("%s: %s sets %s, which %s does not have", name, m[1], set[0], uid)
				}
			}
		}
	}
}
