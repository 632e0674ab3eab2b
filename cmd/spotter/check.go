package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/ingest/influx"
	"github.com/spotterhq/spotter/ingest/mqtt"
	"github.com/spotterhq/spotter/internal/authority"
	"github.com/spotterhq/spotter/internal/check"
	"github.com/spotterhq/spotter/internal/journal"
)

type checkCommand struct {
	Server checkServerCommand `cmd:"" default:"withargs" help:"Say what is well with a server, or with what one would stand on, and what to do. spotter check alone does the same."`
	Device checkDeviceCommand `cmd:"" help:"Listen to a device and say in plain words what its messages lack."`
}

type checkServerCommand struct {
	serveCommand   `embed:""`
	serverSettings `embed:""`

	JSON bool `name:"json" help:"Print the findings as JSON."`
}

// checkTimeout bounds each of the things that are asked elsewhere.
const checkTimeout = 20 * time.Second

// Run says what is well and what is not, and fails where something does not work.
func (c *checkServerCommand) Run(ctx context.Context, s streams) error {
	var u usageError
	c.serverSettings.validate(&u)
	if err := u.orNil(); err != nil {
		return err
	}
	var report check.Report
	report.Add(check.OK, "version", version, "")
	if c.Server != "" {
		c.askServer(ctx, &report)
	} else {
		c.look(ctx, &report)
	}
	if c.JSON {
		if err := json.MarshalWrite(s.out, &report, jsontext.WithIndent("  ")); err != nil {
			return err
		}
	} else if err := printReport(s, &report); err != nil {
		return err
	}
	if n := report.Count(check.Problem); n > 0 {
		return fmt.Errorf("%d of %d findings are problems", n, len(report.Findings))
	}
	return nil
}

func printReport(s streams, report *check.Report) error {
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, f := range report.Findings {
		says := f.Says
		if f.Do != "" {
			says += ". " + strings.ToUpper(f.Do[:1]) + f.Do[1:] + "."
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Level, f.What, says)
	}
	return table.Flush()
}

// look checks what a server with these settings would stand on, or one that runs on
// the folder stands on, as far as that is to be seen from outside.
func (c *checkServerCommand) look(ctx context.Context, r *check.Report) {
	if err := c.serveCommand.validate(); err != nil {
		for line := range strings.Lines(err.Error()) {
			r.Add(check.Problem, "settings", strings.TrimSpace(line), "")
		}
	} else {
		r.Add(check.OK, "settings", "can be used", "")
	}
	r.Folder(c.Data)
	running := c.lookAtFolder(r)
	if !running {
		c.lookAtAddresses(r)
	}
	r.Disk(usedShare(nearest(c.Data)), check.Limits{NearlyFull: ingest.DiskNearlyFull, Full: ingest.DiskFull})
	appending := r.Sync(c.Data, time.Now)
	r.Kernel()
	c.lookAtCertificates(r)
	if c.NatsURL != "" {
		askNATS(ctx, r, c.NatsURL, c.NatsReplicas)
	}
	if c.MQTTBroker != "" {
		c.askBroker(ctx, r, appending)
	} else {
		r.Add(check.OK, "window", fmt.Sprintf("the embedded broker has up to %d messages under way", journal.BrokerWindow), "")
	}
	if c.InfluxURL != "" {
		c.askInflux(ctx, r)
	}
}

// nearest is the folder, or the one above it that is there.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// lookAtFolder reports whether a server runs on the folder.
func (c *checkServerCommand) lookAtFolder(r *check.Report) (running bool) {
	if _, err := os.Stat(c.Data); err != nil {
		return false
	}
	lock, err := lockData(c.Data)
	switch {
	case errors.Is(err, errInUse):
		running = true
		r.Add(check.OK, "server", "one runs on the folder; this looks from outside: with --server URL --token T it answers for itself", "")
	case err != nil:
		r.Add(check.Problem, "folder", err.Error(), "")
	default:
		_ = lock.Unlock()
	}
	_, err = os.Stat(filepath.Join(c.Data, "tokens.json"))
	switch {
	case c.AdminToken != "":
		r.Add(check.OK, "admin token", "is given by the settings", "")
	case errors.Is(err, fs.ErrNotExist):
		r.Add(check.OK, "admin token", "there is none yet: the first start makes and shows it", "")
	case err != nil:
		r.Add(check.Problem, "admin token", err.Error(), "let this user read the folder")
	default:
		r.Add(check.OK, "admin token", "the folder has one", "")
	}
	return running
}

