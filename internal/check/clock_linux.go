package check

import "golang.org/x/sys/unix"

// kernelClock asks whether somebody keeps the clock right.
func kernelClock() (synced, known bool) {
	state, err := unix.Adjtimex(&unix.Timex{})
	if err != nil {
		return false, false
	}
	const unsynchronised = 5 // TIME_ERROR
	return state != unsynchronised, true
}
