package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/schollz/progressbar/v3"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/backtest"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/queue"
)

type backtestCommand struct {
	logSettings    `embed:""`
	serverSettings `embed:""`

	Rules     string `help:"JSON file of limits by rule and name, in the place of those in force, such as {\"weekly-volume\":{\"advice_pct\":15}}; without it what fired is held against the log alone." type:"path"`
	From      string `help:"Windows that begin on or after this date or time: 2026-01-05 or RFC 3339; else from the beginning."`
	To        string `help:"Windows that begin before this date or time; else to the end."`
	Zone      string `help:"Time zone of the dates, and in which days and weeks begin without --server; as the server has it." default:"UTC"`
	Exercises string `help:"JSON file with the site's own exercises, without --server; as the server has it." type:"path"`
	JSON      bool   `name:"json" help:"Print the whole answer as JSON, with every athlete."`
}

// Run judges history under other limits: in a running server, or on a data folder
// that no server holds.
func (c *backtestCommand) Run(ctx context.Context, s streams) error {
	question, settings, err := c.validate()
	if err != nil {
		return err
	}
	answer := backtestAnswer{From: question.From, To: question.To, Rules: question.Rules}
	if c.Server != "" {
		answer.Report, err = c.ask(ctx, s, question)
	} else {
		answer.Report, err = c.judge(ctx, s, question, settings)
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("backtest was interrupted")
	case err != nil:
		return err
	case c.JSON:
		return json.MarshalWrite(s.out, &answer, jsontext.WithIndent("  "))
	}
	return answer.print(s.out)
}

// validate reports every setting that cannot be used.
func (c *backtestCommand) validate() (q backtest.Question, settings analysis.Settings, err error) {
	var u usageError
	c.serverSettings.validate(&u)
	c.logSettings.validate(&u)
	if settings.Zone, err = time.LoadLocation(c.Zone); err != nil || c.Zone == "" || c.Zone == "Local" {
		u.addf("--zone: %q is not a time zone such as Europe/Berlin", c.Zone)
		settings.Zone = time.UTC
	}
	if settings.Exercises, err = (&serveCommand{Exercises: c.Exercises}).catalogue(); err != nil {
		u.problems = append(u.problems, err)
	}
	q.From = moment(&u, "from", c.From, settings.Zone)
	q.To = moment(&u, "to", c.To, settings.Zone)
	if c.Rules != "" {
		if q.Rules, err = os.ReadFile(c.Rules); err != nil {
			u.addf("--rules: %w", errors.Unwrap(err))
		} else if _, err := analysis.MergeLimits(analysis.DefaultLimits(), q.Rules); err != nil {
			for line := range strings.Lines(err.Error()) {
				u.addf("--rules: %s", strings.TrimSpace(line))
			}
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		u.addf("--from: is not before --to")
	}
	if c.Server == "" && c.NatsURL == "" {
		if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
			u.addf("--data: %q is not a folder", c.Data)
		}
	}
	return q, settings, u.orNil()
}

// moment reads a date, which begins in the zone, or a time.
func moment(u *usageError, flag, text string, zone *time.Location) time.Time {
	if text == "" {
		return time.Time{}
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return at.UTC()
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		u.addf("--%s: %q is neither a date such as 2026-01-05 nor a time in RFC 3339", flag, text)
	}
	return at.UTC()
}

