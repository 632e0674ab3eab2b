package influx

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	influxdb2 "github.com/influxdata/influxdb-client-go/v2"

	"github.com/spotterhq/spotter/internal/journal"
)

// server is the InfluxDB that is written to. Its methods may be called
// concurrently.
type server struct {
	*Options
	client influxdb2.Client

	mu      sync.Mutex
	version string // such as 1.8.10 or 2.7.6; 1.x or 2.x where that is all that is known
	ready   bool   // the version is known and the buckets have been looked after
	counts  counts
}

func newServer(o *Options) *server {
	options := influxdb2.DefaultOptions().SetPrecision(time.Millisecond).SetHTTPClient(o.HTTP).SetApplicationName("spotter")
	return &server{Options: o, client: influxdb2.NewClientWithOptions(o.URL, o.Token, options)}
}

// one reports whether the server is of the 1.x line.
func (s *server) one() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.HasPrefix(s.version, "1.")
}

// write stores the lines, however long the server is away. Its error is the
// context's, or a *problem of class Refused.
func (s *server) write(ctx context.Context, bucket string, lines []line) error {
	texts := make([]string, len(lines))
	for i := range lines {
		texts[i] = lines[i].text
	}
	return s.retry(ctx, func() *problem {
		began := s.Now()
		err := s.client.WriteAPIBlocking(s.Org, s.address(bucket)).WriteRecord(ctx, texts...)
		p := classify(err, s.Now())
		if p != nil {
			if n, ok := p.expired(); ok {
				s.wrote(len(lines)-n, n, s.Now().Sub(began))
				return nil
			}
			return p
		}
		s.wrote(len(lines), 0, s.Now().Sub(began))
		return nil
	})
}

