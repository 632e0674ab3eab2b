package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

type digestInput struct {
	Site lift.SiteID `query:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	At   time.Time   `query:"at" doc:"the digest that is the newest at this time, RFC 3339; now by default"`
}

// digest is a week's alerts by athlete, for a coach's Monday morning.
type digest struct {
	Week     string          `json:"week" doc:"ISO week in the site's zone, or the server's; a new one from Monday 06:00 on"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Athletes []digestAthlete `json:"athletes" doc:"those with the worst alerts first"`
}

type digestAthlete struct {
	Athlete lift.AthleteID        `json:"athlete"`
	Site    lift.SiteID           `json:"site"`
	Worst   lift.Severity         `json:"worst"`
	Counts  map[lift.Severity]int `json:"counts"`
	Alerts  []digestLine          `json:"alerts" doc:"worst first, info among them"`
}

type digestLine struct {
	ID       string          `json:"id"`
	Rule     lift.Rule       `json:"rule"`
	Severity lift.Severity   `json:"severity"`
	State    lift.AlertState `json:"state"`
	Title    string          `json:"title"`
	Advice   string          `json:"advice"`
	Opened   time.Time       `json:"opened"`
}

// digestChunk is how many alerts are read at once.
const digestChunk = 500

func (s *Server) addDigest() {
	add(s, huma.Operation{
		OperationID: "get-digest", Method: http.MethodGet, Path: "/api/v1/digest", Tags: []string{"alerts"},
		Summary: "Read the weekly digest",
		Description: "Everything that was opened in the week before and not retracted, by athlete: what is pushed to nobody is read here. " +
			"The week changes on Monday at 06:00 in the site's zone, or the server's.",
	}, permit{ofCaller, coaches}, s.getDigest)
}

func (s *Server) getDigest(ctx context.Context, in *digestInput) (*answer[digest], error) {
	at := s.now()
	if !in.At.IsZero() {
		_, at, _ = Span{To: in.At}.bounds(at)
	}
	among, err := who(ctx).athletes(ctx)
	if err != nil {
		return nil, err
	}
	var d digest
	d.Week, d.From, d.To = analysis.DigestWeek(at, s.roster.SiteZone(in.Site))
	byAthlete := map[lift.AthleteID]*digestAthlete{}
	for page := (view.Page{Limit: digestChunk}); ; {
		alerts, next, err := s.view.Alerts(ctx, view.AlertQuery{Site: in.Site, Athletes: among, Since: d.From, Until: d.To}, page)
		if err != nil {
			return nil, err
		}
		for i := range alerts {
			a := &alerts[i]
			if a.State == lift.AlertRetracted || a.Historical {
				continue
			}
			of := byAthlete[a.Athlete]
			if of == nil {
				of = &digestAthlete{Athlete: a.Athlete, Site: a.Site, Counts: map[lift.Severity]int{}}
				byAthlete[a.Athlete] = of
			}
			of.Counts[a.Severity]++
			of.Alerts = append(of.Alerts, digestLine{a.ID, a.Rule, a.Severity, a.State, a.Title, a.Advice, a.Opened})
			if a.Severity.Compare(of.Worst) > 0 {
				of.Worst = a.Severity
			}
		}
		if next == "" {
			break
		}
		page.Cursor = next
	}
	d.Athletes = make([]digestAthlete, 0, len(byAthlete))
	for _, of := range byAthlete {
		slices.SortFunc(of.Alerts, func(a, b digestLine) int {
			return cmp.Or(b.Severity.Compare(a.Severity), a.Opened.Compare(b.Opened), strings.Compare(a.ID, b.ID))
		})
		d.Athletes = append(d.Athletes, *of)
	}
	slices.SortFunc(d.Athletes, func(a, b digestAthlete) int {
		return cmp.Or(b.Worst.Compare(a.Worst), strings.Compare(string(a.Athlete), string(b.Athlete)))
	})
	return &answer[digest]{http.StatusOK, d}, nil
}

// escalation is what follows when nobody acknowledges an alert.
type escalation struct {
	At time.Time `json:"at"`
	To string    `json:"to" enum:"coach,second_coach,everybody"`
}

// escalations are those of an alert that is open, counted from when it reached its
// severity.
func escalations(a *lift.Alert, steps []view.AlertStep) []escalation {
	if a.State != lift.AlertOpen || a.Historical {
		return nil
	}
	since := a.Opened
	for i := range steps {
		if i > 0 && (steps[i-1].Alert.State != lift.AlertOpen || steps[i-1].Alert.Severity != steps[i].Alert.Severity) {
			since = steps[i].Alert.Updated
		}
	}
	var list []escalation
	for _, e := range analysis.Escalations(a.Severity) {
		list = append(list, escalation{since.Add(e.After), e.To})
	}
	return list
}
