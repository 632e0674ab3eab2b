package files

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// DateOrder tells how dates such as 03/04/2026 are read.
type DateOrder string

// The orders of day and month.
const (
	DayFirst   DateOrder = "day-month"
	MonthFirst DateOrder = "month-day"
)

// moment is a time as a file writes it.
type moment struct {
	time  time.Time // in UTC unless zoned
	zoned bool
	day   bool // no time of day; time is noon
}

// The notations of times; all begin with the year or name the month, so that none
// can be mistaken for another. The last ones are what JavaScript makes of a date.
var (
	zonedLayouts = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04Z07:00"}
	localLayouts = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2 Jan 2006, 15:04", "2 Jan 2006, 15:04:05"}
	longZoned    = []string{"Mon Jan 2 2006 15:04:05 GMT-0700"}
	longLocal    = []string{"Jan 2, 2006, 3:04:05 PM", "Jan 2, 2006 3:04:05 PM", "Mon Jan 2 15:04:05 2006"}
)

func parseMoment(s string) (moment, error) {
	s = strings.TrimSpace(s)
	if m, ok := parseAny(s, zonedLayouts, localLayouts); ok {
		return m, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return moment{time: t.Add(12 * time.Hour), day: true}, nil
	}
	return moment{}, fmt.Errorf("%q is not a date and time such as 2026-11-22 17:03", clip(s))
}

func parseAny(s string, zoned, local []string) (moment, bool) {
	for _, l := range local {
		if t, err := time.Parse(l, s); err == nil {
			return moment{time: t}, true
		}
	}
	for _, l := range zoned {
		if t, err := time.Parse(l, s); err == nil {
			return moment{time: t, zoned: true}, true
		}
	}
	return moment{}, false
}

// spaces are those that phones put between a date's parts.
var spaces = strings.NewReplacer("\u202F", " ", "\u00A0", " ", "\u200E", "")

var (
	zoneName = regexp.MustCompile(` \([^()]*\)$`)
	digital  = regexp.MustCompile(`^(\d{1,4})([./-])(\d{1,2})([./-])(\d{1,4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?)?$`)
)

// parseLocale reads a date and time that a program wrote as its user's language has
// it. ErrDateOrder means that day and month cannot be told apart.
func parseLocale(s string, order DateOrder) (moment, error) {
	s = spaces.Replace(s)
	m, err := parseMoment(s)
	if err == nil {
		return m, nil
	}
	if m, ok := parseAny(zoneName.ReplaceAllString(s, ""), longZoned, longLocal); ok {
		return m, nil
	}
	p := digital.FindStringSubmatch(s)
	if p == nil || p[2] != p[4] {
		return moment{}, err
	}
	year, month, day := whole(p[1]), whole(p[3]), whole(p[5])
	if len(p[1]) != 4 {
		first, second := whole(p[1]), whole(p[3])
		year = whole(p[5])
		switch {
		case len(p[5]) != 4:
			return moment{}, fmt.Errorf("%q has no year of four digits", clip(s))
		case first == second || order == DayFirst || (order == "" && first > 12):
			day, month = first, second
		case order == MonthFirst || (order == "" && second > 12):
			day, month = second, first
		default:
			return moment{}, fmt.Errorf("%q: %w", clip(s), ErrDateOrder)
		}
	}
	clock := "12:00:00"
	if p[6] != "" {
		if clock, err = clockOf(p[6], p[7], p[8], p[9]); err != nil {
			return moment{}, fmt.Errorf("%q %w", clip(s), err)
		}
	}
	t, err := time.Parse(time.DateTime, fmt.Sprintf("%04d-%02d-%02d %s", year, month, day, clock))
	if err != nil {
		return moment{}, fmt.Errorf("%q is not a date and time with the %s", clip(s), orderName(order))
	}
	return moment{time: t, day: p[6] == ""}, nil
}

func orderName(o DateOrder) string {
	if o == MonthFirst {
		return "month first"
	}
	return "day first"
}

func whole(digits string) int {
	n, _ := strconv.Atoi(digits) // of one to four digits
	return n
}

// clockOf is a time of day as 15:04:05; half is am, pm or nothing.
func clockOf(hour, minute, second, half string) (string, error) {
	h := whole(hour)
	if half != "" {
		if h < 1 || h > 12 {
			return "", fmt.Errorf("has no hour %d %s", h, half)
		}
		h %= 12
		if strings.EqualFold(half, "pm") {
			h += 12
		}
	}
	if second == "" {
		second = "00"
	}
	return fmt.Sprintf("%02d:%s:%s", h, minute, second), nil
}

// key is the moment for a set's identity: as written, whatever zone is given.
func (m moment) key() string {
	switch {
	case m.zoned:
		return m.time.UTC().Format(time.RFC3339Nano)
	case m.day:
		return m.time.Format(time.DateOnly)
	}
	return m.time.Format("2006-01-02 15:04:05.999999999")
}

// in is the moment in a zone; ErrZone where it needs one and none is given.
func (m moment) in(zone *time.Location) (time.Time, error) {
	t := m.time
	switch {
	case zone == nil && !m.zoned:
		return time.Time{}, ErrZone
	case m.zoned && zone != nil:
		t = t.In(zone)
	case !m.zoned:
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
	}
	if t.Before(lift.Earliest) {
		return time.Time{}, fmt.Errorf("%s is before 2000", t.Format(time.DateOnly))
	}
	return t, nil
}
