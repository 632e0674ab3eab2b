package files

import (
	"fmt"
	"strconv"

	"github.com/spotterhq/spotter/internal/lift"
)

// key is what a set's identity is made of, as the file writes it.
type key struct {
	workout string // its start, without a zone unless the file tells one
	number  string // "" where the file has none, a letter for sets that Strong does not count
}

// numbered is a set and what identifies it.
type numbered struct {
	Set
	key key
}

// identify sets the set's id, or refuses a set that the file has told before. An
// exercise that was done twice in a workout repeats its numbers in one stretch of
// rows; the same numbers after other workouts are a second copy of the workout, as
// in exports that were put together, and must not count twice.
func (f *File) identify(s *Set, k key) error {
	if k.workout != f.workout || f.block == 0 {
		f.workout = k.workout
		f.block++
	}
	id := lift.Digest(string(f.layout.format), k.workout, s.Exercise, s.Equipment, s.Variant, k.number)
	before, again := f.seen[id]
	if again && before.block != f.block && k.number != "" {
		return &RowError{Line: s.Line, Reason: fmt.Sprintf("has the workout, exercise and set of line %d", before.line)}
	}
	if !again {
		before.line = s.Line
	}
	f.seen[id] = sight{count: before.count + 1, block: f.block, line: before.line}
	s.ID = id
	if again {
		s.ID = lift.Digest(id, strconv.Itoa(before.count))
	}
	return nil
}
