package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Heartbeat tells somebody outside, each minute, that all is well: it is they who
// raise the alarm when nothing comes.
type Heartbeat struct {
	URL string
	// Stalls returns what makes no progress, in words. It is asked once a minute, and
	// while it returns anything nothing is sent.
	Stalls func(ctx context.Context) []string
	Logger *slog.Logger
}

const heartbeatEvery = time.Minute

// Run sends until the context ends, whose error it returns.
func (h *Heartbeat) Run(ctx context.Context) error {
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		problem := strings.Join(h.Stalls(ctx), "; ")
		if problem == "" {
			if err := h.beat(ctx, client); err != nil {
				problem = err.Error()
			}
		}
		if problem != said && ctx.Err() == nil {
			if said = problem; problem == "" {
				h.Logger.Info("the heartbeat goes out again")
			} else {
				h.Logger.Error("no heartbeat goes out", "reason", problem)
			}
		}
	}
}

// beat asks the URL once. It may hold a secret, which no error repeats.
func (h *Heartbeat) beat(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return errors.New("its URL cannot be used")
	}
	request.Header.Set("User-Agent", "spotter")
	answer, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return fmt.Errorf("its address does not answer: %w", err)
	}
	if err := answer.Body.Close(); err != nil {
		return fmt.Errorf("its address does not answer: %w", err)
	}
	if answer.StatusCode > 299 {
		return fmt.Errorf("its address answers %s", answer.Status)
	}
	return nil
}

// Progress watches followers of the log: each must be, at the next look, where the
// log's end was at this one. Ticks move the end each minute, so that an end that
// stands still is a standstill too.
type Progress struct {
	End       func() uint64
	Followers map[string]func() uint64 // by name
	// Others returns what else is wrong.
	Others func(ctx context.Context) []string

	looked bool
	end    uint64
	still  int // looks in a row that found the same end
}

// standstill is how many looks in a row may find the same end.
const standstill = 2

// Stalls is what a Heartbeat asks. It belongs to one goroutine.
func (p *Progress) Stalls(ctx context.Context) []string {
	var stalls []string
	end := p.End()
	if p.still++; end != p.end {
		p.still = 0
	}
	if p.still > standstill {
		stalls = append(stalls, "the log takes no events")
	}
	for name, position := range p.Followers {
		if p.looked && position() < p.end {
			stalls = append(stalls, name+" makes no progress")
		}
	}
	p.looked, p.end = true, end
	slices.Sort(stalls)
	return append(stalls, p.Others(ctx)...)
}
