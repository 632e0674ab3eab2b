// Package compose holds docker-compose.yml to the rules that keep an installation
// closed by default: pinned images, ports on loopback, no secret in the
// environment, no root, no capability, a health check on whatever keeps running.
//
// It is a module of its own, so that compose-go and what it brings do not become
// dependencies of Spotter.
package compose

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Profiles are what COMPOSE_PROFILES may say; "" is what starts without it.
var Profiles = []string{"", "mosquitto", "cluster"}

// Load reads and validates a compose file as Docker Compose would, with a profile
// chosen by COMPOSE_PROFILES and an otherwise empty environment, so that every
// default in it shows. Further files, such as an override, lie on top of it.
func Load(ctx context.Context, profile string, files ...string) (*types.Project, error) {
	var env []string
	if profile != "" {
		env = append(env, "COMPOSE_PROFILES="+profile)
	}
	file := files[0]
	options, err := cli.NewProjectOptions(files, cli.WithWorkingDirectory(filepath.Dir(file)), cli.WithEnv(env),
		cli.WithDefaultProfiles(), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", file, err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", file, err)
	}
	return project, nil
}

// Check returns what breaks the rules, one sentence each, in a stable order.
func Check(project *types.Project) []string {
	var breaches []string
	for _, name := range project.ServiceNames() {
		service := project.Services[name]
		for _, rule := range rules {
			for _, breach := range rule(service) {
				breaches = append(breaches, name+": "+breach)
			}
		}
	}
	for _, rule := range together {
		breaches = append(breaches, rule(project)...)
	}
	return breaches
}

// rules are what every service must keep to.
var rules = []func(types.ServiceConfig) []string{
	imagePinned, portsOnLoopback, healthChecked, secretsInFiles, secretsMounted,
	rootReadOnly, notRoot, noCapabilities, noHostAccess, mountedIsThere, limited, restarted,
}

// together are what the services must keep to among themselves.
var together = []func(*types.Project) []string{onePortEach, oneWriter, secretsFirst}

// oneShot is a service that ends by itself and is not started again.
func oneShot(s types.ServiceConfig) bool { return s.Restart == "no" }

// version is a tag that names a release: at least major and minor in numbers.
var version = regexp.MustCompile(`^v?[0-9]+\.[0-9]+[0-9A-Za-z._-]*$`)

func imagePinned(s types.ServiceConfig) []string {
	if s.Build != nil {
		return unpinnedBases(filepath.Join(s.Build.Context, s.Build.Dockerfile))
	}
	if !pinned(s.Image) {
		return []string{fmt.Sprintf("image %q is not pinned to a release", s.Image)}
	}
	return nil
}

func pinned(image string) bool {
	_, tag, tagged := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	tag, _, _ = strings.Cut(tag, "@")
	return tagged && version.MatchString(tag)
}

// unpinnedBases reads the stages of a Dockerfile.
func unpinnedBases(file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		return []string{fmt.Sprintf("its Dockerfile cannot be read: %v", err)}
	}
	var breaches []string
	stages := []string{"scratch"}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.EqualFold(words[0], "FROM") {
			continue
		}
		if !slices.Contains(stages, words[1]) && !pinned(words[1]) {
			breaches = append(breaches, fmt.Sprintf("base image %q is not pinned to a release", words[1]))
		}
		if len(words) == 4 {
			stages = append(stages, words[3])
		}
	}
	if len(stages) == 1 && breaches == nil {
		breaches = append(breaches, "its Dockerfile has no stage to check")
	}
	return breaches
}

func portsOnLoopback(s types.ServiceConfig) []string {
	var breaches []string
	for _, p := range s.Ports {
		if p.HostIP != "127.0.0.1" {
			breaches = append(breaches, fmt.Sprintf("port %d is published on %q, not on 127.0.0.1", p.Target, p.HostIP))
		}
	}
	return breaches
}

func healthChecked(s types.ServiceConfig) []string {
	h := s.HealthCheck
	if !oneShot(s) && (h == nil || h.Disable || len(h.Test) < 2 || h.Test[0] == "NONE") {
		return []string{"keeps running but has no health check"}
	}
	return nil
}

// secretName is an environment variable or flag whose value is a secret.
var secretName = regexp.MustCompile(`(?i)(password|passwd|token|secret|api_?key)s?$`)

func secretsInFiles(s types.ServiceConfig) []string {
	var breaches []string
	for name, value := range s.Environment {
		if secretName.MatchString(name) && value != nil {
			breaches = append(breaches, name+" is a secret in the environment; use its _FILE form")
		}
	}
	for _, word := range slices.Concat(s.Entrypoint, s.Command) {
		flag, _, _ := strings.Cut(word, "=")
		if strings.HasPrefix(flag, "--") && secretName.MatchString(flag) {
			breaches = append(breaches, flag+" is a secret on the command line")
		}
	}
	slices.Sort(breaches)
	return breaches
}

// secretsMounted wants the volume below each file of a secret, mounted read-only.
func secretsMounted(s types.ServiceConfig) []string {
	var breaches []string
	for name, value := range s.Environment {
		if !strings.HasSuffix(name, "_FILE") || value == nil {
			continue
		}
		there := slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
			return v.ReadOnly && strings.HasPrefix(*value, v.Target+"/")
		})
		if !there {
			breaches = append(breaches, fmt.Sprintf("%s=%s is on no read-only volume", name, *value))
		}
	}
	slices.Sort(breaches)
	return breaches
}

func rootReadOnly(s types.ServiceConfig) []string {
	if !s.ReadOnly {
		return []string{"its root file system can be written"}
	}
	return nil
}

