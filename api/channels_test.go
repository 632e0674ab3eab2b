package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
)

func TestChannelsAreMadeShownChangedTestedAndDeleted(t *testing.T) {
	g := open(t)
	var got []string
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.URL.Path) }))
	defer sink.Close()
	const path = "/api/v1/channels"
	body := `{"name":"hook","kind":"coach","site":"main","webhook":{"url":"` + sink.URL + `/in/tok3ntok3n"},"quiet":{"from":"22:00","to":"07:00"}}`

	made := want[newChannel](g, http.StatusCreated, http.MethodPost, path, body)
	if len(made.Secret) < notify.LeastSecret || made.Webhook.Secret != "" || strings.Contains(made.Webhook.URL, "tok3n") {
		t.Errorf("made: %+v", made)
	}
	again := want[newChannel](g, http.StatusOK, http.MethodPost, path, body)
	if again.ID != made.ID || again.Secret != "" {
		t.Errorf("made again: %+v", again)
	}
	shown := want[notify.Channel](g, http.StatusOK, http.MethodGet, path+"/"+made.ID, "")
	if diff := cmp.Diff(made.Channel, shown); diff != "" {
		t.Error(diff)
	}

	// What is left out stays, null takes away, and an address may come back as shown.
	changed := want[notify.Channel](g, http.StatusOK, http.MethodPatch, path+"/"+made.ID, `{"name":"other","quiet":null,"webhook":{"url":"`+shown.Webhook.URL+`"}}`)
	if changed.Name != "other" || changed.Quiet != nil || changed.Site != "main" {
		t.Errorf("changed: %+v", changed)
	}
	result := want[notify.TestResult](g, http.StatusOK, http.MethodPost, path+"/"+made.ID+"/test", "")
	if !result.OK || result.Answer != "200 OK" || cmp.Diff(got, []string{"/in/tok3ntok3n"}) != "" {
		t.Errorf("test: %+v, %v", result, got)
	}
	sink.Close()
	result = want[notify.TestResult](g, http.StatusOK, http.MethodPost, path+"/"+made.ID+"/test", "")
	if result.OK || result.Answer == "" || strings.Contains(result.Answer, "tok3n") {
		t.Errorf("test of a sink that is gone: %+v", result)
	}

	for _, c := range []struct{ method, path, body, field string }{
		{http.MethodPost, path, `{"name":"x","kind":"boss","url":"ntfy://h/t"}`, "kind"},
		{http.MethodPost, path, `{"name":"x","kind":"coach","url":"file:///etc/passwd"}`, "url"},
		{http.MethodPost, path, `{"name":"x","kind":"coach","url":"ntfy://h/t","colour":"red"}`, "colour"},
		{http.MethodPost, path, `{"name":7}`, "name"},
		{http.MethodPost, path, `[]`, ""},
		{http.MethodPost, path, `{`, ""},
		{http.MethodPatch, path + "/" + made.ID, `{"zone":"Mars"}`, "zone"},
		{http.MethodPatch, path + "/" + made.ID, `{"webhook":null}`, "url"},
	} {
		if p := want[problem](g, http.StatusUnprocessableEntity, c.method, c.path, c.body); p.Field != c.field {
			t.Errorf("%s %s: %+v", c.method, c.body, p)
		}
	}
	want[struct{}](g, http.StatusNoContent, http.MethodDelete, path+"/"+made.ID, "")
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		want[problem](g, http.StatusNotFound, method, path+"/"+made.ID, "")
	}
	if all := want[list[notify.Channel]](g, http.StatusOK, http.MethodGet, path, ""); len(all.Items) != 0 {
		t.Errorf("left: %+v", all)
	}
	if text := g.logged.String(); strings.Contains(text, "tok3n") || strings.Contains(text, made.Secret) {
		t.Error("a secret is in the log")
	}
}

