package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// What must hold of every payload whatever: something comes of it; what is taken is
// within the limits of the wire contract, written down here a second time; what is
// refused keeps its bytes; all of it can be stored and read back; the same thing
// said again, or in other words, has the same identity.

func FuzzDecodeRep(f *testing.F) {
	f.Add(with(repTopic))
	f.Add(with(repTopic, "athlete", `"ana"`, "exercise", `"squat"`, "load_kg", "120.5", "set", "3.0", "rep", "1e0", "rom_m", "0.53", "concentric_s", "1.02", "device_us", "5", "revision", "2"))
	f.Add("[" + with(repTopic) + "," + with(repTopic, "seq", "-1") + `,null,{"seq":1,"seq":1}]`)
	f.Add(with(repTopic, "mean_velocity_mps", "NaN"))
	f.Add(with(repTopic, "mean_velocity_mps", "-0", "load_kg", "-0.0"))
	f.Add("[]")
	f.Fuzz(func(t *testing.T, payload string) {
		for _, e := range holds(t, repTopic, payload) {
			if e.Rep == nil {
				continue
			}
			r := e.Rep
			within(t, "mean_velocity_mps", &r.MeanVelocity, math.SmallestNonzeroFloat64, 4)
			within(t, "peak_velocity_mps", r.PeakVelocity, r.MeanVelocity, 8)
			within(t, "rom_m", r.ROM, 0.03, 2.5)
			within(t, "concentric_s", r.Concentric, 0.1, 15)
			within(t, "load_kg", r.LoadKg, 0, 1000)
			if r.ROM != nil && r.Concentric != nil && math.Abs(r.MeanVelocity - *r.ROM / *r.Concentric) > 0.1000001*r.MeanVelocity {
				t.Errorf("%g m/s is taken with %g m in %g s", r.MeanVelocity, *r.ROM, *r.Concentric)
			}
			inTime(t, r.Time)
			anID(t, string(r.Athlete), string(r.Exercise))
			if r.BootID == "" || r.Seq < 0 || r.Revision < 0 || r.Source != "" || e.Athlete != r.Athlete {
				t.Errorf("taken: %+v of %s", r, e.Athlete)
			}
		}
	})
}

func FuzzDecodeCheckIn(f *testing.F) {
	f.Add(with(checkInTopic))
	f.Add(with(checkInTopic, "symptoms", `["radiating","fever"]`, "sleep_h", "6.5", "nutrition", "3", "soreness", "4", "stress", "2", "note", `"…"`, "region", `"lower_back"`, "stiff_morning_min", "40"))
	f.Add(with(checkInTopic, "symptoms", `[null]`))
	f.Add(with(checkInTopic, "pain", "11"))
	f.Fuzz(func(t *testing.T, payload string) {
		for _, e := range holds(t, checkInTopic, payload) {
			c := e.CheckIn
			if e.Athlete != "ana" {
				t.Errorf("filed under %q", e.Athlete)
			}
			if c == nil {
				continue
			}
			scale := func(name string, v *int, low, high int) {
				if v != nil && (*v < low || *v > high) {
					t.Errorf("%s %d is taken", name, *v)
				}
			}
			scale("pain", c.Pain, 0, 10)
			scale("nutrition", c.Nutrition, 1, 5)
			scale("soreness", c.Soreness, 1, 5)
			scale("stress", c.Stress, 1, 5)
			within(t, "sleep_h", c.SleepH, 0, 24)
			inTime(t, c.Time)
			for _, s := range c.Symptoms {
				const known = " radiating numbness tingling saddle_numbness bladder_bowel progressive_weakness bilateral_leg trauma fever weight_loss night_pain sudden_severe eases_with_movement eases_with_rest "
				if s == "" || !strings.Contains(known, " "+string(s)+" ") {
					t.Errorf("symptom %q is taken", s)
				}
			}
			if !slices.Contains([]lift.Phase{"before", "during", "after", "next_morning", "daily"}, c.Phase) || c.Revision < 0 {
				t.Errorf("taken: %+v", c)
			}
		}
	})
}

