package files

import (
	"slices"
	"strconv"
	"strings"
)

// wide is the sets of a row of a Wide log. Rows end after their last set, so a cell
// that was left out shifts all behind it: an odd number of cells is refused whole,
// because nobody can tell which number is a load and which are reps.
func (r row) wide(yield func(numbered, error) bool) {
	first := r.layout.at[loadColumn]
	cells := r.cells
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	switch {
	case len(cells) > r.layout.setsEnd:
		yield(numbered{}, r.refuse("has %d cells where the header has %d", len(cells), r.layout.setsEnd))
		return
	case len(cells) <= first:
		yield(numbered{}, r.refuse("has no sets"))
		return
	case (len(cells)-first)%2 != 0:
		yield(numbered{}, r.refuse("loads and reps do not pair up: %s", clip(strings.Join(cells[first:], ","))))
		return
	}
	var common numbered
	common.Line = r.line
	if err := r.begin(&common); err != nil {
		yield(numbered{}, err)
		return
	}
	number := 0
	for pair := range slices.Chunk(cells[first:], 2) {
		at := first + 2*number
		number++
		if blank(pair) {
			continue
		}
		s := common
		s.Number = new(number)
		s.key.number = strconv.Itoa(number)
		if err := r.work(&s.Set, at, at+1, r.options.Unit); err != nil {
			if !yield(numbered{}, err) {
				return
			}
			continue
		}
		if !yield(s, nil) {
			return
		}
	}
}
