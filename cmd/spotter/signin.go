package main

import (
	"cmp"
	"net"
	"net/url"

	"github.com/spotterhq/spotter/api"
)

// signInSettings say who may sign in how, and how often anybody is answered.
type signInSettings struct {
	RateToken   float64 `name:"rate-token" help:"Requests per second that one token may make, in bursts of four times as many; 0 sets no bound." default:"100"`
	RateAddress float64 `name:"rate-address" help:"The same for one address, with a token or without." default:"1000"`

	OIDCIssuer           string   `name:"oidc-issuer" help:"URL of an OpenID Connect provider with which people sign in."`
	OIDCClientID         string   `name:"oidc-client-id" help:"Spotter's id at the provider, which leads people back to /auth/callback below --public-url."`
	OIDCClientSecret     string   `name:"oidc-client-secret" help:"Spotter's secret at the provider; none for a public client."`
	OIDCClientSecretFile string   `name:"oidc-client-secret-file" help:"File with that secret." type:"path"`
	OIDCRoleClaim        string   `name:"oidc-role-claim" help:"Claim with a person's groups; dots lead into objects, as in realm_access.roles." default:"groups"`
	OIDCRoles            []string `name:"oidc-role" help:"What a group may: GROUP=admin, GROUP=coach, GROUP=coach:SITE or GROUP=athlete; the first that fits counts." sep:";"`
	OIDCNameClaim        string   `name:"oidc-name-claim" help:"Claim with the name that what a person does is signed with; it has to be theirs alone, for ever." default:"sub"`
	OIDCAthleteClaim     string   `name:"oidc-athlete-claim" help:"Claim with the id of the athlete who a person is." default:"spotter_athlete"`

	roles []api.GroupRole
}

// validate reports what cannot be used, and reads the roles.
func (c *signInSettings) validate(u *usageError, publicURL string) {
	fileSetting(u, "oidc-client-secret", &c.OIDCClientSecret, c.OIDCClientSecretFile)
	if !(c.RateToken >= 0 && c.RateToken <= 1e6) {
		u.addf("--rate-token: %g is not 0 to 1000000", c.RateToken)
	}
	if !(c.RateAddress >= 0 && c.RateAddress <= 1e6) {
		u.addf("--rate-address: %g is not 0 to 1000000", c.RateAddress)
	}
	if c.OIDCIssuer == "" {
		if c.OIDCClientID != "" || c.OIDCClientSecret != "" || len(c.OIDCRoles) > 0 {
			u.addf("--oidc-issuer: is missing, though other settings of the provider are given")
		}
		return
	}
	checkOwnURL(u, "oidc-issuer", c.OIDCIssuer)
	if publicURL == "" {
		u.addf("--public-url: is missing: the provider has to know where to lead people back to")
	} else {
		checkOwnURL(u, "public-url", publicURL)
	}
	if c.OIDCClientID == "" {
		u.addf("--oidc-client-id: is missing")
	}
	if len(c.OIDCRoles) == 0 {
		u.addf("--oidc-role: is missing: nobody who signs in would have a role")
	}
	c.roles = nil
	for _, text := range c.OIDCRoles {
		role, err := api.ParseGroupRole(text)
		if err != nil {
			u.addf("--oidc-role: %w", err)
		}
		c.roles = append(c.roles, role)
	}
}

// checkOwnURL wants TLS beyond this machine: codes and cookies cross the network.
func checkOwnURL(u *usageError, name, value string) {
	before := len(u.problems)
	checkURL(u, name, value, "http", "https")
	if len(u.problems) > before {
		return
	}
	if host, plain := plainHost(value); plain && !isLoopback(host) {
		u.addf("--%s: %q is not https://", name, redact(value))
	}
}

func (c *signInSettings) provider() *api.OIDC {
	if c.OIDCIssuer == "" {
		return nil
	}
	return &api.OIDC{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret,
		RoleClaim: c.OIDCRoleClaim, Roles: c.roles, NameClaim: c.OIDCNameClaim, AthleteClaim: c.OIDCAthleteClaim,
	}
}

// plainHost is the host and port of an http:// URL.
func plainHost(value string) (string, bool) {
	parsed, err := url.Parse(value)
	if err != nil || parsed.Scheme != "http" {
		return "", false
	}
	return net.JoinHostPort(parsed.Hostname(), cmp.Or(parsed.Port(), "80")), true
}
