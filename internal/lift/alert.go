package lift

import (
	"cmp"
	"time"
)

// Rule names a load rule, as load rules are named in settings and alerts.
type Rule string

// Severity orders alerts: info < advice < warning < critical < urgent.
type Severity string

// The severities, lowest first.
const (
	Info     Severity = "info"     // in the digest only
	Advice   Severity = "advice"   // in the session's view, not pushed
	Warning  Severity = "warning"  // pushed, wants an acknowledgement
	Critical Severity = "critical" // pushed and escalated
	Urgent   Severity = "urgent"   // to athlete and coach at once
)

var severityRank = map[Severity]int{Info: 1, Advice: 2, Warning: 3, Critical: 4, Urgent: 5}

// Rank is 1 for info to 5 for urgent, and 0 for what is not a severity.
func (s Severity) Rank() int { return severityRank[s] }

// Compare orders severities from info to urgent.
func (s Severity) Compare(t Severity) int { return cmp.Compare(s.Rank(), t.Rank()) }

// AlertState is where an alert is in its life.
type AlertState string

// The states of an alert.
const (
	AlertOpen         AlertState = "open"
	AlertAcknowledged AlertState = "acknowledged"
	AlertResolved     AlertState = "resolved"
	AlertRetracted    AlertState = "retracted" // its data was corrected away
	AlertExpired      AlertState = "expired"   // its window is past
)

// WindowKind is the kind of stretch of training that an alert is about.
type WindowKind string

// The kinds of windows.
const (
	WindowSet     WindowKind = "set"
	WindowSession WindowKind = "session" // a local date
	WindowWeek    WindowKind = "week"    // ISO week, Monday 00:00 local
	WindowCheckIn WindowKind = "checkin"
	WindowEpisode WindowKind = "episode" // a hold or a stretch of pain; its id is the first date
)

// Window is the stretch of training that an alert is about.
type Window struct {
	Kind WindowKind `json:"kind"`
	ID   string     `json:"id"`
	From time.Time  `json:"from"`
	To   time.Time  `json:"to"`
}

// Evidence is what was seen, against what, and how sure that is.
type Evidence struct {
	Value          float64  `json:"value"`
	Unit           string   `json:"unit"` // pct, nrs, symptoms …
	Threshold      float64  `json:"threshold"`
	Metric         string   `json:"metric,omitzero"`
	Reference      string   `json:"reference,omitzero"`
	ReferenceValue *float64 `json:"reference_value,omitzero"`
	Observed       *float64 `json:"observed,omitzero"`
	Samples        int      `json:"samples"`    // reps, weeks or reports behind it
	Confidence     string   `json:"confidence"` // full or provisional
	// ExpectedFalseAlarms tells in words how often this rule fires without cause.
	ExpectedFalseAlarms string `json:"expected_false_alarms,omitzero"`
}

// Citation is where a rule comes from.
type Citation struct {
	Kind     string `json:"kind"` // article, literature or default
	Says     string `json:"says"` // in our own words
	Citation string `json:"citation"`
}

// Finding is what a rule says of one window, before anybody has answered it.
type Finding struct {
	ID       string     `json:"id"`
	Site     SiteID     `json:"site"`
	Athlete  AthleteID  `json:"athlete"`
	Rule     Rule       `json:"rule"`
	Severity Severity   `json:"severity"`
	Title    string     `json:"title"`
	Message  string     `json:"message"`
	Advice   string     `json:"advice"`
	Exercise ExerciseID `json:"exercise,omitzero"`
	Group    string     `json:"group,omitzero"`
	Window   Window     `json:"window"`
	Evidence Evidence   `json:"evidence"`
	Source   Citation   `json:"source"`
	// Limits are those of the rule that were in force, by name.
	Limits map[string]any `json:"limits,omitempty"`
	// Historical is true when the newest rep or report behind it was a backlog's:
	// such a finding pushes nobody.
	Historical bool `json:"historical,omitzero"`
}

// AlertID derives the id of the alert of a rule for an athlete, a group or
// exercise (may be empty) and a window.
func AlertID(rule Rule, athlete AthleteID, about string, w WindowKind, windowID string) string {
	return "al_" + Digest("alert", string(rule), string(athlete), about, string(w), windowID)
}

