package lift

import (
	"regexp"
	"slices"
	"time"
)

// TeamID names a team of a site.
type TeamID string

// RecordKind is what a record is about.
type RecordKind string

// The kinds of records.
const (
	OfHouse   RecordKind = "house" // the whole installation; its one id is House
	OfSite    RecordKind = "site"
	OfTeam    RecordKind = "team"    // id: site/team
	OfAthlete RecordKind = "athlete" // id: the athlete's
	OfDevice  RecordKind = "device"  // id: site/device
)

// House is the id of the one record of the installation.
const House = "house"

// Record is what people have written down about somebody or something, whole, in
// one revision. Of two that follow the same revision the one that came into the
// log first counts: the other's author has to look again.
type Record struct {
	Kind     RecordKind `json:"kind"`
	ID       string     `json:"id"`
	Revision int64      `json:"revision"` // 1, then one more each time
	By       string     `json:"by"`
	At       time.Time  `json:"at"`
	Reason   string     `json:"reason,omitzero"`

	// Exactly one is set, and none with Removed.
	Removed bool            `json:"removed,omitzero"`
	House   *HouseRecord    `json:"house,omitzero"`
	Site    *SiteRecord     `json:"site,omitzero"`
	Team    *TeamRecord     `json:"team,omitzero"`
	Athlete *AthleteProfile `json:"athlete,omitzero"`
	Device  *DeviceRecord   `json:"device,omitzero"`
}

// RuleLimits are those limits of one rule that somebody has set, and who, when and
// why. Values holds them by name: numbers, or lists of one for each phase of the
// plan.
type RuleLimits struct {
	Values map[string]any `json:"values"`
	By     string         `json:"by"`
	At     time.Time      `json:"at"`
	Reason string         `json:"reason,omitzero"`
}

// LimitsByRule are limits that hold instead of those of the scope above: of the
// installation, then the site, the athlete's teams in their order, and the athlete.
type LimitsByRule map[Rule]RuleLimits

// HouseRecord is what holds for the whole installation.
type HouseRecord struct {
	Limits LimitsByRule `json:"limits,omitempty"`
}

// SiteRecord is a gym, team or clinic.
type SiteRecord struct {
	Name   string       `json:"name,omitzero"`
	Zone   string       `json:"zone,omitzero"` // such as Europe/Berlin
	Limits LimitsByRule `json:"limits,omitempty"`
}

// TeamRecord is a group of a site's athletes.
type TeamRecord struct {
	Name   string       `json:"name,omitzero"`
	Limits LimitsByRule `json:"limits,omitempty"`
}

// DeviceRecord is what people call a sensor, and where it is.
type DeviceRecord struct {
	Name string `json:"name,omitzero"`
	Rack string `json:"rack,omitzero"` // the place whose tile on the wall board shows it
	Note string `json:"note,omitzero"`
}

// AthleteProfile is what a coach knows of an athlete. It holds the athlete's name,
// which is written nowhere else.
type AthleteProfile struct {
	Name     string   `json:"name,omitzero"`
	Site     SiteID   `json:"site"`
	Teams    []TeamID `json:"teams,omitempty"` // of that site
	Zone     string   `json:"zone,omitzero"`   // such as Europe/Berlin; the site's by default
	Goal     string   `json:"goal,omitzero"`   // speed, strength (default) or hypertrophy
	Language string   `json:"language,omitzero"`
	Unit     string   `json:"unit,omitzero"` // kg (default) or lb, in which loads are shown
	Born     int      `json:"born,omitzero"` // year

	// MaximumKg holds known one repetition maxima by exercise, MinVelocity the
	// athlete's own mean velocities at the maximum, in m/s.
	MaximumKg   map[ExerciseID]float64 `json:"maximum_kg,omitempty"`
	MinVelocity map[ExerciseID]float64 `json:"min_velocity_mps,omitempty"`
	// PreInjuryKg is the deadlift's maximum before an injury, PreInjuryWeekKg the
	// weekly volume of the deadlift family: what a return plan begins with.
	PreInjuryKg     *float64 `json:"pre_injury_kg,omitzero"`
	PreInjuryWeekKg *float64 `json:"pre_injury_week_kg,omitzero"`
	// Deloads are ISO weeks planned to be light, such as 2026-W47; Tests those with
	// a meet or a test of the maximum.
	Deloads []string `json:"deloads,omitempty"`
	Tests   []string `json:"tests,omitempty"`
	// Reminders is true where the athlete wants to be asked for a report that is
	// missing.
	Reminders bool         `json:"reminders,omitzero"`
	Limits    LimitsByRule `json:"limits,omitempty"`
}

// Limits are those that the record holds, nil where its kind has none.
func (r *Record) Limits() LimitsByRule {
	switch {
	case r.House != nil:
		return r.House.Limits
	case r.Site != nil:
		return r.Site.Limits
	case r.Team != nil:
		return r.Team.Limits
	case r.Athlete != nil:
		return r.Athlete.Limits
	}
	return nil
}

const maxName = 200

// Validate returns a *FieldError for the first field that cannot be used. Limits
// are checked where they are understood, by the analysis.
func (s *SiteRecord) Validate() error {
	if err := checkText("name", s.Name, maxName); err != nil {
		return err
	}
	return checkZone(s.Zone)
}

// Validate returns a *FieldError for the first field that cannot be used.
func (t *TeamRecord) Validate() error { return checkText("name", t.Name, maxName) }

