package compose

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/prometheus/config"
)

const patience = 90 * time.Second

// stand is a folder of the test where the stack's own files, scripts and commands run
// without an engine: what differs is where folders lie and where programs listen.
type stand struct {
	t       *testing.T
	project *types.Project
	dir     string
	spotter string // the program
	broker  *exec.Cmd
	moved   []string
}

// newStand starts what comes before Spotter in a profile: secrets, broker and log.
func newStand(t *testing.T, profile, spotter string) *stand {
	g := newGenerator(t)
	g.run(t)
	s := &stand{t: t, project: loadProfile(t, profile), dir: g.dir, spotter: spotter}
	http, mqtt := s.listens("spotter:8080"), s.listens("spotter:1883")
	s.moved = append(s.moved,
		"/usr/local/bin/spotter", spotter,
		"--data=/data", "--data="+filepath.Join(g.dir, "data"),
		"/run/secrets/spotter", filepath.Join(g.dir, "for", "spotter"),
		"0.0.0.0:8080", http,
		"0.0.0.0:1883", mqtt,
		"http://influxdb:8086", "http://127.0.0.1:1", // away, which stops nothing
	)
	if profile == "cluster" {
		s.runNATS()
	}
	if profile != "" {
		s.runMosquitto()
	}
	return s
}

// listens is a free address here for one of the stack.
func (s *stand) listens(there string) string {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s.moved = append(s.moved, there, l.Addr().String())
	return l.Addr().String()
}

func (s *stand) here(text string) string { return strings.NewReplacer(s.moved...).Replace(text) }

func (s *stand) write(path, text string) string {
	s.t.Helper()
	path = filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// mounted is the file of the repository that a service sees at a path.
func (s *stand) mounted(service, target string) string {
	s.t.Helper()
	for _, v := range s.project.Services[service].Volumes {
		if v.Type == types.VolumeTypeBind && v.Target == target {
			return read(s.t, v.Source)
		}
	}
	s.t.Fatalf("%s has no %s", service, target)
	return ""
}

// start runs a program until the test ends, and shows what it said where the test has
// failed.
func (s *stand) start(name string, env []string, words ...string) *exec.Cmd {
	s.t.Helper()
	said, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, said, said
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		s.show(name)
	})
	return cmd
}

// show lets a test that has failed tell what a program said.
func (s *stand) show(name string) {
	if text, err := os.ReadFile(filepath.Join(s.dir, name+".log")); err == nil && s.t.Failed() {
		s.t.Logf("%s said:\n%s", name, text)
	}
}

// users runs the script of mosquitto-users.
func (s *stand) users(args ...string) (string, error) {
	s.t.Helper()
	shell, text := script(s.t, s.project.Services["mosquitto-users"])
	text = moved(s.t, text,
		"users=/mosquitto/config", "users="+filepath.Join(s.dir, "mosquitto", "config"),
		"secrets=/run/secrets/spotter", "secrets="+filepath.Join(s.dir, "for", "mosquitto"),
		"acl=/etc/mosquitto/acl", "acl="+filepath.Join(s.dir, "etc", "acl"))
	out, err := exec.Command(shell, slices.Concat([]string{"-c", text, "mosquitto-users.sh"}, args)...).CombinedOutput()
	return string(out), err
}

// runMosquitto starts a real one with the stack's configuration and the stack's users.
func (s *stand) runMosquitto() {
	s.t.Helper()
	broker := program(s.t, "mosquitto")
	for _, d := range []string{"config", "data"} {
		if err := os.MkdirAll(filepath.Join(s.dir, "mosquitto", d), 0o700); err != nil {
			s.t.Fatal(err)
		}
	}
	s.write("etc/acl", s.mounted("mosquitto-users", "/etc/mosquitto/acl"))
	if said, err := s.users(s.project.Services["mosquitto-users"].Command...); err != nil {
		s.t.Fatalf("mosquitto-users: %v\n%s", err, said)
	}
	command := s.project.Services["mosquitto"].Command
	at := s.listens("mosquitto:1883")
	_, port, _ := net.SplitHostPort(at)
	text := moved(s.t, s.mounted("mosquitto", command[len(command)-1]),
		"listener 1883 0.0.0.0", "listener "+port+" 127.0.0.1",
		"/mosquitto/config/passwd", s.dir+"/mosquitto/config/passwd",
		"/mosquitto/config/acl", s.dir+"/mosquitto/config/acl",
		"/mosquitto/data/", s.dir+"/mosquitto/data/")
	if os.Geteuid() == 0 {
		text += "user root\n" // else it becomes a user who cannot write here
	}
	s.broker = s.start("mosquitto", nil, broker, "-c", s.write("etc/mosquitto.conf", text))
	health := s.project.Services["mosquitto"].HealthCheck.Test
	s.eventually("mosquitto to be healthy", func() bool {
		cmd := exec.Command(program(s.t, health[1]), append([]string{"-p", port}, health[2:]...)...)
		cmd.Env = []string{"XDG_CONFIG_HOME=" + filepath.Join(s.dir, "for", "mosquitto")}
		return cmd.Run() == nil
	})
	cmd := exec.Command(program(s.t, health[1]), append([]string{"-p", port}, health[2:]...)...)
	if cmd.Env = []string{"HOME=" + s.dir}; cmd.Run() == nil {
		s.t.Error("the health check passes without a password")
	}
}

