package api

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

// The digest holds what was opened in the week before, the worst athlete and the
// worst alert first, and neither what was taken back nor a backlog.
func TestTheDigestIsOfTheWeekBefore(t *testing.T) {
	g := open(t) // trained is a Tuesday
	backlog := found("ana", 7, lift.Warning, trained)
	backlog.Alert.Finding.Historical = true
	gone := found("cleo", 8, lift.Critical, trained)
	g.append(
		found("ana", 1, lift.Advice, trained), found("ana", 2, lift.Info, trained.Add(time.Hour)),
		found("bo", 3, lift.Warning, trained.Add(2*time.Hour)), found("bo", 4, lift.Critical, trained.Add(3*time.Hour)),
		found("ana", 5, lift.Critical, trained.AddDate(0, 0, 7)), backlog, gone, retracted(gone, trained.Add(time.Hour)),
	)
	got := want[digest](g, 200, "GET", "/api/v1/digest?at=2026-11-16T06:00:00Z", "")
	type line struct {
		Athlete lift.AthleteID
		Worst   lift.Severity
		First   lift.Severity
		N       int
	}
	var lines []line
	for _, a := range got.Athletes {
		lines = append(lines, line{a.Athlete, a.Worst, a.Alerts[0].Severity, len(a.Alerts)})
	}
	if d := cmp.Diff([]line{{"bo", lift.Critical, lift.Critical, 2}, {"ana", lift.Advice, lift.Advice, 2}}, lines); d != "" || got.Week != "2026-W46" {
		t.Errorf("%s: %s", got.Week, d)
	}
	if got := want[digest](g, 200, "GET", "/api/v1/digest?at=2026-11-16T05:59:59Z", ""); got.Week != "2026-W45" || len(got.Athletes) != 0 {
		t.Errorf("before six: %+v", got)
	}
	if got := want[digest](g, 200, "GET", "/api/v1/digest?site=north&at=2026-11-16T06:00:00Z", ""); len(got.Athletes) != 0 {
		t.Errorf("of another site: %+v", got)
	}
}

// What follows an alert that nobody answers counts from when it got so bad.
func TestAnAlertTellsWhatFollows(t *testing.T) {
	g := open(t)
	first := found("ana", 1, lift.Warning, trained)
	worse := found("ana", 1, lift.Critical, trained.Add(2*time.Hour))
	g.append(first)
	path := "/api/v1/alerts/" + first.Alert.AlertID
	if got := want[alertDetail](g, 200, "GET", path, ""); !cmp.Equal(got.Escalations, []escalation{{trained.Add(24 * time.Hour), "coach"}}) {
		t.Errorf("a warning: %+v", got.Escalations)
	}
	g.append(worse)
	if got := want[alertDetail](g, 200, "GET", path, ""); !cmp.Equal(got.Escalations, []escalation{{trained.Add(3 * time.Hour), "second_coach"}}) {
		t.Errorf("critical: %+v", got.Escalations)
	}
	want[lift.Alert](g, 200, "POST", path+"/acknowledge", "")
	if got := want[alertDetail](g, 200, "GET", path, ""); len(got.Escalations) != 0 {
		t.Errorf("acknowledged: %+v", got.Escalations)
	}
}
