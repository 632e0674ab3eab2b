package api

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/payload"
)

// marker is in every hostile text that is sent: it must come back in no error, and be
// in no line of the log.
const marker = "zq7mark"

// hostile are texts that break something somewhere.
var hostile = []string{
	marker, "<script>alert('" + marker + "')</script>", marker + "'; DROP TABLE reps; --", `" OR 1=1 ` + marker, "%s%n%d%!x " + marker,
	"../../../../etc/" + marker, "..\\" + marker, "{{7*7}}${jndi:ldap://" + marker + "}", "$(" + marker + ")", "\u202e" + marker + "\u202c", "مرحبا " + marker,
	"z\u200be\u200dr\ufeffo" + marker, "a\x00b" + marker, "line\r\nX-Injected: " + marker, "\x1b[31m" + marker, "é" + strings.Repeat("\u0301", 50) + marker,
	"🏋️‍♀️" + marker, strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat(marker+" ", 400), "", " ", "null", "NaN", "-1", "*",
	"zq7mark.zq7mark", "zq7mark/zq7mark", "ZQ7MARK" + marker, "_" + marker, "+" + marker, "#" + marker, "spotter/v1/+/" + marker,
}

// oddTimes are times as nobody means them, and some that somebody does.
var oddTimes = []string{
	"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
	"2026-11-10T18:00:00+23:59", "2026-11-10T18:00:00-23:59", "2026-11-10T18:00:00+24:00", "2026-11-10T18:00:00", "2026-11-10", "2026-02-30T00:00:00Z",
	"2026-11-10t18:00:00z", "2026-11-10T24:00:00Z", "2026-11-10T23:59:60Z", "2026-11-10T18:00:00.1234567891Z", "2026-11-10 18:00:00Z", "1999-12-31T23:59:59Z",
	"2000-01-01T00:00:00Z", "1677-09-21T00:12:43Z", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "2026-03-29T02:30:00+01:00", "now", "1764000000",
}

// oddJSON are values, or what looks like some, that no field expects.
var oddJSON = []string{
	"null", "true", "false", "0", "-0", "-1", "1", "1.5", "1e309", "-1e309", "1e-400", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
	"1e18", "4503599627370497.5", "123456789012345678901234567890", "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "+1", "", `"NaN"`, `"1"`, "[]", "{}", "[[]]",
	"[null]", `{"":""}`, `{"x":null}`, `"\u0000` + marker + `"`, `"\ud800` + marker + `"`, "\"\xff\xfe" + marker + "\"", "\"\x01" + marker + "\"", `"\x` + marker + `"`, `"` + marker, "undefined",
	"/* " + marker + " */ 1", "1 " + marker, "\ufeff1", strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200),
}

// tree is JSON as it will be sent, which may be none.
type tree struct {
	raw     string   // of what is neither an object nor an array
	members []member // of an object
	items   []*tree  // of an array
	kind    byte     // '{', '[' or 0
}

type member struct {
	name  string // as it will be sent, with its quotes
	value *tree
}

func (n *tree) write(b *strings.Builder) {
	switch n.kind {
	case '{':
		b.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(m.name)
			b.WriteByte(':')
			m.value.write(b)
		}
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	default:
		b.WriteString(n.raw)
	}
}

// all appends the tree and everything in it.
func (n *tree) all(into []*tree) []*tree {
	into = append(into, n)
	for _, m := range n.members {
		into = m.value.all(into)
	}
	for _, item := range n.items {
		into = item.all(into)
	}
	return into
}

func quoted(s string) string {
	text, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return `"` + s + `"` // invalid UTF-8 as it is
	}
	return string(text)
}

// parse reads JSON that is in order.
func parse(text jsontext.Value) *tree {
	n := &tree{raw: string(text)}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	begin, err := d.ReadToken()
	if err != nil || begin.Kind() != '{' && begin.Kind() != '[' {
		return n
	}
	n.kind = byte(begin.Kind())
	for kind := d.PeekKind(); kind != '}' && kind != ']' && kind != 0; kind = d.PeekKind() {
		value, _ := d.ReadValue()
		if n.kind == '[' {
			n.items = append(n.items, parse(value))
			continue
		}
		name := string(value)
		value, _ = d.ReadValue()
		n.members = append(n.members, member{name, parse(value)})
	}
	return n
}

// forge makes requests out of the document and of what earlier answers told.
type forge struct {
	r          *rand.Rand
	schemas    map[string]any
	operations []*described
	pool       map[string][]string            // texts of answers by name
	items      map[string][]map[string]string // texts of what is listed, by the part of the path that lists it
	now        func() time.Time
	rule       string            // that the path names
	about      map[string]string // what the path names, as it was listed
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (f *forge) chance(p float64) bool { return f.r.Float64() < p }

// resolve follows a schema's reference.
func (f *forge) resolve(schema map[string]any) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		target, _ := f.schemas[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
		return target
	}
	return schema
}

