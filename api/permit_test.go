package api

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// somebody is a caller with a token, or without a good one.
type somebody struct {
	name, token string
	identity    identity // Role "" is nobody's
}

// house is a gym with two sites, and with a caller of every kind. Ana is at alfa, Bo
// at beta; nobody has heard of Nobody.
type house struct {
	*gym
	callers []somebody
	// Ids by athlete, as each scope names them.
	ids map[scope]map[string]string
}

var people = []string{"ana", "bo", "nobody"}

// siteOfPerson is where the house's people are.
var siteOfPerson = map[string]lift.SiteID{"ana": "alfa", "bo": "beta"}

func openHouse(t *testing.T, change ...func(*Options)) *house {
	h := &house{gym: open(t, change...), ids: map[scope]map[string]string{}}
	now := time.Now()
	for _, s := range []scope{ofAthlete, ofAlert, ofRep, ofQuarantined} {
		h.ids[s] = map[string]string{"nobody": "nobody"}
	}
	var events []journal.Event
	for _, who := range []string{"ana", "bo"} {
		site := siteOfPerson[who]
		aRep, anAlert := rep(who, 1, trained), found(who, 1, lift.Warning, trained)
		aRep.Site, anAlert.Site, anAlert.Alert.Finding.Site = site, site, site
		topic := "spotter/v1/" + string(site) + "/device/bar-1/rep"
		bad := h.server.decode(topic, []byte(`{"boot_id":"b9","seq":1,"time":"2026-11-10T18:00:00Z","mean_velocity_mps":0}`), now)
		events = append(append(events, aRep, anAlert), bad...)
		h.ids[ofAthlete][who], h.ids[ofAlert][who], h.ids[ofRep][who] = who, anAlert.Alert.AlertID, repID(aRep)
		h.ids[ofQuarantined][who] = bad[0].Quarantined.ID
	}
	h.append(events...)

	h.callers = []somebody{
		{name: "without a token"},
		{name: "with a wrong token", token: "spotter_wrong"},
		{name: "admin", token: testToken, identity: identity{Role: access.RoleAdmin}},
	}
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		name  string
		token access.Token
		made  time.Time
		good  bool
	}{
		{"with an expired token", access.Token{Role: access.RoleAdmin, Expires: now.Add(-year)}, now.Add(-2 * year), false},
		{"with a link for check-ins", access.Token{Role: access.RoleCheckIn, Athlete: "ana", Expires: now.Add(year), Uses: 3}, now, false},
		{"coach of all", access.Token{Role: access.RoleCoach}, now, true},
		{"coach of alfa", access.Token{Role: access.RoleCoach, Site: "alfa"}, now, true},
		{"coach of beta", access.Token{Role: access.RoleCoach, Site: "beta"}, now, true},
		{"coach of an empty site", access.Token{Role: access.RoleCoach, Site: "gamma"}, now, true},
		{"ana", access.Token{Role: access.RoleAthlete, Athlete: "ana"}, now, true},
		{"bo", access.Token{Role: access.RoleAthlete, Athlete: "bo"}, now, true},
		{"an athlete nobody has heard of", access.Token{Role: access.RoleAthlete, Athlete: "carl"}, now, true},
	} {
		c.token.Name = "t-" + strings.ReplaceAll(c.name, " ", "-")
		text, err := h.server.auth.tokens.Create(c.token, c.made)
		if err != nil {
			t.Fatal(err)
		}
		someone := somebody{name: c.name, token: text}
		if c.good {
			someone.identity = identity{Role: c.token.Role, Site: c.token.Site, Athlete: c.token.Athlete}
		}
		h.callers = append(h.callers, someone)
	}
	return h
}

// is reports whether a person is the caller's: the same rule as the server's, said
// once more in the words of the contract.
func (s *somebody) is(person string) bool {
	switch id := s.identity; {
	case id.Role == access.RoleAdmin, id.Role == access.RoleCoach && id.Site == "":
		return true
	case id.Role == access.RoleCoach:
		return siteOfPerson[person] == id.Site // unknown people are at ""
	default:
		return string(id.Athlete) == person
	}
}

// isAt reports whether a site may be named by the caller.
func (s *somebody) isAt(site string) bool {
	switch id := s.identity; {
	case id.Role == access.RoleAdmin, id.Role == access.RoleCoach && id.Site == "":
		return true
	case id.Role == access.RoleCoach:
		return site == string(id.Site)
	default:
		return site == string(siteOfPerson[string(id.Athlete)])
	}
}

