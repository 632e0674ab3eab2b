package api

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/feed"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// frame is one event of a stream, encoded once for all clients.
type frame struct {
	// pos is the frame's position in its feed: the log's sequence, on the live
	// feed with subBits more below it.
	pos      uint64
	site     lift.SiteID
	athlete  lift.AthleteID
	severity lift.Severity
	text     []byte
	home     func() lift.SiteID // where the athlete is, found when first asked for
}

func posOf(f *frame) uint64 { return f.pos }

// subBits leave room on the live feed for sets, which are computed some time after
// their reps and come behind them under the same sequence of the log.
const (
	subBits = 8
	subMax  = 1<<subBits - 1
)

const (
	alertsHeld = 4096
	liveHeld   = 4096
	// setsEvery is how often the sets of lifters at work are computed: many reps
	// in a burst lead to one set.
	setsEvery = 200 * time.Millisecond
	// setsAtOnce bounds how many athletes' sets are computed in one go.
	setsAtOnce = 64
)

// liveSet is a set as it is on the live stream: with whose it is.
type liveSet struct {
	Site    lift.SiteID    `json:"site"`
	Athlete lift.AthleteID `json:"athlete"`
	lift.Set
}

// encode writes an event in the form of a stream.
func encode(event string, seq uint64, data any) ([]byte, error) {
	text := append(make([]byte, 0, 512), "event: "+event+"\nid: "...)
	text = append(strconv.AppendUint(text, seq, 10), "\ndata: "...)
	value, err := json.Marshal(data) // has no line breaks
	if err != nil {
		return nil, err
	}
	return append(append(text, value...), "\n\n"...), nil
}

func (t *streams) alertFrame(step *view.AlertStep) (*frame, error) {
	a := &step.Alert
	text, err := encode("alert", step.Seq, a)
	return &frame{pos: step.Seq, site: a.Site, athlete: a.Athlete, severity: a.Severity, text: text, home: t.homeOf(a.Athlete)}, err
}

// homeOf finds where an athlete is once, for all clients that must know it.
func (t *streams) homeOf(athlete lift.AthleteID) func() lift.SiteID {
	return sync.OnceValue(func() lift.SiteID {
		site, err := t.siteOf(t.ended, athlete)
		if err != nil {
			t.log.Error("find an athlete's site for streams", "error", err)
		}
		return site
	})
}

// seenBy reports whether the caller may see what the frame tells.
func (f *frame) seenBy(id *identity) bool {
	switch {
	case id.all():
		return true
	case f.athlete == "":
		return id.seesSite(f.site)
	case id.Role == access.RoleAthlete:
		return f.athlete == id.Athlete
	}
	return id.seesSite(f.home())
}

// followAlerts encodes each step of an alert until the context ends. The feed moves
// only when there is one, so that waiting clients are not woken by every rep.
func (t *streams) followAlerts(ctx context.Context) {
	changes, pos := t.view.Changes(), t.begin
	var read []view.Change
	for {
		var next uint64
		var err error
		read, next, err = changes.Read(ctx, pos, 256, read[:0])
		if errors.Is(err, feed.ErrTooOld) {
			pos = t.view.Position()
			t.alerts.Restart(pos)
			continue
		}
		if err != nil {
			return
		}
		pos = next
		var frames []*frame
		erased := false
		for i := range read {
			erased = erased || read[i].Erase != ""
			if read[i].Alert == nil {
				continue
			}
			f, err := t.alertFrame(read[i].Alert)
			if err != nil {
				t.log.Error("encode alert for streams", "seq", read[i].Seq, "error", err)
				continue
			}
			frames = append(frames, f)
		}
		switch {
		case erased:
			// The frames hold what the view has forgotten; it has those of others.
			t.alerts.Restart(pos)
		case len(frames) > 0:
			t.alerts.PublishAll(pos, posOf, frames)
		}
	}
}

// follower encodes what happens live. It belongs to one goroutine.
type follower struct {
	*streams
	pos   uint64 // in the view's changes
	sub   uint64 // of the newest set at pos
	dirty map[lift.AthleteID]touched
}

// touched is what happened to an athlete since their sets were computed.
type touched struct {
	reps       map[string]bool
	from, till time.Time
}

