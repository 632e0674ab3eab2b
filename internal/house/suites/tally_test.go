package main

import (
	"strings"
	"testing"
)

// feed runs events of one package through a tally and returns its words.
func feed(passed bool, events ...string) (string, bool) {
	var out strings.Builder
	t := newTally(&out)
	t.expect("race", []string{"m/p"})
	for _, e := range events {
		t.line([]byte(e))
	}
	t.ended(passed)
	ok := t.report()
	return out.String(), ok
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name     string
		goPassed bool
		events   []string
		ok       bool
		says     []string
		silent   []string
	}{
		{
			name: "a passing package is listed and its chatter is not", goPassed: true, ok: true,
			events: []string{
				`{"Action":"output","Package":"m/p","Test":"TestA","Output":"chatter\n"}`,
				`{"Action":"pass","Package":"m/p","Test":"TestA","Elapsed":0.1}`,
				`{"Action":"pass","Package":"m/p","Elapsed":1.5}`,
			},
			says: []string{"ok        race   m/p  1 tests, 0 not run  1.5 s", "1 packages ok, 0 failed"}, silent: []string{"chatter"},
		},
		{
			name: "a failing test shows what it said",
			events: []string{
				`{"Action":"output","Package":"m/p","Test":"TestA","Output":"want 3\n"}`,
				`{"Action":"fail","Package":"m/p","Test":"TestA"}`,
				`{"Action":"fail","Package":"m/p"}`,
			},
			says: []string{"want 3", "FAIL      race   m/p", "1 failed"},
		},
		{
			name: "a skipped test is listed with its reason, and a package of such did not run", goPassed: true, ok: true,
			events: []string{
				`{"Action":"output","Package":"m/p","Test":"TestB","Output":"=== RUN   TestB\n"}`,
				`{"Action":"output","Package":"m/p","Test":"TestB","Output":"    b_test.go:9: NOT RUN: this test needs mosquitto\n"}`,
				`{"Action":"skip","Package":"m/p","Test":"TestB"}`,
				`{"Action":"pass","Package":"m/p"}`,
			},
			says: []string{"NOT RUN   race   m/p  1 tests, 1 not run", "TESTS NOT RUN: 1", "m/p TestB: b_test.go:9: NOT RUN: this test needs mosquitto"},
		},
		{
			name: "a build failure shows the compiler's words",
			events: []string{
				`{"Action":"build-output","ImportPath":"m/p [m/p.test]","Output":"p.go:3: undefined: x\n"}`,
				`{"Action":"fail","Package":"m/p","FailedBuild":"m/p [m/p.test]"}`,
			},
			says: []string{"undefined: x", "FAIL"},
		},
		{
			name: "a test cut off by a timeout shows what it had said",
			events: []string{
				`{"Action":"output","Package":"m/p","Test":"TestA","Output":"waiting for the broker\n"}`,
				`{"Action":"output","Package":"m/p","Output":"panic: test timed out\n"}`,
				`{"Action":"fail","Package":"m/p"}`,
			},
			says: []string{"waiting for the broker", "timed out"},
		},
		{
			name: "a package that never reports has failed",
			says: []string{"FAIL"},
		},
		{
			name: "a failure of go test itself is not lost",
			events: []string{
				`{"Action":"pass","Package":"m/p"}`,
				`go: something odd`,
			},
			says: []string{"go: something odd", "outside of any package"},
		},
		{
			name: "a package without tests is said to have none", goPassed: true, ok: true,
			events: []string{`{"Action":"skip","Package":"m/p"}`},
			says:   []string{"no tests", "1 without tests"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, ok := feed(c.goPassed, c.events...)
			if ok != c.ok {
				t.Errorf("all passed = %v, want %v", ok, c.ok)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("does not say %q:\n%s", want, said)
				}
			}
			for _, not := range c.silent {
				if strings.Contains(said, not) {
					t.Errorf("says %q:\n%s", not, said)
				}
			}
		})
	}
}

func TestPlainPathsTakeWholeFolders(t *testing.T) {
	roots := []string{"internal/view", "cmd/spotter"}
	for path, want := range map[string]bool{
		"internal/view":       true,
		"internal/view/query": true,
		"internal/viewer":     false,
		"cmd":                 false,
		"":                    false,
	} {
		if got := under(path, roots); got != want {
			t.Errorf("under(%q) = %v, want %v", path, got, want)
		}
	}
}
