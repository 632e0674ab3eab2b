package privacy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// Log is what erasing needs of the log.
type Log interface {
	Appender
	LastSeq() uint64
	Scan(ctx context.Context, upTo uint64, f func(*journal.Entry) error) error
	ScanKind(ctx context.Context, kind journal.Kind, f func(*journal.Entry) error) error
	ScanSamples(ctx context.Context, site lift.SiteID, device lift.DeviceID, f func(*journal.Entry) error) error
	Delete(ctx context.Context, seqs []uint64) error
	DeleteSamples(ctx context.Context, seqs []uint64) error
	Erase(ctx context.Context, athlete lift.AthleteID) (int, error)
}

var _ Log = (*journal.Log)(nil)

// Errors of an erase.
var (
	// ErrUnknown says that nothing is known of an athlete.
	ErrUnknown = errors.New("nothing is known of this athlete")
	// ErrNotDone says that an erase is still under way.
	ErrNotDone = errors.New("the erase is still under way")
	// ErrCannot says that a store will never be able to erase what it holds: the
	// receipt tells so, and the erase goes on.
	ErrCannot = errors.New("this store cannot erase")
)

// The states of a store in a receipt.
const (
	Done    = "done"
	Waiting = "waiting" // it will be tried again
	Failed  = "failed"  // it will not
	Kept    = "kept"    // somebody has to see to it, or it goes by itself
)

// The stores that the coordinator itself looks after, by their names in receipts.
const (
	storeView     = "view"
	storeAnalysis = "analysis"
	storeVelocity = "bar velocity"
	storeLog      = "log"
)

// Subject is who is to be forgotten.
type Subject struct {
	Athlete lift.AthleteID
	Receipt string
	Seq     uint64 // of the request
	// Stretches are when they were on which bar, in the last 30 days.
	Stretches []view.Stretch
}

// Store is one that holds something of people beside the log and its view.
type Store struct {
	Name string
	// Erase forgets the subject and says what it did. It may be called again for one
	// who is forgotten already. With ErrCannot it is not tried again; any other error
	// means that it is.
	Erase func(context.Context, Subject) (state, detail string, err error)
}

// Options of a coordinator. Judged, Stores and Retry may be left out.
type Options struct {
	Log        Log
	View       *view.View
	Tombstones *Tombstones
	// Judged is the sequence up to which the monitor has come; nil: there is none.
	Judged func() uint64
	Stores []Store
	// Retry is how long to wait before a store is asked again, default 15 s.
	Retry  time.Duration
	Logger *slog.Logger
	Now    func() time.Time
}

// Coordinator carries erases out. Run belongs to one goroutine; the other methods may
// be called by any.
type Coordinator struct {
	o    Options
	wake chan struct{}

	mu    sync.Mutex
	begun map[lift.AthleteID]string // receipts of those that may not be in the view yet
}

// New returns a coordinator that carries nothing out until it is Run.
func New(o Options) *Coordinator {
	if o.Judged == nil {
		o.Judged = func() uint64 { return ^uint64(0) }
	}
	if o.Retry == 0 {
		o.Retry = 15 * time.Second
	}
	return &Coordinator{o: o, wake: make(chan struct{}, 1), begun: map[lift.AthleteID]string{}}
}

// Begin asks for the athlete to be forgotten, and returns the receipt's id and the
// request's place in the log. From then on nothing about them is stored. Asking again
// returns the same receipt. It fails with ErrUnknown for somebody of whom nothing is
// known and who was not erased before.
func (c *Coordinator) Begin(ctx context.Context, athlete lift.AthleteID, by, reason string) (receipt string, seq uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, err := c.o.View.Knows(ctx, athlete)
	if err != nil {
		return "", 0, err
	}
	pending, err := c.o.View.Erasing(ctx, athlete)
	if err != nil {
		return "", 0, err
	}
	if pending == "" {
		pending = c.begun[athlete]
	}
	if before, erased := c.o.Tombstones.Receipt(athlete); pending == "" && erased && !known {
		pending = before
	}
	if pending != "" {
		return pending, 0, nil
	}
	if !known {
		return "", 0, ErrUnknown
	}
	receipt = "er_" + strings.ToLower(rand.Text()[:20])
	key := c.o.Tombstones.Key(athlete)
	c.o.Tombstones.set(key, receipt)
	now := c.o.Now().UTC().Truncate(time.Microsecond)
	acks, err := c.o.Log.Append(ctx, journal.Event{
		Kind: journal.KindErase, Received: now, Athlete: athlete, By: by, Erase: &lift.Erase{Receipt: receipt, By: by, At: now, Reason: reason},
	})
	if err != nil {
		// It may be in the log all the same, and then it is carried out.
		c.o.Tombstones.lift(receipt)
		c.signal()
		return "", 0, fmt.Errorf("ask for an erase: %w", err)
	}
	c.begun[athlete] = receipt
	c.signal()
	return receipt, acks[0].Seq, nil
}

