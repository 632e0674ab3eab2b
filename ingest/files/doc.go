// Package files reads what people bring from elsewhere: exports of bar sensors, rep by
// rep with velocities, and of training logs, sets of reps and load. docs of each are at
// its Format. A file is known by its headings, or the keys of its first JSON object,
// never by its name or the place of a column, and refused where they are unclear.
//
// # Guarantees
//
//  1. Every row below the header ends either as sets or reps, or as a RowError that
//     names the line and the reason; in a row of several sets or reps each of them does.
//     An empty line is no row, and a pair of empty cells in a wide log is no set. What
//     is wrong in a second file is told by the rows that need it.
//  2. Nothing is guessed: a unit of load, a time zone or an order of day and month that
//     the file does not tell is asked for, a number or date that can be read in two ways
//     is refused, and rows of two people are not taken for one's.
//  3. Rows are read one at a time, in one pass. What stays in memory is one short entry
//     per set or rep, for its identity, and the sets of a second file. A row may have
//     1 MiB.
//  4. No bytes make it panic.
//  5. A rep is one that lift.Rep.Validate accepts.
//
// # Identity
//
// Set.ID is made of the format, the start of the workout as the file writes it, the
// exercise's name, and the set's number or, for sets that have none or share one, how
// many such came before it in the file. Load and reps are not part of it, so that a
// later export in which they were edited corrects the set. Where the file has an id for
// the set, as GymAware and the dump of OpenBarbell do, it is made of the format and that
// id alone. The same file gives the same ids again, and so does a later export that
// overlaps it, as long as the app writes
//
//   - the same start of the workout, in the same notation. The zone may differ: a
//     second import with the right one repeats the ids of a first with a wrong one. A
//     wrong order of day and month makes other workouts;
//   - the same name of the exercise. Renamed in the app, or exported in another
//     language, it is another set;
//   - whole workouts. The order of workouts does not matter, but within a workout
//     the sets that share a number, or have none, must keep theirs.
//
// Rep.BootID is the id of the rep's set, and Rep.Seq the rep's number in it.
//
// Ids are unique within one person's files of one format, and repeat in another
// person's: keep the athlete with them. GymAware's summaries and reps are two formats,
// so that a set that comes as both is told twice: bring one of them.
package files
