package files

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var wide = spec{
	format: Wide,
	headings: map[string]heading{
		"date": {column: dateColumn}, "exercise": {column: exerciseColumn},
		"equipment": {column: equipmentColumn}, "variant": {column: variantColumn},
		"set1weight": {column: loadColumn}, "set1reps": {column: repsColumn},
	},
	required: []column{dateColumn, exerciseColumn, equipmentColumn, variantColumn, loadColumn, repsColumn},
	check:    pairs,
	read:     readWide,
}

// pairs makes sure that the sets of a Wide log stand side by side and in order.
func pairs(l *layout) error {
	first := l.at[loadColumn]
	end := first
	for n := 1; end < len(l.heads) && strings.HasPrefix(strings.ToLower(l.heads[end]), "set"); n++ {
		for _, what := range []string{"weight", "reps"} {
			want := fmt.Sprintf("set%d%s", n, what)
			if end >= len(l.heads) || !strings.EqualFold(l.heads[end], want) {
				return fmt.Errorf("column %d is not %q", end+1, want)
			}
			end++
		}
	}
	if end != len(l.heads) {
		return fmt.Errorf("column %d (%q) follows the sets", end+1, clip(l.heads[end]))
	}
	l.setsEnd = end
	return nil
}

// readWide reads the sets of a row of a Wide log. Rows end after their last set, so a
// cell that was left out shifts all behind it: an odd number of cells is refused whole,
// because nobody can tell which number is a load and which are reps.
func readWide(r row, yield func(entry, error) bool) {
	first := r.at[loadColumn]
	cells := r.cells
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	switch {
	case len(cells) > r.setsEnd:
		yield(entry{}, r.refuse("has %d cells where the header has %d", len(cells), r.setsEnd))
		return
	case len(cells) <= first:
		yield(entry{}, r.refuse("has no sets"))
		return
	case (len(cells)-first)%2 != 0:
		yield(entry{}, r.refuse("loads and reps do not pair up: %s", clip(strings.Join(cells[first:], ","))))
		return
	}
	common := entry{Row: Row{Set: &Set{Line: r.line}}}
	if err := r.begin(&common); err != nil {
		yield(entry{}, err)
		return
	}
	number := 0
	for pair := range slices.Chunk(cells[first:], 2) {
		at := first + 2*number
		number++
		if blank(pair) {
			continue
		}
		e := entry{key: common.key}
		e.Set = new(*common.Set)
		e.Set.Number = new(number)
		e.key.number = strconv.Itoa(number)
		err := r.reps(e.Set, at+1, positive(pair[0]))
		if err == nil {
			if e.Set.LoadKg, err = parseLoad(pair[0], r.file.options.Unit, r.comma); err != nil {
				err = r.refuseCell(at, err)
			}
		}
		if !yield(e, err) {
			return
		}
	}
}
