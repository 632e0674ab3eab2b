package board_test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/spotterhq/spotter/internal/house/need"
)

// field reads what is in the field with this label.
func (b *tab) field(label string) string {
	b.t.Helper()
	return eval[string](b, "document.querySelector('[aria-label='+JSON.stringify("+quoted(label)+")+']').value")
}

func TestTheFirstRunLeadsFromNothingToTheFirstRep(t *testing.T) {
	publish := need.Binary(t, "mosquitto_pub")
	s := serve(t)
	b := open(t, s, "/", admin)
	b.press("Set up a site, a device and an athlete.")
	b.waitText("1. A site")
	b.inspect("setup-empty")
	if zone := eval[string](b, "document.querySelector('[name=zone]').value === Intl.DateTimeFormat().resolvedOptions().timeZone ? 'browser' : 'other'"); zone != "browser" {
		t.Error("the browser's time zone is not proposed")
	}
	b.enter("Name of the gym", "Iron Works")
	b.press("Add a site")
	b.waitText("Iron Works (iron-works)")
	b.enter("Id of the sensor", "rack-1")
	b.press("Add a sensor")
	b.waitText("The password is shown this once")
	b.until("document.querySelector('img.qr').naturalWidth > 100")
	password := b.field("Password")

	// Somebody goes away and comes back: the password is gone, the rest goes on.
	b.visit("/setup")
	b.waitText("Its password was shown when it was made.")
	b.press("Make a new password")
	b.waitText("The password is shown this once")
	if renewed := b.field("Password"); renewed == password || len(renewed) < 20 {
		t.Errorf("the new password is %q", renewed)
	}
	b.enter("Name of the athlete", hostile)
	b.press("Add an athlete")
	b.waitText(hostile)
	b.enter("Load in kg", "82.5")
	b.press("Put " + hostile + " on rack-1")
	b.waitText("82.5 kg.")
	b.waitText("Waiting for a rep")
	line := b.field("Command that sends a rep")
	if !strings.HasPrefix(line, "mosquitto_pub ") {
		t.Fatal(line)
	}
	// Its time is in whole seconds: within the first one nobody was on the bar yet.
	need.Eventually(t, patience, "the rep of the athlete is shown", func() bool {
		if out, err := exec.Command("sh", "-c", publish+strings.TrimPrefix(line, "mosquitto_pub")).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return strings.Contains(b.text("main"), "A rep has arrived: "+hostile+", 82.5 kg at 0.52 m/s.")
	})
	b.inspect("setup-done")
	b.visit("/setup")
	b.waitText("A rep has arrived")
	if eval[bool](b, "!!document.querySelector('img[src=x]')") {
		t.Error("a name became markup")
	}
}

func TestDevicesAreNamedAssignedAndGivenPasswords(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "site": "main", "name": "Ana"}, nil)
	sensors := sensorsOf(t, s, "main")
	sensors.say("bar-1", "status", map[string]any{"state": "ready", "boot_id": "b1", "battery_pct": 12, "firmware": "<b>3</b>"})
	for range 3 {
		sensors.rep("bar-1", 0.6, nil)
	}
	b := open(t, s, "/devices", admin)
	b.waitText("3 reps")
	b.waitText("12 %")
	b.inspect("devices")

	b.press("Edit")
	b.enter("Name", hostile)
	b.enter("Rack", "7")
	// Somebody else is quicker: nothing typed is lost, and nothing of theirs unseen.
	s.must(t, http.MethodPatch, "/devices/bar-1?site=main", map[string]any{"rack": "theirs"}, nil)
	b.expect(`412.*/devices/bar-1`)
	b.press("Save")
	b.waitText("rack: theirs")
	b.checkAccess("a dialog")
	b.press("Save")
	b.waitText(hostile)
	b.waitText("firmware <b>3</b>")

	b.press("Assign")
	b.enter("Athlete", "Ana (ana)")
	b.enter("Exercise", "Deadlift")
	b.enter("Load in kg", "100")
	b.click("dialog button.main")
	b.waitText("100 kg")
	b.press("Nobody")
	b.waitGone("100 kg")

	b.press("Give to …")
	b.enter("Athlete", "Ana (ana)")
	b.enter("Load in kg", "60")
	b.click("dialog button.main")
	b.waitText("Every rep of the last 8 weeks has an athlete.")
	var reps struct {
		Items []struct {
			LoadKg float64 `json:"load_kg"`
		} `json:"items"`
	}
	s.must(t, http.MethodGet, "/athletes/ana/reps", nil, &reps)
	var on struct {
		Athlete string `json:"athlete"`
	}
	s.must(t, http.MethodGet, "/devices/bar-1/assignment?site=main", nil, &on)
	if len(reps.Items) != 3 || reps.Items[0].LoadKg != 60 || on.Athlete != "" {
		t.Errorf("given: %+v; on the bar now: %q", reps.Items, on.Athlete)
	}

	b.click(".titled button.main")
	b.enter("What is it?", "A gateway for several sensors")
	b.enter("Id", "gw")
	b.expect(`422.*/credentials`)
	b.click("dialog button.main")
	b.waitText("name those that the gateway publishes for")
	b.enter("Its sensors", "bar-1 bar-2")
	b.click("dialog button.main")
	b.waitText("main/gw can connect")
	if len(b.field("Password")) < 20 {
		t.Error("no password is shown")
	}
	b.checkAccess("a secret")
	b.screenshot("devices-secret")
	b.press("I have kept it")
	b.waitText("bar-1, bar-2")
	b.click("#keys ~ * button.danger")
	b.waitText("Revoke main/gw?")
	b.click("dialog button.main")
	b.waitText("None yet")
}

