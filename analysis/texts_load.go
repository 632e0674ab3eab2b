package analysis

import (
	"fmt"

	"github.com/spotterhq/spotter/internal/lift"
)

// article cites a step of the article that the load rules come from.
func articleStep(n int) string {
	return fmt.Sprintf("Lian Park, How to Fix Lower Back Pain from Deadlifts, step %d", n)
}

const articleHabits = "Lian Park, How to Fix Lower Back Pain from Deadlifts, preventative habits"

func tellWeeklyLoad(f *lift.Finding, withVolume, doubtful bool) {
	e := &f.Evidence
	group := groupName(f.Group)
	f.Title = fmt.Sprintf("%s: heaviest load up %s %% this week", group, whole(e.Value))
	f.Message = fmt.Sprintf("%s: %s kg in week %s, %s %% more than the heaviest of the last %d usable weeks (%s kg). Limit %s %%.",
		group, decimal(*e.Observed), f.Window.ID, whole(e.Value), e.Samples, decimal(*e.ReferenceValue), decimal(e.Threshold))
	e.ExpectedFalseAlarms = "Rare: programmes raise the heaviest load by 2.5 to 5 %. A planned test of the maximum should be entered as one."
	if e.Metric == "mean_load_kg" {
		f.Title = fmt.Sprintf("%s: average load up %s %% this week", group, whole(e.Value))
		f.Message = fmt.Sprintf("%s: a rep weighed %s kg on average in week %s, %s %% more than in the last %d usable weeks (%s kg). Limit %s %%.",
			group, decimal(*e.Observed), f.Window.ID, whole(e.Value), e.Samples, decimal(*e.ReferenceValue), decimal(e.Threshold))
		e.ExpectedFalseAlarms = "A change of the rep scheme, such as from fives to threes, alone gives 6 to 8 %."
	}
	if withVolume {
		f.Message += " The volume is over its limit as well."
	}
	f.Advice = "Stay at this load next week, and take smaller steps."
	if f.Severity == lift.Warning {
		f.Advice = "Go back towards the last weeks' load, and add either load or volume, not both."
	}
	if doubtful {
		f.Message += " The bar moved too fast for this load."
		f.Advice = "Check that the load was entered right, and correct it if it was not."
	}
	f.Source = Source(f.Rule)
}

func tellSessionSpike(f *lift.Finding, sessions int) {
	e := &f.Evidence
	group := groupName(f.Group)
	amount := thousands(*e.Observed) + " kg"
	was := thousands(*e.ReferenceValue) + " kg"
	what := "volume"
	switch e.Metric {
	case spikeNames[spikeTop]:
		amount, was, what = decimal(*e.Observed)+" kg", decimal(*e.ReferenceValue)+" kg", "heaviest load"
	case spikeNames[spikeHeavy]:
		amount, was, what = whole(*e.Observed), whole(*e.ReferenceValue), "heavy reps"
	}
	f.Title = fmt.Sprintf("%s: largest session in 30 days by far", group)
	f.Message = fmt.Sprintf("%s: %s of %s, %s times the most of any session in the 30 days before (%s). Limit %s times.",
		group, what, amount, decimal(e.Value), was, decimal(e.Threshold))
	f.Advice = "Nothing to do yet; plan the next session no larger than this."
	switch f.Severity {
	case lift.Advice:
		f.Advice = "End here for this group, and plan the next session at the usual size."
	case lift.Warning:
		f.Advice = "Stop here for this group. Check that the loads were entered right, give an extra easy day, and ask how the back feels tomorrow."
	}
	e.ExpectedFalseAlarms = "Simulated sessions that vary by 15 % without any trend: over 1.1 times in 8.4 of 100 with four sessions to compare with, in 3.8 with eight; over 1.3 times in about 1 and fewer."
	if sessions >= 8 {
		e.ExpectedFalseAlarms = "Simulated sessions that vary by 15 % without any trend: over 1.1 times in 3.8 of 100 with eight sessions to compare with; over 1.3 times in fewer than 1."
	}
	f.Source = Source(f.Rule)
}

