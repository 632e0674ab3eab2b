package analysis

import (
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

// redFlags are the symptoms that want a doctor at once. Sudden severe pain is one
// by its tick alone, whatever score goes with it: a missed emergency is worse than
// a needless call.
var redFlags = []lift.Symptom{
	lift.SaddleNumbness, lift.BladderBowel, lift.BilateralLeg, lift.ProgressiveWeakness,
	lift.Trauma, lift.Fever, lift.WeightLoss, lift.NightPain, lift.SuddenSevere,
}

// redFlag is the finding of a check-in that names a red flag.
func (d *diary) redFlag(r *report) lift.Finding {
	f := d.finding(RedFlag, lift.Urgent, "", d.reportWindow(r))
	f.Evidence = lift.Evidence{
		Value: float64(r.flags), Unit: "symptoms", Threshold: 1,
		Reference: "any one red-flag symptom", Samples: 1, Confidence: full,
	}
	tellRedFlag(&f, int(r.flags))
	return f
}

// IsRedFlag reports whether a symptom wants a doctor at once.
func IsRedFlag(s lift.Symptom) bool { return slices.Contains(redFlags, s) }
