package files

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// realLogs is the folder of real training logs beside the module, or "".
func realLogs(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		logs := filepath.Join(filepath.Dir(dir), "shared", "data")
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			if _, err := os.Stat(logs); err == nil {
				return logs
			}
			return ""
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

func isoWeek(t time.Time) string {
	year, week := t.ISOWeek()
	return fmt.Sprintf("%d-W%02d", year, week)
}

// tally is what the second count found in a file.
type tally struct {
	sets int
	week map[string]work
}

// work is a week's training, in the file's unit.
type work struct {
	volume, top float64
	reps, sets  int
}

func (w work) and(load float64, reps int) work {
	return work{volume: w.volume + load*float64(reps), top: max(w.top, load), reps: w.reps + reps, sets: w.sets + 1}
}

func (c *tally) add(t *testing.T, date, load, reps string) {
	t.Helper()
	number := func(text string) float64 {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			t.Fatalf("second count: %v", err)
		}
		return n
	}
	done, weight := number(reps), number(load)
	if weight < 0 { // a machine's help
		return
	}
	var y, m, d int
	if _, err := fmt.Sscanf(date, "%d-%d-%d", &y, &m, &d); err != nil {
		var month string
		if _, err := fmt.Sscanf(date, "%d %s %d,", &d, &month, &y); err != nil {
			t.Fatalf("second count: %q: %v", date, err)
		}
		m = strings.Index("JanFebMarAprMayJunJulAugSepOctNovDec", month)/3 + 1
	}
	c.sets++
	week := weekOf(y, m, d)
	c.week[week] = c.week[week].and(weight, int(done))
}

// weekOf counts ISO weeks by hand: the week's year and number are those of its
// Thursday.
func weekOf(y, m, d int) string {
	date := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	thursday := date.AddDate(0, 0, 3-(int(date.Weekday())+6)%7)
	return fmt.Sprintf("%d-W%02d", thursday.Year(), (thursday.YearDay()-1)/7+1)
}

// countAgain counts a file in another way than the package: whole, by the place of
// its columns, with none of its code.
func countAgain(t *testing.T, path string) tally {
	t.Helper()
	c := tally{week: map[string]work{}}
	if strings.Contains(path, "rweightlifting") {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Scan()
		for lines.Scan() { // these files have no quotes
			cells := strings.Split(strings.TrimRight(lines.Text(), ","), ",")
			for i := 4; i+1 < len(cells) && len(cells)%2 == 0; i += 2 {
				c.add(t, cells[0], cells[i], cells[i+1])
			}
		}
		return c
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		if strings.Contains(path, "hevy") {
			c.add(t, r[1], cmp.Or(r[9], "0"), r[10]) // a pull-up has no load
		} else if r[6] != "0" { // a plank has no reps
			c.add(t, r[0], r[5], r[6])
		}
	}
	return c
}

func TestRealLogsAreReadWholeAndTheirWeeksAgreeWithASecondCount(t *testing.T) {
	logs := realLogs(t)
	if logs == "" {
		t.Log("NOT RUN ON REAL LOGS: there is no folder shared/data with training logs beside the module")
		return
	}
	paths, err := filepath.Glob(filepath.Join(logs, "log_*", "*.csv"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no logs in %s: %v", logs, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			unit, factor := Kilograms, 1.0
			if strings.Contains(path, "rweightlifting") {
				unit, factor = Pounds, 0.45359237
			}
			format, sets, refused := read(t, string(text), Options{Unit: unit, Zone: berlin(t)})

			told := map[int]bool{} // lines
			for _, s := range sets {
				told[s.Line] = true
			}
			for _, r := range refused {
				told[r.Line] = true
				t.Log(r)
			}
			for i, line := range strings.Split(string(text), "\n") {
				if i > 0 && strings.TrimSpace(line) != "" && !told[i+1] {
					t.Errorf("line %d is neither taken nor listed: %s", i+1, line)
				}
			}
			if len(ids(sets)) != len(sets) {
				t.Errorf("%d sets have %d ids", len(sets), len(ids(sets)))
			}

			want := countAgain(t, path)
			if len(sets) != want.sets {
				t.Errorf("%d sets, the second count has %d", len(sets), want.sets)
			}
			got := map[string]work{}
			for _, s := range sets {
				load := 0.0
				if s.LoadKg != nil {
					load = *s.LoadKg
				}
				got[isoWeek(s.Time)] = got[isoWeek(s.Time)].and(load, s.Reps)
			}
			for _, week := range slices.Sorted(maps.Keys(want.week)) {
				g, w := got[week], want.week[week]
				if math.Abs(g.volume-w.volume*factor) > 1e-6 || math.Abs(g.top-w.top*factor) > 1e-9 || g.reps != w.reps || g.sets != w.sets {
					t.Errorf("%s: %+v, the second count times %g has %+v", week, g, factor, w)
				}
			}
			if len(got) != len(want.week) {
				t.Errorf("%d weeks, the second count has %d", len(got), len(want.week))
			}
			t.Logf("%s: %d sets in %d weeks, %d rows or sets not taken", format, len(sets), len(got), len(refused))
		})
	}
}

func TestAnEarlierExportOfARealLogHasTheSameIds(t *testing.T) {
	logs := realLogs(t)
	if logs == "" {
		t.Log("NOT RUN ON REAL LOGS: there is no folder shared/data with training logs beside the module")
		return
	}
	paths, err := filepath.Glob(filepath.Join(logs, "log_*", "*.csv"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no logs in %s: %v", logs, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Unit: Kilograms, Zone: time.UTC}
		_, whole, _ := read(t, string(text), o)
		known := ids(whole)
		middle := whole[len(whole)/2]
		end := 0 // of the last line of the workouts before the middle one's
		for i, s := range whole {
			if s.Time.Equal(middle.Time) {
				break
			}
			end = whole[i].Line
		}
		lines := strings.SplitAfterN(string(text), "\n", end+1)
		_, part, _ := read(t, strings.Join(lines[:end], ""), o)
		if len(part) == 0 || len(part) >= len(whole) {
			t.Errorf("%s: %d of %d sets are no part", filepath.Base(path), len(part), len(whole))
		}
		for id, what := range ids(part) {
			if known[id] != what {
				t.Errorf("%s: %s is %q in the whole", filepath.Base(path), what, known[id])
			}
		}
	}
}
