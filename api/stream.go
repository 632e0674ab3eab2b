package api

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/spotterhq/spotter/internal/feed"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	streamType = "text/event-stream"
	// heartbeat is how long a stream is silent at most.
	heartbeat = 10 * time.Second
	// sendTimeout is how long a client may take nothing before it is cut off.
	sendTimeout  = 10 * time.Second
	framesAtOnce = 64
	// A stream of alerts that is resumed from further back than this many steps
	// is told to begin anew.
	maxResumed  = 5000
	resumeChunk = 500
	// lingering is for how long sets are computed after the last live stream has
	// ended, for one that resumes.
	lingering = time.Minute
)

// streams holds what is sent to streams, encoded, and ends them.
type streams struct {
	view       *view.View
	log        *slog.Logger
	now        func() time.Time
	setsAround func(ctx context.Context, athlete lift.AthleteID, from, to time.Time) ([]lift.Set, error)
	siteOf     func(context.Context, lift.AthleteID) (lift.SiteID, error)
	holds      func(identity, time.Time) bool
	begin      uint64 // of the log, when the server was made
	alerts     *feed.Feed[*frame]
	live       *feed.Feed[*frame]
	ended      context.Context
	end        context.CancelFunc

	watching atomic.Int64 // live streams
	lastSeen atomic.Int64 // when the last of them ended, in Unix nanoseconds

	heartbeat   time.Duration
	sendTimeout time.Duration

	open *prometheus.GaugeVec
	cut  *prometheus.CounterVec
}

func newStreams(s *Server) *streams {
	begin := s.view.Position()
	t := &streams{
		view: s.view, log: s.log, now: s.now, setsAround: s.setsAround, siteOf: s.siteOf, holds: s.holds, begin: begin,
		alerts:    feed.New[*frame](alertsHeld, begin),
		live:      feed.New[*frame](liveHeld, begin<<subBits),
		heartbeat: heartbeat, sendTimeout: sendTimeout,
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "spotter_http_streams", Help: "Streams that are open.",
		}, []string{"stream"}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "spotter_http_stream_resets_total", Help: "Times that a stream had to begin anew, because what it missed is no longer held.",
		}, []string{"stream"}),
	}
	t.ended, t.end = context.WithCancel(context.Background())
	return t
}

// wanted reports whether anybody follows the live stream, or may come back to it.
func (t *streams) wanted() bool {
	return t.watching.Load() > 0 || t.now().Sub(time.Unix(0, t.lastSeen.Load())) < lingering
}

// Resumption is how a client says where it was.
type Resumption struct {
	Header string `header:"Last-Event-ID" maxLength:"64" doc:"the id of the last event that was received; without it the stream starts now"`
	Query  string `query:"last_event_id" maxLength:"64" doc:"the same, for a new EventSource, which cannot send the header"`
	Ticket string `query:"ticket" maxLength:"200" doc:"from POST /stream-tickets, instead of the Authorization header"`
}

