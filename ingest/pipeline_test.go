package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
)

// fakeLog is a log made of one function.
type fakeLog func(context.Context, []journal.Event) ([]journal.Ack, error)

var _ Log = fakeLog(nil)

func (f fakeLog) Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error) {
	return f(ctx, events)
}

// record is what happened at the log and at the senders, in order.
type record struct {
	mu       sync.Mutex
	happened []string
	sizes    []int // of the appends
}

func (r *record) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.happened = append(r.happened, what)
}

func (r *record) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.happened...)
}

// append notes the events as appended.
func (r *record) append(events []journal.Event) []journal.Ack {
	for i := range events {
		r.note("append " + name(&events[i]))
	}
	r.mu.Lock()
	r.sizes = append(r.sizes, len(events))
	r.mu.Unlock()
	return make([]journal.Ack, len(events))
}

func name(e *journal.Event) string {
	if e.Quarantined != nil {
		return "quarantined"
	}
	return fmt.Sprint(e.Rep.Seq)
}

func (r *record) delivery(seq int) Delivery {
	return r.message(fmt.Sprint(seq), with(repTopic, "seq", fmt.Sprint(seq)))
}

func (r *record) message(name, payload string) Delivery {
	return Delivery{
		Message: Message{Topic: repTopic, Payload: []byte(payload), Received: received},
		Ack:     func() { r.note("ack " + name) },
	}
}

// startPipeline runs a pipeline until the test ends. In a synctest bubble its
// goroutine is gone before the bubble is.
func startPipeline(t *testing.T, o Options) *Pipeline {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Now = time.Now
	p := NewPipeline(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
	return p
}

// pass lets the bubble's clock go on.
func pass(d time.Duration) { <-time.After(d) }

func offer(t *testing.T, p *Pipeline, deliveries ...Delivery) {
	t.Helper()
	for _, d := range deliveries {
		if err := p.Offer(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADeliveryIsAcknowledgedAfterItsAppendAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		release := make(chan struct{})
		p := startPipeline(t, Options{Log: fakeLog(func(_ context.Context, events []journal.Event) ([]journal.Ack, error) {
			<-release
			return r.append(events), nil
		})})
		offer(t, p, r.delivery(1))
		synctest.Wait() // the first is at the log; the others gather
		offer(t, p, r.delivery(2), r.delivery(3))
		synctest.Wait()
		if got := r.list(); len(got) != 0 {
			t.Fatalf("before the log answers: %v", got)
		}
		if waiting, _ := p.Waiting(); waiting != 2 {
			t.Fatalf("%d wait, want 2", waiting)
		}
		close(release)
		synctest.Wait()
		want := []string{"append 1", "ack 1", "append 2", "append 3", "ack 2", "ack 3"}
		if diff := cmp.Diff(want, r.list()); diff != "" {
			t.Fatal(diff)
		}
		if got := p.Stats.Messages.Load(); got != 3 {
			t.Errorf("%d messages counted", got)
		}
	})
}

func TestNothingIsAcknowledgedWhileTheLogFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		failures := 3
		p := startPipeline(t, Options{Log: fakeLog(func(_ context.Context, events []journal.Event) ([]journal.Ack, error) {
			if failures--; failures >= 0 {
				r.note("fail")
				return nil, errors.New("disk full")
			}
			return r.append(events), nil
		})})
		offer(t, p, r.delivery(1))
		synctest.Wait()
		if diff := cmp.Diff([]string{"fail"}, r.list()); diff != "" {
			t.Fatal(diff)
		}
		pass(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"fail", "fail", "fail", "append 1", "ack 1"}, r.list()); diff != "" {
			t.Fatal(diff)
		}
		if got := p.Stats.FailedAppends.Load(); got != 3 {
			t.Errorf("%d failures counted", got)
		}
	})
}

func TestALogThatNeverAnswersIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		first := true
		p := startPipeline(t, Options{Log: fakeLog(func(ctx context.Context, events []journal.Event) ([]journal.Ack, error) {
			if first {
				first = false
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return r.append(events), nil
		})})
		offer(t, p, r.delivery(1))
		pass(29 * time.Second)
		if got := r.list(); len(got) != 0 {
			t.Fatalf("after 29 s: %v", got)
		}
		pass(2 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"append 1", "ack 1"}, r.list()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestWhatIsUnderWayAtTheEndIsNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		ctx, cancel := context.WithCancel(t.Context())
		p := NewPipeline(Options{Now: time.Now, Logger: slog.New(slog.DiscardHandler), Log: fakeLog(func(ctx context.Context, _ []journal.Event) ([]journal.Ack, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})})
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		offer(t, p, r.delivery(1), r.delivery(2))
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || len(r.list()) != 0 {
			t.Fatalf("%v, %v", err, r.list())
		}
	})
}

