// Package backtest judges history under other limits: what fired, what would
// have, and the difference, for each rule and each athlete.
//
// [Run] answers one question, athletes in parallel; [Queue] answers questions one
// after the other and keeps the answers for a while. Both read histories from the
// view and change nothing.
//
// # Guarantees
//
//  1. The answer depends on the histories, the limits and the stretch of time
//     alone: not on how many athletes are judged at once, or in which order.
//  2. No more histories are in memory than athletes are judged at once; each is
//     read once, in one transaction.
//  3. What fired is judged anew under the limits in force, by the code that judges
//     live, and held against the alerts in the log.
//
// Run and all methods of a Queue may be called concurrently.
package backtest

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// Source is where histories come from.
type Source interface {
	// Athletes returns everybody of whom something was received since the time.
	Athletes(ctx context.Context, since time.Time) ([]view.Athlete, error)
	// SiteOf is where an athlete is.
	SiteOf(ctx context.Context, athlete lift.AthleteID) (lift.SiteID, error)
	// History returns what is known of an athlete since two times, as of one moment.
	History(ctx context.Context, athlete lift.AthleteID, reps, checkIns time.Time) (view.History, error)
}

var _ Source = (*view.View)(nil)

// Question is which limits are asked about, over which stretch of time.
type Question struct {
	// From and To bound the beginnings of the windows that count: From ≤ beginning
	// < To. Zero times set no bound.
	From, To time.Time
	// Site, where not empty, is where the athletes are who are judged; else all are.
	Site lift.SiteID
	// Rules are the limits to be tried: a JSON object by rule and limit name, which
	// replace those in force. Empty means none: fired is then held against the log
	// alone.
	Rules jsontext.Value
}

// Options of Run. View and Settings are required.
type Options struct {
	Question
	View Source
	// Settings are those in force.
	Settings func(lift.AthleteID) analysis.Settings
	// Workers is how many athletes are judged at once; 0 means one for each
	// processor.
	Workers int
	// Progress, where set, is told after each athlete how many of how many are
	// done. It is not called concurrently.
	Progress func(done, total int)
}

// Validate returns a *lift.FieldError, or several joined, where the question makes
// no sense beside the limits in force at any time.
func (q *Question) Validate(inForce analysis.Settings) error {
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return &lift.FieldError{Field: "from", Reason: "is not before to"}
	}
	_, err := q.proposeFor(inForce.Filled())
	return err
}

// propose returns the limits in force, and those that are asked about.
func (q *Question) propose(inForce analysis.Limits) (proposed analysis.Limits, err error) {
	if len(q.Rules) == 0 {
		return inForce, nil
	}
	return analysis.MergeLimits(inForce, q.Rules)
}

// proposeFor returns an athlete's settings with the limits that are asked about in the
// place of those that were in force at each time; those not asked about change as
// they did.
func (q *Question) proposeFor(s analysis.Settings) (_ analysis.Settings, err error) {
	if s.Limits, err = q.propose(s.Limits); err != nil {
		return s, err
	}
	s.Later = slices.Clone(s.Later)
	for i := range s.Later {
		if s.Later[i].Limits, err = q.propose(s.Later[i].Limits); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Run judges every athlete's history twice and compares. The error is the
// context's, the source's, or Validate's.
func Run(ctx context.Context, o Options) (Report, error) {
	if err := o.Validate(o.Settings("")); err != nil {
		return Report{}, err
	}
	athletes, err := o.View.Athletes(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("backtest: %w", err)
	}
	if athletes, err = o.there(ctx, athletes); err != nil {
		return Report{}, fmt.Errorf("backtest: %w", err)
	}
	workers := o.Workers
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	sum := newSum()
	var mu sync.Mutex
	done := 0
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, a := range athletes {
		group.Go(func() error {
			one, err := o.judge(ctx, a.ID)
			if err != nil {
				return fmt.Errorf("backtest: %w", err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum.add(one)
			if done++; o.Progress != nil {
				o.Progress(done, len(athletes))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return Report{}, err
	}
	return sum.report(), nil
}

// there keeps the athletes who are at the site that is asked about.
func (o *Options) there(ctx context.Context, all []view.Athlete) ([]view.Athlete, error) {
	if o.Site == "" {
		return all, nil
	}
	var kept []view.Athlete
	for _, a := range all {
		site, err := o.View.SiteOf(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		if site == o.Site {
			kept = append(kept, a)
		}
	}
	return kept, nil
}

// verdicts are what is found of one athlete in the windows that count.
type verdicts struct {
	athlete              lift.AthleteID
	reps                 int
	position             uint64
	asOf                 time.Time
	fired, would, logged []lift.Finding
}

func (o *Options) judge(ctx context.Context, athlete lift.AthleteID) (_ *verdicts, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// Limits that nobody has tried yet must not end a server that takes reps in.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("judging panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	inForce := o.Settings(athlete).Filled()
	proposed, err := o.proposeFor(inForce)
	if err != nil {
		return nil, err
	}
	reps, checkIns := analysis.LoadFrom(o.From, inForce.Zone)
	h, err := o.View.History(ctx, athlete, reps, checkIns)
	if err != nil {
		return nil, err
	}
	v := &verdicts{athlete: athlete, reps: repsOf(&h), position: h.Position, asOf: asOf(&h)}
	known := historyOf(athlete, &h)
	v.fired = o.within(analysis.Judge(known, inForce, v.asOf))
	v.would = v.fired
	if proposed.Limits != inForce.Limits || !slices.Equal(proposed.Later, inForce.Later) {
		v.would = o.within(analysis.Judge(known, proposed, v.asOf))
	}
	for i := range h.Alerts {
		if h.Alerts[i].State != lift.AlertRetracted {
			v.logged = append(v.logged, h.Alerts[i].Finding)
		}
	}
	v.logged = o.within(v.logged)
	return v, nil
}

// historyOf is everything that the view knows and the rules look at.
func historyOf(athlete lift.AthleteID, h *view.History) analysis.History {
	return analysis.History{Site: h.Site, Athlete: athlete, Reps: h.Reps, Logged: h.Logged, CheckIns: h.CheckIns, Plan: h.Plan}
}

// repsOf is how many reps are known, those of training logs among them.
func repsOf(h *view.History) int {
	n := len(h.Reps)
	for i := range h.Logged {
		n += h.Logged[i].Reps
	}
	return n
}

// asOf is the time up to which an athlete is judged, as the monitor does: that of
// the newest tick, or without one, of what was received last.
func asOf(h *view.History) time.Time {
	at := h.Tick
	if !at.IsZero() {
		return at
	}
	for i := range h.Reps {
		at = latest(at, h.Reps[i].Received)
	}
	for i := range h.Logged {
		at = latest(at, h.Logged[i].Time)
	}
	for i := range h.CheckIns {
		at = latest(at, h.CheckIns[i].Received)
	}
	return at
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// within keeps the findings whose window begins in the stretch of time.
func (q *Question) within(found []lift.Finding) []lift.Finding {
	kept := found[:0]
	for i := range found {
		begin := found[i].Window.From
		if (q.From.IsZero() || !begin.Before(q.From)) && (q.To.IsZero() || begin.Before(q.To)) {
			kept = append(kept, found[i])
		}
	}
	return kept
}
