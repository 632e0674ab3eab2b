package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// The headers of a webhook.
const (
	SignatureHeader = "Spotter-Signature" // t=<seconds since 1970>,v1=<hex of HMAC-SHA256>
	KeyHeader       = "Idempotency-Key"   // the message's ID
)

// Sign returns the signature of a webhook's body: HMAC-SHA256 with the secret as key
// over the time in seconds since 1970, a dot, and the body.
func Sign(secret string, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

type webhookClient struct {
	client *http.Client
	now    func() time.Time
}

// maxRedirects is how often a webhook may send us on, on its own host.
const maxRedirects = 3

var errElsewhere = errors.New("it redirects to another host, which is not followed")

func newWebhookClient(now func() time.Time) webhookClient {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: attemptLimit / 2,
	}
	return webhookClient{now: now, client: &http.Client{
		Transport: transport,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			from := via[0].URL
			if r.URL.Host != from.Host || r.URL.Scheme != from.Scheme {
				return errElsewhere
			}
			if len(via) > maxRedirects {
				return fmt.Errorf("it redirects more than %d times", maxRedirects)
			}
			return nil
		},
	}}
}

// send posts the message, signed anew: the receiver refuses what is old.
func (c *webhookClient) send(ctx context.Context, w *Webhook, m *Message) (string, error) {
	body, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("encode message: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return "", errors.New("the webhook's URL cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "spotter")
	request.Header.Set(KeyHeader, m.ID)
	request.Header.Set(SignatureHeader, Sign(w.Secret, c.now(), body))
	answer, err := c.client.Do(request)
	if err != nil {
		// The URL, which url.Error repeats, may hold a secret.
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return "", fmt.Errorf("post: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 4*maxAnswer)) // what is missing is not worth an error
	text := scrub(answer.Status+" "+string(said), w.URL)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return "", errors.New("it answers " + text)
	}
	return text, nil
}
