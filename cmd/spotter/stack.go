package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/api"
	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/ingest/influx"
	"github.com/spotterhq/spotter/ingest/mqtt"
	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/authority"
	"github.com/spotterhq/spotter/internal/backup"
	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/monitor"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/privacy"
	"github.com/spotterhq/spotter/internal/roster"
	"github.com/spotterhq/spotter/internal/segmenter"
	"github.com/spotterhq/spotter/internal/view"
)

// stack is the whole server: the log and its followers.
type stack struct {
	settings serveCommand
	zone     *time.Location
	log      *slog.Logger
	lock     *flock.Flock
	disk     *disk

	journal   *journal.Log
	view      *view.View
	pipeline  *ingest.Pipeline
	source    *mqtt.Source
	monitor   *monitor.Monitor
	segmenter *segmenter.Segmenter
	influx    *influx.Follower // nil without InfluxDB
	publisher *mqtt.Publisher
	notifier  *notify.Notifier
	erased    *privacy.Tombstones
	erasures  *privacy.Coordinator
	eraseAt   mqtt.Options // where retained messages are cleared
	api       *api.Server
	listener  net.Listener
	tls       *authority.Server // nil in the clear
	metrics   *metrics
	newToken  string // of the admin, when it was just made

	exercises *exercise.Catalogue
	roster    *roster.Roster
}

// address is the line that tells other programs that the server is ready.
type address struct {
	Ready bool   `json:"ready"`
	HTTP  string `json:"http"`
	MQTT  string `json:"mqtt"`
}

var errInUse = errors.New("the data folder is in use by another spotter; talk to that one with --server, or stop it")

// lockData takes the data folder for this process.
func lockData(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	if err := backup.CheckFinished(dir); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if !ok {
		return nil, errInUse
	}
	return lock, nil
}

// openStack opens everything and starts nothing. The settings are valid.
func openStack(ctx context.Context, c serveCommand, auth *api.Auth, logger *slog.Logger) (_ *stack, err error) {
	s := &stack{settings: c, log: logger, disk: &disk{path: c.Data, now: time.Now}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.zone, err = time.LoadLocation(c.Zone); err != nil {
		return nil, err
	}
	if s.exercises, err = c.catalogue(); err != nil {
		return nil, err
	}
	if s.lock, err = lockData(c.Data); err != nil {
		return nil, err
	}
	if auth == nil {
		if auth, s.newToken, err = api.LoadOrCreateAdmin(c.Data, c.AdminToken, time.Now()); err != nil {
			return nil, err
		}
	}
	if err := auth.AllowMetrics(c.MetricsToken); err != nil {
		return nil, err
	}
	if s.tls, err = c.tlsSettings.server(c.Data, logger.With("part", "tls")); err != nil {
		return nil, err
	}
	c.warnInTheClear(s.tls, logger)
	var broker *journal.BrokerOptions
	var credentials *access.Store
	if c.MQTTBroker == "" {
		credentials = access.In(c.Data)
		broker = &journal.BrokerOptions{Addr: c.MQTT, Gate: gate(credentials, c.MQTTAuth, logger)}
		if s.tls != nil {
			broker.TLS = s.tls.Config(c.demands(tlsMQTT))
		}
	}
	if s.journal, err = c.openLog(ctx, broker, logger); err != nil {
		return nil, err
	}
	if s.view, err = openView(ctx, c.viewPath(), s.journal.LastSeq(), logger.With("part", "view")); err != nil {
		return nil, err
	}
	if s.erased, err = privacy.OpenTombstones(c.Data, logger.With("part", "privacy")); err != nil {
		return nil, err
	}
	if err := s.erased.Load(ctx, s.journal, s.view); err != nil {
		return nil, err
	}
	s.roster = roster.New(s.view, analysis.Settings{Zone: s.zone, Exercises: s.exercises})
	intake := ingest.Options{Log: s.journal, Admit: s.erased.Admit, Logger: logger.With("part", "ingest"), Now: time.Now}
	if c.NatsURL == "" {
		intake.DiskUsed = s.disk.used
	}
	s.pipeline = ingest.NewPipeline(intake)
	if err := s.openSource(); err != nil {
		return nil, err
	}
	s.metrics = newMetrics()
	s.monitor = monitor.New(monitor.Options{
		Log: s.journal, View: s.view, Logger: logger.With("part", "monitor"), Now: time.Now,
		Settings: s.roster.Settings,
		Alerted:  func(d time.Duration) { s.metrics.alerted.Observe(d.Seconds()) },
	})
	s.segmenter = segmenter.New(segmenter.Options{
		Log: s.journal, View: s.view, Exercise: s.exercises.Get, Admit: s.erased.Admit, Logger: logger.With("part", "segmenter"), Now: time.Now,
	})
	if c.InfluxURL != "" {
		if s.influx, err = s.openInflux(); err != nil {
			return nil, err
		}
	}
	if s.notifier, err = s.openNotifier(ctx); err != nil {
		return nil, err
	}
	s.erasures = privacy.New(s.erasing())
	if s.listener, err = net.Listen("tcp", c.HTTP); err != nil {
		return nil, fmt.Errorf("--http: %w", err)
	}
	if s.tls != nil {
		s.listener = tls.NewListener(s.listener, s.tls.Config(c.demands(tlsHTTP), "h2", "http/1.1"))
	}
	s.api, err = api.New(api.Options{
		View: s.view, Log: privacy.Gate{Appender: s.journal, Tombstones: s.erased}, Erasures: s.erasures, MoreParts: deliveriesOf(s.notifier),
		Clock: time.Now, Logger: logger.With("part", "api"), Auth: auth, Credentials: credentials, BrokerURL: s.brokerURL(),
		Rates: api.Rates{Token: c.RateToken, Address: c.RateAddress}, OIDC: c.provider(),
		Decode: decodeMessage,
		Sets:   analysis.Sets, Weeks: analysis.Weeks, Roster: s.roster, Exercises: s.exercises, Version: version,
		Ready: s.problems, Metrics: s.metrics.registry, Backup: s.backUp,
		Notifier: s.notifier, Retain: s.publisher.Retain, PublicURL: c.PublicURL,
		NearlyFull: func() bool { return s.disk.used() >= ingest.DiskNearlyFull },
	})
	if err != nil {
		return nil, err
	}
	return s, s.metrics.watch(s)
}

// brokerURL is where the embedded broker listens, without a host where it does so
// everywhere; it is empty where the broker is another's.
func (s *stack) brokerURL() string {
	if s.settings.MQTTBroker != "" {
		return ""
	}
	at, err := url.Parse(s.journal.Server().MQTTURL())
	if err != nil {
		return ""
	}
	at.Scheme = map[bool]string{false: "mqtt", true: "mqtts"}[s.tls != nil]
	if host, _, err := net.SplitHostPort(s.settings.MQTT); err == nil {
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			at.Host = ":" + at.Port()
		}
	}
	return at.String()
}