// followLive encodes reps, devices and sets until the context ends.
func (t *streams) followLive(ctx context.Context) {
	f := follower{streams: t, pos: t.begin, dirty: map[lift.AthleteID]touched{}}
	var read []view.Change
	for due := t.now(); ; {
		reading, cancel := ctx, context.CancelFunc(func() {})
		if len(f.dirty) > 0 {
			reading, cancel = context.WithTimeout(ctx, max(due.Sub(t.now()), time.Millisecond))
		}
		var next uint64
		var err error
		read, next, err = t.view.Changes().Read(reading, f.pos, 256, read[:0])
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, feed.ErrTooOld):
			f.pos, f.sub = t.view.Position(), 0
			clear(f.dirty)
			t.live.Restart(f.pos<<subBits | subMax)
			continue
		case err == nil:
			f.pos, f.sub = next, 0
			f.publish(read)
			f.forget(read)
		}
		if now := t.now(); len(f.dirty) > 0 && !now.Before(due) {
			f.publishSets(ctx)
			due = t.now().Add(setsEvery)
		}
	}
}

// forget lets go of everything that is held where somebody was erased: their part
// cannot be told from it any more.
func (f *follower) forget(changes []view.Change) {
	erased := false
	for i := range changes {
		if who := changes[i].Erase; who != "" {
			erased = true
			delete(f.dirty, who)
		}
	}
	if erased {
		f.live.Restart(f.pos<<subBits | subMax)
	}
}

func (f *follower) publish(changes []view.Change) {
	var frames []*frame
	for i := range changes {
		c := &changes[i]
		out := frame{pos: c.Seq << subBits}
		var err error
		switch {
		case c.Rep != nil && c.Rep.Source == lift.SourceImported && c.Was == nil:
			continue // old training, perhaps years of it
		case c.Rep != nil:
			out.site, out.athlete, out.home = c.Rep.Site, c.Rep.Athlete, f.homeOf(c.Rep.Athlete)
			out.text, err = encode("rep", c.Seq, c.Rep)
			// Nobody watches the sets of a backlog, unless one of its reps is corrected.
			if f.wanted() && (!c.Rep.Historical || c.Was != nil) {
				f.touch(c.Rep)
				f.touch(c.Was)
			}
		case c.Device != nil:
			out.site = c.Device.Site
			out.text, err = encode("device", c.Seq, deviceOf(c.Device))
		case c.Assigned != nil:
			out.site = c.Assigned.Site
			out.text, err = encode("device", c.Seq, device{
				Site: c.Assigned.Site, Device: c.Assigned.Device, Seen: c.Received, On: &c.Assigned.Assignment,
			})
		default:
			continue
		}
		if err != nil {
			f.log.Error("encode for live streams", "seq", c.Seq, "error", err)
			continue
		}
		frames = append(frames, &out)
	}
	if len(frames) > 0 {
		f.live.PublishAll(f.pos<<subBits, posOf, frames)
	}
}

func (f *follower) touch(r *lift.RepRecord) {
	if r == nil || r.Athlete == "" {
		return
	}
	t, known := f.dirty[r.Athlete]
	if !known {
		t = touched{reps: map[string]bool{}, from: r.PointTime, till: r.PointTime}
	}
	t.reps[r.ID] = true
	if r.PointTime.Before(t.from) {
		t.from = r.PointTime
	}
	if r.PointTime.After(t.till) {
		t.till = r.PointTime
	}
	f.dirty[r.Athlete] = t
}

// publishSets computes the sets that the touched reps are in now.
func (f *follower) publishSets(ctx context.Context) {
	var frames []*frame
	pos := f.pos<<subBits | min(f.sub+1, subMax)
	left := setsAtOnce
	for athlete, t := range f.dirty {
		if left--; left < 0 {
			break
		}
		delete(f.dirty, athlete)
		sets, err := f.setsAround(ctx, athlete, t.from, t.till)
		if err != nil {
			if ctx.Err() == nil {
				f.log.Error("compute sets for live streams", "error", err)
			}
			continue
		}
		for i := range sets {
			s := &sets[i]
			if !slices.ContainsFunc(s.RepIDs, func(id string) bool { return t.reps[id] }) {
				continue
			}
			text, err := encode("set", f.pos, &liveSet{s.Site, s.Athlete, *s})
			if err != nil {
				f.log.Error("encode set for live streams", "error", err)
				continue
			}
			frames = append(frames, &frame{pos: pos, site: s.Site, athlete: s.Athlete, text: text, home: f.homeOf(s.Athlete)})
		}
	}
	if len(frames) > 0 {
		f.sub++
		f.live.PublishAll(pos, posOf, frames)
	}
}
