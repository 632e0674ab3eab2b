package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/schollz/progressbar/v3"

	"github.com/spotterhq/spotter/internal/backup"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/privacy"
)

type backupCommand struct {
	Make   backupMakeCommand   `cmd:"" default:"withargs" help:"Write a backup and verify it."`
	Verify backupVerifyCommand `cmd:"" help:"Read a backup to its end and say whether it is whole."`
}

type backupMakeCommand struct {
	logSettings    `embed:""`
	serverSettings `embed:""`

	File    string `arg:"" help:"File to write, such as spotter-2026-11-23.tar.zst. It holds health data and keys: its owner alone may read it." type:"path"`
	Samples bool   `help:"Bar velocity of the last 30 days too, which is by far the most."`
}

// Run writes a backup, of a running server or of a folder that no server holds.
func (c *backupMakeCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	c.serverSettings.validate(&u)
	c.logSettings.validate(&u)
	if c.Server == "" && c.NatsURL == "" {
		if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
			u.addf("--data: %q is not a folder; of a running server give --server", c.Data)
		}
	}
	if _, err := os.Lstat(c.File); !errors.Is(err, fs.ErrNotExist) {
		u.addf("file: %s is there already", c.File)
	}
	if err := u.orNil(); err != nil {
		return err
	}
	from := c.download
	if c.Server == "" {
		from = func(ctx context.Context, w io.Writer) error { return c.writeFolder(ctx, s, w) }
	}
	m, err := save(ctx, s, c.File, from)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s holds %s.\n", c.File, told(m))
	return err
}

// told is what a backup holds, in words.
func told(m backup.Manifest) string {
	text := fmt.Sprintf("%d events", m.Events)
	if m.SamplesUpTo > 0 {
		text += fmt.Sprintf(" and %d chunks of bar velocity", m.Samples)
	}
	return fmt.Sprintf("%s up to %s, made by version %s", text, m.Made.Format(time.RFC3339), m.Version)
}

// save writes a file that has its name only once it is whole and verified.
func save(ctx context.Context, s streams, path string, from func(context.Context, io.Writer) error) (_ backup.Manifest, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*") // for its owner alone
	if err != nil {
		return backup.Manifest{}, fmt.Errorf("write backup: %w", err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	out, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = in.CloseWithError(from(ctx, in))
	}()
	bar := steps(s.err, "backing up")
	source := &failing{r: io.TeeReader(out, file)}
	m, err := backup.Verify(source, bar.show)
	_ = out.CloseWithError(context.Canceled)
	<-ended
	bar.end()
	if source.err != nil {
		return m, source.err // it says more than what is missing for it
	}
	if err != nil {
		return m, err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}
	// Not over a file that has come meanwhile.
	if err := os.Link(file.Name(), path); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}
	return m, nil
}

// failing keeps why its reader failed.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// download lets a server write the backup.
func (c *backupMakeCommand) download(ctx context.Context, w io.Writer) error {
	path := "/api/v1/backup"
	if c.Samples {
		path += "?samples=true"
	}
	return c.serverSettings.download(ctx, path, w)
}