// bodies are those of operations that do nothing without one, by operation, and for
// whom they are.
var bodies = map[string]func(person string) string{
	"create-checkin": func(string) string { return `{"time":"2026-11-10T18:10:00Z","phase":"daily","pain":1}` },
	"correct-rep":    func(string) string { return `{"valid":false}` },
	"replay-quarantined": func(string) string {
		return `{"boot_id":"b9","seq":1,"time":"2026-11-10T18:00:00Z","mean_velocity_mps":0.5}`
	},
	"create-athlete":  func(string) string { return `{"id":"dora","site":"alfa"}` },
	"change-athlete":  func(string) string { return `{"goal":"speed"}` },
	"change-rule":     func(string) string { return `{"limits":{}}` },
	"create-site":     func(string) string { return `{"id":"delta"}` },
	"change-site":     func(string) string { return `{"name":"Alfa"}` },
	"create-team":     func(string) string { return `{"site":"alfa","id":"squad"}` },
	"change-team":     func(string) string { return `{"name":"Squad"}` },
	"change-device":   func(string) string { return `{"rack":"1"}` },
	"assign-device":   func(string) string { return `{"athlete":null}` },
	"create-backtest": func(string) string { return `{}` },
	"create-import": func(string) string {
		return `{"athlete":"ana","zone":"UTC","files":[{"bytes":"ZGF0ZSxleGVyY2lzZSxyZXBzLGxvYWRfa2cKMjAyNi0xMS0wMixEZWFkbGlmdCw1LDEwMAo="}]}`
	},
	"begin-session":     func(string) string { return `{"token":"` + testToken + `"}` },
	"create-token":      func(string) string { return `{"name":"new","role":"coach"}` },
	"create-credential": func(string) string { return `{"kind":"device","site":"alfa","name":"bar-9"}` },
	"create-channel":    func(string) string { return `{"name":"phone","kind":"coach","url":"ntfy://ntfy.invalid/topic"}` },
	"change-channel":    func(string) string { return `{"name":"other"}` },
	"use-checkin-link":  func(string) string { return `{"time":"2026-11-10T18:10:00Z","phase":"daily","pain":1}` },
}

// sitesInBodies are those that a body names.
var sitesInBodies = map[string]string{"create-athlete": "alfa", "create-team": "alfa", "create-import": "alfa"}

// others are the answers, other than 2xx, that the first who may call an operation
// gets here, with the reason.
var others = map[string]struct {
	status int
	why    string
}{
	"get-backtest":           {404, "there is none in this house"},
	"list-backtest-athletes": {404, "there is none in this house"},
	"get-import":             {404, "there is none in this house"},
	"list-import-rows":       {404, "there is none in this house"},
	"get-rule":               {404, "none is called so; which rule it is makes no difference to who may see it"},
	"list-rules":             {404, "nobody has heard of Nobody, and what holds for him"},
	"change-rule":            {404, "none is called so"},
	"get-site":               {404, "there is no nowhere"},
	"change-site":            {404, "there is no nowhere"},
	"get-team":               {404, "there is none in this house"},
	"change-team":            {404, "there is none in this house"},
	"remove-team":            {404, "there is none in this house"},
	"get-device":             {404, "none is called so"},
	"change-device":          {404, "none is called so, and it does not say where it is"},
	"get-assignment":         {404, "no device is called so"},
	"assign-device":          {404, "no device is called so, and it does not say where it is"},
	"end-assignment":         {404, "no device is called so, and it does not say where it is"},
	"begin-login":            {404, "this house has no identity provider; other tests have one"},
	"end-login":              {404, "this house has no identity provider; other tests have one"},
	"revoke-token":           {404, "none is called so; another test revokes one"},
	"revoke-credential":      {404, "none is called so; another test revokes one"},
	"get-channel":            {404, "there is none in this house"},
	"change-channel":         {404, "there is none in this house"},
	"delete-channel":         {404, "there is none in this house"},
	"test-channel":           {404, "there is none in this house"},
	"get-checkin-link":       {404, "there is no such link in this house"},
	"use-checkin-link":       {404, "there is no such link in this house"},
	"get-erasure":            {404, "nobody was erased in this house"},
	"lift-erasure":           {404, "nobody was erased in this house"},
	"release-plan":           {409, "there is no hold"},
	"advance-plan":           {409, "there is no plan"},
	"repeat-plan":            {409, "there is no plan"},
	"end-plan":               {409, "there is no plan"},
}

