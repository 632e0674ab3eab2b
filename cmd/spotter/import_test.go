package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A training log is brought to a folder without a server, looked at first, and a
// server that is started then shows it.
func TestATrainingLogIsImported(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "log.csv")
	log := "date,exercise,set,reps,load_kg\n2026-11-02,Kreuzheben,1,5,100\n2026-11-02,Kreuzheben,2,five,100\n2026-11-02,Deadlift,1,3,140\n"
	if err := os.WriteFile(file, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	spotter := func(want int, args ...string) string {
		t.Helper()
		var out, said bytes.Buffer
		if code := run(t.Context(), append([]string{"import", file}, args...), &out, &said); code != want {
			t.Fatalf("%v: exit code %d, want %d: %s", args, code, want, said.String())
		}
		return out.String() + said.String()
	}
	says := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("no %q in\n%s", part, text)
			}
		}
	}
	says(spotter(2, "--athlete", "Ana", "--unit", "stone", "--zone", "Here", "--format", "excel", "--data", data),
		"athlete", "--unit", "--zone", "--format")
	says(spotter(1, "--athlete", "ana", "--data", data), "time zone", "--zone Europe/Berlin")
	empty := filepath.Join(dir, "empty.csv")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	says(spotter(1, empty, "--athlete", "ana", "--zone", "UTC", "--format", "hevy", "--data", data), "header is not one of hevy", "--format")
	says(spotter(1, "--athlete", "ana", "--zone", "UTC", "--with", empty, "--data", data), "the file is empty")
	berlin := []string{"--athlete", "ana", "--zone", "Europe/Berlin", "--exercise", "Kreuzheben=deadlift"}
	says(spotter(0, append(berlin, "--data", data, "--dry-run")...), "Nothing was changed", "Nothing was known of ana before", "2  new", "1  not taken")
	says(spotter(0, append(berlin, "--data", data)...), "plain, 3 rows", "2  new", "line 3", "reps")

	server := launch(t, "serve", "--data", data, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0")
	var sets struct {
		Items []struct {
			Source string  `json:"source"`
			Load   float64 `json:"load_kg"`
		} `json:"items"`
	}
	server.get("/api/v1/athletes/ana/sets?from=2026-01-01T00:00:00Z", &sets)
	if len(sets.Items) != 2 || sets.Items[0].Source != "logged" {
		t.Errorf("%+v", sets.Items)
	}
	says(spotter(0, append(berlin, "--server", server.HTTP, "--token", adminToken)...), "2  already so")
	says(spotter(0, append(berlin, "--server", server.HTTP, "--token", adminToken, "--json")...), `"same": 2`)
	says(spotter(0, append(berlin, "--server", server.HTTP, "--token", adminToken, "--take-back")...), "2  taken back")
	says(spotter(1, append(berlin, "--data", data)...), "in use by another spotter")
}
