package privacy

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// ErrErased says that data of somebody was not stored because they were erased.
var ErrErased = errors.New("the athlete was erased, and new data of them is not allowed yet")

// KeyFile is the name of the file with the key of the hashes, in the data folder.
// Without it nobody who was erased is recognised any more.
const KeyFile = "erase.key"

const keyBytes = 32

// Tombstones recognise the data of people who were erased. All methods may be called
// concurrently.
type Tombstones struct {
	// Dropped counts the events that were not stored.
	Dropped atomic.Int64

	key   []byte
	fresh bool // the key was just made
	log   *slog.Logger

	mu       sync.RWMutex
	receipts map[string]string // by keyed hash
	reps     map[string]string // the same of single reps
	recent   map[bar][]since   // assignments that the view may not have yet, of the bars below
	bars     map[bar]time.Time // until when somebody who was erased may have been on it
	view     assignments       // nil before Load
}

type bar struct {
	site   lift.SiteID
	device lift.DeviceID
}

// since says from when on a bar is somebody's, and whether they were erased.
type since struct {
	at     time.Time
	erased bool
}

// maxRecent is how many assignments of one bar are remembered.
const maxRecent = 64

// assignments tell who was on a bar.
type assignments interface {
	AssignmentAt(ctx context.Context, site lift.SiteID, device lift.DeviceID, at time.Time) (lift.Assignment, error)
}

// OpenTombstones reads the key of a data folder, making it where there is none.
func OpenTombstones(dir string, logger *slog.Logger) (*Tombstones, error) {
	t := &Tombstones{log: logger, receipts: map[string]string{}, reps: map[string]string{}, bars: map[bar]time.Time{}, recent: map[bar][]since{}}
	path := filepath.Join(dir, KeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.key, t.fresh = make([]byte, keyBytes), true
		_, _ = rand.Read(t.key) // it never fails
		if err := access.Replace(path, []byte(hex.EncodeToString(t.key)+"\n")); err != nil {
			return nil, fmt.Errorf("write key of erasures: %w", err)
		}
		return t, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read key of erasures: %w", err)
	}
	if t.key, err = hex.DecodeString(strings.TrimSpace(string(text))); err != nil || len(t.key) != keyBytes {
		return nil, fmt.Errorf("read key of erasures: %s is not %d bytes in hex", KeyFile, keyBytes)
	}
	return t, nil
}

// Key is the keyed hash of an athlete's id, in hex.
func (t *Tombstones) Key(athlete lift.AthleteID) string {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(athlete))
	return hex.EncodeToString(h.Sum(nil))
}

// Load learns from the log who was erased or is to be. It has to be called before
// anything is taken in.
func (t *Tombstones) Load(ctx context.Context, log Log, v assignments) error {
	receipts := map[string]lift.Erased{}
	err := log.ScanKind(ctx, journal.KindErased, func(e *journal.Entry) error {
		receipts[e.Erased.Receipt] = *e.Erased
		return nil
	})
	if err != nil {
		return fmt.Errorf("load erasures: %w", err)
	}
	if t.fresh && len(receipts) > 0 {
		t.log.Error("the key of erasures is gone: later data of the people who were erased is not recognised", "file", KeyFile, "receipts", len(receipts))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.view = v
	for _, r := range receipts {
		if r.Lifted == nil {
			t.receipts[r.Key] = r.Receipt
			for _, rep := range r.Reps {
				t.reps[rep] = r.Receipt
			}
		}
	}
	err = log.ScanKind(ctx, journal.KindErase, func(e *journal.Entry) error {
		t.receipts[t.Key(e.Athlete)] = e.Erase.Receipt
		return nil
	})
	if err != nil {
		return fmt.Errorf("load erasures: %w", err)
	}
	return nil
}

// Receipt returns the receipt of an athlete who was erased, false where they were not
// or new data of them is allowed again.
func (t *Tombstones) Receipt(athlete lift.AthleteID) (string, bool) {
	if athlete == "" {
		return "", false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.receipts) == 0 {
		return "", false
	}
	receipt, ok := t.receipts[t.Key(athlete)]
	return receipt, ok
}

func (t *Tombstones) set(key, receipt string) {
	t.mu.Lock()
	t.receipts[key] = receipt
	t.mu.Unlock()
}

// lift forgets a receipt.
func (t *Tombstones) lift(receipt string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range []map[string]string{t.receipts, t.reps} {
		maps.DeleteFunc(m, func(_, r string) bool { return r == receipt })
	}
}

// setReps remembers the reps that a correction had made the person's, and returns
// their keyed hashes.
func (t *Tombstones) setReps(receipt string, reps map[string]bool) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var keys []string
	for _, id := range slices.Sorted(maps.Keys(reps)) {
		if given := reps[id]; given {
			key := t.repKey(id)
			t.reps[key] = receipt
			keys = append(keys, key)
		}
	}
	return keys
}

func (t *Tombstones) repKey(id string) string { return t.Key(lift.AthleteID("rep " + id))[:24] }

func (t *Tombstones) setBars(all []view.Stretch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.bars)
	for _, s := range all {
		t.bars[bar{s.Site, s.Device}] = s.To
	}
}

// none reports whether nobody was ever erased.
func (t *Tombstones) none() bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.receipts) == 0 && len(t.bars) == 0
}