// TestWhoMayDoWhat calls every operation of the document as every kind of caller
// about everybody, and holds the answer against what the document says of the
// operation: who may call it, and about whom it is.
func TestWhoMayDoWhat(t *testing.T) {
	first := openHouse(t)
	doc := want[document](first.gym, 200, "GET", "/openapi.json", "")
	operations, questions := 0, 0
	each(&doc, func(method, path string, op documented) {
		operations++
		t.Run(op.OperationID, func(t *testing.T) {
			if op.Roles == nil || op.Scope == "" {
				t.Fatal("does not say who may call it, or about whom it is")
			}
			h := first
			if method != http.MethodGet {
				h = openHouse(t) // what it changes is nobody else's affair
			}
			h.t = t
			questions += h.ask(t, method, path, &op)
		})
	})
	t.Logf("%d questions about %d operations", questions, operations)
	if operations < 40 || questions < 1400 {
		t.Errorf("only %d questions about %d operations", questions, operations)
	}
}

// question is one call with what the document says of it.
type question struct {
	path, query string
	about       string // the person that the path is about, "" where it is about nobody
	site, named string // in path or query
}

func (h *house) questions(path string, op *documented) []question {
	var all []question
	subjects := []string{""}
	_, personal := h.ids[op.Scope]
	if personal || strings.Contains(path, "{athlete}") {
		subjects = people
	}
	sites := []string{""}
	if strings.Contains(path, "{site}") {
		sites = []string{"alfa", "beta", "nowhere"}
	}
	for _, person := range subjects {
		for _, site := range sites {
			q := question{about: person, site: site}
			id := "nobody"
			if personal {
				id = h.ids[op.Scope][person]
			}
			q.path = strings.NewReplacer("{id}", id, "{athlete}", person, "{site}", site).Replace(path)
			for strings.Contains(q.path, "{") {
				from := strings.Index(q.path, "{")
				q.path = q.path[:from] + "unknown" + q.path[from+strings.Index(q.path[from:], "}")+1:]
			}
			if !slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "query" && p.Required }) {
				all = append(all, q)
			}
			for _, p := range op.Parameters {
				if p.In != "query" {
					continue
				}
				switch p.Name {
				case "site":
					for _, s := range []string{"alfa", "beta", "nowhere"} {
						with := q
						with.site, with.query = s, "?site="+s
						if q.site == "" {
							all = append(all, with)
						}
					}
				case "athlete":
					for _, a := range people {
						with := q
						with.named, with.query = a, "?athlete="+url.QueryEscape(a)
						all = append(all, with)
					}
				}
			}
		}
	}
	return all
}

// expected is the answer that the document promises: 401, 403 or 200 for whatever
// else.
func (s *somebody) expected(op *documented, q *question) int {
	all := s.identity.Role == access.RoleAdmin || s.identity.Role == access.RoleCoach && s.identity.Site == ""
	switch {
	case len(op.Roles) == 0:
		return http.StatusOK
	case s.identity.Role == "":
		return http.StatusUnauthorized
	case !slices.Contains(op.Roles, s.identity.Role),
		op.Scope == ofAllSites && !all,
		op.Scope == ofNamed && !all && cmp.Or(q.site, sitesInBodies[op.OperationID], q.named) == "",
		!s.isAt(cmp.Or(sitesInBodies[op.OperationID], q.site)) && sitesInBodies[op.OperationID] != "",
		q.about != "" && !s.is(q.about),
		q.named != "" && !s.is(q.named),
		q.site != "" && !s.isAt(q.site):
		return http.StatusForbidden
	}
	return http.StatusOK
}

