// Command bench measures the whole line against its ceiling: what the same broker,
// at the same fsync setting, delivers to a subscriber that does nothing, in the
// same run on the same machine. make bench runs it; docs/measurements.md keeps what
// it said, and on what.
//
// It builds and runs the real program, InfluxDB 1.8 and Mosquitto as processes of
// their own; the publisher is this process.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

type options struct {
	spotter  string // the program under test
	influxd  string
	runs     int
	count    int // messages a run
	latency  time.Duration
	receiver string // URL: only be the empty subscriber of this broker
	embedded string // data folder: be the embedded broker with an empty subscriber
	fsync    time.Duration
	stored   int // reps to store for the restart measurement; 0 leaves it out
	sets     int // to be judged under other limits; 0 leaves it out
	only     string
}

func main() {
	var o options
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to measure")
	flag.StringVar(&o.influxd, "influxd", ".tools/influxd", "InfluxDB 1.8")
	flag.IntVar(&o.runs, "runs", 5, "runs of which the median counts")
	flag.IntVar(&o.count, "count", 30_000, "messages a run")
	flag.DurationVar(&o.latency, "latency", 20*time.Second, "how long latency is measured at each rate")
	flag.IntVar(&o.stored, "stored", 0, "also measure a restart with so many reps stored")
	flag.StringVar(&o.only, "only", "", "throughput, latency, idle, restart or backtest")
	flag.IntVar(&o.sets, "sets", 0, "also measure a backtest of so many sets, such as 1000000")
	flag.StringVar(&o.receiver, "receiver", "", "internal: subscribe to this broker and do nothing")
	flag.StringVar(&o.embedded, "embedded", "", "internal: embedded broker in this folder, with a subscriber that does nothing")
	flag.DurationVar(&o.fsync, "fsync", 0, "internal: fsync interval of the embedded broker")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context) error {
	if o.receiver != "" || o.embedded != "" {
		return o.receive(ctx)
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"throughput", o.throughput}, {"latency", o.latencies}, {"idle", o.idle}, {"restart", o.restart}, {"backtest", o.backtest}} {
		if o.only != "" && o.only != part.name {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func quantile(v []time.Duration, q float64) time.Duration {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
