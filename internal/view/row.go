package view

import (
	"encoding/hex"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

const repColumns = "athlete, point_ms, site, device, id, revision, hash, time_us, received_us, given, flags, exercise, rom, concentric, eccentric, source, first_seq, data"

const repColumnCount = 18

// row is a rep as it is stored: the record, and what is needed to resolve it anew.
type row struct {
	lift.RepRecord
	given int
	flags int
	hash  []byte
}

func idBytes(id string) []byte {
	if len(id) != 43 || id[:3] != "rp_" {
		return nil
	}
	b, err := hex.DecodeString(id[3:])
	if err != nil {
		return nil
	}
	return b
}

func micros(us int64) time.Time { return time.UnixMicro(us).UTC() }

type scanner interface{ Scan(...any) error }

// rowColumns are what the applier needs of a rep.
const rowColumns = "given, hash, " + recordColumns

func scanRow(s scanner) (*row, error) {
	var r row
	var text string
	if err := s.Scan(&r.given, &r.hash, &text); err != nil {
		return nil, err
	}
	var err error
	r.flags, err = readText(text, &r.RepRecord)
	return &r, err
}

func (r *row) args() []any {
	return []any{
		string(r.Athlete), r.PointTime.UnixMilli(), string(r.Site), string(r.Device), idBytes(r.ID), r.Revision, r.hash,
		r.Time.UnixMicro(), r.Received.UnixMicro(), r.given, r.flags, string(r.Exercise), optional(r.ROM), optional(r.Concentric), optional(r.Eccentric),
		string(r.Source), int64(r.LogSeq), r.data(),
	}
}

func optional[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// raw is the rep in the device's own words, without what its assignment supplied.
// It does not know what a coach has corrected: that is in the edits.
func (r *row) raw() lift.Rep {
	raw := r.Rep
	if r.given&gaveAthlete == 0 {
		raw.Athlete = ""
	}
	if r.given&gaveExercise == 0 {
		raw.Exercise = ""
	}
	if r.given&gaveLoad == 0 {
		raw.LoadKg = nil
	}
	if r.given&gaveSet == 0 {
		raw.Set = nil
	}
	raw.Warmup = r.flags&flagDeviceWarmup != 0
	return raw
}

// resolve fills the row from the device's words, the assignment at its time (nil
// without one), whether the device has told the rep itself too, and a coach's
// correction (nil without one).
func (r *row) resolve(raw lift.Rep, assigned *lift.Assignment, told bool, patch *lift.RepEdit) {
	r.Rep = raw
	r.given, r.flags = 0, 0
	if raw.Athlete != "" {
		r.given |= gaveAthlete
	}
	if raw.Exercise != "" {
		r.given |= gaveExercise
	}
	if raw.LoadKg != nil {
		r.given |= gaveLoad
	}
	if raw.Set != nil {
		r.given |= gaveSet
	}
	if raw.Warmup {
		r.flags |= flagDeviceWarmup
	}
	// Somebody else's exercise and load say nothing about this lifter's rep.
	if assigned != nil && assigned.Athlete != "" && (raw.Athlete == "" || raw.Athlete == assigned.Athlete) {
		r.Athlete = assigned.Athlete
		if raw.Exercise == "" {
			r.Exercise = assigned.Exercise
		}
		if raw.LoadKg == nil {
			r.LoadKg = assigned.LoadKg
		}
		if raw.Set == nil {
			r.Set = assigned.Set
		}
		if r.given != gaveAll {
			r.Warmup = raw.Warmup || assigned.Warmup
		}
	}
	r.Valid = !told
	if patch != nil {
		r.flags |= flagEdited
		if r.Edited = patch.Changes(); !r.Edited {
			r.flags |= flagWithdrawn
		}
		if patch.Valid != nil {
			r.Valid = *patch.Valid
		}
		if patch.LoadKg != nil {
			r.LoadKg = patch.LoadKg
		}
		if patch.Exercise != nil {
			r.Exercise = *patch.Exercise
		}
		if patch.Athlete != nil {
			r.Athlete = *patch.Athlete
		}
		if patch.Set != nil {
			r.Set = patch.Set
		}
	}
	for flag, on := range map[int]bool{flagWarmup: r.Warmup, flagFailed: r.Failed, flagHistorical: r.Historical, flagInvalid: !r.Valid} {
		if on {
			r.flags |= flag
		}
	}
	if r.Source == "" {
		r.Source = lift.SourceDevice
	}
}
