//go:build unix

package main

import "golang.org/x/sys/unix"

// usedShare counts as df does: what is reserved for root is neither used nor free.
func usedShare(path string) float64 {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0
	}
	used := float64(s.Blocks - s.Bfree)
	if all := used + float64(s.Bavail); all > 0 {
		return used / all
	}
	return 0
}
