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

	"github.com/compose-spec/compose-go/v2/types"
)

// generator is the script of the service secrets, working in a folder of the test.
type generator struct{ dir string }

// newGenerator needs bash, which the service's image has. Giving a file away takes
// root, so chown only writes down what it was told.
func newGenerator(t *testing.T) generator {
	t.Helper()
	program(t, "bash")
	dir := t.TempDir()
	folders := []string{"bin"}
	for _, v := range load(t).Services["secrets"].Volumes {
		if v.Type == types.VolumeTypeVolume {
			folders = append(folders, v.Target)
		}
	}
	for _, d := range folders {
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

// program is the path of a program that a test needs. A test that cannot run says so,
// and has failed where CI is true.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("NOT RUN: this test needs %s, and CI is true", name)
	}
	t.Skipf("NOT RUN: this test needs %s", name)
	return ""
}

// script is what a service runs, and with which shell: the file of the repository
// that is mounted where its entrypoint says.
func script(t *testing.T, service types.ServiceConfig) (shell, text string) {
	t.Helper()
	for _, v := range service.Volumes {
		if len(service.Entrypoint) == 2 && v.Type == types.VolumeTypeBind && v.Target == service.Entrypoint[1] {
			return service.Entrypoint[0], read(t, v.Source)
		}
	}
	t.Fatalf("%s runs %q, which is not mounted", service.Name, service.Entrypoint)
	return "", ""
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// moved puts other paths into a script's first lines. Each has to be there.
func moved(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %q in\n%s", pairs[i], text)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func (g generator) run(t *testing.T, args ...string) string {
	t.Helper()
	said, err := g.try(t, args...)
	if err != nil {
		t.Fatalf("the script failed: %v\n%s", err, said)
	}
	return said
}

func (g generator) try(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	shell, text := script(t, load(t).Services["secrets"])
	text = moved(t, text, "master=/secrets given=/for", "master="+g.dir+"/secrets given="+g.dir+"/for")
	cmd := exec.Command(shell, slices.Concat([]string{"-c", text, "secrets.sh"}, args)...)
	cmd.Env = []string{"PATH=" + filepath.Join(g.dir, "bin") + ":" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	return string(out), err
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
	want := []string{
		"grafana-admin-password", "influx-admin-password", "influx-token", "mqtt-health-password", "mqtt-password",
		"nats-password", "nats-route-password", "spotter-admin-token", "spotter-metrics-token",
	}
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
	// Who has which, whole or within a file that their program reads.
	readers := map[string][]string{
		"grafana/grafana-admin-password":   {"grafana-admin-password"},
		"grafana/influx-token":             {"influx-token"},
		"influxdb/influx-admin-password":   {"influx-admin-password"},
		"influxdb/influx-token":            {"influx-token"},
		"mosquitto/mosquitto_sub":          {"mqtt-health-password"},
		"mosquitto/mqtt-health-password":   {"mqtt-health-password"},
		"mosquitto/mqtt-password":          {"mqtt-password"},
		"nats/nats.conf":                   {"nats-password", "nats-route-password"},
		"prometheus/spotter-metrics-token": {"spotter-metrics-token"},
		"spotter/influx-token":             {"influx-token"},
		"spotter/mqtt-password":            {"mqtt-password"},
		"spotter/nats-url":                 {"nats-password"},
		"spotter/spotter-admin-token":      {"spotter-admin-token"},
		"spotter/spotter-metrics-token":    {"spotter-metrics-token"},
	}
	if got, want := slices.Sorted(maps.Keys(given)), slices.Sorted(maps.Keys(readers)); !slices.Equal(got, want) {
		t.Fatalf("given %q, want %q", got, want)
	}
	for name, text := range given {
		for secret, value := range master {
			if got, want := strings.Contains(text, value), slices.Contains(readers[name], secret); got != want {
				t.Errorf("%s has %s: %v, want %v", name, secret, got, want)
			}
		}
		if modes[name] != 0o400 {
			t.Errorf("%s has mode %o, want 400", name, modes[name])
		}
	}
	chowned := read(t, filepath.Join(g.dir, "chowned"))
	project := loadProfile(t, "cluster")
	for _, name := range project.ServiceNames() {
		service := project.Services[name]
		for _, v := range service.Volumes {
			folder, ok := strings.CutPrefix(v.Source, "secrets-")
			if !ok || name == "secrets" {
				continue
			}
			files := 0
			for file := range given {
				if strings.HasPrefix(file, folder+"/") {
					files++
				}
			}
			if got := strings.Count(chowned, service.User+" "+g.dir+"/for/"+folder+"/."); got != files || files == 0 {
				t.Errorf("%s runs as %s: %d of the %d files of %s were given to it:\n%s", name, service.User, got, files, folder, chowned)
			}
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

func TestEverySecretCanBeShownAndNothingElse(t *testing.T) {
	g := newGenerator(t)
	g.run(t)
	master, _ := g.files(t, "secrets")
	for name, secret := range master {
		if got := g.run(t, "show", name); got != secret+"\n" {
			t.Errorf("%s is shown as %q, want %q", name, got, secret)
		}
	}
	for _, wrong := range []string{"", "spotter", "../for/spotter/nats-url", ".influx-token"} {
		if said, err := g.try(t, "show", wrong); err == nil || !strings.Contains(said, "spotter-admin-token") {
			t.Errorf("show %q: %q, %v; want it refused, and those named that there are", wrong, said, err)
		}
	}
}
