package house

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	toReady    = time.Minute
	adminToken = "test-token-of-the-admin"
)

// program is the real spotter, built from this tree.
type program struct{ path string }

func build(t *testing.T) program {
	t.Helper()
	p := program{filepath.Join(t.TempDir(), "spotter")}
	command := exec.Command("go", "build", "-o", p.path, "./cmd/spotter")
	command.Dir = filepath.Join("..", "..")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build spotter: %v\n%s", err, out)
	}
	return p
}

func (p program) help(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command(p.path, append(strings.Fields(command), "--help")...).Output()
	if err != nil {
		t.Fatalf("spotter %s --help: %v", command, err)
	}
	return string(out)
}

var (
	commandLine = regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)\b.*$`)
	flagLine    = regexp.MustCompile(`(?m)^ +(?:-[a-z], )?--([a-z-]+)(?:=("?)([^\s"]*))?`)
)

// commands are those that the help lists.
func (p program) commands(t *testing.T) []string {
	t.Helper()
	_, list, _ := strings.Cut(p.help(t, ""), "Commands:\n")
	var all []string
	for _, m := range commandLine.FindAllStringSubmatch(list, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return all
}

// flags are a command's own flags with their defaults, "" without one.
func (p program) flags(t *testing.T, command string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, m := range flagLine.FindAllStringSubmatch(p.help(t, command), -1) {
		value := m[3]
		if value == "STRING" || strings.HasSuffix(value, ",...") || strings.HasSuffix(value, ";...") {
			value = ""
		}
		if m[1] != "help" && m[1] != "log-level" && m[1] != "log-format" {
			all["--"+m[1]] = value
		}
	}
	return all
}

// serve starts the program and returns where its API is.
func (p program) serve(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	command := exec.CommandContext(ctx, p.path, append([]string{"serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
	command.Env = append(os.Environ(), "SPOTTER_ADMIN_TOKEN="+adminToken)
	var logged bytes.Buffer
	command.Stderr = &logged
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
	})
	lines := make(chan []byte, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadBytes('\n')
		lines <- line
	}()
	select {
	case line := <-lines:
		var at struct{ HTTP string }
		if err := json.Unmarshal(line, &at, json.MatchCaseInsensitiveNames(true)); err != nil || at.HTTP == "" {
			cancel()
			_ = command.Wait()
			t.Fatalf("spotter does not start: %q, %v\n%s", line, err, logged.String())
		}
		return at.HTTP
	case <-time.After(toReady):
		t.Fatal("spotter is not ready")
		return ""
	}
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.Header.Get("Content-Type") == "text/event-stream" {
		line, err := bufio.NewReader(answer.Body).ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%s", url, answer.Status, body)
	}
	return body
}
