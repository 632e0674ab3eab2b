package analysis

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

// unit is what is judged together: a date, a week, or all that reports and plans
// say.
type unit struct {
	class unitClass
	at    date
}

type unitClass int8

const (
	unitDay unitClass = iota
	unitWeek
	unitHealth
)

// unitOf is the unit in which a finding is found.
func (l *Lifter) unitOf(f *lift.Finding) unit {
	switch f.Rule {
	case RedFlag, Radicular, Inflammatory, PainZone, PainPersistence:
		return unit{class: unitHealth}
	}
	day := dateOf(f.Window.From, l.Zone)
	switch f.Window.Kind {
	case lift.WindowWeek:
		return unit{unitWeek, day}
	case lift.WindowEpisode:
		return unit{class: unitHealth}
	}
	return unit{unitDay, day}
}

// mark is what is remembered of a finding that has been told.
type mark struct {
	id   string
	sum  uint64
	rule lift.Rule
	from int64
}

func markOf(f *lift.Finding) mark {
	return mark{id: f.ID, sum: fingerprint(f), rule: f.Rule, from: nanos(f.Window.From)}
}

// tell compares what has been found of a unit with what was told of it, and
// returns what has changed.
func (l *Lifter) tell(u unit, current, found []lift.Finding, gone []string) ([]lift.Finding, []string) {
	told := l.told[u]
	if len(current) == 0 && len(told) == 0 {
		return found, gone
	}
	next := make([]mark, 0, len(current))
	for i := range current {
		m := markOf(&current[i])
		next = append(next, m)
		if k := slices.IndexFunc(told, func(o mark) bool { return o.id == m.id }); k < 0 || told[k].sum != m.sum {
			found = append(found, current[i])
		}
	}
	for _, o := range told {
		if !slices.ContainsFunc(next, func(m mark) bool { return m.id == o.id }) {
			gone = append(gone, o.id)
		}
	}
	if len(next) == 0 {
		delete(l.told, u)
	} else {
		l.told[u] = next
	}
	return found, gone
}

// fingerprint is equal for findings that are lift.Finding.Same.
func fingerprint(f *lift.Finding) uint64 {
	h := fnv.New64a()
	e := &f.Evidence
	for _, s := range []string{
		f.ID, string(f.Severity), f.Title, f.Message, f.Advice, string(f.Exercise), f.Group, string(f.Window.Kind), f.Window.ID,
		e.Unit, e.Metric, e.Reference, e.Confidence, e.ExpectedFalseAlarms,
	} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	number := func(v float64) {
		h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	}
	optional := func(v *float64) {
		if v == nil {
			h.Write([]byte{0})
			return
		}
		h.Write([]byte{1})
		number(*v)
	}
	number(e.Value)
	number(e.Threshold)
	optional(e.ReferenceValue)
	optional(e.Observed)
	number(float64(e.Samples))
	for _, t := range []int64{nanos(f.Window.From), nanos(f.Window.To)} {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(t)))
	}
	return h.Sum64()
}
