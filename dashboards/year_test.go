package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/ingest/influx"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

// year makes a year of one athlete as the follower would have written it.
func year(t *testing.T, l sim.Lifter, number int, now time.Time) *influx.History {
	t.Helper()
	h := &influx.History{Athlete: l.ID, Site: home, Profile: lift.Record{
		Kind: lift.OfAthlete, ID: string(l.ID), At: now, Athlete: &lift.AthleteProfile{Site: home, Teams: []lift.TeamID{lift.TeamID(fmt.Sprintf("team-%02d", number/20))}},
	}}
	device := lift.DeviceID(fmt.Sprintf("rack-%02d", number/10))
	messages, _ := sim.History(l, sim.Past{Site: home, Device: device, From: now.AddDate(-1, 0, 0), To: now})
	for _, m := range messages {
		if strings.HasSuffix(m.Topic, "/checkin") {
			c := lift.CheckInRecord{Site: home, Athlete: l.ID}
			if err := json.Unmarshal(m.Payload, &c.CheckIn); err != nil {
				t.Fatal(err)
			}
			h.CheckIns = append(h.CheckIns, c)
			continue
		}
		var reps []lift.Rep
		if err := json.Unmarshal(m.Payload, &reps); err != nil {
			t.Fatal(err)
		}
		for _, r := range reps {
			h.Reps = append(h.Reps, lift.RepRecord{
				ID: lift.RepID(home, device, r.BootID, r.Seq), Site: home, Device: device, Rep: r, Valid: true, State: lift.RepConfirmed, PointTime: r.Time,
			})
		}
	}
	slices.SortFunc(h.Reps, func(a, b lift.RepRecord) int { return a.PointTime.Compare(b.PointTime) })
	h.Sets = analysis.Sets(h.Reps, nil, time.UTC)
	h.Weeks = analysis.Weeks(analysis.History{Athlete: l.ID, Site: home, Reps: h.Reps}, analysis.Settings{}, now)
	for i := range h.Weeks {
		if w := &h.Weeks[i]; w.ChangePct != nil && *w.ChangePct > 10 {
			h.Alerts = append(h.Alerts, lift.Alert{State: lift.AlertOpen, Opened: w.From.Add(time.Duration(100+i) * time.Hour), Finding: lift.Finding{
				Athlete: l.ID, Site: home, Rule: "weekly-volume", Severity: lift.Severity("warning"), Message: "This week is over the baseline by more than it should be.",
				Evidence: lift.Evidence{Value: *w.ChangePct, Threshold: 10},
			}})
		}
	}
	return h
}

// TestAYearAnswersWithinASecond asks everything that the dashboards ask of InfluxDB,
// of a year of many athletes, and wants each answer within a second for the time that
// the dashboard opens with. Who asks for the whole year is let wait longer.
// SPOTTER_SOAK makes it 200 athletes, else 10.
func TestAYearAnswersWithinASecond(t *testing.T) {
	athletes := 10
	if os.Getenv("SPOTTER_SOAK") != "" {
		athletes = 200
	}
	server := need.RunInflux(t)
	db := &store{url: server.URL}
	db.ask(t, "", "CREATE DATABASE spotter")
	db.ask(t, "", "CREATE DATABASE spotter_samples")
	now := time.Now().UTC()
	began, points := time.Now(), 0
	var batch bytes.Buffer
	flush := func() {
		answer, err := http.Post(server.URL+"/write?db=spotter&precision=ms", "text/plain", bytes.NewReader(batch.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if _ = answer.Body.Close(); answer.StatusCode != http.StatusNoContent {
			t.Fatalf("write: %s", answer.Status)
		}
		batch.Reset()
	}
	for i, l := range sim.Roster(7, athletes) {
		h := year(t, l, i, now)
		for line := range h.Lines() {
			batch.WriteString(line)
			batch.WriteByte('\n')
			if points++; points%10_000 == 0 {
				flush()
			}
		}
	}
	flush()
	t.Logf("%d points of %d athletes written in %v", points, athletes, time.Since(began).Round(time.Second))
	star := string(sim.LifterID(1)) // whose last whole week was a leap
	for name, board := range committed(t) {
		shown := since(t, board.Time, now)
		whole := shownTime{now.AddDate(-1, 0, 0), now}
		if len(board.Templating.List) == 1 {
			continue // of Prometheus alone
		}
		for _, s := range []shownTime{shown, whole} {
			given := values{"athlete": {star}}
			if board.UID == "spotter-team" {
				given = nil // everyone
			}
			db.slowest, db.patient = 0, time.Second
			if s == whole {
				db.patient = 30 * time.Second
			}
			db.show(t, name, &board, s, db.everything(t, &board, s, given), false)
			t.Logf("%s, %.0f days: slowest %v: %.200s", name, s.to.Sub(s.from).Hours()/24, db.slowest.Round(time.Millisecond), db.of)
		}
	}
	db.patient = time.Second
	for _, r := range rules(t) {
		for _, q := range r.Data {
			if q.Model.Query != "" {
				db.ask(t, "spotter", fill(t, q.Model.Query, nil, shownTime{now.Add(-time.Duration(q.RelativeTimeRange.From) * time.Second), now}, ""))
			}
		}
	}
}
