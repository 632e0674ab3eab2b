package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotterhq/spotter/internal/house/need"
	"github.com/spotterhq/spotter/internal/lift"
)

// A pseudo terminal is as much of a serial port as a machine without one has.
func TestABridgeReadsASerialPort(t *testing.T) {
	sensor, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("NOT RUN: no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { _ = sensor.Close() })
	number, err := unix.IoctlGetInt(int(sensor.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(sensor.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	p := launch(t, serveArgs(t, "100ms", "")...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, said output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"bridge", "openbarbell", "bar-1", "--input", "binary", "--serial", fmt.Sprintf("/dev/pts/%d", number), "--broker", p.MQTT}, &out, &said)
	}()
	// Until the port is open and raw, what is sent to it is lost: the sensor goes on lifting.
	n := float32(0)
	need.Eventually(t, patience, "a rep", func() bool {
		n++
		frame := openbarbell(n, n*1e6)
		if _, err := sensor.Write(append([]byte{0x17}, frame...)); err != nil { // noise before it
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
		return len(list[lift.RepRecord](p, "/api/v1/reps/unassigned?")) > 0
	})
	cancel()
	if code := <-ended; code != 0 || !strings.Contains(said.String(), "reps acknowledged") {
		t.Errorf("it ends with %d\n%s", code, &said)
	}
	p.stop()
}
