package influx

import (
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
	"github.com/influxdata/influxdb-client-go/v2/domain"

	"github.com/spotterhq/spotter/internal/journal"
)

// server is the InfluxDB that is written to. Its methods may be called
// concurrently.
type server struct {
	*Options
	client influxdb2.Client

	mu      sync.Mutex
	version string // as /ping said, such as 1.8.10 or v2.7.6
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
	return strings.HasPrefix(strings.TrimPrefix(s.version, "v"), "1.")
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
	header, _, p := s.request(ctx, http.MethodGet, "/ping", nil)
	if p != nil {
		return p
	}
	s.mu.Lock()
	s.version = header.Get("X-Influxdb-Version")
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
		query := url.Values{"name": {bucket}, "org": {s.Org}}
		_, body, p := s.request(ctx, http.MethodGet, "/api/v2/buckets?"+query.Encode(), nil)
		if p != nil && p.class != Missing {
			return p
		}
		var found struct {
			Buckets []struct{} `json:"buckets"`
		}
		if p == nil {
			if err := json.Unmarshal(body, &found); err != nil {
				return &problem{class: Failing, message: "list buckets: " + err.Error()}
			}
		}
		if len(found.Buckets) > 0 {
			continue
		}
		org, err := s.client.OrganizationsAPI().FindOrganizationByName(ctx, s.Org)
		if err != nil {
			return classify(err, s.Now())
		}
		var rules []domain.RetentionRule
		if retention > 0 {
			rules = append(rules, domain.RetentionRule{EverySeconds: int64(retention.Seconds())})
		}
		if _, err := s.client.BucketsAPI().CreateBucketWithName(ctx, org, bucket, rules...); err != nil {
			return classify(err, s.Now())
		}
	}
	return nil
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

// request sends what the client library has no call for.
func (s *server) request(ctx context.Context, method, path string, form url.Values) (http.Header, []byte, *problem) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return nil, nil, &problem{class: Away, message: err.Error()}
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
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
