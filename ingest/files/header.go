package files

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// layout is where a file has what.
type layout struct {
	*spec
	comma     rune
	heads     []string         // as the file writes them, without the space around
	at        [columns]int     // index of each column in heads, or -1
	parts     [columns]float64 // of measures: see parts
	known     int              // how many of the heads mean something
	unit      Unit             // of the loads, by the heading; "" where it does not say
	otherUnit Unit             // the same of otherLoadColumn
	setsEnd   int              // of a Wide log: behind its last pair
}

func (l *layout) has(c column) bool { return l.at[c] >= 0 }

var inBrackets = regexp.MustCompile(`\s*\(([^()]*)\)$`)

// byteOrderMark stands before what some programs write in UTF-8.
const byteOrderMark = "\uFEFF"

// detect finds the one format and separator that the header fits; a format that is
// given is the only one that is tried.
func detect(begin []byte, only Format) (*layout, error) {
	var fits []*layout
	var nearest *layout
	var lacks, unreadable error
	for _, comma := range []rune{',', ';', '\t'} {
		heads, err := readHeader(begin, comma)
		if err != nil {
			unreadable = err
			continue
		}
		for _, s := range specs() {
			if only != "" && s.format != only {
				continue
			}
			l, err := lay(s, comma, heads)
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
	case nearest == nil && unreadable == nil:
		return nil, fmt.Errorf("%w: the file has headings; %s has none", ErrFormat, only)
	case nearest == nil:
		return nil, fmt.Errorf("%w: %w", ErrFormat, unreadable)
	case nearest.known == 0:
		return nil, fmt.Errorf("%w: the header has no heading of a training log: %q", ErrFormat, clip(strings.Join(nearest.heads, " ")))
	case only != "":
		return nil, fmt.Errorf("%w: the header is not one of %s: %w", ErrFormat, only, lacks)
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

func newRows(r io.Reader, comma rune) *csv.Reader {
	rows := csv.NewReader(r)
	rows.Comma = comma
	rows.FieldsPerRecord = -1
	return rows
}

// lay finds a format's columns among the headings. Beside an error it returns what it
// has found.
func lay(s *spec, comma rune, heads []string) (*layout, error) {
	l := &layout{spec: s, comma: comma, heads: heads}
	for c := range l.at {
		l.at[c] = -1
	}
	for i, head := range heads {
		name := strings.Join(strings.Fields(strings.ToLower(head)), " ")
		bracket := ""
		if m := inBrackets.FindStringSubmatch(name); m != nil {
			name, bracket = strings.TrimSuffix(name, m[0]), strings.TrimSpace(m[1])
		}
		h, ok := s.headings[name]
		if !ok {
			continue
		}
		if bracket == "" {
			bracket = h.unit
		}
		if err := l.put(i, h.column, bracket); err != nil {
			return l, err
		}
	}
	for _, c := range s.required {
		if !l.has(c) {
			return l, fmt.Errorf("it has no column %s", s.wanted(c))
		}
	}
	if s.check != nil {
		return l, s.check(l)
	}
	return l, nil
}

// put makes the heading at an index the column, with a unit as the file writes it.
func (l *layout) put(i int, c column, text string) error {
	var unit Unit
	if c == loadColumn && text != "" {
		var ok bool
		if unit, ok = parseUnit(text); !ok {
			return fmt.Errorf("column %d (%q) is in neither kg nor lb", i+1, clip(l.heads[i]))
		}
		if l.format == FitNotes && l.has(loadColumn) && l.unit != unit {
			c = otherLoadColumn
		}
	}
	if l.has(c) {
		return fmt.Errorf("columns %d (%q) and %d (%q) say the same", l.at[c]+1, clip(l.heads[l.at[c]]), i+1, clip(l.heads[i]))
	}
	l.at[c] = i
	l.known++
	switch c {
	case loadColumn:
		l.unit = unit
	case otherLoadColumn:
		l.otherUnit = unit
	default:
		if units, measure := parts[c]; measure {
			n, ok := units[text]
			if !ok {
				return fmt.Errorf("column %d (%q) does not say its unit, or one that is not known", i+1, clip(l.heads[i]))
			}
			l.parts[c] = n
		}
	}
	return nil
}

// wanted are the headings that a missing column may have.
func (s *spec) wanted(c column) string {
	var all []string
	for name, means := range s.headings {
		if means.column == c {
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
