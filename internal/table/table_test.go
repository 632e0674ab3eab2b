package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// thing has one field of each kind.
type thing struct {
	text, label string
	number      *float64
	whole       *int
	flag        bool
	at          time.Time
}

// Not in the order of their names, which the tables have to keep.
func things() []Column[thing] {
	return []Column[thing]{
		Whole("whole", "", func(t *thing) *int { return t.whole }),
		Text("text", "", func(t *thing) string { return t.text }),
		Flag("flag", "", func(t *thing) bool { return t.flag }),
		Number("number", "", func(t *thing) *float64 { return t.number }),
		Time("at", "", func(t *thing) time.Time { return t.at }),
		Label("label", "", func(t *thing) string { return t.label }),
	}
}

func write(t rapid.TB, f Format, rows []thing) []byte {
	var out bytes.Buffer
	w, err := New(&out, f, things())
	for i := range rows {
		err = errors.Join(err, w.Write(&rows[i]))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Whatever is in a row comes back as it was, in Parquet by a reader that goes by the
// names of columns, and nothing comes back where nothing was.
func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		optional := func(name string) bool { return rapid.Bool().Draw(t, name) }
		rows := make([]thing, rapid.IntRange(0, 700).Draw(t, "rows"))
		for i := range rows {
			r := &rows[i]
			if i%7 != 0 {
				*r = rows[i-1] // rapid is slow, and most rows are alike
				continue
			}
			r.text, r.label, r.flag = rapid.String().Draw(t, "text"), rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "label"), optional("flag")
			if optional("number") {
				r.number = new(rapid.Float64Range(-1e9, 1e9).Draw(t, "a number"))
			}
			if optional("whole") {
				r.whole = new(rapid.Int().Draw(t, "a whole number"))
			}
			if optional("time") {
				r.at = time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "a time")).UTC()
			}
		}

		type stored struct {
			Text   *string    `parquet:"text,optional"`
			Label  *string    `parquet:"label,optional"`
			Number *float64   `parquet:"number,optional"`
			Whole  *int64     `parquet:"whole,optional"`
			Flag   *bool      `parquet:"flag,optional"`
			At     *time.Time `parquet:"at,optional,timestamp(microsecond)"`
		}
		data := write(t, Parquet, rows)
		read, err := parquet.Read[stored](bytes.NewReader(data), int64(len(data)))
		if err != nil || len(read) != len(rows) {
			t.Fatalf("%d of %d rows, %v", len(read), len(rows), err)
		}
		lines, err := csv.NewReader(bytes.NewReader(write(t, CSV, rows))).ReadAll()
		if err != nil || len(lines) != len(rows)+1 {
			t.Fatalf("%d lines for %d rows, %v", len(lines), len(rows), err)
		}
		if head := strings.Join(lines[0], " "); head != "whole text flag number at label" {
			t.Fatalf("columns %s", head)
		}
		for i, r := range rows {
			want := stored{Number: r.number, Flag: &r.flag}
			line := []string{"", strings.ReplaceAll(Harmless(r.text), "\r\n", "\n"), fmt.Sprint(r.flag), "", "", r.label}
			if r.text != "" {
				want.Text = &r.text
			}
			if r.label != "" {
				want.Label = &r.label
			}
			if r.number != nil {
				line[3] = fmt.Sprint(*r.number)
			}
			if r.whole != nil {
				want.Whole, line[0] = new(int64(*r.whole)), fmt.Sprint(*r.whole)
			}
			if !r.at.IsZero() {
				want.At, line[4] = &r.at, r.at.Format("2006-01-02T15:04:05.000000Z")
			}
			if diff := cmp.Diff(want, read[i]); diff != "" {
				t.Fatalf("row %d: (-written +parquet) %s", i, diff)
			}
			if diff := cmp.Diff(line, lines[i+1]); diff != "" {
				t.Fatalf("row %d: (-written +csv) %s", i, diff)
			}
		}
	})
}

// A table that is longer than what is held has more than one row group, and all but the
// last have been written before it ends.
func TestALongTableIsWrittenAsItGrows(t *testing.T) {
	var out bytes.Buffer
	w, err := New(&out, Parquet, things())
	if err != nil {
		t.Fatal(err)
	}
	const rows = 3*groupRows + 5
	for i := range rows {
		if err := w.Write(&thing{text: fmt.Sprint("row ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	before := out.Len()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(file.RowGroups()); n != 4 || file.NumRows() != rows || before < out.Len()/2 {
		t.Errorf("%d groups of %d rows; %d of %d bytes were written before the end", n, file.NumRows(), before, out.Len())
	}
}

func TestATextIsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "ana": "ana", "=1+1": "'=1+1", "@SUM(A1)": "'@SUM(A1)", "+cmd": "'+cmd", "-cmd|' /C calc'!A0": "'-cmd|' /C calc'!A0",
		"-0.5": "-0.5", "+1e3": "+1e3", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "a=1": "a=1",
	} {
		if got := Harmless(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestAnErrorOfTheReceiverEndsATable(t *testing.T) {
	gone := errors.New("gone")
	for _, f := range []Format{CSV, Parquet} {
		w, err := New(refusing{gone}, f, things())
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 3*groupRows && err == nil; i++ {
			err = w.Write(&thing{text: fmt.Sprint(i)})
		}
		if !errors.Is(err, gone) {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := New(&bytes.Buffer{}, "xlsx", things()); err == nil {
		t.Error("any format is taken")
	}
}

type refusing struct{ err error }

func (r refusing) Write([]byte) (int, error) { return 0, r.err }

// The page lists every column with its type and what it holds.
func TestThePageListsTheColumns(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "export.md"))
	if err != nil {
		t.Fatal(err)
	}
	reps, sets := list(Reps()), list(Sets())
	if !strings.Contains(string(page), reps) || !strings.Contains(string(page), sets) {
		t.Errorf("docs/export.md does not list the columns as they are:\n\n%s\n%s", reps, sets)
	}
}

func list[T any](columns []Column[T]) string {
	var b strings.Builder
	b.WriteString("| column | type | holds |\n|---|---|---|\n")
	for i := range columns {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", columns[i].Name, columns[i].Type(), columns[i].Says)
	}
	return b.String()
}
