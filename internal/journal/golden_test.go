package journal

import (
	"bufio"
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

var update = flag.Bool("update", false, "write the golden file of the newest version anew")

// oneOfEach is an event of every kind with every payload, as this version writes it.
func oneOfEach() []Event {
	at := time.Date(2026, 11, 22, 17, 3, 4, 250_000_000, time.UTC)
	kg, n := 120.5, 3
	device := Event{Received: at, Site: "main", Device: "bar-1", Athlete: "ana"}
	person := Event{Received: at, Site: "main", Athlete: "ana", By: "kim"}
	of := func(base Event, kind Kind, set func(*Event)) Event {
		base.Kind = kind
		set(&base)
		return base
	}
	return []Event{
		of(device, KindRep, func(e *Event) {
			e.Rep = &lift.Rep{BootID: "b7", Seq: 1041, Revision: 1, Time: at, Athlete: "ana", Exercise: "deadlift", LoadKg: &kg, Set: &n, Rep: &n,
				MeanVelocity: 0.52, Concentric: &kg, Warmup: true, Historical: true, Source: lift.SourceSegmented, Convention: "zero-crossing-trapezoid-1"}
		}),
		of(person, KindEdit, func(e *Event) {
			e.Edit = &lift.RepEdit{RepID: "rp_9a0d458ffd2eaf161e0af6830000000000000411", Valid: new(false), LoadKg: &kg, By: "kim", At: at}
		}),
		of(device, KindAssign, func(e *Event) {
			e.Assign = &lift.Assignment{Athlete: "ana", Exercise: "deadlift", LoadKg: &kg, Set: &n, Since: at, SinceGiven: true}
		}),
		of(device, KindStatus, func(e *Event) {
			e.Status = &lift.DeviceStatus{State: lift.DeviceReady, BootID: "b7", Firmware: "3.01", BatteryPct: &kg}
		}),
		of(person, KindCheckIn, func(e *Event) {
			e.CheckIn = &lift.CheckIn{Revision: 2, Time: at, Phase: lift.PhaseAfter, Pain: &n, Symptoms: []lift.Symptom{lift.Numbness}, SleepH: &kg, Note: "stiff"}
		}),
		of(person, KindImported, func(e *Event) {
			e.Imported = &lift.Imported{Format: "strong", Added: 2072, Changed: 3, TakenBack: 1}
		}),
		of(person, KindPlan, func(e *Event) {
			e.Plan = &lift.PlanStep{Verb: lift.PlanStart, At: at, By: "kim", Reason: "cleared", PreInjuryKg: &kg}
		}),
		of(device, KindSamples, func(e *Event) {
			e.Samples = &lift.Samples{BootID: "b7", Chunk: 17, Time: at, RateHz: 100, Velocity: []float64{0, 0.02}}
		}),
		{Kind: KindTick, Received: at, Minute: at.Truncate(time.Minute)},
		of(device, KindAlert, func(e *Event) {
			e.Device = ""
			e.Alert = &lift.AlertChange{AlertID: "al_1", Verb: lift.AlertFound, At: at, Finding: &lift.Finding{
				ID: "al_1", Site: "main", Athlete: "ana", Rule: "velocity-loss", Severity: lift.Warning, Title: "Bar slowed",
				Window: lift.Window{Kind: lift.WindowSet, ID: "st_1", From: at, To: at}, Limits: map[string]any{"deadlift_advice_pct": 12.0},
				Evidence: lift.Evidence{Value: 21, Unit: "pct", Threshold: 20, Observed: &kg, Samples: 5, Confidence: "full"},
			}}
		}),
		of(person, KindAnswer, func(e *Event) {
			e.Alert = &lift.AlertChange{AlertID: "al_1", Verb: lift.AlertAcknowledge, At: at, Answer: &lift.Answer{By: "kim", At: at, Note: "rests"}}
		}),
		of(device, KindQuarantined, func(e *Event) {
			e.Quarantined = &lift.Quarantined{ID: "qu_1", Topic: "spotter/v1/main/device/bar-1/rep", Reason: "is missing", Field: "time", Received: at, Size: 2, Bytes: []byte("{}")}
		}),
		{Kind: KindReleased, Received: at, By: "kim", Released: &Release{ID: "qu_1", Replayed: true, By: "kim", At: at}},
		of(person, KindRecord, func(e *Event) {
			e.Record = &lift.Record{Kind: lift.OfAthlete, ID: "ana", Revision: 3, By: "kim", At: at, Reason: "new goal", Athlete: &lift.AthleteProfile{
				Name: "Ana", Site: "main", Teams: []lift.TeamID{"squad"}, Goal: "speed", MaximumKg: map[lift.ExerciseID]float64{"deadlift": 180},
				Limits: lift.LimitsByRule{"tempo": {Values: map[string]any{"share": 0.7}, By: "kim", At: at, Reason: "novice"}},
			}}
		}),
		of(person, KindRead, func(e *Event) {
			e.Read = &lift.Read{By: "kim", Operation: "get-athlete", Count: 2, From: at, To: at}
		}),
		of(person, KindErase, func(e *Event) { e.Erase = &lift.Erase{Receipt: "er_1", By: "kim", At: at, Reason: "asked for it"} }),
		{Kind: KindErased, Received: at, Erased: &lift.Erased{Receipt: "er_1", Key: "k", By: "kim", At: at, Done: at, Stores: []lift.StoreErased{{Store: "view", State: "done", At: at}}}},
		of(person, KindEdit, func(e *Event) {
			e.Edit = &lift.RepEdit{RepID: "rp_9a0d458ffd2eaf161e0af6830000000000000411", Set: &n, Withdraw: []string{"valid", "load_kg"}, By: "kim", At: at}
		}),
		of(person, KindSetLogged, func(e *Event) {
			e.Logged = &lift.LoggedSet{ID: "lg_1", Revision: 1, Log: "strong", Exercise: "deadlift", Time: at, Number: &n, Reps: 5, LoadKg: &kg,
				Best: new(0.5), Warmup: true, Removed: true}
		}),
	}
}

// Every event that a released version has written is read for ever, and means what
// it meant.
func TestEveryReleasedVersionDecodes(t *testing.T) {
	path := filepath.Join("testdata", "events-v1.jsonl")
	written := oneOfEach()
	if *update {
		var file bytes.Buffer
		for i := range written {
			m, err := message(&written[i])
			if err != nil {
				t.Fatal(err)
			}
			file.Write(append(m.Data, '\n'))
		}
		if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read []Event
	lines := bufio.NewScanner(bytes.NewReader(file))
	for lines.Scan() {
		e, err := Decode(lines.Bytes())
		if err != nil {
			t.Fatalf("event %d: %v", len(read), err)
		}
		read = append(read, e)
	}
	for i := range written {
		if _, err := message(&written[i]); err != nil { // sets what Append sets
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(written, read); diff != "" {
		t.Errorf("- as written, + as read: %s", diff)
	}
	kinds := map[Kind]bool{}
	for i := range read {
		kinds[read[i].Kind] = true
		// What is written today is what the file has: nothing is lost on the way.
		if again, err := json.Marshal(&read[i]); err != nil || !bytes.Contains(file, again) {
			t.Errorf("event %d is written as %s (%v)", i, again, err)
		}
	}
	for _, k := range []Kind{
		KindRep, KindEdit, KindAssign, KindStatus, KindCheckIn, KindSetLogged, KindPlan, KindSamples, KindTick, KindAlert, KindAnswer,
		KindQuarantined, KindReleased, KindRecord, KindRead, KindErase, KindErased,
	} {
		if !kinds[k] {
			t.Errorf("no %s event", k)
		}
	}
}
