package backtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// ErrBusy says that as many questions wait as may.
var ErrBusy = errors.New("too many backtests wait")

const (
	// maxWaiting is how many questions may wait beside the one at work.
	maxWaiting = 4
	// heldFor is how long an answer is kept after its end.
	heldFor = 15 * time.Minute
	// maxHeld is how many answers are kept at most: then the oldest goes first.
	maxHeld = 32
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

// Job is a question with its answer, or how far it is.
type Job struct {
	ID string
	Question
	State   State
	Created time.Time
	Ended   time.Time // zero before
	Done    int       // athletes judged
	Total   int       // of so many; 0 before it is known
	Failure string    // why there is no answer, where the state is Failed
	Report  *Report   // not to be changed; nil unless the state is Done
}

// QueueOptions are the options of a Queue. All but Workers are required.
type QueueOptions struct {
	View     Source
	Settings func(lift.AthleteID) analysis.Settings
	Now      func() time.Time
	Logger   *slog.Logger
	Workers  int // as in Options
}

// Queue answers questions one after the other while Run is running, and keeps the
// answers in memory for a quarter of an hour.
type Queue struct {
	o    QueueOptions
	wake chan struct{}

	mu   sync.Mutex
	jobs []*Job // the oldest first
}

// NewQueue returns a queue without a question.
func NewQueue(o QueueOptions) *Queue { return &Queue{o: o, wake: make(chan struct{}, 1)} }

// Ask takes a question and returns its job, and whether that is a new one: the same
// question has the same job and id until its answer is let go, but one that has
// failed is asked anew. The error is that of Question.Validate, or ErrBusy.
func (q *Queue) Ask(question Question) (_ Job, created bool, err error) {
	if err := question.Validate(q.o.Settings("")); err != nil {
		return Job{}, false, err
	}
	question.Rules = question.Rules.Clone()
	if len(question.Rules) > 0 {
		if err := question.Rules.Canonicalize(); err != nil {
			return Job{}, false, fmt.Errorf("ask for a backtest: %w", err)
		}
	}
	id := "bt_" + lift.Digest("backtest", stamp(question.From), stamp(question.To), string(question.Rules), string(question.Site))
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
	if waiting >= maxWaiting {
		return Job{}, false, ErrBusy
	}
	job := &Job{ID: id, Question: question, State: Waiting, Created: q.o.Now().UTC()}
	q.jobs = append(q.jobs, job)
	select {
	case q.wake <- struct{}{}:
	default: // somebody has woken it already
	}
	return *job, true, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Job returns a job as it is now, and false for one that is not known or was let go.
func (q *Queue) Job(id string) (Job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.letGo()
	if i := q.find(id); i >= 0 {
		return *q.jobs[i], true
	}
	return Job{}, false
}

func (q *Queue) find(id string) int {
	return slices.IndexFunc(q.jobs, func(j *Job) bool { return j.ID == id })
}

// letGo forgets answers that are old or too many.
func (q *Queue) letGo() {
	now := q.o.Now()
	q.jobs = slices.DeleteFunc(q.jobs, func(j *Job) bool { return !j.Ended.IsZero() && now.Sub(j.Ended) >= heldFor })
	excess := -maxHeld
	for _, j := range q.jobs {
		if !j.Ended.IsZero() {
			excess++
		}
	}
	q.jobs = slices.DeleteFunc(q.jobs, func(j *Job) bool {
		if j.Ended.IsZero() || excess <= 0 {
			return false
		}
		excess--
		return true
	})
}

// Forget lets go of all answers, because somebody is in them who was erased. Whoever
// asked asks again; what is being worked on is not kept either.
func (q *Queue) Forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = slices.DeleteFunc(q.jobs, func(j *Job) bool { return j.State != Waiting })
}

// Run answers questions until the context ends, which cuts off the one at work.
func (q *Queue) Run(ctx context.Context) {
	for ctx.Err() == nil {
		job := q.next()
		if job == nil {
			select {
			case <-ctx.Done():
			case <-q.wake:
			}
			continue
		}
		q.answer(ctx, job)
	}
}

// next begins with the oldest job that waits; nil without one.
func (q *Queue) next() *Job {
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

func (q *Queue) answer(ctx context.Context, job *Job) {
	began := q.o.Now()
	report, err := Run(ctx, Options{
		Question: job.Question, View: q.o.View, Settings: q.o.Settings, Workers: q.o.Workers,
		Progress: func(done, total int) {
			q.mu.Lock()
			defer q.mu.Unlock()
			job.Done, job.Total = done, total
		},
	})
	field, isField := errors.AsType[*lift.FieldError](err)
	q.mu.Lock()
	defer q.mu.Unlock()
	job.Ended = q.o.Now().UTC()
	took := job.Ended.Sub(began)
	switch {
	case err == nil:
		job.State, job.Report = Done, &report
		q.o.Logger.Info("backtest done", "athletes", report.Athletes, "reps", report.Reps, "took", took)
		return
	case ctx.Err() != nil:
		job.Failure = "the server was stopped"
	case isField:
		job.Failure = "the limits cannot be used beside those of an athlete: " + field.Error()
	default:
		job.Failure = "something went wrong in the server; its log says what"
		q.o.Logger.Error("backtest failed", "took", took, "error", err)
	}
	job.State = Failed
}
