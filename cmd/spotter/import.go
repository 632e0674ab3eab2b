package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/schollz/progressbar/v3"

	"github.com/spotterhq/spotter/api"
	"github.com/spotterhq/spotter/ingest/files"
	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/importer"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/queue"
)

type importCommand struct {
	dataSettings `embed:""`

	Files   []string `arg:"" name:"file" help:"Exports to import, one after the other." type:"existingfile"`
	Athlete string   `help:"Id of the athlete whose training it is." required:""`
	Site    string   `help:"Site of an athlete of whom nothing is known yet; else it is where they are."`
	With    string   `help:"The file that belongs to the export: set_data.csv of OpenBarbell's raw dump." type:"existingfile"`

	Format string `help:"Format of the files, by name; auto finds it by the headings." default:"auto"`
	Unit   string `help:"Unit of loads, kg or lb, where the file does not say."`
	Zone   string `help:"Time zone of times, such as Europe/Berlin, where the file does not say."`

	Dates  string `help:"How dates are written that can be read in two ways: day-month or month-day." placeholder:"ORDER"`
	Person string `help:"Whose rows are meant, as the file names people, where it has several."`

	Exercise     map[string]string `help:"What a name in the file means, such as \"Kreuzheben=deadlift\"; may be repeated." mapsep:"none" placeholder:"NAME=EXERCISE"`
	OwnExercises string            `name:"exercises" help:"JSON file with the site's own exercises, with --data; as the server has it." type:"path"`
	KeepBoth     bool              `help:"Take what a sensor or another file has told of the same exercise and day, too."`
	TakeBack     bool              `help:"Let what the same file has brought count for nothing."`
	DryRun       bool              `help:"Change nothing, and say what would be."`
	JSON         bool              `name:"json" help:"Print what came of each file as JSON."`

	catalogue *exercise.Catalogue
}

// imported is what came of a file.
type imported struct {
	File      string             `json:"file"`
	ID        string             `json:"id"`
	Format    files.Format       `json:"format"`
	Athlete   string             `json:"athlete"`
	New       bool               `json:"new_athlete,omitzero"`
	DryRun    bool               `json:"dry_run,omitzero"`
	TakeBack  bool               `json:"take_back,omitzero"`
	State     queue.State        `json:"state"`
	Done      int                `json:"done"`
	Total     int                `json:"total"`
	Failure   string             `json:"failure,omitzero"`
	From      time.Time          `json:"from,omitzero"`
	To        time.Time          `json:"to,omitzero"`
	Rows      int                `json:"rows"`
	Exercises []importer.Matched `json:"exercises"`
	Outcome   struct {
		Added     int `json:"added"`
		Changed   int `json:"changed"`
		Same      int `json:"same"`
		TakenBack int `json:"taken_back"`
		NotTaken  int `json:"not_taken"`
		Elsewhere int `json:"elsewhere"`
	} `json:"outcome"`
	NotTaken []importer.NotTaken `json:"not_taken"`
}

