package files

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Unit is a unit of load.
type Unit string

// The units of load.
const (
	Kilograms Unit = "kg"
	Pounds    Unit = "lb"
)

// kilograms of one pound, by definition.
const poundKg = 0.45359237

// Options tells what a file may not tell itself. What the file says holds above it.
type Options struct {
	Unit Unit           // of loads without one; "": not known
	Zone *time.Location // of times without one, and of Set.Time; nil: not known
}

// Errors of a whole file.
var (
	// ErrFormat means that the headings are of no known format, or unclear.
	ErrFormat = errors.New("format not recognised")
	// ErrUnit means that the file does not tell the unit of its loads, and
	// Options.Unit does not either.
	ErrUnit = errors.New("the file does not say whether loads are in kg or lb; the unit must be given")
	// ErrZone means that the file's times have no zone, and Options.Zone is nil.
	ErrZone = errors.New("the file's times have no zone; the time zone must be given")
)

// Set is one set of a training log.
type Set struct {
	ID   string // 32 hex digits; see the package's notes on identity
	Line int    // of the row in the file, from 1

	// Time is the start of the workout, which all its sets share; in Options.Zone
	// where that is given, else in the zone that the file tells. It is in or after
	// 2000; the package has no clock, so a time in the future is the caller's to
	// refuse. A time that the clock went through twice is the first of the two, and
	// one that it skipped is an hour off.
	Time time.Time
	Day  bool // the file tells the day only; Time is its noon

	Exercise  string   // as written, without the space around it
	Equipment string   // as written, where the format has a column of its own
	Variant   string   // the same
	Number    *int     // from 1, within the exercise; nil: not numbered
	Reps      int      // completed, 0 to 1 000; 0 is a failed attempt
	LoadKg    *float64 // 0 to 1 000; nil: not noted; 0 is also what Strong writes for none
	Warmup    bool
}

// Rep is one rep with its velocity. Of the lift.Rep, BootID is made of the set and Seq
// of the rep's number in it, so that another export repeats them; Athlete and Exercise
// are empty.
type Rep struct {
	lift.Rep
	Line     int    // of the row in the file, from 1
	Exercise string // as written, without the space around it
}

// Row is what a row of a file tells: a set without velocity, or a rep.
type Row struct {
	Set *Set
	Rep *Rep
}

// RowError is a row, or a set of a wide row, that was not taken.
type RowError struct {
	Line   int    // where the row begins, from 1
	Column string // the heading as the file writes it; "" for the whole row
	Reason string // without the column's name; may quote the cell
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Column, e.Reason)
}

// File is an export that is being read. It is for one goroutine.
type File struct {
	layout  *layout
	options Options
	rows    *csv.Reader
	seen    map[string]sight
	workout string // that the latest row belongs to
	block   int    // how often the workout changed from row to row
}

// sight is where a set's key was seen.
type sight struct {
	count, block, line int
}

// maxHeader bounds the header, in bytes.
const maxHeader = 64 << 10

// Open reads the header and finds the format. The error is, or wraps, ErrFormat,
// ErrUnit or what r returned.
func Open(r io.Reader, o Options) (*File, error) {
	if o.Unit != "" && o.Unit != Kilograms && o.Unit != Pounds {
		return nil, fmt.Errorf("unit %q is neither kg nor lb", o.Unit)
	}
	buffered := bufio.NewReaderSize(r, maxHeader)
	begin, err := buffered.Peek(maxHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if rest, marked := bytes.CutPrefix(begin, []byte(byteOrderMark)); marked {
		begin = rest
		if _, err := buffered.Discard(len(byteOrderMark)); err != nil {
			return nil, fmt.Errorf("read the header: %w", err)
		}
	}
	l, err := detect(begin)
	if err != nil {
		return nil, err
	}
	if l.unit == "" && !l.has(unitColumn) && o.Unit == "" {
		return nil, fmt.Errorf("%s: %w", l.format, ErrUnit)
	}
	f := &File{layout: l, options: o, rows: newRows(buffered, l.comma), seen: map[string]sight{}}
	f.rows.ReuseRecord = true
	if _, err := f.rows.Read(); err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	return f, nil
}

func newRows(r io.Reader, comma rune) *csv.Reader {
	rows := csv.NewReader(r)
	rows.Comma = comma
	rows.FieldsPerRecord = -1
	return rows
}

// Format is the format that was found.
func (f *File) Format() Format { return f.layout.format }

// Rows reads what is left of the file, in its order. A *RowError beside an empty Row
// is a row that was not taken, and reading goes on behind it; any other error, such
// as ErrZone or a failing reader, is the last. Without an error exactly one of Set and
// Rep is there. Rows can be ranged over once.
func (f *File) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			cells, err := f.rows.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if broken, ok := errors.AsType[*csv.ParseError](err); ok {
				if !yield(Row{}, notCSV(broken)) {
					return
				}
				continue
			}
			if err != nil {
				yield(Row{}, fmt.Errorf("read: %w", err))
				return
			}
			line, _ := f.rows.FieldPos(0)
			if blank(cells) {
				if !yield(Row{}, &RowError{Line: line, Reason: "has no text in any cell"}) {
					return
				}
				continue
			}
			row := row{layout: f.layout, options: f.options, line: line, cells: cells}
			for set, err := range row.sets() {
				if err == nil {
					err = f.identify(&set.Set, set.key)
				}
				told := Row{Set: &set.Set}
				if err != nil {
					told = Row{}
				}
				if !yield(told, err) {
					return
				}
				if _, row := errors.AsType[*RowError](err); err != nil && !row {
					return
				}
			}
		}
	}
}

func notCSV(e *csv.ParseError) *RowError {
	reason := "is not CSV: " + strings.TrimPrefix(e.Err.Error(), "csv: ")
	if e.Line > e.StartLine {
		reason = fmt.Sprintf("everything up to line %d %s", e.Line, reason)
	}
	return &RowError{Line: e.StartLine, Reason: reason}
}

func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}
