package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
)

// event is one line of go test -json, as far as it is used here.
type event struct {
	Action      string
	Package     string
	Test        string
	Output      string
	Elapsed     float64 // seconds
	ImportPath  string  // of a build-output
	FailedBuild string
}

// suite is what became of one package.
type suite struct {
	path, mode string
	verdict    string // "ok", "FAIL", "NOT RUN", "no tests"; empty until it ended
	seconds    float64
	tests      int
	skipped    int // of the tests
}

// tally turns the events of go test into short progress and a final report. It
// keeps each test's output until its end and prints it only for failures.
type tally struct {
	out     io.Writer
	suites  []*suite
	byPath  map[string]*suite
	outputs map[string]map[string]*strings.Builder // package → test → what it said
	builds  map[string]*strings.Builder            // what the compiler said
	skipped []string
	broken  bool // go test failed without any package failing
}

func newTally(out io.Writer) *tally {
	return &tally{
		out:     out,
		byPath:  map[string]*suite{},
		outputs: map[string]map[string]*strings.Builder{},
		builds:  map[string]*strings.Builder{},
	}
}

// expect announces the packages of a run, so that one that never reports counts
// as failed.
func (t *tally) expect(mode string, packages []string) {
	for _, path := range packages {
		s := &suite{path: path, mode: mode}
		t.suites = append(t.suites, s)
		t.byPath[path] = s
		t.outputs[path] = map[string]*strings.Builder{}
	}
}

// line takes one line of go test -json. What is no event is passed through.
func (t *tally) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		fmt.Fprintf(t.out, "%s\n", line)
		return
	}
	if e.Action == "build-output" {
		say(t.builds, e.ImportPath, e.Output)
		return
	}
	s := t.byPath[e.Package]
	if s == nil {
		return
	}
	said := t.outputs[e.Package]
	switch e.Action {
	case "output":
		say(said, e.Test, e.Output)
	case "pass", "skip", "fail":
		if e.Test != "" {
			t.testEnded(s, said, e)
			return
		}
		t.packageEnded(s, said, e)
	}
}

func (t *tally) testEnded(s *suite, said map[string]*strings.Builder, e event) {
	s.tests++
	if e.Action == "skip" {
		s.skipped++
	}
	heard := said[e.Test]
	delete(said, e.Test)
	if heard == nil {
		return
	}
	switch e.Action {
	case "fail":
		fmt.Fprintf(t.out, "%s: %s", s.path, heard)
	case "skip":
		t.skipped = append(t.skipped, fmt.Sprintf("%s %s: %s", s.path, e.Test, reason(heard.String())))
	}
}

func (t *tally) packageEnded(s *suite, said map[string]*strings.Builder, e event) {
	s.seconds = e.Elapsed
	switch e.Action {
	case "pass":
		s.verdict = "ok"
		if s.tests > 0 && s.skipped == s.tests {
			s.verdict = "NOT RUN"
		}
	case "skip":
		s.verdict = "no tests"
	case "fail":
		s.verdict = "FAIL"
		if b := t.builds[e.FailedBuild]; b != nil {
			fmt.Fprint(t.out, b)
		}
		// Tests that had not ended when the package did: a panic or a timeout.
		for _, b := range said {
			fmt.Fprint(t.out, b)
		}
	}
	clear(said)
	t.print(s)
}

// ended closes a run: what did not report failed, and go test's own verdict
// stands even where no package shows a failure.
func (t *tally) ended(passed bool) {
	failed := false
	for _, s := range t.suites {
		if s.verdict == "" {
			s.verdict = "FAIL"
			t.print(s)
		}
		failed = failed || s.verdict == "FAIL"
	}
	if !passed && !failed {
		t.broken = true
	}
}

// report prints what ran and says whether all passed.
func (t *tally) report() bool {
	count := map[string]int{}
	fmt.Fprintln(t.out, "\nSuites:")
	for _, s := range t.suites {
		count[s.verdict]++
		t.print(s)
	}
	if len(t.skipped) > 0 {
		fmt.Fprintf(t.out, "\n*** TESTS NOT RUN: %d ***\n", len(t.skipped))
		for _, s := range t.skipped {
			fmt.Fprintln(t.out, "  "+s)
		}
	}
	if t.broken {
		fmt.Fprintln(t.out, "\n*** go test failed outside of any package; its message is above ***")
	}
	fmt.Fprintf(t.out, "\n%d packages ok, %d failed, %d not run, %d without tests, %d tests not run\n",
		count["ok"], count["FAIL"], count["NOT RUN"], count["no tests"], len(t.skipped))
	return count["FAIL"] == 0 && !t.broken
}

func (t *tally) print(s *suite) {
	fmt.Fprintf(t.out, "%-8s  %-5s  %s  %d tests, %d not run  %.1f s\n", s.verdict, s.mode, s.path, s.tests, s.skipped, s.seconds)
}

// say appends to what a test or a build has said.
func say(to map[string]*strings.Builder, who, what string) {
	b := to[who]
	if b == nil {
		b = &strings.Builder{}
		to[who] = b
	}
	b.WriteString(what)
}

// reason is the line of a skipped test's output that tells why.
func reason(said string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			return line
		}
	}
	return "no reason given"
}
