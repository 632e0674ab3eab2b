package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// Log is where events go.
type Log interface {
	Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error)
}

// View is what is known.
type View interface {
	RepVersions(ctx context.Context, ids []string) (map[string]view.Version, error)
	LoggedVersions(ctx context.Context, ids []string) (map[string]view.Version, error)
	RepsByID(ctx context.Context, ids []string) ([]lift.RepRecord, error)
	History(ctx context.Context, athlete lift.AthleteID, reps, checkIns time.Time) (view.History, error)
	WaitFor(ctx context.Context, seq uint64) error
}

var _ View = (*view.View)(nil)

// Options are what a batch is held against, and where it goes. All are required.
type Options struct {
	Log       Log
	View      View
	Exercises *exercise.Catalogue
	Zone      *time.Location // of the athlete's days
	Now       func() time.Time
	// Progress is told how many events of how many are stored.
	Progress func(done, total int)
	// NearlyFull reports whether what room the disk has is kept for who is lifting.
	NearlyFull func() bool
}

// ErrFull says that a batch was not stored, or not whole, because the disk is nearly
// full.
var ErrFull = errors.New("the disk is nearly full")

// Report is what came of a batch.
type Report struct {
	Added     int // sets and reps that were not known
	Changed   int // that were known with other words
	Same      int // that were known so, or, when taken back, not known
	TakenBack int
	Elsewhere int        // of NotTaken: that another source has told already
	NotTaken  []NotTaken // rows that were left out, in order of line
}

// Run stores what is new or different, or, on a dry run, says what that would be. It
// returns once the view knows it. It can be called once: the sets and reps are let go.
func (b *Batch) Run(ctx context.Context, o Options) (Report, error) {
	defer func() { b.items = nil }()
	r := Report{NotTaken: slices.Clone(b.NotTaken)}
	known, err := b.versions(ctx, o.View)
	if err != nil {
		return r, fmt.Errorf("import: %w", err)
	}
	if !b.Request.KeepBoth && !b.Request.TakeBack {
		if err := b.leaveTold(ctx, o, known, &r); err != nil {
			return r, fmt.Errorf("import: %w", err)
		}
	}
	slices.SortStableFunc(r.NotTaken, func(x, y NotTaken) int { return cmp.Compare(x.Line, y.Line) })
	decide := b.news
	if b.Request.TakeBack {
		decide = b.takeBack
	}
	events, err := decide(ctx, o, known, &r)
	if err != nil {
		return r, fmt.Errorf("import: %w", err)
	}
	o.Progress(0, len(events))
	if b.Request.DryRun || len(events) == 0 {
		return r, nil
	}
	events = append(events, journal.Event{
		Kind: journal.KindImported, Received: o.Now().UTC(), Site: b.Request.Site, Athlete: b.Request.Athlete, By: b.Request.By,
		Imported: &lift.Imported{Format: string(b.Format), Added: r.Added, Changed: r.Changed, TakenBack: r.TakenBack},
	})
	return r, b.store(ctx, o, events)
}

func (b *Batch) store(ctx context.Context, o Options, events []journal.Event) error {
	var last uint64
	done, total := 0, len(events)-1
	for part := range slices.Chunk(events, journal.MaxBatch) {
		if o.NearlyFull() {
			return fmt.Errorf("import: %d of %d are stored: %w", done, total, ErrFull)
		}
		acks, err := o.Log.Append(ctx, part...)
		if err != nil {
			return fmt.Errorf("import: %d of %d are stored: %w", done, total, err)
		}
		for _, a := range acks {
			last = max(last, a.Seq)
		}
		done += len(part)
		o.Progress(min(done, total), total)
	}
	if err := o.View.WaitFor(ctx, last); err != nil {
		return fmt.Errorf("import: everything is stored, and not applied yet: %w", err)
	}
	return nil
}

// versions are what is known of the items.
func (b *Batch) versions(ctx context.Context, v View) (map[string]view.Version, error) {
	var reps, logged []string
	for i := range b.items {
		if it := &b.items[i]; it.event.Rep != nil {
			reps = append(reps, it.id)
		} else {
			logged = append(logged, it.id)
		}
	}
	known, err := v.RepVersions(ctx, reps)
	if err != nil {
		return nil, err
	}
	sets, err := v.LoggedVersions(ctx, logged)
	if err != nil {
		return nil, err
	}
	maps.Copy(sets, known)
	return sets, nil
}

