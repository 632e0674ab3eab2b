package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// Ids and a name that are not found anywhere by chance.
const (
	leaver      = "lifter-who-leaves"
	stayer      = "lifter-who-stays"
	hostileName = `Zoë "<b>=cmd|' /C calc'!A0`
)

// train lets two people train, report and be written about. The leaver's assignment
// is retained by the broker.
func train(t *testing.T, p *process) {
	t.Helper()
	sensor, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer sensor.Disconnect(100)
	at := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	for i, who := range []string{leaver, stayer} {
		bar := fmt.Sprint("spotter/v1/main/device/bar-", i)
		if status := p.do(http.MethodPost, "/api/v1/athletes", []byte(fmt.Sprintf(`{"id":%q,"site":"main","name":%q}`, who, hostileName)), nil); status != 201 {
			t.Fatalf("a profile is answered with %d", status)
		}
		if token := sensor.Publish(bar+"/assign", 1, true, fmt.Sprintf(`{"athlete":%q,"exercise":"deadlift","load_kg":120,"since":%q}`, who, at.Format(time.RFC3339))); !token.WaitTimeout(patience) || token.Error() != nil {
			t.Fatal(token.Error())
		}
		for n := range 12 {
			when := at.Add(time.Duration(n) * 4 * time.Second)
			athlete := ""
			if n%2 == 0 {
				athlete = fmt.Sprintf(`"athlete":%q,"exercise":"deadlift","load_kg":120,`, who)
			}
			say(t, sensor, bar+"/rep", fmt.Sprintf(`{%s"boot_id":"b1","seq":%d,"time":%q,"mean_velocity_mps":%g}`, athlete, n, when.Format(time.RFC3339), 0.6-0.02*float64(n)))
		}
		say(t, sensor, bar+"/samples", fmt.Sprintf(`{"boot_id":"b1","chunk":0,"time":%q,"rate_hz":100,"velocity_mps":[0,0.1,0.2]}`, at.Add(time.Second).Format(time.RFC3339)))
		say(t, sensor, bar+"/rep", fmt.Sprintf(`{"boot_id":"b1","seq":-1,"athlete":%q}`, who))
		say(t, sensor, "spotter/v1/main/athlete/"+who+"/checkin", fmt.Sprintf(`{"time":%q,"phase":"after","pain":8,"symptoms":["radiating"]}`, at.Add(time.Minute).Format(time.RFC3339)))
	}
	need.Eventually(t, patience, "both to have been heard", func() bool {
		for _, who := range []string{leaver, stayer} {
			if len(list[lift.RepRecord](p, "/api/v1/athletes/"+who+"/reps?")) < 12 || len(list[lift.Alert](p, "/api/v1/alerts?athlete="+who+"&")) == 0 {
				return false
			}
		}
		return true
	})
	p.settled()
}

