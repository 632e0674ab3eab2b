package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// status asks the server with a token.
func status(t *testing.T, p *process, token, path string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestTokensAreMadeBesideTheServerAndThroughIt(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	p := launch(t, args...)
	for name, where := range map[string][]string{
		"beside":  {"--data", data},
		"through": {"--server", p.HTTP, "--token", adminToken},
	} {
		spotter := func(code int, words ...string) string {
			t.Helper()
			var out, errOut output
			if got := run(t.Context(), append(words, where...), &out, &errOut); got != code {
				t.Fatalf("%s: %v ends with %d\n%s", name, words, got, &errOut)
			}
			return out.String() + errOut.String()
		}
		said := strings.Fields(spotter(0, "token", "create", "ana-"+name, "--role", "athlete", "--athlete", "ana", "--expires", "12h"))
		if len(said) != 4 || said[1] != "ana-"+name {
			t.Fatalf("%s: create prints %q", name, said)
		}
		token := said[3]
		if own, foreign := status(t, p, token, "/api/v1/athletes/ana/reps"), status(t, p, token, "/api/v1/athletes/bo/reps"); own != 200 || foreign != 403 {
			t.Errorf("%s: the token gets %d and %d", name, own, foreign)
		}
		if list := spotter(0, "token", "list"); !strings.Contains(list, "ana-"+name) || strings.Contains(list, token) || !strings.Contains(list, time.Now().UTC().Format(time.DateOnly)) {
			t.Errorf("%s: list\n%s", name, list)
		}
		spotter(1, "token", "create", "ana-"+name, "--role", "coach")
		spotter(0, "token", "revoke", "ana-"+name)
		if got := status(t, p, token, "/api/v1/athletes/ana/reps"); got != http.StatusUnauthorized {
			t.Errorf("%s: a revoked token gets %d", name, got)
		}
		spotter(1, "token", "revoke", "ana-"+name)
		spotter(2, "token", "create", "x", "--role", "coach", "--expires", "soon")
		spotter(2, "token", "create", "x", "--role", "god")

		made := strings.Fields(spotter(0, "device", "add", "bar-"+name))
		if len(made) != 4 {
			t.Fatalf("%s: device add prints %q", name, made)
		}
		c, err := connect(p.MQTT, made[1], made[3])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.Disconnect(0)
		if list := spotter(0, "device", "list"); !strings.Contains(list, "main/bar-"+name) {
			t.Errorf("%s: list\n%s", name, list)
		}
		spotter(0, "device", "revoke", "main/bar-"+name)
		if c, err := connect(p.MQTT, made[1], made[3]); err == nil {
			c.Disconnect(0)
			t.Errorf("%s: a revoked device is let in", name)
		}
	}
	var out, errOut output
	if code := run(t.Context(), []string{"token", "list", "--data", data + "-nowhere"}, &out, &errOut); code != 2 || !strings.Contains(errOut.String(), "--data") {
		t.Errorf("a folder that is not there ends with %d: %s", code, &errOut)
	}
	if code := run(t.Context(), []string{"token", "create", "x", "--role", "athlete", "--data", data}, &out, &errOut); code != 2 || !strings.Contains(errOut.String(), "athlete") {
		t.Errorf("an athlete's token of nobody ends with %d: %s", code, &errOut)
	}
}
