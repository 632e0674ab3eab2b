package bridge

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Flags of an OpenBarbell frame, as the app and the firmware of Squats & Science Labs
// use them (OpenBarbellApp, RepDataMap.js; OpenBarbellFirmware, send_all_data).
const (
	flagBulk    = -9999 // where it stands says whether the frame is whole
	flagBulkEnd = -6789 // one value follows: the battery's charge, in a unit that nobody has written down
)

// model is a generation of the sensor. Fields that a generation does not send, or that
// nobody has documented for it, have position 0.
type model struct {
	name     string
	start    float32
	bulk     int // position of flagBulk
	duration int // of the concentric phase, µs
	stamp    int // end of the rep, µs since the sensor's start
}

var models = []model{
	{name: "V1", start: -1234, bulk: 6},
	{name: "V2", start: -2345, bulk: 18, duration: 7},
	{name: "V3", start: -3456, bulk: 21, duration: 7, stamp: 9},
}

// Positions that all generations share.
const (
	atNumber = 1
	atMean   = 2 // m/s
	atROM    = 3 // mm
	atPeak   = 4 // m/s
)

// mostBulk bounds the values behind a rep: one for each time that the wheel has turned
// by some hundredths of a millimetre is more than any rep has.
const mostBulk = 20_000

// Limits of what a counter can be: whole numbers that a float holds exactly, and a year
// of microseconds.
const (
	mostNumber = 1 << 24
	mostStamp  = 366 * 24 * 3600 * 1e6
)

// OpenBarbell finds reps in what an OpenBarbell notifies: little-endian floats of four
// bytes, one after the other. The zero value begins between two reps. It belongs to one
// goroutine.
type OpenBarbell struct {
	model *model
	frame []float32 // since the start flag, up to the flag of the bulk
	// tail counts the values behind a whole frame, 0 outside of one. They are how the
	// bar moved, packed in a way of the sensor's own, and are left out.
	tail    int
	battery bool // the next value is the battery's charge
	lost    int  // values without a frame since the last complaint
	last    *Measured

	window  uint32 // the last four bytes of a stream
	pending int    // how many of them belong to no value yet
}

var _ Decoder = (*OpenBarbell)(nil)

// Notification takes the bytes of one notification. What it finds is told to the sink
// in their order.
func (o *OpenBarbell) Notification(data []byte, to Sink) {
	if len(data) == 0 || len(data)%4 != 0 {
		to.Dropped(fmt.Sprintf("a notification of %d bytes holds no whole number of values of 4 bytes", len(data)))
		return
	}
	for part := range slices.Chunk(data, 4) {
		o.value(math.Float32frombits(binary.LittleEndian.Uint32(part)), to)
	}
}

// Stream takes bytes without bounds between notifications, cut anywhere. Where some
// were lost, it finds its way again at the next start of a rep.
func (o *OpenBarbell) Stream(data []byte, to Sink) {
	for _, b := range data {
		o.window = o.window>>8 | uint32(b)<<24
		o.pending++
		v := math.Float32frombits(o.window)
		if o.pending%4 == 0 || slices.ContainsFunc(models, func(m model) bool { return v == m.start }) {
			o.pending = 0
			o.value(v, to)
		}
	}
}

// End tells what is left half done at the end of the input.
func (o *OpenBarbell) End(to Sink) {
	o.cut(to)
	o.complainLost(to)
}

func (o *OpenBarbell) value(v float32, to Sink) {
	for i := range models {
		if v == models[i].start {
			o.cut(to)
			o.complainLost(to)
			o.model, o.frame, o.tail, o.battery = &models[i], append(o.frame[:0], v), 0, false
			return
		}
	}
	switch {
	case o.battery:
		o.battery = false
	case o.tail > 0:
		o.tail++
		if v == flagBulkEnd {
			o.tail, o.battery = 0, true
		} else if o.tail > mostBulk {
			o.tail = 0
		}
	case o.model == nil:
		o.lost++
	default:
		o.frame = append(o.frame, v)
		o.check(to)
	}
}

// check looks whether the frame is whole, or cannot become so.
func (o *OpenBarbell) check(to Sink) {
	m, at := o.model, len(o.frame)-1
	v := o.frame[at]
	switch {
	case v == flagBulk && at == m.bulk:
		o.rep(to)
		o.model, o.tail = nil, 1
	case v == flagBulk:
		to.Dropped(fmt.Sprintf("a frame of an OpenBarbell %s is shifted: its end is at place %d, not %d", m.name, at, m.bulk))
		o.model, o.tail = nil, 1
	case at == m.bulk:
		to.Dropped(fmt.Sprintf("a frame of an OpenBarbell %s has no end at place %d", m.name, m.bulk))
		o.model, o.tail = nil, 1
	}
}

func (o *OpenBarbell) cut(to Sink) {
	if o.model != nil {
		// The flag comes when a rep starts: alone, it is a rep that did not end.
		to.Dropped(fmt.Sprintf("a frame of an OpenBarbell %s is cut off behind %d of %d values", o.model.name, len(o.frame), o.model.bulk+1))
		o.model = nil
	}
}

func (o *OpenBarbell) complainLost(to Sink) {
	if o.lost > 0 {
		to.Dropped(fmt.Sprintf("%d values belong to no frame: the start of theirs is missing", o.lost))
		o.lost = 0
	}
}

func (o *OpenBarbell) rep(to Sink) {
	f, m := o.frame, o.model
	for i, v := range f {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			to.Dropped(fmt.Sprintf("a frame of an OpenBarbell %s has no number at place %d", m.name, i))
			return
		}
	}
	if n := f[atNumber]; !(n >= 0 && n <= mostNumber) || m.stamp > 0 && !(f[m.stamp] >= 0 && f[m.stamp] <= mostStamp) {
		to.Dropped(fmt.Sprintf("a frame of an OpenBarbell %s counts what cannot be counted", m.name))
		return
	}
	r := Measured{
		Number:     int64(f[atNumber]),
		Mean:       decimal(f[atMean]),
		Peak:       new(decimal(f[atPeak])),
		ROM:        new(decimal(f[atROM]) / 1000),
		Convention: "openbarbell-" + m.name,
	}
	if m.duration > 0 {
		r.Concentric = new(decimal(f[m.duration]) / 1e6)
	}
	if m.stamp > 0 {
		r.DeviceUs = new(int64(f[m.stamp]))
	}
	if o.last != nil && r.same(o.last) {
		to.Dropped(fmt.Sprintf("rep %d of the sensor came twice", r.Number))
		return
	}
	o.last = &r
	to.Rep(r)
}

// decimal is the number that the sensor's float stands for: 0.52, not
// 0.5199999809265137.
func decimal(v float32) float64 {
	d, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	if err != nil {
		return float64(v)
	}
	return d
}
