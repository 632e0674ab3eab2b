package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/ingest/influx"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/monitor"
	"github.com/spotterhq/spotter/internal/sim"
	"github.com/spotterhq/spotter/internal/view"
)

const patience = time.Minute

// demo is a log with the demo's data, all of which the followers have come to.
type demo struct {
	*testing.T
	log      *journal.Log
	view     *view.View
	monitor  *monitor.Monitor
	follower *influx.Follower
	now      time.Time
	ticks    int
}

func newDemo(t *testing.T, url string) *demo {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	d := &demo{T: t, now: time.Now().UTC()}
	log, err := journal.Open(t.Context(), journal.Options{Dir: t.TempDir(), Fsync: need.Fsync, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	v, err := view.Open(t.Context(), filepath.Join(t.TempDir(), "view.db"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	d.log, d.view = log, v
	settings := func(lift.AthleteID) analysis.Settings { return analysis.Settings{} }
	d.monitor = monitor.New(monitor.Options{Log: log, View: v, Settings: settings, Logger: quiet, Now: time.Now})
	d.follower, err = influx.New(influx.Options{
		URL: url, Bucket: "spotter", Log: log, View: v, Logger: quiet, Lookback: analysis.Lookback, Pace: time.Millisecond,
		Sets: func(_ lift.AthleteID, t influx.Training) []lift.Set { return analysis.Sets(t.Reps, t.Logged, time.UTC) },
		Weeks: func(athlete lift.AthleteID, t influx.Training, now time.Time) []lift.Week {
			return analysis.Weeks(analysis.History{Athlete: athlete, Reps: t.Reps, Logged: t.Logged}, analysis.Settings{}, now)
		},
		Plan: func(ctx context.Context, athlete lift.AthleteID, at time.Time) (influx.Plan, error) {
			reps, checkIns := analysis.LoadFrom(at, time.UTC)
			h, err := v.History(ctx, athlete, reps, checkIns)
			state := analysis.Plan(analysis.History{Site: h.Site, Athlete: athlete, CheckIns: h.CheckIns, Plan: h.Plan}, analysis.Settings{}, at)
			now := influx.Plan{Held: state.Hold != nil}
			if state.Phase != nil {
				now.Phase = state.Phase.Number
			}
			return now, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.background(func(ctx context.Context) error { return v.Run(ctx, log) })
	d.background(d.monitor.Run)
	d.background(d.follower.Run)
	return d
}

func (d *demo) background(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := run(ctx); !errors.Is(err, context.Canceled) {
			d.Errorf("a part ended with %v", err)
		}
	})
	d.Cleanup(func() { cancel(); wait.Wait() })
}

func (d *demo) append(events ...journal.Event) {
	d.Helper()
	for chunk := range slices.Chunk(events, journal.MaxBatch) {
		if _, err := d.log.Append(d.Context(), chunk...); err != nil {
			d.Fatal(err)
		}
	}
}

// settle lets a minute begin and waits until every alert is in InfluxDB.
func (d *demo) settle() {
	d.Helper()
	for range 2 { // the second one derives what came with the first
		d.ticks++
		d.append(journal.Event{Kind: journal.KindTick, Received: d.now, Minute: d.now.Truncate(time.Minute).Add(time.Duration(d.ticks-10) * time.Minute)})
		need.Eventually(d.T, patience, "the followers", func() bool {
			end := d.log.LastSeq()
			s := d.follower.Stats()
			return d.view.Position() >= end && d.monitor.Position() >= end && s.Events.Position >= end && s.Samples.Events == 0 && s.Version != ""
		})
	}
}

const home = lift.SiteID("main")

// past is what the demo publishes before it begins, and who is who as it enrols them.
func (d *demo) past() {
	d.Helper()
	gym, err := sim.NewGym(sim.GymOptions{Seed: 7, Site: home, Athletes: 12, Racks: 6, Start: d.now})
	if err != nil {
		d.Fatal(err)
	}
	messages, _ := gym.History(8)
	var events []journal.Event
	for _, m := range messages {
		events = append(events, ingest.Decode(ingest.Message{Topic: m.Topic, Payload: m.Payload, Received: d.now}).Events...)
	}
	for i, l := range gym.Lifters() {
		profile := &lift.AthleteProfile{Site: home, Goal: "strength"}
		if i%2 == 0 {
			profile.Teams = []lift.TeamID{"squad"}
		}
		events = append(events, journal.Event{Kind: journal.KindRecord, Received: d.now, Site: home, Athlete: l.ID, Record: &lift.Record{
			Kind: lift.OfAthlete, ID: string(l.ID), Revision: 1, By: "coach", At: d.now, Athlete: profile,
		}})
	}
	d.append(events...)
	d.settle()
}

// evening lets an athlete lift two sets, of which the bar tells every sample, and a
// third of which nobody knows who lifted it; and sensors come and go.
func (d *demo) evening(who lift.AthleteID) {
	d.Helper()
	const bar = lift.DeviceID("rack-1")
	begin := d.now.Add(-40 * time.Minute).Truncate(time.Second)
	events := []journal.Event{{Kind: journal.KindAssign, Received: begin, Site: home, Device: bar, Athlete: who, Assign: &lift.Assignment{
		Athlete: who, Exercise: "deadlift", LoadKg: new(120.0), Since: begin, SinceGiven: true,
	}}}
	for set := range 2 {
		for n := range 5 {
			mean := 0.6 - 0.04*float64(n)
			events = append(events, d.rep(who, bar, int64(set*5+n), begin.Add(time.Duration(set*180+n*3+5)*time.Second), mean))
		}
		for chunk := range 20 {
			velocity := make([]float64, 100)
			for i := range velocity {
				velocity[i] = 0.9 * math.Sin(2*math.Pi*(float64(chunk*100+i)/300))
			}
			events = append(events, journal.Event{Kind: journal.KindSamples, Received: d.now, Site: home, Device: bar, Samples: &lift.Samples{
				BootID: "b1", Chunk: int64(set*20 + chunk), Time: begin.Add(time.Duration(set*180+chunk) * time.Second), RateHz: 100, Velocity: velocity,
			}})
		}
	}
	events = append(events, d.rep("", "rack-2", 0, begin.Add(time.Minute), 0.5))
	for i, s := range []struct {
		device  lift.DeviceID
		state   lift.DeviceState
		battery float64
	}{{"rack-1", lift.DeviceReady, 81}, {"rack-2", lift.DeviceReady, 14}, {"rack-3", lift.DeviceReady, 66}, {"rack-3", lift.DeviceLost, 65}} {
		events = append(events, journal.Event{Kind: journal.KindStatus, Received: begin.Add(time.Duration(i) * time.Minute), Site: home, Device: s.device,
			Status: &lift.DeviceStatus{State: s.state, BatteryPct: new(s.battery), RSSIDbm: new(-60.0 - float64(i))}})
	}
	after := d.now.Add(-10 * time.Minute)
	events = append(events,
		journal.Event{Kind: journal.KindPlan, Received: after, Site: home, Athlete: who, Plan: &lift.PlanStep{Verb: lift.PlanStart, At: after, By: "coach"}},
		journal.Event{Kind: journal.KindCheckIn, Received: after, Site: home, Athlete: who, CheckIn: &lift.CheckIn{
			Time: after, Phase: lift.PhaseAfter, Pain: new(7), SleepH: new(6.5), Soreness: new(4), Stress: new(3), Nutrition: new(5),
		}})
	d.append(events...)
	d.settle()
}

func (d *demo) rep(who lift.AthleteID, device lift.DeviceID, seq int64, when time.Time, mean float64) journal.Event {
	r := &lift.Rep{BootID: "b1", Seq: seq, Time: when, Athlete: who, MeanVelocity: mean, PeakVelocity: new(1.6 * mean), ROM: new(0.55), Concentric: new(0.55 / mean), Eccentric: new(1.2)}
	if who != "" {
		r.Exercise, r.LoadKg, r.Set, r.Rep = "deadlift", new(120.0), new(int(seq/5+1)), new(int(seq%5+1))
	}
	return journal.Event{Kind: journal.KindRep, Received: d.now, Site: home, Device: device, Athlete: who, Rep: r}
}

// TestEveryQueryShowsTheDemo takes every query of InfluxDB out of the dashboards and
// the alert rules, fills it as Grafana does, and asks a real InfluxDB that our own
// follower has filled.
func TestEveryQueryShowsTheDemo(t *testing.T) {
	server := need.RunInflux(t)
	d := newDemo(t, server.URL)
	d.past()
	db := &store{url: server.URL}
	alerted := db.ask(t, "spotter", `SHOW TAG VALUES FROM "alert" WITH KEY = "athlete"`)
	members := db.ask(t, "spotter", `SHOW TAG VALUES FROM "member" WITH KEY = "athlete" WHERE "team" = 'squad'`)
	if len(alerted) != 1 || len(members) != 1 || len(members[0].Values) != 6 {
		t.Fatalf("alerts of %v, the squad is %v", alerted, members)
	}
	star := ""
	for _, row := range alerted[0].Values {
		if slices.ContainsFunc(members[0].Values, func(member []any) bool { return member[1] == row[1] }) {
			star = row[1].(string)
		}
	}
	if star == "" {
		t.Fatal("nobody of the squad has an alert")
	}
	d.evening(lift.AthleteID(star))
	now := time.Now()
	one := values{"site": {"main"}, "team": {"squad"}, "athlete": {star}, "exercise": {"deadlift"}}
	for name, board := range committed(t) {
		shown := since(t, board.Time, now)
		db.show(t, name+", the star", &board, shown, db.everything(t, &board, shown, values{"athlete": {star}}), true)
		db.show(t, name+", one of each", &board, shown, db.everything(t, &board, shown, one), false)
		if name == "spotter-team.json" {
			chosen := db.everything(t, &board, shown, nil)
			if len(chosen["athlete"]) < 12 || slices.Contains(chosen["athlete"], "unassigned") {
				t.Errorf("everyone is %v", chosen["athlete"])
			}
			if squad := db.everything(t, &board, shown, values{"team": {"squad"}})["athlete"]; len(squad) != 6 {
				t.Errorf("the squad is %v", squad)
			}
			db.show(t, name+", everyone", &board, shown, chosen, true)
			db.show(t, name+", nobody", &board, shown, values{"site": {"main"}, "athlete": {}}, false)
		}
	}
	for _, r := range rules(t) {
		for _, q := range r.Data {
			if q.Model.Query == "" {
				continue
			}
			shown := shownTime{now.Add(-time.Duration(q.RelativeTimeRange.From) * time.Second), now}
			rows := 0
			for _, s := range db.ask(t, "spotter", fill(t, q.Model.Query, nil, shown, "")) {
				rows += len(s.Values)
			}
			if rows == 0 {
				t.Errorf("%s: no rows", r.UID)
			}
		}
	}
	t.Logf("slowest answer %v", db.slowest.Round(time.Millisecond))
}

// show asks what a dashboard asks of InfluxDB.
func (s *store) show(t *testing.T, what string, d *dashboard, shown shownTime, chosen values, filled bool) {
	t.Helper()
	for _, p := range d.Panels {
		what := what + ", " + p.Title
		var answers [][]series
		for _, target := range p.Targets {
			database := databaseOf(t, d, target.Datasource)
			if database == "" {
				continue // Prometheus
			}
			answer := s.ask(t, database, fill(t, target.Query, chosen, shown, p.Interval))
			if rows := p.check(t, what, target, answer); rows == 0 && filled && !mayBeEmpty(d, chosen) {
				t.Errorf("%s: no rows from %s", what, target.Query)
			}
			answers = append(answers, answer)
		}
		if filled && len(answers) > 0 && !mayBeEmpty(d, chosen) {
			p.columnsThere(t, what, answers)
		}
	}
	for _, a := range d.Annotations.List {
		answer := s.ask(t, databaseOf(t, d, a.Datasource), fill(t, a.Target.Query, chosen, shown, ""))
		rows := 0
		for _, one := range answer {
			rows += len(one.Values)
			for _, column := range []string{a.Target.TitleColumn, a.Target.TextColumn, a.Target.TagsColumn} {
				if !slices.Contains(one.Columns, column) {
					t.Errorf("%s: the annotation %s shows %s, which is not there", what, a.Name, column)
				}
			}
		}
		if rows == 0 && filled {
			t.Errorf("%s: the annotation %s has no rows", what, a.Name)
		}
	}
}

// mayBeEmpty: what is asked of one athlete on the team's dashboard need not have
// happened to that one.
func mayBeEmpty(d *dashboard, chosen values) bool {
	return d.UID == "spotter-team" && len(chosen["athlete"]) == 1
}
