package analysis

import (
	"encoding/binary"
	"hash/fnv"
	"math"

	"github.com/spotterhq/spotter/internal/lift"
)

// diff compares the findings that hold with those told, and remembers them.
func diff(told map[string]mark, current, found []lift.Finding, gone []string) ([]lift.Finding, []string) {
	holds := make(map[string]bool, len(current))
	for i := range current {
		f := &current[i]
		holds[f.ID] = true
		if m := markOf(f); told[f.ID].sum != m.sum {
			told[f.ID] = m
			found = append(found, *f)
		}
	}
	for id := range told {
		if !holds[id] {
			delete(told, id)
			gone = append(gone, id)
		}
	}
	return found, gone
}

// tell adds the finding unless it has been told as it is.
func (l *Lifter) tell(found []lift.Finding, f lift.Finding) []lift.Finding {
	m := markOf(&f)
	if l.told[f.ID].sum == m.sum {
		return found
	}
	l.told[f.ID] = m
	return append(found, f)
}

// drop adds the id if that finding has been told.
func (l *Lifter) drop(gone []string, id string) []string {
	if _, ok := l.told[id]; !ok {
		return gone
	}
	delete(l.told, id)
	return append(gone, id)
}

func markOf(f *lift.Finding) mark {
	return mark{sum: fingerprint(f), from: nanos(f.Window.From), kind: f.Window.Kind}
}

// fingerprint is equal for findings that are lift.Finding.Same.
func fingerprint(f *lift.Finding) uint64 {
	h := fnv.New64a()
	e := &f.Evidence
	for _, s := range []string{
		f.ID, string(f.Severity), f.Title, f.Message, f.Advice, string(f.Window.Kind), f.Window.ID,
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
