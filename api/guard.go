package api

import (
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/spotterhq/spotter/internal/access"
)

// Keys of an operation's metadata.
const (
	takesTicket = "ticket" // a ?ticket= stands for the token
	freeHere    = "here"   // needs no token on the machine itself
)

const bearerScheme = "token"

// needsToken is the security of every operation that is not said to be public.
var needsToken = []map[string][]string{{bearerScheme: {}}}

// authenticate lets a request through to an operation that needs a token when it
// brings one, or something that stands for it.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	op, r := ctx.Operation(), humaecho.Unwrap(ctx).Request()
	if !s.sameOrigin(r) {
		s.refuse(ctx, http.StatusForbidden, "a page of another site has made this request")
		return
	}
	if len(op.Security) == 0 {
		next(ctx)
		return
	}
	id, status := s.identify(r, op)
	switch status {
	case http.StatusOK:
		id.server = s
		next(huma.WithValue(ctx, identityKey{}, id))
		return
	case http.StatusTooManyRequests:
		ctx.SetHeader("Retry-After", "60")
		s.refuse(ctx, status, tooManyWrong)
		return
	case http.StatusServiceUnavailable:
		s.refuse(ctx, status, "who may do what cannot be read at the moment")
		return
	}
	ctx.SetHeader("WWW-Authenticate", `Bearer realm="spotter"`)
	s.refuse(ctx, status, "a valid token is needed: Authorization: Bearer …")
}

const tooManyWrong = "too many wrong tokens came from this address"

// sameOrigin refuses what another site's page has made a browser send and what would
// change something: a browser adds its cookies by itself, and a name and password that
// stand in a link, but never a token.
func (s *Server) sameOrigin(r *http.Request) bool {
	_, isBearer := bearer(r.Header.Get("Authorization"))
	return isBearer || s.crossOrigin.Check(r) == nil
}

// refuse answers before the operation's own code. WriteErr reports its own
// failure to write.
func (s *Server) refuse(ctx huma.Context, status int, detail string) {
	_ = huma.WriteErr(s.api, ctx, status, detail)
}

func (s *Server) identify(r *http.Request, op *huma.Operation) (identity, int) {
	if s.auth.open {
		return identity{Name: "demo", Role: access.RoleAdmin}, http.StatusOK
	}
	if op.Metadata[freeHere] != nil && isLocal(r) {
		return identity{Name: "local", Role: access.RoleAdmin}, http.StatusOK
	}
	now, address := s.now(), peer(r)
	text, isBearer := bearer(r.Header.Get("Authorization"))
	ticketText := ""
	if op.Metadata[takesTicket] != nil {
		ticketText = r.URL.Query().Get("ticket")
	}
	cookie, _ := r.Cookie(sessionCookie)
	if text == "" && ticketText == "" && cookie == nil {
		return identity{}, http.StatusUnauthorized
	}
	tooMany := s.failures.tooMany(address, now)
	if op.Metadata[freeHere] != nil && isBearer && !tooMany && s.auth.readsMetrics(text) {
		return identity{Name: "metrics", Role: access.RoleAdmin}, http.StatusOK
	}
	var id identity
	var ok bool
	var err error
	switch {
	case isBearer:
		id, ok, err = s.auth.who(text, now)
	case ticketText != "":
		id, ok = s.tickets.use(ticketText, now)
		ok = ok && s.holds(id, now)
	case cookie != nil:
		id, ok, err = s.auth.whoSignedIn(cookie.Value, now)
	}
	switch {
	case err != nil:
		s.log.Error("nobody can be let in", "error", err)
		return identity{}, http.StatusServiceUnavailable
	case tooMany && (!ok || isBearer && id.isSupplied()):
		return identity{}, http.StatusTooManyRequests
	case ok:
		if id.token != nil {
			if err := s.auth.tokens.Mark(*id.token, now); err != nil {
				s.log.Warn("the date of a token's use is not kept", "error", err)
			}
		}
		return id, http.StatusOK
	}
	s.failures.add(address, now)
	return identity{}, http.StatusUnauthorized
}

