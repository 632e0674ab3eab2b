package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAProvidersSettingsAreCheckedBeforeTheStart(t *testing.T) {
	good := func() serveCommand {
		c := usable()
		c.OIDCIssuer, c.OIDCClientID, c.PublicURL, c.OIDCRoles = "https://id.example", "spotter", "https://spotter.example", []string{"owners=admin", "c=coach:main"}
		return c
	}
	c := good()
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	if p := c.provider(); p == nil || len(p.Roles) != 2 || p.Roles[1].Site != "main" {
		t.Errorf("%+v", p)
	}
	none := usable()
	if err := none.validate(); err != nil || none.provider() != nil {
		t.Errorf("without a provider: %v, %+v", err, none.provider())
	}
	for flag, change := range map[string]func(*serveCommand){
		"--oidc-issuer: is missing":                func(c *serveCommand) { c.OIDCIssuer = "" },
		"--oidc-issuer: \"http://id.example\"":     func(c *serveCommand) { c.OIDCIssuer = "http://id.example" },
		"--public-url: is missing":                 func(c *serveCommand) { c.PublicURL = "" },
		"--public-url: \"http://spotter.example\"": func(c *serveCommand) { c.PublicURL = "http://spotter.example" },
		"--oidc-client-id: is missing":             func(c *serveCommand) { c.OIDCClientID = "" },
		"--oidc-role: is missing":                  func(c *serveCommand) { c.OIDCRoles = nil },
		"--oidc-role: \"owners=god\"":              func(c *serveCommand) { c.OIDCRoles = []string{"owners=god"} },
		"--rate-token":                             func(c *serveCommand) { c.RateToken = -1 },
		"--rate-address":                           func(c *serveCommand) { c.RateAddress = 1e9 },
	} {
		c := good()
		change(&c)
		if err := c.validate(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("want an error of %s, got %v", flag, err)
		}
	}
	here := good()
	here.OIDCIssuer, here.PublicURL = "http://127.0.0.1:9000/realm", "http://localhost:8080"
	if err := here.validate(); err != nil {
		t.Errorf("on this machine: %v", err)
	}
}

func TestACommandWaitsWhenItAsksTooOften(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	c := serverSettings{Server: server.URL}
	var u usageError
	if c.validate(&u); u.orNil() != nil {
		t.Fatal(u.orNil())
	}
	var back string
	if err := c.send(t.Context(), http.MethodPost, "/", "hello", &back); err != nil || back != "hello" || asked != 2 {
		t.Errorf("%q after %d requests, %v", back, asked, err)
	}
	for _, tooLong := range []string{"60", "", "-1", "soon"} {
		if waitsFor(t.Context(), tooLong) {
			t.Errorf("it waits for %q", tooLong)
		}
	}
}
