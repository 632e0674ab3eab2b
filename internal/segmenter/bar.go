package segmenter

import (
	"context"
	"fmt"
	"time"

	"github.com/spotterhq/spotter/analysis/segment"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

const (
	// lookEvery is how much of a bar's time may pass before its assignment is looked
	// up again.
	lookEvery = time.Second
	// earlier is how many reps a lifter's usual range of motion is made of at most.
	earlier = 30
)

// key is one start of one device.
type key struct {
	site   lift.SiteID
	device lift.DeviceID
	boot   string
}

// bar is what is known of one start of one device.
type bar struct {
	key
	machine  *segment.Machine
	counted  segment.Stats // of the machine's, what is in the segmenter's
	fed      time.Time     // when the newest chunk was read
	received time.Time     // of the newest chunk
	read     []place       // chunks that are still needed, in the log's order

	looked   time.Time // the time that the assignment is known for
	athlete  lift.AthleteID
	exercise lift.ExerciseID
}

// place is where in the log a chunk is.
type place struct {
	chunk int64
	seq   uint64
}

func newBar(k key) *bar { return &bar{key: k, machine: segment.New(segment.Gate{})} }

func (b *bar) feed(e *journal.Entry, now time.Time) []lift.Rep {
	b.fed, b.received = now, e.Received
	b.read = append(b.read, place{e.Samples.Chunk, e.Seq})
	found := b.machine.Feed(e.Samples)
	if oldest, ok := b.machine.Needs(); ok {
		n := 0
		for _, p := range b.read {
			if p.chunk >= oldest {
				b.read[n] = p
				n++
			}
		}
		b.read = b.read[:n]
	}
	return found
}

// needs is the log's sequence of the oldest chunk that must be read again after a
// restart.
func (b *bar) needs() (seq uint64, ok bool) {
	if len(b.read) == 0 {
		return 0, false
	}
	return b.read[0].seq, true
}

// gate sets what a rep of whoever is assigned to the bar must be like.
func (s *Segmenter) gate(ctx context.Context, b *bar, at time.Time) error {
	if !b.looked.IsZero() && at.Sub(b.looked).Abs() < lookEvery {
		return nil
	}
	first := b.looked.IsZero()
	b.looked = at
	who, err := s.o.View.AssignmentAt(ctx, b.site, b.device, at)
	if err != nil {
		return fmt.Errorf("segmenter: %w", err)
	}
	if !first && who.Athlete == b.athlete && who.Exercise == b.exercise {
		return nil
	}
	b.athlete, b.exercise = who.Athlete, who.Exercise
	exercise, _ := s.o.Exercise(who.Exercise)
	var roms []float64
	if who.Athlete != "" && who.Exercise != "" {
		if roms, err = s.o.View.RangesOfMotion(ctx, who.Athlete, who.Exercise, at, earlier); err != nil {
			return fmt.Errorf("segmenter: %w", err)
		}
	}
	b.machine.Gate = segment.GateFor(exercise, roms)
	return nil
}
