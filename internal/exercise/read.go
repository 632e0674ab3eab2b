package exercise

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
)

const (
	maxFile    = 4 << 20 // bytes
	maxName    = 100     // bytes
	maxAliases = 100
	// Beyond these a number is a slip: of the decimal point, or of the unit.
	maxVelocity = 2   // m/s
	maxSlope    = 500 // % per m/s
)

// The words that an entry may use.
var (
	patterns    = []string{"hinge", "squat", "lunge", "push", "pull", "olympic", "jump", "carry", "core", "isolation", "mobility", "cardio"}
	spinalLoads = []string{"none", "low", "moderate", "high"}
)

// Read reads a site's own exercises, a JSON list of lift.Exercise of up to 4 MiB, and
// returns them as they are written. The error joins everything that is wrong with
// entries: each names the line, the exercise and, as a lift.FieldError, the field;
// what is no JSON ends the reading. A field that is unknown is an error, because it
// is a known one misspelt.
func Read(r io.Reader) ([]lift.Exercise, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read exercises: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("exercises are longer than %d bytes", maxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors begin a file so
	lineAt := func(offset int64) int { return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n")) }

	d := jsontext.NewDecoder(bytes.NewReader(data))
	if d.PeekKind() != '[' {
		return nil, errors.New("exercises are a JSON list: begin with [")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, syntaxError(err, lineAt)
	}
	var all []lift.Exercise
	var wrong []error
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return nil, errors.Join(append(wrong, syntaxError(err, lineAt))...)
		}
		line := lineAt(d.InputOffset() - int64(len(value)))
		var e lift.Exercise
		found := []error{explain(json.Unmarshal(value, &e, json.RejectUnknownMembers(true)))}
		if found[0] == nil {
			found = check(&e)
		}
		for _, err := range found {
			wrong = append(wrong, fmt.Errorf("line %d: exercise %q: %w", line, e.ID, err))
		}
		all = append(all, e)
	}
	if _, err := d.ReadToken(); err != nil {
		wrong = append(wrong, syntaxError(err, lineAt))
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		wrong = append(wrong, fmt.Errorf("line %d: something stands behind the list that ends here", lineAt(d.InputOffset())))
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return all, nil
}

func syntaxError(err error, lineAt func(int64) int) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("line %d: is not JSON: %w, near %q", lineAt(syntax.ByteOffset), syntax.Err, syntax.JSONPointer)
	}
	return fmt.Errorf("the list of exercises does not end: %w", err)
}

// explain says which field of an entry has the wrong type.
func explain(err error) error {
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return err
	}
	field := strings.ReplaceAll(strings.TrimPrefix(string(semantic.JSONPointer), "/"), "/", ".")
	if errors.Is(err, json.ErrUnknownName) {
		return &lift.FieldError{Field: field, Reason: "is no field of an exercise"}
	}
	return &lift.FieldError{Field: field, Reason: fmt.Sprintf("cannot be a %s", semantic.JSONKind)}
}

// canonical is a copy of an entry that shares nothing with it, with ids and group
// in their one spelling.
func canonical(e *lift.Exercise) lift.Exercise {
	c := *e
	c.ID, c.Group = underscored(c.ID), underscored(c.Group)
	if c.Group == "" {
		c.Group = string(c.ID)
	}
	c.Aliases = slices.Clone(c.Aliases)
	if c.MinVelocity != nil {
		c.MinVelocity = new(*c.MinVelocity)
	}
	if c.Slope != nil {
		c.Slope = new(*c.Slope)
	}
	return c
}

// check returns a lift.FieldError for each field that cannot be used.
func check(e *lift.Exercise) (wrong []error) {
	refuse := func(field, format string, args ...any) {
		wrong = append(wrong, &lift.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
	}
	if e.ID == "" {
		refuse("id", "is missing")
	} else if err := lift.CheckID("id", e.ID); err != nil {
		wrong = append(wrong, err)
	}
	checkName := func(field, name string) {
		switch {
		case fold(name) == "":
			refuse(field, "has no letter and no digit")
		case len(name) > maxName:
			refuse(field, "is longer than %d bytes", maxName)
		case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
			refuse(field, "holds a character that cannot be shown")
		}
	}
	checkName("name", e.Name)
	if len(e.Aliases) > maxAliases {
		refuse("aliases", "are more than %d", maxAliases)
	}
	for i, alias := range e.Aliases {
		checkName(fmt.Sprintf("aliases[%d]", i), alias)
	}
	if e.Group != "" {
		if err := lift.CheckID("group", e.Group); err != nil {
			wrong = append(wrong, err)
		}
	}
	checkWord := func(field, word string, known []string) {
		if !slices.Contains(known, word) {
			refuse(field, "%q is none of %s", word, strings.Join(known, ", "))
		}
	}
	checkWord("pattern", e.Pattern, patterns)
	checkWord("spinal_load", e.SpinalLoad, spinalLoads)
	checkNumber := func(field string, value *float64, most float64, sourceField, source string) {
		switch {
		case value == nil && source != "":
			refuse(sourceField, "is given without %s", field)
		case value == nil:
		case !(*value > 0 && *value <= most):
			refuse(field, "%g is outside (0, %g]", *value, most)
		case strings.TrimSpace(source) == "":
			refuse(sourceField, "is missing: say where the number comes from")
		}
	}
	checkNumber("min_velocity_mps", e.MinVelocity, maxVelocity, "min_velocity_source", e.MinVelocitySource)
	checkNumber("slope_pct_per_mps", e.Slope, maxSlope, "slope_source", e.SlopeSource)
	return wrong
}
