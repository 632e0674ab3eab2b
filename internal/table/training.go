package table

import (
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Reps are the columns of a table of reps: what the API tells of one, by the same
// names.
func Reps() []Column[lift.RepRecord] {
	type rep = lift.RepRecord
	return []Column[rep]{
		Label("athlete", "id of the athlete", func(r *rep) lift.AthleteID { return r.Athlete }),
		Label("site", "where it was lifted", func(r *rep) lift.SiteID { return r.Site }),
		Time("time", "end of the concentric phase", func(r *rep) time.Time { return r.Time }),
		Label("exercise", "id in the catalogue of exercises", func(r *rep) lift.ExerciseID { return r.Exercise }),
		Number("load_kg", "load on the bar with the bar, kg", func(r *rep) *float64 { return r.LoadKg }),
		Whole("set", "number of the set, as the device or the assignment counted", func(r *rep) *int { return r.Set }),
		Whole("rep", "number of the rep in its set, as the device counted", func(r *rep) *int { return r.Rep.Rep }),
		Number("mean_velocity_mps", "mean velocity of the concentric phase, m/s", func(r *rep) *float64 { return &r.MeanVelocity }),
		Number("peak_velocity_mps", "its fastest moment, m/s", func(r *rep) *float64 { return r.PeakVelocity }),
		Number("mean_propulsive_velocity_mps", "mean until the bar is braked, m/s", func(r *rep) *float64 { return r.MeanPropulsiveVelocity }),
		Number("rom_m", "range of motion, m", func(r *rep) *float64 { return r.ROM }),
		Number("concentric_s", "time of the way up, s", func(r *rep) *float64 { return r.Concentric }),
		Number("eccentric_s", "time of the way down, s", func(r *rep) *float64 { return r.Eccentric }),
		Number("bar_drift_m", "sideways, m", func(r *rep) *float64 { return r.BarDrift }),
		Number("bar_tilt_deg", "degrees", func(r *rep) *float64 { return r.BarTilt }),
		Number("hip_shoulder_ratio", "how far the hips rose for the shoulders", func(r *rep) *float64 { return r.HipShoulderRatio }),
		Number("trunk_flexion_deg", "degrees", func(r *rep) *float64 { return r.TrunkFlexion }),
		Number("time_to_peak_s", "from the begin of the way up to its fastest moment, s", func(r *rep) *float64 { return r.TimeToPeak }),
		Number("sticking_from_s", "where the bar begins to slow down, s", func(r *rep) *float64 { return r.StickingFrom }),
		Number("sticking_to_s", "where it is faster again, s", func(r *rep) *float64 { return r.StickingTo }),
		Flag("warmup", "marked as a warm-up", func(r *rep) bool { return r.Warmup }),
		Flag("failed", "begun and not finished", func(r *rep) bool { return r.Failed }),
		Flag("historical", "came from a backlog", func(r *rep) bool { return r.Historical }),
		Flag("valid", "false: a coach, or the device's own rep, has taken it out", func(r *rep) bool { return r.Valid }),
		Label("state", "provisional, confirmed, corrected, ghost or invalid", func(r *rep) lift.RepState { return r.State }),
		Label("source", "device, segmented or imported", func(r *rep) lift.Source { return r.Source }),
		Label("convention", "how the velocities were measured, where the device says", func(r *rep) string { return r.Convention }),
		Label("set_id", "the set it belongs to; none where it counts for nothing", func(r *rep) string { return r.SetID }),
		Text("id", "the rep's own", func(r *rep) string { return r.ID }),
		Label("device", "the sensor", func(r *rep) lift.DeviceID { return r.Device }),
		Label("boot_id", "the sensor's start", func(r *rep) string { return r.BootID }),
		Whole("seq", "the rep's number since then", func(r *rep) *int64 { return &r.Seq }),
		Whole("revision", "how often the device has corrected it", func(r *rep) *int64 { return &r.Revision }),
		Whole("device_us", "time since the sensor's start, µs", func(r *rep) *int64 { return r.DeviceUs }),
		Time("received", "when it came in", func(r *rep) time.Time { return r.Received }),
	}
}

// Sets are the columns of a table of sets: what the API tells of one, by the same
// names, and whose it is.
func Sets() []Column[lift.Set] {
	type set = lift.Set
	return []Column[set]{
		Label("athlete", "id of the athlete", func(s *set) lift.AthleteID { return s.Athlete }),
		Label("site", "where it was lifted", func(s *set) lift.SiteID { return s.Site }),
		Time("from", "end of the first rep", func(s *set) time.Time { return s.From }),
		Time("to", "end of the last rep", func(s *set) time.Time { return s.To }),
		Label("exercise", "id in the catalogue of exercises", func(s *set) lift.ExerciseID { return s.Exercise }),
		Label("group", "the exercise's group in the load rules", func(s *set) string { return s.Group }),
		Number("load_kg", "load on the bar with the bar, kg", func(s *set) *float64 { return s.LoadKg }),
		Whole("set", "its number, as the device, the assignment or the training log counted", func(s *set) *int { return s.Number }),
		Flag("warmup", "a warm-up, which counts for no volume", func(s *set) bool { return s.Warmup }),
		Whole("reps", "completed", func(s *set) *int { return &s.Reps }),
		Number("best_mps", "mean velocity of the fastest rep, m/s", func(s *set) *float64 { return s.Best }),
		Number("last_mps", "mean velocity of the last completed rep, m/s", func(s *set) *float64 { return s.Last }),
		Number("velocity_loss_pct", "of the last against the fastest rep, %", func(s *set) *float64 { return s.VelocityLossPct }),
		Number("volume_kg", "completed reps × load, kg", func(s *set) *float64 { return s.VolumeKg }),
		Number("e1rm_kg", "estimated one-repetition maximum, kg", func(s *set) *float64 { return s.E1RMKg }),
		Label("source", "device, segmented, imported, or logged: of a training log, without the velocity of its reps", func(s *set) lift.Source { return s.Source }),
		Text("id", "the set's own", func(s *set) string { return s.ID }),
	}
}
