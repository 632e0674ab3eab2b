package board_test

import (
	"net/http"
	"testing"
	"time"
)

// ruleSeen is what the tests want to know of a rule.
type ruleSeen struct {
	Limits map[string]any `json:"limits"`
	Own    map[string]any `json:"own"`
	Set    *struct {
		Reason string `json:"reason"`
	} `json:"set"`
}

func TestLimitsOfEveryRuleAreShown(t *testing.T) {
	b := open(t, demo(t), "/rules", visitor{})
	for _, name := range []string{"Weekly volume", "Velocity loss", "Sensor", "The defaults are in force.", "This rule has no limits to change."} {
		b.waitText(name)
	}
	if n := eval[int](b, "document.querySelectorAll('section.rule').length"); n != 20 {
		t.Errorf("%d rules are shown", n)
	}
	b.inspect("rules")
	b.click("#rule-weekly-volume ~ button")
	b.until("!!document.querySelector('.trial table')")
	b.inspect("rules-edit")
}

func TestASliderShowsWhatItWouldHaveFiredBeforeItIsSaved(t *testing.T) {
	s := demo(t)
	s.waitAlert(t, "?rule=weekly-volume&athlete=cleo&severity=warning")
	b := open(t, s, "/backtest?rule=weekly-volume&athlete=cleo", visitor{})
	b.waitText("In the log:")
	// Whatever has fired is critical where any rise is.
	for _, name := range []string{"Advice", "Warning", "Critical"} {
		slide(b, name+" above, slider", "0")
	}
	b.until(`/[1-9]\d* of another severity/.test(document.querySelector('.trial .sum')?.innerText)`)
	b.waitText("The newest differences")
	b.inspect("backtest")
	b.press("Undo my changes")
	b.waitText("In the log:")
	slide(b, "Advice above, slider", "2")
	b.until("document.querySelector('.trial .sum')?.innerText.includes('→')")
	var before ruleSeen
	s.must(t, http.MethodGet, "/rules/weekly-volume?athlete=cleo", nil, &before)
	if before.Own != nil || before.Limits["advice_pct"] != 10. {
		t.Fatalf("a slider changed limits: %+v", before)
	}
	b.enter("Reason", "tries it")
	b.press("Save")
	b.waitText("Saved. It holds from today on")
	b.waitText("Last changed for athlete cleo")
	var after ruleSeen
	s.must(t, http.MethodGet, "/rules/weekly-volume?athlete=cleo", nil, &after)
	if after.Own["advice_pct"] != 2. || len(after.Own) != 1 || after.Set == nil || after.Set.Reason != "tries it" {
		t.Errorf("saved: %+v", after)
	}
	b.press("Give back to the scope above")
	b.waitText("The defaults are in force.")
	after = ruleSeen{}
	s.must(t, http.MethodGet, "/rules/weekly-volume?athlete=cleo", nil, &after)
	if after.Own != nil || after.Limits["advice_pct"] != 10. {
		t.Errorf("given back: %+v", after)
	}
}

// waitAlert waits until there is an alert: the demo's history takes a while to be judged.
func (s *server) waitAlert(t *testing.T, query string) {
	t.Helper()
	for end := time.Now().Add(patience); ; <-time.After(100 * time.Millisecond) {
		var found struct {
			Items []struct{} `json:"items"`
		}
		s.must(t, http.MethodGet, "/alerts"+query, nil, &found)
		if len(found.Items) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no alert %s", query)
		}
	}
}

// slide moves a slider, as a hand does.
func slide(b *tab, label, value string) {
	b.t.Helper()
	b.until(`(s => { if (!s || s.disabled) return false; s.value = ` + quoted(value) + `; s.dispatchEvent(new Event('input', { bubbles: true })); return true })(document.querySelector('input[type=range][aria-label=` + quoted(label) + `]'))`)
}

func TestAFaultStandsBesideItsLimitAndNothingIsLost(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main", "name": hostile}, nil)
	b := open(t, s, "/rules?site=main", admin)
	b.click("#rule-weekly-volume ~ button")
	b.enter("Advice above", "many")
	b.waitText("is not a number")
	b.enter("Advice above", "20000")
	b.waitText("must be 0 to 10,000")
	b.enter("Advice above", "40")
	b.enter("Reason", "novices")
	b.press("Save") // above the warning: nothing is sent
	b.waitText("must not be below “Advice above”")
	if v := eval[string](b, "document.querySelector('input[name=advice_pct]').value"); v != "40" {
		t.Errorf("what was entered is %q now", v)
	}
	b.screenshot("rules-fault")

	// Somebody else is quicker.
	b.enter("Advice above", "25")
	s.must(t, http.MethodPut, "/rules/weekly-volume?site=main", map[string]any{"limits": map[string]any{"critical_pct": 90}, "reason": "other"}, nil)
	b.expect(`412`)
	b.press("Save")
	b.waitText("Somebody has changed this rule meanwhile")
	b.waitText("in force 90 %")
	b.press("Save")
	b.waitText("Saved. It holds from today on")
	var after ruleSeen
	s.must(t, http.MethodGet, "/rules/weekly-volume?site=main", nil, &after)
	if after.Own["advice_pct"] != 25. || after.Own["critical_pct"] != 90. || after.Set.Reason != "novices" {
		t.Errorf("saved: %+v", after)
	}
	asPlainText(b)
}

func TestACoachOfOneSiteDoesNotChangeEverybodysLimits(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main"}, nil)
	b := open(t, s, "/rules", visitor{token: s.tokenOf(t, "kim", map[string]any{"role": "coach", "site": "main"})})
	b.click("#rule-tempo ~ button")
	slide(b, "Of it that must be kept, slider", "70")
	b.enter("Reason", "beginners")
	b.press("Save")
	b.waitText("Last changed for site main by kim")
	var everybodys, mine ruleSeen
	s.must(t, http.MethodGet, "/rules/tempo", nil, &everybodys)
	s.must(t, http.MethodGet, "/rules/tempo?site=main", nil, &mine)
	if everybodys.Limits["share"] != 0.8 || mine.Limits["share"] != 0.7 {
		t.Errorf("everybody's %v, the site's %v", everybodys.Limits, mine.Limits)
	}
}

// asPlainText fails where a hostile name has become part of the page.
func asPlainText(b *tab) {
	b.t.Helper()
	if eval[int](b, "document.querySelectorAll('main img, main script, #bar img, #bar script').length") > 0 {
		b.t.Error("a name became markup")
	}
}
