package analysis

// limitRange is what makes sense for a limit. The upper ends are wide, so that a
// rule can be made silent, but for stretches of days: these end where a Lifter
// would have to look further back than LoadFrom.
type limitRange struct {
	least, most float64
	unit        string
}

var limitRanges = map[string]limitRange{
	"weekly-volume.advice_pct":    {0, 10000, "pct"},
	"weekly-volume.warning_pct":   {0, 10000, "pct"},
	"weekly-volume.critical_pct":  {0, 10000, "pct"},
	"weekly-volume.deload_share":  {0, 1, "share"},
	"weekly-volume.break_share":   {0, 1, "share"},
	"weekly-volume.provisional_n": {1, lookbackWeeks, "weeks"},
	"weekly-volume.full_n":        {1, lookbackWeeks, "weeks"},

	"weekly-load.advice_pct":  {0, 10000, "pct"},
	"weekly-load.warning_pct": {0, 10000, "pct"},
	"weekly-load.min_step_kg": {0, 1000, "kg"},
	"weekly-load.min_reps":    {1, 10000, "reps"},
	"weekly-load.min_weeks":   {1, lookbackWeeks, "weeks"},

	"session-spike.info_ratio":     {1, 1000, "ratio"},
	"session-spike.advice_ratio":   {1, 1000, "ratio"},
	"session-spike.warning_ratio":  {1, 1000, "ratio"},
	"session-spike.min_sessions":   {1, 1000, "sessions"},
	"session-spike.min_days":       {0, 30, "days"},
	"session-spike.min_heavy_reps": {0, 10000, "reps"},

	"heavy-frequency.heavy_share":          {0, 1, "share"},
	"heavy-frequency.min_days":             {1, 7, "days"},
	"heavy-frequency.min_weeks":            {1, lookbackWeeks, "weeks"},
	"heavy-frequency.gap_hours":            {0, 168, "hours"},
	"heavy-frequency.usual_hours":          {0, 672, "hours"},
	"heavy-frequency.sleep_hours":          {0, 24, "hours"},
	"heavy-frequency.sleep_hours_under_18": {0, 24, "hours"},
	"heavy-frequency.nutrition":            {1, 5, "score"},

	"velocity-loss.deadlift_advice_pct":  {0, 100, "pct"},
	"velocity-loss.deadlift_warning_pct": {0, 100, "pct"},
	"velocity-loss.speed_pct":            {0, 100, "pct"},
	"velocity-loss.strength_pct":         {0, 100, "pct"},
	"velocity-loss.hypertrophy_pct":      {0, 100, "pct"},
	"velocity-loss.warning_factor":       {1, 100, "ratio"},
	"velocity-loss.min_drop_mps":         {0, 10, "mps"},
	"velocity-loss.first_rep":            {1, 1000, "reps"},

	"grind.margin_mps": {0, 10, "mps"},

	"set-drop.drop_pct":     {0, 100, "pct"},
	"set-drop.min_drop_mps": {0, 10, "mps"},
	"set-drop.rest_s":       {0, 3600, "s"},

	"day-slowdown.drop_pct":       {0, 100, "pct"},
	"day-slowdown.min_drop_mps":   {0, 10, "mps"},
	"day-slowdown.far_factor":     {1, 100, "ratio"},
	"day-slowdown.noise_pct":      {0, 100, "pct"},
	"day-slowdown.min_r2":         {0, 1, "share"},
	"day-slowdown.min_loads":      {2, 100, "loads"},
	"day-slowdown.provisional_n":  {1, 100, "sessions"},
	"day-slowdown.full_n":         {1, 100, "sessions"},
	"day-slowdown.cool_down_days": {0, 14, "days"},

	"inflammatory.stiff_min": {1, 1440, "min"},
	"inflammatory.mornings":  {1, 7, "mornings"},
	"inflammatory.weeks":     {1, 12, "weeks"},

	"pain-zone.amber":          {0, 10, "nrs"},
	"pain-zone.red":            {0, 10, "nrs"},
	"pain-zone.critical":       {0, 10, "nrs"},
	"pain-zone.morning_margin": {0, 10, "nrs"},
	"pain-zone.weekly_rise":    {0, 10, "nrs"},
	"pain-zone.misses":         {1, 14, "reports"},

	"hold.earliest_day":   {0, 28, "days"},
	"hold.planned_days":   {1, 28, "days"},
	"hold.longest_days":   {1, 28, "days"},
	"hold.release_pain":   {0, 10, "nrs"},
	"hold.warning_share":  {0, 1, "share"},
	"hold.critical_share": {0, 1, "share"},

	"pain-persistence.advice_days":  {1, persistenceDays, "days"},
	"pain-persistence.warning_days": {1, persistenceDays, "days"},
	"pain-persistence.free_pain":    {0, 10, "nrs"},
	"pain-persistence.free_days":    {1, 28, "days"},
	"pain-persistence.quiet_days":   {1, 28, "days"},

	"return-plan.load_share":     {0, 1, "share"},
	"return-plan.min_reps":       {1, 100, "reps"},
	"return-plan.loss_pct":       {0, 100, "pct"},
	"return-plan.volume_share":   {0, 1, "share"},
	"return-plan.test_share":     {0, 1, "share"},
	"return-plan.gate_sessions":  {1, 28, "sessions"},
	"return-plan.gate_pain":      {0, 10, "nrs"},
	"return-plan.stable_reps":    {1, 1000, "reps"},
	"return-plan.last_gate_days": {0, 28, "days"},
	"return-plan.gate_days":      {1, 28, "days"},
	"return-plan.failed_repeats": {1, 100, "repeats"},

	"tempo.eccentric_s": {0, 30, "s"},
	"tempo.share":       {0, 1, "share"},

	"warm-up.min_sets":   {0, 20, "sets"},
	"warm-up.last_share": {0, 1, "share"},
	"warm-up.max_jump":   {0, 1, "share"},

	"technique.min_reps":                   {1, 10000, "reps"},
	"technique.load_share":                 {0, 1, "share"},
	"technique.deviations":                 {0, 100, "deviations"},
	"technique.tilt_deg":                   {0, 90, "deg"},
	"technique.hip_shoulder_ratio":         {0, 100, "ratio"},
	"technique.hip_shoulder_ratio_warning": {0, 100, "ratio"},
	"technique.flexion_deg":                {0, 180, "deg"},
	"technique.rom_cv_pct":                 {0, 100, "pct"},
	"technique.flagged_reps":               {1, 100, "reps"},

	"device.frozen_reps": {2, 1000, "reps"},
	"device.spike_ratio": {1, 1000, "ratio"},
	"device.offset_s":    {0, 86400, "s"},
}

// rising are limits of a rule that must not fall.
var rising = []struct {
	rule  string
	names []string
}{
	{"weekly-volume", []string{"advice_pct", "warning_pct", "critical_pct"}},
	{"weekly-volume", []string{"provisional_n", "full_n"}},
	{"weekly-load", []string{"advice_pct", "warning_pct"}},
	{"session-spike", []string{"info_ratio", "advice_ratio", "warning_ratio"}},
	{"heavy-frequency", []string{"gap_hours", "usual_hours"}},
	{"velocity-loss", []string{"deadlift_advice_pct", "deadlift_warning_pct"}},
	{"day-slowdown", []string{"provisional_n", "full_n"}},
	{"pain-zone", []string{"amber", "red", "critical"}},
	{"hold", []string{"earliest_day", "planned_days", "longest_days"}},
	{"hold", []string{"warning_share", "critical_share"}},
	{"pain-persistence", []string{"advice_days", "warning_days"}},
	{"technique", []string{"hip_shoulder_ratio", "hip_shoulder_ratio_warning"}},
}
