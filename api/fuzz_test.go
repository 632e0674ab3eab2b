package api

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/view"
)

// Environment variables: how many requests each role makes of each operation, and
// from which seed they are made.
const (
	fuzzRequests = "SPOTTER_FUZZ_REQUESTS"
	fuzzSeed     = "SPOTTER_FUZZ_SEED"
)

// perHouse bounds how many requests of each role and operation one server gets, so
// that what has failed can be had again with the seed.
const perHouse = 100

// last are operations that are asked only in the last third, and why.
var last = map[string]string{
	"erase-athlete": "of those who were erased there is nothing left to ask",
}

// TestAnyRequestIsAnsweredAsDescribed sends good, odd and hostile requests to every
// operation of the document as every role, and holds each answer against the
// document. In the end the log must lead to the same view once more.
func TestAnyRequestIsAnsweredAsDescribed(t *testing.T) {
	requests, seed := number(t, fuzzRequests, 25), number(t, fuzzSeed, 1)
	for n := 0; requests > 0; n++ {
		count := min(requests, perHouse)
		requests -= count
		t.Run(fmt.Sprintf("seed %d", seed+n), func(t *testing.T) { fuzz(t, uint64(seed+n), count) })
	}
}

func number(t *testing.T, variable string, usual int) int {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// counted counts what is written but for who looked at whom.
type counted struct {
	Log
	written atomic.Int64
}

func (c *counted) Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error) {
	acks, err := c.Log.Append(ctx, events...)
	for i := range acks {
		if events[i].Kind != journal.KindRead {
			c.written.Add(1)
		}
	}
	return acks, err
}

// secretName is Bo's, which no other athlete may read.
const secretName = "Bo Privatmann"

func fuzz(t *testing.T, seed uint64, requests int) {
	log := &counted{}
	h := openHouse(t, func(o *Options) {
		log.Log, o.Log = o.Log, log
		o.Notifier = sendNowhere(t, o)
	})
	want[athlete](h.gym, 200, "PATCH", "/api/v1/athletes/bo", `{"name":"`+secretName+`"}`)
	want[team](h.gym, 201, "POST", "/api/v1/teams", `{"site":"alfa","id":"squad"}`)
	c := readContract(t, h.gym)
	f := &forge{
		r: rand.New(rand.NewPCG(seed, 0)), schemas: c.schemas, operations: c.operations, now: time.Now,
		pool: map[string][]string{}, items: map[string][]map[string]string{},
	}
	for collection, of := range map[string]scope{"athletes": ofAthlete, "alerts": ofAlert, "reps": ofRep, "quarantine": ofQuarantined} {
		for _, who := range people {
			f.keep(collection, map[string]string{"id": h.ids[of][who]})
		}
	}
	for n := range 20 {
		bad := h.server.decode("spotter/v1/alfa/device/bar-1/rep", fmt.Appendf(nil, `{"boot_id":"b8","seq":%d}`, n), time.Now())
		h.append(bad...)
		f.keep("quarantine", map[string]string{"id": bad[0].Quarantined.ID})
	}
	byRole := map[access.Role][]*somebody{}
	for i := range h.callers {
		role := h.callers[i].identity.Role
		byRole[role] = append(byRole[role], &h.callers[i])
	}
	w := &wire{host: strings.TrimPrefix(h.url, "http://")}
	statuses, succeeded, made, failed := map[int]int{}, map[string]int{}, 0, 0
	ask := func(op *described, caller *somebody) {
		if made++; made%20 == 0 {
			h.server.failures = newFailures() // a refusal is looked for, not the limit of refusals
		}
		q, before := f.request(op, caller), log.written.Load()
		answer, err := w.send(q)
		if err == nil {
			statuses[answer.status]++
			if answer.status < 300 {
				succeeded[op.OperationID]++
				f.learn(op, answer)
			}
			if err = c.check(q, answer); err == nil {
				err = h.checkAccess(q, answer, log.written.Load()-before)
			}
		}
		if err == nil {
			return
		}
		if failed++; failed > 30 {
			t.Fatal("and so on")
		}
		if answer == nil {
			answer = &heard{}
		}
		t.Errorf("%s\n%s\nanswers %d %.600s\nwhich %v", op.OperationID, q, answer.status, answer.body, err)
	}
	began := time.Now()
	for n := range requests {
		for _, op := range c.operations {
			if last[op.OperationID] != "" && n < requests*2/3 {
				continue
			}
			for _, role := range []access.Role{"", access.RoleAdmin, access.RoleCoach, access.RoleAthlete} {
				ask(op, pick(f.r, byRole[role]))
			}
		}
	}
	for _, op := range c.operations {
		// What has not succeeded by chance gets more of them, with something to work on.
		root := strings.Join(strings.Split(op.path, "/")[:min(4, strings.Count(op.path, "/")+1)], "/")
		for n := 0; n < 300 && succeeded[op.OperationID] == 0 && neverSucceed[op.OperationID] == ""; n++ {
			for _, maker := range c.operations {
				if maker == op || maker.method == http.MethodPost && maker.path == root {
					ask(maker, byRole[access.RoleAdmin][0])
				}
			}
		}
	}
	t.Logf("%d requests to %d operations in %v, answered %v", made, len(c.operations), time.Since(began), statuses)
	for _, op := range c.operations {
		if succeeded[op.OperationID] == 0 && neverSucceed[op.OperationID] == "" {
			t.Errorf("%s has never succeeded: what is behind its checks was not reached", op.OperationID)
		}
	}
	want[health](h.gym, 200, "GET", "/healthz", "")
	logged := h.logged.String()
	for line := range strings.Lines(logged) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
			t.Errorf("logged: %.2000s", line)
		}
		if strings.Contains(strings.ToLower(line), marker) || strings.Contains(line, secretName) {
			t.Errorf("the log repeats what was sent: %.500s", line)
		}
	}
	h.checkRebuilt(t)
}

