// Package analysis judges a lifter's training by load rules: it cuts reps into
// sets, sessions and weeks and says which rules hold, with the evidence.
//
// It is pure. Time comes in as an argument, nothing is read or written, and no
// goroutine runs here, so that live running, restart, backtest and test are the
// same code. What it finds depends only on the reps and check-ins as they
// finally stand: the order, lateness, repetition and correction of their
// arrival do not matter.
//
// [Judge] recomputes everything from a history; it is the reference. [Lifter]
// gives the same answers incrementally for one athlete. A Lifter holds the reps
// of the last days in full and older weeks as sums; a change further back makes
// Put answer false, and whoever feeds it loads a new one, from [LoadFrom] on.
//
// Values are in SI units. Loads are added up in whole grams and limits are
// compared with a tolerance of a billionth, so that "exactly 10 %" means what a
// coach means by it. A Lifter is not safe for concurrent use; the functions are.
package analysis
