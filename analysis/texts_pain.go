package analysis

import (
	"fmt"

	"github.com/spotterhq/spotter/internal/lift"
)

const painFalseAlarms = "Unknown: the zones were tested for tendon pain, and sources draw their edges differently."

func tellPainSession(f *lift.Finding, worst int) {
	e := &f.Evidence
	e.ExpectedFalseAlarms = painFalseAlarms
	f.Source = Source(f.Rule)
	switch f.Severity {
	case lift.Critical:
		f.Title = fmt.Sprintf("Pain %d of 10 in the session", worst)
		f.Message = fmt.Sprintf("The highest score during or after the session was %d of 10. Limit %s.", worst, decimal(e.Threshold))
		f.Advice = "Stop the exercise today and leave heavy deadlifts out for 7 to 14 days. Talk with the lifter now, and send them to a doctor or physiotherapist if it does not ease quickly."
	case lift.Warning:
		f.Title = fmt.Sprintf("Pain %d of 10 in the session", worst)
		f.Message = fmt.Sprintf("The highest score during or after the session was %d of 10. Limit %s.", worst, decimal(e.Threshold))
		f.Advice = "Stop the exercise. Leave heavy deadlifts out for 7 to 14 days and keep moving: walking, cycling, easy mobility."
	case lift.Advice:
		f.Title = "Pain has not settled by the next morning"
		f.Message = fmt.Sprintf("The session reached %d of 10. The next morning was %s, before the session it was %s; up to %s is settled.",
			worst, decimal(e.Value), decimal(*e.ReferenceValue), decimal(e.Threshold))
		f.Advice = "Take 20 % off the load or the range next time, or swap the exercise, and ask again the morning after."
	default:
		f.Title = fmt.Sprintf("Pain %d of 10 in the session", worst)
		f.Message = fmt.Sprintf("The highest score during or after the session was %d of 10: to be watched from %s on.", worst, decimal(e.Threshold))
		f.Advice = "Go on, without more load next time, as long as the pain is back to where it was by the next morning."
	}
}

func tellPainWeek(f *lift.Finding, before, previous, now float64) {
	f.Title = "Pain has risen two weeks in a row"
	f.Message = fmt.Sprintf("The middle score of the sessions went from %s to %s to %s of 10 in three weeks.",
		decimal(before), decimal(previous), decimal(now))
	f.Advice = "Go back to the load of two weeks ago or lower and look at technique and recovery. If it goes on rising, see a physiotherapist."
	f.Evidence.ExpectedFalseAlarms = painFalseAlarms
	f.Source = Source(f.Rule)
}

func tellRedFlag(f *lift.Finding, count int) {
	f.Title = "Red flag: seek medical care now"
	what := "a symptom"
	if count > 1 {
		what = fmt.Sprintf("%d symptoms", count)
	}
	f.Message = "The check-in names " + what + " that a doctor should look at without delay."
	f.Advice = "Stop training and seek urgent medical care now; call the emergency number for numbness around the saddle, trouble with bladder or bowel, or growing weakness. No deadlifts until a clinician has cleared it. This is not a diagnosis."
	f.Evidence.ExpectedFalseAlarms = "Many: single red flags are often harmless. That is accepted, because the rare serious case must not wait."
	f.Source = Source(f.Rule)
}

func tellMissingReports(f *lift.Finding) {
	f.Title = "No report after the last deadlift sessions"
	f.Message = fmt.Sprintf("No pain score came within a day of %s deadlift sessions in a row.", whole(f.Evidence.Value))
	f.Advice = "Ask the lifter how the back felt after them. Without reports, nobody can tell whether the load is right."
	f.Evidence.ExpectedFalseAlarms = "None in the strict sense: it tells that something is missing, not that something is wrong."
	f.Source = lift.Citation{
		Kind:     "article",
		Says:     "Pain should be scored during and after every session while load is being built up.",
		Citation: articleStep(6),
	}
}

