package main

import (
	"runtime"
	"sync"
)

// cohort judges athletes in parallel; the outcomes are in the order of the
// athletes. Those without effects live their programme and nothing else.
func cohort(seed uint64, athletes, weeks int, effects bool) ([]outcome, error) {
	out := make([]outcome, athletes)
	errs := make([]error, athletes)
	work := make(chan int)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range work {
				a, err := newAthlete(seed, i)
				if err != nil {
					errs[i] = err
					continue
				}
				l := newLife(a, weeks)
				if effects {
					l.live(i)
				}
				out[i] = judged(l.write())
			}
		})
	}
	for i := range athletes {
		work <- i
	}
	close(work)
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
