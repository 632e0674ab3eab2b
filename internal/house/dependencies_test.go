package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// requirement is a module that go.mod asks for.
type requirement struct {
	Path, Version string
	Indirect      bool
}

// row is a line of the table in docs/dependencies.md.
type row struct{ module, version, released, licence, why string }

// rows reads the table; its first cell is the module's path in backquotes.
func rows(page string) ([]row, error) {
	var all []row
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 5 || slices.Contains(cells, "") {
			return nil, fmt.Errorf("row %q: want five filled cells", strings.TrimSpace(line))
		}
		all = append(all, row{strings.Trim(cells[0], "`"), cells[1], cells[2], cells[3], cells[4]})
	}
	return all, nil
}

var date = regexp.MustCompile(`^20[0-9]{2}-[01][0-9]-[0-3][0-9]$`)

// dependencyBreaches compares the page with go.mod. Only in a finished house must
// each row be a direct requirement.
func dependencyBreaches(required []requirement, page []row, finished bool) []string {
	var breaches []string
	listed := map[string]row{}
	for _, r := range page {
		if _, twice := listed[r.module]; twice {
			breaches = append(breaches, r.module+" is on the page twice")
		}
		if !date.MatchString(r.released) {
			breaches = append(breaches, fmt.Sprintf("%s: released %q, want a date like 2026-11-22", r.module, r.released))
		}
		listed[r.module] = r
	}
	direct := map[string]bool{}
	for _, q := range required {
		r, ok := listed[q.Path]
		if !q.Indirect {
			direct[q.Path] = true
			if !ok {
				breaches = append(breaches, q.Path+" is required by go.mod but not on the page")
			}
		}
		if ok && r.version != q.Version {
			breaches = append(breaches, fmt.Sprintf("%s: the page says %s, go.mod %s", q.Path, r.version, q.Version))
		}
	}
	for _, r := range page {
		if finished && !direct[r.module] {
			breaches = append(breaches, r.module+" is on the page but go.mod does not require it directly")
		}
	}
	return breaches
}

func TestEveryDependencyIsAccountedFor(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := rows(string(page))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = root
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("go mod edit: %v", err)
	}
	var mod struct{ Require []requirement }
	if err := json.Unmarshal(said, &mod); err != nil {
		t.Fatal(err)
	}
	report(t, dependencyBreaches(mod.Require, table, complete))
}

func TestDependencyRuleBites(t *testing.T) {
	good := row{"a.test/x", "v1.0.0", "2026-01-31", "MIT", "because"}
	for _, c := range []struct {
		required  []requirement
		page      []row
		finished  bool
		complaint string
	}{
		{[]requirement{{"a.test/x", "v1.0.0", false}}, []row{good}, true, ""},
		{[]requirement{{"a.test/x", "v1.0.0", false}}, nil, true, "not on the page"},
		{[]requirement{{"a.test/x", "v1.2.0", true}}, []row{good}, false, "go.mod v1.2.0"},
		{[]requirement{{"a.test/x", "v1.0.0", true}}, []row{good}, true, "does not require it directly"},
		{nil, []row{good}, false, ""},
		{nil, []row{good, good}, false, "twice"},
		{nil, []row{{"a.test/x", "v1.0.0", "spring", "MIT", "because"}}, false, "want a date"},
	} {
		got := strings.Join(dependencyBreaches(c.required, c.page, c.finished), "\n")
		if (c.complaint == "") != (got == "") || !strings.Contains(got, c.complaint) {
			t.Errorf("%v against %v: complaint %q, want %q", c.required, c.page, got, c.complaint)
		}
	}
	if _, err := rows("| `a.test/x` | v1 | 2026-01-31 | MIT | |\n"); err == nil {
		t.Error("a row without a reason was accepted")
	}
}
