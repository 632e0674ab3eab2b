package compose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

var file = filepath.Join("..", "..", "..", "docker-compose.yml")

func load(t *testing.T) *types.Project { return loadProfile(t, "") }

func loadProfile(t *testing.T, profile string) *types.Project {
	t.Helper()
	project, err := Load(t.Context(), profile, file)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestComposeFileIsClosedByDefault(t *testing.T) {
	always := []string{"grafana", "influxdb", "prometheus", "secrets", "spotter"}
	broker := []string{"mosquitto", "mosquitto-users"}
	more := map[string][]string{
		"":          nil,
		"mosquitto": broker,
		"cluster":   append([]string{"nats-1", "nats-2", "nats-3", "nats-volumes"}, broker...),
	}
	for _, profile := range Profiles {
		t.Run("profile "+profile, func(t *testing.T) {
			project := loadProfile(t, profile)
			for _, breach := range Check(project) {
				t.Error(breach)
			}
			want := slices.Sorted(slices.Values(slices.Concat(always, more[profile])))
			if got := project.ServiceNames(); !slices.Equal(got, want) {
				t.Errorf("services %q, want %q", got, want)
			}
		})
	}
	if _, err := Load(t.Context(), "mosquito", file); err == nil || !strings.Contains(err.Error(), "mosquito.env") {
		t.Errorf("a profile that is misspelt: %v, want an error that names its settings", err)
	}
}

func TestRepsAreTakenWithoutInfluxDB(t *testing.T) {
	for _, profile := range Profiles {
		if got := loadProfile(t, profile).Services["spotter"].DependsOn["influxdb"].Condition; got == types.ServiceConditionHealthy {
			t.Errorf("profile %q: spotter waits for InfluxDB, but must take reps in without it", profile)
		}
	}
}

// TestRulesBite breaks the real file in one place at a time.
func TestRulesBite(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		name      string
		service   string
		breakIt   func(*types.ServiceConfig)
		complaint string
	}{
		{"latest", "influxdb", func(s *types.ServiceConfig) { s.Image = "influxdb:latest" }, "not pinned"},
		{"no tag", "grafana", func(s *types.ServiceConfig) { s.Image = "grafana/grafana" }, "not pinned"},
		{"major only", "influxdb", func(s *types.ServiceConfig) { s.Image = "influxdb:2" }, "not pinned"},
		{"open port", "spotter", func(s *types.ServiceConfig) { s.Ports[0].HostIP = "" }, "not on 127.0.0.1"},
		{"port on all", "grafana", func(s *types.ServiceConfig) { s.Ports[0].HostIP = "0.0.0.0" }, "not on 127.0.0.1"},
		{"no health check", "spotter", func(s *types.ServiceConfig) { s.HealthCheck = nil }, "no health check"},
		{"health check off", "influxdb", func(s *types.ServiceConfig) { s.HealthCheck.Test = []string{"NONE"} }, "no health check"},
		{"secret in the environment", "influxdb", func(s *types.ServiceConfig) {
			s.Environment["DOCKER_INFLUXDB_INIT_PASSWORD"] = text("hunter2hunter2")
		}, "DOCKER_INFLUXDB_INIT_PASSWORD is a secret"},
		{"token in the environment", "spotter", func(s *types.ServiceConfig) {
			s.Environment["SPOTTER_INFLUX_TOKEN"] = text("abc")
		}, "SPOTTER_INFLUX_TOKEN is a secret"},
		{"secret on the command line", "spotter", func(s *types.ServiceConfig) {
			s.Command = append(s.Command, "--influx-token=abc")
		}, "--influx-token is a secret"},
		{"secret not mounted", "grafana", func(s *types.ServiceConfig) { s.Volumes = nil }, "on no read-only volume"},
		{"secret writable", "spotter", func(s *types.ServiceConfig) {
			for i := range s.Volumes {
				s.Volumes[i].ReadOnly = false
			}
		}, "on no read-only volume"},
		{"writable root", "grafana", func(s *types.ServiceConfig) { s.ReadOnly = false }, "can be written"},
		{"user left out", "influxdb", func(s *types.ServiceConfig) { s.User = "" }, "runs as root"},
		{"root", "spotter", func(s *types.ServiceConfig) { s.User = "root:root" }, "runs as root"},
		{"root with a network", "secrets", func(s *types.ServiceConfig) { s.NetworkMode = "" }, "runs as root"},
		{"capabilities kept", "spotter", func(s *types.ServiceConfig) { s.CapDrop = nil }, "drop all capabilities"},
		{"capability taken", "spotter", func(s *types.ServiceConfig) { s.CapAdd = []string{"NET_ADMIN"} }, "NET_ADMIN"},
		{"more than CHOWN", "secrets", func(s *types.ServiceConfig) { s.CapAdd = append(s.CapAdd, "SYS_ADMIN") }, "SYS_ADMIN"},
		{"new privileges", "influxdb", func(s *types.ServiceConfig) { s.SecurityOpt = nil }, "new privileges"},
		{"privileged", "influxdb", func(s *types.ServiceConfig) { s.Privileged = true }, "is privileged"},
		{"host network", "spotter", func(s *types.ServiceConfig) { s.NetworkMode = "host" }, "namespace with the host"},
		{"host folder writable", "grafana", func(s *types.ServiceConfig) {
			for i := range s.Volumes {
				s.Volumes[i].ReadOnly = false
			}
		}, "of the host can be written"},
		{"Docker's socket", "grafana", func(s *types.ServiceConfig) {
			s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{Type: types.VolumeTypeBind, Source: "/run/docker.sock", Target: "/x", ReadOnly: true})
		}, "is a socket"},
		{"no limits", "grafana", func(s *types.ServiceConfig) { s.Deploy = nil }, "no resource limits"},
		{"no memory limit", "influxdb", func(s *types.ServiceConfig) { s.Deploy.Resources.Limits.MemoryBytes = 0 }, "lacks a limit"},
		{"mounted file that is not there", "nats-2", func(s *types.ServiceConfig) {
			for i := range s.Volumes {
				s.Volumes[i].Source += "x"
			}
		}, "is not there"},
		{"mounted file without SELinux's label", "prometheus", func(s *types.ServiceConfig) {
			for i := range s.Volumes {
				s.Volumes[i].Bind = nil
			}
		}, "without z"},
		{"a port twice", "mosquitto", func(s *types.ServiceConfig) { s.Ports[0].Published = "8080" }, "both publish 127.0.0.1:8080"},
		{"a volume of two", "nats-3", func(s *types.ServiceConfig) {
			for i := range s.Volumes {
				s.Volumes[i].Source = strings.Replace(s.Volumes[i].Source, "nats-3-data", "nats-1-data", 1)
			}
		}, "both write to nats-1-data"},
		{"the secrets of all", "prometheus", func(s *types.ServiceConfig) {
			s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{Type: types.VolumeTypeVolume, Source: "secrets", Target: "/s", ReadOnly: true})
		}, "every secret"},
		{"started before its secrets", "influxdb", func(s *types.ServiceConfig) { delete(s.DependsOn, "secrets") }, "has filled secrets-influxdb"},
		{"started before its users", "mosquitto", func(s *types.ServiceConfig) { delete(s.DependsOn, "mosquitto-users") }, "has filled mosquitto-users"},
		{"started before its volume is its own", "nats-2", func(s *types.ServiceConfig) { delete(s.DependsOn, "nats-volumes") }, "has filled nats-2-data"},
		{"no restart policy", "grafana", func(s *types.ServiceConfig) { s.Restart = "" }, "started again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			project := loadProfile(t, "cluster")
			service := project.Services[c.service]
			c.breakIt(&service)
			project.Services[c.service] = service
			got := Check(project)
			if !slices.ContainsFunc(got, func(b string) bool {
				return strings.Contains(b, c.service) && strings.Contains(b, c.complaint)
			}) {
				t.Errorf("complaints %q, want one of %s about %q", got, c.service, c.complaint)
			}
		})
	}
}

func TestUnpinnedBaseImageIsFound(t *testing.T) {
	for text, want := range map[string]bool{
		"FROM golang:1.26.8 AS build\nFROM scratch\n":         false,
		"FROM golang:1.26.8 AS build\nFROM build\n":           false,
		"FROM golang AS build\nFROM scratch\n":                true,
		"FROM golang:latest AS build\nFROM scratch\n":         true,
		"FROM golang:1.26.8 AS build\nFROM debian:bookworm\n": true,
		"# nothing\n": true,
	} {
		dockerfile := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(dockerfile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := unpinnedBases(dockerfile); (got != nil) != want {
			t.Errorf("%q: complaints %q, want some: %v", text, got, want)
		}
	}
}

func TestInvalidComposeFileIsRefused(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "docker-compose.yml")
	if err := os.WriteFile(broken, []byte("name: x\nservices:\n  a:\n    image: b:1.0\n    prots: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), "", broken); err == nil {
		t.Error("an unknown key was accepted")
	}
}
