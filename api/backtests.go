package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/backtest"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/queue"
)

// rulePatch is limits by rule and name. What they may be is checked where they are
// merged over those in force.
type rulePatch map[string]map[string]any

// BacktestQuestion is which limits are asked about, over which stretch of time.
type BacktestQuestion struct {
	From  time.Time   `json:"from,omitzero" doc:"windows that begin at or after this time; absent: from the beginning"`
	To    time.Time   `json:"to,omitzero" doc:"windows that begin before this time; absent: to the end"`
	Site  lift.SiteID `json:"site,omitzero" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"the athletes who are there; absent: everybody, or for a coach of one site those who are there"`
	Rules rulePatch   `json:"rules,omitzero" doc:"limits by rule and name, in the place of those in force; absent: none, and what fired is held against the log"`
}

// backtestJob is a backtest with its answer, or how far it is.
type backtestJob struct {
	ID string `json:"id"`
	BacktestQuestion
	State   queue.State       `json:"state" enum:"waiting,running,done,failed"`
	Created time.Time         `json:"created"`
	Ended   time.Time         `json:"ended,omitzero"`
	Done    int               `json:"done" doc:"athletes judged"`
	Total   int               `json:"total" doc:"of so many; 0 before it is known"`
	Failure string            `json:"failure,omitzero" doc:"why there is no answer"`
	Report  *backtest.Summary `json:"report,omitzero" doc:"the answer; what is told by athlete is a list of its own"`
}

func (s *Server) addBacktests() {
	path := "/api/v1/backtests"
	add(s, huma.Operation{
		OperationID: "create-backtest", Method: http.MethodPost, Path: path, Tags: []string{"rules"},
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		Summary:       "Ask what would have fired under other limits",
		Description: "History is judged in the background, one backtest at a time; a few may wait, and with more the answer is 429. The same question " +
			"has the same backtest, and answers 200, until it is let go: a quarter of an hour after its end, or when the server stops.",
	}, permit{ofCaller, coaches}, s.createBacktest)
	s.also(path, http.MethodPost, map[int]string{http.StatusOK: "It was asked already"})
	add(s, huma.Operation{
		OperationID: "get-backtest", Method: http.MethodGet, Path: path + "/{id}", Tags: []string{"rules"},
		Errors:  []int{http.StatusNotFound},
		Summary: "Show a backtest's progress and, once it is done, its answer by rule",
	}, permit{ofCaller, coaches}, s.getBacktest)
	add(s, huma.Operation{
		OperationID: "list-backtest-athletes", Method: http.MethodGet, Path: path + "/{id}/athletes", Tags: []string{"rules"},
		Errors:      []int{http.StatusNotFound},
		Summary:     "List a backtest's answer by athlete and rule",
		Description: "Where there is anything to count. Empty before the backtest is done.",
	}, permit{ofCaller, coaches}, s.listBacktestAthletes)
}

type backtestInput struct{ Body BacktestQuestion }

func (s *Server) createBacktest(ctx context.Context, in *backtestInput) (*answer[backtestJob], error) {
	question := backtest.Question{From: in.Body.From, To: in.Body.To, Site: cmp.Or(in.Body.Site, who(ctx).Site)}
	if !who(ctx).seesSite(question.Site) {
		return nil, errNotYours()
	}
	if err := errors.Join(writable("from", question.From), writable("to", question.To)); err != nil {
		return nil, err
	}
	if len(in.Body.Rules) > 0 {
		var err error
		if question.Rules, err = json.Marshal(in.Body.Rules, json.Deterministic(true)); err != nil {
			return nil, err
		}
	}
	job, created, err := s.backtests.Ask(question)
	if errors.Is(err, queue.ErrBusy) {
		return nil, huma.Error429TooManyRequests("as many backtests wait as may: ask again when one is done")
	}
	if field, ok := errors.AsType[*lift.FieldError](err); ok && field.Field != "from" {
		err = &lift.FieldError{Field: "rules." + field.Field, Reason: field.Reason}
	}
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return jobAnswer(status, &job)
}

// writable returns a *lift.FieldError for a time that RFC 3339 has in its own zone and
// not in UTC, in which it is answered.
func writable(field string, t time.Time) error {
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return &lift.FieldError{Field: field, Reason: "is in no year from 0 to 9999 in UTC"}
	}
	return nil
}

func jobAnswer(status int, job *backtest.Job) (*answer[backtestJob], error) {
	asked := &job.Question
	out := backtestJob{
		ID: job.ID, BacktestQuestion: BacktestQuestion{From: asked.From.UTC(), To: asked.To.UTC(), Site: asked.Site},
		State: job.State, Created: job.Created, Ended: job.Ended, Done: job.Done, Total: job.Total, Failure: job.Failure,
	}
	if len(asked.Rules) > 0 {
		if err := json.Unmarshal(asked.Rules, &out.Rules); err != nil {
			return nil, err
		}
	}
	if job.Answer != nil {
		out.Report = &job.Answer.Summary
	}
	return &answer[backtestJob]{status, out}, nil
}

// backtest returns a job, or a problem where it is not known, or not the caller's.
func (s *Server) backtest(ctx context.Context, id string) (backtest.Job, error) {
	job, known := s.backtests.Job(id)
	if !known || !who(ctx).seesSite(job.Question.Site) {
		return backtest.Job{}, huma.Error404NotFound("no backtest is known by this id; its answer is kept for a quarter of an hour")
	}
	return job, nil
}

func (s *Server) getBacktest(ctx context.Context, in *IDPath) (*answer[backtestJob], error) {
	job, err := s.backtest(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return jobAnswer(http.StatusOK, &job)
}

type backtestAthletesInput struct {
	IDPath
	Paging
}

func (s *Server) listBacktestAthletes(ctx context.Context, in *backtestAthletesInput) (*answer[list[backtest.AthleteTally]], error) {
	job, err := s.backtest(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var tallies []backtest.AthleteTally
	if job.Answer != nil {
		tallies = job.Answer.ByAthlete
	}
	return cutAnswer(tallies, in.Paging, func(t *backtest.AthleteTally) string { return string(t.Athlete) + " " + string(t.Rule) })
}
