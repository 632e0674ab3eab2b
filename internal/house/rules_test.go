package house

import (
	"strings"
	"testing"
)

// TestRulesBite shows each rule a file that breaks it and one, nearly the same,
// that does not.
func TestRulesBite(t *testing.T) {
	const ours = module
	for _, c := range []struct {
		rule      func([]source) []string
		file      string // folder/name
		text      string
		complaint string // part of it; empty: none
	}{
		{roomBreaches, "api/a.go", "package api\nimport _ \"github.com/eclipse/paho.mqtt.golang\"", "belongs in ingest/mqtt"},
		{roomBreaches, "ingest/mqtt/a.go", "package mqtt\nimport _ \"github.com/eclipse/paho.mqtt.golang\"", ""},
		{roomBreaches, "cmd/spotter/a_test.go", "package main\nimport _ \"github.com/eclipse/paho.mqtt.golang\"", ""},
		{roomBreaches, "cmd/spotter/a_test.go", "package main\nimport _ \"modernc.org/sqlite\"", "belongs in internal/view"},
		{roomBreaches, "ingest/influxer/a.go", "package influxer\nimport _ \"github.com/influxdata/influxdb-client-go/v2/api\"", "belongs in ingest/influx"},
		{roomBreaches, "internal/view/a.go", "package view\nimport _ \"github.com/nats-io/nats.go/jetstream\"", "belongs in internal/journal"},
		{roomBreaches, "cmd/spotter/a.go", "package main\nimport _ \"github.com/labstack/echo/v4\"", "belongs in api"},

		{levelBreaches, "internal/lift/a.go", "package lift\nimport _ \"" + ours + "/analysis\"", "arrows point down"},
		{levelBreaches, "ingest/a.go", "package ingest\nimport _ \"" + ours + "/api\"", "arrows point down"},
		{levelBreaches, "ingest/mqtt/a.go", "package mqtt\nimport _ \"" + ours + "/ingest/influx\"", "arrows point down"},
		{levelBreaches, "ingest/a.go", "package ingest\nimport _ \"" + ours + "/ingest/mqtt\"", "arrows point down"},
		{levelBreaches, "ingest/mqtt/a.go", "package mqtt\nimport _ \"" + ours + "/ingest\"", ""},
		{levelBreaches, "api/a.go", "package api\nimport _ \"" + ours + "/api/board\"", ""},
		{levelBreaches, "internal/sim/player/a.go", "package player\nimport _ \"" + ours + "/internal/sim\"", ""},
		{levelBreaches, "internal/journal/a.go", "package journal\nimport _ \"" + ours + "/internal/view\"", "arrows point down"},
		{levelBreaches, "internal/view/a.go", "package view\nimport _ \"" + ours + "/internal/lift\"", ""},
		{levelBreaches, "internal/util/a.go", "package util", "has no level"},

		{onlyBreaches, "internal/lift/a.go", "package lift\nimport _ \"github.com/google/uuid\"", "must not know"},
		{onlyBreaches, "internal/lift/a.go", "package lift\nimport _ \"encoding/hex\"", ""},
		{onlyBreaches, "analysis/a.go", "package analysis\nimport _ \"" + ours + "/internal/view\"", "must not know"},
		{onlyBreaches, "analysis/a.go", "package analysis\nimport _ \"log/slog\"", "must not know"},
		{onlyBreaches, "analysis/a.go", "package analysis\nimport _ \"" + ours + "/internal/lift\"", ""},

		{testingBreaches, "api/a.go", "package api\nimport _ \"testing\"", "for tests"},
		{testingBreaches, "api/a.go", "package api\nimport _ \"testing/synctest\"", "for tests"},
		{testingBreaches, "api/a.go", "package api\nimport _ \"" + ours + "/internal/house/need\"", "for tests"},
		{testingBreaches, "api/a_test.go", "package api\nimport _ \"testing\"", ""},
		{testingBreaches, "ingest/ingesttest/a.go", "package ingesttest\nimport _ \"testing\"", ""},

		{docBreaches, "api/a.go", "package api", "no doc comment"},
		{docBreaches, "api/a.go", "// The api.\npackage api", "must begin"},
		{docBreaches, "api/a.go", "// Package api serves.\npackage api", ""},
		{docBreaches, "cmd/spotter/main.go", "// Package main.\npackage main", "must begin"},
		{docBreaches, "cmd/spotter/main.go", "// Command spotter watches.\npackage main", ""},

		{clockBreaches, "internal/view/a.go", "package view\nimport \"time\"\nvar a = time.Now()", "passed in"},
		{clockBreaches, "analysis/a.go", "package analysis\nimport t \"time\"\nvar f = t.Since", "passed in"},
		{clockBreaches, "analysis/a.go", "package analysis\nimport \"time\"\nvar a = time.Second", ""},
		{clockBreaches, "ingest/mqtt/a.go", "package mqtt\nimport \"time\"\nvar a = time.Now()", ""},

		{sleepBreaches, "api/a_test.go", "package api\nimport \"time\"\nfunc f() { time.Sleep(1) }", "wait for"},
		{initBreaches, "api/a.go", "package api\nfunc init() {}", "init function"},
		{initBreaches, "api/a.go", "package api\ntype t int\nfunc (t) init() {}", ""},
		{goroutineBreaches, "analysis/a.go", "package analysis\nfunc f() { go f() }", "pure function"},
		{goroutineBreaches, "api/a.go", "package api\nfunc f() { go f() }", ""},
	} {
		slash := strings.LastIndex(c.file, "/")
		s, err := parse(c.file[:slash], c.file[slash+1:], c.text)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(c.rule([]source{s}), "\n")
		if (c.complaint == "") != (got == "") || !strings.Contains(got, c.complaint) {
			t.Errorf("%s %q: complaint %q, want %q", c.file, c.text, got, c.complaint)
		}
	}

	twice := make([]source, 2)
	for i, name := range []string{"a.go", "b.go"} {
		s, err := parse("api", name, "// Package api serves.\npackage api")
		if err != nil {
			t.Fatal(err)
		}
		twice[i] = s
	}
	if got := docBreaches(twice); len(got) != 1 || !strings.Contains(got[0], "2 doc comments") {
		t.Errorf("two package docs: complaint %q, want one about two", got)
	}
}