// runNATS starts the three servers with the stack's configuration, read as
// nats-server reads it.
func (s *stand) runNATS() {
	s.t.Helper()
	secrets := filepath.Join("run", "secrets", "spotter", "nats.conf")
	made := read(s.t, filepath.Join(s.dir, "for", "nats", "nats.conf"))
	names := []string{"nats-1", "nats-2", "nats-3"}
	for _, name := range names {
		s.listens(name + ":4222")
		s.listens(name + ":6222")
	}
	s.write(secrets, s.here(made))
	url := filepath.Join("for", "spotter", "nats-url")
	text := s.here(read(s.t, filepath.Join(s.dir, url)))
	if err := os.Remove(filepath.Join(s.dir, url)); err != nil { // is read-only
		s.t.Fatal(err)
	}
	s.write(url, text)
	var servers []*server.Server
	for _, name := range names {
		service := s.project.Services[name]
		s.t.Setenv("SERVER_NAME", *service.Environment["SERVER_NAME"])
		path := service.Entrypoint[len(service.Entrypoint)-1]
		health := s.listens(name + ":8222")
		text := moved(s.t, s.mounted(name, path),
			"0.0.0.0:4222", s.here(name+":4222"), "0.0.0.0:6222", s.here(name+":6222"),
			"127.0.0.1:8222", health, `"/data"`, fmt.Sprintf("%q", filepath.Join(s.dir, name)))
		options, err := server.ProcessConfigFile(s.write(strings.TrimPrefix(path, "/"), text))
		if err != nil {
			s.t.Fatalf("nats.conf: %v", err)
		}
		if options.ServerName != name || !options.SyncAlways || options.Cluster.Username == "" || len(options.Routes) != 3 {
			s.t.Errorf("%s: name %q, syncs always %v, routes %v", name, options.ServerName, options.SyncAlways, options.Routes)
		}
		options.NoSigs = true
		options.LogFile = filepath.Join(s.dir, name+".log")
		nats, err := server.NewServer(options)
		if err != nil {
			s.t.Fatal(err)
		}
		nats.ConfigureLogger()
		nats.Start()
		s.t.Cleanup(func() { nats.Shutdown(); nats.WaitForShutdown(); s.show(name) })
		servers = append(servers, nats)
	}
	for i, nats := range servers {
		test := s.project.Services[names[i]].HealthCheck.Test
		address := strings.Replace(test[len(test)-1], "127.0.0.1:8222", s.here(names[i]+":8222"), 1)
		s.eventually(names[i]+" to be healthy", func() bool {
			answer, err := http.Get(address)
			return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK && nats.NumRoutes() > 0
		})
	}
}

func (s *stand) eventually(what string, holds func() bool) {
	s.t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			s.t.Fatalf("waited %v for %s", patience, what)
		case <-tick.C:
		}
	}
}

