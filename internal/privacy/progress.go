package privacy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// progress is a receipt that is being written.
type progress struct {
	*Coordinator
	erased lift.Erased
	stored []lift.StoreErased // what the log has
}

// say notes what a store did, and when that is news.
func (p *progress) say(store, state, detail string) {
	i := slices.IndexFunc(p.erased.Stores, func(s lift.StoreErased) bool { return s.Store == store })
	now := p.o.Now().UTC()
	if i < 0 {
		p.erased.Stores = append(p.erased.Stores, lift.StoreErased{Store: store, State: state, Detail: detail, At: now})
		return
	}
	if s := &p.erased.Stores[i]; s.State != state || s.Detail != detail {
		*s = lift.StoreErased{Store: store, State: state, Detail: detail, At: now}
	}
}

// expect notes stores that will be asked.
func (p *progress) expect(stores ...string) {
	for _, store := range stores {
		if !slices.ContainsFunc(p.erased.Stores, func(s lift.StoreErased) bool { return s.Store == store }) {
			p.say(store, Waiting, "")
		}
	}
}

// settled reports whether a store has said its last word.
func (p *progress) settled(store string) bool {
	return slices.ContainsFunc(p.erased.Stores, func(s lift.StoreErased) bool { return s.Store == store && s.State != Waiting })
}

// ask lets a store forget the subject. It reports whether that is settled.
func (p *progress) ask(ctx context.Context, s Store, subject Subject) bool {
	state, detail, err := s.Erase(ctx, subject)
	switch {
	case err == nil:
		p.say(s.Name, state, detail)
		return true
	case errors.Is(err, ErrCannot):
		p.say(s.Name, Failed, err.Error())
		return true
	}
	p.o.Logger.Warn("a store cannot erase now; trying again", "store", s.Name, "error", err)
	p.say(s.Name, Waiting, "cannot be reached, or is busy; it is tried again")
	return false
}

// store appends the receipt where something in it is new.
func (p *progress) store(ctx context.Context) error {
	if reflect.DeepEqual(p.stored, p.erased.Stores) && p.erased.Done.IsZero() {
		return nil
	}
	e := p.erased
	e.Stores = slices.Clone(e.Stores)
	acks, err := p.o.Log.Append(ctx, journal.Event{Kind: journal.KindErased, Received: p.o.Now().UTC(), By: e.By, Erased: &e})
	if err != nil {
		return fmt.Errorf("write a receipt: %w", err)
	}
	p.stored = e.Stores
	return p.o.View.WaitFor(ctx, acks[0].Seq)
}

// counted tells what the view has let go of.
func counted(counts map[string]int64) string {
	if len(counts) == 0 {
		return "nothing was there"
	}
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(parts, ", ")
}