// Validate returns a *FieldError for the first field that cannot be used.
func (d *DeviceRecord) Validate() error {
	if err := checkText("name", d.Name, maxName); err != nil {
		return err
	}
	if err := checkText("rack", d.Rack, maxName); err != nil {
		return err
	}
	return checkText("note", d.Note, MaxTextLength)
}

var (
	languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	weekForm     = regexp.MustCompile(`^20\d\d-W(0[1-9]|[1-4]\d|5[0-3])$`)
)

const (
	maxTeams     = 20
	maxWeeks     = 200
	maxExercises = 500
)

// Validate returns a *FieldError for the first field that cannot be used.
func (a *AthleteProfile) Validate() error {
	if err := checkText("name", a.Name, maxName); err != nil {
		return err
	}
	if err := CheckID("site", a.Site); err != nil {
		return err
	}
	if len(a.Teams) > maxTeams {
		return fieldErrorf("teams", "are %d, more than %d", len(a.Teams), maxTeams)
	}
	for i, t := range a.Teams {
		field := "teams[" + formatInt(int64(i)) + "]"
		if err := CheckID(field, t); err != nil {
			return err
		}
		if slices.Contains(a.Teams[:i], t) {
			return fieldErrorf(field, "is named twice")
		}
	}
	if err := checkZone(a.Zone); err != nil {
		return err
	}
	switch a.Goal {
	case "", "speed", "strength", "hypertrophy":
	default:
		return fieldErrorf("goal", "is not speed, strength or hypertrophy")
	}
	if a.Language != "" && (len(a.Language) > 35 || !languageForm.MatchString(a.Language)) {
		return fieldErrorf("language", "is not a language such as en or de-AT")
	}
	switch a.Unit {
	case "", "kg", "lb":
	default:
		return fieldErrorf("unit", "is not kg or lb")
	}
	if a.Born != 0 && (a.Born < 1900 || a.Born > 2100) {
		return fieldErrorf("born", "%d is not a year of birth", a.Born)
	}
	for _, v := range []struct {
		field       string
		by          map[ExerciseID]float64
		least, most float64
	}{{"maximum_kg", a.MaximumKg, 1, MaxLoad}, {"min_velocity_mps", a.MinVelocity, 0.01, MaxMeanVelocity}} {
		if err := checkByExercise(v.field, v.by, v.least, v.most); err != nil {
			return err
		}
	}
	if err := checkRange("pre_injury_kg", a.PreInjuryKg, 1, MaxLoad); err != nil {
		return err
	}
	if err := checkRange("pre_injury_week_kg", a.PreInjuryWeekKg, 1, 1e6); err != nil {
		return err
	}
	if err := checkWeeks("deloads", a.Deloads); err != nil {
		return err
	}
	return checkWeeks("tests", a.Tests)
}

func checkByExercise(field string, by map[ExerciseID]float64, least, most float64) error {
	if len(by) > maxExercises {
		return fieldErrorf(field, "names %d exercises, more than %d", len(by), maxExercises)
	}
	for exercise, value := range by {
		if err := CheckID(field, exercise); err != nil {
			return err
		}
		if err := checkRange(field+"."+string(exercise), &value, least, most); err != nil {
			return err
		}
	}
	return nil
}

func checkWeeks(field string, weeks []string) error {
	if len(weeks) > maxWeeks {
		return fieldErrorf(field, "are %d, more than %d", len(weeks), maxWeeks)
	}
	for i, w := range weeks {
		if !weekForm.MatchString(w) {
			return fieldErrorf(field+"["+formatInt(int64(i))+"]", "is not an ISO week such as 2026-W47")
		}
	}
	return nil
}

func checkZone(zone string) error {
	if zone == "" {
		return nil
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return fieldErrorf("zone", "is not a time zone such as Europe/Berlin")
	}
	return nil
}

// Read says that somebody has looked at what is known of an athlete.
type Read struct {
	By        string    `json:"by"`
	Operation string    `json:"operation"` // of the API, by its id
	Count     int       `json:"count"`
	From      time.Time `json:"from"` // of the first and the last of these times
	To        time.Time `json:"to"`
}

// Erase asks every follower to forget an athlete.
type Erase struct {
	Receipt string    `json:"receipt"` // its id, er_…
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason,omitzero"`
}

// Erased says what came of an erase. It does not say whose: Key is a keyed hash of
// the athlete's id, by which later data of that person is recognised.
type Erased struct {
	Receipt string        `json:"receipt"`
	Key     string        `json:"key"`
	By      string        `json:"by"`
	At      time.Time     `json:"at"` // when it was asked for
	Done    time.Time     `json:"done,omitzero"`
	Stores  []StoreErased `json:"stores"`
	// Reps are keyed hashes of reps that only a correction had made the person's: by
	// what their device says, they would come back as somebody else's.
	Reps []string `json:"reps,omitempty"`
	// Lifted is set where an admin has allowed later data of that person again.
	Lifted *Answer `json:"lifted,omitzero"`
}

// StoreErased is what one store did with an erase.
type StoreErased struct {
	Store  string    `json:"store"` // log, view, influxdb, quarantine, retained messages, deliveries …
	State  string    `json:"state"` // done, waiting or failed
	Detail string    `json:"detail,omitzero"`
	At     time.Time `json:"at,omitzero"`
}
