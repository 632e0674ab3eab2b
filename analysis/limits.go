package analysis

// Limits holds the numbers of the rules that a coach can change.
type Limits struct {
	WeeklyVolume    WeeklyVolumeLimits    `json:"weekly-volume"`
	WeeklyLoad      WeeklyLoadLimits      `json:"weekly-load"`
	SessionSpike    SessionSpikeLimits    `json:"session-spike"`
	HeavyFrequency  HeavyFrequencyLimits  `json:"heavy-frequency"`
	VelocityLoss    VelocityLossLimits    `json:"velocity-loss"`
	Grind           GrindLimits           `json:"grind"`
	SetDrop         SetDropLimits         `json:"set-drop"`
	DaySlowdown     DaySlowdownLimits     `json:"day-slowdown"`
	Inflammatory    InflammatoryLimits    `json:"inflammatory"`
	PainZone        PainZoneLimits        `json:"pain-zone"`
	Hold            HoldLimits            `json:"hold"`
	PainPersistence PainPersistenceLimits `json:"pain-persistence"`
	ReturnPlan      ReturnPlanLimits      `json:"return-plan"`
	Tempo           TempoLimits           `json:"tempo"`
	WarmUp          WarmUpLimits          `json:"warm-up"`
	Technique       TechniqueLimits       `json:"technique"`
	Device          DeviceLimits          `json:"device"`
}

// WeeklyVolumeLimits are increases over the baseline, in percent, and what
// makes a baseline.
type WeeklyVolumeLimits struct {
	AdvicePct    float64 `json:"advice_pct"`
	WarningPct   float64 `json:"warning_pct"`
	CriticalPct  float64 `json:"critical_pct"`
	DeloadShare  float64 `json:"deload_share"`  // a week of at most this share of its predecessors is a deload
	BreakShare   float64 `json:"break_share"`   // the baseline's share that counts after a break of 1 to 3 weeks
	ProvisionalN int     `json:"provisional_n"` // usable weeks needed to judge at all
	FullN        int     `json:"full_n"`        // usable weeks needed to go beyond advice
}

// WeeklyLoadLimits are increases of the top load and of the mean load of a rep
// over the last usable weeks.
type WeeklyLoadLimits struct {
	AdvicePct  float64 `json:"advice_pct"`
	WarningPct float64 `json:"warning_pct"`
	MinStepKg  float64 `json:"min_step_kg"` // of the top load: twice the smallest plate jump
	MinReps    int     `json:"min_reps"`    // in a week whose mean is judged
	MinWeeks   int     `json:"min_weeks"`   // usable weeks needed
}

// SessionSpikeLimits are a session against the largest of the 30 days before,
// as ratios.
type SessionSpikeLimits struct {
	Info        float64 `json:"info_ratio"`
	Advice      float64 `json:"advice_ratio"`
	Warning     float64 `json:"warning_ratio"`
	MinSessions int     `json:"min_sessions"`
	MinDays     int     `json:"min_days"`       // that those sessions span
	MinHeavy    int     `json:"min_heavy_reps"` // heavy reps are compared from this many on
}

// HeavyFrequencyLimits count the days with heavy deadlifts, and say what good
// sleep and food are.
type HeavyFrequencyLimits struct {
	HeavyShare float64 `json:"heavy_share"` // of the maximum
	MinDays    int     `json:"min_days"`    // heavy days in seven that can be too many
	MinWeeks   int     `json:"min_weeks"`   // usable weeks needed
	GapHours   float64 `json:"gap_hours"`   // two heavy days this near …
	UsualHours float64 `json:"usual_hours"` // … for a lifter who leaves this much
	SleepHours float64 `json:"sleep_hours"`
	SleepYoung float64 `json:"sleep_hours_under_18"`
	Nutrition  float64 `json:"nutrition"` // 1 to 5
}

// VelocityLossLimits are losses against the fastest rep of a set, in percent.
type VelocityLossLimits struct {
	DeadliftAdvicePct  float64 `json:"deadlift_advice_pct"` // deadlift family, whatever the goal
	DeadliftWarningPct float64 `json:"deadlift_warning_pct"`
	SpeedPct           float64 `json:"speed_pct"` // other lifts, by goal: advice
	StrengthPct        float64 `json:"strength_pct"`
	HypertrophyPct     float64 `json:"hypertrophy_pct"`
	WarningFactor      float64 `json:"warning_factor"` // other lifts: warning at this multiple of advice
	MinDropMps         float64 `json:"min_drop_mps"`   // m/s that must be lost as well
	FirstRep           int     `json:"first_rep"`      // the first rep of a set that is judged
}

