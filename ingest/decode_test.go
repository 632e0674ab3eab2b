package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

var received = time.Date(2026, 11, 22, 17, 5, 0, 0, time.UTC)

const (
	repTopic     = "spotter/v1/main/device/bar-1/rep"
	assignTopic  = "spotter/v1/main/device/bar-1/assign"
	statusTopic  = "spotter/v1/main/device/bar-1/status"
	samplesTopic = "spotter/v1/main/device/bar-1/samples"
	checkInTopic = "spotter/v1/main/athlete/ana/checkin"
)

// payloads are the smallest good ones of each topic.
var payloads = map[string]map[string]string{
	repTopic:     {"boot_id": `"b7"`, "seq": "1041", "time": `"2026-11-22T17:03:04.250Z"`, "mean_velocity_mps": "0.52"},
	assignTopic:  {"athlete": `"ana"`},
	statusTopic:  {"state": `"ready"`},
	samplesTopic: {"boot_id": `"b7"`, "chunk": "17", "time": `"2026-11-22T17:03:04Z"`, "rate_hz": "100", "velocity_mps": "[0,0.02]"},
	checkInTopic: {"time": `"2026-11-22T17:03:00Z"`, "phase": `"after"`, "pain": "3"},
}

// with is the topic's smallest good payload with fields changed: name, JSON value,
// name, JSON value …; the value "" leaves the field out.
func with(topic string, change ...string) string {
	fields := maps.Clone(payloads[topic])
	for i := 0; i < len(change); i += 2 {
		fields[change[i]] = change[i+1]
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name] != "" {
			parts = append(parts, strconv.Quote(name)+":"+fields[name])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func decode(topic, payload string) Decoded {
	return Decode(Message{Topic: topic, Payload: []byte(payload), Received: received})
}

func one(t *testing.T, topic, payload string) journal.Event {
	t.Helper()
	d := decode(topic, payload)
	if len(d.Events) != 1 {
		t.Fatalf("%d events from %s, want 1", len(d.Events), payload)
	}
	return d.Events[0]
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTheExamplesOfTheWireContractAreTaken(t *testing.T) {
	from := journal.Event{V: journal.Version, Received: received, Site: "main", Device: "bar-1"}
	kind := func(k journal.Kind, fill func(*journal.Event)) journal.Event {
		e := from
		e.Kind = k
		fill(&e)
		return e
	}
	for _, c := range []struct {
		name, topic, payload string
		want                 journal.Event
	}{
		{"whole rep", repTopic, `{"boot_id":"b7","seq":1041,"time":"2026-11-22T18:03:04.250+01:00","device_us":281234567,
			"athlete":"ana","exercise":"deadlift","load_kg":120,"set":3,"rep":2,
			"mean_velocity_mps":0.52,"peak_velocity_mps":0.81,"mean_propulsive_velocity_mps":0.55,
			"rom_m":0.53,"concentric_s":1.02,"eccentric_s":1.40,
			"bar_drift_m":0.021,"bar_tilt_deg":1.5,"hip_shoulder_ratio":1.05,"trunk_flexion_deg":21,
			"warmup":false,"failed":false,"historical":true}`,
			kind(journal.KindRep, func(e *journal.Event) {
				e.Athlete = "ana"
				e.Rep = &lift.Rep{
					BootID: "b7", Seq: 1041, Time: at("2026-11-22T17:03:04.250Z"), DeviceUs: new(int64(281234567)),
					Athlete: "ana", Exercise: "deadlift", LoadKg: new(120.0), Set: new(3), Rep: new(2),
					MeanVelocity: 0.52, PeakVelocity: new(0.81), MeanPropulsiveVelocity: new(0.55),
					ROM: new(0.53), Concentric: new(1.02), Eccentric: new(1.4),
					BarDrift: new(0.021), BarTilt: new(1.5), HipShoulderRatio: new(1.05), TrunkFlexion: new(21.0), Historical: true,
				}
			})},
		{"bare rep", repTopic, with(repTopic), kind(journal.KindRep, func(e *journal.Event) {
			e.Rep = &lift.Rep{BootID: "b7", Seq: 1041, Time: at("2026-11-22T17:03:04.250Z"), MeanVelocity: 0.52}
		})},
		{"assignment", assignTopic, `{"athlete":"ana","exercise":"deadlift","load_kg":120,"set":3,"warmup":true,"since":"2026-11-22T17:00:00Z"}`,
			kind(journal.KindAssign, func(e *journal.Event) {
				e.Athlete = "ana"
				e.Assign = &lift.Assignment{Athlete: "ana", Exercise: "deadlift", LoadKg: new(120.0), Set: new(3), Warmup: true, Since: at("2026-11-22T17:00:00Z"), SinceGiven: true}
			})},
		{"assignment from its receipt on", assignTopic, `{"athlete":"ana"}`, kind(journal.KindAssign, func(e *journal.Event) {
			e.Athlete = "ana"
			e.Assign = &lift.Assignment{Athlete: "ana", Since: received}
		})},
		{"end of an assignment at a time", assignTopic, `{"athlete":null,"exercise":"deadlift","since":"2026-11-22T17:00:00Z"}`,
			kind(journal.KindAssign, func(e *journal.Event) {
				e.Assign = &lift.Assignment{Since: at("2026-11-22T17:00:00Z"), SinceGiven: true}
			})},
		{"end of an assignment now", assignTopic, "", kind(journal.KindAssign, func(e *journal.Event) {
			e.Assign = &lift.Assignment{Since: received}
		})},
		{"status", statusTopic, `{"state":"ready","boot_id":"b7","firmware":"3.01","battery_pct":82,"rssi_dbm":-61}`,
			kind(journal.KindStatus, func(e *journal.Event) {
				e.Status = &lift.DeviceStatus{State: lift.DeviceReady, BootID: "b7", Firmware: "3.01", BatteryPct: new(82.0), RSSIDbm: new(-61.0)}
			})},
		{"samples", samplesTopic, with(samplesTopic, "horizontal_m", "[0.001,-0.002]"), kind(journal.KindSamples, func(e *journal.Event) {
			e.Samples = &lift.Samples{BootID: "b7", Chunk: 17, Time: at("2026-11-22T17:03:04Z"), RateHz: 100, Velocity: []float64{0, 0.02}, Horizontal: []float64{0.001, -0.002}}
		})},
		{"check-in", checkInTopic, `{"time":"2026-11-22T17:03:00Z","phase":"after","pain":3,"region":"lower_back","revision":2,
			"symptoms":["radiating","numbness"],"stiff_morning_min":40,"sleep_h":6.5,"nutrition":3,"soreness":4,"stress":2,"note":"a\nb"}`,
			journal.Event{
				V: journal.Version, Received: received, Site: "main", Kind: journal.KindCheckIn, Athlete: "ana",
				CheckIn: &lift.CheckIn{
					Revision: 2, Time: at("2026-11-22T17:03:00Z"), Phase: lift.PhaseAfter, Pain: new(3), Region: "lower_back",
					Symptoms: []lift.Symptom{lift.Radiating, lift.Numbness}, StiffMorningMin: new(40.0), SleepH: new(6.5),
					Nutrition: new(3), Soreness: new(4), Stress: new(2), Note: "a\nb",
				},
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, one(t, c.topic, c.payload)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsWithinTheLimitsIsTaken(t *testing.T) {
	for _, c := range []struct{ topic, payload, why string }{
		{repTopic, with(repTopic, "mean_velocity_mps", "4", "peak_velocity_mps", "8"), "fastest mean and peak"},
		{repTopic, with(repTopic, "mean_velocity_mps", "1e-9"), "slowest mean"},
		{repTopic, with(repTopic, "peak_velocity_mps", "0.52"), "peak equal to the mean"},
		{repTopic, with(repTopic, "rom_m", "0.03"), "shortest range"},
		{repTopic, with(repTopic, "rom_m", "2.5"), "longest range"},
		{repTopic, with(repTopic, "concentric_s", "0.1"), "shortest duration"},
		{repTopic, with(repTopic, "concentric_s", "15"), "longest duration"},
		{repTopic, with(repTopic, "mean_velocity_mps", "0.5", "rom_m", "0.55", "concentric_s", "1"), "range over duration 10 % above the mean"},
		{repTopic, with(repTopic, "mean_velocity_mps", "0.5", "rom_m", "0.45", "concentric_s", "1"), "range over duration 10 % below the mean"},
		{repTopic, with(repTopic, "mean_velocity_mps", "0.7", "rom_m", "0.77", "concentric_s", "1"), "the same where the binary numbers are off"},
		{repTopic, with(repTopic, "load_kg", "0"), "empty bar"},
		{repTopic, with(repTopic, "load_kg", "1000"), "heaviest load"},
		{repTopic, with(repTopic, "seq", "0"), "first of a boot"},
		{repTopic, with(repTopic, "seq", "9223372036854775807"), "largest sequence"},
		{repTopic, with(repTopic, "seq", "1041.0"), "JSON has one type of number"},
		{repTopic, with(repTopic, "seq", "1e3"), "JSON has one type of number"},
		{repTopic, with(repTopic, "set", "3.0", "rep", "2e0", "revision", "1.0"), "JSON has one type of number"},
		{repTopic, with(repTopic, "time", `"2000-01-01T00:00:00Z"`), "earliest time"},
		{repTopic, with(repTopic, "time", `"2026-11-22T17:10:00Z"`), "5 minutes in the future"},
		{repTopic, with(repTopic, "time", `"2026-11-22T19:10:00+02:00"`), "the same in another zone"},
		{repTopic, with(repTopic, "boot_id", strconv.Quote(strings.Repeat("b", 64))), "longest boot id"},
		{repTopic, with(repTopic, "athlete", strconv.Quote(strings.Repeat("a", 64))), "longest id"},
		{repTopic, with(repTopic, "athlete", `"0_a-"`), "id of every class"},
		{repTopic, with(repTopic, "athlete", "null", "exercise", "null", "load_kg", "null", "set", "null", "rom_m", "null", "warmup", "null", "revision", "null"), "null is absent where a value is optional"},
		{repTopic, " \r\n\t" + with(repTopic) + "\n ", "white space around the value"},
		{assignTopic, with(assignTopic, "exercise", "null", "load_kg", "null", "since", "null"), "null is absent where a value is optional"},
		{assignTopic, " \n", "blank is empty"},
		{assignTopic, with(assignTopic, "load_kg", "1000", "set", "0"), "limits"},
		{assignTopic, with(assignTopic, "since", `"2026-11-22T17:10:00Z"`), "5 minutes in the future"},
		{statusTopic, with(statusTopic, "battery_pct", "0", "rssi_dbm", "-200"), "lowest"},
		{statusTopic, with(statusTopic, "battery_pct", "100"), "full"},
		{statusTopic, with(statusTopic, "state", `"sleeping"`), "state"},
		{statusTopic, with(statusTopic, "state", `"lost"`, "battery_pct", "null"), "last will"},
		{samplesTopic, with(samplesTopic, "rate_hz", "20", "velocity_mps", "[0]"), "slowest and shortest"},
		{samplesTopic, with(samplesTopic, "rate_hz", "1000", "velocity_mps", array("0.5", 1000)), "fastest and longest"},
		{samplesTopic, with(samplesTopic, "chunk", "0"), "first chunk"},
		{checkInTopic, with(checkInTopic, "pain", "0"), "no pain is a value"},
		{checkInTopic, with(checkInTopic, "pain", "10"), "worst pain"},
		{checkInTopic, with(checkInTopic, "pain", "", "nutrition", "1"), "one value is enough"},
		{checkInTopic, with(checkInTopic, "nutrition", "5", "soreness", "5", "stress", "5"), "highest"},
		{checkInTopic, with(checkInTopic, "time", `"2026-11-22T17:10:00Z"`), "5 minutes in the future"},
		{checkInTopic, with(checkInTopic, "sleep_h", "24", "stiff_morning_min", "0", "note", `"ünïcode 🏋"`), "limits and text"},
	} {
		if e := one(t, c.topic, c.payload); e.Quarantined != nil {
			t.Errorf("%s: %s is refused: %s: %s", c.why, c.payload, e.Quarantined.Field, e.Quarantined.Reason)
		}
	}
}

func array(element string, n int) string {
	return "[" + strings.Repeat(element+",", n-1) + element + "]"
}

func TestWhatCannotBeUsedIsQuarantinedForItsField(t *testing.T) {
	for _, c := range []struct{ topic, payload, field, why string }{
		{repTopic, with(repTopic, "boot_id", ""), "boot_id", "required"},
		{repTopic, with(repTopic, "seq", ""), "seq", "required"},
		{repTopic, with(repTopic, "time", ""), "time", "required"},
		{repTopic, with(repTopic, "mean_velocity_mps", ""), "mean_velocity_mps", "required"},
		{repTopic, with(repTopic, "boot_id", "null"), "boot_id", "null where a value is required"},
		{repTopic, with(repTopic, "seq", "null"), "seq", "null where a value is required"},
		{repTopic, with(repTopic, "time", "null"), "time", "null where a value is required"},
		{repTopic, with(repTopic, "mean_velocity_mps", "null"), "mean_velocity_mps", "null where a value is required"},
		{repTopic, with(repTopic, "boot_id", `""`), "boot_id", "empty"},
		{repTopic, with(repTopic, "boot_id", "7"), "boot_id", "number for a text"},
		{repTopic, with(repTopic, "boot_id", strconv.Quote(strings.Repeat("b", 65))), "boot_id", "too long"},
		{repTopic, with(repTopic, "boot_id", `"b\u0000"`), "boot_id", "control character"},
		{repTopic, with(repTopic, "seq", "-1"), "seq", "below 0"},
		{repTopic, with(repTopic, "seq", "1.5"), "seq", "not whole"},
		{repTopic, with(repTopic, "seq", "1e300"), "seq", "not exact"},
		{repTopic, with(repTopic, "seq", "9223372036854775808"), "seq", "too large"},
		{repTopic, with(repTopic, "seq", `"1041"`), "seq", "text for a number"},
		{repTopic, with(repTopic, "revision", "-1"), "revision", "below 0"},
		{repTopic, with(repTopic, "mean_velocity_mps", `"fast"`), "mean_velocity_mps", "text for a number"},
		{repTopic, with(repTopic, "mean_velocity_mps", "0"), "mean_velocity_mps", "no movement"},
		{repTopic, with(repTopic, "mean_velocity_mps", "-0.5"), "mean_velocity_mps", "downward"},
		{repTopic, with(repTopic, "mean_velocity_mps", "4.0001"), "mean_velocity_mps", "too fast"},
		{repTopic, with(repTopic, "mean_velocity_mps", "1e999"), "mean_velocity_mps", "beyond every number"},
		{repTopic, with(repTopic, "peak_velocity_mps", "0.519"), "peak_velocity_mps", "below the mean"},
		{repTopic, with(repTopic, "peak_velocity_mps", "8.01"), "peak_velocity_mps", "too fast"},
		{repTopic, with(repTopic, "rom_m", "0.029"), "rom_m", "too short"},
		{repTopic, with(repTopic, "rom_m", "2.51"), "rom_m", "too long"},
		{repTopic, with(repTopic, "concentric_s", "0.099"), "concentric_s", "too short"},
		{repTopic, with(repTopic, "concentric_s", "15.1"), "concentric_s", "too long"},
		{repTopic, with(repTopic, "mean_velocity_mps", "0.5", "rom_m", "0.5501", "concentric_s", "1"), "mean_velocity_mps", "range over duration more than 10 % off"},
		{repTopic, with(repTopic, "mean_velocity_mps", "0.5", "rom_m", "0.4499", "concentric_s", "1"), "mean_velocity_mps", "range over duration more than 10 % off"},
		{repTopic, with(repTopic, "load_kg", "-0.5"), "load_kg", "below 0"},
		{repTopic, with(repTopic, "load_kg", "1000.5"), "load_kg", "too heavy"},
		{repTopic, with(repTopic, "load_kg", "[120]"), "load_kg", "array for a number"},
		{repTopic, with(repTopic, "set", "-1"), "set", "below 0"},
		{repTopic, with(repTopic, "rep", "2.5"), "rep", "not whole"},
		{repTopic, with(repTopic, "warmup", `"no"`), "warmup", "text for a truth"},
		{repTopic, with(repTopic, "time", `"1970-01-01T00:00:07Z"`), "time", "counted from boot"},
		{repTopic, with(repTopic, "time", `"1999-12-31T23:59:59.999Z"`), "time", "before 2000"},
		{repTopic, with(repTopic, "time", `"2100-01-01T00:00:00Z"`), "time", "far in the future"},
		{repTopic, with(repTopic, "time", `"2026-11-22T17:10:00.001Z"`), "time", "just over 5 minutes in the future"},
		{repTopic, with(repTopic, "time", `"2026-11-22T17:03:04"`), "time", "no zone"},
		{repTopic, with(repTopic, "time", `"2026-02-30T17:03:04Z"`), "time", "no such day"},
		{repTopic, with(repTopic, "time", "1763831000"), "time", "number for a time"},
		{repTopic, with(repTopic, "athlete", `"ana maria"`), "athlete", "space in an id"},
		{repTopic, with(repTopic, "athlete", `"#"`), "athlete", "wildcard"},
		{repTopic, with(repTopic, "athlete", `"a.>"`), "athlete", "wildcard"},
		{repTopic, with(repTopic, "athlete", `"Ana"`), "athlete", "upper case"},
		{repTopic, with(repTopic, "athlete", `""`), "athlete", "empty id"},
		{repTopic, with(repTopic, "athlete", `"_ana"`), "athlete", "starts with _"},
		{repTopic, with(repTopic, "athlete", strconv.Quote(strings.Repeat("a", 65))), "athlete", "too long"},
		{repTopic, with(repTopic, "athlete", strconv.Quote(strings.Repeat("ä", 100_000))), "athlete", "hostile"},
		{repTopic, with(repTopic, "exercise", `"dead/lift"`), "exercise", "slash"},
		{repTopic, with(repTopic, "exercise", `""`), "exercise", "empty id"},
		{repTopic, with(repTopic, "trunk_flexion_deg", "181"), "trunk_flexion_deg", "more than a turn"},
		{repTopic, `{"boot_id":"b7","seq":1,"seq":2}`, "seq", "given twice"},

		{assignTopic, `{"exercise":"deadlift"}`, "athlete", "nobody named and nothing ended"},
		{assignTopic, with(assignTopic, "athlete", "7"), "athlete", "number for a text"},
		{assignTopic, with(assignTopic, "athlete", `""`), "athlete", "empty id"},
		{assignTopic, with(assignTopic, "athlete", `"a b"`), "athlete", "space"},
		{assignTopic, with(assignTopic, "exercise", `"+"`), "exercise", "wildcard"},
		{assignTopic, with(assignTopic, "exercise", `""`), "exercise", "empty id"},
		{assignTopic, with(assignTopic, "load_kg", "1001"), "load_kg", "too heavy"},
		{assignTopic, with(assignTopic, "set", "-1"), "set", "below 0"},
		{assignTopic, with(assignTopic, "since", `"2100-01-01T00:00:00Z"`), "since", "far in the future"},
		{assignTopic, `{"athlete":null,"since":"1970-01-01T00:00:00Z"}`, "since", "counted from boot"},
		{assignTopic, `{"athlete":"ana","athlete":null}`, "athlete", "given twice"},

		{statusTopic, with(statusTopic, "state", ""), "state", "required"},
		{statusTopic, with(statusTopic, "state", "null"), "state", "null where a value is required"},
		{statusTopic, with(statusTopic, "state", `"READY"`), "state", "unknown"},
		{statusTopic, with(statusTopic, "battery_pct", "101"), "battery_pct", "more than full"},
		{statusTopic, with(statusTopic, "rssi_dbm", "51"), "rssi_dbm", "no such signal"},
		{statusTopic, with(statusTopic, "firmware", `"3\u001b[2J"`), "firmware", "control character"},
		{statusTopic, with(statusTopic, "boot_id", "{}"), "boot_id", "object for a text"},

		{samplesTopic, with(samplesTopic, "boot_id", ""), "boot_id", "required"},
		{samplesTopic, with(samplesTopic, "chunk", ""), "chunk", "required"},
		{samplesTopic, with(samplesTopic, "chunk", "-1"), "chunk", "below 0"},
		{samplesTopic, with(samplesTopic, "time", ""), "time", "required"},
		{samplesTopic, with(samplesTopic, "rate_hz", ""), "rate_hz", "required"},
		{samplesTopic, with(samplesTopic, "rate_hz", "null"), "rate_hz", "null where a value is required"},
		{samplesTopic, with(samplesTopic, "rate_hz", "19.9"), "rate_hz", "too slow"},
		{samplesTopic, with(samplesTopic, "rate_hz", "1000.1"), "rate_hz", "too fast"},
		{samplesTopic, with(samplesTopic, "velocity_mps", ""), "velocity_mps", "required"},
		{samplesTopic, with(samplesTopic, "velocity_mps", "[]"), "velocity_mps", "no samples"},
		{samplesTopic, with(samplesTopic, "velocity_mps", array("0", 1001)), "velocity_mps", "too many"},
		{samplesTopic, with(samplesTopic, "velocity_mps", "[0.1,null]"), "velocity_mps[1]", "null is not a velocity of 0"},
		{samplesTopic, with(samplesTopic, "velocity_mps", `[0.1,"x"]`), "velocity_mps[1]", "text for a number"},
		{samplesTopic, with(samplesTopic, "velocity_mps", "[0.1,21]"), "velocity_mps[1]", "no bar moves so"},
		{samplesTopic, with(samplesTopic, "horizontal_m", "[0]"), "horizontal_m", "fewer than velocities"},
		{samplesTopic, with(samplesTopic, "horizontal_m", "[0,null]"), "horizontal_m[1]", "null is not a place"},

		{checkInTopic, with(checkInTopic, "time", ""), "time", "required"},
		{checkInTopic, with(checkInTopic, "time", `"2026-11-22T17:10:01Z"`), "time", "more than 5 minutes in the future"},
		{checkInTopic, with(checkInTopic, "phase", ""), "phase", "required"},
		{checkInTopic, with(checkInTopic, "phase", `"later"`), "phase", "unknown"},
		{checkInTopic, with(checkInTopic, "pain", "11"), "pain", "off the scale"},
		{checkInTopic, with(checkInTopic, "pain", "-1"), "pain", "off the scale"},
		{checkInTopic, with(checkInTopic, "pain", "3.5"), "pain", "not whole"},
		{checkInTopic, with(checkInTopic, "nutrition", "0"), "nutrition", "off the scale"},
		{checkInTopic, with(checkInTopic, "soreness", "6"), "soreness", "off the scale"},
		{checkInTopic, with(checkInTopic, "stress", `"low"`), "stress", "text for a number"},
		{checkInTopic, with(checkInTopic, "symptoms", `["radiating","itch"]`), "symptoms[1]", "unknown"},
		{checkInTopic, with(checkInTopic, "symptoms", `["fever","fever"]`), "symptoms[1]", "named twice"},
		{checkInTopic, with(checkInTopic, "symptoms", `[null]`), "symptoms[0]", "null is not a symptom"},
		{checkInTopic, with(checkInTopic, "sleep_h", "24.5"), "sleep_h", "longer than a day"},
		{checkInTopic, with(checkInTopic, "stiff_morning_min", "-1"), "stiff_morning_min", "below 0"},
		{checkInTopic, with(checkInTopic, "note", strconv.Quote(strings.Repeat("n", 2001))), "note", "too long"},
		{checkInTopic, with(checkInTopic, "region", `"\u0007"`), "region", "control character"},
		{checkInTopic, with(checkInTopic, "revision", "-2"), "revision", "below 0"},
	} {
		e := one(t, c.topic, c.payload)
		q := e.Quarantined
		if q == nil {
			t.Errorf("%s: %.200s is taken", c.why, c.payload)
			continue
		}
		if q.Field != c.field || q.Reason == "" || len(q.Reason) > 510 {
			t.Errorf("%s: %.200s is refused for %q: %s; want field %q", c.why, c.payload, q.Field, q.Reason, c.field)
		}
		if c.topic == checkInTopic && (q.Athlete != "ana" || e.Athlete != "ana") {
			t.Errorf("%s: the quarantined check-in is filed under %q, want ana", c.why, q.Athlete)
		}
		if len(c.payload) < 1000 && string(q.Bytes) != c.payload {
			t.Errorf("%s: kept %s of %s", c.why, q.Bytes, c.payload)
		}
	}
}

func TestWhatIsNotJSONIsQuarantinedWithThePlace(t *testing.T) {
	good := with(repTopic)
	for _, c := range []struct{ topic, payload, reason, why string }{
		{repTopic, "", "not JSON", "empty"},
		{repTopic, "seq=2;v=0.51", "not JSON", "something else"},
		{repTopic, good[:40], "not JSON", "cut off"},
		{repTopic, with(repTopic, "mean_velocity_mps", "NaN"), "in mean_velocity_mps", "NaN"},
		{repTopic, with(repTopic, "load_kg", "-Infinity"), "in load_kg", "infinity"},
		{repTopic, with(repTopic, "rom_m", "0,5"), "not JSON", "decimal comma"},
		{repTopic, good + "}", "not JSON", "something behind the value"},
		{repTopic, good + good, "not JSON", "two values"},
		{repTopic, good + "\u00a0", "not JSON", "a space that JSON does not know"},
		{repTopic, "[" + good + "] x", "not JSON", "something behind the array"},
		{repTopic, "[" + good + ",]", "not JSON", "one comma too many"},
		{repTopic, "[" + good, "not JSON", "array cut off"},
		{repTopic, "[]", "no rep", "empty array"},
		{repTopic, strings.Repeat("[", 20_000), "not JSON", "too deep"},
		{repTopic, "7", "not an object", "number for an object"},
		{repTopic, `"rep"`, "not an object", "text for an object"},
		{statusTopic, "[" + with(statusTopic) + "]", "not an object", "only reps come as arrays"},
		{checkInTopic, "\xff\xfe{}", "not JSON", "another encoding"},
		{checkInTopic, with(checkInTopic, "note", "\"\xff\""), "not JSON", "not UTF-8"},
		{checkInTopic, with(checkInTopic, "note", `"\ud800"`), "not JSON", "half a character"},
		{samplesTopic, with(samplesTopic, "velocity_mps", "[0,NaN]"), "in velocity_mps[1]", "NaN"},
	} {
		q := one(t, c.topic, c.payload).Quarantined
		if q == nil || !strings.Contains(q.Reason, c.reason) {
			t.Errorf("%s: %.100q gives %+v, want a reason with %q", c.why, c.payload, q, c.reason)
		}
	}
	if q := one(t, repTopic, "null").Quarantined; q == nil || q.Field != "boot_id" {
		t.Errorf("null gives %+v, want boot_id missing", q)
	}
}

func TestATopicThatIsNotOneIsQuarantinedWithItsPayload(t *testing.T) {
	for _, c := range []struct{ topic, field, why string }{
		{"spotter/v1/main/device/bar 1/rep", "topic: device", "space"},
		{"spotter/v1/main/device/Bar-1/rep", "topic: device", "upper case"},
		{"spotter/v1/main/device//rep", "topic: device", "empty"},
		{"spotter/v1/main/device/" + strings.Repeat("b", 65) + "/rep", "topic: device", "too long"},
		{"spotter/v1/ma in/device/bar-1/rep", "topic: site", "space"},
		{"spotter/v1/+/device/bar-1/rep", "topic: site", "wildcard"},
		{"spotter/v1/main/athlete/#/checkin", "topic: athlete", "wildcard"},
		{"spotter/v1/main/device/bar-1/reps", "topic", "unknown kind"},
		{"spotter/v1/main/athlete/ana/rep", "topic", "an athlete sends no reps"},
		{"spotter/v2/main/device/bar-1/rep", "topic", "another version"},
		{"spotter/v1/main/device/bar-1/rep/", "topic", "one part too many"},
		{strings.Repeat("x/", 30_000), "topic", "hostile"},
		{"spotter/v1/main/device/\xff/rep", "topic: device", "not UTF-8"},
		{"", "topic", "empty"},
	} {
		q := one(t, c.topic, with(repTopic)).Quarantined
		if q == nil || q.Field != c.field || len(q.Topic) > 1100 || string(q.Bytes) != with(repTopic) {
			t.Errorf("%s: %.80q gives %+v, want field %q", c.why, c.topic, q, c.field)
		}
	}
}

func TestWhatSpotterItselfPublishesIsNoEvent(t *testing.T) {
	for _, topic := range []string{"spotter/v1/main/device/bar-1/cue", "spotter/v1/main/athlete/ana/alert"} {
		if d := decode(topic, "{}"); len(d.Events) != 0 {
			t.Errorf("%s gives %v", topic, d.Events)
		}
	}
}

func TestAnArrayIsTakenElementByElement(t *testing.T) {
	twice := `{"boot_id":"b7","seq":1,"seq":1}`
	latin := `{"boot_id":"` + "\xfc" + `"}`
	tooFast := with(repTopic, "athlete", `"bo"`, "mean_velocity_mps", "9")
	payload := "[" + strings.Join([]string{with(repTopic, "seq", "1"), twice, tooFast, " " + with(repTopic, "seq", "2"), "null", latin, with(repTopic, "seq", "3")}, ",") + "]"
	type part struct {
		Seq     int64
		Index   int
		Field   string
		Bytes   string
		Athlete lift.AthleteID
	}
	var got []part
	for _, e := range decode(repTopic, payload).Events {
		if e.Rep != nil {
			got = append(got, part{Seq: e.Rep.Seq, Index: -1})
			continue
		}
		q := e.Quarantined
		got = append(got, part{Index: *q.Index, Field: q.Field, Bytes: string(q.Bytes), Athlete: e.Athlete})
	}
	want := []part{
		{Seq: 1, Index: -1},
		{Index: 1, Field: "seq", Bytes: twice},
		{Index: 2, Field: "mean_velocity_mps", Bytes: tooFast, Athlete: "bo"},
		{Seq: 2, Index: -1},
		{Index: 4, Field: "boot_id", Bytes: "null"},
		{Index: 5, Field: "", Bytes: latin},
		{Seq: 3, Index: -1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestAnArrayOf500IsTakenAndOneOf501RefusedWhole(t *testing.T) {
	if d := decode(repTopic, array(with(repTopic), 500)); len(d.Events) != 500 || d.Events[499].Rep == nil {
		t.Fatalf("%d events of 500", len(d.Events))
	}
	q := one(t, repTopic, array(with(repTopic), 501)).Quarantined
	if q == nil || q.Index != nil || !strings.Contains(q.Reason, "501") {
		t.Fatalf("got %+v", q)
	}
}

func TestOfABigMessageTheBeginningTheSizeAndTheHashAreKept(t *testing.T) {
	for _, c := range []struct {
		size, kept int
		hash       bool
		why        string
	}{
		{lift.MaxQuarantinedBytes, lift.MaxQuarantinedBytes, false, "kept whole"},
		{lift.MaxQuarantinedBytes + 1, lift.MaxQuarantinedBytes, true, "cut by one"},
		{5 << 20, lift.MaxQuarantinedBytes, true, "5 MB"},
	} {
		payload := bytes.Repeat([]byte("spotter "), c.size/8+1)[:c.size]
		q := one(t, repTopic, string(payload)).Quarantined
		if q.Size != c.size || !bytes.Equal(q.Bytes, payload[:c.kept]) || q.Truncated() != c.hash {
			t.Errorf("%s: kept %d of %d, told as %d", c.why, len(q.Bytes), c.size, q.Size)
		}
		if hash := sha256.Sum256(payload); c.hash != (q.Hash == hex.EncodeToString(hash[:])) {
			t.Errorf("%s: hash %q", c.why, q.Hash)
		}
	}
	exact := with(repTopic, "note", strconv.Quote(strings.Repeat("x", MaxMessage-len(with(repTopic, "note", `""`)))))
	if len(exact) != MaxMessage {
		t.Fatal(len(exact))
	}
	if e := one(t, repTopic, exact); e.Rep == nil {
		t.Errorf("1 MiB is refused: %s", e.Quarantined.Reason)
	}
	if e := one(t, repTopic, exact+" "); e.Rep != nil || !strings.Contains(e.Quarantined.Reason, "1048577 bytes") {
		t.Error("more than 1 MiB is taken")
	}
}

func TestUnknownFieldsAreIgnoredAndCounted(t *testing.T) {
	for topic := range payloads {
		d := decode(topic, with(topic, "colour", `"red"`, "BOOT_ID", "7", "nested", `{"a":[1,{"b":2}]}`))
		if d.UnknownFields != 3 || d.Events[0].Quarantined != nil {
			t.Errorf("%s: %d unknown fields, want 3: %+v", topic, d.UnknownFields, d.Events[0].Quarantined)
		}
	}
	d := decode(repTopic, array(with(repTopic, "source", "7", "x", "1"), 3))
	if d.UnknownFields != 6 || d.Events[2].Rep == nil || d.Events[2].Rep.Source != "" {
		t.Errorf("where a rep comes from is not the sender's to say: %d unknown, %+v", d.UnknownFields, d.Events[2])
	}
}

func TestARedeliveryRepeatsEveryIdentity(t *testing.T) {
	later := func(topic, payload string) []journal.Event {
		return Decode(Message{Topic: topic, Payload: []byte(payload), Received: received.Add(time.Hour)}).Events
	}
	bad := "[" + strings.Join([]string{"7", "7", with(repTopic), with(repTopic, "seq", "-1")}, ",") + "]"
	seen := map[string]string{}
	for _, c := range []struct{ topic, payload string }{
		{repTopic, with(repTopic)},
		{repTopic, bad},
		{repTopic, "7"},
		{"spotter/v1/main/device/bar-2/rep", "7"},
		{repTopic, strings.Repeat("x", 5<<20)},
		{samplesTopic, with(samplesTopic)},
		{checkInTopic, with(checkInTopic)},
		{checkInTopic, "7"},
	} {
		again := later(c.topic, c.payload)
		for i, e := range decode(c.topic, c.payload).Events {
			id, twin := id(t, &e), id(t, &again[i])
			if id != twin {
				t.Errorf("%s %.60s: %s is redelivered as %s", c.topic, c.payload, id, twin)
			}
			if e.Quarantined != nil {
				place := fmt.Sprintf("%s %.60s %d", c.topic, c.payload, i)
				if other, ok := seen[id]; ok {
					t.Errorf("%s has the identity of %s", place, other)
				}
				seen[id] = place
			}
		}
	}
}

func id(t testing.TB, e *journal.Event) string {
	t.Helper()
	id, err := e.ID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
