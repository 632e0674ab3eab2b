package main

import (
	"sync"
	"time"
)

// disk tells how full the data folder's disk is, looking at most once a second.
type disk struct {
	path string
	now  func() time.Time

	mu     sync.Mutex
	looked time.Time
	share  float64
}

// used is the share in use of what this user may use, 0 where it is not known.
func (d *disk) used() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); now.Sub(d.looked) >= time.Second {
		d.looked, d.share = now, usedShare(d.path)
	}
	return d.share
}
