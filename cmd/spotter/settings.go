package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/api"
	"github.com/spotterhq/spotter/internal/exercise"
)

// logSettings say where the log is.
type logSettings struct {
	Data         string `help:"Folder of everything that is kept." default:"spotter-data" type:"path"`
	NatsURL      string `name:"nats-url" help:"External NATS server, or servers of a cluster with commas between, instead of the embedded one; wants --mqtt-broker."`
	NatsURLFile  string `name:"nats-url-file" help:"File with that address, which may hold user:password@." type:"path"`
	NatsReplicas int    `help:"Copies of the log that an external cluster keeps." default:"1"`
	Fsync        string `help:"'always': what is acknowledged survives a power cut; or an interval such as 100ms." default:"always"`
}

// fsync is the interval between syncs, 0 for every write.
func (c *logSettings) fsync() (time.Duration, error) {
	if c.Fsync == "always" {
		return 0, nil
	}
	d, err := time.ParseDuration(c.Fsync)
	if err != nil || d < time.Millisecond || d > 10*time.Minute {
		return 0, fmt.Errorf("--fsync: %q is neither 'always' nor an interval of 1ms to 10m", c.Fsync)
	}
	return d, nil
}

// validate reports every setting of the log that cannot be used, and reads the
// address that is in a file.
func (c *logSettings) validate(u *usageError) {
	if _, err := c.fsync(); err != nil {
		u.problems = append(u.problems, err)
	}
	fileSetting(u, "nats-url", &c.NatsURL, c.NatsURLFile)
	if c.NatsURL == "" {
		return
	}
	for server := range strings.SplitSeq(c.NatsURL, ",") {
		checkURL(u, "nats-url", strings.TrimSpace(server), "nats", "tls", "ws", "wss")
	}
}

type serveCommand struct {
	logSettings `embed:""`
	tlsSettings `embed:""`

	HTTP string `name:"http" help:"Address of the HTTP API; port 0 picks a free one." default:"127.0.0.1:8080"`
	MQTT string `name:"mqtt" help:"Address of the embedded MQTT broker; port 0 picks a free one." default:"127.0.0.1:1883"`

	MQTTBroker   string `name:"mqtt-broker" help:"Another MQTT 3.1.1 broker instead of the embedded one: tcp://, ssl:// or ws://host:port."`
	MQTTUsername string `name:"mqtt-username" help:"User at the other broker."`
	MQTTPassword string `name:"mqtt-password" help:"Password at the other broker."`
	MQTTPassFile string `name:"mqtt-password-file" help:"File with that password." type:"path"`
	MQTTCA       string `name:"mqtt-ca" help:"File with the certificate authority of an ssl:// or wss:// broker." type:"path"`
	MQTTCert     string `name:"mqtt-cert" help:"File with a client's certificate for that broker." type:"path"`
	MQTTKey      string `name:"mqtt-key" help:"File with its key." type:"path"`
	MQTTAuth     bool   `name:"mqtt-auth" help:"Let no anonymous client connect to the embedded broker, on loopback neither."`

	InfluxURL       string `name:"influx-url" help:"InfluxDB to write to, 1.8 or 2.x."`
	InfluxToken     string `name:"influx-token" help:"Token for InfluxDB; on 1.8 user:password, or nothing."`
	InfluxTokenFile string `name:"influx-token-file" help:"File with the token for InfluxDB." type:"path"`
	InfluxOrg       string `name:"influx-org" help:"Organisation at InfluxDB 2.x." default:"spotter"`
	InfluxBucket    string `name:"influx-bucket" help:"Bucket at InfluxDB; bar velocity goes to a second one, with _samples behind its name." default:"spotter"`

	Keep keepSettings `embed:"" prefix:"keep-"`

	Exercises string `help:"JSON file with the site's own exercises, beside the standard ones." type:"path"`

	PublicURL        string `name:"public-url" help:"Address under which people reach this server, for the links in messages; without it they have none."`
	HeartbeatURL     string `name:"heartbeat-url" help:"Address that is asked each minute while everything makes progress; somebody else's alarm goes off when it is not."`
	HeartbeatURLFile string `name:"heartbeat-url-file" help:"File with that address." type:"path"`

	Zone           string `help:"Time zone in which days and weeks begin, such as Europe/Berlin." default:"UTC"`
	AdminToken     string `help:"Token of the administrator, instead of one that is made at the first start."`
	AdminTokenFile string `help:"File with the token of the administrator." type:"path"`

	MetricsToken     string `help:"Token that reads /metrics and nothing else, for a Prometheus on another machine."`
	MetricsTokenFile string `help:"File with that token." type:"path"`

	signInSettings `embed:""`
}

