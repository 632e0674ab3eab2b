package analysis

import (
	"cmp"
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

// inflammatory finds the weeks with the pattern of inflammatory pain on at least
// five mornings: stiff for long, easier with movement, not with rest. After three
// months of weeks with it, a doctor should look.
func (d *diary) inflammatory(found []lift.Finding, from date) []lift.Finding {
	type stiffWeek struct {
		monday   date
		mornings int
		minutes  float64
	}
	var weeks []stiffWeek
	last := date(-1 << 30)
	for i := range d.reports {
		r := &d.reports[i]
		if r.flags > 0 || r.nerves > 0 || r.stiff == absent || r.stiff < float32(d.inWeek(r.day.monday()).Inflammatory.StiffMin) || !r.moves || r.rests || r.day == last {
			continue
		}
		last = r.day
		monday := r.day.monday()
		if n := len(weeks); n == 0 || weeks[n-1].monday != monday {
			weeks = append(weeks, stiffWeek{monday: monday})
		}
		w := &weeks[len(weeks)-1]
		w.mornings++
		w.minutes = max(w.minutes, float64(r.stiff))
	}
	for i, w := range weeks {
		l := &d.inWeek(w.monday).Inflammatory
		if w.monday < from || w.mornings < l.Mornings {
			continue
		}
		// Two weeks of three must have shown it, back to the beginning.
		begin, _ := slices.BinarySearchFunc(weeks[:i], w.monday-7*date(l.Weeks), func(w stiffWeek, day date) int { return cmp.Compare(w.monday, day) })
		earlier := weeks[begin:i]
		long := len(earlier) > 0 && earlier[0].monday <= w.monday-7*date(l.Weeks-1) && 3*(len(earlier)+1) >= 2*l.Weeks
		f := d.finding(Inflammatory, lift.Info, "", d.weekWindow(w.monday))
		if long {
			f.Severity = lift.Advice
		}
		f.Evidence = lift.Evidence{
			Value: float64(w.mornings), Unit: "mornings", Threshold: float64(l.Mornings), Metric: "stiff_mornings",
			Reference: "mornings of the week", Observed: &w.minutes, Samples: w.mornings, Confidence: full,
		}
		tellInflammatory(&f, len(earlier)+1)
		found = append(found, f)
	}
	return found
}
