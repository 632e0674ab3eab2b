package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

func TestAlertsGoToThoseWhoWantThem(t *testing.T) {
	channel := func(name string, k Kind, change func(*ChannelSettings)) Channel {
		c := Channel{ID: name, ChannelSettings: ChannelSettings{Name: name, Kind: k}}
		if change != nil {
			change(&c.ChannelSettings)
		}
		return c
	}
	all := []Channel{
		channel("all", Coach, nil),
		channel("main", Coach, func(c *ChannelSettings) { c.Site = "main" }),
		channel("north", Coach, func(c *ChannelSettings) { c.Site = "north" }),
		channel("women", Coach, func(c *ChannelSettings) { c.Teams = []lift.TeamID{"women", "youth"} }),
		channel("pain", Coach, func(c *ChannelSettings) { c.Rules = []lift.Rule{"pain-zone", "red-flag"} }),
		channel("serious", Coach, func(c *ChannelSettings) { c.MinSeverity = lift.Critical }),
		channel("off", Coach, func(c *ChannelSettings) { c.Disabled = true }),
		channel("second", SecondCoach, nil),
		channel("rest", Everybody, func(c *ChannelSettings) { c.Rules = []lift.Rule{"hold"} }),
		channel("ana", Athlete, func(c *ChannelSettings) { c.Athlete = "ana" }),
		channel("eager", Athlete, func(c *ChannelSettings) { c.Athlete, c.MinSeverity = "ana", lift.Warning }),
		channel("ben", Athlete, func(c *ChannelSettings) { c.Athlete = "ben" }),
	}
	for _, c := range []struct {
		why      string
		site     lift.SiteID
		rule     lift.Rule
		severity lift.Severity
		teams    []lift.TeamID
		to       string
		want     string
	}{
		{"a warning of a site", "main", "grind", "warning", nil, first, "all main eager"},
		{"another site's", "north", "grind", "warning", nil, first, "all north eager"},
		{"a team's athlete", "main", "grind", "warning", []lift.TeamID{"men", "youth"}, first, "all main women eager"},
		{"a rule that somebody asked for", "main", "pain-zone", "warning", nil, first, "all main pain eager"},
		{"a severity that somebody asked for", "main", "grind", "critical", nil, first, "all main serious eager"},
		{"urgent goes to the athlete too", "main", "red-flag", "urgent", nil, first, "all main pain serious ana eager"},
		{"a repetition goes to coaches only", "main", "grind", "warning", nil, "coach", "all main"},
		{"a second coach", "main", "grind", "critical", nil, "second_coach", "second"},
		{"everybody of the site, whatever they asked for, but no other athlete", "main", "red-flag", "urgent", nil, "everybody",
			"all main women pain serious second rest ana eager"},
	} {
		a := &lift.Alert{Finding: lift.Finding{Site: c.site, Athlete: "ana", Rule: c.rule, Severity: c.severity}}
		var got []string
		for _, to := range route(all, a, c.teams, c.to) {
			got = append(got, to.ID)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.why, diff)
		}
	}
	// Nobody is there but the second coach: better they than nobody.
	a := &lift.Alert{Finding: lift.Finding{Site: "main", Athlete: "ana", Rule: "grind", Severity: lift.Warning}}
	if got := route(all[7:8], a, nil, first); len(got) != 1 || got[0].ID != "second" {
		t.Errorf("without a coach: %v", got)
	}
}

func TestQuietHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, now, until string }{
		{"22:00", "07:00", "2026-11-23 21:59", ""},
		{"22:00", "07:00", "2026-11-23 22:00", "2026-11-24 07:00"},
		{"22:00", "07:00", "2026-11-24 06:59", "2026-11-24 07:00"},
		{"22:00", "07:00", "2026-11-24 07:00", ""},
		{"12:00", "13:30", "2026-11-24 12:15", "2026-11-24 13:30"},
		{"12:00", "13:30", "2026-11-24 14:15", ""},
		{"00:00", "06:00", "2026-11-24 00:00", "2026-11-24 06:00"},
		{"18:00", "00:00", "2026-11-24 23:59", "2026-11-25 00:00"},
		{"22:00", "07:00", "2027-03-27 23:00", "2027-03-28 07:00"}, // the clocks go forward
		{"22:00", "07:00", "2026-10-24 23:00", "2026-10-25 07:00"}, // and back
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", c.now, berlin)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if until, quiet := quietUntil(c.from, c.to, now); quiet {
			got = until.Format("2006-01-02 15:04")
		}
		if got != c.until {
			t.Errorf("%s to %s at %s: %q, want %q", c.from, c.to, c.now, got, c.until)
		}
	}
}

