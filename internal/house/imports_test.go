package house

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// room keeps a library in the few folders that may know it.
type room struct {
	library string   // an import path, with everything below it
	in      []string // where it may be imported
	tests   bool     // any test may use it too, as an independent client
	why     string
}

// rooms is the strict list: a library that is not here may be used anywhere.
var rooms = []room{
	{"github.com/eclipse/paho.mqtt.golang", []string{"ingest/mqtt", "internal/sim", "internal/bench"}, true,
		"MQTT has two ends, the ingester and the simulated sensors; the bench's ceiling is an empty subscriber"},
	{"github.com/influxdata/influxdb-client-go", []string{"ingest/influx"}, false,
		"its asynchronous API loses points; one package knows how to use it"},
	{"github.com/labstack/echo", []string{"api"}, false,
		"Echo v4 ends in 2027; nobody else may depend on it"},
	{"github.com/danielgtaylor/huma", []string{"api"}, false,
		"operations are described where they are served"},
	{"github.com/nats-io", []string{"internal/journal"}, true,
		"the log can be replaced only while one package knows what it is"},
	{"github.com/synadia-io/orbit.go", []string{"internal/journal"}, false,
		"part of the log"},
	{"modernc.org/sqlite", []string{"internal/view", "internal/notify"}, false,
		"the view can be thrown away and rebuilt, and nobody else may keep anything in it; the outbox is a file of its own"},
	{"database/sql", []string{"internal/view", "internal/notify"}, false,
		"the queries of the view and of the outbox are their own"},
	{"github.com/parquet-go/parquet-go", []string{"internal/table"}, true,
		"its interface still moves; one package knows how to use it"},
	{"github.com/nicholas-fedor/shoutrrr", []string{"internal/notify"}, false,
		"its errors hold addresses, and it takes no context; one package knows how to use it"},
}

// levels gives every folder its height; an import must lead to a lower one or stay
// in its own. What lies below a named folder belongs to it; a new top folder has no
// height until it is given one here.
var levels = map[string]int{
	"cmd":            50,
	"dashboards":     50, // a program that writes JSON; its tests know the follower
	"internal/bench": 50,
	"internal/judge": 50,

	"ingest/mqtt":   41,
	"ingest/influx": 41,
	"ingest/bridge": 41,

	"ingest/conformance": 41, // it reads with ingest's decoder

	"ingest":             40,
	"api":                40,
	"internal/monitor":   40,
	"internal/segmenter": 40,
	"internal/sim":       40,

	"internal/notify": 38, // the API shows its channels and deliveries

	"internal/backtest": 30,
	"internal/backup":   30,
	"internal/importer": 30,
	"internal/roster":   30,
	"internal/privacy":  30, // it works on the log and the view

	"internal/view": 25, // it follows the log, and reads its events

	"internal/journal": 20,
	"analysis":         20,

	"internal/authority": 16,

	"internal/check":  15,
	"internal/access": 15,

	"ingest/files":      12, // a reader of bytes, for whoever has some
	"internal/exercise": 12,
	"internal/payload":  12,
	"internal/table":    12,

	"internal/lift":  10,
	"internal/queue": 10,
	"internal/feed":  10,

	"internal/house": 0,
}

// onlyImports limits what of this module and of the standard library a folder's
// production code may import.
var onlyImports = []struct {
	dir    string
	ours   []string // folders of this module
	others bool     // libraries outside of the standard library
	banned []string // of the standard library
}{
	{dir: "internal/lift", banned: []string{"database/sql", "log", "log/slog", "net", "os", "os/exec"}},
	{dir: "internal/exercise", ours: []string{"internal/lift"}, others: true,
		banned: []string{"context", "database/sql", "log", "log/slog", "net", "os", "os/exec"}},
	{dir: "analysis", ours: []string{"internal/lift", "internal/exercise", "analysis"}, others: true,
		banned: []string{"context", "database/sql", "log", "log/slog", "net", "os", "os/exec", "sync"}},
}

func roomBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		for _, p := range s.imports() {
			for _, r := range rooms {
				if !within(p, []string{r.library}) || within(s.dir, r.in) || (r.tests && s.test()) {
					continue
				}
				breaches = append(breaches, fmt.Sprintf("%s imports %s, which belongs in %s: %s",
					path.Join(s.dir, s.name), p, strings.Join(r.in, ", "), r.why))
			}
		}
	}
	return breaches
}

// storey is the folder of levels that holds a folder most closely, or "".
func storey(dir string) string {
	best := ""
	for d := range levels {
		if within(dir, []string{d}) && len(d) > len(best) {
			best = d
		}
	}
	return best
}

func levelBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		if s.test() {
			continue
		}
		here := storey(s.dir)
		if here == "" {
			breaches = append(breaches, fmt.Sprintf("%s has no level; give it one in the levels of this test", s.dir))
			continue
		}
		for _, p := range s.imports() {
			dir, ours := strings.CutPrefix(p, module+"/")
			if !ours {
				continue
			}
			there := storey(dir)
			if there != here && levels[there] >= levels[here] {
				breaches = append(breaches, fmt.Sprintf("%s imports %s: arrows point down only (%d to %d)",
					path.Join(s.dir, s.name), dir, levels[here], levels[there]))
			}
		}
	}
	return breaches
}

func onlyBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		for _, rule := range onlyImports {
			if s.test() || !within(s.dir, []string{rule.dir}) {
				continue
			}
			for _, p := range s.imports() {
				first, _, _ := strings.Cut(p, "/")
				dir, ours := strings.CutPrefix(p, module+"/")
				switch {
				case ours && within(dir, rule.ours):
				case ours, strings.Contains(first, ".") && !rule.others, within(p, rule.banned):
					breaches = append(breaches, fmt.Sprintf("%s imports %s, which %s must not know",
						path.Join(s.dir, s.name), p, rule.dir))
				}
			}
		}
	}
	return breaches
}

// testOnly are the folders that are there for tests and may import testing.
func testOnly(dir string) bool {
	return within(dir, []string{"internal/house"}) || strings.HasSuffix(dir, "test") && path.Base(dir) != "backtest"
}

func testingBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		if s.test() || testOnly(s.dir) {
			continue
		}
		for _, p := range s.imports() {
			dir, ours := strings.CutPrefix(p, module+"/")
			if within(p, []string{"testing"}) || (ours && testOnly(dir)) {
				breaches = append(breaches, fmt.Sprintf("%s imports %s, which is for tests", path.Join(s.dir, s.name), p))
			}
		}
	}
	return breaches
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	all := sources(t)
	report(t, roomBreaches(all))
	for _, r := range rooms {
		requireFolders(t, all, r.in)
	}
}

func TestArrowsPointDown(t *testing.T) {
	all := sources(t)
	report(t, levelBreaches(all))
	requireFolders(t, all, slices.Sorted(maps.Keys(levels)))
}

func TestLiftAndAnalysisStayPure(t *testing.T) {
	all := sources(t)
	report(t, onlyBreaches(all))
	for _, rule := range onlyImports {
		requireFolders(t, all, []string{rule.dir})
	}
}

func TestProductionCodeNeverImportsTesting(t *testing.T) {
	report(t, testingBreaches(sources(t)))
}
