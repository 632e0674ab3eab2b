package exercise

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

var update = flag.Bool("update", false, "write the table of docs/exercises.md anew")

const (
	tableBegins = "<!-- The table is written by `go test ./internal/exercise -update`. -->\n"
	tableEnds   = "<!-- Here the table ends. -->\n"
)

// row is an exercise as a line of the page.
func row(e *lift.Exercise) string {
	cells := []string{"`" + string(e.ID) + "`", e.Name, "", e.Pattern, e.SpinalLoad, "", "", strings.Join(e.Aliases, "; ")}
	if e.Group != string(e.ID) {
		cells[2] = e.Group
	}
	if e.PosteriorChain {
		cells[5] = "yes"
	}
	if e.MinVelocity != nil {
		cells[6] = fmt.Sprintf("%.2f", *e.MinVelocity)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func table(c *Catalogue) string {
	var b strings.Builder
	b.WriteString("| id | name | group, where not its own | pattern | spinal load | posterior chain | m/s at the maximum | other names |\n|---|---|---|---|---|---|---|---|\n")
	sources := ""
	for _, e := range c.All() {
		b.WriteString(row(&e))
		if e.MinVelocity != nil {
			sources += fmt.Sprintf("- %s, %.2f m/s: %s.\n", e.Name, *e.MinVelocity, e.MinVelocitySource)
		}
		if e.Slope != nil {
			sources += fmt.Sprintf("- %s, %g %% of the maximum for each m/s: %s.\n", e.Name, *e.Slope, e.SlopeSource)
		}
	}
	return b.String() + "\nWhere the velocities are from:\n\n" + sources
}

func TestTheExercisesPageIsTrue(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "exercises.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), tableBegins)
	told, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatal("the page has no place for the table")
	}
	want := "\n" + table(Standard()) + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("exercises.md (-data +page); write it anew with -update:\n%s", diff)
	}
}

// TestThePagesExampleIsTaken reads the file that the page shows.
func TestThePagesExampleIsTaken(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "exercises.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	own, err := Read(strings.NewReader(example))
	if err != nil || len(own) == 0 {
		t.Fatalf("%d exercises, %v", len(own), err)
	}
	if _, err := Standard().With(own); err != nil {
		t.Error(err)
	}
	for _, word := range append(patterns, spinalLoads...) {
		if !strings.Contains(string(page), "`"+word+"`") {
			t.Errorf("the page does not name %s", word)
		}
	}
}