// GrindLimits tell how near to the velocity at the maximum a rep may be.
type GrindLimits struct {
	MarginMps float64 `json:"margin_mps"`
}

// SetDropLimits are the loss of a set's first reps against the first set.
type SetDropLimits struct {
	DropPct    float64 `json:"drop_pct"`
	MinDropMps float64 `json:"min_drop_mps"`
	RestS      float64 `json:"rest_s"` // a shorter rest explains it
}

// DaySlowdownLimits are losses against the athlete's load–velocity line.
type DaySlowdownLimits struct {
	DropPct    float64 `json:"drop_pct"`
	MinDropMps float64 `json:"min_drop_mps"`
	// FarFactor times the limit, at two loads of one session, is a warning: a day's
	// form moves all loads together, so that two loads over the limit are one sign.
	FarFactor    float64 `json:"far_factor"`
	NoisePct     float64 `json:"noise_pct"` // usual variation between sessions
	MinR2        float64 `json:"min_r2"`
	MinLoads     int     `json:"min_loads"`
	ProvisionalN int     `json:"provisional_n"` // earlier sessions needed
	FullN        int     `json:"full_n"`
	CoolDownDays int     `json:"cool_down_days"`
}

// InflammatoryLimits describe stiff mornings.
type InflammatoryLimits struct {
	StiffMin float64 `json:"stiff_min"` // minutes
	Mornings int     `json:"mornings"`  // of seven
	Weeks    int     `json:"weeks"`     // after so many weeks of it a doctor should look
}

// PainZoneLimits are scores from 0 to 10.
type PainZoneLimits struct {
	Amber         int     `json:"amber"` // from here on pain is watched
	Red           int     `json:"red"`   // from here on the exercise stops
	Critical      int     `json:"critical"`
	MorningMargin int     `json:"morning_margin"` // next morning may be this much above the level before the session
	WeeklyRise    float64 `json:"weekly_rise"`    // rise of the weekly median that counts
	Misses        int     `json:"misses"`         // missing reports in a row that are told
}

// HoldLimits are the days of a hold and the loads that break it.
type HoldLimits struct {
	EarliestDay   int     `json:"earliest_day"` // before, it is not released by itself
	PlannedDays   int     `json:"planned_days"`
	LongestDays   int     `json:"longest_days"` // without another cause it is over then
	ReleasePain   int     `json:"release_pain"` // two days in a row at most this
	WarningShare  float64 `json:"warning_share"`
	CriticalShare float64 `json:"critical_share"`
}

// PainPersistenceLimits are days since a stretch of pain began.
type PainPersistenceLimits struct {
	AdviceDays  int `json:"advice_days"`
	WarningDays int `json:"warning_days"`
	FreePain    int `json:"free_pain"`  // up to here a report is free of pain
	FreeDays    int `json:"free_days"`  // so long a gap ends the stretch
	SilentDays  int `json:"quiet_days"` // and so long a gap without any report
}

// ReturnPlanLimits are the three phases of the six-week plan, as shares of the
// maximum before the injury.
type ReturnPlanLimits struct {
	Share         [3]float64 `json:"load_share"` // of the maximum, by phase
	MinReps       [3]int     `json:"min_reps"`   // of a set, by phase
	LossPct       [3]float64 `json:"loss_pct"`   // velocity loss, by phase; 0 for none
	VolumeShare   float64    `json:"volume_share"`
	TestShare     float64    `json:"test_share"` // of the one single that ends the plan
	GateSessions  int        `json:"gate_sessions"`
	GatePain      int        `json:"gate_pain"`
	StableReps    int        `json:"stable_reps"`
	LastGateDays  int        `json:"last_gate_days"` // without any pain before the single
	GateDays      int        `json:"gate_days"`      // length of a phase
	FailedRepeats int        `json:"failed_repeats"`
}

// TempoLimits are prescribed lowering times of the plan's phases, in seconds.
type TempoLimits struct {
	EccentricS [3]float64 `json:"eccentric_s"`
	Share      float64    `json:"share"` // of it that must be kept
}

// WarmUpLimits describe the sets before the first heavy one, as shares of its
// load.
type WarmUpLimits struct {
	MinSets   int     `json:"min_sets"`
	LastShare float64 `json:"last_share"`
	MaxJump   float64 `json:"max_jump"`
}