// decodeMessage makes events of a message, as ingest does.
func decodeMessage(topic string, payload []byte, received time.Time) []journal.Event {
	return ingest.Decode(ingest.Message{Topic: topic, Payload: payload, Received: received}).Events
}

// openView opens the view, throwing away one that knows of events which the log has
// lost or never had: after a power cut, or beside a restored log.
func openView(ctx context.Context, path string, end uint64, logger *slog.Logger) (*view.View, error) {
	v, err := view.Open(ctx, path, logger)
	if err != nil || v.Position() <= end {
		return v, err
	}
	logger.Warn("the view knows more than the log and is rebuilt", "view", v.Position(), "log", end)
	if err := errors.Join(v.Close(), view.Remove(path)); err != nil {
		return nil, err
	}
	return view.Open(ctx, path, logger)
}

// gate lets anybody in until the first credential is made, unless it is strict.
func gate(credentials *access.Store, strict bool, logger *slog.Logger) journal.Gate {
	return func(l journal.Login) (journal.Rights, bool) {
		closed, err := credentials.Any()
		if err == nil && !closed && !strict {
			return journal.Anybody(), true
		}
		grant, ok, loginErr := credentials.Login(l.Username, l.Password)
		if err := errors.Join(err, loginErr); err != nil {
			logger.Error("nobody can connect to the broker", "error", err)
		} else if !ok {
			logger.Warn("a client was refused at the broker: wrong username or password")
		}
		return journal.Rights{Publish: grant.Publish, Subscribe: grant.Subscribe}, ok
	}
}

func (c *logSettings) viewPath() string { return filepath.Join(c.Data, "view.db") }

// openLog opens the log of the data folder or of the external server.
func (c *logSettings) openLog(ctx context.Context, broker *journal.BrokerOptions, logger *slog.Logger) (*journal.Log, error) {
	fsync, err := c.fsync()
	if err != nil {
		return nil, err
	}
	opening, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return journal.Open(opening, journal.Options{
		Dir: filepath.Join(c.Data, "log"), URL: c.NatsURL, Replicas: c.NatsReplicas, Fsync: fsync,
		Broker: broker, Logger: logger.With("part", "log"),
	})
}

