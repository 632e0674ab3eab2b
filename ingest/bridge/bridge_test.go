package bridge

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/lift"
)

// found is a sink that remembers.
type found struct {
	reps    []Measured
	dropped []string
}

func (f *found) Rep(m Measured)     { f.reps = append(f.reps, m) }
func (f *found) Dropped(why string) { f.dropped = append(f.dropped, why) }

// frame is what a V3 sends of one rep: 0.85 m/s over 875 mm in 1.026 s, as a rep of the
// developers' study has it.
func frame(number, stamp float32, ticks ...float32) []float32 {
	f := []float32{
		-3456, number, 0.8530175, 875, 1.74791, 54, 32.13094, 1026245, 0.5, stamp, 0,
		130000, 10000, 150000, 1, 1, 3.01, 3248, 205, 20, 1, -9999,
	}
	f = append(f, float32(len(ticks)), 1, -9876)
	f = append(f, ticks...)
	return append(f, -6789, 87)
}

func wire(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// notified hands values over as a sensor does, one a notification.
func notified(values []float32) *found {
	var d OpenBarbell
	f := &found{}
	for _, v := range values {
		d.Notification(wire([]float32{v}), f)
	}
	d.End(f)
	return f
}

func TestAnOpenBarbellFrameIsARep(t *testing.T) {
	want := Measured{
		Number: 138, DeviceUs: new(int64(2824832000)), Mean: 0.8530175, Peak: new(1.74791), ROM: new(0.875),
		Concentric: new(1.026245), Convention: "openbarbell-V3",
	}
	if diff := cmp.Diff([]Measured{want}, notified(frame(138, 2824832000, 800, 820, 900)).reps); diff != "" {
		t.Error(diff)
	}
	v2 := []float32{-2345, 5, 0.5, 500, 0.9, 40, -2121, 1000000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -9999}
	want = Measured{Number: 5, Mean: 0.5, Peak: new(0.9), ROM: new(0.5), Concentric: new(1.0), Convention: "openbarbell-V2"}
	if diff := cmp.Diff([]Measured{want}, notified(v2).reps); diff != "" {
		t.Error(diff)
	}
	v1 := []float32{-1234, 6, 0.5, 500, 0.9, 40, -9999}
	want.Number, want.Concentric, want.Convention = 6, nil, "openbarbell-V1"
	if diff := cmp.Diff([]Measured{want}, notified(v1).reps); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoWholeFrameIsDroppedAndTold(t *testing.T) {
	nan := float32(math.NaN())
	whole := frame(1, 1000)
	for _, c := range []struct {
		name   string
		values []float32
		reps   int
		told   string
	}{
		{"whole", whole, 1, ""},
		{"one value missing", slices.Delete(slices.Clone(whole), 2, 3), 0, "shifted: its end is at place 20, not 21"},
		{"one value too many", slices.Insert(slices.Clone(whole), 2, 0.5), 0, "has no end at place 21"},
		{"no start", whole[1:], 0, "the start of theirs is missing"},
		{"cut off by the next", slices.Concat(whole[:9], frame(2, 2000)), 1, "cut off behind 9 of 22"},
		{"cut off at the end", whole[:1], 0, "cut off behind 1 of 22"},
		{"the end of another generation", slices.Concat([]float32{-2345}, whole[1:]), 0, "V2"},
		{"no number", slices.Replace(slices.Clone(whole), 2, 3, nan), 0, "no number at place 2"},
		{"counts below zero", frame(-3, 1000), 0, "cannot be counted"},
		{"twice", slices.Concat(whole, whole), 1, "came twice"},
		{"the same bulk without its end", slices.Concat(whole[:24], frame(2, 2000)), 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := notified(c.values)
			said := strings.Join(f.dropped, "; ")
			if len(f.reps) != c.reps || (c.told == "") != (said == "") || !strings.Contains(said, c.told) {
				t.Errorf("%d reps, told %q; want %d, %q", len(f.reps), said, c.reps, c.told)
			}
		})
	}
}

func TestAStreamFindsItsWayAgainWhereBytesAreLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var data []byte
		sent := map[Measured]bool{}
		var plain found
		for n := range rapid.IntRange(1, 6).Draw(t, "reps") {
			ticks := rapid.SliceOfN(rapid.Float32Range(0, 5000), 0, 40).Draw(t, "ticks")
			data = append(data, wire(frame(float32(n), float32(1000*(n+1)), ticks...))...)
		}
		var whole OpenBarbell
		whole.Notification(data, &plain)
		if len(plain.reps) == 0 {
			t.Fatal("no rep in whole frames")
		}
		for _, m := range plain.reps {
			sent[flat(m)] = true
		}
		from := rapid.IntRange(0, len(data)-1).Draw(t, "from")
		lost := rapid.IntRange(0, min(80, len(data)-from)).Draw(t, "lost")
		damaged := slices.Delete(slices.Clone(data), from, from+lost)
		var d OpenBarbell
		var f found
		for len(damaged) > 0 { // cut anywhere
			n := rapid.IntRange(1, len(damaged)).Draw(t, "cut")
			d.Stream(damaged[:n], &f)
			damaged = damaged[n:]
		}
		d.End(&f)
		for _, m := range f.reps {
			if !sent[flat(m)] {
				t.Fatalf("invented %+v", m)
			}
		}
		if len(plain.reps)-len(f.reps) > 2 || lost == 0 && len(f.reps) != len(plain.reps) {
			t.Fatalf("%d bytes lost cost %d reps of %d", lost, len(plain.reps)-len(f.reps), len(plain.reps))
		}
	})
}

