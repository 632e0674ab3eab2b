package profile

import (
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// deadliftFamily is the group whose maxima, estimated from velocity, are for the
// trend only.
const deadliftFamily = "deadlift_family"

// Profile is an athlete's load–velocity profile in one exact exercise on one device.
type Profile struct {
	Exercise    lift.ExerciseID `json:"exercise"`
	Name        string          `json:"name,omitzero" doc:"as the catalogue has it"`
	Group       string          `json:"group,omitzero"`
	Site        lift.SiteID     `json:"site"`
	Device      lift.DeviceID   `json:"device"`
	Points      []Point         `json:"points" doc:"the fastest rep of each session and load, last 42 days"`
	Line        *Line           `json:"line,omitzero" doc:"absent where there are not two different loads"`
	WhyNot      string          `json:"why_not,omitzero" doc:"why the line is not one to judge by"`
	MinVelocity *MinVelocity    `json:"min_velocity,omitzero" doc:"absent where nobody knows it"`
	Maximum     Maximum         `json:"e1rm"`
}

// Maximum is an estimated one repetition maximum and how it went.
type Maximum struct {
	Kg      *float64 `json:"kg,omitzero" doc:"where the line reaches the minimum velocity"`
	ErrorKg *float64 `json:"error_kg,omitzero" doc:"standard error from the scatter of the points alone"`
	// PublishedErrorPct is how far such estimates are from tested maxima.
	PublishedErrorPct float64  `json:"published_error_pct" doc:"standard error of such estimates against tested maxima, in percent of the maximum"`
	WhyNot            string   `json:"why_not,omitzero"`
	EnteredKg         *float64 `json:"entered_kg,omitzero" doc:"as tested or entered by a coach"`
	// TrendOnly is true where studies found such estimates unfit to set loads by.
	TrendOnly bool       `json:"trend_only" doc:"true for deadlifts: look at the trend, set no load by it"`
	Sessions  []Estimate `json:"sessions" doc:"one estimate for each date, oldest first"`
	Trend     Trend      `json:"trend"`
}

// HistoryFrom is the time from which on sets must be given to Profiles and ContextOf,
// so that what they return does not depend on where the history was cut off.
func HistoryFrom(from, at time.Time) time.Time {
	long, window := at.AddDate(0, 0, -LongDays), from.AddDate(0, 0, -WindowDays)
	if window.Before(long) {
		return window
	}
	return long
}

// Profiles returns the athlete's profiles as of a time, by exercise, site and
// device; the estimates of single sessions are those from the time from on.
func Profiles(h History, from, at time.Time, o Options) []Profile {
	o = o.filled()
	today, first := DateOf(at, o.Zone), DateOf(from, o.Zone)
	all := []Profile{}
	for _, t := range tracks(h, at, o) {
		if p := t.profile(first, today, o); len(p.Points) > 0 || len(p.Maximum.Sessions) > 0 {
			all = append(all, p)
		}
	}
	return all
}

func (t *track) profile(first, today Date, o Options) Profile {
	p := Profile{
		Exercise: t.exercise, Group: t.group, Site: t.site, Device: t.device, MinVelocity: t.minVelocity(today, o),
		Points: slices.Concat([]Point{}, t.between(today.Plus(1-WindowDays), today)),
	}
	known, _ := o.Exercise(t.exercise)
	p.Name = known.Name
	minVelocity := 0.0
	if p.MinVelocity != nil {
		minVelocity = p.MinVelocity.Mps
	}
	m := &p.Maximum
	m.PublishedErrorPct, m.TrendOnly = PublishedErrorPct, t.group == deadliftFamily
	if kg, ok := o.OneRM(t.exercise); ok {
		m.EnteredKg = &kg
	}
	line, ok := Fit(p.Points)
	switch {
	case !ok:
		p.WhyNot = FewLoads
	default:
		p.Line, p.WhyNot = &line, o.Gates.WhyNot(line, minVelocity)
	}
	switch {
	case p.MinVelocity == nil:
		m.WhyNot = "the velocity at the maximum is not known"
	case p.WhyNot != "":
		m.WhyNot = p.WhyNot
	default:
		kg, _ := line.OneRM(minVelocity)
		m.Kg = &kg
		if e, ok := line.OneRMError(minVelocity); ok {
			m.ErrorKg = &e
		}
	}
	m.Sessions = []Estimate{}
	for i, date := range t.dates {
		if date < first || i > 0 && t.dates[i-1] == date {
			continue
		}
		if e, ok := t.estimate(date, p.MinVelocity, known.Slope, o.Gates); ok {
			m.Sessions = append(m.Sessions, e)
		}
	}
	m.Trend = TrendOf(m.Sessions)
	return p
}

// estimate is the maximum that one date speaks for, in the best form that there is.
// It knows nothing of later dates.
func (t *track) estimate(date Date, threshold *MinVelocity, slope *float64, gates Gates) (Estimate, bool) {
	points := t.between(date, date)
	heaviest := points[len(points)-1]
	if threshold != nil {
		v := threshold.Mps
		if own, ok := Fit(points); ok && gates.WhyNot(own, v) == "" {
			return byLine(date, FormLine, own, v)
		}
		if usual, ok := Fit(t.between(date.Plus(1-WindowDays), date)); ok && gates.WhyNot(usual, v) == "" {
			if kg, ok := Anchored(heaviest.LoadKg, heaviest.Velocity, v, usual.B); ok {
				e := Estimate{Date: date, Form: FormAnchored, Kg: kg, ErrorSource: errorOfLine}
				if se, ok := usual.OneRMError(v); ok {
					e.ErrorKg = &se
				}
				return e, true
			}
		}
		two := Gates{MinLoads: 2, MinSpanShare: gates.MinSpanShare}
		if len(points) == 2 {
			if own, ok := TwoPoint(points[0], points[1]); ok && two.WhyNot(own, v) == "" {
				return byLine(date, FormTwoPoint, own, v)
			}
		}
		if slope != nil {
			if kg, ok := FromOneSet(heaviest.LoadKg, heaviest.Velocity, v, *slope); ok {
				return Estimate{date, FormOneSet, kg, new(kg * PublishedErrorPct / 100), errorOfPublished}, true
			}
		}
	}
	if kg, ok := t.toFailure[date]; ok {
		return Estimate{Date: date, Form: FormReps, Kg: kg}, true
	}
	return Estimate{}, false
}

func byLine(date Date, form Form, l Line, minVelocity float64) (Estimate, bool) {
	kg, ok := l.OneRM(minVelocity)
	e := Estimate{date, form, kg, new(kg * PublishedErrorPct / 100), errorOfPublished}
	if se, known := l.OneRMError(minVelocity); known {
		e.ErrorKg, e.ErrorSource = &se, errorOfLine
	}
	return e, ok
}
