package files

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spotterhq/spotter/internal/lift"
)

// maxReps bounds the reps of one set.
const maxReps = 1000

// maxName bounds an exercise's name, in bytes.
const maxName = 200

// number is a decimal number in whatever notation; groups are of three digits.
var (
	simple  = regexp.MustCompile(`^[+-]?\d{1,15}(?:[.,]\d{0,15})?$`)
	grouped = regexp.MustCompile(`^[+-]?\d{1,3}(?:(?:,\d{3})+\.|(?:\.\d{3})+,)\d{1,15}$`)
)

// parseNumber reads a number with a decimal point or a decimal comma. One comma and
// three digits may also be thousands, which is for the caller to judge.
func parseNumber(s string) (float64, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\u00A0", " "))
	switch {
	case grouped.MatchString(s):
		decimal := max(strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.'))
		s = strings.NewReplacer(",", "", ".", "").Replace(s[:decimal]) + "." + s[decimal+1:]
	case simple.MatchString(s):
		s = strings.Replace(s, ",", ".", 1)
	default:
		return 0, fmt.Errorf("%q is not a number", clip(s))
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", clip(s))
	}
	return n, nil
}

// thousands are numbers of one comma that people write for a thousand and more; with
// two or three digits before the comma no load could be so large.
var thousands = regexp.MustCompile(`^\s*[12],\d{3}\s*$`)

// parseLoad reads a load and turns it into kg; "" is not noted.
func parseLoad(s string, unit Unit) (*float64, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	n, err := parseNumber(s)
	if err != nil {
		return nil, err
	}
	if thousands.MatchString(s) {
		return nil, fmt.Errorf("%q may be %g or thousands", s, n)
	}
	if unit == Pounds {
		n *= poundKg
	}
	if n < 0 {
		return nil, fmt.Errorf("%q is below zero: a machine's or band's help is not a load", clip(s))
	}
	if n > lift.MaxLoad {
		return nil, fmt.Errorf("%.1f kg is more than %g kg", n, lift.MaxLoad)
	}
	return &n, nil
}

func parseWhole(s string, lowest, highest int) (int, error) {
	n, err := parseNumber(s)
	switch {
	case err != nil:
		return 0, err
	case n != math.Trunc(n):
		return 0, fmt.Errorf("%q is not a whole number", clip(s))
	case n < float64(lowest) || n > float64(highest):
		return 0, fmt.Errorf("%q is outside %d to %d", clip(s), lowest, highest)
	}
	return int(n), nil
}

// positive is whether a cell says more than nothing and zero.
func positive(s string) bool {
	if strings.TrimSpace(s) == "" {
		return false
	}
	n, err := parseNumber(s)
	return err != nil || n != 0
}

func parseName(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case len(s) > maxName:
		return "", fmt.Errorf("is longer than %d bytes", maxName)
	case !utf8.ValidString(s):
		return "", errors.New("is not text in UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", errors.New("holds a control character")
	}
	return s, nil
}

// moment is a time as a file writes it.
type moment struct {
	time  time.Time // in UTC unless zoned
	zoned bool
	day   bool // no time of day; time is noon
}

// The notations of times; all begin with the year or name the month, so that none
// can be mistaken for another.
var (
	zonedLayouts = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04Z07:00"}
	localLayouts = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2 Jan 2006, 15:04", "2 Jan 2006, 15:04:05"}
)

func parseMoment(s string) (moment, error) {
	s = strings.TrimSpace(s)
	for _, l := range localLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return moment{time: t}, nil
		}
	}
	for _, l := range zonedLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return moment{time: t, zoned: true}, nil
		}
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return moment{time: t.Add(12 * time.Hour), day: true}, nil
	}
	return moment{}, fmt.Errorf("%q is not a date and time such as 2026-11-22 17:03", clip(s))
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
