package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// described is an operation with everything that the document says of it.
type described struct {
	documented
	method, path string
	body         map[string]any // the schema of a request's, nil where it has none
	answers      map[int]promise
}

// promise is what the document says of one status.
type promise struct {
	types map[string]*jsonschema.Schema // by kind of content; nil is no JSON
	etag  bool
}

// contract is the document, read strictly: an answer must hold nothing that is not
// described.
type contract struct {
	operations []*described
	schemas    map[string]any
	problem    *jsonschema.Schema
}

func readContract(t *testing.T, g *gym) *contract {
	answer := g.send("GET", "/openapi.json", "")
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := raw.(map[string]any)
	components, _ := whole["components"].(map[string]any)
	strict, _ := components["schemas"].(map[string]any)
	for _, s := range strict {
		if s, ok := s.(map[string]any); ok && s["properties"] != nil && s["additionalProperties"] == nil {
			s["unevaluatedProperties"] = false
		}
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	const name = "mem:///openapi.json"
	if err := compiler.AddResource(name, raw); err != nil {
		t.Fatal(err)
	}
	compile := func(at ...string) *jsonschema.Schema {
		pointer := ""
		for _, part := range at {
			pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(part)
		}
		s, err := compiler.Compile(name + "#" + pointer)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	c := &contract{schemas: doc.Components.Schemas, problem: compile("components", "schemas", "ErrorModel")}
	each(&doc, func(method, path string, op documented) {
		d := &described{documented: op, method: method, path: path, answers: map[int]promise{}}
		if op.RequestBody != nil {
			content, _ := op.RequestBody.Content["application/json"].(map[string]any)
			d.body, _ = content["schema"].(map[string]any)
		}
		for text, r := range op.Responses {
			status, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("%s: status %q", op.OperationID, text)
			}
			p := promise{types: map[string]*jsonschema.Schema{}, etag: r.Headers["ETag"] != nil}
			for kind := range r.Content {
				p.types[kind] = nil
				if strings.HasSuffix(kind, "json") {
					p.types[kind] = compile("paths", path, strings.ToLower(method), "responses", text, "content", kind, "schema")
				}
			}
			d.answers[status] = p
		}
		c.operations = append(c.operations, d)
	})
	return c
}

// router are the answers of a server to what is no operation.
var router = []int{http.StatusNotFound, http.StatusMethodNotAllowed}

// refusedBelow are the answers of the HTTP library to what it cannot read.
var refusedBelow = []int{http.StatusBadRequest, http.StatusRequestHeaderFieldsTooLarge}

// check returns what is wrong with an answer, nil where nothing is.
func (c *contract) check(q *forged, h *heard) error {
	if h.status >= 500 {
		return errors.New("is the server's fault")
	}
	kind, _, err := mime.ParseMediaType(h.header.Get("Content-Type"))
	if err != nil && len(h.body) > 0 {
		return fmt.Errorf("has content of the type %q: %w", h.header.Get("Content-Type"), err)
	}
	if slices.Contains(refusedBelow, h.status) && kind == "text/plain" && !q.readable {
		return nil
	}
	if q.method == http.MethodHead && h.status >= 400 {
		return nil // has no body to look at
	}
	if h.status >= 400 {
		if err := c.checkProblem(h, kind); err != nil {
			return err
		}
	}
	if !q.routed {
		if q.method == http.MethodOptions && h.status == http.StatusNoContent && h.header.Get("Allow") != "" {
			return nil // which methods there are
		}
		if h.status < 400 && q.method != q.op.method {
			return errors.New("answers another method than it is described with")
		}
		return nil
	}
	promised, ok := q.op.answers[h.status]
	if !ok {
		if slices.Contains(router, h.status) && bytes.Contains(h.body, []byte("/openapi.json lists what there is")) {
			return nil
		}
		return errors.New("has a status that the document does not list")
	}
	if promised.etag && h.header.Get("ETag") == "" {
		return errors.New("has no ETag")
	}
	if len(promised.types) == 0 {
		if len(h.body) > 0 {
			return errors.New("has a body, and the document says that it has none")
		}
		return nil
	}
	schema, ok := promised.types[kind]
	switch {
	case !ok:
		return fmt.Errorf("is %q, which the document does not list", kind)
	case schema == nil:
		return nil
	}
	return valid(schema, h.body)
}

// checkProblem holds an error against what all of them promise.
func (c *contract) checkProblem(h *heard, kind string) error {
	if kind != problemType {
		return fmt.Errorf("is an error of the type %q", kind)
	}
	if err := valid(c.problem, h.body); err != nil {
		return err
	}
	var p problem
	if err := json.Unmarshal(h.body, &p); err != nil {
		return err
	}
	switch {
	case p.Status != h.status || p.Title == "":
		return fmt.Errorf("says status %d and title %q", p.Status, p.Title)
	case p.Detail == "":
		return errors.New("does not say what is wrong")
	case h.status == http.StatusUnprocessableEntity && (len(p.Errors) == 0 || p.Errors[0].Location == ""):
		return errors.New("does not say where the fault is")
	case bytes.Contains(bytes.ToLower(h.body), []byte(marker)):
		return errors.New("repeats what was sent")
	case len(h.body) > 4096:
		return fmt.Errorf("is %d bytes long", len(h.body))
	}
	return nil
}

// valid holds JSON, which must be strict, against a schema.
func valid(schema *jsonschema.Schema, text []byte) error {
	if !jsontext.Value(text).IsValid() {
		return errors.New("is not JSON, or has a name twice, or text that is not UTF-8")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}
