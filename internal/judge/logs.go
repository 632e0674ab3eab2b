package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/ingest/files"
	"github.com/spotterhq/spotter/internal/lift"
)

// source is a person's training log, of one or more files.
type source struct {
	folder, title, credit string
	unit                  files.Unit
}

// sources are the logs that the page tells of; a folder that is not there is left
// out, and one that is not listed here has no known licence and is not told of.
var sources = []source{
	{"log_strong_breinsp", "Strong", "github.com/breinsp/strong-charts, strong.csv, MIT; kilograms are assumed, the file names no unit", files.Kilograms},
	{"log_hevy_mouadja", "Hevy", "github.com/mouadja02/Hevy-Coach, workout_data.csv, MIT", files.Kilograms},
	{"log_rweightlifting", "rweightlifting", "github.com/titaniumtroop/rweightlifting 0.2.4, inst/extdata, by Nathan Chaney, CC BY 4.0; changed: loads were converted from pounds and added up by week", files.Pounds},
}

// shown are the groups whose weeks stand on the page, all of them.
var shown = []string{deadlifts, "squat_family", "bench_family"}

// diary is what was read of a source.
type diary struct {
	source
	history  analysis.History
	files    int
	refused  int
	unknown  int // sets of exercises that the catalogue does not know
	first    time.Time
	last     time.Time
	findings []lift.Finding
	weeks    []lift.Week
}

// find looks for shared/data beside this folder and those above it.
func find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the training logs: %w", err)
	}
	for {
		at := filepath.Join(dir, "shared", "data")
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			return at, nil
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
		dir = filepath.Dir(dir)
	}
}

// realLogs writes the page of real training logs where they are at hand.
func (o *options) realLogs(out io.Writer) error {
	folder := o.logs
	if folder == "" {
		var err error
		if folder, err = find(); err != nil {
			return err
		}
	}
	var diaries []*diary
	for _, s := range sources {
		if folder == "" {
			break
		}
		d, err := read(folder, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.folder, err)
		}
		if d != nil {
			diaries = append(diaries, d)
		}
	}
	if len(diaries) < len(sources) {
		fmt.Fprintf(out, "NOT RUN ON ALL REAL LOGS: %d of %d are in a folder shared/data beside the project; docs/judge-logs.md is left as it is\n", len(diaries), len(sources))
		return nil
	}
	var page bytes.Buffer
	writeLogs(&page, diaries)
	if err := os.WriteFile(filepath.Join(o.docs, "judge-logs.md"), page.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// read takes a log's files and judges what is in them; nil where the folder is not
// there.
func read(folder string, s source) (*diary, error) {
	paths, err := filepath.Glob(filepath.Join(folder, s.folder, "*.csv"))
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	slices.Sort(paths)
	d := &diary{source: s, files: len(paths), history: analysis.History{Site: "main", Athlete: "lifter"}}
	for _, path := range paths {
		if err := d.read(path); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	now := d.last.AddDate(0, 0, 14)
	d.findings = analysis.Judge(d.history, analysis.Settings{}, now)
	d.weeks = analysis.Weeks(d.history, analysis.Settings{}, now)
	return d, nil
}

func (d *diary) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	in, err := files.Open(f, files.Options{Unit: d.unit, Zone: time.UTC})
	if err != nil {
		return err
	}
	for row, err := range in.Rows() {
		if _, refused := errors.AsType[*files.RowError](err); refused {
			d.refused++
			continue
		}
		if err != nil {
			return err
		}
		s := row.Set
		if s == nil { // a rep: these logs have none
			continue
		}
		id, known := exerciseOf(s)
		if !known {
			d.unknown++
		}
		if d.first.IsZero() || s.Time.Before(d.first) {
			d.first = s.Time
		}
		if s.Time.After(d.last) {
			d.last = s.Time
		}
		d.history.Logged = append(d.history.Logged, lift.LoggedSet{
			ID: s.ID, Site: "main", Athlete: "lifter", Exercise: id, Time: s.Time, Number: s.Number, Reps: s.Reps, LoadKg: s.LoadKg, Warmup: s.Warmup,
		})
	}
	return nil
}

// exerciseOf is the catalogue's exercise of a set, or else its name as an id.
func exerciseOf(s *files.Set) (lift.ExerciseID, bool) {
	if e, ok := catalogue.MatchColumns(s.Exercise, s.Equipment, s.Variant); ok {
		return e.ID, true
	}
	if e, ok := catalogue.Match(s.Exercise); ok && s.Equipment == "" && s.Variant == "" {
		return e.ID, true
	}
	id := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '_'
	}, strings.Join([]string{s.Exercise, s.Equipment, s.Variant}, " "))
	return lift.ExerciseID("x" + id[:min(len(id), 60)]), false
}

