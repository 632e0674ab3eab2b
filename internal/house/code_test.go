package house

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// clocks are the folders whose production code may read the clock. Everything
// else is given the time, so that it can be tested, replayed and back-tested.
var clocks = map[string]string{
	"cmd":              "wiring: the clock is handed out here",
	"ingest/mqtt":      "stamps the receipt of a message",
	"ingest/influx":    "retries and measures the lag against a real server",
	"api":              "serves people now: deadlines, heartbeats, tokens",
	"internal/bench":   "measures",
	"internal/journal": "measures what appends cost",
	"internal/sim":     "plays lifters in real time",
}

func docBreaches(all []source) []string {
	type unit struct{ dir, name string }
	docs := map[unit][]string{}
	for _, s := range all {
		if s.test() {
			continue
		}
		u := unit{s.dir, s.ast.Name.Name}
		if _, seen := docs[u]; !seen {
			docs[u] = nil
		}
		if s.ast.Doc != nil {
			docs[u] = append(docs[u], s.ast.Doc.Text())
		}
	}
	var breaches []string
	for u, texts := range docs {
		want := "Package " + u.name + " "
		if u.name == "main" {
			want = "Command " + path.Base(u.dir) + " "
		}
		switch {
		case len(texts) == 0:
			breaches = append(breaches, fmt.Sprintf("%s: package %s has no doc comment", u.dir, u.name))
		case len(texts) > 1:
			breaches = append(breaches, fmt.Sprintf("%s: package %s has %d doc comments, want one", u.dir, u.name, len(texts)))
		case !strings.HasPrefix(texts[0], want):
			breaches = append(breaches, fmt.Sprintf("%s: the package doc must begin with %q", u.dir, want))
		}
	}
	slices.Sort(breaches)
	return breaches
}

func clockBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		if s.test() || within(s.dir, slices.Collect(maps.Keys(clocks))) {
			continue
		}
		for _, use := range s.uses("time", "Now", "Since", "Until") {
			breaches = append(breaches, use+": the time must be passed in")
		}
	}
	return breaches
}

func sleepBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		if !s.test() {
			continue
		}
		for _, use := range s.uses("time", "Sleep") {
			breaches = append(breaches, use+": wait for what is expected, or use testing/synctest")
		}
	}
	return breaches
}

func initBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				breaches = append(breaches, s.at(f)+" has an init function: start things where they are wired")
			}
		}
	}
	return breaches
}

func goroutineBreaches(all []source) []string {
	var breaches []string
	for _, s := range all {
		if s.test() || !within(s.dir, []string{"analysis", "internal/lift"}) {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType:
				breaches = append(breaches, s.at(n)+" is concurrent, and this code must be a pure function")
			}
			return true
		})
	}
	return breaches
}

func TestEveryPackageHasOneDoc(t *testing.T) { report(t, docBreaches(sources(t))) }

func TestOnlyAdaptersReadTheClock(t *testing.T) {
	all := sources(t)
	report(t, clockBreaches(all))
	requireFolders(t, all, slices.Sorted(maps.Keys(clocks)))
}

func TestNoTestSleeps(t *testing.T) { report(t, sleepBreaches(sources(t))) }

func TestNothingStartsByItself(t *testing.T) { report(t, initBreaches(sources(t))) }

func TestAnalysisHasNoGoroutine(t *testing.T) { report(t, goroutineBreaches(sources(t))) }
