package api

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

const report = `{"time":"2026-11-10T18:10:00Z","phase":"after","pain":3}`

func TestACheckInLinkTakesOneReport(t *testing.T) {
	g := open(t, func(o *Options) { o.PublicURL = "https://gym.example/" })
	g.append(rep("ana", 1, trained))
	link := want[checkInLink](g, 201, "POST", "/api/v1/athletes/ana/checkin-links", "")
	if link.URL != "https://gym.example/checkin/"+link.Token || link.Uses != 1 || time.Until(link.Expires) > 24*time.Hour {
		t.Errorf("%+v", link)
	}
	code, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(link.QR, "data:image/png;base64,"))
	if err != nil {
		t.Fatal(err)
	}
	if image, err := png.Decode(bytes.NewReader(code)); err != nil || image.Bounds().Dx() != qrPixels {
		t.Errorf("qr code: %v", err)
	}
	path := "/api/v1/checkin/" + link.Token
	nobody := []string{"Authorization", ""}
	if got := want[invitation](g, 200, "GET", path, "", nobody...); got.Athlete != "ana" || got.Uses != 1 || got.Zone != "UTC" {
		t.Errorf("%+v", got)
	}
	if p := want[problem](g, 422, "POST", path, `{"time":"2026-11-10T18:10:00Z","phase":"after","pain":11}`, nobody...); p.Field != "pain" {
		t.Errorf("%+v", p)
	}
	if c := want[lift.CheckInRecord](g, 201, "POST", path, report, nobody...); c.Athlete != "ana" || *c.Pain != 3 {
		t.Errorf("%+v", c)
	}
	want[problem](g, 404, "POST", path, strings.Replace(report, "18:10", "18:11", 1), nobody...)
	want[problem](g, 404, "GET", path, "", nobody...)
	if all := walk[view.AuditEntry](g, "/api/v1/athletes/ana/audit?", 10); len(all) != 1 || all[0].By != "athlete:ana" {
		t.Errorf("%+v", all)
	}
}

func TestACheckInLinkOpensNothingElse(t *testing.T) {
	g := open(t)
	g.append(rep("ana", 1, trained))
	link := want[checkInLink](g, 201, "POST", "/api/v1/athletes/ana/checkin-links", `{"uses":3,"hours":1}`)
	want[problem](g, 401, "GET", "/api/v1/athletes/ana/checkins", "", "Authorization", "Bearer "+link.Token)
	want[problem](g, 404, "GET", "/api/v1/checkin/"+testToken, "", "Authorization", "")
	for range 2 { // a repeat takes none of its uses
		answer := g.send("POST", "/api/v1/checkin/"+link.Token, report, "Authorization", "")
		_ = answer.Body.Close()
	}
	if got := want[invitation](g, 200, "GET", "/api/v1/checkin/"+link.Token, ""); got.Uses != 2 {
		t.Errorf("%+v", got)
	}
}

func TestThePageOfALinkNeedsNoScript(t *testing.T) {
	g := open(t)
	g.append(rep("ana", 1, trained))
	link := want[checkInLink](g, 201, "POST", "/api/v1/athletes/ana/checkin-links", `{"uses":2}`)
	if !strings.HasPrefix(link.URL, g.url+"/checkin/") {
		t.Errorf("without an address of its own: %s", link.URL)
	}
	page := func(method string, form url.Values) (int, string) {
		t.Helper()
		answer := g.send(method, "/checkin/"+link.Token, form.Encode(), "Authorization", "", "Content-Type", "application/x-www-form-urlencoded")
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || !strings.Contains(answer.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%v, policy %q", err, answer.Header.Get("Content-Security-Policy"))
		}
		return answer.StatusCode, string(text)
	}
	if status, text := page(http.MethodGet, nil); status != 200 || !strings.Contains(text, "How are you?") || !strings.Contains(text, `<form method="post">`) {
		t.Errorf("%d %s", status, text)
	}
	hostile := url.Values{"time": {"2026-11-10T18:10:00Z"}, "phase": {`"><script>alert(1)</script>`}, "pain": {"3"}}
	if status, text := page(http.MethodPost, hostile); status != 422 || strings.Contains(text, "<script>") || !strings.Contains(text, "phase") {
		t.Errorf("%d %s", status, text)
	}
	calm := url.Values{"time": {"2026-11-10T18:10:00Z"}, "phase": {"after"}, "pain": {"3"}, "sleep_h": {""}, "note": {"fine"}}
	if status, text := page(http.MethodPost, calm); status != 200 || !strings.Contains(text, "Your coach sees") {
		t.Errorf("%d %s", status, text)
	}
	flagged := url.Values{"time": {"2026-11-10T18:12:00Z"}, "phase": {"after"}, "symptoms": {"radiating", "saddle_numbness"}}
	if status, text := page(http.MethodPost, flagged); status != 200 || !strings.Contains(text, "get medical help now") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := page(http.MethodGet, nil); status != 404 || !strings.Contains(text, "does not work any more") {
		t.Errorf("%d %s", status, text)
	}
	if all := walk[lift.CheckInRecord](g, "/api/v1/athletes/ana/checkins?from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z", 10); len(all) != 2 {
		t.Errorf("%+v", all)
	}
}
