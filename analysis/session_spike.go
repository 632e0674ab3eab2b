package analysis

import "github.com/spotterhq/spotter/internal/lift"

// spikeReference is the largest that the sessions of the last 30 days reached in
// each metric.
type spikeReference struct {
	day      date
	group    string
	sessions int
	spanned  date // from the first to the last
	most     [spikeMetrics]float64
}

// The metrics of session-spike.
const (
	spikeVolume = iota
	spikeTop
	spikeHeavy
	spikeMetrics
)

var spikeNames = [spikeMetrics]string{"volume_kg", "top_load_kg", "heavy_reps"}

const spikeDays = 30

// sessionMetrics adds up what a group lifted on the dates from … to, which are
// one session where to is the next date. Heavy is from the given load on.
func (d *diary) sessionMetrics(group string, day date, heavy float64) (m [spikeMetrics]float64, t totals) {
	d.sessionsIn(group, day, day+1, func(x int32, s *session) {
		t.add(s.totals)
		d.each(x, func(_ int32, s *set) {
			if heavy > 0 && atLeast(float64(s.load), heavy) {
				m[spikeHeavy] += float64(s.completed)
			}
		})
	})
	m[spikeVolume], m[spikeTop] = kilograms(t.grams), kilograms(t.top)
	return m, t
}

func (d *diary) spikeReference(group string, day date) *spikeReference {
	for i := range d.refs.spikes {
		if r := &d.refs.spikes[i]; r.day == day && r.group == group {
			return r
		}
	}
	heavy := d.heavyLoad(d.on(day), group, day)
	r := spikeReference{day: day, group: group}
	first, last := day, date(0)
	d.sessionsIn(group, day-spikeDays, day, func(_ int32, s *session) {
		if s.day == last || s.sets == 0 {
			return
		}
		last = s.day
		first = min(first, s.day)
		m, t := d.sessionMetrics(group, s.day, heavy)
		if t.sets == 0 {
			return
		}
		r.sessions++
		for i := range m {
			r.most[i] = max(r.most[i], m[i])
		}
	})
	if r.sessions > 0 {
		r.spanned = last - first
	}
	d.refs.spikes = append(d.refs.spikes, r)
	return &d.refs.spikes[len(d.refs.spikes)-1]
}

// heavyLoad is the load in grams from which on a rep is heavy by the limits; 0 if
// unknown.
func (d *diary) heavyLoad(l *Limits, group string, day date) float64 {
	return l.HeavyFrequency.HeavyShare * d.maximumOf(group, day).grams
}

// sessionSpike compares what a group lifted on a date with the largest session of
// the 30 days before. Where the week's volume goes over a pushed band in this
// very session, that alert speaks for both.
func (d *diary) sessionSpike(group string, day date) (lift.Finding, bool) {
	l := &d.on(day).SessionSpike
	r := d.spikeReference(group, day)
	if r.sessions < l.MinSessions || int(r.spanned) < l.MinDays || named(d.Tests, day) {
		return lift.Finding{}, false
	}
	m, t := d.sessionMetrics(group, day, d.heavyLoad(d.on(day), group, day))
	worst, ratio := -1, 0.0
	for i := range m {
		if r.most[i] <= 0 || i == spikeHeavy && r.most[i] < float64(l.MinHeavy) {
			continue
		}
		if x := m[i] / r.most[i]; above(x, l.Info) && above(x, ratio) {
			worst, ratio = i, x
		}
	}
	if worst < 0 || d.volumeSpeaks(group, day) {
		return lift.Finding{}, false
	}
	severity, threshold := lift.Info, l.Info
	switch {
	case above(ratio, l.Warning):
		severity, threshold = lift.Warning, l.Warning
	case above(ratio, l.Advice):
		severity, threshold = lift.Advice, l.Advice
	}
	if worst == spikeHeavy && severity == lift.Warning {
		severity, threshold = lift.Advice, l.Advice // a count by a limit leaps when back-off sets creep over it
	}
	f := d.ofGroup(SessionSpike, severity, group, d.dayWindow(day))
	f.Historical = t.historical
	f.Evidence = lift.Evidence{
		Value: ratio, Unit: "ratio", Threshold: threshold, Metric: spikeNames[worst],
		Reference: "largest session of the last 30 days", ReferenceValue: new(r.most[worst]), Observed: new(m[worst]),
		Samples: r.sessions, Confidence: full,
	}
	tellSessionSpike(&f, r.sessions)
	return f, true
}

// volumeSpeaks reports whether weekly-volume reaches a pushed band on the date, by
// the limits of the week: it is the week's alert that speaks for both.
func (d *diary) volumeSpeaks(group string, day date) bool {
	monday := day.monday()
	b := d.baselineOf(group, monday)
	before, after := d.judged(group, monday, day), d.judged(group, monday, day+1)
	l := &d.inWeek(monday).WeeklyVolume
	was, _ := b.judge(&before, l)
	is, _ := b.judge(&after, l)
	return is.sev.Rank() >= lift.Warning.Rank() && was.sev.Rank() < lift.Warning.Rank()
}
