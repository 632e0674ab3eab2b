package board_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
)

// mostLoad is how much of one core the whole browser may use for the wall.
const mostLoad = 0.25

// usage is what a tab and its browser use.
type usage struct {
	cpu   time.Duration // of all processes of the browser, since they began
	heap  float64       // bytes of JavaScript that are still needed
	nodes float64       // of the document
}

func (b *tab) usage() usage {
	b.t.Helper()
	var u usage
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, performance.Enable, performance.EnableParams{}); err != nil {
			return err
		}
		found, err := cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
		for _, m := range found.Metrics {
			switch m.Name {
			case "JSHeapUsedSize":
				u.heap = m.Value
			case "Nodes":
				u.nodes = m.Value
			}
		}
		return err
	}))
	all, err := chromedp.CallBrowser(b.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range all.ProcessInfo {
		u.cpu += time.Duration(p.CPUTime * float64(time.Second))
	}
	return u
}

// Forty racks lift at once, without a rest: a rep each 2.5 s on every one of them. With
// SPOTTER_SOAK it goes on for ten minutes.
func TestFortyRacksLiftingAtOnceCostTheBrowserLittle(t *testing.T) {
	const racks, reps = 40, 6
	warmUp, length := 10*time.Second, 15*time.Second
	if os.Getenv("SPOTTER_SOAK") != "" {
		warmUp, length = time.Minute, 10*time.Minute
	}
	s := serve(t)
	bars := sensorsOf(t, s, "main")
	b := open(t, s, "/wall?site=main", visitor{token: adminToken, width: 1920, height: 1080})
	every := time.NewTicker(2500 * time.Millisecond / racks)
	defer every.Stop()
	n := 0
	lift := func(span time.Duration) {
		for end := time.After(span); ; n++ {
			select {
			case <-end:
				return
			case <-every.C:
			}
			rack, rep := n%racks, n/racks
			bars.rep("rack-"+strconv.Itoa(rack+1), 0.60-0.03*float64(rep%reps)-0.001*float64(rack), map[string]any{
				"athlete": "lifter-" + strconv.Itoa(rack+1), "exercise": "squat", "load_kg": 60 + rack, "set": 1 + rep/reps, "rep": 1 + rep%reps,
			})
		}
	}
	lift(warmUp)
	b.until("document.querySelectorAll('.rack').length === " + strconv.Itoa(racks))
	before, began := b.usage(), time.Now()
	lift(length)
	took := time.Since(began)
	after := b.usage()
	load := float64(after.cpu-before.cpu) / float64(took)
	t.Logf("%d reps in %v: %.1f %% of one core; heap %.2f MB, then %.2f MB; %.0f nodes, then %.0f",
		n, took.Round(time.Second), 100*load, before.heap/1e6, after.heap/1e6, before.nodes, after.nodes)
	if load <= 0 || load > mostLoad {
		t.Errorf("the browser uses %.1f %% of one core, want at most %.0f", 100*load, 100*mostLoad)
	}
	if grown := after.heap - before.heap; before.heap == 0 || grown > 1e6 {
		t.Errorf("the heap has grown by %.0f bytes", grown)
	}
	if grown := after.nodes - before.nodes; before.nodes == 0 || grown > 300 {
		t.Errorf("the document has grown by %.0f nodes", grown)
	}
	if last := n - 1; last > racks {
		b.untilTile("rack-"+strconv.Itoa(last%racks+1), "rep "+strconv.Itoa(1+last/racks%reps)+" ")
	}
}
