package feed

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

type item struct{ seq, value uint64 }

func TestReadersSeeEveryEntryInOrderOrAreTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(t, "size")
		f := New[item](size, 5)
		var all []item
		seq, value := uint64(5), uint64(0)
		pos := uint64(5)
		var got []item
		missed := false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				seq += uint64(rapid.IntRange(1, 3).Draw(t, "gap"))
				var group []item
				for range rapid.IntRange(0, 3).Draw(t, "n") {
					group = append(group, item{seq, value})
					value++
				}
				all = append(all, group...)
				f.PublishAll(seq, func(i item) uint64 { return i.seq }, group)
			default:
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				read, next, err := f.Read(ctx, pos, rapid.IntRange(1, 4).Draw(t, "max"), nil)
				if errors.Is(err, ErrTooOld) {
					missed = true
					pos, _ = f.Span()
					got = nil
					for _, i := range all {
						if i.seq <= pos {
							got = append(got, i)
						}
					}
					continue
				}
				got = append(got, read...)
				pos = next
			}
		}
		for i := range got {
			if got[i] != all[i] {
				t.Fatalf("entry %d is %v, want %v (missed %v)", i, got[i], all[i], missed)
			}
		}
		for _, i := range all[len(got):] {
			if i.seq <= pos {
				t.Fatalf("position %d passed over %v", pos, i)
			}
		}
	})
}

func TestReadWaitsForTheNextEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New[int](4, 0)
		done := make(chan []int)
		for range 3 {
			go func() {
				got, _, _ := f.Read(t.Context(), 0, 10, nil)
				done <- got
			}()
		}
		synctest.Wait()
		f.Publish(1, 42)
		for range 3 {
			if got := <-done; len(got) != 1 || got[0] != 42 {
				t.Fatalf("got %v", got)
			}
		}
	})
}

func TestReadEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New[int](4, 7)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.WaitFor(ctx, 8) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}