// Answer is who acknowledged or resolved an alert, when, and what they noted.
type Answer struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitzero"`
}

// Validate returns a *FieldError where the note is too long or not plain text.
func (a *Answer) Validate() error { return checkText("note", a.Note, MaxTextLength) }

// Alert is a finding with its life.
type Alert struct {
	Finding
	State        AlertState `json:"state"`
	Opened       time.Time  `json:"opened"`
	Updated      time.Time  `json:"updated"`
	Revision     int        `json:"revision"` // 1 when opened, one more with each change
	Acknowledged *Answer    `json:"acknowledged,omitzero"`
	Resolved     *Answer    `json:"resolved,omitzero"`
}

// AlertVerb is what happens to an alert.
type AlertVerb string

// The verbs. The monitor says the first three, people the others.
const (
	AlertFound       AlertVerb = "found"   // the rule holds, with this finding
	AlertRetract     AlertVerb = "retract" // the rule no longer holds
	AlertExpire      AlertVerb = "expire"  // the window is past
	AlertAcknowledge AlertVerb = "acknowledge"
	AlertResolve     AlertVerb = "resolve"
)

// AlertChange is one step in an alert's life. Finding is set for AlertFound,
// Answer for what people say.
type AlertChange struct {
	AlertID string    `json:"alert_id"`
	Verb    AlertVerb `json:"verb"`
	At      time.Time `json:"at"`
	Finding *Finding  `json:"finding,omitzero"`
	Answer  *Answer   `json:"answer,omitzero"`
}

// Closed reports whether nobody can answer the alert any more.
func (a *Alert) Closed() bool { return a.State == AlertRetracted || a.State == AlertExpired }

// Apply returns the alert after the change, and false where the change says
// nothing new. The zero Alert becomes one when it is found. Applying the same
// changes in the same order always leads to the same alert.
func (a Alert) Apply(c AlertChange) (Alert, bool) {
	if a.Revision == 0 && c.Verb != AlertFound {
		return a, false
	}
	next := a
	switch c.Verb {
	case AlertFound:
		if c.Finding == nil {
			return a, false
		}
		next.Finding = *c.Finding
		switch {
		case a.Revision == 0:
			next.State, next.Opened = AlertOpen, c.At
		case a.State == AlertRetracted:
			next.State = AlertOpen
			next.Acknowledged, next.Resolved = nil, nil
		case a.State == AlertAcknowledged || a.State == AlertResolved:
			if c.Finding.Severity.Compare(a.Severity) > 0 {
				next.State = AlertOpen
				next.Acknowledged, next.Resolved = nil, nil
			}
		}
		if a.Revision > 0 && next.State == a.State && a.Finding.Same(c.Finding) {
			return a, false
		}
	case AlertRetract:
		if a.State == AlertRetracted {
			return a, false
		}
		next.State = AlertRetracted
	case AlertExpire:
		if a.State != AlertOpen && a.State != AlertAcknowledged {
			return a, false
		}
		next.State = AlertExpired
	case AlertAcknowledge:
		if a.State != AlertOpen {
			return a, false
		}
		next.State, next.Acknowledged = AlertAcknowledged, c.Answer
	case AlertResolve:
		if a.State != AlertOpen && a.State != AlertAcknowledged {
			return a, false
		}
		next.State, next.Resolved = AlertResolved, c.Answer
	default:
		return a, false
	}
	next.Revision++
	next.Updated = c.At
	return next, true
}

// Same reports whether both findings tell a coach the same.
func (f *Finding) Same(g *Finding) bool {
	e, h := f.Evidence, g.Evidence
	samePointers := equal(e.ReferenceValue, h.ReferenceValue) && equal(e.Observed, h.Observed)
	e.ReferenceValue, e.Observed, h.ReferenceValue, h.Observed = nil, nil, nil, nil
	return samePointers && e == h && f.ID == g.ID && f.Severity == g.Severity && f.Message == g.Message &&
		f.Title == g.Title && f.Advice == g.Advice && f.Exercise == g.Exercise && f.Group == g.Group &&
		f.Window.Kind == g.Window.Kind && f.Window.ID == g.Window.ID &&
		f.Window.From.Equal(g.Window.From) && f.Window.To.Equal(g.Window.To)
}
