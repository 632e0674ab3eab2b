package analysis

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spotterhq/spotter/internal/lift"
)

// What a coach reads, in texts*.go and nowhere else, so that it can be translated.
// Numbers are rounded here; the evidence keeps them exact.

// slowSet is what a text about a slowing set needs beside the evidence.
type slowSet struct {
	rep      int32 // as counted in the set
	number   int32 // of the set, or noNumber
	load     int64 // grams, or noLoad
	deadlift bool
}

func tellVelocityLoss(f *lift.Finding, s slowSet) {
	e := &f.Evidence
	where := "a set"
	if s.number != noNumber {
		where = fmt.Sprintf("set %d", s.number)
	}
	load := ""
	if s.load != noLoad {
		load = " at " + decimal(kilograms(s.load)) + " kg"
	}
	f.Title = fmt.Sprintf("Bar slowed %s %% in %s", whole(e.Value), where)
	f.Message = fmt.Sprintf("Rep %d%s moved at %.2f m/s, %s %% slower than the fastest rep (%.2f m/s). Limit %s %%.",
		s.rep, load, *e.Observed, whole(e.Value), *e.ReferenceValue, decimal(e.Threshold))
	f.Advice = "End the set soon. Rest longer before the next one, or take some weight off."
	if f.Severity == lift.Warning {
		f.Advice = "End the set. Rest longer before the next one, and take weight or reps off if the first reps are slow again."
	}
	if s.deadlift {
		e.ExpectedFalseAlarms = "In simulated sets of five reps with little real slowing (5 %), two reps in a row were over 15 % in about 4 of 100 sets, and over 20 % in fewer than 1; a last rep over 20 % came up in at most 6."
		f.Source = slowDeadlifts
		return
	}
	e.ExpectedFalseAlarms = "Simulated for five reps at 0.45 m/s with little real slowing (5 %): two reps in a row over 20 % in fewer than 1 of 100 sets, a last rep in at most 6. Fewer at higher speeds."
	f.Source = Source(f.Rule)
}

func tellWeeklyVolume(f *lift.Finding, b *baseline, w *totals, over volumeBand) {
	e := &f.Evidence
	group := groupName(b.group)
	amount := func(v float64) string {
		switch over.metric {
		case metricSets:
			return decimal(v) + " work sets"
		case metricReps:
			return decimal(v) + " work reps"
		}
		return thousands(v) + " kg"
	}
	f.Title = fmt.Sprintf("%s up %s %% this week", group, whole(e.Value))
	f.Message = fmt.Sprintf("%s: %s in week %s, %s %% more than the baseline of %s. Limit %s %%.",
		group, amount(*e.Observed), f.Window.ID, whole(e.Value), amount(*e.ReferenceValue), decimal(over.limit))
	switch {
	case b.pause == 1:
		f.Message += " The baseline is reduced after a week without this group."
	case b.pause > 1:
		f.Message += fmt.Sprintf(" The baseline is reduced after %d weeks without this group.", b.pause)
	}
	if e.Confidence == "provisional" {
		f.Message += fmt.Sprintf(" Provisional: only %d weeks to compare with.", b.usable)
	}
	if w.missing {
		f.Message += " Some reps have no load, so the volume is at least this."
	}
	f.Advice = "Keep the rest of the week light for this group, and hold next week at this level instead of adding more."
	switch f.Severity {
	case lift.Warning:
		f.Advice = "Drop what is still planned for this group this week, and plan next week near the baseline. Ask how the lifter sleeps, eats and feels."
	case lift.Critical:
		f.Advice = "Stop adding work for this group this week: it has more than doubled. Check that the loads were entered right, talk with the lifter, and go back to the baseline."
	}
	e.ExpectedFalseAlarms = volumeFalseAlarms(b, over.limit)
	f.Source = Source(f.Rule)
}

// volumeFalseAlarms tells how often weeks that vary as these did, without any
// trend, are over the limit: simulated for the baseline used here.
func volumeFalseAlarms(b *baseline, limit float64) string {
	table := []struct{ cv, over10, over30 float64 }{
		{5, 2.8, 0}, {10, 13.8, 0.6}, {15, 20.7, 3.8}, {20, 24.0, 7.9}, {30, 27.3, 14.0},
	}
	row := table[0]
	for _, r := range table {
		if math.Abs(r.cv-b.cv) < math.Abs(row.cv-b.cv) {
			row = r
		}
	}
	share, pct := row.over10, 10
	if limit >= 30 {
		share, pct = row.over30, 30
	}
	return fmt.Sprintf("The compared weeks varied by %s %%. Simulated weeks that vary by %s %% without any trend are more than %d %% over such a baseline %s times in 100.",
		whole(b.cv), whole(row.cv), pct, decimal(share))
}

// groupName is a group as a coach would write it.
func groupName(group string) string {
	words := strings.TrimSuffix(strings.NewReplacer("_", " ", "-", " ").Replace(group), " family")
	if words == "" {
		return group
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func whole(v float64) string { return strconv.FormatFloat(math.Round(v), 'f', 0, 64) }

// decimal writes up to two decimals, without idle zeros.
func decimal(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// thousands writes whole numbers with a space between thousands.
func thousands(v float64) string {
	s := whole(v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
