package privacy

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/monitor"
	"github.com/spotterhq/spotter/internal/view"
)

const patience = 30 * time.Second

// gym is a data folder with a log, a view and a monitor, which can be stopped and
// started as a server is.
type gym struct {
	*testing.T
	dir string
	gymParts
	// stores are those that the coordinator asks.
	stores []Store
	// log wraps what the coordinator sees of the log.
	wrap func(Log) Log
}

type gymParts struct {
	log     *journal.Log
	view    *view.View
	judge   *monitor.Monitor
	tombs   *Tombstones
	erase   *Coordinator
	stopped func()
}

func newGym(t *testing.T) *gym {
	g := &gym{T: t, dir: t.TempDir(), wrap: func(l Log) Log { return l }}
	g.start()
	t.Cleanup(func() { g.stopped() })
	return g
}

func (g *gym) must(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

// start opens the folder and runs every part but the coordinator.
func (g *gym) start() {
	g.Helper()
	quiet := slog.New(slog.DiscardHandler)
	var err error
	g.log, err = journal.Open(context.Background(), journal.Options{Dir: filepath.Join(g.dir, "log"), Fsync: need.Fsync, Logger: quiet})
	g.must(err)
	g.view, err = view.Open(context.Background(), filepath.Join(g.dir, "view.db"), quiet)
	g.must(err)
	g.tombs, err = OpenTombstones(g.dir, quiet)
	g.must(err)
	g.must(g.tombs.Load(context.Background(), g.log, g.view))
	g.judge = monitor.New(monitor.Options{
		Log: g.log, View: g.view, Logger: quiet, Now: time.Now,
		Settings: func(lift.AthleteID) analysis.Settings { return analysis.Settings{Zone: time.UTC} },
	})
	g.erase = New(Options{
		Log: g.wrap(g.log), View: g.view, Tombstones: g.tombs, Judged: g.judge.Position, Stores: g.stores,
		Retry: 10 * time.Millisecond, Logger: quiet, Now: time.Now,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	run := func(what string, f func(context.Context) error) {
		running.Go(func() {
			if err := f(ctx); !errors.Is(err, context.Canceled) {
				g.Errorf("%s ended with %v", what, err)
			}
		})
	}
	run("view", func(ctx context.Context) error { return g.view.Run(ctx, g.log) })
	run("monitor", g.judge.Run)
	log, v := g.log, g.view
	g.stopped = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		_ = v.Close()
		log.Close()
	})
}

// restart stops and starts everything, with the view rebuilt from the log where
// asked for.
func (g *gym) restart(rebuild bool) {
	g.Helper()
	g.stopped()
	if rebuild {
		g.must(view.Remove(filepath.Join(g.dir, "view.db")))
	}
	g.start()
	g.settle()
}

// run runs the coordinator until a receipt is done.
func (g *gym) run(receipt string) view.Erasure {
	g.Helper()
	need.Eventually(g, patience, "the erase to be done", func() bool {
		waiting, err := g.erase.round(context.Background())
		g.must(err)
		return !waiting
	})
	g.settle()
	e, err := g.view.Erasure(context.Background(), receipt)
	g.must(err)
	if e.Done.IsZero() {
		g.Fatalf("the erase is not done: %+v", e)
	}
	return e
}

func (g *gym) begin(athlete lift.AthleteID) string {
	g.Helper()
	receipt, _, err := g.erase.Begin(context.Background(), athlete, "head-coach", "has left")
	g.must(err)
	return receipt
}

// append stores events as ingest does: what is refused is left out.
func (g *gym) append(events ...journal.Event) {
	g.Helper()
	for chunk := range slices.Chunk(g.tombs.Admit(context.Background(), slices.Clone(events)), journal.MaxBatch) {
		_, err := g.log.Append(context.Background(), chunk...)
		g.must(err)
	}
}

// settle waits until the view and the monitor are at the log's end and say no more.
func (g *gym) settle() {
	g.Helper()
	still := 0
	need.Eventually(g, patience, "everything to settle", func() bool {
		end := g.log.LastSeq()
		if g.view.Position() >= end && g.judge.Position() >= end {
			still++
		} else {
			still = 0
		}
		return still > 10
	})
}

// monday is when everybody begins to train.
var monday = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -20).Add(17 * time.Hour)

// began is the minute of the tests' begin: whoever trains again repeats the same ticks.
var began = time.Now().UTC().Truncate(time.Minute)

type device struct{ name lift.DeviceID }

func (d device) rep(athlete lift.AthleteID, seq int64, at time.Time, change ...func(*lift.Rep)) journal.Event {
	load, set := 120.0, int(seq/5)
	r := &lift.Rep{
		BootID: "b1", Seq: seq, Time: at, Athlete: athlete, Exercise: "deadlift", LoadKg: &load, Set: &set,
		MeanVelocity: 0.6 - 0.05*float64(seq%5),
	}
	for _, c := range change {
		c(r)
	}
	return journal.Event{Kind: journal.KindRep, Received: at, Site: "main", Device: d.name, Athlete: r.Athlete, Rep: r}
}

// bare leaves everything to the assignment.
func bare(r *lift.Rep) { r.Athlete, r.Exercise, r.LoadKg, r.Set = "", "", nil, nil }

func (d device) id(seq int64) string { return lift.RepID("main", d.name, "b1", seq) }