func TestAMessageThatCannotBeUsedDoesNotHoldUpTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		p := startPipeline(t, Options{Log: fakeLog(func(_ context.Context, events []journal.Event) ([]journal.Ack, error) {
			return r.append(events), nil
		})})
		offer(t, p, r.message("poison", strings.Repeat("\xff", 5<<20)), r.delivery(1))
		synctest.Wait()
		got := strings.Join(r.list(), ", ")
		if !strings.Contains(got, "ack poison") || !strings.Contains(got, "ack 1") || p.Stats.Quarantined.Load() != 1 {
			t.Fatal(got)
		}
	})
}

func TestTheQueueIsBoundedByMessagesAndByBytes(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		d    func(*record) Delivery
		room int
	}{
		{"messages", Options{Queue: 3}, func(r *record) Delivery { return r.delivery(1) }, 3},
		{"bytes", Options{QueueBytes: 3 * 1256}, func(r *record) Delivery { return r.message("1", strings.Repeat("x", 1000)) }, 3},
		{"a message larger than the bound", Options{QueueBytes: 1000}, func(r *record) Delivery { return r.message("1", strings.Repeat("x", 5000)) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r record
				p := NewPipeline(c.o) // nobody runs it
				for range c.room {
					offer(t, p, c.d(&r))
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := p.Offer(ctx, c.d(&r)); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("%d are taken where %d have room: %v", c.room+1, c.room, err)
				}
			})
		})
	}
}

func TestRoomIsMadeByWhatIsAcknowledgedAndByWhatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		release := make(chan struct{})
		p := startPipeline(t, Options{Queue: 1, QueueBytes: 10_000, Log: fakeLog(func(_ context.Context, events []journal.Event) ([]journal.Ack, error) {
			<-release
			return r.append(events), nil
		})})
		big := func(name string) Delivery { return r.message(name, strings.Repeat("x", 1000)) }
		offer(t, p, big("at the log"))
		synctest.Wait()
		offer(t, p, big("in the queue"))
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := p.Offer(ctx, big("given up")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a full queue takes another: %v", err)
			}
			cancel()
		}
		close(release)
		for range 20 {
			offer(t, p, r.message("later", strings.Repeat("x", 9000)))
		}
		synctest.Wait()
		got := strings.Join(r.list(), ",")
		if strings.Count(got, "ack") != 22 || strings.Contains(got, "given up") {
			t.Fatal(got)
		}
	})
}

func TestWhatGathersBehindAnAppendIsAppendedTogetherInPartsThatTheLogTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		p := startPipeline(t, Options{Log: fakeLog(func(_ context.Context, events []journal.Event) ([]journal.Ack, error) {
			pass(time.Millisecond)
			return r.append(events), nil
		})})
		offer(t, p, r.delivery(1))
		synctest.Wait()
		offer(t, p, r.delivery(2), r.message("backlog", array(with(repTopic), 500)), r.message("backlog", array(with(repTopic), 500)),
			r.message("backlog", array(with(repTopic), 500)), r.delivery(3))
		pass(time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]int{1, journal.MaxBatch, 502}, r.sizes); diff != "" {
			t.Fatal(diff)
		}
		got := r.list()
		if diff := cmp.Diff([]string{"ack 2", "ack backlog", "ack backlog", "ack backlog", "ack 3"}, got[len(got)-5:]); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestEveryDeliveryIsAcknowledgedExactlyOnceWhateverFails(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "seed")
		n := rapid.IntRange(1, 300).Draw(r, "deliveries")
		failing := rapid.Float64Range(0, 0.9).Draw(r, "share of failing appends")
		queue := rapid.IntRange(1, 50).Draw(r, "queue")
		synctest.Test(t, func(t *testing.T) {
			var rec record
			random := rand.New(rand.NewPCG(seed, 1))
			p := startPipeline(t, Options{Queue: queue, Log: fakeLog(func(_ context.Context, events []journal.Event) ([]journal.Ack, error) {
				pass(time.Duration(random.IntN(20)) * time.Millisecond)
				if random.Float64() < failing {
					rec.append(events[:random.IntN(len(events)+1)]) // some may have been stored
					return nil, errors.New("lost")
				}
				return rec.append(events), nil
			})})
			for i := range n {
				offer(t, p, rec.delivery(i))
			}
			pass(24 * time.Hour)
			synctest.Wait()
			appended, acked := map[string]bool{}, 0
			for _, what := range rec.list() {
				verb, name, _ := strings.Cut(what, " ")
				switch {
				case verb == "append":
					appended[name] = true
				case name != fmt.Sprint(acked):
					t.Fatalf("acknowledged %s, want %d next", name, acked)
				case !appended[name]:
					t.Fatalf("%s acknowledged before it was appended", name)
				default:
					acked++
				}
			}
			if acked != n {
				t.Fatalf("%d of %d acknowledged", acked, n)
			}
		})
	})
}
