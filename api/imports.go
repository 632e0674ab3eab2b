package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/ingest/files"
	"github.com/spotterhq/spotter/internal/importer"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/privacy"
	"github.com/spotterhq/spotter/internal/queue"
)

// maxImport bounds the body of an import: files of some 45 MiB, in base64.
const maxImport = 64 << 20

// ImportFile is a file, whose name means nothing.
type ImportFile struct {
	Bytes []byte `json:"bytes" doc:"the file's bytes, in base64"`
}

// NewImport is a training history that somebody brings.
type NewImport struct {
	Athlete   lift.AthleteID    `json:"athlete" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Site      lift.SiteID       `json:"site,omitzero" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"where an athlete trains of whom nothing is known; else it is where they are"`
	Files     []ImportFile      `json:"files" minItems:"1" maxItems:"2" doc:"one export; the raw dump of OpenBarbell is two files"`
	Format    string            `json:"format,omitzero" maxLength:"32" doc:"by name; absent, or auto: by the headings"`
	Unit      string            `json:"unit,omitzero" enum:"kg,lb" doc:"of loads, where the file does not say"`
	Zone      string            `json:"zone,omitzero" maxLength:"64" doc:"of times, where the file does not say, such as Europe/Berlin"`
	Dates     string            `json:"dates,omitzero" enum:"day-month,month-day" doc:"of dates that can be read in two ways"`
	Person    string            `json:"person,omitzero" maxLength:"200" doc:"whose rows are meant, as the file names people, where it has several"`
	Exercises map[string]string `json:"exercises,omitempty" doc:"the exercise that a name in the file means, by name"`
	KeepBoth  bool              `json:"keep_both,omitzero" doc:"take what a sensor or another file has told of the same exercise and day, too"`
	TakeBack  bool              `json:"take_back,omitzero" doc:"let what the same file has brought count for nothing"`
	DryRun    bool              `json:"dry_run,omitzero" doc:"change nothing, and say what would be"`
}

// importJob is an import with what came of it, or how far it is.
type importJob struct {
	ID       string         `json:"id"`
	Athlete  lift.AthleteID `json:"athlete"`
	New      bool           `json:"new_athlete,omitzero" doc:"nothing was known of the athlete before: an id that was mistyped looks so"`
	By       string         `json:"by"`
	Format   files.Format   `json:"format" doc:"that was found, or was asked for"`
	TakeBack bool           `json:"take_back,omitzero"`
	DryRun   bool           `json:"dry_run,omitzero" doc:"nothing was changed"`
	State    queue.State    `json:"state" enum:"waiting,running,done,failed"`
	Created  time.Time      `json:"created"`
	Ended    time.Time      `json:"ended,omitzero"`
	Done     int            `json:"done" doc:"sets and reps that are stored"`
	Total    int            `json:"total" doc:"of so many that are new or different; 0 before it is known"`
	Failure  string         `json:"failure,omitzero" doc:"why it has ended; import the file again to bring the rest"`

	From      time.Time          `json:"from,omitzero" doc:"of the earliest set or rep in the file"`
	To        time.Time          `json:"to,omitzero" doc:"of the latest"`
	Rows      int                `json:"rows" doc:"sets and reps in the file, and rows that were not taken"`
	Exercises []importer.Matched `json:"exercises" doc:"what became of the names in the file, in their order"`
	Outcome   *importOutcome     `json:"outcome,omitzero" doc:"absent before the end"`
}

type importOutcome struct {
	Added     int `json:"added" doc:"sets and reps that were not known"`
	Changed   int `json:"changed" doc:"that were known with other words"`
	Same      int `json:"same" doc:"that were known so, or have nothing to take back"`
	TakenBack int `json:"taken_back"`
	NotTaken  int `json:"not_taken" doc:"rows that were left out: a list of its own has their lines and reasons"`
	Elsewhere int `json:"elsewhere" doc:"of these, what a sensor or another file has told already"`
}

// imports brings histories one after the other.
type imports = queue.Queue[*importer.Batch, importer.Report]

func (s *Server) newImports() *imports {
	return queue.New(queue.Options[*importer.Batch, importer.Report]{
		Name: "import", Now: s.now, Logger: s.log,
		Do: func(ctx context.Context, b *importer.Batch, progress func(done, total int)) (importer.Report, error) {
			return b.Run(ctx, importer.Options{
				Log: s.events, View: s.view, Exercises: s.exercises, Zone: s.roster.Settings(b.Request.Athlete).Zone, Now: s.now, Progress: progress,
				NearlyFull: s.nearlyFull,
			})
		},
		Explain: func(err error) string {
			if errors.Is(err, privacy.ErrErased) {
				return "the athlete was erased: nothing about them is stored until an administrator allows it again"
			}
			if errors.Is(err, importer.ErrFull) {
				return "the server's disk is nearly full, and what is left is for who is lifting: import the file again once there is room"
			}
			return ""
		},
	})
}

func (s *Server) addImports() {
	path := "/api/v1/imports"
	add(s, huma.Operation{
		OperationID: "create-import", Method: http.MethodPost, Path: path, Tags: []string{"imports"},
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxImport,
		Summary: "Bring an athlete's training history from a file",
		Description: "The file is read whole before this answers, and one that cannot be used is refused and changes nothing; it is stored in the background. The formats are " +
			strings.Join(formatNames(), ", ") + ". Importing the same file again changes nothing, and a later export of the same history adds what is new. " +
			"What is brought is judged as history: alerts follow, and nobody is pushed. One that waits or runs is not begun twice: it answers 200.",
	}, permit{ofNamed, coaches}, s.createImport)
	s.also(path, http.MethodPost, map[int]string{http.StatusOK: "It was begun already"})
	add(s, huma.Operation{
		OperationID: "list-imports", Method: http.MethodGet, Path: path, Tags: []string{"imports"},
		Metadata:    map[string]any{notesItself: true},
		Summary:     "List imports, newest first",
		Description: "An import is known for a quarter of an hour after its end; after that the audit trail tells who has brought what for whom.",
	}, permit{ofCaller, coaches}, s.listImports)
	add(s, huma.Operation{
		OperationID: "get-import", Method: http.MethodGet, Path: path + "/{id}", Tags: []string{"imports"},
		Metadata: map[string]any{notesItself: true},
		Errors:   []int{http.StatusNotFound},
		Summary:  "Show an import's progress and, once it is done, what came of it",
	}, permit{ofCaller, coaches}, s.getImport)
	add(s, huma.Operation{
		OperationID: "list-import-rows", Method: http.MethodGet, Path: path + "/{id}/not-taken", Tags: []string{"imports"},
		Metadata:    map[string]any{notesItself: true},
		Errors:      []int{http.StatusNotFound},
		Summary:     "List the rows that an import left out, each with its line and the reason",
		Description: "Before the end, those that could not be read.",
	}, permit{ofCaller, coaches}, s.listNotTaken)
}

func formatNames() []string {
	var names []string
	for _, f := range files.Formats() {
		names = append(names, string(f))
	}
	return names
}

type importInput struct{ Body NewImport }

func (s *Server) createImport(ctx context.Context, in *importInput) (*answer[importJob], error) {
	request, err := s.importRequest(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	parts := []string{"import", string(request.Athlete), in.Body.Format, in.Body.Unit, in.Body.Zone, in.Body.Dates, in.Body.Person,
		strconv.FormatBool(request.KeepBoth), strconv.FormatBool(request.TakeBack), strconv.FormatBool(request.DryRun)}
	for _, name := range slices.Sorted(maps.Keys(in.Body.Exercises)) {
		parts = append(parts, name, in.Body.Exercises[name])
	}
	var exports []io.Reader
	for i := range in.Body.Files {
		exports = append(exports, bytes.NewReader(in.Body.Files[i].Bytes))
		parts = append(parts, lift.Digest(string(in.Body.Files[i].Bytes)))
	}
	same := "im_" + lift.Digest(parts...)
	for _, j := range s.imports.Jobs() {
		if !j.State.Over() && strings.HasPrefix(j.ID, same) {
			return &answer[importJob]{http.StatusOK, importOf(&j)}, nil
		}
	}
	batch, err := s.readImport(ctx, request, exports)
	if err != nil {
		return nil, err
	}
	// What has ended may be asked for again: something else may have come since.
	job, _, err := s.imports.Put(same+"_"+strings.ToLower(rand.Text()[:8]), batch)
	if errors.Is(err, queue.ErrBusy) {
		return nil, huma.Error429TooManyRequests("as many imports wait as may: try again when one is done")
	}
	if err != nil {
		return nil, err
	}
	return &answer[importJob]{http.StatusCreated, importOf(&job)}, nil
}

// readImport reads one file after the other: a large one takes some hundred MiB.
func (s *Server) readImport(ctx context.Context, request importer.Request, exports []io.Reader) (*importer.Batch, error) {
	select {
	case s.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.reading }()
	return importer.Prepare(request, exports, s.exercises, s.now())
}

// importRequest reads what is asked for, where the caller may ask for it.
func (s *Server) importRequest(ctx context.Context, body *NewImport) (importer.Request, error) {
	r := importer.Request{
		Athlete: body.Athlete, By: who(ctx).Name, Unit: files.Unit(body.Unit), Dates: files.DateOrder(body.Dates), Person: body.Person, Exercises: map[string]lift.ExerciseID{},
		KeepBoth: body.KeepBoth, TakeBack: body.TakeBack, DryRun: body.DryRun,
	}
	known, err := s.view.SiteOf(ctx, body.Athlete)
	if err != nil {
		return r, err
	}
	r.New = known == ""
	// An athlete of another site is not this coach's to take.
	if r.Site = cmp.Or(known, body.Site, who(ctx).Site, defaultSite); !who(ctx).seesSite(r.Site) {
		return r, errNotYours()
	}
	if body.Format != "" && body.Format != "auto" {
		if r.Format = files.Format(body.Format); !slices.Contains(files.Formats(), r.Format) {
			return r, &lift.FieldError{Field: "format", Reason: "is not one of auto, " + strings.Join(formatNames(), ", ")}
		}
	}
	if body.Zone != "" {
		if r.Zone, err = time.LoadLocation(body.Zone); err != nil || body.Zone == "Local" {
			return r, &lift.FieldError{Field: "zone", Reason: "is not a time zone such as Europe/Berlin"}
		}
	}
	for name, id := range body.Exercises {
		r.Exercises[name] = lift.ExerciseID(id)
	}
	return r, nil
}

func importOf(j *queue.Job[*importer.Batch, importer.Report]) importJob {
	b := j.Question
	out := importJob{
		ID: j.ID, Athlete: b.Request.Athlete, New: b.Request.New, By: b.Request.By, Format: b.Format, TakeBack: b.Request.TakeBack, DryRun: b.Request.DryRun,
		State: j.State, Created: j.Created, Ended: j.Ended, Done: j.Done, Total: j.Total, Failure: j.Failure,
		From: b.From, To: b.To, Rows: b.Rows, Exercises: b.Matched,
	}
	if r := j.Answer; r != nil {
		out.Outcome = &importOutcome{r.Added, r.Changed, r.Same, r.TakenBack, len(r.NotTaken), r.Elsewhere}
	}
	return out
}

func (s *Server) listImports(ctx context.Context, in *Paging) (*answer[list[importJob]], error) {
	var all []importJob
	for _, j := range s.imports.Jobs() {
		if who(ctx).seesSite(j.Question.Request.Site) {
			all = append(all, importOf(&j))
		}
	}
	page, err := cut(all, *in, func(j *importJob) string { return j.ID })
	for i := range page.Items {
		s.lookAtImport(ctx, "list-imports", page.Items[i].Athlete)
	}
	return &answer[list[importJob]]{http.StatusOK, page}, err
}

func (s *Server) lookAtImport(ctx context.Context, operation string, athlete lift.AthleteID) {
	s.looks.note(lookKey{by: who(ctx).Name, operation: operation, athlete: athlete}, s.now().UTC())
}

// importJob returns an import for an operation that reads it, or a problem where it is
// not known, or not the caller's.
func (s *Server) importJob(ctx context.Context, operation, id string) (queue.Job[*importer.Batch, importer.Report], error) {
	job, known := s.imports.Job(id)
	if !known || !who(ctx).seesSite(job.Question.Request.Site) {
		return job, huma.Error404NotFound("no import is known by this id; it is kept for a quarter of an hour")
	}
	s.lookAtImport(ctx, operation, job.Question.Request.Athlete)
	return job, nil
}

func (s *Server) getImport(ctx context.Context, in *IDPath) (*answer[importJob], error) {
	job, err := s.importJob(ctx, "get-import", in.ID)
	if err != nil {
		return nil, err
	}
	return &answer[importJob]{http.StatusOK, importOf(&job)}, nil
}

type importRowsInput struct {
	IDPath
	Paging
}

func (s *Server) listNotTaken(ctx context.Context, in *importRowsInput) (*answer[list[importer.NotTaken]], error) {
	job, err := s.importJob(ctx, "list-import-rows", in.ID)
	if err != nil {
		return nil, err
	}
	rows := job.Question.NotTaken
	if job.Answer != nil {
		rows = job.Answer.NotTaken
	}
	page, err := cut(rows, in.Paging, func(r *importer.NotTaken) string {
		return lift.Digest(strconv.Itoa(r.Line), r.Column, r.Reason)
	})
	return &answer[list[importer.NotTaken]]{http.StatusOK, page}, err
}
