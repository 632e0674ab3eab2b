// Package files reads the exports of training logs: sets of reps and load, without
// velocity. It reads the exports of Strong and Hevy, the wide log of the R package
// rweightlifting, and a plain CSV for everything else; docs of each are at its
// Format. A file is known by its headings, never by its name or the place of a
// column, and refused where they are unclear.
//
// # Guarantees
//
//  1. Every row below the header ends either as sets or as a RowError that names the
//     line and the reason; in a wide log every set of a row does. An empty line is
//     no row, and a pair of empty cells in a wide log is no set.
//  2. Nothing is guessed: a unit of load or a time zone that the file does not tell
//     is asked for, and a number or date that can be read in two ways is refused.
//  3. Rows are read one at a time. What stays in memory is one short entry per set,
//     for its identity.
//  4. No bytes make it panic.
//
// # Identity
//
// Set.ID is made of the format, the start of the workout as the file writes it, the
// exercise's name, and the set's number or, for sets that have none or share one, how
// many such came before it in the file. Load and reps are not part of it, so that a
// later export in which they were edited corrects the set. The same file gives the
// same ids again, and so does a later export that overlaps it, as long as the app
// writes
//
//   - the same start of the workout, in the same notation. The zone may differ: a
//     second import with the right one repeats the ids of a first with a wrong one;
//   - the same name of the exercise. Renamed in the app, or exported in another
//     language, it is another set;
//   - whole workouts. The order of workouts does not matter, but within a workout
//     the sets that share a number, or have none, must keep theirs.
//
// Ids are unique within one person's files of one format, and repeat in another
// person's: keep the athlete with them.
package files
