package profile

// tempoS is the eccentric duration in seconds from which on a set is slow on
// purpose.
const tempoS = 3.0

// singly is what single precision may take from a duration of seconds.
const singly = 1e-6

// Tempo reports whether a set was lowered slowly on purpose, by the eccentric
// durations in seconds of its completed reps, which it sorts: their median is 3 s or
// more. The velocities of such a set are not the athlete's best.
func Tempo(eccentric []float64) bool {
	return len(eccentric) > 0 && median(eccentric) >= tempoS-singly
}
