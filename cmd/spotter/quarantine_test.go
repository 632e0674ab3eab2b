package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/journal"
)

// What is in quarantine can be listed, read, mended and deleted while no server runs.
func TestQuarantineIsLookedAfterWithoutAServer(t *testing.T) {
	data := t.TempDir()
	log, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(data, "log"), Fsync: time.Second, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{`{"boot_id":"b1","seq":1,"time":"2026-11-22T10:00:00Z","mean_velocity_mps":9}`, `{`} {
		events := ingest.Decode(ingest.Message{Topic: "spotter/v1/main/device/bar-1/rep", Payload: []byte(message), Received: time.Now()}).Events
		if _, err := log.Append(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
	}
	log.Close()
	spotter := func(want int, args ...string) string {
		t.Helper()
		var out, said bytes.Buffer
		if code := run(t.Context(), append([]string{"quarantine"}, append(args, "--data", data)...), &out, &said); code != want {
			t.Fatalf("%v: exit code %d, want %d: %s", args, code, want, said.String())
		}
		return out.String()
	}
	id := func(what string) string {
		t.Helper()
		for line := range strings.Lines(spotter(0, "list")) {
			if strings.Contains(line, what) {
				return strings.Fields(line)[0]
			}
		}
		t.Fatalf("no %s in\n%s", what, spotter(0, "list"))
		return ""
	}
	bad := id("mean_velocity_mps")
	if text := spotter(0, "show", bad); !strings.Contains(text, `"mean_velocity_mps":9`) {
		t.Errorf("shown: %s", text)
	}
	spotter(1, "replay", bad)
	fixed := filepath.Join(t.TempDir(), "fixed.json")
	if err := os.WriteFile(fixed, []byte(`{"boot_id":"b1","seq":1,"time":"2026-11-22T10:00:00Z","mean_velocity_mps":0.9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	spotter(0, "replay", bad, "--corrected", fixed)
	spotter(0, "delete", id("not JSON"))
	if lines := strings.Count(spotter(0, "list"), "\n"); lines != 1 {
		t.Errorf("%d lines are left, want the head alone", lines)
	}
	spotter(1, "show", "qu_nothing")
}