// ask asks everything of an operation: first as those who may not, then as the
// others. Who reads has to succeed; of those who write the first, because one change
// may make the next impossible.
func (h *house) ask(t *testing.T, method, path string, op *documented) (asked int) {
	questions := h.questions(path, op)
	for _, allowed := range []bool{false, true} {
		succeeded := false
		for _, q := range questions {
			for _, caller := range h.callers {
				expected := caller.expected(op, &q)
				if allowed != (expected == http.StatusOK) {
					continue
				}
				asked++
				h.server.failures = newFailures()
				authorization := ""
				if caller.token != "" {
					authorization = "Bearer " + caller.token
				}
				body := ""
				if write := bodies[op.OperationID]; write != nil {
					body = write(q.about)
				}
				answer := h.send(method, q.path+q.query, body, "Authorization", authorization, "X-Forwarded-For", "127.0.0.1")
				if answer.Header.Get("Content-Type") != streamType {
					_, _ = io.Copy(io.Discard, answer.Body) // until the operation is over
				}
				_ = answer.Body.Close()
				got := answer.StatusCode
				says := fmt.Sprintf("%s %s%s as %s answers %d", method, q.path, q.query, caller.name, got)
				switch {
				case !allowed:
					if got != expected {
						t.Errorf("%s, want %d", says, expected)
					}
				case got >= 500:
					t.Errorf("%s", says)
				case len(op.Roles) > 0 && (got == http.StatusUnauthorized || got == http.StatusForbidden):
					t.Errorf("%s, though it is theirs", says)
				case !succeeded || method == http.MethodGet:
					succeeded = true
					unknown := q.about == "nobody" && got == http.StatusNotFound
					if other, listed := others[op.OperationID]; got >= 300 && !unknown && (!listed || got != other.status) {
						t.Errorf("%s, want success: give it a body in bodies, or say why not in others", says)
					}
				}
			}
		}
		if allowed && !succeeded {
			t.Error("nobody may call it")
		}
	}
	return asked
}

