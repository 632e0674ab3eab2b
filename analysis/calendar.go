package analysis

import (
	"fmt"
	"math"
	"time"
)

// Lookback is how far before a week its baseline reaches. What is found in the
// training of a week depends on nothing older, and a change touches no week later
// than that.
const Lookback = lookbackWeeks * 7 * 24 * time.Hour

const lookbackWeeks = 8

// reportWeeks is how far before a week check-ins matter: a stretch of pain is
// followed for twelve weeks, and so are stiff mornings.
const reportWeeks = 16

// LoadFrom returns the times from which on reps and check-ins are needed to judge
// the windows from evaluateFrom on. They are zero if evaluateFrom is. Decisions
// about plans are needed all.
func LoadFrom(evaluateFrom time.Time, zone *time.Location) (reps, checkIns time.Time) {
	if evaluateFrom.IsZero() {
		return time.Time{}, time.Time{}
	}
	if zone == nil {
		zone = time.UTC
	}
	week := firstJudged(evaluateFrom, zone)
	return (week - 7*lookbackWeeks - 1).start(zone), (week - 7*reportWeeks).start(zone)
}

// NextDay returns when the local date after t begins: before then, time alone
// changes only sets that are not finished. A nil zone means UTC.
func NextDay(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return (dateOf(t, zone) + 1).start(zone)
}

// firstJudged is the Monday from which on windows are judged. The day before
// counts too: a rep after midnight may belong to a set begun before it, and a
// morning's pain to the session of the day before.
func firstJudged(evaluateFrom time.Time, zone *time.Location) date {
	return (dateOf(evaluateFrom, zone) - 1).monday()
}

// date is a local date as the number of days since 1 January 1970.
type date int32

func dateOf(t time.Time, zone *time.Location) date {
	y, m, d := t.In(zone).Date()
	return date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d date) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// monday is the first day of d's ISO week.
func (d date) monday() date { return d - ((d+3)%7+7)%7 }

func (d date) String() string { return d.utc().Format(time.DateOnly) }

// week is the label of d's ISO week, such as 2026-W47.
func (d date) week() string {
	y, w := d.utc().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w)
}

// start is the first instant of the date: midnight, unless the clocks change
// at midnight.
func (d date) start(zone *time.Location) time.Time {
	const step = 30 * time.Minute
	y, m, day := d.utc().Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, zone)
	for dateOf(t, zone) < d {
		t = t.Add(step)
	}
	for dateOf(t.Add(-step), zone) >= d {
		t = t.Add(-step)
	}
	return t.UTC()
}

// nanos is t in Unix nanoseconds; the zero time is before all others.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixNano()
}
