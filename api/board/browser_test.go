package board_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/house/need"
)

// screenshotsVariable names the environment variable that holds the folder in which
// screenshots are kept; without it none are made.
const screenshotsVariable = "SPOTTER_TEST_SCREENSHOTS"

//go:embed testdata/axe.min.js
var axe string

// chrome is the one browser of all tests.
type chrome struct {
	ctx  context.Context
	stop []context.CancelFunc
	err  error
}

func (c *chrome) close() {
	for _, stop := range slices.Backward(c.stop) {
		stop()
	}
}

// browser starts Chromium once.
func browser(t testing.TB) context.Context {
	t.Helper()
	path := need.Chromium(t)
	shared.open.Do(func() {
		c := &shared.chrome
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
		ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
		c.stop = append(c.stop, stop)
		ctx, stop = chromedp.NewContext(ctx)
		c.stop = append(c.stop, stop)
		c.ctx, c.err = ctx, chromedp.Do(ctx)
	})
	if shared.chrome.err != nil {
		t.Fatalf("start Chromium: %v", shared.chrome.err)
	}
	return shared.chrome.ctx
}

// tab is a page of the board as somebody sees it, with cookies of its own. It ends
// with its test, and fails it for anything in the console, any answer of 400 or more
// and any request to another host, unless the test expects it.
type tab struct {
	t      testing.TB
	ctx    context.Context
	server *server

	mu       sync.Mutex
	faults   []string
	expected []*regexp.Regexp
	bytes    int64 // received since the page was visited last, but for streams
	streams  map[network.RequestID]bool
}

// visitor is who opens a tab, on what screen. The zero value is nobody signed in, on
// a desktop in light colours.
type visitor struct {
	token         string // signs in with it
	width, height int    // CSS pixels; 1280 × 800 where missing
	dark          bool
}

// admin is the administrator of a server that was started with serve.
var admin = visitor{token: adminToken}

// open opens a page of the server, such as "/wall", and waits until it is drawn.
func open(t testing.TB, s *server, path string, by visitor) *tab {
	t.Helper()
	b := &tab{t: t, server: s, streams: map[network.RequestID]bool{}}
	ctx, stop := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	b.ctx = ctx
	t.Cleanup(func() {
		stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, fault := range b.faults {
			if !slices.ContainsFunc(b.expected, func(r *regexp.Regexp) bool { return r.MatchString(fault) }) {
				t.Errorf("the browser says: %s", fault)
			}
		}
	})
	if by.width == 0 {
		by.width, by.height = 1280, 800
	}
	b.screen(by.width, by.height, by.dark)
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		// A tab behind another one is drawn too.
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	if by.token != "" {
		b.signIn(by.token)
	}
	b.visit(path)
	return b
}

// hear collects what goes wrong. It must not wait.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fault := func(format string, a ...any) { b.faults = append(b.faults, fmt.Sprintf(format, a...)) }
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var said []string
			for _, arg := range e.Args {
				said = append(said, string(arg.Value)+arg.Description)
			}
			fault("console %s: %s", e.Type, strings.Join(said, " "))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		fault("exception: %s", text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			fault("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.server.HTTP+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") && u != "about:blank" {
			fault("request to another host: %s", u)
		}
		if strings.Contains(e.Request.URL, "/api/v1/live") || strings.Contains(e.Request.URL, "/stream") {
			b.streams[e.RequestID] = true
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			fault("status %d: %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventDataReceived:
		if !b.streams[e.RequestID] {
			b.bytes += e.EncodedDataLength
		}
	}
}

// expect makes faults that match a regular expression part of the test.
func (b *tab) expect(pattern string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, regexp.MustCompile(pattern))
}

// do runs what chromedp can do; an element that is not there in time fails the test.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	// The tab lives as long as the context of its first action.
	if err := chromedp.Do(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.seen())
	}
}

// eval evaluates an expression in the page; a promise is awaited.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := tryEval[T](b, expression)
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func tryEval[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// seen is what the page says now and what went wrong, for messages of tests.
func (b *tab) seen() string {
	text, err := tryEval[string](b, "location.href + '\\n' + document.body.innerText")
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(append(b.faults, text, fmt.Sprint(err)), "\n")
}

// signIn signs in with a token, as the form of the board does.
func (b *tab) signIn(token string) {
	b.t.Helper()
	body, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := http.Post(b.server.HTTP+"/api/v1/session", "application/json", strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if len(answer.Cookies()) != 1 {
		b.t.Fatalf("signing in answers %s with %d cookies", answer.Status, len(answer.Cookies()))
	}
	cookie := answer.Cookies()[0]
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{
			Name: cookie.Name, Value: cookie.Value, URL: b.server.HTTP, HTTPOnly: new(true), SameSite: network.CookieSameSiteStrict,
		})
		return err
	}))
}

// visit loads a page of the board and waits until it is drawn.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.mu.Lock()
	b.bytes = 0
	b.mu.Unlock()
	b.do(chromedp.Navigate(b.server.HTTP + path))
	b.until("!!document.querySelector('main > *') && !document.querySelector('main > .loading')")
}

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	end := time.Now().Add(patience)
	for {
		// The document may just be exchanged: an error is a reason to ask again.
		holds, err := tryEval[bool](b, expression)
		switch {
		case err == nil && holds:
			return
		case time.Now().After(end) || b.ctx.Err() != nil:
			b.t.Fatalf("waited %v for %s (%v)\n%s", patience, expression, err, b.seen())
		}
		<-time.After(20 * time.Millisecond)
	}
}

// waitText waits until the page says it.
func (b *tab) waitText(text string) {
	b.t.Helper()
	b.until("document.body.innerText.includes(" + quoted(text) + ")")
}

