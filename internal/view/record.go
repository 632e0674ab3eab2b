package view

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/bits"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// recordColumns are what readers need of a rep. Handing out a column costs more than
// finding the row, so that all come as one text: the bytes of the id, words without
// spaces, and reps.data.
const recordColumns = "id || athlete || ' ' || site || ' ' || device || ' ' || exercise || ' ' || source || ' ' || data"

const idSize = 20 // bytes of a rep's id

var errText = errors.New("the text of a rep cannot be read")

// Bits of the mask in reps.data: which whole numbers are given. Those of the
// measured values follow, in the order of measured.
const (
	hasSet = 1 << iota
	hasRep
	hasDeviceUs
	hasMeasured
	wholeBits = 3
)

// measured are a rep's values that may be missing.
func measured(r *lift.Rep) [13]**float64 {
	return [...]**float64{
		&r.LoadKg, &r.PeakVelocity, &r.MeanPropulsiveVelocity, &r.ROM, &r.Concentric, &r.Eccentric, &r.BarDrift, &r.BarTilt,
		&r.HipShoulderRatio, &r.TrunkFlexion, &r.TimeToPeak, &r.StickingFrom, &r.StickingTo,
	}
}

// data is what reps.data holds: the times in microseconds (those of the point in
// milliseconds and of the receipt since the rep's), sequence, revision, flags and place in the
// log, a mask of what is given, that, the length of the convention, the convention and
// the boot. Whole numbers are varints, the others 8 bytes each.
func (r *row) data() []byte {
	b := make([]byte, 0, 160)
	b = binary.AppendVarint(b, r.Time.UnixMicro())
	b = binary.AppendVarint(b, r.PointTime.UnixMilli()-r.Time.UnixMilli())
	b = binary.AppendVarint(b, r.Received.UnixMicro()-r.Time.UnixMicro())
	b = binary.AppendVarint(b, r.Seq)
	b = binary.AppendVarint(b, r.Revision)
	b = binary.AppendVarint(b, int64(r.flags))
	b = binary.AppendVarint(b, int64(r.LogSeq))
	values := measured(&r.Rep)
	mask := 0
	for bit, given := range [...]bool{r.Set != nil, r.RepRecord.Rep.Rep != nil, r.DeviceUs != nil} {
		if given {
			mask |= 1 << bit
		}
	}
	for i, v := range values {
		if *v != nil {
			mask |= hasMeasured << i
		}
	}
	b = binary.AppendVarint(b, int64(mask))
	if r.Set != nil {
		b = binary.AppendVarint(b, int64(*r.Set))
	}
	if r.RepRecord.Rep.Rep != nil {
		b = binary.AppendVarint(b, int64(*r.RepRecord.Rep.Rep))
	}
	if r.DeviceUs != nil {
		b = binary.AppendVarint(b, *r.DeviceUs)
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.MeanVelocity))
	for _, v := range values {
		if *v != nil {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(**v))
		}
	}
	b = binary.AppendVarint(b, int64(len(r.Convention)))
	return append(append(b, r.Convention...), r.BootID...)
}

// scanRecord reads a row of recordColumns.
func scanRecord(s scanner) (lift.RepRecord, error) {
	var r lift.RepRecord
	var text string
	if err := s.Scan(&text); err != nil {
		return r, err
	}
	_, err := readText(text, &r)
	return r, err
}

// readText fills in what the text of a rep says, and returns its flags.
func readText(text string, r *lift.RepRecord) (flags int, err error) {
	if len(text) < idSize {
		return 0, errText
	}
	id := append(make([]byte, 0, 3+2*idSize), "rp_"...)
	r.ID = string(hex.AppendEncode(id, []byte(text[:idSize])))
	w := words{rest: text[idSize:]}
	r.Athlete, r.Site, r.Device = lift.AthleteID(w.next()), lift.SiteID(w.next()), lift.DeviceID(w.next())
	r.Exercise, r.Source = lift.ExerciseID(w.next()), lift.Source(w.next())
	at := w.number()
	r.Time = micros(at)
	r.PointTime = time.UnixMilli(r.Time.UnixMilli() + w.number()).UTC()
	r.Received = micros(at + w.number())
	r.Seq, r.Revision = w.number(), w.number()
	flags = int(w.number())
	r.LogSeq = uint64(w.number())
	r.Warmup, r.Failed, r.Historical = flags&flagWarmup != 0, flags&flagFailed != 0, flags&flagHistorical != 0
	r.Valid, r.Edited = flags&flagInvalid == 0, flags&(flagEdited|flagWithdrawn) == flagEdited
	mask := uint(w.number())
	if mask&(hasSet|hasRep) != 0 {
		given := new([2]int) // one piece of memory for both
		if mask&hasSet != 0 {
			given[0] = int(w.number())
			r.Set = &given[0]
		}
		if mask&hasRep != 0 {
			given[1] = int(w.number())
			r.Rep.Rep = &given[1]
		}
	}
	if mask&hasDeviceUs != 0 {
		r.DeviceUs = new(w.number())
	}
	r.MeanVelocity = w.float()
	if mask >>= wholeBits; mask != 0 {
		given := make([]float64, bits.OnesCount(mask)) // for all of them
		for i, v := range measured(&r.Rep) {
			if mask&(1<<i) != 0 {
				given[0] = w.float()
				*v, given = &given[0], given[1:]
			}
		}
	}
	size := w.number()
	if w.wrong || size < 0 || size > int64(len(w.rest)) {
		return flags, errText
	}
	r.Convention, r.BootID = w.rest[:size], w.rest[size:]
	return flags, nil
}

// words reads words with a space behind each, and numbers as row.data writes them.
type words struct {
	rest  string
	wrong bool
}

func (w *words) next() string {
	word, rest, ok := strings.Cut(w.rest, " ")
	w.rest, w.wrong = rest, w.wrong || !ok
	return word
}

func (w *words) number() int64 {
	n, size := binary.Varint([]byte(w.rest[:min(len(w.rest), binary.MaxVarintLen64)]))
	if size <= 0 {
		w.rest, w.wrong = "", true
		return 0
	}
	w.rest = w.rest[size:]
	return n
}

func (w *words) float() float64 {
	if len(w.rest) < 8 {
		w.rest, w.wrong = "", true
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64([]byte(w.rest[:8])))
	w.rest = w.rest[8:]
	return v
}
