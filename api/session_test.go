package api

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/access"
)

// signIn begins a session with a token and returns its cookie.
func signIn(g *gym, token string, headers ...string) *http.Cookie {
	g.t.Helper()
	answer := g.send("POST", "/api/v1/session", `{"token":"`+token+`"}`, append([]string{"Authorization", ""}, headers...)...)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated || len(answer.Cookies()) != 1 {
		g.t.Fatalf("sign-in answers %d with cookies %v", answer.StatusCode, answer.Cookies())
	}
	return answer.Cookies()[0]
}

// with is the headers of a browser that has the cookie.
func with(c *http.Cookie, headers ...string) []string {
	return append([]string{"Authorization", "", "Cookie", c.Name + "=" + c.Value}, headers...)
}

func TestABrowserSignsInOnce(t *testing.T) {
	dir := t.TempDir()
	now := clockAt(time.Now())
	start := func() *gym {
		auth, _, err := LoadOrCreateAdmin(dir, testToken, now.time())
		if err != nil {
			t.Fatal(err)
		}
		return open(t, func(o *Options) { o.Auth, o.Clock = auth, now.time })
	}
	g := start()
	cookie := signIn(g, testToken)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Secure || cookie.Domain != "" {
		t.Errorf("cookie %+v", cookie)
	}
	if left := time.Duration(cookie.MaxAge) * time.Second; left <= 6*24*time.Hour || left > access.SessionLife {
		t.Errorf("the browser keeps it for %v", left)
	}
	if behindTLS := signIn(g, testToken, "X-Forwarded-Proto", "https"); !behindTLS.Secure {
		t.Error("behind TLS the cookie may go over plain HTTP")
	}
	kept, err := os.ReadFile(filepath.Join(dir, "sessions.json"))
	if err != nil || strings.Contains(string(kept), cookie.Value) || strings.Contains(string(kept), testToken) {
		t.Errorf("kept as %s, %v", kept, err)
	}
	if me := want[caller](g, 200, "GET", "/api/v1/session", "", with(cookie)...); me.Name != "admin" || me.Role != access.RoleAdmin || me.Expires.IsZero() {
		t.Errorf("%+v", me)
	}
	again := start() // as after a restart
	want[caller](again, 200, "GET", "/api/v1/session", "", with(cookie)...)
	other := signIn(again, testToken)

	end := again.send("DELETE", "/api/v1/session", "", with(cookie)...)
	_ = end.Body.Close()
	if gone := end.Cookies(); end.StatusCode != http.StatusNoContent || len(gone) != 1 || gone[0].MaxAge >= 0 || gone[0].Value != "" {
		t.Errorf("signing out answers %d with %v", end.StatusCode, gone)
	}
	want[problem](again, 401, "GET", "/api/v1/session", "", with(cookie)...)
	want[problem](g, 401, "GET", "/api/v1/session", "", with(cookie)...)
	want[caller](again, 200, "GET", "/api/v1/session", "", with(other)...)
	now.add(access.SessionLife)
	want[problem](again, 401, "GET", "/api/v1/session", "", with(other)...)
	want[problem](again, 401, "POST", "/api/v1/session", `{"token":"spotter_wrong"}`, "Authorization", "")
	want[problem](again, 401, "GET", "/api/v1/session", "", with(&http.Cookie{Name: sessionCookie, Value: "invented"})...)
}