func TestTheDeliveryLogTellsWhoWasTold(t *testing.T) {
	g := open(t)
	received := make(chan string, 10)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { received <- r.Header.Get(notify.KeyHeader) }))
	defer sink.Close()
	c := want[newChannel](g, http.StatusCreated, http.MethodPost, "/api/v1/channels",
		`{"name":"hook","kind":"coach","group":{"wait_s":0},"webhook":{"url":"`+sink.URL+`"}}`)
	e := found("ana", 1, lift.Critical, trained)
	g.append(e)
	path := "/api/v1/alerts/" + e.Alert.AlertID + "/deliveries"
	var told list[notify.Delivery]
	need.Eventually(t, 20*time.Second, "the delivery to be noted", func() bool {
		told = want[list[notify.Delivery]](g, http.StatusOK, http.MethodGet, path, "")
		sent := 0
		for _, d := range told.Items {
			if d.State == notify.Sent {
				sent++
			}
		}
		return sent == 2
	})
	key := <-received
	var services []string
	for _, d := range told.Items {
		if d.State == notify.Sent {
			services = append(services, d.Service)
		}
		if d.Service == "webhook" && d.Type == notify.TypeAlert && (d.Message != key || d.Answer != "200 OK" || d.Attempts != 1 || d.Channel != c.ID) {
			t.Errorf("%+v, received %s", d, key)
		}
	}
	if diff := cmp.Diff([]string{"mqtt", "webhook"}, services); diff != "" {
		t.Error(diff)
	}
	want[problem](g, http.StatusNotFound, http.MethodGet, "/api/v1/alerts/al_0/deliveries", "")
	sent := want[list[notify.Delivery]](g, http.StatusOK, http.MethodGet, "/api/v1/deliveries?state=sent&limit=1", "")
	if len(sent.Items) != 1 || sent.Next == "" {
		t.Fatalf("%+v", sent)
	}
	next := want[list[notify.Delivery]](g, http.StatusOK, http.MethodGet, "/api/v1/deliveries?state=sent&limit=1&cursor="+sent.Next, "")
	if len(next.Items) != 1 || next.Next != "" || next.Items[0].ID == sent.Items[0].ID {
		t.Errorf("%+v", next)
	}
	for query, n := range map[string]int{"channel=mqtt": 1, "site=north": 0, "state=waiting&channel=" + c.ID: 1} {
		if got := want[list[notify.Delivery]](g, http.StatusOK, http.MethodGet, "/api/v1/deliveries?"+query, ""); len(got.Items) != n {
			t.Errorf("%s: %+v", query, got.Items)
		}
	}
	want[problem](g, http.StatusUnprocessableEntity, http.MethodGet, "/api/v1/deliveries?cursor=x", "")
}

func TestACoachSeesTheDeliveriesOfTheirSite(t *testing.T) {
	h := openHouse(t)
	sites := func(bearer string) []lift.SiteID {
		var all []lift.SiteID
		for _, d := range want[list[notify.Delivery]](h.gym, http.StatusOK, http.MethodGet, "/api/v1/deliveries", "", "Authorization", bearer).Items {
			all = append(all, d.Site)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	need.Eventually(t, 20*time.Second, "both sites' alerts to be published", func() bool {
		return slices.Equal(sites("Bearer "+testToken), []lift.SiteID{"alfa", "beta"})
	})
	sees := map[string][]lift.SiteID{"coach of all": {"alfa", "beta"}, "coach of alfa": {"alfa"}, "coach of beta": {"beta"}, "coach of an empty site": nil}
	for _, c := range h.callers {
		if wanted, asked := sees[c.name]; asked {
			if got := sites("Bearer " + c.token); !slices.Equal(got, wanted) {
				t.Errorf("%s is shown deliveries of %v", c.name, got)
			}
			delete(sees, c.name)
		}
	}
	if len(sees) > 0 {
		t.Errorf("nobody asked as %v", sees)
	}
}
