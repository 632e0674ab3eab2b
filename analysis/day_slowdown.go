package analysis

import (
	"math"
	"slices"
	"time"

	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/lift"
)

// lineReference is the load–velocity line that a date's sets of one lift on one
// device are compared with.
type lineReference struct {
	day, upTo    date // sets of dates before upTo count
	lift, device int32
	by           *DaySlowdownLimits
	sessions     int
	line         profile.Line
	least, most  float64 // loads in kg
	usable       bool
}

const (
	lineDays   = 42
	lineMargin = 1.025 // a load up to this much over the heaviest is still comparable
	kept32     = 1e-6  // in m/s, what the facts of sets may have lost: they hold velocities in half the room
)

// points are the fastest reps of each date and load, of finished sets lifted as
// fast as possible, on the dates from … to, which is excluded. Of a date that is
// over for whoever asks, all sets count as finished, even one that goes on after
// midnight: now is the end of time for it. The next call reuses the list.
func (d *diary) points(x, device int32, from, to date, now int64) []profile.Point {
	points := d.spots[:0]
	begin := 0
	var today date
	d.sessionsIn("", from, to, func(i int32, s *session) {
		if s.lift != x {
			return
		}
		if s.day != today {
			today, begin = s.day, len(points)
		}
		d.each(i, func(_ int32, s *set) {
			if int32(s.device) != device || s.fastest == 0 || s.load <= 0 || s.faulty != 0 || s.tempo || !d.finished(s, now) {
				return
			}
			kg := kilograms(s.load)
			for p := begin; p < len(points); p++ {
				if points[p].LoadKg == kg {
					points[p].Velocity = max(points[p].Velocity, float64(s.fastest))
					return
				}
			}
			points = append(points, profile.Point{LoadKg: kg, Velocity: float64(s.fastest), At: time.Unix(int64(today), 0)})
		})
	})
	d.spots = points
	return points
}

// lineOf is the line of the 42 days before day, of which the dates from upTo on
// are left out; by the limits it is good enough or not.
func (d *diary) lineOf(x, device int32, day, upTo date, l *DaySlowdownLimits) *lineReference {
	for i := range d.refs.lines {
		if r := &d.refs.lines[i]; r.day == day && r.upTo == upTo && r.lift == x && r.device == device && r.by == l {
			return r
		}
	}
	r := lineReference{day: day, upTo: upTo, lift: x, device: device, by: l}
	points := d.points(x, device, day-lineDays, upTo, math.MaxInt64)
	var last time.Time
	for i := range points {
		if !points[i].At.Equal(last) {
			r.sessions, last = r.sessions+1, points[i].At
		}
		if r.least == 0 || points[i].LoadKg < r.least {
			r.least = points[i].LoadKg
		}
		r.most = max(r.most, points[i].LoadKg)
	}
	if line, ok := profile.Fit(points); ok && r.sessions >= l.ProvisionalN {
		gates := profile.DefaultGates()
		gates.MinLoads, gates.MinR2 = l.MinLoads, l.MinR2
		r.line, r.usable = line, gates.WhyNot(line, d.lifts[x].minVelocity) == ""
	}
	d.refs.lines = append(d.refs.lines, r)
	return &d.refs.lines[len(d.refs.lines)-1]
}

// slowDay is how much slower than its line a date was.
type slowDay struct {
	loads              int // comparable ones
	over               int // of them, over the limit
	far                int // of these, so far over it that a bad day alone does not explain it
	pct, limit         float64
	expected, observed float64
	kg                 float64
	sessions           int
}

