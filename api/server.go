package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/go-json-experiment/json"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/backtest"
	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/payload"
	"github.com/spotterhq/spotter/internal/privacy"
	"github.com/spotterhq/spotter/internal/roster"
	"github.com/spotterhq/spotter/internal/view"
)

// Log is where writes go.
type Log interface {
	// Append returns once the events are as durable as the log makes them.
	Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error)
}

var _ Log = (*journal.Log)(nil)

// Problem is why the server is not ready to serve, or soon may not be.
type Problem struct {
	Component string `json:"component" doc:"the part of the server that is not well"`
	Detail    string `json:"detail"`
	Warning   bool   `json:"warning,omitzero" doc:"true where the server still serves"`
}

// Options of a server. View, Log, Decode, Sets, Weeks, Clock, Logger and Auth are
// required.
type Options struct {
	View *view.View
	Log  Log
	// Decode turns a message into events, as ingest does: what cannot be used
	// becomes a quarantined event.
	Decode func(topic string, payload []byte, received time.Time) []journal.Event
	Sets   func([]lift.RepRecord, []lift.LoggedSet, *time.Location) []lift.Set
	Weeks  func(analysis.History, analysis.Settings, time.Time) []lift.Week
	Clock  func() time.Time
	Logger *slog.Logger
	Auth   *Auth
	// Credentials are those for the embedded broker; nil means that the broker is
	// another's.
	Credentials *access.Store
	// BrokerURL is where the embedded broker listens, such as mqtt://127.0.0.1:1883 or,
	// where it does so everywhere, mqtt://:1883.
	BrokerURL string
	// OIDC is the provider with which people sign in; nil means none.
	OIDC *OIDC
	// Rates bound how many requests are answered; the zero value sets no bound.
	Rates Rates
	// Ready tells what is wrong; nil means that nothing ever is.
	Ready func() []Problem
	// Metrics is what /metrics shows; nil shows nothing.
	Metrics prometheus.Gatherer
	// Roster knows by what athletes are judged; nil means what people have written
	// down, and beside that the defaults in UTC.
	Roster *roster.Roster
	// Retain lets the broker keep a message for whoever subscribes; nil does not.
	Retain func(ctx context.Context, topic string, payload []byte) error
	// Erasures carries erases out; nil means that nobody can be erased.
	Erasures *privacy.Coordinator
	// MoreParts are further kinds of what is known of an athlete, for exports.
	MoreParts func(lift.AthleteID) []privacy.Part
	// Exercises are those that are known; nil means the standard ones.
	Exercises *exercise.Catalogue
	// PublicURL is the address under which people reach the server, such as
	// https://spotter.example.org; where it is empty, links are made for the host by
	// which they were asked for, and reminders have none.
	PublicURL string
	Version   string // of the program
	// Backup writes a backup of everything, and notes who asked for it; nil where none
	// can be made. It is called by one at a time.
	Backup func(ctx context.Context, w io.Writer, samples bool, by string) error
	// NearlyFull reports whether the disk has no room for imports; nil means that it
	// always has.
	NearlyFull func() bool
	// Notifier tells people of alerts; without one there are no channels and no
	// deliveries.
	Notifier *notify.Notifier
}

// Server answers HTTP.
type Server struct {
	view        *view.View
	events      Log
	decode      func(string, []byte, time.Time) []journal.Event
	sets        func([]lift.RepRecord, []lift.LoggedSet, *time.Location) []lift.Set
	weeks       func(analysis.History, analysis.Settings, time.Time) []lift.Week
	now         func() time.Time
	log         *slog.Logger
	auth        *Auth
	ready       func() []Problem
	gatherer    prometheus.Gatherer
	retain      func(context.Context, string, []byte) error
	erasures    *privacy.Coordinator
	moreParts   func(lift.AthleteID) []privacy.Part
	credentials *access.Store
	brokerURL   string
	publicURL   string

	notifier *notify.Notifier // nil where nobody is told

	exercises *exercise.Catalogue
	roster    *roster.Roster
	backtests *backtest.Queue
	imports   *imports
	reading   chan struct{} // holds one while a file is read for an import

	nearlyFull func() bool

	backup    func(ctx context.Context, w io.Writer, samples bool, by string) error
	backingUp sync.Mutex
	exporting *semaphore.Weighted

	echo     *echo.Echo
	api      huma.API
	tickets  tickets
	failures *failures
	looks    looks
	teamRows teamRows

	logins      *logins // nil without a provider
	crossOrigin http.CrossOriginProtection
	byAddress   *callers[netip.Addr]
	byToken     *callers[string]
	streams     *streams
	took        *prometheus.HistogramVec
}