func FuzzDecodeAssign(f *testing.F) {
	f.Add("")
	f.Add(with(assignTopic))
	f.Add(`{"athlete":null,"since":"2026-11-22T17:00:00Z"}`)
	f.Add(with(assignTopic, "exercise", `"deadlift"`, "load_kg", "120", "set", "3", "warmup", "true", "since", "null", "since_given", "true"))
	f.Add(`{"exercise":"deadlift"}`)
	f.Fuzz(func(t *testing.T, payload string) {
		for _, e := range holds(t, assignTopic, payload) {
			a := e.Assign
			if a == nil {
				continue
			}
			within(t, "load_kg", a.LoadKg, 0, 1000)
			anID(t, string(a.Athlete), string(a.Exercise))
			inTime(t, a.Since)
			if e.Athlete != a.Athlete || !a.SinceGiven && !a.Since.Equal(received) {
				t.Errorf("taken: %+v of %q", a, e.Athlete)
			}
			if a.Athlete == "" && (a.Exercise != "" || a.LoadKg != nil || a.Set != nil || a.Warmup) {
				t.Errorf("the end of an assignment assigns: %+v", a)
			}
		}
	})
}

func FuzzDecodeSamples(f *testing.F) {
	f.Add(with(samplesTopic))
	f.Add(with(samplesTopic, "horizontal_m", "[0.01,-0.5]"))
	f.Add(with(samplesTopic, "velocity_mps", "[null,1e400]"))
	f.Fuzz(func(t *testing.T, payload string) {
		for _, e := range holds(t, samplesTopic, payload) {
			s := e.Samples
			if s == nil {
				continue
			}
			within(t, "rate_hz", &s.RateHz, 20, 1000)
			inTime(t, s.Time)
			if n := len(s.Velocity); n < 1 || n > 1000 || len(s.Horizontal) != 0 && len(s.Horizontal) != n || s.BootID == "" || s.Chunk < 0 {
				t.Errorf("taken: %+v", s)
			}
		}
	})
}

func FuzzDecodeStatus(f *testing.F) {
	f.Add(with(statusTopic))
	f.Add(`{"state":"lost","boot_id":"b7","firmware":"3.01","battery_pct":82,"rssi_dbm":-61}`)
	f.Add(with(statusTopic, "battery_pct", "101"))
	f.Fuzz(func(t *testing.T, payload string) {
		for _, e := range holds(t, statusTopic, payload) {
			s := e.Status
			if s == nil {
				continue
			}
			within(t, "battery_pct", s.BatteryPct, 0, 100)
			if s.State != "ready" && s.State != "sleeping" && s.State != "lost" {
				t.Errorf("taken: %+v", s)
			}
		}
	})
}

func FuzzTopic(f *testing.F) {
	for _, topic := range []string{repTopic, assignTopic, statusTopic, samplesTopic, checkInTopic, "spotter/v1/+/device/#/rep", "spotter/v1/main/device/bar 1/rep", "a/b/c/d/e/f", "\xff"} {
		f.Add(topic)
	}
	inbound := regexp.MustCompile(`^spotter/v1/[a-z0-9][a-z0-9_-]{0,63}/(device/[a-z0-9][a-z0-9_-]{0,63}/(status|assign|rep|samples)|athlete/[a-z0-9][a-z0-9_-]{0,63}/checkin)$`)
	outbound := regexp.MustCompile(`^spotter/v1/[a-z0-9][a-z0-9_-]{0,63}/(device/[a-z0-9][a-z0-9_-]{0,63}/cue|athlete/[a-z0-9][a-z0-9_-]{0,63}/alert)$`)
	f.Fuzz(func(t *testing.T, topic string) {
		if outbound.MatchString(topic) {
			if d := decode(topic, "{}"); len(d.Events) != 0 {
				t.Errorf("%v from what Spotter publishes itself", d.Events)
			}
			return
		}
		// An array is no payload of any topic but one, of which it is two.
		events := holds(t, topic, "[7,{}]")
		for _, e := range events {
			if e.Quarantined == nil {
				t.Fatalf("taken: %+v", e)
			}
		}
		q := events[0].Quarantined
		if known := !strings.HasPrefix(q.Field, "topic"); known != inbound.MatchString(topic) {
			t.Errorf("%q is refused for %q: %s", topic, q.Field, q.Reason)
		}
		if inbound.MatchString(topic) {
			part := strings.Split(topic, "/")
			if string(events[0].Site) != part[2] || string(events[0].Device)+string(events[0].Athlete) != part[4] {
				t.Errorf("%q is filed under %q, %q, %q", topic, events[0].Site, events[0].Device, events[0].Athlete)
			}
		}
	})
}

