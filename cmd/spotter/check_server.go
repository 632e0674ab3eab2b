package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/api"
	"github.com/spotterhq/spotter/internal/check"
)

// askServer lets a running server say how it is.
func (c *checkServerCommand) askServer(ctx context.Context, r *check.Report) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	answer, body, err := c.ask(ctx, http.MethodGet, "/readyz", nil)
	if err != nil {
		r.Add(check.Problem, "server", err.Error(), "see that it runs, and that --server and --server-ca are right")
		return
	}
	var ready struct {
		Ready    bool          `json:"ready"`
		Problems []api.Problem `json:"problems"`
	}
	if err := json.Unmarshal(body, &ready); err != nil {
		r.Add(check.Problem, "server", fmt.Sprintf("%s answers %s, not as Spotter does", c.Server, answer.Status), "see that --server is right")
		return
	}
	if ready.Ready {
		r.Add(check.OK, "server", "is ready", "")
	}
	for _, p := range ready.Problems {
		level := check.Problem
		if p.Warning {
			level = check.Warning
		}
		r.Add(level, p.Component, p.Detail, "")
	}
	if at, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		r.Clock("the server's", at, time.Now())
	}
	if answer.TLS != nil {
		r.Certificate("the server's certificate", answer.TLS.PeerCertificates[0].NotAfter, time.Now(), expiresSoon, "renew it: spotter tls")
	} else if !strings.Contains(c.Server, "://127.0.0.1") && !strings.Contains(c.Server, "://localhost") && !strings.Contains(c.Server, "://[::1]") {
		r.Add(check.Warning, "tls", "the token crosses the network in the clear", "give the server --tls")
	}
	c.askVersion(ctx, r)
	if c.askToken(ctx, r) {
		c.askMetrics(ctx, r)
	}
}

// askToken reports whether the server knows the token. From the machine itself it
// would show its metrics without.
func (c *checkServerCommand) askToken(ctx context.Context, r *check.Report) bool {
	answer, _, err := c.ask(ctx, http.MethodGet, "/api/v1/session", nil)
	switch {
	case err != nil:
		r.Add(check.Problem, "token", err.Error(), "")
	case answer.StatusCode != http.StatusOK:
		r.Add(check.Problem, "token", "the server answers "+answer.Status+" to it", "give --token one that is valid")
	default:
		r.Add(check.OK, "token", "is accepted", "")
		return true
	}
	return false
}

func (c *checkServerCommand) askVersion(ctx context.Context, r *check.Report) {
	_, body, err := c.ask(ctx, http.MethodGet, "/openapi.json", nil)
	var document struct {
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
	}
	switch {
	case err != nil || json.Unmarshal(body, &document) != nil:
		r.Add(check.Warning, "version", "the server does not tell its version", "")
	case document.Info.Version != version:
		r.Add(check.Warning, "version", fmt.Sprintf("the server is of version %s, this program of %s", document.Info.Version, version), "use the same")
	default:
		r.Add(check.OK, "version", "the server is of the same version", "")
	}
}

// askMetrics looks at what the server counts, for which the token of an admin is
// needed from elsewhere.
func (c *checkServerCommand) askMetrics(ctx context.Context, r *check.Report) {
	answer, body, err := c.ask(ctx, http.MethodGet, "/metrics", nil)
	switch {
	case err != nil:
		r.Add(check.Problem, "metrics", err.Error(), "")
		return
	case answer.StatusCode != http.StatusOK:
		r.Add(check.Warning, "metrics", "are not shown to this token", "give --token one of an admin")
		return
	}
	values := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(string(body))); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = v
		}
	}
	for _, l := range []struct {
		metric, what string
		most         float64
		do           string
	}{
		{"spotter_view_lag_events", "view", 5000, "if it stays so, the machine or its disk is too slow"},
		{"spotter_monitor_lag_events", "monitor", 5000, "if it stays so, the machine is too slow"},
		{"spotter_influx_lag_events", "influx", 50_000, "see that InfluxDB runs and takes points; nothing is lost meanwhile"},
	} {
		lag, ok := values[l.metric]
		switch {
		case ok && lag > l.most:
			r.Add(check.Warning, l.what, fmt.Sprintf("is %.0f events behind the log", lag), l.do)
		case ok:
			r.Add(check.OK, l.what, fmt.Sprintf("is %.0f events behind the log", lag), "")
		}
	}
	if connected, ok := values["spotter_influx_connected"]; ok && connected == 0 {
		r.Add(check.Warning, "influx", "does not answer the server", "see that it runs, and that the server's --influx-url and token are right; nothing is lost meanwhile")
	}
	if failed := values["spotter_ingest_failed_appends_total"]; failed > 0 {
		r.Add(check.Warning, "log", fmt.Sprintf("has refused %.0f appends since the start; they were tried again", failed), "look into the server's log")
	}
	if n := values["spotter_ingest_quarantined_total"]; n > 0 {
		r.Add(check.OK, "quarantine", fmt.Sprintf("%.0f messages since the start could not be used: GET /api/v1/quarantine says why", n), "")
	}
	if append := time.Duration(values["spotter_ingest_append_seconds"] * float64(time.Second)); append > 0 {
		r.Add(check.OK, "log", fmt.Sprintf("the newest append took %s", append.Round(10*time.Microsecond)), "")
	}
}
