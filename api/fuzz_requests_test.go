package api

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// forged is a request as it goes over the wire.
type forged struct {
	op       *described
	caller   *somebody
	method   string
	target   string
	headers  []string // "Name: value"
	body     []byte
	chunked  bool
	missing  int  // how many bytes of the body are never sent
	routed   bool // whether method and path are the operation's own
	readable bool // whether it is HTTP at all
}

func (f *forged) String() string {
	body := string(f.body)
	if len(body) > 600 {
		body = fmt.Sprintf("%s… (%d bytes)", body[:600], len(body))
	}
	target := f.target
	if len(target) > 500 {
		target = target[:500] + "…"
	}
	return fmt.Sprintf("%s %s as %s, headers %.300q, chunked %v, %d bytes missing, body %q", f.method, target, f.caller.name, f.headers, f.chunked, f.missing, body)
}

// bytes is what is sent.
func (f *forged) bytes(host string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", f.method, f.target, host)
	if f.caller.token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", f.caller.token)
	}
	for _, h := range f.headers {
		b.WriteString(h + "\r\n")
	}
	switch {
	case f.chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for part := range slices.Chunk(f.body, 7000) {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
		}
		b.WriteString("0\r\n\r\n")
		b.Truncate(b.Len() - min(f.missing, 5))
	case f.body != nil || f.missing > 0:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(f.body)+f.missing)
		b.Write(f.body)
	default:
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

var otherMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get"}

// request makes one for an operation.
func (f *forge) request(op *described, caller *somebody) *forged {
	q := &forged{op: op, caller: caller, method: op.method, routed: true, readable: true}
	spoilt := f.chance(0.6)
	q.target = f.path(op, q, spoilt) + f.query(op, spoilt)
	if spoilt && f.chance(0.03) {
		q.method = pick(f.r, otherMethods)
		if i := slices.IndexFunc(f.operations, func(o *described) bool { return o.method == q.method && o.path == op.path }); i >= 0 {
			q.op = f.operations[i]
		} else {
			q.routed = false
		}
	}
	f.head(q, spoilt)
	if op.body != nil {
		f.payload(q, op.body, spoilt)
	} else if f.chance(0.05) {
		q.body = []byte(`{"` + marker + `":1}`)
	}
	return q
}

func (f *forge) path(op *described, q *forged, spoilt bool) string {
	parts := strings.Split(op.path, "/")
	f.rule, f.about = "", nil
	for i, part := range parts {
		name, isParameter := strings.CutPrefix(part, "{")
		if !isParameter {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if f.about == nil {
			if known := f.items[parts[i-1]]; len(known) > 0 {
				f.about = pick(f.r, known)
			}
		}
		known := f.about[name]
		switch {
		case name == "token" || name == "rule":
			known = pick(f.r, append(f.words(name), marker))
		case known == "":
			known = cmp.Or(f.about["id"], f.about["name"], f.about["device"])
		}
		switch {
		case spoilt && f.chance(0.15):
			parts[i] = f.oddPart(q)
		case known != "" && f.chance(0.9):
			parts[i] = url.PathEscape(known)
		default:
			parts[i] = pick(f.r, []string{"nobody", "unknown", marker, "x" + strconv.FormatInt(f.r.Int64(), 36)})
		}
		if name == "rule" {
			f.rule = parts[i]
		}
	}
	return strings.Join(parts, "/")
}

// oddPart is a part of a path that no id is.
func (f *forge) oddPart(q *forged) string {
	odd := []string{
		"", ".", "..", "%2e%2e", "%2E%2E%2F%2E%2E%2Fetc", "%00", "ana%2Fx", "ana%00", "ANA", "ana%20", "%20ana", "%C3%A9", "%ff%fe", "\xff\xfe", "%F0%9F%98%80", "ana;x=1", "%7Bid%7D",
		"{id}", "-", "_x", "*", ":id", "%25", "%252e", "%3Cscript%3E" + marker, "%27%20OR%201=1--" + marker, strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 5000),
		"ana%0d%0aX-Injected:%201", "%E2%80%AE" + marker, "al_" + marker, "~", "ana,bo", "ana|bo", "$ana", "ana#x", "%zz", "%", "ana?x",
	}
	part := pick(f.r, odd)
	switch {
	case part == "%zz" || part == "%":
		q.readable = false
	case part == "" || strings.ContainsAny(part, "#?"):
		q.routed = false // the path is another one
	}
	return part
}

