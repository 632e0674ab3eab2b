package importer

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/ingest/files"
	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

const (
	// MaxRows is how many rows a file may have.
	MaxRows = 500_000
	// MaxAtOnce is how many reps of a file may have one time, to the millisecond: the
	// view gives each a place of its own behind the others.
	MaxAtOnce = 50
)

// Request is what is to be brought, and for whom.
type Request struct {
	Athlete   lift.AthleteID
	Site      lift.SiteID                // where the training is filed
	By        string                     // who asks for it
	Format    files.Format               // "" finds it by the headings
	Unit      files.Unit                 // of loads without one; "": not known
	Zone      *time.Location             // of times without one; nil: not known
	Dates     files.DateOrder            // of dates that can be read in two ways; "": not known
	Person    string                     // whose rows are meant, of a file of several people
	Exercises map[string]lift.ExerciseID // what a name in the file means, where the catalogue does not know it or somebody knows better
	New       bool                       // nothing is known of the athlete yet
	KeepBoth  bool                       // take what another source has told of the same exercise and day, too
	TakeBack  bool                       // take what the file has brought back, instead
	DryRun    bool                       // change nothing
}

// Matched is what became of a name in the file.
type Matched struct {
	Name     string          `json:"name" doc:"as the file writes it"`
	Exercise lift.ExerciseID `json:"exercise" doc:"under which it is filed"`
	Known    bool            `json:"known" doc:"false where the catalogue has no such exercise: it counts as a group of its own"`
	Rows     int             `json:"rows" doc:"that have it"`
}

// NotTaken is a row that was left out.
type NotTaken struct {
	Line   int    `json:"line" doc:"where the row begins, from 1"`
	Column string `json:"column,omitzero" doc:"heading of the cell at fault, as the file writes it"`
	Reason string `json:"reason"`
}

// item is a set or a rep that can be stored.
type item struct {
	event journal.Event
	id    string
	line  int
}

// Batch is a file that was read and can be used.
type Batch struct {
	Request  Request
	Format   files.Format // that was found
	From, To time.Time    // of the first and the last set or rep
	Rows     int          // sets and reps in the file, and rows that were not taken
	Matched  []Matched    // in order of name
	NotTaken []NotTaken   // in order of line

	items  []item
	atOnce map[int64]int // reps by millisecond
}

// Prepare reads an export, which is one file or, for formats that have two, both. The error is a
// *lift.FieldError, which names what of the request is at fault (files, format, unit,
// zone, dates, person, exercises), or what a reader returned.
func Prepare(r Request, exports []io.Reader, catalogue *exercise.Catalogue, now time.Time) (*Batch, error) {
	names := names{catalogue: catalogue, own: map[string]lift.ExerciseID{}, seen: map[string]*Matched{}}
	for name, id := range r.Exercises {
		if err := lift.CheckID("exercises", id); err != nil {
			return nil, err
		}
		names.own[strings.TrimSpace(name)] = id
	}
	options := files.Options{Format: r.Format, Unit: r.Unit, Zone: r.Zone, Dates: r.Dates, Person: r.Person}
	if len(exports) > 1 {
		options.Companion = exports[1]
	}
	file, err := files.Open(exports[0], options)
	if err != nil {
		return nil, refusal(err)
	}
	b := &Batch{Request: r, Format: file.Format(), atOnce: map[int64]int{}}
	for row, err := range file.Rows() {
		if b.Rows++; b.Rows > MaxRows {
			return nil, &lift.FieldError{Field: "files", Reason: fmt.Sprintf("more than %d rows: import them in parts", MaxRows)}
		}
		if wrong, ok := errors.AsType[*files.RowError](err); ok {
			b.leaveOut(wrong.Line, wrong.Column, wrong.Reason)
			continue
		}
		if err != nil {
			return nil, refusal(err)
		}
		if err := b.take(&row, &names, now); err != nil {
			b.leaveOut(lineOf(&row), "", err.Error()) // which names no heading, but what it means
		}
	}
	if b.Rows == 0 {
		return nil, &lift.FieldError{Field: "files", Reason: "has no rows below its headings"}
	}
	b.Matched, b.atOnce = names.matched(), nil
	return b, nil
}

// refusal says which part of the request a whole file's error is about.
func refusal(err error) error {
	field := "files"
	switch {
	case errors.Is(err, files.ErrUnit):
		field = "unit"
	case errors.Is(err, files.ErrZone):
		field = "zone"
	case errors.Is(err, files.ErrFormat):
		field = "format"
	case errors.Is(err, files.ErrDateOrder):
		field = "dates"
	case errors.Is(err, files.ErrPerson):
		field = "person"
	}
	return &lift.FieldError{Field: field, Reason: err.Error()}
}