// stored is everything that InfluxDB has in both databases.
func stored(t *testing.T, server string) string {
	t.Helper()
	var all strings.Builder
	for _, database := range []string{"spotter", "spotter_samples"} {
		answer, err := http.Get(server + "/query?" + url.Values{"db": {database}, "q": {"SELECT * FROM /.*/; SHOW SERIES"}}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(&all, answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// kept are the files of a data folder that hold a text.
func kept(t *testing.T, data, text string) []string {
	t.Helper()
	var in []string
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			in = append(in, strings.TrimPrefix(path, data))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestAnEraseSurvivesKill9(t *testing.T) {
	influx := need.RunInflux(t)
	args := serveArgs(t, "always", influx.URL)
	data := args[2]
	p := launch(t, args...)
	train(t, p)
	need.Eventually(t, patience, "both to be in InfluxDB", func() bool {
		s := stored(t, influx.URL)
		return strings.Count(s, leaver) > 20 && strings.Count(s, stayer) > 20
	})
	reps := list[lift.RepRecord](p, "/api/v1/athletes/"+stayer+"/reps?")
	alerts := list[lift.Alert](p, "/api/v1/alerts?athlete="+stayer+"&")

	influx.Kill() // so that the erase cannot be done before it is cut off
	var asked struct {
		Receipt string `json:"receipt"`
	}
	if status := p.do(http.MethodDelete, "/api/v1/athletes/"+leaver, nil, &asked); status != 202 {
		t.Fatalf("an erase is answered with %d", status)
	}
	p.kill()
	p = launch(t, args...)
	influx.Start()
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond, time.Second} {
		<-time.After(after)
		p.kill()
		p = launch(t, args...)
	}
	var receipt struct {
		State  string             `json:"state"`
		Stores []lift.StoreErased `json:"stores"`
	}
	need.Eventually(t, patience, "the erase to be done", func() bool {
		return p.do(http.MethodGet, "/api/v1/erasures/"+asked.Receipt, nil, &receipt) == 200 && receipt.State == "done"
	})
	states := map[string]string{}
	for _, s := range receipt.Stores {
		states[s.Store] = s.State
	}
	want := map[string]string{
		"view": "done", "analysis": "done", "bar velocity": "done", "influxdb": "done", "deliveries": "done",
		"retained messages": "done", "tokens": "done", "backtests": "done", "backups": "done", "log": "done",
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("receipt: -want +got\n%s", diff)
	}

	check := func(when string) {
		t.Helper()
		p.settled()
		if n := len(list[lift.RepRecord](p, "/api/v1/athletes/"+leaver+"/reps?")); n > 0 {
			t.Errorf("%s: %d reps are there", when, n)
		}
		if n := len(list[lift.Alert](p, "/api/v1/alerts?athlete="+leaver+"&")); n > 0 {
			t.Errorf("%s: %d alerts are there", when, n)
		}
		if s := stored(t, influx.URL); strings.Contains(s, leaver) || strings.Count(s, stayer) < 20 {
			t.Errorf("%s: InfluxDB has the athlete, or not the other one", when)
		}
		if diff := cmp.Diff(reps, list[lift.RepRecord](p, "/api/v1/athletes/"+stayer+"/reps?")); diff != "" {
			t.Errorf("%s: the other one's reps have changed:\n%s", when, diff)
		}
		if diff := cmp.Diff(alerts, list[lift.Alert](p, "/api/v1/alerts?athlete="+stayer+"&")); diff != "" {
			t.Errorf("%s: the other one's alerts have changed:\n%s", when, diff)
		}
	}
	check("in the end")
	if p.metric("spotter_erased_dropped_total") < 0 {
		t.Error("what is dropped is not counted")
	}
	p.stop()
	// The embedded broker's own store lets go of delivered messages in its own time.
	for _, path := range kept(t, data, leaver) {
		if !strings.Contains(path, "/MQTT/") {
			t.Errorf("the athlete's id is still in %s", path)
		}
	}
	if out, errOut, code := spotter("rebuild", "--data", data); code != 0 {
		t.Fatal(out, errOut)
	}
	p = launch(t, args...)
	check("after a rebuild")
}

func TestAnErasedAthleteIsExportedBeforeAndNotAfter(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	data := args[2]
	p := launch(t, args...)
	train(t, p)
	dir := t.TempDir()
	beside, alone := filepath.Join(dir, "beside.zip"), filepath.Join(dir, "alone.zip")
	if out, errOut, code := spotter("export", leaver, "--out", beside, "--server", p.HTTP, "--token", adminToken); code != 0 {
		t.Fatal(out, errOut)
	}
	p.stop()
	if out, errOut, code := spotter("export", leaver, "--out", alone, "--data", data); code != 0 {
		t.Fatal(out, errOut)
	}
	for _, file := range []string{"reps.csv", "checkins.jsonl", "profile.jsonl", "weeks.csv", "alerts.jsonl", "quarantine.jsonl", "assignments.csv"} {
		if diff := cmp.Diff(inZip(t, beside, file), inZip(t, alone, file)); diff != "" {
			t.Errorf("%s: (-server +folder)\n%s", file, diff)
		}
		if strings.Contains(inZip(t, beside, file), stayer) {
			t.Errorf("%s speaks of somebody else", file)
		}
	}
	if _, errOut, code := spotter("erase", leaver, "--data", data); code != exitUsage || !strings.Contains(errOut, "--yes") {
		t.Errorf("without --yes: %d %s", code, errOut)
	}
	out, errOut, code := spotter("erase", leaver, "--yes", "--data", data)
	if code != 0 || !strings.Contains(out, ": done\n") || !strings.Contains(out, "12 reps") {
		t.Fatalf("%d\n%s\n%s", code, out, errOut)
	}
	t.Log(out)
	p = launch(t, args...)
	p.settled()
	if n := len(list[lift.RepRecord](p, "/api/v1/athletes/"+leaver+"/reps?")); n > 0 {
		t.Errorf("%d reps are there", n)
	}
	out, errOut, code = spotter("erase", stayer, "--yes", "--server", p.HTTP, "--token", adminToken)
	if code != 0 || !strings.Contains(out, ": done\n") {
		t.Fatalf("%d\n%s\n%s", code, out, errOut)
	}
	if _, errOut, code := spotter("export", stayer, "--out", filepath.Join(dir, "late.zip"), "--server", p.HTTP, "--token", adminToken); code != exitFailed || !strings.Contains(errOut, "404") {
		t.Errorf("an export afterwards: %d %s", code, errOut)
	}
}

func inZip(t *testing.T, path, name string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	text, err := fs.ReadFile(z, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNamesStayInTheProfile(t *testing.T) {
	influx := need.RunInflux(t)
	args := serveArgs(t, "100ms", influx.URL)
	args[len(args)-5] = "debug" // --log-level
	p := launch(t, args...)
	train(t, p)
	need.Eventually(t, patience, "InfluxDB to have it", func() bool { return strings.Contains(stored(t, influx.URL), leaver) })
	request, err := http.NewRequest(http.MethodGet, p.HTTP+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || !bytes.Contains(metrics, []byte("spotter_view_reps_total")) {
		t.Fatal("no metrics", err)
	}
	if !strings.Contains(p.log.String(), "level=DEBUG") && !strings.Contains(p.log.String(), "DEBUG") {
		t.Error("the log says nothing")
	}
	for where, text := range map[string]string{"InfluxDB": stored(t, influx.URL), "metrics": string(metrics), "log": p.log.String()} {
		for _, part := range []string{"Zoë", "calc", `Zo\u00eb`} {
			if strings.Contains(text, part) {
				t.Errorf("%s has the athlete's name", where)
			}
		}
		if where != "InfluxDB" && strings.Contains(text, leaver) {
			t.Errorf("%s has the athlete's id", where)
		}
	}
}
