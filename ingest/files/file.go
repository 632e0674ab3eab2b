package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"golang.org/x/text/encoding/unicode"

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
	Format Format         // the only one to try; "": whichever fits
	Unit   Unit           // of loads without one; "": not known
	Zone   *time.Location // of times without one, and of all times told; nil: not known
	Dates  DateOrder      // of dates such as 03/04/2026; "": not known
	Person string         // whose rows are wanted, as the file names or tags them; "": the file is one person's

	// Companion is the other file of a format that has two, in either order.
	Companion io.Reader
}

// Errors of a whole file.
var (
	// ErrFormat means that the headings are of no known format, or unclear, or that
	// Options.Format is not known.
	ErrFormat = errors.New("format not recognised")
	// ErrUnit means that the file does not tell the unit of its loads, and
	// Options.Unit does not either.
	ErrUnit = errors.New("the file does not say whether loads are in kg or lb; the unit must be given")
	// ErrZone means that the file's times have no zone, and Options.Zone is nil.
	ErrZone = errors.New("the file's times have no zone; the time zone must be given")
	// ErrDateOrder means that day and month of a date cannot be told apart, and
	// Options.Dates is "".
	ErrDateOrder = errors.New("day and month cannot be told apart; their order must be given")
	// ErrPerson means that the file has rows of several people, and Options.Person
	// is "".
	ErrPerson = errors.New("the file has rows of more than one person; the one whose rows are wanted must be named as the file does")
	// ErrCompanion means that the file is one of two that are read together, and
	// Options.Companion is not the other.
	ErrCompanion = errors.New("a second file is needed")
	// ErrLong means that a row does not end within a mebibyte.
	ErrLong = errors.New("a row is longer than 1 MiB; a quote may be missing")
)

// Set is one set of a training log.
type Set struct {
	ID   string // 32 hex digits; see the package's notes on identity
	Line int    // of the row in the file, from 1

	// Time is the start of the workout, which all its sets share, or the set's own
	// where the format tells it; in Options.Zone where that is given, else in the zone
	// that the file tells. It is in or after 2000; the package has no clock, so a time
	// in the future is the caller's to refuse. A time that the clock went through
	// twice is the first of the two, and one that it skipped is an hour off.
	Time time.Time
	Day  bool // the file tells the day only; Time is its noon

	Exercise  string   // as written, without the space around it
	Equipment string   // as written, where the format has a column of its own
	Variant   string   // the same
	Number    *int     // from 1, within the exercise; nil: not numbered
	Reps      int      // completed, 0 to 1 000; 0 is a failed attempt
	LoadKg    *float64 // 0 to 1 000; nil: not noted; 0 is also what Strong writes for none
	BestMps   *float64 // mean velocity of the best rep, (0, 4] m/s; nil: not told
	Warmup    bool
}

// Rep is one rep with its velocity, as lift.Rep.Validate accepts it. BootID is the id of
// its set (see the package's notes on identity), and Seq the rep's number in it, so that
// another export repeats them. Source is imported, Historical true; Athlete, Exercise and
// DeviceUs are not told. Time is the file's or, where it tells that of the set only, made
// from it as the format's notes say.
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

// RowError is a row, or a set or rep of a row, that was not taken.
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
	format  Format
	options Options
	entries iter.Seq2[entry, error] // of what is left
	ids     identities
	people  people
}

// entry is what a row tells, and what identifies its set.
type entry struct {
	Row
	key  key
	once bool // no other row can have the key
}

// maxHeader bounds the header, and maxRow every other row, in bytes.
const (
	maxHeader = 64 << 10
	maxRow    = 1 << 20
)

// Open reads the header and finds the format. The error is, or wraps, ErrFormat,
// ErrUnit, ErrCompanion or what a reader returned.
func Open(r io.Reader, o Options) (*File, error) {
	if o.Unit != "" && o.Unit != Kilograms && o.Unit != Pounds {
		return nil, fmt.Errorf("unit %q is neither kg nor lb", clip(string(o.Unit)))
	}
	if o.Dates != "" && o.Dates != DayFirst && o.Dates != MonthFirst {
		return nil, fmt.Errorf("the order of dates %q is neither %s nor %s", clip(string(o.Dates)), DayFirst, MonthFirst)
	}
	if err := checkFormat(o.Format); err != nil {
		return nil, err
	}
	in, begin, err := peek(r)
	if err != nil {
		return nil, err
	}
	f := &File{options: o, ids: identities{seen: map[string]sight{}, reps: map[repKey]int{}}, people: people{wanted: strings.TrimSpace(o.Person)}}
	switch text := bytes.TrimLeft(begin, " \t\r\n"); {
	case bytes.HasPrefix(text, []byte("{")):
		err = f.openObjects(in)
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		err = fmt.Errorf("%w: the file is a spreadsheet or another archive; save the spreadsheet as CSV in UTF-8, or unpack the archive", ErrFormat)
	case bytes.ContainsRune(text, '\r') && !bytes.ContainsRune(text, '\n'):
		err = fmt.Errorf("%w: the lines end as those of old Macs do; save the file as CSV in UTF-8", ErrFormat)
	case bytes.HasPrefix(text, []byte("[")):
		err = fmt.Errorf("%w: the file is one JSON array; of JSON, files with one object a line are read", ErrFormat)
	default:
		err = f.openTable(in, begin)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// peek looks at how a file begins, turns UTF-16 into UTF-8 and leaves a byte-order mark
// behind.
func peek(r io.Reader) (*bufio.Reader, []byte, error) {
	in := bufio.NewReaderSize(r, maxHeader)
	if mark, _ := in.Peek(2); string(mark) == "\xFF\xFE" || string(mark) == "\xFE\xFF" { // as "Unicode text" of Excel
		in = bufio.NewReaderSize(unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(in), maxHeader)
	}
	begin, err := in.Peek(maxHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the header: %w", err)
	}
	if rest, marked := bytes.CutPrefix(begin, []byte(byteOrderMark)); marked {
		begin = rest
		if _, err := in.Discard(len(byteOrderMark)); err != nil {
			return nil, nil, fmt.Errorf("read the header: %w", err)
		}
	}
	return in, begin, nil
}

// Format is the format that was found.
func (f *File) Format() Format { return f.format }

// Rows reads what is left of the file, in its order. A *RowError beside an empty Row
// is a row that was not taken, and reading goes on behind it; any other error, such
// as ErrZone, ErrDateOrder, ErrPerson, ErrLong or a failing reader's, is the last.
// Without an error exactly one of Set and Rep is there. Rows can be ranged over once.
func (f *File) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for e, err := range f.entries {
			if err == nil {
				err = f.identify(&e)
			}
			if err != nil {
				e.Row = Row{}
			}
			if !yield(e.Row, err) {
				return
			}
			if _, row := errors.AsType[*RowError](err); err != nil && !row {
				return
			}
		}
	}
}

// ends is whether an error of a cell is one of the whole file.
func ends(err error) bool {
	return errors.Is(err, ErrZone) || errors.Is(err, ErrDateOrder) || errors.Is(err, ErrPerson)
}
