package analysis

import (
	"slices"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Sets cuts reps into sets and adds those of training logs, in the order of their
// first reps. Both may be in any order and of several athletes; reps that are not
// valid are left out. A nil zone means UTC.
func Sets(reps []lift.RepRecord, notes []lift.LoggedSet, zone *time.Location) []lift.Set {
	byAthlete := map[lift.AthleteID]*History{}
	of := func(athlete lift.AthleteID) *History {
		h := byAthlete[athlete]
		if h == nil {
			h = &History{Athlete: athlete}
			byAthlete[athlete] = h
		}
		return h
	}
	for len(reps) > 0 {
		n := 1
		for n < len(reps) && reps[n].Athlete == reps[0].Athlete {
			n++
		}
		h := of(reps[0].Athlete)
		if h.Reps == nil { // mostly all are one athlete's: they need not be copied
			h.Reps = reps[:n:n]
		} else {
			h.Reps = append(h.Reps, reps[:n]...)
		}
		reps = reps[n:]
	}
	noted := make(map[string]*float64, len(notes)) // the velocities, which no rule looks at
	for i := range notes {
		h := of(notes[i].Athlete)
		h.Logged = append(h.Logged, notes[i])
		noted[notes[i].ID] = notes[i].Best
	}
	var sets []lift.Set
	for athlete, h := range byAthlete {
		d := newDiary(athlete, "", Settings{Zone: zone})
		d.load(h)
		for k := range d.sets {
			set := d.set(int32(k))
			if set.Source == lift.SourceLogged {
				set.Best = noted[set.RepIDs[0]]
			}
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, lift.Set.Compare)
	return sets
}

func (d *diary) set(k int32) lift.Set {
	s := &d.sets[k]
	v := d.of(s)
	e := &d.lifts[s.lift]
	out := lift.Set{
		ID: d.setID(k), Athlete: d.athlete, Site: d.bars[d.reps[v.first].bar].site,
		Exercise: e.id, Group: e.group, Warmup: s.warmup, Reps: int(s.completed),
		Source: sources[d.reps[v.first].source],
		From:   time.Unix(0, s.started).UTC(), To: time.Unix(0, v.ended).UTC(),
	}
	var best, last float64
	for i := v.first; i <= v.last; i++ {
		r := &d.reps[i]
		if r.set != k {
			continue
		}
		out.RepIDs = append(out.RepIDs, r.id)
		if !r.failed {
			best, last = max(best, r.velocity), r.velocity
		}
	}
	if v.number != noNumber {
		out.Number = new(int(v.number))
	}
	if s.load != noLoad {
		out.LoadKg = new(kilograms(s.load))
		out.VolumeKg = new(kilograms(s.load * int64(s.completed)))
	}
	if s.completed > 0 && !s.logged {
		out.Best, out.Last, out.VelocityLossPct = &best, &last, new(loss(best, last))
		if e1rm, ok := e.estimate(s.load, best); ok {
			out.E1RMKg = &e1rm
		}
	}
	return out
}

// estimate is the one repetition maximum in kilograms that a load moved at v
// m/s speaks for: the load's share of it is 100 % minus the exercise's slope for
// each m/s above the velocity at the maximum. It is known only for lifts with a
// published line, and for loads of at least half the maximum, where that line
// was measured. A load moved more slowly than at the maximum is the maximum.
func (e *exerciseFacts) estimate(load int64, v float64) (float64, bool) {
	if e.slope == 0 || load <= 0 {
		return 0, false
	}
	pct := min(100, 100-e.slope*(v-e.minVelocity))
	if pct < 50 {
		return 0, false
	}
	return kilograms(load) / pct * 100, true
}

// setID derives the id of set k. With a number: athlete, exercise, load, number,
// local date and how many such sets that date had before. Without: the rep of
// it that was logged first.
func (d *diary) setID(k int32) string {
	s := &d.sets[k]
	v := d.of(s)
	if v.number == noNumber || s.logged {
		return "st_" + lift.Digest("set", d.reps[v.earliest].id)
	}
	ordinal := 0
	for i := d.sessions[s.session].first; i < k; i++ {
		if o := &d.sets[i]; o.session == s.session && o.load == s.load && d.of(o).number == v.number {
			ordinal++
		}
	}
	return "st_" + lift.Digest("set", string(d.athlete), string(d.lifts[s.lift].id), strconv.FormatInt(s.load, 10),
		strconv.Itoa(int(v.number)), d.sessions[s.session].day.String(), strconv.Itoa(ordinal))
}