// after is where the stream begins, and whether the client must begin anew.
func (r *Resumption) after(end uint64) (seq uint64, reset bool) {
	text := r.Header
	if text == "" {
		text = r.Query
	}
	if text == "" {
		return end, false
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seq > end {
		return end, true
	}
	return seq, false
}

type alertStreamInput struct {
	AlertFilter
	Resumption
}

type liveInput struct {
	Site lift.SiteID `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Resumption
}

func (s *Server) addStreams() {
	op := func(id, path, summary, events string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"streams"},
			Metadata: map[string]any{takesTicket: true},
			Summary:  summary,
			Description: "Server-sent events. " + events + " The id of an event is its sequence in the log; with Last-Event-ID the stream goes on " +
				"behind it. Where that is no longer possible the event reset comes first: read the lists again. A comment is sent when nothing else was for a while.",
			Responses: map[string]*huma.Response{"200": {
				Description: "A stream that ends only when one side ends it",
				Content:     map[string]*huma.MediaType{streamType: {Schema: &huma.Schema{Type: huma.TypeString}}},
			}},
		}
	}
	add(s, op("stream-alerts", "/api/v1/alerts/stream", "Follow alerts",
		"Event alert, with the alert, whenever one opens, changes or closes."), permit{ofCaller, everyone}, s.streamAlerts)
	add(s, op("stream-live", "/api/v1/live", "Follow what happens",
		"Events rep, set and device, as the lists show them; a set also has its site and athlete."), permit{ofCaller, everyone}, s.streamLive)
}

func (s *Server) streamAlerts(ctx context.Context, in *alertStreamInput) (*huma.StreamResponse, error) {
	id := who(ctx)
	match := func(f *frame) bool {
		return f.seenBy(&id) && (in.Athlete == "" || f.athlete == in.Athlete) && (in.Site == "" || f.site == in.Site) &&
			(in.Severity == "" || f.severity.Compare(in.Severity) >= 0)
	}
	return s.stream("alerts", id, func(c *client) error {
		seq, reset := in.after(s.view.Position())
		if err := c.begin(seq, reset); err != nil {
			return err
		}
		for resumed := 0; ; {
			err := c.follow(s.streams.alerts, &seq, match)
			if !errors.Is(err, feed.ErrTooOld) {
				return err
			}
			if resumed >= maxResumed {
				seq, resumed = s.view.Position(), 0
				if err := c.reset(seq); err != nil {
					return err
				}
				continue
			}
			n, err := c.resume(s.view, &seq, match)
			if err != nil {
				return err
			}
			resumed += n
		}
	}), nil
}

func (s *Server) streamLive(ctx context.Context, in *liveInput) (*huma.StreamResponse, error) {
	id := who(ctx)
	match := func(f *frame) bool { return f.seenBy(&id) && (in.Site == "" || f.site == in.Site) }
	return s.stream("live", id, func(c *client) error {
		t := s.streams
		t.watching.Add(1)
		defer func() {
			t.lastSeen.Store(t.now().UnixNano())
			t.watching.Add(-1)
		}()
		seq, reset := in.after(s.view.Position())
		if err := c.begin(seq, reset); err != nil {
			return err
		}
		pos := seq << subBits
		if in.Header == "" && in.Query == "" || reset {
			pos |= subMax
		}
		for {
			err := c.follow(t.live, &pos, match)
			if !errors.Is(err, feed.ErrTooOld) {
				return err
			}
			seq := s.view.Position()
			pos = seq<<subBits | subMax
			if err := c.reset(seq); err != nil {
				return err
			}
		}
	}), nil
}

// stream answers with the events that run sends, until it or the client or the
// server ends.
func (s *Server) stream(name string, id identity, run func(*client) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		c := humaecho.Unwrap(hc)
		ctx, cancel := context.WithCancel(c.Request().Context())
		defer cancel()
		defer context.AfterFunc(s.streams.ended, cancel)()
		s.streams.open.WithLabelValues(name).Inc()
		defer s.streams.open.WithLabelValues(name).Dec()

		h := c.Response().Header()
		h.Set("Content-Type", streamType)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
		c.Response().WriteHeader(http.StatusOK)
		w := c.Response().Writer
		err := run(&client{
			ctx: ctx, streams: s.streams, name: name, id: id, held: s.now(), out: w, control: http.NewResponseController(w), sent: s.now(),
		})
		if err != nil && ctx.Err() == nil {
			s.log.Debug("stream ended", "stream", name, "error", err)
		}
	}}
}

// client is one reader of a stream. It belongs to one goroutine.
type client struct {
	ctx     context.Context
	streams *streams
	name    string
	id      identity
	held    time.Time // when its token was last looked at
	out     http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
	frames  []*frame
	sent    time.Time // when something was sent last
}

// begin sends the stream's headers, and an id from which a client that has seen no
// event yet can resume.
func (c *client) begin(seq uint64, reset bool) error {
	if reset {
		return c.reset(seq)
	}
	c.buf.WriteString("retry: 2000\nid: " + strconv.FormatUint(seq, 10) + "\n\n")
	return c.send()
}

// reset tells the client that events are missing, and where the stream goes on.
func (c *client) reset(seq uint64) error {
	c.streams.cut.WithLabelValues(c.name).Inc()
	c.buf.WriteString("event: reset\nid: " + strconv.FormatUint(seq, 10) + "\ndata: {}\n\n")
	return c.send()
}

var errRevoked = errors.New("its token is no longer valid")

// follow sends the frames after pos that match, until an error; pos moves along.
func (c *client) follow(from *feed.Feed[*frame], pos *uint64, match func(*frame) bool) error {
	for {
		if now := c.streams.now(); now.Sub(c.held) >= c.streams.heartbeat {
			if !c.streams.holds(c.id, now) {
				return errRevoked
			}
			c.held = now
		}
		silent := c.streams.now().Sub(c.sent)
		reading, cancel := context.WithTimeout(c.ctx, max(c.streams.heartbeat-silent, 0))
		frames, next, err := from.Read(reading, *pos, framesAtOnce, c.frames[:0])
		cancel()
		switch {
		case c.ctx.Err() != nil:
			return c.ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			c.buf.WriteString(":\n\n")
			if err := c.send(); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		c.frames, *pos = frames, next
		if err := c.write(frames, match); err != nil {
			return err
		}
		clear(frames)
	}
}

// resume sends the steps of alerts after seq that the view has and the feed no
// longer holds. It returns how many there were; seq moves along.
func (c *client) resume(v *view.View, seq *uint64, match func(*frame) bool) (int, error) {
	end := v.Position()
	steps, err := v.AlertStepsAfter(c.ctx, *seq, resumeChunk)
	if err != nil {
		return 0, err
	}
	frames := make([]*frame, len(steps))
	for i := range steps {
		if frames[i], err = c.streams.alertFrame(&steps[i]); err != nil {
			return 0, err
		}
	}
	if err := c.write(frames, match); err != nil {
		return 0, err
	}
	switch n := len(steps); {
	case n == resumeChunk:
		*seq = steps[n-1].Seq
	case n > 0:
		*seq = max(steps[n-1].Seq, end)
	default:
		*seq = max(*seq, end)
	}
	return len(steps), nil
}

func (c *client) write(frames []*frame, match func(*frame) bool) error {
	for _, f := range frames {
		if match(f) {
			c.buf.Write(f.text)
		}
	}
	return c.send()
}

// send writes what is gathered, if anything, within the time that a client has.
func (c *client) send() error {
	if c.buf.Len() == 0 {
		return nil
	}
	// Recorders in tests and some wrappers know no deadlines.
	if err := c.control.SetWriteDeadline(time.Now().Add(c.streams.sendTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	_, err := c.out.Write(c.buf.Bytes())
	c.buf.Reset()
	if err != nil {
		return err
	}
	if err := c.control.Flush(); err != nil {
		return err
	}
	c.sent = c.streams.now()
	return nil
}
