package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

func TestTheTeamIsSeenAtAGlance(t *testing.T) {
	now := clockAt(trained.Add(2 * time.Hour))
	g := open(t, func(o *Options) { o.Clock = now.time })
	trainWeeks(g, 1, trained)
	g.append(checkin("ana", trained.Add(time.Hour), 6))
	g.append(found("ana", 1, lift.Warning, trained))
	want[athlete](g, 200, "PATCH", "/api/v1/athletes/ana", `{"name":"Ana"}`)
	ana := want[list[teamRow]](g, 200, "GET", "/api/v1/standings", "").Items[0]
	if ana.ID != "ana" || ana.Name != "Ana" || ana.Week == nil || ana.LastSession.IsZero() || ana.Sessions == 0 || ana.Deadlifts != "none" || !ana.Hold {
		t.Errorf("%+v", ana)
	}
	if ana.Pain == nil || ana.Pain.Score != 6 {
		t.Errorf("pain %+v", ana.Pain)
	}
	if diff := cmp.Diff(map[lift.Severity]int{lift.Warning: 1}, ana.Open); diff != "" {
		t.Error(diff)
	}
	id := want[list[lift.Alert]](g, 200, "GET", "/api/v1/alerts", "").Items[0].ID
	want[lift.Alert](g, 200, "POST", "/api/v1/alerts/"+id+"/acknowledge", "")
	g.append(checkin("ana", trained.Add(90*time.Minute), 2))
	ana = want[list[teamRow]](g, 200, "GET", "/api/v1/standings", "").Items[0]
	if len(ana.Open) != 0 || ana.Pain.Score != 2 {
		t.Errorf("what is new is not shown: %+v, pain %+v", ana, ana.Pain)
	}
}

func checkin(athlete string, at time.Time, pain int) journal.Event {
	return journal.Event{
		Kind: journal.KindCheckIn, Received: at, Site: "main", Athlete: lift.AthleteID(athlete),
		CheckIn: &lift.CheckIn{Time: at, Phase: lift.PhaseAfter, Pain: &pain},
	}
}
