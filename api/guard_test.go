package api

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/api/board"
	"github.com/spotterhq/spotter/internal/access"
)

// document is what the tests read of /openapi.json.
type document struct {
	OpenAPI    string                           `json:"openapi"`
	Paths      map[string]map[string]documented `json:"paths"`
	Components struct {
		Schemas         map[string]any `json:"schemas"`
		SecuritySchemes map[string]any `json:"securitySchemes"`
	} `json:"components"`
}

// parameter is one of an operation's in the document.
type parameter struct {
	Name     string         `json:"name"`
	In       string         `json:"in"`
	Required bool           `json:"required"`
	Schema   map[string]any `json:"schema"`
}

type documented struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Security    []map[string][]string `json:"security"`
	Roles       []access.Role         `json:"x-roles"`
	Scope       scope                 `json:"x-scope"`
	Parameters  []parameter           `json:"parameters"`
	RequestBody *struct {
		Content map[string]any `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Description string         `json:"description"`
		Headers     map[string]any `json:"headers"`
		Content     map[string]any `json:"content"`
	} `json:"responses"`
}

// each calls f with every operation of the document.
func each(doc *document, f func(method, path string, op documented)) {
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			f(strings.ToUpper(method), path, doc.Paths[path][method])
		}
	}
}

// filled puts an id nobody has into a path.
func filled(path string) string { return strings.ReplaceAll(path, "{id}", "nobody") }

func TestEveryOperationWantsAToken(t *testing.T) {
	g := open(t)
	doc := want[document](g, 200, "GET", "/openapi.json", "")
	public := map[string]bool{"GET /healthz": true, "GET /readyz": true}
	keyless := map[string]bool{ // they have tests of their own
		"POST /api/v1/session": true, "DELETE /api/v1/session": true,
		"GET /api/v1/checkin/{token}": true, "POST /api/v1/checkin/{token}": true,
		"GET /auth/login": true, "GET /auth/callback": true,
	}
	guarded := 0
	each(&doc, func(method, path string, op documented) {
		if keyless[method+" "+path] {
			return
		}
		if public[method+" "+path] {
			answer := g.send(method, path, "", "Authorization", "")
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s %s answers %d without a token", method, path, answer.StatusCode)
			}
			return
		}
		guarded++
		if len(op.Security) == 0 {
			t.Errorf("%s %s is described as public", method, path)
		}
		// A request through a proxy is not from here, whoever runs the proxy.
		for _, credential := range []string{"", "Bearer", "Bearer wrong-token", "Basic " + testToken, testToken, "Bearer " + testToken + "x"} {
			answer := g.send(method, filled(path)+"?ticket="+testToken, "", "Authorization", credential, "X-Forwarded-For", "127.0.0.1")
			_ = answer.Body.Close()
			limited := answer.StatusCode == http.StatusTooManyRequests
			if answer.StatusCode != http.StatusUnauthorized && !limited || answer.Header.Get("Content-Type") != problemType {
				t.Errorf("%s %s answers %d to %q", method, path, answer.StatusCode, credential)
			}
			if !limited && answer.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s does not say how to authenticate", method, path)
			}
		}
	})
	if guarded < 20 {
		t.Fatalf("only %d operations", guarded)
	}
	g.server.failures = newFailures()
	each(&doc, func(method, path string, _ documented) {
		if strings.HasSuffix(path, "/stream") || path == "/api/v1/live" {
			return // see the tests of streams
		}
		answer := g.send(method, filled(path), "", "X-Forwarded-For", "127.0.0.1")
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode >= 500 {
			t.Errorf("%s %s answers %d with a token", method, path, answer.StatusCode)
		}
	})
	if logged := g.logged.String(); strings.Contains(logged, testToken) || strings.Contains(logged, "nobody") {
		t.Error("the log holds a token or somebody's id")
	}
}

func TestWrongTokensAreLimitedByAddress(t *testing.T) {
	now := clockAt(time.Date(2026, 11, 22, 12, 0, 30, 0, time.UTC))
	g := open(t, func(o *Options) { o.Clock = now.time })
	coach := want[newToken](g, 201, "POST", "/api/v1/tokens", `{"name":"ben","role":"coach"}`).Token
	ask := func(address, token, forwarded string) int {
		r := httptest.NewRequest("GET", "/api/v1/alerts", nil)
		r.RemoteAddr = address
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("X-Forwarded-For", forwarded)
		w := httptest.NewRecorder()
		g.server.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for i := range maxFailures {
		if got := ask("192.0.2.1:1000", "wrong", ""); got != http.StatusUnauthorized {
			t.Fatalf("guess %d answers %d", i, got)
		}
	}
	for _, c := range []struct {
		address, token, forwarded string
		status                    int
		why                       string
	}{
		{"192.0.2.1:1001", "wrong", "", 429, "one guess too many"},
		{"192.0.2.1:1001", testToken, "", 429, "else the limit would tell which guess was right"},
		{"192.0.2.1:1001", coach, "", 200, "one that nobody can guess is not kept out by a neighbour who tries"},
		{"192.0.2.1:1001", "wrong", "198.51.100.7", 429, "what a client says of its address is not believed"},
		{"192.0.2.2:1001", testToken, "192.0.2.1", 200, "another address"},
	} {
		if got := ask(c.address, c.token, c.forwarded); got != c.status {
			t.Errorf("%s: %d, want %d", c.why, got, c.status)
		}
	}
	now.add(time.Minute)
	if got := ask("192.0.2.1:1001", testToken, ""); got != http.StatusOK {
		t.Errorf("a minute later: %d", got)
	}
}

func TestAServerWithoutTokensAnswersOnlyHere(t *testing.T) {
	g := open(t, func(o *Options) { o.Auth = Open(t.TempDir()) })
	own := strings.TrimPrefix(g.url, "http://")
	_, port, _ := strings.Cut(own, ":")
	for _, c := range []struct {
		status  int
		headers []string
		why     string
	}{
		{200, nil, "as curl asks"},
		{200, []string{"Origin", g.url}, "its own page"},
		{200, []string{"Host", "localhost:" + port}, "by name"},
		{200, []string{"Host", "localhost:" + port, "Origin", "http://localhost:" + port}, "its own page by name"},
		{200, []string{"Host", "[::1]:" + port}, "by its other address"},
		{403, []string{"Host", "spotter.example"}, "a name that somebody made lead here"},
		{403, []string{"Host", "127.0.0.1.example:" + port}, "a name that looks like here"},
		{403, []string{"Host", "localhost.example"}, "a name that begins like here"},
		{403, []string{"Origin", "http://spotter.example"}, "another site's page"},
		{403, []string{"Origin", "null"}, "a page of no site"},
		{403, []string{"Origin", "http://127.0.0.1:1"}, "another server's page on this machine"},
		{403, []string{"X-Forwarded-For", "192.0.2.1"}, "through a proxy"},
	} {
		for _, path := range []string{"/api/v1/alerts", "/openapi.json", "/metrics"} {
			answer := g.send("GET", path, "", append([]string{"Authorization", ""}, c.headers...)...)
			_ = answer.Body.Close()
			if answer.StatusCode != c.status {
				t.Errorf("%s: %s answers %d, want %d", c.why, path, answer.StatusCode, c.status)
			}
		}
	}
	r := httptest.NewRequest("GET", "http://localhost/api/v1/alerts", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	w := httptest.NewRecorder()
	if g.server.Handler().ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("another machine gets %d", w.Code)
	}
}

func TestMetricsNeedNoTokenHere(t *testing.T) {
	g := open(t)
	for _, c := range []struct {
		address, host string
		status        int
	}{
		{"127.0.0.1:1", "localhost:8080", 200},
		{"[::1]:1", "[::1]:8080", 200},
		{"127.0.0.1:1", "spotter.example", 401},
		{"192.0.2.1:1", "localhost:8080", 401},
	} {
		r := httptest.NewRequest("GET", "http://"+c.host+"/metrics", nil)
		r.RemoteAddr = c.address
		w := httptest.NewRecorder()
		if g.server.Handler().ServeHTTP(w, r); w.Code != c.status {
			t.Errorf("from %s at %s: %d, want %d", c.address, c.host, w.Code, c.status)
		}
	}
}

// What Prometheus has must not open anything else.
func TestTheTokenOfTheMetricsOpensNothingElse(t *testing.T) {
	const token = "token-of-prometheus"
	g := open(t)
	if err := g.server.auth.AllowMetrics(" " + token + "\n"); err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, token, body string) int {
		r := httptest.NewRequest(method, "http://spotter.example"+path, strings.NewReader(body))
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		g.server.Handler().ServeHTTP(w, r)
		return w.Code
	}
	if got := ask("GET", "/metrics", token, ""); got != http.StatusOK {
		t.Errorf("the metrics answer %d", got)
	}
	if got := ask("GET", "/metrics", token+"x", ""); got != http.StatusUnauthorized {
		t.Errorf("with another token the metrics answer %d", got)
	}
	for _, path := range []string{"/api/v1/alerts", "/api/v1/tokens", "/api/v1/backup"} {
		if got := ask("GET", path, token, ""); got != http.StatusUnauthorized {
			t.Errorf("%s answers %d", path, got)
		}
	}
	if got := ask("POST", "/api/v1/session", token, `{"token":"`+token+`"}`); got != http.StatusUnauthorized {
		t.Errorf("it signs in: %d", got)
	}
	if err := g.server.auth.AllowMetrics("short"); err == nil {
		t.Error("a token of five characters is taken")
	}
}

func TestTheAdminsTokenIsShownOnceAndKeptAsAHash(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	auth, created, err := LoadOrCreateAdmin(dir, "", now)
	if err != nil || len(created) < 30 {
		t.Fatalf("created %q, %v", created, err)
	}
	if id, ok, err := auth.who(created, now); !ok || err != nil || id.Name != "admin" || id.Role != access.RoleAdmin {
		t.Errorf("the new token belongs to %+v, %v", id, ok)
	}
	path := filepath.Join(dir, "tokens.json")
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), strings.TrimPrefix(created, "spotter_")) {
		t.Errorf("kept as %s, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v, %v", info.Mode(), err)
	}
	auth, again, err := LoadOrCreateAdmin(dir, "", now)
	if _, ok, _ := auth.who(created, now); err != nil || again != "" || !ok {
		t.Errorf("after a restart: %q, %v, %v", again, ok, err)
	}
	auth, again, err = LoadOrCreateAdmin(dir, " my-own-token\n", now)
	if _, old, _ := auth.who(created, now); err != nil || again != "" || old {
		t.Errorf("beside a supplied token: %q, %v, the old one still works: %v", again, err, old)
	}
	if _, ok, _ := auth.who("my-own-token", now); !ok {
		t.Error("the supplied token does not work")
	}
	for _, bad := range []string{"short", "with a space in it", "un-ASCII-tökén"} {
		if _, _, err := LoadOrCreateAdmin(dir, bad, now); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, broken := range []string{"", "{}", `{"version":1,"tokens":[]}`, `{"version":1,"tokens":[{"name":"admin","role":"god","sha256":"00"}]}`} {
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, created, err := LoadOrCreateAdmin(dir, "", now); err == nil || created != "" {
			t.Errorf("a broken file %q gives %q, %v: anybody could have broken it to be admin", broken, created, err)
		}
	}
}

func TestTheDocumentDescribesEveryRoute(t *testing.T) {
	g := open(t)
	answer := g.send("GET", "/openapi.json", "", "Authorization", "")
	defer answer.Body.Close()
	var doc document
	if err := json.UnmarshalRead(answer.Body, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("version %q", doc.OpenAPI)
	}
	described := map[string]bool{}
	ids := map[string]bool{}
	each(&doc, func(method, path string, op documented) {
		described[method+" "+path] = true
		if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" {
			t.Errorf("%s %s: id %q is missing or taken, or there is no summary", method, path, op.OperationID)
		}
		ids[op.OperationID] = true
		inPath := map[string]bool{}
		for _, p := range op.Parameters {
			if p.In == "path" {
				inPath["{"+p.Name+"}"] = true
			}
			if p.Schema == nil || p.In == "path" && !p.Required {
				t.Errorf("%s %s: parameter %s has no schema or may be missing from the path", method, path, p.Name)
			}
		}
		for part := range strings.SplitSeq(path, "/") {
			if strings.HasPrefix(part, "{") && !inPath[part] {
				t.Errorf("%s %s does not describe %s", method, path, part)
			}
		}
		if len(op.Responses) < 2 {
			t.Errorf("%s %s describes only %d answers", method, path, len(op.Responses))
		}
		for status, r := range op.Responses {
			if r.Description == "" || status >= "4" && r.Content[problemType] == nil && r.Content["application/json"] == nil {
				t.Errorf("%s %s: %s is not described", method, path, status)
			}
		}
		for _, s := range op.Security {
			for name := range s {
				if doc.Components.SecuritySchemes[name] == nil {
					t.Errorf("%s %s: unknown security %q", method, path, name)
				}
			}
		}
	})
	served := map[string]bool{}
	for _, r := range g.server.echo.Routes() {
		path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}")
		if path != "/openapi.json" && !slices.Contains(board.Paths, path) && !strings.HasPrefix(path, "/board/") && !strings.HasPrefix(path, "/docs") && !strings.HasPrefix(path, "/checkin") {
			served[r.Method+" "+path] = true
		}
	}
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("- served, + described: %s", diff)
	}
}

func TestEveryReferenceOfTheDocumentLeadsSomewhere(t *testing.T) {
	g := open(t)
	doc := want[map[string]any](g, 200, "GET", "/openapi.json", "")
	count := 0
	var check func(at string, v any)
	check = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				count++
				var target any = doc
				for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := target.(map[string]any)
					target = m[part]
				}
				if target == nil {
					t.Errorf("%s refers to %s, which is not there", at, ref)
				}
			}
			for k, inner := range v {
				check(at+"/"+k, inner)
			}
		case []any:
			for _, inner := range v {
				check(at, inner)
			}
		}
	}
	check("", doc)
	if count < 20 {
		t.Errorf("only %d references", count)
	}
	alert := doc["components"].(map[string]any)["schemas"].(map[string]any)["Alert"].(map[string]any)["properties"].(map[string]any)
	for _, name := range []string{"id", "site", "athlete", "rule", "severity", "state", "window", "evidence", "source", "opened", "updated", "revision", "acknowledged"} {
		if alert[name] == nil {
			t.Errorf("the document's alert has no %s", name)
		}
	}
}

func TestTheDocsPageLoadsOnlyFromHere(t *testing.T) {
	g := open(t)
	get := func(path string) (string, http.Header) {
		answer := g.send("GET", path, "", "Authorization", "")
		defer answer.Body.Close()
		var b strings.Builder
		if _, err := io.Copy(&b, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %d, %v", path, answer.StatusCode, err)
		}
		return b.String(), answer.Header
	}
	page, header := get("/docs")
	if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "http") {
		t.Errorf("policy %q", policy)
	}
	if strings.Contains(page, "//") {
		t.Errorf("the page names another host: %s", page)
	}
	for path, kind := range map[string]string{
		"/docs/spotter.js": "javascript", "/docs/assets/swagger-ui-bundle.js": "javascript", "/docs/assets/swagger-ui.css": "css", "/docs/assets/favicon-32x32.png": "png",
	} {
		if body, header := get(path); len(body) < 100 || !strings.Contains(header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d bytes of %q", path, len(body), header.Get("Content-Type"))
		}
		if !strings.Contains(page, path) {
			t.Errorf("the page does not use %s", path)
		}
	}
	for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if header.Get(name) != value {
			t.Errorf("%s is %q", name, header.Get(name))
		}
	}
}

func TestReadinessTellsWhatIsWrong(t *testing.T) {
	var problems []Problem
	g := open(t, func(o *Options) { o.Ready = func() []Problem { return problems } })
	if got := want[readiness](g, 200, "GET", "/readyz", ""); !got.Ready || got.Problems == nil {
		t.Errorf("%+v", got)
	}
	problems = []Problem{{"disk", "91 % full", true}}
	if got := want[readiness](g, 200, "GET", "/readyz", ""); !got.Ready || !cmp.Equal(problems, got.Problems) {
		t.Errorf("%+v", got)
	}
	problems = append(problems, Problem{"broker", "not connected", false})
	answer := g.send("GET", "/readyz", "")
	defer answer.Body.Close()
	var got readiness
	if err := json.UnmarshalRead(answer.Body, &got); err != nil || answer.StatusCode != 503 || got.Ready || !cmp.Equal(problems, got.Problems) {
		t.Errorf("%d: %+v, %v", answer.StatusCode, got, err)
	}
	want[health](g, 200, "GET", "/healthz", "")
}
