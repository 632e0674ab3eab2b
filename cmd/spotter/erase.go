package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/ingest/influx"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/privacy"
)

type eraseCommand struct {
	logSettings    `embed:""`
	serverSettings `embed:""`

	Athlete string `arg:"" help:"Id of the athlete."`
	Yes     bool   `help:"Yes, erase everything about them. It cannot be taken back."`
	Reason  string `help:"Why; kept until the erase is done."`

	InfluxURL       string `name:"influx-url" help:"InfluxDB to erase from, with --data."`
	InfluxToken     string `name:"influx-token" help:"Token for InfluxDB; on 1.8 user:password, or nothing."`
	InfluxTokenFile string `name:"influx-token-file" help:"File with the token for InfluxDB." type:"path"`
	InfluxOrg       string `name:"influx-org" help:"Organisation at InfluxDB 2.x." default:"spotter"`
	InfluxBucket    string `name:"influx-bucket" help:"Bucket at InfluxDB." default:"spotter"`
}

// receiptShown is a receipt as it is printed.
type receiptShown struct {
	ID     string             `json:"id"`
	State  string             `json:"state"`
	Stores []lift.StoreErased `json:"stores"`
}

// Run erases an athlete and waits until that is done.
func (c *eraseCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	c.serverSettings.validate(&u)
	fileSetting(&u, "influx-token", &c.InfluxToken, c.InfluxTokenFile)
	if err := lift.CheckID("athlete", c.Athlete); err != nil {
		u.problems = append(u.problems, err)
	}
	c.logSettings.validate(&u)
	if c.InfluxURL != "" {
		checkURL(&u, "influx-url", c.InfluxURL, "http", "https")
		if c.Server != "" {
			u.addf("--influx-url: is for --data; a server knows its own")
		}
	}
	if !c.Yes {
		u.addf("--yes: is missing; everything about %q would be gone for good", c.Athlete)
	}
	checkFolder(&u, &c.logSettings, &c.serverSettings)
	if err := u.orNil(); err != nil {
		return err
	}
	do := c.ask
	if c.Server == "" {
		do = c.eraseFolder
	}
	receipt, err := do(ctx, s)
	if err != nil {
		return err
	}
	return receipt.print(s.out)
}

func (r *receiptShown) print(to io.Writer) error {
	fmt.Fprintf(to, "receipt %s: %s\n", r.ID, r.State)
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, store := range r.Stores {
		fmt.Fprintf(table, "%s\t%s\t%s\n", store.Store, store.State, store.Detail)
	}
	return table.Flush()
}

// look is how often a receipt is looked at.
const look = 300 * time.Millisecond

// ask lets a server erase.
func (c *eraseCommand) ask(ctx context.Context, s streams) (*receiptShown, error) {
	var asked struct {
		Receipt string `json:"receipt"`
	}
	if err := c.send(ctx, http.MethodDelete, "/api/v1/athletes/"+c.Athlete+"?reason="+url.QueryEscape(c.Reason), nil, &asked); err != nil {
		return nil, err
	}
	fmt.Fprintf(s.err, "the receipt is %s; the server goes on by itself\n", asked.Receipt)
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		var r receiptShown
		if err := c.send(ctx, http.MethodGet, "/api/v1/erasures/"+asked.Receipt, nil, &r); err != nil {
			return nil, err
		}
		if r.State == privacy.Done {
			return &r, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// eraseFolder erases from a data folder that no server holds.
func (c *eraseCommand) eraseFolder(ctx context.Context, s streams) (_ *receiptShown, err error) {
	f, err := c.openFolder(ctx, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	tombs, err := privacy.OpenTombstones(c.Data, s.log)
	if err != nil {
		return nil, err
	}
	if err := tombs.Load(ctx, f.log, f.view); err != nil {
		return nil, err
	}
	stores, done, err := c.stores(ctx, s, f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	eraser := privacy.New(privacy.Options{Log: f.log, View: f.view, Tombstones: tombs, Stores: stores, Logger: s.log, Now: time.Now})
	receipt, seq, err := eraser.Begin(ctx, lift.AthleteID(c.Athlete), "spotter erase", c.Reason)
	if err != nil {
		return nil, err
	}
	if err := f.view.WaitFor(ctx, seq); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { _ = eraser.Run(running) }) // ends when it is stopped
	defer working.Wait()
	defer stop()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		e, err := f.view.Erasure(ctx, receipt)
		if err != nil {
			return nil, err
		}
		if !e.Done.IsZero() {
			return &receiptShown{receipt, privacy.Done, e.Stores}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// stores are those of a folder without a server.
func (c *eraseCommand) stores(ctx context.Context, s streams, f *folder) (_ []privacy.Store, done func() error, err error) {
	channels, err := notify.OpenChannels(c.Data)
	if err != nil {
		return nil, nil, err
	}
	notifier, err := notify.Open(ctx, notify.Options{
		Path: filepath.Join(c.Data, "notify.db"), View: f.view, End: f.log.LastSeq, Channels: channels, Logger: s.log, Now: time.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	var follower *influx.Follower
	if c.InfluxURL != "" {
		follower, err = influx.New(influx.Options{
			URL: c.InfluxURL, Token: c.InfluxToken, Org: c.InfluxOrg, Bucket: c.InfluxBucket, Log: f.log, View: f.view, Logger: s.log,
			Sets: func(_ lift.AthleteID, t influx.Training) []lift.Set { return analysis.Sets(t.Reps, t.Logged, time.UTC) },
			Weeks: func(a lift.AthleteID, t influx.Training, now time.Time) []lift.Week {
				return analysis.Weeks(analysis.History{Athlete: a, Reps: t.Reps, Logged: t.Logged}, analysis.Settings{}, now)
			},
			Plan: planIn(f.view, func(lift.AthleteID) analysis.Settings { return analysis.Settings{} }),
		})
		if err != nil {
			return nil, nil, errors.Join(err, notifier.Close())
		}
	}
	return []privacy.Store{
		influxStore(follower),
		{Name: "deliveries", Erase: forgetDeliveries(notifier)},
		{Name: "retained messages", Erase: func(context.Context, privacy.Subject) (state, detail string, err error) {
			return privacy.Kept, "the broker was not asked, because the server was not running: clear what it retains of the athlete's assignments", nil
		}},
		tokenStore(c.Data),
		backupStore(c.Data),
	}, notifier.Close, nil
}
