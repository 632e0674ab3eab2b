package lift

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// Limits of a plausible rep. A rep outside them is kept in quarantine.
const (
	MaxMeanVelocity = 4.0    // m/s
	MaxPeakVelocity = 8.0    // m/s
	MinROM          = 0.03   // m
	MaxROM          = 2.5    // m
	MinConcentric   = 0.1    // s
	MaxConcentric   = 15.0   // s
	MaxLoad         = 1000.0 // kg
	// MaxFuture is how far ahead of the receiver's clock an event's time may be.
	MaxFuture = 5 * time.Minute
	// MaxRepMismatch is how far the mean velocity may be from ROM over
	// concentric duration, as a share of the mean velocity.
	MaxRepMismatch = 0.10
	// MaxTextLength bounds every free text, boot ids among them, in bytes.
	MaxTextLength = 2000
)

// maxCount is the highest number that a set, or a rep of one, can have.
const maxCount = 10_000

// rounding is how much a limit gives for decimal values that binary ones only
// come near to: 0.5 m/s against 0.55 m in 1 s is at the limit, not beyond it.
const rounding = 1e-9

// Earliest is the earliest time that an event may carry.
var Earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Source tells how a rep became known.
type Source string

// The sources of reps and sets.
const (
	SourceDevice    Source = "device"    // the sensor sent a rep
	SourceSegmented Source = "segmented" // found in velocity samples
	SourceImported  Source = "imported"  // read from a file
	SourceLogged    Source = "logged"    // a set noted without velocity
)

// Rep is one rep as its device reported it. (site, device, BootID, Seq) is its
// identity; of several revisions the highest counts.
type Rep struct {
	BootID   string    `json:"boot_id"`
	Seq      int64     `json:"seq"`                // counts up within a boot, ≥ 0
	Revision int64     `json:"revision,omitzero"`  // ≥ 0
	Time     time.Time `json:"time"`               // end of the concentric phase by the gateway's clock
	DeviceUs *int64    `json:"device_us,omitzero"` // microseconds since boot

	Athlete  AthleteID  `json:"athlete,omitzero"`
	Exercise ExerciseID `json:"exercise,omitzero"`
	LoadKg   *float64   `json:"load_kg,omitzero"` // 0 to 1 000
	Set      *int       `json:"set,omitzero"`
	Rep      *int       `json:"rep,omitzero"`

	MeanVelocity           float64  `json:"mean_velocity_mps"` // (0, 4]
	PeakVelocity           *float64 `json:"peak_velocity_mps,omitzero"`
	MeanPropulsiveVelocity *float64 `json:"mean_propulsive_velocity_mps,omitzero"`
	ROM                    *float64 `json:"rom_m,omitzero"`
	Concentric             *float64 `json:"concentric_s,omitzero"`
	Eccentric              *float64 `json:"eccentric_s,omitzero"`
	BarDrift               *float64 `json:"bar_drift_m,omitzero"`
	BarTilt                *float64 `json:"bar_tilt_deg,omitzero"`
	HipShoulderRatio       *float64 `json:"hip_shoulder_ratio,omitzero"`
	TrunkFlexion           *float64 `json:"trunk_flexion_deg,omitzero"`
	TimeToPeak             *float64 `json:"time_to_peak_s,omitzero"` // since the concentric phase began, as the next two
	// The bar slows down from StickingFrom to StickingTo and speeds up after it.
	StickingFrom *float64 `json:"sticking_from_s,omitzero"`
	StickingTo   *float64 `json:"sticking_to_s,omitzero"`
	// Convention names how the velocities were measured, "" where nobody said.
	Convention string `json:"convention,omitzero"`

	Warmup     bool   `json:"warmup,omitzero"`
	Failed     bool   `json:"failed,omitzero"`
	Historical bool   `json:"historical,omitzero"`
	Source     Source `json:"source,omitzero"`
}

// RepID derives the id of the rep with the given identity: 12 bytes of a hash of
// device and boot, and the sequence, so that the ids of one boot lie together in an
// index.
func RepID(site SiteID, device DeviceID, bootID string, seq int64) string {
	return "rp_" + Digest("rep", string(site), string(device), bootID)[:24] + fmt.Sprintf("%016x", uint64(seq))
}

