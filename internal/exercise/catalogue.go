// Package exercise is the catalogue of exercises: what each is called, whose volume
// it counts to, how it loads the back, and how fast its heaviest repetition moves.
//
// The standard catalogue is data, exercises.json, one exercise a line; a site adds
// or changes entries with a file of the same form. Nothing is ever guessed: a name
// that is not in the catalogue is unknown, because a rep that is counted to the
// wrong lift is worse than one that counts to itself.
package exercise

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spotterhq/spotter/internal/lift"
)

//go:embed exercises.json
var standard []byte

// Catalogue knows exercises by id and by name. It never changes, so any number of
// goroutines may read it; what it returns shares memory with it and must not be
// changed either.
type Catalogue struct {
	entries []lift.Exercise         // in order of id
	ids     map[lift.ExerciseID]int // ids, and names written as one
	names   map[string]int          // folded ids, names and aliases
}

// Standard returns the catalogue that the program comes with. It is read anew with
// each call, within milliseconds: keep it.
func Standard() *Catalogue {
	entries, err := Read(bytes.NewReader(standard))
	if err != nil {
		panic(fmt.Errorf("read exercises.json: %w", err))
	}
	c, err := (&Catalogue{}).With(entries)
	if err != nil {
		panic(fmt.Errorf("read exercises.json: %w", err))
	}
	return c
}

// With returns a catalogue with a site's own exercises. One with the id of an
// exercise that is there already replaces it whole, its aliases too; c stays as it
// is. Ids and groups come out with '_' for '-', and an exercise without a group is
// its own. The error joins everything that is wrong: each names the exercise and,
// as a lift.FieldError, the field. A name or alias that another exercise answers to
// is an error, and so is a group that is a member of another group.
func (c *Catalogue) With(own []lift.Exercise) (*Catalogue, error) {
	entries := make(map[lift.ExerciseID]lift.Exercise, len(c.entries)+len(own))
	for _, e := range c.entries {
		entries[e.ID] = e
	}
	var wrong []error
	given := make(map[lift.ExerciseID]bool, len(own))
	added := make([]lift.ExerciseID, 0, len(own))
	for i := range own {
		e := canonical(&own[i])
		for _, err := range check(&e) {
			wrong = append(wrong, fmt.Errorf("exercise %q: %w", e.ID, err))
		}
		if given[e.ID] {
			wrong = append(wrong, fmt.Errorf("exercise %q: %w", e.ID, &lift.FieldError{Field: "id", Reason: "is given twice"}))
		}
		given[e.ID], added = true, append(added, e.ID)
		entries[e.ID] = e
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	next := &Catalogue{
		entries: make([]lift.Exercise, 0, len(entries)),
		ids:     make(map[lift.ExerciseID]int, 4*len(entries)),
		names:   make(map[string]int, 4*len(entries)),
	}
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		next.entries = append(next.entries, entries[id])
	}
	// The site's own come last, so that a clash is told of them.
	for i := range next.entries {
		if !given[next.entries[i].ID] {
			wrong = append(wrong, next.index(i)...)
		}
	}
	for _, id := range added {
		wrong = append(wrong, next.index(next.position(id))...)
	}
	for _, id := range added {
		e := entries[id]
		if of, ok := next.Get(lift.ExerciseID(e.Group)); ok && of.Group != e.Group {
			wrong = append(wrong, fmt.Errorf("exercise %q: %w", id, &lift.FieldError{
				Field: "group", Reason: fmt.Sprintf("%q is an exercise of the group %s: write that", e.Group, of.Group)}))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return next, nil
}

func (c *Catalogue) position(id lift.ExerciseID) int {
	i, _ := slices.BinarySearchFunc(c.entries, id, func(e lift.Exercise, id lift.ExerciseID) int {
		return strings.Compare(string(e.ID), string(id))
	})
	return i
}

// index makes the i-th entry answer to its id, name and aliases.
func (c *Catalogue) index(i int) (clashes []error) {
	e := &c.entries[i]
	enter := func(field, name string) {
		for _, written := range spellings(name) {
			key := fold(written)
			if other, taken := c.names[key]; taken && other != i {
				clashes = append(clashes, fmt.Errorf("exercise %q: %w", e.ID, &lift.FieldError{
					Field: field, Reason: fmt.Sprintf("%q names the exercise %s already", name, c.entries[other].ID)}))
				return
			}
			c.names[key] = i
			c.ids[idOf(written)] = i
		}
	}
	enter("id", string(e.ID))
	enter("name", e.Name)
	for n, alias := range e.Aliases {
		enter(fmt.Sprintf("aliases[%d]", n), alias)
	}
	return clashes
}

// Get returns the exercise with this id, or with a name or alias that reads so when
// written as an id: deadlift, conventional_deadlift and deadlift-barbell are the
// same. '-' and '_' are the same. The entry's own id is the one to count under.
func (c *Catalogue) Get(id lift.ExerciseID) (lift.Exercise, bool) {
	i, ok := c.ids[id]
	if !ok && strings.Contains(string(id), "-") {
		i, ok = c.ids[underscored(id)]
	}
	if !ok {
		return lift.Exercise{}, false
	}
	return c.entries[i], true
}

// Match returns the exercise that a file calls by this name: an id, a name or an
// alias, whatever its case, spaces and punctuation, in the singular or with an s.
// "Deadlift (Barbell)" and "Barbell Deadlift" are the same. An unknown name is
// false, however near it comes to a known one.
func (c *Catalogue) Match(name string) (lift.Exercise, bool) {
	key := fold(name)
	i, ok := c.names[key]
	for _, plural := range []string{"s", "es"} {
		if singular, cut := strings.CutSuffix(key, plural); cut && !ok {
			i, ok = c.names[singular]
		}
	}
	if !ok {
		return lift.Exercise{}, false
	}
	return c.entries[i], true
}

// MatchColumns is Match for a log that keeps equipment and variant in columns of
// their own, which may be empty. Together they must be a name, in whatever order;
// only what goes without saying may be missing from it: that the bar is a barbell,
// and that the variant is the conventional or standard one.
func (c *Catalogue) MatchColumns(name, equipment, variant string) (lift.Exercise, bool) {
	if fold(name) == "" {
		return lift.Exercise{}, false
	}
	bars, kinds := []string{equipment}, []string{variant}
	if fold(equipment) == "barbell" {
		bars = append(bars, "")
	}
	if kind := fold(variant); kind == "conventional" || kind == "standard" {
		kinds = append(kinds, "")
	}
	for _, bar := range bars {
		for _, kind := range kinds {
			for _, written := range []string{kind + bar + name, bar + kind + name, bar + name + kind, kind + name + bar, name + kind + bar} {
				if e, ok := c.Match(written); ok {
					return e, true
				}
			}
		}
	}
	return lift.Exercise{}, false
}

// All returns every exercise, in order of id.
func (c *Catalogue) All() []lift.Exercise { return slices.Clone(c.entries) }