func (d device) assign(athlete lift.AthleteID, since time.Time) journal.Event {
	a := &lift.Assignment{Athlete: athlete, Since: since, SinceGiven: true}
	if athlete != "" {
		a.Exercise, a.LoadKg = "squat", new(100.0)
	}
	return journal.Event{Kind: journal.KindAssign, Received: since, Site: "main", Device: d.name, Athlete: athlete, Assign: a}
}

// edit corrects a rep that is filed under an athlete.
func (d device) edit(filed lift.AthleteID, seq int64, at time.Time, to lift.AthleteID, load *float64) journal.Event {
	e := &lift.RepEdit{RepID: d.id(seq), By: "coach", At: at, LoadKg: load}
	if to != "" {
		e.Athlete = &to
	}
	return journal.Event{Kind: journal.KindEdit, Received: at, Site: "main", Athlete: filed, Edit: e}
}

func (d device) chunk(n int64, at time.Time) journal.Event {
	return journal.Event{
		Kind: journal.KindSamples, Received: at, Site: "main", Device: d.name,
		Samples: &lift.Samples{BootID: "b1", Chunk: n, Time: at, RateHz: 20, Velocity: []float64{0, 0, 0, 0}},
	}
}

func checkIn(athlete lift.AthleteID, at time.Time, pain int) journal.Event {
	return journal.Event{
		Kind: journal.KindCheckIn, Received: at, Site: "main", Athlete: athlete,
		CheckIn: &lift.CheckIn{Time: at, Phase: lift.PhaseAfter, Pain: &pain, Note: "said by " + string(athlete)},
	}
}

// setEvent is a row of a training log.
func setEvent(athlete lift.AthleteID, row int, at time.Time, revision int64) journal.Event {
	return journal.Event{Kind: journal.KindSetLogged, Received: at, Site: "main", Athlete: athlete, By: "coach", Logged: &lift.LoggedSet{
		ID: lift.LoggedSetID(athlete, "strong", strconv.Itoa(row)), Revision: revision, Log: "strong", Exercise: "deadlift", Time: at, Reps: 5, LoadKg: new(80.0),
	}}
}

// message is one that a sensor sent, as ingest makes events of it.
func message(topic, payload string, at time.Time) []journal.Event {
	return ingest.Decode(ingest.Message{Topic: topic, Payload: []byte(payload), Received: at}).Events
}

// picture is everything that the view has of somebody, as it can be compared.
type picture struct {
	Reps     []lift.RepRecord
	CheckIns []lift.CheckInRecord
	Plan     []lift.PlanStep
	Alerts   []lift.Alert
	Steps    map[string][]view.AlertStep
	Logged   []lift.LoggedSet
	Sets     []lift.Set
	Weeks    []lift.Week
	Records  []lift.Record
	Audit    []view.AuditEntry
}

func (g *gym) picture(athlete lift.AthleteID) picture {
	g.Helper()
	ctx := context.Background()
	var p picture
	h, err := g.view.History(ctx, athlete, time.Unix(0, 0), time.Unix(0, 0))
	g.must(err)
	p.Reps, p.CheckIns, p.Plan, p.Alerts = h.Reps, h.CheckIns, h.Plan, h.Alerts
	slices.SortFunc(p.Alerts, func(a, b lift.Alert) int { return cmp.Compare(a.ID, b.ID) })
	p.Steps = map[string][]view.AlertStep{}
	for _, a := range p.Alerts {
		p.Steps[a.ID], err = g.view.AlertSteps(ctx, a.ID)
		g.must(err)
	}
	p.Records, err = g.view.RecordSteps(ctx, lift.OfAthlete, string(athlete))
	g.must(err)
	if r, ok := g.view.Record(lift.OfAthlete, string(athlete)); ok && len(p.Records) == 0 {
		g.Errorf("a record of %q is only in memory: %+v", athlete, r)
	}
	if athlete != "" {
		p.Audit, _, err = g.view.Audit(ctx, view.AuditQuery{Athlete: athlete}, view.Page{Limit: 500})
		g.must(err)
	}
	p.Logged = h.Logged
	p.Sets = analysis.Sets(p.Reps, p.Logged, time.UTC)
	p.Weeks = analysis.Weeks(analysis.History{Athlete: athlete, Reps: p.Reps, Logged: p.Logged}, analysis.Settings{Zone: time.UTC}, time.Now())
	return p
}

// empty reports whether nothing is there.
func (p picture) empty() bool {
	return len(p.Reps)+len(p.Logged)+len(p.CheckIns)+len(p.Plan)+len(p.Alerts)+len(p.Records)+len(p.Audit) == 0
}

// inLog counts the stored events that have the text anywhere.
func (g *gym) inLog(text string) int {
	g.Helper()
	n := 0
	g.must(g.log.Scan(context.Background(), g.log.LastSeq(), func(e *journal.Entry) error {
		if e.Quarantined != nil && bytes.Contains(e.Quarantined.Bytes, []byte(text)) || bytes.Contains(encoded(g, e), []byte(text)) {
			n++
		}
		return nil
	}))
	return n
}

// onDisk names the files of the data folder that have the text anywhere.
func (g *gym) onDisk(text string) []string {
	g.Helper()
	var in []string
	g.must(filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			in = append(in, filepath.Base(path))
		}
		return err
	}))
	return in
}