// Validate checks the rep against the limits of plausibility, with now as the
// receiver's clock. The error is a *FieldError.
func (r *Rep) Validate(now time.Time) error {
	if r.BootID == "" {
		return fieldErrorf("boot_id", "is missing")
	}
	if err := checkText("boot_id", r.BootID, 64); err != nil {
		return err
	}
	if r.Seq < 0 {
		return fieldErrorf("seq", "%d is below 0", r.Seq)
	}
	if r.Revision < 0 {
		return fieldErrorf("revision", "%d is below 0", r.Revision)
	}
	if err := checkTime("time", r.Time, now); err != nil {
		return err
	}
	if r.Athlete != "" {
		if err := CheckID("athlete", r.Athlete); err != nil {
			return err
		}
	}
	if r.Exercise != "" {
		if err := CheckID("exercise", r.Exercise); err != nil {
			return err
		}
	}
	if err := checkRange("load_kg", r.LoadKg, 0, MaxLoad); err != nil {
		return err
	}
	for _, c := range []struct {
		field string
		value *int
	}{{"set", r.Set}, {"rep", r.Rep}} {
		if c.value != nil && (*c.value < 0 || *c.value > maxCount) {
			return fieldErrorf(c.field, "%d is outside 0 to %d", *c.value, maxCount)
		}
	}
	if !(r.MeanVelocity > 0 && r.MeanVelocity <= MaxMeanVelocity) {
		return fieldErrorf("mean_velocity_mps", "%g is outside (0, %g] m/s", r.MeanVelocity, MaxMeanVelocity)
	}
	if err := checkRange("peak_velocity_mps", r.PeakVelocity, r.MeanVelocity, MaxPeakVelocity); err != nil {
		return err
	}
	if err := checkRange("mean_propulsive_velocity_mps", r.MeanPropulsiveVelocity, 0, MaxPeakVelocity); err != nil {
		return err
	}
	if err := checkRange("rom_m", r.ROM, MinROM, MaxROM); err != nil {
		return err
	}
	if err := checkRange("concentric_s", r.Concentric, MinConcentric, MaxConcentric); err != nil {
		return err
	}
	if err := r.validateExtras(); err != nil {
		return err
	}
	if err := r.validateSticking(); err != nil {
		return err
	}
	if err := checkText("convention", r.Convention, 64); err != nil {
		return err
	}
	if r.ROM != nil && r.Concentric != nil {
		if off := math.Abs(r.MeanVelocity - *r.ROM / *r.Concentric); off > MaxRepMismatch*r.MeanVelocity*(1+rounding) {
			return fieldErrorf("mean_velocity_mps", "%g m/s does not fit %g m in %g s", r.MeanVelocity, *r.ROM, *r.Concentric)
		}
	}
	return nil
}

func (r *Rep) validateExtras() error {
	for _, c := range []struct {
		field    string
		value    *float64
		min, max float64
	}{
		{"eccentric_s", r.Eccentric, 0, 60},
		{"bar_drift_m", r.BarDrift, -2, 2},
		{"bar_tilt_deg", r.BarTilt, -90, 90},
		{"hip_shoulder_ratio", r.HipShoulderRatio, 0, 100},
		{"trunk_flexion_deg", r.TrunkFlexion, -180, 180},
		{"time_to_peak_s", r.TimeToPeak, 0, MaxConcentric},
	} {
		if err := checkRange(c.field, c.value, c.min, c.max); err != nil {
			return err
		}
	}
	switch r.Source {
	case "", SourceDevice, SourceSegmented, SourceImported:
		return nil
	}
	return fieldErrorf("source", "is not device, segmented or imported")
}

func (r *Rep) validateSticking() error {
	if (r.StickingFrom == nil) != (r.StickingTo == nil) {
		return fieldErrorf("sticking_to_s", "and sticking_from_s are given together or not at all")
	}
	if r.StickingFrom == nil {
		return nil
	}
	if err := checkRange("sticking_from_s", r.StickingFrom, 0, MaxConcentric); err != nil {
		return err
	}
	return checkRange("sticking_to_s", r.StickingTo, *r.StickingFrom, MaxConcentric)
}