func (s *stack) openSource() error {
	node, err := nodeID(s.settings.Data)
	if err != nil {
		return err
	}
	o := mqtt.Options{
		URL: s.settings.MQTTBroker, Username: s.settings.MQTTUsername, Password: s.settings.MQTTPassword,
		ClientID: "spotter-ingest-" + node, Logger: s.log.With("part", "mqtt"), Now: time.Now,
	}
	if server := s.journal.Server(); s.settings.MQTTBroker == "" {
		o.URL, o.Window = server.MQTTURL(), journal.BrokerWindow
		o.Username, o.Password = server.IngestLogin()
		if s.tls != nil {
			o.TLS = s.tls.Inside()
		}
	} else {
		var err error
		if o.TLS, err = s.settings.brokerTLS(); err != nil {
			return err
		}
	}
	s.source = mqtt.New(o, s.pipeline.Offer)
	o.ClientID = "spotter-notify-" + node
	s.publisher = mqtt.NewPublisher(o)
	s.eraseAt = o
	s.eraseAt.ClientID = "spotter-erase-" + node
	return nil
}

func (s *stack) openNotifier(ctx context.Context) (*notify.Notifier, error) {
	channels, err := notify.OpenChannels(s.settings.Data)
	if err != nil {
		return nil, err
	}
	return notify.Open(ctx, notify.Options{
		Path: filepath.Join(s.settings.Data, "notify.db"), View: s.view, End: s.journal.LastSeq, Channels: channels,
		Publish: s.publisher.Publish, Send: notify.NewSender(time.Now),
		CheckInLink: func(a lift.AthleteID) (string, error) { return s.api.CheckInLink(a) }, // made later than this
		SiteZone:    s.roster.SiteZone, AthleteZone: s.roster.Zone,
		Profile: func(a lift.AthleteID) (lift.AthleteProfile, bool) {
			record, _ := s.view.Record(lift.OfAthlete, string(a))
			if record.Athlete == nil {
				return lift.AthleteProfile{}, false
			}
			return *record.Athlete, true
		},
		Keep:      s.settings.Keep.deliveries(),
		PublicURL: strings.TrimSuffix(s.settings.PublicURL, "/"), Logger: s.log.With("part", "notify"), Now: time.Now,
	})
}

// stalls is what makes no progress, for the heartbeat.
func (s *stack) stalls() *notify.Progress {
	return &notify.Progress{
		End: s.journal.LastSeq,
		Followers: map[string]func() uint64{
			"the view": s.view.Position, "the monitor": s.monitor.Position, "delivery": s.notifier.Position,
		},
		Others: func(ctx context.Context) []string {
			var others []string
			for _, p := range s.problems() {
				if !p.Warning {
					others = append(others, p.Detail)
				}
			}
			return append(others, s.notifier.Overdue(ctx)...)
		},
	}
}

func (s *stack) openInflux() (*influx.Follower, error) {
	return influx.New(influx.Options{
		URL: s.settings.InfluxURL, Token: s.settings.InfluxToken, Org: s.settings.InfluxOrg, Bucket: s.settings.InfluxBucket,
		Log: s.journal, View: s.view, Logger: s.log.With("part", "influx"), Lookback: analysis.Lookback,
		Sets: func(athlete lift.AthleteID, t influx.Training) []lift.Set {
			return analysis.Sets(t.Reps, t.Logged, s.roster.Zone(athlete))
		},
		Weeks: func(athlete lift.AthleteID, t influx.Training, now time.Time) []lift.Week {
			return analysis.Weeks(analysis.History{Athlete: athlete, Reps: t.Reps, Logged: t.Logged}, s.roster.Settings(athlete), now)
		},
		Plan: planIn(s.view, s.roster.Settings),
	})
}

// planIn returns what InfluxDB is told of athletes' holds and return plans.
func planIn(v *view.View, settings func(lift.AthleteID) analysis.Settings) func(context.Context, lift.AthleteID, time.Time) (influx.Plan, error) {
	return func(ctx context.Context, athlete lift.AthleteID, at time.Time) (influx.Plan, error) {
		in := settings(athlete)
		reps, checkIns := analysis.LoadFrom(at, in.Zone)
		h, err := v.History(ctx, athlete, reps, checkIns)
		if err != nil {
			return influx.Plan{}, err
		}
		state := analysis.Plan(analysis.History{Site: h.Site, Athlete: athlete, Reps: h.Reps, Logged: h.Logged, CheckIns: h.CheckIns, Plan: h.Plan}, in, at)
		now := influx.Plan{Held: state.Hold != nil}
		if state.Phase != nil {
			now.Phase = state.Phase.Number
		}
		return now, nil
	}
}

