package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// serverSettings say which running server a command talks to.
type serverSettings struct {
	Server    string `help:"URL of a running server that does the work, such as http://127.0.0.1:8080; without it the --data folder is read, while no server runs on it."`
	Token     string `help:"Token for the --server; better in SPOTTER_TOKEN or a file."`
	TokenFile string `help:"File with the token for the --server." type:"path"`

	trustSettings `embed:""`
}

// trustSettings say whom to trust as an https:// server, and who one is oneself.
type trustSettings struct {
	ServerCA   string `name:"server-ca" help:"File with the certificate authority of an https:// server, where it is your own." type:"path"`
	ServerCert string `name:"server-cert" help:"File with a client's certificate, where the server demands one." type:"path"`
	ServerKey  string `name:"server-key" help:"File with its key." type:"path"`

	client *http.Client
}

// validate reads the files; after it the client can be used.
func (c *trustSettings) validate(u *usageError) {
	config, err := clientTLS(c.ServerCA, c.ServerCert, c.ServerKey, [3]string{"server-ca", "server-cert", "server-key"})
	if err != nil {
		u.problems = append(u.problems, err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	c.client = &http.Client{Transport: transport}
}

func (c *serverSettings) validate(u *usageError) {
	fileSetting(u, "token", &c.Token, c.TokenFile)
	if c.Server != "" {
		checkURL(u, "server", c.Server, "http", "https")
	}
	c.trustSettings.validate(u)
}

// send makes a request with a JSON body, none where it is nil, and reads the answer.
// A problem's detail becomes the error. It waits where the server is asked too often.
func (c *serverSettings) send(ctx context.Context, method, path string, body, into any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return fmt.Errorf("ask server: %w", err)
		}
	}
	for {
		answer, data, err := c.ask(ctx, method, path, sent)
		switch {
		case err != nil:
			return err
		case answer.StatusCode == http.StatusTooManyRequests && waitsFor(ctx, answer.Header.Get("Retry-After")):
			continue
		case answer.StatusCode >= http.StatusMultipleChoices:
			return refused(answer.Status, data)
		case into == nil:
			return nil
		}
		if err := json.Unmarshal(data, into); err != nil {
			return fmt.Errorf("read server's answer: %w", err)
		}
		return nil
	}
}

// longestWait is how long a command waits because of its own haste. Wrong tokens have
// to wait longer.
const longestWait = 10 * time.Second

// waitsFor waits as long as a Retry-After says, unless that is too long.
func waitsFor(ctx context.Context, seconds string) bool {
	n, err := strconv.Atoi(seconds)
	wait := time.Duration(n) * time.Second
	if err != nil || wait <= 0 || wait > longestWait {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// reply is an answer whose body has been read.
type reply struct {
	Status     string
	StatusCode int
	Header     http.Header
	TLS        *tls.ConnectionState // nil in the clear
}

// request is one to the server, with the token.
func (c *serverSettings) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+path, body)
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return request, nil
}

func (c *serverSettings) ask(ctx context.Context, method, path string, sent []byte) (reply, []byte, error) {
	var body io.Reader
	if sent != nil {
		body = bytes.NewReader(sent)
	}
	request, err := c.request(ctx, method, path, body)
	if err != nil {
		return reply{}, nil, err
	}
	if sent != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return reply{}, nil, fmt.Errorf("ask server: %w", err)
	}
	data, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return reply{}, nil, fmt.Errorf("read server's answer: %w", err)
	}
	return reply{answer.Status, answer.StatusCode, answer.Header, answer.TLS}, data, nil
}

// download copies what the server answers to w, however long it is. What was copied
// before an error is not whole.
func (c *serverSettings) download(ctx context.Context, path string, w io.Writer) error {
	request, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	answer, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask server: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
		return refused(answer.Status, text)
	}
	if _, err := io.Copy(w, answer.Body); err != nil {
		return fmt.Errorf("download from server: %w", err)
	}
	return nil
}

// refusal is an answer that is a problem document, or should be.
type refusal struct {
	status string
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (r *refusal) Error() string {
	if r.Detail == "" {
		return "server answers " + r.status
	}
	return "server answers " + r.status + ": " + r.Detail
}

func refused(status string, data []byte) error {
	r := &refusal{status: status}
	_ = json.Unmarshal(data, r) // a proxy's answer has another form
	return r
}

// pages reads a list to its end.
func pages[T any](ctx context.Context, c *serverSettings, path string) ([]T, error) {
	var all []T
	cursor := ""
	for {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		if err := c.send(ctx, http.MethodGet, path+"?limit=500&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}
