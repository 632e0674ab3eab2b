package authority_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/authority"
	"github.com/spotterhq/spotter/internal/lift"
)

var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// clock is a clock that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return monday.Add(time.Duration(c.at.Load())) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

func makeServer(t *testing.T, s *authority.Store, hosts ...string) authority.Made {
	t.Helper()
	made, err := s.MakeServer(hosts, monday)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// meet lets a client connect to a server and returns what the client sees, or why
// one of them refuses.
func meet(t *testing.T, server, client *tls.Config) (*x509.Certificate, error) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	refused := make(chan error, 1)
	go func() {
		s, err := listener.Accept()
		if err != nil {
			refused <- err
			return
		}
		_, err = s.Write([]byte("x")) // shakes hands first
		refused <- errors.Join(err, s.Close())
	}()
	plain, err := net.DialTimeout("tcp", listener.Addr().String(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	if err := plain.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := tls.Client(plain, client)
	_, err = c.Read(make([]byte, 1)) // a server's refusal of a certificate comes after the handshake
	_ = plain.Close()
	if err := errors.Join(err, <-refused); err != nil {
		return nil, err
	}
	return c.ConnectionState().PeerCertificates[0], nil
}

func trusting(t *testing.T, s *authority.Store, c *clock) *tls.Config {
	t.Helper()
	pool, err := authority.Pool(s.Root().Cert)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", Time: c.now}
}

func serverOf(t *testing.T, s *authority.Store, clients string, c *clock) *authority.Server {
	t.Helper()
	server, err := authority.NewServer(authority.ServerOptions{Pair: s.Server(), Clients: clients, Logger: slog.New(slog.DiscardHandler), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestAServerIsTrustedByWhoeverTrustsItsAuthority(t *testing.T) {
	dir, c := t.TempDir(), new(clock)
	s := authority.In(dir)
	made := makeServer(t, s)
	if !made.Root || made.Until.Sub(monday) != 825*24*time.Hour {
		t.Errorf("made %+v", made)
	}
	server := serverOf(t, s, "", c)
	if _, err := meet(t, server.Config(false), trusting(t, s, c)); err != nil {
		t.Error(err)
	}
	stranger := authority.In(t.TempDir())
	makeServer(t, stranger)
	if _, err := meet(t, server.Config(false), trusting(t, stranger, c)); err == nil {
		t.Error("a client that trusts another authority connects")
	}
	elsewhere := trusting(t, s, c)
	elsewhere.ServerName = "example.org"
	if _, err := meet(t, server.Config(false), elsewhere); err == nil {
		t.Error("the certificate is taken for a host that it does not name")
	}
	old := trusting(t, s, c)
	old.MaxVersion = tls.VersionTLS11
	if _, err := meet(t, server.Config(false), old); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, statErr := d.Info(); statErr != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", path, info.Mode(), statErr)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAClientMustShowACertificateOfTheAuthority(t *testing.T) {
	c := new(clock)
	s, stranger := authority.In(t.TempDir()), authority.In(t.TempDir())
	makeServer(t, s)
	makeServer(t, stranger)
	for _, store := range []*authority.Store{s, stranger} {
		if _, err := store.MakeClient("bar-1", monday); err != nil {
			t.Fatal(err)
		}
	}
	config := serverOf(t, s, s.Root().Cert, c).Config(true)
	with := func(p authority.Pair) *tls.Config {
		certificate, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			t.Fatal(err)
		}
		client := trusting(t, s, c)
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
		return client
	}
	if _, err := meet(t, config, with(s.Client("bar-1"))); err != nil {
		t.Error(err)
	}
	for name, client := range map[string]*tls.Config{
		"none": trusting(t, s, c), "a stranger's": with(stranger.Client("bar-1")), "the server's own": with(s.Server()),
	} {
		if _, err := meet(t, config, client); err == nil {
			t.Errorf("a client is let in with %s certificate", name)
		}
	}
}

func TestThisProcessConnectsToItselfWhateverTheCertificateIs(t *testing.T) {
	c := new(clock)
	s := authority.In(t.TempDir())
	makeServer(t, s, "gym.example.org")
	server := serverOf(t, s, s.Root().Cert, c)
	if _, err := meet(t, server.Config(true), server.Inside()); err != nil {
		t.Error(err)
	}
	// Whoever only knows the name has neither the key nor the certificate.
	outside := server.Inside()
	outside.Certificates = nil
	if _, err := meet(t, server.Config(true), outside); err == nil {
		t.Error("a client without a certificate is let in by a name")
	}
}

func TestARenewedCertificateIsUsedWithoutARestart(t *testing.T) {
	c := new(clock)
	s := authority.In(t.TempDir())
	makeServer(t, s, "localhost", "127.0.0.1", "gym.example.org")
	server := serverOf(t, s, "", c)
	config := server.Config(false)
	before, err := meet(t, config, trusting(t, s, c))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Server().Cert, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.pass(2 * time.Second)
	if got, err := meet(t, config, trusting(t, s, c)); err != nil || !got.Equal(before) {
		t.Errorf("with a damaged file the one before is not used: %v", err)
	}
	if err := os.WriteFile(s.Server().Cert, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.pass(2 * time.Second)
	server.Until()
	makeServer(t, s, "127.0.0.1", "gym.example.org")
	made := makeServer(t, s) // keeps the hosts
	if made.Root || strings.Join(made.Hosts, " ") != "gym.example.org 127.0.0.1" {
		t.Errorf("renewed for %v, authority new: %t", made.Hosts, made.Root)
	}
	c.pass(2 * time.Second)
	after, err := meet(t, config, trusting(t, s, c)) // the authority that it trusts is the same
	if err != nil {
		t.Fatal(err)
	}
	if after.Equal(before) || len(after.DNSNames) != 1 {
		t.Errorf("the certificate is still that for %v", after.DNSNames)
	}
}

func TestBadHostsAndNamesAreRefusedByField(t *testing.T) {
	s := authority.In(t.TempDir())
	for _, host := range []string{"", "0.0.0.0", "::", "a b", "http://gym", "-x", "gym..org", strings.Repeat("a", 64)} {
		_, err := s.MakeServer([]string{"localhost", host}, monday)
		if field, ok := errors.AsType[*lift.FieldError](err); !ok || field.Field != "host" {
			t.Errorf("host %q: %v", host, err)
		}
	}
	if _, err := s.MakeClient("bar-1", monday); err == nil {
		t.Error("a client's certificate is made without an authority")
	}
	makeServer(t, s)
	for _, name := range []string{"", "../server", "a/b", "Bar 1"} {
		_, err := s.MakeClient(name, monday)
		if field, ok := errors.AsType[*lift.FieldError](err); !ok || field.Field != "name" {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if _, err := s.MakeServer(nil, monday.AddDate(11, 0, 0)); err == nil {
		t.Error("an expired authority signs")
	}
}

func TestFilesThatCannotBeServedAreRefusedAtTheStart(t *testing.T) {
	s := authority.In(t.TempDir())
	c := new(clock)
	o := authority.ServerOptions{Pair: s.Server(), Logger: slog.New(slog.DiscardHandler), Now: c.now}
	if _, err := authority.NewServer(o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing files: %v", err)
	}
	makeServer(t, s)
	o.Clients = s.Server().Key
	if _, err := authority.NewServer(o); err == nil {
		t.Error("a key is taken for an authority")
	}
	o.Clients = ""
	c.pass(826 * 24 * time.Hour)
	if _, err := authority.NewServer(o); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired certificate: %v", err)
	}
}
