package table

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// csvTime is RFC 3339 with a fixed width, which every reader of times takes.
const csvTime = "2006-01-02T15:04:05.000000Z"

type csvWriter[T any] struct {
	out     *csv.Writer
	columns []Column[T]
	cells   []string
}

// newCSV writes commas, LF, UTF-8 without a mark, and a first row of names.
func newCSV[T any](w io.Writer, columns []Column[T]) (Writer[T], error) {
	c := &csvWriter[T]{csv.NewWriter(w), columns, make([]string, len(columns))}
	for i := range columns {
		c.cells[i] = columns[i].Name
	}
	if err := c.out.Write(c.cells); err != nil {
		return nil, fmt.Errorf("write table: %w", err)
	}
	return c, nil
}

func (c *csvWriter[T]) Write(row *T) error {
	for i := range c.columns {
		c.cells[i] = c.columns[i].csv(row)
	}
	if err := c.out.Write(c.cells); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

func (c *csvWriter[T]) Close() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

func (c *Column[T]) csv(row *T) string {
	v := c.cell(row)
	if !v.there {
		return ""
	}
	switch c.kind {
	case number:
		return strconv.FormatFloat(v.number, 'g', -1, 64)
	case whole:
		return strconv.FormatInt(v.whole, 10)
	case flag:
		return strconv.FormatBool(v.whole == 1)
	case moment:
		return time.UnixMicro(v.whole).UTC().Format(csvTime)
	}
	return Harmless(v.text)
}

// Harmless keeps a spreadsheet from taking a text for a formula, by a ' before it.
// A number stays as it is.
func Harmless(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}
