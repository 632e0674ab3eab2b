// Package payload reads JSON that others have sent, and says in their words what is
// wrong with it.
package payload

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
)

// Unmarshal reads one JSON value with nothing behind it into v, or returns a
// *lift.FieldError.
func Unmarshal(data []byte, v any, options ...json.Options) error {
	if err := json.Unmarshal(data, v, append(options, numbers)...); err != nil {
		return Explain(err, "")
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

// Explain says what a JSON error means as a *lift.FieldError, of the named field
// where it is not empty.
func Explain(err error, within string) error {
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
	if errors.Is(err, json.ErrUnknownName) {
		return &lift.FieldError{Field: field, Reason: "is no field that this has"}
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
	return Name(name.String())
}

// maxName is the length of the longest path of a field that is shown.
const maxName = 128

// Name is the path of a field as it may be shown and logged: names that no field has,
// because they are something else, are left out.
func Name(path string) string {
	var name strings.Builder
	for part := range strings.SplitSeq(path, ".") {
		if name.Len() > 0 {
			name.WriteByte('.')
		}
		if strings.IndexFunc(part, notInName) >= 0 {
			part = "…"
		}
		if name.Len()+len(part) > maxName {
			name.WriteString("…")
			break
		}
		name.WriteString(part)
	}
	return name.String()
}

func notInName(c rune) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.ContainsRune("_-[]", c):
		return false
	}
	return true
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
