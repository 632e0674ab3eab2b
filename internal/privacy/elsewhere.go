package privacy

import (
	"context"
	"fmt"
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// elsewhere finds what the log has of the athlete under nobody's or somebody else's
// name: words of reps that came to be theirs, corrections that name them, and messages
// in quarantine that speak of them. Reps come before corrections, so that whatever a
// crash leaves of both is never a rep without its correction.
func (c *Coordinator) elsewhere(ctx context.Context, request *journal.Entry, reps map[string]bool) ([]uint64, error) {
	isTheirs := func(id string) bool {
		_, known := reps[id]
		return known
	}
	var first, then []uint64
	err := c.o.Log.Scan(ctx, c.o.Log.LastSeq(), func(e *journal.Entry) error {
		if e.Athlete == request.Athlete {
			return nil
		}
		before := e.Seq < request.Seq
		switch e.Kind {
		case journal.KindRep:
			theirs := before && isTheirs(lift.RepID(e.Site, e.Device, e.Rep.BootID, e.Rep.Seq))
			if !before && e.Rep.Athlete == "" {
				// It came while nobody knew yet.
				on, err := c.o.View.AssignmentAt(ctx, e.Site, e.Device, e.Rep.Time)
				if err != nil {
					return err
				}
				theirs = on.Erased == request.Erase.Receipt
			}
			if theirs {
				first = append(first, e.Seq)
			}
		case journal.KindEdit:
			if before && isTheirs(e.Edit.RepID) || e.Edit.Athlete != nil && *e.Edit.Athlete == request.Athlete {
				then = append(then, e.Seq)
			}
		case journal.KindQuarantined:
			if e.Quarantined.Names(request.Athlete) {
				then = append(then, e.Seq)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for what is filed elsewhere: %w", err)
	}
	return append(first, then...), nil
}

// eraseVelocity removes the chunks of bar velocity of the stretches from the log and
// returns how many there were.
func (c *Coordinator) eraseVelocity(ctx context.Context, stretches []view.Stretch) (int, error) {
	byBar := map[bar][]view.Stretch{}
	for _, s := range stretches {
		byBar[bar{s.Site, s.Device}] = append(byBar[bar{s.Site, s.Device}], s)
	}
	n := 0
	for b, all := range byBar {
		var seqs []uint64
		err := c.o.Log.ScanSamples(ctx, b.site, b.device, func(e *journal.Entry) error {
			end := e.Samples.Time.Add(time.Duration(float64(len(e.Samples.Velocity)) / e.Samples.RateHz * float64(time.Second)))
			for _, s := range all {
				if e.Samples.Time.Before(s.To) && end.After(s.From) {
					seqs = append(seqs, e.Seq)
					break
				}
			}
			return nil
		})
		if err != nil {
			return n, fmt.Errorf("look for bar velocity: %w", err)
		}
		if err := c.o.Log.DeleteSamples(ctx, seqs); err != nil {
			return n, err
		}
		n += len(seqs)
	}
	return n, nil
}
