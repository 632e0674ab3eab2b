package files

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// openBarbell is read as the converters of both apps write it
// (github.com/squatsandsciencelabs/OpenBarbellApp, app/utility/CSVConverter.js). The
// place of the peak velocity is not read: some versions write a force there.
var openBarbell = spec{
	format: OpenBarbell,
	headings: map[string]heading{
		"exercise": {column: exerciseColumn}, "set": {column: numberColumn}, "rep": {column: repColumn},
		"weight": {column: loadColumn}, "metric": {column: unitColumn}, "tags": {column: tagsColumn},
		"workout start time": {column: dateColumn}, "rest time": {column: restColumn},
		"avg velocity": {column: meanColumn}, "concentric avg velocity": {column: meanColumn},
		"range of motion": {column: romColumn}, "concentric range of motion": {column: romColumn},
		"peak velocity": {column: peakColumn}, "concentric peak velocity": {column: peakColumn},
		"duration of rep": {column: concentricColumn}, "concentric duration of rep": {column: concentricColumn},
		"eccentric duration of rep": {column: eccentricColumn},
	},
	required: []column{exerciseColumn, numberColumn, repColumn, loadColumn, unitColumn, dateColumn, restColumn, meanColumn},
	read:     readOpenBarbell,
	blanks:   []string{"null", "undefined", "NaN"}, // as JavaScript writes what is not there
}

// readOpenBarbell reads a row, of which a line may have several: the app puts no line
// break behind a rep of the Kratos, whose header ends with a comma.
func readOpenBarbell(r row, yield func(entry, error) bool) {
	cells, heads := r.cells, len(r.heads)
	if last := heads - 1; r.heads[last] == "" && len(cells) > heads {
		for len(cells) > heads {
			r.cells = cells[:heads:heads]
			cells = cells[last:]
			if !yield(r.openBarbell()) {
				return
			}
		}
		if blank(cells) {
			return
		}
		r.cells = cells
	}
	yield(r.openBarbell())
}

func (r row) openBarbell() (entry, error) {
	if err := r.complete(); err != nil {
		return entry{}, err
	}
	p, err := r.place()
	if err != nil {
		return entry{}, err
	}
	when, begin, err := r.when()
	if err != nil {
		return entry{}, err
	}
	rest, err := parseRest(r.cell(restColumn))
	if err != nil {
		return entry{}, r.refuseColumn(restColumn, err)
	}
	k := p.key(when, r.cell(exerciseColumn))
	nth, at := r.clock.at(k, begin, rest, p.rep) // of every set, for the app counts on those without an exercise too
	exercise, err := r.exercise()
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
	e.Exercise, e.Time = exercise, at
	if nth == 0 {
		return r.told(e, p, k)
	}
	k.number += "#" + strconv.Itoa(nth+1)
	told, err := r.told(e, p, k)
	if err == nil {
		told.Rep.Set = nil // another set of the workout has the number
	}
	return told, err
}

// barClock makes the times that OpenBarbell's export does not have. It knows when the
// workout began, and how long the rest before each set was; the sets are put one after
// another with these rests, and their reps repGap apart.
type barClock struct {
	set   key
	nth   int // how often the workout had a set of the key before
	begun map[key]int
	start time.Time
	end   time.Time // of the latest rep
}

// at returns when a rep of a set was, and how many earlier sets of the workout have
// the set's key: the app counts anew when it comes back to an exercise. Only a
// workout's first set has no rest before it.
func (c *barClock) at(set key, begin time.Time, rest time.Duration, rep int) (int, time.Time) {
	switch {
	case set.workout != c.set.workout || c.begun == nil || (set != c.set && rest == 0):
		c.start, c.nth, c.begun = begin, 0, map[key]int{set: 1}
	case set != c.set:
		c.start, c.nth = c.end.Add(max(rest, repGap)), c.begun[set]
		c.begun[set]++
	}
	if set != c.set || c.end.Before(c.start) {
		c.end = c.start
	}
	c.set = set
	at := c.start.Add(time.Duration(rep-1) * repGap)
	if at.After(c.end) {
		c.end = at
	}
	return c.nth, at
}

var clockForm = regexp.MustCompile(`^(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(?:\.\d+)?$`)

// parseRest reads a rest such as 00:02:30; "" is none.
func parseRest(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	p := clockForm.FindStringSubmatch(s)
	if p == nil {
		return 0, fmt.Errorf("%q is not a rest such as 00:02:30", clip(s))
	}
	rest := time.Duration(whole(p[2]))*time.Minute + time.Duration(whole(p[3]))*time.Second
	if p[1] != "" {
		rest += time.Duration(whole(p[1])) * time.Hour
	}
	if rest > 24*time.Hour {
		return 0, errors.New("is more than a day")
	}
	return rest, nil
}
