package table

import "time"

// kind is the type of a column's values.
type kind int

const (
	text kind = iota
	label
	number
	whole
	flag
	moment
)

// cell is one value; at most the field of its column's kind is set.
type cell struct {
	there  bool
	text   string
	number float64
	whole  int64 // of a flag 1 or 0, of a time the microseconds since 1970
}

// Column is one column of a table of T: its name, what it holds, and how it is read
// from a row.
type Column[T any] struct {
	Name string
	Says string
	kind kind
	cell func(*T) cell
}

// Type is what a column holds, in a word for people: text, number, whole, yes or no,
// time.
func (c *Column[T]) Type() string {
	return [...]string{text: "text", label: "text", number: "number", whole: "whole number", flag: "true or false", moment: "time"}[c.kind]
}

// Text is a column of texts that are mostly different; "" is absent.
func Text[T any, S ~string](name, says string, get func(*T) S) Column[T] {
	return Column[T]{name, says, text, func(row *T) cell {
		s := string(get(row))
		return cell{there: s != "", text: s}
	}}
}

// Label is a column of texts of which there are few, each in many rows.
func Label[T any, S ~string](name, says string, get func(*T) S) Column[T] {
	c := Text(name, says, get)
	c.kind = label
	return c
}

// Number is a column of numbers; nil is absent.
func Number[T any](name, says string, get func(*T) *float64) Column[T] {
	return Column[T]{name, says, number, func(row *T) cell {
		if v := get(row); v != nil {
			return cell{there: true, number: *v}
		}
		return cell{}
	}}
}

// Whole is a column of whole numbers; nil is absent.
func Whole[T any, N ~int | ~int64](name, says string, get func(*T) *N) Column[T] {
	return Column[T]{name, says, whole, func(row *T) cell {
		if v := get(row); v != nil {
			return cell{there: true, whole: int64(*v)}
		}
		return cell{}
	}}
}

// Flag is a column of true and false.
func Flag[T any](name, says string, get func(*T) bool) Column[T] {
	return Column[T]{name, says, flag, func(row *T) cell {
		if get(row) {
			return cell{there: true, whole: 1}
		}
		return cell{there: true}
	}}
}

// Time is a column of times; zero is absent.
func Time[T any](name, says string, get func(*T) time.Time) Column[T] {
	return Column[T]{name, says, moment, func(row *T) cell {
		if at := get(row); !at.IsZero() {
			return cell{there: true, whole: at.UnixMicro()}
		}
		return cell{}
	}}
}
