package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// answer is what an operation with one answer returns.
type answer[T any] struct {
	Status int
	Body   T
}

// list is a page of a list.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitzero" doc:"the cursor of the next page; absent at the end"`
}

// The parameters that operations share are embedded in their inputs. Their types
// are exported because huma passes over embedded types that are not.

// IDPath is the id in an operation's path.
type IDPath struct {
	ID string `path:"id" pattern:"^[a-z0-9][a-z0-9_-]{0,63}$"`
}

// Paging is what every list takes.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"how many items at most"`
	Cursor string `query:"cursor" maxLength:"500" doc:"next of the page before"`
}

func (p Paging) page() view.Page { return view.Page{Limit: p.Limit, Cursor: p.Cursor} }

// add registers an operation for those whom the permit names.
func add[I, O any](s *Server, op huma.Operation, p permit, do func(context.Context, *I) (*O, error)) {
	p.describe(&op)
	if len(op.Security) > 0 {
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests)
	}
	if op.Method == http.MethodPost || op.Method == http.MethodPatch || op.Method == http.MethodPut {
		op.Errors = append(op.Errors, http.StatusBadRequest)
	}
	if op.Method != http.MethodGet && len(op.Security) > 0 {
		op.Errors = append(op.Errors, http.StatusGone)
	}
	if op.Method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusForbidden) // to another site's page, if to nobody else
	}
	if hasBody[I]() {
		op.Errors = append(op.Errors, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	op.Errors = append(op.Errors, http.StatusServiceUnavailable)
	slices.Sort(op.Errors)
	op.Errors = slices.Compact(op.Errors)
	op.MaxBodyBytes = cmp.Or(op.MaxBodyBytes, maxBody) + 1 // huma refuses at its limit, not above
	op.BodyReadTimeout = bodyTimeout
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, s.answerable(ctx, op.OperationID, err)
		}
		return out, nil
	})
}

// hasBody reports whether an operation's input has one.
func hasBody[I any]() bool {
	in := reflect.TypeFor[I]()
	_, typed := in.FieldByName("Body")
	_, raw := in.FieldByName("RawBody")
	return typed || raw
}

// also describes a further status with the operation's usual body.
func (s *Server) also(path, method string, statuses map[int]string) {
	op := operation(s.api.OpenAPI().Paths[path], method)
	for status, means := range statuses {
		usual := op.Responses[strconv.Itoa(op.DefaultStatus)]
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: means, Content: usual.Content}
	}
}

// bodyOf describes a JSON body that the operation reads itself.
func (s *Server) bodyOf(path, method, name string, t reflect.Type) {
	body := operation(s.api.OpenAPI().Paths[path], method).RequestBody
	body.Content["application/json"].Schema = s.api.OpenAPI().Components.Schemas.Schema(t, true, name)
}

// sorted are the keys of a set, in order.
func sorted[K cmp.Ordered](set map[K]bool) []K { return slices.Sorted(maps.Keys(set)) }

func operation(item *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodPost:
		return item.Post
	case http.MethodPatch:
		return item.Patch
	case http.MethodPut:
		return item.Put
	case http.MethodDelete:
		return item.Delete
	}
	return item.Get
}

// errLog says that the log refused an append.
var errLog = errors.New("append")

// write appends the events and waits for the view. It reports whether the view
// has applied them. A client that goes away does not stop a write.
func (s *Server) write(ctx context.Context, events ...journal.Event) (applied bool, err error) {
	ctx = context.WithoutCancel(ctx)
	for i := range events {
		events[i].By = who(ctx).Name
	}
	appending, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	acks, err := s.events.Append(appending, events...)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errLog, err)
	}
	var last uint64
	for i, a := range acks {
		if events[i].Kind != journal.KindSamples { // their sequences are of another stream
			last = max(last, a.Seq)
		}
	}
	waiting, stop := context.WithTimeout(ctx, applyTimeout)
	defer stop()
	return s.view.WaitFor(waiting, last) == nil, nil
}

func statusOf(applied bool, done int) int {
	if applied {
		return done
	}
	return http.StatusAccepted
}

