package main

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/spotterhq/spotter/internal/authority"
	"github.com/spotterhq/spotter/internal/house/need"
)

// command runs spotter and checks how it ends.
func command(t *testing.T, wantCode int, args ...string) (out, errOut string) {
	t.Helper()
	out, errOut, code := spotter(args...)
	if code != wantCode {
		t.Fatalf("spotter %v ends with %d, not %d\n%s%s", args, code, wantCode, out, errOut)
	}
	return out, errOut
}

// trustingClient asks over HTTPS, trusting the folder's authority, with a client's
// certificate where one is named.
func trustingClient(t *testing.T, data, name string) *http.Client {
	t.Helper()
	store := authority.In(data)
	pool, err := authority.Pool(store.Root().Cert)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: pool}
	if name != "" {
		pair, err := tls.LoadX509KeyPair(store.Client(name).Cert, store.Client(name).Key)
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func ask(t *testing.T, client *http.Client, method, url string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	return client.Do(request)
}

// mosquittoPub publishes a rep with the program of the same name.
func mosquittoPub(t *testing.T, broker string, args ...string) (string, error) {
	t.Helper()
	host, port, err := net.SplitHostPort(broker[strings.Index(broker, "://")+3:])
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(need.Binary(t, "mosquitto_pub"), append([]string{
		"-h", host, "-p", port, "-q", "1", "-t", "spotter/v1/main/device/bar-1/rep", "-m", minimalRep,
	}, args...)...).CombinedOutput()
	return string(out), err
}

func TestTheServerSpeaksTLSWithItsOwnAuthority(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	if _, said := command(t, exitUsage, append(args, "--tls")...); !strings.Contains(said, "spotter tls") {
		t.Errorf("without a certificate it says %q", said)
	}
	command(t, 0, "tls", "--data", data)
	p := launch(t, append(args, "--tls")...)
	if !strings.HasPrefix(p.HTTP, "https://") || !strings.HasPrefix(p.MQTT, "ssl://") {
		t.Fatalf("ready at %+v", p.address)
	}
	ca := authority.In(data).Root().Cert
	if out, err := mosquittoPub(t, p.MQTT, "--cafile", ca); err != nil {
		t.Errorf("mosquitto_pub: %v\n%s", err, out)
	}
	stranger := t.TempDir()
	command(t, 0, "tls", "--data", stranger)
	if out, err := mosquittoPub(t, p.MQTT, "--cafile", authority.In(stranger).Root().Cert); err == nil {
		t.Errorf("mosquitto_pub trusts another authority\n%s", out)
	}
	if out, err := mosquittoPub(t, p.MQTT); err == nil {
		t.Errorf("mosquitto_pub is let in in the clear\n%s", out)
	}

	client := trustingClient(t, data, "")
	need.Eventually(t, patience, "the rep to be there", func() bool {
		answer, err := ask(t, client, http.MethodGet, p.HTTP+"/api/v1/athletes/ana/reps")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.ProtoMajor != 2 {
			t.Errorf("HTTP/%d is spoken, where a browser's streams want 2", answer.ProtoMajor)
		}
		line, _ := bufio.NewReader(answer.Body).ReadString('\n')
		return strings.Contains(line, `"boot_id":"b1"`)
	})
	if _, err := ask(t, trustingClient(t, stranger, ""), http.MethodGet, p.HTTP+"/healthz"); err == nil {
		t.Error("a client that trusts another authority connects")
	}
	stream, err := ask(t, client, http.MethodGet, p.HTTP+"/api/v1/alerts/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	if line, err := bufio.NewReader(stream.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry:") {
		t.Errorf("the stream begins with %q, %v", line, err)
	}

	// Our own commands, and a renewal while the server runs.
	command(t, 0, "healthcheck", "--url", p.HTTP+"/healthz", "--server-ca", ca)
	command(t, exitFailed, "healthcheck", "--url", p.HTTP+"/healthz")
	before := stream.TLS.PeerCertificates[0]
	command(t, 0, "tls", "--data", data)
	need.Eventually(t, patience, "the renewed certificate to be presented", func() bool {
		answer, err := ask(t, trustingClient(t, data, ""), http.MethodGet, p.HTTP+"/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return !answer.TLS.PeerCertificates[0].Equal(before)
	})
	if out, err := mosquittoPub(t, p.MQTT, "--cafile", ca); err != nil {
		t.Errorf("mosquitto_pub after the renewal: %v\n%s", err, out)
	}
	p.stop()
}

func TestClientsMustShowACertificateWhereItIsDemanded(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	command(t, 0, "tls", "--data", data)
	command(t, 0, "tls", "client", "bar-1", "--data", data)
	stranger := t.TempDir()
	command(t, 0, "tls", "--data", stranger)
	command(t, 0, "tls", "client", "bar-1", "--data", stranger)
	p := launch(t, append(args, "--tls", "--tls-clients", "mqtt,http")...)
	ca, own, other := authority.In(data).Root().Cert, authority.In(data).Client("bar-1"), authority.In(stranger).Client("bar-1")
	with := func(pair authority.Pair) []string {
		return []string{"--cafile", ca, "--cert", pair.Cert, "--key", pair.Key}
	}
	if out, err := mosquittoPub(t, p.MQTT, with(own)...); err != nil {
		t.Errorf("with a certificate: %v\n%s", err, out)
	}
	if out, err := mosquittoPub(t, p.MQTT, "--cafile", ca); err == nil {
		t.Errorf("without a certificate it is let in\n%s", out)
	}
	if out, err := mosquittoPub(t, p.MQTT, with(other)...); err == nil {
		t.Errorf("with a stranger's certificate it is let in\n%s", out)
	}
	if _, err := ask(t, trustingClient(t, data, ""), http.MethodGet, p.HTTP+"/healthz"); err == nil {
		t.Error("HTTP answers without a certificate")
	}
	answer, err := ask(t, trustingClient(t, data, "bar-1"), http.MethodGet, p.HTTP+"/api/v1/alerts")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("with a certificate and the token: %s", answer.Status)
	}
	// A certificate replaces no credential.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+"/api/v1/alerts", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err = trustingClient(t, data, "bar-1").Do(request); err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a certificate and no token: %s", answer.Status)
	}
	username, password := addDevice(t, data, "bar-1")
	if out, err := mosquittoPub(t, p.MQTT, with(own)...); err == nil {
		t.Errorf("with a certificate and no password it is let in\n%s", out)
	}
	if out, err := mosquittoPub(t, p.MQTT, append(with(own), "-u", username, "-P", password)...); err != nil {
		t.Errorf("with a certificate and a password: %v\n%s", err, out)
	}
	p.stop()
}

