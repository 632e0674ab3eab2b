package journal

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Accounts of the embedded server. Sensors and the log live in different ones, so
// that nothing a sensor publishes can reach the log's subjects.
const (
	logAccount  = "LOG"
	mqttAccount = "MQTT"
	logUser     = "log"
	ingestUser  = "ingest"
)

// Login is what an MQTT client says of itself. nats-server does not tell its client
// id; that of ingest is therefore not to be guessed, because whoever connects with
// it takes its session over.
type Login struct{ Username, Password string }

// Rights are the MQTT topics that a client may publish and subscribe to, with + for
// one level and # for all that follow.
type Rights struct{ Publish, Subscribe []string }

// Anybody are the rights to every topic but the server's own.
func Anybody() Rights { return Rights{[]string{"#"}, []string{"#"}} }

// Gate decides who may connect to the embedded broker, and what they may do there.
// A nil Gate lets in anybody.
type Gate func(Login) (Rights, bool)

// BrokerOptions describe the embedded MQTT broker.
type BrokerOptions struct {
	Addr string // host:port, port 0 picks a free one
	Gate Gate
	TLS  *tls.Config // nil: in the clear
}

// Server is the embedded nats-server: the log's home and, where asked for, the
// MQTT broker. Nobody but ingest can connect to the broker until Open is called.
type Server struct {
	nats   *server.Server
	opts   *server.Options
	secret string // of the log's and ingest's own connections, new at each start
	gate   Gate
	open   atomic.Bool
}

// serverOptions are what New needs to know to run a server in this process.
type serverOptions struct {
	dir    string
	fsync  time.Duration // 0: with every write
	broker *BrokerOptions
	logger *slog.Logger
}

// accountsConfig has no options of its own in nats-server's API.
const accountsConfig = `accounts { ` + logAccount + ` { jetstream: enabled }, ` + mqttAccount + ` { jetstream: enabled } }`

func startServer(o serverOptions) (*Server, error) {
	opts := &server.Options{}
	if err := opts.ProcessConfigString(accountsConfig); err != nil {
		return nil, fmt.Errorf("configure nats-server: %w", err)
	}
	opts.ServerName = "spotter"
	opts.DontListen = true
	opts.NoSigs = true
	opts.JetStream = true
	opts.StoreDir = o.dir
	opts.JetStreamMaxMemory = 64 << 20
	opts.JetStreamMaxStore = 1 << 50 // the disk's own limit is watched by readiness, not here
	opts.MaxPayload = 8 << 20
	opts.SyncAlways = o.fsync == 0
	if o.fsync > 0 {
		opts.SyncInterval = o.fsync
	}
	s := &Server{secret: rand.Text(), opts: opts}
	opts.CustomClientAuthentication = s
	if o.broker != nil {
		host, port, err := splitAddr(o.broker.Addr)
		if err != nil {
			return nil, fmt.Errorf("mqtt address: %w", err)
		}
		if port == 0 {
			port = server.RANDOM_PORT
		}
		s.gate = o.broker.Gate
		opts.MQTT.Host, opts.MQTT.Port = host, port
		opts.MQTT.AckWait = 5 * time.Second
		opts.MQTT.MaxAckPending = BrokerWindow
		opts.MQTT.TLSConfig, opts.MQTT.TLSTimeout = o.broker.TLS, handshakeTimeout.Seconds()
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("create nats-server: %w", err)
	}
	s.nats = srv
	srv.SetLoggerV2(&serverLogger{o.logger}, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(time.Minute) {
		srv.Shutdown()
		return nil, fmt.Errorf("start nats-server in %s: not ready after a minute (is another spotter using the folder, or the port %s?)", o.dir, brokerAddr(o.broker))
	}
	return s, nil
}

// handshakeTimeout is how long a client may take to begin TLS: a sensor's processor
// is slow.
const handshakeTimeout = 10 * time.Second

// BrokerWindow is how many messages the embedded broker has under way to one
// subscription before it waits for acknowledgements.
const BrokerWindow = 16384

func brokerAddr(b *BrokerOptions) string {
	if b == nil {
		return "none"
	}
	return b.Addr
}

func splitAddr(addr string) (string, int, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("%q is not a port", portText)
	}
	return host, port, nil
}

