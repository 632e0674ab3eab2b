package table

import (
	"fmt"
	"io"
)

// Format is how a table is written.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	Parquet Format = "parquet"
)

// ContentType is the format's media type.
func (f Format) ContentType() string {
	if f == Parquet {
		return "application/vnd.apache.parquet"
	}
	return "text/csv; charset=utf-8"
}

// Writer writes a table's rows. The table is whole only once Close returned nil.
type Writer[T any] interface {
	Write(row *T) error
	// Close writes what is left, and does not close what is written to.
	Close() error
}

// New begins a table in the format.
func New[T any](w io.Writer, f Format, columns []Column[T]) (Writer[T], error) {
	switch f {
	case CSV:
		return newCSV(w, columns)
	case Parquet:
		return newParquet(w, columns), nil
	}
	return nil, fmt.Errorf("write table: %q is no format", f)
}