// waitGone waits until the page no longer says it.
func (b *tab) waitGone(text string) {
	b.t.Helper()
	b.until("!document.body.innerText.includes(" + quoted(text) + ")")
}

// text is what the first element of a CSS selector says.
func (b *tab) text(selector string) string {
	b.t.Helper()
	b.until("!!document.querySelector(" + quoted(selector) + ")")
	return eval[string](b, "document.querySelector("+quoted(selector)+").innerText")
}

// click clicks the first element of a CSS selector with the mouse.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.untilInReach("document.querySelector(" + quoted(selector) + ")")
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// press clicks the button or link of this text with the mouse.
func (b *tab) press(text string) {
	b.t.Helper()
	at := "//*[self::button or self::a or self::summary][normalize-space(.)=" + xpath(text) + "]"
	b.untilInReach("document.evaluate(" + quoted(at) + ", document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue")
	b.do(chromedp.Click(chromedp.Search(at), chromedp.NodeVisible))
}

// untilInReach waits until a mouse would meet the element: nothing such as a dialog
// that is still open lies over it.
func (b *tab) untilInReach(find string) {
	b.t.Helper()
	b.until("(node => { if (!node) return false; node.scrollIntoView({ block: 'center', behavior: 'instant' }); " +
		"const r = node.getClientRects()[0]; if (!r) return false; " +
		"const met = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2); " +
		"return !!met && (node.contains(met) || met.contains(node) && !met.matches('html, body, dialog')) })(" + find + ")")
}

// enter replaces what is in the field with this label: typed, or chosen by its text
// where it is a selection.
func (b *tab) enter(label, value string) {
	b.t.Helper()
	at := "//label[contains(normalize-space(.)," + xpath(label) + ")]/descendant-or-self::*[self::input or self::select or self::textarea]" +
		"|//*[self::input or self::select or self::textarea][@aria-label=" + xpath(label) + "]"
	find := "document.evaluate(" + quoted(at) + ", document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue"
	b.until("!!" + find)
	isSelect := eval[bool](b, find+".tagName === 'SELECT'")
	if isSelect {
		b.until("(node => { const o = [...node.options].find(o => o.text === " + quoted(value) + "); if (o) { node.value = o.value; " +
			"node.dispatchEvent(new Event('input', { bubbles: true })); node.dispatchEvent(new Event('change', { bubbles: true })) } return !!o })(" + find + ")")
		return
	}
	eval[bool](b, "("+find+".focus(), "+find+".select?.(), true)")
	b.do(chromedp.KeyEvent(value))
}

// screen sets the size and the colours of the screen. Below 600 pixels it is a phone.
func (b *tab) screen(width, height int, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	var options []chromedp.EmulateViewportOption
	if width < 600 {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	b.do(chromedp.EmulateViewport(int64(width), int64(height), options...), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// screenshot keeps what is on the screen as NAME.png, where screenshots are wanted.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv(screenshotsVariable)
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644))
	}
	if err != nil {
		b.t.Errorf("screenshot %s: %v", name, err)
	}
}

// inspect looks at the page on a phone, a desktop and a 4K screen, in light and dark:
// it must not scroll sideways, axe must find nothing serious, and screenshots are kept.
// The screen is a desktop in light colours afterwards.
func (b *tab) inspect(name string) {
	b.t.Helper()
	for _, size := range [][2]int{{360, 740}, {3840, 2160}, {1280, 800}} {
		for _, dark := range []bool{true, false} {
			b.screen(size[0], size[1], dark)
			eval[bool](b, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
			scheme := map[bool]string{true: "dark", false: "light"}[dark]
			b.screenshot(fmt.Sprintf("%s-%d-%s", name, size[0], scheme))
			if over := eval[int](b, "document.scrollingElement.scrollWidth - innerWidth"); over > 0 {
				b.t.Errorf("%s is %d pixels too wide at %d: %s", name, over, size[0], eval[string](b, tooWide))
			}
			// The sizes share their colours, so dark is looked at once.
			if !dark && size[0] != 3840 || dark && size[0] == 1280 {
				b.checkAccess(fmt.Sprintf("%s at %d in %s", name, size[0], scheme))
			}
		}
	}
}

// tooWide names what reaches beyond the right edge.
const tooWide = `[...document.body.querySelectorAll('*')].filter(n => n.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)
	.map(n => n.tagName.toLowerCase() + '.' + n.getAttribute('class')).join(', ')`

// checkAccess fails the test for each serious or critical finding of axe.
func (b *tab) checkAccess(what string) {
	b.t.Helper()
	if !eval[bool](b, "!!window.axe") {
		eval[bool](b, axe+"\n;true")
	}
	findings := eval[[]string](b, `axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations
		.filter(v => v.impact === 'serious' || v.impact === 'critical')
		.map(v => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' ' + (n.any[0]?.message || '')).join(' | ')))`)
	for _, finding := range findings {
		b.t.Errorf("%s: axe: %s", what, finding)
	}
}

// received is how many bytes of bodies the page has loaded since it was visited, but
// for streams.
func (b *tab) received() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// path is the address that the tab shows now, with its query.
func (b *tab) path() string {
	b.t.Helper()
	u, err := url.Parse(eval[string](b, "location.href"))
	if err != nil {
		b.t.Fatal(err)
	}
	return u.RequestURI()
}

// quoted is text as a literal of JavaScript.
func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err) // of a string
	}
	return string(data)
}

// xpath is text as an expression of XPath, which knows no escapes.
func xpath(text string) string {
	return "concat('" + strings.ReplaceAll(text, "'", `',"'",'`) + "','')"
}
