package conformance

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// reps is what was heard of reps.
type reps struct {
	usable, again, revised int
	together               int // elements of the first array
	boots                  map[string]*boot
	order                  []string // of the boots
	has                    map[string]int
	without                map[string]int // what neither the rep nor the assignment then in force gave
	wholeSeconds           int
	newest                 time.Time
}

// boot is what was heard within one start of the device.
type boot struct {
	contents    map[identity]string
	least, most int64
	distinct    map[int64]bool
	clock       int64 // device_us of the highest seq
}

type identity struct{ seq, revision int64 }

// mostRemembered bounds the reps of one boot that are compared with later ones, and the
// boots.
const mostRemembered = 10_000

// How far a rep's time may be from its receipt before it is told of; the alert "device"
// of a running server has the same limit.
const clockOff = 2 * time.Minute

func (c *Check) rep(r *lift.Rep, received time.Time) {
	s := &c.reps
	s.usable++
	b := s.boots[r.BootID]
	if b == nil {
		if len(s.boots) >= mostRemembered {
			return
		}
		b = &boot{contents: map[identity]string{}, distinct: map[int64]bool{}, least: r.Seq, most: r.Seq}
		s.boots[r.BootID] = b
		s.order = append(s.order, r.BootID)
	}
	if c.again(b, r) {
		return
	}
	c.sequence(b, r)
	c.clock(r, received)
	for name, given := range map[string]bool{
		"rom_m": r.ROM != nil, "concentric_s": r.Concentric != nil, "peak_velocity_mps": r.PeakVelocity != nil,
		"eccentric_s": r.Eccentric != nil, "device_us": r.DeviceUs != nil,
		"bar_drift_m": r.BarDrift != nil || r.BarTilt != nil || r.HipShoulderRatio != nil || r.TrunkFlexion != nil,
	} {
		if given {
			s.has[name]++
		}
	}
	for _, o := range owner {
		if !o.gives(r, c.assign.now) {
			s.without[o.field]++
		}
	}
}

// again reports whether the rep was heard before; if so with other content, it warns.
func (c *Check) again(b *boot, r *lift.Rep) bool {
	content, err := json.Marshal(r)
	if err != nil {
		return false
	}
	id := identity{r.Seq, r.Revision}
	before, known := b.contents[id]
	switch {
	case known && before == string(content):
		c.reps.again++
		return true
	case known:
		c.warn("conflict "+r.BootID, "rep", fmt.Sprintf("seq %d came twice under one boot_id and revision with different content: one of the two is quarantined", r.Seq),
			"count seq up with every rep, start a new boot_id with every start, and correct a rep with a higher revision; a repetition has to be the very same")
	case r.Revision > 0:
		c.reps.revised++
	}
	if len(b.contents) < mostRemembered {
		b.contents[id] = string(content)
	}
	return false
}

func (c *Check) sequence(b *boot, r *lift.Rep) {
	if r.Revision > 0 {
		return
	}
	if r.Seq < b.most && r.Time.After(c.reps.newest) && !r.Historical {
		c.warn("falls "+r.BootID, "rep", fmt.Sprintf("seq falls from %d to %d for a later rep although boot_id stays", b.most, r.Seq),
			"start a new boot_id with every start, and let seq count up within it: else new reps pass for old ones")
	}
	if r.Seq > b.most && r.DeviceUs != nil {
		if *r.DeviceUs < b.clock {
			c.warn("clock "+r.BootID, "rep", fmt.Sprintf("device_us falls back at seq %d although boot_id stays", r.Seq),
				"start a new boot_id with every start; let device_us be of 64 bits, or a new boot_id begin where it wraps")
		}
	}
	if r.Seq >= b.most && r.DeviceUs != nil {
		b.clock = *r.DeviceUs
	}
	b.least, b.most = min(b.least, r.Seq), max(b.most, r.Seq)
	if len(b.distinct) < mostRemembered {
		b.distinct[r.Seq] = true
	}
}

func (c *Check) clock(r *lift.Rep, received time.Time) {
	s := &c.reps
	if r.Time.Nanosecond() == 0 {
		s.wholeSeconds++
	}
	if r.Historical {
		return
	}
	switch off := received.Sub(r.Time); {
	case off > clockOff:
		c.warn("late", "rep", fmt.Sprintf("time is %v before the receipt", off.Round(time.Second)),
			`set the clock (NTP); if the rep was kept while there was no network, say so with "historical":true`)
	case off < -clockOff:
		c.warn("early", "rep", fmt.Sprintf("time is %v ahead of the receipt; beyond 5 minutes it is quarantined", (-off).Round(time.Second)),
			"set the clock (NTP), and send UTC or the right offset")
	}
	if r.Time.Equal(s.newest) {
		c.warn("same time", "rep", "two reps have the same time", "give each the end of its own concentric phase, not the time of sending")
	}
	if r.Time.After(s.newest) {
		s.newest = r.Time
	}
}

// missing counts the seqs between the first and the last that were not heard.
func (b *boot) missing() int64 {
	return b.most - b.least + 1 - int64(len(b.distinct))
}
