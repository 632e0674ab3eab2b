// Package importer brings a person's training history from files into the log.
//
// [Prepare] reads a file whole, before anything is stored, so that a file that cannot
// be used changes nothing. [Batch.Run] then holds it against what is known, and
// appends what is new or different.
//
// # Guarantees
//
//  1. Importing the same file again changes nothing, and a later export that overlaps
//     it adds only what is new: sets and reps are identified by what package files
//     says, the athlete and the format. What the file now says otherwise, or what is
//     now read with another unit or name of an exercise, becomes a next revision.
//  2. Every row ends as a set or as reps, or is told with its line and the reason.
//  3. What is brought is history: rules judge it, nobody is pushed for it.
//  4. An import that is cut off has brought some of it; importing again brings the
//     rest.
//  5. Training that another source has told already, of the same exercise on the same
//     day, is left out unless asked for: it must not count twice.
//
// Nothing here is safe for concurrent use.
package importer
