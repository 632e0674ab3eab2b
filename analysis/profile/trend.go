package profile

import "math"

// Form is how a maximum was estimated.
type Form string

// The forms, in the order in which they are preferred for a session.
const (
	FormLine     Form = "line"      // the session's own load–velocity line
	FormAnchored Form = "anchored"  // the heaviest load of the session, with the slope of the line of the last 42 days
	FormTwoPoint Form = "two_point" // the session's two loads
	FormOneSet   Form = "one_set"   // the heaviest load of the session on a published line
	FormReps     Form = "reps"      // repetitions to failure (Epley)
)

var forms = []Form{FormLine, FormAnchored, FormTwoPoint, FormOneSet, FormReps}

// Estimate is a one repetition maximum as one session speaks for it.
type Estimate struct {
	Date    Date     `json:"date"`
	Form    Form     `json:"form" enum:"line,anchored,two_point,one_set,reps"`
	Kg      float64  `json:"e1rm_kg"`
	ErrorKg *float64 `json:"error_kg,omitzero" doc:"standard error; absent where none is known"`
	// ErrorSource is line where the scatter of the athlete's points tells the error,
	// published where only studies of others do.
	ErrorSource string `json:"error_source,omitzero" enum:"line,published"`
}

const (
	errorOfLine      = "line"
	errorOfPublished = "published"
)

// Trend is a robust line through a lifter's estimates: the median of the slopes
// between all pairs of sessions (Theil–Sen), with Sen's interval of 95 %.
type Trend struct {
	Form      Form     `json:"form,omitzero" doc:"the form most sessions have; the others are left out, because forms differ by more than training does"`
	Sessions  int      `json:"sessions"`
	KgPerWeek *float64 `json:"kg_per_week,omitzero"`
	Low       *float64 `json:"low_kg_per_week,omitzero" doc:"95 % interval"`
	High      *float64 `json:"high_kg_per_week,omitzero" doc:"95 % interval"`
	LastKg    *float64 `json:"last_kg,omitzero" doc:"the trend at the last session"`
	WhyNot    string   `json:"why_not,omitzero"`
}

// minTrend is how many sessions a trend needs.
const minTrend = 4

// TrendOf returns the trend of the estimates, in the order of their dates.
func TrendOf(estimates []Estimate) Trend {
	count := map[Form]int{}
	for _, e := range estimates {
		count[e.Form]++
	}
	var t Trend
	for _, f := range forms {
		if count[f] > t.Sessions {
			t.Form, t.Sessions = f, count[f]
		}
	}
	if t.Sessions < minTrend {
		t.WhyNot = "fewer than 4 sessions with an estimate of the same form"
		return t
	}
	days, kg := make([]float64, 0, t.Sessions), make([]float64, 0, t.Sessions)
	for _, e := range estimates {
		if e.Form == t.Form {
			days, kg = append(days, float64(e.Date.days())), append(kg, e.Kg)
		}
	}
	slopes := make([]float64, 0, len(kg)*(len(kg)-1)/2)
	for i := range kg {
		for j := range i {
			if days[i] != days[j] {
				slopes = append(slopes, (kg[i]-kg[j])/(days[i]-days[j]))
			}
		}
	}
	if len(slopes) == 0 {
		t.WhyNot = "all sessions are of one date"
		return t
	}
	slope := median(slopes)
	levels := make([]float64, len(kg))
	for i := range kg {
		levels[i] = kg[i] - slope*(days[i]-days[len(days)-1])
	}
	t.KgPerWeek, t.LastKg = new(7*slope), new(median(levels))
	n := float64(len(kg))
	reach := z95 * math.Sqrt(n*(n-1)*(2*n+5)/18)
	low, high := int(math.Floor((float64(len(slopes))-reach)/2)), int(math.Ceil((float64(len(slopes))+reach)/2))
	if low >= 0 && high < len(slopes) {
		t.Low, t.High = new(7*slopes[low]), new(7*slopes[high])
	}
	return t
}
