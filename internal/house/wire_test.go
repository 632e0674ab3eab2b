package house

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/ingest"
)

// example is a block of JSON with what the lines before it say of it.
type example struct {
	line                   int
	topic, refused, answer string
	request                string
	text                   string
}

func examples(text string) []example {
	var all []example
	var next example
	inside := false
	for i, line := range strings.Split(text, "\n") {
		said := func(label string) string {
			rest, ok := strings.CutPrefix(line, label+": `")
			if !ok {
				return ""
			}
			return strings.TrimSuffix(rest, "`")
		}
		switch {
		case inside && line == "```":
			all = append(all, next)
			next, inside = example{}, false
		case inside:
			next.text += line + "\n"
		case line == "```json":
			next.line, inside = i+1, true
		case said("topic") != "":
			next.topic = said("topic")
		case said("refused") != "":
			next.refused = said("refused")
		case said("answer") != "":
			next.answer = said("answer")
		case said("request") != "":
			next.request = said("request")
		}
	}
	return all
}

// decodes says what is wrong with an example of a message, "" if nothing is.
func (e example) decodes() string {
	received := time.Date(2026, 11, 22, 18, 30, 0, 0, time.UTC)
	d := ingest.Decode(ingest.Message{Topic: e.topic, Payload: []byte(e.text), Received: received})
	if d.UnknownFields != 0 {
		return fmt.Sprintf("%d fields that nobody knows", d.UnknownFields)
	}
	var refused []string
	for i := range d.Events {
		if q := d.Events[i].Quarantined; q != nil {
			field := q.Field
			if q.Index != nil {
				field = "[" + strconv.Itoa(*q.Index) + "]." + field
			}
			refused = append(refused, field)
		}
	}
	if got := strings.Join(refused, " "); len(d.Events) == 0 || got != e.refused {
		return fmt.Sprintf("%d events, refused for %q, the page says %q", len(d.Events), got, e.refused)
	}
	return ""
}

// openAPI is as much of the API's description as is compared.
type openAPI struct {
	Paths map[string]map[string]struct {
		Roles      []string `json:"x-roles"`
		Parameters []struct{ Name, In string }
		Body       struct {
			Content map[string]struct{ Schema schema }
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]schema
	Required   []string
	Items      *schema
	Additional any `json:"additionalProperties"` // an object where names are free
}

// differs lists what an example has that its schema does not, and the other way
// round for what is required.
func (doc *openAPI) differs(at string, s schema, value any) []string {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		s = doc.Components.Schemas[name]
	}
	var found []string
	switch v := value.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				found = append(found, at+"."+name+" is required")
			}
		}
		for name, inner := range v {
			property, ok := s.Properties[name]
			if _, free := s.Additional.(map[string]any); !ok && free {
				continue
			}
			if !ok {
				found = append(found, at+"."+name+" is not described")
				continue
			}
			found = append(found, doc.differs(at+"."+name, property, inner)...)
		}
	case []any:
		if s.Items == nil {
			return []string{at + " is no list"}
		}
		for _, inner := range v {
			found = append(found, doc.differs(at+"[]", *s.Items, inner)...)
		}
	}
	return found
}

// shared are the statuses that the page tells once for all operations.
var shared = []string{"401", "403", "408", "410", "413", "415", "422", "429", "500", "503"}

// operations are method and path, with the query's names, the statuses and the
// roles.
func (doc *openAPI) operations() map[string][3]string {
	all := map[string][3]string{}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			var query []string
			for _, p := range o.Parameters {
				if p.In == "query" {
					query = append(query, p.Name)
				}
			}
			statuses := slices.DeleteFunc(slices.Collect(maps.Keys(o.Responses)), func(s string) bool { return slices.Contains(shared, s) })
			slices.Sort(query)
			slices.Sort(statuses)
			who := "anybody"
			if len(o.Roles) > 0 {
				who = strings.Join(o.Roles, " ")
			}
			all[strings.ToUpper(method)+" "+path] = [3]string{strings.Join(query, " "), strings.Join(statuses, " "), who}
		}
	}
	return all
}

// operationsOnPage reads the table of operations: operation, query, answers, who,
// what.
func operationsOnPage(text string) map[string][3]string {
	all := map[string][3]string{}
	for _, method := range []string{"GET", "POST", "PATCH", "DELETE", "PUT"} {
		for _, cells := range tableRows(text, method+" ") {
			query := quoted(cells[1])
			slices.Sort(query)
			all[quoted(cells[0])[0]] = [3]string{strings.Join(query, " "), cells[2], cells[3]}
		}
	}
	return all
}

func TestTheWirePageIsTrue(t *testing.T) {
	wire := page(t, "wire.md")
	program := build(t)
	url := program.serve(t, "--fsync", "100ms")
	var doc openAPI
	if err := json.Unmarshal(get(t, url+"/openapi.json"), &doc, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}

	messages, answers := 0, 0
	for _, e := range examples(wire) {
		switch {
		case e.topic != "":
			messages++
			if wrong := e.decodes(); wrong != "" {
				t.Errorf("wire.md line %d: %s", e.line, wrong)
			}
		case e.answer != "", e.request != "":
			answers++
			part := strings.Fields(e.answer) // status, method, path
			if e.request != "" {
				part = strings.Fields("with " + e.request)
			}
			o := doc.Paths[part[2]][strings.ToLower(part[1])]
			content := o.Responses[part[0]].Content
			if e.request != "" {
				content = o.Body.Content
			}
			if len(content) != 1 {
				t.Errorf("wire.md line %d: %s is not described", e.line, strings.Join(part, " "))
			}
			var value any
			if err := json.Unmarshal([]byte(e.text), &value); err != nil {
				t.Errorf("wire.md line %d: %v", e.line, err)
			}
			for _, c := range content {
				report(t, doc.differs(fmt.Sprintf("wire.md line %d: ", e.line), c.Schema, value))
			}
		default:
			t.Errorf("wire.md line %d: an example without a topic, a request or an answer before it", e.line)
		}
	}
	if messages < 10 || answers < 5 {
		t.Errorf("only %d messages and %d answers were found on the page", messages, answers)
	}
	if diff := cmp.Diff(doc.operations(), operationsOnPage(wire)); diff != "" {
		t.Errorf("operations (-program +wire.md):\n%s", diff)
	}
	for _, path := range []string{"/openapi.json", "/docs"} {
		get(t, url+path)
	}

	var told []string
	for _, cells := range tableRows(wire, "spotter ") {
		command, _, _ := strings.Cut(strings.TrimPrefix(quoted(cells[0])[0], "spotter "), " <")
		told = append(told, command)
		var flags []string
		for _, flag := range quoted(cells[1]) {
			if other, ok := strings.CutPrefix(flag, "spotter "); ok { // all of that command's
				flags = slices.AppendSeq(flags, maps.Keys(program.flags(t, other)))
			} else {
				flags = append(flags, flag)
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(program.flags(t, command))), slices.Sorted(slices.Values(flags))); diff != "" {
			t.Errorf("flags of spotter %s (-program +wire.md):\n%s", command, diff)
		}
	}
	slices.Sort(told)
	if diff := cmp.Diff(program.commands(t), told); diff != "" {
		t.Errorf("commands (-program +wire.md):\n%s", diff)
	}
}
