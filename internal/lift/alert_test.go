package lift

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func finding(s Severity) *Finding { return &Finding{ID: "al_1", Severity: s} }

// An alert's life as a coach sees it: what happens, and the state it leads to.
func TestAnAlertsLife(t *testing.T) {
	type step struct {
		verb     AlertVerb
		severity Severity
		state    AlertState
		changed  bool
	}
	for name, steps := range map[string][]step{
		"nobody answers":                       {{AlertFound, Advice, AlertOpen, true}, {AlertExpire, "", AlertExpired, true}, {AlertExpire, "", AlertExpired, false}},
		"acknowledged, then resolved":          {{AlertFound, Advice, AlertOpen, true}, {AlertAcknowledge, "", AlertAcknowledged, true}, {AlertAcknowledge, "", AlertAcknowledged, false}, {AlertResolve, "", AlertResolved, true}, {AlertResolve, "", AlertResolved, false}},
		"told again":                           {{AlertFound, Advice, AlertOpen, true}, {AlertFound, Advice, AlertOpen, false}},
		"worse: an answer no longer holds":     {{AlertFound, Advice, AlertOpen, true}, {AlertResolve, "", AlertResolved, true}, {AlertFound, Warning, AlertOpen, true}},
		"milder: the answer holds":             {{AlertFound, Warning, AlertOpen, true}, {AlertAcknowledge, "", AlertAcknowledged, true}, {AlertFound, Advice, AlertAcknowledged, true}},
		"corrected away and back":              {{AlertFound, Warning, AlertOpen, true}, {AlertAcknowledge, "", AlertAcknowledged, true}, {AlertRetract, "", AlertRetracted, true}, {AlertRetract, "", AlertRetracted, false}, {AlertFound, Warning, AlertOpen, true}},
		"nobody answers what is retracted":     {{AlertFound, Warning, AlertOpen, true}, {AlertRetract, "", AlertRetracted, true}, {AlertAcknowledge, "", AlertRetracted, false}, {AlertResolve, "", AlertRetracted, false}, {AlertExpire, "", AlertRetracted, false}},
		"an expired alert can be retracted":    {{AlertFound, Warning, AlertOpen, true}, {AlertExpire, "", AlertExpired, true}, {AlertRetract, "", AlertRetracted, true}},
		"a resolved alert does not expire":     {{AlertFound, Warning, AlertOpen, true}, {AlertResolve, "", AlertResolved, true}, {AlertExpire, "", AlertResolved, false}},
		"nothing happens to what is not there": {{AlertRetract, "", "", false}, {AlertAcknowledge, "", "", false}},
	} {
		t.Run(name, func(t *testing.T) {
			var a Alert
			for i, s := range steps {
				c := AlertChange{AlertID: "al_1", Verb: s.verb, At: noon, Answer: &Answer{By: "coach", At: noon}}
				if s.verb == AlertFound {
					c.Finding, c.Answer = finding(s.severity), nil
				}
				before := a.Revision
				next, changed := a.Apply(c)
				if changed != s.changed || next.State != s.state {
					t.Fatalf("step %d (%s): %s, changed %v; want %s, %v", i, s.verb, next.State, changed, s.state, s.changed)
				}
				if changed && next.Revision != before+1 || !changed && next.Revision != before {
					t.Fatalf("step %d: revision %d after %d", i, next.Revision, before)
				}
				a = next
			}
		})
	}
}

func TestReopeningForgetsTheAnswer(t *testing.T) {
	a, _ := Alert{}.Apply(AlertChange{Verb: AlertFound, At: noon, Finding: finding(Advice)})
	a, _ = a.Apply(AlertChange{Verb: AlertAcknowledge, At: noon, Answer: &Answer{By: "coach"}})
	a, _ = a.Apply(AlertChange{Verb: AlertFound, At: noon, Finding: finding(Urgent)})
	if a.Acknowledged != nil || a.State != AlertOpen {
		t.Fatalf("%+v", a)
	}
}

func TestSeveritiesAreOrdered(t *testing.T) {
	order := []Severity{"", Info, Advice, Warning, Critical, Urgent}
	for i := 1; i < len(order); i++ {
		if order[i-1].Compare(order[i]) >= 0 {
			t.Errorf("%q is not below %q", order[i-1], order[i])
		}
	}
}

func TestIDs(t *testing.T) {
	for id, ok := range map[string]bool{
		"a": true, "ana": true, "0-9_z": true, "": false, "-a": false, "_a": false, "Ana": false, "a b": false, "a/b": false, "a+": false,
		"a#": false, "ä": false, string(make([]byte, 65)): false,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":  true,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": false,
	} {
		if err := CheckID("id", id); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestRepIDsDifferWithEveryPartOfTheIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9][a-z0-9_-]{0,5}`)
		type identity struct {
			Site, Device, Boot string
			Seq                int64
		}
		draw := func() identity {
			return identity{text.Draw(t, "site"), text.Draw(t, "device"), text.Draw(t, "boot"), rapid.Int64Range(0, 1<<62).Draw(t, "seq")}
		}
		id := func(i identity) string { return RepID(SiteID(i.Site), DeviceID(i.Device), i.Boot, i.Seq) }
		a, b := draw(), draw()
		if (a == b) != (id(a) == id(b)) || len(id(a)) != 43 {
			t.Fatalf("%s and %s:%s", id(a), id(b), cmp.Diff(a, b))
		}
	})
}
