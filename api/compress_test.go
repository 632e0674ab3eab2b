package api

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestListsAndFilesArePackedForWhoTakesIt(t *testing.T) {
	g := open(t)
	train(g, "ana", 20, trained)
	for path, packs := range map[string]bool{
		"/api/v1/athletes/ana/reps" + thatDay: true, "/board/app.js": true,
		"/api/v1/athletes/ana/plan": false, // too short to gain by it
		"/openapi.json":             false, "/api/v1/athletes/ana/export": false,
	} {
		read := func(encoding string) (string, *http.Response) {
			t.Helper()
			answer := g.send(http.MethodGet, path, "", "Accept-Encoding", encoding)
			defer func() { _ = answer.Body.Close() }()
			body := io.Reader(answer.Body)
			if answer.Header.Get("Content-Encoding") == "gzip" {
				unpacked, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(path, err)
				}
				body = unpacked
			}
			text, err := io.ReadAll(body)
			if err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%s answers %s, %v", path, answer.Status, err)
			}
			return string(text), answer
		}
		plain, bare := read("identity")
		text, answer := read("gzip")
		if got := answer.Header.Get("Content-Encoding") == "gzip"; got != packs || bare.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s packed: %t", path, got)
		}
		if packs && (text != plain || !strings.Contains(answer.Header.Get("Vary"), "Accept-Encoding")) {
			t.Errorf("%s says something else packed, or does not vary", path)
		}
	}
}