// slowOn compares a date with the line of the 42 days before day. The heaviest
// comparable load must be over the limit, which is that of the date compared.
func (d *diary) slowOn(x, device int32, at, day date, now int64) slowDay {
	l := &d.on(at).DaySlowdown
	r := d.lineOf(x, device, day, at, l)
	if !r.usable {
		return slowDay{}
	}
	out := slowDay{sessions: r.sessions, limit: max(l.DropPct, profile.Noise{TypicalError: l.NoisePct}.Band(r.sessions))}
	heaviest := false
	if at < day {
		now = math.MaxInt64
	}
	for _, p := range d.points(x, device, at, at+1, now) {
		expected := r.line.At(p.LoadKg)
		if p.LoadKg < r.least || p.LoadKg > lineMargin*r.most || expected <= 0 {
			continue
		}
		out.loads++
		lost := 100 * (expected - p.Velocity) / expected
		unsure := 100 * kept32 / expected
		over := atLeast(lost+unsure, out.limit) && atLeast(expected-p.Velocity+kept32, l.MinDropMps)
		if over {
			out.over++
			if atLeast(lost+unsure, l.FarFactor*out.limit) {
				out.far++
			}
		}
		if p.LoadKg > out.kg {
			out.kg, out.pct, out.expected, out.observed, heaviest = p.LoadKg, lost, expected, p.Velocity, over
		}
	}
	if !heaviest {
		out.over, out.far = 0, 0
	}
	return out
}

// daySlowdown judges session x against the athlete's line. A slowdown that goes
// on is told once in seven days, and again when it gets worse.
func (d *diary) daySlowdown(x int32, now int64) (lift.Finding, bool) {
	s := &d.sessions[x]
	if s.sets == 0 || d.flagged(s.started) {
		return lift.Finding{}, false
	}
	l := &d.on(s.day).DaySlowdown
	d.dayBars = d.devicesOf(d.dayBars[:0], x)
	for _, device := range d.dayBars {
		if !d.lineOf(s.lift, device, s.day, s.day, l).usable {
			continue
		}
		today := d.slowOn(s.lift, device, s.day, s.day, now)
		if today.over == 0 {
			continue
		}
		dates := d.datesOf(s.lift, device, s.day-lineDays, s.day)
		worse := func(i int) lift.Severity { // of the i-th date, seen from today
			slow := d.slowOn(s.lift, device, dates[i], s.day, now)
			switch {
			case slow.over == 0:
				return ""
			case slow.far >= 2, i > 0 && d.slowOn(s.lift, device, dates[i-1], s.day, now).over > 0:
				return lift.Warning
			}
			return lift.Advice
		}
		severity := lift.Advice
		if n := len(dates); today.far >= 2 || n > 0 && worse(n-1) != "" {
			severity = lift.Warning
		}
		told := map[lift.Severity]date{} // the latest date that it was told on
		cooling := func(day date, severity lift.Severity) bool {
			for _, s := range []lift.Severity{lift.Advice, lift.Warning} {
				if on, ok := told[s]; ok && s.Rank() >= severity.Rank() && on > day-date(d.on(day).DaySlowdown.CoolDownDays) {
					return true
				}
			}
			return false
		}
		for i, day := range dates {
			if was := worse(i); was != "" && !cooling(day, was) {
				told[was] = day
			}
		}
		if cooling(s.day, severity) {
			return lift.Finding{}, false
		}
		f := d.ofLift(DaySlowdown, severity, s.lift, d.dayWindow(s.day))
		f.Historical = s.historical
		f.Evidence = lift.Evidence{
			Value: today.pct, Unit: "pct", Threshold: today.limit,
			Reference: "own load–velocity line of six weeks", ReferenceValue: &today.expected, Observed: &today.observed,
			Samples: today.sessions, Confidence: full,
		}
		if today.sessions < l.FullN {
			f.Evidence.Confidence = provisional
		}
		tellDaySlowdown(&f, today)
		return f, true
	}
	return lift.Finding{}, false
}

// devicesOf adds the devices of a session's sets.
func (d *diary) devicesOf(of []int32, x int32) []int32 {
	d.each(x, func(_ int32, s *set) {
		if s.fastest > 0 && !slices.Contains(of, int32(s.device)) {
			of = append(of, int32(s.device))
		}
	})
	return of
}

// datesOf lists the dates from … to with sets of a lift on a device.
func (d *diary) datesOf(x, device int32, from, to date) []date {
	var dates []date
	d.sessionsIn("", from, to, func(i int32, s *session) {
		if s.lift == x && slices.Contains(d.devicesOf(nil, i), device) {
			dates = append(dates, s.day)
		}
	})
	return dates
}
