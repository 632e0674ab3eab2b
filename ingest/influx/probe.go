package influx

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Probed is what Probe has found.
type Probed struct {
	Version string    // such as 2.7.6
	Time    time.Time // by the server's clock, in whole seconds; zero where it does not say
	// Missing are buckets that are not there, or not to be seen with the token.
	Missing []string
}

// Probe asks a server whether it is there and lets the token write to both buckets,
// by a write without any point: it stores nothing. Of the options URL, Token, Org and
// Bucket are used.
func Probe(ctx context.Context, o Options) (Probed, error) {
	o.Now, o.HTTP = time.Now, &http.Client{Timeout: 10 * time.Second}
	s := newServer(&o)
	defer s.client.Close()
	version, p := s.ping(ctx)
	if p != nil {
		return Probed{}, fmt.Errorf("ask influx: %w", p)
	}
	s.version = version
	found := Probed{Version: version}
	for bucket := range s.buckets() {
		query := url.Values{"org": {o.Org}, "bucket": {s.address(bucket)}, "precision": {"ms"}}
		_, _, p := s.request(ctx, http.MethodPost, "/api/v2/write?"+query.Encode(), "text/plain; charset=utf-8", nil)
		switch {
		case p == nil, p.status == http.StatusBadRequest: // nothing to write
		case p.status == http.StatusNotFound:
			found.Missing = append(found.Missing, bucket)
		default:
			return found, fmt.Errorf("write to bucket %s: %w", bucket, p)
		}
	}
	slices.Sort(found.Missing)
	header, _, p := s.request(ctx, http.MethodGet, "/ping", "", nil)
	if p == nil {
		found.Time, _ = http.ParseTime(header.Get("Date"))
	}
	return found, nil
}
