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
	"github.com/spotterhq/spotter/internal/exercise"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/roster"
	"github.com/spotterhq/spotter/internal/view"
)

type exportCommand struct {
	logSettings    `embed:""`
	serverSettings `embed:""`

	Athlete   string `arg:"" help:"Id of the athlete."`
	Out       string `help:"File to write; by default the athlete's id with .zip behind it, in this folder." type:"path"`
	Zone      string `help:"Time zone of the server, with --data." default:"UTC"`
	Exercises string `help:"JSON file with the site's own exercises, with --data." type:"path"`
}

// Run writes everything about an athlete into a file.
func (c *exportCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	c.serverSettings.validate(&u)
	if err := lift.CheckID("athlete", c.Athlete); err != nil {
		u.problems = append(u.problems, err)
	}
	c.logSettings.validate(&u)
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		u.addf("--zone: %q is not a time zone such as Europe/Berlin", c.Zone)
	}
	exercises, err := (&serveCommand{Exercises: c.Exercises}).catalogue()
	if err != nil {
		u.problems = append(u.problems, err)
	}
	checkFolder(&u, &c.logSettings, &c.serverSettings)
	if c.Out == "" {
		c.Out = c.Athlete + ".zip"
	}
	if _, err := os.Lstat(c.Out); !errors.Is(err, fs.ErrNotExist) {
		u.addf("--out: %s is there already", c.Out)
	}
	if err := u.orNil(); err != nil {
		return err
	}
	from := func(ctx context.Context, w io.Writer) error {
		return c.serverSettings.download(ctx, "/api/v1/athletes/"+url.PathEscape(c.Athlete)+"/export", w)
	}
	if c.Server == "" {
		from = func(ctx context.Context, w io.Writer) error { return c.read(ctx, s, w, exercises) }
	}
	if err := writeArchive(ctx, c.Out, from); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s holds everything about %s; it is health data.\n", c.Out, c.Athlete)
	return err
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

// writeArchive writes a zip file that has its name only once it is whole. Its owner
// alone may read it.
func writeArchive(ctx context.Context, path string, from func(context.Context, io.Writer) error) (err error) {
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
	if err := from(ctx, file); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	if _, err := zip.NewReader(file, info.Size()); err != nil {
		return fmt.Errorf("the export was cut off: %w", err)
	}
	if err := errors.Join(file.Sync(), os.Rename(file.Name(), path)); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
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

// read writes the archive from the data folder.
func (c *exportCommand) read(ctx context.Context, s streams, w io.Writer, exercises *exercise.Catalogue) (err error) {
	f, err := c.openFolder(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	known, err := f.view.Knows(ctx, lift.AthleteID(c.Athlete))
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("nothing is known of %s", c.Athlete)
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return err
	}
	channels, err := notify.OpenChannels(c.Data)
	if err != nil {
		return err
	}
	notifier, err := notify.Open(ctx, notify.Options{
		Path: filepath.Join(c.Data, "notify.db"), View: f.view, End: f.log.LastSeq, Channels: channels, Logger: s.log, Now: time.Now,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, notifier.Close()) }()
	server, err := api.New(api.Options{
		View: f.view, Log: f.log, Clock: time.Now, Logger: s.log, Auth: api.Open(c.Data), Version: version,
		Decode: decodeMessage, Sets: analysis.Sets, Weeks: analysis.Weeks, Exercises: exercises,
		Roster: roster.New(f.view, analysis.Settings{Zone: zone, Exercises: exercises}), MoreParts: deliveriesOf(notifier),
	})
	if err != nil {
		return err
	}
	return server.Archive(ctx, w, lift.AthleteID(c.Athlete))
}
