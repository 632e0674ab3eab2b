package view

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// recordColumns are what readers need of a rep. Handing out a column costs more than
// finding the row, so that all but the measured values come as one text: the bytes of
// the id, words without spaces, of which one is the length of the convention, and the
// convention and the boot, which may have spaces. What is missing is an empty word.
const recordColumns = "id || athlete || ' ' || site || ' ' || device || ' ' || exercise || ' ' || source || ' ' || point_ms || ' ' || time_us || ' ' || " +
	"received_us || ' ' || seq || ' ' || revision || ' ' || flags || ' ' || first_seq || ' ' || ifnull(set_no, '') || ' ' || ifnull(rep_no, '') || ' ' || " +
	"ifnull(device_us, '') || ' ' || octet_length(convention) || ' ' || convention || boot, " +
	"mean, load_kg, peak, propulsive, rom, concentric, eccentric, drift, tilt, ratio, flexion, to_peak, sticking_from, sticking_to"

const idSize = 20 // bytes of a rep's id

var errText = errors.New("the text of a rep cannot be read")

// scanRecord reads a row of recordColumns.
func scanRecord(s scanner) (lift.RepRecord, error) {
	var r lift.RepRecord
	var text string
	var held [13]any // as the driver has them: any other type is converted by reflection
	err := s.Scan(&text, &r.MeanVelocity, &held[0], &held[1], &held[2], &held[3], &held[4], &held[5], &held[6], &held[7], &held[8], &held[9], &held[10], &held[11], &held[12])
	if err != nil {
		return r, err
	}
	for i, field := range [...]**float64{
		&r.LoadKg, &r.PeakVelocity, &r.MeanPropulsiveVelocity, &r.ROM, &r.Concentric, &r.Eccentric, &r.BarDrift, &r.BarTilt,
		&r.HipShoulderRatio, &r.TrunkFlexion, &r.TimeToPeak, &r.StickingFrom, &r.StickingTo,
	} {
		if v, ok := held[i].(float64); ok {
			*field = &v
		}
	}
	return r, readText(text, &r)
}

// readText fills in what the text of a rep says.
func readText(text string, r *lift.RepRecord) error {
	if len(text) < idSize {
		return errText
	}
	id := append(make([]byte, 0, 3+2*idSize), "rp_"...)
	r.ID = string(hex.AppendEncode(id, []byte(text[:idSize])))
	w := words{rest: text[idSize:]}
	r.Athlete, r.Site, r.Device = lift.AthleteID(w.next()), lift.SiteID(w.next()), lift.DeviceID(w.next())
	r.Exercise, r.Source = lift.ExerciseID(w.next()), lift.Source(w.next())
	r.PointTime = time.UnixMilli(w.number()).UTC()
	r.Time, r.Received = micros(w.number()), micros(w.number())
	r.Seq, r.Revision = w.number(), w.number()
	flags := int(w.number())
	r.LogSeq = uint64(w.number())
	r.Warmup, r.Failed, r.Historical = flags&flagWarmup != 0, flags&flagFailed != 0, flags&flagHistorical != 0
	r.Valid, r.Edited = flags&flagInvalid == 0, flags&(flagEdited|flagWithdrawn) == flagEdited
	if n, given := w.maybe(); given {
		r.Set = new(int(n))
	}
	if n, given := w.maybe(); given {
		r.Rep.Rep = new(int(n))
	}
	if n, given := w.maybe(); given {
		r.DeviceUs = &n
	}
	size := w.number()
	if w.wrong || size < 0 || size > int64(len(w.rest)) {
		return errText
	}
	r.Convention, r.BootID = w.rest[:size], w.rest[size:]
	return nil
}

// words reads words with a space behind each.
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
	n, err := strconv.ParseInt(w.next(), 10, 64)
	w.wrong = w.wrong || err != nil
	return n
}

// maybe is a number that may be missing.
func (w *words) maybe() (n int64, given bool) {
	if strings.HasPrefix(w.rest, " ") {
		w.rest = w.rest[1:]
		return 0, false
	}
	return w.number(), true
}