// holds returns the payload's events when it has checked what holds of all.
func holds(t *testing.T, topic, payload string) []journal.Event {
	t.Helper()
	d := decode(topic, payload)
	if len(d.Events) == 0 || d.UnknownFields < 0 {
		t.Fatal("nothing comes of it")
	}
	again := Decode(Message{Topic: topic, Payload: []byte(payload), Received: received.Add(time.Second)}).Events
	whole := len(d.Events) == 1 && (d.Events[0].Quarantined == nil || d.Events[0].Quarantined.Index == nil)
	elements := -1
	for i := range d.Events {
		e := &d.Events[i]
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("cannot be stored: %v", err)
		}
		var back journal.Event
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatalf("cannot be read back: %v", err)
		}
		if diff := cmp.Diff(*e, back); diff != "" {
			t.Fatal(diff)
		}
		named := e.Status == nil && (e.Assign == nil || e.Assign.SinceGiven)
		if named && id(t, e) != id(t, &again[i]) || id(t, e) != id(t, &back) {
			t.Errorf("identity %s is not repeated", id(t, e))
		}
		if q := e.Quarantined; q != nil {
			kept(t, q)
			if whole {
				bytesKept(t, q, []byte(payload))
			} else if *q.Index <= elements {
				t.Errorf("index %d after %d", *q.Index, elements)
			} else if !strings.Contains(payload, string(q.Bytes)) {
				t.Errorf("the bytes of element %d are not of the payload", *q.Index)
			}
		}
		elements++
	}
	if whole && d.Events[0].Quarantined == nil {
		inOtherWords(t, topic, payload, &d.Events[0])
	}
	if !whole {
		var all []jsontext.Value
		if err := json.Unmarshal([]byte(payload), &all, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil || len(all) != len(d.Events) || len(all) > 500 {
			t.Errorf("%d events of %d elements, %v", len(d.Events), len(all), err)
		}
	}
	return d.Events
}

// kept checks what holds of everything in quarantine.
func kept(t *testing.T, q *lift.Quarantined) {
	t.Helper()
	if q.Reason == "" || q.ID == "" || len(q.Reason)+len(q.Field) > 1000 || !utf8.ValidString(q.Topic) {
		t.Errorf("quarantined as %+v", q)
	}
	if q.Truncated() != (q.Hash != "") || len(q.Bytes) != min(q.Size, 64<<10) {
		t.Errorf("%d of %d bytes are kept, hash %q", len(q.Bytes), q.Size, q.Hash)
	}
}

func bytesKept(t *testing.T, q *lift.Quarantined, payload []byte) {
	t.Helper()
	if q.Size != len(payload) || !bytes.HasPrefix(payload, q.Bytes) {
		t.Errorf("kept %q, size %d", q.Bytes, q.Size)
	}
	if hash := sha256.Sum256(payload); q.Hash != "" && q.Hash != hex.EncodeToString(hash[:]) {
		t.Error("the hash is of something else")
	}
}

// inOtherWords says the same with other white space and order of fields.
func inOtherWords(t *testing.T, topic, payload string, e *journal.Event) {
	t.Helper()
	v := jsontext.Value(payload)
	if !v.IsValid() {
		return // an empty assignment
	}
	for _, words := range []func(*jsontext.Value) error{
		func(v *jsontext.Value) error { return v.Indent() },
		func(v *jsontext.Value) error {
			var members map[string]jsontext.Value
			if err := json.Unmarshal(*v, &members); err != nil {
				return nil //nolint:nilerr // an array of one has no order of fields
			}
			sorted, err := json.Marshal(members, json.Deterministic(true))
			*v = sorted
			return err
		},
	} {
		v := v.Clone()
		if err := words(&v); err != nil {
			t.Fatal(err)
		}
		if len(v) > MaxMessage {
			continue
		}
		if twin := one(t, topic, string(v)); twin.Quarantined != nil || id(t, &twin) != id(t, e) {
			t.Errorf("%s\nis not the same as\n%s", v, payload)
		}
	}
}

func within(t *testing.T, name string, v *float64, low, high float64) {
	t.Helper()
	if v != nil && !(*v >= low && *v <= high) {
		t.Errorf("%s %g is taken", name, *v)
	}
}

func inTime(t *testing.T, at time.Time) {
	t.Helper()
	if at.Year() < 2000 || at.After(received.Add(5*time.Minute)) || at.Location() != time.UTC {
		t.Errorf("time %s is taken", at)
	}
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func anID(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if id != "" && !idForm.MatchString(id) {
			t.Errorf("id %q is taken", id)
		}
	}
}
