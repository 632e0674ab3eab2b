package influx

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// alerts adds the alerts with the ids as they stand.
func (b *batch) alerts(ids []string) error {
	done := map[string]bool{}
	for _, id := range ids {
		if done[id] {
			continue
		}
		a, err := b.View.Alert(b.ctx, id)
		if errors.Is(err, view.ErrNotFound) {
			continue // erased since
		}
		if err != nil {
			return err
		}
		near, err := b.openedWith(&a)
		if err != nil {
			return err
		}
		for _, n := range near {
			done[n.ID] = true
		}
		if err := b.row(near); err != nil {
			return err
		}
	}
	return nil
}

// placed is an alert with the time of its point.
type placed struct {
	lift.Alert
	ms int64
}

// openedWith returns the alerts of one athlete and rule that were opened at one
// time with a, and a itself, each with a millisecond of its own: alerts that are
// found together are opened together.
func (b *batch) openedWith(a *lift.Alert) ([]placed, error) {
	q := view.AlertQuery{Athlete: a.Athlete, Rule: a.Rule, Since: a.Opened.Add(-time.Second), Until: a.Opened.Add(time.Second)}
	var near []placed
	for page := (view.Page{Limit: 500}); ; {
		alerts, next, err := b.View.Alerts(b.ctx, q, page)
		if err != nil {
			return nil, err
		}
		for i := range alerts {
			near = append(near, placed{Alert: alerts[i]})
		}
		if next == "" {
			break
		}
		page.Cursor = next
	}
	slices.SortFunc(near, func(a, b placed) int {
		return cmp.Or(cmp.Compare(millis(a.Opened), millis(b.Opened)), strings.Compare(a.ID, b.ID))
	})
	for i := range near {
		near[i].ms = millis(near[i].Opened)
		if i > 0 {
			near[i].ms = max(near[i].ms, near[i-1].ms+1)
		}
	}
	first := slices.IndexFunc(near, func(n placed) bool { return n.ID == a.ID })
	if first < 0 {
		return nil, nil // erased since
	}
	end := first + 1
	for first > 0 && near[first-1].ms+1 == near[first].ms {
		first--
	}
	for end < len(near) && near[end-1].ms+1 == near[end].ms {
		end++
	}
	return near[first:end], nil
}

// row adds alerts that stand side by side, and voids the points in which they stood
// with another severity or before another came between them.
func (b *batch) row(alerts []placed) error {
	type tags struct {
		site     lift.SiteID
		severity lift.Severity
	}
	seen := map[tags]bool{}
	for i := range alerts {
		a := &alerts[i]
		id := alertIdentity(a)
		b.add(id, alertLine(&id, a))
		if len(alerts) == 1 && a.Revision == 1 {
			continue
		}
		steps, err := b.View.AlertSteps(b.ctx, a.ID)
		if err != nil {
			return err
		}
		for _, s := range steps {
			seen[tags{s.Alert.Site, s.Alert.Severity}] = true
		}
	}
	for t := range seen {
		for i := range alerts {
			id := alertIdentity(&alerts[i])
			id.site, id.severity = t.site, t.severity
			if !b.written[id] {
				b.written[id] = true
				b.voids = append(b.voids, id.void())
			}
		}
	}
	return nil
}

func alertIdentity(a *placed) identity {
	return identity{measurement: "alert", athlete: a.Athlete, rule: a.Rule, severity: a.Severity, site: a.Site, ms: a.ms}
}

// alertLine is open while somebody may still have to do something.
func alertLine(id *identity, a *placed) line {
	var f fields
	f.number("value", a.Evidence.Value)
	f.number("threshold", a.Evidence.Threshold)
	f.yes("open", a.State == lift.AlertOpen || a.State == lift.AlertAcknowledged)
	f.string("message", a.Message)
	f.yes("valid", a.State != lift.AlertRetracted)
	return id.line(&f)
}
