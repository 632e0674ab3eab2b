package profile

import "gonum.org/v1/gonum/stat"

// DayLoad is what was lifted on one day. A day of rest is the zero DayLoad; a day
// of which something is not known is missing, which is another thing.
type DayLoad struct {
	Kg      float64
	Missing bool
}

// Days of the two windows, and how old a history must be before their averages
// have forgotten how it began.
const (
	acuteDays   = 7
	chronicDays = 28
	settledDays = 56
)

// leastChronic is the least chronic load in kilograms a day that is divided by,
// whatever the floor.
const leastChronic = 1e-3

// Why a workload figure cannot be told.
const (
	ShortHistory = "the history is too short"
	MissingDay   = "a day's load is missing"
	LowChronic   = "the usual load is too low to be divided by"
	NoVariation  = "no variation: every day was the same"
)

// Ratios are acute against chronic workloads in three forms. They describe and do
// not warn: no form has been shown to predict injury.
type Ratios struct {
	AcuteKg     Figure `json:"acute_kg" doc:"mean daily load of the last 7 days"`
	ChronicKg   Figure `json:"chronic_kg" doc:"mean daily load of the last 28 days"`
	Coupled     Figure `json:"coupled" doc:"last 7 days against last 28 days, which hold them: 0 to 4"`
	Uncoupled   Figure `json:"uncoupled" doc:"last 7 days against the 21 days before them"`
	EWMA        Figure `json:"ewma" doc:"exponentially weighted averages of 7 and 28 days"`
	EWMAAcute   Figure `json:"ewma_acute_kg"`
	EWMAChronic Figure `json:"ewma_chronic_kg"`
}

// AcuteChronic returns the ratios on the last of consecutive days, of which the
// first is the day the history begins. A chronic load below floor, in kilograms
// a day, is not divided by.
//
// A missing day blanks the rolling figures while it is within their windows. The
// weighted averages pass over it unless it is the last.
func AcuteChronic(days []DayLoad, floor float64) Ratios {
	var r Ratios
	r.AcuteKg, r.ChronicKg = lastMean(days, acuteDays), lastMean(days, chronicDays)
	r.Coupled = ratio(r.AcuteKg, r.ChronicKg, floor)
	before := untold(ShortHistory)
	if len(days) >= chronicDays {
		before = lastMean(days[:len(days)-acuteDays], chronicDays-acuteDays)
	}
	r.Uncoupled = ratio(r.AcuteKg, before, floor)
	switch {
	case len(days) == 0:
		r.EWMAAcute = untold(ShortHistory)
	case days[len(days)-1].Missing:
		r.EWMAAcute = untold(MissingDay)
	default:
		r.EWMAAcute = told(weighted(days, acuteDays))
	}
	r.EWMAChronic = r.EWMAAcute
	if r.EWMAAcute.Value != nil {
		r.EWMAChronic = told(weighted(days, chronicDays))
	}
	r.EWMA = ratio(r.EWMAAcute, r.EWMAChronic, floor)
	if len(days) < settledDays {
		r.EWMA = untold(ShortHistory)
	}
	return r
}

// ratio divides two figures where both can be told.
func ratio(acute, chronic Figure, floor float64) Figure {
	switch {
	case chronic.Value == nil:
		return chronic
	case acute.Value == nil:
		return acute
	case *chronic.Value < max(floor, leastChronic):
		return untold(LowChronic)
	}
	return told(*acute.Value / *chronic.Value)
}

// lastMean is the mean of the last n days.
func lastMean(days []DayLoad, n int) Figure {
	loads, why := last(days, n)
	if why != "" {
		return untold(why)
	}
	return told(stat.Mean(loads, nil))
}

// last returns the loads of the last n days, or why they are not known.
func last(days []DayLoad, n int) ([]float64, string) {
	if len(days) < n {
		return nil, ShortHistory
	}
	loads := make([]float64, n)
	for i, d := range days[len(days)-n:] {
		if d.Missing {
			return nil, MissingDay
		}
		loads[i] = d.Kg
	}
	return loads, ""
}

// weighted is the exponentially weighted average over n days, begun with the first
// load that is known.
func weighted(days []DayLoad, n int) float64 {
	share := 2 / (float64(n) + 1)
	var average float64
	begun := false
	for _, d := range days {
		switch {
		case d.Missing:
		case !begun:
			average, begun = d.Kg, true
		default:
			average += share * (d.Kg - average)
		}
	}
	return average
}

// Monotony returns Foster's monotony of the last 7 days, their mean over their
// sample standard deviation (n − 1; with n it would be 8 % higher), and strain,
// their sum times monotony, in kilograms. They describe and do not warn.
func Monotony(days []DayLoad) (monotony, strain Figure) {
	loads, why := last(days, acuteDays)
	if why != "" {
		return untold(why), untold(why)
	}
	mean, sd := stat.MeanStdDev(loads, nil)
	if sd <= 1e-9*mean { // apart by less than a number can show
		return untold(NoVariation), untold(NoVariation)
	}
	return told(mean / sd), told(acuteDays * mean * mean / sd)
}
