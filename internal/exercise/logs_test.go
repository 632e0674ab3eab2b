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
	rows, known := 0, 0
	unknown := map[string]int{}
	for _, file := range files {
		for _, name := range exercises(t, file) {
			got, ok := c.Match(name)
			rows++
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
	t.Logf("%d of %d rows are of a known exercise; not known: %v", known, rows, unknown)
	if rows < 5000 || float64(known) < 0.98*float64(rows) {
		t.Errorf("only %d of %d rows are of a known exercise", known, rows)
	}
}

// exercises reads the column of names of a log.
func exercises(t *testing.T, file string) []string {
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
	var names []string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		names = append(names, row[column])
	}
}
