package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
)

func TestABackupIsDownloadedByOneAtATime(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	g := open(t, func(o *Options) {
		o.Backup = func(_ context.Context, w io.Writer, samples bool, by string) error {
			close(begun)
			<-goOn
			if !samples || by != "admin" {
				t.Errorf("samples %t, asked for by %q", samples, by)
			}
			_, err := io.WriteString(w, "everything")
			return err
		}
	})
	first := make(chan string, 1)
	go func() {
		answer := g.send(http.MethodGet, "/api/v1/backup?samples=true", "")
		defer func() { _ = answer.Body.Close() }()
		text, _ := io.ReadAll(answer.Body)
		first <- string(text)
	}()
	<-begun
	want[struct{}](g, http.StatusConflict, http.MethodGet, "/api/v1/backup", "")
	close(goOn)
	if text := <-first; text != "everything" {
		t.Errorf("the first is %q", text)
	}
}

func TestABackupThatFailsIsCutOff(t *testing.T) {
	g := open(t, func(o *Options) {
		o.Backup = func(_ context.Context, w io.Writer, _ bool, _ string) error {
			_, _ = io.WriteString(w, "half")
			// What is written so far has reached the client.
			return errors.Join(http.NewResponseController(w.(*patient).w.(http.ResponseWriter)).Flush(), errors.New("the disk is gone"))
		}
	})
	answer := g.send(http.MethodGet, "/api/v1/backup", "")
	defer func() { _ = answer.Body.Close() }()
	if text, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("it seems whole: %q", text)
	}
}
