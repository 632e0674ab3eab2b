// Package analysis judges a lifter's training by load rules: it cuts reps into
// sets, sessions and weeks and says which rules hold, with the evidence.
//
// It is pure. Time comes in as an argument, nothing is read or written, and no
// goroutine runs here, so that live running, restart, backtest and test are the
// same code. What it finds depends only on the reps, check-ins and decisions as
// they finally stand: the order, lateness, repetition and correction of their
// arrival do not matter.
//
// # How it is built
//
// A diary holds one athlete: reps of the latest days, sets of eight weeks as
// facts, reports, and the spans under a hold or after a red flag. Rules look at
// one unit each, and each rule has its file: a date with its sets (judgeDay), a
// week (judgeWeek), or all that reports and plans say (health). What a unit is
// compared with comes from earlier dates alone and is remembered in refs. What
// the rules say to people is in texts*.go.
//
// [Judge] judges every unit of a history; it is the reference. [Lifter] judges
// the units that have changed, with the same functions, and tells the difference
// to what it told before. A change that reaches further back than it holds makes
// Put answer false, and whoever feeds it loads a new one, from [LoadFrom] on.
// [Policy] decides which findings interrupt somebody.
//
// A coach's limits have a date ([Terms]): each unit asks for those of its own, and
// nothing that is remembered depends on others.
//
// Values are in SI units. Loads are added up in whole grams and limits are
// compared with a tolerance of a billionth, so that "exactly 10 %" means what a
// coach means by it. A Lifter is not safe for concurrent use; the functions are.
package analysis
