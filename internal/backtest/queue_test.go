package backtest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/queue"
	"github.com/spotterhq/spotter/internal/view"
)

// slow is a gym whose histories take a minute each to be read.
type slow struct{ *gym }

func (s slow) History(ctx context.Context, athlete lift.AthleteID, reps, checkIns time.Time) (view.History, error) {
	select {
	case <-ctx.Done():
		return view.History{}, ctx.Err()
	case <-time.After(time.Minute):
	}
	return s.gym.History(ctx, athlete, reps, checkIns)
}

func newQueue(s Source) *Queue {
	return NewQueue(QueueOptions{View: s, Settings: standard, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Workers: 1})
}

func ask(t *testing.T, q *Queue, question Question) (Job, bool) {
	t.Helper()
	j, created, err := q.Ask(question)
	if err != nil {
		t.Fatal(err)
	}
	return j, created
}

func TestQuestionsAreAnsweredOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := slow{training(3, 2)}
		q := newQueue(g)
		go q.Run(t.Context())
		first, _ := ask(t, q, Question{})
		synctest.Wait()
		second, _ := ask(t, q, Question{From: monday})
		if first.State != queue.Waiting || second.State != queue.Waiting || first.ID == second.ID {
			t.Fatalf("%+v, %+v", first, second)
		}
		expect := func(what string, id string, state queue.State, done, total int) {
			t.Helper()
			synctest.Wait()
			j, known := q.Job(id)
			if !known || j.State != state || j.Done != done || j.Total != total || (j.Answer != nil) != (state == queue.Done) || j.Ended.IsZero() == (state == queue.Done) {
				t.Errorf("%s: %+v", what, j)
			}
		}
		pass(61 * time.Second)
		expect("after a minute the first", first.ID, queue.Running, 1, 3)
		expect("after a minute the second", second.ID, queue.Waiting, 0, 0)
		pass(2 * time.Minute)
		expect("after three minutes the first", first.ID, queue.Done, 3, 3)
		expect("after three minutes the second", second.ID, queue.Running, 0, 0)
		pass(3 * time.Minute)
		expect("after six minutes the second", second.ID, queue.Done, 3, 3)
	})
}

func TestTheSameQuestionHasTheSameAnswerForAQuarterOfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(slow{training(2, 2)})
		go q.Run(t.Context())
		rules := []byte(`{"grind":{"margin_mps":0.05},"tempo":{}}`)
		job, created := ask(t, q, Question{From: monday, Rules: rules})
		if !created {
			t.Error("the first is not new")
		}
		same := Question{From: monday.In(time.FixedZone("", 7200)), Rules: []byte(`{ "tempo": {}, "grind": {"margin_mps": 5e-2} }`)}
		if again, created := ask(t, q, same); created || again.ID != job.ID {
			t.Error("asked in other words it is another")
		}
		if string(rules) != `{"grind":{"margin_mps":0.05},"tempo":{}}` {
			t.Error("the question was changed")
		}
		pass(2*time.Minute + queue.HeldFor - time.Second)
		if again, created := ask(t, q, same); created || again.State != queue.Done {
			t.Errorf("after a quarter of an hour, nearly: %+v", again)
		}
		pass(time.Second)
		if _, known := q.Job(job.ID); known {
			t.Error("the answer is kept for ever")
		}
		if again, created := ask(t, q, same); !created || again.ID != job.ID {
			t.Errorf("after a quarter of an hour: %+v", again)
		}
	})
}

func TestOnlyAFewQuestionsMayWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(slow{training(1, 2)})
		go q.Run(t.Context())
		n := 0
		next := func() (Job, bool, error) {
			n++
			return q.Ask(Question{From: monday.AddDate(0, 0, n)})
		}
		for range 1 + queue.MaxWaiting {
			if _, created, err := next(); err != nil || !created {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if _, _, err := next(); !errors.Is(err, queue.ErrBusy) {
			t.Errorf("error %v", err)
		}
		if _, created := ask(t, q, Question{From: monday.AddDate(0, 0, 1)}); created {
			t.Error("the one at work is not known")
		}
		pass(61 * time.Second)
		if _, _, err := next(); err != nil {
			t.Errorf("with one done: %v", err)
		}
	})
}

func TestOnlyTheNewestAnswersAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(training(1, 1))
		go q.Run(t.Context())
		var ids []string
		for n := range queue.MaxHeld + 3 {
			j, _ := ask(t, q, Question{From: monday.AddDate(0, 0, n)})
			synctest.Wait()
			ids = append(ids, j.ID)
		}
		for n, id := range ids {
			if _, known := q.Job(id); known != (n >= 3) {
				t.Errorf("answer %d is kept: %v", n, known)
			}
		}
	})
}

func TestAQueueThatIsStoppedStopsItsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(slow{training(3, 2)})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			q.Run(ctx)
			close(ended)
		}()
		job, _ := ask(t, q, Question{})
		pass(90 * time.Second)
		stop()
		<-ended
		if j, _ := q.Job(job.ID); j.State != queue.Failed || j.Failure != "the server was stopped" || j.Done != 1 {
			t.Errorf("%+v", j)
		}
	})
}

func TestAFailureSaysNothingOfTheServerAndCanBeAskedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := slowing()
		g.fail = errors.New("disk on fire")
		q := newQueue(g)
		go q.Run(t.Context())
		job, _ := ask(t, q, Question{})
		synctest.Wait()
		if j, _ := q.Job(job.ID); j.State != queue.Failed || j.Failure != "something went wrong in the server; its log says what" {
			t.Errorf("%+v", j)
		}
		g.fail = nil
		if _, created := ask(t, q, Question{}); !created {
			t.Error("what has failed is not asked anew")
		}
		synctest.Wait()
		if j, _ := q.Job(job.ID); j.State != queue.Done || j.Answer.Reps != 13 {
			t.Errorf("%+v", j)
		}
	})
}

// A panic of a rule costs the answer, not the server.
func TestAPanicCostsTheAnswerOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(QueueOptions{View: slowing(), Now: time.Now, Logger: slog.New(slog.DiscardHandler), Settings: func(id lift.AthleteID) analysis.Settings {
			if id == "ana" {
				panic("out of range")
			}
			return analysis.Settings{}
		}})
		go q.Run(t.Context())
		job, _ := ask(t, q, Question{})
		synctest.Wait()
		if j, _ := q.Job(job.ID); j.State != queue.Failed {
			t.Errorf("%+v", j)
		}
	})
}

func TestQuestionsThatMakeNoSenseAreNotTaken(t *testing.T) {
	q := newQueue(newGym())
	for _, question := range []Question{{From: monday, To: monday}, {Rules: []byte(`{"grind":1}`)}} {
		if _, _, err := q.Ask(question); err == nil {
			t.Errorf("%+v is taken", question)
		}
	}
}

// pass lets the test's time go by.
func pass(d time.Duration) { <-time.After(d) }
