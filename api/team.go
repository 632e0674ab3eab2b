package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/analysis/profile"
	"github.com/spotterhq/spotter/internal/lift"
)

// teamRow is where an athlete is now, as a coach wants to see a whole team.
type teamRow struct {
	ID    lift.AthleteID `json:"id"`
	Name  string         `json:"name,omitzero"`
	Site  lift.SiteID    `json:"site"`
	Teams []lift.TeamID  `json:"teams,omitempty"`

	// Week is this week's group that is furthest above its baseline, or has moved
	// most where none has a baseline yet.
	Week        *lift.Week    `json:"week,omitzero" doc:"this week: the group that is furthest above its baseline"`
	Pain        *painStanding `json:"pain,omitzero" doc:"the newest score of the last four weeks"`
	Hold        bool          `json:"hold,omitzero" doc:"heavy deadlifts are on hold"`
	Phase       int           `json:"phase,omitzero" doc:"of the return plan, 1 to 3"`
	Deadlifts   string        `json:"deadlifts" doc:"what is allowed today: none, light, limited or all"`
	LastSession time.Time     `json:"last_session,omitzero" doc:"when the newest session of the last eight weeks ended"`
	// Reports tell how often an asked-for report came.
	Sessions int `json:"sessions" doc:"dates with work sets in the last four weeks"`
	Reported int `json:"reported" doc:"those with a report after training or on the next morning"`

	Open map[lift.Severity]int `json:"open,omitempty" doc:"open alerts by severity"`
}

type painStanding struct {
	Score int        `json:"score"`
	Phase lift.Phase `json:"phase"`
	At    time.Time  `json:"at"`
}

const standingWeeks = 4 * 7 * day

// teamRows keeps what was computed of an athlete until something is heard of them, or
// a quarter of an hour has gone by.
type teamRows struct {
	mu   sync.Mutex
	held map[lift.AthleteID]heldRow
}

// forget lets go of every row: one may be of somebody who was erased.
func (t *teamRows) forget() {
	t.mu.Lock()
	clear(t.held)
	t.mu.Unlock()
}

type heldRow struct {
	teamRow
	stamp   int64
	turn    uint64
	expires time.Time
}

const (
	standingLife = 15 * time.Minute
	mostStanding = 20_000
)

func (s *Server) addTeam() {
	add(s, huma.Operation{
		OperationID: "list-standings", Method: http.MethodGet, Path: "/api/v1/standings", Tags: []string{"athletes"},
		Summary:     "Tell where each athlete is now: week, pain, plan, last session, reports",
		Description: "By id. What has not changed is not computed again: the first look at many athletes takes some milliseconds for each.",
	}, permit{ofCaller, coaches}, s.listStandings)
}

func (s *Server) listStandings(ctx context.Context, in *athletesInput) (*answer[list[teamRow]], error) {
	found, err := s.athletesOf(ctx, in)
	if err != nil {
		return nil, err
	}
	page, err := cut(found, in.Paging, func(a *athlete) string { return string(a.ID) })
	if err != nil {
		return nil, err
	}
	stamps, err := s.view.Stamps(ctx)
	if err != nil {
		return nil, err
	}
	open, err := s.view.OpenAlerts(ctx)
	if err != nil {
		return nil, err
	}
	out := list[teamRow]{Items: make([]teamRow, 0, len(page.Items)), Next: page.Next}
	for i := range page.Items {
		of, err := s.teamRow(ctx, &page.Items[i], stamps[page.Items[i].ID])
		if err != nil {
			return nil, err
		}
		of.Name, of.Open = page.Items[i].Name, open[of.ID]
		out.Items = append(out.Items, of)
	}
	return &answer[list[teamRow]]{http.StatusOK, out}, nil
}

// teamRow computes where an athlete is, unless nothing was heard of them since.
func (s *Server) teamRow(ctx context.Context, a *athlete, stamp int64) (teamRow, error) {
	now, turn := s.now().UTC(), s.view.RecordTurns()
	s.teamRows.mu.Lock()
	held, ok := s.teamRows.held[a.ID]
	s.teamRows.mu.Unlock()
	if ok && held.stamp == stamp && held.turn == turn && now.Before(held.expires) {
		return held.teamRow, nil
	}
	settings := s.roster.Settings(a.ID)
	reps, checkIns := analysis.LoadFrom(now, settings.Zone)
	h, err := s.view.History(ctx, a.ID, reps, checkIns)
	if err != nil {
		return teamRow{}, err
	}
	history := historyOf(a.ID, &h)
	of := teamRow{ID: a.ID, Name: a.Name, Site: a.Site, Teams: a.Teams}
	for _, w := range s.weeks(history, settings, now) {
		if w.To.After(now) && (of.Week == nil || changeOf(&w) > changeOf(of.Week)) {
			of.Week = &w
		}
	}
	plan := analysis.Plan(history, settings, now)
	of.Hold, of.Deadlifts = plan.Hold != nil, plan.Today.Deadlifts
	if plan.Phase != nil {
		of.Phase = plan.Phase.Number
	}
	since := now.Add(-standingWeeks)
	reported := map[profile.Date]bool{}
	for i := range h.CheckIns {
		c := &h.CheckIns[i]
		date := c.Time.In(settings.Zone)
		switch c.Phase {
		case lift.PhaseNextMorning:
			reported[profile.Date(date.AddDate(0, 0, -1).Format(time.DateOnly))] = true
		case lift.PhaseAfter:
			reported[profile.Date(date.Format(time.DateOnly))] = true
		}
		if c.Pain != nil && c.Time.After(since) {
			of.Pain = &painStanding{*c.Pain, c.Phase, c.Time}
		}
	}
	for _, x := range profile.Sessions(s.sets(h.Reps, h.Logged, settings.Zone), s.profileOptions(a.ID)) {
		of.LastSession = x.To
		if x.From.After(since) {
			of.Sessions++
			if reported[x.Date] {
				of.Reported++
			}
		}
	}
	s.teamRows.mu.Lock()
	defer s.teamRows.mu.Unlock()
	if len(s.teamRows.held) >= mostStanding {
		clear(s.teamRows.held)
	}
	s.teamRows.held[a.ID] = heldRow{of, stamp, turn, now.Add(standingLife)}
	return of, nil
}

// changeOf is how far a week's volume is above its baseline; one without a baseline
// goes behind all others.
func changeOf(w *lift.Week) float64 {
	if w.ChangePct == nil {
		return -1e9
	}
	return *w.ChangePct
}

// athletesOf are those whom the caller may see and has asked for, by id.
func (s *Server) athletesOf(ctx context.Context, in *athletesInput) ([]athlete, error) {
	caller := who(ctx)
	seen, err := s.view.Athletes(ctx, in.Since)
	if err != nil {
		return nil, err
	}
	var all []athlete
	text := strings.ToLower(in.Name)
	for _, known := range seen {
		if caller.Athlete != "" && known.ID != caller.Athlete {
			continue
		}
		rec, _ := s.view.Record(lift.OfAthlete, string(known.ID))
		if rec.Removed {
			continue
		}
		a := athleteOf(known.ID, &rec, known.Site)
		switch site := cmp.Or(caller.Site, in.Site); {
		case caller.Site != "" && a.Site != caller.Site:
		case site != "" && a.Site != site:
		case in.Team != "" && !slices.Contains(a.Teams, in.Team):
		case text != "" && !strings.Contains(strings.ToLower(a.Name), text) && !strings.Contains(string(a.ID), text):
		default:
			all = append(all, a)
		}
	}
	return all, nil
}
