// Package board is the web board: pages that a gym hangs on its wall, a coach works
// with and an athlete reports by. They are plain files, embedded, that ask the API
// under the same address and nobody else.
//
// A page is a module in static/pages with
//
//	export async function mount(root, context) // returns what ends it
//
// which static/app.js loads for its path. What pages share is in static/core.js, and
// every text in static/text.js.
package board

import (
	"embed"
	"io/fs"
)

//go:embed static
var files embed.FS

// Files are the board's files, by their path below /board/.
func Files() fs.FS {
	sub, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Paths are the addresses of pages, as patterns of Go's router; all of them get
// index.html.
var Paths = []string{
	"/", "/wall", "/athletes", "/athletes/{id}", "/imports", "/plans", "/rules", "/backtest", "/devices", "/sites", "/quarantine", "/deliveries", "/access", "/setup",
}

// Policy is what a browser may load for a page: this server's files, and nothing
// written into the page itself.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
