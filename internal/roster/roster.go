// Package roster says by which settings an athlete is judged: what people have
// written down about the installation, the site, the teams and the athlete, put
// together as the analysis wants it.
//
// Limits hold from the scope above unless the one below has its own: defaults,
// installation, site, the athlete's teams in their order, athlete. All methods of
// Roster may be called concurrently.
package roster

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// Records are what people have written down.
type Records interface {
	// Record returns the newest revision, false for a record that never was.
	Record(kind lift.RecordKind, id string) (lift.Record, bool)
	// Terms returns the revisions that changed limits, goal, site or teams.
	Terms(kind lift.RecordKind, id string) []lift.Record
	// RecordTurns changes with every change of a record.
	RecordTurns() uint64
}

// Roster knows the settings of each athlete.
type Roster struct {
	records Records
	base    analysis.Settings

	mu    sync.Mutex
	turn  uint64
	known map[lift.AthleteID]analysis.Settings
}

// New returns a roster. The base holds where nobody has said anything.
func New(records Records, base analysis.Settings) *Roster {
	if base.Limits == (analysis.Limits{}) {
		base.Limits = analysis.DefaultLimits()
	}
	return &Roster{records: records, base: base, known: map[lift.AthleteID]analysis.Settings{}}
}

// mostKnown bounds how many athletes' settings are kept ready.
const mostKnown = 20_000

// Settings returns what an athlete is judged by; the empty athlete is judged by
// what holds for the whole installation. It is never older than the records were
// when it was called.
func (r *Roster) Settings(athlete lift.AthleteID) analysis.Settings {
	turn := r.records.RecordTurns()
	r.mu.Lock()
	defer r.mu.Unlock()
	if turn != r.turn || len(r.known) > mostKnown {
		clear(r.known)
		r.turn = turn
	}
	if s, ok := r.known[athlete]; ok {
		return s
	}
	s := r.settings(athlete)
	r.known[athlete] = s
	return s
}

// Zone is the athlete's, or the site's, or the installation's.
func (r *Roster) Zone(athlete lift.AthleteID) *time.Location { return r.Settings(athlete).Zone }

// SiteZone is the time zone of a site.
func (r *Roster) SiteZone(site lift.SiteID) *time.Location {
	if rec, ok := r.records.Record(lift.OfSite, string(site)); ok && rec.Site != nil {
		if zone, ok := load(rec.Site.Zone); ok {
			return zone
		}
	}
	return r.base.Zone
}