const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	// writeTimeout is for whole answers; streams set their own for each write.
	writeTimeout    = time.Minute
	shutdownTimeout = 5 * time.Second
	bodyTimeout     = 30 * time.Second
	maxHeader       = 64 << 10
	maxBody         = 1 << 20
	maxReplay       = 8 << 20
	// applyTimeout is how long a write waits for the view.
	applyTimeout  = 2 * time.Second
	appendTimeout = 20 * time.Second
)

// New returns a server for the options. It starts nothing.
func New(o Options) (*Server, error) {
	var missing []error
	for _, r := range []struct {
		name string
		set  bool
	}{
		{"View", o.View != nil}, {"Log", o.Log != nil}, {"Decode", o.Decode != nil}, {"Sets", o.Sets != nil},
		{"Weeks", o.Weeks != nil}, {"Clock", o.Clock != nil}, {"Logger", o.Logger != nil}, {"Auth", o.Auth != nil},
	} {
		if !r.set {
			missing = append(missing, fmt.Errorf("option %s is missing", r.name))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("create http server: %w", errors.Join(missing...))
	}
	s := &Server{
		view:        o.View,
		events:      o.Log,
		decode:      o.Decode,
		sets:        o.Sets,
		weeks:       o.Weeks,
		now:         o.Clock,
		log:         o.Logger,
		auth:        o.Auth,
		credentials: o.Credentials,
		ready:       o.Ready,
		gatherer:    o.Metrics,
		retain:      o.Retain,
		erasures:    o.Erasures,
		moreParts:   o.MoreParts,
		brokerURL:   o.BrokerURL,
		publicURL:   strings.TrimSuffix(o.PublicURL, "/"),
		backup:      o.Backup,
		exercises:   o.Exercises,
		roster:      o.Roster,
		notifier:    o.Notifier,
		tickets:     tickets{held: map[string]ticket{}},
		failures:    newFailures(),
		looks:       looks{seen: map[lookKey]*look{}},
		teamRows:    teamRows{held: map[lift.AthleteID]heldRow{}},
		exporting:   semaphore.NewWeighted(mostExports),
		logins:      newLogins(o.OIDC, o.PublicURL),
		byAddress:   newCallers[netip.Addr](o.Rates.Address),
		byToken:     newCallers[string](o.Rates.Token),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "spotter_http_request_seconds", Help: "Time to answer, without streams.",
			Buckets: []float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10},
		}, []string{"method", "route", "status"}),
	}
	if s.exercises == nil {
		s.exercises = exercise.Standard()
	}
	if s.gatherer == nil {
		s.gatherer = prometheus.NewRegistry()
	}
	if s.ready == nil {
		s.ready = func() []Problem { return nil }
	}
	if s.roster == nil {
		s.roster = roster.New(s.view, analysis.Settings{Zone: time.UTC, Exercises: s.exercises})
	}
	s.streams = newStreams(s)
	s.backtests = backtest.NewQueue(backtest.QueueOptions{
		View: s.view, Settings: s.roster.Settings, Now: s.now, Logger: s.log,
		Workers: max(1, runtime.GOMAXPROCS(0)/2), // reps that arrive meanwhile are judged too
	})
	s.imports = s.newImports()
	s.reading = make(chan struct{}, 1)
	if s.nearlyFull = o.NearlyFull; s.nearlyFull == nil {
		s.nearlyFull = func() bool { return false }
	}
	s.route(o.Version)
	return s, nil
}

