package main

import (
	"errors"
	"fmt"
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
	Name    string   `arg:"" help:"Id of the device, or a name for a gateway or kiosk."`
	Data    string   `help:"Data folder of the server." default:"spotter-data" type:"existingdir"`
	Site    string   `help:"Site of the device." default:"main"`
	Kind    string   `help:"device publishes as itself; gateway for the --devices; kiosk check-ins and assignments of its site." enum:"device,gateway,kiosk" default:"device"`
	Devices []string `help:"Devices that a gateway publishes for."`
}

// Run adds a credential. The first one ends anonymous access.
func (c *deviceAddCommand) Run(s streams) error {
	credential := access.Credential{Kind: access.Kind(c.Kind), Site: lift.SiteID(c.Site), Name: c.Name}
	for _, d := range c.Devices {
		credential.Devices = append(credential.Devices, lift.DeviceID(d))
	}
	password, err := access.In(c.Data).Add(credential, time.Now())
	if _, ok := errors.AsType[*lift.FieldError](err); ok {
		return &usageError{[]error{err}}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "username %s\npassword %s\n", credential.Username(), password)
	return err
}

type deviceListCommand struct {
	Data string `help:"Data folder of the server." default:"spotter-data" type:"existingdir"`
}

// Run lists the credentials.
func (c *deviceListCommand) Run(s streams) error {
	all, err := access.In(c.Data).List()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USERNAME\tKIND\tDEVICES\tCREATED")
	for _, credential := range all {
		devices := make([]string, len(credential.Devices))
		for i, d := range credential.Devices {
			devices[i] = string(d)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", credential.Username(), credential.Kind, strings.Join(devices, " "), credential.Created.Format(time.RFC3339))
	}
	return table.Flush()
}

type deviceRevokeCommand struct {
	Username string `arg:"" help:"Username of the credential, site/name."`
	Data     string `help:"Data folder of the server." default:"spotter-data" type:"existingdir"`
}

// Run revokes a credential.
func (c *deviceRevokeCommand) Run(streams) error { return access.In(c.Data).Revoke(c.Username) }
