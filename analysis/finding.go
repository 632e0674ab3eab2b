package analysis

import (
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// finding begins what a rule says of a window; about is the group or exercise
// that tells it from other findings of the same rule and window.
func (d *diary) finding(rule lift.Rule, severity lift.Severity, about string, w lift.Window) lift.Finding {
	return lift.Finding{
		ID:   lift.AlertID(rule, d.athlete, about, w.Kind, w.ID),
		Site: d.site, Athlete: d.athlete, Rule: rule, Severity: severity, Window: w,
	}
}

// ofLift is finding for an exercise, ofGroup for a group.
func (d *diary) ofLift(rule lift.Rule, severity lift.Severity, x int32, w lift.Window) lift.Finding {
	e := &d.lifts[x]
	f := d.finding(rule, severity, string(e.id), w)
	f.Exercise, f.Group = e.id, e.group
	return f
}

func (d *diary) ofGroup(rule lift.Rule, severity lift.Severity, group string, w lift.Window) lift.Finding {
	f := d.finding(rule, severity, group, w)
	f.Group = group
	return f
}

func (d *diary) setWindow(k int32) lift.Window {
	s := &d.sets[k]
	return lift.Window{
		Kind: lift.WindowSet, ID: d.setID(k),
		From: time.Unix(0, s.started).UTC(), To: time.Unix(0, d.of(s).ended).UTC(),
	}
}

func (d *diary) dayWindow(day date) lift.Window {
	return lift.Window{Kind: lift.WindowSession, ID: day.String(), From: day.start(d.Zone), To: (day + 1).start(d.Zone)}
}

func (d *diary) weekWindow(monday date) lift.Window {
	return lift.Window{Kind: lift.WindowWeek, ID: monday.week(), From: monday.start(d.Zone), To: (monday + 7).start(d.Zone)}
}

// episodeWindow is a stretch of days, the last included, known by its first.
func (d *diary) episodeWindow(from, last date) lift.Window {
	return lift.Window{Kind: lift.WindowEpisode, ID: from.String(), From: from.start(d.Zone), To: (last + 1).start(d.Zone)}
}

const (
	full        = "full"
	provisional = "provisional"
)
