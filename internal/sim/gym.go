package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// GymOptions describes a gym.
type GymOptions struct {
	Seed     uint64
	Site     lift.SiteID
	Athletes int       // of the roster, at least 6: one for each cause and one without
	Racks    int       // bars with a sensor, at least 2
	Start    time.Time // when the live run begins; its location is the gym's
}

// Gym is a site with a roster and racks. Its history and its opening are functions
// of its options; who lifts next depends on the times at which racks ask.
// It is safe for concurrent use.
type Gym struct {
	options GymOptions
	roster  []Lifter

	mu       sync.Mutex
	turn     int                       // whose turn it is in the roster
	visitors int                       // how many visits of drop-ins there were
	busy     map[lift.AthleteID]bool   // who is on a rack
	trained  map[lift.AthleteID]string // the last date of a live session
	done     map[string]int            // live sessions by athlete and week
}

// visitorPool is how many drop-in lifters there are. They have no history, train
// when nobody of the roster has a session left, and so never have a week too many.
const visitorPool = 40

// NewGym returns an error naming every option that cannot be used.
func NewGym(o GymOptions) (*Gym, error) {
	var errs []error
	if o.Athletes < 6 {
		errs = append(errs, fmt.Errorf("athletes: %d is below 6", o.Athletes))
	}
	if o.Racks < 2 {
		errs = append(errs, fmt.Errorf("racks: %d is below 2", o.Racks))
	}
	if o.Start.IsZero() {
		errs = append(errs, errors.New("start: is missing"))
	}
	if err := lift.CheckID("site", o.Site); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("gym: %w", err)
	}
	return &Gym{
		options: o,
		roster:  Roster(o.Seed, o.Athletes),
		busy:    map[lift.AthleteID]bool{},
		trained: map[lift.AthleteID]string{},
		done:    map[string]int{},
	}, nil
}

// Lifters returns the roster.
func (g *Gym) Lifters() []Lifter { return slices.Clone(g.roster) }

// Rack returns the device id of the i-th rack's sensor, from 0. The first rack
// also sends velocity samples, the third, where it is not the last, sends nothing
// else at speed 1; the last one is behind a broken gateway.
func (g *Gym) Rack(i int) lift.DeviceID { return lift.DeviceID("rack-" + strconv.Itoa(i+1)) }

// Racks returns how many racks there are.
func (g *Gym) Racks() int { return g.options.Racks }

// Site returns the gym's id.
func (g *Gym) Site() lift.SiteID { return g.options.Site }

// History returns the roster's past of so many whole weeks and of the present
// week, ordered by time but for what is Late, with what was injected: the two
// weekly truths, a duplicate, a late and every kind of malformed message. What
// happens within a set or a report is left to the Opening. The last session of
// the present week is left for the live run.
func (g *Gym) History(weeks int) ([]Message, []Truth) {
	o := g.options
	from := monday(o.Start).AddDate(0, 0, -7*weeks)
	var messages []Message
	var truths []Truth
	for i, l := range g.roster {
		if l.Cause != VolumeSpike && l.Cause != VolumeEdge {
			l.Cause = ""
		}
		device := g.Rack(i % o.Racks)
		m, t := l.history(Past{Site: o.Site, Device: device, From: from, To: o.Start}, true)
		messages, truths = append(messages, m...), append(truths, t...)
	}
	slices.SortStableFunc(messages, func(a, b Message) int { return a.At.Compare(b.At) })
	return g.spoil(messages, truths)
}

// spoil adds the faults of the gateway behind the last rack to a history.
func (g *Gym) spoil(messages []Message, truths []Truth) ([]Message, []Truth) {
	device := g.Rack(g.options.Racks - 1)
	topic := deviceTopic(g.options.Site, device, "rep")
	var own []int
	for i, m := range messages {
		if m.Topic == topic {
			own = append(own, i)
		}
	}
	if len(own) < 3 {
		return messages, truths
	}
	late, again := own[len(own)/3], own[2*len(own)/3]
	bad := MalformedMessages(g.options.Site, device, "x"+strconv.FormatInt(g.options.Start.Unix(), 36), messages[late].At)
	var out []Message
	held := messages[late]
	holding := false
	for i, m := range messages {
		if i == late {
			holding = true
			continue
		}
		out = append(out, m)
		if holding && m.At.Sub(held.At) > 3*time.Minute {
			out = append(out, held)
			truths = append(truths, fault(Late, device, held.At))
			holding = false
			for _, b := range bad {
				out = append(out, b.Message)
				truths = append(truths, fault(Malformed, device, b.Message.At))
			}
		}
		if i == again {
			out = append(out, m)
			truths = append(truths, fault(Duplicate, device, m.At))
		}
	}
	return out, truths
}

// Report is a check-in of one lifter, due so long after the live run began.
type Report struct {
	Athlete lift.AthleteID
	After   time.Duration
	CheckIn lift.CheckIn // its Time is the due time
}

