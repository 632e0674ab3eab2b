package files

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// people keeps the rows of one person apart from those of others.
type people struct {
	wanted string
	first  string // who the file's first named row is of, by its strongest name
}

// check refuses the row of somebody else. The names are those that the row has for one
// person, the strongest first, such as a mail address and a name; rows that name nobody
// are taken as long as nobody is asked for. A tag can be asked for like a name, but does
// not tell people apart by itself: most tags are no names.
func (p *people) check(line int, tags []string, names ...string) error {
	if p.wanted != "" {
		is := func(n string) bool { return strings.EqualFold(n, p.wanted) }
		if slices.ContainsFunc(names, is) || slices.ContainsFunc(tags, is) {
			return nil
		}
		return &RowError{Line: line, Reason: "is not of the person whose rows are wanted"}
	}
	who := strings.ToLower(cmp.Or(names...))
	switch {
	case who == "":
	case p.first == "":
		p.first = who
	case p.first != who:
		return fmt.Errorf("line %d: %w", line, ErrPerson)
	}
	return nil
}

// tagsOf are the tags of a cell, which has them as the app writes them (a,b) or as the
// database does (['a', 'b']).
func tagsOf(cell string) []string {
	var all []string
	for tag := range strings.SplitSeq(strings.Trim(cell, "[]"), ",") {
		all = append(all, strings.TrimSpace(strings.Trim(strings.TrimSpace(tag), `'"`)))
	}
	return all
}
