package conformance

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spotterhq/spotter/internal/check"
	"github.com/spotterhq/spotter/internal/lift"
)

// optional are values that a rep may lack, and what each is good for.
var optional = []struct{ field, gives string }{
	{"rom_m", "shows corrupt measurements (with concentric_s), failed reps and those that were none, such as racking the bar"},
	{"concentric_s", "shows corrupt measurements: mean velocity has to fit rom_m in this time"},
	{"peak_velocity_mps", "is kept and charted"},
	{"eccentric_s", "lets the rule tempo see whether the bar was lowered as slowly as the plan says"},
	{"device_us", "tells the time between reps even where the clock was set meanwhile"},
	{"bar_drift_m", "(or bar_tilt_deg, hip_shoulder_ratio, trunk_flexion_deg) lets the rule technique see a change of form"},
}

// Report is everything that was found: errors first, then warnings, then what is well.
func (c *Check) Report() *check.Report {
	r := &check.Report{}
	for _, p := range c.problems {
		r.Add(check.Problem, p.what, p.says+": quarantined, "+times(p.count), "")
	}
	r.Findings = append(r.Findings, c.warnings...)
	if c.Heard() == 0 {
		r.Add(check.Problem, "messages", "nothing was heard on "+c.prefix+"…",
			"see that the topic is spelt so, that site and device are right, and that the credential is this device's: what it may not publish is acknowledged and dropped")
		return r
	}
	good := &check.Report{}
	c.ofStatus(r, good)
	c.ofReps(r, good)
	if c.samples.chunks > 0 {
		good.Add(check.OK, "samples", fmt.Sprintf("%d chunks of at least %g Hz, %d missing", c.samples.chunks, c.samples.least, c.samples.missing), "")
	}
	if c.reps.usable == 0 && c.samples.chunks == 0 {
		r.Add(check.Warning, "rep", "no usable rep or samples were heard", "lift")
	}
	r.Findings = append(r.Findings, good.Findings...)
	return r
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times of this kind", n)
}

func (c *Check) ofStatus(r, good *check.Report) {
	const what = "status"
	s := &c.status
	if s.heard == 0 {
		r.Add(check.Warning, what, "none was heard: nobody learns whether the device is there",
			`publish {"state":"ready"} retained after connecting, and set {"state":"lost"} as retained last will`)
		return
	}
	switch {
	case s.kept == 0 && s.askedBroker && !s.brokerHasOne:
		r.Add(check.Warning, what, "is not retained: whoever comes later does not know of the device", "publish it with the retain flag, the last will too")
	case s.kept > 0 || s.brokerHasOne:
		good.Add(check.OK, what, "is retained", "")
	}
	if s.lost > 0 {
		good.Add(check.OK, what, "lost was heard: there is a last will", "")
	} else {
		r.Add(check.Warning, what, "no last will was heard", "cut the device's power while this watches: within 1.5 times its keep-alive a status lost has to come")
	}
	for _, f := range []struct {
		given bool
		says  string
	}{
		{s.boot, "has no boot_id: a restart cannot be told from a lost connection"},
		{s.battery, "has no battery_pct: nobody is told before it is empty (leave it out if there is no battery)"},
		{s.firmware, "has no firmware: of a fault nobody knows which version has it"},
	} {
		if !f.given {
			r.Add(check.Warning, what, f.says, "")
		}
	}
}

func (c *Check) ofReps(r, good *check.Report) {
	const what = "rep"
	s := &c.reps
	if s.usable == 0 {
		return
	}
	for _, id := range s.order {
		b := s.boots[id]
		if n := b.missing(); n > 0 {
			r.Add(check.Warning, what, fmt.Sprintf("of seq %d to %d under one boot_id %d are missing", b.least, b.most, n),
				"keep each rep until the broker acknowledges it; or count only what is sent")
		}
	}
	distinct := s.usable - s.again
	if distinct >= 5 && s.wholeSeconds == distinct {
		r.Add(check.Warning, what, "all times are whole seconds", "send milliseconds: reps are put in order, and sets are cut, by time")
	}
	c.ofOwner(r, distinct)
	for _, o := range optional {
		if s.has[o.field] == 0 {
			r.Add(check.Warning, what, "has no "+o.field, "if you can measure it: it "+o.gives)
		}
	}
	good.Add(check.OK, what, fmt.Sprintf("%d usable, of %s", distinct, plural(len(s.boots), "start", "starts")), "")
	if s.again > 0 {
		good.Add(check.OK, what, fmt.Sprintf("sent again, unchanged: %d; that costs nothing", s.again), "")
	}
	if s.revised > 0 {
		good.Add(check.OK, what, fmt.Sprintf("corrected by a higher revision: %d", s.revised), "")
	}
	if s.together > 0 {
		good.Add(check.OK, what, fmt.Sprintf("a backlog of %d in one message", s.together), "")
	}
	if s.has["device_us"] > 0 && !slices.ContainsFunc(slices.Collect(maps.Keys(c.told)), func(k string) bool { return len(k) > 6 && k[:6] == "clock " }) {
		good.Add(check.OK, what, "device_us counts up", "")
	}
}

// owner is what says whose a rep is, given with it or by an assignment, which may be nil.
var owner = []struct {
	field, without string
	gives          func(*lift.Rep, *lift.Assignment) bool
}{
	{"athlete", "it waits, unassigned, until somebody says whose it is",
		func(r *lift.Rep, a *lift.Assignment) bool { return r.Athlete != "" || a != nil && a.Athlete != "" }},
	{"exercise", "most rules leave it out",
		func(r *lift.Rep, a *lift.Assignment) bool { return r.Exercise != "" || a != nil && a.Exercise != "" }},
	{"load_kg", "it counts in no volume and no estimate of the maximum",
		func(r *lift.Rep, a *lift.Assignment) bool { return r.LoadKg != nil || a != nil && a.LoadKg != nil }},
}

// ofOwner tells whether somebody can know whose these reps are. Assignments that came
// later do not count: without since they hold from their receipt on.
func (c *Check) ofOwner(r *check.Report, reps int) {
	for _, o := range owner {
		if n := c.reps.without[o.field]; n > 0 {
			r.Add(check.Warning, "rep", fmt.Sprintf("%d of %d have no %s, and no assignment gives it: %s", n, reps, o.field, o.without),
				"send it with the rep, or publish assign; a coach can also assign on the board")
		}
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
