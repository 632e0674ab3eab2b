package mqtt

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

func openLog(t *testing.T, dir, addr string, gate journal.Gate) *journal.Log {
	t.Helper()
	l, err := journal.Open(t.Context(), journal.Options{
		Dir: dir, Broker: &journal.BrokerOptions{Addr: addr, Gate: gate}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// embedded starts the line on a log that is the broker too.
func embedded(t *testing.T) (*running, *journal.Log) {
	t.Helper()
	l := openLog(t, t.TempDir(), "127.0.0.1:0", nil)
	t.Cleanup(l.Close)
	r := startLine(t, ingestOptions(l), l)
	r.awaitSubscription(t)
	l.Server().Open()
	return r, l
}

func ingestOptions(l *journal.Log) Options {
	user, password := l.Server().IngestLogin()
	return Options{URL: l.Server().MQTTURL(), Username: user, Password: password, Window: journal.BrokerWindow}
}

func TestWhateverASensorSendsReachesTheLog(t *testing.T) {
	r, l := embedded(t)
	log := follow(t, l)
	const status = "spotter/v1/main/device/bar-1/status"
	var wire net.Conn
	o := clientOptions(l.Server().MQTTURL(), "bar-1").SetWill(status, `{"state":"lost"}`, 1, true).
		SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (_ net.Conn, err error) {
			wire, err = net.Dial("tcp", u.Host)
			return wire, err
		})
	c := connect(t, o)
	publish(t, c, status, true, `{"state":"ready"}`)
	publish(t, c, repTopic("bar-1"), false, rep(1))
	publish(t, c, repTopic("bar-1"), false, "["+rep(2)+","+rep(3)+",7]")
	publish(t, c, "spotter/v1/main/device/bar-1/assign", true, `{"athlete":"ana"}`)
	publish(t, c, "spotter/v1/main/athlete/ana/checkin", false, `{"time":"2025-01-01T00:00:00Z","phase":"daily","pain":2}`)
	publish(t, c, "spotter/v1/main/device/bar-1/samples", false, `{"boot_id":"b","chunk":0,"time":"2025-01-01T00:00:00Z","rate_hz":100,"velocity_mps":[0.1]}`)
	publish(t, c, repTopic("bar-1"), false, strings.Repeat("x", 5<<20))
	want := map[journal.Kind]int{
		journal.KindStatus: 1, journal.KindRep: 3, journal.KindAssign: 1, journal.KindCheckIn: 1,
		journal.KindSamples: 1, journal.KindQuarantined: 2,
	}
	eventually(t, "every message is in the log", func() bool {
		got := log.kinds()
		for kind, n := range want {
			if got[kind] < n {
				return false
			}
		}
		return true
	})
	for _, e := range log.all() {
		if q := e.Quarantined; q != nil && q.Index == nil && (q.Size != 5<<20 || len(q.Bytes) != lift.MaxQuarantinedBytes) {
			t.Errorf("of the 5 MB %d bytes are kept, size %d", len(q.Bytes), q.Size)
		}
	}

	wire.Close() // the sensor dies without a word
	eventually(t, "the last will is in the log", func() bool {
		for _, e := range log.all() {
			if e.Status != nil && e.Status.State == lift.DeviceLost {
				return true
			}
		}
		return false
	})
	if !r.Connected() || r.Reconnects() != 0 {
		t.Errorf("connected %v, %d reconnects", r.Connected(), r.Reconnects())
	}
	requireCanceled(t, r)
}

func TestTwentySensorsHammerThePortFromBeforeTheFirstStart(t *testing.T) {
	addr := freePort(t)
	s := hammer(t, "tcp://"+addr, 20)
	l := openLog(t, t.TempDir(), addr, nil)
	t.Cleanup(l.Close)
	log := follow(t, l)
	r := startLine(t, ingestOptions(l), l)
	r.awaitSubscription(t)
	if early := s.acknowledged(); len(early) != 0 {
		t.Fatalf("%d reps acknowledged before ingest was subscribed", len(early))
	}
	l.Server().Open()
	s.more(t, 400)
	s.stop()
	requireAll(t, log, s.acknowledged())
}

func TestNothingAcknowledgedIsLostWhenTheServerStopsInMidStream(t *testing.T) {
	dir, addr := t.TempDir(), freePort(t)
	s := hammer(t, "tcp://"+addr, 4)
	for range 2 {
		l := openLog(t, dir, addr, nil)
		r := startLine(t, ingestOptions(l), l)
		r.awaitSubscription(t)
		l.Server().Open()
		s.more(t, 100)
		l.Close() // before the source: the connection is cut, nobody says good-bye
		_ = r.stop()
	}
	s.stop()
	l := openLog(t, dir, addr, nil)
	t.Cleanup(l.Close)
	log := follow(t, l)
	startLine(t, ingestOptions(l), l)
	requireAll(t, log, s.acknowledged())
}

func TestWhatWasNotAcknowledgedComesAgainAfterAReconnect(t *testing.T) {
	l := openLog(t, t.TempDir(), "127.0.0.1:0", nil)
	t.Cleanup(l.Close)
	first := make(chan ingest.Delivery, 10)
	r := start(t, ingestOptions(l), func(_ context.Context, d ingest.Delivery) error { first <- d; return nil })
	r.awaitSubscription(t)
	l.Server().Open()
	c := connect(t, clientOptions(l.Server().MQTTURL(), "bar-1"))
	publish(t, c, repTopic("bar-1"), false, rep(1))
	select {
	case <-first:
	case <-time.After(patience):
		t.Fatal("the rep does not come at all")
	}
	requireCanceled(t, r) // without an acknowledgement
	log := new(memory)
	startLine(t, ingestOptions(l), log)
	requireAll(t, log, []string{"bar-1 1"})
}

func TestAnOutsiderCannotReachTheLogOrTheBrokersOwnStreams(t *testing.T) {
	_, l := embedded(t)
	log := follow(t, l)
	at := l.Server().MQTTURL()
	c := connect(t, clientOptions(at, "outsider"))
	var mu sync.Mutex
	var heard []string
	for _, filter := range []string{"#", "$MQTT/#", "$MQTT/sess/#", "$SYS/#", "$JS/#", "SPOTTERLOG/#"} {
		// What is refused is refused here, or never delivered.
		_ = wait(t.Context(), c.Subscribe(filter, 0, func(_ paho.Client, m paho.Message) {
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, m.Topic())
		}))
	}
	for _, topic := range []string{
		"$JS/API/STREAM/DELETE/$MQTT_msgs", "$JS/API/STREAM/PURGE/$MQTT_msgs", "$JS/API/STREAM/DELETE/$MQTT_sess",
		"$JS/API/STREAM/DELETE/SPOTTER", "$JS/API/STREAM/PURGE/SPOTTER",
		"SPOTTERLOG/event/x/rep", "$MQTT/msgs/spotter/v1/main/device/bar-1/rep", "$KV/SPOTTER_POSITIONS/view", "$SYS/REQ/SERVER/PING",
	} {
		for qos := range byte(2) {
			if err := wait(t.Context(), c.Publish(topic, qos, false, rep(666))); err != nil {
				t.Fatalf("publish to %s: %v", topic, err)
			}
		}
	}
	// A session that begins now is stored under the broker's own subjects.
	connect(t, clientOptions(at, "secret-client-id").SetCleanSession(false))
	bar := connect(t, clientOptions(at, "bar-1"))
	publish(t, bar, repTopic("bar-1"), false, rep(1))
	requireAll(t, log, []string{"bar-1 1"})
	publish(t, c, repTopic("bar-1"), false, rep(2)) // the outsider's last word, behind all others
	requireAll(t, log, []string{"bar-1 2"})
	if got := log.all(); len(got) != 2 {
		t.Errorf("the log has %d events, want the two reps: %+v", len(got), got)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, topic := range heard {
		if strings.HasPrefix(topic, "$") && !strings.HasPrefix(topic, "$MQTT/sub/") {
			t.Errorf("the outsider heard %s", topic)
		}
	}
}

func TestWhoTheGateRefusesIsNotLetIn(t *testing.T) {
	l := openLog(t, t.TempDir(), "127.0.0.1:0", func(login journal.Login) (journal.Rights, bool) {
		return journal.Anybody(), login == journal.Login{Username: "bar-1", Password: "right"}
	})
	t.Cleanup(l.Close)
	at := l.Server().MQTTURL()
	try := func(user, password string) error {
		c := paho.NewClient(clientOptions(at, "c").SetUsername(user).SetPassword(password))
		defer c.Disconnect(10)
		return wait(t.Context(), c.Connect())
	}
	if try("bar-1", "right") == nil {
		t.Error("a sensor is let in before ingest is subscribed")
	}
	l.Server().Open()
	if err := try("bar-1", "right"); err != nil {
		t.Errorf("the sensor is refused: %v", err)
	}
	for _, c := range []struct{ user, password, why string }{
		{"bar-1", "wrong", "wrong password"},
		{"", "", "anonymous"},
		{"ingest", "", "ingest without its secret"},
		{"ingest", "right", "ingest with another's password"},
		{"log", "", "the log without its secret"},
	} {
		if try(c.user, c.password) == nil {
			t.Errorf("%s is let in", c.why)
		}
	}

	o := ingestOptions(l)
	o.Password = "wrong"
	r := start(t, o, nil)
	eventually(t, "the source says that it is not let in", func() bool { return r.log.has("no connection to the broker") || r.log.has("does not accept") })
	requireCanceled(t, r)
}
