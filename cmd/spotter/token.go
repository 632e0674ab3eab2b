package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/lift"
)

// folderSettings say where the credentials of a server are: in its data folder,
// beside it, or behind its API.
type folderSettings struct {
	Data string `help:"Data folder of the server, which may be running." default:"spotter-data" type:"path"`

	serverSettings `embed:""`
}

// reach returns the server to ask, nil where the folder is to be used.
func (c *folderSettings) reach() (*serverSettings, error) {
	var u usageError
	c.serverSettings.validate(&u)
	if c.Server != "" {
		return &c.serverSettings, u.orNil()
	}
	if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
		u.addf("--data: there is no folder %s", c.Data)
	}
	return nil, u.orNil()
}

// usageOf turns a field that cannot be used into an error of usage.
func usageOf(err error) error {
	if _, ok := errors.AsType[*lift.FieldError](err); ok {
		return &usageError{[]error{err}}
	}
	return err
}

// tokenCommand looks after the tokens of the HTTP API. It works beside a running
// server, which sees a change with the next request.
type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token and print it once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCommand `cmd:"" help:"Revoke a token."`
}

type tokenCreateCommand struct {
	folderSettings `embed:""`

	Name    string `arg:"" help:"Name of the token: what its owner does is signed with it."`
	Role    string `help:"admin may do everything; coach sees a site or all; athlete only themselves." enum:"admin,coach,athlete" required:""`
	Site    string `help:"Site of a coach; without it all sites."`
	Athlete string `help:"Id of the athlete whom the token is for."`
	Expires string `help:"How long the token holds: 90d, 12h or never." default:"90d"`
}

// tokenLine is a token as the API tells it.
type tokenLine struct {
	Name    string         `json:"name"`
	Role    access.Role    `json:"role"`
	Site    lift.SiteID    `json:"site,omitzero"`
	Athlete lift.AthleteID `json:"athlete,omitzero"`
	Created time.Time      `json:"created,omitzero"`
	Expires time.Time      `json:"expires,omitzero"`
	Used    string         `json:"used,omitzero"`
	Token   string         `json:"token,omitzero"`
}

// Run makes a token.
func (c *tokenCreateCommand) Run(ctx context.Context, s streams) error {
	now := time.Now().UTC()
	expires, err := parseExpiry(c.Expires, now)
	if err != nil {
		return &usageError{[]error{err}}
	}
	server, err := c.reach()
	if err != nil {
		return err
	}
	line := tokenLine{Name: c.Name, Role: access.Role(c.Role), Site: lift.SiteID(c.Site), Athlete: lift.AthleteID(c.Athlete), Expires: expires}
	if server != nil {
		err = server.send(ctx, http.MethodPost, "/api/v1/tokens", &line, &line)
	} else {
		line.Token, err = access.TokensIn(c.Data).Create(access.Token{
			Name: line.Name, Role: line.Role, Site: line.Site, Athlete: line.Athlete, Expires: line.Expires,
		}, now)
	}
	if err != nil {
		return usageOf(err)
	}
	_, err = fmt.Fprintf(s.out, "name  %s\ntoken %s\n", c.Name, line.Token)
	return err
}

// parseExpiry reads a stretch of time such as 90d, and returns when it is over; zero
// for never.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "never" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 3650 {
			return now.AddDate(0, 0, n), nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, fmt.Errorf("--expires: %q is neither never nor a stretch of time such as 90d or 12h", text)
}

type tokenListCommand struct {
	folderSettings `embed:""`
}

// Run lists the tokens.
func (c *tokenListCommand) Run(ctx context.Context, s streams) error {
	server, err := c.reach()
	if err != nil {
		return err
	}
	var lines []tokenLine
	if server != nil {
		if lines, err = pages[tokenLine](ctx, server, "/api/v1/tokens"); err != nil {
			return err
		}
	} else {
		all, err := access.TokensIn(c.Data).List()
		if err != nil {
			return err
		}
		for _, t := range all {
			lines = append(lines, tokenLine{Name: t.Name, Role: t.Role, Site: t.Site, Athlete: t.Athlete, Created: t.Created, Expires: t.Expires, Used: t.Used})
		}
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tROLE\tOF\tCREATED\tEXPIRES\tLAST USED")
	for _, l := range lines {
		of, created, expires := string(l.Site)+string(l.Athlete), "", "never"
		if of == "" {
			of = "all sites"
		}
		if !l.Created.IsZero() {
			created = l.Created.Format(time.DateOnly)
		}
		if !l.Expires.IsZero() {
			expires = l.Expires.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.Role, of, created, expires, l.Used)
	}
	return table.Flush()
}

type tokenRevokeCommand struct {
	folderSettings `embed:""`

	Name string `arg:"" help:"Name of the token."`
}

// Run revokes a token.
func (c *tokenRevokeCommand) Run(ctx context.Context) error {
	server, err := c.reach()
	if err != nil {
		return err
	}
	if server != nil {
		return server.send(ctx, http.MethodDelete, "/api/v1/tokens/"+url.PathEscape(c.Name), nil, nil)
	}
	return access.TokensIn(c.Data).Revoke(c.Name, time.Now())
}
