package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// Whichever way a list is found, it is what looking at every alert would give.
func TestListsOfAlertsAreThoseThatFit(t *testing.T) {
	athletes := []lift.AthleteID{"ana", "bo", "cy"}
	sites := []lift.SiteID{"main", "east"}
	rules := []lift.Rule{"grind", "hold", "tempo"}
	severities := []lift.Severity{lift.Info, lift.Advice, lift.Warning, lift.Critical, lift.Urgent}
	states := []lift.AlertState{lift.AlertOpen, lift.AlertAcknowledged, lift.AlertResolved, lift.AlertRetracted, lift.AlertExpired}
	verbs := []lift.AlertVerb{lift.AlertAcknowledge, lift.AlertResolve, lift.AlertRetract, lift.AlertExpire, lift.AlertFound}
	many := slices.Clone(athletes[:2])
	for i := range fewAthletes {
		many = append(many, lift.AthleteID(fmt.Sprintf("other-%d", i)))
	}
	v := openView(t)
	rapid.Check(t, func(r *rapid.T) {
		if _, err := v.write.Exec("DELETE FROM alerts; DELETE FROM alert_kinds; DELETE FROM alert_steps"); err != nil {
			r.Fatal(err)
		}
		for i := range rapid.IntRange(0, 40).Draw(r, "alerts") {
			e := found(fmt.Sprintf("al_%d", i), rapid.SampledFrom(severities).Draw(r, "severity"), noon.Add(time.Duration(rapid.IntRange(0, 9).Draw(r, "opened"))*time.Hour))
			f := e.Alert.Finding
			f.Athlete, f.Site, f.Rule = rapid.SampledFrom(athletes).Draw(r, "athlete"), rapid.SampledFrom(sites).Draw(r, "site"), rapid.SampledFrom(rules).Draw(r, "rule")
			e.Athlete, e.Site = f.Athlete, f.Site
			put(r, v, e)
			for range rapid.IntRange(0, 2).Draw(r, "steps") {
				step := lift.AlertChange{AlertID: f.ID, Verb: rapid.SampledFrom(verbs).Draw(r, "verb"), At: noon}
				switch step.Verb {
				case lift.AlertFound:
					moved := *f
					moved.Site, moved.Severity = rapid.SampledFrom(sites).Draw(r, "site"), rapid.SampledFrom(severities).Draw(r, "severity")
					step.Finding = &moved
				case lift.AlertAcknowledge, lift.AlertResolve:
					step.Answer = &lift.Answer{By: "coach", At: noon}
				}
				put(r, v, journal.Event{Kind: journal.KindAlert, Received: noon, Site: f.Site, Athlete: f.Athlete, Alert: &step})
			}
		}
		all, next, err := v.Alerts(t.Context(), AlertQuery{}, Page{Limit: 500})
		if err != nil || next != "" {
			r.Fatal(next, err)
		}
		if n := v.count(r); n != len(all) {
			r.Fatalf("%d of %d alerts", len(all), n)
		}
		if !slices.IsSortedFunc(all, func(a, b lift.Alert) int { return cmp.Or(b.Opened.Compare(a.Opened), strings.Compare(b.ID, a.ID)) }) {
			r.Fatal("not the newest first")
		}
		for range 20 {
			q := AlertQuery{
				Athlete:  rapid.SampledFrom(append([]lift.AthleteID{"", ""}, athletes...)).Draw(r, "athlete"),
				Athletes: rapid.SampledFrom([][]lift.AthleteID{nil, nil, {}, athletes[1:], many}).Draw(r, "athletes"),
				Site:     rapid.SampledFrom(append([]lift.SiteID{""}, sites...)).Draw(r, "site"),
				Rule:     rapid.SampledFrom(append([]lift.Rule{"", "", ""}, rules...)).Draw(r, "rule"),
				Severity: rapid.SampledFrom(append([]lift.Severity{"", "", "", ""}, severities...)).Draw(r, "severity"),
				State:    rapid.SampledFrom(append([]lift.AlertState{"", "", "", ""}, states...)).Draw(r, "state"),
			}
			if rapid.Bool().Draw(r, "between") {
				q.Since, q.Until = noon.Add(2*time.Hour), noon.Add(7*time.Hour)
			}
			var want []string
			for i := range all {
				a := &all[i]
				if (q.Athlete == "" || a.Athlete == q.Athlete) && (q.Athletes == nil || slices.Contains(q.Athletes, a.Athlete)) &&
					(q.Site == "" || a.Site == q.Site) && (q.Rule == "" || a.Rule == q.Rule) && a.Severity.Rank() >= q.Severity.Rank() &&
					(q.State == "" || a.State == q.State) && (q.Since.IsZero() || !a.Opened.Before(q.Since) && a.Opened.Before(q.Until)) {
					want = append(want, a.ID)
				}
			}
			var got []string
			page := Page{Limit: rapid.IntRange(1, 12).Draw(r, "limit")}
			for {
				alerts, next, err := v.Alerts(t.Context(), q, page)
				if err != nil || len(alerts) > page.Limit {
					r.Fatal(len(alerts), err)
				}
				for i := range alerts {
					got = append(got, alerts[i].ID)
				}
				if page.Cursor = next; next == "" {
					break
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				r.Fatalf("%+v:\n%s", q, diff)
			}
		}
	})
}

func (v *View) count(t fataler) (n int) {
	if err := v.read.QueryRow("SELECT count(*) FROM alerts").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
