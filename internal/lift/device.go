package lift

import "time"

// DeviceState is what a device says of itself.
type DeviceState string

// The states of a device.
const (
	DeviceReady    DeviceState = "ready"
	DeviceSleeping DeviceState = "sleeping"
	DeviceLost     DeviceState = "lost"
)

// DeviceStatus is a device's last word about itself; "lost" is its last will.
type DeviceStatus struct {
	State      DeviceState `json:"state"`
	BootID     string      `json:"boot_id,omitzero"`
	Firmware   string      `json:"firmware,omitzero"`
	BatteryPct *float64    `json:"battery_pct,omitzero"` // 0 to 100
	RSSIDbm    *float64    `json:"rssi_dbm,omitzero"`    // -200 to 50
}

// Validate returns a *FieldError for the first field that cannot be used.
func (s *DeviceStatus) Validate() error {
	switch s.State {
	case DeviceReady, DeviceSleeping, DeviceLost:
	case "":
		return fieldErrorf("state", "is missing")
	default:
		return fieldErrorf("state", "is not ready, sleeping or lost")
	}
	if err := checkText("boot_id", s.BootID, 64); err != nil {
		return err
	}
	if err := checkText("firmware", s.Firmware, 64); err != nil {
		return err
	}
	if err := checkRange("battery_pct", s.BatteryPct, 0, 100); err != nil {
		return err
	}
	return checkRange("rssi_dbm", s.RSSIDbm, -200, 50)
}

// Assignment says who is on a bar from Since on, until the next assignment of
// the same device. An assignment without an athlete ends the one before it.
type Assignment struct {
	Athlete  AthleteID  `json:"athlete,omitzero"`
	Exercise ExerciseID `json:"exercise,omitzero"`
	LoadKg   *float64   `json:"load_kg,omitzero"`
	Set      *int       `json:"set,omitzero"`
	Warmup   bool       `json:"warmup,omitzero"`
	Since    time.Time  `json:"since"`
	// SinceGiven is false where the sender left Since to the first receipt.
	SinceGiven bool `json:"since_given,omitzero"`
	// Erased is set, and Athlete is not, where the person on the bar was erased: the
	// id of that receipt. Reps that lean on the assignment are not taken.
	Erased string `json:"erased,omitzero"`
}

// Validate checks the assignment, with now as the receiver's clock.
func (a *Assignment) Validate(now time.Time) error {
	if a.Athlete != "" {
		if err := CheckID("athlete", a.Athlete); err != nil {
			return err
		}
	}
	if a.Exercise != "" {
		if err := CheckID("exercise", a.Exercise); err != nil {
			return err
		}
	}
	if err := checkRange("load_kg", a.LoadKg, 0, MaxLoad); err != nil {
		return err
	}
	if err := checkScale("set", a.Set, 0, maxCount); err != nil {
		return err
	}
	return checkTime("since", a.Since, now)
}

// Same reports whether both say the same of the bar, whenever they begin.
func (a *Assignment) Same(b *Assignment) bool {
	return a.Athlete == b.Athlete && a.Exercise == b.Exercise && a.Warmup == b.Warmup &&
		equal(a.LoadKg, b.LoadKg) && equal(a.Set, b.Set)
}

func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// Samples is a chunk of consecutive bar velocities.
type Samples struct {
	BootID     string    `json:"boot_id"`
	Chunk      int64     `json:"chunk"` // counts up by one within a boot
	Time       time.Time `json:"time"`  // of the first sample
	RateHz     float64   `json:"rate_hz"`
	Velocity   []float64 `json:"velocity_mps"` // upward is positive, 1 to 1 000 of them
	Horizontal []float64 `json:"horizontal_m,omitempty"`
}

// Validate checks the chunk, with now as the receiver's clock.
func (s *Samples) Validate(now time.Time) error {
	if s.BootID == "" {
		return fieldErrorf("boot_id", "is missing")
	}
	if err := checkText("boot_id", s.BootID, 64); err != nil {
		return err
	}
	if s.Chunk < 0 {
		return fieldErrorf("chunk", "%d is below 0", s.Chunk)
	}
	if err := checkTime("time", s.Time, now); err != nil {
		return err
	}
	if !(s.RateHz >= 20 && s.RateHz <= 1000) {
		return fieldErrorf("rate_hz", "%g is outside 20 to 1000 Hz", s.RateHz)
	}
	if n := len(s.Velocity); n < 1 || n > 1000 {
		return fieldErrorf("velocity_mps", "has %d samples, not 1 to 1000", n)
	}
	for i, v := range s.Velocity {
		if !(v >= -20 && v <= 20) {
			return fieldErrorf("velocity_mps["+formatInt(int64(i))+"]", "%g is outside -20 to 20 m/s", v)
		}
	}
	if n := len(s.Horizontal); n != 0 && n != len(s.Velocity) {
		return fieldErrorf("horizontal_m", "has %d values for %d velocities", n, len(s.Velocity))
	}
	for i, v := range s.Horizontal {
		if !(v >= -10 && v <= 10) {
			return fieldErrorf("horizontal_m["+formatInt(int64(i))+"]", "%g is outside -10 to 10 m", v)
		}
	}
	return nil
}
