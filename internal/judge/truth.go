package main

import (
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// truth is something that was put into a life on purpose, and that a rule must
// tell of.
type truth struct {
	kind  string
	rule  lift.Rule
	least lift.Severity // that the alert must reach
	group string        // "" where the rule has none

	// What it is anchored to: a set of a session, a session, a week or times.
	session *session
	index   int // of the set; -1 for the whole session
	week    int
	days    int // of tolerance after the session

	from, to time.Time // an alert whose window touches this stretch speaks of it
	onset    time.Time // from when on it can be told
	episode  bool      // only an alert of a longer stretch speaks of it
	consequence
}

// consequence tells a truth that must be found from what may follow from it.
type consequence bool

const (
	mustBeTold consequence = false
	mayBeTold  consequence = true
)

// check is something in a life that no rule may speak of.
type check struct {
	kind     string
	group    string // "" for any
	rules    []lift.Rule
	from, to time.Time
}

const wholeSession = -1

func (l *life) tell(t truth) *truth {
	if t.session != nil {
		t.session.taken = true
	}
	l.truths = append(l.truths, &t)
	return &t
}

// may says that a rule can rightly speak of a week, as a consequence.
func (l *life) may(kind string, week int, rules ...lift.Rule) {
	for _, r := range rules {
		l.truths = append(l.truths, &truth{kind: kind, rule: r, week: week, consequence: mayBeTold})
	}
}

func (l *life) mayOf(kind string, s *session, rules ...lift.Rule) {
	for _, r := range rules {
		l.truths = append(l.truths, &truth{kind: kind, rule: r, session: s, index: wholeSession, consequence: mayBeTold})
	}
}

// resolve finds the times of a truth, when everything has been lifted.
func (c *truth) resolve(t *tape) {
	switch {
	case !c.from.IsZero():
		if c.onset.IsZero() {
			c.onset = c.from
		}
	case c.session != nil:
		y, m, d := c.session.at.Date()
		c.from = time.Date(y, m, d, 0, 0, 0, 0, t.zone)
		c.to = c.from.AddDate(0, 0, 1+c.days).Add(-time.Second)
		c.onset = c.session.at
		for i := range t.done {
			x := &t.done[i]
			if x.session != c.session {
				continue
			}
			if c.index == wholeSession && x.to.After(c.to) {
				c.to = x.to // it goes on past midnight
			}
			if c.index >= 0 && x.set == &c.session.sets[c.index] {
				c.from, c.to, c.onset = x.from.Add(-time.Second), x.to.Add(time.Second), x.to
				if x.reps >= 2 && (x.slow > 0) { // the rep before the last is the first that is slow
					c.onset = x.to.Add(-time.Duration(3.5 * float64(time.Second)))
				}
			}
		}
	default:
		c.from, c.to = t.monday(c.week), t.monday(c.week+1).Add(-time.Second)
		if c.onset.IsZero() {
			c.onset = c.from
		}
	}
}

// touches reports whether a finding's window touches the truth's stretch.
func (c *truth) touches(f *lift.Finding) bool {
	if f.Rule != c.rule || c.group != "" && f.Group != "" && f.Group != c.group {
		return false
	}
	if c.episode != (f.Window.Kind == lift.WindowEpisode) && f.Rule == c.rule && (c.rule == analysis.ReturnPlan || c.rule == analysis.Hold) {
		return false
	}
	to := f.Window.To
	if to.After(f.Window.From) {
		to = to.Add(-time.Millisecond)
	}
	return !f.Window.From.After(c.to) && !to.Before(c.from)
}

// crosses reports whether what was injected really meets the rule's criterion,
// where that can be computed from what was lifted. The onset of a week is then the
// session that crosses it.
func (c *truth) crosses(o *oracle) bool {
	switch c.rule {
	case analysis.WeeklyVolume:
		for day := 7 * c.week; day < 7*c.week+7; day++ {
			if riseSeverity[o.weeklyVolume(c.group, c.week, day).band].Rank() >= c.least.Rank() {
				c.onset = o.begins(c.group, day)
				return true
			}
		}
		return false
	case analysis.SessionSpike:
		day := dayOf(c.from, o.first)
		if o.weeklyVolume(c.group, day/7, day).band >= 2 && o.weeklyVolume(c.group, day/7, day-1).band < 2 {
			return false // weekly-volume speaks for both
		}
		ratio := o.sessionSpike(c.group, day)
		return ratio > map[lift.Severity]float64{lift.Info: 1.1, lift.Advice: 1.3, lift.Warning: 2}[c.least]
	}
	return true
}
