package influx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// inFront puts a proxy before the rig's server. fault may answer a request itself:
// then it returns true. It is called by one goroutine at a time.
func (r *rig) inFront(fault func(w http.ResponseWriter, req *http.Request, body []byte, pass func([]byte)) bool) {
	r.Helper()
	target, err := url.Parse(r.db.url)
	if err != nil {
		r.Fatal(err)
	}
	real := httputil.NewSingleHostReverseProxy(target)
	// A server that is away is away for who stands behind the proxy too.
	real.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	var mu sync.Mutex
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		forward := func(w http.ResponseWriter, body []byte) {
			on := req.Clone(req.Context())
			on.Body, on.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			real.ServeHTTP(w, on)
		}
		mu.Lock()
		defer mu.Unlock()
		if !fault(w, req, body, func(part []byte) { forward(httptest.NewRecorder(), part) }) {
			forward(w, body)
		}
	}))
	r.Cleanup(proxy.Close)
	r.db.url = proxy.URL
}

func isWrite(req *http.Request) bool { return req.URL.Path == "/api/v2/write" }

func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"code":"invalid","message":%q}`, message)
}

// InfluxDB fixes the type of a field by its first write, of all series of a week.
func TestAFieldTypeConflictQuarantinesThePointAndWritesItsNeighbours(t *testing.T) {
	r := newRig(t, ownInflux(t))
	ana := r.athlete("ana")
	r.writeRaw(fmt.Sprintf("rep,site=%s,athlete=somebody load_kg=120i %d", r.site, at(0).UnixMilli()))
	bare := func(rep *lift.Rep) { rep.LoadKg = nil }
	nextMonth := evening.AddDate(0, 0, -40)
	var events []journal.Event
	for i := range int64(50) {
		events = append(events, r.rep(i, ana, at(float64(i)), 0.5, bare), r.rep(100+i, ana, nextMonth.Add(time.Duration(i)*time.Second), 0.5))
	}
	r.append(append(events, r.rep(200, ana, at(70), 0.5), r.rep(201, ana, at(73), 0.5))...)
	f, _ := r.follower()
	r.settled(f)

	if n := len(r.valid("rep")); n != 100 {
		t.Errorf("%d reps, want the 100 good ones", n)
	}
	held := r.quarantined()
	if len(held) != 2 || f.Stats().Quarantined != 2 {
		t.Fatalf("%d points in quarantine, %d counted, want 2", len(held), f.Stats().Quarantined)
	}
	for _, q := range held {
		if q.Topic != "influx/rep" || q.Athlete != ana || !strings.Contains(q.Reason, "field type conflict") ||
			!strings.HasPrefix(string(q.Bytes), "rep,athlete="+string(ana)) || q.Size != len(q.Bytes) {
			t.Errorf("quarantined %+v", q)
		}
	}
}

// InfluxDB 1.8 never answers some of these; the proxy does in its stead.
func TestARefusedBatchIsTakenApartDownToTheBadPoint(t *testing.T) {
	const bad = "mean_velocity_mps=3.75"
	for _, c := range []struct {
		name   string
		status int
		stored bool // the good points of a refused request
	}{
		{"2.x wrote the good points", 422, true},
		{"none was written", 400, false},
		{"too large", 413, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, anyInflux(t))
			ana := r.athlete("ana")
			r.inFront(func(w http.ResponseWriter, req *http.Request, body []byte, pass func([]byte)) bool {
				if !isWrite(req) || !bytes.Contains(body, []byte(bad)) {
					return false
				}
				if c.stored {
					good := slices.DeleteFunc(strings.Split(string(body), "\n"), func(l string) bool { return strings.Contains(l, bad) })
					pass([]byte(strings.Join(good, "\n")))
				}
				answer(w, c.status, "failure writing points: partial write: a bad point dropped=1")
				return true
			})
			events := r.reps(1, 200, ana)
			events[77].Rep.MeanVelocity = 3.75
			r.append(events...)
			f, _ := r.follower()
			r.settled(f)
			if n := len(r.valid("rep")); n != 199 {
				t.Errorf("%d reps, want the 199 good ones", n)
			}
			held := r.quarantined()
			if len(held) != 1 || !strings.Contains(string(held[0].Bytes), bad) || !strings.Contains(held[0].Reason, fmt.Sprint(c.status)) {
				t.Errorf("quarantined %+v", held)
			}
		})
	}
}

func TestPointsOlderThanTheBucketKeepsAreCountedAndNotQuarantined(t *testing.T) {
	r := newRig(t, anyInflux(t))
	old := time.Now().UTC().Truncate(time.Second).AddDate(0, 0, -90)
	r.append(r.chunk(0, old, 100, 1, 2, 3), r.chunk(1, at(0), 100, 4, 5))
	f, _ := r.follower()
	r.settled(f)
	if s := f.Stats(); s.Expired != 3 || s.Quarantined != 0 {
		t.Errorf("%d expired and %d quarantined, want 3 and 0", s.Expired, s.Quarantined)
	}
	if n := len(r.rows("velocity")); n != 2 {
		t.Errorf("%d samples, want 2", n)
	}
}

func TestTheServerSaysWhenToComeBack(t *testing.T) {
	r := newRig(t, anyInflux(t))
	faults := []struct {
		status int
		after  string
	}{{503, "7"}, {429, "11"}, {503, ""}, {500, "99"}, {401, ""}, {503, "86400"}, {404, ""}}
	r.inFront(func(w http.ResponseWriter, req *http.Request, _ []byte, _ func([]byte)) bool {
		if !isWrite(req) || len(faults) == 0 || !strings.Contains(req.URL.RawQuery, r.db.bucket) || strings.Contains(req.URL.RawQuery, "_samples") {
			return false
		}
		if faults[0].after != "" {
			w.Header().Set("Retry-After", faults[0].after)
		}
		answer(w, faults[0].status, "not now")
		faults = faults[1:]
		return true
	})
	r.append(r.rep(1, r.athlete("ana"), at(0), 0.5))
	f, _ := r.follower()
	r.settled(f)
	want := []time.Duration{7 * time.Second, 11 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, maxRetryAfter, 30 * time.Second}
	got := slices.DeleteFunc(r.waited(), func(d time.Duration) bool { return d <= time.Millisecond }) // pace
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits: -want +got\n%s", diff)
	}
	s := f.Stats()
	if s.Retries != 7 || s.LastError != Missing || !s.Connected || s.Quarantined != 0 {
		t.Errorf("stats %+v", s)
	}
	if n := len(r.valid("rep")); n != 1 {
		t.Errorf("%d reps, want 1", n)
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	now := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"Sun, 22 Nov 2026 17:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 16:00:00 GMT": 0, // past
		"soon":                          0,
		"-5":                            0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestAServerKilledInMidBatchGetsEveryRepExactlyOnce(t *testing.T) {
	r := newRig(t, ownInflux(t))
	ana := r.athlete("ana")
	const n = 12_000
	killed := make(chan struct{})
	var once sync.Once
	db := r.db
	r.inFront(func(_ http.ResponseWriter, req *http.Request, body []byte, pass func([]byte)) bool {
		// Part of the second large request is stored, then the server is gone.
		if isWrite(req) && bytes.Count(body, []byte("\n")) > 100 && bytes.Contains(body, []byte(fmt.Sprint(at(6000/5*180).UnixMilli()))) {
			once.Do(func() {
				pass(body[:bytes.LastIndexByte(body[:len(body)/2], '\n')])
				db.stop()
				close(killed)
			})
		}
		return false
	})
	events := r.reps(1, n, ana)
	for i := range events {
		events[i].Received = time.Now().UTC().Add(-time.Hour)
	}
	r.append(events...)
	f, stop := r.follower()
	<-killed
	eventually(t, "the follower to notice", func() bool { s := f.Stats(); return !s.Connected && s.Retries > 3 })
	s := f.Stats()
	if s.Events.Events == 0 || s.Events.Age < time.Hour || s.Events.Age > 2*time.Hour {
		t.Errorf("while the server is away the lag is %+v", s.Events)
	}
	r.append(r.reps(n+1, 10, ana)[5:]...) // the log goes on: five more, at times that are there
	stop()                                // and so does a new process
	if pos, err := r.log.LoadPosition(t.Context(), "influx"); err != nil || pos > uint64(n) {
		t.Fatalf("position %d, %v: ahead of what was written", pos, err)
	}
	f, _ = r.follower()
	db.start()
	r.settled(f)
	if got := len(r.valid("rep")); got != n+5 {
		t.Errorf("%d reps, want %d", got, n+5)
	}
	if lag := f.Stats().Events; lag.Events != 0 || lag.Age != 0 {
		t.Errorf("lag %+v, want none", lag)
	}
}

func TestEraseLeavesNothingOfTheAthlete(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana, bo := r.athlete("ana"), r.athlete("bo")
	r.append(r.reps(1, 10, ana)...)
	r.append(r.rep(50, bo, at(5000), 0.5), r.assign(ana, "deadlift", at(0)), r.chunk(0, at(1), 100, 0.5, 0.6))
	r.append(r.assign("", "", at(100)), r.chunk(1, at(200), 100, 0.5, 0.6), r.chunk(2, at(300), 100, 0.5))
	r.append(r.found("al_1", ana, lift.Warning, "x", at(9)), r.tick(at(60)))
	f, _ := r.follower()
	r.settled(f)
	for _, m := range []string{"rep", "set", "week", "alert", "velocity"} {
		if len(r.rows(m)) == 0 {
			t.Fatalf("no %s to erase", m)
		}
	}
	done, err := f.Erase(t.Context(), ana, []view.Stretch{{Site: r.site, Device: "bar-1", From: at(199), To: at(201)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(done) != 2 || done[0].Bucket != r.db.bucket || done[1].Bucket != r.db.bucket+"_samples" || done[0].By == "" || done[0].Server == "" {
		t.Errorf("receipt %+v", done)
	}
	for m, want := range map[string]int{"rep": 1, "set": 1, "week": 1, "alert": 0, "velocity": 1} {
		if got := len(r.rows(m)); got != want {
			t.Errorf("%d points of %s are left, want %d", got, m, want)
		}
	}
	var field *lift.FieldError
	if _, err := f.Erase(t.Context(), "a' OR 1=1", nil); !errors.As(err, &field) {
		t.Errorf("erase of what is no id: %v", err)
	}
}

func TestTrimLeavesWhatIsNewer(t *testing.T) {
	r := newRig(t, anyInflux(t))
	ana := r.athlete("ana")
	r.append(r.rep(1, ana, at(0), 0.5), r.rep(2, ana, at(100), 0.5))
	f, _ := r.follower()
	r.settled(f)
	if err := f.Trim(t.Context(), "rep", at(50)); err != nil {
		t.Fatal(err)
	}
	if got := len(r.rows("rep")); got != 1 {
		t.Errorf("%d reps are left, want the newer one", got)
	}
}

// The calls that only 2.x has are answered by a proxy that looks at them; points go
// to the real server. This is no proof of 2.x itself.
func TestOn2BucketsAreCreatedAndErasedThroughItsAPI(t *testing.T) {
	r := newRig(t, ownInflux(t))
	r.db.org, r.db.token = "gym", "secret"
	ana := r.athlete("ana")
	r.query("", `CREATE DATABASE "spotter"`)
	r.query("", `CREATE DATABASE "spotter_samples"`)
	var created, deleted []string
	r.inFront(func(w http.ResponseWriter, req *http.Request, body []byte, _ func([]byte)) bool {
		q := req.URL.Query()
		switch {
		case req.URL.Path == "/ping":
			w.Header().Set("X-Influxdb-Version", "v2.7.12")
			w.WriteHeader(http.StatusNoContent)
		case req.URL.Path == "/api/v2/buckets" && req.Method == http.MethodGet && q.Get("name") == "spotter":
			_, _ = w.Write([]byte(`{"buckets":[{"id":"b1","name":"spotter"}]}`))
		case req.URL.Path == "/api/v2/buckets" && req.Method == http.MethodGet:
			answer(w, http.StatusNotFound, "bucket not found")
		case req.URL.Path == "/api/v2/orgs" && q.Get("org") == "gym":
			_, _ = w.Write([]byte(`{"orgs":[{"id":"o1","name":"gym"}]}`))
		case req.URL.Path == "/api/v2/buckets":
			created = append(created, string(body))
			w.WriteHeader(http.StatusCreated)
		case req.URL.Path == "/api/v2/delete" && q.Get("bucket") == "spotter":
			deleted = append(deleted, q.Get("org")+" "+string(body))
			w.WriteHeader(http.StatusNoContent)
		case req.URL.Path == "/api/v2/delete":
			answer(w, http.StatusNotFound, "bucket not found")
		default:
			if req.Header.Get("Authorization") != "Token secret" {
				answer(w, http.StatusUnauthorized, "no token")
				return true
			}
			return false
		}
		return true
	})
	// Correct something, so that sets are read back in Flux.
	r.append(r.rep(1, ana, at(60), 0.6), r.tick(at(120)))
	f, _ := r.follower(func(o *Options) { o.Now = func() time.Time { return evening } })
	r.settled(f)
	r.append(r.rep(2, ana, at(50), 0.6), r.tick(at(180)))
	r.settled(f)
	done, err := f.Erase(t.Context(), ana, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Erased{{"spotter", "2.7.12", "delete API"}, {"spotter_samples", "2.7.12", "no such bucket"}}, done); diff != "" {
		t.Errorf("receipt: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{`{"name":"spotter_samples","orgID":"o1","retentionRules":[{"type":"expire","everySeconds":2592000}]}`}, created); diff != "" {
		t.Errorf("created: -want +got\n%s", diff)
	}
	want := fmt.Sprintf(`gym {"start":"1970-01-01T00:00:00Z","stop":%q,"predicate":"athlete=\"%s\""}`, evening.AddDate(1, 0, 0).Format(time.RFC3339), ana)
	if diff := cmp.Diff([]string{want}, deleted); diff != "" {
		t.Errorf("deleted: -want +got\n%s", diff)
	}
	if n := len(r.valid("set")); n != 1 {
		t.Errorf("%d sets, want the late rep's one", n)
	}
}

func TestAServerThatCannotDeleteSaysSo(t *testing.T) {
	r := newRig(t, ownInflux(t))
	r.inFront(func(w http.ResponseWriter, req *http.Request, _ []byte, _ func([]byte)) bool {
		if req.URL.Path == "/ping" {
			w.Header().Set("X-Influxdb-Version", "3.2.0")
			w.WriteHeader(http.StatusNoContent)
		}
		return req.URL.Path == "/ping"
	})
	f, err := New(r.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Erase(t.Context(), "ana", nil); !errors.Is(err, ErrNoErase) {
		t.Errorf("erase: %v", err)
	}
}

func TestMissingOptionsAreAllNamed(t *testing.T) {
	_, err := New(Options{URL: "http://localhost:8086"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"Bucket", "Log", "View", "Sets", "Weeks", "Logger"} {
		if !strings.Contains(err.Error(), "influx option "+name+" is missing") {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}
