package api

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/access"
)

// provider is an OpenID Connect provider on loopback with one client. It signs with
// a real key, and checks the code's verifier and the client's secret as the standard
// asks.
type provider struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey

	mu     sync.Mutex
	codes  map[string]url.Values // what each code was asked for with
	claims map[string]any        // of the person who signs in
	bend   func(claims map[string]any)
	sign   *rsa.PrivateKey // what it signs with instead
	away   bool
}

// next says who signs in next, and what is wrong with it.
func (p *provider) next(claims map[string]any, bend func(map[string]any), sign *rsa.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims, p.bend, p.sign = claims, bend, sign
}

func (p *provider) leave(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

func openProvider(t *testing.T) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, codes: map[string]url.Values{}, claims: map[string]any{}}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.MarshalWrite(w, v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.away {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []map[string]any{{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1",
			"n": encode64(p.key.N.Bytes()), "e": encode64(big.NewInt(int64(p.key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		asked, known := p.codes[r.FormValue("code")]
		delete(p.codes, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		id, secret, _ := r.BasicAuth()
		if !known || id != "spotter" || secret != "hush" || asked.Get("code_challenge_method") != "S256" ||
			asked.Get("code_challenge") != encode64(sum[:]) || r.FormValue("redirect_uri") != asked.Get("redirect_uri") {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"error": "invalid_grant"})
			return
		}
		claims := map[string]any{
			"iss": p.URL, "aud": "spotter", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "nonce": asked.Get("nonce"),
		}
		maps.Copy(claims, p.claims)
		if p.bend != nil {
			p.bend(claims)
		}
		answer(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": p.token(claims)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func encode64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// token is a signed JSON web token.
func (p *provider) token(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	text := encode64([]byte(`{"alg":"RS256","kid":"k1"}`)) + "." + encode64(body)
	sum := sha256.Sum256([]byte(text))
	key := p.key
	if p.sign != nil {
		key = p.sign
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return text + "." + encode64(signature)
}

// consent is what the person at the provider's page does: it leads back with a code.
func (p *provider) consent(location string) (state, code string) {
	to, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.URL+"/authorize?") {
		p.t.Fatalf("sent to %q, %v", location, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code = rand.Text()
	p.codes[code] = to.Query()
	return to.Query().Get("state"), code
}

// openWithProvider starts a gym where people of the provider's groups have roles.
func openWithProvider(t *testing.T) (*gym, *provider) {
	p := openProvider(t)
	g := open(t, func(o *Options) {
		o.PublicURL = "https://spotter.example"
		o.OIDC = &OIDC{
			Issuer: p.URL, ClientID: "spotter", ClientSecret: "hush",
			RoleClaim: "realm_access.roles", NameClaim: "sub", AthleteClaim: "athlete",
			Roles: []GroupRole{{"owners", access.RoleAdmin, ""}, {"coaches-main", access.RoleCoach, "main"}, {"lifters", access.RoleAthlete, ""}},
		}
	})
	return g, p
}

func roles(names ...any) map[string]any { return map[string]any{"roles": names} }

// begin goes to the sign-in and returns where it leads to, and the browser's cookie.
func begin(g *gym, path string) (location string, cookie *http.Cookie) {
	g.t.Helper()
	answer := g.send("GET", path, "", "Authorization", "")
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusFound || len(answer.Cookies()) != 1 {
		g.t.Fatalf("%s answers %d with %v", path, answer.StatusCode, answer.Cookies())
	}
	return answer.Header.Get("Location"), answer.Cookies()[0]
}

// comeBack is the provider's redirect.
func comeBack(g *gym, cookie *http.Cookie, state, code string) *http.Response {
	headers := []string{"Authorization", "", "Sec-Fetch-Site", "cross-site"}
	if cookie != nil {
		headers = append(headers, "Cookie", cookie.Name+"="+cookie.Value)
	}
	return g.send("GET", "/auth/callback?state="+url.QueryEscape(state)+"&code="+url.QueryEscape(code), "", headers...)
}

func TestPeopleSignInWithTheirProvider(t *testing.T) {
	g, p := openWithProvider(t)
	for _, c := range []struct {
		claims map[string]any
		want   caller
		why    string
	}{
		{map[string]any{"sub": "u1", "realm_access": roles("lifters", "coaches-main", "owners")}, caller{Name: "oidc:u1", Role: access.RoleAdmin}, "the first group that fits counts"},
		{map[string]any{"sub": "u2", "realm_access": roles("staff", "coaches-main")}, caller{Name: "oidc:u2", Role: access.RoleCoach, Site: "main"}, "a coach of a site"},
		{map[string]any{"sub": "admin", "realm_access": roles("lifters"), "athlete": "ana"}, caller{Name: "oidc:admin", Role: access.RoleAthlete, Athlete: "ana"}, "an athlete who is called as the admin"},
	} {
		p.next(c.claims, nil, nil)
		location, cookie := begin(g, "/auth/login?next=/docs%3Fx")
		to, _ := url.Parse(location)
		if q := to.Query(); q.Get("redirect_uri") != "https://spotter.example/auth/callback" || q.Get("response_type") != "code" || q.Get("nonce") == "" || !strings.Contains(q.Get("scope"), "openid") {
			t.Errorf("asked with %v", q)
		}
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/auth" {
			t.Errorf("the sign-in's cookie %+v", cookie)
		}
		state, code := p.consent(location)
		answer := comeBack(g, cookie, state, code)
		page, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || !strings.Contains(string(page), `url=/docs?x"`) || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
			t.Fatalf("%s: %d, %s", c.why, answer.StatusCode, page)
		}
		var session *http.Cookie
		for _, made := range answer.Cookies() {
			switch {
			case made.Name == sessionCookie:
				session = made
			case made.MaxAge >= 0:
				t.Errorf("%s is kept", made.Name)
			}
		}
		if session == nil || session.SameSite != http.SameSiteStrictMode || !session.HttpOnly {
			t.Fatalf("%s: %v", c.why, answer.Cookies())
		}
		me := want[caller](g, 200, "GET", "/api/v1/session", "", with(session)...)
		if left := time.Until(me.Expires); left > providerLife || left < providerLife-time.Minute {
			t.Errorf("the session lasts %v", left)
		}
		me.Expires = time.Time{}
		if me != c.want {
			t.Errorf("%s: %+v", c.why, me)
		}

		again := comeBack(g, cookie, state, code)
		_ = again.Body.Close()
		if again.StatusCode != http.StatusBadRequest || len(again.Cookies()) > 0 {
			t.Errorf("a replayed state answers %d", again.StatusCode)
		}
	}
	if logged := g.logged.String(); strings.Contains(logged, "hush") || strings.Contains(logged, "u2") {
		t.Error("the log holds a secret or a person's name")
	}
}

func TestWhatAProviderCannotHaveSaidIsRefused(t *testing.T) {
	g, p := openWithProvider(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = value }
	}
	for _, c := range []struct {
		why  string
		bend func(map[string]any)
		key  *rsa.PrivateKey
	}{
		{"another client's token", set("aud", "somebody-else"), nil},
		{"another provider's token", set("iss", "https://evil.example"), nil},
		{"an expired token", set("exp", time.Now().Add(-time.Hour).Unix()), nil},
		{"another sign-in's nonce", set("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAA"), nil},
		{"no nonce", func(claims map[string]any) { delete(claims, "nonce") }, nil},
		{"a token that somebody else has signed", nil, other},
		{"somebody without a role", set("realm_access", roles("visitors")), nil},
		{"somebody with no groups at all", set("realm_access", "owners"), nil},
		{"an athlete nobody can tell", set("realm_access", roles("lifters")), nil},
		{"an athlete who is no id", func(claims map[string]any) {
			claims["realm_access"], claims["athlete"] = roles("lifters"), "Ana Example"
		}, nil},
		{"somebody without a name", set("sub", ""), nil},
		{"somebody with a hostile name", set("sub", "a\nb"), nil},
	} {
		p.next(map[string]any{"sub": "u1", "realm_access": roles("owners")}, c.bend, c.key)
		location, cookie := begin(g, "/auth/login")
		state, code := p.consent(location)
		answer := comeBack(g, cookie, state, code)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusForbidden || len(answer.Cookies()) > 0 || answer.Header.Get("Content-Type") != problemType {
			t.Errorf("%s: %d with %v", c.why, answer.StatusCode, answer.Cookies())
		}
	}
	p.next(map[string]any{"sub": "u1", "realm_access": roles("owners")}, nil, nil)

	location, cookie := begin(g, "/auth/login")
	state, code := p.consent(location)
	_, othersCookie := begin(g, "/auth/login")
	for _, c := range []struct {
		why, state, code string
		cookie           *http.Cookie
		status           int
	}{
		{"a link that an attacker has sent", state, code, nil, 400},
		{"another browser's sign-in", state, code, othersCookie, 400},
		{"a state that was never given", "AAAA", code, &http.Cookie{Name: loginCookie, Value: "AAAA"}, 400},
		{"no state", "", code, &http.Cookie{Name: loginCookie, Value: ""}, 400},
		{"a code of the attacker's own", state, "guess", cookie, 403},
	} {
		answer := comeBack(g, c.cookie, c.state, c.code)
		_ = answer.Body.Close()
		if answer.StatusCode != c.status || len(answer.Cookies()) > 0 {
			t.Errorf("%s: %d, want %d", c.why, answer.StatusCode, c.status)
		}
	}
	for _, next := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""} {
		location, cookie := begin(g, "/auth/login?next="+url.QueryEscape(next))
		state, code := p.consent(location)
		answer := comeBack(g, cookie, state, code)
		page, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if !strings.Contains(string(page), `url=`+afterLogin+`"`) {
			t.Errorf("%q leads to %s", next, page)
		}
	}
}

func TestAProviderThatIsAwayIsAskedAgain(t *testing.T) {
	g := open(t)
	want[problem](g, 404, "GET", "/auth/login", "", "Authorization", "")
	want[problem](g, 404, "GET", "/auth/callback?state=a&code=b", "", "Authorization", "")

	g, p := openWithProvider(t)
	p.leave(true)
	want[problem](g, 503, "GET", "/auth/login", "", "Authorization", "")
	p.leave(false)
	begin(g, "/auth/login")
}

func TestTheBoardOffersTheProviderWhereThereIsOne(t *testing.T) {
	with, _ := openWithProvider(t)
	for g, offered := range map[*gym]bool{open(t): false, with: true} {
		answer := g.send("GET", "/", "")
		page, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || strings.Contains(string(page), `name="sign-in" content="provider"`) != offered {
			t.Errorf("%v, offered where it should be %v:\n%s", err, offered, page)
		}
	}
}

func TestALoginThatTakesTooLongIsForgotten(t *testing.T) {
	l := newLogins(&OIDC{}, "")
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	state, _ := l.begin("/", now)
	if _, ok := l.take(state, now.Add(loginLife)); ok {
		t.Error("it is still there")
	}
	for range maxLogins + 100 {
		state, _ = l.begin("/", now)
	}
	if _, ok := l.take(state, now); !ok || len(l.begun) > maxLogins {
		t.Errorf("the newest is there: %v, of %d", ok, len(l.begun))
	}
}

func TestGroupsAreGivenRoles(t *testing.T) {
	for text, expected := range map[string]GroupRole{
		"owners=admin":                  {"owners", access.RoleAdmin, ""},
		"cn=coaches,dc=gym=coach:main":  {"cn=coaches,dc=gym", access.RoleCoach, "main"},
		"coaches=coach":                 {"coaches", access.RoleCoach, ""},
		"https://gym.example/l=athlete": {"https://gym.example/l", access.RoleAthlete, ""},
	} {
		if got, err := ParseGroupRole(text); err != nil || got != expected {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "owners", "=admin", "a=god", "a=checkin", "a=admin:main", "a=coach:", "a=coach:Main", "a="} {
		if got, err := ParseGroupRole(bad); err == nil {
			t.Errorf("%q is taken as %+v", bad, got)
		}
	}
}
