package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/spotterhq/spotter/ingest/mqtt"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/sim"
)

// setting is a broker with a fsync setting.
type setting struct {
	name     string
	external bool
	fsync    string
}

var settings = []setting{
	{"embedded broker, fsync always", false, "always"},
	{"embedded broker, fsync every 100 ms", false, "100ms"},
	{"Mosquitto, log's fsync always", true, "always"},
	{"Mosquitto, log's fsync every 100 ms", true, "100ms"},
}

func (s setting) interval() time.Duration {
	d, _ := time.ParseDuration(s.fsync) // "always" is 0
	return d
}

// throughput compares the whole line with an empty subscriber, setting by setting.
func (o *options) throughput(ctx context.Context) error {
	fmt.Printf("Throughput, %d messages a run, median of %d runs\n", o.count, o.runs)
	for _, s := range settings {
		var ceilings, lines, shares []float64
		for range o.runs {
			ceiling, err := o.once(ctx, s, true)
			if err != nil {
				return err
			}
			line, err := o.once(ctx, s, false)
			if err != nil {
				return err
			}
			ceilings, lines, shares = append(ceilings, ceiling), append(lines, line), append(shares, line/ceiling)
		}
		fmt.Printf("  %-38s ceiling %8.0f/s   whole line %8.0f/s   share %3.0f %%   (shares %.2f)\n",
			s.name, median(ceilings), median(lines), 100*median(shares), shares)
	}
	return nil
}

// once publishes count messages and returns how many a second have gone all the way.
func (o *options) once(ctx context.Context, s setting, ceiling bool) (_ float64, err error) {
	dir, err := os.MkdirTemp("", "spotter-bench-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	broker := ""
	if s.external {
		url, stop, err := mosquitto(ctx, dir)
		if err != nil {
			return 0, err
		}
		defer stop()
		broker = url
	}
	if ceiling {
		return o.empty(ctx, s, dir, broker)
	}
	url, stop, err := o.influx(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer stop()
	args := []string{"serve", "--data", filepath.Join(dir, "data"), "--http", "127.0.0.1:0", "--fsync", s.fsync, "--log-level", "warn", "--influx-url", url}
	if s.external {
		args = append(args, "--mqtt-broker", broker)
	} else {
		args = append(args, "--mqtt", "127.0.0.1:0")
	}
	c, err := start(ctx, o.spotter, args...)
	if err != nil {
		return 0, err
	}
	defer c.kill()
	if broker == "" {
		broker = c.MQTT
	}
	began := time.Now()
	if err := o.publish(ctx, broker, o.count, nil); err != nil {
		return 0, err
	}
	all := func(v float64) bool { return v >= float64(o.count) }
	none := func(v float64) bool { return v == 0 }
	if err := c.until(ctx, "spotter_view_reps_total", all); err != nil {
		return 0, err
	}
	for _, lag := range []string{"spotter_monitor_lag_events", "spotter_influx_lag_events"} {
		if err := c.until(ctx, lag, none); err != nil {
			return 0, err
		}
	}
	return float64(o.count) / time.Since(began).Seconds(), nil
}

// empty measures the broker with a subscriber that does nothing.
func (o *options) empty(ctx context.Context, s setting, dir, broker string) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	args := []string{"-count", fmt.Sprint(o.count), "-fsync", s.interval().String()}
	if s.external {
		args = append(args, "-receiver", broker)
	} else {
		args = append(args, "-embedded", filepath.Join(dir, "data"))
	}
	c, err := start(ctx, self, args...)
	if err != nil {
		return 0, err
	}
	defer c.kill()
	began := time.Now()
	if err := o.publish(ctx, c.MQTT, o.count, nil); err != nil {
		return 0, err
	}
	if _, err := c.lines.ReadBytes('\n'); err != nil { // it has received all
		return 0, err
	}
	return float64(o.count) / time.Since(began).Seconds(), nil
}

// publish sends a stream of reps as fast as the broker acknowledges them, or as the
// pace lets them through.
func (o *options) publish(ctx context.Context, broker string, count int, pace func(sim.Message)) error {
	l := sim.Load{Seed: 1, Site: "main", Devices: 20, Athletes: 100, Count: count, Start: time.Now()}
	l.Start = l.Start.Add(-l.End().Sub(l.Start))
	messages, err := sim.Stream(l)
	if err != nil {
		return err
	}
	player := &sim.Player{Broker: broker, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	return player.Publish(ctx, l.Site, func(yield func(sim.Message) bool) {
		for m := range messages {
			if pace != nil {
				pace(m)
			}
			if !yield(m) {
				return
			}
		}
	}, func(sim.Message) {})
}

// receive is the empty subscriber: it takes count messages, acknowledges each and
// does nothing else.
func (o *options) receive(ctx context.Context) error {
	broker, username, password := o.receiver, "", ""
	opened := func() {}
	if o.embedded != "" {
		log, err := journal.Open(ctx, journal.Options{
			Dir: o.embedded, Fsync: o.fsync, Logger: slog.New(slog.DiscardHandler),
			Broker: &journal.BrokerOptions{Addr: "127.0.0.1:0"},
		})
		if err != nil {
			return err
		}
		defer log.Close()
		broker, opened = log.Server().MQTTURL(), log.Server().Open
		username, password = log.Server().IngestLogin()
	}
	n := 0
	all := make(chan struct{})
	client := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("empty").SetUsername(username).SetPassword(password).
		SetCleanSession(false).SetDefaultPublishHandler(func(paho.Client, paho.Message) {
		if n++; n == o.count {
			close(all)
		}
	}))
	if t := client.Connect(); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	for _, f := range mqtt.Filters {
		if t := client.Subscribe(f, 1, nil); t.Wait() && t.Error() != nil {
			return t.Error()
		}
	}
	opened()
	fmt.Printf("{\"mqtt\":%q}\n", broker)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-all:
	}
	fmt.Println("all")
	<-ctx.Done()
	return nil
}
