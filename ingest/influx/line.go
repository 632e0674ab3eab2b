package influx

import (
	"math"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Unassigned is the value of the tag athlete for reps of which nobody is known yet.
const Unassigned = "unassigned"

// line is one point in line protocol.
type line struct {
	measurement string
	athlete     lift.AthleteID // whose it is, "" for nobody's
	text        string
}

// identity is what makes a point: one that is written again replaces itself.
// Tags that a measurement does not have are empty.
type identity struct {
	measurement string
	athlete     lift.AthleteID
	device      lift.DeviceID
	kind        string // exercise, group, phase or team
	rule        lift.Rule
	severity    lift.Severity
	site        lift.SiteID
	ms          int64
}

// kindTag is what identity.kind is called in a measurement.
func kindTag(measurement string) string {
	switch measurement {
	case "week":
		return "group"
	case "checkin":
		return "phase"
	case "member":
		return "team"
	}
	return "exercise"
}

// void is the line that takes the point out of every query.
func (id *identity) void() line {
	var f fields
	f.number("valid", 0)
	return id.line(&f)
}

func (id *identity) line(f *fields) line {
	b := make([]byte, 0, 160+len(f.text))
	b = append(b, id.measurement...)
	// Sorted by name, which the server would do otherwise.
	athlete := string(id.athlete)
	if athlete == "" && id.measurement == "rep" {
		athlete = Unassigned
	}
	b = appendTag(b, "athlete", athlete)
	b = appendTag(b, "device", string(id.device))
	b = appendTag(b, kindTag(id.measurement), id.kind)
	b = appendTag(b, "rule", string(id.rule))
	b = appendTag(b, "severity", string(id.severity))
	b = appendTag(b, "site", string(id.site))
	b = append(b, f.text...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, id.ms, 10)
	return line{measurement: id.measurement, athlete: id.athlete, text: string(b)}
}

func appendTag(b []byte, name, value string) []byte {
	if value == "" {
		return b // an empty tag is none
	}
	b = append(b, ',')
	b = append(b, name...)
	b = append(b, '=')
	for i := range len(value) {
		switch c := value[i]; c {
		case ',', '=', ' ':
			b = append(b, '\\', c)
		case '\n', '\r', '\\':
			b = append(b, '_') // cannot be told in a tag
		default:
			b = append(b, c)
		}
	}
	return b
}

// fields is the second part of a line.
type fields struct{ text []byte }

func (f *fields) name(name string) {
	separator := byte(',')
	if len(f.text) == 0 {
		separator = ' '
	}
	f.text = append(f.text, separator)
	f.text = append(f.text, name...)
	f.text = append(f.text, '=')
}

// number adds a float; what is not finite cannot be stored and is left out.
func (f *fields) number(name string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	f.name(name)
	f.text = strconv.AppendFloat(f.text, v, 'g', -1, 64)
}

func (f *fields) optional(name string, v *float64) {
	if v != nil {
		f.number(name, *v)
	}
}

func (f *fields) count(name string, v *int) {
	if v != nil {
		f.number(name, float64(*v))
	}
}

func (f *fields) yes(name string, v bool) {
	if v {
		f.number(name, 1)
	} else {
		f.number(name, 0)
	}
}

func (f *fields) string(name, v string) {
	f.name(name)
	f.text = append(f.text, '"')
	for i := range len(v) {
		if v[i] == '"' || v[i] == '\\' {
			f.text = append(f.text, '\\')
		}
		f.text = append(f.text, v[i])
	}
	f.text = append(f.text, '"')
}

func millis(t time.Time) int64 { return t.UnixMilli() }
