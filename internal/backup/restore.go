package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// markName is the file that marks a data folder which is being restored into.
const markName = "restoring"

// ErrUnfinished says that a restore into the data folder did not come to its end.
var ErrUnfinished = errors.New("a restore into this data folder did not finish: empty the folder and restore again")

// CheckFinished returns ErrUnfinished for a data folder with half of a backup.
func CheckFinished(data string) error {
	if _, err := os.Stat(filepath.Join(data, markName)); err == nil {
		return ErrUnfinished
	}
	return nil
}

// ErrNotEmpty says that there is something already where a backup is to be restored.
var ErrNotEmpty = errors.New("a backup is restored into an empty data folder only")

// Prepare makes an empty data folder ready for Restore, creating it where there is
// none, and marks it.
func Prepare(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("create data folder: %w", err)
	}
	there, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("read data folder: %w", err)
	}
	if len(there) > 0 {
		return fmt.Errorf("%w: there is %s in %s", ErrNotEmpty, there[0].Name(), data)
	}
	if err := access.Replace(filepath.Join(data, markName), nil); err != nil {
		return fmt.Errorf("mark data folder: %w", err)
	}
	return nil
}

// RestoreOptions say where to restore to. Log and Data are required.
type RestoreOptions struct {
	Log  *journal.Log // without events
	Data string       // Prepared
	// Last, where set, returns events to append when everything is there, such as those
	// that erase some of the athletes again.
	Last func(athletes []lift.AthleteID) ([]journal.Event, error)
	// Progress is told the last sequence restored and the last there is.
	Progress func(done, total uint64)
}

// Restored is what came of a restore.
type Restored struct {
	Manifest
	Last int // events appended at the end
}

// Restore reads a verified archive again and puts it into the log and the folder.
// Events keep their sequences, and followers their positions in the log, so that
// nothing is judged or pushed twice; but for InfluxDB's, which is written anew, with
// identical points.
func Restore(ctx context.Context, r io.Reader, o RestoreOptions) (Restored, error) {
	if events, samples, err := o.Log.Ends(ctx); err != nil || events > 0 || samples > 0 {
		return Restored{}, errors.Join(err, fmt.Errorf("%w: the log has events", ErrNotEmpty))
	}
	to := &target{ctx: ctx, o: o, athletes: map[lift.AthleteID]struct{}{}}
	m, err := read(r, visitor{
		begin: func(b Begin) error { to.begin = b; return nil },
		file:  to.file, event: to.event, sample: to.sample,
		progress: o.Progress,
	})
	if err == nil {
		err = errors.Join(to.flushEvents(m.UpTo), to.flushSamples())
	}
	if err == nil {
		err = to.finish(&m)
	}
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	return Restored{Manifest: m, Last: to.appended}, nil
}

// target is what is restored into.
type target struct {
	ctx     context.Context
	o       RestoreOptions
	begin   Begin
	events  []journal.Entry
	chunks  []journal.Event
	old     []uint64 // sequences of the chunks in the backup
	handled uint64   // the last chunk that the segmenter had read, in the new stream
	// athletes are all who are in the log, which takes a few bytes for each.
	athletes map[lift.AthleteID]struct{}
	appended int
}

// segmenter is the one follower whose position is in the samples. Those get new
// sequences, because nothing names them: the old ones are long gone.
const segmenter = "segmenter"

// finish stores the followers' positions and takes the mark away.
func (to *target) finish(m *Manifest) error {
	if to.o.Last != nil {
		events, err := to.o.Last(slices.Sorted(maps.Keys(to.athletes)))
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(events, journal.MaxBatch) {
			if _, err := to.o.Log.Append(to.ctx, chunk...); err != nil {
				return err
			}
		}
		to.appended = len(events)
	}
	for follower, seq := range m.Positions {
		switch {
		case strings.HasPrefix(follower, "influx"):
			continue
		case follower == segmenter:
			seq = to.handled
		default:
			seq = min(seq, m.UpTo)
		}
		if err := to.o.Log.SavePosition(to.ctx, follower, seq); err != nil {
			return err
		}
	}
	if err := Note(to.o.Data, Made{At: m.Made, UpTo: m.UpTo, Events: m.Events, Samples: m.SamplesUpTo > 0}); err != nil {
		return err
	}
	return os.Remove(filepath.Join(to.o.Data, markName))
}

func (to *target) file(name string, data []byte) error {
	path := filepath.Join(to.o.Data, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return access.Replace(path, data)
}

// patience is how long an append may take; where much was erased, it fills many gaps.
const patience = 10 * time.Minute

// chunksAtOnce is how many chunks of samples are appended at a time.
const chunksAtOnce = 200

func (to *target) event(seq uint64, e journal.Event) error {
	if e.Athlete != "" {
		to.athletes[e.Athlete] = struct{}{}
	}
	if e.Assign != nil && e.Assign.Athlete != "" {
		to.athletes[e.Assign.Athlete] = struct{}{}
	}
	if to.events = append(to.events, journal.Entry{Seq: seq, Event: e}); len(to.events) < journal.MaxBatch {
		return nil
	}
	return to.flushEvents(seq)
}

func (to *target) flushEvents(upTo uint64) error {
	ctx, cancel := context.WithTimeout(to.ctx, patience)
	defer cancel()
	err := to.o.Log.Refill(ctx, to.events, upTo)
	clear(to.events)
	to.events = to.events[:0]
	return err
}

func (to *target) sample(seq uint64, e journal.Event) error {
	to.chunks, to.old = append(to.chunks, e), append(to.old, seq)
	if len(to.chunks) < chunksAtOnce {
		return nil
	}
	return to.flushSamples()
}

func (to *target) flushSamples() error {
	if len(to.chunks) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(to.ctx, patience)
	defer cancel()
	acks, err := to.o.Log.Append(ctx, to.chunks...)
	if err != nil {
		return err
	}
	for i, ack := range acks {
		if to.old[i] <= to.begin.Positions[segmenter] {
			to.handled = max(to.handled, ack.Seq) // a repeat has the sequence of its first copy
		}
	}
	clear(to.chunks)
	to.chunks, to.old = to.chunks[:0], to.old[:0]
	return nil
}
