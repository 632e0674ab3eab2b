package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/backtest"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
	"github.com/spotterhq/spotter/internal/view"
)

// otherLimits change what several rules say.
const otherLimits = `{"weekly-volume":{"advice_pct":20},"velocity-loss":{"deadlift_advice_pct":10,"strength_pct":15},"session-spike":{"info_ratio":1.2},"pain-zone":{"amber":4}}`

const setsOfAnAthlete = 1000

// backtest measures how long other limits take to be tried on so many sets, of a
// thousand each from simulated lifters. The answer is that of the program: the
// histories are read from the view, and judged under both limits.
func (o *options) backtest(ctx context.Context) (err error) {
	if o.sets == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "spotter-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	quiet := slog.New(slog.DiscardHandler)
	log, err := journal.Open(ctx, journal.Options{Dir: filepath.Join(dir, "log"), Fsync: time.Second, Logger: quiet})
	if err != nil {
		return err
	}
	defer log.Close()
	began := time.Now()
	sets, err := o.train(ctx, log)
	if err != nil {
		return err
	}
	v, err := view.Open(ctx, filepath.Join(dir, "view.db"), quiet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	filling, stop := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() { failed <- v.Run(filling, log) }()
	err = v.WaitFor(ctx, log.LastSeq())
	stop()
	if runErr := <-failed; !errors.Is(runErr, context.Canceled) {
		err = errors.Join(err, runErr)
	}
	if err != nil {
		return err
	}
	fmt.Printf("Backtest, %d sets stored in %v\n", sets, time.Since(began).Round(time.Second))

	var seconds []float64
	var report backtest.Report
	for range o.runs {
		began = time.Now()
		report, err = backtest.Run(ctx, backtest.Options{
			Question: backtest.Question{Rules: []byte(otherLimits)}, View: v,
			Settings: func(lift.AthleteID) analysis.Settings { return analysis.Settings{} },
		})
		if err != nil {
			return err
		}
		seconds = append(seconds, time.Since(began).Seconds())
	}
	total := backtest.Tally{}
	for i := range report.Rules {
		t := &report.Rules[i]
		total.Fired.Total += t.Fired.Total
		total.Would.Total += t.Would.Total
		total.Kept += t.Kept
	}
	fmt.Printf("  %d athletes, %d sets, %d reps, %d processors: %.1f s (median of %v); %d fired, %d would have, %d kept\n",
		report.Athletes, sets, report.Reps, runtime.GOMAXPROCS(0), median(seconds), seconds, total.Fired.Total, total.Would.Total, total.Kept)
	return nil
}

// train fills the log with the histories of lifters, as ingest would have, and
// returns how many sets they are.
func (o *options) train(ctx context.Context, log *journal.Log) (sets int, err error) {
	to := time.Now().UTC().Truncate(time.Minute)
	batch := make([]journal.Event, 0, journal.MaxBatch)
	flush := func() error {
		_, err := log.Append(ctx, batch...)
		batch = batch[:0]
		return err
	}
	roster := sim.Roster(1, (o.sets+setsOfAnAthlete-1)/setsOfAnAthlete)
	for _, lifter := range roster {
		messages, _ := sim.History(lifter, sim.Past{Site: "main", Device: "bar-1", From: to.AddDate(0, 0, -7*60), To: to})
		own := 0
		var last lift.Rep
		for i := 0; i < len(messages) && own < setsOfAnAthlete; i++ {
			m := &messages[i]
			for _, e := range ingest.Decode(ingest.Message{Topic: m.Topic, Payload: m.Payload, Received: m.At}).Events {
				if e.Rep != nil {
					if last.Time.IsZero() || last.Exercise != e.Rep.Exercise || *last.Set != *e.Rep.Set || *last.LoadKg != *e.Rep.LoadKg {
						own++
					}
					last = *e.Rep
				}
				if batch = append(batch, e); len(batch) == cap(batch) {
					if err := flush(); err != nil {
						return sets, err
					}
				}
			}
		}
		sets += own
	}
	if len(batch) == 0 {
		return sets, nil
	}
	return sets, flush()
}
