package main

import (
	le "encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// openbarbell is what a V3 notifies of a rep, value by value.
func openbarbell(number, stampUs float32) []byte {
	var frame []byte
	for _, v := range []float32{
		-3456, number, 0.5, 500, 0.8, 54, 32, 1_000_000, 0.5, stampUs, 0, 130000, 10000, 150000, 1, 1, 3.01, 3248, 205, 20, 1, -9999,
		2, 1, -9876, 800, 820, -6789, 87,
	} {
		frame = le.LittleEndian.AppendUint32(frame, math.Float32bits(v))
	}
	return frame
}

// The server is away at first: the bridge waits for it, and nothing is lost.
func TestABridgeTakesAnOpenBarbellToTheAthlete(t *testing.T) {
	args := serveArgs(t, "100ms", "")
	cmd := exec.Command(binary, "bridge", "openbarbell", "main/bar-1", "--broker", "tcp://"+args[8])
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said output
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	need.Eventually(t, patience, "the bridge to tell that nobody is there", func() bool { return strings.Contains(said.String(), "no connection to the broker") })

	var log strings.Builder
	for n, frame := range [][]byte{openbarbell(1, 1e6), openbarbell(2, 2e6)[4:], openbarbell(3, 3e6)} { // one lacks its start
		fmt.Fprintf(&log, "rep %d\n", n)
		for i := 0; i < len(frame); i += 4 {
			fmt.Fprintf(&log, "Notification handle = 0x000e value: % x \n", frame[i:i+4])
		}
	}
	if _, err := in.Write([]byte(log.String())); err != nil {
		t.Fatal(err)
	}
	p := launch(t, args...)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	for _, want := range []string{"2 reps acknowledged, 0 not sent", "the start of theirs is missing"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &said)
		}
	}
	var device struct {
		Status lift.DeviceStatus `json:"status"`
	}
	need.Eventually(t, patience, "the bridge's farewell", func() bool {
		return p.do("GET", "/api/v1/devices/bar-1?site=main", nil, &device) == 200 && device.Status.State == lift.DeviceSleeping
	})
	if q := list[lift.Quarantined](p, "/api/v1/quarantine?"); len(q) > 0 {
		t.Errorf("in quarantine: %+v", q)
	}
	assignment := []byte(`{"athlete":"ana","exercise":"deadlift","load_kg":100,"since":"` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"}`)
	if status := p.do("PUT", "/api/v1/devices/bar-1/assignment?site=main", assignment, nil); status > 204 {
		t.Fatalf("assign answers %d", status)
	}
	var reps []lift.RepRecord
	need.Eventually(t, patience, "two reps", func() bool {
		reps = list[lift.RepRecord](p, "/api/v1/athletes/ana/reps?")
		return len(reps) == 2
	})
	for _, r := range reps {
		if r.Convention != "openbarbell-V3" || *r.ROM != 0.5 || *r.DeviceUs != 1e6 && *r.DeviceUs != 3e6 {
			t.Errorf("%+v", r.Rep)
		}
	}
	p.stop()
}
