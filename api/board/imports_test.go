package board_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/spotterhq/spotter/ingest/files"
)

const hostileLog = `date,exercise,set,reps,load_kg
2026-11-02,Deadlift (Barbell),1,5,100
2026-11-02,"<img src=x onerror=alert(1)>",1,5,60
2026-11-02,Deadlift (Barbell),2,"<script>alert(1)</script>",100
`

func TestATrainingLogIsImportedOnTheBoard(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main"}, nil)
	b := open(t, s, "/imports", admin)
	b.waitText("Enrol the athlete first.")
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "name": hostile, "site": "main"}, nil)
	path := filepath.Join(t.TempDir(), "log.csv")
	if err := os.WriteFile(path, []byte(hostileLog), 0o600); err != nil {
		t.Fatal(err)
	}
	b.visit("/imports?athlete=ana")
	b.inspect("imports-empty")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("[name=file]"), []string{path}))
	b.expect(`422.*/imports`)
	empty := filepath.Join(t.TempDir(), "empty.csv")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("[name=file]"), []string{empty}))
	b.press("Look at the file")
	b.waitText("The file is empty.")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("[name=file]"), []string{path}))
	b.press("Look at the file")
	b.until("!!document.querySelector('[name=zone][aria-invalid]')")
	b.enter("Time zone of the times", "Europe/Berlin")
	b.press("Look at the file")
	b.waitText("What the import would do")
	b.waitText("2 new")
	b.waitText("1 row was not taken")
	b.enter("Which exercise <img src=x onerror=alert(1)> is", "squat")
	b.inspect("imports-look")
	b.press("Import it")
	b.waitText("What the import did")
	b.waitText("2 new, 0 changed")
	b.inspect("imports-done")
	var sets struct {
		Items []struct {
			Exercise string `json:"exercise"`
		} `json:"items"`
	}
	s.must(t, http.MethodGet, "/athletes/ana/sets?from=2026-01-01T00:00:00Z", nil, &sets)
	if len(sets.Items) != 2 || !slices.ContainsFunc(sets.Items, func(s struct {
		Exercise string `json:"exercise"`
	}) bool {
		return s.Exercise == "squat"
	}) {
		t.Errorf("%+v", sets.Items)
	}
	b.press("Take it back")
	b.click("dialog button.main")
	b.waitText("2 taken back")
	b.waitText("Taken back.")
}

func TestTheBoardKnowsEveryFormat(t *testing.T) {
	b := open(t, serve(t), "/imports", admin)
	for _, f := range files.Formats() {
		if !eval[bool](b, "import('/board/text.js').then(m => '"+string(f)+"' in m.text.imports.formats)") {
			t.Errorf("the board does not know the format %s", f)
		}
	}
}
