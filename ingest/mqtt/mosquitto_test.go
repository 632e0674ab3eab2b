package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/house/need"
)

// mosquitto is a real broker in a process of its own.
type mosquitto struct {
	addr    string
	config  string
	process *exec.Cmd
}

// startMosquitto starts a broker as the docs tell users to configure theirs, with
// further lines for its listener.
func startMosquitto(t *testing.T, listener ...string) *mosquitto {
	t.Helper()
	need.Binary(t, "mosquitto")
	dir := t.TempDir()
	m := &mosquitto{addr: freePort(t), config: filepath.Join(dir, "mosquitto.conf")}
	_, port, _ := net.SplitHostPort(m.addr)
	where := "listener " + port + " 127.0.0.1"
	if slices.Contains(listener, webSockets) {
		where = "socket_domain ipv4\n" + where // without, 2.0 opens no such listener
	}
	lines := append([]string{
		need.MosquittoSettings(t),
		"persistence_location " + dir + "/",
		where,
	}, listener...)
	if os.Getuid() == 0 {
		lines = append(lines, "user root") // else it becomes a user who cannot write here
	}
	if !strings.Contains(strings.Join(lines, "\n"), "allow_anonymous") {
		lines = append(lines, "allow_anonymous true")
	}
	if err := os.WriteFile(m.config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start(t)
	t.Cleanup(func() { m.stop(t, syscall.SIGKILL) })
	return m
}

const webSockets = "protocol websockets"

func (m *mosquitto) start(t *testing.T) {
	t.Helper()
	m.process = exec.Command(need.Binary(t, "mosquitto"), "-c", m.config)
	if err := m.process.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", m.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// stop ends the process that start has started, and waits for it.
func (m *mosquitto) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if m.process == nil {
		return
	}
	if err := m.process.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	_ = m.process.Wait() // a killed process always ends with an error
	m.process = nil
}

func (m *mosquitto) url() string { return "tcp://" + m.addr }

func TestMosquittoStoppedInMidStreamLosesNothingAcknowledged(t *testing.T) {
	m := startMosquitto(t)
	log := new(memory)
	r := startLine(t, Options{URL: m.url()}, log)
	r.awaitSubscription(t)
	s := hammer(t, m.url(), 4)
	for range 2 {
		s.more(t, 200)
		m.stop(t, syscall.SIGTERM)
		m.start(t)
	}
	s.more(t, 200)
	s.stop()
	requireAll(t, log, s.acknowledged())
	if r.Reconnects() == 0 {
		t.Error("the broker was restarted, but no reconnect is counted")
	}
	requireCanceled(t, r)
}

func TestWhatMosquittoHeldWhileIngestWasAwayArrives(t *testing.T) {
	m := startMosquitto(t)
	r := startLine(t, Options{URL: m.url()}, new(memory))
	r.awaitSubscription(t)
	requireCanceled(t, r)
	s := hammer(t, m.url(), 2)
	s.more(t, 200)
	s.stop()
	m.stop(t, syscall.SIGTERM)
	m.start(t)
	log := new(memory)
	startLine(t, Options{URL: m.url()}, log)
	requireAll(t, log, s.acknowledged())
}

// A Mosquitto that is killed forgets its sessions and what it held: the promise
// begins again when ingest has subscribed again.
func TestMosquittoKilledInMidStreamIsSubscribedToAgain(t *testing.T) {
	m := startMosquitto(t)
	log := new(memory)
	r := startLine(t, Options{URL: m.url()}, log)
	r.awaitSubscription(t)
	s := hammer(t, m.url(), 2)
	s.more(t, 100)
	m.stop(t, syscall.SIGKILL)
	eventually(t, "the source knows that the connection is lost", func() bool { return !r.Connected() })
	s.stop()
	m.start(t)
	eventually(t, "subscribed again", func() bool { return r.Connected() })
	s = hammer(t, m.url(), 2)
	s.more(t, 100)
	s.stop()
	requireAll(t, log, s.acknowledged())
}

func TestATopicWithASpaceEndsInQuarantine(t *testing.T) {
	m := startMosquitto(t)
	log := new(memory)
	startLine(t, Options{URL: m.url()}, log).awaitSubscription(t)
	c := connect(t, clientOptions(m.url(), "gateway"))
	publish(t, c, repTopic("bar 1"), false, rep(1))
	publish(t, c, repTopic("bar-1"), false, rep(1))
	requireAll(t, log, []string{"bar-1 1"})
	q := log.all()[0].Quarantined
	if q == nil || q.Field != "topic: device" || q.Topic != repTopic("bar 1") {
		t.Fatalf("got %+v", q)
	}
}

func TestMosquittoIsReachedOverWebSockets(t *testing.T) {
	m := startMosquitto(t, webSockets)
	delivers(t, Options{URL: "ws://" + m.addr + "/mqtt"})
}

func TestMosquittoIsReachedOverTLSWithACAOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	roots := selfMade(t, dir)
	m := startMosquitto(t, "certfile "+dir+"/cert.pem", "keyfile "+dir+"/key.pem")
	delivers(t, Options{URL: "ssl://" + m.addr, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})

	stranger := start(t, Options{URL: "ssl://" + m.addr, ClientID: "stranger"}, nil)
	eventually(t, "a certificate of nobody known is refused", func() bool { return stranger.log.has("certificate") })
}

// delivers sends one rep from the line's own end of the connection to its log.
func delivers(t *testing.T, o Options) {
	t.Helper()
	log := new(memory)
	startLine(t, o, log).awaitSubscription(t)
	sensor := clientOptions(o.URL, "bar-1")
	if o.TLS != nil {
		sensor.SetTLSConfig(o.TLS)
	}
	publish(t, connect(t, sensor), repTopic("bar-1"), false, rep(1))
	requireAll(t, log, []string{"bar-1 1"})
}

// selfMade writes cert.pem and key.pem of a certificate for 127.0.0.1 that is its
// own authority.
func selfMade(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a gym"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(certificate)
	return roots
}

func TestABrokerThatWantsAPasswordIsNamedInTheLogAndAskedAgain(t *testing.T) {
	m := startMosquitto(t, "allow_anonymous false")
	r := start(t, Options{URL: m.url(), Username: "spotter", Password: "wrong"}, nil)
	eventually(t, "the log says so", func() bool { return r.log.has("does not accept the user name and password") })
	if r.Connected() {
		t.Error("connected all the same")
	}
	requireCanceled(t, r)
}

func TestASecondProgramWithTheSameClientIDIsTold(t *testing.T) {
	m := startMosquitto(t)
	one := startLine(t, Options{URL: m.url()}, new(memory))
	one.awaitSubscription(t)
	two := startLine(t, Options{URL: m.url()}, new(memory))
	two.awaitSubscription(t)
	eventually(t, "the log says what may be wrong", func() bool {
		const text = "does another program use the same client id"
		return one.log.has(text) || two.log.has(text)
	})
	requireCanceled(t, one)
	requireCanceled(t, two)
}