// neverSucceed are the operations that cannot succeed here, and why.
var neverSucceed = map[string]string{
	"begin-login": "this house has no identity provider; other tests have one",
	"end-login":   "this house has no identity provider; other tests have one",
}

// sendNowhere is a notifier that delivers to nobody.
func sendNowhere(t *testing.T, o *Options) *notify.Notifier {
	channels, err := notify.OpenChannels(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_ = o.Notifier.Close()
	n, err := notify.Open(t.Context(), notify.Options{
		Path: filepath.Join(t.TempDir(), "notify.db"), View: o.View, End: o.View.Position, Channels: channels, Logger: o.Logger, Now: o.Clock,
		Publish: func(context.Context, string, byte, []byte) error { return nil },
		Send:    func(context.Context, *notify.Channel, *notify.Message) (string, error) { return "taken", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// learn keeps what an answer lists or makes for requests to come.
func (f *forge) learn(op *described, h *heard) {
	f.note("etag", h.header.Get("ETag"))
	var v any
	if json.Unmarshal(h.body, &v) != nil {
		return
	}
	collection := path.Base(op.path)
	if strings.HasSuffix(collection, "}") {
		collection = path.Base(path.Dir(op.path))
	}
	body, _ := v.(map[string]any)
	f.note("cursor", body["next"])
	f.note("token", body["token"])
	items, _ := body["items"].([]any)
	for _, item := range append(items, v) {
		fields, _ := item.(map[string]any)
		texts := map[string]string{}
		for name, value := range fields {
			if text, ok := value.(string); ok {
				texts[name] = text
			}
		}
		f.keep(collection, texts)
	}
}

// note remembers the newest texts of a name.
func (f *forge) note(name string, value any) {
	text, _ := value.(string)
	if text == "" || slices.Contains(f.pool[name], text) {
		return
	}
	f.pool[name] = append(f.pool[name], text)
	if len(f.pool[name]) > mostKept {
		f.pool[name] = f.pool[name][mostKept/5:]
	}
}

// keep remembers the newest items of a list. The callers' own tokens are not to be
// revoked.
func (f *forge) keep(collection string, item map[string]string) {
	id := cmp.Or(item["id"], item["name"], item["device"])
	if id == "" || strings.HasPrefix(item["name"], "t-") {
		return
	}
	f.note(collection, id)
	if slices.ContainsFunc(f.items[collection], func(known map[string]string) bool { return maps.Equal(known, item) }) {
		return
	}
	f.items[collection] = append(f.items[collection], item)
	if len(f.items[collection]) > mostKept {
		f.items[collection] = f.items[collection][mostKept/5:]
	}
}

// mostKept bounds what is remembered of each kind.
const mostKept = 30

// checkAccess returns what an answer gives away, or changes, that it must not.
func (h *house) checkAccess(q *forged, answer *heard, written int64) error {
	role := q.caller.identity.Role
	switch { // get-metrics asks for no token on the machine itself
	case q.routed && len(q.op.Roles) > 0 && q.op.OperationID != "get-metrics" && !slices.Contains(q.op.Roles, role) && answer.status < 400:
		return fmt.Errorf("is not for the role %q", role)
	case written > 0 && answer.status >= 400:
		return fmt.Errorf("has written %d events all the same", written)
	case written > 0 && (q.method == http.MethodGet || q.method == http.MethodHead):
		return fmt.Errorf("has written %d events, and only reads", written)
	case role != access.RoleAdmin && role != access.RoleCoach && q.caller.identity.Athlete != "bo" && bytes.Contains(answer.body, []byte(secretName)):
		return fmt.Errorf("tells another's name")
	}
	for _, c := range h.callers {
		if c.token != "" && bytes.Contains(answer.body, []byte(c.token)) {
			return fmt.Errorf("holds the token of %s", c.name)
		}
	}
	return nil
}

// checkRebuilt reads the log into another view, and holds it against this one.
func (h *house) checkRebuilt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	need.Eventually(t, time.Minute, "the end of every erase", func() bool {
		all, _, err := h.view.Erasures(ctx, view.Page{Limit: 500})
		under := slices.ContainsFunc(all, func(e view.Erasure) bool { return e.Done.IsZero() })
		return err == nil && !under && h.view.Position() >= h.log.LastSeq()
	})
	if err := h.stop(); err != nil { // which writes who has looked at whom
		t.Fatal(err)
	}
	end := h.log.LastSeq()
	again, err := view.Open(ctx, filepath.Join(t.TempDir(), "again.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	following, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = again.Run(following, h.log) }) // ends when it is stopped
	for _, v := range []*view.View{h.view, again} {
		if err := v.WaitFor(ctx, end); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff(everything(t, h.view), everything(t, again)); diff != "" {
		t.Errorf("- running, + rebuilt: %.5000s", diff)
	}
	stop()
	running.Wait()
	_ = again.Close()
}

// everything is what a view knows, by what it is.
func everything(t *testing.T, v *view.View) map[string]any {
	all := map[string]any{}
	put := func(what string, found any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		all[what] = found
	}
	athletes, err := v.Athletes(t.Context(), time.Time{})
	put("athletes", athletes, err)
	for _, a := range athletes {
		history, err := v.History(t.Context(), a.ID, time.Time{}, time.Time{})
		put("history of "+string(a.ID), history, err)
		site, err := v.SiteOf(t.Context(), a.ID)
		put("site of "+string(a.ID), site, err)
	}
	for _, kind := range []lift.RecordKind{lift.OfHouse, lift.OfSite, lift.OfTeam, lift.OfAthlete, lift.OfDevice} {
		records := v.Records(kind)
		put("records of "+string(kind), records, nil)
		for _, r := range records {
			steps, err := v.RecordSteps(t.Context(), kind, r.ID)
			put("steps of "+string(kind)+" "+r.ID, steps, err)
		}
	}
	devices, err := v.Devices(t.Context())
	put("devices", devices, err)
	alerts, _, err := v.Alerts(t.Context(), view.AlertQuery{}, view.Page{Limit: 500})
	put("alerts", alerts, err)
	held, _, err := v.Quarantine(t.Context(), view.Page{Limit: 500})
	put("quarantine", held, err)
	return all
}