// flat compares by value.
func flat(m Measured) Measured {
	return Measured{Number: m.Number, Mean: m.Mean + 10**m.Peak + 100**m.ROM + 1000**m.Concentric + float64(*m.DeviceUs)}
}

func FuzzWhateverASensorSendsIsARepOrDropped(f *testing.F) {
	f.Add(wire(frame(1, 1000, 800)))
	f.Add([]byte("Notification handle = 0x000e value: 00 00 58 c5\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got found
		var d, e OpenBarbell
		d.Stream(data, &got)
		d.End(&got)
		e.Notification(data, &got)
		e.End(&got)
		new(RepOne).Notification(data, &got)
		if err := ReadHex(bytes.NewReader(data), new(OpenBarbell), &got); err != nil && len(data) < maxLine && !strings.Contains(err.Error(), "shows a notification") {
			t.Fatal(err)
		}
		for _, m := range got.reps {
			if m.Number < 0 || math.IsNaN(m.Mean) || math.IsInf(m.Mean, 0) {
				t.Errorf("%+v", m)
			}
		}
	})
}

func TestNotificationsAreReadFromWhatToolsPrint(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"000058c5", "000058c5"},
		{"00 00 58 C5", "000058c5"},
		{"00:00:58:c5", "000058c5"},
		{"0x000058C5", "000058c5"},
		{"Notification handle = 0x000e value: 00 00 58 c5 ", "000058c5"},
		{"  00 00 58 c5                                      ..X.", "000058c5"},
		{"I\t12:00:01.123\tNotification received from 00002221-0000-1000-8000-00805f9b34fb, value: (0x) 00-00-58-C5", "000058c5"},
		{"A\t12:00:01.124\t\"(0x) 00-00-58-C5\" received", ""},
		{"[CHG] Attribute /org/bluez/hci0/dev_AA/service0010/char0011 Value:", ""},
		{"[NEW] Device AA:BB:CC:DD:EE:FF OB 3248", ""},
		{"Added", ""},
		{"", ""},
	} {
		if got := hex.EncodeToString(hexLine(c.line)); got != c.want {
			t.Errorf("%q holds %s, want %s", c.line, got, c.want)
		}
	}
	var log strings.Builder
	for _, v := range frame(7, 5000) {
		fmt.Fprintf(&log, "Notification handle = 0x000e value: % x \n", wire([]float32{v}))
	}
	var f found
	if err := ReadHex(strings.NewReader(log.String()), new(OpenBarbell), &f); err != nil || len(f.reps) != 1 || len(f.dropped) != 0 {
		t.Errorf("%v, %d reps, dropped %q", err, len(f.reps), f.dropped)
	}
	for what, wrong := range map[string]bool{"": false, "[NEW] Device\n00 00 58 c5\n": false, "[NEW] Device\n": true, "\xc5\x58\x00\x00": true} {
		if err := ReadHex(strings.NewReader(what), new(OpenBarbell), new(found)); (err != nil) != wrong {
			t.Errorf("of %q it says %v", what, err)
		}
	}
}

