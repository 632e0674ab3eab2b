package exercise

import (
	"strings"
	"unicode"

	"github.com/spotterhq/spotter/internal/lift"
)

// fold leaves the letters and digits of a name, in lower case.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r)) // by way of upper case, for letters with two lower ones
	}, name)
}

// idOf is a name as an id: its words with underscores between them. It need not
// have the form of one.
func idOf(name string) lift.ExerciseID {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return lift.ExerciseID(strings.ToLower(strings.Join(words, "_")))
}

// spellings of a name: as it is and, where it ends with something in brackets, with
// that in front. Logs write "Deadlift (Barbell)", people "Barbell Deadlift".
func spellings(name string) []string {
	all := []string{name}
	if head, tail, ok := strings.Cut(strings.TrimSpace(name), "("); ok {
		if inside, rest, closed := strings.Cut(tail, ")"); closed && rest == "" {
			all = append(all, inside+" "+head)
		}
	}
	return all
}

func underscored[T ~string](id T) T { return T(strings.ReplaceAll(string(id), "-", "_")) }
