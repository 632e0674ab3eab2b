package notify

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const (
	// digestHour is when the digest is due on Monday, as analysis.DigestWeek has it.
	digestHour = 6
	// digestLate is how long after Monday at 06:00 a digest is still sent.
	digestLate = 48 * time.Hour
	// maxDigest and maxOfAthlete bound what is written out: the rest is counted.
	maxDigest    = 40
	maxOfAthlete = 3
	digestChunk  = 500
)

// digests plans the week's digest of each channel that wants one.
func (n *Notifier) digests(ctx context.Context, now time.Time) error {
	var due []*Delivery
	for _, c := range n.o.Channels.List() {
		if !c.Digest || c.Disabled {
			continue
		}
		zone := c.location(n.o.SiteZone)
		week, from, to := analysis.DigestWeek(now, zone)
		y, month, day := to.In(zone).Date()
		at := time.Date(y, month, day, digestHour, 0, 0, 0, zone)
		if c.Created.After(at) || now.Sub(at) > digestLate {
			continue
		}
		due = append(due, &Delivery{
			Channel: c.ID, Service: c.Service(), Type: TypeDigest, State: Waiting, Created: now, Due: now, Site: c.Site,
			key: lift.Digest("digest", c.ID, week), data: payload{Week: week, From: from, To: to},
		})
	}
	return n.enqueueAll(ctx, due)
}

// unknown returns those deliveries that have not been in the outbox.
func (n *Notifier) unknown(ctx context.Context, all []*Delivery) ([]*Delivery, error) {
	var fresh []*Delivery
	for _, d := range all {
		var known int
		if err := n.store.read.QueryRowContext(ctx, "SELECT count(*) FROM deliveries WHERE key = ?", d.key).Scan(&known); err != nil {
			return nil, err
		}
		if known == 0 {
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

// enqueueAll puts deliveries into the outbox that have not been there.
func (n *Notifier) enqueueAll(ctx context.Context, all []*Delivery) error {
	fresh, err := n.unknown(ctx, all)
	if err != nil || len(fresh) == 0 {
		return err
	}
	err = n.store.in(ctx, func(tx *sql.Tx) error {
		for _, d := range fresh {
			if err := enqueue(ctx, tx, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		n.wakeWorkers()
	}
	return err
}

// writeDigest writes the week's alerts of the channel's site and teams by athlete,
// those with the worst first, as they stand now.
func (n *Notifier) writeDigest(ctx context.Context, c *Channel, m *Message, p *payload, who func(lift.AthleteID) string) error {
	byAthlete := map[lift.AthleteID][]lift.Alert{}
	counts := map[lift.Severity]int{}
	for page := (view.Page{Limit: digestChunk}); ; {
		alerts, next, err := n.o.View.Alerts(ctx, view.AlertQuery{Site: c.Site, Since: p.From, Until: p.To}, page)
		if err != nil {
			return err
		}
		for _, a := range alerts {
			if a.State == lift.AlertRetracted || a.Historical || a.Athlete == "" || !n.inTeams(c, a.Athlete) {
				continue
			}
			byAthlete[a.Athlete] = append(byAthlete[a.Athlete], a)
			counts[a.Severity]++
		}
		if next == "" {
			break
		}
		page.Cursor = next
	}
	var athletes []lift.AthleteID
	for a, alerts := range byAthlete {
		slices.SortFunc(alerts, func(a, b lift.Alert) int {
			return cmp.Or(b.Severity.Compare(a.Severity), a.Opened.Compare(b.Opened), strings.Compare(a.ID, b.ID))
		})
		athletes = append(athletes, a)
	}
	slices.SortFunc(athletes, func(a, b lift.AthleteID) int {
		return cmp.Or(byAthlete[b][0].Severity.Compare(byAthlete[a][0].Severity), strings.Compare(string(a), string(b)))
	})
	m.Title = "Week " + p.Week + ": " + tally(counts)
	var b strings.Builder
	for i, id := range athletes {
		if i == maxDigest {
			fmt.Fprintf(&b, "… and %d more athletes\n", len(athletes)-maxDigest)
			break
		}
		alerts := byAthlete[id]
		fmt.Fprintf(&b, "%s\n", who(id))
		for j := range alerts {
			if j == maxOfAthlete {
				fmt.Fprintf(&b, "- and %d more\n", len(alerts)-maxOfAthlete)
				break
			}
			fmt.Fprintf(&b, "- %s, %s: %s\n", alerts[j].Severity, alerts[j].State, oneLine(alerts[j].Title))
		}
	}
	if len(athletes) == 0 {
		b.WriteString("Nothing was found last week.\n")
	}
	m.Text = b.String()
	return nil
}

func (n *Notifier) inTeams(c *Channel, a lift.AthleteID) bool {
	return len(c.Teams) == 0 || slices.ContainsFunc(n.teams(a), func(t lift.TeamID) bool { return slices.Contains(c.Teams, t) })
}

func tally(counts map[lift.Severity]int) string {
	var parts []string
	for _, s := range slices.Backward(severities[1:]) {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	if len(parts) == 0 {
		return "no alerts"
	}
	return strings.Join(parts, ", ")
}
