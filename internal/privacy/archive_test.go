package privacy

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// rowsOf is a part with these rows.
func rowsOf[T any](name string, rows ...T) Part {
	return Part{Name: name, Title: "All " + name, Says: "One of " + name + ".", Rows: func(_ context.Context, yield func(any) error) error {
		for _, r := range rows {
			if err := yield(r); err != nil {
				return err
			}
		}
		return nil
	}}
}

// unpack reads an archive.
func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}

type hostile struct {
	Name  string             `json:"name"`
	Load  float64            `json:"load_kg"`
	Goals map[string]float64 `json:"goals,omitempty"`
	Tags  []string           `json:"tags,omitempty"`
}

func TestAnArchiveIsHarmlessWhateverSomebodyIsCalled(t *testing.T) {
	var b bytes.Buffer
	err := WriteArchive(t.Context(), &b, "ana", monday, []Part{
		rowsOf("profile",
			hostile{Name: `=HYPERLINK("http://evil","x")`, Load: -1.5, Goals: map[string]float64{"=cmd": 3}},
			hostile{Name: `<script>alert(1)</script>`, Tags: []string{"+1", `"><img src=x onerror=alert(1)>`}},
			hostile{Name: "-2", Load: 2}, hostile{Name: "@SUM(A1)"}, hostile{Name: "\tx"}, hostile{Name: "a,\"b\"\nc"}),
		rowsOf[hostile]("nothing"),
	})
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, b.Bytes())
	rows, err := csv.NewReader(strings.NewReader(files["profile.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"name", "load_kg", "goals.=cmd", "tags"},
		{`'=HYPERLINK("http://evil","x")`, "-1.5", "3", ""},
		{`<script>alert(1)</script>`, "0", "", `["+1","\"><img src=x onerror=alert(1)>"]`},
		{"-2", "2", "", ""},
		{"'@SUM(A1)", "0", "", ""},
		{"'\tx", "0", "", ""},
		{"a,\"b\"\nc", "0", "", ""},
	}
	if diff := gocmp.Diff(want, rows); diff != "" {
		t.Errorf("table: -want +got\n%s", diff)
	}
	page := files["index.html"]
	for _, bad := range []string{"<script", "<img", "<link", `src="`, `href="http`} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;") || !strings.Contains(page, "There is nothing.") {
		t.Errorf("the page does not show what there is:\n%s", page)
	}
	if lines := strings.Count(files["profile.jsonl"], "\n"); lines != 6 {
		t.Errorf("%d lines", lines)
	}
	if _, there := files["nothing.csv"]; there || files["nothing.jsonl"] != "" {
		t.Error("a kind of which there is nothing has rows")
	}
	if !strings.Contains(files["README.txt"], "profile") || !strings.Contains(files["README.txt"], "kilograms") {
		t.Errorf("README:\n%s", files["README.txt"])
	}
}

func TestAnArchiveOfManyRowsNeedsLittleMemory(t *testing.T) {
	const rows = 100_000 // what is held does not depend on how many there are
	var most uint64
	part := Part{Name: "reps", Rows: func(_ context.Context, yield func(any) error) error {
		for i := range rows {
			if i%20_000 == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			if err := yield(hostile{Name: fmt.Sprint("rep ", i), Load: float64(i)}); err != nil {
				return err
			}
		}
		return nil
	}}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	if err := WriteArchive(t.Context(), io.Discard, "ana", monday, []Part{part}); err != nil {
		t.Fatal(err)
	}
	held := int64(most) - int64(before.HeapAlloc)
	t.Logf("%d rows in %v, %d KiB held", rows, time.Since(began), held>>10)
	if held > 8<<20 {
		t.Errorf("%d KiB are held for %d rows", held>>10, rows)
	}
}

func TestAnArchiveThatCannotBeReadToItsEndIsNoArchive(t *testing.T) {
	var b bytes.Buffer
	broken := rowsOf("reps", hostile{})
	broken.Rows = func(context.Context, func(any) error) error { return io.ErrUnexpectedEOF }
	if err := WriteArchive(t.Context(), &b, "ana", monday, []Part{rowsOf("weeks", hostile{}), broken}); err == nil {
		t.Fatal("no error")
	}
	if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
		t.Error("what was written passes for a whole archive")
	}
}
