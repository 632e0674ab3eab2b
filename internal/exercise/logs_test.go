package exercise

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spotterhq/spotter/internal/lift"
)

// barbellWords are names of lifts that a log writes without naming the bar.
var barbellWords = map[string]lift.ExerciseID{
	"squat": "squat", "bench": "bench_press", "deadlift": "deadlift", "press": "overhead_press", "row": "barbell_row",
	"clean": "clean", "rack pull": "rack_pull", "T Bar Row": "t_bar_row",
}

// logs finds real training logs beside the project.
func logs(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for dir := root; ; dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "shared", "data")
		if info, err := os.Stat(found); err == nil && info.IsDir() {
			return found
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// TestRealLogsNamesMatch asks for every name of the exercise columns: a barbell
// lift must be known, and of all sets nearly all.
func TestRealLogsNamesMatch(t *testing.T) {
	dir := logs(t)
	if dir == "" {
		t.Skip("NOT RUN ON REAL LOGS: there is no folder shared/data with training logs beside the module or above it")
	}
	c := Standard()
	files, err := filepath.Glob(filepath.Join(dir, "log_*", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d logs in %s, %v", len(files), dir, err)
	}
	rows, known, bars, knownBars := 0, 0, 0, 0
	unknown := map[string]int{}
	for _, file := range files {
		for _, columns := range exercises(t, file) {
			name := columns[0]
			got, ok := c.Match(name)
			rows++
			if equipment, variant := columns[1], columns[2]; strings.TrimSpace(equipment) == "barbell" {
				bars++
				if _, ok := c.MatchColumns(name, equipment, variant); ok {
					knownBars++
				} else {
					unknown[name+", "+equipment+", "+variant]++
				}
			}
			if ok {
				known++
			} else {
				unknown[name]++
			}
			if want, barbell := barbellWords[name]; (barbell && got.ID != want) || (strings.HasSuffix(name, "(Barbell)") && !ok) {
				t.Errorf("%s: Match(%q) is %q, %t", filepath.Base(file), name, got.ID, ok)
			}
		}
	}
	t.Logf("%d of %d rows have a known name, %d of %d barbell rows are known with their variant; not known: %v", known, rows, knownBars, bars, unknown)
	if rows < 5000 || float64(known) < 0.98*float64(rows) {
		t.Errorf("only %d of %d rows have a known name", known, rows)
	}
	if bars < 2000 || float64(knownBars) < 0.98*float64(bars) {
		t.Errorf("only %d of %d barbell rows are known with their variant", knownBars, bars)
	}
}

// exercises reads the name, equipment and variant of a log's rows; only some logs have
// the latter two.
func exercises(t *testing.T, file string) [][3]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	column := slices.IndexFunc(head, func(name string) bool {
		return slices.Contains([]string{"exercise", "Exercise Name", "exercise_title"}, name)
	})
	if column < 0 {
		t.Fatalf("%s has no column of exercises: %q", file, head)
	}
	others := [2]int{slices.Index(head, "equipment"), slices.Index(head, "variant")}
	var names [][3]string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		columns := [3]string{row[column]}
		for i, at := range others {
			if at >= 0 {
				columns[i+1] = row[at]
			}
		}
		names = append(names, columns)
	}
}