// TechniqueLimits are what a rep may differ from the athlete's own.
type TechniqueLimits struct {
	MinReps     int     `json:"min_reps"`   // of the baseline
	LoadShare   float64 `json:"load_share"` // loads this near belong to it
	Deviations  float64 `json:"deviations"` // standard deviations for drift and tilt
	TiltDeg     float64 `json:"tilt_deg"`   // never more than this
	Ratio       float64 `json:"hip_shoulder_ratio"`
	RatioHigh   float64 `json:"hip_shoulder_ratio_warning"`
	FlexionDeg  float64 `json:"flexion_deg"` // more than the athlete's own mean
	RomPct      float64 `json:"rom_cv_pct"`
	FlaggedReps int     `json:"flagged_reps"` // of one set
}

// DeviceLimits describe a sensor that cannot be believed.
type DeviceLimits struct {
	FrozenReps int     `json:"frozen_reps"` // equal to the last digit
	SpikeRatio float64 `json:"spike_ratio"` // of a rep to the middle of its set
	OffsetS    float64 `json:"offset_s"`    // of its clock
}

// DefaultLimits returns the limits that hold until a coach changes them.
func DefaultLimits() Limits {
	return Limits{
		WeeklyVolume: WeeklyVolumeLimits{
			AdvicePct: 10, WarningPct: 30, CriticalPct: 100,
			DeloadShare: 0.70, BreakShare: 0.75, ProvisionalN: 2, FullN: 4,
		},
		WeeklyLoad:   WeeklyLoadLimits{AdvicePct: 10, WarningPct: 20, MinStepKg: 5, MinReps: 15, MinWeeks: 3},
		SessionSpike: SessionSpikeLimits{Info: 1.10, Advice: 1.30, Warning: 2.00, MinSessions: 4, MinDays: 14, MinHeavy: 3},
		HeavyFrequency: HeavyFrequencyLimits{
			HeavyShare: 0.80, MinDays: 2, MinWeeks: 3, GapHours: 48, UsualHours: 72,
			SleepHours: 7, SleepYoung: 8, Nutrition: 3,
		},
		VelocityLoss: VelocityLossLimits{
			DeadliftAdvicePct: 15, DeadliftWarningPct: 20,
			SpeedPct: 10, StrengthPct: 20, HypertrophyPct: 30, WarningFactor: 1.5,
			MinDropMps: 0.05, FirstRep: 3,
		},
		Grind:   GrindLimits{MarginMps: 0.03},
		SetDrop: SetDropLimits{DropPct: 10, MinDropMps: 0.06, RestS: 120},
		DaySlowdown: DaySlowdownLimits{
			DropPct: 10, MinDropMps: 0.06, FarFactor: 1.5, NoisePct: 4.7, MinR2: 0.90, MinLoads: 3,
			ProvisionalN: 3, FullN: 5, CoolDownDays: 7,
		},
		Inflammatory:    InflammatoryLimits{StiffMin: 30, Mornings: 5, Weeks: 12},
		PainZone:        PainZoneLimits{Amber: 3, Red: 6, Critical: 8, MorningMargin: 1, WeeklyRise: 1, Misses: 3},
		Hold:            HoldLimits{EarliestDay: 7, PlannedDays: 14, LongestDays: 28, ReleasePain: 2, WarningShare: 0.60, CriticalShare: 0.80},
		PainPersistence: PainPersistenceLimits{AdviceDays: 28, WarningDays: 42, FreePain: 1, FreeDays: 7, SilentDays: 14},
		ReturnPlan: ReturnPlanLimits{
			Share: [3]float64{0.40, 0.60, 0.75}, MinReps: [3]int{8, 6, 1}, LossPct: [3]float64{0, 10, 15},
			VolumeShare: 0.70, TestShare: 0.90, GateSessions: 4, GatePain: 2, StableReps: 10,
			LastGateDays: 7, GateDays: 14, FailedRepeats: 2,
		},
		Tempo:     TempoLimits{EccentricS: [3]float64{3, 2, 0}, Share: 0.8},
		WarmUp:    WarmUpLimits{MinSets: 3, LastShare: 0.70, MaxJump: 0.25},
		Technique: TechniqueLimits{MinReps: 15, LoadShare: 0.10, Deviations: 2, TiltDeg: 5, Ratio: 1.3, RatioHigh: 1.5, FlexionDeg: 8, RomPct: 5, FlaggedReps: 2},
		Device:    DeviceLimits{FrozenReps: 4, SpikeRatio: 1.6, OffsetS: 120},
	}
}
