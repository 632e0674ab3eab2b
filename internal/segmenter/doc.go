// Package segmenter follows the log's bar velocity and appends the reps that it finds
// there (analysis/segment) as events like any other, with the source "segmented".
//
// It promises:
//
//  1. No rep is lost over a restart: the stored position is before every chunk that an
//     open movement, or the stretch before one, still needs.
//  2. A rep that is found again repeats its identity, and is appended once: what the
//     view knows already is not appended again.
//  3. What the device has told itself is not appended; what it tells later wins in the
//     view, see there.
//
// Who did the rep is left to the device's assignment. The assignment in force, and the
// lifter's earlier reps, also say how far a bar must rise to have made a rep; one that
// arrives after the samples is too late for that, and nothing is found anew.
package segmenter
