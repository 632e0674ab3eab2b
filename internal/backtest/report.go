package backtest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// Counts are findings by severity.
type Counts struct {
	Total    int `json:"total"`
	Info     int `json:"info,omitzero"`
	Advice   int `json:"advice,omitzero"`
	Warning  int `json:"warning,omitzero"`
	Critical int `json:"critical,omitzero"`
	Urgent   int `json:"urgent,omitzero"`
}

func (c *Counts) add(s lift.Severity) {
	c.Total++
	switch s {
	case lift.Info:
		c.Info++
	case lift.Advice:
		c.Advice++
	case lift.Warning:
		c.Warning++
	case lift.Critical:
		c.Critical++
	case lift.Urgent:
		c.Urgent++
	}
}

func (c *Counts) plus(d *Counts) {
	c.Total += d.Total
	c.Info += d.Info
	c.Advice += d.Advice
	c.Warning += d.Warning
	c.Critical += d.Critical
	c.Urgent += d.Urgent
}

// Tally is what a rule finds under the limits in force and under the others. Two
// findings are one if they have the same id: that of the alert.
type Tally struct {
	Rule  lift.Rule `json:"rule"`
	Fired Counts    `json:"fired" doc:"under the limits in force"`
	Would Counts    `json:"would" doc:"under the limits asked about"`

	Kept    int `json:"kept" doc:"under both, with the same severity"`
	Changed int `json:"changed" doc:"under both, with another severity"`
	Added   int `json:"added" doc:"under the limits asked about only"`
	Gone    int `json:"gone" doc:"under the limits in force only"`

	Logged      int `json:"logged" doc:"alerts in the log that are not retracted"`
	Unsupported int `json:"unsupported" doc:"of those, what has not fired: the present data and limits do not support it"`
	Missing     int `json:"missing" doc:"fired without an alert in the log: it was judged by another version or other limits, or is still to be judged"`
}

func (t *Tally) plus(u *Tally) {
	t.Fired.plus(&u.Fired)
	t.Would.plus(&u.Would)
	t.Kept += u.Kept
	t.Changed += u.Changed
	t.Added += u.Added
	t.Gone += u.Gone
	t.Logged += u.Logged
	t.Unsupported += u.Unsupported
	t.Missing += u.Missing
}

// Same reports whether the rule finds the same under both limits.
func (t *Tally) Same() bool { return t.Changed+t.Added+t.Gone == 0 }

// AthleteTally is what a rule finds of one athlete.
type AthleteTally struct {
	Athlete lift.AthleteID `json:"athlete"`
	Tally
}

// Kind says how an example differs.
type Kind string

// The kinds of examples.
const (
	Added       Kind = "added"
	Gone        Kind = "gone"
	Changed     Kind = "changed"
	Unsupported Kind = "unsupported"
	Missing     Kind = "missing"
)

// Said is what an alert says, or would have said.
type Said struct {
	Severity lift.Severity `json:"severity"`
	Title    string        `json:"title"`
	Evidence lift.Evidence `json:"evidence"`
}

// Example is one difference.
type Example struct {
	ID       string          `json:"id" doc:"of the alert, whether it was or would have been one"`
	Kind     Kind            `json:"kind" enum:"added,gone,changed,unsupported,missing"`
	Rule     lift.Rule       `json:"rule"`
	Athlete  lift.AthleteID  `json:"athlete"`
	Exercise lift.ExerciseID `json:"exercise,omitzero"`
	Group    string          `json:"group,omitzero"`
	Window   lift.Window     `json:"window"`
	Fired    *Said           `json:"fired,omitzero"`
	Would    *Said           `json:"would,omitzero"`
	Logged   *Said           `json:"logged,omitzero"`
}

// Summary is the answer without what is told by athlete.
type Summary struct {
	AsOf     time.Time `json:"as_of,omitzero" doc:"the time up to which was judged"`
	Position uint64    `json:"position" doc:"the log's sequence at which every athlete is known at least"`
	Athletes int       `json:"athletes" doc:"how many were judged"`
	Reps     int       `json:"reps" doc:"how many of their reps were read"`
	Rules    []Tally   `json:"rules" doc:"every rule"`
	Examples []Example `json:"examples" doc:"of each rule and kind the newest, a few"`
}

// Report is the answer.
type Report struct {
	Summary
	// ByAthlete are by athlete and rule, where there is anything to count.
	ByAthlete []AthleteTally `json:"by_athlete"`
}

// examplesKept is how many examples are kept of each rule and kind.
const examplesKept = 5

type exampleKey struct {
	rule lift.Rule
	kind Kind
}