func TestSitesAndTeamsAreAddedChangedAndRemoved(t *testing.T) {
	s := serve(t)
	b := open(t, s, "/sites", admin)
	b.waitText("There is no site yet")
	b.inspect("sites-empty")
	b.press("Add a site")
	b.enter("Name", "Haus Süd 2")
	b.enter("Time zone", "Mars/Olympus")
	b.expect(`422.*/sites`)
	b.click("dialog button.main")
	b.until("!!document.querySelector('dialog [name=zone][aria-invalid]')")
	b.enter("Time zone", "Europe/Berlin")
	b.click("dialog button.main")
	b.waitText("Haus Süd 2 (haus-su-d-2)")
	b.press("Edit")
	b.enter("Name", hostile)
	b.press("Save")
	b.waitText(hostile)
	b.press("Add a team")
	b.enter("Name", "Seniors")
	b.click("dialog button.main")
	b.waitText("Seniors (seniors)")
	b.inspect("sites")
	b.press("Remove")
	b.click("dialog button.main")
	b.waitText("No team yet.")
}

func TestAQuarantinedMessageIsReadMendedReplayedOrDeleted(t *testing.T) {
	s := serve(t)
	sensors := sensorsOf(t, s, "main")
	send := func(data []byte) {
		t.Helper()
		if token := sensors.client.Publish("spotter/v1/main/device/bar-1/rep", 1, false, data); !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	send([]byte(`{"boot_id":"` + strings.ReplaceAll(hostile, `"`, `\"`) + "\u202e" + `","seq":1,"time":"2026-11-20T10:00:00Z","mean_velocity_mps":-1}`))
	need.Eventually(t, patience, "the message is in quarantine", func() bool {
		var held struct {
			Items []any `json:"items"`
		}
		return s.ask(http.MethodGet, "/quarantine", nil, &held) == nil && len(held.Items) == 1
	})
	b := open(t, s, "/quarantine", admin)
	b.waitText("mean_velocity_mps")
	b.inspect("quarantine")
	b.press("Open")
	b.waitText(`<img src=x`)
	if said := b.text("dialog pre"); !strings.Contains(said, `\u202e`) {
		t.Errorf("what turns text around is not written out: %s", said)
	}
	if proposed := eval[string](b, "document.querySelector('dialog textarea').value"); strings.Contains(proposed, "\u202e") {
		t.Errorf("what turns text around is proposed: %s", proposed)
	}
	b.checkAccess("a message")
	b.screenshot("quarantine-open")
	b.expect(`422.*/replay`)
	b.press("Replay")
	b.waitText("outside (0, 4] m/s")
	b.enter("Corrected message", `{"boot_id":"b1","seq":1,"time":"2026-11-20T10:00:00Z","athlete":"ana","mean_velocity_mps":0.5}`)
	b.press("Replay")
	b.waitText("Every message could be used.")
	var known struct {
		ID string `json:"id"`
	}
	s.must(t, http.MethodGet, "/athletes/ana", nil, &known)

	send([]byte{0xff, 0x00, 0x7b})
	need.Eventually(t, patience, "the message is in quarantine", func() bool {
		var held struct {
			Items []any `json:"items"`
		}
		return s.ask(http.MethodGet, "/quarantine", nil, &held) == nil && len(held.Items) == 1
	})
	b.visit("/quarantine")
	b.press("Open")
	b.waitText("ff 00 7b")
	b.click("dialog button.danger")
	b.waitText("Delete this message?")
	b.click("dialog button.main")
	b.waitText("Every message could be used.")
}

func TestChannelsAreAddedTestedChangedAndRemoved(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main"}, nil)
	s.must(t, http.MethodPost, "/teams", map[string]any{"id": "squad", "site": "main"}, nil)
	dead := "http://" + need.FreeAddr(t)
	b := open(t, s, "/deliveries", admin)
	b.waitText("Nobody is told of alerts")
	b.inspect("deliveries-empty")
	b.press("Add a channel")
	b.enter("Name", hostile)
	b.enter("By what?", "Webhook of your own")
	b.expect(`422.*/channels`)
	b.click("dialog button.main")
	b.until("!!document.querySelector('dialog [name=\"webhook.url\"][aria-invalid]')")
	b.enter("Webhook address", dead+"/hook?key=verysecret")
	b.click("dialog summary")
	b.checkAccess("the form of a channel")
	b.screenshot("deliveries-form")
	b.click("dialog button.main")
	b.waitText("The secret that signs its messages is shown this once.")
	if len(b.field("Secret")) < 16 {
		t.Error("no secret is shown")
	}
	b.press("I have kept it")
	b.waitText(hostile)
	if strings.Contains(b.text("main"), "verysecret") {
		t.Error("a secret is shown")
	}
	b.press("Test")
	b.waitText("Not taken: ")
	b.inspect("deliveries")
	b.press("Edit")
	b.enter("Who reads it?", "Everybody: when nobody answers something urgent")
	b.click("dialog [name='team squad']")
	b.press("Save")
	b.waitText("squad")
	b.press("Disable")
	b.waitText("Enable")
	var channels struct {
		Items []struct {
			Kind     string   `json:"kind"`
			Teams    []string `json:"teams"`
			Disabled bool     `json:"disabled"`
		} `json:"items"`
	}
	s.must(t, http.MethodGet, "/channels", nil, &channels)
	if c := channels.Items; len(c) != 1 || c[0].Kind != "everybody" || len(c[0].Teams) != 1 || !c[0].Disabled {
		t.Errorf("%+v", c)
	}
	b.press("Remove")
	b.click("dialog button.main")
	b.waitText("Nobody is told of alerts")
}

func TestTheDeliveryLogIsFiltered(t *testing.T) {
	b := open(t, demo(t), "/deliveries", visitor{})
	told := "document.querySelectorAll('#log ~ * tbody tr').length > 0"
	b.enter("State", "sent") // some are withheld
	need.Eventually(t, 2*patience, "somebody is told of an alert", func() bool {
		b.press("Refresh")
		return eval[bool](b, told)
	})
	b.inspect("deliveries-demo")
	b.enter("State", "given up")
	b.waitText("Nothing fits.")
	b.enter("State", "sent")
	b.until(told)
}

func TestTokensErasuresAndTheAuditTrailAreTheAdministrators(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "site": "main", "name": hostile}, nil)
	b := open(t, s, "/access", admin)
	b.waitText("Nobody was erased.")
	b.inspect("access")

	b.press("Make a token")
	b.enter("Name", "maria")
	b.enter("Site", "main")
	b.click("dialog button.main")
	b.waitText("It is shown this once")
	token := b.field("Token")
	other := open(t, s, "/devices", visitor{token: token})
	other.waitText("No device was heard of yet")
	b.press("I have kept it")
	b.waitText("maria")
	b.click("#tokens ~ * button.danger")
	b.waitText("Revoke maria?")
	b.click("dialog button.main")
	b.waitGone("maria")
	other.expect(`401`)
	other.visit("/devices")
	other.waitText("Sign in")

	b.enter("Athlete", hostile+" (ana)")
	if got := eval[string](b, "fetch(document.querySelector('a[download=\"ana.zip\"]').href).then(a => a.headers.get('Content-Type'))"); got != "application/zip" {
		t.Errorf("the export is %s", got)
	}
	need.Eventually(t, patience, "the export is in the audit trail", func() bool {
		b.press("Who has looked?")
		return strings.Contains(b.text("main"), "export-athlete")
	})
	b.press("Erase")
	b.checkAccess("before an erase")
	b.screenshot("access-erase")
	b.enter("Type ana to confirm", "anna")
	b.click("dialog button.main")
	b.waitText("nothing was done")
	b.enter("Type ana to confirm", "ana")
	b.click("dialog button.main")
	b.press("Allow new data")
	b.click("dialog button.main")
	b.waitText("New data allowed by")
	b.inspect("access-erased")
	if got := eval[int](b, "fetch(document.querySelector('a[href=\"/api/v1/backup\"]').href).then(a => a.status)"); got != http.StatusOK {
		t.Errorf("the backup answers %d", got)
	}
}

func TestPagesForAdministratorsAnswerACoachPolitely(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main"}, nil)
	coach := visitor{token: s.tokenOf(t, "coach", map[string]any{"role": "coach", "site": "main"})}
	b := open(t, s, "/access", coach)
	b.waitText("Ask an administrator")
	b.inspect("not-yours")
	b.visit("/setup")
	b.waitText("Ask an administrator")
	for _, page := range []string{"/devices", "/sites", "/quarantine", "/deliveries"} {
		b.visit(page)
		if seen := b.text("main"); strings.Contains(seen, "Ask an administrator") || eval[bool](b, "!!document.querySelector('main .problem')") {
			t.Errorf("%s: %s", page, seen)
		}
		b.checkAccess(page)
	}
}