// RepRecord is a rep as the log's readers know it: the device's values in their
// highest revision, completed by the device's assignment at its time, and a
// coach's corrections above both.
type RepRecord struct {
	ID     string   `json:"id"`
	Site   SiteID   `json:"site"`
	Device DeviceID `json:"device"`
	Rep
	SetID    string    `json:"set_id,omitzero"`
	Valid    bool      `json:"valid"`
	State    RepState  `json:"state,omitzero"`
	Received time.Time `json:"received"`
	// Edited is true where a coach has corrected the rep.
	Edited bool `json:"-"`
	// LogSeq is the log's sequence of the rep's first arrival: "earliest logged".
	LogSeq uint64 `json:"-"`
	// PointTime is Time, moved on by as many milliseconds as are needed to make
	// it unique among the reps of one device.
	PointTime time.Time `json:"-"`
}

// RepState is where a rep is in its life.
type RepState string

// The states of a rep.
const (
	RepProvisional RepState = "provisional" // its set may still go on
	RepConfirmed   RepState = "confirmed"
	RepCorrected   RepState = "corrected" // by its device or a coach
	RepGhost       RepState = "ghost"     // far shorter than the day's others of the exercise: it counts for nothing
	RepInvalid     RepState = "invalid"   // a coach or the device's own rep has taken it out
)

// RepEdit is a coach's correction of one rep. Fields that are nil stay as they
// are. It stands above every revision of the device.
type RepEdit struct {
	RepID    string      `json:"rep_id"`
	Valid    *bool       `json:"valid,omitzero"`
	LoadKg   *float64    `json:"load_kg,omitzero"`
	Exercise *ExerciseID `json:"exercise,omitzero"`
	Athlete  *AthleteID  `json:"athlete,omitzero"`
	Set      *int        `json:"set,omitzero"` // splits a set, or joins two
	// Withdraw names fields, as they are called in JSON, whose earlier corrections
	// are taken back: what the device said counts again.
	Withdraw []string  `json:"withdraw,omitempty"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

// Changes reports whether the edit corrects anything. One that only withdraws does
// not.
func (e *RepEdit) Changes() bool {
	return e.Valid != nil || e.LoadKg != nil || e.Exercise != nil || e.Athlete != nil || e.Set != nil
}

// After returns the edit laid over an earlier one of the same rep: what of both
// stands, with nothing left to withdraw.
func (e RepEdit) After(earlier RepEdit) RepEdit {
	for _, field := range e.Withdraw {
		switch field {
		case "valid":
			earlier.Valid = nil
		case "load_kg":
			earlier.LoadKg = nil
		case "exercise":
			earlier.Exercise = nil
		case "athlete":
			earlier.Athlete = nil
		case "set":
			earlier.Set = nil
		}
	}
	e.Valid = cmp.Or(e.Valid, earlier.Valid)
	e.LoadKg = cmp.Or(e.LoadKg, earlier.LoadKg)
	e.Exercise = cmp.Or(e.Exercise, earlier.Exercise)
	e.Athlete = cmp.Or(e.Athlete, earlier.Athlete)
	e.Set = cmp.Or(e.Set, earlier.Set)
	e.Withdraw = nil
	return e
}

// Validate checks the edit's values; whether the rep exists is not its business.
func (e *RepEdit) Validate() error {
	if !e.Changes() && len(e.Withdraw) == 0 {
		return fieldErrorf("", "nothing to change: give valid, load_kg, exercise, athlete, set or withdraw")
	}
	for i, field := range e.Withdraw {
		name := "withdraw[" + formatInt(int64(i)) + "]"
		given, known := map[string]bool{
			"valid": e.Valid != nil, "load_kg": e.LoadKg != nil, "exercise": e.Exercise != nil, "athlete": e.Athlete != nil, "set": e.Set != nil,
		}[field]
		switch {
		case !known:
			return fieldErrorf(name, "is not valid, load_kg, exercise, athlete or set")
		case given:
			return fieldErrorf(name, "%s is given a value too", field)
		}
	}
	if e.Set != nil && (*e.Set < 0 || *e.Set > maxCount) {
		return fieldErrorf("set", "%d is outside 0 to %d", *e.Set, maxCount)
	}
	if err := checkRange("load_kg", e.LoadKg, 0, MaxLoad); err != nil {
		return err
	}
	if e.Exercise != nil {
		if err := CheckID("exercise", *e.Exercise); err != nil {
			return err
		}
	}
	if e.Athlete != nil {
		return CheckID("athlete", *e.Athlete)
	}
	return nil
}
