package main

import (
	"encoding/csv"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// The documented example, in Python, comes to the same weeks as the server from what
// the command has exported of the demo, and its lines fall as they must: heavier is
// slower.
func TestTheExampleReckonsAsTheServer(t *testing.T) {
	python := need.Binary(t, "python3")
	p := launch(t, "demo", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--seed", "4", "--log-level", "error")
	need.Eventually(t, patience, "eight weeks of history", func() bool { return strings.Contains(p.log.String(), "Eight weeks of history are in") })
	var squad struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	p.get("/api/v1/athletes?team=squad", &squad)
	type sums struct {
		Volume     float64
		Sets, Reps int
	}
	number := func(text string) float64 {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	file := filepath.Join(t.TempDir(), "sets.csv")
	now := time.Now()
	lines := ""
	// They train on, and some of the history may be on its way: what the two say is
	// compared until nothing came in between.
	need.Eventually(t, patience, "the example to say what the server does", func() bool {
		out, errOut, code := spotter("export", "sets", "--server", p.HTTP, "--team", "squad", "--out", "-")
		if code != 0 {
			t.Fatal(errOut)
		}
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := exec.Command(python, filepath.Join("..", "..", "docs", "examples", "training.py"), file).Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		var weeks string
		weeks, lines, _ = strings.Cut(string(text), "\n\n")
		wanted, got, over := map[string]sums{}, map[string]sums{}, map[string]bool{}
		for _, a := range squad.Items {
			for _, w := range list[lift.Week](p, "/api/v1/athletes/"+a.ID+"/weeks?from=2000-01-01T00:00:00Z&") {
				if w.To.Before(now) && w.Sets > 0 {
					over[w.Week] = true
					wanted[a.ID+" "+w.Week+" "+w.Group] = sums{w.VolumeKg, w.Sets, w.Reps}
				}
			}
		}
		for _, row := range rowsOf(t, weeks) {
			if over[row[1]] {
				got[row[0]+" "+row[1]+" "+row[2]] = sums{number(row[3]), int(number(row[4])), int(number(row[5]))}
			}
		}
		difference := cmp.Diff(wanted, got, cmpopts.EquateApprox(1e-9, 0))
		if difference != "" {
			t.Logf("%d weeks (-server +example)\n%.2000s", len(got), difference)
		}
		return difference == "" && len(got) > 20*len(squad.Items)
	})
	found := rowsOf(t, lines)
	for _, row := range found {
		if slope := number(row[3]); slope >= 0 || slope < -0.1 {
			t.Errorf("a line rises or falls too fast: %v", row)
		}
	}
	if len(squad.Items) < 3 || len(found) < len(squad.Items) {
		t.Errorf("only %d lines of %d athletes", len(found), len(squad.Items))
	}
}

func rowsOf(t *testing.T, text string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return rows[min(1, len(rows)):]
}

// A table of a running server and of its folder afterwards is the same, with the
// folder's time zone for dates, and nothing is written over or left half written.
func TestATableIsExportedOfAServerAndOfItsFolder(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	p := launch(t, args...)
	train(t, p)
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(adminToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"reps", "sets"} {
		for _, format := range []string{"csv", "parquet"} {
			file := filepath.Join(dir, what+"."+format)
			if out, errOut, code := spotter("export", what, "--server", p.HTTP, "--token-file", token, "--out", file); code != 0 {
				t.Fatal(out, errOut)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", file, info, err)
			}
		}
	}
	from := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	if out, errOut, code := spotter("export", "reps", "--server", p.HTTP, "--token", adminToken, "--athlete", leaver, "--from", from, "--out", "-"); code != 0 || strings.Count(out, "\n") != 1 {
		t.Errorf("from tomorrow on: %d\n%s%s", code, out, errOut)
	}
	if _, errOut, code := spotter("export", "reps", "--server", p.HTTP, "--token", "wrong", "--out", filepath.Join(dir, "none.csv")); code != exitFailed || !strings.Contains(errOut, "401") {
		t.Errorf("with a wrong token: %d %s", code, errOut)
	}
	if _, errOut, code := spotter("export", "sets", "--server", p.HTTP, "--out", filepath.Join(dir, "sets.csv"), "--from", "soon", "--athlete", "A b"); code != exitUsage ||
		!strings.Contains(errOut, "--out") || !strings.Contains(errOut, "--from") || !strings.Contains(errOut, "athlete") {
		t.Errorf("what cannot be used: %d %s", code, errOut)
	}
	if status := p.do(http.MethodGet, "/api/v1/exports/sets?athlete="+leaver, nil, nil); status != 200 {
		t.Errorf("status %d", status)
	}
	p.stop()
	for _, what := range []string{"reps", "sets"} {
		for _, format := range []string{"csv", "parquet"} {
			file := filepath.Join(dir, "alone-"+what+"."+format)
			if out, errOut, code := spotter("export", what, "--data", data, "--out", file); code != 0 {
				t.Fatal(out, errOut)
			}
			beside, err := os.ReadFile(filepath.Join(dir, what+"."+format))
			if err != nil {
				t.Fatal(err)
			}
			alone, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// A rep may have been provisional and is confirmed.
			if says := strings.NewReplacer("provisional", "", "confirmed", ""); format == "csv" {
				if diff := cmp.Diff(says.Replace(string(beside)), says.Replace(string(alone))); diff != "" || !strings.Contains(string(alone), leaver) {
					t.Errorf("%s: (-server +folder)\n%s", what, diff)
				}
			} else if !strings.HasSuffix(string(alone), "PAR1") || len(alone) < 1000 {
				t.Errorf("%s: no Parquet: %d bytes", what, len(alone))
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*part*"))
	if err != nil || len(left) > 0 {
		t.Error(left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.csv")); err == nil {
		t.Error("what was refused is there")
	}
}