// retry calls try until it has no problem, or one that waiting does not help.
func (s *server) retry(ctx context.Context, try func() *problem) error {
	for failures := 0; ; failures++ {
		p := s.connect(ctx)
		if p == nil {
			p = try()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.note(p)
		if p == nil {
			return nil
		}
		if p.class == Refused {
			return p
		}
		pause := p.after
		if pause == 0 {
			pause = s.backOff(failures)
		}
		if err := s.Wait(ctx, pause); err != nil {
			return err
		}
	}
}

// backOff is half a second, doubled with each failure up to 30 s, of which a
// random half is left away.
func (s *server) backOff(failures int) time.Duration {
	d := min(500*time.Millisecond<<min(failures, 6), 30*time.Second)
	return d/2 + time.Duration(s.Jitter()*float64(d/2))
}

// connect finds out which server it is and creates what is missing, once.
func (s *server) connect(ctx context.Context) *problem {
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	if ready {
		return nil
	}
	version, p := s.ping(ctx)
	if p != nil {
		return p
	}
	s.mu.Lock()
	s.version = version
	s.mu.Unlock()
	if s.one() {
		p = s.createDatabases(ctx)
	} else {
		p = s.createBuckets(ctx)
	}
	if p != nil && (p.class == Away || p.class == Throttled) {
		return p
	}
	if p != nil {
		// Perhaps they are there and may only be written to: that will show.
		s.Logger.Warn("influx buckets could not be looked after", "class", p.class, "status", p.status)
	}
	s.mu.Lock()
	s.ready = true
	s.mu.Unlock()
	return nil
}

// ping returns the server's version. One that was built without telling it which
// it is calls itself unknown: then it is 1.x if it lacks what 2.x is set up by.
func (s *server) ping(ctx context.Context) (string, *problem) {
	header, _, p := s.request(ctx, http.MethodGet, "/ping", "", nil)
	if p != nil {
		return "", p
	}
	version := strings.TrimPrefix(header.Get("X-Influxdb-Version"), "v")
	if version != "" && version[0] >= '0' && version[0] <= '9' {
		return version, nil
	}
	switch _, _, p := s.request(ctx, http.MethodGet, "/api/v2/setup", "", nil); {
	case p == nil:
		return "2.x", nil
	case p.class == Missing:
		return "1.x", nil
	default:
		return "", p
	}
}

func (s *server) createDatabases(ctx context.Context) *problem {
	found, p := s.influxQL(ctx, "", "SHOW DATABASES")
	if p != nil {
		return p
	}
	there := map[string]bool{}
	for _, series := range found {
		for _, row := range series.Values {
			if name, ok := row[0].(string); ok {
				there[name] = true
			}
		}
	}
	for bucket, retention := range s.buckets() {
		name, _, _ := strings.Cut(bucket, "/")
		if there[name] {
			continue
		}
		create := "CREATE DATABASE " + quoteName(name)
		if retention > 0 {
			create += fmt.Sprintf(" WITH DURATION %dh NAME autogen", int(retention.Hours()))
		}
		if _, p := s.influxQL(ctx, "", create); p != nil {
			return p
		}
	}
	return nil
}

func (s *server) createBuckets(ctx context.Context) *problem {
	for bucket, retention := range s.buckets() {
		var found struct {
			Buckets []struct{} `json:"buckets"`
		}
		p := s.ask(ctx, "/api/v2/buckets?"+url.Values{"name": {bucket}, "org": {s.Org}}.Encode(), &found)
		if p != nil && p.class != Missing {
			return p
		}
		if len(found.Buckets) > 0 {
			continue
		}
		var orgs struct {
			Orgs []struct {
				ID string `json:"id"`
			} `json:"orgs"`
		}
		if p := s.ask(ctx, "/api/v2/orgs?"+url.Values{"org": {s.Org}}.Encode(), &orgs); p != nil {
			return p
		}
		if len(orgs.Orgs) == 0 {
			return &problem{class: Missing, message: "no such organisation"}
		}
		wanted := newBucket{Name: bucket, OrgID: orgs.Orgs[0].ID}
		if retention > 0 {
			wanted.Rules = []retentionRule{{Type: "expire", EverySeconds: int64(retention.Seconds())}}
		}
		if p := s.tell(ctx, "/api/v2/buckets", wanted); p != nil {
			return p
		}
	}
	return nil
}

type newBucket struct {
	Name  string          `json:"name"`
	OrgID string          `json:"orgID"`
	Rules []retentionRule `json:"retentionRules"`
}

type retentionRule struct {
	Type         string `json:"type"`
	EverySeconds int64  `json:"everySeconds"`
}

// buckets are those that are written to, and for how long they keep it; 0: for ever.
func (s *server) buckets() map[string]time.Duration {
	return map[string]time.Duration{s.Bucket: 0, s.Bucket + "_samples": journal.SamplesRetention}
}

// address is how the write and Flux endpoints call a bucket.
func (s *server) address(bucket string) string {
	if s.one() && !strings.Contains(bucket, "/") {
		return bucket + "/autogen"
	}
	return bucket
}

// ask gets a JSON answer of the 2.x API, and tell posts to it. The client library
// has calls for the same, whose errors have lost the status and what it asks for.
func (s *server) ask(ctx context.Context, path string, answer any) *problem {
	_, body, p := s.request(ctx, http.MethodGet, path, "", nil)
	if p != nil {
		return p
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return &problem{class: Failing, message: "read answer: " + err.Error()}
	}
	return nil
}

func (s *server) tell(ctx context.Context, path string, what any) *problem {
	body, err := json.Marshal(what)
	if err != nil {
		return &problem{class: Failing, message: err.Error()}
	}
	_, _, p := s.request(ctx, http.MethodPost, path, "application/json", body)
	return p
}

func (s *server) request(ctx context.Context, method, path, contentType string, body []byte) (http.Header, []byte, *problem) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, &problem{class: Away, message: err.Error()}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if s.Token != "" {
		req.Header.Set("Authorization", "Token "+s.Token)
	}
	answer, err := s.HTTP.Do(req)
	if err != nil {
		return nil, nil, &problem{class: Away, message: err.Error()}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return nil, nil, &problem{class: Away, message: err.Error()}
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return nil, nil, answered(answer.StatusCode, string(text), answer.Header, s.Now())
	}
	return answer.Header, text, nil
}
