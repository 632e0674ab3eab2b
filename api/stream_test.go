package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// message is one event of a stream, or a comment.
type message struct{ event, id, data, comment string }

// listener reads one stream.
type listener struct {
	t      testing.TB
	answer *http.Response
	lines  *bufio.Reader
	cancel context.CancelFunc
	lastID string
}

// listen opens a stream and reads its beginning; headers come in pairs.
func (g *gym) listen(path string, headers ...string) *listener {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	g.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", g.url+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		g.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		g.t.Fatalf("%s answers %d", path, answer.StatusCode)
	}
	return &listener{t: g.t, answer: answer, lines: bufio.NewReader(answer.Body), cancel: cancel}
}

// read returns the next event or comment, or an error when the stream has ended.
// What only sets the id, as a browser would not report it, is passed over.
func (l *listener) read() (message, error) {
	var m message
	for {
		line, err := l.lines.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && (m.data != "" || m.comment != ""):
			return m, nil
		case line == "":
			m = message{}
		case name == "":
			m.comment = ":" + value
		case name == "event":
			m.event = value
		case name == "id":
			m.id, l.lastID = value, value
		case name == "data":
			m.data += value
		}
	}
}

// next returns the next event.
func (l *listener) next() message {
	l.t.Helper()
	for {
		m, err := l.read()
		if err != nil {
			l.t.Fatalf("stream: %v", err)
		}
		if m.comment == "" {
			return m
		}
	}
}

// alert returns the next event, which must be an alert.
func (l *listener) alert() lift.Alert {
	l.t.Helper()
	m := l.next()
	var a lift.Alert
	if err := json.Unmarshal([]byte(m.data), &a); m.event != "alert" || err != nil {
		l.t.Fatalf("got %+v, %v", m, err)
	}
	return a
}

func (l *listener) close() {
	l.cancel()
	_ = l.answer.Body.Close()
}

func id(seq uint64) string { return strconv.FormatUint(seq, 10) }

const alertStream = "/api/v1/alerts/stream"

func TestAStreamTellsOfEachStepOfAnAlertFromNowOn(t *testing.T) {
	g := open(t)
	g.append(found("ana", 1, lift.Warning, trained))
	l := g.listen(alertStream)
	for name, value := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := l.answer.Header.Get(name); got != value {
			t.Errorf("%s is %q", name, got)
		}
	}
	e := found("ana", 2, lift.Warning, trained)
	seq := g.append(e, rep("ana", 1, trained), retracted(e, trained.Add(time.Hour)))
	if a := l.alert(); a.ID != e.Alert.AlertID || a.State != lift.AlertOpen || l.lastID != id(seq-2) {
		t.Errorf("opened as %+v at %s", a, l.lastID)
	}
	a := l.alert()
	if l.lastID != id(seq) {
		t.Errorf("id %s, want %d", l.lastID, seq)
	}
	if diff := cmp.Diff(want[alertDetail](g, 200, "GET", "/api/v1/alerts/"+a.ID, "").Alert, a); diff != "" {
		t.Errorf("the stream's alert is not the list's: %s", diff)
	}
}

func TestAStreamIsNarrowed(t *testing.T) {
	g := open(t)
	by := map[string]*listener{}
	for _, query := range []string{"?athlete=bo", "?site=north", "?severity=critical"} {
		by[query] = g.listen(alertStream + query)
	}
	north := found("cy", 3, lift.Advice, trained)
	north.Site, north.Alert.Finding.Site = "north", "north"
	g.append(found("ana", 1, lift.Advice, trained), found("bo", 2, lift.Advice, trained), north, found("ana", 4, lift.Urgent, trained))
	for query, athlete := range map[string]lift.AthleteID{"?athlete=bo": "bo", "?site=north": "cy", "?severity=critical": "ana"} {
		if a := by[query].alert(); a.Athlete != athlete {
			t.Errorf("%s: %+v", query, a)
		}
	}
}

