// Package house keeps the order of the house: its tests fail when a package has
// no doc, when an import points the wrong way or leaves its room, when a clock is
// read where time must be passed in, when go.mod and docs/dependencies.md disagree,
// and when docs say of messages, operations, settings, metrics, limits or tests
// what is not so. It has no code of its own.
//
// house/need asks for the real programs that tests run against, and
// house/suites runs every test of the module and says what ran.
package house