// validate reports every setting that cannot be used.
func (c *serveCommand) validate() error {
	var u usageError
	fileSetting(&u, "influx-token", &c.InfluxToken, c.InfluxTokenFile)
	fileSetting(&u, "admin-token", &c.AdminToken, c.AdminTokenFile)
	fileSetting(&u, "metrics-token", &c.MetricsToken, c.MetricsTokenFile)
	fileSetting(&u, "mqtt-password", &c.MQTTPassword, c.MQTTPassFile)
	fileSetting(&u, "heartbeat-url", &c.HeartbeatURL, c.HeartbeatURLFile)
	if c.HeartbeatURL != "" {
		checkURL(&u, "heartbeat-url", c.HeartbeatURL, "http", "https")
	}
	if c.PublicURL != "" {
		checkURL(&u, "public-url", c.PublicURL, "http", "https")
	}
	c.logSettings.validate(&u)
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		u.addf("--zone: %q is not a time zone such as Europe/Berlin", c.Zone)
	}
	if _, err := c.catalogue(); err != nil {
		u.problems = append(u.problems, err)
	}
	c.Keep.read(&u)
	checkAddr(&u, "http", c.HTTP)
	c.signInSettings.validate(&u, c.PublicURL)
	c.tlsSettings.validate(&u, c.Data)
	if c.MQTTBroker != "" && c.demands(tlsMQTT) {
		u.addf("--tls-clients: mqtt is a setting of the embedded broker, which --mqtt-broker replaces")
	}
	switch {
	case c.MQTTBroker != "":
		checkURL(&u, "mqtt-broker", c.MQTTBroker, "tcp", "ssl", "ws", "wss", "mqtt", "mqtts")
		if _, err := c.brokerTLS(); err != nil {
			u.problems = append(u.problems, err)
		}
		if c.MQTTAuth {
			u.addf("--mqtt-auth: is a setting of the embedded broker, which --mqtt-broker replaces")
		}
	case c.NatsURL != "":
		u.addf("--nats-url: wants --mqtt-broker, because the embedded broker lives in the embedded log")
	default:
		checkAddr(&u, "mqtt", c.MQTT)
		if !isLoopback(c.MQTT) && !c.MQTTAuth {
			u.addf("--mqtt: %s is open to other machines: give --mqtt-auth, or an address such as 127.0.0.1:1883", c.MQTT)
		}
	}
	if c.NatsReplicas < 1 || c.NatsReplicas > 5 {
		u.addf("--nats-replicas: %d is not 1 to 5", c.NatsReplicas)
	}
	if c.InfluxURL != "" {
		checkURL(&u, "influx-url", c.InfluxURL, "http", "https")
	} else if c.InfluxToken != "" {
		u.addf("--influx-token: is for --influx-url, which is not given")
	}
	if c.AdminToken != "" && len(c.AdminToken) < api.LeastToken {
		u.addf("--admin-token: has %d characters, fewer than %d", len(c.AdminToken), api.LeastToken)
	}
	if c.MetricsToken != "" && len(c.MetricsToken) < api.LeastToken {
		u.addf("--metrics-token: has %d characters, fewer than %d", len(c.MetricsToken), api.LeastToken)
	}
	if c.MetricsToken != "" && c.MetricsToken == c.AdminToken {
		u.addf("--metrics-token: is the admin's: give it another, which reads the metrics and nothing else")
	}
	return u.orNil()
}

// brokerTLS is how to connect to the other broker.
func (c *serveCommand) brokerTLS() (*tls.Config, error) {
	return clientTLS(c.MQTTCA, c.MQTTCert, c.MQTTKey, [3]string{"mqtt-ca", "mqtt-cert", "mqtt-key"})
}

// catalogue is the standard exercises and the site's own. The error joins all that
// is wrong with the site's file.
func (c *serveCommand) catalogue() (*exercise.Catalogue, error) {
	catalogue := exercise.Standard()
	if c.Exercises == "" {
		return catalogue, nil
	}
	file, err := os.Open(c.Exercises)
	if err != nil {
		return nil, fmt.Errorf("--exercises: %w", errors.Unwrap(err))
	}
	defer func() { _ = file.Close() }()
	own, err := exercise.Read(file)
	if err == nil {
		catalogue, err = catalogue.With(own)
	}
	if err == nil {
		return catalogue, nil
	}
	wrong := []error{err}
	type joined interface {
		error
		Unwrap() []error
	}
	if many, ok := errors.AsType[joined](err); ok {
		wrong = many.Unwrap()
	}
	for i := range wrong {
		wrong[i] = fmt.Errorf("--exercises: %w", wrong[i])
	}
	return nil, errors.Join(wrong...)
}

// fileSetting fills value from a file, where one is named.
func fileSetting(u *usageError, name string, value *string, file string) {
	if file == "" {
		return
	}
	if *value != "" {
		u.addf("--%s and --%s-file: give one of them", name, name)
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		u.addf("--%s-file: %v", name, errors.Unwrap(err))
		return
	}
	if *value = strings.TrimSpace(string(data)); *value == "" {
		u.addf("--%s-file: the file is empty", name)
	}
}

func checkAddr(u *usageError, name, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		u.addf("--%s: %q is not host:port", name, addr)
	}
}

func checkURL(u *usageError, name, value string, schemes ...string) {
	parsed, err := url.Parse(value)
	if err == nil && parsed.Host != "" {
		if slices.Contains(schemes, parsed.Scheme) {
			return
		}
	}
	u.addf("--%s: %q is not a URL with %s and a host", name, redact(value), strings.Join(schemes, "://, ")+"://")
}

// redact hides a password in a URL.
func redact(value string) string {
	parsed, err := url.Parse(value)
	if err != nil {
		return "(unreadable)"
	}
	return parsed.Redacted()
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
