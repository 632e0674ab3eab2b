package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Run runs the server until the context ends.
func (c *serveCommand) Run(ctx context.Context, s streams) error {
	if err := c.validate(); err != nil {
		return err
	}
	stack, err := openStack(ctx, *c, nil, s.log)
	if err != nil {
		return err
	}
	defer stack.close()
	if stack.newToken != "" {
		fmt.Fprintf(s.err, "Admin token, shown once, only its hash is kept: %s\n", stack.newToken)
	}
	s.log.Info("starting", "version", version, "data", c.Data, "fsync", c.Fsync, "events", stack.journal.LastSeq())
	return stack.run(ctx, announce(s))
}

type healthcheckCommand struct {
	URL string `help:"What to ask." default:"http://127.0.0.1:8080/healthz"`

	trustSettings `embed:""`
}

// Run fails unless the server answers 200.
func (c *healthcheckCommand) Run(ctx context.Context) error {
	var u usageError
	c.validate(&u)
	if err := u.orNil(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask server: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("server answers %s", answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}
