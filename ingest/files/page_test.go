package files

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTheFormatsPageIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats() {
		if !strings.Contains(string(page), "| `"+string(f)+"` |") {
			t.Errorf("%s is not in the table of formats", f)
		}
	}
	examples := regexp.MustCompile("(?s)```csv\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(examples) != 2 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, e := range examples {
		f, err := Open(strings.NewReader(e[1]), Options{Zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		rows := 1 // the header
		for _, err := range f.Rows() {
			if err != nil {
				t.Error(err)
			}
			rows++
		}
		if want := strings.Count(e[1], "\n"); f.Format() != Plain || rows != want {
			t.Errorf("%s with %d lines, want plain with %d:\n%s", f.Format(), rows, want, e[1])
		}
	}
	for heading := range plain.headings {
		if !strings.Contains(string(page), "`"+heading+"`") {
			t.Errorf("the plain CSV's %s is not on the page", heading)
		}
	}
}
