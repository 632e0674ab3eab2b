package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/monitor"
	"github.com/spotterhq/spotter/internal/roster"
	"github.com/spotterhq/spotter/internal/view"
)

const patience = 20 * time.Second

// letters is a mail server that keeps what it is given.
type letters struct {
	mu   sync.Mutex
	all  []letter
	busy bool // says that it has no time
}

type letter struct {
	from string
	to   []string
	text string
}

func (l *letters) NewSession(*smtp.Conn) (smtp.Session, error) { return &writing{l: l}, nil }

type writing struct {
	l *letters
	letter
}

func (w *writing) Mail(from string, _ *smtp.MailOptions) error {
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	if w.l.busy {
		return &smtp.SMTPError{Code: 451, Message: "come back later"}
	}
	w.from = from
	return nil
}
func (w *writing) Rcpt(to string, _ *smtp.RcptOptions) error { w.to = append(w.to, to); return nil }
func (w *writing) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	w.text = string(text)
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	w.l.all = append(w.l.all, w.letter)
	return err
}
func (w *writing) Reset()        { w.letter = letter{} }
func (w *writing) Logout() error { return nil }

func (l *letters) got() []letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// postOffice starts a mail server on loopback and returns its address.
func postOffice(t *testing.T) (*letters, string) {
	t.Helper()
	l := &letters{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(l)
	server.Domain, server.ErrorLog = "localhost", silent()
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return l, listener.Addr().String()
}

// house is a notifier on a real log and view, with real senders.
type house struct {
	t    *testing.T
	dir  string
	log  *journal.Log
	view *view.View
	n    *Notifier
	stop func()

	mu        sync.Mutex
	published []string
	profiles  map[lift.AthleteID]lift.AthleteProfile
	logged    strings.Builder
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), profiles: map[lift.AthleteID]lift.AthleteProfile{}}
	var err error
	if h.log, err = journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.dir, "log"), Fsync: time.Second, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.log.Close)
	if h.view, err = view.Open(t.Context(), filepath.Join(h.dir, "view.db"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.view.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	var viewing sync.WaitGroup
	viewing.Go(func() { _ = h.view.Run(ctx, h.log) })
	t.Cleanup(func() {
		cancel()
		viewing.Wait()
	})
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *house) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.logged.Write(p)
}

