package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/spotterhq/spotter/api"
	"github.com/spotterhq/spotter/internal/sim"
)

// crowd is who trains.
type crowd struct {
	Speed    float64 `help:"How many times faster than life rests and pauses go by." default:"1"`
	Athletes int     `help:"How many lifters; fewer than 6 are made 6." default:"12"`
	Seed     uint64  `help:"Makes the same lifters again; 0 picks one." default:"0"`
}

func (c *crowd) validate(u *usageError) {
	if !(c.Speed >= 1 && c.Speed <= 10_000) {
		u.addf("--speed: %g is not 1 to 10000", c.Speed)
	}
	if c.Athletes < 1 || c.Athletes > 10_000 {
		u.addf("--athletes: %d is not 1 to 10000", c.Athletes)
	}
	// Each of what is to be seen happens to somebody else.
	c.Athletes = max(c.Athletes, leastAthletes)
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
}

// leastAthletes are needed to show every rule.
const leastAthletes = 6

// gym is the crowd on its racks.
func (c *crowd) gym(now time.Time, zone *time.Location) (*sim.Gym, error) {
	return sim.NewGym(sim.GymOptions{
		Seed: c.Seed, Site: "main", Athletes: c.Athletes, Racks: max(2, min(6, c.Athletes/2)), Start: now.In(zone),
	})
}

type demoCommand struct {
	crowd `embed:""`
	HTTP  string `name:"http" help:"Address of the HTTP API, loopback only; port 0 picks a free one." default:"127.0.0.1:8080"`
	MQTT  string `name:"mqtt" help:"Address of the MQTT broker, loopback only; port 0 picks a free one." default:"127.0.0.1:1883"`
}

const demoWeeks = 8

