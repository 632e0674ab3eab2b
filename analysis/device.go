package analysis

import (
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

// fault says what is wrong with what a device tells of a set; rules of velocity
// do not believe such a set.
type fault uint8

const (
	faultFrozen fault = 1 << iota // rep after rep the same to the last digit
	faultSpike                    // a rep much faster than the others
)

// faults looks for what no lifter does in the reps of set k.
func (d *diary) faults(k int32) (f fault) {
	s := &d.sets[k]
	l := &d.on(d.dayOf(s)).Device
	if s.logged || s.timed < 4 {
		return 0
	}
	var velocities [16]float64
	of := velocities[:0]
	var last *rep
	same := 1
	d.repsOf(k, func(_ int32, r *rep) {
		of = append(of, r.velocity)
		if last != nil && r.peak != absent && r.rom != absent && r.velocity == last.velocity && r.peak == last.peak && r.rom == last.rom {
			if same++; same >= l.FrozenReps {
				f |= faultFrozen
			}
		} else {
			same = 1
		}
		last = r
	})
	fastest := slices.Max(of)
	if usual := middle(of); above(fastest, l.SpikeRatio*usual) && fastest-usual > 0.2 {
		f |= faultSpike
	}
	return f
}

// deviceFaults tells of the sensors that cannot be believed on a date: frozen or
// leaping values, a clock that is wrong.
func (d *diary) deviceFaults(found []lift.Finding, day date, sets []int32) []lift.Finding {
	l := &d.on(day).Device
	devices := d.dayBars[:0]
	for _, k := range sets {
		if s := &d.sets[k]; !s.logged && !slices.Contains(devices, int32(s.device)) {
			devices = append(devices, int32(s.device))
		}
	}
	d.dayBars = devices
	for _, x := range devices {
		var metric, unit string
		var value, threshold float64
		samples, historical := 0, true
		var seen fault
		var clock offsets
		for _, k := range sets {
			s := &d.sets[k]
			if int32(s.device) != x {
				continue
			}
			samples++
			seen |= s.faulty
			historical = historical && s.historical
			d.clockOf(k, &clock)
		}
		switch {
		case seen&faultFrozen != 0:
			metric, unit, value, threshold = "frozen", "reps", float64(l.FrozenReps), float64(l.FrozenReps)
		case seen&faultSpike != 0:
			metric, unit, value, threshold = "spike", "ratio", l.SpikeRatio, l.SpikeRatio
		case clock.wrong(l.OffsetS):
			metric, unit, value, threshold = "clock", "s", clock.middle(), l.OffsetS
		default:
			continue
		}
		dev := d.devices[x]
		f := d.finding(Device, lift.Advice, string(dev.site)+"/"+string(dev.id), d.dayWindow(day))
		f.Historical = historical
		f.Evidence = lift.Evidence{
			Value: value, Unit: unit, Threshold: threshold, Metric: metric,
			Reference: "reps of this sensor today", Samples: samples, Confidence: full,
		}
		tellDevice(&f, string(dev.id))
		found = append(found, f)
	}
	return found
}

// offsets is how far reps were received from their time. A clock that is wrong
// is always off by the same; a late delivery is not.
type offsets struct {
	n           int
	least, most int64
	first, last int64
}

func (d *diary) clockOf(k int32, o *offsets) {
	v := d.of(&d.sets[k])
	for i := v.first; i <= v.last; i++ {
		r := &d.reps[i]
		if r.set != k || r.historical || r.source == segmented {
			continue
		}
		off := r.received - r.at
		if o.n == 0 {
			o.least, o.most, o.first = off, off, r.at
		}
		o.n++
		o.least, o.most, o.last = min(o.least, off), max(o.most, off), r.at
	}
}

// A clock that is ahead shows with any rep: nothing arrives before it happens. One
// that is behind must be off by the same over several reps.
const (
	clockReps = 3
	clockSpan = int64(5e9)
)

func (o *offsets) wrong(limitS float64) bool {
	if o.n == 0 {
		return false
	}
	if above(-float64(o.most)/1e9, limitS) {
		return true
	}
	span := o.last - o.first
	return o.n >= clockReps && span >= clockSpan && o.most-o.least <= span/4 && above(o.middle(), limitS)
}

// middle is in seconds, positive where the device's clock is slow.
func (o *offsets) middle() float64 { return float64(o.least+o.most) / 2e9 }
