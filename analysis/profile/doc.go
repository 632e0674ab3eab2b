// Package profile computes what is shown of an athlete and never alerts: the
// load–velocity line, the estimated one repetition maximum and its trend, the
// minimum velocity threshold, workload ratios, monotony and strain, and how
// today's velocity stands against the athlete's own noise.
//
// Everything is a pure function of what is passed in, times and time zone among
// it. Loads are in kilograms, velocities are mean concentric velocities in m/s,
// daily loads are kilograms lifted (repetitions × load). A number that cannot be
// told is a Figure with its reason, never a zero. Nothing keeps state: all
// functions may be called concurrently.
package profile

// Figure is a number, or why it cannot be told.
type Figure struct {
	Value  *float64 `json:"value,omitzero"`
	WhyNot string   `json:"why_not,omitzero" doc:"why there is no value"`
}

func told(v float64) Figure { return Figure{Value: &v} }

func untold(why string) Figure { return Figure{WhyNot: why} }