// value is one that the schema allows, of a property of this name.
func (f *forge) value(schema map[string]any, name string, depth int) *tree {
	schema = f.resolve(schema)
	switch kind, _ := schema["type"].(string); kind {
	case "object":
		return f.object(schema, name, depth)
	case "array":
		n := &tree{kind: '['}
		item, _ := schema["items"].(map[string]any)
		for range f.r.IntN(4) {
			n.items = append(n.items, f.value(item, name, depth+1))
		}
		return n
	case "integer", "number":
		return &tree{raw: f.number(schema, name, kind == "integer")}
	case "boolean":
		return &tree{raw: strconv.FormatBool(f.chance(0.5))}
	case "string":
		return &tree{raw: quoted(f.text(schema, name))}
	default:
		return f.anything(name)
	}
}

func (f *forge) object(schema map[string]any, name string, depth int) *tree {
	n := &tree{kind: '{'}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	fullness := pick(f.r, []float64{0, 0.2, 0.5, 0.9})
	for _, key := range sortedKeys(properties) {
		if !slices.Contains(required, any(key)) && (depth > 4 || !f.chance(fullness)) {
			continue
		}
		property, _ := properties[key].(map[string]any)
		n.members = append(n.members, member{quoted(key), f.value(property, key, depth+1)})
	}
	if inner, ok := schema["additionalProperties"].(map[string]any); ok {
		if name == "limits" || name == "rules" {
			return f.limits(inner["additionalProperties"] != nil)
		}
		for range f.r.IntN(3) {
			n.members = append(n.members, member{quoted(pick(f.r, f.words("exercise"))), f.value(inner, name, depth+1)})
		}
	}
	return n
}

// limits are some of rules, by rule and name or by name alone.
func (f *forge) limits(byRule bool) *tree {
	n := &tree{kind: '{'}
	specs := analysis.LimitSpecs()
	for range f.r.IntN(3) {
		spec := pick(f.r, specs)
		if !byRule && f.rule != "" {
			of := slices.DeleteFunc(slices.Clone(specs), func(s analysis.LimitSpec) bool { return string(s.Rule) != f.rule })
			if len(of) == 0 {
				continue
			}
			spec = pick(f.r, of)
		}
		one := func() *tree {
			return &tree{raw: f.number(map[string]any{"minimum": spec.Least, "maximum": spec.Most}, "", spec.Whole)}
		}
		value := one()
		if spec.Count > 1 {
			value = &tree{kind: '['}
			for range spec.Count {
				value.items = append(value.items, one())
			}
		}
		m := member{quoted(spec.Name), value}
		if byRule {
			m = member{quoted(string(spec.Rule)), &tree{kind: '{', members: []member{m}}}
		}
		n.members = append(n.members, m)
	}
	return n
}