func TestARepOneNotificationIsARep(t *testing.T) {
	var data []byte
	for _, v := range []uint16{3, 2, 520, 540, 810, 45, 1040} {
		data = binary.LittleEndian.AppendUint16(data, v)
	}
	var d RepOne
	var f found
	d.Notification(data, &f)
	d.Notification(data, &f)
	d.Notification(data[:13], &f)
	want := []Measured{{Number: 3, Mean: 0.52, Peak: new(0.81), ROM: new(0.54), Concentric: new(1.04), Convention: "repone"}}
	if diff := cmp.Diff(want, f.reps); diff != "" || len(f.dropped) != 2 {
		t.Errorf("dropped %q\n%s", f.dropped, diff)
	}
}

// broker is a publisher that fails as often as it is told to.
type broker struct {
	mu   sync.Mutex
	down bool
	fail int
	got  []string
}

func (b *broker) Connected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.down
}

func (b *broker) Publish(_ context.Context, topic string, qos byte, payload []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, string(payload))
	if topic != "spotter/v1/main/device/bar-1/rep" || qos != 1 {
		return fmt.Errorf("topic %s, QoS %d", topic, qos)
	}
	if b.fail > 0 {
		b.fail--
		return errors.New("no acknowledgement")
	}
	return nil
}

func options(p Publisher) Options {
	boots := 0
	return Options{
		Site: "main", Device: "bar-1", Publisher: p, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		BootID: func() string { boots++; return fmt.Sprint("boot-", boots) },
	}
}

func TestABridgeSendsTheSameBytesUntilTheyAreAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &broker{down: true, fail: 3}
		b := New(t.Context(), options(to))
		good := Measured{Number: 4, DeviceUs: new(int64(900)), Mean: 0.5, ROM: new(0.5), Concentric: new(1.0)}
		anew := Measured{Number: 1, DeviceUs: new(int64(100)), Mean: 0.4}
		b.Rep(good)
		b.Rep(Measured{Number: 5, DeviceUs: new(int64(950)), Mean: 312}) // holds the range of motion
		b.Rep(anew)
		done := make(chan error, 1)
		go func() { done <- b.Run(t.Context()) }()
		<-time.After(time.Minute)
		if len(to.got) != 0 {
			t.Fatal("sent without a connection")
		}
		to.mu.Lock()
		to.down = false
		to.mu.Unlock()
		b.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(to.got) != 4 || len(slices.Compact(slices.Clone(to.got))) != 1 {
			t.Fatalf("sent %q", to.got)
		}
		var reps []lift.Rep
		if err := json.Unmarshal([]byte(to.got[0]), &reps); err != nil {
			t.Fatal(err)
		}
		if len(reps) != 2 || reps[0].BootID != "boot-1" || reps[1].BootID != "boot-2" || reps[1].Seq != 0 || reps[0].Historical {
			t.Errorf("sent %+v", reps)
		}
		if b.Sent.Load() != 2 || b.Lost.Load() != 1 {
			t.Errorf("%d sent, %d lost", b.Sent.Load(), b.Lost.Load())
		}
	})
}

func TestABacklogIsHistorical(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &broker{down: true}
		b := New(t.Context(), options(to))
		for n := range 501 {
			b.Rep(Measured{Number: int64(n), Mean: 0.5})
		}
		b.Close()
		done := make(chan error, 1)
		go func() { done <- b.Run(t.Context()) }()
		<-time.After(time.Hour)
		to.mu.Lock()
		to.down = false
		to.mu.Unlock()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(to.got) != 2 || strings.Count(to.got[0], `"historical":true`) != 500 || strings.Count(to.got[1], `"seq":500`) != 1 {
			t.Errorf("%d messages", len(to.got))
		}
	})
}