func bearer(header string) (string, bool) {
	scheme, text, _ := strings.Cut(header, " ")
	text = strings.TrimSpace(text)
	return text, strings.EqualFold(scheme, "Bearer") && text != ""
}

// wantBody refuses a body of a kind that the operation does not describe.
func (s *Server) wantBody(ctx huma.Context, next func(huma.Context)) {
	op, r := ctx.Operation(), humaecho.Unwrap(ctx).Request()
	r.Body = wholeBody{r.Body}
	if op.RequestBody != nil && r.ContentLength != 0 {
		kind, _, err := mime.ParseMediaType(ctx.Header("Content-Type"))
		if _, known := op.RequestBody.Content[kind]; err != nil || !known {
			var kinds []string
			for k := range op.RequestBody.Content {
				kinds = append(kinds, k)
			}
			slices.Sort(kinds)
			_ = huma.WriteErr(s.api, ctx, http.StatusUnsupportedMediaType, "unsupported content",
				&huma.ErrorDetail{Location: "header.Content-Type", Message: "must be " + strings.Join(kinds, " or ")})
			return
		}
	}
	next(ctx)
}

// wholeBody is a body that has to arrive whole. Where it does not the client is at
// fault; huma would call anything but a timeout the server's.
type wholeBody struct{ io.ReadCloser }

func (b wholeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = cutOff{err}
	}
	return n, err
}

// cutOff is why a body did not arrive whole.
type cutOff struct{ error }

var _ net.Error = cutOff{}

func (cutOff) Timeout() bool   { return true }
func (cutOff) Temporary() bool { return false }

// peer is the address of the other end of the connection. What a client says in
// X-Forwarded-For is not believed. Of an IPv6 address the network counts.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := ap.Addr().Unmap().WithZone("")
	if a.Is6() && !a.IsLoopback() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

// isLocal reports whether the request was made on this machine, by a loopback
// name, and was not handed on by a proxy.
func isLocal(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-Ip"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return peer(r).IsLoopback() && isLoopbackHost(r.Host)
}

func isLoopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// openOnlyHere keeps a server that asks for no token to its own machine and its
// own pages: a page from elsewhere may name it by any host that leads here.
func (s *Server) openOnlyHere(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if s.auth.open && !isLocal(r) {
			writeProblem(c.Response(), http.StatusForbidden, "a server without tokens answers on its own machine only, by a loopback name")
			return nil
		}
		if origin := r.Header.Get("Origin"); s.auth.open && origin != "" {
			if !comesFrom(origin, r.Host) {
				writeProblem(c.Response(), http.StatusForbidden, "a server without tokens answers no other site's pages")
				return nil
			}
		}
		return next(c)
	}
}

// comesFrom reports whether an Origin header names the given host.
func comesFrom(origin, host string) bool {
	from, err := url.Parse(origin)
	return err == nil && from.Host != "" && strings.EqualFold(from.Host, host)
}

// Limits of wrong tokens. They are for one address and one minute: far too few to
// guess a token, and enough for a script that has an old one.
const (
	maxFailures  = 100
	maxAddresses = 10_000
)

// failures counts wrong tokens by address.
type failures struct {
	mu     sync.Mutex
	minute time.Time
	counts map[netip.Addr]int
}

func newFailures() *failures { return &failures{counts: map[netip.Addr]int{}} }

func (f *failures) turn(now time.Time) {
	if m := now.Truncate(time.Minute); !m.Equal(f.minute) {
		f.minute = m
		clear(f.counts)
	}
}

func (f *failures) tooMany(a netip.Addr, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn(now)
	return f.counts[f.place(a)] >= maxFailures
}

func (f *failures) add(a netip.Addr, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn(now)
	f.counts[f.place(a)]++
}

// place is the address, or the one place for all who came after too many others.
func (f *failures) place(a netip.Addr) netip.Addr {
	if _, known := f.counts[a]; known || len(f.counts) < maxAddresses {
		return a
	}
	return netip.Addr{}
}
