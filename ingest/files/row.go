package files

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// maxNumber bounds a set's number.
const maxNumber = 10_000

// row is one row of a file.
type row struct {
	layout  *layout
	options Options
	line    int
	cells   []string
}

// cell is what the row has in a column, "" where the file has no such column.
func (r row) cell(c column) string {
	if at := r.layout.at[c]; at >= 0 && at < len(r.cells) {
		return strings.TrimSpace(r.cells[at])
	}
	return ""
}

func (r row) refuse(format string, args ...any) error {
	return &RowError{Line: r.line, Reason: fmt.Sprintf(format, args...)}
}

// refuseCell is a RowError that names the heading at an index.
func (r row) refuseCell(at int, reason error) error {
	if errors.Is(reason, ErrZone) {
		return fmt.Errorf("line %d: %w", r.line, reason)
	}
	return &RowError{Line: r.line, Column: clip(r.layout.heads[at]), Reason: reason.Error()}
}

func (r row) refuseColumn(c column, reason error) error {
	return r.refuseCell(r.layout.at[c], reason)
}

// sets are the row's sets, or why they cannot be taken.
func (r row) sets() iter.Seq2[numbered, error] {
	return func(yield func(numbered, error) bool) {
		if r.layout.format == Wide {
			r.wide(yield)
			return
		}
		yield(r.one())
	}
}

// one is the set of a row that is one set.
func (r row) one() (numbered, error) {
	if len(r.cells) != len(r.layout.heads) {
		return numbered{}, r.refuse("has %d cells where the header has %d; a comma in a cell needs quotes around it", len(r.cells), len(r.layout.heads))
	}
	s := numbered{Set: Set{Line: r.line}}
	if err := r.order(&s); err != nil {
		return numbered{}, err
	}
	if err := r.begin(&s); err != nil {
		return numbered{}, err
	}
	unit, err := r.unit()
	if err != nil {
		return numbered{}, err
	}
	if err := r.work(&s.Set, r.layout.at[loadColumn], r.layout.at[repsColumn], unit); err != nil {
		return numbered{}, err
	}
	return s, nil
}

// begin reads what all formats have: when, and which exercise.
func (r row) begin(s *numbered) error {
	names := []struct {
		column column
		to     *string
	}{
		{exerciseColumn, &s.Exercise}, {equipmentColumn, &s.Equipment}, {variantColumn, &s.Variant},
	}
	for _, n := range names {
		name, err := parseName(r.cell(n.column))
		if err != nil {
			return r.refuseColumn(n.column, err)
		}
		*n.to = name
	}
	if s.Exercise == "" {
		return r.refuseColumn(exerciseColumn, errors.New("is empty"))
	}
	when, err := r.moment()
	if err != nil {
		return r.refuseColumn(dateColumn, err)
	}
	s.Time, err = when.in(r.options.Zone)
	if err != nil {
		return r.refuseColumn(dateColumn, err)
	}
	s.Day = when.day
	s.key.workout = when.key()
	return nil
}

func (r row) moment() (moment, error) {
	date, clock := r.cell(dateColumn), r.cell(timeColumn)
	switch {
	case date == "":
		return moment{}, errors.New("is empty")
	case r.layout.format != Plain && r.layout.format != Wide:
		return parseMoment(date)
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return moment{}, fmt.Errorf("%q is not a date such as 2026-11-22", clip(date))
	}
	if clock == "" {
		return parseMoment(date)
	}
	return parseMoment(date + " " + clock)
}

// order reads the set's number and whether it is a warm-up, and refuses rows that
// are no sets.
func (r row) order(s *numbered) error {
	text := r.cell(numberColumn)
	s.key.number = strings.ToLower(text)
	first := 1
	switch r.layout.format {
	case Strong:
		if strings.EqualFold(r.cell(exerciseColumn), "rest timer") {
			return r.refuse("is a rest timer, not a set")
		}
		switch s.key.number {
		case "rest timer", "ruhezeit":
			return r.refuse("is a rest timer, not a set")
		case "note":
			return r.refuse("is a note, not a set")
		case "w":
			s.Warmup = true
			return nil
		case "d", "f":
			return nil
		}
	case Hevy:
		first = 0
		switch kind := strings.ToLower(r.cell(kindColumn)); kind {
		case "warmup":
			s.Warmup = true
		case "normal", "dropset", "failure":
		default:
			return r.refuseColumn(kindColumn, fmt.Errorf("%q is not normal, warmup, dropset or failure", clip(kind)))
		}
	case Plain:
		switch strings.ToLower(r.cell(warmupColumn)) {
		case "true", "yes", "1":
			s.Warmup = true
		case "", "false", "no", "0":
		default:
			return r.refuseColumn(warmupColumn, fmt.Errorf("%q is neither true nor false", clip(r.cell(warmupColumn))))
		}
		if text == "" {
			return nil
		}
	}
	n, err := parseWhole(text, first, maxNumber)
	if err != nil {
		return r.refuseColumn(numberColumn, err)
	}
	s.key.number = strconv.Itoa(n)
	s.Number = new(n + 1 - first)
	return nil
}

// unit is that of the row's load.
func (r row) unit() (Unit, error) {
	if r.layout.unit != "" {
		return r.layout.unit, nil
	}
	text := r.cell(unitColumn)
	if text == "" {
		if r.options.Unit == "" && positive(r.cell(loadColumn)) {
			return "", r.refuseColumn(unitColumn, errors.New("is empty, and no unit is given for such rows"))
		}
		return r.options.Unit, nil
	}
	unit, ok := parseUnit(text)
	if !ok {
		return "", r.refuseColumn(unitColumn, fmt.Errorf("%q is neither kg nor lb", clip(text)))
	}
	return unit, nil
}

// work reads load and reps from the cells at two indices.
func (r row) work(s *Set, loadAt, repsAt int, unit Unit) error {
	reps := strings.TrimSpace(r.cells[repsAt])
	if !positive(reps) {
		if positive(r.cell(distanceColumn)) || positive(r.cell(secondsColumn)) {
			return r.refuse("is a distance or a time, not a set of reps")
		}
		if reps == "" {
			return r.refuseCell(repsAt, errors.New("is empty"))
		}
		if !positive(r.cells[loadAt]) {
			return r.refuse("has neither reps nor load")
		}
	}
	var err error
	if s.Reps, err = parseWhole(reps, 0, maxReps); err != nil {
		return r.refuseCell(repsAt, err)
	}
	if s.LoadKg, err = parseLoad(r.cells[loadAt], unit); err != nil {
		return r.refuseCell(loadAt, err)
	}
	return nil
}