// TestListsAndStreamsHoldWhatTheCallerMaySee asks for everything, and looks at who is
// in the answer.
func TestListsAndStreamsHoldWhatTheCallerMaySee(t *testing.T) {
	h := openHouse(t)
	sees := map[string][]string{
		"admin": {"ana", "bo"}, "coach of all": {"ana", "bo"}, "coach of alfa": {"ana"}, "coach of beta": {"bo"},
		"coach of an empty site": {}, "ana": {"ana"}, "bo": {"bo"}, "an athlete nobody has heard of": {},
	}
	for _, c := range h.callers {
		if c.identity.Role == "" {
			continue
		}
		bearer := "Bearer " + c.token
		var alerts, athletes []string
		for _, a := range want[list[lift.Alert]](h.gym, 200, "GET", "/api/v1/alerts", "", "Authorization", bearer).Items {
			alerts = append(alerts, string(a.Athlete))
		}
		for _, a := range want[list[view.Athlete]](h.gym, 200, "GET", "/api/v1/athletes", "", "Authorization", bearer).Items {
			athletes = append(athletes, string(a.ID))
		}
		slices.Sort(alerts)
		if !slices.Equal(alerts, sees[c.name]) || !slices.Equal(athletes, sees[c.name]) {
			t.Errorf("%s is shown alerts of %v and athletes %v, want %v", c.name, alerts, athletes, sees[c.name])
		}
		if c.identity.Role == access.RoleAthlete {
			continue
		}
		var inDigest, devices, topics, wantDevices, wantTopics []string
		at := "?at=" + trained.AddDate(0, 0, 7).Format(time.RFC3339)
		for _, a := range want[digest](h.gym, 200, "GET", "/api/v1/digest"+at, "", "Authorization", bearer).Athletes {
			inDigest = append(inDigest, string(a.Athlete))
		}
		for _, d := range want[list[device]](h.gym, 200, "GET", "/api/v1/devices", "", "Authorization", bearer).Items {
			devices = append(devices, string(d.Site))
		}
		for _, q := range want[list[QuarantineItem]](h.gym, 200, "GET", "/api/v1/quarantine", "", "Authorization", bearer).Items {
			topics = append(topics, q.Topic)
		}
		for _, who := range sees[c.name] {
			wantDevices = append(wantDevices, string(siteOfPerson[who]))
			wantTopics = append(wantTopics, "spotter/v1/"+string(siteOfPerson[who])+"/device/bar-1/rep")
		}
		slices.Sort(inDigest)
		slices.Sort(topics)
		if !slices.Equal(inDigest, sees[c.name]) || !slices.Equal(devices, wantDevices) || !slices.Equal(topics, wantTopics) {
			t.Errorf("%s is shown a digest of %v, devices at %v and messages to %v", c.name, inDigest, devices, topics)
		}
	}

	// Every stream begins before the events.
	var following sync.WaitGroup
	streams := map[string]*notes{}
	for _, path := range []string{"/api/v1/alerts/stream", "/api/v1/live"} {
		for _, c := range h.callers {
			if c.identity.Role == "" {
				continue
			}
			ticket := want[streamTicket](h.gym, 201, "POST", "/api/v1/stream-tickets", "", "Authorization", "Bearer "+c.token).Ticket
			answer := h.send("GET", path+"?ticket="+ticket, "", "Authorization", "")
			told := &notes{}
			streams[path+" of "+c.name] = told
			following.Go(func() { _, _ = io.Copy(told, answer.Body) })
			t.Cleanup(func() { _ = answer.Body.Close() })
			need.Eventually(t, 10*time.Second, "the stream's beginning", func() bool { return strings.Contains(told.String(), "id: ") })
		}
	}
	expected := func(stream string) []string {
		path, name, _ := strings.Cut(stream, " of ")
		all := slices.Clone(sees[name])
		if path == "/api/v1/live" && name != "ana" && name != "bo" {
			for _, who := range sees[name] {
				all = append(all, "unassigned at "+string(siteOfPerson[who]))
			}
		}
		return all
	}
	about := func(stream string) []string {
		seen := map[string]bool{}
		text := streams[stream].String()
		for line := range strings.Lines(text[:strings.LastIndex(text, "\n")+1]) {
			data, ok := strings.CutPrefix(line, "data: ")
			if !ok {
				continue
			}
			var frame struct {
				Athlete string `json:"athlete"`
				Site    string `json:"site"`
			}
			if err := json.Unmarshal([]byte(data), &frame); err != nil {
				t.Fatal(err)
			}
			seen[cmp.Or(frame.Athlete, "unassigned at "+frame.Site)] = true
		}
		return slices.Sorted(maps.Keys(seen))
	}
	for _, n := range []int{2, 4} { // the second time what must not be there has had its time
		for _, who := range []string{"bo", "ana"} {
			site := siteOfPerson[who]
			aRep, anAlert, unassigned := rep(who, n, trained), found(who, n, lift.Warning, trained), rep(who, n+1, trained)
			aRep.Site, anAlert.Site, anAlert.Alert.Finding.Site, unassigned.Site = site, site, site, site
			unassigned.Athlete, unassigned.Rep.Athlete, unassigned.Device = "", "", "bar-2"
			h.append(aRep, unassigned, anAlert)
		}
		for stream := range streams {
			need.Eventually(t, 10*time.Second, "what "+stream+" must tell", func() bool {
				told := about(stream)
				return !slices.ContainsFunc(expected(stream), func(who string) bool { return !slices.Contains(told, who) })
			})
		}
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	following.Wait()
	for stream := range streams {
		if told := about(stream); !slices.Equal(told, slices.Sorted(slices.Values(expected(stream)))) {
			t.Errorf("%s tells of %v, want %v", stream, told, expected(stream))
		}
	}
}

// A coach cannot give the reps of somebody else's athlete away by an assignment that
// begins in the past, nor does a check-in link show what others reported.
func TestWhatIsNotOnesOwnIsNotTakenBackwards(t *testing.T) {
	h := openHouse(t)
	coach := ""
	for _, c := range h.callers {
		if c.name == "coach of alfa" {
			coach = "Bearer " + c.token
		}
	}
	want[athlete](h.gym, 201, "POST", "/api/v1/athletes", `{"id":"bo","site":"beta"}`) // who is enrolled stays there
	path := "/api/v1/devices/bar-1/assignment?site=alfa"
	old := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	want[onBar](h.gym, 200, "PUT", path, `{"athlete":"bo","since":"`+old+`"}`)
	later := time.Now().Add(-30 * time.Minute).UTC().Format(time.RFC3339)
	want[problem](h.gym, 403, "PUT", path, `{"athlete":"ana","since":"`+later+`"}`, "Authorization", coach)
	want[onBar](h.gym, 200, "PUT", path, `{"athlete":"ana"}`, "Authorization", coach) // from now on the bar is theirs

	want[lift.CheckInRecord](h.gym, 201, "POST", "/api/v1/athletes/ana/checkins", `{"time":"2026-11-10T18:10:00Z","phase":"daily","pain":7,"revision":2}`)
	link := want[checkInLink](h.gym, 201, "POST", "/api/v1/athletes/ana/checkin-links", "")
	want[problem](h.gym, 409, "POST", "/api/v1/checkin/"+link.Token, `{"time":"2026-11-10T18:10:00Z","phase":"daily","pain":0}`, "Authorization", "")
}