func lineOf(row *files.Row) int {
	if row.Set != nil {
		return row.Set.Line
	}
	return row.Rep.Line
}

func (b *Batch) leaveOut(line int, column, reason string) {
	b.NotTaken = append(b.NotTaken, NotTaken{Line: line, Column: column, Reason: reason})
}

// take makes an event of a row.
func (b *Batch) take(row *files.Row, names *names, now time.Time) error {
	e := journal.Event{Received: now, Site: b.Request.Site, Athlete: b.Request.Athlete, By: b.Request.By}
	it := item{line: lineOf(row)}
	var at time.Time
	switch {
	case row.Set != nil:
		s := row.Set
		if s.LoadKg == nil && s.Reps == 0 {
			return errors.New("tells neither reps nor a load")
		}
		logged := &lift.LoggedSet{
			ID: lift.LoggedSetID(b.Request.Athlete, string(b.Format), s.ID), Log: string(b.Format),
			Exercise: names.id(s.Exercise, s.Equipment, s.Variant),
			Time:     s.Time.UTC(), Number: s.Number, Reps: s.Reps, LoadKg: s.LoadKg, Best: s.BestMps, Warmup: s.Warmup,
		}
		if err := logged.Validate(now); err != nil {
			return err
		}
		e.Kind, e.Logged, it.id, at = journal.KindSetLogged, logged, logged.ID, logged.Time
	default:
		rep := row.Rep.Rep
		rep.Athlete, rep.Exercise = b.Request.Athlete, names.id(row.Rep.Exercise, "", "")
		// Two people's files may tell of the same hour.
		rep.BootID = lift.Digest("import", string(b.Request.Athlete), rep.BootID)[:32]
		rep.Time, rep.Source, rep.Historical = rep.Time.UTC(), lift.SourceImported, true
		if err := rep.Validate(now); err != nil {
			return err
		}
		ms := rep.Time.UnixMilli()
		if b.atOnce[ms] == MaxAtOnce {
			return &lift.FieldError{Field: "time", Reason: fmt.Sprintf("%d reps have this time already: no more can have been lifted then", MaxAtOnce)}
		}
		b.atOnce[ms]++
		e.Kind, e.Device, e.Rep, at = journal.KindRep, lift.DeviceID(b.Format), &rep, rep.Time
		it.id = lift.RepID(e.Site, e.Device, rep.BootID, rep.Seq)
	}
	if b.From.IsZero() || at.Before(b.From) {
		b.From = at
	}
	if at.After(b.To) {
		b.To = at
	}
	it.event = e
	b.items = append(b.items, it)
	return nil
}

// names tells which exercise a name in the file means.
type names struct {
	catalogue *exercise.Catalogue
	own       map[string]lift.ExerciseID
	seen      map[string]*Matched
}

func (n *names) id(name, equipment, variant string) lift.ExerciseID {
	written := strings.Join(slices.DeleteFunc([]string{name, equipment, variant}, func(s string) bool { return s == "" }), " / ")
	m, ok := n.seen[written]
	if !ok {
		m = &Matched{Name: written}
		n.seen[written] = m
		if id, given := n.own[written]; given {
			m.Exercise = id
			if e, known := n.catalogue.Get(id); known {
				m.Exercise, m.Known = e.ID, true
			}
		} else if e, known := n.catalogue.MatchColumns(name, equipment, variant); known {
			m.Exercise, m.Known = e.ID, true
		} else {
			m.Exercise = ownID(cmp.Or(strings.Join([]string{variant, equipment, name}, " "), "exercise"))
		}
	}
	m.Rows++
	return m.Exercise
}

func (n *names) matched() []Matched {
	all := make([]Matched, 0, len(n.seen))
	for _, name := range slices.Sorted(maps.Keys(n.seen)) {
		all = append(all, *n.seen[name])
	}
	return all
}

// ownID makes an id of a name that the catalogue does not know. Where letters are lost,
// a part of a hash keeps two names apart.
func ownID(name string) lift.ExerciseID {
	const most = 48
	var id bytes.Buffer
	lost, gap := false, false
	for _, r := range strings.ToLower(strings.TrimSpace(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && id.Len() > 0 {
				id.WriteByte('_')
			}
			gap = false
			id.WriteRune(r)
		default:
			gap = true
			lost = lost || r > 127
		}
		if id.Len() > most {
			lost = true
			break
		}
	}
	if id.Len() > most {
		id.Truncate(most)
	}
	if id.Len() == 0 {
		id.WriteString("exercise")
		lost = true
	}
	if lost {
		id.WriteString("_" + lift.Digest("exercise", name)[:8])
	}
	return lift.ExerciseID(id.String())
}
