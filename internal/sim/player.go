package sim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spotterhq/spotter/internal/lift"
)

// Kiosk is the name under which a Player asks for the credentials of the client
// that publishes check-ins, and Gateway of the one that publishes backlogs and streams.
const (
	Kiosk   = "kiosk"
	Gateway = "gateway"
)

// leastPace is the least time between two reps, at whatever speed.
const leastPace = 150 * time.Millisecond

// muteRack is the rack whose sensor sends velocity samples alone, at speed 1 and in a
// gym of at least four racks. Nothing injected happens there first.
const muteRack = 2

// turnover is how long a rack is free between two sessions, at speed 1.
const turnover = time.Minute

// Player publishes simulated lifters to an MQTT broker. Its methods may be called
// concurrently; its fields must not change meanwhile.
type Player struct {
	Broker string // tcp://, ssl:// or ws:// URL
	// Credentials returns what a client logs in with: the device's id, or Kiosk or
	// Gateway. Nil means anonymously.
	Credentials func(client string) (username, password string)
	// Speed divides rests and the pace of reps; 0 means 1, below 1 is refused. An
	// event's time is the present at any speed. No two reps of a bar are closer
	// than 150 ms, and velocity samples are sent at speed 1 only, because at
	// another they could not be true.
	Speed float64
	Now   func() time.Time
	Log   *slog.Logger
	// Acknowledged, if not nil, is told of every message that the broker has
	// acknowledged, from several goroutines at once.
	Acknowledged func(Message)
}

func (p *Player) validate() error {
	var errs []error
	if p.Speed != 0 && !(p.Speed >= 1 && p.Speed <= 1e6) {
		errs = append(errs, fmt.Errorf("speed: %g is outside 1 to 1000000", p.Speed))
	}
	if p.Now == nil {
		errs = append(errs, errors.New("now: is missing"))
	}
	if p.Log == nil {
		errs = append(errs, errors.New("log: is missing"))
	}
	return errors.Join(errs...)
}

// scale shortens a rest.
func (p *Player) scale(d time.Duration) time.Duration {
	if p.Speed == 0 {
		return d
	}
	return time.Duration(float64(d) / p.Speed)
}

func (p *Player) identity(site lift.SiteID, client string) identity {
	id := identity{broker: p.Broker, clientID: "spotter-sim-" + string(site) + "-" + client}
	if p.Credentials != nil {
		id.username, id.password = p.Credentials(client)
	}
	return id
}