func load(name string) (*time.Location, bool) {
	if name == "" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

func (r *Roster) settings(athlete lift.AthleteID) analysis.Settings {
	s := r.base
	if rec, ok := r.records.Record(lift.OfAthlete, string(athlete)); ok && rec.Athlete != nil {
		p := rec.Athlete
		s.Born, s.Maximum, s.MinVelocity, s.Deloads, s.Tests = p.Born, p.MaximumKg, p.MinVelocity, p.Deloads, p.Tests
		s.Zone = r.SiteZone(p.Site)
		if zone, ok := load(p.Zone); ok {
			s.Zone = zone
		}
	}
	t := r.timeline(athlete)
	s.Goal, s.Later = r.base.Goal, t
	return s
}

// timeline is what held from when on, beside what the base says.
func (r *Roster) timeline(athlete lift.AthleteID) []analysis.Terms {
	own := r.records.Terms(lift.OfAthlete, string(athlete))
	house := r.records.Terms(lift.OfHouse, lift.House)
	changes := slices.Concat(own, house)
	scopes := map[string][]lift.Record{}
	for _, o := range own {
		if o.Athlete == nil {
			continue
		}
		for _, id := range above(o.Athlete) {
			if _, seen := scopes[id.String()]; !seen {
				scopes[id.String()] = r.records.Terms(id.kind, id.id)
				changes = append(changes, scopes[id.String()]...)
			}
		}
	}
	var at []time.Time
	for i := range changes {
		at = append(at, changes[i].At)
	}
	slices.SortFunc(at, time.Time.Compare)
	at = slices.CompactFunc(at, time.Time.Equal)

	before := analysis.Terms{Goal: r.base.Goal, Limits: r.base.Limits}
	var line []analysis.Terms
	for _, t := range at {
		now := analysis.Terms{From: t, Goal: r.base.Goal, Limits: r.base.Limits}
		stack := []*lift.Record{newest(house, t)}
		me := newest(own, t)
		if me != nil && me.Athlete != nil {
			now.Goal = analysis.Goal(cmp.Or(me.Athlete.Goal, string(r.base.Goal)))
			for _, id := range above(me.Athlete) {
				stack = append(stack, newest(scopes[id.String()], t))
			}
		}
		for _, rec := range append(stack, me) {
			if rec != nil {
				now.Limits = merge(now.Limits, rec.Limits())
			}
		}
		if now.Goal != before.Goal || now.Limits != before.Limits {
			line = append(line, now)
			before = now
		}
	}
	return line
}

type recordID struct {
	kind lift.RecordKind
	id   string
}

func (i recordID) String() string { return string(i.kind) + " " + i.id }

// above are the scopes between the installation and the athlete, outermost first.
func above(p *lift.AthleteProfile) []recordID {
	ids := []recordID{{lift.OfSite, string(p.Site)}}
	for _, team := range p.Teams {
		ids = append(ids, recordID{lift.OfTeam, string(p.Site) + "/" + string(team)})
	}
	return ids
}

// newest is the revision that holds at a time, nil before the first.
func newest(steps []lift.Record, at time.Time) *lift.Record {
	var found *lift.Record
	for i := range steps {
		if steps[i].At.After(at) {
			break
		}
		found = &steps[i]
	}
	return found
}

// merge puts limits over others. What is stored was checked when it came in; what
// this program does not understand any more is passed over, limit by limit.
func merge(base analysis.Limits, by lift.LimitsByRule) analysis.Limits {
	if len(by) == 0 {
		return base
	}
	if merged, err := Merge(base, by); err == nil {
		return merged
	}
	for rule, limits := range by {
		for name, value := range limits.Values {
			one := lift.LimitsByRule{rule: {Values: map[string]any{name: value}}}
			if merged, err := Merge(base, one); err == nil {
				base = merged
			}
		}
	}
	return base
}

// Merge returns base with the given limits in their place. The error joins a
// *lift.FieldError for each limit that cannot be used.
func Merge(base analysis.Limits, by lift.LimitsByRule) (analysis.Limits, error) {
	patch := make(map[lift.Rule]map[string]any, len(by))
	for rule, limits := range by {
		patch[rule] = limits.Values
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return base, fmt.Errorf("encode limits: %w", err)
	}
	return analysis.MergeLimits(base, data)
}

// Scope is for whom limits are: everybody, a site, a team of it, or one athlete. The
// zero Scope is the whole installation.
type Scope struct {
	Site    lift.SiteID
	Team    lift.TeamID // of Site
	Athlete lift.AthleteID
}

// Record is the record that holds the scope's limits.
func (c Scope) Record() (lift.RecordKind, string) {
	switch {
	case c.Athlete != "":
		return lift.OfAthlete, string(c.Athlete)
	case c.Team != "":
		return lift.OfTeam, string(c.Site) + "/" + string(c.Team)
	case c.Site != "":
		return lift.OfSite, string(c.Site)
	}
	return lift.OfHouse, lift.House
}

// SetBy is whose word counts for the limits of a rule, and where they said it.
type SetBy struct {
	Kind lift.RecordKind `json:"scope"` // house, site, team or athlete
	ID   string          `json:"id"`
	lift.RuleLimits
}

// InForce returns the limits that hold at a scope now, and for each rule that
// somebody has changed there or above, the word nearest to the scope.
func (r *Roster) InForce(c Scope) (analysis.Limits, map[lift.Rule]SetBy) {
	limits, said := r.base.Limits, map[lift.Rule]SetBy{}
	for _, id := range r.scopes(c) {
		rec, ok := r.records.Record(id.kind, id.id)
		if !ok || rec.Removed {
			continue
		}
		limits = merge(limits, rec.Limits())
		for rule, l := range rec.Limits() {
			said[rule] = SetBy{id.kind, id.id, l}
		}
	}
	return limits, said
}

// scopes are those from the installation down to the given one.
func (r *Roster) scopes(c Scope) []recordID {
	ids := []recordID{{lift.OfHouse, lift.House}}
	if c.Athlete != "" {
		if rec, ok := r.records.Record(lift.OfAthlete, string(c.Athlete)); ok && rec.Athlete != nil {
			ids = append(ids, above(rec.Athlete)...)
		}
	} else if c.Team != "" {
		ids = append(ids, recordID{lift.OfSite, string(c.Site)})
	}
	if c != (Scope{}) {
		kind, id := c.Record()
		ids = append(ids, recordID{kind, id})
	}
	return ids
}

// Check returns a *lift.FieldError, or several joined, where limits cannot be used at
// a scope, alone or beside what holds above it.
func (r *Roster) Check(c Scope, limits lift.LimitsByRule) error {
	base := r.base.Limits
	ids := r.scopes(c)
	for _, id := range ids[:len(ids)-1] {
		if rec, ok := r.records.Record(id.kind, id.id); ok {
			base = merge(base, rec.Limits())
		}
	}
	_, err := Merge(base, limits)
	return err
}
