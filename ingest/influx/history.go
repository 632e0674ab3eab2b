package influx

import (
	"iter"

	"github.com/spotterhq/spotter/internal/lift"
)

// History is what is known of one athlete, to be stored past the log: to find out how
// InfluxDB answers when it holds years, which a log cannot be filled with in the time.
type History struct {
	Athlete  lift.AthleteID
	Site     lift.SiteID // of the weeks
	Reps     []lift.RepRecord
	Sets     []lift.Set
	Weeks    []lift.Week
	CheckIns []lift.CheckInRecord
	Alerts   []lift.Alert // no two of one rule and time
	Profile  lift.Record
}

// Lines are the line protocol of what a follower would have written, times in
// milliseconds.
func (h *History) Lines() iter.Seq[string] {
	return func(yield func(string) bool) {
		on := true
		put := func(l line) { on = on && yield(l.text) }
		byID := map[string]*lift.RepRecord{}
		for i := range h.Reps {
			byID[h.Reps[i].ID] = &h.Reps[i]
			put(repLine(&h.Reps[i]))
		}
		for i := range h.Sets {
			id := setIdentity(&h.Sets[i])
			put(setLine(&id, &h.Sets[i]))
			var d derivation
			d.losses(&h.Sets[i], byID)
			for _, l := range d.lines {
				put(l)
			}
		}
		for i := range h.Weeks {
			w := &h.Weeks[i]
			id := identity{measurement: "week", athlete: h.Athlete, kind: w.Group, site: h.Site, ms: millis(w.From)}
			put(weekLine(&id, w))
		}
		for i := range h.CheckIns {
			c := &h.CheckIns[i]
			put(checkInLine(c))
			id := identity{measurement: "plan", athlete: c.Athlete, site: c.Site, ms: millis(c.Time)}
			put(planLine(&id, Plan{}))
		}
		for i := range h.Alerts {
			a := placed{Alert: h.Alerts[i], ms: millis(h.Alerts[i].Opened)}
			id := alertIdentity(&a)
			put(alertLine(&id, &a))
		}
		if h.Profile.Athlete != nil {
			for _, l := range memberLines(&h.Profile) {
				put(l)
			}
		}
	}
}
