package influx

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

func (r *rig) profile(athlete lift.AthleteID, revision int64, teams ...lift.TeamID) journal.Event {
	return journal.Event{Kind: journal.KindRecord, Received: at(0), Site: r.site, Athlete: athlete, Record: &lift.Record{
		Kind: lift.OfAthlete, ID: string(athlete), Revision: revision, By: "coach", At: at(float64(revision)),
		Athlete: &lift.AthleteProfile{Name: "Ana Ortiz", Site: r.site, Teams: teams},
	}}
}

func (r *rig) decided(athlete lift.AthleteID, verb lift.PlanVerb, when time.Time) journal.Event {
	return journal.Event{Kind: journal.KindPlan, Received: when, Site: r.site, Athlete: athlete,
		Plan: &lift.PlanStep{Verb: verb, At: when, By: "coach"}}
}

// TestInfluxKnowsTheTeamsOfNow: a board that lists a team's athletes must not list
// who has left it.
func TestInfluxKnowsTheTeamsOfNow(t *testing.T) {
	r := newRig(t, anyInflux(t))
	f, _ := r.follower()
	ana, bo := r.athlete("ana"), r.athlete("bo")
	r.append(r.profile(ana, 1, "squad", "juniors"), r.profile(bo, 1, "juniors"), r.tick(at(60)))
	r.settled(f)
	r.append(r.profile(ana, 2, "seniors"), r.profile(bo, 2), r.tick(at(120)))
	r.settled(f)
	want := []row{
		{"time": float64(at(2).UnixMilli()), "athlete": string(ana), "team": "seniors", "valid": 1.0},
		{"time": float64(at(2).UnixMilli()), "athlete": string(bo), "valid": 1.0},
	}
	if diff := cmp.Diff(want, r.rows("member")); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	for _, series := range r.query(r.db.bucket, `SHOW TAG VALUES FROM "member" WITH KEY = "team" WHERE site = `+quoteText(string(r.site))) {
		if got := series.Values; len(got) != 1 || got[0][1] != "seniors" {
			t.Errorf("teams %v, want seniors alone", got)
		}
	}
	if _, err := f.Erase(t.Context(), ana, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[1:], r.rows("member")); diff != "" {
		t.Errorf("members after the erase (-want +got):\n%s", diff)
	}
}

func TestInfluxKnowsHoldsAndPhasesAsTheyChange(t *testing.T) {
	r := newRig(t, anyInflux(t))
	f, _ := r.follower()
	ana := r.athlete("ana")
	painful := journal.Event{Kind: journal.KindCheckIn, Received: at(300), Site: r.site, Athlete: ana,
		CheckIn: &lift.CheckIn{Time: at(240), Phase: lift.PhaseAfter, Pain: new(8)}}
	r.append(r.profile(ana, 1), r.decided(ana, lift.PlanStart, at(0)), r.tick(at(60)))
	r.settled(f)
	r.append(painful, r.tick(at(360)))
	r.settled(f)
	r.append(r.decided(ana, lift.PlanRelease, at(600)), r.tick(at(660)))
	r.settled(f)
	r.append(r.decided(ana, lift.PlanEnd, at(900)), r.tick(at(960)))
	r.settled(f)
	point := func(seconds, held, phase float64) row {
		return row{"time": float64(at(seconds).UnixMilli()), "athlete": string(ana), "held": held, "phase": phase}
	}
	want := []row{point(0, 0, 1), point(300, 1, 1), point(600, 0, 1), point(900, 0, 0)}
	if diff := cmp.Diff(want, r.rows("plan")); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
}
