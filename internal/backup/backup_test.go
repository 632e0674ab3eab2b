package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/spotterhq/spotter/internal/backup"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func openLog(t *testing.T, data string) *journal.Log {
	t.Helper()
	log, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(data, "log"), Fsync: time.Second, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log
}

func rep(n int) journal.Event {
	return journal.Event{
		Kind: journal.KindRep, Received: monday.Add(time.Duration(n) * time.Second), Site: "main", Device: "bar-1", Athlete: "ana",
		Rep: &lift.Rep{BootID: "b1", Seq: int64(n), Time: monday.Add(time.Duration(n) * time.Second), Athlete: "ana", MeanVelocity: 0.5},
	}
}

func chunk(n int) journal.Event {
	return journal.Event{
		Kind: journal.KindSamples, Received: monday, Site: "main", Device: "bar-1",
		Samples: &lift.Samples{BootID: "b1", Chunk: int64(n), Time: monday, RateHz: 100, Velocity: []float64{0, 0.1}},
	}
}

func add(t *testing.T, log *journal.Log, events ...journal.Event) {
	t.Helper()
	if _, err := log.Append(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
}

// folder is a data folder with reps, samples, positions and small files.
func folder(t *testing.T, reps int) (data string, log *journal.Log) {
	t.Helper()
	data = t.TempDir()
	log = openLog(t, data)
	for n := range reps {
		add(t, log, rep(n))
	}
	for n := range 3 {
		add(t, log, chunk(n))
	}
	for follower, seq := range map[string]uint64{"monitor": uint64(reps / 2), "influx": 1, "segmenter": 2} {
		if err := log.SavePosition(t.Context(), follower, seq); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"devices.json": "{}", "tls/ca.key": "secret", "tls/clients/bar-1.crt": "c", "tombstone.key": "k",
		"node": "n1", "view.db": "x", "sessions.json": "{}", "notify.db": "x", "other/a.json": "{}",
	} {
		path := filepath.Join(data, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return data, log
}

func write(t *testing.T, data string, log *journal.Log, samples bool) []byte {
	t.Helper()
	var archive bytes.Buffer
	_, err := backup.Write(t.Context(), &archive, backup.Options{Log: log, Data: data, Samples: samples, Version: "v1", Now: func() time.Time { return monday }})
	if err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func restore(t *testing.T, archive []byte, last func([]lift.AthleteID) ([]journal.Event, error)) (string, *journal.Log, backup.Restored) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "restored")
	if err := backup.Prepare(data); err != nil {
		t.Fatal(err)
	}
	if err := backup.CheckFinished(data); !errors.Is(err, backup.ErrUnfinished) {
		t.Errorf("while it is restored into, a folder is said to be usable: %v", err)
	}
	log := openLog(t, data)
	restored, err := backup.Restore(t.Context(), bytes.NewReader(archive), backup.RestoreOptions{Log: log, Data: data, Last: last})
	if err != nil {
		t.Fatal(err)
	}
	if err := backup.CheckFinished(data); err != nil {
		t.Error(err)
	}
	return data, log, restored
}

// events reads n of them.
func events(t *testing.T, from *journal.Follower, n int) []journal.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all []journal.Event
	for len(all) < n {
		entries, err := from.Next(ctx, 1000)
		if err != nil {
			t.Fatalf("%d of %d events: %v", len(all), n, err)
		}
		for _, e := range entries {
			all = append(all, e.Event)
		}
	}
	return all
}

func TestWhatIsRestoredIsWhatWasThere(t *testing.T) {
	data, log := folder(t, 2500)
	archive := write(t, data, log, true)
	add(t, log, rep(2500)) // after the backup
	m, err := backup.Verify(bytes.NewReader(archive), nil)
	if err != nil || m.Events != 2500 || m.Samples != 3 || m.UpTo != 2500 || m.Version != "v1" {
		t.Fatalf("verified %+v, %v", m, err)
	}
	elsewhere, restored, result := restore(t, archive, nil)
	if result.Events != 2500 || result.Last != 0 {
		t.Errorf("restored %d events, and %d more", result.Events, result.Last)
	}
	if diff := cmp.Diff(events(t, log.Follow(0), 2501)[:2500], events(t, restored.Follow(0), 2500)); diff != "" {
		t.Errorf("events (-before +after):\n%.2000s", diff)
	}
	if diff := cmp.Diff(events(t, log.FollowSamples(0), 3), events(t, restored.FollowSamples(0), 3)); diff != "" {
		t.Errorf("samples (-before +after):\n%.2000s", diff)
	}
	positions, err := restored.Positions(t.Context())
	if diff := cmp.Diff(map[string]uint64{"monitor": 1250, "segmenter": 2}, positions); err != nil || diff != "" {
		t.Errorf("positions: %v\n%s", err, diff)
	}
	var names []string
	err = filepath.WalkDir(elsewhere, func(path string, d os.DirEntry, err error) error {
		name, _ := filepath.Rel(elsewhere, path)
		if err != nil || name == "log" {
			return filepath.SkipDir
		}
		if info, err := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", name, info.Mode())
		}
		if !d.IsDir() {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if diff := cmp.Diff([]string{"backups.json", "devices.json", "tls/ca.key", "tls/clients/bar-1.crt", "tombstone.key"}, names); err != nil || diff != "" {
		t.Errorf("files: %v\n%s", err, diff)
	}
	if made, err := backup.List(elsewhere); err != nil || len(made) != 1 || !made[0].At.Equal(monday) || !made[0].Samples {
		t.Errorf("the restored folder lists %+v, %v", made, err)
	}
}

func TestWhatWasErasedStaysAwayAndSequencesStayTheSame(t *testing.T) {
	data, log := folder(t, 10)
	if _, err := log.Erase(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		e := rep(n)
		e.Athlete, e.Rep.Athlete, e.Device = "bo", "bo", "bar-2"
		add(t, log, e) // sequences 11 to 14
	}
	if err := log.SavePosition(t.Context(), "monitor", 12); err != nil {
		t.Fatal(err)
	}
	elsewhere, restored, result := restore(t, write(t, data, log, false), nil)
	if result.Events != 4 || restored.LastSeq() != 14 {
		t.Errorf("%d events up to %d", result.Events, restored.LastSeq())
	}
	restored.Close()
	reopened := openLog(t, elsewhere)
	first, err := reopened.Follow(0).Next(t.Context(), 10)
	if err != nil || len(first) != 4 || first[0].Seq != 11 || first[0].Athlete != "bo" {
		t.Errorf("the log begins with %+v, %v", first, err)
	}
	if at, err := reopened.LoadPosition(t.Context(), "monitor"); err != nil || at != 12 {
		t.Errorf("the monitor goes on behind %d, %v", at, err)
	}
	if at, err := reopened.LoadPosition(t.Context(), "segmenter"); err != nil || at != 0 {
		t.Errorf("the segmenter goes on behind %d of no samples, %v", at, err)
	}
}

func TestABackupEndsWhereTheLastEventsWereErased(t *testing.T) {
	data, log := folder(t, 5)
	if _, err := log.Erase(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	log.Close()
	reopened := openLog(t, data)
	if m, err := backup.Verify(bytes.NewReader(write(t, data, reopened, false)), nil); err != nil || m.Events != 0 {
		t.Errorf("%d events, %v", m.Events, err)
	}
}

func TestThoseWhoWereErasedSinceAreErasedAgain(t *testing.T) {
	data, log := folder(t, 10)
	e := rep(11)
	e.Athlete, e.Rep.Athlete = "bo", "bo"
	add(t, log, e)
	_, restored, result := restore(t, write(t, data, log, false), func(athletes []lift.AthleteID) ([]journal.Event, error) {
		if diff := cmp.Diff([]lift.AthleteID{"ana", "bo"}, athletes); diff != "" {
			t.Errorf("asked about\n%s", diff)
		}
		return []journal.Event{{Kind: journal.KindErase, Received: monday, Athlete: "bo", Erase: &lift.Erase{Receipt: "er_1", At: monday}}}, nil
	})
	last, err := restored.Follow(11).Next(t.Context(), 10)
	if err != nil || result.Last != 1 || len(last) != 1 || last[0].Seq != 12 || last[0].Erase == nil || last[0].Athlete != "bo" {
		t.Errorf("%d more events: %+v, %v", result.Last, last, err)
	}
}

func TestABackupIsRestoredIntoAnEmptyFolderOnly(t *testing.T) {
	data, log := folder(t, 3)
	archive := write(t, data, log, false)
	if err := backup.Prepare(data); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("a folder in use: %v", err)
	}
	if _, err := backup.Restore(t.Context(), bytes.NewReader(archive), backup.RestoreOptions{Log: log, Data: t.TempDir()}); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("a log with events: %v", err)
	}
	if log.LastSeq() != 3 {
		t.Errorf("the log has %d events", log.LastSeq())
	}
}

func TestADamagedArchiveIsRefused(t *testing.T) {
	data, log := folder(t, 200)
	archive := write(t, data, log, true)
	whole, err := backup.Verify(bytes.NewReader(archive), nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(archive); n += max(1, len(archive)/150) {
		if _, err := backup.Verify(bytes.NewReader(archive[:n]), nil); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("cut off after %d of %d bytes: %v", n, len(archive), err)
		}
	}
	for n := 0; n < len(archive); n += max(1, len(archive)/600) {
		flipped := bytes.Clone(archive)
		flipped[n] ^= 1 << (n % 8)
		got, err := backup.Verify(bytes.NewReader(flipped), nil)
		if err == nil && cmp.Diff(whole, got) != "" || err != nil && !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("bit %d of byte %d flipped: %v", n%8, n, err) // a hint to the decompressor may be flipped without effect
		}
	}
	if _, err := backup.Verify(io.MultiReader(bytes.NewReader(archive), strings.NewReader("more")), nil); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("with something behind it: %v", err)
	}
}

