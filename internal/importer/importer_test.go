package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/ingest/files"
	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

var (
	catalogue = exercise.Standard()
	now       = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// gym is a log and the view of it.
type gym struct {
	*testing.T
	log  *journal.Log
	view *view.View
	full bool  // the disk
	fail error // what the log says instead of taking more
	left int   // batches that the log takes before it fails

	appended int    // events
	last     uint64 // of them
}

func newGym(t *testing.T) *gym {
	quiet := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	log, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(dir, "log"), Fsync: need.Fsync, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	v, err := view.Open(t.Context(), filepath.Join(dir, "view.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = v.Run(ctx, log) }()
	t.Cleanup(func() {
		stop()
		<-done
		_ = v.Close()
		log.Close()
	})
	return &gym{T: t, log: log, view: v}
}

func (g *gym) Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error) {
	if g.fail != nil {
		if g.left--; g.left < 0 {
			return nil, g.fail
		}
	}
	acks, err := g.log.Append(ctx, events...)
	for _, a := range acks {
		g.appended++
		g.last = max(g.last, a.Seq)
	}
	return acks, err
}

// settle waits until the view has everything.
func (g *gym) settle() {
	g.Helper()
	if err := g.view.WaitFor(g.Context(), g.last); err != nil {
		g.Fatal(err)
	}
}

func (g *gym) prepare(r Request, file string) (*Batch, error) {
	r.Athlete, r.Site, r.By = "ana", "main", "coach"
	return Prepare(r, []io.Reader{strings.NewReader(file)}, catalogue, now)
}

// bring imports a file, and returns what came of it and how much the log has grown.
func (g *gym) bring(r Request, file string) (Report, int) {
	g.Helper()
	b, err := g.prepare(r, file)
	if err != nil {
		g.Fatal(err)
	}
	before := g.appended
	report, err := b.Run(g.Context(), g.options())
	if err != nil {
		g.Fatal(err)
	}
	return report, g.appended - before
}

func (g *gym) options() Options {
	return Options{Log: g, View: g.view, Exercises: catalogue, Zone: time.UTC, Now: func() time.Time { return now }, Progress: func(int, int) {},
		NearlyFull: func() bool { return g.full }}
}

// sets are what counts of training logs, oldest first.
func (g *gym) sets() []string {
	g.Helper()
	h, err := g.view.History(g.Context(), "ana", time.Time{}, time.Time{})
	if err != nil {
		g.Fatal(err)
	}
	var all []string
	for _, s := range h.Logged {
		if s.Removed {
			continue
		}
		kg := "-"
		if s.LoadKg != nil {
			kg = fmt.Sprintf("%.4g", *s.LoadKg)
		}
		all = append(all, fmt.Sprintf("%s %s %dx%s", s.Time.Format("2006-01-02"), s.Exercise, s.Reps, kg))
	}
	slices.Sort(all)
	return all
}

func (g *gym) wants(want ...string) {
	g.Helper()
	if d := cmp.Diff(want, g.sets()); d != "" {
		g.Fatalf("sets, - wanted, + there:\n%s", d)
	}
}

func (g *gym) counts(what string, r Report, want Report) {
	g.Helper()
	r.NotTaken, want.NotTaken = nil, nil
	if d := cmp.Diff(want, r); d != "" {
		g.Errorf("%s, - wanted, + told:\n%s", what, d)
	}
}

const week1 = `date,time,exercise,set,reps,load_kg
2026-11-02,17:00,Deadlift (Barbell),1,5,100
2026-11-02,17:00,Deadlift (Barbell),2,5,110
`

const week2 = week1 + `2026-11-09,17:00,Deadlift (Barbell),1,5,120
`

var berlin = Request{Zone: must(time.LoadLocation("Europe/Berlin"))}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestTheSameFileTwiceChangesNothing(t *testing.T) {
	g := newGym(t)
	r, grew := g.bring(berlin, week1)
	g.counts("first", r, Report{Added: 2})
	if grew != 3 { // and who has brought them
		t.Errorf("the log grew by %d", grew)
	}
	g.wants("2026-11-02 deadlift 5x100", "2026-11-02 deadlift 5x110")
	r, grew = g.bring(berlin, week1)
	g.counts("again", r, Report{Same: 2})
	if grew != 0 {
		t.Errorf("the log grew by %d", grew)
	}
}

func TestALaterExportAddsWhatIsNew(t *testing.T) {
	g := newGym(t)
	g.bring(berlin, week1)
	r, grew := g.bring(berlin, week2)
	g.counts("later", r, Report{Added: 1, Same: 2})
	if grew != 2 {
		t.Errorf("the log grew by %d", grew)
	}
	r, _ = g.bring(berlin, week1)
	g.counts("the earlier once more", r, Report{Same: 2})
	g.wants("2026-11-02 deadlift 5x100", "2026-11-02 deadlift 5x110", "2026-11-09 deadlift 5x120")
}

func TestWhatTheFileNowSaysOtherwiseCounts(t *testing.T) {
	g := newGym(t)
	g.bring(berlin, week1)
	edited := strings.Replace(week1, "5,110", "4,105", 1)
	r, _ := g.bring(berlin, edited)
	g.counts("edited", r, Report{Changed: 1, Same: 1})
	g.wants("2026-11-02 deadlift 4x105", "2026-11-02 deadlift 5x100")
	r, _ = g.bring(berlin, edited)
	g.counts("edited, again", r, Report{Same: 2})
	r, _ = g.bring(berlin, week1)
	g.counts("as it was", r, Report{Changed: 1, Same: 1})
	g.wants("2026-11-02 deadlift 5x100", "2026-11-02 deadlift 5x110")
}

func TestAWrongZoneAndAWrongExerciseAreMendedByImportingAgain(t *testing.T) {
	g := newGym(t)
	odd := strings.ReplaceAll(week1, "Deadlift (Barbell)", "Kreuzheben tief")
	g.bring(Request{Zone: time.UTC}, odd)
	g.wants("2026-11-02 kreuzheben_tief 5x100", "2026-11-02 kreuzheben_tief 5x110")
	r := berlin
	r.Exercises = map[string]lift.ExerciseID{"Kreuzheben tief": "conventional-deadlift"}
	report, _ := g.bring(r, odd)
	g.counts("mended", report, Report{Changed: 2})
	g.wants("2026-11-02 deadlift 5x100", "2026-11-02 deadlift 5x110")
}

func TestWhatAFileHasBroughtCanBeTakenBack(t *testing.T) {
	g := newGym(t)
	g.bring(berlin, week2)
	back := berlin
	back.TakeBack = true
	r, _ := g.bring(back, week1)
	g.counts("taken back", r, Report{TakenBack: 2})
	g.wants("2026-11-09 deadlift 5x120")
	r, grew := g.bring(back, week1)
	g.counts("taken back twice", r, Report{Same: 2})
	if grew != 0 {
		t.Errorf("the log grew by %d", grew)
	}
	r, _ = g.bring(berlin, week1)
	g.counts("brought once more", r, Report{Changed: 2})
	g.wants("2026-11-02 deadlift 5x100", "2026-11-02 deadlift 5x110", "2026-11-09 deadlift 5x120")
}

func TestADryRunChangesNothing(t *testing.T) {
	g := newGym(t)
	dry := berlin
	dry.DryRun = true
	r, grew := g.bring(dry, week1)
	g.counts("dry", r, Report{Added: 2})
	if grew != 0 {
		t.Errorf("the log grew by %d", grew)
	}
	g.wants()
}

func TestEveryRowThatIsLeftOutIsTold(t *testing.T) {
	g := newGym(t)
	b, err := g.prepare(berlin, week1+"2026-11-03,17:00,Squat,1,many,100\n2027-11-03,17:00,Squat,1,5,100\n2026-11-03,17:00,Squat,1,5,1001\n")
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Run(t.Context(), g.options())
	if err != nil {
		t.Fatal(err)
	}
	if b.Rows != 5 || r.Added != 2 || len(r.NotTaken) != 3 {
		t.Fatalf("%d rows: %+v", b.Rows, r)
	}
	for i, wrong := range r.NotTaken {
		if wrong.Line != 4+i || wrong.Reason == "" {
			t.Errorf("%+v", wrong)
		}
	}
	// The column is one that the file has.
	b, err = g.prepare(berlin, "date,exercise,set,reps,load_kg\n2027-11-03,Squat,1,5,100\n")
	if want := (NotTaken{Line: 2, Reason: "time: is more than 5 minutes in the future"}); err != nil || len(b.NotTaken) != 1 || b.NotTaken[0] != want {
		t.Errorf("%v, %+v", err, b.NotTaken)
	}
}

func TestAFileThatCannotBeUsedNamesWhatIsMissing(t *testing.T) {
	g := newGym(t)
	strong := "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,RPE\n2024-11-28 17:36:08,\"B\",35m,\"Deadlift (Barbell)\",1,100.0,5.0,0,0.0,\n"
	for _, c := range []struct {
		field string
		r     Request
		file  string
	}{
		{"unit", Request{Zone: time.UTC}, strong},
		{"zone", Request{Unit: files.Kilograms}, strong},
		{"format", Request{}, "a,b\n1,2\n"},
		{"format", Request{}, ""},
		{"files", berlin, "date,exercise,reps,load_kg\n"},
		{"exercises", Request{Zone: time.UTC, Exercises: map[string]lift.ExerciseID{"x": "not an id"}}, week1},
	} {
		_, err := g.prepare(c.r, c.file)
		if field, ok := errors.AsType[*lift.FieldError](err); !ok || field.Field != c.field {
			t.Errorf("wanted a fault in %s: %v", c.field, err)
		}
	}
}

func TestAnImportThatWasCutOffIsCompletedByImportingAgain(t *testing.T) {
	g := newGym(t)
	var file strings.Builder
	file.WriteString("date,time,exercise,set,reps,load_kg\n")
	for i := range 2500 {
		fmt.Fprintf(&file, "%s,17:00,Squat (Barbell),%d,5,100\n", now.AddDate(0, 0, -1-i/5).Format(time.DateOnly), 1+i%5)
	}
	b, err := g.prepare(berlin, file.String())
	if err != nil {
		t.Fatal(err)
	}
	g.fail, g.left = errors.New("the log is away"), 2
	if _, err := b.Run(t.Context(), g.options()); !errors.Is(err, g.fail) {
		t.Fatal(err)
	}
	g.fail = nil
	g.settle()
	stored := g.appended
	b, err = g.prepare(berlin, file.String())
	if err != nil {
		t.Fatal(err)
	}
	g.full = true
	if _, err := b.Run(t.Context(), g.options()); !errors.Is(err, ErrFull) || g.appended != stored {
		t.Fatalf("%v, %d events on a full disk", err, g.appended-stored)
	}
	g.full = false
	g.settle()
	r, _ := g.bring(berlin, file.String())
	g.counts("again", r, Report{Added: 500, Same: 2000})
	if n := len(g.sets()); n != 2500 {
		t.Errorf("%d sets", n)
	}
}

// Whoever has lifted on a bar and kept a log of it has trained once.
func TestTrainingThatASensorHasToldIsNotCountedTwice(t *testing.T) {
	g := newGym(t)
	rep := func(at time.Time) journal.Event {
		return journal.Event{Kind: journal.KindRep, Received: at, Site: "main", Device: "bar-1", Athlete: "ana", Rep: &lift.Rep{
			BootID: "b1", Seq: at.Unix(), Time: at, Athlete: "ana", Exercise: "conventional_deadlift", LoadKg: new(100.0), Set: new(1), MeanVelocity: 0.5,
		}}
	}
	if _, err := g.Append(t.Context(), rep(time.Date(2026, 11, 2, 16, 5, 0, 0, time.UTC))); err != nil {
		t.Fatal(err)
	}
	g.settle()
	r, _ := g.bring(berlin, week2)
	g.counts("beside a sensor", r, Report{Added: 1, Elsewhere: 2})
	if len(r.NotTaken) != 2 || r.NotTaken[0].Line != 2 {
		t.Errorf("%+v", r.NotTaken)
	}
	hevy := `"title","start_time","end_time","description","exercise_title","superset_id","exercise_notes","set_index","set_type","weight_kg","reps","distance_km","duration_seconds","rpe"
"Lower","9 Nov 2026, 17:00","9 Nov 2026, 18:00","","Deadlift (Barbell)",,"",0,"normal",120,5,,0,
"Lower","10 Nov 2026, 17:00","10 Nov 2026, 18:00","","Deadlift (Barbell)",,"",0,"normal",120,5,,0,
`
	r, _ = g.bring(berlin, hevy)
	g.counts("beside another log", r, Report{Added: 1, Elsewhere: 1})
	g.wants("2026-11-09 deadlift 5x120", "2026-11-10 deadlift 5x120")
	both := berlin
	both.KeepBoth = true
	r, _ = g.bring(both, week2)
	g.counts("both", r, Report{Added: 2, Same: 1})
}

func TestAnyNameBecomesAnID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.String(), 2, 2, func(s string) string { return s }).Draw(t, "names")
		a, b := ownID(names[0]), ownID(names[1])
		if err := lift.CheckID("exercise", a); err != nil {
			t.Fatalf("%q: %v", a, err)
		}
		plain := func(s string) bool {
			return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
		}
		if a == b && plain(names[0]) && plain(names[1]) {
			t.Fatalf("%q and %q are both %s", names[0], names[1], a)
		}
	})
	if got := ownID("Kreuzheben, tief (Langhantel)"); got != "kreuzheben_tief_langhantel" {
		t.Error(got)
	}
	if a, b := ownID("Übung"), ownID("Äbung"); a == b {
		t.Errorf("two names are both %s", a)
	}
}

// The view would need the square of their number to find each of them a place.
func TestOnlySoManyRepsCanHaveBeenLiftedAtOnce(t *testing.T) {
	g := newGym(t)
	var file strings.Builder
	file.WriteString("date,exercise,set,rep,load_kg,mean_velocity_mps,rep_time\n")
	for set := range 3 * MaxAtOnce {
		fmt.Fprintf(&file, "2026-11-02,Deadlift,%d,1,100,0.5,17:00:00\n", set+1)
	}
	b, err := g.prepare(berlin, file.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(b.items) != MaxAtOnce || len(b.NotTaken) != 2*MaxAtOnce {
		t.Errorf("%d reps are taken, %d not, the first because it %s", len(b.items), len(b.NotTaken), b.NotTaken[0].Reason)
	}
}
