package files

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// repGap and setGap are how far apart the reps of a set and the sets of an exercise are
// put where the file tells no time of their own. They keep reps and sets in their order,
// and move them by so little that they stay on their day; from the hundredth set on all
// stand at one time.
const (
	repGap = time.Second
	setGap = time.Minute
	gaps   = 99
)

// rep is a rep with what every format tells of it.
func (r row) rep() (*Rep, error) {
	e := &Rep{Line: r.line}
	for _, m := range []struct {
		column column
		to     **float64
	}{
		{peakColumn, &e.PeakVelocity}, {propulsiveColumn, &e.MeanPropulsiveVelocity}, {romColumn, &e.ROM},
		{concentricColumn, &e.Concentric}, {eccentricColumn, &e.Eccentric}, {timeToPeakColumn, &e.TimeToPeak},
	} {
		v, err := parseMeasure(r.cell(m.column), r.parts[m.column], r.comma)
		if err != nil {
			return nil, r.refuseColumn(m.column, err)
		}
		*m.to = v
	}
	mean, err := parseMeasure(r.cell(meanColumn), r.parts[meanColumn], r.comma)
	if err == nil && mean == nil {
		err = errors.New("is empty")
	}
	if err != nil {
		return nil, r.refuseColumn(meanColumn, err)
	}
	e.MeanVelocity = *mean
	return e, nil
}

// exercise is the row's exercise.
func (r row) exercise() (string, error) {
	name, err := parseName(r.cell(exerciseColumn))
	if err == nil && name == "" {
		err = errors.New("is empty")
	}
	if err != nil {
		return "", r.refuseColumn(exerciseColumn, err)
	}
	return name, nil
}

// place is a rep's place in the file's sets.
type place struct {
	set, rep int
}

func (r row) place() (p place, err error) {
	if p.set, err = parseWhole(r.cell(numberColumn), 1, maxNumber); err != nil {
		return p, r.refuseColumn(numberColumn, err)
	}
	if p.rep, err = parseWhole(r.cell(repColumn), 1, maxNumber); err != nil {
		return p, r.refuseColumn(repColumn, err)
	}
	return p, nil
}

// after is how long after the first rep of an exercise the rep is put.
func (p place) after() time.Duration {
	return time.Duration(min(p.set-1, gaps))*setGap + time.Duration(p.rep-1)*repGap
}

// key is what identifies the set that a rep is in.
func (p place) key(when moment, exercise string) key {
	return key{workout: when.key(), exercise: exercise, number: strconv.Itoa(p.set)}
}

// told is the rep in its place, or why it is not plausible.
func (r row) told(e *Rep, p place, k key) (entry, error) {
	e.Set, e.Rep.Rep = new(p.set), new(p.rep)
	name := func(field string) string {
		if c, ok := headingOf[field]; ok && r.has(c) {
			return clip(r.heads[r.at[c]])
		}
		return ""
	}
	if err := r.file.finish(e, int64(p.rep), k, name); err != nil {
		return entry{}, err
	}
	return entry{Row: Row{Rep: e}, key: k}, nil
}

// finish identifies a rep and checks it. name is the file's name for a field.
func (f *File) finish(e *Rep, seq int64, k key, name func(field string) string) error {
	e.BootID, e.Seq, e.Source, e.Historical = f.setOfRep(k), seq, lift.SourceImported, true
	err := e.Validate(e.Time) // the package has no clock
	if wrong, ok := errors.AsType[*lift.FieldError](err); ok {
		if column := name(wrong.Field); column != "" {
			return &RowError{Line: e.Line, Column: column, Reason: wrong.Reason}
		}
		return &RowError{Line: e.Line, Reason: wrong.Error()}
	}
	if err != nil {
		return &RowError{Line: e.Line, Reason: fmt.Sprint(err)}
	}
	return nil
}