func (f *forge) query(op *described, spoilt bool) string {
	var pairs []string
	for _, p := range op.Parameters {
		if p.In != "query" || !p.Required && f.chance(0.55) {
			continue
		}
		var value string
		switch known := f.about[p.Name]; {
		case spoilt && f.chance(0.3):
			switch f.r.IntN(4) {
			case 0:
				value = pick(f.r, hostile)
			case 1:
				value = pick(f.r, oddTimes)
			case 2:
				value = pick(f.r, oddJSON)
			default:
				value = strings.Join(f.pool["cursor"], "")
			}
		case known != "" && f.chance(0.8):
			value = known
		default:
			value = f.plain(p.Schema, p.Name)
		}
		pairs = append(pairs, url.QueryEscape(p.Name)+"="+url.QueryEscape(value))
		if spoilt && f.chance(0.1) {
			pairs = append(pairs, url.QueryEscape(p.Name)+"="+url.QueryEscape(f.plain(p.Schema, p.Name)))
		}
	}
	if spoilt && f.chance(0.1) {
		pairs = append(pairs, pick(f.r, []string{
			marker + "=1", "limit", "limit=", "limit=1;cursor=2", "=x", "&&", "cursor=%zz", "limit=%00", "limit=1e3", "limit=0", "limit=501", "limit=-1", "limit=99999999999999999999",
			"cursor=" + marker, "site=%ff", "a[b]=c", "ticket=" + marker, strings.Repeat("a=b&", 2000), "from=9999-12-31T23:59:59Z", "to=0000-01-01T00:00:00Z",
		}))
	}
	if len(pairs) == 0 {
		return ""
	}
	return "?" + strings.Join(pairs, "&")
}

// plain is a value that the schema allows, as a query has it.
func (f *forge) plain(schema map[string]any, name string) string {
	n := f.value(schema, name, 0)
	if n.kind == '[' {
		var all []string
		for _, item := range n.items {
			all = append(all, unquoted(item.raw))
		}
		return strings.Join(all, ",")
	}
	return unquoted(n.raw)
}

func unquoted(raw string) string {
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return raw
	}
	return s
}

func (f *forge) head(q *forged, spoilt bool) {
	add := func(name string, values ...string) { q.headers = append(q.headers, name+": "+pick(f.r, values)) }
	for _, p := range q.op.Parameters {
		if p.In == "header" && f.chance(0.3) {
			add(p.Name, append([]string{`"0"`, `"1"`, `"2"`, `W/"1"`, "*", `"1", "2"`, ",", `"` + marker + `"`, "1", strings.Repeat(`"1",`, 20), strings.Repeat("a", 2000), "\xff"}, f.pool["etag"]...)...)
		}
	}
	if !spoilt {
		return
	}
	odd := map[string][]string{
		"Accept":            {"text/html", "application/xml;q=1", "*/*;q=0", marker, "application/json;q=NaN", "application/cbor"},
		"Accept-Encoding":   {"gzip", "identity;q=0"},
		"Cookie":            {sessionCookie + "=" + marker, "a=\"b", strings.Repeat("a=b; ", 500)},
		"Origin":            {"https://" + marker + ".example", "null"},
		"Sec-Fetch-Site":    {"cross-site", "same-origin", marker},
		"X-Forwarded-For":   {"127.0.0.1", marker},
		"X-Forwarded-Proto": {"https", marker},
		"Range":             {"bytes=0-1", "bytes=-1"},
		"Last-Event-Id":     {"0", "-1", "99999999999999999999", marker, "1"},
		"If-None-Match":     {"*", `"1"`},
		"Expect":            {"100-continue"},
		"Traceparent":       {marker},
	}
	for _, name := range sortedKeys(odd) {
		if f.chance(0.04) {
			add(name, odd[name]...)
		}
	}
}

