package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/api"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/roster"
	"github.com/spotterhq/spotter/internal/view"
)

// exportCommand writes what is known into files.
type exportCommand struct {
	Athlete exportAthleteCommand `cmd:"" default:"withargs" help:"Write everything about one athlete into a zip file."`
	Reps    exportRepsCommand    `cmd:"" help:"Write the reps of one or many athletes as one table."`
	Sets    exportSetsCommand    `cmd:"" help:"Write their sets."`
}

// exportSettings say where an export comes from.
type exportSettings struct {
	dataSettings `embed:""`

	Zone      string `help:"Time zone of dates and, with --data, of the server." default:"UTC"`
	Exercises string `help:"JSON file with the site's own exercises, with --data." type:"path"`

	site analysis.Settings
}

// check reports what of the settings cannot be used.
func (c *exportSettings) check(u *usageError, out string) {
	c.validate(u)
	var err error
	if c.site.Zone, err = time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		u.addf("--zone: %q is not a time zone such as Europe/Berlin", c.Zone)
		c.site.Zone = time.UTC
	}
	if c.site.Exercises, err = (&serveCommand{Exercises: c.Exercises}).catalogue(); err != nil {
		u.problems = append(u.problems, err)
	}
	checkFolder(u, &c.logSettings, &c.serverSettings)
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) && out != toOutput {
		u.addf("--out: %s is there already", out)
	}
}

// toOutput stands for standard output in the place of a file.
const toOutput = "-"

type exportAthleteCommand struct {
	exportSettings `embed:""`

	Athlete string `arg:"" help:"Id of the athlete."`
	Out     string `help:"File to write; by default the athlete's id with .zip behind it, in this folder." type:"path"`
}

// Run writes everything about an athlete into a file.
func (c *exportAthleteCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	if err := lift.CheckID("athlete", c.Athlete); err != nil {
		u.problems = append(u.problems, err)
	}
	if c.Out == "" {
		c.Out = c.Athlete + ".zip"
	}
	c.check(&u, c.Out)
	if c.Out == toOutput {
		u.addf("--out: an archive is written into a file")
	}
	if err := u.orNil(); err != nil {
		return err
	}
	err := c.ask(ctx, s, func(server *serverSettings) error {
		return writeFile(c.Out, isZip, func(w io.Writer) error {
			return server.download(ctx, "/api/v1/athletes/"+url.PathEscape(c.Athlete)+"/export", w)
		})
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s holds everything about %s; it is health data.\n", c.Out, c.Athlete)
	return err
}

// ask lets work ask the server, or the folder's own API with everything that an export
// holds.
func (c *exportSettings) ask(ctx context.Context, s streams, work func(*serverSettings) error) (err error) {
	var notifier *notify.Notifier
	defer func() {
		if notifier != nil {
			err = errors.Join(err, notifier.Close())
		}
	}()
	return c.withOptions(ctx, s, func(f *folder, o *api.Options) error {
		channels, err := notify.OpenChannels(c.Data)
		if err != nil {
			return err
		}
		notifier, err = notify.Open(ctx, notify.Options{
			Path: filepath.Join(c.Data, "notify.db"), View: f.view, End: f.log.LastSeq, Channels: channels, Logger: s.log, Now: time.Now,
		})
		if err != nil {
			return err
		}
		o.Exercises, o.Roster, o.MoreParts = c.site.Exercises, roster.New(f.view, c.site), deliveriesOf(notifier)
		return nil
	}, work)
}

// checkFolder wants a data folder where there is no server to ask.
func checkFolder(u *usageError, l *logSettings, server *serverSettings) {
	if server.Server != "" || l.NatsURL != "" {
		return
	}
	if info, err := os.Stat(l.Data); err != nil || !info.IsDir() {
		u.addf("--data: %q is not a folder; of a running server give --server", l.Data)
	}
}

// writeFile writes a file that has its name only once it is whole. Its owner alone may
// read it.
func writeFile(path string, whole func(*os.File) error, from func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err := from(file); err != nil {
		return err
	}
	if err := whole(file); err != nil {
		return fmt.Errorf("the export was cut off: %w", err)
	}
	if err := errors.Join(file.Sync(), os.Rename(file.Name(), path)); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

func isZip(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, err = zip.NewReader(file, info.Size())
	return err
}

// folder is an open data folder that no server holds, with its view at the log's end.
type folder struct {
	log   *journal.Log
	view  *view.View
	close func() error
}

// openFolder opens the folder; the view goes on following the log until close.
func (c *logSettings) openFolder(ctx context.Context, s streams) (_ *folder, err error) {
	lock, err := lockData(c.Data)
	if err != nil {
		return nil, err
	}
	f := &folder{}
	ctx, stop := context.WithCancel(ctx)
	var following sync.WaitGroup
	f.close = func() error {
		stop()
		var err error
		if f.view != nil {
			following.Wait()
			err = f.view.Close()
		}
		if f.log != nil {
			f.log.Close()
		}
		return errors.Join(err, lock.Unlock())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.log, err = c.openLog(ctx, nil, s.log); err != nil {
		return nil, err
	}
	v, err := openView(ctx, c.viewPath(), f.log.LastSeq(), s.log)
	if err != nil {
		return nil, err
	}
	if end := f.log.LastSeq(); v.Position() < end {
		if err := fill(ctx, s, v, f.log, end); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	f.view = v
	following.Go(func() { _ = v.Run(ctx, f.log) }) // ends when it is stopped
	return f, nil
}