// place is where a page ended in a list ordered by time and id.
type place struct {
	at time.Time
	id string
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.at.UnixNano(), 10) + " " + p.id))
}

func parsePlace(cursor string) (place, error) {
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return place{}, view.ErrCursor
	}
	text, id, ok := strings.Cut(string(data), " ")
	ns, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return place{}, view.ErrCursor
	}
	return place{time.Unix(0, ns).UTC(), id}, nil
}

func (p place) compare(q place) int {
	return cmp.Or(p.at.Compare(q.at), strings.Compare(p.id, q.id))
}

// pageOf cuts a page out of a list that is computed for stretches of time. load
// returns the items whose place is within [from, to), in the order of their
// places; there are none before next, which tells where the next thing is, and zero
// where there is nothing any more.
func pageOf[T any](from, to time.Time, step time.Duration, p Paging, placeOf func(*T) place,
	next func(from time.Time) (time.Time, error), load func(from, to time.Time) ([]T, error),
) (list[T], error) {
	page := list[T]{Items: []T{}}
	var after place
	if p.Cursor != "" {
		var err error
		if after, err = parsePlace(p.Cursor); err != nil {
			return page, err
		}
		if after.at.After(from) {
			from = after.at
		}
	}
	for ; from.Before(to); from = from.Add(step) {
		begins, err := next(from)
		if err != nil || begins.IsZero() {
			return page, err
		}
		if begins.After(from) {
			from = begins
		}
		end := from.Add(step)
		if end.After(to) {
			end = to
		}
		items, err := load(from, end)
		if err != nil {
			return page, err
		}
		for i := range items {
			if p.Cursor != "" && placeOf(&items[i]).compare(after) <= 0 {
				continue
			}
			if len(page.Items) == p.Limit {
				page.Next = placeOf(&page.Items[p.Limit-1]).String()
				return page, nil
			}
			page.Items = append(page.Items, items[i])
		}
	}
	return page, nil
}

// Span is the stretch of time that a history is asked for.
type Span struct {
	From time.Time `query:"from" doc:"from this time on, RFC 3339; by default 8 weeks before to"`
	To   time.Time `query:"to" doc:"before this time, RFC 3339; by default now"`
}

const defaultSpan = 8 * 7 * 24 * time.Hour

// bounds fills in what was not given, and keeps to times that events can have.
func (h Span) bounds(now time.Time) (from, to time.Time, err error) {
	from, to = h.From, h.To
	latest := now.Add(lift.MaxFuture + time.Second)
	if to.IsZero() || to.After(latest) {
		to = latest
	}
	if to.Before(lift.Earliest) {
		to = lift.Earliest
	}
	if from.IsZero() {
		from = to.Add(-defaultSpan)
	}
	if from.Before(lift.Earliest) {
		from = lift.Earliest
	}
	if !h.To.IsZero() && !h.From.IsZero() && !h.From.Before(h.To) {
		return from, to, at(http.StatusUnprocessableEntity, "query.from", "is not before to")
	}
	return from.UTC(), to.UTC(), nil
}

// cut returns a page of a list that is at hand, from the item after the cursor's.
func cut[T any](all []T, p Paging, key func(*T) string) (list[T], error) {
	page := list[T]{Items: []T{}}
	from := 0
	if p.Cursor != "" {
		after, err := parsePlace(p.Cursor)
		if err != nil {
			return page, err
		}
		for from < len(all) && key(&all[from]) != after.id {
			from++
		}
		if from == len(all) {
			return page, view.ErrCursor
		}
		from++
	}
	page.Items = append(page.Items, all[from:min(from+p.Limit, len(all))]...)
	if from+p.Limit < len(all) {
		page.Next = place{id: key(&page.Items[p.Limit-1]), at: time.Unix(0, 0)}.String()
	}
	return page, nil
}

// cutAnswer answers with such a page.
func cutAnswer[T any](all []T, p Paging, key func(*T) string) (*answer[list[T]], error) {
	page, err := cut(all, p, key)
	return &answer[list[T]]{http.StatusOK, page}, err
}
