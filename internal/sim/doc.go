// Package sim makes lifters and bar sensors of which the truth is known.
//
// It has two halves. Generation is pure: [History], [Gym], [Stream] and
// [MalformedMessages] are functions of a seed and the times given to them, and
// the same seed gives the same bytes. The [Player] brings a [Gym] to life over
// MQTT: one client per simulated device, one for the check-in kiosk, in real time.
//
// Velocities come from published load–velocity equations, with a lifter's own
// quickness, fatigue within the set and noise from rep to rep. The noise is cut
// at 2.5 standard deviations, so that a set without cause can never lose as
// much velocity as a load rule tolerates; what gives cause is injected, and told
// as [Truth].
//
// Weeks, dates and hours of the day are those of the location of the times that
// are passed in.
package sim