// judge answers from the data folder.
func (c *backtestCommand) judge(ctx context.Context, s streams, q backtest.Question, settings analysis.Settings) (_ backtest.Report, err error) {
	lock, err := lockData(c.Data)
	if err != nil {
		return backtest.Report{}, err
	}
	defer func() { _ = lock.Unlock() }()
	log, err := c.openLog(ctx, nil, s.log)
	if err != nil {
		return backtest.Report{}, err
	}
	defer log.Close()
	v, err := openView(ctx, c.viewPath(), log.LastSeq(), s.log)
	if err != nil {
		return backtest.Report{}, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if end := log.LastSeq(); v.Position() < end {
		if err := fill(ctx, s, v, log, end); err != nil {
			return backtest.Report{}, err
		}
	}
	bar := judging(s.err)
	defer bar.end(s.err)
	return backtest.Run(ctx, backtest.Options{
		Question: q, View: v, Settings: func(lift.AthleteID) analysis.Settings { return settings }, Progress: bar.show,
	})
}

// ask lets a server answer.
func (c *backtestCommand) ask(ctx context.Context, s streams, q backtest.Question) (backtest.Report, error) {
	var report backtest.Report
	var job struct {
		ID      string            `json:"id"`
		State   queue.State       `json:"state"`
		Done    int               `json:"done"`
		Total   int               `json:"total"`
		Failure string            `json:"failure"`
		Report  *backtest.Summary `json:"report"`
	}
	question := struct {
		From  time.Time      `json:"from,omitzero"`
		To    time.Time      `json:"to,omitzero"`
		Rules jsontext.Value `json:"rules,omitzero"`
	}{q.From, q.To, q.Rules}
	if err := c.send(ctx, "POST", "/api/v1/backtests", &question, &job); err != nil {
		return report, err
	}
	bar := judging(s.err)
	defer bar.end(s.err)
	look := time.NewTicker(300 * time.Millisecond)
	defer look.Stop()
	for job.State != queue.Done {
		if job.State == queue.Failed {
			return report, errors.New("backtest failed: " + job.Failure)
		}
		select {
		case <-ctx.Done():
			return report, ctx.Err()
		case <-look.C:
		}
		if err := c.send(ctx, "GET", "/api/v1/backtests/"+job.ID, nil, &job); err != nil {
			return report, err
		}
		bar.show(job.Done, job.Total)
	}
	report.Summary = *job.Report
	var err error
	report.ByAthlete, err = pages[backtest.AthleteTally](ctx, &c.serverSettings, "/api/v1/backtests/"+job.ID+"/athletes")
	return report, err
}

// progress shows how many athletes of how many are judged.
type progress struct{ *progressbar.ProgressBar }

func judging(to io.Writer) progress {
	return progress{progressbar.NewOptions(-1, progressbar.OptionSetWriter(to), progressbar.OptionShowIts(), progressbar.OptionShowCount(),
		progressbar.OptionSetItsString("athletes"), progressbar.OptionSetDescription("judging"), progressbar.OptionThrottle(100*time.Millisecond))}
}

func (p progress) show(done, total int) {
	if total > 0 {
		p.ChangeMax(total)
		_ = p.Set(done)
	}
}

func (p progress) end(to io.Writer) {
	_ = p.Exit()
	fmt.Fprintln(to)
}

// backtestAnswer is what the command prints as JSON.
type backtestAnswer struct {
	From  time.Time      `json:"from,omitzero"`
	To    time.Time      `json:"to,omitzero"`
	Rules jsontext.Value `json:"rules,omitzero"`
	backtest.Report
}

const (
	athletesShown = 10 // of those with the most differences
	examplesShown = 2  // of each rule and kind
)

// print writes the answer for people.
func (a *backtestAnswer) print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d athletes with %d reps, windows from %s to %s, as of %s\n\n", a.Athletes, a.Reps, orEnd(a.From, "the beginning"), orEnd(a.To, "the end"), orEnd(a.AsOf, "the beginning"))
	fmt.Fprintln(table, "RULE\tFIRED\tWOULD\tKEPT\tCHANGED\tADDED\tGONE\tLOGGED\tUNSUPPORTED\tMISSING")
	quiet := 0
	for _, t := range a.Report.Rules {
		if t.Fired.Total+t.Would.Total+t.Logged == 0 {
			quiet++
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n",
			t.Rule, bySeverity(t.Fired), bySeverity(t.Would), t.Kept, t.Changed, t.Added, t.Gone, t.Logged, t.Unsupported, t.Missing)
	}
	if quiet > 0 {
		fmt.Fprintf(table, "(%d rules found nothing)\n", quiet)
	}
	a.printAthletes(table)
	a.printExamples(table)
	return table.Flush()
}

func (a *backtestAnswer) printAthletes(to io.Writer) {
	differ := slices.DeleteFunc(slices.Clone(a.ByAthlete), func(t backtest.AthleteTally) bool { return t.Same() })
	slices.SortStableFunc(differ, func(x, y backtest.AthleteTally) int {
		return cmp.Compare(y.Changed+y.Added+y.Gone, x.Changed+x.Added+x.Gone)
	})
	if len(differ) == 0 {
		fmt.Fprintln(to, "\nFor no athlete is there a difference between the limits.")
		return
	}
	fmt.Fprintln(to, "\nATHLETE\tRULE\tFIRED\tWOULD\tKEPT\tCHANGED\tADDED\tGONE")
	for _, t := range differ[:min(len(differ), athletesShown)] {
		fmt.Fprintf(to, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\n", t.Athlete, t.Rule, bySeverity(t.Fired), bySeverity(t.Would), t.Kept, t.Changed, t.Added, t.Gone)
	}
	if more := len(differ) - athletesShown; more > 0 {
		fmt.Fprintf(to, "(and %d more; --json has them all)\n", more)
	}
}

func (a *backtestAnswer) printExamples(to io.Writer) {
	shown := map[string]int{}
	for _, e := range a.Examples {
		key := string(e.Rule) + " " + string(e.Kind)
		if shown[key]++; shown[key] > examplesShown {
			continue
		}
		if len(shown) == 1 && shown[key] == 1 {
			fmt.Fprintln(to, "\nEXAMPLE\tRULE\tATHLETE\tWINDOW\tSEVERITY\tTITLE")
		}
		severity, title := "", ""
		for _, said := range []*backtest.Said{e.Logged, e.Fired, e.Would} {
			if said != nil {
				severity, title = strings.TrimPrefix(severity+" → "+string(said.Severity), " → "), said.Title
			}
		}
		fmt.Fprintf(to, "%s\t%s\t%s\t%s %s\t%s\t%s\n", e.Kind, e.Rule, e.Athlete, e.Window.Kind, e.Window.From.Format(time.DateOnly), severity, title)
	}
}

func orEnd(t time.Time, end string) string {
	if t.IsZero() {
		return end
	}
	return t.UTC().Format(time.RFC3339)
}

// bySeverity writes such as "12 (8 advice, 4 warning)".
func bySeverity(c backtest.Counts) string {
	var parts []string
	for _, p := range []struct {
		n        int
		severity lift.Severity
	}{{c.Info, lift.Info}, {c.Advice, lift.Advice}, {c.Warning, lift.Warning}, {c.Critical, lift.Critical}, {c.Urgent, lift.Urgent}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.severity))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", c.Total, strings.Join(parts, ", "))
}
