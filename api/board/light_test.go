package board_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/api/board"
)

const (
	mostBytes      = 300_000
	mostFirstPaint = 1000 // milliseconds
)

func TestEveryPageIsLightAndPaintsAtOnce(t *testing.T) {
	s := demo(t)
	for _, path := range board.Paths {
		name := strings.TrimPrefix(path, "/")
		switch path {
		case "/":
			name = "desk"
		case "/athletes/{id}":
			name, path = "athlete", "/athletes/bo"
		}
		if _, err := fs.Stat(board.Files(), "pages/"+name+".js"); err != nil {
			continue // a page of another path's module
		}
		t.Run(name, func(t *testing.T) {
			// What else this machine does delays a paint, and never hastens it.
			least := 1e9
			var b *tab
			for range 3 {
				b = open(t, s, path, visitor{})
				least = min(least, eval[float64](b, "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 1e9"))
				if least < mostFirstPaint {
					break
				}
			}
			if least >= mostFirstPaint {
				t.Errorf("the first paint comes after %.0f ms, want less than %d", least, mostFirstPaint)
			}
			// All that is loaded without being asked for.
			for before := int64(-1); b.received() != before; <-time.After(500 * time.Millisecond) {
				before = b.received()
			}
			if n := b.received(); n == 0 || n > mostBytes {
				t.Errorf("%d bytes are transferred, want at most %d", n, mostBytes)
			}
			t.Logf("first paint after %.0f ms, %d bytes", least, b.received())
		})
	}
}
