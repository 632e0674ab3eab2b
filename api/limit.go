package api

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"
)

// Rates bound how many requests are answered, each with bursts of four times as
// many. 0 sets no bound.
type Rates struct {
	// Token is for one token, or one session of an identity provider, in requests per
	// second.
	Token float64
	// Address is for one address, or one /64 of IPv6, in requests per second: those
	// with a good token and those without.
	Address float64
}

const (
	burstSeconds = 4
	// maxCallers bounds the memory of a limit, at some 100 bytes each.
	maxCallers = 50_000
)

// callers bounds how often each of many may call. Those who come after too many
// others share one bound.
type callers[K comparable] struct {
	perSecond rate.Limit
	burst     int

	mu    sync.Mutex
	held  map[K]*rate.Limiter
	swept time.Time
}

// newCallers returns a bound, nil for none.
func newCallers[K comparable](perSecond float64) *callers[K] {
	if perSecond <= 0 {
		return nil
	}
	return &callers[K]{
		perSecond: rate.Limit(perSecond), burst: max(1, int(math.Ceil(perSecond*burstSeconds))), held: map[K]*rate.Limiter{},
	}
}

// wait is how long the caller has to wait before the next call; 0 where this one may
// go on.
func (c *callers[K]) wait(who K, now time.Time) time.Duration {
	if c == nil {
		return 0
	}
	reservation := c.of(who, now).ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay > 0 {
		reservation.CancelAt(now) // a call that is refused costs nothing
	}
	return delay
}

func (c *callers[K]) of(who K, now time.Time) *rate.Limiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.held[who]; l != nil {
		return l
	}
	if len(c.held) >= maxCallers && now.Sub(c.swept) >= time.Second {
		// Whoever could call as often as a newcomer need not be remembered.
		c.swept = now
		for key, l := range c.held {
			if l.TokensAt(now) >= float64(c.burst) {
				delete(c.held, key)
			}
		}
	}
	if len(c.held) >= maxCallers {
		var everybodyElse K
		who = everybodyElse
		if l := c.held[who]; l != nil {
			return l
		}
	}
	l := rate.NewLimiter(c.perSecond, c.burst)
	c.held[who] = l
	return l
}

const tooOften = "too many requests at once: try again after the time in Retry-After"

// retryAfter is a delay in whole seconds, as the header has it.
func retryAfter(delay time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(delay.Seconds()))))
}

// limitAddress answers an address only so often. What watches the server from its own
// machine is always answered.
func (s *Server) limitAddress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		switch r.URL.Path {
		case "/healthz", "/readyz", "/metrics":
			if isLocal(r) {
				return next(c)
			}
		}
		if delay := s.byAddress.wait(peer(r), s.now()); delay > 0 {
			c.Response().Header().Set("Retry-After", retryAfter(delay))
			writeProblem(c.Response(), http.StatusTooManyRequests, tooOften)
			return nil
		}
		return next(c)
	}
}

// limitToken answers a token only so often.
func (s *Server) limitToken(ctx huma.Context, next func(huma.Context)) {
	if id := who(ctx.Context()); id.key != "" {
		if delay := s.byToken.wait(id.key, s.now()); delay > 0 {
			ctx.SetHeader("Retry-After", retryAfter(delay))
			s.refuse(ctx, http.StatusTooManyRequests, tooOften)
			return
		}
	}
	next(ctx)
}
