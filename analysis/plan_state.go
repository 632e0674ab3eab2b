package analysis

import (
	"fmt"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// PlanState is what holds for an athlete's deadlifts at a time.
type PlanState struct {
	Hold  *HoldState  `json:"hold,omitzero"`
	Phase *PhaseState `json:"phase,omitzero"`
	Today Allowance   `json:"today"`
}

// HoldState is a hold in force.
type HoldState struct {
	Since   string `json:"since"`   // local date of its first cause
	Planned string `json:"planned"` // local date on which it should end
	Cause   string `json:"cause"`   // pain, radicular, red-flag or coach: the gravest
}

// PhaseState is a phase of the return plan in force.
type PhaseState struct {
	Number  int       `json:"number"` // 1 to 3
	Weeks   string    `json:"weeks"`
	Since   time.Time `json:"since"`
	Repeats int       `json:"repeats"` // how often it has been repeated
}

// Allowance is what may be done of the deadlift family today, and why.
type Allowance struct {
	Deadlifts string `json:"deadlifts" enum:"none,light,limited,all"`
	Reason    string `json:"reason"`
	// MaxLoadKg is absent where no maximum before the injury is known, as is
	// WeekVolumeKg without a volume.
	MaxLoadKg    *float64 `json:"max_load_kg,omitzero"`
	MaxSharePct  float64  `json:"max_share_pct,omitzero"` // of the maximum
	MinReps      int      `json:"min_reps,omitzero"`
	EccentricS   float64  `json:"eccentric_s,omitzero"` // lowering time
	LossPct      float64  `json:"velocity_loss_pct,omitzero"`
	WeekVolumeKg *float64 `json:"week_volume_kg,omitzero"`
}

var causeNames = [...]string{causePain: "pain", causeNerves: "radicular", causeFlag: "red-flag", causeCoach: "coach"}

// Plan returns what holds for the athlete's deadlifts at now. The history must
// have all decisions, and the check-ins of LoadFrom.
func Plan(h History, s Settings, now time.Time) PlanState {
	d := newDiary(h.Athlete, h.Site, s)
	d.load(&h)
	at := nanos(now)
	state := PlanState{Today: Allowance{Deadlifts: "all", Reason: tellAllowed()}}
	day := dateOf(now, d.Zone)
	p, planned := d.phase(at)
	maximum := d.maximumOf(DeadliftFamily, day).grams
	if planned {
		state.Phase = &PhaseState{Number: p.n + 1, Weeks: phaseNames[p.n], Since: time.Unix(0, p.from).UTC(), Repeats: p.repeats}
		state.Today = d.phaseAllows(p, d.on(day))
		if p.maximum > 0 {
			maximum = p.maximum
		}
	}
	first, c, held := d.hold(at)
	if !held {
		return state
	}
	due := first + date(d.on(first).Hold.PlannedDays)
	state.Hold = &HoldState{Since: first.String(), Planned: due.String(), Cause: causeNames[c]}
	phase := state.Today
	state.Today = Allowance{Deadlifts: "none", Reason: tellHeld(c, first)}
	if c == causeFlag || c == causeNerves || maximum == 0 {
		return state // first somebody must have a look, or nothing says what is light
	}
	share := d.on(day).Hold.WarningShare
	if planned {
		share = min(share, phase.MaxSharePct/100)
		state.Today.MinReps, state.Today.EccentricS, state.Today.LossPct = phase.MinReps, phase.EccentricS, phase.LossPct
	}
	state.Today.Deadlifts, state.Today.MaxSharePct = "light", 100*share
	state.Today.MaxLoadKg = new(maximum * share / 1000)
	return state
}

// phaseAllows is what a phase of the return plan allows by the limits.
func (d *diary) phaseAllows(p phase, in *Limits) Allowance {
	l := &in.ReturnPlan
	a := Allowance{
		Deadlifts: "limited", Reason: tellPhaseAllows(p.n), MaxSharePct: 100 * l.Share[p.n], MinReps: l.MinReps[p.n],
		EccentricS: in.Tempo.EccentricS[p.n], LossPct: l.LossPct[p.n],
	}
	if p.n == 0 {
		a.Deadlifts = "light"
	}
	if p.maximum > 0 {
		a.MaxLoadKg = new(p.maximum * l.Share[p.n] / 1000)
	}
	if p.n == phases-1 && p.week > 0 {
		a.WeekVolumeKg = new(l.VolumeShare * p.week)
	}
	return a
}

func tellAllowed() string { return "Neither a hold nor a return plan is in force." }

func tellHeld(c cause, since date) string {
	why := [...]string{
		causePain: "pain in the red zone", causeNerves: "symptoms that can come from a nerve",
		causeFlag: "a red flag: a clinician must clear it first", causeCoach: "a coach's decision",
	}[c]
	return fmt.Sprintf("Heavy deadlifts are on hold since %s because of %s.", since, why)
}

func tellPhaseAllows(n int) string {
	return [phases]string{
		"Weeks 1 and 2 of the return plan: light Romanian deadlifts only, many reps, slowly lowered; swings, hip thrusts, single-leg work and core.",
		"Weeks 3 and 4 of the return plan: light Romanian deadlifts and technique sets.",
		"Weeks 5 and 6 of the return plan: moderate loads at reduced volume; one heavy single at the end, only without pain and with stable technique.",
	}[n]
}

// Check says why a decision makes no sense at its time, "" where it does; same is
// true where it would repeat what is in force.
func (s *PlanState) Check(verb lift.PlanVerb) (why string, same bool) {
	switch verb {
	case lift.PlanStart:
		return "", s.Phase != nil
	case lift.PlanHold:
		return "", s.Hold != nil && s.Hold.Cause == causeNames[causeCoach]
	case lift.PlanRelease:
		if s.Hold == nil {
			return "there is no hold to release", false
		}
	case lift.PlanAdvance, lift.PlanRepeat, lift.PlanEnd:
		if s.Phase == nil {
			return "there is no return plan in force", false
		}
		if verb == lift.PlanAdvance && s.Phase.Number == phases {
			return "this is the plan's last phase: end the plan, or repeat it", false
		}
	}
	return "", false
}
