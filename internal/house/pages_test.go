package house

import (
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/analysis"
)

// page reads one of the pages that users read.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// quoted is every part of a line that stands in backquotes.
func quoted(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// tableRows are the cells of each row whose first cell begins with the given text in
// backquotes.
func tableRows(text, first string) [][]string {
	var all [][]string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| `"+first) {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

func TestTheOperationsPageIsTrue(t *testing.T) {
	operations := page(t, "operations.md")
	program := build(t)

	told := map[string]string{}
	settings, _, _ := strings.Cut(operations, "## The data folder")
	for _, cells := range tableRows(settings, "--") {
		for _, flag := range quoted(cells[0]) {
			told[flag] = strings.Join(quoted(cells[1]), " ")
		}
	}
	delete(told, "--log-level")
	delete(told, "--log-format")
	if diff := cmp.Diff(program.flags(t, "serve"), told); diff != "" {
		t.Errorf("settings (-program +operations.md):\n%s", diff)
	}

	// Nothing listens on port 1: the metrics of InfluxDB are there all the same.
	url := program.serve(t, "--fsync", "100ms", "--influx-url", "http://127.0.0.1:1")
	get(t, url+"/healthz")
	get(t, url+"/api/v1/alerts/stream?last_event_id=999999999") // is reset
	var shown, named []string
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (spotter_\w+)`).FindAllSubmatch(get(t, url+"/metrics"), -1) {
		shown = append(shown, string(m[1]))
	}
	for _, cells := range tableRows(operations, "spotter_") {
		named = append(named, quoted(cells[0])...)
	}
	slices.Sort(shown)
	slices.Sort(named)
	if diff := cmp.Diff(shown, named); diff != "" {
		t.Errorf("metrics (-program +operations.md):\n%s", diff)
	}
}

func TestTheRulesPageIsTrue(t *testing.T) {
	rules := page(t, "rules.md")
	limits, told := map[string]string{}, map[string]string{}
	for _, rule := range analysis.Rules() {
		for name, value := range analysis.DefaultLimits().Of(rule) {
			// One number, or one for each phase of the plan.
			limits[string(rule)+"."+name] = strings.Join(strings.Fields(strings.Trim(fmt.Sprint(value), "[]")), ", ")
		}
		for _, cells := range tableRows(rules, string(rule)+".") {
			told[quoted(cells[0])[0]] = cells[1]
		}
		if !strings.Contains(rules, "\n## "+string(rule)+"\n") {
			t.Errorf("%s has no section", rule)
		}
	}
	if diff := cmp.Diff(limits, told); diff != "" {
		t.Errorf("defaults (-program +rules.md):\n%s", diff)
	}
}

var (
	testName = regexp.MustCompile("`(Test[A-Z]\\w*)`")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// TestTheDocsLeadSomewhere follows every link of the pages, and looks for every test
// that they name.
func TestTheDocsLeadSomewhere(t *testing.T) {
	known := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test() {
				known[f.Name.Name] = true
			}
		}
	}
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil || len(pages) < 6 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, file := range pages {
		name := filepath.Base(file)
		text := page(t, name)
		for _, m := range testName.FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				t.Errorf("%s names %s, which is no test of ours", name, m[1])
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if wrong := broken(t, name, m[1]); wrong != "" {
				t.Errorf("%s links to %s: %s", name, m[1], wrong)
			}
		}
	}
}

// broken says why a link of a page leads nowhere, "" where it leads somewhere.
func broken(t *testing.T, from, target string) string {
	t.Helper()
	if strings.Contains(target, "://") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	if file == "" {
		file = from
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", filepath.FromSlash(file)))
	if err != nil {
		return "there is no such page"
	}
	if anchor == "" {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") && slug(line) == anchor {
			return ""
		}
	}
	return "the page has no such heading"
}

// slug is how a heading is linked to.
func slug(heading string) string {
	text := strings.ToLower(strings.TrimSpace(strings.TrimLeft(heading, "# ")))
	text = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(text, "")
	return strings.ReplaceAll(text, " ", "-")
}
