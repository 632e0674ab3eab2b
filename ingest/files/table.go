package files

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// table is a file of rows under headings.
type table struct {
	*layout
	file   *File
	bound  *bound
	reader *csv.Reader
	latest spelled             // the latest date and time that was read
	clock  barClock            // of OpenBarbell
	sets   map[string]*dumpSet // of OpenBarbellRaw
}

// spelled is a date and time, and how it was written: the rows of a workout share it.
type spelled struct {
	text   string
	moment moment
}

// bound keeps a row that does not end from filling the memory.
type bound struct {
	in   io.Reader
	left int
}

func (b *bound) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrLong
	}
	n, err := b.in.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func newTable(f *File, in io.Reader, l *layout) (*table, error) {
	t := &table{layout: l, file: f, bound: &bound{in: in, left: 2 * maxHeader}}
	t.reader = newRows(t.bound, l.comma)
	t.reader.ReuseRecord = true
	if _, err := t.reader.Read(); err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	return t, nil
}

func (f *File) openTable(in *bufio.Reader, begin []byte) error {
	l, err := detect(begin, f.options.Format)
	if err != nil {
		return err
	}
	f.format = l.format
	var t *table
	if f.format == OpenBarbellRaw {
		if t, err = f.openPair(in, l); err != nil {
			return err
		}
	} else {
		if f.options.Companion != nil {
			return fmt.Errorf("%s is one file, but a second one is given with it", f.format)
		}
		if t, err = newTable(f, in, l); err != nil {
			return err
		}
	}
	if f.options.Person != "" && !l.namesPeople() && t.sets == nil {
		return fmt.Errorf("%s does not name anybody, but a person is given", f.format)
	}
	if l.has(loadColumn) && l.unit == "" && !l.has(unitColumn) && f.options.Unit == "" {
		return fmt.Errorf("%s: %w", f.format, ErrUnit)
	}
	f.entries = t.entries
	return nil
}

func (l *layout) namesPeople() bool {
	return l.has(mailColumn) || l.has(personColumn) || l.has(tagsColumn)
}

// read is the next row's cells, until the row after it is read.
func (t *table) read() ([]string, error) {
	t.bound.left = maxRow
	return t.reader.Read()
}

// entries reads the rows below the header.
func (t *table) entries(yield func(entry, error) bool) {
	for {
		cells, err := t.read()
		if errors.Is(err, io.EOF) {
			return
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			if !yield(entry{}, notCSV(broken)) {
				return
			}
			continue
		}
		if err != nil {
			yield(entry{}, fmt.Errorf("read: %w", err))
			return
		}
		line, _ := t.reader.FieldPos(0)
		if blank(cells) {
			if !yield(entry{}, &RowError{Line: line, Reason: "has no text in any cell"}) {
				return
			}
			continue
		}
		r := row{table: t, line: line, cells: cells}
		if err := r.whose(); err != nil {
			if !yield(entry{}, err) {
				return
			}
			continue
		}
		stopped := false
		t.spec.read(r, func(e entry, err error) bool {
			stopped = !yield(e, err)
			return !stopped
		})
		if stopped {
			return
		}
	}
}

// whose checks that the row is of the person whose rows are wanted.
func (r row) whose() error {
	if !r.namesPeople() {
		return nil // in a dump the set tells
	}
	first, last := r.cell(personColumn), r.cell(lastNameColumn)
	var tags []string
	if r.file.people.wanted != "" {
		tags = tagsOf(r.cell(tagsColumn))
	}
	return r.file.people.check(r.line, tags, r.cell(mailColumn), strings.TrimSpace(first+" "+last), first)
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
