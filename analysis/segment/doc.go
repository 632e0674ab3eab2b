// Package segment finds reps in bar velocity: it cuts the samples of one start of
// one device into concentric and eccentric phases and measures them.
//
// [Convention] is the one way in which a rep is measured. The concentric phase is
// from where the velocity last left zero to where it first comes back to it, both
// interpolated between samples; displacement is the trapezoid integral of the samples
// between, and the mean velocity is displacement by duration. The propulsive phase
// ends where the acceleration first drops below −9.81 m/s². Other conventions make
// other numbers of the same samples, by more than a lifter changes from week to week,
// so the convention's name is stored with the rep.
//
// Samples are used as they are, not filtered, but for what a filter cannot spoil:
//
//   - Detection looks at the mean of the last 40 ms. It decides that there is a rep,
//     not where it begins.
//   - The peak, and the dip of a sticking region, are those of a quadratic fitted
//     over ±40 ms (Savitzky–Golay), which keeps a peak's height.
//   - The acceleration is the slope of a line fitted over ±20 ms; below 50 Hz that of
//     two neighbouring samples.
//   - Where the bar at rest is noisier than 2 mm/s, a crossing of zero cannot be read
//     off samples. Then it is fitted: a line where the bar turns at once, otherwise
//     the instant from which a power of time explains the samples best.
//
// A rep is told once its eccentric phase is over, or is not going to come.
//
// The package is pure: time comes with the samples. A [Machine] is not safe for
// concurrent use. Units are SI, heights and velocities count upwards.
package segment