func (h *house) start() {
	h.t.Helper()
	channels, err := OpenChannels(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	h.n, err = Open(h.t.Context(), Options{
		Path: filepath.Join(h.dir, "notify.db"), View: h.view, End: h.log.LastSeq, Channels: channels, Send: NewSender(time.Now),
		Logger: slog.New(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: time.Now, PublicURL: "https://spotter.example",
		Publish: func(_ context.Context, topic string, _ byte, payload []byte) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.published = append(h.published, topic+" "+string(payload))
			return nil
		},
		Profile: func(a lift.AthleteID) (lift.AthleteProfile, bool) { p, ok := h.profiles[a]; return p, ok },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.n.Run(ctx) })
	h.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := h.n.Close(); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) channel(c ChannelSettings) Channel {
	h.t.Helper()
	if c.Kind == "" {
		c.Kind = Coach
	}
	if c.Group.WaitS == nil {
		c.Group = Grouping{WaitS: new(0), IntervalS: new(0)}
	}
	made, err := h.n.Channels().Add(c, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return made
}

// find appends an alert to the log.
func (h *house) find(id string, s lift.Severity, athlete lift.AthleteID, message string) {
	h.t.Helper()
	now := time.Now().UTC()
	_, err := h.log.Append(h.t.Context(), journal.Event{
		Kind: journal.KindAlert, Received: now, Site: "main", Athlete: athlete,
		Alert: &lift.AlertChange{AlertID: id, Verb: lift.AlertFound, At: now, Finding: &lift.Finding{
			ID: id, Site: "main", Athlete: athlete, Rule: analysis.PainZone, Severity: s, Title: "Pain 6 of 10 – after the session", Message: message,
			Advice: "Rest.", Window: lift.Window{Kind: lift.WindowCheckIn, ID: id}, Source: lift.Citation{Kind: "literature", Citation: "Silbernagel 2007"},
			Evidence: lift.Evidence{Value: 6, Threshold: 5, Samples: 1, Confidence: "full"},
		}},
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) awaitSent(alert, channel string) {
	h.t.Helper()
	need.Eventually(h.t, patience, alert+" to be noted as sent", func() bool {
		all, err := h.n.Deliveries(h.t.Context(), alert)
		if err != nil {
			h.t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(d Delivery) bool { return d.Channel == channel && d.State == Sent })
	})
}

func TestAnAlertArrivesAsMail(t *testing.T) {
	h := openHouse(t)
	box, addr := postOffice(t)
	box.busy = true
	h.profiles["ana"] = lift.AthleteProfile{Name: "Åna\r\nBcc: spy@evil.example <b>", Site: "main"}
	c := h.channel(ChannelSettings{Name: "mail", Names: true, URL: "smtp://" + addr + "/?from=spotter@example.com&to=coach@example.com,second@example.com&starttls=no"})
	h.find("al_1", lift.Critical, "ana", "Pain rose to 6.\n.\r\nQUIT\r\nRCPT TO:<spy@evil.example>")
	need.Eventually(t, patience, "a refusal", func() bool {
		all, err := h.n.Deliveries(t.Context(), "al_1")
		return err == nil && slices.ContainsFunc(all, func(d Delivery) bool { return strings.Contains(d.Answer, "451") && d.State == Waiting })
	})
	box.mu.Lock()
	box.busy = false
	box.mu.Unlock()
	h.awaitSent("al_1", c.ID)
	got := box.got()
	if len(got) != 2 || got[0].from != "spotter@example.com" || got[0].to[0] != "coach@example.com" || got[1].to[0] != "second@example.com" {
		t.Fatalf("%+v", got)
	}
	for _, l := range got {
		m, err := mail.ReadMessage(strings.NewReader(l.text))
		if err != nil {
			t.Fatalf("%v in %q", err, l.text)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if want := "Critical, Åna Bcc: spy@evil.example <b>: Pain 6 of 10 – after the session"; err != nil || subject != want {
			t.Errorf("subject %q, %v", subject, err)
		}
		if m.Header.Get("Bcc") != "" || len(l.to) != 1 {
			t.Errorf("a name has become a header: %v, %v", m.Header, l.to)
		}
		body, _ := io.ReadAll(m.Body)
		want := "Pain rose to 6. . QUIT RCPT TO:<spy@evil.example>\r\nRest.\r\nSource: Silbernagel 2007\r\nhttps://spotter.example/?alert=al_1"
		if strings.TrimSpace(string(body)) != want {
			t.Errorf("body %q", body)
		}
	}
}

func TestAnAlertArrivesOnThePhone(t *testing.T) {
	h := openHouse(t)
	type push struct{ path, title, priority, body string }
	pushes := make(chan push, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		title, _ := new(mime.WordDecoder).DecodeHeader(r.Header.Get("Title"))
		pushes <- push{r.URL.Path, title, r.Header.Get("Priority"), string(body)}
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	h.channel(ChannelSettings{Name: "phone", URL: "ntfy://" + strings.TrimPrefix(server.URL, "http://") + "/topic?scheme=http"})
	h.find("al_1", lift.Urgent, "ana", "Numbness.")
	got := <-pushes
	if got.path != "/topic" || got.title != "URGENT, ana: Pain 6 of 10 – after the session" || got.priority != "Max" || !strings.HasPrefix(got.body, "Numbness.\nRest.\n") {
		t.Errorf("%+v", got)
	}
}

// hook is a webhook's receiver that drops what it has seen.
type hook struct {
	mu     sync.Mutex
	keys   map[string]int
	alerts map[string]int // by the messages that were new
}

func (k *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m Message
	if err := json.UnmarshalRead(r.Body, &m); err != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key := r.Header.Get(KeyHeader)
	if k.keys[key]++; k.keys[key] > 1 {
		return
	}
	for _, i := range m.Items {
		k.alerts[i.Alert.ID]++
	}
}

func (k *hook) seen() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.alerts)
}

// Promise 5 for channels: one that hangs and one that is not there hold up no other.
func TestAHangingChannelDelaysNoOther(t *testing.T) {
	h := openHouse(t)
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	good := &hook{keys: map[string]int{}, alerts: map[string]int{}}
	healthy := httptest.NewServer(good)
	defer healthy.Close()
	h.channel(ChannelSettings{Name: "hanging hook", Webhook: &Webhook{URL: hanging.URL}})
	h.channel(ChannelSettings{Name: "hanging phone", URL: "ntfy://" + strings.TrimPrefix(hanging.URL, "http://") + "/topic?scheme=http"})
	h.channel(ChannelSettings{Name: "gone", URL: "ntfy://127.0.0.1:1/topic?scheme=http"})
	h.channel(ChannelSettings{Name: "healthy", Webhook: &Webhook{URL: healthy.URL}})
	const count = 60
	began := time.Now()
	for i := range count {
		h.find(fmt.Sprintf("al_%d", i), lift.Critical, lift.AthleteID(fmt.Sprintf("a%d", i)), "Pain.")
	}
	need.Eventually(t, patience, "the healthy channel to have everything", func() bool { return good.seen() == count })
	t.Logf("%d alerts beside two channels that hang: %v", count, time.Since(began).Round(time.Millisecond))
	if h.n.Position() != h.log.LastSeq() {
		t.Errorf("decided up to %d of %d", h.n.Position(), h.log.LastSeq())
	}
}

// Nothing is lost over restarts, and a receiver that drops repeated keys has each once.
func TestARestartInTheMiddleLosesNothing(t *testing.T) {
	h := openHouse(t)
	good := &hook{keys: map[string]int{}, alerts: map[string]int{}}
	server := httptest.NewServer(good)
	defer server.Close()
	h.channel(ChannelSettings{Name: "hook", Webhook: &Webhook{URL: server.URL}})
	const count = 60
	for i := range count {
		h.find(fmt.Sprintf("al_%d", i), lift.Critical, lift.AthleteID(fmt.Sprintf("a%d", i)), "Pain.")
		if i%10 == 9 {
			h.stop()
			h.start()
		}
	}
	need.Eventually(t, patience, "all alerts", func() bool { return good.seen() == count })
	for id, n := range good.alerts {
		if n != 1 {
			t.Errorf("%s came %d times with different keys", id, n)
		}
	}
}

func TestOldHistoryTellsNobodyAndLostFeedsAreReadAgain(t *testing.T) {
	h := openHouse(t)
	h.stop()
	h.find("al_old", lift.Critical, "ana", "Pain.")
	if err := h.view.WaitFor(t.Context(), h.log.LastSeq()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"notify.db", "notify.db-wal", "notify.db-shm"} {
		if err := removeIfThere(filepath.Join(h.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	h.start()
	good := &hook{keys: map[string]int{}, alerts: map[string]int{}}
	server := httptest.NewServer(good)
	defer server.Close()
	c := h.channel(ChannelSettings{Name: "hook", Webhook: &Webhook{URL: server.URL}})
	h.find("al_new", lift.Critical, "ana", "Pain.")
	h.awaitSent("al_new", c.ID)
	if _, told := good.alerts["al_old"]; told {
		t.Error("what was there before was told")
	}

	// While the notifier is away more happens than the view's feed holds: the view
	// begins its feed where it is opened.
	h.stop()
	h.find("al_missed", lift.Critical, "ben", "Pain.")
	if err := h.view.WaitFor(t.Context(), h.log.LastSeq()); err != nil {
		t.Fatal(err)
	}
	h.view.Changes().Restart(h.log.LastSeq())
	h.start()
	h.awaitSent("al_missed", c.ID)
}

func TestAnAthleteIsExportedAndForgotten(t *testing.T) {
	h := openHouse(t)
	good := &hook{keys: map[string]int{}, alerts: map[string]int{}}
	server := httptest.NewServer(good)
	defer server.Close()
	c := h.channel(ChannelSettings{Name: "hook", Webhook: &Webhook{URL: server.URL}})
	h.channel(ChannelSettings{Name: "her phone", Kind: Athlete, Athlete: "ana", URL: "ntfy://127.0.0.1:1/secret-topic?scheme=http"})
	h.find("al_1", lift.Critical, "ana", "Pain.")
	h.find("al_2", lift.Critical, "ben", "Pain.")
	h.awaitSent("al_1", c.ID)
	h.awaitSent("al_2", c.ID)
	all, err := h.n.Export(t.Context(), "ana")
	if err != nil || len(all) < 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	dropped, channels, err := h.n.Forget(t.Context(), "ana")
	if err != nil || dropped < len(all) || channels != 1 {
		t.Errorf("dropped %d deliveries, %d channels, %v", dropped, channels, err)
	}
	if left, err := h.n.Export(t.Context(), "ana"); err != nil || len(left) != 0 {
		t.Errorf("left %+v, %v", left, err)
	}
	if left, err := h.n.Export(t.Context(), "ben"); err != nil || len(left) == 0 {
		t.Errorf("another's are gone: %v", err)
	}
	for _, table := range []string{"deliveries", "alerts", "tellings"} {
		var n int
		if err := h.n.store.read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table+" WHERE athlete = 'ana'").Scan(&n); err != nil || n != 0 {
			t.Errorf("%s still has %d rows, %v", table, n, err)
		}
	}
	if n, err := h.n.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil || n == 0 {
		t.Errorf("pruned %d, %v", n, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if text := h.logged.String(); strings.Contains(text, "secret-topic") || strings.Contains(text, "ana") {
		t.Errorf("the log names an address or a person:\n%s", text)
	}
}

// A monitor that has stopped stops the heartbeat, although ingest and delivery go on.
func TestAStoppedMonitorStopsTheHeartbeat(t *testing.T) {
	h := openHouse(t)
	base := analysis.Settings{Zone: time.UTC}
	m := monitor.New(monitor.Options{Log: h.log, View: h.view, Settings: roster.New(h.view, base).Settings, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	p := &Progress{
		End:       h.log.LastSeq,
		Followers: map[string]func() uint64{"the monitor": m.Position, "delivery": h.n.Position},
		Others:    h.n.Overdue,
	}
	minute := time.Now().UTC().Truncate(time.Minute)
	tick := func() uint64 {
		minute = minute.Add(time.Minute)
		acks, err := h.log.Append(t.Context(), journal.Event{Kind: journal.KindTick, Received: time.Now().UTC(), Minute: minute})
		if err != nil {
			t.Fatal(err)
		}
		return acks[0].Seq
	}
	for range 3 {
		seq := tick()
		need.Eventually(t, patience, "the followers", func() bool { return m.Position() >= seq && h.n.Position() >= seq })
		if stalls := p.Stalls(t.Context()); len(stalls) > 0 {
			t.Fatalf("all is well, but %v", stalls)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	seq := tick()
	need.Eventually(t, patience, "delivery", func() bool { return h.n.Position() >= seq })
	_ = p.Stalls(t.Context()) // the monitor had not seen this tick yet
	tick()
	if stalls := p.Stalls(t.Context()); !slices.Equal(stalls, []string{"the monitor makes no progress"}) {
		t.Errorf("stalls: %q", stalls)
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// TestAnAthleteIsRemindedOnce trains two hours ago and looks at what comes, twice.
func TestAnAthleteIsRemindedOnce(t *testing.T) {
	h := openHouse(t)
	h.stop()
	h.profiles["ana"] = lift.AthleteProfile{Site: "main", Reminders: true}
	h.profiles["ben"] = lift.AthleteProfile{Site: "main"}
	pushes := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		pushes <- r.Header.Get("Title") + "\n" + string(body)
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	h.start()
	for _, a := range []lift.AthleteID{"ana", "ben"} {
		h.channel(ChannelSettings{Name: string(a), Kind: Athlete, Athlete: a, URL: "ntfy://" + strings.TrimPrefix(server.URL, "http://") + "/topic?scheme=http"})
	}
	h.channel(ChannelSettings{Name: "coach", URL: "ntfy://" + strings.TrimPrefix(server.URL, "http://") + "/coach?scheme=http"})
	trained := time.Now().UTC().Add(-125 * time.Minute).Truncate(time.Millisecond)
	for i, a := range []lift.AthleteID{"ana", "ben"} {
		_, err := h.log.Append(t.Context(), journal.Event{
			Kind: journal.KindRep, Received: trained, Site: "main", Device: "bar-1", Athlete: a,
			Rep: &lift.Rep{BootID: "b1", Seq: int64(i), Time: trained, Athlete: a, Exercise: "deadlift", MeanVelocity: 0.5},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := h.view.WaitFor(t.Context(), h.log.LastSeq()); err != nil {
		t.Fatal(err)
	}
	h.n.o.CheckInLink = func(a lift.AthleteID) (string, error) { return "https://spotter.example/c/" + string(a), nil }
	for range 2 {
		if err := h.n.remind(t.Context(), time.Now().UTC()); err != nil {
			t.Fatal(err)
		}
		h.n.wakeWorkers()
	}
	got := <-pushes
	if want := "How was your session?\nYour report after the session of " + trained.Format(time.DateOnly); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\nhttps://spotter.example/c/ana") {
		t.Errorf("%q", got)
	}
	all, _, err := h.n.Log(t.Context(), Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	channels := map[string]int{}
	for _, d := range all {
		if d.Type != TypeReminder || d.Athlete != "ana" {
			t.Errorf("%+v", d)
		}
		channels[d.Channel]++
	}
	for channel, n := range channels {
		if n != 1 {
			t.Errorf("%s has %d", channel, n)
		}
	}
	select {
	case more := <-pushes:
		t.Errorf("another: %q", more)
	default:
	}
}