func TestASessionMayWhatItsTokenMayAndEndsWithIt(t *testing.T) {
	g := open(t)
	made := want[newToken](g, 201, "POST", "/api/v1/tokens", `{"name":"ana","role":"athlete","athlete":"ana"}`)
	cookie := signIn(g, made.Token)
	want[list[map[string]any]](g, 200, "GET", "/api/v1/athletes/ana/reps", "", with(cookie)...)
	want[problem](g, 403, "GET", "/api/v1/athletes/bo/reps", "", with(cookie)...)
	want[problem](g, 403, "GET", "/api/v1/tokens", "", with(cookie)...)
	stream := g.send("GET", "/api/v1/alerts/stream", "", with(cookie)...)
	_ = stream.Body.Close()
	if stream.StatusCode != http.StatusOK {
		t.Errorf("a stream by cookie answers %d", stream.StatusCode)
	}
	_ = g.send("DELETE", "/api/v1/tokens/ana", "").Body.Close()
	// Somebody else of the same name is somebody else.
	want[newToken](g, 201, "POST", "/api/v1/tokens", `{"name":"ana","role":"admin"}`)
	want[problem](g, 401, "GET", "/api/v1/athletes/ana/reps", "", with(cookie)...)
}

func TestAnotherSitesPageChangesNothing(t *testing.T) {
	g := open(t)
	cookie := signIn(g, testToken)
	hold := "/api/v1/athletes/ana/plan/hold"
	for _, c := range []struct {
		status  int
		headers []string
		why     string
	}{
		{403, []string{"Sec-Fetch-Site", "cross-site"}, "another site's page"},
		{403, []string{"Sec-Fetch-Site", "same-site"}, "a page of a neighbouring name"},
		{403, []string{"Origin", "https://evil.example"}, "an older browser on another site's page"},
		{403, []string{"Origin", "null"}, "a page of no site"},
		{403, []string{"Sec-Fetch-Site", "same-site", "Authorization", "Basic YTpi"}, "a neighbour's page with a name and password in its link"},
		{200, []string{"Sec-Fetch-Site", "same-origin"}, "the server's own page"},
		{200, []string{"Origin", g.url}, "an older browser on the server's own page"},
		{200, nil, "a program"},
	} {
		want[any](g, c.status, "POST", hold, "", with(cookie, c.headers...)...)
		status := c.status
		if status == 200 {
			status = 201
		}
		// Signing a victim in as somebody else is an attack too.
		want[any](g, status, "POST", "/api/v1/session", `{"token":"`+testToken+`"}`, append([]string{"Authorization", ""}, c.headers...)...)
	}
	want[any](g, 200, "GET", "/api/v1/alerts", "", with(cookie, "Sec-Fetch-Site", "cross-site")...) // reads need no protection: nobody else sees the answer
	want[any](g, 200, "POST", hold, "", "Sec-Fetch-Site", "cross-site")                             // a page cannot send a token that it does not have
	cross := g.send("DELETE", "/api/v1/session", "", with(cookie, "Sec-Fetch-Site", "cross-site")...)
	_ = cross.Body.Close()
	if cross.StatusCode != http.StatusForbidden {
		t.Errorf("signing out from another site answers %d", cross.StatusCode)
	}
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	now := clockAt(time.Now())
	g := open(t, func(o *Options) { o.Clock = now.time })
	made := want[newToken](g, 201, "POST", "/api/v1/tokens", `{"name":"ana","role":"athlete","athlete":"ana"}`)
	ended := make(chan struct{}, 2)
	for _, sign := range [][]string{{"Authorization", "Bearer " + made.Token}, with(signIn(g, made.Token))} {
		stream := g.send("GET", "/api/v1/live", "", sign...)
		t.Cleanup(func() { _ = stream.Body.Close() })
		go func() {
			_, _ = io.Copy(io.Discard, stream.Body)
			ended <- struct{}{}
		}()
	}
	ticket := want[streamTicket](g, 201, "POST", "/api/v1/stream-tickets", "", "Authorization", "Bearer "+made.Token)
	_ = g.send("DELETE", "/api/v1/tokens/ana", "").Body.Close()
	late := g.send("GET", "/api/v1/live?ticket="+ticket.Ticket, "", "Authorization", "")
	_ = late.Body.Close()
	if late.StatusCode != http.StatusUnauthorized {
		t.Errorf("a ticket of a revoked token answers %d", late.StatusCode)
	}
	now.add(heartbeat)
	g.append(rep("bo", 1, trained)) // wakes the streams
	for range 2 {
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Error("a stream goes on without its token")
		}
	}
}