func (f *forge) payload(q *forged, schema map[string]any, spoilt bool) {
	n := f.value(schema, "", 0)
	if known := bodies[q.op.OperationID]; known != nil && f.chance(0.3) {
		n = parse(jsontext.Value(known(pick(f.r, people))))
	}
	if spoilt && f.chance(0.6) {
		for range 1 + f.r.IntN(2) {
			f.spoil(n)
		}
	}
	var b strings.Builder
	n.write(&b)
	q.body = []byte(b.String())
	kind := "application/json"
	if spoilt {
		switch f.r.IntN(40) {
		case 0:
			kind = pick(f.r, []string{"text/plain", "", "application/json;", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16", marker, "application/cbor", "a/b/c"})
		case 1:
			q.body = nil
		case 2:
			q.missing = 1 + f.r.IntN(10)
		case 3:
			q.body = q.body[:len(q.body)/2]
		case 4:
			q.body = append(q.body, pick(f.r, []string{"{}", "x", "\x00", " ", "\n\n"})...)
		case 5:
			q.body = append([]byte("\ufeff"), q.body...)
		case 6:
			if f.chance(0.2) {
				q.body = []byte(`{"note":"` + strings.Repeat(marker, 1<<20/len(marker)+1) + `"}`)
			}
		case 7:
			q.body = []byte{}
		}
		q.chunked = f.chance(0.1) && q.body != nil
		if q.missing > 0 && q.chunked {
			q.missing = 5
		}
	}
	if kind != "" {
		q.headers = append(q.headers, "Content-Type: "+kind)
	}
}

// wire is one connection, kept for as long as the server keeps it.
type wire struct {
	host   string
	conn   net.Conn
	reader *bufio.Reader
}

// heard is an answer.
type heard struct {
	status int
	header http.Header
	body   []byte
}

const answerWithin = 30 * time.Second

// send sends a request and reads its answer; of a stream it reads the first event.
func (w *wire) send(q *forged) (*heard, error) {
	if w.conn == nil {
		conn, err := net.Dial("tcp", w.host)
		if err != nil {
			return nil, err
		}
		w.conn, w.reader = conn, bufio.NewReader(conn)
	}
	conn := w.conn
	if err := conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return nil, err
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = conn.Write(q.bytes(w.host)) // an answer may come before everything is sent
		if q.missing > 0 {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	keep := false
	defer func() {
		if !keep {
			_ = conn.Close()
			w.conn = nil
		}
		<-sent
	}()
	for {
		answer, err := http.ReadResponse(w.reader, &http.Request{Method: q.method})
		if err != nil {
			return nil, err
		}
		if answer.StatusCode < 200 {
			continue
		}
		h := &heard{status: answer.StatusCode, header: answer.Header}
		if answer.Header.Get("Content-Type") == streamType {
			h.body, err = firstEvent(answer.Body)
			return h, err
		}
		h.body, err = io.ReadAll(answer.Body)
		if err == nil && answer.Header.Get("Content-Encoding") == "gzip" {
			h.body, err = unpacked(h.body)
		}
		if !q.readable {
			return h, nil // the connection is closed before all is read
		}
		keep = err == nil && !answer.Close && q.missing == 0
		return h, err
	}
}

func unpacked(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return data, err
	}
	return io.ReadAll(r)
}

// firstEvent reads a stream up to its first blank line.
func firstEvent(stream io.Reader) ([]byte, error) {
	var read []byte
	for one := make([]byte, 1); !bytes.HasSuffix(read, []byte("\n\n")); {
		if _, err := io.ReadFull(stream, one); err != nil {
			return read, errors.Join(err, fmt.Errorf("after %q", read))
		}
		read = append(read, one...)
	}
	return read, nil
}