// nodeID is this data folder's part of the MQTT client id: constant, because the
// broker keeps the session by it, and different from other nodes'.
func nodeID(dir string) (string, error) {
	path := filepath.Join(dir, "node")
	data, err := os.ReadFile(path)
	if err == nil && len(data) > 0 {
		return strings.TrimSpace(string(data)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read node id: %w", err)
	}
	id := strings.ToLower(rand.Text()[:12])
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write node id: %w", err)
	}
	return id, nil
}

// run starts every part and blocks until the context ends or one fails. ready is
// called once sensors may publish and the API answers.
func (s *stack) run(ctx context.Context, ready func(address) error) error {
	group, ctx := errgroup.WithContext(ctx)
	part := func(name string, run func(context.Context) error) {
		group.Go(func() error {
			err := run(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%s stopped: %w", name, err)
		})
	}
	part("view", func(ctx context.Context) error { return s.view.Run(ctx, s.journal) })
	part("ingest", s.pipeline.Run)
	part("mqtt", s.source.Run)
	part("monitor", s.monitor.Run)
	part("segmenter", s.segmenter.Run)
	part("api", func(ctx context.Context) error { return s.api.Serve(ctx, s.listener) })
	part("erasures", s.erasures.Run)
	part("retention", s.retention().Run)
	part("clock", func(ctx context.Context) error { return ingest.Tick(ctx, s.journal, time.Now, s.log) })
	part("publisher", s.publisher.Run)
	part("notify", s.notifier.Run)
	if s.influx != nil {
		part("influx", s.influx.Run)
	}
	if s.settings.HeartbeatURL != "" {
		heartbeat := notify.Heartbeat{URL: s.settings.HeartbeatURL, Stalls: s.stalls().Stalls, Logger: s.log.With("part", "heartbeat")}
		part("heartbeat", heartbeat.Run)
	}
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.source.Subscribed():
		}
		at := address{Ready: true, HTTP: "http://" + s.listener.Addr().String(), MQTT: s.settings.MQTTBroker}
		if s.tls != nil {
			at.HTTP = "https://" + s.listener.Addr().String()
		}
		if s.settings.MQTTBroker == "" {
			s.journal.Server().Open()
			at.MQTT = s.journal.Server().MQTTURL()
		} else {
			at.MQTT = redact(at.MQTT)
		}
		return ready(at)
	})
	return group.Wait()
}

// announce prints the addresses in use as one line of JSON.
func announce(s streams) func(address) error {
	return func(at address) error {
		line, err := json.Marshal(&at)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, string(line))
		return err
	}
}

// problems is what keeps the server from being ready.
func (s *stack) problems() []api.Problem {
	var found []api.Problem
	add := func(component, detail string) {
		found = append(found, api.Problem{Component: component, Detail: detail})
	}
	if !s.source.Connected() {
		add("mqtt", "the broker is not connected")
	}
	if behind := int64(s.journal.LastSeq() - s.view.Position()); behind > 10_000 {
		add("view", fmt.Sprintf("the view is %d events behind the log", behind))
	}
	switch used := s.disk.used(); {
	case used >= ingest.DiskFull:
		add("disk", fmt.Sprintf("the data folder's disk is %.0f %% full: nothing is acknowledged", 100*used))
	case used >= ingest.DiskNearlyFull:
		found = append(found, api.Problem{Component: "disk", Warning: true, Detail: fmt.Sprintf("the data folder's disk is %.0f %% full: bar velocity and imports are not stored", 100*used)})
	}
	if s.pipeline.Failing() {
		add("log", "the log does not take events")
	}
	return found
}

// close frees everything that was opened, in reverse.
func (s *stack) close() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.notifier != nil {
		if err := s.notifier.Close(); err != nil {
			s.log.Error("closing the outbox", "error", err)
		}
	}
	if s.view != nil {
		if err := s.view.Close(); err != nil {
			s.log.Error("closing the view", "error", err)
		}
	}
	if s.journal != nil {
		s.journal.Close()
	}
	if s.lock != nil {
		_ = s.lock.Unlock()
	}
}
