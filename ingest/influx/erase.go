package influx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// ErrNoErase says that the server has no way to delete rows, as InfluxDB 3 Core.
var ErrNoErase = errors.New("this InfluxDB cannot delete points")

// Erased is what was done in one bucket.
type Erased struct {
	Bucket string
	Server string // version, as it says itself
	// By is how: "delete API", "InfluxQL DELETE", or "no such bucket".
	By string
}

// Erase deletes all points of the athlete in both buckets and returns what the
// server did, also with an error what was done before it. It waits for the batch
// that is under way, so it takes as long as the server is away, or until the
// context ends. Call it when the view no longer knows the athlete, or the points
// are written again. Points under the tag Unassigned name nobody and stay; so do
// samples that were written while nobody was assigned.
func (f *Follower) Erase(ctx context.Context, athlete lift.AthleteID) ([]Erased, error) {
	if err := lift.CheckID("athlete", athlete); err != nil {
		return nil, err
	}
	if athlete == Unassigned {
		return nil, &lift.FieldError{Field: "athlete", Reason: "names the reps of nobody"}
	}
	for _, t := range []*track{f.events, f.samples} {
		release, err := t.hold(ctx)
		if err != nil {
			return nil, fmt.Errorf("erase from influx: %w", err)
		}
		defer release()
	}
	var done []Erased
	for _, bucket := range []string{f.events.bucket, f.samples.bucket} {
		var by string
		err := f.server.retry(ctx, func() (p *problem) {
			by, p = f.server.erase(ctx, bucket, athlete)
			return p
		})
		if err != nil {
			return done, fmt.Errorf("erase from influx: %w", err)
		}
		if by == "" {
			return done, fmt.Errorf("erase from influx %s: %w", f.server.Version(), ErrNoErase)
		}
		done = append(done, Erased{Bucket: bucket, Server: f.server.Version(), By: by})
	}
	return done, nil
}

// Version is what the server calls itself, "" before it has answered.
func (s *server) Version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// erase returns how the bucket was cleared, "" where the server cannot.
func (s *server) erase(ctx context.Context, bucket string, athlete lift.AthleteID) (string, *problem) {
	if strings.HasPrefix(s.Version(), "3.") {
		return "", nil
	}
	by := "delete API"
	var p *problem
	if s.one() {
		by = "InfluxQL DELETE"
		database, _, _ := strings.Cut(bucket, "/")
		_, p = s.influxQL(ctx, database, "DELETE WHERE athlete = "+quoteText(string(athlete)))
	} else {
		p = s.tell(ctx, "/api/v2/delete?"+url.Values{"org": {s.Org}, "bucket": {bucket}}.Encode(), deletion{
			Start: time.Unix(0, 0).UTC(), Stop: s.Now().UTC().AddDate(1, 0, 0), Predicate: fmt.Sprintf("athlete=%q", string(athlete)),
		})
	}
	if p != nil && p.class == Missing {
		return "no such bucket", nil
	}
	return by, p
}

// deletion asks 2.x to delete the points in a stretch of time that fit.
type deletion struct {
	Start     time.Time `json:"start"`
	Stop      time.Time `json:"stop"`
	Predicate string    `json:"predicate"`
}
