package importer

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/ingest/files"
)

// The logs of real people lie beside the module, on some machines. Through the whole
// way their weeks must be what a second count finds, that shares no code with it.
func TestRealLogsAreImportedWholeAndTheirWeeksAgreeWithASecondCount(t *testing.T) {
	logs := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(logs); err != nil {
		t.Log("NOT RUN ON REAL LOGS: there is no folder shared/data with training logs beside the module")
		return
	}
	for _, l := range []struct {
		path             string
		unit             files.Unit
		date, load, reps int // columns
		layout           string
	}{
		{"log_strong_breinsp/strong.csv", files.Kilograms, 0, 5, 6, "2006-01-02 15:04:05"},
		{"log_hevy_mouadja/workout_data.csv", "", 1, 9, 10, "2 Jan 2006, 15:04"},
	} {
		t.Run(l.path, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(logs, l.path))
			if err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			number := func(text string) float64 {
				n, err := strconv.ParseFloat(cmp.Or(strings.TrimSpace(text), "0"), 64)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			counted, sets := map[string]float64{}, 0
			for _, r := range rows[1:] {
				if number(r[l.reps]) == 0 { // a plank, a rest timer
					continue
				}
				at, err := time.Parse(l.layout, r[l.date])
				if err != nil {
					t.Fatal(err)
				}
				counted[week(at)] += number(r[l.load]) * number(r[l.reps])
				sets++
			}

			g := newGym(t)
			r, _ := g.bring(Request{Unit: l.unit, Zone: time.UTC}, string(text))
			if r.Added != sets {
				t.Errorf("%d sets, the second count has %d; not taken: %+v", r.Added, sets, r.NotTaken)
			}
			h, err := g.view.History(t.Context(), "ana", time.Time{}, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			stored := map[string]float64{}
			for _, s := range h.Logged {
				load := 0.0
				if s.LoadKg != nil {
					load = *s.LoadKg
				}
				stored[week(s.Time)] += load * float64(s.Reps)
			}
			near := gocmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })
			if d := gocmp.Diff(counted, stored, near); d != "" {
				t.Errorf("kg a week, - counted, + stored:\n%s", d)
			}
			if again, grew := g.bring(Request{Unit: l.unit, Zone: time.UTC}, string(text)); grew != 0 || again.Same != sets {
				t.Errorf("again: the log grew by %d, %+v", grew, again)
			}
			t.Logf("%d sets in %d weeks, %d rows not taken", sets, len(stored), len(r.NotTaken))
		})
	}
}

func week(t time.Time) string {
	year, week := t.ISOWeek()
	return fmt.Sprintf("%d-W%02d", year, week)
}