// command runs the program as `docker compose exec spotter spotter …` would.
func (s *stand) command(args ...string) string {
	s.t.Helper()
	for i := range args {
		args[i] = s.here(args[i])
	}
	cmd := exec.Command(s.spotter, args...)
	cmd.Env = s.environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("spotter %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (s *stand) environment() []string {
	var env []string
	for name, value := range s.project.Services["spotter"].Environment {
		env = append(env, name+"="+s.here(*value))
	}
	return env
}

// ask asks Spotter as another container would, by the name of the service.
func (s *stand) ask(path, secret string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.here("spotter:8080")+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Host = "spotter:8080"
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+read(s.t, filepath.Join(s.dir, "secrets", secret)))
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

// publish sends a rep as a device would, with the program of another hand.
func (s *stand) publish(seq int, login ...string) error {
	s.t.Helper()
	broker := "spotter:1883"
	if _, other := s.project.Services["mosquitto"]; other {
		broker = "mosquitto:1883"
	}
	_, port, _ := net.SplitHostPort(s.here(broker))
	rep := fmt.Sprintf(`{"boot_id":"b1","seq":%d,"time":%q,"athlete":"ana","exercise":"deadlift","load_kg":120,"set":1,"mean_velocity_mps":0.5}`,
		seq, time.Now().UTC().Format(time.RFC3339))
	args := append([]string{"-h", "127.0.0.1", "-p", port, "-q", "1", "-t", "spotter/v1/main/device/bar-1/rep", "-m", rep}, login...)
	out, err := exec.Command(program(s.t, "mosquitto_pub"), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mosquitto_pub: %w\n%s", err, out)
	}
	return nil
}

var printed = regexp.MustCompile(`(?m)^(username|password) (\S+)$`)

// login is what the programs print for a new device.
func login(t *testing.T, said string) []string {
	t.Helper()
	found := map[string]string{}
	for _, m := range printed.FindAllStringSubmatch(said, -1) {
		found[m[1]] = m[2]
	}
	if found["username"] == "" || found["password"] == "" {
		t.Fatalf("no username and password in %q", said)
	}
	return []string{"-u", found["username"], "-P", found["password"]}
}

// TestEveryProfileTakesARepWithoutAnEngine runs what each profile would: the scripts,
// the configurations, the commands and the health checks of the compose file, with a
// real Mosquitto, real NATS servers and the real program.
func TestEveryProfileTakesARepWithoutAnEngine(t *testing.T) {
	spotter := build(t)
	for _, profile := range Profiles {
		t.Run("profile "+profile, func(t *testing.T) {
			s := newStand(t, profile, spotter)
			service := s.project.Services["spotter"]
			words := []string{spotter}
			for _, w := range service.Command {
				words = append(words, s.here(w))
			}
			s.start("spotter", s.environment(), words...)
			s.eventually("spotter to be ready", func() bool { status, _ := s.ask("/readyz", ""); return status == http.StatusOK })
			health := service.HealthCheck.Test[2:]
			s.command(append(slices.Clone(health[:len(health)-1]), strings.Replace(health[len(health)-1], "127.0.0.1:8080", "spotter:8080", 1))...)

			for _, c := range []struct {
				path, secret string
				status       int
			}{
				{"/metrics", "", http.StatusUnauthorized},
				{"/metrics", "spotter-metrics-token", http.StatusOK},
				{"/api/v1/alerts", "spotter-metrics-token", http.StatusUnauthorized},
				{"/api/v1/alerts", "spotter-admin-token", http.StatusOK},
			} {
				if status, body := s.ask(c.path, c.secret); status != c.status {
					t.Errorf("%s with %q answers %d, want %d: %.200s", c.path, c.secret, status, c.status, body)
				}
			}

			var as []string
			if profile == "" {
				as = login(t, s.command("device", "add", "bar-1", "--data=/data"))
			} else {
				said, err := s.users("add", "bar-1")
				if err != nil {
					t.Fatalf("%v\n%s", err, said)
				}
				as = login(t, said)
				s.reload(as)
			}
			if err := s.publish(1); err == nil {
				t.Error("somebody without a name publishes")
			}
			if err := s.publish(2, as[0], as[1], "-P", "wrong"); err == nil {
				t.Error("somebody with a wrong password publishes")
			}
			if err := s.publish(3, as...); err != nil {
				t.Fatal(err)
			}
			s.eventually("the rep to be there", func() bool {
				_, body := s.ask("/api/v1/athletes/ana/reps", "spotter-admin-token")
				var page struct{ Items []struct{ Seq int } }
				return json.Unmarshal([]byte(body), &page) == nil && len(page.Items) == 1
			})
			backup := filepath.Join(s.dir, "spotter.tar.zst")
			s.command("backup", "make", backup, "--server", "http://spotter:8080", "--token-file", "/run/secrets/spotter/spotter-admin-token")
			s.command("backup", "verify", backup)
			if profile != "" {
				s.checked()
				s.revoked(as)
			}
		})
	}
}

var findings = map[string]*regexp.Regexp{
	"the broker lets Spotter in": regexp.MustCompile(`(?m)^ok +broker `),
	"Mosquitto's window is open": regexp.MustCompile(`(?m)^ok +window +at least 200 `),
	"the log has three copies":   regexp.MustCompile(`(?m)^ok +nats .* in 3 copies`),
}

// checked asks `spotter check` with the settings of the service. That InfluxDB is away
// is a problem to it.
func (s *stand) checked() {
	s.t.Helper()
	args := []string{"check"}
	for _, w := range s.project.Services["spotter"].Command[1:] {
		args = append(args, s.here(w))
	}
	cmd := exec.Command(s.spotter, args...)
	cmd.Env = s.environment()
	out, _ := cmd.CombinedOutput()
	_, cluster := s.project.Services["nats-1"]
	for what, line := range findings {
		if !line.Match(out) && (cluster || !strings.Contains(what, "copies")) {
			s.t.Errorf("spotter check does not find that %s:\n%s", what, out)
		}
	}
}

// reload is `docker compose kill -s HUP mosquitto`, and waits until the device is known.
func (s *stand) reload(as []string) {
	s.t.Helper()
	if err := s.broker.Process.Signal(syscall.SIGHUP); err != nil {
		s.t.Fatal(err)
	}
	if as == nil {
		return
	}
	_, port, _ := net.SplitHostPort(s.here("mosquitto:1883"))
	s.eventually("the device to be let in", func() bool {
		args := append([]string{"-p", port, "-E", "-W", "4", "-t", "spotter/v1/main/device/bar-1/cue"}, as...)
		return exec.Command(program(s.t, "mosquitto_sub"), args...).Run() == nil
	})
}

// revoked takes the device's user away, and no other.
func (s *stand) revoked(as []string) {
	s.t.Helper()
	if said, err := s.users("add", "bar-2"); err != nil {
		s.t.Fatalf("%v\n%s", err, said)
	}
	for _, name := range []string{"spotter", "health", "", "Bar", "a:b", "-x", "nobody", strings.Repeat("a", 65)} {
		if said, err := s.users("revoke", name); err == nil {
			s.t.Errorf("revoke %q: %q, want it refused", name, said)
		}
	}
	if said, err := s.users("revoke", "bar-1"); err != nil {
		s.t.Fatalf("%v\n%s", err, said)
	}
	listed, err := s.users("list")
	if got := strings.Fields(listed); err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), []string{"bar-2", "health", "spotter"}) {
		s.t.Errorf("users %q, %v", got, err)
	}
	s.reload(nil)
	s.eventually("the device to be refused", func() bool { return s.publish(4, as...) != nil })
}

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spotter")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/spotter")
	cmd.Dir = filepath.Join("..", "..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build spotter: %v\n%s", err, out)
	}
	return path
}

