package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/api"
	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/journal"
)

// quarantineCommand looks after the messages that could not be used.
type quarantineCommand struct {
	List   quarantineListCommand   `cmd:"" help:"List them, newest first."`
	Show   quarantineShowCommand   `cmd:"" help:"Write the bytes of one."`
	Replay quarantineReplayCommand `cmd:"" help:"Take one in, as it is or corrected."`
	Delete quarantineDeleteCommand `cmd:"" help:"Delete one for good."`
}

// dataSettings say where a command's work is done: by a running server, or on a data
// folder that none holds.
type dataSettings struct {
	logSettings    `embed:""`
	serverSettings `embed:""`
}

// validate reports what of them cannot be used, and reads the files that they name. It
// is called once: what a file has filled would count as given twice.
func (c *dataSettings) validate(u *usageError) {
	c.serverSettings.validate(u)
	c.logSettings.validate(u)
}

// with lets work ask the server; without one the folder's own API answers, on this
// machine and for so long only.
func (c *dataSettings) with(ctx context.Context, s streams, work func(*serverSettings) error) error {
	var u usageError
	c.validate(&u)
	if err := u.orNil(); err != nil {
		return err
	}
	return c.withOptions(ctx, s, func(*folder, *api.Options) error { return nil }, work)
}

// withOptions is with, after validate, where the folder's API has further options.
func (c *dataSettings) withOptions(ctx context.Context, s streams, change func(*folder, *api.Options) error, work func(*serverSettings) error) (err error) {
	if c.Server != "" {
		return work(&c.serverSettings)
	}
	f, err := c.openFolder(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	token := rand.Text()
	auth, _, err := api.LoadOrCreateAdmin(c.Data, token, time.Now())
	if err != nil {
		return err
	}
	options := api.Options{
		View: f.view, Log: f.log, Clock: time.Now, Logger: s.log, Auth: auth, Sets: analysis.Sets, Weeks: analysis.Weeks, Version: version,
		Decode: func(topic string, payload []byte, received time.Time) []journal.Event {
			return ingest.Decode(ingest.Message{Topic: topic, Payload: payload, Received: received}).Events
		},
	}
	if err := change(f, &options); err != nil {
		return err
	}
	server, err := api.New(options)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the folder's API: %w", err)
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(serving, listener) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	return work(&serverSettings{
		Server: "http://" + listener.Addr().String(), Token: token, trustSettings: trustSettings{client: http.DefaultClient},
	})
}

type quarantineListCommand struct {
	dataSettings `embed:""`
}

// Run lists what is in quarantine.
func (c *quarantineListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(server *serverSettings) error {
		items, err := pages[api.QuarantineItem](ctx, server, "/api/v1/quarantine")
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tRECEIVED\tSIZE\tTOPIC\tFIELD\tREASON")
		for _, q := range items {
			fmt.Fprintf(table, "%s\t%s\t%d\t%q\t%q\t%q\n", q.ID, q.Received.Format(time.RFC3339), q.Size, q.Topic, q.Field, q.Reason)
		}
		return table.Flush()
	})
}

type quarantineShowCommand struct {
	dataSettings `embed:""`
	ID           string `arg:"" help:"Id of the message, qu_…"`
}

// Run writes a message's bytes to standard output.
func (c *quarantineShowCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(server *serverSettings) error {
		var q struct {
			Bytes     []byte `json:"bytes"`
			Truncated bool   `json:"truncated"`
		}
		if err := server.send(ctx, http.MethodGet, "/api/v1/quarantine/"+url.PathEscape(c.ID), nil, &q); err != nil {
			return err
		}
		if q.Truncated {
			fmt.Fprintln(s.err, "Only the first part of the message was kept.")
		}
		_, err := s.out.Write(q.Bytes)
		return err
	})
}

type quarantineReplayCommand struct {
	dataSettings `embed:""`
	ID           string `arg:"" help:"Id of the message, qu_…"`
	Corrected    string `help:"File with the corrected message; without it the message is taken as it came." type:"existingfile"`
}

// Run takes a message in.
func (c *quarantineReplayCommand) Run(ctx context.Context, s streams) error {
	var message []byte
	if c.Corrected != "" {
		var err error
		if message, err = os.ReadFile(c.Corrected); err != nil {
			return fmt.Errorf("--corrected: %w", errors.Unwrap(err))
		}
	}
	return c.with(ctx, s, func(server *serverSettings) error {
		answer, data, err := server.ask(ctx, http.MethodPost, "/api/v1/quarantine/"+url.PathEscape(c.ID)+"/replay", message)
		if err == nil && answer.StatusCode >= http.StatusMultipleChoices {
			err = refused(answer.Status, data)
		}
		return err
	})
}

type quarantineDeleteCommand struct {
	dataSettings `embed:""`
	ID           string `arg:"" help:"Id of the message, qu_…"`
}

// Run deletes a message.
func (c *quarantineDeleteCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(server *serverSettings) error {
		return server.send(ctx, http.MethodDelete, "/api/v1/quarantine/"+url.PathEscape(c.ID), nil, nil)
	})
}