func (c *Coordinator) signal() {
	select {
	case c.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Lift allows new data of the person of a receipt again. What was erased stays so.
// It fails with view.ErrNotFound, or ErrNotDone while the erase is under way.
func (c *Coordinator) Lift(ctx context.Context, receipt string, by lift.Answer) (seq uint64, err error) {
	known, err := c.o.View.Erasure(ctx, receipt)
	switch {
	case err != nil:
		return 0, err
	case known.Done.IsZero():
		return 0, ErrNotDone
	case known.Lifted != nil:
		return 0, nil
	}
	known.Lifted = &by
	acks, err := c.o.Log.Append(ctx, journal.Event{Kind: journal.KindErased, Received: by.At, By: by.By, Erased: &known.Erased})
	if err != nil {
		return 0, fmt.Errorf("lift an erase: %w", err)
	}
	c.o.Tombstones.lift(receipt)
	return acks[0].Seq, nil
}

// Run carries out what is asked for, and what a crash has interrupted, until the
// context ends, and returns its error. Whatever goes wrong is tried again.
func (c *Coordinator) Run(ctx context.Context) error {
	for {
		waiting, err := c.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var again <-chan time.Time
		if err != nil {
			c.o.Logger.Error("an erase cannot go on; trying again", "error", err)
		}
		if waiting || err != nil {
			again = time.After(c.o.Retry)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.wake:
		case <-again:
		}
	}
}

// round carries out everything that the log and the view know of. It reports whether
// something waits for a store.
func (c *Coordinator) round(ctx context.Context) (waiting bool, err error) {
	if err := c.o.View.WaitFor(ctx, c.o.Log.LastSeq()); err != nil {
		return false, err
	}
	if err := c.reload(ctx); err != nil {
		return false, err
	}
	begun, err := c.unfinished(ctx)
	if err != nil {
		return false, err
	}
	var asked []journal.Entry
	err = c.o.Log.ScanKind(ctx, journal.KindErase, func(e *journal.Entry) error {
		asked = append(asked, *e)
		return nil
	})
	if err != nil {
		return false, err
	}
	for i := range asked {
		delete(begun, asked[i].Erase.Receipt)
		done, err := c.carry(ctx, &asked[i])
		if err != nil {
			return true, err
		}
		waiting = waiting || !done
	}
	return waiting, c.close(ctx, begun)
}

// unfinished are the receipts that are not done.
func (c *Coordinator) unfinished(ctx context.Context) (map[string]lift.Erased, error) {
	all := map[string]lift.Erased{}
	for page := (view.Page{Limit: 500}); ; {
		receipts, next, err := c.o.View.Erasures(ctx, page)
		if err != nil {
			return nil, err
		}
		for i := range receipts {
			if r := &receipts[i]; r.Done.IsZero() {
				all[r.Receipt] = r.Erased
			}
		}
		if next == "" {
			return all, nil
		}
		page.Cursor = next
	}
}

// reload learns anew on which bars people were who were erased.
func (c *Coordinator) reload(ctx context.Context) error {
	bars, err := c.o.View.ErasedUntil(ctx)
	if err != nil {
		return err
	}
	c.o.Tombstones.setBars(bars)
	return nil
}

// close finishes the receipts that were begun before and whose request was not in the
// log any more: a crash came between the last deletion and the receipt.
func (c *Coordinator) close(ctx context.Context, begun map[string]lift.Erased) error {
	for _, erased := range begun {
		p := &progress{Coordinator: c, erased: erased}
		p.say(storeLog, Done, "finished after a restart")
		if err := p.finish(ctx); err != nil {
			return err
		}
	}
	return nil
}

// carry carries one erase out, as far as the stores let it. It reports whether it is
// done. Each step can be repeated.
func (c *Coordinator) carry(ctx context.Context, e *journal.Entry) (done bool, err error) {
	if err := c.o.View.WaitFor(ctx, e.Seq); err != nil {
		return false, err
	}
	known, err := c.o.View.Erasure(ctx, e.Erase.Receipt)
	if err != nil {
		return false, err
	}
	c.mu.Lock()
	delete(c.begun, e.Athlete) // the view knows
	c.mu.Unlock()
	p := &progress{Coordinator: c, erased: lift.Erased{
		Receipt: e.Erase.Receipt, Key: c.o.Tombstones.Key(e.Athlete), By: e.Erase.By, At: e.Erase.At, Stores: slices.Clone(known.Stores),
	}}
	if known.Key != "" {
		p.stored = known.Stores
	}
	c.o.Tombstones.set(p.erased.Key, p.erased.Receipt)
	reps, err := c.o.View.ErasedReps(ctx, e.Erase.Receipt)
	if err != nil {
		return false, err
	}
	if p.erased.Reps = known.Reps; known.Key == "" {
		p.erased.Reps = c.o.Tombstones.setReps(p.erased.Receipt, reps)
	}
	p.say(storeView, Done, counted(known.Counts))
	p.expect(storeAnalysis, storeVelocity, storeLog)
	for _, s := range c.o.Stores {
		p.expect(s.Name)
	}
	// The receipt is in the log before anything goes that it could be made from.
	if err := p.store(ctx); err != nil {
		return false, err
	}
	if err := c.judged(ctx, e.Seq); err != nil {
		return false, err
	}
	p.say(storeAnalysis, Done, "")
	subject := Subject{Athlete: e.Athlete, Receipt: e.Erase.Receipt, Seq: e.Seq}
	if subject.Stretches, err = c.o.View.ErasedStretches(ctx, subject.Receipt); err != nil {
		return false, err
	}
	n, err := c.eraseVelocity(ctx, subject.Stretches)
	if err != nil {
		return false, err
	}
	if !p.settled(storeVelocity) {
		p.say(storeVelocity, Done, fmt.Sprintf("%d chunks of the last 30 days overwritten; others name nobody and go by themselves when they are 30 days old", n))
	}
	waiting := false
	for _, s := range c.o.Stores {
		waiting = !p.settled(s.Name) && !p.ask(ctx, s, subject) || waiting
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	if waiting {
		return false, p.store(ctx)
	}
	return true, p.eraseLog(ctx, e, reps)
}

// judged waits until the monitor has come to a sequence: then it appends nothing
// about the athlete any more.
func (c *Coordinator) judged(ctx context.Context, seq uint64) error {
	for c.o.Judged() < seq {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// eraseLog puts what others need into the log, removes what was the athlete's, and
// finishes the receipt.
func (p *progress) eraseLog(ctx context.Context, e *journal.Entry, reps map[string]bool) error {
	replacements, err := p.o.View.Replacements(ctx, e.Erase.Receipt)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(replacements, journal.MaxBatch) {
		if _, err := p.o.Log.Append(ctx, chunk...); err != nil {
			return fmt.Errorf("replace in the log what others need: %w", err)
		}
	}
	if err := p.store(ctx); err != nil {
		return err
	}
	elsewhere, err := p.elsewhere(ctx, e, reps)
	if err != nil {
		return err
	}
	if err := p.o.Log.Delete(ctx, elsewhere); err != nil {
		return err
	}
	own, err := p.o.Log.Erase(ctx, e.Athlete)
	if err != nil {
		return err
	}
	p.say(storeLog, Done, fmt.Sprintf("%d events filed under the athlete and %d filed elsewhere overwritten", own, len(elsewhere)))
	return p.finish(ctx)
}

// finish writes the receipt's last word.
func (p *progress) finish(ctx context.Context) error {
	p.erased.Done = p.o.Now().UTC()
	if err := p.store(ctx); err != nil {
		return err
	}
	if err := p.o.View.Scrub(ctx); err != nil {
		p.o.Logger.Warn("the view's file is written over later", "error", err)
	}
	p.o.Logger.Info("an erase is done", "receipt", p.erased.Receipt)
	return p.reload(ctx)
}