// TestSpotterKnowsItsSettings holds the environment and the command of every profile
// to the flags that the program has: an unknown variable would be left out silently.
func TestSpotterKnowsItsSettings(t *testing.T) {
	help, err := exec.Command(build(t), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	flags, variables := map[string]bool{}, map[string]bool{"GOMEMLIMIT": true}
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-[a-z], )?(--[a-z-]+)`).FindAllStringSubmatch(string(help), -1) {
		flags[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`\$(SPOTTER_[A-Z_]+)`).FindAllStringSubmatch(strings.Join(strings.Fields(string(help)), " "), -1) {
		variables[m[1]] = true
	}
	if len(flags) < 20 || len(variables) < 20 {
		t.Fatalf("%d flags and %d variables in the help", len(flags), len(variables))
	}
	for _, profile := range Profiles {
		service := loadProfile(t, profile).Services["spotter"]
		for _, word := range service.Command[1:] {
			if flag, _, _ := strings.Cut(word, "="); !flags[flag] {
				t.Errorf("profile %q: spotter serve has no %s", profile, flag)
			}
		}
		for name := range service.Environment {
			if !variables[name] {
				t.Errorf("profile %q: spotter serve reads no %s", profile, name)
			}
		}
	}
}

var block = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// TestTheOverridesOfTheDocsFit lays each example of docs/compose.md over the file, as
// Docker Compose would.
func TestTheOverridesOfTheDocsFit(t *testing.T) {
	page := read(t, filepath.Join("..", "..", "..", "docs", "compose.md"))
	examples := block.FindAllStringSubmatch(page, -1)
	if len(examples) < 3 {
		t.Fatalf("%d examples on the page", len(examples))
	}
	for i, example := range examples {
		over := filepath.Join(t.TempDir(), "docker-compose.override.yml")
		if err := os.WriteFile(over, []byte(example[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, profile := range Profiles {
			project, err := Load(t.Context(), profile, file, over)
			if err != nil {
				t.Errorf("example %d, profile %q: %v", i+1, profile, err)
				continue
			}
			// What opens a port does so on purpose, under an address and not all.
			for _, breach := range Check(project) {
				if !strings.Contains(breach, `is published on "192.168.1.20"`) && !strings.Contains(breach, "which is not there") {
					t.Errorf("example %d, profile %q: %s", i+1, profile, breach)
				}
			}
			if example := project.Services["spotter"]; len(example.Command) == 0 || example.Environment["SPOTTER_ADMIN_TOKEN_FILE"] == nil {
				t.Errorf("example %d, profile %q: the override has replaced the service", i+1, profile)
			}
		}
	}
}

// TestTheDocsShowTheTestedMosquitto keeps what docs/connect.md quotes to the files that
// it is quoted from.
func TestTheDocsShowTheTestedMosquitto(t *testing.T) {
	_, section, _ := strings.Cut(read(t, filepath.Join("..", "..", "..", "docs", "connect.md")), "\n## Mosquitto\n")
	section, _, _ = strings.Cut(section, "\n## ")
	files := filepath.Join("..", "..", "compose")
	known := strings.Split(read(t, filepath.Join(files, "mosquitto.conf"))+read(t, filepath.Join(files, "mosquitto.acl")), "\n")
	lines := 0
	for i, part := range strings.Split(section, "```") {
		if i%2 == 0 {
			continue
		}
		for line := range strings.Lines(part) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			lines++
			if !slices.Contains(known, line) {
				t.Errorf("connect.md quotes %q, which is in neither file", line)
			}
		}
	}
	if lines < 10 {
		t.Errorf("%d lines are quoted", lines)
	}
}

