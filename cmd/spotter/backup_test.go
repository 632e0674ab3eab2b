package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/backup"
	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

// content is what people see of an installation, page by page.
func content(t *testing.T, p *process, l sim.Load) map[string]any {
	t.Helper()
	all := map[string]any{}
	from := "from=" + url.QueryEscape(l.Start.Add(-time.Hour).Format(time.RFC3339))
	paths := []string{"/alerts?limit=500", "/quarantine?limit=500", "/devices?limit=500", "/athletes?limit=500"}
	for i := range l.Athletes {
		athlete := "/athletes/" + string(sim.LifterID(i))
		for _, what := range []string{"/reps?limit=500&", "/sets?limit=500&", "/checkins?limit=500&", "/plan?"} {
			paths = append(paths, athlete+what+from)
		}
	}
	for _, path := range paths {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+adminToken)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, err = body.ReadFrom(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v\n%s", path, answer.Status, err, &body)
		}
		var document map[string]any
		if err := json.Unmarshal(body.Bytes(), &document); err != nil {
			t.Fatal(err)
		}
		delete(document, "at") // of the answer
		all[path] = document
	}
	return all
}

// A backup that is made while reps stream in is restored elsewhere; what people see
// there is what they saw here, and nothing is found or pushed anew.
func TestARunningServerIsBackedUpAndRestoredElsewhere(t *testing.T) {
	l := load(t, 3000)
	l.Athletes = 20
	args := serveArgs(t, "100ms", "")
	data := args[2]
	p := launch(t, args...)
	var acked atomic.Int64
	done := publish(t, p.MQTT, l, 1000, &acked)
	need.Eventually(t, patience, "a third of the reps", func() bool { return acked.Load() > 1000 })

	// What people do.
	athlete := sim.LifterID(0)
	for _, w := range []struct{ path, body string }{
		{"/athletes/" + string(athlete) + "/checkins", `{"time":"` + time.Now().UTC().Format(time.RFC3339) + `","phase":"after","pain":7,"note":"stiff"}`},
		{"/athletes/" + string(athlete) + "/plan/hold", `{"reason":"pain"}`},
	} {
		var answer any
		if status := p.do(http.MethodPost, "/api/v1"+w.path, []byte(w.body), &answer); status/100 != 2 {
			t.Fatalf("%s answers %d: %v", w.path, status, answer)
		}
	}
	reps := list[lift.RepRecord](p, "/api/v1/athletes/"+string(athlete)+"/reps?")
	if status := p.do(http.MethodPatch, "/api/v1/reps/"+reps[0].ID, []byte(`{"valid":false}`), nil); status != http.StatusOK {
		t.Fatalf("the correction answers %d", status)
	}
	c, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, "spotter/v1/main/device/bar-x/rep", `{"boot_id":"b1"}`) // into quarantine
	c.Disconnect(100)

	dir := t.TempDir()
	under := filepath.Join(dir, "under-load.tar.zst")
	out, _ := command(t, 0, "backup", under, "--server", p.HTTP, "--token", adminToken)
	if !strings.Contains(out, "events up to") {
		t.Errorf("it says %q", out)
	}
	if info, err := os.Stat(under); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v, %v", info, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	p.settled()
	p = finishSets(t, p, args)
	atEnd := filepath.Join(dir, "at-end.tar.zst")
	command(t, 0, "backup", "make", atEnd, "--server", p.HTTP, "--token", adminToken)
	want, findings := content(t, p, l), p.findings()
	if len(findings) == 0 || !strings.Contains(fmt.Sprint(want["/quarantine?limit=500"]), "bar-x") {
		t.Fatalf("%d findings; there is too little to compare", len(findings))
	}
	if made, err := backup.List(data); err != nil || len(made) != 2 || made[0].By != "admin" {
		t.Errorf("the server lists %+v, %v", made, err)
	}
	if _, said := command(t, exitFailed, "backup", filepath.Join(dir, "no.tar.zst"), "--data", data); !strings.Contains(said, "--server") {
		t.Errorf("of a folder in use it says %q", said)
	}
	p.stop()

	elsewhere := append([]string{}, args...)
	elsewhere[2] = filepath.Join(dir, "restored")
	command(t, 0, "backup", "verify", atEnd)
	command(t, 0, "restore", atEnd, "--data", elsewhere[2])
	p = launch(t, elsewhere...)
	p.settled()
	if diff := cmp.Diff(want, content(t, p, l)); diff != "" {
		t.Errorf("what is seen (-before +after):\n%.3000s", diff)
	}
	if diff := cmp.Diff(findings, p.findings()); diff != "" {
		t.Errorf("findings (-before +after):\n%.3000s", diff)
	}
	if found := p.metric("spotter_monitor_found_total"); found != 0 {
		t.Errorf("%g alerts are found anew", found)
	}
	p.stop()

	// The one made under load: all that it has was acknowledged, and it can be used.
	elsewhere[2] = filepath.Join(dir, "restored-too")
	command(t, 0, "restore", under, "--data", elsewhere[2])
	p = launch(t, elsewhere...)
	p.settled()
	if rows, ids := repsIn(p, l); rows < 1000 || rows != ids || rows > l.Count {
		t.Errorf("the backup made under load has %d reps with %d ids", rows, ids)
	}
	p.stop()

	_, said := command(t, exitFailed, "restore", atEnd, "--data", elsewhere[2])
	if !strings.Contains(said, "empty data folder only") {
		t.Errorf("into a folder in use: %q", said)
	}
}

