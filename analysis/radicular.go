package analysis

import "github.com/spotterhq/spotter/internal/lift"

// radicularSymptoms are those of a pinched nerve.
var radicularSymptoms = []lift.Symptom{lift.Radiating, lift.Numbness, lift.Tingling}

// radicular is the finding of a check-in with such a symptom and no red flag.
func (d *diary) radicular(r *report) lift.Finding {
	f := d.finding(Radicular, lift.Critical, "", d.reportWindow(r))
	f.Evidence = lift.Evidence{
		Value: float64(r.nerves), Unit: "symptoms", Threshold: 1,
		Reference: "any one radicular symptom", Samples: 1, Confidence: full,
	}
	tellRadicular(&f, int(r.nerves))
	return f
}

func (d *diary) reportWindow(r *report) lift.Window {
	return lift.Window{Kind: lift.WindowCheckIn, ID: r.id, From: r.time(), To: r.time()}
}
