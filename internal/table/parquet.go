package table

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
)

const (
	// groupRows is how many rows a row group has at most: what is held in memory.
	groupRows = 1 << 16
	// batchRows are handed over at once.
	batchRows = 256
)

type parquetWriter[T any] struct {
	out     *parquet.GenericWriter[any]
	columns []Column[T]
	batch   []parquet.Row
	n       int
	texts   []byte // of the batch
}

// newParquet writes columns that may be null, packed with Zstandard.
func newParquet[T any](w io.Writer, columns []Column[T]) Writer[T] {
	group, place := parquet.Group{}, map[string]int{}
	for i := range columns {
		group[columns[i].Name], place[columns[i].Name] = parquet.Compressed(parquet.Optional(columns[i].node()), &parquet.Zstd), i
	}
	p := &parquetWriter[T]{columns: columns, batch: make([]parquet.Row, batchRows)}
	for i := range p.batch {
		p.batch[i] = make(parquet.Row, len(columns))
	}
	p.out = parquet.NewGenericWriter[any](w, parquet.NewSchema("spotter", ordered{group, place}),
		parquet.MaxRowsPerRowGroup(groupRows))
	return p
}

func (c *Column[T]) node() parquet.Node {
	switch c.kind {
	case number:
		return parquet.Leaf(parquet.DoubleType)
	case whole:
		return parquet.Int(64)
	case flag:
		return parquet.Leaf(parquet.BooleanType)
	case moment:
		return parquet.Timestamp(parquet.Microsecond)
	case label:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	}
	return parquet.String()
}

// ordered is a group whose columns stay in their order; the library's own sorts them
// by name.
type ordered struct {
	parquet.Group
	place map[string]int
}

func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int { return cmp.Compare(o.place[a.Name()], o.place[b.Name()]) })
	return fields
}

func (p *parquetWriter[T]) Write(row *T) error {
	cells := p.batch[p.n]
	for i := range p.columns {
		cells[i] = p.value(i, row)
	}
	if p.n++; p.n < len(p.batch) {
		return nil
	}
	return p.flush()
}

func (p *parquetWriter[T]) value(i int, row *T) parquet.Value {
	c := &p.columns[i]
	v := c.cell(row)
	if !v.there {
		return parquet.NullValue().Level(0, 0, i)
	}
	var value parquet.Value
	switch c.kind {
	case number:
		value = parquet.DoubleValue(v.number)
	case whole, moment:
		value = parquet.Int64Value(v.whole)
	case flag:
		value = parquet.BooleanValue(v.whole == 1)
	default:
		from := len(p.texts)
		p.texts = append(p.texts, v.text...)
		value = parquet.ByteArrayValue(p.texts[from:])
	}
	return value.Level(0, 1, i)
}

func (p *parquetWriter[T]) flush() error {
	n := p.n
	_, err := p.out.WriteRows(p.batch[:n])
	p.n, p.texts = 0, p.texts[:0]
	if err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

func (p *parquetWriter[T]) Close() error {
	if err := p.flush(); err != nil {
		return err
	}
	if err := p.out.Close(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}
