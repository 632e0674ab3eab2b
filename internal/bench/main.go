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
	athletes int // who have them
	alerts   int
	requests int    // for each list
	data     string // folder for the lists
	clients  int    // of the alert stream
	fan      bool   // be a plain server of events
	only     string
}

func main() {
	var o options
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to measure")
	flag.StringVar(&o.influxd, "influxd", ".tools/influxd", "InfluxDB 1.8")
	flag.IntVar(&o.runs, "runs", 5, "runs of which the median counts")
	flag.IntVar(&o.count, "count", 30_000, "messages a run")
	flag.DurationVar(&o.latency, "latency", 20*time.Second, "how long latency is measured at each rate")
	flag.IntVar(&o.stored, "stored", 500_000, "reps stored for lists and restart, such as 10000000; 0 leaves both out")
	flag.IntVar(&o.athletes, "athletes", 50, "athletes who have them in the lists, such as 1000")
	flag.IntVar(&o.alerts, "alerts", 50_000, "alerts stored for the lists, such as 1000000")
	flag.IntVar(&o.requests, "requests", 200, "how often each list is asked for")
	flag.StringVar(&o.data, "data", "", "data folder for the lists, kept: filled where it is empty, else used as it is; a temporary one by default")
	flag.IntVar(&o.clients, "clients", 2000, "clients of the stream of alerts; 0 leaves it out")
	flag.StringVar(&o.only, "only", "", "throughput, latency, idle, restart, lists, streams or backtest")
	flag.IntVar(&o.sets, "sets", 0, "also measure a backtest of so many sets, such as 1000000")
	flag.StringVar(&o.receiver, "receiver", "", "internal: subscribe to this broker and do nothing")
	flag.StringVar(&o.embedded, "embedded", "", "internal: embedded broker in this folder, with a subscriber that does nothing")
	flag.BoolVar(&o.fan, "fan", false, "internal: a plain server that tells every client what is posted")
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
	if o.fan {
		return fan(ctx)
	}
	if o.receiver != "" || o.embedded != "" {
		return o.receive(ctx)
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"throughput", o.throughput}, {"latency", o.latencies}, {"idle", o.idle}, {"restart", o.restart}, {"lists", o.lists}, {"streams", o.streams}, {"backtest", o.backtest}} {
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
