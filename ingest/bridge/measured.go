package bridge

// Measured is one rep as a sensor reports it. Values that the sensor does not have are
// nil.
type Measured struct {
	Number     int64    // the sensor's count of reps
	DeviceUs   *int64   // end of the rep, µs since the sensor's start
	Mean       float64  // m/s, of the concentric phase
	Peak       *float64 // m/s
	ROM        *float64 // m
	Concentric *float64 // s
	Convention string   // how the velocities were measured
}

// same reports whether both are the sensor's report of one rep.
func (m *Measured) same(o *Measured) bool {
	return m.Number == o.Number && equal(m.DeviceUs, o.DeviceUs) && m.Mean == o.Mean && equal(m.ROM, o.ROM)
}

// behind reports whether the sensor has started anew since: its counts never fall
// otherwise. (A V3's clock starts anew every 71 minutes; that is a start as good as any,
// because no two reps then have one identity.)
func (m *Measured) behind(o *Measured) bool {
	return m.Number < o.Number || m.DeviceUs != nil && o.DeviceUs != nil && *m.DeviceUs < *o.DeviceUs
}

func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// Sink takes what a decoder finds, in order, from its goroutine.
type Sink interface {
	Rep(Measured)
	// Dropped is told of data that is no rep, in words for whoever runs the bridge.
	Dropped(why string)
}

// Decoder finds reps in what one sensor notifies.
type Decoder interface {
	// Notification takes the bytes of one notification.
	Notification(data []byte, to Sink)
	// End tells what is half done at the end of the input.
	End(to Sink)
}
