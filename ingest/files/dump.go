package files

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// The two tables of OpenBarbell's database as the study published them
// (github.com/squatsandsciencelabs/ObservationalStudy): the values of a rep are the
// sensor's frame, in its units.

var rawReps = spec{
	format: OpenBarbellRaw,
	headings: map[string]heading{
		"setid": {column: setIDColumn}, "repcount": {column: repColumn}, "isvalid": {column: validColumn}, "removed": {column: removedColumn},
		"time": {column: dateColumn}, "startmessg": {column: startFlagColumn}, "bulkstart": {column: endFlagColumn},
		"avgvel": {meanColumn, "m/s"}, "rom": {romColumn, "mm"}, "peakvel": {peakColumn, "m/s"}, "repdur": {concentricColumn, "us"},
	},
	required: []column{setIDColumn, repColumn, validColumn, removedColumn, dateColumn, startFlagColumn, meanColumn, romColumn},
	read:     func(r row, yield func(entry, error) bool) { yield(r.dumped()) },
}

var rawSets = spec{
	format: OpenBarbellRaw,
	headings: map[string]heading{
		"setid": {column: setIDColumn}, "exercise": {column: exerciseColumn}, "weight": {column: loadColumn}, "metric": {column: unitColumn},
		"setnumber": {column: numberColumn}, "deleted": {column: deletedColumn}, "removed": {column: removedColumn}, "userid": {column: personColumn},
		"tags": {column: tagsColumn},
	},
	required: []column{setIDColumn, exerciseColumn, loadColumn, unitColumn, deletedColumn},
}

// dumpSet is a set of set_data.csv.
type dumpSet struct {
	line     int
	exercise string
	person   string
	tags     []string
	number   *int
	load     *float64
	wrong    string // why its reps cannot be taken, or ""
}

// openPair opens the table of reps and reads that of sets into memory. l is the layout
// of the first file.
func (f *File) openPair(in *bufio.Reader, l *layout) (*table, error) {
	const needs = "%s: this is the file of %s; %w: that of %s"
	if f.options.Companion == nil {
		if l.spec == &rawSets {
			return nil, fmt.Errorf(needs, f.format, "sets (set_data.csv)", ErrCompanion, "their reps (rep_data.csv)")
		}
		return nil, fmt.Errorf(needs, f.format, "reps (rep_data.csv)", ErrCompanion, "their sets with exercise and weight (set_data.csv)")
	}
	other, begin, err := peek(f.options.Companion)
	if err != nil {
		return nil, fmt.Errorf("second file: %w", err)
	}
	otherLayout, err := detect(begin, OpenBarbellRaw)
	if err != nil {
		return nil, fmt.Errorf("second file: %w", err)
	}
	if otherLayout.spec == l.spec {
		return nil, fmt.Errorf("%s: both files have the same headings; %w: one of reps (rep_data.csv) and one of sets (set_data.csv)", f.format, ErrCompanion)
	}
	if l.spec == &rawSets {
		in, l, other, otherLayout = other, otherLayout, in, l
	}
	sets, err := newTable(f, other, otherLayout)
	if err != nil {
		return nil, fmt.Errorf("file of sets: %w", err)
	}
	t, err := newTable(f, in, l)
	if err != nil {
		return nil, err
	}
	t.sets, err = sets.dumpSets()
	return t, err
}

func (t *table) dumpSets() (map[string]*dumpSet, error) {
	all := map[string]*dumpSet{}
	for {
		cells, err := t.read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if _, ok := errors.AsType[*csv.ParseError](err); ok {
			continue // its reps have no set, and are listed
		}
		if err != nil {
			return nil, fmt.Errorf("read the file of sets: %w", err)
		}
		line, _ := t.reader.FieldPos(0)
		r := row{table: t, line: line, cells: cells}
		id := r.cell(setIDColumn)
		if before, again := all[id]; again {
			before.wrong = fmt.Sprintf("line %d has the same id", line)
			continue
		}
		all[id] = r.dumpSet()
	}
}

