package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/access"
)

func TestTokensAndAddressesAreAnsweredOnlySoOften(t *testing.T) {
	now := clockAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	g := open(t, func(o *Options) { o.Clock, o.Rates = now.time, Rates{Token: 2, Address: 5} })
	other, err := g.server.auth.tokens.Create(access.Token{Name: "other", Role: access.RoleCoach}, now.time())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(address, token, path string) *http.Response {
		r := httptest.NewRequest("GET", path, nil)
		r.RemoteAddr = address + ":1000"
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		g.server.Handler().ServeHTTP(w, r)
		return w.Result()
	}
	expect := func(why string, want int, address, token, path string) {
		t.Helper()
		answer := ask(address, token, path)
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", why, answer.StatusCode, want)
		}
		if want != http.StatusTooManyRequests {
			return
		}
		if after, err := strconv.Atoi(answer.Header.Get("Retry-After")); err != nil || after < 1 || after > 2 || answer.Header.Get("Content-Type") != problemType {
			t.Errorf("%s: Retry-After %q, %s", why, answer.Header.Get("Retry-After"), answer.Header.Get("Content-Type"))
		}
	}
	for range 8 {
		expect("within the burst", 200, "192.0.2.1", testToken, "/api/v1/session")
	}
	expect("one too many", 429, "192.0.2.1", testToken, "/api/v1/session")
	expect("the same token from elsewhere", 429, "192.0.2.2", testToken, "/api/v1/session")
	expect("another token", 200, "192.0.2.1", other, "/api/v1/session")
	now.add(time.Second)
	expect("a second later", 200, "192.0.2.1", testToken, "/api/v1/session")
	expect("a second later", 200, "192.0.2.1", testToken, "/api/v1/session")
	expect("but no more than two", 429, "192.0.2.1", testToken, "/api/v1/session")

	for range 20 {
		ask("198.51.100.1", "", "/openapi.json")
	}
	expect("an address without a token", 429, "198.51.100.1", "", "/openapi.json")
	expect("its token does not help", 429, "198.51.100.1", other, "/api/v1/session")
	expect("nor is its health told", 429, "198.51.100.1", "", "/healthz")
	expect("another address", 200, "198.51.100.2", "", "/openapi.json")
	for range 50 {
		r := httptest.NewRequest("GET", "http://127.0.0.1/metrics", nil)
		r.RemoteAddr = "127.0.0.1:1000"
		w := httptest.NewRecorder()
		if g.server.Handler().ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatalf("the machine itself gets %d", w.Code)
		}
	}
}

func TestALimitsMemoryIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	c := newCallers[netip.Addr](1)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxCallers + 1000 {
		c.wait(address(i), now)
	}
	if len(c.held) > maxCallers+1 {
		t.Errorf("%d are remembered", len(c.held))
	}
	if c.wait(address(0), now); c.held[address(0)] == nil {
		t.Error("who came first is forgotten")
	}
	if c.wait(address(maxCallers+5000), now) == 0 {
		t.Error("newcomers are not bounded while there are too many")
	}
	// Later nobody needs to be remembered.
	if c.wait(netip.MustParseAddr("192.0.2.1"), now.Add(time.Minute)); len(c.held) > 2 {
		t.Errorf("%d are remembered a minute later", len(c.held))
	}
}

func BenchmarkALimit(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c, now := newCallers[string](1e9), time.Now()
			keys := make([]string, n)
			for i := range keys {
				keys[i] = access.Hash(strconv.Itoa(i))
			}
			i := 0
			for b.Loop() {
				c.wait(keys[i%n], now)
				i++
			}
		})
	}
}