// notRoot lets one kind of service be root: one that ends by itself and has no
// network.
func notRoot(s types.ServiceConfig) []string {
	user, _, _ := strings.Cut(s.User, ":")
	if user != "" && user != "0" && user != "root" {
		return nil
	}
	if oneShot(s) && s.NetworkMode == "none" {
		return nil
	}
	return []string{fmt.Sprintf("runs as root (user %q)", s.User)}
}

func noCapabilities(s types.ServiceConfig) []string {
	var breaches []string
	if !slices.Contains(s.CapDrop, "ALL") {
		breaches = append(breaches, "does not drop all capabilities")
	}
	for _, c := range s.CapAdd {
		if !oneShot(s) || c != "CHOWN" {
			breaches = append(breaches, "takes the capability "+c)
		}
	}
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		breaches = append(breaches, "may gain new privileges")
	}
	if s.Privileged {
		breaches = append(breaches, "is privileged")
	}
	return breaches
}

// noHostAccess keeps a service to named volumes; of the host it may see folders,
// and those read-only.
func noHostAccess(s types.ServiceConfig) []string {
	var breaches []string
	if s.NetworkMode == "host" || s.Pid == "host" || s.Ipc == "host" {
		breaches = append(breaches, "shares a namespace with the host")
	}
	for _, v := range s.Volumes {
		if v.Type != types.VolumeTypeBind {
			continue
		}
		if !v.ReadOnly {
			breaches = append(breaches, v.Source+" of the host can be written")
		}
		if strings.HasSuffix(v.Source, ".sock") {
			breaches = append(breaches, v.Source+" of the host is a socket")
		}
	}
	return breaches
}

// mountedIsThere looks for what is mounted of the host: Docker would make an empty
// folder of what is not. Everybody has to be allowed to read it, because a container
// has a user of its own.
func mountedIsThere(s types.ServiceConfig) []string {
	var breaches []string
	for _, v := range s.Volumes {
		if v.Type != types.VolumeTypeBind {
			continue
		}
		info, err := os.Stat(v.Source)
		switch {
		case err != nil:
			breaches = append(breaches, fmt.Sprintf("mounts %s, which is not there", v.Source))
		case info.Mode().Perm()&0o004 == 0:
			breaches = append(breaches, fmt.Sprintf("mounts %s, which its user cannot read", v.Source))
		}
		if v.Bind == nil || v.Bind.SELinux != "z" {
			breaches = append(breaches, fmt.Sprintf("mounts %s without z, so that it cannot be read where SELinux is on", v.Source))
		}
	}
	return breaches
}

func onePortEach(p *types.Project) []string {
	var breaches []string
	owner := map[string]string{}
	for _, name := range p.ServiceNames() {
		for _, port := range p.Services[name].Ports {
			at := net.JoinHostPort(port.HostIP, port.Published)
			if other := owner[at]; other != "" {
				breaches = append(breaches, fmt.Sprintf("%s and %s both publish %s", other, name, at))
			}
			owner[at] = name
		}
	}
	return breaches
}

// oneWriter keeps each volume to one service that keeps running and may write there.
func oneWriter(p *types.Project) []string {
	var breaches []string
	owner := map[string]string{}
	for _, name := range p.ServiceNames() {
		for _, v := range p.Services[name].Volumes {
			if v.Type != types.VolumeTypeVolume || v.ReadOnly || oneShot(p.Services[name]) {
				continue
			}
			if v.Source == "" {
				breaches = append(breaches, fmt.Sprintf("%s: %s is a volume without a name", name, v.Target))
			} else if other := owner[v.Source]; other != "" {
				breaches = append(breaches, fmt.Sprintf("%s and %s both write to %s", other, name, v.Source))
			}
			owner[v.Source] = name
		}
	}
	return breaches
}

// secretsFirst lets nobody start before the one-shot services that write its volumes
// have ended, and lets nobody else see the volume with every secret.
func secretsFirst(p *types.Project) []string {
	var breaches []string
	for _, maker := range p.ServiceNames() {
		if !oneShot(p.Services[maker]) {
			continue
		}
		for _, made := range p.Services[maker].Volumes {
			if made.Type != types.VolumeTypeVolume || made.ReadOnly {
				continue
			}
			for _, name := range p.ServiceNames() {
				for _, v := range p.Services[name].Volumes {
					switch {
					case name == maker || v.Type != types.VolumeTypeVolume || v.Source != made.Source:
					case v.Source == "secrets":
						breaches = append(breaches, name+": sees the volume with every secret")
					case !waitsFor(p, name, maker):
						breaches = append(breaches, fmt.Sprintf("%s: starts before %s has filled %s", name, maker, v.Source))
					}
				}
			}
		}
	}
	return breaches
}

// waitsFor reports whether a service starts only after a one-shot one has ended well,
// by itself or because of another that it waits for.
func waitsFor(p *types.Project, name, maker string) bool {
	for on, d := range p.Services[name].DependsOn {
		if on == maker && d.Condition == types.ServiceConditionCompletedSuccessfully {
			return true
		}
		if waitsFor(p, on, maker) {
			return true
		}
	}
	return false
}

func limited(s types.ServiceConfig) []string {
	if s.Deploy == nil || s.Deploy.Resources.Limits == nil {
		return []string{"has no resource limits"}
	}
	l := s.Deploy.Resources.Limits
	if l.MemoryBytes <= 0 || l.Pids <= 0 || l.NanoCPUs <= 0 {
		return []string{"lacks a limit of memory, processes or processors"}
	}
	return nil
}

func restarted(s types.ServiceConfig) []string {
	if s.Restart == "" {
		return []string{"does not say whether it is started again"}
	}
	return nil
}