func (s *Server) route(version string) {
	s.echo = echo.New()
	s.echo.IPExtractor = echo.ExtractIPDirect()
	s.echo.HTTPErrorHandler = s.routerError
	s.echo.Logger.SetOutput(io.Discard)
	s.echo.Pre(s.observe, s.recover, secureHeaders, s.limitAddress, s.openOnlyHere)
	s.echo.Use(compressed())

	format := huma.Format{
		Marshal:   func(w io.Writer, v any) error { return json.MarshalWrite(w, v) },
		Unmarshal: func(data []byte, v any) error { return payload.Unmarshal(data, v) },
	}
	s.api = humaecho.New(s.echo, huma.Config{
		OpenAPI:       describe(version),
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
		Transformers: []huma.Transformer{func(_ huma.Context, _ string, v any) (any, error) {
			if e, ok := v.(*huma.ErrorModel); ok {
				return newProblem(e), nil
			}
			return v, nil
		}},
	})
	s.api.UseMiddleware(withRequest, s.authenticate, s.limitToken, s.authorize, s.wantBody)
	s.addAlerts()
	s.addDigest()
	s.addPlan()
	s.addStreams()
	s.addTickets()
	s.addHistory()
	s.addSessions()
	s.addProfile()
	s.addContext()
	s.addCheckIns()
	s.addExercises()
	s.addReps()
	s.addQuarantine()
	s.addAthletes()
	s.addTeam()
	s.addPlaces()
	s.addDevices()
	s.addAudit()
	s.addLinks()
	s.addCheckInPage()
	s.addRules()
	s.addBacktests()
	s.addImports()
	s.addSession()
	s.addLogin()
	s.addTokens()
	s.addCredentials()
	if s.notifier != nil {
		s.addChannels()
		s.addDeliveries()
	}
	s.addExports()
	s.addPrivacy()
	s.addSystem()
	s.addBackup()
	s.addDocs()
	s.addBoard()
}

// Handler answers requests. Streams carry events, and backtests go on, only while
// Serve is running.
func (s *Server) Handler() http.Handler { return s.echo }

// Collectors are the server's own metrics, to be registered.
func (s *Server) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.took, s.streams.open, s.streams.cut}
}

// Serve answers on the listener until the context ends. It then ends the streams,
// gives other requests 5 seconds to finish, cuts off those that did not, and returns
// nil, or what went wrong.
// It may be called once.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	var feeding sync.WaitGroup
	feeding.Go(func() { s.streams.followAlerts(following) })
	feeding.Go(func() { s.streams.followLive(following) })
	feeding.Go(func() { s.backtests.Run(following) })
	feeding.Go(func() { s.imports.Run(following) })
	feeding.Go(func() { s.followLooks(following) })
	defer feeding.Wait()
	defer stop()

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		s.streams.end()
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	s.streams.end()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(limit); errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests that did not finish were cut off")
		return server.Close()
	} else if err != nil {
		return fmt.Errorf("stop http: %w", err)
	}
	return nil
}

// observe counts and logs what was asked, by route: paths hold people's ids.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.now()
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		route := c.Path()
		if route == "" {
			route = "unknown"
		}
		method := c.Request().Method
		switch method {
		case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodPut, http.MethodOptions:
		default:
			method = "other"
		}
		status, took := c.Response().Status, s.now().Sub(began)
		if c.Response().Header().Get("Content-Type") != streamType {
			s.took.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
		}
		s.log.Debug("answered", "method", method, "route", route, "status", status, "took", took)
		return nil
	}
}

// recover answers 500 where an operation panics.
func (s *Server) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // an answer is to end in its middle
			}
			if c.Request().Context().Err() != nil {
				return // huma panics when it cannot write to a client that is gone
			}
			s.log.Error("request panicked", "route", c.Path(), "cause", cause, "stack", string(debug.Stack()))
			err = errors.New("panicked")
		}()
		return next(c)
	}
}

func secureHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		return next(c)
	}
}
