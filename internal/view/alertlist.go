package view

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// AlertQuery narrows a list of alerts; zero fields do not.
type AlertQuery struct {
	Athlete  lift.AthleteID
	Athletes []lift.AthleteID // one of these; nil asks for everybody, and empty for nobody
	Site     lift.SiteID
	Rule     lift.Rule
	Severity lift.Severity // this or worse
	State    lift.AlertState
	Since    time.Time // opened at or after
	Until    time.Time // opened before
}

const (
	// newestAlerts are looked through for those that fit before the kinds are: most
	// lists are found among them.
	newestAlerts = 1000
	// fewAthletes are looked up one by one.
	fewAthletes = 32
)

// Alerts returns the alerts that fit, newest opening first, and the next page's
// cursor, "" at the end.
func (v *View) Alerts(ctx context.Context, q AlertQuery, p Page) ([]lift.Alert, string, error) {
	l := alertList{ctx: ctx, limit: p.Limit + 1}
	if err := l.narrow(&q, p.Cursor); err != nil {
		return nil, "", err
	}
	var err error
	if l.tx, err = v.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
		return nil, "", fmt.Errorf("read alerts: %w", err)
	}
	defer func() { _ = l.tx.Rollback() }()
	if err := l.find(&q); err != nil {
		return nil, "", fmt.Errorf("read alerts: %w", err)
	}
	next := ""
	if len(l.found) > p.Limit {
		l.found = l.found[:p.Limit]
		next = l.found[p.Limit-1].String()
	}
	alerts, err := l.read()
	if err != nil {
		return nil, "", fmt.Errorf("read alerts: %w", err)
	}
	return alerts, next, nil
}

// condition is a part of a WHERE with its arguments.
type condition struct {
	sql  []string
	args []any
}

func (c *condition) add(sql string, args ...any) {
	c.sql, c.args = append(c.sql, sql), append(c.args, args...)
}

func (c *condition) String() string { return strings.Join(append([]string{"1"}, c.sql...), " AND ") }

// alertList finds the places of a page's alerts. Alerts are large and lie in the order
// of their ids: whether one fits is seen in the indexes, and only the page is read. A
// filter that few alerts fit must not make the whole list be looked through, so that
// each kind of alert, of which there are some hundred, has its newest at hand.
type alertList struct {
	ctx   context.Context
	tx    *sql.Tx
	limit int

	when     condition // between which times, and behind which place
	what     condition // rule, severity and state
	where    condition // site
	whose    condition // among which athletes
	athletes []lift.AthleteID
	found    []place // newest first
}

func (l *alertList) narrow(q *AlertQuery, cursor string) error {
	if !q.Since.IsZero() {
		l.when.add("opened_us >= ?", q.Since.UnixMicro())
	}
	if !q.Until.IsZero() {
		l.when.add("opened_us < ?", q.Until.UnixMicro())
	}
	if cursor != "" {
		after, err := parsePlace(cursor)
		if err != nil {
			return err
		}
		l.when.add("(opened_us, id) < (?, ?)", after.time, after.id)
	}
	if q.Rule != "" {
		l.what.add("rule = ?", string(q.Rule))
	}
	if q.Severity != "" {
		l.what.add("severity >= ?", q.Severity.Rank())
	}
	if q.State != "" {
		l.what.add("state = ?", string(q.State))
	}
	if q.Site != "" {
		l.where.add("site = ?", string(q.Site))
	}
	switch {
	case q.Athlete == "":
		l.athletes = q.Athletes
	case q.Athletes == nil || slices.Contains(q.Athletes, q.Athlete):
		l.athletes = []lift.AthleteID{q.Athlete}
	default:
		l.athletes = []lift.AthleteID{}
	}
	if l.athletes == nil {
		return nil
	}
	among, err := json.Marshal(l.athletes)
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	l.whose.add("athlete IN (SELECT value FROM json_each(?))", string(among))
	return nil
}

