// Package queue does what takes long, one job after the other, and keeps for a while
// how each ended. Jobs are in memory only: those that a stop cuts off are not known
// after it.
//
// All methods of a Queue may be called concurrently.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// ErrBusy says that as many jobs wait as may.
var ErrBusy = errors.New("too many jobs wait")

const (
	// MaxWaiting is how many jobs may wait beside the one that is done.
	MaxWaiting = 4
	// HeldFor is how long a job is known after its end.
	HeldFor = 15 * time.Minute
	// MaxHeld is how many jobs are known after their end at most: then the oldest
	// goes first.
	MaxHeld = 32
)

// State is how far a job is.
type State string

// The states of a job.
const (
	Waiting State = "waiting"
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Over reports whether nothing more is done.
func (s State) Over() bool { return s == Done || s == Failed }

// Job is a question with its answer, or how far it is.
type Job[Q, A any] struct {
	ID       string
	Question Q
	State    State
	Created  time.Time
	Ended    time.Time // zero before
	Done     int       // of the parts of the work
	Total    int       // how many parts there are; 0 before it is known
	Failure  string    // why there is no answer, where the state is Failed
	Answer   *A        // not to be changed; nil unless the state is Done
}

// Options of a Queue. All are required.
type Options[Q, A any] struct {
	// Do answers a question. Progress tells how many parts of how many are done.
	Do func(ctx context.Context, question Q, progress func(done, total int)) (A, error)
	// Explain tells whoever asked why Do has failed; "" where that is nobody's business
	// but the server's, whose log has it.
	Explain func(error) string
	Name    string // of the work in the log, such as backtest
	Now     func() time.Time
	Logger  *slog.Logger
}

// Queue does jobs while Run is running.
type Queue[Q, A any] struct {
	o    Options[Q, A]
	wake chan struct{}

	mu   sync.Mutex
	jobs []*Job[Q, A] // the oldest first
}

// New returns a queue without a job.
func New[Q, A any](o Options[Q, A]) *Queue[Q, A] {
	return &Queue[Q, A]{o: o, wake: make(chan struct{}, 1)}
}

// Put takes a question under an id and returns its job, and whether that is a new
// one: one that waits, runs or is done is not begun again while it is known; one that
// has failed is. The error is ErrBusy.
func (q *Queue[Q, A]) Put(id string, question Q) (_ Job[Q, A], created bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.letGo()
	if i := q.find(id); i >= 0 {
		if q.jobs[i].State != Failed {
			return *q.jobs[i], false, nil
		}
		q.jobs = slices.Delete(q.jobs, i, i+1)
	}
	waiting := 0
	for _, j := range q.jobs {
		if j.State == Waiting {
			waiting++
		}
	}
	if waiting >= MaxWaiting {
		return Job[Q, A]{}, false, ErrBusy
	}
	job := &Job[Q, A]{ID: id, Question: question, State: Waiting, Created: q.o.Now().UTC()}
	q.jobs = append(q.jobs, job)
	select {
	case q.wake <- struct{}{}:
	default: // somebody has woken it already
	}
	return *job, true, nil
}

// Job returns a job as it is now, and false for one that is not known or was let go.
func (q *Queue[Q, A]) Job(id string) (Job[Q, A], bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.letGo()
	if i := q.find(id); i >= 0 {
		return *q.jobs[i], true
	}
	return Job[Q, A]{}, false
}

// Jobs returns all that are known, the newest first.
func (q *Queue[Q, A]) Jobs() []Job[Q, A] {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.letGo()
	all := make([]Job[Q, A], 0, len(q.jobs))
	for _, j := range slices.Backward(q.jobs) {
		all = append(all, *j)
	}
	return all
}

func (q *Queue[Q, A]) find(id string) int {
	return slices.IndexFunc(q.jobs, func(j *Job[Q, A]) bool { return j.ID == id })
}

// letGo forgets jobs that have ended long ago or are too many.
func (q *Queue[Q, A]) letGo() {
	now := q.o.Now()
	q.jobs = slices.DeleteFunc(q.jobs, func(j *Job[Q, A]) bool { return !j.Ended.IsZero() && now.Sub(j.Ended) >= HeldFor })
	excess := -MaxHeld
	for _, j := range q.jobs {
		if !j.Ended.IsZero() {
			excess++
		}
	}
	q.jobs = slices.DeleteFunc(q.jobs, func(j *Job[Q, A]) bool {
		if j.Ended.IsZero() || excess <= 0 {
			return false
		}
		excess--
		return true
	})
}

// Forget lets go of the jobs of such questions, but for those that wait, because
// somebody is in them who was erased. Whoever asked asks again; what is being done is
// not kept either.
func (q *Queue[Q, A]) Forget(such func(question Q) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = slices.DeleteFunc(q.jobs, func(j *Job[Q, A]) bool { return j.State != Waiting && such(j.Question) })
}

// Run does jobs until the context ends, which cuts off the one that is being done.
func (q *Queue[Q, A]) Run(ctx context.Context) {
	for ctx.Err() == nil {
		job := q.next()
		if job == nil {
			select {
			case <-ctx.Done():
			case <-q.wake:
			}
			continue
		}
		q.do(ctx, job)
	}
}

// next begins with the oldest job that waits; nil without one.
func (q *Queue[Q, A]) next() *Job[Q, A] {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range q.jobs {
		if j.State == Waiting {
			j.State = Running
			return j
		}
	}
	return nil
}

func (q *Queue[Q, A]) do(ctx context.Context, job *Job[Q, A]) {
	began := q.o.Now()
	out, err := q.safely(ctx, job.Question, func(done, total int) {
		q.mu.Lock()
		defer q.mu.Unlock()
		job.Done, job.Total = done, total
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	job.Ended = q.o.Now().UTC()
	took := job.Ended.Sub(began)
	if err == nil {
		job.State, job.Answer = Done, &out
		q.o.Logger.Info(q.o.Name+" done", "parts", job.Total, "took", took)
		return
	}
	job.State, job.Failure = Failed, "the server was stopped"
	if ctx.Err() != nil {
		return
	}
	if job.Failure = q.o.Explain(err); job.Failure == "" {
		job.Failure = "something went wrong in the server; its log says what"
		q.o.Logger.Error(q.o.Name+" failed", "took", took, "error", err)
	}
}

// safely lets a panic cost the job, not the program.
func (q *Queue[Q, A]) safely(ctx context.Context, question Q, progress func(done, total int)) (out A, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%s panicked: %v\n%s", q.o.Name, cause, debug.Stack())
		}
	}()
	return q.o.Do(ctx, question, progress)
}
