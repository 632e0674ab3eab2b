package notify

import (
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// first is whom an alert is told when it is pushed; the other addressees are those
// of analysis.Escalations.
const first = "first"

// route returns the channels that are told of an alert about an athlete of the given
// teams. Where no channel of the kind that is asked for fits, the next kind is told
// instead: what is pushed shall reach somebody.
func route(all []Channel, a *lift.Alert, teams []lift.TeamID, to string) []Channel {
	pick := func(ask func(*Channel) bool) []Channel {
		var found []Channel
		for i := range all {
			if c := &all[i]; !c.Disabled && (c.Site == "" || c.Site == a.Site) && ask(c) {
				found = append(found, *c)
			}
		}
		return found
	}
	wants := func(c *Channel) bool {
		return a.Severity.Compare(c.least()) >= 0 && (len(c.Rules) == 0 || slices.Contains(c.Rules, a.Rule)) &&
			(len(c.Teams) == 0 || slices.ContainsFunc(teams, func(t lift.TeamID) bool { return slices.Contains(c.Teams, t) }))
	}
	kinds := []Kind{Coach, SecondCoach, Everybody}
	switch to {
	case "everybody":
		return pick(func(c *Channel) bool { return c.Kind != Athlete || c.Athlete == a.Athlete })
	case "second_coach":
		kinds = []Kind{SecondCoach, Everybody, Coach}
	}
	var found []Channel
	for _, k := range kinds {
		if found = pick(func(c *Channel) bool { return c.Kind == k && wants(c) }); len(found) > 0 {
			break
		}
	}
	if to == first {
		found = append(found, pick(func(c *Channel) bool { return c.Kind == Athlete && c.Athlete == a.Athlete && wants(c) })...)
	}
	return found
}

// location is the channel's time zone, its site's where it has none of its own.
func (c *Channel) location(site func(lift.SiteID) *time.Location) *time.Location {
	if c.Zone != "" {
		if zone, err := time.LoadLocation(c.Zone); err == nil {
			return zone
		}
	}
	return site(c.Site)
}

// quietUntil returns when the quiet hours end in which a message of the severity
// would fall at now, and false where it may be sent.
func (c *Channel) quietUntil(s lift.Severity, now time.Time, site func(lift.SiteID) *time.Location) (time.Time, bool) {
	if c.Quiet == nil || s == lift.Urgent || s == lift.Critical && c.Quiet.Critical {
		return time.Time{}, false
	}
	return quietUntil(c.Quiet.From, c.Quiet.To, now.In(c.location(site)))
}

// quietUntil takes two times of day and a local time.
func quietUntil(from, to string, now time.Time) (time.Time, bool) {
	at := func(clock string, day int) time.Time {
		t, _ := time.Parse("15:04", clock) // was checked
		y, m, d := now.Date()
		return time.Date(y, m, d+day, t.Hour(), t.Minute(), 0, 0, now.Location())
	}
	overnight := 0
	if to <= from {
		overnight = 1
	}
	for _, day := range []int{-1, 0} { // quiet hours that began yesterday, or today
		if begin, end := at(from, day), at(to, day+overnight); !now.Before(begin) && now.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}