// Run imports the files: a running server does it, or, without one, it is done on the
// data folder.
func (c *importCommand) Run(ctx context.Context, s streams) error {
	if err := c.validate(); err != nil {
		return err
	}
	own := func(_ *folder, o *api.Options) error {
		o.Exercises = c.catalogue
		return nil
	}
	return c.withOptions(ctx, s, own, func(server *serverSettings) error {
		for _, path := range c.Files {
			out, err := c.bring(ctx, s, server, path)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if c.JSON {
				err = json.MarshalWrite(s.out, out, jsontext.WithIndent("  "))
				fmt.Fprintln(s.out)
			} else {
				err = out.print(s.out)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// validate reports every setting that cannot be used.
func (c *importCommand) validate() error {
	var u usageError
	c.dataSettings.validate(&u)
	if err := lift.CheckID("athlete", c.Athlete); err != nil {
		u.addf("--%w", err)
	}
	if c.Site != "" {
		if err := lift.CheckID("site", c.Site); err != nil {
			u.addf("--%w", err)
		}
	}
	if c.Format != "auto" && !slices.Contains(files.Formats(), files.Format(c.Format)) {
		u.addf("--format: %q is not one of auto, %s", c.Format, formatNames())
	}
	if c.Unit != "" && c.Unit != string(files.Kilograms) && c.Unit != string(files.Pounds) {
		u.addf("--unit: %q is neither kg nor lb", c.Unit)
	}
	if c.Dates != "" && c.Dates != string(files.DayFirst) && c.Dates != string(files.MonthFirst) {
		u.addf("--dates: %q is neither %s nor %s", c.Dates, files.DayFirst, files.MonthFirst)
	}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
		u.addf("--zone: %q is not a time zone such as Europe/Berlin", c.Zone)
	}
	for name, id := range c.Exercise {
		if err := lift.CheckID("exercise", id); err != nil {
			u.addf("--exercise: what %q means: %w", name, errors.Unwrap(err))
		}
	}
	if c.With != "" && len(c.Files) > 1 {
		u.addf("--with: belongs to one file, and there are %d", len(c.Files))
	}
	var err error
	if c.catalogue, err = (&serveCommand{Exercises: c.OwnExercises}).catalogue(); err != nil {
		u.problems = append(u.problems, err)
	}
	checkFolder(&u, &c.logSettings, &c.serverSettings)
	return u.orNil()
}

func formatNames() string {
	var names []string
	for _, f := range files.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// answers are the settings that answer what the server asks about a file.
var answers = map[string]string{
	"unit": "--unit kg or --unit lb", "zone": "--zone, such as --zone Europe/Berlin", "dates": "--dates day-month or --dates month-day",
	"person": "--person NAME", "format": "--format NAME makes one format the only one that is tried",
}

// bring lets the server import a file, and waits for its end.
func (c *importCommand) bring(ctx context.Context, s streams, server *serverSettings, path string) (*imported, error) {
	question := api.NewImport{
		Athlete: lift.AthleteID(c.Athlete), Site: lift.SiteID(c.Site), Format: c.Format, Unit: c.Unit, Zone: c.Zone, Dates: c.Dates, Person: c.Person,
		Exercises: c.Exercise, KeepBoth: c.KeepBoth, TakeBack: c.TakeBack, DryRun: c.DryRun,
	}
	for _, path := range []string{path, c.With} {
		if path == "" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(data) == 0 {
			return nil, errors.New("the file is empty")
		}
		question.Files = append(question.Files, api.ImportFile{Bytes: data})
	}
	out := &imported{File: path}
	if err := server.send(ctx, http.MethodPost, "/api/v1/imports", &question, out); err != nil {
		if no, ok := errors.AsType[*refusal](err); ok && answers[no.Field] != "" {
			err = fmt.Errorf("%w (%s)", err, answers[no.Field])
		}
		return nil, err
	}
	bar := progress{progressbar.NewOptions(-1, progressbar.OptionSetWriter(s.err), progressbar.OptionShowIts(), progressbar.OptionShowCount(),
		progressbar.OptionSetItsString("rows"), progressbar.OptionSetDescription("importing"), progressbar.OptionThrottle(100*time.Millisecond))}
	defer bar.end(s.err)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !out.State.Over() {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-look.C:
		}
		if err := server.send(ctx, http.MethodGet, "/api/v1/imports/"+out.ID, nil, out); err != nil {
			return nil, err
		}
		bar.show(out.Done, out.Total)
	}
	if out.State == queue.Failed {
		return nil, errors.New("import failed: " + out.Failure)
	}
	var err error
	out.NotTaken, err = pages[importer.NotTaken](ctx, server, "/api/v1/imports/"+out.ID+"/not-taken")
	return out, err
}

func (i *imported) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	span := ""
	if !i.From.IsZero() {
		span = ", " + i.From.Format(time.DateOnly) + " to " + i.To.Format(time.DateOnly)
	}
	fmt.Fprintf(w, "%s: %s, %d rows%s\n", i.File, i.Format, i.Rows, span)
	if i.New {
		fmt.Fprintf(w, "Nothing was known of %s before: is the id right?\n", i.Athlete)
	}
	if i.DryRun {
		fmt.Fprintln(w, "Nothing was changed: this is what would be.")
	}
	for _, line := range []struct {
		count int
		says  string
	}{
		{i.Outcome.Added, "new"}, {i.Outcome.Changed, "changed"}, {i.Outcome.TakenBack, "taken back"},
		{i.Outcome.Same, "already so"}, {i.Outcome.NotTaken, "not taken"},
	} {
		if line.count > 0 {
			fmt.Fprintf(w, "  %d\t%s\n", line.count, line.says)
		}
	}
	unknown := false
	for _, m := range i.Exercises {
		if m.Known {
			continue
		}
		if !unknown {
			fmt.Fprintln(w, "Exercises that are not in the catalogue; each counts as a group of its own (--exercise \"NAME=EXERCISE\" says what one is):")
			unknown = true
		}
		fmt.Fprintf(w, "  %d rows\t%q\tfiled as %s\n", m.Rows, m.Name, m.Exercise)
	}
	if len(i.NotTaken) > 0 {
		fmt.Fprintln(w, "Rows that were not taken:")
	}
	for _, r := range i.NotTaken {
		reason := r.Reason
		if r.Column != "" {
			reason = r.Column + ": " + reason
		}
		fmt.Fprintf(w, "  line %d\t%q\n", r.Line, reason)
	}
	if i.Outcome.Elsewhere > 0 {
		fmt.Fprintln(w, "With --keep-both what a sensor or another file has told already is taken too, and counts twice.")
	}
	return w.Flush()
}
