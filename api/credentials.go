package api

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// CredentialItem is a credential for the embedded broker, without its password.
type CredentialItem struct {
	Username string          `json:"username" doc:"site/name"`
	Kind     access.Kind     `json:"kind" enum:"device,gateway,kiosk,watcher"`
	Site     lift.SiteID     `json:"site"`
	Name     string          `json:"name" doc:"the device's id, or a name for what is none"`
	Devices  []lift.DeviceID `json:"devices,omitempty" doc:"for which it publishes"`
	Created  time.Time       `json:"created"`
	URL      string          `json:"url,omitzero" doc:"where the broker is for whoever asks, such as mqtt://gym.local:1883"`
}

func credentialItemOf(c *access.Credential, broker *url.URL) CredentialItem {
	return CredentialItem{c.Username(), c.Kind, c.Site, c.Name, c.Devices, c.Created, broker.String()}
}

// newCredential is a credential with its password, shown this once.
type newCredential struct {
	CredentialItem
	Password string `json:"password" doc:"shown this once: only its hash is kept"`
	QR       string `json:"qr,omitzero" doc:"the URL with username and password as a QR code: a data: URL of a PNG"`
}

// CredentialRequest is what a credential is to be.
type CredentialRequest struct {
	Kind    access.Kind     `json:"kind" enum:"device,gateway,kiosk,watcher" doc:"device publishes as itself; gateway for its devices; kiosk check-ins and assignments of its site; watcher reads its devices and publishes nothing"`
	Site    lift.SiteID     `json:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Name    string          `json:"name" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$" doc:"the device's id, or a name for what is none"`
	Devices []lift.DeviceID `json:"devices,omitempty" maxItems:"500" doc:"a gateway's or watcher's"`
}

type credentialInput struct{ Body CredentialRequest }

// credentialPath is a username.
type credentialPath struct {
	Site lift.SiteID `path:"site" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
	Name string      `path:"name" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
}

func (s *Server) addCredentials() {
	path := "/api/v1/credentials"
	add(s, huma.Operation{
		OperationID: "list-credentials", Method: http.MethodGet, Path: path, Tags: []string{"access"},
		Summary: "List the credentials for the embedded broker, oldest first",
	}, permit{ofNobody, admins}, s.listCredentials)
	add(s, huma.Operation{
		OperationID: "create-credential", Method: http.MethodPost, Path: path, Tags: []string{"access"}, DefaultStatus: http.StatusCreated,
		Errors:      []int{http.StatusConflict, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge},
		Summary:     "Make a credential for the embedded broker and show its password once",
		Description: "The first one ends anonymous access. 409 where there is one of that name, or where the broker is another's.",
	}, permit{ofNobody, admins}, s.createCredential)
	add(s, huma.Operation{
		OperationID: "revoke-credential", Method: http.MethodDelete, Path: path + "/{site}/{name}", Tags: []string{"access"}, DefaultStatus: http.StatusNoContent,
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
		Summary:     "Revoke a credential for the embedded broker",
		Description: "The broker refuses it from the next connection on.",
	}, permit{ofNobody, admins}, func(_ context.Context, in *credentialPath) (*nothing, error) {
		if s.credentials == nil {
			return nil, errOtherBroker()
		}
		return &nothing{http.StatusNoContent}, s.credentials.Revoke(string(in.Site) + "/" + in.Name)
	})
}

func errOtherBroker() error {
	return huma.Error409Conflict("this server's broker is another's: it keeps its own credentials")
}

// brokerFor is where the embedded broker is for who made a request: one that listens
// everywhere has the host by which the server was reached.
func (s *Server) brokerFor(r *http.Request) *url.URL {
	broker, err := url.Parse(s.brokerURL)
	if err != nil || broker.Port() == "" {
		return &url.URL{}
	}
	if broker.Hostname() == "" {
		if here, err := url.Parse(s.base(r)); err == nil {
			broker.Host = net.JoinHostPort(here.Hostname(), broker.Port())
		}
	}
	return broker
}

func (s *Server) listCredentials(ctx context.Context, in *Paging) (*answer[list[CredentialItem]], error) {
	items := []CredentialItem{}
	if s.credentials != nil {
		all, err := s.credentials.List()
		if err != nil {
			return nil, err
		}
		broker := s.brokerFor(requestOf(ctx))
		for i := range all {
			items = append(items, credentialItemOf(&all[i], broker))
		}
	}
	return cutAnswer(items, *in, func(c *CredentialItem) string { return c.Username })
}

func (s *Server) createCredential(ctx context.Context, in *credentialInput) (*answer[newCredential], error) {
	if s.credentials == nil {
		return nil, errOtherBroker()
	}
	c, password, err := s.credentials.Add(access.Credential{
		Kind: in.Body.Kind, Site: in.Body.Site, Name: in.Body.Name, Devices: in.Body.Devices,
	}, s.now())
	if err != nil {
		return nil, err
	}
	broker := s.brokerFor(requestOf(ctx))
	made := newCredential{CredentialItem: credentialItemOf(&c, broker), Password: password}
	if broker.Host != "" {
		broker.User = url.UserPassword(c.Username(), password)
		if made.QR, err = qrCode(broker.String()); err != nil {
			return nil, err
		}
	}
	return &answer[newCredential]{http.StatusCreated, made}, nil
}