// writeFolder writes the backup of a data folder.
func (c *backupMakeCommand) writeFolder(ctx context.Context, s streams, w io.Writer) error {
	lock, err := lockData(c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	log, err := c.openLog(ctx, nil, s.log)
	if err != nil {
		return err
	}
	defer log.Close()
	return backUp(ctx, w, log, c.Data, c.Samples, "")
}

// backUp writes the backup of an open log and notes it.
func backUp(ctx context.Context, w io.Writer, log *journal.Log, data string, samples bool, by string) error {
	m, err := backup.Write(ctx, w, backup.Options{Log: log, Data: data, Samples: samples, Version: version, Now: time.Now})
	if err != nil {
		return err
	}
	return backup.Note(data, backup.Made{At: m.Made, By: by, UpTo: m.UpTo, Events: m.Events, Samples: samples})
}

// backUp writes the server's backup.
func (s *stack) backUp(ctx context.Context, w io.Writer, samples bool, by string) error {
	return backUp(ctx, w, s.journal, s.settings.Data, samples, by)
}

type backupVerifyCommand struct {
	File string `arg:"" help:"The backup." type:"existingfile"`
}

// Run says whether a backup is whole.
func (c *backupVerifyCommand) Run(s streams) error {
	m, err := verifyFile(s, c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s is whole: %s.\n", c.File, told(m))
	return err
}

func verifyFile(s streams, path string) (backup.Manifest, error) {
	file, err := os.Open(path)
	if err != nil {
		return backup.Manifest{}, fmt.Errorf("read backup: %w", err)
	}
	defer func() { _ = file.Close() }()
	bar := steps(s.err, "verifying")
	defer bar.end()
	return backup.Verify(file, bar.show)
}

type restoreCommand struct {
	logSettings `embed:""`

	File     string `arg:"" help:"The backup." type:"existingfile"`
	Erasures string `help:"JSON file with the receipts of those who were erased after the backup, as GET /api/v1/erasures answers: they are erased again." type:"existingfile"`
}

// Run makes a data folder of a backup.
func (c *restoreCommand) Run(ctx context.Context, s streams) (err error) {
	var u usageError
	c.logSettings.validate(&u)
	erased, err := readReceipts(c.Erasures)
	if err != nil {
		u.addf("--erasures: %w", err)
	}
	if err := u.orNil(); err != nil {
		return err
	}
	if _, err := verifyFile(s, c.File); err != nil {
		return err
	}
	if err := backup.Prepare(c.Data); err != nil {
		return err
	}
	log, err := c.openLog(ctx, nil, s.log)
	if err != nil {
		return err
	}
	defer log.Close()
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	defer func() { _ = file.Close() }()
	bar := steps(s.err, "restoring")
	options := backup.RestoreOptions{Log: log, Data: c.Data, Progress: bar.show}
	if len(erased) > 0 {
		options.Last = func(athletes []lift.AthleteID) ([]journal.Event, error) {
			return eraseAgain(c.Data, s.log, athletes, erased, time.Now())
		}
	}
	restored, err := backup.Restore(ctx, file, options)
	bar.end()
	if err != nil {
		return err
	}
	if c.Erasures != "" {
		fmt.Fprintf(s.out, "Of %d receipts, %d are of people in the backup: the server erases them at its start.\n", len(erased), restored.Last)
	}
	_, err = fmt.Fprintf(s.out, "%s is restored: %s.\nStart the server with the settings it had; it builds the view by itself.\n", c.Data, told(restored.Manifest))
	return err
}

// receiptItem is as much of an item of GET /api/v1/erasures as is needed.
type receiptItem struct {
	ID     string       `json:"id"`
	Key    string       `json:"key"`
	By     string       `json:"by"`
	At     time.Time    `json:"at"`
	Lifted *lift.Answer `json:"lifted"`
}

// readReceipts reads the receipts of erasures that are in force, by key.
func readReceipts(path string) (map[string]receiptItem, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var items []receiptItem
	if json.Unmarshal(text, &items) != nil {
		var page struct {
			Items []receiptItem `json:"items"`
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return nil, fmt.Errorf("not a list of receipts: %w", err)
		}
		items = page.Items
	}
	erased := map[string]receiptItem{}
	for i, e := range items {
		if e.ID == "" || e.Key == "" {
			return nil, fmt.Errorf("[%d]: id and key are needed", i)
		}
		if e.Lifted == nil {
			erased[e.Key] = e
		}
	}
	return erased, nil
}

// eraseAgain asks for the erase of those athletes of whom there is a receipt. The key
// by which they are recognised is a file of the restored folder.
func eraseAgain(data string, logger *slog.Logger, athletes []lift.AthleteID, erased map[string]receiptItem, now time.Time) ([]journal.Event, error) {
	tombstones, err := privacy.OpenTombstones(data, logger)
	if err != nil {
		return nil, err
	}
	var events []journal.Event
	for _, athlete := range athletes {
		e, ok := erased[tombstones.Key(athlete)]
		if !ok {
			continue
		}
		events = append(events, journal.Event{
			Kind: journal.KindErase, Received: now, Athlete: athlete, By: e.By,
			Erase: &lift.Erase{Receipt: e.ID, By: e.By, At: e.At, Reason: "erased after the backup that was restored"},
		})
	}
	return events, nil
}

// eventBar shows how far a backup has come.
type eventBar struct {
	bar *progressbar.ProgressBar
	out io.Writer
}

func steps(out io.Writer, what string) *eventBar {
	return &eventBar{progressbar.NewOptions64(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionShowIts(), progressbar.OptionSetItsString("events")), out}
}

func (p *eventBar) show(done, total uint64) {
	p.bar.ChangeMax64(int64(total))
	_ = p.bar.Set64(int64(done))
}

func (p *eventBar) end() { fmt.Fprintln(p.out) }
