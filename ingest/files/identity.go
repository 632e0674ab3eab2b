package files

import (
	"fmt"
	"strconv"

	"github.com/spotterhq/spotter/internal/lift"
)

// key is what a set's identity is made of, as the file writes it.
type key struct {
	workout   string // its start, without a zone unless the file tells one, or the set's id
	exercise  string // the next three are "" where the file has an id for the set
	equipment string
	variant   string
	number    string // "" where the file has none, a letter for sets that Strong does not count
}

// identities are those that a file has told so far.
type identities struct {
	seen    map[string]sight
	reps    map[repKey]int // the line of each
	workout string         // that the latest row belongs to
	block   int            // how often the workout changed from row to row

	latest   key // of a rep, and its set's id
	latestID string
}

// sight is where a set's key was seen.
type sight struct {
	count, block, line int
}

type repKey struct {
	set string
	seq int64
}

func (f *File) digest(k key) string {
	return lift.Digest(string(f.format), k.workout, k.exercise, k.equipment, k.variant, k.number)
}

// setOfRep is the id of a rep's set.
func (f *File) setOfRep(k key) string {
	if f.ids.latestID == "" || f.ids.latest != k {
		f.ids.latest, f.ids.latestID = k, f.digest(k)
	}
	return f.ids.latestID
}

// identify sets a set's id, or refuses what the file has told before. An exercise that
// was done twice in a workout repeats its numbers in one stretch of rows; the same
// numbers after other workouts are a second copy of the workout, as in exports that
// were put together, and must not count twice. A rep's number is never repeated in
// its set.
func (f *File) identify(e *entry) error {
	if e.Rep != nil {
		k := repKey{e.Rep.BootID, e.Rep.Seq}
		if line, again := f.ids.reps[k]; again {
			return &RowError{Line: e.Rep.Line, Reason: fmt.Sprintf("has the set and rep of line %d", line)}
		}
		f.ids.reps[k] = e.Rep.Line
		return nil
	}
	if e.key.workout != f.ids.workout || f.ids.block == 0 {
		f.ids.workout = e.key.workout
		f.ids.block++
	}
	id := f.digest(e.key)
	before, again := f.ids.seen[id]
	if again && (e.once || (before.block != f.ids.block && e.key.number != "")) {
		return &RowError{Line: e.Set.Line, Reason: fmt.Sprintf("has the workout, exercise and set of line %d", before.line)}
	}
	if !again {
		before.line = e.Set.Line
	}
	f.ids.seen[id] = sight{count: before.count + 1, block: f.ids.block, line: before.line}
	e.Set.ID = id
	if again {
		e.Set.ID = lift.Digest(id, strconv.Itoa(before.count))
	}
	return nil
}
