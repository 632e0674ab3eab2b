package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"strings"
	"sync"
	"time"
)

// lookEvery is how often files are looked at for a change, at most.
const lookEvery = time.Second

// ServerOptions say what a server presents and whom it lets in. All fields but
// Clients are required.
type ServerOptions struct {
	Pair
	// Clients is a file with the authorities of which clients must show a
	// certificate to listeners that demand one; "" where none does.
	Clients string
	Logger  *slog.Logger
	Now     func() time.Time
}

// Server is the TLS side of this process's listeners. It reads its files again when
// they have changed; files that cannot be used are logged, and what was read before
// stays in use.
type Server struct {
	o      ServerOptions
	inside *tls.Certificate
	pool   *x509.CertPool // of inside

	mu      sync.Mutex
	looked  time.Time
	stamp   string
	current *tls.Certificate
	clients *x509.CertPool
}

// insideName is the name by which this process's own clients ask for the
// certificate that they and the server share.
const insideName = "inside.spotter.internal"

// NewServer reads the files and returns the server, or why they cannot be used.
func NewServer(o ServerOptions) (*Server, error) {
	s := &Server{o: o}
	var err error
	if s.stamp, err = s.stampOf(); err != nil {
		return nil, err
	}
	if s.current, s.clients, err = s.read(); err != nil {
		return nil, err
	}
	s.looked = o.Now()
	if now := o.Now(); now.After(s.current.Leaf.NotAfter) {
		return nil, fmt.Errorf("read certificate: %s has expired on %s", o.Cert, s.current.Leaf.NotAfter.Format(time.DateOnly))
	}
	s.inside, s.pool, err = newInside(o.Now())
	return s, err
}

// Config is for a listener. Where demand is true, clients must show a certificate
// of the Clients.
func (s *Server) Config(demand bool, protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, Time: s.o.Now}
			if hello.ServerName == insideName {
				c.Certificates = []tls.Certificate{*s.inside}
				c.ClientAuth, c.ClientCAs, c.SessionTicketsDisabled = tls.RequireAndVerifyClientCert, s.pool, true
				return c, nil
			}
			certificate, clients := s.look()
			c.Certificates = []tls.Certificate{*certificate}
			if demand {
				// Nobody resumes a session of before the authority was replaced.
				c.ClientAuth, c.ClientCAs, c.SessionTicketsDisabled = tls.RequireAndVerifyClientCert, clients, true
			}
			return c, nil
		},
		// Some servers want to see that there is a certificate before they listen.
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			certificate, _ := s.look()
			return certificate, nil
		},
	}
}

// Inside is for a client within this process that connects to one of its own
// listeners, by whatever address. Both sides show a certificate that was made at
// the start and is known to nobody else, so that it does not matter for which names
// the server's own is, and what it demands of others.
func (s *Server) Inside() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: insideName,
		RootCAs: s.pool, Certificates: []tls.Certificate{*s.inside},
	}
}

// Until is when the certificate in use expires.
func (s *Server) Until() time.Time {
	certificate, _ := s.look()
	return certificate.Leaf.NotAfter
}

// look returns what is in use, after having read files that have changed.
func (s *Server) look() (*tls.Certificate, *x509.CertPool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.o.Now(); now.Sub(s.looked) >= lookEvery {
		s.looked = now
		s.readChanged()
	}
	return s.current, s.clients
}

func (s *Server) readChanged() {
	stamp, err := s.stampOf()
	if err == nil && stamp == s.stamp {
		return
	}
	var certificate *tls.Certificate
	var clients *x509.CertPool
	if err == nil {
		certificate, clients, err = s.read()
	}
	if err != nil {
		if s.stamp != err.Error() { // once for as long as it stays so
			s.stamp = err.Error()
			s.o.Logger.Error("the certificate has changed and cannot be used; the one before stays in use", "error", err)
		}
		return
	}
	if !bytes.Equal(certificate.Certificate[0], s.current.Certificate[0]) {
		s.o.Logger.Info("the certificate is renewed", "until", certificate.Leaf.NotAfter)
	}
	s.stamp, s.current, s.clients = stamp, certificate, clients
}

// stampOf differs when a file has changed.
func (s *Server) stampOf() (string, error) {
	var stamp strings.Builder
	for _, path := range []string{s.o.Cert, s.o.Key, s.o.Clients} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("read certificate: %w", err)
		}
		fmt.Fprintf(&stamp, "%d %d;", info.ModTime().UnixNano(), info.Size())
	}
	return stamp.String(), nil
}

func (s *Server) read() (*tls.Certificate, *x509.CertPool, error) {
	certificate, err := tls.LoadX509KeyPair(s.o.Cert, s.o.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("read certificate: %w", err)
	}
	if s.o.Clients == "" {
		return &certificate, nil, nil
	}
	clients, err := Pool(s.o.Clients)
	return &certificate, clients, err
}

// newInside makes the certificate of this process's own clients, kept nowhere.
func newInside(now time.Time) (*tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: insideName},
		DNSNames:     []string{insideName},
		NotBefore:    now.Add(-rootValid), NotAfter: now.Add(rootValid), // it ends with the process, whatever the clock does
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool, nil
}
