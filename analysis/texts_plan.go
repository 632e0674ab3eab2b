package analysis

import (
	"fmt"

	"github.com/spotterhq/spotter/internal/lift"
)

const articlePlan = "Lian Park, How to Fix Lower Back Pain from Deadlifts, six-week return-to-deadlift plan"

var phaseNames = [phases]string{"weeks 1 and 2", "weeks 3 and 4", "weeks 5 and 6"}

func tellPlanViolation(f *lift.Finding, n int) {
	e := &f.Evidence
	f.Title = "Outside of the return plan"
	switch e.Metric {
	case "exercise":
		f.Message = fmt.Sprintf("This deadlift has no place in %s of the return plan.", phaseNames[n])
	case "load_pct":
		f.Message = fmt.Sprintf("%s kg are %s %% of the maximum before the injury; %s of the plan allow %s %%.", decimal(*e.Observed), whole(e.Value), phaseNames[n], whole(e.Threshold))
	case "reps":
		f.Message = fmt.Sprintf("A set had %s reps; %s of the plan ask for at least %s, at a light load.", whole(e.Value), phaseNames[n], whole(e.Threshold))
	case "velocity_loss_pct":
		f.Message = fmt.Sprintf("A set ended %s %% slower than its fastest rep; %s of the plan allow %s %%.", whole(e.Value), phaseNames[n], whole(e.Threshold))
	case "week_increase_pct":
		f.Message = fmt.Sprintf("The plan's week has %s %% more volume than the one before; up to %s %% is asked for.", whole(e.Value), whole(e.Threshold))
	default:
		f.Message = fmt.Sprintf("The week's volume is %s kg; %s of the plan allow %s kg.", thousands(e.Value), phaseNames[n], thousands(e.Threshold))
	}
	f.Advice = "Go back to what the phase allows, and ask how the back feels tonight and tomorrow morning."
	e.ExpectedFalseAlarms = "Rare: only where the load, the exercise or the maximum before the injury was entered wrong."
	f.Source = Source(f.Rule)
}

func tellPlanGate(f *lift.Finding, p phase) {
	e := &f.Evidence
	f.Title = "The plan's next phase can begin"
	f.Message = fmt.Sprintf("After %d sessions in %s of the plan nothing speaks against the next phase.", e.Samples, phaseNames[p.n])
	f.Advice = "Talk with the lifter and start the next phase."
	if p.n == phases-1 {
		f.Advice = "Talk with the lifter; one heavy single is allowed if it is free of pain and technique is stable. Then end the plan."
	}
	switch e.Metric {
	case "gate_flags":
		f.Message = "A symptom that wants medical assessment was reported in this phase, or is not cleared yet."
	case "gate_pain":
		f.Message = fmt.Sprintf("Pain in this phase reached %s of 10; up to %s is allowed.", whole(e.Value), whole(e.Threshold))
		if p.n == phases-1 {
			f.Message = fmt.Sprintf("Pain in the last week reached %s of 10; the heavy single wants a week without any.", whole(e.Value))
		}
	case "gate_morning":
		f.Message = "Pain had not settled by a morning after a session."
	case "gate_technique":
		f.Message = "The last reps were not stable: one failed, slowed down too much or differed from the lifter's own technique."
	case "gate_sessions":
		f.Title = "Too few sessions to go on with the plan"
		f.Message = fmt.Sprintf("There were %s sessions in this phase; %s are asked for.", whole(e.Value), whole(e.Threshold))
		f.Advice = "Repeat the phase, or train it to its end first."
	case "gate_reports":
		f.Title = "Too few reports to go on with the plan"
		f.Message = fmt.Sprintf("Pain was reported for %s sessions of this phase; %s are asked for. No report does not mean no pain.", whole(e.Value), whole(e.Threshold))
		f.Advice = "Ask how the back felt during the sessions and the mornings after, and have it reported."
	case "gate_reps":
		f.Title = "Too few deadlifts to go on with the plan"
		f.Message = fmt.Sprintf("The last two weeks had %s deadlifts; technique is judged by %s.", whole(e.Value), whole(e.Threshold))
		f.Advice = "Train the phase's deadlifts before going on."
	}
	if f.Severity != lift.Info {
		f.Title = "Repeat this phase of the plan"
		f.Advice = "Repeat the phase before going on."
	}
	if f.Severity == lift.Warning {
		f.Advice = "The phase was repeated and its gate is not passed: consult a physiotherapist or sports physician before going on."
	}
	e.ExpectedFalseAlarms = "Unknown: nobody has tested these gates."
	f.Source = Source(f.Rule)
}

