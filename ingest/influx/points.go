package influx

import (
	"math"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

func repIdentity(r *lift.RepRecord) identity {
	return identity{
		measurement: "rep", athlete: r.Athlete, device: r.Device, kind: string(r.Exercise),
		site: r.Site, ms: millis(r.PointTime),
	}
}

func movedIdentity(m *view.Move) identity {
	return identity{
		measurement: "rep", athlete: m.Athlete, device: m.Device, kind: string(m.Exercise),
		site: m.Site, ms: millis(m.PointTime),
	}
}

func repLine(r *lift.RepRecord) line {
	var f fields
	f.optional("load_kg", r.LoadKg)
	f.number("mean_velocity_mps", r.MeanVelocity)
	f.optional("peak_velocity_mps", r.PeakVelocity)
	f.optional("mean_propulsive_velocity_mps", r.MeanPropulsiveVelocity)
	f.optional("rom_m", r.ROM)
	f.optional("concentric_s", r.Concentric)
	f.optional("eccentric_s", r.Eccentric)
	f.count("set_no", r.Set)
	f.count("rep_no", r.Rep.Rep)
	f.yes("valid", r.Valid)
	id := repIdentity(r)
	return id.line(&f)
}

func checkInLine(c *lift.CheckInRecord) line {
	var f fields
	f.count("pain", c.Pain)
	f.optional("sleep_h", c.SleepH)
	f.count("nutrition", c.Nutrition)
	f.count("soreness", c.Soreness)
	f.count("stress", c.Stress)
	f.yes("valid", true)
	id := identity{measurement: "checkin", athlete: c.Athlete, kind: string(c.Phase), site: c.Site, ms: millis(c.Time)}
	return id.line(&f)
}

// deviceLine stands at the receipt: a status has no time of its own. A sleeping
// device is up, as it is meant to be.
func deviceLine(e *journal.Entry) line {
	var f fields
	f.yes("up", e.Status.State != lift.DeviceLost)
	f.optional("battery_pct", e.Status.BatteryPct)
	f.optional("rssi_dbm", e.Status.RSSIDbm)
	id := identity{measurement: "device", device: e.Device, site: e.Site, ms: millis(e.Received)}
	return id.line(&f)
}

func setIdentity(s *lift.Set) identity {
	return identity{measurement: "set", athlete: s.Athlete, kind: string(s.Exercise), site: s.Site, ms: millis(s.From)}
}

func setLine(id *identity, s *lift.Set) line {
	var f fields
	f.optional("load_kg", s.LoadKg)
	f.number("reps", float64(s.Reps))
	f.optional("best_mps", s.Best)
	f.optional("last_mps", s.Last)
	f.optional("velocity_loss_pct", s.VelocityLossPct)
	f.optional("volume_kg", s.VolumeKg)
	f.optional("e1rm_kg", s.E1RMKg)
	f.yes("valid", true)
	return id.line(&f)
}

func weekLine(id *identity, w *lift.Week) line {
	var f fields
	f.number("volume_kg", w.VolumeKg)
	f.number("reps", float64(w.Reps))
	f.number("sets", float64(w.Sets))
	f.optional("top_load_kg", w.TopLoadKg)
	f.optional("baseline_kg", w.BaselineKg)
	f.optional("change_pct", w.ChangePct)
	f.yes("valid", true)
	return id.line(&f)
}

// appendSamples adds a line for each sample. At up to 1 000 Hz each has a
// millisecond of its own. An assignment that becomes known only later does not
// reach the samples that are already written.
func appendSamples(lines []line, e *journal.Entry, who *lift.Assignment) []line {
	s := e.Samples
	id := identity{measurement: "velocity", athlete: who.Athlete, device: e.Device, site: e.Site}
	if who.Athlete != "" {
		id.kind = string(who.Exercise)
	}
	last := int64(math.MinInt64)
	for i, v := range s.Velocity {
		at := s.Time.Add(time.Duration(math.Round(float64(i) / s.RateHz * 1e9)))
		id.ms = max(millis(at), last+1)
		last = id.ms
		var f fields
		f.number("v_mps", v)
		lines = append(lines, id.line(&f))
	}
	return lines
}
