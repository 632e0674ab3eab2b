package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// idle measures the resident memory of a server that has nothing to do, and the
// size of the program.
func (o *options) idle(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "spotter-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, err := start(ctx, o.spotter, "serve", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--log-level", "warn")
	if err != nil {
		return err
	}
	defer c.kill()
	if err := pause(ctx, 10*time.Second); err != nil {
		return err
	}
	mb, err := c.rss()
	if err != nil {
		return err
	}
	info, err := os.Stat(o.spotter)
	if err != nil {
		return err
	}
	fmt.Printf("Idle resident memory %.0f MB; program %.1f MB\n", mb, float64(info.Size())/1e6)
	return nil
}

// restart measures how long a server takes to be ready again with many reps stored,
// after a clean stop and after kill -9.
func (o *options) restart(ctx context.Context) (err error) {
	if o.stored == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "spotter-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := time.Now()
	if err := o.store(ctx, dir); err != nil {
		return err
	}
	fmt.Printf("Stored %d reps in %v\n", o.stored, time.Since(began).Round(time.Second))
	up := func() (*child, time.Duration, error) {
		began := time.Now()
		c, err := start(ctx, o.spotter, "serve", "--data", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--log-level", "warn")
		return c, time.Since(began), err
	}
	c, _, err := up()
	if err != nil {
		return err
	}
	began = time.Now()
	if err := c.until(ctx, "spotter_view_lag_events", func(v float64) bool { return v == 0 }); err != nil {
		return err
	}
	fmt.Printf("The view was filled in %v\n", time.Since(began).Round(time.Second))
	if err := c.until(ctx, "spotter_monitor_lag_events", func(v float64) bool { return v == 0 }); err != nil {
		return err
	}
	fmt.Printf("The monitor was at the end after %v\n", time.Since(began).Round(time.Second))
	var clean, killed []float64
	for range 3 {
		if err := c.stop(); err != nil {
			return err
		}
		var took time.Duration
		if c, took, err = up(); err != nil {
			return err
		}
		clean = append(clean, took.Seconds())
		c.kill()
		if c, took, err = up(); err != nil {
			return err
		}
		killed = append(killed, took.Seconds())
	}
	mb, err := c.rss()
	if err != nil {
		return err
	}
	c.kill()
	fmt.Printf("Ready again with %d reps: %.2f s after a clean stop, %.2f s after kill -9 (medians of 3); %.0f MB resident\n",
		o.stored, median(clean), median(killed), mb)
	return nil
}

// store fills a data folder's log as ingest would have.
func (o *options) store(ctx context.Context, dir string) error {
	log, err := journal.Open(ctx, journal.Options{Dir: filepath.Join(dir, "log"), Fsync: time.Second, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer log.Close()
	const athletes, perAthlete = 200, 5
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Duration(o.stored/athletes) * 8 * time.Minute / perAthlete)
	load, set := 100.0, 1
	batch := make([]journal.Event, 0, journal.MaxBatch)
	for i := range o.stored {
		athlete := lift.AthleteID(fmt.Sprintf("athlete-%03d", i/perAthlete%athletes))
		n := i / athletes // of this athlete
		at := start.Add(time.Duration(n/perAthlete)*8*time.Minute + time.Duration(i%perAthlete)*3*time.Second)
		batch = append(batch, journal.Event{
			Kind: journal.KindRep, Received: at, Site: "main", Device: lift.DeviceID("bar-" + string(athlete[8:])), Athlete: athlete,
			Rep: &lift.Rep{BootID: "b1", Seq: int64(i), Time: at, Athlete: athlete, Exercise: "squat", LoadKg: &load, Set: &set, MeanVelocity: 0.5},
		})
		if len(batch) == cap(batch) || i == o.stored-1 {
			if _, err := log.Append(ctx, batch...); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}