// Admit returns the events that may be stored, in their order, and counts those that
// it leaves out. An assignment of somebody who was erased becomes one of nobody, so
// that what they lift is not taken for the lifter's before.
func (t *Tombstones) Admit(ctx context.Context, events []journal.Event) []journal.Event {
	if t.none() {
		return events
	}
	kept := events[:0]
	for i := range events {
		e := events[i]
		receipt, refused := t.refuses(&e)
		switch {
		case refused && e.Kind == journal.KindAssign:
			t.Dropped.Add(1)
			e.Assign = &lift.Assignment{Since: e.Assign.Since, SinceGiven: e.Assign.SinceGiven, Erased: receipt}
			e.Athlete = ""
			t.note(&e)
		case refused || t.leans(ctx, &e):
			t.Dropped.Add(1)
			continue
		case e.Kind == journal.KindAssign:
			t.note(&e)
		}
		kept = append(kept, e)
	}
	clear(events[len(kept):])
	return kept
}

// note remembers an assignment of a bar on which somebody is or was who was erased:
// what comes from it next may come before the view knows.
func (t *Tombstones) note(e *journal.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := bar{e.Site, e.Device}
	erased := e.Assign.Erased != ""
	if _, marked := t.bars[b]; !marked && !erased {
		return
	}
	if erased {
		t.bars[b] = forever
	}
	t.recent[b] = append(t.recent[b], since{e.Assign.Since, erased})
	t.recent[b] = t.recent[b][max(0, len(t.recent[b])-maxRecent):]
}

// forever is the end of an assignment that is in force.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// idText finds what may be an id in a message.
var idText = regexp.MustCompile(`"([a-z0-9][a-z0-9_-]{0,63})"`)

// refuses returns the receipt of the person whom the event names and who was erased.
func (t *Tombstones) refuses(e *journal.Event) (string, bool) {
	if e.Kind == journal.KindErase {
		return "", false
	}
	if receipt, ok := t.Receipt(e.Athlete); ok {
		return receipt, true
	}
	switch {
	case e.Rep != nil:
		t.mu.RLock()
		defer t.mu.RUnlock()
		if len(t.reps) > 0 && e.InPlaceOf == 0 {
			receipt, ok := t.reps[t.repKey(lift.RepID(e.Site, e.Device, e.Rep.BootID, e.Rep.Seq))]
			return receipt, ok
		}
	case e.Edit != nil && e.Edit.Athlete != nil:
		return t.Receipt(*e.Edit.Athlete)
	case e.Record != nil && e.Record.Kind == lift.OfAthlete:
		return t.Receipt(lift.AthleteID(e.Record.ID))
	case e.Quarantined != nil:
		seen := map[string]bool{}
		for _, m := range idText.FindAllSubmatch(e.Quarantined.Bytes, -1) {
			id := string(m[1])
			if seen[id] {
				continue
			}
			seen[id] = true
			if receipt, ok := t.Receipt(lift.AthleteID(id)); ok {
				return receipt, true
			}
		}
	}
	return "", false
}

// leans reports whether the event names nobody and belongs to somebody who was erased
// by who was on the bar.
func (t *Tombstones) leans(ctx context.Context, e *journal.Event) bool {
	var at time.Time
	switch {
	case e.Rep != nil && e.Rep.Athlete == "":
		at = e.Rep.Time
	case e.Samples != nil:
		at = e.Samples.Time
	default:
		return false
	}
	t.mu.RLock()
	until, marked := t.bars[bar{e.Site, e.Device}]
	v := t.view
	recent := slices.Clone(t.recent[bar{e.Site, e.Device}])
	t.mu.RUnlock()
	if !marked || !at.Before(until) || v == nil {
		return false
	}
	found, err := v.AssignmentAt(ctx, e.Site, e.Device, at)
	if err != nil {
		t.log.Error("who was on a bar cannot be read; what came from it is taken", "error", err)
		return false
	}
	last := since{found.Since, found.Erased != ""}
	for _, r := range recent {
		if !r.at.After(at) && !r.at.Before(last.at) {
			last = r
		}
	}
	return last.erased
}

// Gate is a log that takes nothing about people who were erased.
type Gate struct {
	Appender
	Tombstones *Tombstones
}

// Appender is where events are made durable.
type Appender interface {
	Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error)
}

// Append fails with ErrErased where one of the events is about somebody who was
// erased; then none is stored. That somebody has looked for them is not stored, and
// no error.
func (g Gate) Append(ctx context.Context, events ...journal.Event) ([]journal.Ack, error) {
	if g.Tombstones.none() {
		return g.Appender.Append(ctx, events...)
	}
	var kept []journal.Event
	var places []int
	for i := range events {
		if _, refused := g.Tombstones.refuses(&events[i]); !refused {
			if events[i].Kind == journal.KindAssign {
				g.Tombstones.note(&events[i])
			}
			kept, places = append(kept, events[i]), append(places, i)
			continue
		}
		g.Tombstones.Dropped.Add(1)
		if events[i].Kind != journal.KindRead {
			return nil, fmt.Errorf("append: %w", ErrErased)
		}
	}
	acks := make([]journal.Ack, len(events))
	if len(kept) == 0 {
		return acks, nil
	}
	got, err := g.Appender.Append(ctx, kept...)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		acks[place] = got[i]
	}
	return acks, nil
}