func writeLogs(w io.Writer, diaries []*diary) {
	p := func(format string, a ...any) { fmt.Fprintf(w, format, a...) }
	p("# What the rules say of real training logs\n\n")
	p("`make judge` writes this page where the logs are beside the project; without them it stays as it is. The logs have sets, reps and loads, and neither velocities nor pain: the rules of velocity and pain are silent. Nobody knows which weeks were too much for these lifters, so that nothing here is right or wrong; the tables are for a coach to look through. Only weekly sums are kept here. Each row is a week of a group in which it was trained; change is of the volume against the baseline, and an alert may stand on sets or reps instead.\n\n")
	p("Sources: ")
	for i, d := range diaries {
		if i > 0 {
			p("; ")
		}
		p("*%s*: %s", d.title, d.credit)
	}
	p(".\n\n## Summary\n\n| log | files | sets | rows or sets refused | sets of unknown exercises | from | to | findings |\n|---|---|---|---|---|---|---|---|\n")
	for _, d := range diaries {
		p("| %s | %d | %d | %d | %d | %s | %s | %d |\n", d.title, d.files, len(d.history.Logged), d.refused, d.unknown,
			d.first.Format(time.DateOnly), d.last.Format(time.DateOnly), len(d.findings))
	}
	p("\nWeeks that a rule spoke in, of the weeks in which the group was trained:\n\n| log | group | weeks | judged |")
	rules := []lift.Rule{analysis.WeeklyVolume, analysis.WeeklyLoad, analysis.SessionSpike, analysis.HeavyFrequency, analysis.Accessory}
	for _, r := range rules {
		p(" %s |", r)
	}
	p(" weekly-volume as warning or worse |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, d := range diaries {
		for _, group := range d.groups() {
			weeks, judged := 0, 0
			for _, x := range d.weeks {
				if x.Group == group {
					weeks++
					if x.State == lift.WeekFull || x.State == lift.WeekProvisional {
						judged++
					}
				}
			}
			p("| %s | %s | %d | %d |", d.title, group, weeks, judged)
			for _, r := range rules {
				p(" %d |", d.spoke(group, func(f *lift.Finding) bool { return f.Rule == r }))
			}
			p(" %d |\n", d.spoke(group, func(f *lift.Finding) bool {
				return f.Rule == analysis.WeeklyVolume && f.Severity.Rank() >= lift.Warning.Rank()
			}))
		}
	}
	for _, d := range diaries {
		p("\n## %s\n\n| week | group | volume, kg | sets | top, kg | baseline, kg | change, %% | state | flags |\n|---|---|---|---|---|---|---|---|---|\n", d.title)
		for _, x := range d.weeks {
			if !slices.Contains(shown, x.Group) {
				continue
			}
			p("| %s | %s | %.0f | %d | %s | %s | %s | %s | %s |\n", x.Week, strings.TrimSuffix(x.Group, "_family"), x.VolumeKg, x.Sets,
				optional("%.1f", x.TopLoadKg), optional("%.0f", x.BaselineKg), optional("%+.0f", x.ChangePct), x.State, d.flags(&x))
		}
	}
}

func optional(format string, v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf(format, *v)
}

// groups are those shown, and all other groups of ten weeks or more.
func (d *diary) groups() []string {
	n := map[string]int{}
	for _, x := range d.weeks {
		n[x.Group]++
	}
	var of []string
	for _, g := range shown {
		if n[g] > 0 {
			of = append(of, g)
		}
	}
	var others []string
	for g, weeks := range n {
		if weeks >= 10 && !slices.Contains(shown, g) && !strings.HasPrefix(g, "x") {
			others = append(others, g)
		}
	}
	slices.Sort(others)
	return append(of, others...)
}

// spoke counts the weeks in which a finding of a group was made.
func (d *diary) spoke(group string, accept func(f *lift.Finding) bool) int {
	weeks := map[string]bool{}
	for i := range d.findings {
		if f := &d.findings[i]; f.Group == group && accept(f) {
			y, w := f.Window.From.ISOWeek()
			weeks[fmt.Sprint(y, w)] = true
		}
	}
	return len(weeks)
}

// flags are what rules said of a week.
func (d *diary) flags(w *lift.Week) string {
	n := map[string]int{}
	var order []string
	for i := range d.findings {
		f := &d.findings[i]
		if f.Group != w.Group || f.Window.From.Before(w.From) || !f.Window.From.Before(w.To) {
			continue
		}
		name := fmt.Sprintf("%s %s", f.Rule, f.Severity)
		if n[name]++; n[name] == 1 {
			order = append(order, name)
		}
	}
	for i, name := range order {
		if n[name] > 1 {
			order[i] = fmt.Sprintf("%s ×%d", name, n[name])
		}
	}
	return strings.Join(order, ", ")
}
