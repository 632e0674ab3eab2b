package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Format is a kind of training log.
type Format string

const (
	// Strong is the export of the app Strong, in all variants known: separated by
	// comma or semicolon, the unit of load in no column, a column of its own or the
	// heading, English or German headings. Set order W is a warm-up, D and F are
	// counted sets; rows of rest timers and notes are not sets.
	Strong Format = "strong"
	// Hevy is the export of the app Hevy, with weight_kg or weight_lbs.
	Hevy Format = "hevy"
	// Wide is the log of the R package rweightlifting: a row for each day and
	// exercise, with set1weight, set1reps, set2weight and so on. It tells no unit.
	Wide Format = "rweightlifting"
	// Plain is for logs of any other origin: date (2026-11-22), exercise, reps and
	// load_kg (or load_lb); and, if wanted, time (17:03), set (from 1) and warmup
	// (true or false). An empty time is not known; an empty load_kg is not noted.
	Plain Format = "plain"
)

// column is what a column means.
type column int

const (
	dateColumn column = iota
	timeColumn
	workoutColumn
	exerciseColumn
	equipmentColumn
	variantColumn
	numberColumn
	kindColumn
	loadColumn
	unitColumn
	repsColumn
	distanceColumn
	secondsColumn
	warmupColumn
	columns
)

// headings are each format's headings, in lower case and without a unit in brackets.
// The German ones of Strong are as users report them; its files were not at hand.
var headings = map[Format]map[string]column{
	Strong: {
		"date": dateColumn, "datum": dateColumn,
		"workout name": workoutColumn, "workout-name": workoutColumn,
		"exercise name": exerciseColumn, "name der übung": exerciseColumn,
		"set order": numberColumn, "reihenfolge festlegen": numberColumn,
		"weight": loadColumn, "gewicht": loadColumn,
		"weight unit": unitColumn, "gewichtseinheit": unitColumn,
		"reps": repsColumn, "wiederh.": repsColumn,
		"distance": distanceColumn, "entfernung": distanceColumn,
		"seconds": secondsColumn, "sekunden": secondsColumn,
	},
	Hevy: {
		"start_time": dateColumn, "exercise_title": exerciseColumn,
		"set_index": numberColumn, "set_type": kindColumn,
		"weight_kg": loadColumn, "weight_lbs": loadColumn, "reps": repsColumn,
		"distance_km": distanceColumn, "distance_miles": distanceColumn,
		"duration_seconds": secondsColumn,
	},
	Wide: {
		"date": dateColumn, "exercise": exerciseColumn,
		"equipment": equipmentColumn, "variant": variantColumn,
		"set1weight": loadColumn, "set1reps": repsColumn,
	},
	Plain: {
		"date": dateColumn, "time": timeColumn, "exercise": exerciseColumn,
		"set": numberColumn, "reps": repsColumn, "warmup": warmupColumn,
		"load_kg": loadColumn, "load_lb": loadColumn,
	},
}

// required are the columns that make a file one of a format.
var required = map[Format][]column{
	Strong: {dateColumn, workoutColumn, exerciseColumn, numberColumn, loadColumn, repsColumn},
	Hevy:   {dateColumn, exerciseColumn, numberColumn, kindColumn, loadColumn, repsColumn},
	Wide:   {dateColumn, exerciseColumn, equipmentColumn, variantColumn, loadColumn, repsColumn},
	Plain:  {dateColumn, exerciseColumn, loadColumn, repsColumn},
}

// layout is where a file has what.
type layout struct {
	format  Format
	comma   rune
	heads   []string     // as the file writes them, without the space around
	at      [columns]int // index of each column in heads, or -1
	known   int          // how many of the heads mean something
	unit    Unit         // of the loads, by the heading; "" where it does not say
	setsEnd int          // of a Wide log: behind its last pair
}

func (l *layout) has(c column) bool { return l.at[c] >= 0 }

var (
	inBrackets = regexp.MustCompile(`\s*\(([^()]*)\)$`)
	unitSuffix = regexp.MustCompile(`_(kg|lbs?)$`)
)

// byteOrderMark stands before what some programs write in UTF-8.
const byteOrderMark = "\uFEFF"

