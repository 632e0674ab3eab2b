package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
)

// unmarshal reads one JSON value with nothing behind it, or returns a FieldError.
func unmarshal(data []byte, v any, options ...json.Options) error {
	if err := json.Unmarshal(data, v, append(options, numbers)...); err != nil {
		return explain(err, "")
	}
	return nil
}

// numbers reads them as sensors write them. JSON has one type of number, so a
// whole one may be written 1041.0 or 1e3; and no number is ever made of a null.
var numbers = json.WithUnmarshalers(json.JoinUnmarshalers(
	json.UnmarshalFromFunc(readWhole[int]),
	json.UnmarshalFromFunc(readWhole[int64]),
	json.UnmarshalFromFunc(readFloat),
))

func readWhole[T int | int64](d *jsontext.Decoder, to *T) error {
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported // the library reads or refuses it
	}
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(value), 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return errNotWhole
		}
		n = int64(f)
	}
	*to = T(n)
	return nil
}

func readFloat(d *jsontext.Decoder, _ *float64) error {
	if d.PeekKind() == 'n' {
		return errNull
	}
	return errors.ErrUnsupported
}

var (
	errNotWhole = errors.New("not a whole number")
	errNull     = errors.New("null")
)

// explain says in the sender's words what a JSON error means.
func explain(err error, within string) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at := fieldName(syntax.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return &lift.FieldError{Field: at, Reason: "is given twice"}
		}
		reason := fmt.Sprintf("is not JSON: %v at byte %d", syntax.Err, syntax.ByteOffset)
		if at != "" {
			reason += ", in " + at
		}
		return &lift.FieldError{Field: within, Reason: reason}
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return &lift.FieldError{Field: within, Reason: err.Error()}
	}
	field := within
	if field == "" {
		field = fieldName(semantic.JSONPointer)
	}
	reason := "is not " + expected(semantic.GoType)
	switch {
	case errors.Is(err, errNull):
		reason += ", but null"
	case semantic.JSONKind != 0 && semantic.GoType != reflect.TypeFor[time.Time]():
		reason += ", but a JSON " + kindName(semantic.JSONKind)
	}
	return &lift.FieldError{Field: field, Reason: reason}
}

// fieldName is the path of a field as the errors of lift write it.
func fieldName(p jsontext.Pointer) string {
	var name strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			name.WriteString("[" + token + "]")
			continue
		}
		if name.Len() > 0 {
			name.WriteByte('.')
		}
		name.WriteString(token)
	}
	return name.String()
}

func expected(t reflect.Type) string {
	if t == nil {
		return "what is expected"
	}
	if t == reflect.TypeFor[time.Time]() {
		return "a time in RFC 3339 with a zone"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return expected(t.Elem())
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "text"
	case '0':
		return "number of another form"
	case '{':
		return "object"
	}
	return "array"
}

// fields are the names of a JSON object's fields, as they stand in JSON.
type fields map[string]bool

// fieldsOf are the fields that T is read from, but for those that only the log may
// set.
func fieldsOf[T any](but ...string) fields {
	known := make(fields)
	known.of(reflect.TypeFor[T](), but)
	return known
}

// of walks the embedded structs itself: to Go, lift.Rep's field Rep is hidden by the
// name of the embedded struct, to JSON it is not.
func (known fields) of(t reflect.Type, but []string) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			known.of(f.Type, but)
		case name != "" && name != "-" && !slices.Contains(but, name):
			known[strconv.Quote(name)] = true
		}
	}
}

// unknown counts the fields of a JSON object that are not among these.
func (known fields) unknown(object []byte) int {
	d := jsontext.NewDecoder(bytes.NewBuffer(object))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return 0
	}
	n := 0
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			break
		}
		if !known[string(name)] {
			n++
		}
		if d.SkipValue() != nil {
			break
		}
	}
	return n
}