// sum adds athletes up, in any order.
type sum struct {
	summary  Summary
	rules    map[lift.Rule]*Tally
	tallies  []AthleteTally
	examples map[exampleKey][]Example
}

func newSum() *sum {
	s := &sum{rules: map[lift.Rule]*Tally{}, examples: map[exampleKey][]Example{}}
	for _, r := range analysis.Rules() {
		s.rules[r] = &Tally{Rule: r}
	}
	return s
}

func (s *sum) add(v *verdicts) {
	if s.summary.Athletes == 0 || v.position < s.summary.Position {
		s.summary.Position = v.position
	}
	s.summary.AsOf = latest(s.summary.AsOf, v.asOf)
	s.summary.Athletes++
	s.summary.Reps += v.reps
	own := map[lift.Rule]*Tally{}
	of := func(r lift.Rule) *Tally {
		t, ok := own[r]
		if !ok {
			t = &Tally{Rule: r}
			own[r] = t
		}
		return t
	}
	fired, would, logged := byID(v.fired), byID(v.would), byID(v.logged)
	for i := range v.fired {
		f := &v.fired[i]
		t := of(f.Rule)
		t.Fired.add(f.Severity)
		switch w := would[f.ID]; {
		case w == nil:
			t.Gone++
			s.keep(Example{Kind: Gone, Fired: said(f)}, f)
		case w.Severity != f.Severity:
			t.Changed++
			s.keep(Example{Kind: Changed, Fired: said(f), Would: said(w)}, f)
		default:
			t.Kept++
		}
		if logged[f.ID] == nil {
			t.Missing++
			s.keep(Example{Kind: Missing, Fired: said(f)}, f)
		}
	}
	for i := range v.would {
		w := &v.would[i]
		t := of(w.Rule)
		t.Would.add(w.Severity)
		if fired[w.ID] == nil {
			t.Added++
			s.keep(Example{Kind: Added, Would: said(w)}, w)
		}
	}
	for i := range v.logged {
		l := &v.logged[i]
		t := of(l.Rule)
		t.Logged++
		if fired[l.ID] == nil {
			t.Unsupported++
			s.keep(Example{Kind: Unsupported, Logged: said(l)}, l)
		}
	}
	for r, t := range own {
		if s.rules[r] == nil { // of a rule that is no more
			s.rules[r] = &Tally{Rule: r}
		}
		s.rules[r].plus(t)
		s.tallies = append(s.tallies, AthleteTally{v.athlete, *t})
	}
}

func byID(found []lift.Finding) map[string]*lift.Finding {
	all := make(map[string]*lift.Finding, len(found))
	for i := range found {
		all[found[i].ID] = &found[i]
	}
	return all
}

func said(f *lift.Finding) *Said { return &Said{f.Severity, f.Title, f.Evidence} }

// keep keeps the example if it is among the newest of its rule and kind.
func (s *sum) keep(e Example, of *lift.Finding) {
	e.ID, e.Rule, e.Athlete, e.Exercise, e.Group, e.Window = of.ID, of.Rule, of.Athlete, of.Exercise, of.Group, of.Window
	k := exampleKey{e.Rule, e.Kind}
	at, _ := slices.BinarySearchFunc(s.examples[k], e, newestFirst)
	kept := slices.Insert(s.examples[k], at, e)
	s.examples[k] = kept[:min(len(kept), examplesKept)]
}

func newestFirst(a, b Example) int {
	return cmp.Or(b.Window.From.Compare(a.Window.From), strings.Compare(a.ID, b.ID))
}

func (s *sum) report() Report {
	r := Report{Summary: s.summary, ByAthlete: s.tallies}
	r.Rules, r.Examples = []Tally{}, []Example{}
	for _, t := range s.rules {
		r.Rules = append(r.Rules, *t)
	}
	slices.SortFunc(r.Rules, func(a, b Tally) int { return compareRules(a.Rule, b.Rule) })
	for i := range r.Rules {
		for _, kind := range []Kind{Added, Gone, Changed, Unsupported, Missing} {
			r.Examples = append(r.Examples, s.examples[exampleKey{r.Rules[i].Rule, kind}]...)
		}
	}
	slices.SortFunc(r.ByAthlete, func(a, b AthleteTally) int {
		return cmp.Or(strings.Compare(string(a.Athlete), string(b.Athlete)), compareRules(a.Rule, b.Rule))
	})
	return r
}

// compareRules orders rules as analysis.Rules does, and others behind them.
func compareRules(a, b lift.Rule) int {
	place := func(r lift.Rule) int {
		if i := slices.Index(analysis.Rules(), r); i >= 0 {
			return i
		}
		return len(analysis.Rules())
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(string(a), string(b)))
}