func TestTLSSettingsAreCheckedByName(t *testing.T) {
	_, said := command(t, exitUsage, "serve", "--data", t.TempDir(), "--tls-clients", "mqtt,ftp", "--tls-key", "k", "--mqtt-broker", "tcp://x:1", "--mqtt-cert", "c")
	for _, want := range []string{"--tls-clients: \"ftp\"", "--tls-key: and --tls-cert", "--tls-clients: wants --tls", "--tls-clients: mqtt is a setting of the embedded", "--mqtt-cert: and --mqtt-key"} {
		if !strings.Contains(said, want) {
			t.Errorf("no word of %s in\n%s", want, said)
		}
	}
	_, said = command(t, exitUsage, "tls", "--data", t.TempDir(), "--host", "http://gym")
	if !strings.Contains(said, "host") {
		t.Errorf("a bad host: %s", said)
	}
	_, said = command(t, exitFailed, "tls", "client", "bar-1", "--data", t.TempDir())
	if !strings.Contains(said, "spotter tls") {
		t.Errorf("no authority: %s", said)
	}
}

func TestAServerInTheClearBeyondThisMachineIsWarnedOf(t *testing.T) {
	args := []string{"serve", "--data", t.TempDir(), "--http", "0.0.0.0:0", "--mqtt", "0.0.0.0:0", "--mqtt-auth", "--log-format", "json"}
	p := launch(t, args...)
	for _, want := range []string{`"level":"WARN","msg":"HTTP is open`, `"level":"WARN","msg":"MQTT is open`} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("no %s in the log\n%s", want, p.log)
		}
	}
	p.stop()
	command(t, 0, "tls", "--data", args[2])
	p = launch(t, append(args, "--tls")...)
	if strings.Contains(p.log.String(), "in the clear") {
		t.Errorf("with TLS it warns all the same\n%s", p.log)
	}
	p.stop()
}
