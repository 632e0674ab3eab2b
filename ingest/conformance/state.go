package conformance

import (
	"fmt"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// status is what a device has said of itself.
type status struct {
	heard, kept, lost, live   int
	boot, firmware, battery   bool
	askedBroker, brokerHasOne bool
}

func (c *Check) takeStatus(s *lift.DeviceStatus, retained bool) {
	c.status.heard++
	if retained {
		c.status.kept++
	} else {
		c.status.live++
		if s.State == lift.DeviceLost {
			c.status.lost++
		}
	}
	c.status.boot = c.status.boot || s.BootID != ""
	c.status.firmware = c.status.firmware || s.Firmware != ""
	c.status.battery = c.status.battery || s.BatteryPct != nil
}

// assign is what was said of who is on the bar.
type assign struct{ now *lift.Assignment }

func (c *Check) takeAssign(a *lift.Assignment) {
	c.assign.now = a
	if a.Athlete != "" && a.Exercise == "" {
		c.warn("assign exercise", "assign", "names no exercise", "add exercise: most rules look at one")
	}
	if a.Athlete != "" && a.LoadKg == nil {
		c.warn("assign load", "assign", "names no load_kg", "add load_kg: without it there is no volume and no estimate of the maximum")
	}
}

// Kept tells what the broker has retained of the device at the moment: the topics' last
// parts. A subscriber cannot see in a live message that it will be.
func (c *Check) Kept(topics ...string) {
	c.status.askedBroker = true
	for _, what := range topics {
		switch what {
		case c.prefix + "status":
			c.status.brokerHasOne = true
		case c.prefix + "rep", c.prefix + "samples":
			c.warn("retained "+what[len(c.prefix):], what[len(c.prefix):], "is retained: the broker sends it again to each new subscriber", "publish it without the retain flag")
		}
	}
}

// samples is what was heard of bar velocity.
type samples struct {
	chunks, missing int64
	last            *lift.Samples
	least           float64
}

func (c *Check) takeSamples(s *lift.Samples) {
	t := &c.samples
	t.chunks++
	if t.least == 0 || s.RateHz < t.least {
		t.least = s.RateHz
	}
	if s.RateHz < 50 {
		c.warn("rate", "samples", fmt.Sprintf("rate_hz is %g: short reps are measured badly", s.RateHz), "send at least 50 Hz, better 100")
	}
	last := t.last
	t.last = s
	if last == nil || last.BootID != s.BootID {
		return
	}
	switch step := s.Chunk - last.Chunk; {
	case step > 1:
		t.missing += step - 1
		c.warn("gap", "samples", fmt.Sprintf("chunk %d follows %d: the rep that spans the gap is dropped", s.Chunk, last.Chunk), "count chunk up by one, and do not throttle")
		return
	case step == 0:
		return // sent again
	case step < 0:
		c.warn("chunks", "samples", fmt.Sprintf("chunk %d follows %d under one boot_id", s.Chunk, last.Chunk), "count chunk up by one; start a new boot_id with every start")
		return
	}
	length := time.Duration(float64(len(last.Velocity)) / last.RateHz * float64(time.Second))
	if off := s.Time.Sub(last.Time.Add(length)); off > 100*time.Millisecond {
		c.warn("late chunk", "samples", fmt.Sprintf("chunk %d begins %v after the end of the one before, by its time and rate_hz: the rep that spans it is dropped", s.Chunk, off.Round(time.Millisecond)),
			"let time be that of the first sample, and rate_hz the rate at which they were really taken")
	} else if off < -length/2 && s.Time != last.Time {
		c.warn("early chunk", "samples", fmt.Sprintf("chunk %d begins %v before the end of the one before, by its time and rate_hz", s.Chunk, (-off).Round(time.Millisecond)),
			"see that rate_hz is the rate at which they were really taken")
	}
}
