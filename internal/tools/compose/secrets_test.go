package compose

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// generator is the script of the service secrets, working in a folder of the test.
type generator struct{ dir string }

// newGenerator needs bash, which the service's image has. Giving a file away takes
// root, so chown only writes down what it was told.
func newGenerator(t *testing.T) generator {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("NOT RUN: this test needs bash, and CI is true")
		}
		t.Skip("NOT RUN: this test needs bash")
	}
	dir := t.TempDir()
	for _, d := range []string{"bin", "secrets", "for/influxdb", "for/grafana", "for/spotter"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chown := "#!/bin/sh\necho \"$@\" >>" + filepath.Join(dir, "chowned") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "bin", "chown"), []byte(chown), 0o755); err != nil {
		t.Fatal(err)
	}
	return generator{dir}
}

func (g generator) run(t *testing.T, args ...string) string {
	t.Helper()
	words := slices.Concat(load(t).Services["secrets"].Entrypoint, args)
	for i, w := range words {
		w = strings.ReplaceAll(w, "/for/", g.dir+"/for/")
		words[i] = strings.ReplaceAll(w, "master=/secrets", "master="+g.dir+"/secrets")
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = []string{"PATH=" + filepath.Join(g.dir, "bin") + ":" + os.Getenv("PATH")}
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the script failed: %v\n%s", err, said)
	}
	return string(said)
}

// files reads every file below a folder, with its permissions.
func (g generator) files(t *testing.T, folder string) (texts map[string]string, modes map[string]os.FileMode) {
	t.Helper()
	texts, modes = map[string]string{}, map[string]os.FileMode{}
	for _, pattern := range []string{"*", "*/*"} {
		names, err := filepath.Glob(filepath.Join(g.dir, folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.IsDir() {
				continue
			}
			rel, err := filepath.Rel(filepath.Join(g.dir, folder), name)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[rel], modes[rel] = string(text), info.Mode().Perm()
		}
	}
	return texts, modes
}

func TestSecretsAreMadeOnceAndGivenOnlyToTheirReaders(t *testing.T) {
	g := newGenerator(t)
	if said := g.run(t); said != "" {
		t.Errorf("the script says %q where everybody can read it", said)
	}
	master, modes := g.files(t, "secrets")
	want := []string{"grafana-admin-password", "influx-admin-password", "influx-token", "spotter-admin-token"}
	if got := slices.Sorted(maps.Keys(master)); !slices.Equal(got, want) {
		t.Fatalf("secrets %q, want %q", got, want)
	}
	seen := map[string]string{}
	for name, secret := range master {
		if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(secret) {
			t.Errorf("%s is %q, want 64 hexadecimal digits", name, secret)
		}
		if other, twice := seen[secret]; twice {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[secret] = name
		if modes[name] != 0o600 {
			t.Errorf("%s has mode %o, want 600", name, modes[name])
		}
	}

	given, modes := g.files(t, "for")
	want = []string{
		"grafana/grafana-admin-password", "grafana/influx-token",
		"influxdb/influx-admin-password", "influxdb/influx-token",
		"spotter/influx-token", "spotter/spotter-admin-token",
	}
	if got := slices.Sorted(maps.Keys(given)); !slices.Equal(got, want) {
		t.Fatalf("given %q, want %q", got, want)
	}
	for name, secret := range given {
		if secret != master[filepath.Base(name)] {
			t.Errorf("%s is not the secret of that name", name)
		}
		if modes[name] != 0o400 {
			t.Errorf("%s has mode %o, want 400", name, modes[name])
		}
	}
	chowned, err := os.ReadFile(filepath.Join(g.dir, "chowned"))
	if err != nil {
		t.Fatal(err)
	}
	for folder, user := range map[string]string{"influxdb": "1000:1000", "grafana": "472:0", "spotter": "65532:65532"} {
		if got := load(t).Services[folder].User; got != user {
			t.Errorf("%s runs as %s, but its secrets are given to %s", folder, got, user)
		}
		if got := strings.Count(string(chowned), user+" "+g.dir+"/for/"+folder+"/."); got != 2 {
			t.Errorf("%d files of %s were given to %s, want 2:\n%s", got, folder, user, chowned)
		}
	}

	g.run(t)
	again, _ := g.files(t, "for")
	if !maps.Equal(given, again) {
		t.Error("a second start changed the secrets")
	}
}

func TestStartThatWasCutOffIsMended(t *testing.T) {
	g := newGenerator(t)
	// Cut off after the first secret, in the middle of writing the second.
	for name, text := range map[string]string{"influx-admin-password": "kept", ".influx-token": "half"} {
		if err := os.WriteFile(filepath.Join(g.dir, "secrets", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.run(t)
	given, _ := g.files(t, "for")
	if given["influxdb/influx-admin-password"] != "kept" {
		t.Error("a secret that was there was made anew")
	}
	token := given["spotter/influx-token"]
	if len(token) != 64 || token != given["influxdb/influx-token"] || token != given["grafana/influx-token"] {
		t.Errorf("the token differs between its readers or is not whole: %q", given)
	}
}

func TestSecretCanBeShown(t *testing.T) {
	g := newGenerator(t)
	g.run(t)
	master, _ := g.files(t, "secrets")
	if got := strings.TrimSpace(g.run(t, "show", "spotter-admin-token")); got != master["spotter-admin-token"] {
		t.Errorf("shown %q, want %q", got, master["spotter-admin-token"])
	}
}