func tellRadicular(f *lift.Finding, count int) {
	f.Title = "Leg symptoms: have them assessed"
	what := "a symptom"
	if count > 1 {
		what = fmt.Sprintf("%d symptoms", count)
	}
	f.Message = "The check-in names " + what + " that can come from a nerve: pain into a limb, numbness or tingling."
	f.Advice = "Have it assessed by a doctor or physiotherapist before any more deadlifts: seek medical care at once if weakness, numbness around the saddle or trouble with bladder or bowel joins in. Heavy deadlifts are on hold for 7 to 14 days. This is not a diagnosis."
	f.Evidence.ExpectedFalseAlarms = "Unknown: harmless tingling is common, and is accepted as a reason to ask."
	f.Source = Source(f.Rule)
}

func tellInflammatory(f *lift.Finding, weeks int) {
	e := &f.Evidence
	f.Title = "Stiff mornings that ease with movement"
	f.Message = fmt.Sprintf("%s mornings this week were stiff for up to %s minutes and eased with movement, not with rest.", whole(e.Value), whole(*e.Observed))
	f.Advice = "Keep an eye on it, and ask how long this has been so."
	if f.Severity == lift.Advice {
		f.Message += fmt.Sprintf(" It has been so in %d weeks of the last three months.", weeks)
		f.Advice = "Suggest an appointment with a doctor: a pattern like this over months can have a cause outside of training. It is not urgent."
	}
	e.ExpectedFalseAlarms = "Published criteria with four of five signs find about 78 % of cases and are wrong in 8 to 28 % of others; a check-in knows only some of the signs, so expect more."
	f.Source = Source(f.Rule)
}

func tellPainPersistence(f *lift.Finding) {
	e := &f.Evidence
	f.Title = fmt.Sprintf("Pain for %s weeks", decimal(float64(int(e.Value)/7)))
	f.Message = fmt.Sprintf("The lifter has reported pain for %s days without a week free of it.", whole(e.Value))
	f.Advice = "Suggest a physiotherapist or sports physician, and go on with what does not hurt."
	if f.Severity == lift.Warning {
		f.Advice = "Arrange a visit to a physiotherapist or sports physician: this has gone on past six weeks."
	}
	e.ExpectedFalseAlarms = "Many pass this mark without anything serious: in one cohort the middle duration of pain was 58 days. It asks for a referral and says nothing about a mistake."
	f.Source = Source(f.Rule)
}

func tellHoldViolation(f *lift.Finding, since date) {
	e := &f.Evidence
	f.Title = "Heavy deadlift during a hold"
	what := "A deadlift"
	if e.Observed != nil {
		what += " at " + decimal(*e.Observed) + " kg"
	}
	f.Message = fmt.Sprintf("%s was done though heavy deadlifts are on hold since %s. No maximum is known to compare the load with.", what, since)
	if e.ReferenceValue != nil {
		f.Message = fmt.Sprintf("%s, %s %% of the %s (%s kg), was done though heavy deadlifts are on hold since %s. Limit %s %%.",
			what, whole(e.Value), e.Reference, whole(*e.ReferenceValue), since, whole(e.Threshold))
	}
	f.Advice = "Stop deadlifting for today and ask why it was done. Walking, cycling and easy mobility are fine."
	if f.Severity == lift.Critical {
		f.Advice = "Stop deadlifting now and talk with the lifter. Ask about pain, and have it assessed if it has grown."
	}
	e.ExpectedFalseAlarms = "Rare: only where the load or the exercise was entered wrong, or the maximum has changed."
	f.Source = Source(f.Rule)
}

func tellOverdueHold(f *lift.Finding, c cause) {
	f.Title = "Two weeks on hold and not settled"
	f.Message = fmt.Sprintf("Heavy deadlifts have been on hold for %s days, and the reports do not show two days in a row with little pain.", whole(f.Evidence.Value))
	if c == causeFlag || c == causeCoach {
		f.Message = fmt.Sprintf("Heavy deadlifts have been on hold for %s days and nobody has released them.", whole(f.Evidence.Value))
	}
	f.Advice = "The hold goes on. Ask the lifter for reports, and consult a physiotherapist or sports physician."
	f.Evidence.ExpectedFalseAlarms = "It comes too where the pain has gone and nobody reported it."
	f.Source = Source(f.Rule)
}
