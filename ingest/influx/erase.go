package influx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
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

// Erase deletes all points of the athlete in both buckets, and the samples of the
// stretches in which they were on a bar, and returns what the server did, also with an
// error what was done before it. It waits for the batch that is under way, so it takes
// as long as the server is away, or until the context ends. Call it when the view no
// longer knows the athlete, and the log not the samples, or the points are written
// again. Other points under the tag Unassigned name nobody and stay.
func (f *Follower) Erase(ctx context.Context, athlete lift.AthleteID, stretches []view.Stretch) ([]Erased, error) {
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
		doomed := []deletion{{athlete: athlete}}
		if bucket == f.samples.bucket {
			for _, s := range stretches {
				doomed = append(doomed, deletion{measurement: "velocity", site: s.Site, device: s.Device, from: s.From, to: s.To})
			}
		}
		for _, d := range doomed {
			var err error
			if by, err = f.delete(ctx, bucket, d); err != nil {
				return done, fmt.Errorf("erase from influx: %w", err)
			}
		}
		done = append(done, Erased{Bucket: bucket, Server: f.server.Version(), By: by})
	}
	return done, nil
}

// Trim deletes the points of a measurement before the given time.
func (f *Follower) Trim(ctx context.Context, measurement string, before time.Time) error {
	if _, err := f.delete(ctx, f.events.bucket, deletion{measurement: measurement, to: before}); err != nil {
		return fmt.Errorf("trim influx: %w", err)
	}
	return nil
}

// deletion is which points are to go. What is zero does not matter.
type deletion struct {
	measurement string
	athlete     lift.AthleteID
	site        lift.SiteID
	device      lift.DeviceID
	from, to    time.Time
}

// delete returns how the points were deleted.
func (f *Follower) delete(ctx context.Context, bucket string, d deletion) (by string, err error) {
	err = f.server.retry(ctx, func() (p *problem) {
		by, p = f.server.delete(ctx, bucket, d)
		return p
	})
	if err == nil && by == "" {
		err = fmt.Errorf("%s: %w", f.server.Version(), ErrNoErase)
	}
	return by, err
}

// delete returns how the points were deleted, "" where the server cannot.
func (s *server) delete(ctx context.Context, bucket string, d deletion) (string, *problem) {
	if strings.HasPrefix(s.Version(), "3.") {
		return "", nil
	}
	by := "delete API"
	var p *problem
	if s.one() {
		by = "InfluxQL DELETE"
		database, _, _ := strings.Cut(bucket, "/")
		_, p = s.influxQL(ctx, database, d.influxQL())
	} else {
		p = s.tell(ctx, "/api/v2/delete?"+url.Values{"org": {s.Org}, "bucket": {bucket}}.Encode(), d.request(s.Now()))
	}
	if p != nil && p.class == Missing {
		return "no such bucket", nil
	}
	return by, p
}

// tags are the tags that the points have, by name.
func (d *deletion) tags() [][2]string {
	var tags [][2]string
	for _, t := range [][2]string{{"athlete", string(d.athlete)}, {"site", string(d.site)}, {"device", string(d.device)}} {
		if t[1] != "" {
			tags = append(tags, t)
		}
	}
	return tags
}

func (d *deletion) influxQL() string {
	from := "DELETE"
	if d.measurement != "" {
		from += " FROM " + quoteName(d.measurement)
	}
	var where []string
	for _, t := range d.tags() {
		where = append(where, t[0]+" = "+quoteText(t[1]))
	}
	if !d.from.IsZero() {
		where = append(where, "time >= "+quoteText(d.from.UTC().Format(time.RFC3339Nano)))
	}
	if !d.to.IsZero() {
		where = append(where, "time < "+quoteText(d.to.UTC().Format(time.RFC3339Nano)))
	}
	return from + " WHERE " + strings.Join(where, " AND ")
}

// request is what 2.x is asked.
func (d *deletion) request(now time.Time) deleteRequest {
	var predicate []string
	if d.measurement != "" {
		predicate = append(predicate, fmt.Sprintf("_measurement=%q", d.measurement))
	}
	for _, t := range d.tags() {
		predicate = append(predicate, fmt.Sprintf("%s=%q", t[0], t[1]))
	}
	r := deleteRequest{Start: time.Unix(0, 0).UTC(), Stop: now.UTC().AddDate(1, 0, 0), Predicate: strings.Join(predicate, " AND ")}
	if !d.from.IsZero() {
		r.Start = d.from.UTC()
	}
	if !d.to.IsZero() {
		r.Stop = d.to.UTC()
	}
	return r
}

// deleteRequest asks 2.x to delete the points in a stretch of time that fit.
type deleteRequest struct {
	Start     time.Time `json:"start"`
	Stop      time.Time `json:"stop"`
	Predicate string    `json:"predicate"`
}

// Version is what the server calls itself, "" before it has answered.
func (s *server) Version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}