func TestABackupThatIsCutOffIsNotTakenForOne(t *testing.T) {
	data := t.TempDir()
	args := []string{"serve", "--data", data, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--fsync", "100ms", "--log-level", "warn"}
	p := launch(t, args...)
	file := filepath.Join(t.TempDir(), "b.tar.zst")
	command(t, exitUsage, "backup", file, "--data", filepath.Join(data, "none"))
	if _, said := command(t, exitFailed, "backup", file, "--server", p.HTTP, "--token", "wrong-token-of-nobody"); !strings.Contains(said, "401") {
		t.Errorf("with a wrong token it says %q", said)
	}
	p.stop()
	command(t, 0, "backup", file, "--data", data)
	if _, said := command(t, exitUsage, "backup", file, "--data", data); !strings.Contains(said, "there already") {
		t.Errorf("over a file it says %q", said)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		short := filepath.Join(t.TempDir(), fmt.Sprint(cut))
		if err := os.WriteFile(short, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"backup", "verify", short}, {"restore", short, "--data", filepath.Join(data, "x")}} {
			if _, said := command(t, exitFailed, args...); !strings.Contains(said, "no whole backup") {
				t.Errorf("%v says %q", args, said)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(data, "x")); err == nil {
		t.Error("a damaged backup has made a folder")
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("files are left over: %v, %v", left, err)
	}
	// A restore that did not finish is not served.
	if err := backup.Prepare(filepath.Join(data, "half")); err != nil {
		t.Fatal(err)
	}
	if _, said := command(t, exitFailed, "serve", "--data", filepath.Join(data, "half"), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"); !strings.Contains(said, "did not finish") {
		t.Errorf("half a restore: %q", said)
	}
}

// Somebody who was erased after the backup does not come back with it.
func TestThoseWhoWereErasedAfterTheBackupAreErasedAgain(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	args := []string{"serve", "--data", data, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--fsync", "100ms", "--log-level", "warn"}
	p := launch(t, args...)
	c, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for i, athlete := range []string{"ana", "bo"} {
		say(t, c, "spotter/v1/main/device/bar-1/rep", strings.NewReplacer(`"ana"`, `"`+athlete+`"`, `"seq":1`, fmt.Sprintf(`"seq":%d`, i)).Replace(minimalRep))
	}
	c.Disconnect(100)
	reps := func(p *process, athlete string) int {
		return len(list[lift.RepRecord](p, "/api/v1/athletes/"+athlete+"/reps?from=2026-01-01T00:00:00Z&"))
	}
	need.Eventually(t, patience, "both reps", func() bool { return p.metric("spotter_view_reps_total") == 2 })
	file := filepath.Join(dir, "b.tar.zst")
	command(t, 0, "backup", file, "--server", p.HTTP, "--token", adminToken)
	if status := p.do(http.MethodDelete, "/api/v1/athletes/ana", nil, nil); status != http.StatusAccepted {
		t.Fatalf("the erase answers %d", status)
	}
	var receipts string
	need.Eventually(t, patience, "a receipt", func() bool {
		receipts = p.text("/api/v1/erasures")
		// An erase that is under way has no key yet.
		return strings.Contains(receipts, "er_") && strings.Contains(receipts, `"key":"`) && !strings.Contains(receipts, `"key":""`)
	})
	p.stop()

	list := filepath.Join(dir, "erasures.json")
	if err := os.WriteFile(list, []byte(receipts), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, exitUsage, "restore", file, "--data", filepath.Join(dir, "x"), "--erasures", file)
	for _, again := range []bool{false, true} {
		args[2] = filepath.Join(dir, fmt.Sprint("restored-", again))
		restore := []string{"restore", file, "--data", args[2]}
		if again {
			restore = append(restore, "--erasures", list)
		}
		out, _ := command(t, 0, restore...)
		p = launch(t, args...)
		if !again {
			// A server answers while its view is still filled.
			need.Eventually(t, patience, "her rep, without the receipts", func() bool { return reps(p, "ana") == 1 })
		} else {
			if !strings.Contains(out, "Of 1 receipts, 1 are of people in the backup") {
				t.Errorf("it says %q", out)
			}
			need.Eventually(t, patience, "her to be gone", func() bool {
				return !strings.Contains(p.text("/api/v1/athletes/ana/reps?from=2026-01-01T00:00:00Z"), "boot_id")
			})
			need.Eventually(t, patience, "the receipt", func() bool { return strings.Contains(p.text("/api/v1/erasures"), "er_") })
			need.Eventually(t, patience, "somebody else's rep", func() bool { return reps(p, "bo") == 1 })
		}
		p.stop()
	}
}
