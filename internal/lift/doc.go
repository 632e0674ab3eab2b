// Package lift holds the nouns of the barbell: rep, set, session, check-in,
// assignment, device, alert. It gives each of them its units, its limits and its
// identity, and imports nothing but the standard library, so that every other
// package can speak of the same things.
//
// Numbers carry their SI unit in the field's JSON name (_kg _m _s _mps _hz _deg
// _pct). A nil pointer or an empty id means "not given", which is never the same
// as zero. All times are in UTC with millisecond precision or better.
//
// Values are plain data: they may be copied freely and read concurrently, and
// nothing here keeps state.
package lift
