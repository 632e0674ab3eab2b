package backtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/queue"
)

// Job is a question with its answer, or how far it is, in athletes.
type Job = queue.Job[Question, Report]

// QueueOptions are the options of a Queue. All but Workers are required.
type QueueOptions struct {
	View     Source
	Settings func(lift.AthleteID) analysis.Settings
	Now      func() time.Time
	Logger   *slog.Logger
	Workers  int // as in Options
}

// Queue answers questions one after the other, and keeps the answers in memory for a
// quarter of an hour.
type Queue struct {
	*queue.Queue[Question, Report]
	settings func(lift.AthleteID) analysis.Settings
}

// NewQueue returns a queue without a question.
func NewQueue(o QueueOptions) *Queue {
	return &Queue{settings: o.Settings, Queue: queue.New(queue.Options[Question, Report]{
		Name: "backtest", Now: o.Now, Logger: o.Logger,
		Do: func(ctx context.Context, question Question, progress func(done, total int)) (Report, error) {
			return Run(ctx, Options{Question: question, View: o.View, Settings: o.Settings, Workers: o.Workers, Progress: progress})
		},
		Explain: func(err error) string {
			if field, ok := errors.AsType[*lift.FieldError](err); ok {
				return "the limits cannot be used beside those of an athlete: " + field.Error()
			}
			return ""
		},
	})}
}

// Ask takes a question and returns its job, and whether that is a new one: the same
// question has the same job and id until its answer is let go, but one that has
// failed is asked anew. The error is that of Question.Validate, or queue.ErrBusy.
func (q *Queue) Ask(question Question) (_ Job, created bool, err error) {
	if err := question.Validate(q.settings("")); err != nil {
		return Job{}, false, err
	}
	question.Rules = question.Rules.Clone()
	if len(question.Rules) > 0 {
		if err := question.Rules.Canonicalize(); err != nil {
			return Job{}, false, fmt.Errorf("ask for a backtest: %w", err)
		}
	}
	return q.Put("bt_"+lift.Digest("backtest", stamp(question.From), stamp(question.To), string(question.Rules), string(question.Site)), question)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
