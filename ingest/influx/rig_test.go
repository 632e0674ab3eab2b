package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

// database is the InfluxDB of one test.
type database struct {
	url, token, org, bucket string
	stop, start             func() // nil for a server that is not ours
}

// given is the server of the environment, if one is named there.
func given() (database, bool) {
	d := database{
		url: os.Getenv("SPOTTER_TEST_INFLUX_URL"), token: os.Getenv("SPOTTER_TEST_INFLUX_TOKEN"),
		org: os.Getenv("SPOTTER_TEST_INFLUX_ORG"), bucket: os.Getenv("SPOTTER_TEST_INFLUX_BUCKET"),
	}
	return d, d.url != ""
}

// anyInflux is the server of the environment or, where none is named, an InfluxDB
// 1.8 of the test's own.
func anyInflux(t *testing.T) database {
	if d, ok := given(); ok {
		return d
	}
	return ownInflux(t)
}

// ownInflux starts an InfluxDB 1.8 that the test may stop and start again.
func ownInflux(t *testing.T) database {
	t.Helper()
	server := need.RunInflux(t)
	return database{url: server.URL, bucket: "spotter", start: server.Start, stop: server.Kill}
}

// eventually waits for a condition by asking again and again.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	need.Eventually(t, patience, what, holds)
}

// rig is a log and its view with followers to InfluxDB. Its site is new with each
// test, so that tests can share a server.
type rig struct {
	*testing.T
	db   database
	log  *journal.Log
	view *view.View
	site lift.SiteID

	mu    sync.Mutex
	waits []time.Duration
}

func newRig(t *testing.T, db database) *rig {
	t.Helper()
	r := &rig{T: t, db: db, site: lift.SiteID("site-" + strconv.FormatUint(rand.Uint64(), 36))}
	quiet := slog.New(slog.DiscardHandler)
	log, err := journal.Open(t.Context(), journal.Options{Dir: t.TempDir(), Fsync: need.Fsync, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	v, err := view.Open(t.Context(), filepath.Join(t.TempDir(), "view.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	r.log, r.view = log, v
	r.background("view", func(ctx context.Context) error { return v.Run(ctx, log) })
	return r
}

// background runs something until it is stopped or the test ends.
func (r *rig) background(what string, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			r.Errorf("%s ended with %v", what, err)
		}
	})
	r.Cleanup(stop)
	return stop
}

// options let a follower never wait for long, but note how long it would.
func (r *rig) options() Options {
	return Options{
		URL: r.db.url, Token: r.db.token, Org: r.db.org, Bucket: r.db.bucket,
		Log: r.log, View: r.view, Logger: slog.New(slog.NewTextHandler(r.Output(), nil)),
		Sets: func(_ lift.AthleteID, t Training) []lift.Set { return analysis.Sets(t.Reps, t.Logged, time.UTC) },
		Weeks: func(athlete lift.AthleteID, t Training, now time.Time) []lift.Week {
			return analysis.Weeks(analysis.History{Athlete: athlete, Reps: t.Reps, Logged: t.Logged}, analysis.Settings{}, now)
		},
		Plan:     r.plan,
		Lookback: analysis.Lookback,
		Pace:     time.Millisecond,
		Jitter:   func() float64 { return 1 },
		Wait: func(ctx context.Context, d time.Duration) error {
			r.mu.Lock()
			r.waits = append(r.waits, d)
			r.mu.Unlock()
			return wait(ctx, min(d, 20*time.Millisecond))
		},
	}
}

// plan reads what holds as the server does, with the rules' own limits.
func (r *rig) plan(ctx context.Context, athlete lift.AthleteID, at time.Time) (Plan, error) {
	reps, checkIns := analysis.LoadFrom(at, time.UTC)
	h, err := r.view.History(ctx, athlete, reps, checkIns)
	if err != nil {
		return Plan{}, err
	}
	state := analysis.Plan(analysis.History{Site: h.Site, Athlete: athlete, CheckIns: h.CheckIns, Plan: h.Plan}, analysis.Settings{}, at)
	now := Plan{Held: state.Hold != nil}
	if state.Phase != nil {
		now.Phase = state.Phase.Number
	}
	return now, nil
}

// follower runs a follower until it is stopped or the test ends.
func (r *rig) follower(change ...func(*Options)) (f *Follower, stop func()) {
	r.Helper()
	o := r.options()
	for _, c := range change {
		c(&o)
	}
	f, err := New(o)
	if err != nil {
		r.Fatal(err)
	}
	return f, r.background("follower", f.Run)
}

func (r *rig) waited() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.waits)
}

func (r *rig) append(events ...journal.Event) {
	r.Helper()
	for chunk := range slices.Chunk(events, journal.MaxBatch) {
		if _, err := r.log.Append(r.Context(), chunk...); err != nil {
			r.Fatal(err)
		}
	}
}

// settled waits until the follower has written the whole log. What it has then
// refused is in the log too.
func (r *rig) settled(f *Follower) {
	r.Helper()
	end, err := r.log.Append(r.Context(), r.status(lift.DeviceReady, time.Now().UTC()))
	if err != nil {
		r.Fatal(err)
	}
	eventually(r.T, "the follower to write everything", func() bool {
		s := f.Stats()
		return s.Events.Position >= end[0].Seq && s.Events.Events == 0 && s.Samples.Events == 0 && s.Version != ""
	})
}

// query asks the server itself in InfluxQL, which 1.8 and 2.x both speak.
func (r *rig) query(bucket, statement string) []result {
	r.Helper()
	s := newServer(&Options{URL: r.db.url, Token: r.db.token, HTTP: http.DefaultClient, Now: time.Now})
	found, p := s.influxQL(r.Context(), bucket, statement)
	if p != nil {
		r.Fatalf("%s: %v", statement, p)
	}
	return found
}

// row is one point: its tags, but for the site, and its fields.
type row map[string]any

// rows returns the site's points of a measurement in the order of time, without
// columns that are empty.
func (r *rig) rows(measurement string) []row {
	r.Helper()
	bucket := r.db.bucket
	if measurement == "velocity" {
		bucket += "_samples"
	}
	statement := fmt.Sprintf(`SELECT * FROM %s WHERE site = %s`, quoteName(measurement), quoteText(string(r.site)))
	var rows []row
	for _, series := range r.query(bucket, statement) {
		for _, values := range series.Values {
			one := row{}
			for i, column := range series.Columns {
				if values[i] != nil && column != "site" {
					one[column] = values[i]
				}
			}
			rows = append(rows, one)
		}
	}
	return rows
}

func (r *rig) valid(measurement string) []row {
	r.Helper()
	return slices.DeleteFunc(r.rows(measurement), func(one row) bool { return one["valid"] != 1.0 })
}

func (r *rig) quarantined() []view.Quarantined {
	r.Helper()
	if err := r.view.WaitFor(r.Context(), r.log.LastSeq()); err != nil {
		r.Fatal(err)
	}
	held, _, err := r.view.Quarantine(r.Context(), view.Page{Limit: 500})
	if err != nil {
		r.Fatal(err)
	}
	return held
}

// writeRaw stores line protocol past the follower.
func (r *rig) writeRaw(text string) {
	r.Helper()
	s := newServer(&Options{URL: r.db.url, Token: r.db.token, Org: r.db.org, Bucket: r.db.bucket, HTTP: http.DefaultClient, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if p := s.connect(r.Context()); p != nil {
		r.Fatal(p)
	}
	if err := s.client.WriteAPIBlocking(r.db.org, s.address(r.db.bucket)).WriteRecord(r.Context(), text); err != nil {
		r.Fatal(err)
	}
}
