package api

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/swaggest/swgui/v5emb"
)

// readiness is whether the server serves, and what is not well.
type readiness struct {
	Ready    bool      `json:"ready"`
	Problems []Problem `json:"problems"`
}

type health struct {
	Alive bool `json:"alive"`
}

func (s *Server) addSystem() {
	add(s, huma.Operation{
		OperationID: "get-health", Method: http.MethodGet, Path: "/healthz", Tags: []string{"system"},
		Summary: "Is the process alive?",
	}, permit{ofNobody, anybody}, func(context.Context, *struct{}) (*answer[health], error) {
		return &answer[health]{http.StatusOK, health{true}}, nil
	})
	add(s, huma.Operation{
		OperationID: "get-readiness", Method: http.MethodGet, Path: "/readyz", Tags: []string{"system"},
		Summary: "Does the server serve, and is anything not well?", Description: "503 with the problems where it does not serve.",
	}, permit{ofNobody, anybody}, func(context.Context, *struct{}) (*answer[readiness], error) {
		r := readiness{Ready: true, Problems: s.ready()}
		for _, p := range r.Problems {
			r.Ready = r.Ready && p.Warning
		}
		if !r.Ready {
			return &answer[readiness]{http.StatusServiceUnavailable, r}, nil
		}
		return &answer[readiness]{http.StatusOK, r}, nil
	})
	ready := s.api.OpenAPI().Paths["/readyz"].Get.Responses
	ready["503"] = &huma.Response{Description: "Not ready", Content: ready["200"].Content}

	metrics := promhttp.HandlerFor(s.gatherer, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	add(s, huma.Operation{
		OperationID: "get-metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"system"},
		Metadata: map[string]any{freeHere: true},
		Summary:  "Metrics for Prometheus", Description: "A request from the machine itself, by a loopback name and not through a proxy, needs no token. " +
			"Besides an admin's, the token of --metrics-token is accepted, here and nowhere else.",
		Responses: map[string]*huma.Response{"200": {
			Description: "Every station's counts", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}, permit{ofNobody, admins}, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			c := humaecho.Unwrap(hc)
			metrics.ServeHTTP(c.Response(), c.Request())
		}}, nil
	})
}

// describe is the document that the operations add themselves to.
func describe(version string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Spotter", Version: version,
			Description: "A spotter for the barbell: reps, sets and weeks of lifters, and alerts that protect the lower back. " +
				"Times are RFC 3339, units are in the names, errors are RFC 9457 problem documents that name the field at fault.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				bearerScheme: {Type: "http", Scheme: "bearer", Description: "Authorization: Bearer <token>"},
			},
		},
	}
}

//go:embed docs.html
var docsPage []byte

//go:embed docs.js
var docsScript []byte

// docsPolicy lets the page load only from this server. Swagger UI sets styles as
// it goes.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// addDocs completes the document and serves it, with a page to read it on.
func (s *Server) addDocs() {
	completeSchemas(s.api.OpenAPI())
	document, err := s.api.OpenAPI().MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("encode openapi document: %v", err)) // as huma does with types it cannot describe
	}
	s.echo.GET("/openapi.json", func(c echo.Context) error {
		return c.Blob(http.StatusOK, "application/json", document)
	})
	fixed := func(kind string, data []byte) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("Content-Security-Policy", docsPolicy)
			return c.Stream(http.StatusOK, kind, bytes.NewReader(data))
		}
	}
	assets := v5emb.New("Spotter", "/openapi.json", "/docs/assets/")
	s.echo.GET("/docs", fixed("text/html; charset=utf-8", docsPage))
	s.echo.GET("/docs/spotter.js", fixed("text/javascript; charset=utf-8", docsScript))
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"} {
		s.echo.GET("/docs/assets/"+name, echo.WrapHandler(assets))
	}
}

// completeSchemas says what huma cannot know: nothing is ever null, answers may
// get more fields, and a problem names the field at fault.
func completeSchemas(doc *huma.OpenAPI) {
	requests := map[string]bool{"RepPatch": true, "Remark": true, "BacktestQuestion": true, "Key": true, "TokenRequest": true, "CredentialRequest": true}
	for name, schema := range doc.Components.Schemas.Map() {
		for _, p := range schema.Properties {
			p.Nullable = false
		}
		if !requests[name] {
			schema.AdditionalProperties = nil
		}
	}
	if p := doc.Components.Schemas.Map()["ErrorModel"]; p != nil {
		delete(p.Properties, "type")
		delete(p.Properties, "instance")
		p.Properties["field"] = &huma.Schema{Type: huma.TypeString, Description: "The first field at fault, as the sender wrote it"}
		if d := doc.Components.Schemas.Map()["ErrorDetail"]; d != nil {
			delete(d.Properties, "value")
		}
	}
}