// dumpSet is the row's set. What is wrong with it is told by its reps.
func (r row) dumpSet() *dumpSet {
	s := &dumpSet{line: r.line, person: r.cell(personColumn), tags: tagsOf(r.cell(tagsColumn))}
	if err := r.complete(); err != nil {
		s.wrong = reasonOf(err)
		return s
	}
	for _, c := range []column{deletedColumn, removedColumn} {
		if gone, err := parseFlag(r.cell(c)); gone || err != nil {
			s.wrong = "it is marked as deleted"
			return s
		}
	}
	var err error
	if s.exercise, err = r.exercise(); err == nil {
		s.load, err = r.loadOf()
	}
	if err != nil {
		s.wrong = reasonOf(err)
		return s
	}
	if n, err := parseWhole(r.cell(numberColumn), 1, maxNumber); err == nil {
		s.number = &n
	}
	return s
}

// reasonOf is a row's error without the line.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*RowError](err); ok {
		if e.Column != "" {
			return e.Column + ": " + e.Reason
		}
		return e.Reason
	}
	return err.Error()
}

// frameStarts are what a frame of the sensor begins with, by its version.
var frameStarts = []string{"-1234", "-2345", "-3456"}

// dumped is the row's rep, which tells its own time.
func (r row) dumped() (entry, error) {
	if err := r.complete(); err != nil {
		return entry{}, err
	}
	id := r.cell(setIDColumn)
	set := r.sets[id]
	if set == nil {
		return entry{}, r.refuseColumn(setIDColumn, errors.New("is not in the file of sets"))
	}
	if err := r.file.people.check(r.line, set.tags, set.person); err != nil {
		return entry{}, err
	}
	if err := r.flagged(); err != nil {
		return entry{}, err
	}
	if set.wrong != "" {
		return entry{}, r.refuse("its set, line %d of the file of sets: %s", set.line, set.wrong)
	}
	count, err := parseWhole(r.cell(repColumn), 0, maxNumber-1)
	if err != nil {
		return entry{}, r.refuseColumn(repColumn, err)
	}
	_, at, err := r.when()
	if err != nil {
		return entry{}, err
	}
	e, err := r.rep()
	if err != nil {
		return entry{}, err
	}
	e.Exercise, e.LoadKg, e.Time = set.exercise, set.load, at
	told, err := r.told(e, place{rep: count + 1}, key{workout: id})
	if err == nil {
		told.Rep.Set = set.number
	}
	return told, err
}

// flagged refuses a rep that the app or its user has taken out, and a frame whose
// values stand one or more places away from where they should.
func (r row) flagged() error {
	valid, err := parseFlag(r.cell(validColumn))
	if err != nil {
		return r.refuseColumn(validColumn, err)
	}
	removed, err := parseFlag(r.cell(removedColumn))
	if err != nil {
		return r.refuseColumn(removedColumn, err)
	}
	start := r.cell(startFlagColumn)
	if n, err := strconv.ParseFloat(start, 64); err == nil {
		start = strconv.FormatFloat(n, 'f', -1, 64)
	}
	switch {
	case removed:
		return r.refuseColumn(removedColumn, errors.New("the lifter or the app has taken the rep out"))
	case !valid:
		return r.refuseColumn(validColumn, errors.New("the app has found the sensor's frame not valid"))
	case !slices.Contains(frameStarts, start):
		return r.refuseColumn(startFlagColumn, fmt.Errorf("the sensor's frame is shifted: it begins with %q", clip(start)))
	}
	if end := r.cell(endFlagColumn); start == "-3456" && r.has(endFlagColumn) && end != "-9999" && end != "-9999.0" {
		return r.refuseColumn(endFlagColumn, fmt.Errorf("the sensor's frame is shifted: %q stands where -9999 is expected", clip(end)))
	}
	return nil
}
