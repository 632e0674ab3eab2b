package profile

import "time"

// Date is a local date, such as 2026-11-22. Dates compare as strings do.
type Date string

// DateOf is the date of a time in a time zone.
func DateOf(t time.Time, zone *time.Location) Date { return Date(t.In(zone).Format(time.DateOnly)) }

// Plus is the date so many days later.
func (d Date) Plus(days int) Date { return Date(d.time().AddDate(0, 0, days).Format(time.DateOnly)) }

// days is the number of the date in an endless calendar.
func (d Date) days() int { return int(d.time().Unix() / (24 * 60 * 60)) }

// time is the date's midnight in UTC. Dates are made by DateOf and Plus: there is
// no other form.
func (d Date) time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}