func (l *alertList) find(q *AlertQuery) error {
	if l.athletes != nil && len(l.athletes) <= fewAthletes {
		return l.ofAthletes()
	}
	fits := join(l.what, l.where, l.whose)
	if len(fits.sql) == 0 {
		return l.merge("SELECT opened_us, id FROM alerts INDEXED BY alerts_opened WHERE "+l.when.String(), l.when.args)
	}
	err := l.merge("SELECT opened_us, id FROM (SELECT opened_us, id, site, rule, severity, state, athlete FROM alerts INDEXED BY alerts_opened WHERE "+
		l.when.String()+" ORDER BY opened_us DESC, id DESC LIMIT ?) WHERE "+fits.String(), slices.Concat(l.when.args, []any{newestAlerts}, fits.args))
	if err != nil || len(l.found) == l.limit {
		return err
	}
	l.found = nil
	if l.athletes != nil && len(l.what.sql) == 0 {
		return l.ofAthletes()
	}
	return l.ofKinds(q)
}

// ofAthletes merges the newest alerts of each athlete that fit.
func (l *alertList) ofAthletes() error {
	for _, athlete := range l.athletes {
		where := join(condition{[]string{"athlete = ?"}, []any{string(athlete)}}, l.when, l.what, l.where)
		if err := l.merge("SELECT opened_us, id FROM alerts INDEXED BY alerts_of WHERE "+where.String(), where.args); err != nil {
			return err
		}
	}
	return nil
}

// ofKinds merges the newest alerts of each kind that fits.
func (l *alertList) ofKinds(q *AlertQuery) error {
	type kind struct {
		rule     string
		severity int
		state    string
	}
	fits := join(l.what, l.where)
	kinds, err := collect(l.ctx, l.tx, func(s scanner) (k kind, err error) { return k, s.Scan(&k.rule, &k.severity, &k.state) },
		"SELECT DISTINCT rule, severity, state FROM alert_kinds WHERE "+fits.String(), fits.args...)
	if err != nil {
		return err
	}
	index := "alerts_kind"
	if q.Site != "" {
		index = "alerts_site_kind"
	}
	for _, k := range kinds {
		one := condition{[]string{"rule = ? AND severity = ? AND state = ?"}, []any{k.rule, k.severity, k.state}}
		where := join(one, l.where, l.when, l.whose)
		if err := l.merge("SELECT opened_us, id FROM alerts INDEXED BY "+index+" WHERE "+where.String(), where.args); err != nil {
			return err
		}
	}
	return nil
}

// merge puts the newest places that a query finds among the others, of which as many
// are kept as the page needs.
func (l *alertList) merge(query string, args []any) error {
	if len(l.found) == l.limit {
		query += " AND opened_us >= ?"
		args = append(args, l.found[l.limit-1].time)
	}
	more, err := collect(l.ctx, l.tx, func(s scanner) (p place, err error) { return p, s.Scan(&p.time, &p.id) },
		query+" ORDER BY opened_us DESC, id DESC LIMIT ?", append(args, l.limit)...)
	if err != nil || len(more) == 0 {
		return err
	}
	l.found = append(l.found, more...)
	slices.SortFunc(l.found, func(a, b place) int { return cmp.Or(cmp.Compare(b.time, a.time), strings.Compare(b.id, a.id)) })
	l.found = l.found[:min(len(l.found), l.limit)]
	return nil
}

// read returns the alerts at the places that were found.
func (l *alertList) read() ([]lift.Alert, error) {
	if len(l.found) == 0 {
		return nil, nil
	}
	at := make(map[string]int, len(l.found))
	ids := make([]any, len(l.found))
	for i, p := range l.found {
		at[p.id], ids[i] = i, p.id
	}
	found, err := collect(l.ctx, l.tx, scanJSON[lift.Alert], "SELECT data FROM alerts WHERE id IN (?"+strings.Repeat(",?", len(ids)-1)+")", ids...)
	if err != nil {
		return nil, err
	}
	alerts := make([]lift.Alert, len(l.found))
	for i := range found {
		alerts[at[found[i].ID]] = found[i]
	}
	return alerts, nil
}

func join(parts ...condition) condition {
	var all condition
	for _, p := range parts {
		all.add(strings.Join(p.sql, " AND "), p.args...)
		if len(p.sql) == 0 {
			all.sql = all.sql[:len(all.sql)-1]
		}
	}
	return all
}