func (f *forge) number(schema map[string]any, name string, whole bool) string {
	least, hasLeast := schema["minimum"].(float64)
	most, hasMost := schema["maximum"].(float64)
	if !hasLeast {
		least = 0
	}
	if !hasMost {
		most = max(10, least*2)
		if name == "born" {
			least, most = 1900, 2026
		}
	}
	v := least + f.r.Float64()*(most-least)
	switch f.r.IntN(5) {
	case 0:
		v = least
	case 1:
		v = most
	}
	if whole {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// words are what the contract allows where a schema says only that it is text.
func (f *forge) words(name string) []string {
	switch name {
	case "site":
		return []string{"alfa", "beta", "gamma"}
	case "athlete", "athletes":
		return append([]string{"ana", "bo"}, f.pool["athletes"]...)
	case "id":
		return []string{"dora", "emil", "fay", "gus", "squad"}
	case "team", "teams":
		return append([]string{"squad"}, f.pool["teams"]...)
	case "device", "devices":
		return append([]string{"bar-1"}, f.pool["devices"]...)
	case "exercise", "maximum_kg", "min_velocity_mps":
		return []string{"deadlift", "squat", string(pick(f.r, exercise.Standard().All()).ID)}
	case "zone":
		return []string{"Europe/Berlin", "UTC", "Asia/Kathmandu"}
	case "language":
		return []string{"en", "de"}
	case "goal":
		return []string{"speed", "strength", "hypertrophy"}
	case "unit":
		return []string{"kg", "lb"}
	case "phase":
		return []string{"before", "during", "after", "next_morning", "daily"}
	case "region":
		return []string{"lower_back", "hip"}
	case "symptoms":
		return []string{"radiating", "numbness", "fever", "eases_with_rest"}
	case "deloads", "tests":
		return []string{"2026-W47", "2026-W01"}
	case "rule", "rules":
		return []string{string(pick(f.r, analysis.Rules())), "velocity-loss"}
	case "url":
		return []string{"generic://127.0.0.1:9/hook", "ntfy://127.0.0.1:9/topic", "http://127.0.0.1:9/hook", "https://hooks.example/" + marker}
	case "secret":
		return []string{strings.Repeat("s3cret", 5)}
	case "from":
		return []string{"22:00"}
	case "to":
		return []string{"06:00"}
	case "token":
		return f.pool["token"]
	case "cursor":
		return f.pool["cursor"]
	}
	return nil
}

func (f *forge) text(schema map[string]any, name string) string {
	if options, ok := schema["enum"].([]any); ok {
		return fmt.Sprint(pick(f.r, options))
	}
	words := f.words(name)
	pattern, _ := schema["pattern"].(string)
	switch format, _ := schema["format"].(string); {
	case format == "date-time" || name == "time" || name == "since":
		at := f.now().Add(-time.Duration(f.r.Int64N(int64(60 * 24 * time.Hour))))
		if f.chance(0.1) {
			at = at.AddDate(1, 0, 0)
		}
		return at.In(time.FixedZone("", (f.r.IntN(29)-14)*3600)).Format(time.RFC3339Nano)
	case format == "date":
		return f.now().AddDate(0, 0, -f.r.IntN(60)).Format(time.DateOnly)
	case len(words) > 0 && f.chance(0.9):
		return pick(f.r, words)
	case pattern != "":
		return rapid.StringMatching(pattern).Example(f.r.IntN(1000))
	}
	most, bounded := schema["maxLength"].(float64)
	least, _ := schema["minLength"].(float64)
	switch {
	case bounded && f.chance(0.2):
		return strings.Repeat("é", int(most)) // characters, not bytes
	case bounded && f.chance(0.1):
		return strings.Repeat("a", int(most)+1)
	case f.chance(0.2):
		return strings.Repeat("a", int(least))
	case f.chance(0.3):
		return pick(f.r, hostile)
	}
	return "a " + marker
}

// anything is a value where a schema allows all: often one that the server can use.
func (f *forge) anything(name string) *tree {
	switch {
	case name != "":
		return &tree{raw: f.number(nil, "", false)}
	case f.chance(0.5):
		return &tree{raw: fmt.Sprintf(`{"boot_id":"b%d","seq":%d,"time":%q,"mean_velocity_mps":0.5,"athlete":%q,"exercise":"deadlift","load_kg":100}`,
			f.r.IntN(3), f.r.IntN(1000), f.now().Add(-time.Hour).Format(time.RFC3339), pick(f.r, []string{"ana", "bo"}))}
	}
	return &tree{raw: pick(f.r, oddJSON)}
}

// spoil changes something anywhere in a value.
func (f *forge) spoil(n *tree) {
	at := pick(f.r, n.all(nil))
	odd := func() *tree {
		switch f.r.IntN(40) {
		case 0:
			return &tree{raw: strings.Repeat("[", 12_000) + strings.Repeat("]", 12_000)}
		case 1:
			return &tree{raw: quoted(strings.Repeat(marker, 10_000))}
		}
		switch f.r.IntN(4) {
		case 0:
			return &tree{raw: quoted(pick(f.r, hostile))}
		case 1:
			return &tree{raw: quoted(pick(f.r, oddTimes))}
		default:
			return &tree{raw: pick(f.r, oddJSON)}
		}
	}
	switch {
	case at.kind == '{' && f.chance(0.7):
		i := 0
		if len(at.members) > 0 {
			i = f.r.IntN(len(at.members))
		}
		switch what := f.r.IntN(5); {
		case what == 0 || len(at.members) == 0:
			name := pick(f.r, hostile)
			if payload.Name(name) == name {
				name = "surplus" // what may be a name is told
			}
			at.members = append(at.members, member{quoted(name), odd()})
		case what == 1:
			at.members = slices.Delete(at.members, i, i+1)
		case what == 2:
			at.members = append(at.members, at.members[i])
		case what == 3:
			at.members[i].name = quoted(strings.ToUpper(strings.Trim(at.members[i].name, `"`)))
		default:
			at.members[i].value = odd()
		}
	case at.kind == '[' && f.chance(0.7):
		for range 1 + f.r.IntN(600) {
			at.items = append(at.items, odd())
			if f.chance(0.3) {
				break
			}
		}
	default:
		*at = *odd()
	}
}
