package ingest

import (
	"bytes"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/payload"
)

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

// mostNamed is how many unknown fields of a message are named.
const mostNamed = 8

// unknown notes the fields of a JSON object that are not among these.
func (known fields) unknown(object []byte, in *Decoded) {
	d := jsontext.NewDecoder(bytes.NewBuffer(object))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			break
		}
		if !known[string(name)] {
			in.UnknownFields++
			if len(in.Unknown) < mostNamed {
				in.Unknown = append(in.Unknown, payload.Name(string(bytes.Trim(name, `"`))))
			}
		}
		if d.SkipValue() != nil {
			break
		}
	}
}
