package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/house/need"
)

// secret is a part of every name, note, token, password and athlete's id of the test
// below. It can be an id, so that it goes as deep as ids do.
const secret = "zq-private"

// Nothing that is said of a person, and nothing that opens a door, comes into the log,
// however loud it is, or into the metrics: no name, note, token, password, nor the id
// of an athlete.
func TestNothingPrivateIsLoggedOrCounted(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			args := serveArgs(t, "100ms", "")
			args = append(args[:len(args)-1], "debug", "--log-format", format, "--zone", "Europe/Berlin")
			p := launch(t, args...)
			athlete, now := secret+"-ana", time.Now().UTC().Format(time.RFC3339)
			bodies := []struct{ method, path, body string }{
				{"POST", "/athletes", `{"id":"` + athlete + `","name":"` + secret + ` Ana","site":"main"}`},
				{"PATCH", "/athletes/" + athlete, `{"name":"` + secret + ` Anna","reason":"` + secret + `"}`},
				{"POST", "/athletes/" + athlete + "/checkins", `{"time":"` + now + `","phase":"after","pain":9,"symptoms":["radiating"],"note":"` + secret + `"}`},
				{"POST", "/athletes/" + athlete + "/checkins", `{"time":"` + now + `","phase":"` + secret + `","pain":"` + secret + `"}`},
				{"POST", "/athletes/" + athlete + "/plan/hold", `{"reason":"` + secret + `"}`},
				{"POST", "/tokens", `{"name":"` + secret + `","role":"coach"}`},
				{"POST", "/credentials", `{"kind":"device","site":"main","name":"` + secret + `"}`},
				{"GET", "/athletes/" + athlete + "/reps?from=" + secret, ""},
				{"GET", "/" + secret, ""},
				{"GET", "/athletes/" + secret + "%00%0a/reps", ""},
				{"GET", "/alerts?athlete=" + athlete + "&cursor=" + secret, ""},
				{"GET", "/quarantine?cursor=" + secret, ""},
				{"GET", "/alerts/stream?ticket=" + secret + "&last_event_id=" + secret, ""},
				{"PATCH", "/reps/" + secret, `{"athlete":"` + secret + `","` + secret + `":1}`},
				{"POST", "/session", `{"token":"` + secret + `"}`},
				{"DELETE", "/athletes/" + athlete + "?reason=" + secret, ""},
			}
			statuses := map[int]int{}
			for _, b := range bodies {
				for _, token := range []string{adminToken, secret + "-wrong-token"} {
					request, err := http.NewRequestWithContext(t.Context(), b.method, p.HTTP+"/api/v1"+b.path, strings.NewReader(b.body))
					if err != nil {
						t.Fatal(err)
					}
					request.Header.Set("Authorization", "Bearer "+token)
					request.Header.Set("Content-Type", "application/json")
					request.Header.Set("User-Agent", secret)
					request.Header.Set("X-Forwarded-For", secret)
					request.Header.Set("Cookie", "spotter="+secret)
					answer, err := http.DefaultClient.Do(request)
					if err != nil {
						t.Fatal(err)
					}
					_ = answer.Body.Close()
					statuses[answer.StatusCode]++
				}
			}
			if statuses[200]+statuses[201]+statuses[202] < 4 || statuses[401] < len(bodies)/2 {
				t.Errorf("too little went through, or was refused: %v", statuses)
			}

			// Since the first credential nobody is anonymous.
			username, password := addDevice(t, args[2], "gw", "--kind", "gateway", "--devices", "bar-1")
			if c, err := connect(p.MQTT, secret, secret); err == nil {
				c.Disconnect(0)
				t.Error("a stranger is let in")
			}
			c, err := connect(p.MQTT, username, password)
			if err != nil {
				t.Fatal(err)
			}
			device := "spotter/v1/main/device/bar-1/"
			for topic, payload := range map[string]string{
				device + "rep":    strings.ReplaceAll(minimalRep, `"ana"`, `"`+athlete+`"`),
				device + "assign": `{"athlete":"` + secret + ` With Spaces"}`,
				device + "status": secret,
				"spotter/v1/main/athlete/" + athlete + "/checkin":  `{"note":"` + secret + `"}`, // not a gateway's
				"spotter/v1/main/device/" + secret + "-x y\"/rep":  secret,
				"$JS/API/STREAM/DELETE/" + secret:                  secret,
				"spotter/v1/" + secret + "/device/" + secret + "/": secret,
			} {
				token := c.Publish(topic, 1, false, payload)
				token.WaitTimeout(5 * time.Second)
				if !c.IsConnectionOpen() { // the broker cuts off who puts a space into a topic
					if c, err = connect(p.MQTT, username, password); err != nil {
						t.Fatal(err)
					}
				}
			}
			c.Subscribe("spotter/v1/main/athlete/"+athlete+"/#", 1, nil).WaitTimeout(5 * time.Second)
			c.Disconnect(100)
			need.Eventually(t, patience, "two messages in quarantine", func() bool {
				return p.metric("spotter_ingest_quarantined_total") >= 2 && p.metric("spotter_ingest_events_total") >= 1
			})
			p.settled()

			metrics := p.text("/metrics")
			p.stop()
			logged := p.log.String()
			if !strings.Contains(logged, "DEBUG") || !strings.Contains(logged, "answered") {
				t.Fatalf("little is logged:\n%s", logged)
			}
			for _, private := range []string{secret, adminToken, password} {
				for line := range strings.Lines(logged) {
					if strings.Contains(line, private) {
						t.Errorf("the log has %q: %s", private, line)
					}
				}
				for line := range strings.Lines(metrics) {
					if strings.Contains(line, private) {
						t.Errorf("the metrics have %q: %s", private, line)
					}
				}
			}
			for line := range strings.Lines(logged) {
				var record map[string]any
				if format == "json" && json.Unmarshal([]byte(line), &record) != nil {
					t.Errorf("no line of JSON: %s", line)
				}
			}
			if bad := []int{500, 502}; slices.ContainsFunc(bad, func(s int) bool { return statuses[s] > 0 }) {
				t.Errorf("answers: %v", statuses)
			}
		})
	}
}
