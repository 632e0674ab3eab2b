package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/spotterhq/spotter/internal/lift"
)

// scanBatch is how many events are read at a time.
const scanBatch = 1000

// Scan hands the stored events up to a sequence to f in their order, reading past
// what is held in memory.
func (l *Log) Scan(ctx context.Context, upTo uint64, f func(*Entry) error) error {
	return l.scan(ctx, l.tail.stream, eventSubjects+">", upTo, f)
}

// ScanAllSamples does the same with the samples of all devices.
func (l *Log) ScanAllSamples(ctx context.Context, upTo uint64, f func(*Entry) error) error {
	return l.scan(ctx, l.samples.stream, samplesSubjects+">", upTo, f)
}

// ScanSamples does the same with the chunks of one device, up to the newest.
func (l *Log) ScanSamples(ctx context.Context, site lift.SiteID, device lift.DeviceID, f func(*Entry) error) error {
	return l.scan(ctx, l.samples.stream, samplesSubjects+string(site)+"."+string(device), ^uint64(0), f)
}

// ScanKind does the same with the events of a kind, whoever they are about.
func (l *Log) ScanKind(ctx context.Context, kind Kind, f func(*Entry) error) error {
	return l.scan(ctx, l.tail.stream, eventSubjects+"*."+string(kind), ^uint64(0), f)
}

func (l *Log) scan(ctx context.Context, stream, subject string, upTo uint64, f func(*Entry) error) error {
	return l.messages(ctx, stream, subject, func(m *jetstream.RawStreamMsg) error {
		if m.Sequence > upTo {
			return errEnough
		}
		e, err := Decode(m.Data)
		if err != nil {
			return fmt.Errorf("read log at %d: %w", m.Sequence, err)
		}
		return f(&Entry{m.Sequence, e})
	})
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

// messages hands the stored messages of a subject to f in their order, until f
// returns errEnough.
func (l *Log) messages(ctx context.Context, stream, subject string, f func(*jetstream.RawStreamMsg) error) error {
	for next := uint64(1); ; {
		batch, err := jetstreamext.GetBatch(ctx, l.js, stream, scanBatch, jetstreamext.GetBatchSubject(subject), jetstreamext.GetBatchSeq(next))
		if err != nil {
			return fmt.Errorf("read log from %d: %w", next, err)
		}
		began := next
		for m, err := range batch {
			if errors.Is(err, jetstreamext.ErrNoMessages) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read log from %d: %w", next, err)
			}
			next = m.Sequence + 1
			if err := f(m); errors.Is(err, errEnough) {
				return nil
			} else if err != nil {
				return err
			}
		}
		if next == began {
			return nil
		}
	}
}

// Delete removes the events at the given sequences and overwrites their bytes on
// disk; those that are gone already do no harm. Each takes some 20 ms, in which the
// server writes a whole block of the log anew.
func (l *Log) Delete(ctx context.Context, seqs []uint64) error {
	return l.remove(ctx, l.stream, seqs)
}

// DeleteSamples does the same with chunks of samples, whose sequences are of a
// stream of their own.
func (l *Log) DeleteSamples(ctx context.Context, seqs []uint64) error {
	stream, err := l.js.Stream(ctx, l.samples.stream)
	if err != nil {
		return fmt.Errorf("open stream of samples: %w", err)
	}
	return l.remove(ctx, stream, seqs)
}

func (l *Log) remove(ctx context.Context, stream jetstream.Stream, seqs []uint64) error {
	for _, seq := range seqs {
		if _, err := stream.GetMsg(ctx, seq); errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // gone already
		}
		if err := stream.SecureDeleteMsg(ctx, seq); err != nil {
			return fmt.Errorf("delete event %d: %w", seq, err)
		}
	}
	return nil
}

// Erase removes the athlete's events from the log and overwrites their bytes on
// disk. An event of KindErase goes last: as long as there is one, something may be
// left, and Erase can be called again. It returns how many it removed.
func (l *Log) Erase(ctx context.Context, athlete lift.AthleteID) (int, error) {
	if err := lift.CheckID("athlete", athlete); err != nil {
		return 0, err
	}
	var seqs, last []uint64
	err := l.messages(ctx, l.tail.stream, eventSubjects+string(athlete)+".>", func(m *jetstream.RawStreamMsg) error {
		if strings.HasSuffix(m.Subject, "."+string(KindErase)) {
			last = append(last, m.Sequence)
		} else {
			seqs = append(seqs, m.Sequence)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	seqs = append(seqs, last...)
	return len(seqs), l.Delete(ctx, seqs)
}

// Trim removes the events of the kinds, whoever they are about, that were stored
// before the given time. Their bytes stay on disk until the server writes that part
// of the log anew.
func (l *Log) Trim(ctx context.Context, before time.Time, kinds ...Kind) error {
	first, err := l.since(ctx, before)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		err := l.stream.Purge(ctx, jetstream.WithPurgeSubject(eventSubjects+"*."+string(kind)), jetstream.WithPurgeSequence(first))
		if err != nil {
			return fmt.Errorf("trim %s events: %w", kind, err)
		}
	}
	return nil
}

// since is the sequence of the first event that was stored at or after a time, or
// the one that comes next.
func (l *Log) since(ctx context.Context, at time.Time) (uint64, error) {
	batch, err := jetstreamext.GetBatch(ctx, l.js, l.tail.stream, 1, jetstreamext.GetBatchStartTime(at))
	if err != nil {
		return 0, fmt.Errorf("find the log's place in time: %w", err)
	}
	for m, err := range batch {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("find the log's place in time: %w", err)
		}
		return m.Sequence, nil
	}
	return l.LastSeq() + 1, nil
}
