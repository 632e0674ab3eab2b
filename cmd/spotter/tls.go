package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/authority"
	"github.com/spotterhq/spotter/internal/lift"
)

// tlsSettings say how the server encrypts, and of whom it wants a certificate.
type tlsSettings struct {
	TLS         bool     `name:"tls" help:"Encrypt HTTP and the embedded broker, with the certificate that 'spotter tls' has made."`
	TLSCert     string   `name:"tls-cert" help:"PEM file with a certificate of your own and those between it and its authority; instead of --tls." type:"path"`
	TLSKey      string   `name:"tls-key" help:"PEM file with its key." type:"path"`
	TLSClients  []string `name:"tls-clients" help:"Where clients must show a certificate too: mqtt, http, or both with a comma."`
	TLSClientCA string   `name:"tls-client-ca" help:"PEM file with the authority of the clients' certificates; with --tls that of 'spotter tls'." type:"path"`
}

const (
	tlsMQTT = "mqtt"
	tlsHTTP = "http"
)

// on reports whether the server encrypts.
func (c *tlsSettings) on() bool { return c.TLS || c.TLSCert != "" }

// demands reports whether clients of the listener must show a certificate.
func (c *tlsSettings) demands(listener string) bool { return slices.Contains(c.TLSClients, listener) }

// files are what is served from the data folder or from files of the user's own.
func (c *tlsSettings) files(data string) (pair authority.Pair, clients string) {
	pair, clients = authority.Pair{Cert: c.TLSCert, Key: c.TLSKey}, c.TLSClientCA
	if c.TLS {
		store := authority.In(data)
		pair = store.Server()
		if clients == "" {
			clients = store.Root().Cert
		}
	}
	if len(c.TLSClients) == 0 {
		clients = ""
	}
	return pair, clients
}

func (c *tlsSettings) validate(u *usageError, data string) {
	if c.TLS && c.TLSCert != "" {
		u.addf("--tls-cert: is instead of --tls: give one of them")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		u.addf("--tls-key: and --tls-cert belong together")
	}
	for _, l := range c.TLSClients {
		if l != tlsMQTT && l != tlsHTTP {
			u.addf("--tls-clients: %q is neither mqtt nor http", l)
		}
	}
	switch {
	case len(c.TLSClients) > 0 && !c.on():
		u.addf("--tls-clients: wants --tls, or --tls-cert with --tls-key")
	case len(c.TLSClients) > 0 && !c.TLS && c.TLSClientCA == "":
		u.addf("--tls-clients: wants --tls-client-ca, the authority of the clients' certificates")
	case len(c.TLSClients) == 0 && c.TLSClientCA != "":
		u.addf("--tls-client-ca: wants --tls-clients, which says where a certificate is demanded")
	}
	if !c.on() {
		return
	}
	pair, clients := c.files(data)
	for flag, path := range map[string]string{"tls-cert": pair.Cert, "tls-key": pair.Key, "tls-client-ca": clients} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && c.TLS && path != c.TLSClientCA {
			u.addf("--tls: there is no %s: make it with spotter tls --data %s --host NAMES", path, data)
			return
		} else if err != nil {
			u.addf("--%s: %v", flag, errors.Unwrap(err))
		}
	}
}

// server is what the listeners present, nil without TLS.
func (c *tlsSettings) server(data string, logger *slog.Logger) (*authority.Server, error) {
	if !c.on() {
		return nil, nil
	}
	pair, clients := c.files(data)
	return authority.NewServer(authority.ServerOptions{Pair: pair, Clients: clients, Logger: logger, Now: time.Now})
}

// warnInTheClear says what others can read, and before when a certificate expires.
func (c *serveCommand) warnInTheClear(server *authority.Server, logger *slog.Logger) {
	if server != nil {
		if left := time.Until(server.Until()); left < expiresSoon {
			logger.Warn("the certificate expires soon; renew it with spotter tls", "until", server.Until())
		}
		return
	}
	if !isLoopback(c.HTTP) {
		logger.Warn("HTTP is open to the network without TLS: tokens and health data cross it in the clear; give --tls (spotter tls makes the certificate), or let only a reverse proxy with TLS reach it", "http", c.HTTP)
	}
	if c.MQTTBroker == "" && !isLoopback(c.MQTT) {
		logger.Warn("MQTT is open to the network without TLS: passwords and reps cross it in the clear; give --tls (spotter tls makes the certificate)", "mqtt", c.MQTT)
	}
}