// detect finds the one format and separator that the header fits.
func detect(begin []byte) (*layout, error) {
	var fits []*layout
	var nearest *layout
	var lacks, unreadable error
	for _, comma := range []rune{',', ';', '\t'} {
		heads, err := readHeader(begin, comma)
		if err != nil {
			unreadable = err
			continue
		}
		for _, format := range []Format{Strong, Hevy, Wide, Plain} {
			l, err := lay(format, comma, heads)
			if err == nil {
				fits = append(fits, l)
			} else if nearest == nil || l.known > nearest.known {
				nearest, lacks = l, err
			}
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(fits) > 1:
		return nil, fmt.Errorf("%w: the header fits both %s and %s", ErrFormat, fits[0].format, fits[1].format)
	case nearest == nil:
		return nil, fmt.Errorf("%w: %w", ErrFormat, unreadable)
	case nearest.known == 0:
		return nil, fmt.Errorf("%w: the header has no heading of a training log: %q", ErrFormat, clip(strings.Join(nearest.heads, " ")))
	}
	return nil, fmt.Errorf("%w: the header is nearest to %s, but %w", ErrFormat, nearest.format, lacks)
}

func readHeader(begin []byte, comma rune) ([]string, error) {
	rows := newRows(bytes.NewReader(begin), comma)
	heads, err := rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, fmt.Errorf("the header is not CSV: %w", err)
	case len(begin) >= maxHeader-len(byteOrderMark) && rows.InputOffset() == int64(len(begin)):
		return nil, fmt.Errorf("the header is longer than %d bytes", maxHeader)
	}
	for i, h := range heads {
		if !utf8.ValidString(h) || strings.ContainsRune(h, 0) {
			return nil, errors.New("the header is not text in UTF-8; export the log as CSV in UTF-8")
		}
		heads[i] = strings.TrimSpace(h)
	}
	return heads, nil
}

// lay finds a format's columns among the headings. Beside an error it returns what it
// has found.
func lay(format Format, comma rune, heads []string) (*layout, error) {
	l := &layout{format: format, comma: comma, heads: heads}
	for c := range l.at {
		l.at[c] = -1
	}
	for i, head := range heads {
		name := strings.Join(strings.Fields(strings.ToLower(head)), " ")
		bracket := ""
		if m := inBrackets.FindStringSubmatch(name); m != nil {
			name, bracket = strings.TrimSuffix(name, m[0]), m[1]
		}
		c, ok := headings[format][name]
		if !ok {
			continue
		}
		if l.has(c) {
			return l, fmt.Errorf("columns %d (%q) and %d (%q) say the same", l.at[c]+1, clip(heads[l.at[c]]), i+1, clip(head))
		}
		l.at[c] = i
		l.known++
		if c != loadColumn {
			continue
		}
		if m := unitSuffix.FindStringSubmatch(name); m != nil {
			bracket = m[1]
		}
		if bracket != "" {
			unit, ok := parseUnit(bracket)
			if !ok {
				return l, fmt.Errorf("column %d (%q) is in neither kg nor lb", i+1, clip(head))
			}
			l.unit = unit
		}
	}
	for _, c := range required[format] {
		if !l.has(c) {
			return l, fmt.Errorf("it has no column %s", wanted(format, c))
		}
	}
	if format == Wide {
		return l, l.pairs()
	}
	return l, nil
}

// pairs makes sure that the sets of a Wide log stand side by side and in order.
func (l *layout) pairs() error {
	first := l.at[loadColumn]
	end := first
	for n := 1; end < len(l.heads) && strings.HasPrefix(strings.ToLower(l.heads[end]), "set"); n++ {
		for _, what := range []string{"weight", "reps"} {
			want := fmt.Sprintf("set%d%s", n, what)
			if end >= len(l.heads) || !strings.EqualFold(l.heads[end], want) {
				return fmt.Errorf("column %d is not %q", end+1, want)
			}
			end++
		}
	}
	if end != len(l.heads) {
		return fmt.Errorf("column %d (%q) follows the sets", end+1, clip(l.heads[end]))
	}
	l.setsEnd = end
	return nil
}

// wanted are the headings that a missing column may have.
func wanted(format Format, c column) string {
	var all []string
	for name, means := range headings[format] {
		if means == c {
			all = append(all, fmt.Sprintf("%q", name))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " or ")
}

func parseUnit(s string) (Unit, bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "kg", "kgs":
		return Kilograms, true
	case "lb", "lbs":
		return Pounds, true
	}
	return "", false
}

// clip keeps hostile text short enough to be shown in an error.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
