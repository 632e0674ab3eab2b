package bridge

import (
	"encoding/binary"
	"fmt"
)

// RepOne finds reps in what a RepOne notifies on its characteristic of reps: one rep a
// notification, of seven whole numbers of two bytes, little-endian, or ten from version 2
// of its format on (RepOnePersonal, Bluetooth.js). The zero value is ready. It belongs to
// one goroutine.
type RepOne struct{ last *Measured }

var _ Decoder = (*RepOne)(nil)

// Bytes of a notification.
const (
	repOneV1 = 14
	repOneV2 = 20
)

// Notification takes the bytes of one notification.
func (o *RepOne) Notification(data []byte, to Sink) {
	if len(data) != repOneV1 && len(data) != repOneV2 {
		to.Dropped(fmt.Sprintf("a notification of %d bytes is no rep of a RepOne, which has %d or %d", len(data), repOneV1, repOneV2))
		return
	}
	at := func(i int) float64 { return float64(binary.LittleEndian.Uint16(data[2*i:])) }
	r := Measured{
		Number:     int64(at(0)),
		Mean:       at(2) / 1000,
		ROM:        new(at(3) / 1000),
		Peak:       new(at(4) / 1000),
		Concentric: new(at(6) / 1000),
		Convention: "repone",
	}
	if o.last != nil && r.same(o.last) {
		to.Dropped(fmt.Sprintf("rep %d of the sensor came twice", r.Number))
		return
	}
	o.last = &r
	to.Rep(r)
}

// End has nothing to tell: a notification is whole by itself.
func (*RepOne) End(Sink) {}