func TestBadChannelsAreToldByField(t *testing.T) {
	ok := ChannelSettings{Name: "coaches", Kind: Coach, URL: "ntfy://ntfy.sh/topic"}
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	const secret = "S3cretS3cret"
	for field, change := range map[string]func(*ChannelSettings){
		"name":        func(c *ChannelSettings) { c.Name = "a\nb" },
		"kind":        func(c *ChannelSettings) { c.Kind = "boss" },
		"url":         func(c *ChannelSettings) { c.URL = "file:///etc/passwd?" + secret },
		"url ":        func(c *ChannelSettings) { c.URL = "logger://" },
		"url  ":       func(c *ChannelSettings) { c.URL = "generic+https://example.com/" + secret },
		"url   ":      func(c *ChannelSettings) { c.URL = "telegram://" + secret + "@telegram?chats=1" },
		"url    ":     func(c *ChannelSettings) { c.URL = "smtp://u:" + secret + "@h/?from=a@b&to=c@d&usehtml=yes" },
		"url     ":    func(c *ChannelSettings) { c.URL = "slack://" + secret },
		"url      ":   func(c *ChannelSettings) { c.URL = "" },
		"webhook.url": func(c *ChannelSettings) { c.URL, c.Webhook = "", &Webhook{URL: "file:///x", Secret: secret + secret} },
		"webhook.url ": func(c *ChannelSettings) {
			c.URL, c.Webhook = "", &Webhook{URL: "https://u:p@h/", Secret: secret + secret}
		},
		"webhook.secret": func(c *ChannelSettings) { c.URL, c.Webhook = "", &Webhook{URL: "https://h/x", Secret: "short"} },
		"webhook":        func(c *ChannelSettings) { c.Webhook = &Webhook{URL: "https://h/x", Secret: secret + secret} },
		"athlete":        func(c *ChannelSettings) { c.Kind = Athlete },
		"athlete ":       func(c *ChannelSettings) { c.Athlete = "ana" },
		"digest":         func(c *ChannelSettings) { c.Kind, c.Athlete, c.Digest = Athlete, "ana", true },
		"site":           func(c *ChannelSettings) { c.Site = "A B" },
		"min_severity":   func(c *ChannelSettings) { c.MinSeverity = "advice" },
		"zone":           func(c *ChannelSettings) { c.Zone = "Mars" },
		"quiet.from":     func(c *ChannelSettings) { c.Quiet = &Quiet{From: "25:00", To: "07:00"} },
		"quiet.to":       func(c *ChannelSettings) { c.Quiet = &Quiet{From: "07:00", To: "07:00"} },
		"group.wait_s":   func(c *ChannelSettings) { c.Group.WaitS = new(-1) },
		"group.repeat_s": func(c *ChannelSettings) { c.Group.RepeatS = new(1) },
	} {
		c := ok
		change(&c)
		err := c.Validate()
		wrong, is := errors.AsType[*lift.FieldError](err)
		if !is || wrong.Field != strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error repeats a secret: %v", field, err)
		}
	}
	for _, url := range []string{
		"slack://hook:T1234ABCD-B1234ABCD-abcdefghijklmnopqrstuvwx@webhook", "discord://token@123456789012345678",
		"telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawx@telegram?chats=@coaches", "ntfy://user:pass@ntfy.sh/topic",
		"teams://11111111-4444-4444-8444-cccccccccccc@22222222-4444-4444-8444-cccccccccccc/33333333012222222222333333333344/44444444-4444-4444-8444-cccccccccccc/V2ESyij_gAljSoUQHvZoZYzlpAoAXExyOl26dlf1xHEx05?host=example.webhook.office.com",
		"smtp://user:pass@mail.example:587/?from=a@example.com&to=b@example.com",
	} {
		c := ok
		c.URL = url
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestChannelsKeepTheirSecretsToThemselves(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenChannels(dir)
	if err != nil {
		t.Fatal(err)
	}
	made, err := s.Add(ChannelSettings{Name: "hook", Kind: Coach, Webhook: &Webhook{URL: "https://example.com/in/tok3ntok3n"}}, monday)
	if err != nil || len(made.Webhook.Secret) < LeastSecret {
		t.Fatalf("%+v, %v", made, err)
	}
	info, err := os.Stat(filepath.Join(dir, "channels.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if shown := made.Masked(); shown.Webhook.URL != "https://example.com/…" || shown.Webhook.Secret != "" {
		t.Errorf("shown: %+v", shown.Webhook)
	}
	if again, err := OpenChannels(dir); err != nil {
		t.Error(err)
	} else if diff := cmp.Diff(s.List(), again.List()); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Change(made.ID, monday, func(c *ChannelSettings) error { c.Kind = "x"; return nil }); err == nil {
		t.Error("a wrong change was kept")
	}
	_, err = s.Change(made.ID, monday, func(c *ChannelSettings) error { c.Group.WaitS = new(60); return nil })
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Change(made.ID, monday, func(c *ChannelSettings) error { *c.Group.WaitS = -1; return nil }) // as reading JSON over it does
	if kept, known := s.Channel(made.ID); err == nil || known != nil || *kept.Group.WaitS != 60 {
		t.Errorf("after a refused change it is %+v, %v, %v", kept.Group, err, known)
	}
	if err := s.Remove(made.ID); err != nil || len(s.List()) != 0 {
		t.Errorf("%v, %v", s.List(), err)
	}
	if err := s.Remove(made.ID); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestHostileTextIsDisarmed(t *testing.T) {
	m := &Message{Items: []Item{{Type: TypeAlert, Link: "https://spotter.example/?alert=al_1", Alert: lift.Alert{Finding: lift.Finding{
		Athlete: "ana_b", Severity: lift.Warning, Title: "Pain\r\nBcc: x@evil.example",
		Message: "region <!channel> @everyone [click](https://evil.example) `x` *b* & <script>\x00", Advice: "rest", Source: lift.Citation{Citation: "somebody"},
	}}}}}
	m.write(func(a lift.AthleteID) string { return string(a) })
	if strings.ContainsAny(m.Title, "\r\n") {
		t.Errorf("the title has lines: %q", m.Title)
	}
	for flavour, bad := range map[flavour][]string{
		plain:    {"\r", "\x00"},
		slackish: {"<!", "@everyone", "https://evil", " & "},
		markdown: {"<script", "@everyone", "[click]", "https://evil", "`x`", "*b*", " & "},
	} {
		text := flavour.text(oneLine(m.Title), nil) + "\n" + m.lines(flavour, maxText)
		for _, b := range bad {
			if strings.Contains(strings.ReplaceAll(text, "\\"+b, ""), b) {
				t.Errorf("flavour %d leaves %q in %q", flavour, b, text)
			}
		}
		if !strings.Contains(text, "\nhttps://spotter.example/?alert=al_1") {
			t.Errorf("flavour %d breaks our own link: %q", flavour, text)
		}
	}
	long := &Message{Text: strings.Repeat("word word\n", 1000)}
	if text := long.lines(markdown, maxText); len(text) > maxText || !strings.HasSuffix(text, "…") {
		t.Errorf("%d bytes, %q", len(text), text[len(text)-20:])
	}
}

func TestErrorsAreScrubbed(t *testing.T) {
	got := scrub(`sending: Post "https://api.telegram.org/bot110201543:AAHdqTcvCH1v/send": dial tcp; AAHdqTcvCH1v for coaches-of-main`,
		"telegram://110201543:AAHdqTcvCH1v@telegram?chats=coaches-of-main")
	if want := `sending: Post "(address)": dial tcp; … for …`; got != want {
		t.Errorf("%q", got)
	}
}

// verify checks a webhook as its receiver would, from what docs/notify.md says alone.
func verify(header, secret string, body []byte, now time.Time) bool {
	var at, v1 string
	for part := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			at = value
		case "v1":
			v1 = value
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, at+".")
	_, _ = mac.Write(body)
	given, err := hex.DecodeString(v1)
	return err == nil && hmac.Equal(given, mac.Sum(nil))
}

func TestAWebhookIsSignedAndFollowedNowhereElse(t *testing.T) {
	const secret = "0123456789abcdef"
	var body []byte
	var header http.Header
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was followed to another host") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case "/moved":
			http.Redirect(w, r, "/in", http.StatusPermanentRedirect)
		case "/full":
			http.Error(w, "no room for "+r.URL.Path, http.StatusInsufficientStorage)
		default:
			body, _ = io.ReadAll(r.Body)
			header = r.Header
		}
	}))
	defer server.Close()
	send := NewSender(time.Now)
	m := &Message{ID: "ms_1", Type: TypeTest, Title: "test", Text: "text"}
	hook := func(path string) *Channel {
		return &Channel{ID: "ch_1", ChannelSettings: ChannelSettings{Webhook: &Webhook{URL: server.URL + path, Secret: secret}}}
	}
	for _, path := range []string{"/in", "/moved"} {
		body, header = nil, nil
		if answer, err := send(t.Context(), hook(path), m); err != nil || answer != "200 OK" {
			t.Fatalf("%s: %q, %v", path, answer, err)
		}
		if got := header.Get(KeyHeader); got != "ms_1" {
			t.Errorf("key %q", got)
		}
		signature := header.Get(SignatureHeader)
		if !verify(signature, secret, body, time.Now()) {
			t.Errorf("signature %q does not verify", signature)
		}
		if verify(signature, secret+"x", body, time.Now()) || verify(signature, secret, append(body, ' '), time.Now()) || verify(signature, secret, body, time.Now().Add(time.Hour)) {
			t.Error("a wrong secret, body or time verifies")
		}
		if openssl, err := exec.LookPath("openssl"); err == nil {
			at, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
			command := exec.Command(openssl, "dgst", "-sha256", "-hmac", secret, "-r")
			command.Stdin = strings.NewReader(at + "." + string(body))
			out, err := command.Output()
			if sum, _, _ := strings.Cut(string(out), " "); err != nil || !strings.HasSuffix(signature, "v1="+sum) {
				t.Errorf("openssl says %q, %v; we sent %q", out, err, signature)
			}
		}
	}
	for path, want := range map[string]string{"/away": "redirects to another host", "/full": "it answers 507 Insufficient Storage no room"} {
		if _, err := send(t.Context(), hook(path), m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	server.Close()
	if _, err := send(t.Context(), hook("/tok3ntok3n"), m); err == nil || strings.Contains(err.Error(), "tok3n") {
		t.Errorf("a server that is gone: %v", err)
	}
}

func TestAHeartbeatGoesOutOnlyWhileEverythingMoves(t *testing.T) {
	end, monitor := uint64(10), uint64(10)
	others := []string{}
	p := &Progress{
		End:       func() uint64 { return end },
		Followers: map[string]func() uint64{"the monitor": func() uint64 { return monitor }},
		Others:    func(context.Context) []string { return others },
	}
	look := func(want string) {
		t.Helper()
		if got := strings.Join(p.Stalls(t.Context()), "; "); got != want {
			t.Errorf("stalls %q, want %q", got, want)
		}
	}
	look("")
	end, monitor = 20, 12
	look("") // on its way
	end, monitor = 30, 12
	look("the monitor makes no progress")
	end, monitor = 40, 35
	look("")
	for range standstill {
		monitor = end
		look("")
	}
	look("the log takes no events")
	end, others = 50, []string{"the broker is not connected"}
	look("the broker is not connected")
}
