package lift

// Exercise is what is known of an exercise, whoever does it.
type Exercise struct {
	ID      ExerciseID `json:"id"`
	Name    string     `json:"name"`
	Aliases []string   `json:"aliases,omitempty"` // other ids and names, as files and devices write them
	// Group is whose volume this exercise counts to; an exercise of no family is
	// its own group.
	Group string `json:"group"`
	// Pattern is the movement: hinge, squat, push, pull, carry, core, cardio …
	Pattern string `json:"pattern"`
	// SpinalLoad is how much the lower back carries: none, low, moderate or high.
	SpinalLoad string `json:"spinal_load"`
	// PosteriorChain is true for accessory work that strengthens glutes,
	// hamstrings or the back's extensors.
	PosteriorChain bool `json:"posterior_chain"`
	// MinVelocity is the mean concentric velocity at one repetition maximum.
	MinVelocity       *float64 `json:"min_velocity_mps,omitzero"`
	MinVelocitySource string   `json:"min_velocity_source,omitzero"`
	// Slope is how many percent of the maximum one m/s stands for on the
	// published line 100 % − Slope · (v − v at the maximum).
	Slope       *float64 `json:"slope_pct_per_mps,omitzero"`
	SlopeSource string   `json:"slope_source,omitzero"`
}
