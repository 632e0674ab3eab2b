package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/access"
)

const (
	ticketLife = 60 * time.Second
	maxTickets = 10_000
)

// tickets are the one-time keys of a browser's EventSource, which cannot send a
// header.
type tickets struct {
	mu   sync.Mutex
	held map[string]ticket // by hash
}

type ticket struct {
	id      identity
	expires time.Time
}

func (t *tickets) create(id identity, now time.Time) (string, time.Time, bool) {
	text := rand.Text()
	expires := now.Add(ticketLife)
	t.mu.Lock()
	defer t.mu.Unlock()
	for hash, old := range t.held {
		if !now.Before(old.expires) {
			delete(t.held, hash)
		}
	}
	if len(t.held) >= maxTickets {
		return "", time.Time{}, false
	}
	t.held[access.Hash(text)] = ticket{id, expires}
	return text, expires, true
}

// use takes the ticket: a second use finds nothing.
func (t *tickets) use(text string, now time.Time) (identity, bool) {
	hash := access.Hash(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.held[hash]
	delete(t.held, hash)
	return found.id, ok && now.Before(found.expires)
}

// streamTicket opens one stream once.
type streamTicket struct {
	Ticket  string    `json:"ticket" doc:"give it as ?ticket= to one stream, once"`
	Expires time.Time `json:"expires"`
}

func (s *Server) addTickets() {
	add(s, huma.Operation{
		OperationID: "create-stream-ticket", Method: http.MethodPost, Path: "/api/v1/stream-tickets", Tags: []string{"streams"},
		DefaultStatus: http.StatusCreated, Errors: []int{http.StatusTooManyRequests},
		Summary:     "Get a one-time ticket for a browser's EventSource",
		Description: "A browser's EventSource cannot send the Authorization header. The ticket stands for the token on one stream, once, for 60 seconds.",
	}, permit{ofNobody, everyone}, func(ctx context.Context, _ *struct{}) (*answer[streamTicket], error) {
		text, expires, ok := s.tickets.create(who(ctx), s.now())
		if !ok {
			return nil, huma.Error429TooManyRequests("too many tickets are waiting to be used")
		}
		return &answer[streamTicket]{Status: http.StatusCreated, Body: streamTicket{text, expires.UTC()}}, nil
	})
}
