package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// worthPacking is the length from which an answer is smaller packed, in bytes.
const worthPacking = 1400

// compressed packs the board's files and the lists that its pages read, which shrink
// to less than a fifth. Streams and downloads go out as they are written, and what
// holds a secret is not packed beside what a caller has sent.
func compressed() echo.MiddlewareFunc {
	return middleware.GzipWithConfig(middleware.GzipConfig{MinLength: worthPacking, Skipper: func(c echo.Context) bool { return !packed(c.Request().Method, c.Path()) }})
}

func packed(method, route string) bool {
	if method != http.MethodGet || strings.HasSuffix(route, "/stream") || strings.HasSuffix(route, "/export") {
		return false
	}
	for _, begin := range []string{"/board/", "/api/v1/athletes", "/api/v1/alerts", "/api/v1/exercises", "/api/v1/team"} {
		if strings.HasPrefix(route, begin) {
			return true
		}
	}
	return false
}