// Opening is what the live run begins with: within half a minute at speed 1 it
// gives cause for an alert of velocity-loss, weekly-volume, pain-zone and red-flag.
type Opening struct {
	Sessions []Session // of the first racks, one each, beginning at once
	Reports  []Report
	Truths   []Truth
}

// Opening returns what happens first in a live run that begins at that time. The
// lifter on the edge of +30 % crosses it only where History put them there.
func (g *Gym) Opening(at time.Time) Opening {
	var o Opening
	for _, l := range g.roster {
		r := l.random("opening", at.Unix())
		var set Set
		switch l.Cause {
		case Slowdown:
			kg := plates(0.85 * l.DeadliftMax)
			set = l.newSet(r, Set{Exercise: Deadlift, LoadKg: kg, Number: 4, Slows: true}, 5, 0, 1)
			o.Truths = append(o.Truths, Truth{Kind: Slowdown, Rule: ruleVelocity, Athlete: l.ID,
				From: at.Add(set.Ends[0]), To: at.Add(set.Ends[4])})
		case VolumeEdge:
			set = l.newSet(r, Set{Exercise: Deadlift, LoadKg: l.edgeLoad(), Number: edgeSets + 1}, 5, 0, 1)
			if g.options.Start.Sub(monday(g.options.Start)) >= edgeHours {
				week := monday(g.options.Start)
				o.Truths = append(o.Truths, Truth{Kind: VolumeSpike, Rule: ruleVolume, Athlete: l.ID,
					From: week, To: week.AddDate(0, 0, 7)})
			}
		case Pain:
			o.report(Report{l.ID, 4 * time.Second, hurting(lift.CheckIn{Phase: lift.PhaseAfter}, 7)}, at, Pain, rulePain)
			continue
		case RedFlag:
			o.report(Report{l.ID, 8 * time.Second, alarming(lift.CheckIn{Phase: lift.PhaseDaily})}, at, RedFlag, ruleRedFlag)
			continue
		default:
			continue
		}
		o.Sessions = append(o.Sessions, Session{Lifter: l, Sets: []Set{set}})
	}
	return o
}

func (o *Opening) report(r Report, at time.Time, kind Kind, rule lift.Rule) {
	r.CheckIn.Time = stamp(at.Add(r.After))
	o.Reports = append(o.Reports, r)
	o.Truths = append(o.Truths, instant(kind, rule, r.Athlete, r.CheckIn.Time))
}

// Next returns who lifts next at the given time: the next of the roster with a
// session of the week left and none yet today, else a drop-in. The lifter is busy
// until Leave. Those who reported pain or a red flag do not lift, nor do those
// with a week's volume injected, whose week is full.
func (g *Gym) Next(now time.Time) Session {
	now = now.In(g.options.Start.Location())
	g.mu.Lock()
	defer g.mu.Unlock()
	ago := weeksBetween(monday(now), monday(g.options.Start))
	date, week := now.Format(time.DateOnly), monday(now).Format(time.DateOnly)
	for range g.roster {
		l := &g.roster[g.turn%len(g.roster)]
		g.turn++
		if l.Cause == Pain || l.Cause == RedFlag || l.Cause == VolumeEdge || g.busy[l.ID] || g.trained[l.ID] == date {
			continue
		}
		key := string(l.ID) + " " + week
		day := g.before(l, now) + g.done[key]
		if day >= len(l.Days) {
			continue
		}
		g.busy[l.ID], g.trained[l.ID] = true, date
		g.done[key]++
		return g.live(l, day, ago)
	}
	for {
		l := NewLifter(g.options.Seed, len(g.roster)+g.visitors%visitorPool)
		day := g.visitors / visitorPool % len(l.Days)
		g.visitors++
		if !g.busy[l.ID] {
			g.busy[l.ID] = true
			return g.live(&l, day, ago)
		}
	}
}

// enter makes the lifter of an opening's session busy until Leave.
func (g *Gym) enter(athlete lift.AthleteID, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy[athlete] = true
	g.trained[athlete] = now.In(g.options.Start.Location()).Format(time.DateOnly)
}

// Leave frees the lifter whose session is over.
func (g *Gym) Leave(athlete lift.AthleteID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.busy, athlete)
}

// before counts the sessions of now's week that the history holds.
func (g *Gym) before(l *Lifter, now time.Time) int {
	start := monday(now)
	if !start.Equal(monday(g.options.Start)) {
		return 0
	}
	n := 0
	for day := range len(l.Days) - 1 {
		begin := l.starts(start, day)
		s := l.session(l.random("session", begin.Unix()), day, l.week(0, 2))
		if !begin.Add(s.duration()).After(g.options.Start) {
			n++
		}
	}
	return n
}

// live lifts a session; one in six has a set that slows down.
func (g *Gym) live(l *Lifter, day, ago int) Session {
	r := l.random("live", day, ago, g.visitors, g.turn)
	s := l.session(r, day, l.week(ago, 2))
	if r.Float64() < 1.0/6 {
		s.slow(r)
	}
	return s
}
