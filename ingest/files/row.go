package files

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxNumber bounds the number of a set, and of a rep.
const maxNumber = 10_000

// row is one row of a table.
type row struct {
	*table
	line  int
	cells []string
}

// cell is what the row has in a column, "" where the file has no such column.
func (r row) cell(c column) string {
	at := r.at[c]
	if at < 0 || at >= len(r.cells) {
		return ""
	}
	text := strings.TrimSpace(r.cells[at])
	if r.blanks != nil && slices.Contains(r.blanks, text) {
		return ""
	}
	return text
}

func (r row) refuse(format string, args ...any) error {
	return &RowError{Line: r.line, Reason: fmt.Sprintf(format, args...)}
}

// refuseCell is a RowError that names the heading at an index.
func (r row) refuseCell(at int, reason error) error {
	if ends(reason) {
		return fmt.Errorf("line %d: %w", r.line, reason)
	}
	return &RowError{Line: r.line, Column: clip(r.heads[at]), Reason: reason.Error()}
}

func (r row) refuseColumn(c column, reason error) error {
	return r.refuseCell(r.at[c], reason)
}

// complete refuses a row whose cells are not those of the header.
func (r row) complete() error {
	if len(r.cells) != len(r.heads) {
		return r.refuse("has %d cells where the header has %d; a comma in a cell needs quotes around it", len(r.cells), len(r.heads))
	}
	return nil
}

// oneSet reads rows that are one set each. order reads the set's number and whether it
// is a warm-up, and refuses rows that are no sets.
func oneSet(order func(r row, e *entry) error) func(r row, yield func(entry, error) bool) {
	return func(r row, yield func(entry, error) bool) {
		e := entry{Row: Row{Set: &Set{Line: r.line}}}
		err := r.complete()
		if err == nil {
			err = order(r, &e)
		}
		if err == nil {
			err = r.begin(&e)
		}
		if err == nil {
			err = r.load(e.Set)
		}
		if err == nil {
			err = r.reps(e.Set, r.at[repsColumn], positive(r.cell(loadColumn)) || positive(r.cell(otherLoadColumn)))
		}
		yield(e, err)
	}
}

// begin reads what all sets have: when, and which exercise.
func (r row) begin(e *entry) error {
	for _, n := range []struct {
		column column
		to     *string
	}{
		{exerciseColumn, &e.Set.Exercise}, {equipmentColumn, &e.Set.Equipment}, {variantColumn, &e.Set.Variant},
	} {
		name, err := parseName(r.cell(n.column))
		if err != nil {
			return r.refuseColumn(n.column, err)
		}
		*n.to = name
	}
	if e.Set.Exercise == "" {
		return r.refuseColumn(exerciseColumn, errors.New("is empty"))
	}
	when, at, err := r.when()
	if err != nil {
		return err
	}
	e.Set.Time, e.Set.Day = at, when.day
	e.key.workout, e.key.exercise, e.key.equipment, e.key.variant = when.key(), e.Set.Exercise, e.Set.Equipment, e.Set.Variant
	return nil
}

// when is the row's date and time, as written and as an instant.
func (r row) when() (moment, time.Time, error) {
	date, clock := r.cell(dateColumn), r.cell(timeColumn)
	if date == "" {
		return moment{}, time.Time{}, r.refuseColumn(dateColumn, errors.New("is empty"))
	}
	text := strings.TrimSpace(date + " " + clock)
	if text != r.latest.text {
		m, err := r.moment(date, clock)
		if err != nil {
			return moment{}, time.Time{}, r.refuseColumn(dateColumn, err)
		}
		r.latest = spelled{text, m}
	}
	at, err := r.latest.moment.in(r.file.options.Zone)
	if err != nil {
		return moment{}, time.Time{}, r.refuseColumn(dateColumn, err)
	}
	return r.latest.moment, at, nil
}

func (r row) moment(date, clock string) (moment, error) {
	switch r.format {
	case Strong:
		return parseMoment(date)
	case Hevy:
		if m, ok := parseNamed(date); ok {
			return m, nil
		}
		return parseMoment(date)
	case OpenBarbell, OpenBarbellRaw, Perch, FitNotes:
		return parseLocale(strings.TrimSpace(date+" "+clock), r.file.options.Dates)
	case Vitruve:
		order := r.file.options.Dates
		if order == "" {
			order = DayFirst
		}
		if clock == "" {
			return moment{}, fmt.Errorf("%q has no time beside it", clip(date))
		}
		return parseLocale(date+" "+clock, order)
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return moment{}, fmt.Errorf("%q is not a date such as 2026-11-22", clip(date))
	}
	if clock == "" {
		return parseMoment(date)
	}
	return parseMoment(date + " " + clock)
}

// number reads a set's number, from first on.
func (r row) number(e *entry, first int) error {
	n, err := parseWhole(r.cell(numberColumn), first, maxNumber)
	if err != nil {
		return r.refuseColumn(numberColumn, err)
	}
	e.key.number = strconv.Itoa(n)
	e.Set.Number = new(n + 1 - first)
	return nil
}

// loadOf is the row's load in kg; nil: not noted.
func (r row) loadOf() (*float64, error) {
	c, unit := loadColumn, r.unit
	if other := r.cell(otherLoadColumn); other != "" {
		if r.cell(loadColumn) != "" {
			return nil, r.refuseColumn(otherLoadColumn, fmt.Errorf("and %s both have a load", clip(r.heads[r.at[loadColumn]])))
		}
		c, unit = otherLoadColumn, r.otherUnit
	}
	text := r.cell(c)
	if unit == "" {
		var err error
		if unit, err = r.unitOf(text); err != nil {
			return nil, err
		}
	}
	load, err := parseLoad(text, unit, r.comma)
	if err != nil {
		return nil, r.refuseColumn(c, err)
	}
	return load, nil
}

func (r row) load(s *Set) (err error) {
	s.LoadKg, err = r.loadOf()
	return err
}

// unitOf is the unit of a load whose heading does not tell it.
func (r row) unitOf(load string) (Unit, error) {
	text := r.cell(unitColumn)
	if text == "" {
		if r.file.options.Unit == "" && positive(load) {
			return "", r.refuseColumn(unitColumn, errors.New("is empty, and no unit is given for such rows"))
		}
		return r.file.options.Unit, nil
	}
	unit, ok := parseUnit(text)
	if !ok {
		return "", r.refuseColumn(unitColumn, fmt.Errorf("%q is neither kg nor lb", clip(text)))
	}
	return unit, nil
}

// reps reads the reps of a set from the cell at an index.
func (r row) reps(s *Set, at int, loaded bool) error {
	text := strings.TrimSpace(r.cells[at])
	if !positive(text) {
		if positive(r.cell(distanceColumn)) || positive(r.cell(secondsColumn)) {
			return r.refuse("is a distance or a time, not a set of reps")
		}
		if text == "" {
			return r.refuseCell(at, errors.New("is empty"))
		}
		if !loaded {
			return r.refuse("has neither reps nor load")
		}
	}
	var err error
	if s.Reps, err = parseWhole(text, 0, maxReps); err != nil {
		return r.refuseCell(at, err)
	}
	return nil
}