func tellTempo(f *lift.Finding) {
	e := &f.Evidence
	f.Title = "Lowered too fast"
	f.Message = fmt.Sprintf("The bar was lowered in %s s; the plan asks for %s s.", decimal(e.Value), decimal(*e.ReferenceValue))
	f.Advice = "Count the seconds on the way down in the next set; take weight off if it cannot be held."
	e.ExpectedFalseAlarms = "Few: the middle of at least three reps must be a fifth below."
	f.Source = Source(f.Rule)
}

func tellWarmUp(f *lift.Finding) {
	e := &f.Evidence
	f.Title = "Heavy deadlift without a full warm-up"
	work := decimal(*e.ReferenceValue) + " kg"
	switch e.Metric {
	case "warm_up_sets":
		f.Message = fmt.Sprintf("Only %s rising sets came before the first heavy set at %s; %s are asked for.", whole(e.Value), work, whole(e.Threshold))
	case "rising_loads":
		f.Message = fmt.Sprintf("The sets before the first heavy one at %s did not rise in load throughout.", work)
	case "last_warm_up_pct":
		f.Message = fmt.Sprintf("The last set before %s had %s %% of it; at least %s %% is asked for.", work, whole(e.Value), whole(e.Threshold))
	default:
		f.Message = fmt.Sprintf("The largest step on the way to %s was %s %% of it; up to %s %% is asked for.", work, whole(e.Value), whole(e.Threshold))
	}
	f.Advice = "Add rising sets before the first heavy one next time. If the warm-up was done on a bar without a sensor, acknowledge this."
	e.ExpectedFalseAlarms = "Every warm-up on a bar without a sensor looks like none."
	f.Source = Source(f.Rule)
}

func tellAccessory(f *lift.Finding) {
	f.Title = "No posterior chain work this week"
	f.Message = fmt.Sprintf("The week had %s days with deadlifts and no set for glutes, hamstrings or back extensors.", whole(*f.Evidence.ReferenceValue))
	f.Advice = "Plan one such exercise for the coming week, such as hip thrusts, back extensions or Nordic curls."
	f.Evidence.ExpectedFalseAlarms = "Comes whenever such work is done and not recorded."
	f.Source = Source(f.Rule)
}

func tellTechnique(f *lift.Finding, number int32, load int64) {
	e := &f.Evidence
	what := map[string]string{
		"bar_drift_m": "The bar drifted forward or back", "bar_tilt_deg": "The bar tilted", "hip_shoulder_ratio": "The hips rose ahead of the shoulders",
		"trunk_flexion_deg": "The trunk flexed more than usual", "rom_cv_pct": "The range of motion was uneven",
	}[e.Metric]
	f.Title = what
	where := "A set"
	if number != noNumber {
		where = fmt.Sprintf("Set %d", number)
	}
	if load != noLoad {
		where += " at " + decimal(kilograms(load)) + " kg"
	}
	limit := fmt.Sprintf("up to %.3g, limit %.3g %s", e.Value, e.Threshold, e.Unit)
	if *e.ReferenceValue != 0 && e.Metric != "rom_cv_pct" {
		limit += fmt.Sprintf("; usual is %.3g", *e.ReferenceValue)
	}
	f.Message = fmt.Sprintf("%s. %s: %s.", what, where, limit)
	f.Advice = "Watch the next set, and take weight off if it repeats."
	e.ExpectedFalseAlarms = "About 2 of 100 reps are over such a limit by chance; two reps of one set must be. The measures compare a lifter with themselves only, and none has been shown to predict pain."
	f.Source = Source(f.Rule)
}

func tellDevice(f *lift.Finding, device string) {
	e := &f.Evidence
	f.Advice = "Check the sensor: mounting, battery and firmware. Rules of velocity do not judge the sets in question."
	switch e.Metric {
	case "frozen":
		f.Title = "Sensor repeats itself"
		f.Message = fmt.Sprintf("Sensor %s sent at least %s reps that agree to the last digit.", device, whole(e.Value))
	case "spike":
		f.Title = "Sensor leaps"
		f.Message = fmt.Sprintf("Sensor %s sent a rep more than %s times as fast as the middle of its set.", device, decimal(e.Value))
	default:
		f.Title = "Sensor clock is wrong"
		f.Message = fmt.Sprintf("The clock of sensor %s is off by %s s.", device, whole(e.Value))
		f.Advice = "Set the clock of the sensor or its gateway. The order of reps and the days they belong to may be wrong until then."
	}
	e.ExpectedFalseAlarms = "Rare: each is something that no lifter does."
	f.Source = Source(f.Rule)
}