// file is a part of an archive that a test makes up.
type file struct {
	name, content string
	kind          byte
}

// parts takes an archive apart.
func parts(t *testing.T, archive []byte) []file {
	t.Helper()
	in, err := zstd.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var all []file
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		text, readErr := io.ReadAll(r)
		if err := errors.Join(err, readErr); err != nil {
			t.Fatal(err)
		}
		all = append(all, file{h.Name, string(text), tar.TypeReg})
	}
}

func pack(t *testing.T, all []file) []byte {
	t.Helper()
	var b bytes.Buffer
	out, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(out)
	for _, f := range all {
		h := &tar.Header{Typeflag: f.kind, Name: f.name, Mode: 0o600, Size: int64(len(f.content)), Linkname: "/etc/passwd"}
		if f.kind != tar.TypeReg {
			h.Size = 0
		} else {
			h.Linkname = ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.content)[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnArchiveThatSomebodyHasMadeUpIsRefused(t *testing.T) {
	data, log := folder(t, 20)
	honest := parts(t, write(t, data, log, false))
	if _, err := backup.Verify(bytes.NewReader(pack(t, honest)), nil); err != nil {
		t.Fatal(err)
	}
	last := len(honest) - 1
	insert := func(f file) func([]file) []file {
		return func(all []file) []file { return append(append(append([]file{}, all[:1]...), f), all[1:]...) }
	}
	cases := map[string]func([]file) []file{
		"a part is missing":      func(all []file) []file { return append(append([]file{}, all[:1]...), all[2:]...) },
		"the events are missing": func(all []file) []file { return append(append([]file{}, all[:last-1]...), all[last]) },
		"the end is missing":     func(all []file) []file { return all[:last] },
		"the beginning is":       func(all []file) []file { return all[1:] },
		"a part more":            insert(file{"files/more.json", "{}", tar.TypeReg}),
		"something behind":       func(all []file) []file { return append(all[:last+1:last+1], file{"files/x.json", "{}", tar.TypeReg}) },
		"a link":                 insert(file{"files/a.json", "", tar.TypeSymlink}),
		"a device":               insert(file{"files/a.json", "", tar.TypeChar}),
		"a changed event": func(all []file) []file {
			changed := append([]file{}, all...)
			changed[last-1].content = strings.Replace(changed[last-1].content, "0.5", "0.6", 1)
			return changed
		},
		"events out of order": func(all []file) []file {
			changed := append([]file{}, all...)
			lines := strings.SplitAfter(changed[last-1].content, "\n")
			lines[0], lines[1] = lines[1], lines[0]
			changed[last-1].content = strings.Join(lines, "")
			return changed
		},
		"an event of a newer version": func(all []file) []file {
			changed := append([]file{}, all...)
			changed[last-1].content = strings.Replace(changed[last-1].content, `"v":1`, `"v":9`, 1)
			return changed
		},
	}
	for _, name := range []string{
		"../x.json", "/etc/x.json", "files/../../x.json", "files/..", "files/tls/../x.key", "files/tls/../../x.key", "files/a/b.json", "files/.json",
		"files/tls/clients/../../x.key", "files/tls/clients/a/b.key", `files/..\x.json`, "files/log/x.json", "files/node", "files/view.db", "files/lock", "files/restoring", "events/000009.jsonl",
	} {
		cases[fmt.Sprintf("a part called %q", name)] = insert(file{name, "{}", tar.TypeReg})
	}
	for name, change := range cases {
		archive := pack(t, change(honest))
		if _, err := backup.Verify(bytes.NewReader(archive), nil); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABackupOfANewerFormatIsRefusedByItsVersion(t *testing.T) {
	data, log := folder(t, 1)
	all := parts(t, write(t, data, log, false))
	all[0].content = strings.Replace(all[0].content, `"format": 1`, `"format": 7`, 1)
	_, err := backup.Verify(bytes.NewReader(pack(t, all)), nil)
	if err == nil || !strings.Contains(err.Error(), "format 7") || !strings.Contains(err.Error(), `"v1"`) {
		t.Errorf("a newer format: %v", err)
	}
}

func TestTheListOfBackupsGrows(t *testing.T) {
	data := t.TempDir()
	if all, err := backup.List(data); err != nil || len(all) != 0 {
		t.Fatalf("at first: %v, %v", all, err)
	}
	want := []backup.Made{{At: monday, By: "admin", UpTo: 7, Events: 7}, {At: monday.AddDate(0, 0, 1), UpTo: 9, Events: 8, Samples: true}}
	for _, m := range want {
		if err := backup.Note(data, m); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := backup.List(data); err != nil || cmp.Diff(want, all) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(want, all))
	}
}