// Publish publishes the messages in order, as fast as the broker acknowledges
// them, through one client named Gateway, and returns when all are acknowledged.
// A lost connection is waited for; a message whose acknowledgement was lost with
// it is sent again. acked, if not nil, is told of each acknowledged message in
// order. The error is the context's, or of settings that cannot be used.
func (p *Player) Publish(ctx context.Context, site lift.SiteID, messages iter.Seq[Message], acked func(Message)) error {
	if err := p.validate(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	c, err := connect(p.identity(site, Gateway), p.Log)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer c.close(nil)
	tell := func(m Message) {
		p.acknowledged(m)
		if acked != nil {
			acked(m)
		}
	}
	if err := c.publishAll(ctx, messages, tell); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

func (p *Player) acknowledged(m Message) {
	if p.Acknowledged != nil {
		p.Acknowledged(m)
	}
}

// Run lets the gym live until the context ends, beginning with its Opening, and
// then returns nil. Devices say "sleeping" before they go.
func (p *Player) Run(ctx context.Context, gym *Gym) error {
	if err := p.validate(); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	opening := gym.Opening(p.Now())
	group, ctx := errgroup.WithContext(ctx)
	reports := make(chan Report, 4*gym.Racks())
	group.Go(func() error { return p.kiosk(ctx, gym, opening.Reports, reports) })
	for i := range gym.Racks() {
		var first *Session
		if i < len(opening.Sessions) {
			first = &opening.Sessions[i]
			gym.enter(first.Lifter.ID, p.Now())
		}
		group.Go(func() error { return p.rack(ctx, gym, i, first, reports) })
	}
	err := group.Wait()
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return fmt.Errorf("simulate: %w", err)
}

// kiosk publishes the check-ins, dated when they are published.
func (p *Player) kiosk(ctx context.Context, gym *Gym, first []Report, reports <-chan Report) error {
	c, err := connect(p.identity(gym.Site(), Kiosk), p.Log)
	if err != nil {
		return err
	}
	defer c.close(nil)
	report := func(r Report) error {
		r.CheckIn.Time = p.Now()
		m := checkInMessage(gym.Site(), r.Athlete, r.CheckIn)
		if err := c.publish(ctx, m); err != nil {
			return err
		}
		p.acknowledged(m)
		return nil
	}
	var waited time.Duration
	for _, r := range first {
		if err := wait(ctx, p.scale(r.After-waited)); err != nil {
			return err
		}
		waited = r.After
		if err := report(r); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-reports:
			if err := report(r); err != nil {
				return err
			}
		}
	}
}

// rack is one bar with its sensor.
type rack struct {
	player  *Player
	site    lift.SiteID
	device  lift.DeviceID
	client  *publisher
	boot    string
	booted  time.Time
	seq     int64
	chunk   int64
	samples bool
	mute    bool    // tells no reps, but for their samples
	faults  *faults // nil behind a sound gateway
	random  *rand.Rand
}

func (p *Player) rack(ctx context.Context, gym *Gym, i int, first *Session, reports chan<- Report) error {
	booted := p.Now()
	r := &rack{
		player: p, site: gym.Site(), device: gym.Rack(i),
		boot: "b" + strconv.FormatInt(booted.UnixMilli(), 36), booted: booted,
		random: rand.New(rand.NewPCG(gym.options.Seed, uint64(i))),
	}
	if i == gym.Racks()-1 {
		r.faults = &faults{}
	}
	if p.Speed == 0 || p.Speed == 1 {
		r.mute = i == muteRack && r.faults == nil
		r.samples = i == 0 || r.mute
	}
	id := p.identity(gym.Site(), string(r.device))
	birth := r.status(lift.DeviceReady)
	will := statusMessage(r.site, r.device, lift.DeviceStatus{State: lift.DeviceLost, BootID: r.boot}, booted)
	id.birth, id.will = &birth, &will
	c, err := connect(id, p.Log)
	if err != nil {
		return err
	}
	r.client = c
	defer func() {
		farewell := r.status(lift.DeviceSleeping)
		c.close(&farewell)
	}()
	for {
		var s Session
		if first != nil {
			s, first = *first, nil
		} else {
			s = gym.Next(p.Now())
		}
		err := r.session(ctx, s, reports)
		gym.Leave(s.Lifter.ID)
		if err != nil {
			return err
		}
		if err := wait(ctx, p.scale(turnover)); err != nil {
			return err
		}
	}
}

// session publishes one visit with the reports before and after it.
func (r *rack) session(ctx context.Context, s Session, reports chan<- Report) error {
	report := func(phase lift.Phase) error {
		select {
		case reports <- Report{Athlete: s.Lifter.ID, CheckIn: s.Lifter.checkIn(phase, r.player.Now())}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := r.client.rebirth(ctx, r.status(lift.DeviceReady)); err != nil {
		return err
	}
	if err := report(lift.PhaseBefore); err != nil {
		return err
	}
	for _, set := range s.Sets {
		if err := r.set(ctx, set); err != nil {
			return err
		}
		if err := wait(ctx, r.player.scale(set.Rest)); err != nil {
			return err
		}
		if err := r.release(ctx); err != nil {
			return err
		}
	}
	if err := r.publish(ctx, freeMessage(r.site, r.device, r.player.Now())); err != nil {
		return err
	}
	return report(lift.PhaseAfter)
}

// set publishes one set as it happens: who is on the bar, its reps, its samples.
func (r *rack) set(ctx context.Context, s Set) error {
	begin := r.player.Now()
	load, number := s.LoadKg, s.Number
	assign := lift.Assignment{Athlete: s.Athlete, Exercise: s.Exercise, LoadKg: &load, Set: &number, Warmup: s.Warmup, Since: stamp(begin)}
	if err := r.publish(ctx, assignMessage(r.site, r.device, assign)); err != nil {
		return err
	}
	var trace []float64
	if r.samples {
		trace = s.trace(r.random)
	}
	const chunk = int(samplesEvery / time.Second * sampleRate)
	var due, before time.Duration
	sent := 0
	for i := range s.Reps {
		for ; (sent+1)*chunk <= len(trace) && time.Duration(sent+1)*samplesEvery <= s.Ends[i]; sent++ {
			if err := r.sendChunk(ctx, begin, sent, trace[sent*chunk:(sent+1)*chunk]); err != nil {
				return err
			}
		}
		due += max(leastPace, r.player.scale(s.Ends[i]-before))
		before = s.Ends[i]
		if err := wait(ctx, begin.Add(due).Sub(r.player.Now())); err != nil {
			return err
		}
		if err := r.sendRep(ctx, s, i); err != nil {
			return err
		}
	}
	for ; sent*chunk < len(trace); sent++ {
		if err := r.sendChunk(ctx, begin, sent, trace[sent*chunk:min((sent+1)*chunk, len(trace))]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rack) sendRep(ctx context.Context, s Set, i int) error {
	if r.mute {
		return nil
	}
	now := stamp(r.player.Now())
	rep := s.rep(i, r.boot, r.seq, now)
	since := now.Sub(r.booted).Microseconds()
	rep.DeviceUs = &since
	r.seq++
	m := repMessage(r.site, r.device, rep)
	if r.faults == nil {
		return r.publish(ctx, m)
	}
	for _, m := range r.faults.pass(r, m) {
		if err := r.publish(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// release publishes what the broken gateway held back.
func (r *rack) release(ctx context.Context) error {
	if r.faults == nil || r.faults.held == nil {
		return nil
	}
	m := *r.faults.held
	r.faults.held = nil
	return r.publish(ctx, m)
}

// sendChunk waits until the chunk's last sample is taken and publishes it.
func (r *rack) sendChunk(ctx context.Context, begin time.Time, n int, v []float64) error {
	first := begin.Add(time.Duration(n) * samplesEvery)
	last := first.Add(time.Duration(len(v)) * time.Second / sampleRate)
	if err := wait(ctx, last.Sub(r.player.Now())); err != nil {
		return err
	}
	s := lift.Samples{BootID: r.boot, Chunk: r.chunk, Time: stamp(first), RateHz: sampleRate, Velocity: v}
	r.chunk++
	return r.publish(ctx, samplesMessage(r.site, r.device, s))
}

func (r *rack) publish(ctx context.Context, m Message) error {
	if err := r.client.publish(ctx, m); err != nil {
		return err
	}
	r.player.acknowledged(m)
	return nil
}

// status tells a battery that lasts for about four days.
func (r *rack) status(state lift.DeviceState) Message {
	now := r.player.Now()
	battery := max(5, round(100-now.Sub(r.booted).Hours(), 0))
	signal := float64(-50 - r.random.IntN(20))
	return statusMessage(r.site, r.device, lift.DeviceStatus{
		State: state, BootID: r.boot, Firmware: "sim-1", BatteryPct: &battery, RSSIDbm: &signal,
	}, now)
}

// wait blocks for so long, or not at all where that is past.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
