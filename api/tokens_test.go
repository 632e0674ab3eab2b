package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/access"
)

func TestATokenIsShownOnceHoldsAsLongAsItSaysAndCanBeRevoked(t *testing.T) {
	now := clockAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	g := open(t, func(o *Options) { o.Clock = now.time })
	made := want[newToken](g, 201, "POST", "/api/v1/tokens", `{"name":"coach-maria","role":"coach","site":"main","expires":"2026-11-23T12:00:00Z"}`)
	if len(made.Token) < 30 || made.Role != access.RoleCoach || made.Site != "main" {
		t.Fatalf("%+v", made)
	}
	bearer := "Bearer " + made.Token
	me := want[caller](g, 200, "GET", "/api/v1/session", "", "Authorization", bearer)
	if me.Name != "coach-maria" || me.Role != access.RoleCoach || me.Site != "main" || !me.Expires.Equal(made.Expires) {
		t.Errorf("%+v", me)
	}
	answer := g.send("GET", "/api/v1/tokens", "")
	defer answer.Body.Close()
	var kept strings.Builder
	if _, err := io.Copy(&kept, answer.Body); err != nil || strings.Contains(kept.String(), made.Token) || strings.Contains(kept.String(), access.Hash(made.Token)) {
		t.Errorf("the list tells the token or its hash: %s, %v", &kept, err)
	}
	items := want[list[TokenItem]](g, 200, "GET", "/api/v1/tokens", "").Items
	if len(items) != 1 || items[0].Name != "coach-maria" || items[0].Used != "2026-11-22" || items[0].Expired {
		t.Errorf("%+v", items)
	}
	if p := want[problem](g, 409, "POST", "/api/v1/tokens", `{"name":"coach-maria","role":"admin"}`); p.Field != "name" {
		t.Errorf("%+v", p)
	}
	now.add(24 * time.Hour)
	want[problem](g, 401, "GET", "/api/v1/session", "", "Authorization", bearer)
	if items := want[list[TokenItem]](g, 200, "GET", "/api/v1/tokens", "").Items; len(items) != 1 || !items[0].Expired {
		t.Errorf("%+v", items)
	}

	for _, bad := range []struct{ field, body string }{
		{"name", `{"name":"Maria Example","role":"coach"}`},
		{"name", `{"name":"demo","role":"coach"}`},
		{"name", `{"role":"coach"}`},
		{"role", `{"name":"x","role":"god"}`},
		{"role", `{"name":"x","role":"checkin"}`},
		{"site", `{"name":"x","role":"admin","site":"main"}`},
		{"site", `{"name":"x","role":"coach","site":"Main"}`},
		{"athlete", `{"name":"x","role":"athlete"}`},
		{"athlete", `{"name":"x","role":"coach","athlete":"ana"}`},
		{"expires", `{"name":"x","role":"coach","expires":"2026-11-22T12:00:00Z"}`},
		{"expires", `{"name":"x","role":"coach","expires":"2126-11-22T12:00:00Z"}`},
	} {
		if p := want[problem](g, 422, "POST", "/api/v1/tokens", bad.body); p.Field != bad.field {
			t.Errorf("%s is refused for %q: %s", bad.body, p.Field, p.Detail)
		}
	}

	athlete := want[newToken](g, 201, "POST", "/api/v1/tokens", `{"name":"ana","role":"athlete","athlete":"ana"}`)
	want[caller](g, 200, "GET", "/api/v1/session", "", "Authorization", "Bearer "+athlete.Token)
	g.send("DELETE", "/api/v1/tokens/ana", "").Body.Close()
	want[problem](g, 401, "GET", "/api/v1/session", "", "Authorization", "Bearer "+athlete.Token)
	want[problem](g, 404, "DELETE", "/api/v1/tokens/ana", "")
	want[newToken](g, 201, "POST", "/api/v1/tokens", `{"name":"second","role":"admin"}`)
	want[problem](g, 409, "DELETE", "/api/v1/tokens/second", "")
}

func TestACredentialMadeOverTheAPILetsItsDeviceIn(t *testing.T) {
	var store *access.Store
	g := open(t, func(o *Options) { store, o.BrokerURL = o.Credentials, "mqtt://:1884" })
	made := want[newCredential](g, 201, "POST", "/api/v1/credentials", `{"kind":"gateway","site":"main","name":"gw","devices":["bar-1","bar-2"]}`)
	grant, ok, err := store.Login(made.Username, made.Password)
	if err != nil || !ok || made.Username != "main/gw" || len(grant.Subscribe) != 2 {
		t.Fatalf("%+v: %+v, %v, %v", made, grant, ok, err)
	}
	if made.URL != "mqtt://127.0.0.1:1884" || !strings.HasPrefix(made.QR, "data:image/png;base64,") {
		t.Errorf("it connects to %s, with the code %.40s", made.URL, made.QR)
	}
	if p := want[problem](g, 409, "POST", "/api/v1/credentials", `{"kind":"device","site":"main","name":"gw"}`); p.Field != "name" {
		t.Errorf("%+v", p)
	}
	if p := want[problem](g, 422, "POST", "/api/v1/credentials", `{"kind":"gateway","site":"main","name":"gw2"}`); p.Field != "devices" {
		t.Errorf("%+v", p)
	}
	items := want[list[map[string]any]](g, 200, "GET", "/api/v1/credentials", "").Items
	if len(items) != 1 || items[0]["username"] != "main/gw" || items[0]["password"] != nil || items[0]["sha256"] != nil {
		t.Errorf("%+v", items)
	}
	answer := g.send("DELETE", "/api/v1/credentials/main/gw", "")
	defer answer.Body.Close()
	if _, ok, _ := store.Login(made.Username, made.Password); ok || answer.StatusCode != http.StatusNoContent {
		t.Errorf("revoked with %d, and it is let in: %v", answer.StatusCode, ok)
	}

	other := open(t, func(o *Options) { o.Credentials = nil })
	want[problem](other, 409, "POST", "/api/v1/credentials", `{"kind":"device","site":"main","name":"gw"}`)
	want[problem](other, 409, "DELETE", "/api/v1/credentials/main/gw", "")
}
