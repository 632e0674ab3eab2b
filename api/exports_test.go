package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/table"
	"github.com/spotterhq/spotter/internal/view"
)

// record is a row by the names of its columns; what is absent is not in it.
type record map[string]string

// readCSV reads a table with the standard library's reader.
func readCSV(t testing.TB, data []byte) []record {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("no CSV: %v\n%.200s", err, data)
	}
	rows := []record{}
	for _, line := range lines[1:] {
		row := record{}
		for i, cell := range line {
			if cell != "" {
				row[lines[0][i]] = cell
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// readParquet reads a table and writes its values as CSV has them.
func readParquet(t testing.TB, data []byte) []record {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("no Parquet: %v\n%.200q", err, data)
	}
	columns := file.Schema().Fields()
	rows := []record{}
	for _, group := range file.RowGroups() {
		reader := group.Rows()
		buffer := make([]parquet.Row, 100)
		for {
			n, err := reader.ReadRows(buffer)
			for _, values := range buffer[:n] {
				row := record{}
				for _, v := range values {
					c := columns[v.Column()]
					switch {
					case v.IsNull():
					case c.Type().String() == "TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)":
						row[c.Name()] = time.UnixMicro(v.Int64()).UTC().Format("2006-01-02T15:04:05.000000Z")
					case c.Type().Kind() == parquet.Double:
						row[c.Name()] = strconv.FormatFloat(v.Double(), 'g', -1, 64)
					default:
						row[c.Name()] = v.String()
					}
				}
				rows = append(rows, row)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		_ = reader.Close()
	}
	return rows
}

// export downloads a table in both formats, which have to say the same.
func (g *gym) export(what, query string) []record {
	g.t.Helper()
	read := func(format, kind string) []byte {
		answer := g.send("GET", "/api/v1/exports/"+what+"?format="+format+"&"+query, "")
		defer answer.Body.Close()
		data, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != kind {
			g.t.Fatalf("%s as %s: %d %s, %v\n%.300s", what, format, answer.StatusCode, answer.Header.Get("Content-Type"), err, data)
		}
		return data
	}
	rows := readCSV(g.t, read("csv", "text/csv; charset=utf-8"))
	if diff := cmp.Diff(rows, readParquet(g.t, read("parquet", "application/vnd.apache.parquet"))); diff != "" {
		g.t.Errorf("%s: (-csv +parquet)\n%s", what, diff)
	}
	return rows
}

// told is an item of one of the API's lists as a row of a table. What the list leaves
// out because it is false or the zeroth revision, a table says.
func told(t testing.TB, item map[string]any, athlete string, columns []string) record {
	t.Helper()
	row := record{"athlete": athlete}
	for name, value := range item {
		if !slices.Contains(columns, name) {
			t.Errorf("%s is in the list and in no column", name)
		}
		switch v := value.(type) {
		case string:
			row[name] = v
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				row[name] = at.Format("2006-01-02T15:04:05.000000Z")
			}
		case float64:
			row[name] = strconv.FormatFloat(v, 'g', -1, 64)
			if v == float64(int64(v)) {
				row[name] = strconv.FormatInt(int64(v), 10)
			}
		default:
			row[name] = fmt.Sprint(v)
		}
	}
	for name, usual := range map[string]string{"warmup": "false", "failed": "false", "historical": "false", "revision": "0"} {
		if row[name] == "" && slices.Contains(columns, name) {
			row[name] = usual
		}
	}
	return row
}

func names[T any](columns []table.Column[T]) (all []string) {
	for i := range columns {
		all = append(all, columns[i].Name)
	}
	return all
}

// busy lets two athletes of a team and one of another site train for some weeks, with
// everything that a rep can say and everything that can be absent. One has a training
// log beside it, and somebody else has nothing but one.
func (g *gym) busy() {
	g.t.Helper()
	want[any](g, 201, "POST", "/api/v1/sites", `{"id":"main"}`)
	want[any](g, 201, "POST", "/api/v1/teams", `{"site":"main","id":"squad"}`)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main","teams":["squad"],"name":"=A Name()"}`)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"bo","site":"main","teams":["squad"]}`)
	var events []journal.Event
	for week := range 12 {
		for _, who := range []string{"ana", "bo", "cleo"} {
			at := trained.AddDate(0, 0, -7*week)
			for n := range 6 {
				e := rep(who, week*10+n, at.Add(time.Duration(n)*1234567*time.Microsecond))
				if who == "cleo" {
					e.Site = "beta"
				}
				switch n {
				case 0:
					r := e.Rep
					r.PeakVelocity, r.MeanPropulsiveVelocity, r.BarDrift, r.BarTilt = new(0.9), new(0.65), new(-0.021), new(1.5)
					r.HipShoulderRatio, r.TrunkFlexion, r.TimeToPeak, r.StickingFrom, r.StickingTo = new(1.05), new(-21.25), new(0.3), new(0.4), new(0.6)
					r.Eccentric, r.DeviceUs, r.Rep, r.Convention = new(1.4), new(int64(281234567)), new(n+1), "mean\nof \"all\", kg"
				case 1:
					e.Rep.LoadKg, e.Rep.Set = nil, nil
				case 2:
					e.Rep.Revision, e.Rep.Failed, e.Rep.Historical = 3, true, true
				case 3:
					e.Rep.Warmup, e.Rep.Source = true, lift.SourceImported
				}
				events = append(events, e)
			}
		}
	}
	g.append(events...)
	g.append(logged("bo", 1, trained), logged("dora", 1, trained), logged("dora", 2, trained, func(s *lift.LoggedSet) { s.LoadKg = nil }), logged("dora", 3, trained.AddDate(-3, 0, 0)))
	want[lift.RepRecord](g, 200, "PATCH", "/api/v1/reps/"+repID(events[1]), `{"valid":false}`)
}

// What is exported is what the API's lists tell, row by row, for whomever and whichever
// time was asked.
func TestAnExportTellsWhatTheListsTell(t *testing.T) {
	g := open(t)
	g.busy()
	sometime := trained.AddDate(0, 0, -40)
	span := func(from, to time.Time) string {
		q := url.Values{}
		if !from.IsZero() {
			q.Set("from", from.Format(time.RFC3339))
		}
		if !to.IsZero() {
			q.Set("to", to.Format(time.RFC3339))
		}
		return q.Encode()
	}
	for _, c := range []struct {
		query    string
		athletes []string
		from, to time.Time
	}{
		{"", []string{"ana", "bo", "cleo", "dora"}, time.Time{}, time.Time{}},
		{"athlete=bo", []string{"bo"}, time.Time{}, time.Time{}},
		{"team=squad", []string{"ana", "bo"}, sometime, time.Time{}},
		{"site=beta", []string{"cleo"}, time.Time{}, sometime},
		{"site=main&athlete=ana", []string{"ana"}, sometime, sometime.AddDate(0, 0, 14)},
		{"site=beta&athlete=ana", nil, time.Time{}, time.Time{}},
		{"athlete=nobody", nil, time.Time{}, time.Time{}},
		{"team=nobodys", nil, time.Time{}, time.Time{}},
		{"", nil, time.Time{}, time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"", nil, time.Now().AddDate(1, 0, 0), time.Time{}},
	} {
		for what, columns := range map[string][]string{"reps": names(table.Reps()), "sets": names(table.Sets())} {
			wanted := []record{}
			for _, who := range c.athletes {
				since := c.from
				if since.IsZero() {
					since = lift.Earliest
				}
				for _, item := range walk[map[string]any](g, "/api/v1/athletes/"+who+"/"+what+"?"+span(since, c.to), 100) {
					wanted = append(wanted, told(t, item, who, columns))
				}
			}
			got := g.export(what, c.query+"&"+span(c.from, c.to))
			if what == "sets" { // whose list says where by whom it asks
				for _, row := range got {
					if row["site"] != map[string]string{"cleo": "beta"}[row["athlete"]] && row["site"] != "main" {
						t.Errorf("a set of %s was at %q", row["athlete"], row["site"])
					}
					delete(row, "site")
				}
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("%s of %q: (-lists +export)\n%.3000s", what, c.query, diff)
			}
			if slices.ContainsFunc(got, func(r record) bool { return r["source"] == "logged" }) != (what == "sets" && c.to.IsZero() && slices.Contains(c.athletes, "bo")) {
				t.Errorf("%s of %q: sets of training logs are missing, or are too many", what, c.query)
			}
			if len(c.athletes) > 0 && len(got) < 2*len(c.athletes) {
				t.Errorf("%s of %q: only %d", what, c.query, len(got))
			}
		}
	}
}

// A sensor's maker chooses what it calls its start: a spreadsheet must not reckon with
// it. Names of people are in no export.
func TestAnExportHoldsNoFormulaAndNoName(t *testing.T) {
	g := open(t)
	want[athlete](g, 201, "POST", "/api/v1/athletes", `{"id":"ana","site":"main","name":"Ana Secret"}`)
	const formula = "=HYPERLINK(\"http://evil\")"
	e := rep("ana", 1, trained)
	e.Rep.BootID, e.Rep.Convention = formula, "@sum"
	g.append(e)
	answer := g.send("GET", "/api/v1/exports/reps", "")
	data, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || bytes.Contains(data, []byte("Secret")) {
		t.Errorf("%v\n%s", err, data)
	}
	if row := readCSV(t, data)[0]; row["boot_id"] != "'"+formula || row["convention"] != "'@sum" {
		t.Errorf("%v", row)
	}
	if name := answer.Header.Get("Content-Disposition"); name != `attachment; filename="reps.csv"` {
		t.Errorf("it is called %s", name)
	}
	answer = g.send("GET", "/api/v1/exports/reps?athlete=ana&format=parquet", "")
	data, err = io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if row := readParquet(t, data)[0]; row["boot_id"] != formula {
		t.Errorf("%v", row)
	}
	if name := answer.Header.Get("Content-Disposition"); name != `attachment; filename="ana-reps.parquet"` {
		t.Errorf("it is called %s", name)
	}
}

func TestAnExportThatCannotBeMadeIsAProblem(t *testing.T) {
	g := open(t)
	for query, field := range map[string]string{
		"from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": "from", "format=xlsx": "format", "from=yesterday": "from", "athlete=A%20B": "athlete",
	} {
		if p := want[problem](g, 422, "GET", "/api/v1/exports/sets?"+query, ""); p.Field != field {
			t.Errorf("%s: %+v", query, p)
		}
	}
	if !g.server.exporting.TryAcquire(mostExports) {
		t.Fatal("an export that failed is still counted")
	}
	want[problem](g, 429, "GET", "/api/v1/exports/sets", "")
	g.server.exporting.Release(mostExports)
	train(g, "ana", 3, trained)
	_ = g.view.Close()
	want[problem](g, 500, "GET", "/api/v1/exports/sets", "")
}

// Each athlete in an export can see that they are, and by whom.
func TestAnExportIsALookAtEachAthleteInIt(t *testing.T) {
	g := open(t)
	for _, who := range []string{"ana", "bo"} {
		train(g, who, 3, trained)
	}
	g.export("reps", "athlete=ana")
	g.export("sets", "")
	if err := g.stop(); err != nil { // what is not written yet is written at the end
		t.Fatal(err)
	}
	g.serve()
	for who, wanted := range map[string]map[string]int{"ana": {"export-reps": 2, "export-sets": 2}, "bo": {"export-sets": 2}} {
		need.Eventually(t, 20*time.Second, "who was looked at", func() bool { // the view may be behind
			found := map[string]int{}
			for _, e := range walk[view.AuditEntry](g, "/api/v1/athletes/"+who+"/audit?", 10) {
				if e.Operation != "list-athlete-audit" {
					found[e.Operation] += e.Count
				}
			}
			return cmp.Equal(wanted, found)
		})
	}
}

// An export of a coach or an athlete holds nobody else, whatever is asked for.
func TestAnExportHoldsWhomTheCallerMaySee(t *testing.T) {
	h := openHouse(t)
	for _, c := range h.callers {
		if c.identity.Role == "" {
			continue
		}
		answer := h.send("GET", "/api/v1/exports/reps", "", "Authorization", "Bearer "+c.token)
		data, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("%s: %d, %v", c.name, answer.StatusCode, err)
		}
		for _, who := range []string{"ana", "bo"} {
			has := slices.ContainsFunc(readCSV(t, data), func(r record) bool { return r["athlete"] == who })
			if has != c.is(who) {
				t.Errorf("%s is shown %s: %v", c.name, who, has)
			}
		}
	}
}

// What fails in the middle ends in the middle: a client cannot take it for whole.
func TestAnExportThatFailsOnTheWayIsCutOff(t *testing.T) {
	g := open(t)
	train(g, "ana", 1, trained)
	exportOf(g.server, "broken", table.Sets(), func(_ context.Context, in *historyInput) (*answer[list[lift.Set]], error) {
		if in.Cursor != "" {
			return nil, errors.New("the disk is gone")
		}
		return &answer[list[lift.Set]]{200, list[lift.Set]{make([]lift.Set, in.Limit), "more"}}, nil
	})
	answer := g.send("GET", "/api/v1/exports/broken", "")
	data, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != 200 || len(data) == 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes with %d, then %v", len(data), answer.StatusCode, err)
	}
	if !strings.Contains(g.logged.String(), "the disk is gone") {
		t.Error("the log does not say why")
	}
}
