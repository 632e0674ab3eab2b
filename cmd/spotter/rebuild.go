package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/spotterhq/spotter/internal/view"
)

type rebuildCommand struct {
	logSettings `embed:""`
}

// Run throws the view away and fills it from the log.
func (c *rebuildCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	c.logSettings.validate(&u)
	if err := u.orNil(); err != nil {
		return err
	}
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
	if err := view.Remove(c.viewPath()); err != nil {
		return err
	}
	v, err := view.Open(ctx, c.viewPath(), s.log)
	if err != nil {
		return err
	}
	end, start := log.LastSeq(), time.Now()
	if err := fill(ctx, s, v, log, end); err != nil {
		return errors.Join(err, v.Close())
	}
	fmt.Fprintf(s.err, "the view is at event %d after %s\n", v.Position(), time.Since(start).Round(time.Millisecond))
	return v.Close()
}

// fill runs the view until it has applied the log up to end, showing how far it is.
func fill(ctx context.Context, s streams, v *view.View, log view.Log, end uint64) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- v.Run(ctx, log) }()
	filled := make(chan error, 1)
	go func() { filled <- v.WaitFor(ctx, end) }()
	bar := progressbar.NewOptions64(int64(end), progressbar.OptionSetWriter(s.err), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("events"), progressbar.OptionSetDescription("rebuilding the view"))
	show := time.NewTicker(200 * time.Millisecond)
	defer show.Stop()
	for {
		select {
		case err := <-failed:
			return err
		case err := <-filled:
			_ = bar.Set64(int64(v.Position()))
			_ = bar.Finish()
			fmt.Fprintln(s.err)
			if err != nil {
				return err
			}
			stop()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		case <-show.C:
			_ = bar.Set64(int64(v.Position()))
		}
	}
}