// MQTTURL is where the embedded broker listens, "" without one.
func (s *Server) MQTTURL() string {
	if s.opts.MQTT.Port == 0 {
		return ""
	}
	host := s.opts.MQTT.Host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "tcp://"
	if s.opts.MQTT.TLSConfig != nil {
		scheme = "ssl://"
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(s.opts.MQTT.Port))
}

// IngestLogin is the credential with which ingest connects to the embedded broker.
func (s *Server) IngestLogin() (username, password string) { return ingestUser, s.secret }

// Open lets everybody in whom the gate lets in. Before, a sensor's message could
// be acknowledged and dropped, because nobody had subscribed yet.
func (s *Server) Open() { s.open.Store(true) }

// forbidden are the server's own subjects, through which streams could be deleted.
var forbidden = []string{"$JS.>", "$SYS.>", "$NRG.>", "$KV.>", "$O.>"}

// mqttInternal are the broker's own: the server keeps MQTT clients from subscribing
// to them by itself, and needs them for its deliveries.
const mqttInternal = "$MQTT.>"

// nothing is a subject that is never used, and forbidden as well.
const nothing = "$SYS.nothing"

func (r Rights) permissions() *server.Permissions {
	subjects := func(topics []string, deny ...string) *server.SubjectPermission {
		// Without any subject nats-server would allow all of them.
		p := &server.SubjectPermission{Allow: []string{nothing}, Deny: append(deny, forbidden...)}
		for _, t := range topics {
			p.Allow = append(p.Allow, strings.NewReplacer("/", ".", "+", "*", "#", ">").Replace(t))
		}
		return p
	}
	return &server.Permissions{Publish: subjects(r.Publish, mqttInternal), Subscribe: subjects(r.Subscribe)}
}

// Check implements nats-server's authentication.
func (s *Server) Check(c server.ClientAuthentication) bool {
	login := c.GetOpts()
	user := &server.User{Username: login.Username}
	account := mqttAccount
	switch own := login.Password == s.secret; {
	case own && login.Username == logUser:
		account = logAccount
	case own && login.Username == ingestUser:
		user.Permissions = Anybody().permissions()
	case s.open.Load():
		rights, ok := Anybody(), true
		if s.gate != nil {
			rights, ok = s.gate(Login{login.Username, login.Password})
		}
		if !ok {
			return false
		}
		user.Permissions = rights.permissions()
	default:
		return false
	}
	a, err := s.nats.LookupAccount(account)
	if err != nil {
		return false
	}
	user.Account = a
	c.RegisterUser(user)
	return true
}

// Stop ends the server after its connections have been closed and its state is
// on disk.
func (s *Server) Stop() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

// serverLogger hands nats-server's notices to ours; what it calls a notice is
// routine. What a client has sent is left out of them.
type serverLogger struct{ log *slog.Logger }

func (l *serverLogger) Noticef(format string, v ...any) { l.log.Debug(anonymous(format, v...)) }
func (l *serverLogger) Warnf(format string, v ...any)   { l.log.Warn(anonymous(format, v...)) }
func (l *serverLogger) Fatalf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
func (l *serverLogger) Errorf(format string, v ...any)  { l.log.Warn(anonymous(format, v...)) }
func (l *serverLogger) Debugf(string, ...any)           {}
func (l *serverLogger) Tracef(string, ...any)           {}

var (
	quotedText  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|SID \S+`) // the id of a subscription is its topic
	deviceTopic = regexp.MustCompile(`^"spotter\.v1\.[a-z0-9_-]{1,64}\.device\.[a-z0-9_-]{1,64}\.[a-z]{1,20}"$`)
)

// anonymous is a notice in which of what it quotes, which is what clients have sent,
// only the topics of devices are left.
func anonymous(format string, v ...any) string {
	return quotedText.ReplaceAllStringFunc(fmt.Sprintf(format, v...), func(text string) string {
		if deviceTopic.MatchString(text) {
			return text
		}
		return `"…"`
	})
}