// Run shows everything with simulated lifters until the context ends.
func (c *demoCommand) Run(ctx context.Context, s streams) (err error) {
	var u usageError
	c.validate(&u)
	for name, addr := range map[string]string{"http": c.HTTP, "mqtt": c.MQTT} {
		checkAddr(&u, name, addr)
		if !isLoopback(addr) {
			u.addf("--%s: the demo has no authentication and listens on loopback only, not on %s", name, addr)
		}
	}
	if err := u.orNil(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "spotter-demo-")
	if err != nil {
		return fmt.Errorf("create folder of the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	settings := serveCommand{
		logSettings: logSettings{Data: dir, NatsReplicas: 1, Fsync: "100ms"}, // nothing here is to survive
		HTTP:        c.HTTP, MQTT: c.MQTT, Zone: "UTC",
	}
	stack, err := openStack(ctx, settings, api.Open(dir), s.log)
	if err != nil {
		return err
	}
	defer stack.close()
	fmt.Fprintf(s.err, "DEMO: simulated lifters, seed %d; everything is in %s and goes when you stop it (Ctrl-C).\n", c.Seed, dir)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var playing sync.WaitGroup
	var played error
	err = stack.run(ctx, func(at address) error {
		playing.Go(func() {
			defer stop()
			played = c.play(ctx, s, at)
		})
		return announce(s)(at)
	})
	stop()
	playing.Wait()
	return errors.Join(played, err)
}

// play publishes eight weeks of history and then lets the gym live.
func (c *demoCommand) play(ctx context.Context, s streams, at address) error {
	gym, err := c.gym(time.Now(), time.UTC)
	if err != nil {
		return err
	}
	player := &sim.Player{Broker: at.MQTT, Speed: c.Speed, Now: time.Now, Log: s.log.With("part", "sim")}
	history, _ := gym.History(demoWeeks)
	bar := progressbar.NewOptions(len(history), progressbar.OptionSetWriter(s.err),
		progressbar.OptionSetDescription("eight weeks of history"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	if err := player.Publish(ctx, gym.Site(), slices.Values(history), func(sim.Message) { _ = bar.Add(1) }); err != nil {
		return fmt.Errorf("publish history: %w", err)
	}
	_ = bar.Finish()
	if err := enrol(ctx, &serverSettings{Server: at.HTTP, trustSettings: trustSettings{client: http.DefaultClient}}, gym); err != nil {
		return err
	}
	fmt.Fprintf(s.err, `
Eight weeks of history are in; %d lifters train now. Look at

  the coach's desk       %[2]s/
  the wall               %[2]s/wall?site=%[3]s
  alerts, newest first   curl %[2]s/api/v1/alerts
  alerts as they happen  curl -N %[2]s/api/v1/alerts/stream
  reps as they happen    curl -N "%[2]s/api/v1/live?site=%[3]s"
  one lifter's weeks     curl %[2]s/api/v1/athletes/bo/weeks
  the API                %[2]s/docs
  what sensors send      mosquitto_sub -L %[4]s/spotter/v1/# -v

`, c.Athletes, at.HTTP, gym.Site(), "mqtt"+at.MQTT[len("tcp"):])
	return player.Run(ctx, gym)
}

// enrol writes down who trains here, as a coach would.
func enrol(ctx context.Context, server *serverSettings, gym *sim.Gym) error {
	type body = map[string]any
	post := func(path string, b body) error {
		return server.send(ctx, http.MethodPost, "/api/v1/"+path, b, nil)
	}
	err := post("sites", body{"id": gym.Site(), "name": "Demo gym"})
	err = errors.Join(err, post("teams", body{"site": gym.Site(), "id": "squad", "name": "Demo squad"}))
	for i, l := range gym.Lifters() {
		profile := body{"id": l.ID, "site": gym.Site(), "name": "Demo " + strings.ToUpper(string(l.ID[:1])) + string(l.ID[1:]), "goal": "strength"}
		if i%2 == 0 {
			profile["teams"] = []string{"squad"}
		}
		err = errors.Join(err, post("athletes", profile))
	}
	for i := range gym.Racks() {
		path := "/api/v1/devices/" + string(gym.Rack(i)) + "?site=" + string(gym.Site())
		err = errors.Join(err, server.send(ctx, http.MethodPatch, path, body{"rack": strconv.Itoa(i + 1)}, nil))
	}
	if err != nil {
		return fmt.Errorf("enrol the demo's lifters: %w", err)
	}
	return nil
}

type simulateCommand struct {
	crowd        `embed:""`
	MQTTBroker   string `name:"mqtt-broker" help:"Broker to publish to: tcp://, ssl:// or ws://host:port." required:""`
	MQTTUsername string `name:"mqtt-username" help:"User at the broker."`
	MQTTPassword string `name:"mqtt-password" help:"Password at the broker."`
	History      int    `help:"Weeks of history to publish first, 6 or more, or 0 for none." default:"0"`
}

// Run lets the lifters train until the context ends.
func (c *simulateCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	c.validate(&u)
	checkURL(&u, "mqtt-broker", c.MQTTBroker, "tcp", "ssl", "ws", "wss", "mqtt", "mqtts")
	if c.History != 0 && (c.History < 6 || c.History > 52) {
		u.addf("--history: %d is neither 0 nor 6 to 52 weeks", c.History)
	}
	if err := u.orNil(); err != nil {
		return err
	}
	gym, err := c.gym(time.Now(), time.UTC)
	if err != nil {
		return err
	}
	player := &sim.Player{
		Broker: c.MQTTBroker, Speed: c.Speed, Now: time.Now, Log: s.log,
		Credentials: func(string) (string, string) { return c.MQTTUsername, c.MQTTPassword },
	}
	fmt.Fprintf(s.err, "%d lifters train at %s, seed %d\n", c.Athletes, redact(c.MQTTBroker), c.Seed)
	if c.History > 0 {
		history, _ := gym.History(c.History)
		if err := player.Publish(ctx, gym.Site(), slices.Values(history), func(sim.Message) {}); err != nil {
			return fmt.Errorf("publish history: %w", err)
		}
	}
	return player.Run(ctx, gym)
}
