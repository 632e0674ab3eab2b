// Command suites runs every test of the module and says at the end which
// packages ran, which failed and which tests could not be run.
//
// It uses the race detector where a C compiler works, and says loudly where none
// does. Packages under a path of -plain run without it all the same: the pure Go
// SQLite and the kill tests are several times slower with it, which hides the
// very timing that they are about.
//
// Exit codes: 0 all passed, 1 something failed, 2 wrong use.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	plain := flag.String("plain", "", "comma-separated `paths` in the module that run without the race detector")
	timeout := flag.String("timeout", "20m", "the longest that one package's tests may `take`")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "suites: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	passed, err := run(ctx, os.Stdout, strings.Split(*plain, ","), *timeout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(1)
	}
	if !passed {
		os.Exit(1)
	}
}

// run runs all packages, in one go with the race detector and one without, and
// reports whether all passed. An error means that not all of them could be run.
func run(ctx context.Context, out io.Writer, plain []string, timeout string) (bool, error) {
	racing, ordinary, err := packages(ctx, plain)
	if err != nil {
		return false, err
	}
	reason, err := noRace(ctx)
	if err != nil {
		return false, err
	}
	if reason != "" {
		fmt.Fprintf(out, "*** WITHOUT THE RACE DETECTOR: %s ***\n", reason)
		ordinary, racing = append(racing, ordinary...), nil
	}
	t := newTally(out)
	if err := test(ctx, t, "race", racing, "-race", "-timeout", timeout); err != nil {
		return false, err
	}
	if err := test(ctx, t, "plain", ordinary, "-timeout", timeout); err != nil {
		return false, err
	}
	passed := t.report()
	if reason != "" {
		fmt.Fprintf(out, "*** WITHOUT THE RACE DETECTOR: %s ***\n", reason)
	}
	return passed, nil
}

// packages splits the module's packages into those for the race detector and
// those under a plain path.
func packages(ctx context.Context, plain []string) (racing, ordinary []string, err error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-f", "{{.ImportPath}} {{.Module.Path}}", "./...")
	cmd.Stderr = os.Stderr
	list, err := cmd.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("list packages: %w", err)
	}
	for line := range strings.Lines(string(list)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		if under(strings.TrimPrefix(strings.TrimPrefix(path, module), "/"), plain) {
			ordinary = append(ordinary, path)
		} else {
			racing = append(racing, path)
		}
	}
	return racing, ordinary, nil
}

// under says whether a path is one of the roots or lies below one.
func under(path string, roots []string) bool {
	for _, root := range roots {
		if root != "" && (path == root || strings.HasPrefix(path, root+"/")) {
			return true
		}
	}
	return false
}

// noRace says why the race detector cannot be used here, or "" when it can. It
// builds a small program with it, because a compiler without the C library's
// headers looks like one that works.
func noRace(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "suites")
	if err != nil {
		return "", fmt.Errorf("try the race detector: %w", err)
	}
	defer os.RemoveAll(dir)
	source := filepath.Join(dir, "main.go")
	const program = "package main\n\n// #include <stdlib.h>\nimport \"C\"\n\nfunc main() { C.free(nil) }\n"
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		return "", fmt.Errorf("try the race detector: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-race", "-o", filepath.Join(dir, "out"), source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	said, err := cmd.CombinedOutput()
	if err == nil {
		return "", nil
	}
	if _, ran := errors.AsType[*exec.ExitError](err); !ran {
		return "", fmt.Errorf("try the race detector: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return "no C compiler works here (" + lines[len(lines)-1] + ")", nil
}

// test runs the tests of some packages and feeds what they say to the tally.
// Failing tests are the tally's to report; an error means that go test itself
// could not be run.
func test(ctx context.Context, t *tally, mode string, packages []string, flags ...string) error {
	if len(packages) == 0 {
		return nil
	}
	args := append([]string{"test", "-json", "-count=1"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.Stderr = os.Stderr
	if mode == "race" {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	events, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	t.expect(mode, packages)
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		t.line(lines.Bytes())
	}
	readErr := lines.Err()
	waitErr := cmd.Wait()
	if _, ran := errors.AsType[*exec.ExitError](waitErr); waitErr != nil && !ran {
		readErr = errors.Join(readErr, waitErr)
	}
	if err := errors.Join(readErr, ctx.Err()); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	t.ended(waitErr == nil)
	return nil
}