func tellHeavyFrequency(f *lift.Finding, r recovery) {
	e := &f.Evidence
	f.Title = fmt.Sprintf("%s heavy deadlift days in seven", whole(e.Value))
	f.Message = fmt.Sprintf("%s of the last seven days had heavy deadlifts; %s a week are usual.", whole(e.Value), decimal(*e.ReferenceValue))
	if e.Metric == "heavy_gap" {
		f.Title = "Two heavy deadlift days close together"
		f.Message = fmt.Sprintf("Only %s hours lay between two heavy deadlift sessions; at least %s are usual.", whole(e.Value), whole(*e.ReferenceValue))
	}
	switch {
	case r.sleep > 0:
		f.Message += fmt.Sprintf(" Sleep is good (%s h a night).", decimal(r.hours))
	case r.sleep < 0:
		f.Message += fmt.Sprintf(" Sleep is short (%s h a night).", decimal(r.hours))
	default:
		f.Message += " Sleep is not known."
	}
	switch {
	case r.nutrition > 0:
		f.Message += " Food is reported as good."
	case r.nutrition < 0:
		f.Message += " Food is reported as poor."
	default:
		f.Message += " Food is not known."
	}
	f.Advice = "Make the next deadlift session a light one, and leave at least two days before the next heavy one."
	e.ExpectedFalseAlarms = "If heavy days fell by chance, two or more would come in 26 of 100 weeks at one a week on average, three or more in 32 at two. A fixed plan gives far fewer."
	f.Source = Source(f.Rule)
}

func tellGrind(f *lift.Finding, rep int32, load int64) {
	e := &f.Evidence
	at := ""
	if load != noLoad {
		at = " at " + decimal(kilograms(load)) + " kg"
	}
	f.Title = "A rep near the limit"
	f.Message = fmt.Sprintf("Rep %d%s moved at %.2f m/s; a maximum moves at about %.2f m/s. Limit %.2f m/s.", rep, at, e.Value, *e.ReferenceValue, e.Threshold)
	f.Advice = "End the set: hardly another rep was left. Keep a rep or two in reserve next time."
	if f.Severity == lift.Warning {
		f.Advice = "End the set. The return plan has no place for reps this near the limit: take weight off."
	}
	e.ExpectedFalseAlarms = "Depends on how well the velocity at the maximum fits the lifter: published means differ by 0.18 m/s for the deadlift. Enter the lifter's own."
	f.Source = Source(f.Rule)
}

func tellSetDrop(f *lift.Finding, load int64, rows int, short bool) {
	e := &f.Evidence
	f.Title = fmt.Sprintf("Sets start %s %% slower than the first", whole(e.Value))
	f.Message = fmt.Sprintf("At %s kg the first reps reached %.2f m/s, in the first set %.2f m/s: %s %% slower. Limit %s %%.",
		decimal(kilograms(load)), *e.Observed, *e.ReferenceValue, whole(e.Value), decimal(e.Threshold))
	f.Advice = "Rest longer, or take some weight off."
	switch {
	case rows >= 2:
		f.Message += " It is the second set in a row."
		f.Advice = "End this exercise for today, or take weight off: the speed does not come back between sets."
	case short:
		f.Message += " The rest before it was short."
		f.Advice = "Rest two minutes or more before the next set."
	}
	e.ExpectedFalseAlarms = "Two single measurements must differ by 0.06 m/s to be told apart; this limit is at or above that. Two sets in a row by chance are rare."
	f.Source = Source(f.Rule)
}

func tellDaySlowdown(f *lift.Finding, s slowDay) {
	e := &f.Evidence
	f.Title = fmt.Sprintf("Bar %s %% slower than usual today", whole(e.Value))
	f.Message = fmt.Sprintf("%s kg moved at %.2f m/s; the lifter's own line of the last six weeks expects %.2f m/s, so it is %s %% slower. Limit %s %%.",
		decimal(s.kg), *e.Observed, *e.ReferenceValue, whole(e.Value), decimal(e.Threshold))
	if s.over >= 2 {
		f.Message += fmt.Sprintf(" It is so at %d loads.", s.over)
	}
	f.Advice = "Repeat the load after a long rest. If it stays slow, train lighter today."
	if f.Severity == lift.Warning {
		f.Advice = "Train lighter today and ask about sleep, food, stress and pain: this is more than a bad day."
	}
	e.ExpectedFalseAlarms = "Simulated with usual variation between days (4.7 %) and five earlier sessions: 2.5 of 100 sessions are over 10 % without any change, two in a row in 0.14."
	f.Source = Source(f.Rule)
}