// news are the events of what is not known, or known otherwise.
func (b *Batch) news(_ context.Context, _ Options, known map[string]view.Version, r *Report) ([]journal.Event, error) {
	var events []journal.Event
	for i := range b.items {
		e := b.items[i].event
		version, is := known[b.items[i].id]
		if !is {
			r.Added++
			events = append(events, e)
			continue
		}
		same, err := says(e, version)
		switch {
		case err != nil:
			return nil, err
		case same:
			r.Same++
		default:
			r.Changed++
			events = append(events, revised(e, version.Revision+1))
		}
	}
	return events, nil
}

// takeBack are the events that make what is known of the batch count for nothing.
func (b *Batch) takeBack(ctx context.Context, o Options, known map[string]view.Version, r *Report) ([]journal.Event, error) {
	var events []journal.Event
	var reps []string
	for i := range b.items {
		e := b.items[i].event
		version, is := known[b.items[i].id]
		switch {
		case !is:
			r.Same++
			continue
		case e.Rep != nil:
			reps = append(reps, b.items[i].id)
			continue
		}
		removed := *e.Logged
		removed.Removed, e.Logged = true, &removed
		same, err := says(e, version)
		if err != nil {
			return nil, err
		}
		if same {
			r.Same++
			continue
		}
		r.TakenBack++
		events = append(events, revised(e, version.Revision+1))
	}
	records, err := o.View.RepsByID(ctx, reps)
	if err != nil {
		return nil, err
	}
	now := o.Now().UTC()
	for i := range records {
		k := &records[i]
		if !k.Valid || k.Athlete != b.Request.Athlete {
			r.Same++
			continue
		}
		r.TakenBack++
		events = append(events, journal.Event{
			Kind: journal.KindEdit, Received: now, Site: k.Site, Athlete: k.Athlete, By: b.Request.By,
			Edit: &lift.RepEdit{RepID: k.ID, Valid: new(false), By: b.Request.By, At: now},
		})
	}
	return events, nil
}

// says reports whether the version that is known has the event's content.
func says(e journal.Event, version view.Version) (bool, error) {
	e = revised(e, version.Revision)
	hash, err := e.ContentHash()
	return hash == version.Hash, err
}

// revised is the event in another revision.
func revised(e journal.Event, revision int64) journal.Event {
	if e.Rep != nil {
		rep := *e.Rep
		rep.Revision, e.Rep = revision, &rep
		return e
	}
	logged := *e.Logged
	logged.Revision, e.Logged = revision, &logged
	return e
}

// session is an exercise on a local day.
type session struct {
	day      string
	exercise lift.ExerciseID
}

// leaveTold leaves out what is new here and another source has told: of the same
// exercise on the same day there are reps of a device or another file, or sets of
// another log.
func (b *Batch) leaveTold(ctx context.Context, o Options, known map[string]view.Version, r *Report) error {
	if len(b.items) == 0 {
		return nil
	}
	from := b.From.AddDate(0, 0, -2) // whatever the zone
	h, err := o.View.History(ctx, b.Request.Athlete, from, o.Now())
	if err != nil {
		return err
	}
	at := func(t time.Time, id lift.ExerciseID) session {
		if e, known := o.Exercises.Get(id); known {
			id = e.ID
		}
		return session{t.In(o.Zone).Format(time.DateOnly), id}
	}
	moved, noted := map[session]bool{}, map[session]bool{}
	for i := range h.Reps {
		if k := &h.Reps[i]; k.Valid && k.Device != lift.DeviceID(b.Format) {
			moved[at(k.Time, k.Exercise)] = true
		}
	}
	for i := range h.Logged {
		if k := &h.Logged[i]; !k.Removed && k.Log != string(b.Format) {
			noted[at(k.Time, k.Exercise)] = true
		}
	}
	b.items = slices.DeleteFunc(b.items, func(it item) bool {
		if _, is := known[it.id]; is {
			return false
		}
		var s session
		if it.event.Rep != nil {
			s = at(it.event.Rep.Time, it.event.Rep.Exercise)
		} else {
			s = at(it.event.Logged.Time, it.event.Logged.Exercise)
		}
		var reason string
		switch {
		case moved[s]:
			reason = "a sensor or another file has told the reps of this exercise and day already"
		case noted[s]:
			reason = "another log has told the sets of this exercise and day already"
		default:
			return false
		}
		r.Elsewhere++
		r.NotTaken = append(r.NotTaken, NotTaken{Line: it.line, Reason: reason})
		return true
	})
	return nil
}
