package influx

import (
	"context"
	"fmt"
	"strings"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// maxReason bounds what is kept of a server's message, which may quote the point.
const maxReason = 500

// quarantine keeps a line that the server refuses, under the same id however often
// that happens.
func (t *track) quarantine(ctx context.Context, l *line, p *problem) error {
	reason := p.message
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	q := &lift.Quarantined{
		ID:       "qu_" + lift.Digest("influx", t.bucket, l.text),
		Topic:    "influx/" + l.measurement,
		Reason:   fmt.Sprintf("influxdb answered %d: %s", p.status, strings.ToValidUTF8(strings.TrimSpace(reason), "�")),
		Received: t.Now().UTC(),
		Size:     len(l.text),
		Bytes:    []byte(l.text),
		Athlete:  l.athlete,
	}
	e := journal.Event{Kind: journal.KindQuarantined, Received: q.Received, Athlete: l.athlete, Quarantined: q}
	if _, err := t.Log.Append(ctx, e); err != nil {
		return fmt.Errorf("quarantine a point: %w", err)
	}
	t.server.refused()
	t.Logger.Warn("influx refuses a point; it is in quarantine", "id", q.ID, "measurement", l.measurement, "status", p.status)
	return nil
}
