package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// deviceCommand looks after the credentials for the embedded broker. It works beside
// a running server, which sees a change with the next connection.
type deviceCommand struct {
	Add    deviceAddCommand    `cmd:"" help:"Make a credential and print its password once."`
	List   deviceListCommand   `cmd:"" help:"List the credentials."`
	Revoke deviceRevokeCommand `cmd:"" help:"Remove a credential."`
}

type deviceAddCommand struct {
	folderSettings `embed:""`

	Name    string   `arg:"" help:"Id of the device, or a name for what is none."`
	Site    string   `help:"Site of the device." default:"main"`
	Kind    string   `help:"device publishes as itself; gateway for the --devices; kiosk check-ins and assignments of its site; watcher reads the --devices and publishes nothing." enum:"device,gateway,kiosk,watcher" default:"device"`
	Devices []string `help:"Devices that a gateway publishes for, or a watcher reads."`
}

// credentialLine is a credential as the API tells it.
type credentialLine struct {
	Username string          `json:"username,omitzero"`
	Kind     access.Kind     `json:"kind"`
	Site     lift.SiteID     `json:"site"`
	Name     string          `json:"name"`
	Devices  []lift.DeviceID `json:"devices,omitempty"`
	Created  time.Time       `json:"created,omitzero"`
	Password string          `json:"password,omitzero"`
}

func credentialLineOf(c *access.Credential) credentialLine {
	return credentialLine{Username: c.Username(), Kind: c.Kind, Site: c.Site, Name: c.Name, Devices: c.Devices, Created: c.Created}
}

// Run adds a credential. The first one ends anonymous access.
func (c *deviceAddCommand) Run(ctx context.Context, s streams) error {
	server, err := c.reach()
	if err != nil {
		return err
	}
	line := credentialLine{Kind: access.Kind(c.Kind), Site: lift.SiteID(c.Site), Name: c.Name}
	for _, d := range c.Devices {
		line.Devices = append(line.Devices, lift.DeviceID(d))
	}
	if server != nil {
		err = server.send(ctx, http.MethodPost, "/api/v1/credentials", &line, &line)
	} else {
		var made access.Credential
		var password string
		made, password, err = access.In(c.Data).Add(access.Credential{Kind: line.Kind, Site: line.Site, Name: line.Name, Devices: line.Devices}, time.Now())
		line = credentialLineOf(&made)
		line.Password = password
	}
	if err != nil {
		return usageOf(err)
	}
	_, err = fmt.Fprintf(s.out, "username %s\npassword %s\n", line.Username, line.Password)
	return err
}

type deviceListCommand struct {
	folderSettings `embed:""`
}

// Run lists the credentials.
func (c *deviceListCommand) Run(ctx context.Context, s streams) error {
	server, err := c.reach()
	if err != nil {
		return err
	}
	var lines []credentialLine
	if server != nil {
		if lines, err = pages[credentialLine](ctx, server, "/api/v1/credentials"); err != nil {
			return err
		}
	} else {
		all, err := access.In(c.Data).List()
		if err != nil {
			return err
		}
		for i := range all {
			lines = append(lines, credentialLineOf(&all[i]))
		}
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USERNAME\tKIND\tDEVICES\tCREATED")
	for _, l := range lines {
		devices := make([]string, len(l.Devices))
		for i, d := range l.Devices {
			devices[i] = string(d)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.Username, l.Kind, strings.Join(devices, " "), l.Created.Format(time.RFC3339))
	}
	return table.Flush()
}

type deviceRevokeCommand struct {
	folderSettings `embed:""`

	Username string `arg:"" help:"Username of the credential, site/name."`
}

// Run revokes a credential.
func (c *deviceRevokeCommand) Run(ctx context.Context) error {
	server, err := c.reach()
	if err != nil {
		return err
	}
	if server == nil {
		return access.In(c.Data).Revoke(c.Username)
	}
	site, name, ok := strings.Cut(c.Username, "/")
	if !ok {
		return &usageError{[]error{fmt.Errorf("username: %q is not site/name", c.Username)}}
	}
	return server.send(ctx, http.MethodDelete, "/api/v1/credentials/"+url.PathEscape(site)+"/"+url.PathEscape(name), nil, nil)
}
