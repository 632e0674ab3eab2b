package files

import (
	"fmt"
	"strings"
)

// Vitruve's "Repetition Date" is a time of day, the same for all reps of a set and, in
// the exports seen (github.com/jimartter-git/vbt, dataset/raw), for all sets of the
// exercise on that day.
var vitruve = spec{
	format: Vitruve,
	headings: map[string]heading{
		"email": {column: mailColumn}, "athlete": {column: personColumn}, "last name": {column: lastNameColumn},
		"exercise": {column: exerciseColumn}, "workout date": {column: dateColumn}, "repetition date": {column: timeColumn},
		"# set": {column: numberColumn}, "# rep.": {column: repColumn}, "type*": {column: kindColumn}, "weight": {column: loadColumn},
		"mean velocity": {column: meanColumn}, "mean propulsive velocity": {column: propulsiveColumn}, "peak velocity": {column: peakColumn},
		"rom (range of motion)": {column: romColumn}, "repetition duration": {column: concentricColumn}, "time to peak velocity": {column: timeToPeakColumn},
	},
	required: []column{exerciseColumn, dateColumn, timeColumn, numberColumn, repColumn, kindColumn, loadColumn, meanColumn},
	read:     func(r row, yield func(entry, error) bool) { yield(r.vitruve()) },
}

func (r row) vitruve() (entry, error) {
	if err := r.complete(); err != nil {
		return entry{}, err
	}
	switch kind := strings.ToLower(r.cell(kindColumn)); kind {
	case "concentric":
	case "eccentric":
		return entry{}, r.refuse("is the lowering of a rep; its lift is a row of its own")
	default:
		return entry{}, r.refuseColumn(kindColumn, fmt.Errorf("%q is neither concentric nor eccentric", clip(kind)))
	}
	exercise, err := r.exercise()
	if err != nil {
		return entry{}, err
	}
	p, err := r.place()
	if err != nil {
		return entry{}, err
	}
	when, at, err := r.when()
	if err != nil {
		return entry{}, err
	}
	e, err := r.rep()
	if err != nil {
		return entry{}, err
	}
	if e.LoadKg, err = r.loadOf(); err != nil {
		return entry{}, err
	}
	e.Exercise, e.Time = exercise, at.Add(p.after())
	return r.told(e, p, p.key(when, exercise))
}
