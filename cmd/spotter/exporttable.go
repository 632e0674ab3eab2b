package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/table"
)

type exportRepsCommand struct {
	tableSettings `embed:""`
}

// Run writes reps as a table.
func (c *exportRepsCommand) Run(ctx context.Context, s streams) error { return c.write(ctx, s, "reps") }

type exportSetsCommand struct {
	tableSettings `embed:""`
}

// Run writes sets as a table.
func (c *exportSetsCommand) Run(ctx context.Context, s streams) error { return c.write(ctx, s, "sets") }

// tableSettings say what of whom becomes a table.
type tableSettings struct {
	exportSettings `embed:""`

	Athlete string `help:"Id of the athlete; without it those of the team or site, or everybody's."`
	Team    string `help:"Id of the team whose athletes it is about."`
	Site    string `help:"Id of the site whose athletes it is about."`
	From    string `help:"From this date or time on: 2026-01-05 or RFC 3339; else from the beginning."`
	To      string `help:"Before this date or time; else to the end."`
	Format  string `help:"csv or parquet; by default what the file's name ends in, else csv." enum:",csv,parquet" default:""`
	Out     string `help:"File to write, - for standard output; by default reps.csv or sets.csv in this folder." type:"path"`
}

// write asks for a table and keeps it.
func (c *tableSettings) write(ctx context.Context, s streams, what string) error {
	format := table.Format(c.Format)
	if format == "" {
		format = table.CSV
		if strings.EqualFold(filepath.Ext(c.Out), "."+string(table.Parquet)) {
			format = table.Parquet
		}
	}
	if c.Out == "" {
		c.Out = what + "." + string(format)
	}
	var u usageError
	c.check(&u, c.Out)
	query := url.Values{"format": {string(format)}}
	for name, id := range map[string]string{"athlete": c.Athlete, "team": c.Team, "site": c.Site} {
		if id == "" {
			continue
		}
		if err := lift.CheckID(name, id); err != nil {
			u.problems = append(u.problems, err)
		}
		query.Set(name, id)
	}
	for name, text := range map[string]string{"from": c.From, "to": c.To} {
		if at := moment(&u, name, text, c.site.Zone); !at.IsZero() {
			query.Set(name, at.Format(time.RFC3339Nano))
		}
	}
	if err := u.orNil(); err != nil {
		return err
	}
	return c.ask(ctx, s, func(server *serverSettings) error {
		bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription("exporting "+what),
			progressbar.OptionShowBytes(true), progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond))
		load := func(w io.Writer) error {
			err := server.download(ctx, "/api/v1/exports/"+what+"?"+query.Encode(), io.MultiWriter(w, bar))
			_ = bar.Exit()
			fmt.Fprintln(s.err)
			return err
		}
		if c.Out == toOutput {
			return load(s.out)
		}
		// An answer that was cut off is an error already.
		if err := writeFile(c.Out, func(*os.File) error { return nil }, load); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s holds the %s; it is health data.\n", c.Out, what)
		return err
	})
}