func TestAStreamResumesWithoutAGapOrARepeat(t *testing.T) {
	g := open(t)
	const n = 60
	go func() {
		for i := range n {
			_, _ = g.log.Append(context.Background(), rep("ana", i, trained), found("ana", i, lift.Warning, trained.Add(time.Duration(i)*time.Second)))
		}
	}()
	var got []string
	headers := []string{"Last-Event-ID", "0"}
	for len(got) < n {
		l := g.listen(alertStream, headers...)
		for range 7 {
			if len(got) == n {
				break
			}
			got = append(got, l.alert().ID)
		}
		headers = []string{"Last-Event-ID", l.lastID}
		l.close()
	}
	var wanted []string
	for i := range n {
		wanted = append(wanted, found("ana", i, lift.Warning, trained).Alert.AlertID)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
}

func TestAStreamResumesFromStoredStepsAfterARestart(t *testing.T) {
	g := open(t)
	var last uint64
	for i := range 3 {
		last = g.append(found("ana", i, lift.Warning, trained))
	}
	g.append(rep("ana", 1, trained))
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	o := Options{
		View: g.view, Log: g.log, Clock: time.Now, Logger: g.server.log, Auth: g.server.auth,
		Decode: g.server.decode, Sets: g.server.sets, Weeks: g.server.weeks,
	}
	var err error
	if g.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	g.serve()
	// A browser opens a new EventSource by a ticket, and cannot send the header.
	ticket := want[streamTicket](g, http.StatusCreated, "POST", "/api/v1/stream-tickets", "")
	l := g.listen(alertStream+"?last_event_id="+id(last-2)+"&ticket="+ticket.Ticket, "Authorization", "")
	for i := 1; i < 3; i++ {
		if a := l.alert(); a.ID != found("ana", i, lift.Warning, trained).Alert.AlertID {
			t.Errorf("resumed with %+v", a)
		}
	}
	// One that had seen everything misses nothing either.
	complete := g.listen(alertStream, "Last-Event-ID", id(last))
	g.append(found("ana", 9, lift.Warning, trained))
	for _, l := range []*listener{l, complete} {
		if a := l.alert(); a.ID != found("ana", 9, lift.Warning, trained).Alert.AlertID {
			t.Errorf("went on with %+v", a)
		}
	}
}

func TestAStreamThatCannotResumeBeginsAnew(t *testing.T) {
	g := open(t)
	g.append(found("ana", 1, lift.Warning, trained))
	for i, last := range []string{"99999999", "18446744073709551615", "nonsense", "-1"} {
		for _, path := range []string{alertStream, "/api/v1/live"} {
			l := g.listen(path, "Last-Event-ID", last)
			if m := l.next(); m.event != "reset" || m.id != id(g.view.Position()) {
				t.Errorf("%s after %s begins with %+v", path, last, m)
			}
			if path == alertStream {
				e := found("ana", i+2, lift.Warning, trained)
				g.append(e)
				if a := l.alert(); a.ID != e.Alert.AlertID {
					t.Errorf("after a reset: %+v", a)
				}
			}
			l.close()
		}
	}
	// The live feed does not reach back to before the server's start.
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	g.append(rep("ana", 1, trained), rep("ana", 2, trained))
	o := Options{
		View: g.view, Log: g.log, Clock: time.Now, Logger: g.server.log, Auth: g.server.auth,
		Decode: g.server.decode, Sets: g.server.sets, Weeks: g.server.weeks,
	}
	var err error
	if g.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	g.serve()
	if m := g.listen("/api/v1/live", "Last-Event-ID", id(g.view.Position()-1)).next(); m.event != "reset" {
		t.Errorf("got %+v", m)
	}
}

func TestALiveStreamTellsOfRepsSetsAndDevices(t *testing.T) {
	g := open(t)
	l := g.listen("/api/v1/live")
	north := g.listen("/api/v1/live?site=north")
	const burst = 40
	var reps []journal.Event
	for i := range burst {
		reps = append(reps, rep("ana", i, trained))
	}
	first := g.append(reps...) - burst + 1
	status := journal.Event{Kind: journal.KindStatus, Received: trained, Site: "north", Device: "bar-9", Status: &lift.DeviceStatus{State: lift.DeviceReady}}
	g.append(status)
	seen, sets, devices := 0, 0, 0
	var set liveSet
	for seen < burst || devices < 1 || set.Reps < burst {
		m := l.next()
		switch m.event {
		case "rep":
			var r lift.RepRecord
			if err := json.Unmarshal([]byte(m.data), &r); err != nil || r.ID != repID(reps[seen]) || m.id != id(first+uint64(seen)) {
				t.Fatalf("rep %d is %+v, %v", seen, m, err)
			}
			seen++
		case "set":
			if err := json.Unmarshal([]byte(m.data), &set); err != nil {
				t.Fatal(err)
			}
			sets++
		case "device":
			devices++
		default:
			t.Fatalf("got %+v", m)
		}
	}
	if sets > burst/4 {
		t.Errorf("%d sets were computed for %d reps", sets, burst)
	}
	listed := want[list[lift.Set]](g, 200, "GET", "/api/v1/athletes/ana/sets"+thatDay, "")
	whose := set
	whose.Set = lift.Set{}
	if diff := cmp.Diff(listed.Items, []lift.Set{set.Set}); diff != "" || whose.Athlete != "ana" || whose.Site != "main" {
		t.Errorf("- listed, + live: %s (%+v)", diff, whose)
	}
	if m := north.next(); m.event != "device" || !strings.Contains(m.data, `"device":"bar-9"`) {
		t.Errorf("another site's stream begins with %+v", m)
	}
	// It resumes from where it was.
	resumed := g.listen("/api/v1/live", "Last-Event-ID", id(first+burst-2))
	for m := resumed.next(); m.event != "rep"; m = resumed.next() {
		if m.event != "set" {
			t.Fatalf("resumed with %+v", m)
		}
	}
	if resumed.lastID != id(first+burst-1) {
		t.Errorf("resumed at %s, want %d", resumed.lastID, first+burst-1)
	}
}

// Whoever watches the room does not have to read through somebody's last ten years.
func TestALiveStreamTellsNothingOfOldTraining(t *testing.T) {
	g := open(t)
	l := g.listen("/api/v1/live")
	past := func(n int, change func(*lift.Rep)) journal.Event {
		e := rep("ana", n, trained.AddDate(0, 0, -7))
		e.Rep.BootID, e.Rep.Historical = "b0", true
		change(e.Rep)
		return e
	}
	backlog := past(0, func(*lift.Rep) {})
	imported := past(1, func(r *lift.Rep) { r.Source = lift.SourceImported })
	g.append(logged("ana", 1, trained), imported, backlog)
	if m := l.next(); m.event != "rep" || !strings.Contains(m.data, repID(backlog)) {
		t.Fatalf("got %+v, not the sensor's backlog", m)
	}
	live := rep("bo", 0, trained)
	g.append(live)
	if m := l.next(); m.event != "rep" || !strings.Contains(m.data, repID(live)) {
		t.Fatalf("got %+v, not the rep of now", m)
	}
	if m := l.next(); m.event != "set" || !strings.Contains(m.data, `"athlete":"bo"`) {
		t.Fatalf("got %+v, not the set of now", m)
	}
	// What is corrected is looked at.
	want[any](g, 200, "PATCH", "/api/v1/reps/"+repID(imported), `{"load_kg":90}`)
	for _, event := range []string{"rep", "set"} {
		if m := l.next(); m.event != event || !strings.Contains(m.data, `"load_kg":90`) {
			t.Fatalf("got %+v, not the %s that was corrected", m, event)
		}
	}
}

func TestALiveStreamTellsWhoIsOnABar(t *testing.T) {
	g := open(t)
	l := g.listen("/api/v1/live?site=main")
	assign := func(athlete lift.AthleteID, since time.Time) journal.Event {
		return journal.Event{Kind: journal.KindAssign, Received: trained, Site: "main", Device: "bar-9", Assign: &lift.Assignment{Athlete: athlete, Since: since, SinceGiven: true}}
	}
	g.append(assign("ana", trained))
	g.append(assign("bo", trained.Add(-time.Hour))) // late: ana is on it all the same
	for range 2 {
		m := l.next()
		var d device
		if err := json.Unmarshal([]byte(m.data), &d); err != nil || m.event != "device" || d.Device != "bar-9" || d.On.Athlete != "ana" || d.Status != nil {
			t.Errorf("got %+v, %v", m, err)
		}
	}
	listed := want[list[device]](g, 200, "GET", "/api/v1/devices?site=main", "")
	if n := len(listed.Items); n != 1 || listed.Items[0].On == nil || listed.Items[0].On.Athlete != "ana" {
		t.Errorf("listed %+v", listed.Items)
	}
}

func TestASilentStreamHasAHeartbeat(t *testing.T) {
	if heartbeat > 15*time.Second {
		t.Errorf("the contract wants one every 15 s at most, not %v", heartbeat)
	}
	g := open(t)
	g.server.streams.heartbeat = 20 * time.Millisecond
	for _, path := range []string{alertStream, "/api/v1/live"} {
		l := g.listen(path)
		for range 3 {
			if m, err := l.read(); err != nil || m.comment == "" {
				t.Errorf("%s: %+v, %v", path, m, err)
			}
		}
	}
	// A stream on which all is filtered out is silent too.
	l := g.listen(alertStream + "?athlete=nobody")
	g.append(found("ana", 1, lift.Warning, trained))
	if m, err := l.read(); err != nil || m.comment == "" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestASlowClientDelaysNobodyAndIsCutOff(t *testing.T) {
	g := open(t)
	g.server.streams.sendTimeout = 300 * time.Millisecond
	quick := g.listen(alertStream)
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", alertStream, testToken); err != nil {
		t.Fatal(err)
	}
	status, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
	if err != nil || !strings.Contains(status, "200") {
		t.Fatalf("%q, %v", status, err)
	}
	// From here on it takes nothing, while more is sent than sockets hold.
	const n, size = 400, 30_000
	for i := range n {
		e := found("ana", i, lift.Warning, trained)
		e.Alert.Finding.Message = strings.Repeat("x", size)
		g.append(e)
		began := time.Now()
		if a := quick.alert(); a.ID != e.Alert.AlertID {
			t.Fatalf("alert %d is %s", i, a.ID)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("a slow client delayed another by %v", took)
		}
	}
	deadline, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for gauge(t, g, "spotter_http_streams") != 1 {
		select {
		case <-deadline.Done():
			t.Fatal("the slow client is still held")
		case <-tick.C:
		}
	}
}

// gauge reads one of the server's own metrics, added up over its labels.
func gauge(t *testing.T, g *gym, name string) float64 {
	t.Helper()
	registry := newRegistry(g.server)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

func TestATicketOpensOneStreamOnce(t *testing.T) {
	now := clockAt(time.Now())
	g := open(t, func(o *Options) { o.Clock = now.time })
	create := func() string {
		return want[streamTicket](g, http.StatusCreated, "POST", "/api/v1/stream-tickets", "").Ticket
	}
	ask := func(path, ticket string) int {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", g.url+path+"?ticket="+ticket, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	ticket := create()
	if got := ask("/api/v1/alerts", ticket); got != http.StatusUnauthorized {
		t.Errorf("a list by ticket answers %d", got)
	}
	if first, again := ask(alertStream, ticket), ask(alertStream, ticket); first != http.StatusOK || again != http.StatusUnauthorized {
		t.Errorf("a stream answers %d, and again %d", first, again)
	}
	if got := ask("/api/v1/live", create()); got != http.StatusOK {
		t.Errorf("the live stream answers %d", got)
	}
	late := create()
	now.add(ticketLife)
	if got := ask(alertStream, late); got != http.StatusUnauthorized {
		t.Errorf("a ticket that is too old answers %d", got)
	}
}

func TestStoppingEndsStreamsAtOnce(t *testing.T) {
	g := open(t)
	l, live := g.listen(alertStream), g.listen("/api/v1/live")
	began := time.Now()
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > shutdownTimeout/2 {
		t.Errorf("stopping took %v", took)
	}
	for _, s := range []*listener{l, live} {
		if _, err := s.read(); !errors.Is(err, io.EOF) {
			t.Errorf("a stream ended with %v", err)
		}
	}
}
