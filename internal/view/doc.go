// Package view is the SQLite projection of the log: what the API, the board and
// the monitor read. It follows the log, applies each event once, and can be thrown
// away and rebuilt at any time.
//
// # Guarantees
//
//  1. The view's position in the log is stored in the same transaction as the
//     effect of the events up to it.
//  2. An event that arrives again changes nothing, however late it is repeated.
//  3. The same events lead to the same reps, check-ins and assignments in whatever
//     order they are in the log; alerts and answers follow the log's order.
//  4. A change is published on Changes only after it has been committed.
//
// Run belongs to one goroutine; all other methods may be called concurrently, also
// while Run is running. SQLite is imported here and nowhere else.
package view
