// Package authority makes the certificates of an installation: a certificate
// authority of its own, the server's certificate, and those of clients where both
// sides are to show one. It also serves certificates from files, and takes a
// renewed file without a restart.
//
// Keys are ECDSA P-256 and files that only their owner may read. A Store may be
// used by several processes as long as one of them writes; a Server by any number
// of goroutines.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// How long certificates are valid. 825 days are the most that some clients accept.
const (
	rootValid = 10 * 365 * 24 * time.Hour
	leafValid = 825 * 24 * time.Hour
	// clockSlack is by how much a client's clock may be behind.
	clockSlack = time.Hour
)

// Pair is where a certificate and its key are.
type Pair struct{ Cert, Key string }

// Store is the folder tls of a data folder.
type Store struct{ dir string }

// In returns the store of a data folder. Nothing need be in it.
func In(data string) *Store { return &Store{filepath.Join(data, "tls")} }

// Root is the authority's own certificate, which clients trust, and its key.
func (s *Store) Root() Pair { return s.pair("ca") }

// Server is what the server presents.
func (s *Store) Server() Pair { return s.pair("server") }

// Client is what the named client presents.
func (s *Store) Client(name string) Pair { return s.pair(filepath.Join("clients", name)) }

func (s *Store) pair(name string) Pair {
	path := filepath.Join(s.dir, name)
	return Pair{path + ".crt", path + ".key"}
}

// Made says what MakeServer has made.
type Made struct {
	Root  bool // the authority is new
	Hosts []string
	Until time.Time // the server's certificate is valid until then
}

// MakeServer makes a server certificate for the hosts, each a name or an IP
// address, and before it the authority where there is none. The certificate that
// was there before is replaced; where hosts is empty it keeps its hosts, and a
// first one is for this machine alone. A *lift.FieldError names a host that cannot
// be used.
func (s *Store) MakeServer(hosts []string, now time.Time) (Made, error) {
	if len(hosts) == 0 {
		hosts = s.hosts()
	}
	template, err := forHosts(hosts)
	if err != nil {
		return Made{}, err
	}
	root, isNew, err := s.root(now)
	if err != nil {
		return Made{}, err
	}
	until, err := s.issue(root, template, s.Server(), now)
	return Made{Root: isNew, Hosts: hosts, Until: until}, err
}

// hosts are those of the server's certificate, or this machine's.
func (s *Store) hosts() []string {
	certificate, err := ReadCertificate(s.Server().Cert)
	if err != nil {
		return []string{"localhost", "127.0.0.1", "::1"}
	}
	hosts := slices.Clone(certificate.DNSNames)
	for _, ip := range certificate.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return hosts
}

// MakeClient makes a certificate by which the named client is known, and returns
// until when it is valid. One of that name that was there is replaced on disk, and
// stays valid where it was copied to. A *lift.FieldError says what is wrong with
// the name.
func (s *Store) MakeClient(name string, now time.Time) (time.Time, error) {
	if err := lift.CheckID("name", name); err != nil {
		return time.Time{}, err
	}
	if _, err := os.Stat(s.Root().Key); errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, errors.New("there is no certificate authority yet: make it with spotter tls")
	}
	root, _, err := s.root(now)
	if err != nil {
		return time.Time{}, err
	}
	return s.issue(root, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, s.Client(name), now)
}

func forHosts(hosts []string) (*x509.Certificate, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		switch ip := net.ParseIP(h); {
		case ip != nil && ip.IsUnspecified():
			return nil, &lift.FieldError{Field: "host", Reason: fmt.Sprintf("%s is nobody's address: name those by which clients reach the server", h)}
		case ip != nil:
			template.IPAddresses = append(template.IPAddresses, ip)
		case !isHostName(h):
			return nil, &lift.FieldError{Field: "host", Reason: fmt.Sprintf("%.80q is neither a host name nor an IP address", h)}
		default:
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return template, nil
}

// isHostName reports whether clients would accept a certificate of that name.
func isHostName(h string) bool {
	if len(h) == 0 || len(h) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimPrefix(h, "*."), ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return false
		}
	}
	return true
}

// root reads the authority, making it where there is none.
func (s *Store) root(now time.Time) (root tls.Certificate, isNew bool, err error) {
	at := s.Root()
	_, certMissing := os.Stat(at.Cert)
	_, keyMissing := os.Stat(at.Key)
	if errors.Is(certMissing, fs.ErrNotExist) && errors.Is(keyMissing, fs.ErrNotExist) {
		_, err := s.issue(tls.Certificate{}, &x509.Certificate{
			Subject:               pkix.Name{CommonName: "Spotter " + rand.Text()[:8]}, // clients tell two authorities apart by name
			IsCA:                  true,
			BasicConstraintsValid: true,
			MaxPathLenZero:        true,
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}, at, now)
		if err != nil {
			return root, false, err
		}
		isNew = true
	}
	if root, err = tls.LoadX509KeyPair(at.Cert, at.Key); err != nil {
		return root, false, fmt.Errorf("read certificate authority: %w", err)
	}
	if !root.Leaf.IsCA {
		return root, false, fmt.Errorf("read certificate authority: %s is no authority's certificate", at.Cert)
	}
	if now.After(root.Leaf.NotAfter) {
		return root, false, fmt.Errorf("read certificate authority: it has expired on %s; move %s away and begin anew", root.Leaf.NotAfter.Format(time.DateOnly), s.dir)
	}
	return root, isNew, nil
}

// issue makes a key and a certificate for it, signed by root or, where that is
// empty, by itself. No certificate outlives the one that signs it.
func (s *Store) issue(root tls.Certificate, template *x509.Certificate, at Pair, now time.Time) (until time.Time, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return until, fmt.Errorf("make key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return until, fmt.Errorf("make serial number: %w", err)
	}
	template.NotBefore = now.Add(-clockSlack).UTC()
	signer, signed := any(key), template
	until = now.Add(rootValid)
	if !template.IsCA {
		template.KeyUsage = x509.KeyUsageDigitalSignature
		signer, signed = root.PrivateKey, root.Leaf
		until = now.Add(leafValid)
		if until.After(root.Leaf.NotAfter) {
			until = root.Leaf.NotAfter
		}
	}
	template.NotAfter = until.UTC()
	certificate, err := x509.CreateCertificate(rand.Reader, template, signed, &key.PublicKey, signer)
	if err != nil {
		return until, fmt.Errorf("make certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return until, fmt.Errorf("encode key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(at.Cert), 0o700); err != nil {
		return until, fmt.Errorf("write certificate: %w", err)
	}
	// A server that reads between the two finds a pair that does not fit, and keeps
	// the one that it has.
	for _, f := range []struct {
		path, kind string
		der        []byte
	}{{at.Key, "PRIVATE KEY", private}, {at.Cert, "CERTIFICATE", certificate}} {
		if err := access.Replace(f.path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der})); err != nil {
			return until, fmt.Errorf("write certificate: %w", err)
		}
	}
	return until, nil
}

// ReadCertificate reads the first certificate of a PEM file.
func ReadCertificate(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("read certificate: %s does not begin with one", path)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read certificate in %s: %w", path, err)
	}
	return certificate, nil
}

// Pool reads the authorities of a PEM file.
func Pool(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("read certificate authority: %s holds no certificate", path)
	}
	return pool, nil
}
