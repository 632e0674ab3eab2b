package privacy

import (
	"archive/zip"
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/table"
)

const (
	// shownRows is how many of a part's rows the page shows, the newest.
	shownRows = 100
	// maxColumns is how many columns a table has at most.
	maxColumns = 200
)

// Part is one kind of what is known of a person. It becomes a file of JSON lines, a
// table, and a section of the page.
type Part struct {
	Name  string // of its files, without an ending
	Title string
	Says  string // what a row is
	// Rows hands every row, oldest first, to yield, and stops where that fails. It is
	// called twice and has to say the same both times, but for what is new.
	Rows func(ctx context.Context, yield func(row any) error) error
}

//go:embed archive.html
var pageText string

var pageTemplate = template.Must(template.New("archive").Parse(pageText))

// shown is a part on the page.
type shown struct {
	Part
	Count   int
	Columns []string
	Cells   [][]string
}

// WriteArchive writes everything about an athlete as one zip file. It holds a bounded
// part of it in memory at a time.
func WriteArchive(ctx context.Context, w io.Writer, athlete lift.AthleteID, made time.Time, parts []Part) error {
	z := zip.NewWriter(w)
	page := struct {
		Athlete lift.AthleteID
		Made    string
		Parts   []*shown
	}{athlete, made.UTC().Format(time.RFC3339), nil}
	for _, p := range parts {
		s, err := writePart(ctx, z, made, p)
		if err != nil {
			return fmt.Errorf("export %s: %w", p.Name, err)
		}
		page.Parts = append(page.Parts, s)
	}
	index, err := create(z, "index.html", made)
	if err != nil {
		return err
	}
	if err := pageTemplate.Execute(index, &page); err != nil {
		return fmt.Errorf("export page: %w", err)
	}
	readme, err := create(z, "README.txt", made)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(readme, readmeOf(athlete, page.Made, page.Parts)); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

func create(z *zip.Writer, name string, made time.Time) (io.Writer, error) {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: made})
	if err != nil {
		return nil, fmt.Errorf("export %s: %w", name, err)
	}
	return w, nil
}

func writePart(ctx context.Context, z *zip.Writer, made time.Time, p Part) (*shown, error) {
	s := &shown{Part: p}
	lines, err := create(z, p.Name+".jsonl", made)
	if err != nil {
		return nil, err
	}
	var newest []fields
	known := map[string]bool{}
	err = p.Rows(ctx, func(row any) error {
		line, err := json.Marshal(row, json.Deterministic(true))
		if err != nil {
			return err
		}
		if _, err := lines.Write(append(line, '\n')); err != nil {
			return err
		}
		f, err := flatten(line)
		if err != nil {
			return err
		}
		for _, c := range f {
			if !known[c.name] && len(s.Columns) < maxColumns {
				known[c.name] = true
				s.Columns = append(s.Columns, c.name)
			}
		}
		s.Count++
		if len(newest) == shownRows {
			copy(newest, newest[1:])
			newest = newest[:shownRows-1]
		}
		newest = append(newest, f)
		return nil
	})
	if err != nil || s.Count == 0 {
		return s, err
	}
	for _, f := range newest {
		s.Cells = append(s.Cells, f.cells(s.Columns))
	}
	table, err := create(z, p.Name+".csv", made)
	if err != nil {
		return nil, err
	}
	return s, writeTable(ctx, table, p, s.Columns)
}

func writeTable(ctx context.Context, w io.Writer, p Part, columns []string) error {
	out := csv.NewWriter(w)
	head := make([]string, len(columns))
	for i := range columns {
		head[i] = table.Harmless(columns[i])
	}
	if err := out.Write(head); err != nil {
		return err
	}
	err := p.Rows(ctx, func(row any) error {
		line, err := json.Marshal(row)
		if err != nil {
			return err
		}
		f, err := flatten(line)
		if err != nil {
			return err
		}
		return out.Write(f.cells(columns))
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

// field is one value of a row, by the path of its name.
type field struct{ name, text string }

type fields []field

// cells are the values in the order of the columns.
func (f fields) cells(columns []string) []string {
	by := make(map[string]string, len(f))
	for _, c := range f {
		by[c.name] = c.text
	}
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = by[c]
	}
	return cells
}

// maxDepth is how deep objects within objects become columns of their own.
const maxDepth = 4

// flatten makes cells of a JSON object: objects within it are named by their path,
// lists stay JSON.
func flatten(object []byte) (fields, error) {
	var f fields
	err := f.add("", object, 0)
	return f, err
}

func (f *fields) add(name string, value jsontext.Value, depth int) error {
	switch value.Kind() {
	case 'n':
		return nil
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		*f = append(*f, field{name, table.Harmless(text)})
		return nil
	case '{':
		if depth < maxDepth {
			return f.object(name, value, depth)
		}
	}
	*f = append(*f, field{name, string(value)})
	return nil
}

func (f *fields) object(name string, value jsontext.Value, depth int) error {
	d := jsontext.NewDecoder(strings.NewReader(string(value)))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err != nil {
			return err
		}
		inner := key.String()
		if name != "" {
			inner = name + "." + inner
		}
		v, err := d.ReadValue()
		if err != nil {
			return err
		}
		if err := f.add(inner, v.Clone(), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func readmeOf(athlete lift.AthleteID, made string, parts []*shown) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Everything that this installation of Spotter knows of the athlete %s,
as of %s.

index.html shows it in a browser: the newest %d of each kind. Nothing is loaded from
elsewhere. All of it is in the other files, the oldest first:

  NAME.jsonl  one JSON object a line, exactly as it is stored
  NAME.csv    the same as a table, for a spreadsheet (UTF-8, commas); a text that a
              spreadsheet would take for a formula has a ' before it

The names of values end in their units: _kg kilograms, _m metres, _s seconds, _mps
metres a second, _pct per cent, _deg degrees, _h hours, _min minutes. Pain is 0 to 10;
nutrition, soreness and stress are 1 to 5. Times are in UTC, as RFC 3339 writes them.

`, athlete, made, shownRows)
	for _, p := range parts {
		fmt.Fprintf(&b, "%-14s %8d  %s\n", p.Name, p.Count, p.Says)
	}
	b.WriteString("\nA kind of which there is nothing has an empty .jsonl and no .csv. Bar velocity as\nthe sensor sent it is kept for 30 days, by bar and not by person, and is not in here.\n")
	return b.String()
}