// lookAtAddresses finds out whether a server could listen, and who could listen in.
func (c *checkServerCommand) lookAtAddresses(r *check.Report) {
	for _, a := range []struct{ name, addr, clear string }{
		{"http", c.HTTP, "tokens and health data"}, {"mqtt", c.MQTT, "passwords and reps"},
	} {
		if a.name == "mqtt" && c.MQTTBroker != "" {
			continue
		}
		listener, err := net.Listen("tcp", a.addr)
		if err != nil {
			r.Add(check.Problem, a.name, err.Error(), "end what listens there, or give --"+a.name+" another address")
			continue
		}
		_ = listener.Close()
		if !isLoopback(a.addr) && !c.on() {
			r.Add(check.Warning, a.name, fmt.Sprintf("%s is open to the network without TLS: %s cross it in the clear", a.addr, a.clear),
				"make a certificate with spotter tls, and give --tls")
			continue
		}
		r.Add(check.OK, a.name, a.addr+" is free", "")
	}
}

func (c *checkServerCommand) lookAtCertificates(r *check.Report) {
	if !c.on() {
		return
	}
	pair, clients := c.files(c.Data)
	for _, f := range []struct{ of, path, do string }{
		{"the server's certificate", pair.Cert, "renew it: spotter tls"}, {"the authority of the clients", clients, "replace it, and the clients' certificates"},
	} {
		if f.path == "" {
			continue
		}
		certificate, err := authority.ReadCertificate(f.path)
		if err != nil {
			r.Add(check.Problem, "certificate", err.Error(), f.do)
			continue
		}
		r.Certificate(f.of, certificate.NotAfter, time.Now(), expiresSoon, f.do)
	}
}

func askNATS(ctx context.Context, r *check.Report, url string, replicas int) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	const what = "nats"
	found, err := journal.Probe(ctx, url)
	switch {
	case err != nil:
		r.Add(check.Problem, what, err.Error(), "see that the server runs with JetStream, and that --nats-url has its user and password")
	case found.Replicas == 0:
		r.Add(check.OK, what, "version "+found.Version+" with JetStream; the log will be created", "")
	case found.Replicas != replicas:
		r.Add(check.Warning, what, fmt.Sprintf("version %s, the log has %d copies, --nats-replicas says %d", found.Version, found.Replicas, replicas), "the next start makes it so: see that this is meant")
	default:
		r.Add(check.OK, what, fmt.Sprintf("version %s, the log has %d events in %d copies", found.Version, found.Events, found.Replicas), "")
	}
	if err == nil {
		r.Add(check.OK, what, "whether it syncs before it acknowledges cannot be seen from here: its sync_interval decides", "")
	}
}

func (c *checkServerCommand) askBroker(ctx context.Context, r *check.Report, appending time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	config, err := c.brokerTLS()
	if err != nil {
		return // is among the settings
	}
	window, err := mqtt.Probe(ctx, mqtt.Options{
		URL: c.MQTTBroker, Username: c.MQTTUsername, Password: c.MQTTPassword, TLS: config,
		ClientID: "spotter-check-" + strings.ToLower(rand.Text()[:8]), Now: time.Now,
	})
	if err != nil {
		r.Add(check.Problem, "broker", err.Error(), "see that it runs, and that --mqtt-broker, --mqtt-username, --mqtt-password and --mqtt-ca are right")
		return
	}
	r.Add(check.OK, "broker", redact(c.MQTTBroker)+" accepts this user", "")
	r.Window(window, window >= mqtt.ProbeMost, appending)
	r.Add(check.OK, "broker", "whether it keeps messages over its own restart cannot be seen from here: for Mosquitto set persistence true and autosave_interval 1", "")
}

func (c *checkServerCommand) askInflux(ctx context.Context, r *check.Report) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	const what = "influx"
	found, err := influx.Probe(ctx, influx.Options{URL: c.InfluxURL, Token: c.InfluxToken, Org: c.InfluxOrg, Bucket: c.InfluxBucket})
	switch {
	case err != nil:
		r.Add(check.Problem, what, strings.ReplaceAll(err.Error(), "\n", " "), "see that it runs, and that --influx-url and --influx-token are right; meanwhile nothing is lost")
	case len(found.Missing) > 0:
		r.Add(check.Warning, what, fmt.Sprintf("version %s has no %s, or the token may not see it", found.Version, strings.Join(found.Missing, " and no ")), "Spotter makes what is missing where the token may; else make it first")
	default:
		r.Add(check.OK, what, "version "+found.Version+" lets the token write to both buckets", "")
	}
	if !found.Time.IsZero() {
		r.Clock("InfluxDB's", found.Time, time.Now())
	}
}
