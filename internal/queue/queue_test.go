package queue

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errOurs = errors.New("disk on fire")

// minutes is a queue whose jobs take as many minutes as is asked; 0 panics, and a
// negative number fails.
func minutes(log *strings.Builder) *Queue[int, string] {
	return New(Options[int, string]{
		Name: "nap", Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil)),
		Do: func(ctx context.Context, n int, progress func(done, total int)) (string, error) {
			if n == 0 {
				panic("out of range")
			}
			if n < 0 {
				return "", errOurs
			}
			for i := range n {
				progress(i, n)
				select {
				case <-ctx.Done():
					return "", ctx.Err()
				case <-time.After(time.Minute):
				}
			}
			progress(n, n)
			return strings.Repeat("z", n), nil
		},
		Explain: func(error) string { return "" },
	})
}

func TestJobsAreDoneOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := minutes(&strings.Builder{})
		go q.Run(t.Context())
		if _, created, err := q.Put("a", 2); !created || err != nil {
			t.Fatal(created, err)
		}
		synctest.Wait()
		_, _, _ = q.Put("b", 1)
		is := func(id string, state State, done int) {
			t.Helper()
			synctest.Wait()
			j, known := q.Job(id)
			if !known || j.State != state || j.Done != done || (j.Answer != nil) != (state == Done) || j.Ended.IsZero() == state.Over() {
				t.Errorf("%+v", j)
			}
		}
		<-time.After(61 * time.Second)
		is("a", Running, 1)
		is("b", Waiting, 0)
		<-time.After(time.Minute)
		is("a", Done, 2)
		is("b", Running, 0)
		if all := q.Jobs(); len(all) != 2 || all[0].ID != "b" {
			t.Errorf("%+v", all)
		}
		<-time.After(HeldFor)
		if all := q.Jobs(); len(all) != 1 || all[0].ID != "b" {
			t.Errorf("kept: %+v", all)
		}
	})
}

func TestAFailureOrPanicCostsTheJobAndSaysNothingOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		q := minutes(&log)
		go q.Run(t.Context())
		for id, n := range map[string]int{"fails": -1, "panics": 0} {
			_, _, _ = q.Put(id, n)
			synctest.Wait()
			j, _ := q.Job(id)
			if j.State != Failed || j.Failure != "something went wrong in the server; its log says what" {
				t.Errorf("%s: %+v", id, j)
			}
			if _, created, _ := q.Put(id, 1); !created {
				t.Errorf("%s is not done anew", id)
			}
			<-time.After(2 * time.Minute)
		}
		synctest.Wait()
		for _, cause := range []string{"disk on fire", "out of range"} {
			if !strings.Contains(log.String(), cause) {
				t.Errorf("the log does not say %q:\n%s", cause, log.String())
			}
		}
	})
}

func TestForgottenJobsAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := minutes(&strings.Builder{})
		go q.Run(t.Context())
		_, _, _ = q.Put("done", 1)
		<-time.After(2 * time.Minute)
		_, _, _ = q.Put("runs", 5)
		synctest.Wait()
		_, _, _ = q.Put("waits", 1)
		q.Forget(func(n int) bool { return n == 5 })
		if all := q.Jobs(); len(all) != 2 || all[0].ID != "waits" || all[1].ID != "done" {
			t.Errorf("%+v", all)
		}
		q.Forget(func(int) bool { return true })
		if all := q.Jobs(); len(all) != 1 || all[0].ID != "waits" {
			t.Errorf("%+v", all)
		}
	})
}
