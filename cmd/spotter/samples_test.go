package main

import (
	"math"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// The whole way of bar velocity: a sensor that sends nothing but samples, over MQTT,
// into the log, through the segmenter, to whoever reads the athlete's reps.
func TestASensorThatSendsOnlySamplesHasReps(t *testing.T) {
	p := launch(t, serveArgs(t, "100ms", "")...)
	c, err := connect(p.MQTT, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(100)
	begin := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	publish := func(what string, payload any) {
		t.Helper()
		data, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		say(t, c, "spotter/v1/main/device/bar-1/"+what, string(data))
	}
	publish("assign", map[string]any{"athlete": "ana", "exercise": "deadlift", "load_kg": 120, "set": 1, "since": begin.Add(-time.Second)})

	const rate = 100
	var v []float64
	phase := func(seconds, rise float64) { // half a sine, so high that the bar rises so far
		n := int(seconds * rate)
		for i := range n {
			v = append(v, rise/seconds*math.Pi/2*math.Sin(math.Pi*(float64(i)+0.5)/float64(n)))
		}
	}
	phase(2, 0)
	durations := []float64{1, 1.1, 1.25, 2}
	for _, s := range durations {
		phase(s, 0.5)
		phase(0.4, 0)
		phase(1.2, -0.5)
		phase(0.8, 0)
	}
	phase(4, 0)
	for chunk := 0; len(v) > 0; chunk++ {
		n := min(rate, len(v))
		publish("samples", lift.Samples{BootID: "b7", Chunk: int64(chunk), Time: begin.Add(time.Duration(chunk) * time.Second), RateHz: rate, Velocity: v[:n]})
		v = v[n:]
	}

	var reps []lift.RepRecord
	need.Eventually(t, patience, "four reps", func() bool {
		reps = list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")
		return len(reps) >= len(durations)
	})
	for i, r := range reps {
		if r.Source != lift.SourceSegmented || r.Exercise != "deadlift" || *r.LoadKg != 120 || !r.Valid || r.Convention == "" ||
			math.Abs(*r.Concentric-durations[i]) > 0.02 || math.Abs(*r.ROM-0.5) > 0.01 {
			t.Errorf("rep %d is %+v", i+1, r)
		}
	}
	if n := p.metric("spotter_segmenter_reps_total"); n != float64(len(durations)) {
		t.Errorf("the metric counts %v reps", n)
	}
}