// expiresSoon is when an expiring certificate is spoken of.
const expiresSoon = 30 * 24 * time.Hour

type tlsCommand struct {
	Make   tlsMakeCommand   `cmd:"" default:"withargs" help:"Make the server's certificate, and the authority that signs it; again to renew it."`
	Client tlsClientCommand `cmd:"" help:"Make the certificate of a device or a person, for --tls-clients."`
}

type tlsMakeCommand struct {
	Data string   `help:"Data folder of the server." default:"spotter-data" type:"path"`
	Host []string `help:"Names and IP addresses by which clients reach the server, with commas; at first this machine only, then those of before."`
}

// Run makes or renews the server's certificate.
func (c *tlsMakeCommand) Run(s streams) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("create data folder: %w", err)
	}
	store := authority.In(c.Data)
	made, err := store.MakeServer(c.Host, time.Now())
	if err != nil {
		return fieldUsage(err)
	}
	kept := "the same as before: nobody has to trust it anew"
	if made.Root {
		kept = "new"
	}
	host := made.Hosts[0]
	_, err = fmt.Fprintf(s.out, `authority    %[1]s (%[2]s)
             Its key %[3]s signs for everybody who trusts it: keep it here.
certificate  %[4]s, valid until %[5]s
             for %[6]s
             A running server takes it by itself; start one with: spotter serve --tls
clients      trust the authority %[1]s: copy it to them. For example
             mosquitto_pub -h %[7]s -p 1883 --cafile %[1]s -u USERNAME -P PASSWORD …
             curl --cacert %[1]s -H "Authorization: Bearer $TOKEN" https://%[8]s/api/v1/alerts
             spotter check --server https://%[8]s --server-ca %[1]s
`, store.Root().Cert, kept, store.Root().Key, store.Server().Cert, made.Until.Format(time.DateOnly), strings.Join(made.Hosts, ", "),
		host, net.JoinHostPort(host, "8080"))
	return err
}

type tlsClientCommand struct {
	Name string `arg:"" help:"Id of the device, or a short name of the person."`
	Data string `help:"Data folder of the server." default:"spotter-data" type:"existingdir"`
}

// Run makes a client's certificate.
func (c *tlsClientCommand) Run(s streams) error {
	store := authority.In(c.Data)
	until, err := store.MakeClient(c.Name, time.Now())
	if err != nil {
		return fieldUsage(err)
	}
	at := store.Client(c.Name)
	_, err = fmt.Fprintf(s.out, `certificate  %[1]s, valid until %[2]s
key          %[3]s
             Move both to the client; delete the key here.
             mosquitto_pub --cafile %[4]s --cert %[1]s --key %[3]s -u USERNAME -P PASSWORD …
             curl --cacert %[4]s --cert %[1]s --key %[3]s -H "Authorization: Bearer $TOKEN" …
             The certificate only opens the connection: what may be done there the
             credential (spotter device add) or the token decides, as without it.
`, at.Cert, until.Format(time.DateOnly), at.Key, store.Root().Cert)
	return err
}

// fieldUsage is the error, as one of usage where it names a field.
func fieldUsage(err error) error {
	if _, ok := errors.AsType[*lift.FieldError](err); ok {
		return &usageError{[]error{err}}
	}
	return err
}

// clientTLS is how commands and probes connect to a server with an authority or a
// client's certificate of its own; nil where neither is given. The flags name them
// in errors.
func clientTLS(ca, cert, key string, flags [3]string) (*tls.Config, error) {
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pool, err := authority.Pool(ca)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flags[0], err)
		}
		config.RootCAs = pool
	}
	if (cert == "") != (key == "") {
		return nil, fmt.Errorf("--%s: and --%s belong together", flags[1], flags[2])
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", flags[1], err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
