package roster

import (
	"testing"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// book is what people have written down, in memory.
type book struct {
	steps map[string][]lift.Record
	turns uint64
}

func (b *book) Record(kind lift.RecordKind, id string) (lift.Record, bool) {
	steps := b.steps[string(kind)+" "+id]
	if len(steps) == 0 {
		return lift.Record{}, false
	}
	return steps[len(steps)-1], true
}

func (b *book) Terms(kind lift.RecordKind, id string) []lift.Record {
	return b.steps[string(kind)+" "+id]
}

func (b *book) RecordTurns() uint64 { return b.turns }

// write adds a revision on a day of November.
func (b *book) write(day int, r lift.Record) {
	if b.steps == nil {
		b.steps = map[string][]lift.Record{}
	}
	key := string(r.Kind) + " " + r.ID
	r.Revision, r.At = int64(len(b.steps[key]))+1, november(day)
	b.steps[key] = append(b.steps[key], r)
	b.turns++
}

func november(day int) time.Time { return time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC) }

func loss(pct float64) lift.LimitsByRule {
	return lift.LimitsByRule{analysis.VelocityLoss: {Values: map[string]any{"deadlift_advice_pct": pct}, By: "kim", At: november(1)}}
}

// advice is the deadlift's limit from each change on, the first from the beginning.
func advice(s analysis.Settings) []float64 {
	line := []float64{s.Limits.VelocityLoss.DeadliftAdvicePct}
	for _, t := range s.Later {
		line = append(line, t.Limits.VelocityLoss.DeadliftAdvicePct)
	}
	return line
}

func same(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestLimitsHoldFromTheDayOnWhichTheyWereSet(t *testing.T) {
	b := &book{}
	r := New(b, analysis.Settings{Zone: time.UTC})
	if got := advice(r.Settings("ana")); !same(got, []float64{15}) {
		t.Errorf("before anybody said anything: %v", got)
	}
	b.write(1, lift.Record{Kind: lift.OfAthlete, ID: "ana", Athlete: &lift.AthleteProfile{Site: "main", Teams: []lift.TeamID{"squad"}}})
	b.write(2, lift.Record{Kind: lift.OfHouse, ID: lift.House, House: &lift.HouseRecord{Limits: loss(14)}})
	b.write(3, lift.Record{Kind: lift.OfSite, ID: "main", Site: &lift.SiteRecord{Limits: loss(13)}})
	b.write(4, lift.Record{Kind: lift.OfTeam, ID: "main/squad", Team: &lift.TeamRecord{Limits: loss(12)}})
	b.write(5, lift.Record{Kind: lift.OfAthlete, ID: "ana", Athlete: &lift.AthleteProfile{Site: "main", Teams: []lift.TeamID{"squad"}, Limits: loss(11), Name: "Ana"}})
	b.write(6, lift.Record{Kind: lift.OfAthlete, ID: "ana", Athlete: &lift.AthleteProfile{Site: "main", Teams: []lift.TeamID{"squad"}}})
	b.write(7, lift.Record{Kind: lift.OfTeam, ID: "main/squad", Removed: true})
	s := r.Settings("ana")
	if got, want := advice(s), []float64{15, 14, 13, 12, 11, 12, 13}; !same(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !s.Later[1].From.Equal(november(3)) {
		t.Errorf("the site's holds from %v", s.Later[1].From)
	}
	if got := advice(r.Settings("bo")); !same(got, []float64{15, 14}) {
		t.Errorf("somebody of no site: %v", got)
	}
}

func TestLimitsFollowAnAthleteToAnotherSite(t *testing.T) {
	b := &book{}
	r := New(b, analysis.Settings{Zone: time.UTC})
	b.write(1, lift.Record{Kind: lift.OfSite, ID: "main", Site: &lift.SiteRecord{Limits: loss(13), Zone: "Europe/Berlin"}})
	b.write(1, lift.Record{Kind: lift.OfSite, ID: "south", Site: &lift.SiteRecord{Limits: loss(10)}})
	b.write(2, lift.Record{Kind: lift.OfAthlete, ID: "ana", Athlete: &lift.AthleteProfile{Site: "main", Goal: "speed"}})
	if zone := r.Zone("ana").String(); zone != "Europe/Berlin" {
		t.Errorf("zone %s, want the site's", zone)
	}
	b.write(9, lift.Record{Kind: lift.OfAthlete, ID: "ana", Athlete: &lift.AthleteProfile{Site: "south", Zone: "Asia/Tokyo"}})
	s := r.Settings("ana")
	if got := advice(s); !same(got, []float64{15, 13, 10}) {
		t.Errorf("%v", got)
	}
	if s.Zone.String() != "Asia/Tokyo" || s.Later[0].Goal != analysis.GoalSpeed || s.Later[1].Goal == analysis.GoalSpeed {
		t.Errorf("zone %s, goals %q then %q", s.Zone, s.Later[0].Goal, s.Later[1].Goal)
	}
}

func TestALimitThatIsNotUnderstoodIsPassedOverAlone(t *testing.T) {
	b := &book{}
	r := New(b, analysis.Settings{Zone: time.UTC})
	limits := loss(12)
	limits[analysis.VelocityLoss].Values["of_a_later_version"] = 3.0
	limits["a-rule-of-a-later-version"] = lift.RuleLimits{Values: map[string]any{"x": 1.0}}
	b.write(1, lift.Record{Kind: lift.OfHouse, ID: lift.House, House: &lift.HouseRecord{Limits: limits}})
	if got := advice(r.Settings("")); !same(got, []float64{15, 12}) {
		t.Errorf("%v", got)
	}
	if err := r.Check(Scope{Site: "main"}, limits); err == nil {
		t.Error("it can be set anew")
	}
}
