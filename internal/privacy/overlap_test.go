package privacy

import (
	"context"
	"testing"

	"github.com/spotterhq/spotter/internal/lift"
)

// asking begins another erase while the log is being erased.
type asking struct {
	Log
	ask func()
}

func (a asking) Erase(ctx context.Context, athlete lift.AthleteID) (int, error) {
	a.ask()
	return a.Log.Erase(ctx, athlete)
}

// An erase of many events takes a while, and somebody else may ask for theirs meanwhile.
func TestAnEraseThatIsAskedForDuringAnotherIsNotCalledDoneBeforeItIs(t *testing.T) {
	g := newGym(t)
	var second string
	g.wrap = func(l Log) Log {
		return asking{l, func() {
			if second == "" {
				second = g.begin(stayer)
				g.settle()
			}
		}}
	}
	g.restart(false)
	g.train()
	first := g.begin(leaver)
	if waiting, err := g.erase.round(t.Context()); err != nil || waiting {
		t.Fatal(waiting, err)
	}
	g.settle()
	if e, err := g.view.Erasure(t.Context(), first); err != nil || e.Done.IsZero() {
		t.Fatalf("the first is not done: %+v, %v", e, err)
	}
	if e, err := g.view.Erasure(t.Context(), second); err != nil || !e.Done.IsZero() || len(e.Stores) != 0 {
		t.Fatalf("the second was not begun, and its receipt says %+v, %v", e, err)
	}
	g.run(second)
	if n := g.inLog(string(stayer)); n != 0 {
		t.Errorf("%d events name who was erased", n)
	}
}
