//go:build !linux

package check

func kernelClock() (synced, known bool) { return false, false }
