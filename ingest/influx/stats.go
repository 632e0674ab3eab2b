package influx

import "time"

// Stats is how far the follower is and what it has done since it was made. Classes
// and counts only: nothing in it speaks of a person.
type Stats struct {
	Events  Lag
	Samples Lag

	Points      int64 // that the server has confirmed, repeats counted too
	Batches     int64 // requests that it has confirmed
	Retries     int64 // requests that were made again
	Quarantined int64 // points that it refused
	Expired     int64 // points older than the bucket keeps

	Connected bool   // the last request was answered with yes or a refusal
	LastError Class  // of the newest request that failed, "" before the first
	Version   string // of the server, "" before it is known, 1.x or 2.x where that is all
	// LastWrite is how long the newest confirmed request took.
	LastWrite time.Duration
}

// Lag is how far one stream is behind.
type Lag struct {
	Position uint64        // in the log, up to which everything is written
	Events   uint64        // that are not written yet
	Age      time.Duration // since the oldest of them was received, about; 0 without any
}

// Stats returns the present state. It never waits for the server.
func (f *Follower) Stats() Stats {
	s := f.server
	s.mu.Lock()
	stats := Stats{
		Points: s.counts.points, Batches: s.counts.batches, Retries: s.counts.retries,
		Quarantined: s.counts.quarantined, Expired: s.counts.expired,
		Connected: s.counts.connected, LastError: s.counts.lastError, Version: s.version, LastWrite: s.counts.lastWrite,
	}
	s.mu.Unlock()
	stats.Events, stats.Samples = f.events.lag(), f.samples.lag()
	return stats
}

func (t *track) lag() Lag {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.follower == nil {
		return Lag{}
	}
	lag := Lag{Position: t.pos}
	if end := t.follower.End(); end > t.pos {
		lag.Events = end - t.pos
		if !t.since.IsZero() {
			lag.Age = max(t.Now().Sub(t.since), 0)
		}
	}
	return lag
}

type counts struct {
	points, batches, retries, quarantined, expired int64

	connected bool
	lastError Class
	lastWrite time.Duration
}

func (s *server) wrote(points, expired int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.points += int64(points)
	s.counts.expired += int64(expired)
	s.counts.batches++
	s.counts.lastWrite = took
}

func (s *server) refused() {
	s.mu.Lock()
	s.counts.quarantined++
	s.mu.Unlock()
}

// note keeps the outcome of a request and logs where it differs from the one before.
func (s *server) note(p *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, wasError := s.counts.connected, s.counts.lastError
	s.counts.connected = p == nil || p.class == Refused
	if p != nil {
		s.counts.lastError = p.class
	}
	if !s.counts.connected {
		s.counts.retries++
		if p.class == Missing {
			s.ready = false
		}
	}
	switch {
	case s.counts.connected && !was:
		s.Logger.Info("influx answers", "version", s.version)
	case !s.counts.connected && (was || wasError != p.class):
		reason := ""
		if p.class == Away {
			reason = p.message // an answer's message stays out of the log: it may quote a point
		}
		s.Logger.Warn("influx does not take points; trying again", "class", p.class, "status", p.status, "error", reason)
	}
}
