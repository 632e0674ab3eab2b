package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"

	"github.com/labstack/echo/v4"

	"github.com/spotterhq/spotter/api/board"
)

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

// addBoard serves the board's pages and files. A browser keeps a file, and asks each
// time whether it is still the same.
func (s *Server) addBoard() {
	files := board.Files()
	serve := func(name string) echo.HandlerFunc {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			panic(fmt.Sprintf("read embedded %s: %v", name, err))
		}
		if name == "index.html" && s.logins != nil {
			data = bytes.Replace(data, []byte(`content="token"`), []byte(`content="provider"`), 1) // the page offers to sign in there
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "text/plain; charset=utf-8"
		}
		sum := sha256.Sum256(data)
		tag := `"` + hex.EncodeToString(sum[:8]) + `"`
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", board.Policy)
			h.Set("Cache-Control", "no-cache")
			h.Set("ETag", tag)
			if c.Request().Header.Get("If-None-Match") == tag {
				return c.NoContent(http.StatusNotModified)
			}
			return c.Blob(http.StatusOK, kind, data)
		}
	}
	index := serve("index.html")
	for _, p := range board.Paths {
		s.echo.GET(pathParameter.ReplaceAllString(p, ":$1"), index)
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			s.echo.GET("/board/"+name, serve(name))
		}
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("read embedded board: %v", err))
	}
}
