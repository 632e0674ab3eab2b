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
// are taken as long as nobody is asked for.
func (p *people) check(line int, names ...string) error {
	if p.wanted != "" {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, strings.TrimSpace(p.wanted)) }) {
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
