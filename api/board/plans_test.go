package board_test

import (
	"net/http"
	"testing"
	"time"
)

// planSeen is what the tests want to know of a plan.
type planSeen struct {
	Hold  *struct{} `json:"hold"`
	Phase *struct{} `json:"phase"`
	Steps []struct {
		Reason      string  `json:"reason"`
		PreInjuryKg float64 `json:"pre_injury_kg"`
	} `json:"steps"`
}

func (s *server) planOf(t *testing.T, athlete string) planSeen {
	t.Helper()
	var p planSeen
	s.must(t, http.MethodGet, "/athletes/"+athlete+"/plan", nil, &p)
	return p
}

func TestEverybodyOnHoldIsShownWithTheReason(t *testing.T) {
	b := open(t, demo(t), "/plans", visitor{})
	b.waitText("Demo Eva")
	b.waitText("Demo Finn")
	b.waitText("pain in the red zone")
	b.waitText("a clinician must clear it first")
	b.inspect("plans")
}

func TestAReturnPlanIsLedFromThePage(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main"}, nil)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "site": "main", "name": hostile}, nil)
	b := open(t, s, "/plans", admin)
	b.waitText("Nobody is on hold or follows a return plan.")
	b.inspect("plans-empty")
	b.enter("Athlete", "nobody-here")
	b.press("Start the return plan")
	b.waitText("No athlete has this name or id.")
	b.enter("Athlete", "ana")
	b.enter("Deadlift maximum before the injury", "heavy")
	b.press("Start the return plan")
	b.waitText("is not a number")
	b.enter("Deadlift maximum before the injury", "200")
	b.enter("Reason", "cleared by the physiotherapist")
	b.press("Start the return plan")
	b.waitText("Phase 1 of 3")
	b.waitText("Up to 80 kg (40 % of the maximum)")
	b.waitText("What the next phase asks for")
	asPlainText(b)
	b.inspect("plans-phase")
	if p := s.planOf(t, "ana"); p.Phase == nil || p.Steps[0].PreInjuryKg != 200 || p.Steps[0].Reason != "cleared by the physiotherapist" {
		t.Fatalf("started: %+v", p)
	}
	act := func(verb, reason, then string) {
		t.Helper()
		b.enter("Reason", reason)
		b.click("button[data-verb=" + verb + "]")
		b.waitText(then)
	}
	act("advance", "<b>well</b>", "Phase 2 of 3")
	act("repeat", "again", "repeated once")
	act("hold", "a sore back", "On hold since")
	act("release", "gone", "The hold is released.")
	act("advance", "on", "Phase 3 of 3")
	b.waitText("What the heavy single at the end asks for")
	act("end", "done", "The plan has ended.")
	p := s.planOf(t, "ana")
	if p.Phase != nil || p.Hold != nil || len(p.Steps) != 7 || p.Steps[1].Reason != "<b>well</b>" {
		t.Errorf("at the end: %+v", p)
	}
	b.press("Decisions so far")
	b.waitText("<b>well</b>")
}

func TestARedFlagIsNotReleasedUnlessAClinicianHasClearedIt(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main"}, nil)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "bo", "site": "main", "name": "Bo"}, nil)
	s.must(t, http.MethodPost, "/athletes/bo/checkins", map[string]any{"time": time.Now().UTC().Add(-time.Minute), "phase": "daily", "symptoms": []string{"saddle_numbness"}}, nil)
	b := open(t, s, "/plans", admin)
	b.waitText("red flag")
	b.click("button[data-verb=release]")
	b.waitText("First a clinician has to clear the red flag")
	if s.planOf(t, "bo").Hold == nil {
		t.Fatal("released without a clinician")
	}
	b.click(".check input")
	b.enter("Reason", "seen by Dr. Lee")
	b.click("button[data-verb=release]")
	b.waitText("The hold is released.")
	if p := s.planOf(t, "bo"); p.Hold != nil || p.Steps[0].Reason != "seen by Dr. Lee" {
		t.Errorf("released: %+v", p)
	}
}

func TestADecisionThatIsRefusedIsToldAndKept(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main"}, nil)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "cy", "site": "main", "name": "Cy"}, nil)
	s.must(t, http.MethodPost, "/athletes/cy/plan/hold", nil, nil)
	b := open(t, s, "/plans", admin)
	b.waitText("a coach’s decision")
	b.enter("Reason", "well again")
	s.must(t, http.MethodPost, "/athletes/cy/plan/release", nil, nil) // somebody else is quicker
	b.expect(`409`)
	b.click("button[data-verb=release]")
	b.waitText("there is no hold to release")
	if v := eval[string](b, "document.querySelector('.plan input[name=reason]').value"); v != "well again" {
		t.Errorf("the reason is %q now", v)
	}
}
