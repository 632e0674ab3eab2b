package sim

import (
	"slices"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Past says which stretch of a lifter's training a history holds, and how it was
// recorded.
type Past struct {
	Site   lift.SiteID
	Device lift.DeviceID // whose backlog the reps are in
	// From is where the history begins; the first session is in the first whole
	// week after it. Its location is the lifter's.
	From time.Time
	// To is the present: nothing is younger. Of the present week there is what is
	// over by then.
	To time.Time
}

// Least time before To that an injected weekly truth needs.
const (
	spikeWeeks = 6             // whole weeks: four usable, a deload, and the spike
	edgeHours  = 3 * time.Hour // of the present week, for its two sessions
)

// History returns the lifter's messages of past weeks, ordered by time, with what
// was injected: reps as a gateway's backlog (arrays of at most 500, historical),
// check-ins one by one. The lifter's Cause happens in the last complete week
// (VolumeSpike), the present week (VolumeEdge), or the last session or morning
// (others), where the stretch is long enough for it.
//
// Rep identities contain From and To, so that histories up to different times do
// not contradict each other.
func History(l Lifter, past Past) ([]Message, []Truth) {
	return l.history(past, false)
}

// history leaves the programme's last session of the present week out if asked,
// so that the lifter can do it live.
func (l *Lifter) history(past Past, leaveLast bool) ([]Message, []Truth) {
	past.To = past.To.In(past.From.Location())
	first := monday(past.From)
	if first.Before(past.From) {
		first = first.AddDate(0, 0, 7)
	}
	present := monday(past.To)
	whole := max(0, weeksBetween(first, present))
	h := history{
		past: past, lifter: l, hurts: -1,
		boot: "h" + strconv.FormatInt(past.From.Unix(), 36) + "-" + strconv.FormatInt(past.To.Unix(), 36) + "-" + string(l.ID),
	}
	for w := range whole {
		start := first.AddDate(0, 0, 7*w)
		plan := l.week(whole-w, w)
		plan.spike = l.Cause == VolumeSpike && w == whole-1 && whole >= spikeWeeks
		if plan.spike {
			h.truths = append(h.truths, Truth{Kind: VolumeSpike, Rule: ruleVolume, Athlete: l.ID, From: start, To: present})
		}
		h.week(start, plan, len(l.Days))
	}
	switch {
	case l.Cause == VolumeEdge && whole >= spikeWeeks:
		h.edge(present)
	case leaveLast:
		h.week(present, l.week(0, whole), len(l.Days)-1)
	default:
		h.week(present, l.week(0, whole), len(l.Days))
	}
	h.mornings(first)
	h.cause()
	return h.messages(), h.truths
}

// history is a lifter's past in the making.
type history struct {
	past    Past
	lifter  *Lifter
	boot    string
	visits  []visit
	reports []lift.CheckIn
	truths  []Truth
	hurts   int // the visit after which the lifter reports pain, -1 for none
}

// visit is a session with its times.
type visit struct {
	start   time.Time
	session Session
}

// after is when the lifter tells how it went.
func (v visit) after() time.Time { return stamp(v.end().Add(10 * time.Minute)) }

func (v visit) end() time.Time { return v.start.Add(v.session.duration()) }

// week adds the week's first sessions, so many and as far as they are over.
func (h *history) week(monday time.Time, plan week, days int) {
	for day := range days {
		start := h.lifter.starts(monday, day)
		h.visit(start, h.lifter.session(h.lifter.random("session", start.Unix()), day, plan))
	}
}

func (h *history) visit(start time.Time, s Session) {
	if v := (visit{start, s}); !v.end().After(h.past.To) {
		h.visits = append(h.visits, v)
	}
}

// edge adds the present week of a lifter who is just below +30 %: two sessions of
// deadlifts, whatever the weekday.
func (h *history) edge(monday time.Time) {
	elapsed := h.past.To.Sub(monday)
	if elapsed < edgeHours {
		return
	}
	l := h.lifter
	kg := l.edgeLoad()
	for _, at := range []float64{0.2, 0.6} {
		start := monday.Add(time.Duration(at * float64(elapsed))).Truncate(time.Minute)
		slots := []slot{{exercise: Deadlift, sets: edgeSets / 2, reps: 5}}
		h.visit(start, l.lift(l.random("session", start.Unix()), slots, func(slot) float64 { return kg }))
	}
	h.truths = append(h.truths, Truth{Kind: VolumeEdge, Rule: ruleVolume, Athlete: l.ID, From: monday, To: monday.AddDate(0, 0, 7)})
}

// mornings adds a daily report at half past seven of every day.
func (h *history) mornings(first time.Time) {
	for day := first; ; day = day.AddDate(0, 0, 1) {
		at := time.Date(day.Year(), day.Month(), day.Day(), 7, 30, 0, 0, day.Location())
		if at.After(h.past.To) {
			return
		}
		h.reports = append(h.reports, h.lifter.checkIn(lift.PhaseDaily, at))
	}
}

// cause injects what happens in one set or one report.
func (h *history) cause() {
	l := h.lifter
	switch l.Cause {
	case Slowdown:
		for i := len(h.visits) - 1; i >= 0; i-- {
			v := &h.visits[i]
			if !v.session.slow(l.random("slow", v.start.Unix())) {
				continue
			}
			begin := v.start
			for _, s := range v.session.Sets {
				if s.Slows {
					h.truths = append(h.truths, Truth{Kind: Slowdown, Rule: ruleVelocity, Athlete: l.ID,
						From: stamp(begin.Add(s.Ends[0])), To: stamp(begin.Add(s.Ends[len(s.Ends)-1]))})
				}
				begin = begin.Add(s.duration() + s.Rest)
			}
			return
		}
	case Pain:
		for i, v := range slices.Backward(h.visits) {
			if after := v.after(); !after.After(h.past.To) {
				h.hurts = i
				h.truths = append(h.truths, instant(Pain, rulePain, l.ID, after))
				return
			}
		}
	case RedFlag:
		if n := len(h.reports); n > 0 {
			h.reports[n-1] = alarming(h.reports[n-1])
			h.truths = append(h.truths, instant(RedFlag, ruleRedFlag, l.ID, h.reports[n-1].Time))
		}
	}
}

// messages tells the past as it would have been published.
func (h *history) messages() []Message {
	l, p := h.lifter, h.past
	var out []Message
	checkIn := func(c lift.CheckIn) {
		if !c.Time.After(p.To) {
			out = append(out, checkInMessage(p.Site, l.ID, c))
		}
	}
	for _, c := range h.reports {
		checkIn(c)
	}
	var seq int64
	var batch []lift.Rep
	flush := func() {
		if len(batch) > 0 {
			out = append(out, backlogMessage(p.Site, p.Device, batch))
			batch = nil
		}
	}
	for i, v := range h.visits {
		if i > 0 && !monday(v.start).Equal(monday(h.visits[i-1].start)) {
			flush() // one backlog a week
		}
		begin := v.start
		for _, s := range v.session.Sets {
			for n := range s.Reps {
				rep := s.rep(n, h.boot, seq, stamp(begin.Add(s.Ends[n])))
				rep.Historical = true
				seq++
				if batch = append(batch, rep); len(batch) == 500 {
					flush()
				}
			}
			begin = begin.Add(s.duration() + s.Rest)
		}
	}
	flush()
	for i, v := range h.visits {
		checkIn(l.checkIn(lift.PhaseBefore, v.start.Add(-10*time.Minute)))
		after := l.checkIn(lift.PhaseAfter, v.after())
		if i == h.hurts {
			after = hurting(after, 6+int(l.Seed%2))
		}
		checkIn(after)
		next := v.start.AddDate(0, 0, 1)
		checkIn(l.checkIn(lift.PhaseNextMorning, time.Date(next.Year(), next.Month(), next.Day(), 7, 0, 0, 0, next.Location())))
	}
	slices.SortStableFunc(out, func(a, b Message) int { return a.At.Compare(b.At) })
	return out
}

// stamp cuts a time to what gateways send: UTC, to the millisecond.
func stamp(t time.Time) time.Time { return t.Truncate(time.Millisecond).UTC() }
