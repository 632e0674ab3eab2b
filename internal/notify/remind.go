package notify

import (
	"context"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

const (
	// afterSession is how long after the last rep the report of after the session is
	// missing; morning when, by the athlete's clock, that of the next morning is.
	afterSession = 2 * time.Hour
	morning      = 9
	// remindLate is how long after that the athlete is still asked.
	remindLate = 6 * time.Hour
	// remindBack is how far back a session may be that is asked about.
	remindBack = 36 * time.Hour
	// liveRep is how soon a rep must have come to be no backlog.
	liveRep = time.Hour
	// Nobody is reminded on MQTT at night, by the athlete's clock: the phone that shows
	// it has no quiet hours here.
	nightFrom, nightTo = "22:00", "07:00"
)

// remind asks athletes who want it for the reports that are missing.
func (n *Notifier) remind(ctx context.Context, now time.Time) error {
	athletes, err := n.o.View.Athletes(ctx, now.Add(-remindBack))
	if err != nil {
		return err
	}
	for _, a := range athletes {
		profile, ok := n.o.Profile(a.ID)
		if !ok || !profile.Reminders {
			continue
		}
		zone := n.o.AthleteZone(a.ID)
		h, err := n.o.View.History(ctx, a.ID, now.Add(-remindBack), now.Add(-remindBack))
		if err != nil {
			return err
		}
		for _, missing := range missingReports(h.Reps, h.CheckIns, now, zone) {
			if err := n.remindOf(ctx, a.ID, a.Site, missing, now, zone); err != nil {
				return err
			}
		}
	}
	return nil
}

// missingReports returns what is missing at now, with when it was due in Until less
// remindLate.
func missingReports(reps []lift.RepRecord, checkIns []lift.CheckInRecord, now time.Time, zone *time.Location) []Reminder {
	type session struct{ first, last time.Time }
	sessions := map[string]session{}
	for i := range reps {
		r := &reps[i]
		if !r.Valid || r.Historical || r.Source == lift.SourceImported || r.Received.Sub(r.Time) > liveRep {
			continue
		}
		date := r.Time.In(zone).Format(time.DateOnly)
		s, ok := sessions[date]
		if !ok || r.Time.Before(s.first) {
			s.first = r.Time
		}
		if r.Time.After(s.last) {
			s.last = r.Time
		}
		sessions[date] = s
	}
	reported := func(p lift.Phase, since time.Time) bool {
		for i := range checkIns {
			if checkIns[i].Phase == p && !checkIns[i].Time.Before(since) {
				return true
			}
		}
		return false
	}
	var missing []Reminder
	for date, s := range sessions {
		y, m, d := s.last.In(zone).Date()
		tomorrow := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
		for _, r := range []struct {
			phase      lift.Phase
			due, since time.Time
		}{
			{lift.PhaseAfter, s.last.Add(afterSession), s.first},
			{lift.PhaseNextMorning, time.Date(y, m, d+1, morning, 0, 0, 0, zone), tomorrow},
		} {
			until := r.due.Add(remindLate)
			if !now.Before(r.due) && now.Before(until) && !reported(r.phase, r.since) {
				missing = append(missing, Reminder{Phase: r.phase, Session: date, Until: until.UTC()})
			}
		}
	}
	return missing
}

// remindOf puts a reminder into the outbox, once for ever, for each channel of the
// athlete's own and for MQTT.
func (n *Notifier) remindOf(ctx context.Context, a lift.AthleteID, site lift.SiteID, r Reminder, now time.Time, zone *time.Location) error {
	due := []*Delivery{}
	add := func(channel, service string, at time.Time) {
		due = append(due, &Delivery{
			Channel: channel, Service: service, Type: TypeReminder, Athlete: a, Site: site, State: Waiting, Created: now, Due: at,
			key: lift.Digest("reminder", string(a), string(r.Phase), r.Session, channel), expires: r.Until, data: payload{Reminder: &r},
		})
	}
	if _, night := quietUntil(nightFrom, nightTo, now.In(zone)); !night {
		add(ViaMQTT, ViaMQTT, now)
	}
	for _, c := range n.o.Channels.List() {
		if c.Kind == Athlete && c.Athlete == a && !c.Disabled {
			add(c.ID, c.Service(), now)
		}
	}
	fresh, err := n.unknown(ctx, due)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if n.o.CheckInLink != nil {
		if r.Link, err = n.o.CheckInLink(a); err != nil {
			n.o.Logger.Error("a reminder goes out without a link", "error", err)
		}
	}
	return n.enqueueAll(ctx, fresh)
}

// writeReminder fills in the title and the text of a reminder.
func (m *Message) writeReminder() {
	r := m.Reminder
	m.Title = "How was your session?"
	m.Text = "Your report after the session of " + r.Session + " is missing: pain, soreness, and how it went.\n"
	if r.Phase == lift.PhaseNextMorning {
		m.Title = "How are you this morning?"
		m.Text = "Your report of the morning after the session of " + r.Session + " is missing: pain, stiffness, and how you slept.\n"
	}
	if r.Link != "" {
		m.Text += r.Link + "\n"
	}
}
