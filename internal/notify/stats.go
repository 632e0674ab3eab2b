package notify

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Stats are totals since the program started.
type Stats struct {
	Withheld atomic.Int64 // alerts with which the policy interrupted nobody
	Unrouted atomic.Int64 // alerts that should have, and had no channel to go
	// Deliveries are counted by service and by result: sent, retried or failed.
	Deliveries *prometheus.CounterVec
}

func newStats() *Stats {
	s := &Stats{Deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "spotter_notify_deliveries_total", Help: "Deliveries by kind of channel and result.",
	}, []string{"service", "result"})}
	s.done(ViaMQTT, Sent, 0)
	return s
}

func (s *Stats) done(service string, result State, count int) {
	s.Deliveries.WithLabelValues(service, string(result)).Add(float64(count))
}

// Waiting returns how many deliveries are due and have not been sent, and for how long
// the oldest of them has been; -1 where the outbox cannot be read.
func (n *Notifier) Waiting() (count int, oldest time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	count, oldest, err := n.waiting(ctx)
	if err != nil {
		return -1, 0
	}
	return count, oldest
}

// overdue is for how long something may be due before delivery counts as stalled.
const overdue = 10 * time.Minute

// Overdue returns, in words, what keeps delivery from making progress.
func (n *Notifier) Overdue(ctx context.Context) []string {
	count, oldest, err := n.waiting(ctx)
	switch {
	case err != nil:
		return []string{"the outbox cannot be read"}
	case oldest > overdue:
		return []string{fmt.Sprintf("%d deliveries are overdue, the oldest since %s", count, oldest.Round(time.Minute))}
	}
	return nil
}

func (n *Notifier) waiting(ctx context.Context) (count int, oldest time.Duration, err error) {
	now := n.now()
	var due *int64
	err = n.store.read.QueryRowContext(ctx, "SELECT count(*), min(due_us) FROM deliveries WHERE state = 'waiting' AND due_us <= ?", now.UnixMicro()).Scan(&count, &due)
	if err == nil && due != nil {
		oldest = now.Sub(micros(*due))
	}
	return count, oldest, err
}