// TestPrometheusAsksSpotter reads the configuration with Prometheus' own code.
func TestPrometheusAsksSpotter(t *testing.T) {
	project := load(t)
	service := project.Services["prometheus"]
	s := &stand{t: t, project: project, dir: t.TempDir()}
	path := s.write("prometheus.yml", s.mounted("prometheus", "/etc/prometheus/prometheus.yml"))
	c, err := config.LoadFile(path, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := c.GetScrapeConfigs()
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.JobName != "spotter" {
			continue
		}
		if !strings.Contains(read(t, path), `"spotter:8080"`) || job.MetricsPath != "/metrics" {
			t.Errorf("spotter is asked for %s elsewhere than at spotter:8080", job.MetricsPath)
		}
		auth := job.HTTPClientConfig.Authorization
		if auth == nil || auth.Type != "Bearer" {
			t.Fatalf("spotter is asked with %+v", auth)
		}
		folder, file := filepath.Split(auth.CredentialsFile)
		if !slices.ContainsFunc(service.Volumes, func(v types.ServiceVolumeConfig) bool {
			return v.Target+"/" == folder && v.Source == "secrets-prometheus"
		}) || file != "spotter-metrics-token" {
			t.Errorf("the token is read from %s, which is not where secrets puts it", auth.CredentialsFile)
		}
		return
	}
	t.Error("spotter is not asked")
}

// TestTheClusterRunsTheVersionThatIsTested keeps the image to the version of the
// module that the log's tests run.
func TestTheClusterRunsTheVersionThatIsTested(t *testing.T) {
	for _, dir := range []string{".", filepath.Join("..", "..", "..")} {
		cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/nats-io/nats-server/v2")
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		version := strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
		project := loadProfile(t, "cluster")
		for _, name := range []string{"nats-1", "nats-2", "nats-3"} {
			if got, want := project.Services[name].Image, "nats:"+version+"-alpine"; got != want {
				t.Errorf("%s is %s, but %s is tested in %s", name, got, want, dir)
			}
		}
	}
}
